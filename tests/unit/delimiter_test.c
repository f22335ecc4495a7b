/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/delimiter.h"

#include <glib.h>

#include "tests/unit/unit.h"

static void test_meanings(void)
{
	static const struct {
		char c;
		const char *meaning;
	} cases[] = {
		{ '|', NULL },
		{ ' ', NULL },
		{ '\t', NULL },
		{ '-', NULL },
		{ '#', "comment start('#')" },
		{ '\n', "newline" },
		{ '\r', "carriage return" },
		{ '\0', "end-of-string" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *meaning = delimiter_other_meaning(cases[i].c);

		unit_at("%d", cases[i].c);
		CU_ASSERT_EQUAL(meaning == NULL, cases[i].meaning == NULL);
		UNIT_ASSERT_STR(meaning ? meaning : "", cases[i].meaning ? cases[i].meaning : "");
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "what characters mean", test_meanings },
		{ NULL, NULL },
	};

	return unit_run("delimiter", cases);
}
