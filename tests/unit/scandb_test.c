/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scandb.h"

#include <string.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

#define NOON INT64_C(1700049600) /* 2023-11-15 12:00:00 */

static const struct scanrow rows[] = {
	{ 0, 0x0a000001, 6, (NOON + 10) * NS_PER_S, (NOON + 20) * NS_PER_S, 1, 2, 3, 1, 256 },
	{ 0, 0x0a000002, 17, (NOON - 20) * NS_PER_S, (NOON - 1) * NS_PER_S, 4, 5, 6, 2, 0.9 },
	{ 0, 0x0a000003, 1, (NOON - 9000) * NS_PER_S, (NOON + 90000) * NS_PER_S, INT64_MAX,
	  INT64_MAX, INT64_MAX, 2, 0.970014 },
	{ 0, 0xffffffff, 6, (NOON + 3599) * NS_PER_S, (NOON + 3600) * NS_PER_S, 7, 8, 9, 2, 1e-7 },
	{ 0, 0x0a000004, 6, (NOON + 3600) * NS_PER_S, (NOON + 3600) * NS_PER_S, 7, 8, 9, 2, 0.6 },
};

static char *path_of(const char *name)
{
	return g_build_filename(unit_scratch(), name, NULL);
}

/* Adds all rows and closes; returns how many were new. */
static unsigned fill(const char *path, bool commit)
{
	struct scandb *db = NULL;
	unsigned count = 0;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(scandb_open(&db, path, SCANDB_WRITE, &err), ST_OK);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		bool added = false;

		CU_ASSERT_EQUAL(scandb_add(db, &rows[i], &added, &err), ST_OK);
		count += added;
	}
	if (commit) {
		CU_ASSERT_EQUAL(scandb_commit(db, &err), ST_OK);
	}
	scandb_close(db);
	return count;
}

/* "id id ..." */
static char *select_ids(const char *path, const struct scandb_query *query)
{
	GString *ids = g_string_new(NULL);
	struct scandb *db = NULL;
	struct scanrow row;
	struct err err;
	int status;

	CU_ASSERT_EQUAL_FATAL(scandb_open(&db, path, SCANDB_READ, &err), ST_OK);
	CU_ASSERT_EQUAL_FATAL(scandb_select(db, query, &err), ST_OK);
	while ((status = scandb_next(db, &row, &err)) == ST_OK) {
		struct scanrow want = rows[row.id - 1];

		want.id = row.id;
		CU_ASSERT_EQUAL(memcmp(&row, &want, sizeof(row)), 0);
		g_string_append_printf(ids, "%s%d", ids->len ? " " : "", (int)row.id);
	}
	CU_ASSERT_EQUAL(status, ST_END);
	scandb_close(db);
	return g_string_free(ids, FALSE);
}

static void check_ids(const char *path, const struct scandb_query *query, const char *want)
{
	char *got = select_ids(path, query);

	UNIT_ASSERT_STR(got, want);
	g_free(got);
}

static void test_selection(void)
{
	char *path = path_of("select.sqlite");
	struct ipset *low = ipset_new();
	struct ipset *odd = ipset_new();
	struct scandb_query query = {
		.first_ns = NOON * NS_PER_S,
		.last_ns = (NOON + 3600) * NS_PER_S - 1,
	};

	UNIT_ASSERT_U64(fill(path, true), G_N_ELEMENTS(rows));
	check_ids(path, &query, "1 3 4");
	query.by_time = true;
	check_ids(path, &query, "3 1 4");
	ipset_add_range(low, ip_from_v4(0x0a000000), ip_from_v4(0x0affffff));
	ipset_finish(low);
	query.sources[0] = low;
	check_ids(path, &query, "3 1");
	ipset_add(odd, ip_from_v4(0x0a000003));
	ipset_finish(odd);
	query.sources[1] = odd;
	check_ids(path, &query, "3");
	query = (struct scandb_query){ .first_ns = 0, .last_ns = INT64_C(2000000000) * NS_PER_S };
	check_ids(path, &query, "1 2 3 4 5");
	ipset_free(low);
	ipset_free(odd);
	g_free(path);
}

static void test_again(void)
{
	char *path = path_of("again.sqlite");

	UNIT_ASSERT_U64(fill(path, true), G_N_ELEMENTS(rows));
	UNIT_ASSERT_U64(fill(path, true), 0);
	g_free(path);
}

static void test_undone(void)
{
	char *path = path_of("undone.sqlite");
	const struct scandb_query query = { .last_ns = INT64_MAX };
	struct scandb *db = NULL;
	struct err err;

	UNIT_ASSERT_U64(fill(path, false), G_N_ELEMENTS(rows));
	CU_ASSERT_EQUAL_FATAL(scandb_open(&db, path, SCANDB_READ, &err), ST_OK);
	CU_ASSERT_EQUAL(scandb_select(db, &query, &err), ST_EIO);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "undone.sqlite: no such table: scans"));
	scandb_close(db);
	UNIT_ASSERT_U64(fill(path, true), G_N_ELEMENTS(rows));
	g_free(path);
}

static void test_faults(void)
{
	char *path = path_of("faulty.sqlite");
	const struct scandb_query query = { .last_ns = INT64_C(2000000000) * NS_PER_S };
	struct scandb *db = NULL;
	struct err err;

	CU_ASSERT_EQUAL(scandb_open(&db, path, SCANDB_READ, &err), ST_ENOENT);
	CU_ASSERT_PTR_NULL(db);
	CU_ASSERT_EQUAL(g_access(path, 0), -1);
	CU_ASSERT(g_file_set_contents(path, "this is a text and no database at all, surely", -1,
				      NULL));
	CU_ASSERT_EQUAL(scandb_open(&db, path, SCANDB_WRITE, &err), ST_EIO);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "faulty.sqlite: file is not a database"));
	CU_ASSERT_EQUAL(scandb_open(&db, path, SCANDB_READ, &err), ST_OK);
	CU_ASSERT_EQUAL(scandb_select(db, &query, &err), ST_EIO);
	scandb_close(db);
	scandb_close(NULL);
	g_free(path);
}

static const struct unit_case cases[] = {
	{ "which scans, in which order", test_selection },
	{ "what is there already is not added", test_again },
	{ "what is not committed is undone", test_undone },
	{ "files that are none", test_faults },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("scandb", cases);
}
