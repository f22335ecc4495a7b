/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/site.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static char *scratch_file(const char *name, const char *text)
{
	char *path = g_build_filename(unit_scratch(), name, NULL);

	g_file_set_contents(path, text, -1, NULL);
	return path;
}

/* "LINE: MESSAGE\n" for every error. */
static void collect(void *arg, const char *file, int line, const char *message)
{
	(void)file;
	g_string_append_printf(arg, "%d: %s\n", line, message);
}

static char *errors_of(const char *text)
{
	char *path = scratch_file("errors.conf", text);
	GString *errors = g_string_new(NULL);
	struct site *site = NULL;
	struct err err;
	int status = site_load_all(&site, path, collect, errors, &err);

	CU_ASSERT((status == ST_OK) == (errors->len == 0));
	if (status != ST_OK) {
		CU_ASSERT_EQUAL(status, ST_EINVAL);
		CU_ASSERT_PTR_NOT_NULL(site);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, ".conf:"));
	}
	site_free(site);
	site = NULL;
	CU_ASSERT_EQUAL(site_load(&site, path, &err), status);
	CU_ASSERT((status == ST_OK) == (site != NULL));
	site_free(site);
	g_free(path);
	return g_string_free(errors, FALSE);
}

#define NAME33 "abcdefghijklmnopqrstuvwxyz0123456"
#define NAME32 "abcdefghijklmnopqrstuvwxyz012345"
#define NAME64 NAME32 NAME32
#define TYPE   "class c\n type 0 t\n end class\n"

