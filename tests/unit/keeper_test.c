/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/keeper.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <fcntl.h>
#include <string.h>

#include "common/timestamp.h"
#include "storage/blockwriter.h"
#include "storage/catalog.h"
#include "tests/unit/unit.h"

#define DAY_NS   INT64_C(1234396800000000000) /* 2009-02-12 */
#define DELAY_NS (40 * 60 * NS_PER_S)
#define IDLE_NS  (300 * NS_PER_S)

static char *make_root(const char *name)
{
	char *root = g_build_filename(unit_scratch(), name, NULL);

	CU_ASSERT_EQUAL_FATAL(g_mkdir_with_parents(root, 0777), 0);
	return root;
}

static struct keeper *make_keeper(const char *root)
{
	return keeper_new(&(struct keeper_opts){
		.root = root,
		.state_directory = root,
		.delay_ns = DELAY_NS,
		.idle_ns = IDLE_NS,
		.compression = CHUNK_LZO1X,
	});
}

static char *path_of(const char *root, unsigned hour)
{
	return g_strdup_printf("%s/in-S0_20090212.%02u", root, hour);
}

/* Append two blocks of one record each. */
static void append(const char *path, unsigned hour)
{
	const struct blockwriter_opts opts = {
		.header = { .hour_ns = DAY_NS + hour * NS_PER_HOUR },
	};
	struct blockwriter *writer = NULL;
	struct record rec;
	struct err err = { 0, "" };

	CU_ASSERT_EQUAL_FATAL(blockwriter_append(&writer, path, &opts, NULL, &err), ST_OK);
	record_init(&rec);
	rec.start_ns = opts.header.hour_ns;
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(blockwriter_write(writer, &rec, &err), ST_OK);
		CU_ASSERT_EQUAL(blockwriter_flush(writer, false, &err), ST_OK);
	}
	CU_ASSERT_EQUAL(blockwriter_close(writer, &err), ST_OK);
}

static void check_file(const char *path, bool is_sealed, uint64_t records)
{
	struct blockfile *file = NULL;
	struct err err = { 0, "" };

	CU_ASSERT_EQUAL_FATAL(blockfile_open(&file, open(path, O_RDONLY), path, &err), ST_OK);
	CU_ASSERT_EQUAL(blockfile_is_sealed(file), is_sealed);
	UNIT_ASSERT_U64(blockfile_summary(file)->records, records);
	blockfile_close(file);
}

static size_t count_entries(const char *root)
{
	struct catalog *catalog = NULL;
	size_t count = 0;

	if (catalog_open(&catalog, root, DAY_NS, NULL) == ST_OK) {
		count = catalog_count(catalog);
	}
	catalog_close(catalog);
	return count;
}

/* What happens to a file of hour 1, step by step. */
static void test_due(void)
{
	static const struct {
		const char *name;
		bool opened, closed, appended;
		int64_t now_s;   /* of the day */
		int64_t clock_s; /* of any clock */
		bool is_sealed;
		uint64_t records;
		size_t left;
	} steps[] = {
		{ "while it is open", true, false, true, 9 * 3600, 0, false, 2, 1 },
		{ "just closed", false, true, false, 9 * 3600, 1, false, 2, 1 },
		{ "not idle for long", false, false, false, 9 * 3600, 300, false, 2, 1 },
		{ "too early in the day", false, false, false, 2 * 3600 + 2399, 400, false, 2, 1 },
		{ "due", false, false, false, 2 * 3600 + 2400, 400, true, 2, 0 },
		{ "late records", true, true, true, 9 * 3600, 500, false, 4, 1 },
		{ "opened again when nearly due", true, false, false, 9 * 3600, 900, false, 4, 1 },
		{ "and closed", false, true, true, 9 * 3600, 901, false, 6, 1 },
		{ "due again", false, false, false, 9 * 3600, 1201, true, 6, 0 },
	};
	char *root = make_root("due");
	char *path = path_of(root, 1);
	struct keeper *keeper = make_keeper(root);

	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
		unit_at("%s", steps[i].name);
		if (steps[i].opened) {
			keeper_opened(keeper, path, DAY_NS + NS_PER_HOUR);
		}
		if (steps[i].appended) {
			append(path, 1);
		}
		if (steps[i].closed) {
			keeper_closed(keeper, path);
		}
		keeper_round(keeper, DAY_NS + steps[i].now_s * NS_PER_S,
			     steps[i].clock_s * NS_PER_S);
		check_file(path, steps[i].is_sealed, steps[i].records);
		UNIT_ASSERT_U64(keeper_files(keeper), steps[i].left);
	}
	UNIT_ASSERT_U64(count_entries(root), 1);
	keeper_free(keeper);
	g_free(path);
	g_free(root);
}

