/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/numlist.h"

#include <string.h>
#include <glib.h>

#include "tests/unit/unit.h"

#define EMPTY        "Input is empty or all whitespace"
#define BLANK_INSIDE "Unexpected character--embedded whitespace found in input"

static void test_number(void)
{
	static const struct {
		const char *text;
		uint64_t min, max, value;
		const char *reason;
	} cases[] = {
		{ "12", 0, 100, 12, NULL },
		{ "010", 0, 100, 10, NULL },
		{ "+12", 0, 100, 12, NULL },
		{ " 12 ", 0, 100, 12, NULL },
		{ "18446744073709551615", 0, UINT64_MAX, UINT64_MAX, NULL },
		{ "18446744073709551616", 0, UINT64_MAX, 0, "Value overflows the parser" },
		{ "99999999999999999999999", 0, 9, 0, "Value overflows the parser" },
		{ "0", 1, 9, 0, "Value is below minimum of 1" },
		{ "10", 1, 9, 0, "Value is above maximum of 9" },
		{ "abc", 0, 9, 0, "Unexpected character 'a'" },
		{ "-1", 0, 9, 0, "Unexpected character '-'" },
		{ "+-1", 0, 9, 0, "Unexpected character '+'" },
		{ "+ 1", 0, 9, 0, "Unexpected character '+'" },
		{ "+", 0, 9, 0, "Unexpected character '+'" },
		{ "", 0, 9, 0, EMPTY },
		{ "  ", 0, 9, 0, EMPTY },
		{ "1x", 0, 9, 0, "Extra text follows value" },
		{ "1 2", 0, 9, 0, "Extra text follows value" },
		{ "0x1F", 0, 99, 0, "Extra text follows value" },
		{ "1e3", 0, 9999, 0, "Extra text follows value" },
		{ "1.5", 0, 9, 0, "Extra text follows value" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		uint64_t value = 0;
		struct err err = { 0 };

		unit_at("%s", cases[i].text);
		CU_ASSERT_EQUAL(
			number_parse(cases[i].text, cases[i].min, cases[i].max, &value, &err),
			cases[i].reason ? ST_EINVAL : ST_OK);
		UNIT_ASSERT_STR(err.text, cases[i].reason ? cases[i].reason : "");
		UNIT_ASSERT_U64(value, cases[i].value);
	}
}

static void test_real(void)
{
	static const struct {
		const char *text;
		double value;
		const char *reason;
	} cases[] = {
		{ "0.5", 0.5, NULL },
		{ ".5", 0.5, NULL },
		{ "5.", 5, NULL },
		{ "1e3", 1000, NULL },
		{ " 2 ", 2, NULL },
		{ "+3", 3, NULL },
		{ "abc", 0, "Unexpected character" },
		{ "nan", 0, "Unexpected character" },
		{ "", 0, EMPTY },
		{ "1.5x", 0, "Extra text follows value" },
		{ "0.0001", 0, "Value is below minimum of 0.001000" },
		{ "-1", 0, "Value is below minimum of 0.001000" },
		{ "inf", 0, "Value is above maximum of 2147483647.000000" },
		{ "1e400", 0, "Value overflows the parser" },
		{ "1e-400", 0, "Value is below minimum of 0.001000" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		double value = 0;
		struct err err = { 0 };

		unit_at("%s", cases[i].text);
		CU_ASSERT_EQUAL(real_parse(cases[i].text, 0.001, 2147483647, &value, &err),
				cases[i].reason ? ST_EINVAL : ST_OK);
		UNIT_ASSERT_STR(err.text, cases[i].reason ? cases[i].reason : "");
		CU_ASSERT_EQUAL(value, cases[i].value);
	}
}

static void test_size(void)
{
	static const struct {
		const char *text;
		uint64_t value;
		const char *reason;
	} cases[] = {
		{ "4096", 4096, NULL },
		{ "4k", 4096, NULL },
		{ "4K", 4096, NULL },
		{ "1.5k", 1536, NULL },
		{ "2G", UINT64_C(2) << 30, NULL },
		{ "1t ", UINT64_C(1) << 40, NULL },
		{ "10m", 10 << 20, NULL },
		{ "k", 0, "Unexpected character" },
		{ "1kk", 0, "Extra text follows value" },
		{ "1 k", 0, "Extra text follows value" },
		{ "1z", 0, "Extra text follows value" },
		{ "1", 0, "Value is below minimum of 1024" },
		{ "100000000000000000t", 0, "Value overflows the parser" },
		{ "inf", 0, "Value overflows the parser" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		uint64_t value = 0;
		struct err err = { 0 };

		unit_at("%s", cases[i].text);
		CU_ASSERT_EQUAL(size_parse(cases[i].text, 1024, UINT64_MAX, &value, &err),
				cases[i].reason ? ST_EINVAL : ST_OK);
		UNIT_ASSERT_STR(err.text, cases[i].reason ? cases[i].reason : "");
		UNIT_ASSERT_U64(value, cases[i].value);
	}
}

static void test_range(void)
{
	static const struct {
		const char *text;
		uint64_t first, last;
		const char *reason;
	} cases[] = {
		{ "5", 5, 5, NULL },
		{ "5-", 5, 1000, NULL },
		{ "5- ", 5, 1000, NULL },
		{ "5-6", 5, 6, NULL },
		{ " 5-6 ", 5, 6, NULL },
		{ "+5", 5, 5, NULL },
		{ "-5", 0, 0, "Unexpected character '-'" },
		{ "5 - 6", 0, 0, "Unexpected character ' '" },
		{ "5 -6", 0, 0, "Unexpected character ' '" },
		{ "5- 6", 0, 0, "Unexpected character ' '" },
		{ "", 0, 0, EMPTY },
		{ "-", 0, 0, "Unexpected character '-'" },
		{ "5-x", 0, 0, "Unexpected character 'x'" },
		{ "x-5", 0, 0, "Unexpected character 'x'" },
		{ "5x", 0, 0, "Unexpected character 'x'" },
		{ "5,6", 0, 0, "Unexpected character ','" },
		{ "5-1.5", 0, 0, "Unexpected character '.'" },
		{ "5--6", 0, 0, "Unexpected character '-'" },
		{ "1-2-3", 0, 0, "Unexpected character '-'" },
		{ "5-6 x", 0, 0, "Unexpected character ' '" },
		{ "5-+6", 0, 0, "Unexpected character '+'" },
		{ "5-3", 0, 0, "Range is invalid (min > max)" },
		{ "18446744073709551616", 0, 0, "Value overflows the parser" },
		{ "5-18446744073709551616", 0, 0, "Value overflows the parser" },
		{ "1001", 0, 0, "Value is above maximum of 1000" },
		{ "0-1", 0, 0, "Value is below minimum of 1" },
		{ "5-1001", 0, 0, "Value is above maximum of 1000" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct number_range range = { 0, 0 };
		struct err err = { 0 };

		unit_at("%s", cases[i].text);
		CU_ASSERT_EQUAL(range_parse(cases[i].text, 1, 1000, &range, &err),
				cases[i].reason ? ST_EINVAL : ST_OK);
		UNIT_ASSERT_STR(err.text, cases[i].reason ? cases[i].reason : "");
		UNIT_ASSERT_U64(range.first, cases[i].first);
		UNIT_ASSERT_U64(range.last, cases[i].last);
	}
}

static void test_real_range(void)
{
	static const struct {
		const char *text;
		double first, last;
		const char *reason;
	} cases[] = {
		{ "5", 5, 5, NULL },
		{ ".5", .5, .5, NULL },
		{ "1e2", 100, 100, NULL },
		{ "5-", 5, 1000, NULL },
		{ "1.5-2", 1.5, 2, NULL },
		{ "1.-.5e1", 1, 5, NULL },
		{ "x", 0, 0, "Unexpected character" },
		{ "5-x", 0, 0, "Unexpected character 'x'" },
		{ "5x", 0, 0, "Unexpected character 'x'" },
		{ "1.5.5", 0, 0, "Unexpected character '.'" },
		{ "1-2x", 0, 0, "Unexpected character 'x'" },
		{ "1 - 2", 0, 0, "Unexpected character ' '" },
		{ "5-1", 0, 0, "Range is invalid (min > max)" },
		{ "-5", 0, 0, "Value is below minimum of 0.000000" },
		{ "", 0, 0, EMPTY },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct real_range range = { 0, 0 };
		struct err err = { 0 };

		unit_at("%s", cases[i].text);
		CU_ASSERT_EQUAL(real_range_parse(cases[i].text, 0, 1000, &range, &err),
				cases[i].reason ? ST_EINVAL : ST_OK);
		UNIT_ASSERT_STR(err.text, cases[i].reason ? cases[i].reason : "");
		CU_ASSERT_EQUAL(range.first, cases[i].first);
		CU_ASSERT_EQUAL(range.last, cases[i].last);
	}
}

static int append_number(void *arg, uint64_t number)
{
	g_string_append_printf(arg, "%llu ", (unsigned long long)number);
	return number == 99 ? 7 : 0;
}

static void test_lists(void)
{
	static const struct {
		const char *text;
		const char *numbers;
		const char *reason;
	} cases[] = {
		{ "1,2", "1 2 ", NULL },
		{ "6,1-3,2", "6 1 2 3 2 ", NULL },
		{ " 1,2 ", "1 2 ", NULL },
		{ "1,,2", "1 2 ", NULL },
		{ "1,2,", "1 2 ", NULL },
		{ "98-", "98 99 ", NULL },
		{ "010", "10 ", NULL },
		{ "1-1", "1 ", NULL },
		{ "", "", EMPTY },
		{ ",", "", "Unexpected character at ','" },
		{ ",1", "", "Unexpected character at ','" },
		{ "x", "", "Unexpected character at 'x'" },
		{ "1x", "", "Unexpected character at 'x'" },
		{ "1,x", "1 ", "Unexpected character at 'x'" },
		{ "1;2", "", "Unexpected character at ';'" },
		{ "0x6", "", "Unexpected character at 'x'" },
		{ "+6", "", "Unexpected character at '+'" },
		{ "-1", "", "Unexpected character at '-'" },
		{ "1-2-3", "", "Unexpected character at '-'" },
		{ "1 2", "", BLANK_INSIDE },
		{ "1 ,2", "", BLANK_INSIDE },
		{ "1, 2", "1 ", BLANK_INSIDE },
		{ "1 - 2", "", BLANK_INSIDE },
		{ "3-1", "", "Range is invalid (min > max) (3-1)" },
		{ "256", "", "Value is above maximum of 255" },
		{ "1-256", "", "Value is above maximum of 255" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		GString *numbers = g_string_new(NULL);
		struct numset set;
		struct err err = { 0 };
		int st;

		unit_at("%s", cases[i].text);
		st = numlist_each(cases[i].text, 0, 255, append_number, numbers, &err);
		/* 99 stops the walk */
		CU_ASSERT_EQUAL(st, cases[i].reason                  ? ST_EINVAL
				    : strstr(cases[i].numbers, "99") ? 7
								     : ST_OK);
		UNIT_ASSERT_STR(err.text, cases[i].reason ? cases[i].reason : "");
		UNIT_ASSERT_STR(numbers->str, cases[i].numbers);
		g_string_free(numbers, TRUE);
		CU_ASSERT_EQUAL(numset_parse(cases[i].text, 255, &set, NULL),
				cases[i].reason ? ST_EINVAL : ST_OK);
	}
}

static void test_numset(void)
{
	struct numset set;
	uint64_t sum = 0;

	CU_ASSERT_EQUAL(numset_parse("0,80,443,8000-8100,65535", 65535, &set, NULL), ST_OK);
	for (unsigned n = 0; n <= 65535; n++) {
		bool expected =
			n == 0 || n == 80 || n == 443 || (n >= 8000 && n <= 8100) || n == 65535;

		CU_ASSERT_EQUAL(numset_contains(&set, (uint16_t)n), expected);
		sum += numset_contains(&set, (uint16_t)n);
	}
	UNIT_ASSERT_U64(sum, 105);
	CU_ASSERT_EQUAL(numset_parse("0-", 65535, &set, NULL), ST_OK);
	CU_ASSERT(numset_contains(&set, 65535));
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "number", test_number },
		{ "real", test_real },
		{ "size", test_size },
		{ "range", test_range },
		{ "range of reals", test_real_range },
		{ "lists", test_lists },
		{ "set", test_numset },
		{ NULL, NULL },
	};

	return unit_run("numlist", cases);
}