static void test_messages(void)
{
	static const struct {
		const char *text;
		const char *errors;
	} cases[] = {
		/* good */
		{ "", "" },
		{ "# only a comment", "" },
		{ "version 2\nversion 2\n", "" },
		{ "sensor 1 A \"\"\nsensor 65534 B \"it is\"\n", "" },
		{ "sensor 1\tA # x\r\nclass a#foo\ntype 0 b#x \"#\"\nsensors A\r\nend class\n",
		  "" },
		{ "class \"a\"\ntype 0 \"b\" \"c\"\nend \t class\n", "" },
		{ "class a\nsensors\ndefault-types\ntype 0 a\nend class\n", "" },
		{ "class a_b\ntype 0 c_d\nend class\nclass a_b\ntype 1 e\nend class\n", "" },
		{ "class a\ntype 0 b\n", "" }, /* never closed */
		{ "group \"any name /\"\nend group\n", "" },
		{ "path-format \"%x\"\npath-format \"%%%F%f%N%n%Y%m%d%H%C/%x\"\n", "" },
		{ "packing-logic 12\npacking-logic \"x y\"\n", "" },
		{ "sensor 1 " NAME64 "\n", "" },
		{ "nonsense without newline", "1: Unknown command 'nonsense'\n" },
		{ "sensor x without newline", "" },
		/* words */
		{ "foo a\nbar\n", "1: Unknown command 'foo'\n2: Unknown command 'bar'\n" },
		{ "12 a\n", "1: Unknown command '12'\n" },
		{ "+ a\n\"class\" b\n", "1: Unrecognizable command\n2: Unrecognizable command\n" },
		{ "end\nend foo\nendclass\n", "1: Unknown command 'end'\n"
					      "2: Unknown command 'end foo'\n"
					      "3: Unknown command 'endclass'\n" },
		/* shapes */
		{ "class\nclass a b\n", "1: Bad arguments to command 'class'\n"
					"2: Bad arguments to command 'class'\n" },
		{ "version x\nversion \"1\"\nversion 1 2\n",
		  "1: Bad arguments to command 'version'\n"
		  "2: Bad arguments to command 'version'\n"
		  "3: Bad arguments to command 'version'\n" },
		{ "sensor 1 A d\nsensor \"1\" A\nsensor 1\nsensor 1 A \"d\" e\n",
		  "1: Bad arguments to command 'sensor'\n2: Bad arguments to command 'sensor'\n"
		  "3: Bad arguments to command 'sensor'\n4: Bad arguments to command 'sensor'\n" },
		{ "class a\nsensors A,B\ntype x x\ntype 0\ntype 0 a b c\ntype 0 a\nend class\n",
		  "2: Bad arguments to command 'sensors'\n3: Bad arguments to command 'type'\n"
		  "4: Bad arguments to command 'type'\n5: Bad arguments to command 'type'\n" },
		{ "default-class\ngroup\ninclude a b\npacking-logic\npath-format %T/%x\n",
		  "1: Bad arguments to command 'default-class'\n"
		  "2: Bad arguments to command 'group'\n3: Bad arguments to command 'include'\n"
		  "4: Bad arguments to command 'packing-logic'\n"
		  "5: Bad arguments to command 'path-format'\n" },
		{ "sensor 1 \"open\nsensor 1 \"a\\400b\"\n",
		  "1: Bad arguments to command 'sensor'\n2: Bad arguments to command 'sensor'\n" },
		/* places */
		{ "sensors a\ntype 0 a\nend group\nend class\ndefault-types\n",
		  "1: Command 'sensors' not allowed in top level\n"
		  "2: Command 'type' not allowed in top level\n"
		  "3: Command 'end group' not allowed in top level\n"
		  "4: Command 'end class' not allowed in top level\n"
		  "5: Command 'default-types' not allowed in top level\n" },
		{ "class a\nversion 2\ngroup x\nclass b\nsensor 1 A\npath-format x\ninclude \"f\"\n"
		  "end group\ndefault-class a\npacking-logic x\ntype 0 t\nend class\n",
		  "2: Command 'version' not allowed in class\n"
		  "3: Command 'group' not allowed in class\n"
		  "4: Command 'class' not allowed in class\n"
		  "5: Command 'sensor' not allowed in class\n"
		  "6: Command 'path-format' not allowed in class\n"
		  "7: Command 'include' not allowed in class\n"
		  "8: Command 'end group' not allowed in class\n"
		  "9: Command 'default-class' not allowed in class\n"
		  "10: Command 'packing-logic' not allowed in class\n" },
		{ "group g\ntype 1 a\ndefault-types a\nend class\nend group\n",
		  "2: Command 'type' not allowed in group\n"
		  "3: Command 'default-types' not allowed in group\n"
		  "4: Command 'end class' not allowed in group\n" },
		{ "class a\ntype 0 t\nend class x\nend class\ngroup g\nend group y\nend group\n",
		  "3: Command 'end class' does take arguments\n"
		  "4: Command 'end class' not allowed in top level\n"
		  "6: Command 'end group' does take arguments\n"
		  "7: Command 'end group' not allowed in top level\n" },
		/* version */
		{ "version 3\nfoo\n", "1: Unsupported version '3'\n" },
		{ "version 0\n", "1: Unsupported version '0'\n" },
		{ "version 1\nversion 2\nsensor 1 A \"a\"\n",
		  "2: Multiple version commands specified\n" },
		{ "version 1\nsensor 1 A \"a\"\nsensor 2 A\n",
		  "2: Sensor descriptions only allowed when file's version is 2 or greater\n"
		  "3: A sensor with name 'A' already exists\n" },
		{ "version 1\nversion 2\n", "2: Multiple version commands specified\n" },
		/* sensors */
		{ "version 1\nsensor 1 A \"d\"\nsensor 2 B\n",
		  "2: Sensor descriptions only allowed when file's version is 2 or greater\n" },
		{ "sensor 65535 A\nsensor 99999999999999999999 B\n",
		  "1: Sensor id '65535' is greater than maximum of 65534\n"
		  "2: Sensor id '99999999999999999999' is greater than maximum of 65534\n" },
		{ "sensor 1 A\nsensor 1 B\nsensor 2 A\n",
		  "2: A sensor with id '1' already exists\n"
		  "3: A sensor with name 'A' already exists\n" },
		{ "sensor 1 1A\nsensor 2 A_b\nsensor 3 \"A b\"\nsensor 4 A/b\nsensor 5 \"A,b\"\n"
		  "sensor 6 \"A\\\\b\"\nsensor 7 \"A'b\"\nsensor 8 \"\"\nsensor 9 \"A\\b\"\n",
		  "1: Failed to create sensor\n2: Failed to create sensor\n"
		  "3: Failed to create sensor\n4: Failed to create sensor\n"
		  "5: Failed to create sensor\n6: Failed to create sensor\n"
		  "7: Failed to create sensor\n8: Failed to create sensor\n"
		  "9: Failed to create sensor\n" },
		{ "sensor 1 " NAME64 "x\n",
		  "1: Sensor name '" NAME64 "x' is longer than maximum of 64\n" },
		/* classes and types */
		{ "class 1a\ntype 0 x\nsensors Z\ndefault-types y\nend class\n",
		  "1: Failed to create class\n" },
		{ "class " NAME33 "\nend class\n",
		  "1: The class-name '" NAME33 "' is longer than the maximum of 32\n"
		  "1: Failed to create class\n" },
		{ "class a\ntype 0 t\ntype 255 b\ntype 0 c\ntype 1 t\ntype 2 t x\ntype 3 u at\n"
		  "end class\n",
		  "3: Type id '255' is greater than maximum of 254\n"
		  "4: A type with id '0' already exists\n"
		  "5: A type with prefix 'at' already exists\n"
		  "6: The type 't' for class 'a' already exists\n"
		  "7: A type with prefix 'at' already exists\n" },
		{ "class a\ntype 9 t\ntype 0 1x\ntype 2 d/e\ntype 3 f 1f\nend class\n",
		  "3: Failed to create type\n4: Failed to create type\n"
		  "5: Failed to create type\n" },
		{ "class a\ntype 9 t\ntype 0 " NAME33 "\ntype 1 " NAME32 "\ntype 2 b " NAME33
		  "\nend class\n",
		  "3: The type-name '" NAME33 "' is longer than the maximum of 32\n"
		  "3: The generated flowtype-name 'a" NAME33 "' is longer than the maximum of 32\n"
		  "3: Failed to create type\n"
		  "4: The generated flowtype-name 'a" NAME32 "' is longer than the maximum of 32\n"
		  "5: The flowtype-name '" NAME33 "' is longer than the maximum of 32\n"
		  "5: Failed to create type\n" },
		{ TYPE "class c\nsensors X @Y\ndefault-types u\nend class\n",
		  "5: Cannot add sensor to class 'c': sensor 'X' is not defined\n"
		  "5: Cannot add group to class 'c': group '@Y' is not defined\n"
		  "6: Cannot set default type in class 'c': type 'u' is not defined\n" },
		{ "group g\nsensors X @Y\nend group\n",
		  "2: Cannot add sensor to group 'g': sensor 'X' is not defined\n"
		  "2: Cannot add group to group 'g': group '@Y' is not defined\n" },
		{ TYPE "default-class c\ndefault-class d\n",
		  "4: Failed to set default class\n"
		  "5: Cannot set default class: class 'd' is not defined\n" },
		{ "class a\nend class\n",
		  "0: Site configuration error: class 'a' contains no types\n" },
		/* path format */
		{ "path-format \"%t/%x\"\n",
		  "1: The path-format '%t/%x' contains an unknown conversion '%t'\n" },
		{ "path-format \"%T\"\npath-format \"%T%x\"\npath-format \"a/%%x\"\n"
		  "path-format \"\"\n",
		  "1: The path-format '%T' does not end with '/%x'\n"
		  "2: The path-format '%T%x' does not end with '/%x'\n"
		  "3: The path-format 'a/%%x' does not end with '/%x'\n"
		  "4: The path-format '' does not end with '/%x'\n" },
		{ "path-format \"a%\"\n", "1: The path-format 'a%' ends with a single '%'\n"
					  "1: The path-format 'a%' does not end with '/%x'\n" },
		/* include */
		{ "include \"/nope/x\"\n", "1: Cannot include '/nope/x': File does not exist or "
					   "is not a regular file\n" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *errors;

		unit_at("%s", cases[i].text);
		errors = errors_of(cases[i].text);
		UNIT_ASSERT_STR(errors, cases[i].errors);
		g_free(errors);
	}
}

static void test_class_count(void)
{
	GString *text = g_string_new(NULL);
	char *errors;

	for (int i = 0; i < 33; i++) {
		g_string_append_printf(text, "class c%d\ntype %d t\nend class\n", i, i);
	}
	errors = errors_of(text->str);
	UNIT_ASSERT_STR(errors, "97: Failed to create class\n");
	g_free(errors);
	g_string_free(text, TRUE);
}

static void test_string_length(void)
{
	char *good = g_strnfill(2047, 'd');
	char *text = g_strdup_printf("sensor 1 A \"%s\"\nsensor 2 B \"%sx\"\n", good, good);
	char *errors = errors_of(text);

	UNIT_ASSERT_STR(errors, "2: Bad arguments to command 'sensor'\n");
	g_free(errors);
	g_free(text);
	g_free(good);
}

static const char site_text[] = "sensor 5 E \"fifth\\\"\\101\"\nsensor 1 A\nsensor 3 C\n"
				"group g\nsensors E C\nend group\n"
				"group h\nsensors @g A @g\nend group\n"
				"class z\ntype 4 b\ntype 1 a\ntype 9 c nine\nsensors E C A\n"
				"default-types c\ndefault-types b c\nend class\n"
				"class a\nsensors A @g\ntype 3 b\nend class\n"
				"group g\nsensors A\nend group\n"
				"default-class a\ndefault-class z\n"
				"packing-logic \"p.so\"\npath-format \"%N/%x\"\n";

static void test_answers(void)
{
	char *path = scratch_file("answers.conf", site_text);
	struct site *site = NULL;
	struct err err;
	const uint16_t *list;
	size_t count;

	CU_ASSERT_EQUAL_FATAL(site_load(&site, path, &err), ST_OK);
	CU_ASSERT_EQUAL(site_sensor_id(site, "E"), 5);
	CU_ASSERT_EQUAL(site_sensor_id(site, "e"), -1);
	UNIT_ASSERT_STR(site_sensor_name(site, 3), "C");
	CU_ASSERT_PTR_NULL(site_sensor_name(site, 2));
	CU_ASSERT_PTR_NULL(site_sensor_name(site, 6));
	CU_ASSERT_PTR_NULL(site_sensor_name(site, -1));
	UNIT_ASSERT_STR(site_sensor_description(site, 5), "fifth\"A");
	CU_ASSERT_PTR_NULL(site_sensor_description(site, 1));
	CU_ASSERT_EQUAL(site_sensor_max(site), 5);

	CU_ASSERT_EQUAL(site_class_count(site), 2);
	CU_ASSERT_EQUAL(site_class_id(site, "a"), 1);
	CU_ASSERT_EQUAL(site_class_id(site, "q"), -1);
	UNIT_ASSERT_STR(site_class_name(site, 0), "z");
	CU_ASSERT_PTR_NULL(site_class_name(site, 2));
	CU_ASSERT_EQUAL(site_default_class(site), 0);
	list = site_class_sensors(site, 1, &count);
	CU_ASSERT_EQUAL_FATAL(count, 3);
	CU_ASSERT(list[0] == 1 && list[1] == 5 && list[2] == 3);
	CU_ASSERT(site_sensor_in_class(site, 5, 1));
	CU_ASSERT(!site_sensor_in_class(site, 2, 1));
	CU_ASSERT(!site_sensor_in_class(site, 5, 7));
	list = site_class_flowtypes(site, 0, &count);
	CU_ASSERT_EQUAL_FATAL(count, 3);
	CU_ASSERT(list[0] == 4 && list[1] == 1 && list[2] == 9);
	list = site_class_default_types(site, 0, &count);
	CU_ASSERT_EQUAL_FATAL(count, 2);
	CU_ASSERT(list[0] == 9 && list[1] == 4);

	CU_ASSERT_EQUAL(site_group_count(site), 2);
	UNIT_ASSERT_STR(site_group_name(site, 1), "h");
	CU_ASSERT(site_group_has(site, 0, 1) && !site_group_has(site, 0, 2));
	list = site_group_sensors(site, 1, &count);
	CU_ASSERT_EQUAL_FATAL(count, 3);
	CU_ASSERT(list[0] == 5 && list[1] == 3 && list[2] == 1);

	CU_ASSERT_EQUAL(site_flowtype_max(site), 9);
	UNIT_ASSERT_STR(site_flowtype_name(site, 4), "zb");
	UNIT_ASSERT_STR(site_flowtype_name(site, 9), "nine");
	CU_ASSERT_PTR_NULL(site_flowtype_name(site, 0));
	CU_ASSERT_EQUAL(site_flowtype_id(site, "ab"), 3);
	CU_ASSERT_EQUAL(site_flowtype_class(site, 3), 1);
	CU_ASSERT_EQUAL(site_flowtype_class(site, 255), -1);
	UNIT_ASSERT_STR(site_flowtype_type(site, 3), "b");
	CU_ASSERT_EQUAL(site_flowtype_of(site, 0, "b"), 4);
	CU_ASSERT_EQUAL(site_flowtype_of(site, 1, "c"), -1);
	CU_ASSERT(site_flowtype_is_default(site, 4) && site_flowtype_is_default(site, 9));
	CU_ASSERT(!site_flowtype_is_default(site, 1) && !site_flowtype_is_default(site, 3));
	UNIT_ASSERT_STR(site_path_format(site), "%N/%x");
	UNIT_ASSERT_STR(site_packing_logic(site), "p.so");
	CU_ASSERT_EQUAL(site_version(site), 0);
	site_free(site);
	g_free(path);
}

static void test_example(void)
{
	struct site *site = NULL;
	struct err err = { 0 };

	unit_at("%s", "conf/silk.conf");
	CU_ASSERT_EQUAL_FATAL(site_load(&site, unit_path("conf/silk.conf"), &err), ST_OK);
	CU_ASSERT_EQUAL(site_sensor_max(site), 14);
	CU_ASSERT_EQUAL(site_flowtype_id(site, "iw"), 2);
	UNIT_ASSERT_STR(site_class_name(site, site_default_class(site)), "all");
	UNIT_ASSERT_STR(site_path_format(site), SITE_PATH_FORMAT_DEFAULT);
	site_free(site);
}

static void test_empty(void)
{
	struct site *site = site_empty();
	size_t count = 1;

	CU_ASSERT_EQUAL(site_sensor_max(site), -1);
	CU_ASSERT_EQUAL(site_flowtype_max(site), -1);
	CU_ASSERT_EQUAL(site_default_class(site), -1);
	CU_ASSERT_PTR_NULL(site_class_sensors(site, 0, &count));
	CU_ASSERT_EQUAL(count, 0);
	site_free(site);
	site_free(NULL);
}

static void test_include(void)
{
	char *inner = scratch_file("inner.conf", "sensor 7 I\nfoo\nclass k\n");
	char *text = g_strdup_printf("include \"%s\"\ntype 0 t\nend class\nbar\n", inner);
	char *errors = errors_of(text);

	/* a block may span files */
	UNIT_ASSERT_STR(errors, "2: Unknown command 'foo'\n4: Unknown command 'bar'\n");
	g_free(errors);
	g_free(text);
	text = g_strdup_printf("include \"%s\"\n", inner);
	g_file_set_contents(inner, text, -1, NULL);
	errors = errors_of(text);
	CU_ASSERT_PTR_NOT_NULL(strstr(errors, "(includes nested too deeply)"));
	g_free(errors);
	g_free(text);
	g_free(inner);
}

static void test_unreadable(void)
{
	struct site *site = NULL;
	struct err err = { 0 };

	CU_ASSERT_EQUAL(site_load(&site, "/nope/silk.conf", &err), ST_ENOENT);
	UNIT_ASSERT_STR(err.text, "/nope/silk.conf: No such file or directory");
	CU_ASSERT_EQUAL(site_load(&site, "/", &err), ST_ENOENT);
	CU_ASSERT_PTR_NULL(site);
}

static void test_find(void)
{
	char *root = g_build_filename(unit_scratch(), "root", NULL);
	char *share = g_build_filename(unit_scratch(), "path", "share", NULL);
	char *in_share = g_build_filename(share, "silk.conf", NULL);
	char *in_root = g_build_filename(root, "silk.conf", NULL);
	char *silk_path = g_build_filename(unit_scratch(), "path", NULL);
	char *blank_root = g_strconcat("  ", root, NULL);
	const struct {
		const char *name;
		struct site_env env;
		const char *path;
		bool exists;
	} cases[] = {
		{ "option",
		  { .config_file_option = "/nope", .config_file = in_root },
		  "/nope",
		  false },
		{ "variable", { .config_file = " /nope", .data_rootdir = root }, "/nope", false },
		{ "root option", { .root_option = root, .data_rootdir = "/nope" }, in_root, true },
		{ "root variable", { .data_rootdir = blank_root }, in_root, true },
		{ "silk path",
		  { .data_rootdir = "/nope", .silk_path = silk_path },
		  in_share,
		  true },
		{ "prefix",
		  { .data_rootdir = "/nope", .install_prefix = silk_path },
		  in_share,
		  true },
		{ "nowhere", { .data_rootdir = "/nope" }, "/nope/silk.conf", false },
	};

	g_mkdir_with_parents(root, 0755);
	g_mkdir_with_parents(share, 0755);
	g_file_set_contents(in_root, "", 0, NULL);
	g_file_set_contents(in_share, "", 0, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		bool exists = !cases[i].exists;
		char *path = site_find_file(&cases[i].env, &exists);

		unit_at("%s", cases[i].name);
		UNIT_ASSERT_STR(path, cases[i].path);
		CU_ASSERT_EQUAL(exists, cases[i].exists);
		g_free(path);
	}
	g_free(blank_root);
	g_free(silk_path);
	g_free(in_root);
	g_free(in_share);
	g_free(share);
	g_free(root);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "messages", test_messages },
		{ "number of classes", test_class_count },
		{ "length of strings", test_string_length },
		{ "answers", test_answers },
		{ "example file", test_example },
		{ "empty site", test_empty },
		{ "include", test_include },
		{ "unreadable", test_unreadable },
		{ "finding the file", test_find },
		{ NULL, NULL },
	};

	return unit_run("site", cases);
}