/* Another process finds the list, also one whose last line is not whole. */
static void test_list(void)
{
	char *root = make_root("list");
	char *list = g_build_filename(root, KEEPER_FILE, NULL);
	char *left = g_build_filename(root, ".in-S0_20090212.01.aBcDeF", NULL);
	struct keeper *keeper = make_keeper(root);
	char *text = NULL;

	for (unsigned hour = 0; hour < 5; hour++) {
		char *path = path_of(root, hour);

		append(path, hour);
		keeper_opened(keeper, path, DAY_NS + hour * NS_PER_HOUR);
		keeper_opened(keeper, path, DAY_NS + hour * NS_PER_HOUR);
		g_free(path);
	}
	keeper_opened(keeper, "/elsewhere/in-S0_20090212.01", DAY_NS);
	keeper_opened(NULL, "/elsewhere/in-S0_20090212.01", DAY_NS);
	keeper_closed(NULL, "/elsewhere/in-S0_20090212.01");
	keeper_free(keeper);
	CU_ASSERT_TRUE_FATAL(g_file_get_contents(list, &text, NULL, NULL));
	UNIT_ASSERT_STR(text, "tussah-unsealed 1\n1234396800 in-S0_20090212.00\n"
			      "1234400400 in-S0_20090212.01\n1234404000 in-S0_20090212.02\n"
			      "1234407600 in-S0_20090212.03\n1234411200 in-S0_20090212.04\n");
	CU_ASSERT_TRUE(g_file_set_contents(list, text, (gssize)strlen(text) - 3, NULL));
	g_free(text);
	CU_ASSERT_TRUE(g_file_set_contents(left, "half a file", -1, NULL));
	keeper = make_keeper(root);
	UNIT_ASSERT_U64(keeper_files(keeper), 4);
	keeper_round(keeper, DAY_NS + 24 * NS_PER_HOUR, 0);
	UNIT_ASSERT_U64(keeper_files(keeper), 4);
	keeper_round(keeper, DAY_NS + 24 * NS_PER_HOUR, IDLE_NS);
	UNIT_ASSERT_U64(keeper_files(keeper), 0);
	UNIT_ASSERT_U64(count_entries(root), 4);
	CU_ASSERT_FALSE(g_file_test(left, G_FILE_TEST_EXISTS));
	keeper_free(keeper);
	CU_ASSERT_TRUE(g_file_get_contents(list, &text, NULL, NULL));
	UNIT_ASSERT_STR(text, "tussah-unsealed 1\n");
	g_free(text);
	g_free(left);
	g_free(list);
	g_free(root);
}

static void test_bad_lists(void)
{
	static const char *const lists[] = {
		"",
		"rubbish",
		"tussah-unsealed 2\n1 a\n",
		"tussah-unsealed 1\n\n \nx y\n1\n1 \n1 /etc/passwd\n99999999999999999999 a\n",
	};
	char *root = make_root("bad");
	char *list = g_build_filename(root, KEEPER_FILE, NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
		struct keeper *keeper;

		unit_at("list %zu", i);
		CU_ASSERT_TRUE(g_file_set_contents(list, lists[i], -1, NULL));
		keeper = make_keeper(root);
		UNIT_ASSERT_U64(keeper_files(keeper), 0);
		keeper_free(keeper);
	}
	g_free(list);
	g_free(root);
}

/* One that another writes waits; one that is gone or damaged is given up. */
static void test_not_sealed(void)
{
	const struct blockwriter_opts opts = { .header = { .hour_ns = DAY_NS } };
	char *root = make_root("not");
	char *locked = path_of(root, 0);
	char *gone = path_of(root, 1);
	char *damaged = path_of(root, 2);
	struct keeper *keeper = make_keeper(root);
	struct blockwriter *writer = NULL;
	struct err err;

	append(locked, 0);
	append(damaged, 2);
	CU_ASSERT_TRUE(g_file_set_contents(damaged, "\x89TUSSAH\nnothing", -1, NULL));
	for (unsigned hour = 0; hour < 3; hour++) {
		char *path = path_of(root, hour);

		keeper_opened(keeper, path, DAY_NS + hour * NS_PER_HOUR);
		keeper_closed(keeper, path);
		g_free(path);
	}
	CU_ASSERT_EQUAL_FATAL(blockwriter_append(&writer, locked, &opts, NULL, &err), ST_OK);
	keeper_round(keeper, DAY_NS + 24 * NS_PER_HOUR, 0);
	keeper_round(keeper, DAY_NS + 24 * NS_PER_HOUR, IDLE_NS);
	UNIT_ASSERT_U64(keeper_files(keeper), 1);
	UNIT_ASSERT_U64(count_entries(root), 0);
	CU_ASSERT_EQUAL(blockwriter_close(writer, &err), ST_OK);
	keeper_round(keeper, DAY_NS + 24 * NS_PER_HOUR, 2 * IDLE_NS);
	keeper_round(keeper, DAY_NS + 24 * NS_PER_HOUR, 3 * IDLE_NS);
	UNIT_ASSERT_U64(keeper_files(keeper), 0);
	check_file(locked, true, 2);
	keeper_free(keeper);
	g_free(damaged);
	g_free(gone);
	g_free(locked);
	g_free(root);
}

static void test_thread(void)
{
	char *root = make_root("thread");
	struct keeper *keeper = make_keeper(root);
	struct err err;

	CU_ASSERT_EQUAL(keeper_start(keeper, &err), ST_OK);
	keeper_stop(keeper);
	keeper_stop(keeper);
	keeper_stop(NULL);
	keeper_free(keeper);
	keeper_free(NULL);
	g_free(root);
}

static const struct unit_case cases[] = {
	{ "when a file is due", test_due },
	{ "the list outlives the process", test_list },
	{ "lists that are none", test_bad_lists },
	{ "files that cannot be sealed", test_not_sealed },
	{ "starting and stopping", test_thread },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("keeper", cases);
}
