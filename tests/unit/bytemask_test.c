/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/bytemask.h"

#include "tests/unit/unit.h"

/* Every byte value at every place, beside those that are nearly the same. */
static void test_of(void)
{
	uint8_t block[BYTEMASK_BLOCK];

	for (unsigned value = 0; value < 256; value++) {
		for (unsigned at = 0; at < BYTEMASK_BLOCK; at++) {
			memset(block, (int)(value ^ 1), sizeof(block));
			block[at] = (uint8_t)value;
			block[(at + 7) % BYTEMASK_BLOCK] = (uint8_t)(value ^ 0x80);
			UNIT_ASSERT_U64(bytemask_of(block, (char)value), UINT64_C(1) << at);
		}
	}
	UNIT_ASSERT_U64(bytemask_of(memset(block, 7, sizeof(block)), 7), UINT64_MAX);
}

static void test_or(void)
{
	const struct bytemask_part part = bytemask_load("a|b|c..|........");
	const struct bytemask_part both =
		bytemask_or(bytemask_equal(part, '|'), bytemask_equal(part, 'c'));

	UNIT_ASSERT_U64(bytemask_bits(both), 0x9a);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "where a byte is", test_of },
		{ "one of two", test_or },
		{ NULL, NULL },
	};

	return unit_run("bytemask", cases);
}
