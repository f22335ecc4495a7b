/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/decimal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static void check(uint64_t number)
{
	char text[DECIMAL_U64_MAX + 1];
	char reference[32];

	memset(text, 'x', sizeof(text));
	text[decimal_print(text, number)] = '\0';
	snprintf(reference, sizeof(reference), "%" PRIu64, number);
	UNIT_ASSERT_STR(text, reference);
}

static void test_print(void)
{
	uint64_t power = 1;

	for (uint64_t n = 0; n < 2000; n++) {
		check(n);
	}
	for (int i = 0; i < 20; i++, power *= 10) {
		check(power - 1);
		check(power);
		check(power + 1);
	}
	check(UINT64_MAX);
}

static void check_hundredths(double number)
{
	char text[DECIMAL_U64_MAX + 1];
	char reference[32];

	memset(text, 'x', sizeof(text));
	text[decimal_print_hundredths(text, number)] = '\0';
	snprintf(reference, sizeof(reference), "%.2f", number);
	UNIT_ASSERT_STR(text, reference);
}

static void test_hundredths(void)
{
	static const double cases[] = { 0,     5e-324, 1e-300, 0.004,  0.005, 0.0050001, 0.015,
					0.125, 0.375,  0.994,  0.995,  0.996, 0.999,     1,
					1.005, 2.5,    9.995,  99.999, 1e15 };
	uint64_t random = 1;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		check_hundredths(cases[i]);
	}
	for (int i = 0; i < 200000; i++) {
		random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		/* all sizes, and halves of hundredths, as they are and not */
		check_hundredths((double)(random >> 12) / (double)(UINT64_C(1) << random % 64));
		check_hundredths((double)(random >> 40) / 8);
		check_hundredths((double)(random >> 44) / 200);
	}
	check_hundredths(4503599627370495.5);
}

static void test_padded(void)
{
	static const struct {
		uint32_t number;
		unsigned digits;
		const char *text;
	} cases[] = {
		{ 0, 1, "0" },
		{ 7, 1, "7" },
		{ 7, 2, "07" },
		{ 42, 3, "042" },
		{ 999, 3, "999" },
		{ 1, 9, "000000001" },
		{ 0, 4, "0000" },
		{ 123456789, 9, "123456789" },
		{ 4294967295, 10, "4294967295" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[16];

		memset(text, 'x', sizeof(text));
		decimal_print_padded(text, cases[i].number, cases[i].digits);
		CU_ASSERT_EQUAL(text[cases[i].digits], 'x');
		text[cases[i].digits] = '\0';
		UNIT_ASSERT_STR(text, cases[i].text);
	}
}

static void check_scan(const char *text, size_t digits, bool good, uint32_t expected)
{
	uint32_t number = 0;

	unit_at("%zu of %s", digits, text);
	CU_ASSERT_EQUAL(decimal_scan(text, digits, &number), good);
	UNIT_ASSERT_U64(number, expected);
}

static void test_scan(void)
{
	char text[DECIMAL_SCAN_MAX + 2] = "12345678";

	check_scan("12345678|", 8, true, 12345678);
	check_scan("00000007|", 8, true, 7);
	check_scan("99999999|", 8, true, 99999999);
	check_scan("7|999999", 1, true, 7);
	check_scan("65535|99", 5, true, 65535);
	check_scan("65535|99", 6, false, 0);
	check_scan("65535|99", 0, false, 0);
	check_scan("123456789", 9, false, 0);
	for (unsigned at = 0; at < DECIMAL_SCAN_MAX; at++) {
		const char was = text[at];

		for (unsigned c = 0; c < 256; c++) {
			bool digit = c >= '0' && c <= '9';
			uint32_t number;

			text[at] = (char)c;
			CU_ASSERT_EQUAL(decimal_scan(text, DECIMAL_SCAN_MAX, &number), digit);
		}
		text[at] = was;
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "print", test_print },
		{ "hundredths", test_hundredths },
		{ "padded", test_padded },
		{ "scan", test_scan },
		{ NULL, NULL },
	};

	return unit_run("decimal", cases);
}
