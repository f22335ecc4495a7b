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

int main(void)
{
	static const struct unit_case cases[] = {
		{ "print", test_print },
		{ "padded", test_padded },
		{ NULL, NULL },
	};

	return unit_run("decimal", cases);
}
