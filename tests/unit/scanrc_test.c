/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scanrc.h"

#include <string.h>

#include <glib.h>

#include "common/status.h"
#include "tests/unit/unit.h"

static char *write_rc(const char *text)
{
	char *path = g_build_filename(unit_scratch(), ".rwscanrc", NULL);

	CU_ASSERT(g_file_set_contents(path, text, -1, NULL));
	return path;
}

static void test_read(void)
{
	char *path = write_rc("# scans\n\ndb_driver=SQLite\n db_userid = me\ndb_password=\n"
			      "db_instance = /data/my scans.sqlite \nrw_in_class=all\n"
			      "rw_in_type=in,inweb\nrw_out_type=out\nrw_out_type=outweb");
	struct scanrc rc = { NULL };
	struct err err;

	CU_ASSERT_EQUAL_FATAL(scanrc_read(&rc, path, &err), ST_OK);
	UNIT_ASSERT_STR(rc.instance, "/data/my scans.sqlite");
	UNIT_ASSERT_STR(rc.in_class, "all");
	UNIT_ASSERT_STR(rc.in_type, "in,inweb");
	UNIT_ASSERT_STR(rc.out_type, "outweb");
	CU_ASSERT_PTR_NULL(rc.out_class);
	scanrc_release(&rc);
	CU_ASSERT_PTR_NULL(rc.instance);
	g_free(path);
}

static void test_faults(void)
{
	static const struct {
		const char *text;
		const char *error;
	} cases[] = {
		{ "\ndb_driver=oracle\n",
		  ".rwscanrc:2: db_driver 'oracle' is not supported, only sqlite is" },
		{ "sqlite\n", ".rwscanrc:1: 'sqlite' is not NAME=VALUE" },
		{ "db_instanze=x\n", ".rwscanrc:1: there is no parameter 'db_instanze'" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *path = write_rc(cases[i].text);
		struct scanrc rc = { NULL };
		struct err err;

		unit_at("%s", cases[i].text);
		CU_ASSERT_EQUAL(scanrc_read(&rc, path, &err), ST_EINVAL);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, cases[i].error));
		scanrc_release(&rc);
		g_free(path);
	}
}

static void test_find(void)
{
	char *path = write_rc("");
	char *found = NULL;
	struct err err;

	g_setenv("HOME", unit_scratch(), TRUE);
	g_unsetenv("RWSCANRC");
	CU_ASSERT_EQUAL(scanrc_find(&found, &err), ST_OK);
	UNIT_ASSERT_STR(found, path);
	g_clear_pointer(&found, g_free);
	g_setenv("RWSCANRC", "/nonexistent/rc", TRUE);
	CU_ASSERT_EQUAL(scanrc_find(&found, &err), ST_ENOENT);
	CU_ASSERT_PTR_NULL(found);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nonexistent/rc"));
	g_setenv("RWSCANRC", "/dev/null", TRUE);
	CU_ASSERT_EQUAL(scanrc_find(&found, &err), ST_OK);
	UNIT_ASSERT_STR(found, "/dev/null");
	g_free(found);
	g_free(path);
}

static const struct unit_case cases[] = {
	{ "what a file says", test_read },
	{ "what is wrong with a line", test_faults },
	{ "where the file is", test_find },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("scanrc", cases);
}
