/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/tuclines.h"

#include <string.h>

#include <glib.h>

#include "tests/unit/unit.h"

/* Lines of a source port and flags; what becomes of them: "place.port" or "place!" of bad ones. */
struct lines_case {
	char separator;
	const char *text;
	size_t len;
	const char *expected;
};

#define CASE(separator, text, expected)                                                            \
	{                                                                                          \
		separator, text, sizeof(text) - 1, expected                                        \
	}
static const struct lines_case cases[] = {
	CASE('|', "", "0"),
	CASE('|', "1|\n", "0.1 1"),
	CASE('|', "1|S", "0.1 1"),
	CASE('|', "1|S|", "0.1 1"),
	CASE('|', "1|S|\n 2 | S A |  \n3|\n", "0.1 1.2 2.3 3"),
	CASE('|', "\n \t\n1|\n\n\r\n", "2.1 5"),
	CASE('|', "1\n2||\n3|F|x\n4|\n", "0! 1.2 2! 3.4 4"),
	CASE('|', "x|F\n1|x\n||\n", "0! 1! 2! 3"),
	CASE('|', "1|S\0what|x\n\0x\n  \0\n2|\n", "0.1 3.2 4"),
	CASE('|', "\t\v\n1|\n\v\n", "1.1 2! 3"),
	CASE('\t', "1\tS\n \t \n\t\n2\t\n", "0.1 3.2 4"),
	CASE(' ', "1 S\n   \n2 \n", "0.1 2.2 3"),
	CASE('5', "155\n253\n55\n", "0.1 1! 2! 3"),
};

static void check(const struct lines_case *c, const struct tuc *tuc)
{
	struct tuclines *lines = tuclines_new(tuc);
	char *text = g_malloc(c->len + TUCLINES_SLACK);
	GString *seen = g_string_new(NULL);
	struct tuc_line line;
	struct err err;
	int st;

	memcpy(text, c->text, c->len);
	tuclines_begin(lines, text, c->len);
	while ((st = tuclines_next(lines, 0, &line, &err)) != ST_END) {
		const struct tuclines_place place = tuclines_place(lines);

		CU_ASSERT_TRUE(place.at + place.len <= c->len);
		CU_ASSERT_TRUE(place.at == 0 || c->text[place.at - 1] == '\n');
		CU_ASSERT_TRUE(place.at + place.len == c->len ||
			       c->text[place.at + place.len] == '\n');
		g_string_append_printf(seen, "%u", (unsigned)place.number);
		if (st == ST_OK) {
			g_string_append_printf(seen, ".%u ", line.rec.sport);
		} else {
			g_string_append(seen, "! ");
		}
	}
	g_string_append_printf(seen, "%u", (unsigned)tuclines_place(lines).number);
	UNIT_ASSERT_STR(seen->str, c->expected);
	CU_ASSERT_EQUAL(memcmp(text, c->text, c->len), 0);
	g_string_free(seen, TRUE);
	g_free(text);
	tuclines_free(lines);
}

static void test_next(void)
{
	struct site *site = NULL;

	CU_ASSERT_EQUAL_FATAL(site_load(&site, unit_path("conf/silk.conf"), NULL), ST_OK);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct tuc *tuc = tuc_new(site, cases[i].separator);

		unit_at("case %zu: %s", i, cases[i].text);
		CU_ASSERT_EQUAL(tuc_set_columns(tuc, "sPort,flags", NULL), ST_OK);
		check(&cases[i], tuc);
		tuc_free(tuc);
	}
	site_free(site);
}

int main(void)
{
	static const struct unit_case unit_cases[] = {
		{ "lines of a text", test_next },
		{ NULL, NULL },
	};

	return unit_run("tuclines", unit_cases);
}
