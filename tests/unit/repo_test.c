/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/repo.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

#define HOUR(n) (INT64_C(1234396800) * NS_PER_S + (n)*NS_PER_HOUR) /* 2009-02-12 n o'clock */

static const char site_text[] = "sensor 5 E\nsensor 1 A\nsensor 3 C\nsensor 9 Z\n"
				"group g\nsensors E C A\nend group\n"
				"class z\ntype 4 b\ntype 1 a\ntype 9 c\nsensors E C A\n"
				"default-types c b\nend class\n"
				"class a\nsensors A\ntype 3 b\ntype 7 q a-b\nend class\n"
				"default-class z\n";

static struct site *site_from(const char *text)
{
	char *path = g_build_filename(unit_scratch(), "silk.conf", NULL);
	struct site *site = NULL;
	struct err err = { 0 };

	g_file_set_contents(path, text, -1, NULL);
	CU_ASSERT_EQUAL_FATAL(site_load(&site, path, &err), ST_OK);
	g_free(path);
	return site;
}

/* --- names --- */

static void test_path(void)
{
	static const struct {
		const char *format; /* NULL: none in the file */
		const char *path;
	} cases[] = {
		{ NULL, "/r/c/2009/02/12/zc-E_20090212.03" },
		{ "%x", "/r/zc-E_20090212.03" },
		{ "%C/%T/%F/%f/%N/%n/%Y%m%d%H/%%/%x",
		  "/r/z/c/zc/9/E/5/2009021203/%/zc-E_20090212.03" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *text = cases[i].format ? g_strdup_printf("%spath-format \"%s\"\n", site_text,
							       cases[i].format)
					     : g_strdup(site_text);
		struct site *site = site_from(text);
		struct hourfile_key key = { HOUR(3), 5, 9 };
		char *path = repo_path(site, "/r", &key);

		unit_at("%s", cases[i].path);
		UNIT_ASSERT_STR(path, cases[i].path);
		g_free(path);
		g_free(text);
		site_free(site);
	}
}

static void test_parse_name(void)
{
	static const struct {
		const char *name;
		int status;
		int64_t hour_ns;
		uint16_t sensor;
		uint8_t flowtype;
	} cases[] = {
		{ "zc-E_20090212.03", ST_OK, HOUR(3), 5, 9 },
		{ "zc-E_20090212.3", ST_OK, HOUR(3), 5, 9 },
		{ "a-b-A_20090212.23.gz", ST_OK, HOUR(23), 1, 7 },
		{ "a-b-A_20090212.00.64kfx2", ST_OK, HOUR(0), 1, 7 },
		{ "zc-E_19700101.00", ST_OK, 0, 5, 9 },
		{ "zc-E_20380118.00", ST_OK, INT64_C(2147385600) * NS_PER_S, 5, 9 },
		{ "zc-E_20380119.00", ST_EFORMAT, 0, 0, 0 },
		{ "zc-E_19691231.23", ST_EFORMAT, 0, 0, 0 },
		{ "zc-E_20090212.24", ST_EFORMAT, 0, 0, 0 },
		{ "zc-E_20090230.00", ST_EFORMAT, 0, 0, 0 },
		{ "zc-E_20091301.00", ST_EFORMAT, 0, 0, 0 },
		{ "zc-E_20090212.03x", ST_EFORMAT, 0, 0, 0 },
		{ "zc-E_20090212.", ST_EFORMAT, 0, 0, 0 },
		{ "zc-E_20090212", ST_EFORMAT, 0, 0, 0 },
		{ "zc-E_200902120000000000000000.03", ST_EFORMAT, 0, 0, 0 },
		{ "zc-Q_20090212.03", ST_EFORMAT, 0, 0, 0 },
		{ "q-E_20090212.03", ST_EFORMAT, 0, 0, 0 },
		{ "zc-E20090212.03", ST_EFORMAT, 0, 0, 0 },
		{ "zcE_20090212.03", ST_EFORMAT, 0, 0, 0 },
		{ "", ST_EFORMAT, 0, 0, 0 },
	};
	struct site *site = site_from(site_text);

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct hourfile_key key = { 0 };

		unit_at("%s", cases[i].name);
		CU_ASSERT_EQUAL(repo_parse_name(site, cases[i].name, &key), cases[i].status);
		CU_ASSERT_EQUAL(key.hour_ns, cases[i].hour_ns);
		CU_ASSERT_EQUAL(key.sensor, cases[i].sensor);
		CU_ASSERT_EQUAL(key.flowtype, cases[i].flowtype);
	}
	site_free(site);
}

