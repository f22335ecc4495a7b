/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "common/bitcount.h"

#include <glib.h>
#include <string.h>

/* From none to all bits, set in an order of their own. */
static void test_256(void)
{
	uint8_t bits[BITCOUNT_BITMAP_BYTES] = { 0 };

	for (unsigned i = 0; i < 256; i++) {
		unsigned bit = i * 89 % 256;

		UNIT_ASSERT_U64(bitcount_bitmaps(bits, 1, BITCOUNT_BITMAP_BYTES), i);
		bits[bit / 8] |= (uint8_t)(1 << bit % 8);
	}
	UNIT_ASSERT_U64(bitcount_bitmaps(bits, 1, BITCOUNT_BITMAP_BYTES), 256);
}

/* As many bits as can be in as many bitmaps as there are. */
static void test_full(void)
{
	uint8_t *bits = g_malloc(100 * BITCOUNT_BITMAP_BYTES);

	memset(bits, 0xff, 100 * BITCOUNT_BITMAP_BYTES);
	for (unsigned count = 0; count <= 100; count++) {
		UNIT_ASSERT_U64(bitcount_bitmaps(bits, count, BITCOUNT_BITMAP_BYTES), 256 * count);
	}
	g_free(bits);
}

static uint64_t count_plainly(const uint8_t *at, size_t count, size_t stride)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < count * BITCOUNT_BITMAP_BYTES; i++) {
		uint8_t byte = at[i / BITCOUNT_BITMAP_BYTES * stride + i % BITCOUNT_BITMAP_BYTES];

		bits += (unsigned)__builtin_popcount(byte);
	}
	return bits;
}

/* Any number, any place, with other bytes in between, against the compiler's way. */
static void test_random(void)
{
	GRand *rand = g_rand_new_with_seed(5);
	uint8_t bytes[8192];

	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)g_rand_int(rand);
	}
	for (unsigned i = 0; i < 1000; i++) {
		size_t from = (size_t)g_rand_int_range(rand, 0, 64);
		size_t stride = BITCOUNT_BITMAP_BYTES + (size_t)g_rand_int_range(rand, 0, 9);
		size_t count =
			(size_t)g_rand_int_range(rand, 0, (int)((sizeof(bytes) - from) / stride));

		UNIT_ASSERT_U64(bitcount_bitmaps(bytes + from, count, stride),
				count_plainly(bytes + from, count, stride));
	}
	g_rand_free(rand);
}

static const struct unit_case cases[] = {
	{ "256 bits", test_256 },
	{ "all bits", test_full },
	{ "random bits", test_random },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("bitcount", cases);
}
