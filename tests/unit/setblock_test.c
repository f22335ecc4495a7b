/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/setblock.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* Behind the sizes at which a list grows in another way. */
#define MANY 1200000u

/* A list keeps what it has, however often it grows. */
static void test_list(void)
{
	struct setblock_list list = { 0 };
	uint32_t wrong = 0;

	for (uint32_t i = 0; i < MANY; i++) {
		setblock_list_add(&list, (struct ip){ i, i * 3 }, i, (uint8_t)(i % 129));
	}
	CU_ASSERT_EQUAL(list.count, MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		const struct setblock *block = &list.at[i];

		wrong += block->ip.hi != i || block->ip.lo != i * 3 || block->time != i ||
			 block->prefix != i % 129;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	g_free(list.at);
}

static int order_of(const void *a, const void *b)
{
	return setblock_order(a, b);
}

/* Any number of blocks, near each other or all over, comes out as by comparing. */
static void test_sort(void)
{
	static const uint32_t counts[] = { 0, 1, 2, 24, 25, 1000, 40000 };
	static const unsigned random_bits[] = { 3, 9, 40, 64 };
	GRand *rand = g_rand_new_with_seed(1);

	for (size_t i = 0; i < G_N_ELEMENTS(counts) * G_N_ELEMENTS(random_bits); i++) {
		uint32_t count = counts[i / G_N_ELEMENTS(random_bits)];
		unsigned bits = random_bits[i % G_N_ELEMENTS(random_bits)];
		struct setblock *blocks = g_new0(struct setblock, count + 1);
		struct setblock *expected = g_new0(struct setblock, count + 1);

		unit_at("%u blocks of %u random bits", count, bits);
		for (uint32_t at = 0; at < count; at++) {
			uint64_t drawn = (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
			uint8_t prefix = (uint8_t)g_rand_int_range(rand, 64, 129);
			struct ip ip = { drawn & 1 ? UINT64_C(0x20010db800000000) : 0,
					 drawn >> (64 - bits) };

			blocks[at] = (struct setblock){ ip_block_first(ip, prefix), at, prefix };
		}
		memcpy(expected, blocks, count * sizeof(*blocks));
		qsort(expected, count, sizeof(*expected), order_of);
		setblock_sort(blocks, count);
		CU_ASSERT_EQUAL(memcmp(blocks, expected, count * sizeof(*blocks)), 0);
		g_free(blocks);
		g_free(expected);
	}
	g_rand_free(rand);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "a list that grows", test_list },
		{ "sorted", test_sort },
		{ NULL, NULL },
	};

	return unit_run("setblock", cases);
}
