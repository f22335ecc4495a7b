/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/standin.h"

#include <glib.h>
#include <string.h>

#include "tests/unit/unit.h"

struct opts {
	bool plain;
	bool grouped;
};

static const struct opt group_table[] = {
	OPT_FLAG(struct opts, grouped, "grouped", 0, "in a group"),
	OPT_END,
};

static const struct opt table[] = {
	OPT_FLAG(struct opts, plain, "plain", 0, "in the table"),
	{ .kind = OPT_KIND_GROUP, .group = group_table },
	OPT_END,
};

static int check_word(const char *text, struct err *err)
{
	return strcmp(text, "good") == 0 ? ST_OK : err_set(err, ST_EINVAL, "no such word");
}

static const struct standin rows[] = {
	{ "plain", "PLAIN", check_word },
	{ "grouped", "GROUPED", check_word },
	{ "absent", "ABSENT", check_word },
	{ NULL, NULL, NULL },
};

static char good[] = "good", bad[] = "bad", evil[] = "evil", empty[] = "";

static char *all_good(const char *variable)
{
	return good;
}

static char *all_bad(const char *variable)
{
	return strcmp(variable, "PLAIN") == 0 ? evil : bad;
}

static char *all_empty(const char *variable)
{
	return empty;
}

static char *none(const char *variable)
{
	return NULL;
}

static void note(void *arg, const char *text)
{
	g_string_append_printf(arg, "%s\n", text);
}

static void test_check(void)
{
	static const struct {
		const char *name;
		standin_getenv_fn value_of;
		const char *warnings;
	} cases[] = {
		{ "none is set", none, "" },
		{ "empty is not set", all_empty, "" },
		{ "all mean something", all_good, "" },
		{ "only of switches that the table has, groups unfolded", all_bad,
		  "invalid PLAIN 'evil': no such word\ninvalid GROUPED 'bad': no such word\n" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		GString *warnings = g_string_new(NULL);

		unit_at("%s", cases[i].name);
		standin_check(rows, table, cases[i].value_of, note, warnings);
		UNIT_ASSERT_STR(warnings->str, cases[i].warnings);
		g_string_free(warnings, TRUE);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "check", test_check },
		{ NULL, NULL },
	};

	return unit_run("standin", cases);
}
