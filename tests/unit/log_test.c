/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

static char *scratch_file(const char *name)
{
	return g_strdup_printf("%s/%s", unit_scratch(), name);
}

static void test_switches(void)
{
	static const struct {
		struct log_opts opts;
		const char *reason;
	} cases[] = {
		{ { .destination = NULL },
		  "One of --log-directory, --log-pathname, or --log-destination is required" },
		{ { .directory = (char *)"/tmp", .pathname = (char *)"/tmp/x" },
		  "Only one of --log-directory, --log-pathname, or --log-destination may be "
		  "specified" },
		{ { .directory = (char *)"tmp" },
		  "Invalid log-directory: Must use complete path ('tmp' does not begin with "
		  "slash)" },
		{ { .directory = (char *)"/nonexistent" },
		  "Invalid log-directory: Nonexistent path '/nonexistent'" },
		{ { .directory = (char *)"/tmp", .post_rotate = (char *)"mv %s %t" },
		  "Invalid log-post-rotate 'mv %s %t': Unknown conversion '%t'" },
		{ { .destination = (char *)"std" },
		  "Invalid log-destination 'std': Value is ambiguous" },
		{ { .destination = (char *)"s" },
		  "Invalid log-destination 's': Value is ambiguous" },
		{ { .destination = (char *)"none", .level = (char *)"loud" },
		  "Invalid log-level 'loud': Value is not recognized" },
		{ { .destination = (char *)"none", .facility = (char *)"local9" },
		  "Invalid log-sysfacility 'local9': Value is not recognized" },
		{ { .destination = (char *)"both", .facility = (char *)"local" },
		  "Invalid log-sysfacility 'local': Value is ambiguous" },
		{ { .destination = (char *)"none", .facility = (char *)"local1" },
		  "Cannot set facility unless log-destination is 'syslog' or 'both'" },
		{ { .directory = (char *)"/tmp", .facility = (char *)"5" },
		  "Cannot set facility unless log-destination is 'syslog' or 'both'" },
		{ { .pathname = (char *)"x" },
		  "Invalid log-pathname: Must use complete path ('x' does not begin with slash)" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct err err = { 0 };

		unit_at("%s", cases[i].reason);
		CU_ASSERT_NOT_EQUAL(log_open(&cases[i].opts, "prog", NULL, &err), ST_OK);
		UNIT_ASSERT_STR(err.text, cases[i].reason);
	}
}

static void test_lines(void)
{
	char *path = scratch_file("one.log");
	struct log_opts opts = { .pathname = path, .level = (char *)"NOT" };
	char *text = NULL;
	struct err err;

	CU_ASSERT_EQUAL(log_open(&opts, "prog", NULL, &err), ST_OK);
	log_msg(LOG_LEVEL_INFO, "not this");
	log_msg(LOG_LEVEL_NOTICE, "this %d", 7);
	log_close();
	log_msg(LOG_LEVEL_EMERG, "closed");
	CU_ASSERT_TRUE_FATAL(g_file_get_contents(path, &text, NULL, NULL));
	CU_ASSERT_PTR_NULL(strstr(text, "not this"));
	CU_ASSERT_PTR_NULL(strstr(text, "closed"));
	CU_ASSERT_TRUE(g_regex_match_simple(
		"^[A-Z][a-z]{2} [ 0-9][0-9] \\d\\d:\\d\\d:\\d\\d [^ .]+ prog\\[\\d+\\]: this 7\n$",
		text, 0, 0));
	g_free(text);
	g_free(path);
}

/* A name with a newline in it must not forge a line. */
static void test_controls(void)
{
	char *path = scratch_file("controls.log");
	struct log_opts opts = { .pathname = path, .level = (char *)"notice" };
	char *text = NULL;
	char *long_name = g_strnfill(9000, '\n');
	struct err err;

	CU_ASSERT_EQUAL(log_open(&opts, "prog", NULL, &err), ST_OK);
	log_msg(LOG_LEVEL_NOTICE, "name '%s'", "a\nb\tc\x7f\x1b[2J \xc3\xa9");
	log_msg(LOG_LEVEL_NOTICE, "%s", long_name);
	log_close();
	CU_ASSERT_TRUE_FATAL(g_file_get_contents(path, &text, NULL, NULL));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, ": name 'a\\x0ab\\x09c\\x7f\\x1b[2J \xc3\xa9'\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, ": \\x0a\\x0a"));
	CU_ASSERT_PTR_EQUAL(strchr(strchr(text, '\n') + 1, '\n'), strrchr(text, '\n'));
	g_free(long_name);
	g_free(text);
	g_free(path);
}

static void test_rollover(void)
{
	struct log_opts opts = { .directory = (char *)unit_scratch(),
				 .basename = (char *)"day",
				 .post_rotate = (char *)"" };
	int64_t now_ns = (int64_t)time(NULL) * NS_PER_S;
	time_t tomorrow = time(NULL) + 86400;
	char name[64];
	char *path;
	char *text = NULL;
	struct err err;
	struct tm tm;

	CU_ASSERT_EQUAL(log_open(&opts, "prog", NULL, &err), ST_OK);
	log_tick(now_ns);
	log_tick(now_ns + 86400 * NS_PER_S);
	log_msg(LOG_LEVEL_INFO, "next day");
	log_close();
	localtime_r(&tomorrow, &tm);
	strftime(name, sizeof(name), "day-%Y%m%d.log", &tm);
	path = scratch_file(name);
	CU_ASSERT_TRUE_FATAL(g_file_get_contents(path, &text, NULL, NULL));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "Previous log file: "));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "next day"));
	g_free(text);
	g_free(path);
}