static void test_names_agree(void)
{
	struct site *site = site_from(site_text);

	for (int n = 0; n < 4000; n++) {
		struct hourfile_key key = { HOUR(n * 37 - 60000), 3, 4 };
		char *path = repo_path(site, "/r", &key);
		struct hourfile_key back = { 0 };

		unit_at("%s", path);
		CU_ASSERT_EQUAL(repo_parse_name(site, strrchr(path, '/') + 1, &back), ST_OK);
		CU_ASSERT(back.hour_ns == key.hour_ns && back.sensor == key.sensor &&
			  back.flowtype == key.flowtype);
		g_free(path);
	}
	site_free(site);
}

/* --- selection --- */

/* "FIRST-LAST" hours since 2009-02-12, then every pair as flowtype/sensor. */
static char *describe(const struct repo_select *select)
{
	GString *text = g_string_new(NULL);

	g_string_append_printf(text, "%d-%d",
			       (int)((select->first_hour_ns - HOUR(0)) / NS_PER_HOUR),
			       (int)((select->last_hour_ns - HOUR(0)) / NS_PER_HOUR));
	for (size_t i = 0; i < select->pair_count; i++) {
		g_string_append_printf(text, " %u/%u", select->pairs[i].flowtype,
				       select->pairs[i].sensor);
	}
	return g_string_free(text, FALSE);
}

static void check_select(const struct repo_switches *switches, const char *expected,
			 const char *warnings)
{
	struct site *site = site_from(site_text);
	struct repo_select select;
	struct err err = { 0 };
	int status = repo_select_switches(site, switches, &select, &err);
	char *result = status == ST_OK ? describe(&select) : g_strdup(err.text);

	UNIT_ASSERT_STR(result, expected);
	UNIT_ASSERT_STR(select.warnings ? select.warnings : "", warnings ? warnings : "");
	g_free(result);
	repo_select_release(&select);
	site_free(site);
}

#define Z_IGNORED(plural)                                                                          \
	"Ignoring sensor Z (ID=9) that is not used by specified flowtype" plural "\n"
#define UNKNOWN_TYPE "is not recognized in the specified class(es)"

