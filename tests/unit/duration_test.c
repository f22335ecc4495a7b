/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/duration.h"

#include <string.h>
#include <glib.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

static void test_parse(void)
{
	static const struct {
		const char *text;
		uint64_t ns;
		const char *reason;
	} cases[] = {
		{ "12", 12 * NS_PER_S, NULL },
		{ "0", 0, NULL },
		{ "12.345", 12345 * NS_PER_MS, NULL },
		{ " 12 ", 12 * NS_PER_S, NULL },
		{ ".5", 500 * NS_PER_MS, NULL },
		{ "5.", 5 * NS_PER_S, NULL },
		{ "0.0000000019", 1, NULL },
		{ "7ns", 7, NULL },
		{ "7us", 7000, NULL },
		{ "7ms", 7 * NS_PER_MS, NULL },
		{ "7s", 7 * NS_PER_S, NULL },
		{ "5m", 300 * NS_PER_S, NULL },
		{ "2h", 2 * NS_PER_HOUR, NULL },
		{ "1d", 24 * NS_PER_HOUR, NULL },
		{ "1h30m", 5400 * NS_PER_S, NULL },
		{ "1m500ms", 60500 * NS_PER_MS, NULL },
		{ "0.5d", 12 * NS_PER_HOUR, NULL },
		{ "1.5m", 90 * NS_PER_S, NULL },
		{ "18446744073.709551615", UINT64_MAX, NULL },
		{ "18446744073.709551616", 0, "Value overflows the parser" },
		{ "99999999999999999999", 0, "Value overflows the parser" },
		{ "213504d", 0, "Value overflows the parser" },
		{ "213503d1d", 0, "Value overflows the parser" },
		{ "", 0, "Input is empty or all whitespace" },
		{ " ", 0, "Input is empty or all whitespace" },
		{ "x", 0, "Unexpected character 'x'" },
		{ "-5", 0, "Unexpected character '-'" },
		{ ".", 0, "Unexpected character '.'" },
		{ "5x", 0, "Unit is missing or unknown (use ns, us, ms, s, m, h, d)" },
		{ "1h30", 0, "Unit is missing or unknown (use ns, us, ms, s, m, h, d)" },
		{ "5 m", 0, "Extra text follows value" },
		{ "1hh", 0, "Unexpected character 'h'" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		uint64_t ns = 0;
		struct err err = { 0 };

		unit_at("%s", cases[i].text);
		CU_ASSERT_EQUAL(duration_parse(cases[i].text, &ns, &err),
				cases[i].reason ? ST_EINVAL : ST_OK);
		UNIT_ASSERT_STR(err.text, cases[i].reason ? cases[i].reason : "");
		UNIT_ASSERT_U64(ns, cases[i].ns);
	}
}

static void test_print(void)
{
	static const struct {
		uint64_t ns;
		unsigned decimals;
		const char *text;
	} cases[] = {
		{ 0, 3, "0.000" },
		{ 0, 0, "0" },
		{ 1500000000, 3, "1.500" },
		{ 1999999999, 3, "1.999" },
		{ 1999999999, 0, "1" },
		{ 1999999999, 9, "1.999999999" },
		{ 5, 9, "0.000000005" },
		{ 5000, 6, "0.000005" },
		{ UINT64_C(4294967295) * 1000000, 3, "4294967.295" },
		{ UINT64_MAX, 9, "18446744073.709551615" },
		{ UINT64_MAX, 12, "18446744073.709551615" },
	};
	char text[DURATION_TEXT_MAX];

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		unit_at("%s", cases[i].text);
		CU_ASSERT_EQUAL(duration_print(text, cases[i].ns, cases[i].decimals),
				strlen(cases[i].text));
		UNIT_ASSERT_STR(text, cases[i].text);
	}
}

static void test_print_and_parse(void)
{
	uint64_t ns = 1;

	for (int i = 0; i < 1000; i++) {
		char text[DURATION_TEXT_MAX];
		uint64_t back;

		ns = ns * 6364136223846793005U + 1442695040888963407U;
		duration_print(text, ns >> (i % 64), 9);
		unit_at("%s", text);
		CU_ASSERT_EQUAL(duration_parse(text, &back, NULL), ST_OK);
		UNIT_ASSERT_U64(back, ns >> (i % 64));
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "parse", test_parse },
		{ "print", test_print },
		{ "print and parse", test_print_and_parse },
		{ NULL, NULL },
	};

	return unit_run("duration", cases);
}