/* Moved away by who keeps logs: the lines go on in a new file of the old name. */
static void check_reopen(const struct log_opts *opts, const char *path)
{
	char *moved = g_strdup_printf("%s.1", path);
	char *text = NULL;
	struct err err;

	CU_ASSERT_EQUAL_FATAL(log_open(opts, "prog", NULL, &err), ST_OK);
	log_msg(LOG_LEVEL_INFO, "before");
	CU_ASSERT_EQUAL(rename(path, moved), 0);
	log_msg(LOG_LEVEL_INFO, "between");
	log_reopen();
	log_msg(LOG_LEVEL_INFO, "after");
	log_close();
	CU_ASSERT_TRUE_FATAL(g_file_get_contents(moved, &text, NULL, NULL));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "between"));
	CU_ASSERT_PTR_NULL(strstr(text, "after"));
	g_free(text);
	CU_ASSERT_TRUE_FATAL(g_file_get_contents(path, &text, NULL, NULL));
	CU_ASSERT_PTR_NULL(strstr(text, "between"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "after"));
	g_free(text);
	g_free(moved);
}

static void test_reopen(void)
{
	char *path = scratch_file("kept.log");
	const struct log_opts one = { .pathname = path };
	const struct log_opts daily = { .directory = (char *)unit_scratch(),
					.basename = (char *)"daily" };
	const time_t now = time(NULL);
	char name[64];
	struct tm tm;

	check_reopen(&one, path);
	g_free(path);
	localtime_r(&now, &tm);
	strftime(name, sizeof(name), "daily-%Y%m%d.log", &tm);
	path = scratch_file(name);
	check_reopen(&daily, path);
	g_free(path);
}

static void test_limit(void)
{
	const struct log_rate rate = { .burst = 2, .per_minute = 1 };
	struct log_limit limit = { 0 };
	char text[LOG_HELD_BACK_MAX];
	uint64_t held_back = 99;
	int64_t start_ns = 1000 * NS_PER_S;

	CU_ASSERT_TRUE(log_limit_ok(&limit, rate, start_ns, &held_back));
	UNIT_ASSERT_U64(held_back, 0);
	CU_ASSERT_TRUE(log_limit_ok(&limit, rate, start_ns + 1, &held_back));
	CU_ASSERT_FALSE(log_limit_ok(&limit, rate, start_ns + 2, &held_back));
	CU_ASSERT_FALSE(log_limit_ok(&limit, rate, start_ns + 60 * NS_PER_S - 1, &held_back));
	CU_ASSERT_TRUE(log_limit_ok(&limit, rate, start_ns + 60 * NS_PER_S, &held_back));
	UNIT_ASSERT_U64(held_back, 2);
	CU_ASSERT_STRING_EQUAL(log_held_back(held_back, text), " (2 more held back)");
	/* one a minute from then on, and a burst again after two */
	CU_ASSERT_FALSE(log_limit_ok(&limit, rate, start_ns + 61 * NS_PER_S, &held_back));
	CU_ASSERT_TRUE(log_limit_ok(&limit, rate, start_ns + 181 * NS_PER_S, &held_back));
	UNIT_ASSERT_U64(held_back, 1);
	CU_ASSERT_TRUE(log_limit_ok(&limit, rate, start_ns + 181 * NS_PER_S, &held_back));
	UNIT_ASSERT_U64(held_back, 0);
	CU_ASSERT_STRING_EQUAL(log_held_back(held_back, text), "");
	CU_ASSERT_FALSE(log_limit_ok(&limit, rate, start_ns + 181 * NS_PER_S, &held_back));
	/* a clock that goes back gives nothing */
	CU_ASSERT_FALSE(log_limit_ok(&limit, rate, start_ns, &held_back));
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "switches", test_switches },
		{ "lines", test_lines },
		{ "control characters", test_controls },
		{ "rollover", test_rollover },
		{ "reopen", test_reopen },
		{ "rate limit", test_limit },
		{ NULL, NULL },
	};

	return unit_run("log", cases);
}
