/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/tucmarks.h"

#include <string.h>

#include "tests/unit/unit.h"

/* What is marked of text has a ^ below it. */
static const struct {
	char separator;
	const char *text;
	const char *marked;
} cases[] = {
	{ '|', "", "" },
	{ '|', "   ", "   " },
	{ '|', "a", "^" },
	{ '|', " ab|c |  \n|", " ^ ^^ ^  ^^" },
	{ '|', "a b\tc\rd\f|", "^ ^ ^ ^ ^" },
	{ '|', "\v|", "^^" },
	{ ' ', "a  b\n", "^^^^^" },
	{ '\t', " a\tb\n", " ^^^^" },
	/* over the bounds of blocks */
	{ '|', "                                                              abc|",
	  "                                                              ^  ^" },
	{ '|', "                                                               ab| c",
	  "                                                               ^ ^ ^" },
	{ '|', "                                                                a|b",
	  "                                                                ^^^" },
};

static void test_find(void)
{
	struct tucmarks marks = { 0 };

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		size_t len = strlen(cases[i].text);
		char *text = g_malloc0(len + TUCMARKS_SLACK);
		char *marked = g_strnfill(len, ' ');

		unit_at("%s", cases[i].text);
		memset(text + len, '|', TUCMARKS_SLACK);
		memcpy(text, cases[i].text, len);
		tucmarks_find(&marks, text, len, cases[i].separator);
		for (size_t k = 0; k < marks.count; k++) {
			CU_ASSERT_TRUE_FATAL(marks.at[k] < len);
			marked[marks.at[k]] = '^';
		}
		for (size_t k = 0; k < len; k++) {
			CU_ASSERT_EQUAL(marked[k] == '^', cases[i].marked[k] == '^');
		}
		g_free(marked);
		g_free(text);
	}
	tucmarks_release(&marks);
}

static void test_nul(void)
{
	char text[5 + TUCMARKS_SLACK] = "a\0b|c";
	struct tucmarks marks = { 0 };

	tucmarks_find(&marks, text, 5, '|');
	UNIT_ASSERT_U64(marks.count, 5);
	tucmarks_release(&marks);
}

int main(void)
{
	static const struct unit_case unit_cases[] = {
		{ "places", test_find },
		{ "NUL", test_nul },
		{ NULL, NULL },
	};

	return unit_run("tucmarks", unit_cases);
}