static void test_selection(void)
{
	static const struct {
		struct repo_switches switches;
		const char *expected;
		const char *warnings;
	} cases[] = {
		{ { 0 }, "9/1 9/3 9/5 4/1 4/3 4/5", NULL },
		{ { .types = "all" }, "4/1 4/3 4/5 1/1 1/3 1/5 9/1 9/3 9/5", NULL },
		{ { .types = "a,,b" }, "1/1 1/3 1/5 4/1 4/3 4/5", NULL },
		{ { .types = "b,b,a,b" }, "4/1 4/3 4/5 1/1 1/3 1/5", NULL },
		{ { .types = "c,all", .sensors = "A" }, "9/1 4/1 1/1", NULL },
		{ { .class_name = "a", .types = "q,b" }, "7/1 3/1", NULL },
		{ { .flowtypes = "all/all" }, "1/1 1/3 1/5 3/1 4/1 4/3 4/5 7/1 9/1 9/3 9/5", NULL },
		{ { .flowtypes = "a/b,z/all,all/b" },
		  "3/1 4/1 4/3 4/5 1/1 1/3 1/5 9/1 9/3 9/5",
		  NULL },
		{ { .sensors = "g" }, "9/5 9/3 9/1 4/5 4/3 4/1", NULL },
		{ { .sensors = "5,1-3,A" }, "9/5 9/1 9/3 4/5 4/1 4/3", NULL },
		{ { .sensors = "1-5" }, "9/1 9/3 9/5 4/1 4/3 4/5", NULL },
		{ { .class_name = "a", .types = "b", .sensors = "Z,A" }, "3/1", Z_IGNORED("") },
		{ { .sensors = "A,Z" }, "9/1 4/1", Z_IGNORED("s") },
		/* errors */
		{ { .class_name = "x" },
		  "Invalid --class: Cannot find class 'x'\n"
		  "\tUse the --help option to see valid classes",
		  NULL },
		{ { .class_name = "a,z" },
		  "Invalid --class: Use --flowtypes to process multiple classes",
		  NULL },
		{ { .class_name = "a" },
		  "No --type given and class 'a' has no default types",
		  NULL },
		{ { .types = "x" }, "Invalid types 'x': The type name 'x' " UNKNOWN_TYPE, NULL },
		{ { .types = "q,b,x" },
		  "Invalid types 'q,b,x': Found multiple errors:\nThe type name 'q' " UNKNOWN_TYPE
		  "\nThe type name 'x' " UNKNOWN_TYPE,
		  NULL },
		{ { .types = "" }, "Invalid types '': No valid types found", NULL },
		{ { .types = "b", .flowtypes = "a/b" },
		  "Cannot use --flowtypes when either --class or --types are specified",
		  NULL },
		{ { .class_name = "a", .flowtypes = "a/b" },
		  "Cannot use --flowtypes when either --class or --types are specified",
		  NULL },
		{ { .flowtypes = "" }, "Invalid flowtypes '': No valid flowtypes found", NULL },
		{ { .flowtypes = "a/a" },
		  "Invalid flowtypes 'a/a': The flowtype 'a/a' uses a type that is not in the class",
		  NULL },
		{ { .flowtypes = "x/b,z,all/all/x" },
		  "Invalid flowtypes 'x/b,z,all/all/x': Found multiple errors:\n"
		  "The flowtype 'x/b' uses an unrecognized class name\n"
		  "The flowtype 'z' does not include the class-type separator '/'\n"
		  "The flowtype 'all/all/x' uses an unrecognized type name",
		  NULL },
		{ { .flowtypes = "all/b", .sensors = "C" },
		  "No corresponding sensors given for class/type pair 'a/b'",
		  NULL },
		{ { .sensors = "" }, "Invalid sensors '': No valid sensors found", NULL },
		{ { .sensors = "2" },
		  "Invalid sensors '2': The sensor ID 2 is not recognized",
		  NULL },
		{ { .sensors = "A,Q,99,1-" },
		  "Invalid sensors 'A,Q,99,1-': Found multiple errors:\n"
		  "The sensor name 'Q' is not recognized\n"
		  "Sensor range/ID '99' is invalid: Value is above maximum of 9\n"
		  "Sensor range/ID '1-' is invalid: Range is missing its upper limit (open-ended "
		  "ranges are not supported)",
		  NULL },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct repo_switches switches = cases[i].switches;
		bool good = g_ascii_isdigit(cases[i].expected[0]);
		char *expected = g_strconcat(good ? "3-3 " : "", cases[i].expected, NULL);

		unit_at("%zu: %s", i, expected);
		switches.start_date = "2009/02/12:03";
		check_select(&switches, expected, cases[i].warnings);
		g_free(expected);
	}
}

