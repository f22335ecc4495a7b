/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/csvline.h"

#include <glib.h>

#include "tests/unit/unit.h"

static void test_split(void)
{
	static const struct {
		const char *line;
		const char *columns; /* with '|' behind each, '"' before quoted ones; NULL: error */
		const char *error;
	} cases[] = {
		{ "", "|", "" },
		{ "a", "a|", "" },
		{ "a,b,", "a|b||", "" },
		{ " a , b ", " a | b |", "" },
		{ "\"a\",\"b,c\"", "\"a|\"b,c|", "" },
		{ " \"a\" ,\t\"\"\r", "\"a|\"|", "" },
		{ "\"a\"\"b\"\"\"", "\"a\"b\"|", "" },
		{ "\"a", NULL, "column 1 has no closing quote" },
		{ "a,\"b\"\"", NULL, "column 2 has no closing quote" },
		{ "\"a\"b,c", NULL, "'b' stands behind column 1" },
		{ ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,", "||||||||||||||||||||||||||||||||", "" },
		{ ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,", NULL, "more than 32 columns" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *line = g_strdup(cases[i].line);
		GString *columns = g_string_new(NULL);
		struct csvline row;
		struct err err = { 0 };
		int status = csvline_split(&row, line, &err);

		unit_at("'%s'", cases[i].line);
		CU_ASSERT_EQUAL(status, cases[i].columns ? ST_OK : ST_EINVAL);
		UNIT_ASSERT_STR(err.text, cases[i].error);
		for (size_t j = 0; status == ST_OK && j < row.count; j++) {
			g_string_append_printf(columns, "%s%s|", row.quoted[j] ? "\"" : "",
					       row.columns[j]);
		}
		if (cases[i].columns) {
			UNIT_ASSERT_STR(columns->str, cases[i].columns);
		}
		g_string_free(columns, TRUE);
		g_free(line);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "split", test_split },
		{ NULL, NULL },
	};

	return unit_run("csvline", cases);
}
