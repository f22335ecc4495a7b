/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/spelling.h"

#include <string.h>

#include "common/status.h"
#include "tests/unit/unit.h"

static const char *const names[] = {
	"fields", "sIP", "sPort", "dPort", "bytes", "start-date", NULL
};

static void test_suggestions(void)
{
	static const struct {
		const char *word;
		size_t len;
		const char *text;
	} rows[] = {
		{ "feilds", 6, "no 'feilds'; did you mean 'fields'?" }, /* exchanged */
		{ "field", 5, "no 'field'; did you mean 'fields'?" },   /* left out */
		{ "fieldds", 7, "no 'fieldds'; did you mean 'fields'?" },
		{ "sipp", 4, "no 'sipp'; did you mean 'sIP'?" },
		{ "sport", 5, "no 'sport'; did you mean 'sPort'?" },
		{ "BYTS", 4, "no 'BYTS'; did you mean 'bytes'?" },
		{ "start_dat", 9, "no 'start_dat'; did you mean 'start-date'?" },
		{ "fields=5", 6, "no 'fields'; did you mean 'fields'?" },
		{ "packets", 7, "no 'packets'" },
		{ "x", 1, "no 'x'" },
		{ "", 0, "no ''" },
		{ "ab", 2, "no 'ab'" },
		{ "fffffffffffffffffffffffffffffffffffffffffields", 46,
		  "no 'fffffffffffffffffffffffffffffffffffffffffields'" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct spelling spelling = { .word = rows[i].word, .len = rows[i].len };
		struct err err;

		unit_at("%s", rows[i].word);
		for (size_t j = 0; names[j]; j++) {
			spelling_try(&spelling, names[j]);
		}
		err_set(&err, ST_EINVAL, "no '%.*s'", (int)rows[i].len, rows[i].word);
		spelling_suggest(&spelling, "", &err);
		UNIT_ASSERT_STR(err.text, rows[i].text);
	}
}

static void test_edges(void)
{
	struct spelling spelling = { .word = "sip", .len = 3 };
	struct err err;

	err_set(&err, ST_EINVAL, "nothing tried");
	spelling_suggest(&spelling, "", &err);
	UNIT_ASSERT_STR(err.text, "nothing tried");
	spelling_try(&spelling, "sIP");
	spelling_suggest(&spelling, "--", NULL);
	/* a text that is full stays whole */
	memset(err.text, 'x', sizeof(err.text) - 1);
	err.text[sizeof(err.text) - 1] = '\0';
	spelling_suggest(&spelling, "", &err);
	UNIT_ASSERT_U64(strlen(err.text), sizeof(err.text) - 1);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "suggestions", test_suggestions },
		{ "edges", test_edges },
		{ NULL, NULL },
	};

	return unit_run("spelling", cases);
}