static void test_dates(void)
{
	static const struct {
		const char *start;
		const char *end;
		const char *expected;
	} cases[] = {
		{ "2009/02/12", NULL, "0-23" },
		{ "2009/02/12:5", NULL, "5-5" },
		{ "2009/02/12T05:59:59.999", NULL, "5-5" },
		{ "2009/02/12:05", "2009/02/13", "5-29" },
		{ "2009/02/12:05", "2009/02/12", "5-5" },
		{ "2009/02/12", "2009/02/13:05", "0-47" },
		{ "2009/02/12:05:20", "2009/02/12:05:10", "5-5" },
		{ "2009/02/12:05", "2009/02/13:04", "5-28" },
		{ "2009/02/12", "1234400000", "0-0" },
		{ "1234396800", "1234483200", "0-24" },
		{ "1234396801.5", "2009/02/13:10", "0-34" },
		{ "1234396801", "2009/02/13", "0-24" },
		{ "1234396800", "2009/02/12", "0-23" },
		{ "1234396800", NULL, "0-0" },
		{ "2009/02/12:05", "2009/02/12:03",
		  "end-date of 2009/02/12:03 is earlier than start-date of 2009/02/12:05" },
		{ "2009/02/12:05", "2009/02/11",
		  "end-date of 2009/02/11 is earlier than start-date of 2009/02/12:05" },
		{ "1234396800", "1234396799",
		  "end-date of 1234396799 is earlier than start-date of 1234396800" },
		{ NULL, "2009/02/12", "Cannot use --end-date without --start-date" },
		{ "x", NULL, "Invalid start-date 'x': Unexpected character 'x'" },
		{ "2009/02/12", "x", "Invalid end-date 'x': Unexpected character 'x'" },
		{ NULL, NULL, "48-55" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct repo_switches switches = {
			.flowtypes = "a/b",
			.start_date = cases[i].start,
			.end_date = cases[i].end,
			.now_ns = HOUR(55) + 12345,
		};
		bool good = g_ascii_isdigit(cases[i].expected[0]);
		char *expected = g_strconcat(cases[i].expected, good ? " 3/1" : "", NULL);

		unit_at("%zu: %s", i, expected);
		check_select(&switches, expected, NULL);
		g_free(expected);
	}
}

static void test_no_default_class(void)
{
	struct site *site = site_empty();
	struct repo_switches switches = { .start_date = "2009/02/12" };
	struct repo_select select;
	struct err err = { 0 };

	CU_ASSERT_EQUAL(repo_select_switches(site, &switches, &select, &err), ST_EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no default class"));
	repo_select_release(&select);
	site_free(site);
}

/* --- walking --- */

struct visit {
	GString *text;
	unsigned stop_after;
};

static int visit(void *arg, const char *path, const struct hourfile_key *key, bool exists)
{
	struct visit *v = arg;

	g_string_append_printf(v->text, "%s%s %u/%u ", exists ? "" : "!", strrchr(path, '/') + 1,
			       key->flowtype, key->sensor);
	return v->stop_after && --v->stop_after == 0 ? 7 : 0;
}

static void touch(const char *root, const char *name)
{
	char *path = g_build_filename(root, name, NULL);

	g_file_set_contents(path, "", 0, NULL);
	g_free(path);
}

static void test_each(void)
{
	struct site *site = site_from(site_text);
	char *root = g_build_filename(unit_scratch(), "root", NULL);
	char *folder = g_build_filename(root, "c", "2009", "02", "12", NULL);
	char *not_a_file = g_build_filename(folder, "zc-C_20090212.03", NULL);
	struct repo_pair pairs[] = { { 9, 5 }, { 9, 3 } };
	struct repo_select select = {
		.first_hour_ns = HOUR(3), .last_hour_ns = HOUR(4), .pair_count = 2, .pairs = pairs
	};
	struct visit v = { .text = g_string_new(NULL) };

	g_mkdir_with_parents(folder, 0755);
	g_mkdir(not_a_file, 0755);
	touch(folder, "zc-E_20090212.03");
	touch(folder, "zc-C_20090212.04.gz");
	touch(folder, "zc-E_20090212.05");
	CU_ASSERT_EQUAL(repo_each(site, root, &select, false, visit, &v), 0);
	UNIT_ASSERT_STR(v.text->str, "zc-E_20090212.03 9/5 zc-C_20090212.04.gz 9/3 ");
	g_string_truncate(v.text, 0);
	CU_ASSERT_EQUAL(repo_each(site, root, &select, true, visit, &v), 0);
	UNIT_ASSERT_STR(v.text->str, "zc-E_20090212.03 9/5 !zc-C_20090212.03 9/3 "
				     "!zc-E_20090212.04 9/5 zc-C_20090212.04.gz 9/3 ");
	g_string_truncate(v.text, 0);
	v.stop_after = 1;
	CU_ASSERT_EQUAL(repo_each(site, root, &select, false, visit, &v), 7);
	UNIT_ASSERT_STR(v.text->str, "zc-E_20090212.03 9/5 ");
	g_string_free(v.text, TRUE);
	g_free(not_a_file);
	g_free(folder);
	g_free(root);
	site_free(site);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "paths", test_path },
		{ "base names", test_parse_name },
		{ "paths and base names agree", test_names_agree },
		{ "selection", test_selection },
		{ "dates", test_dates },
		{ "no default class", test_no_default_class },
		{ "visiting files", test_each },
		{ NULL, NULL },
	};

	return unit_run("repo", cases);
}
