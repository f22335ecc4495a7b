/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "common/bitcount.h"

#include <glib.h>
#include <string.h>

/* From none to all bits, set in an order of their own. */
static void test_256(void)
{
	uint64_t bits[4] = { 0 };

	for (unsigned i = 0; i < 256; i++) {
		unsigned bit = i * 89 % 256;

		UNIT_ASSERT_U64(bitcount_256(bits), i);
		bits[bit / 64] |= UINT64_C(1) << bit % 64;
	}
	UNIT_ASSERT_U64(bitcount_256(bits), 256);
}

/* Each word by itself, against the compiler's way. */
static void test_words(void)
{
	GRand *rand = g_rand_new_with_seed(5);

	for (unsigned i = 0; i < 10000; i++) {
		uint64_t bits[4] = { 0 };
		uint64_t word = (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);

		bits[i % 4] = word;
		UNIT_ASSERT_U64(bitcount_256(bits), (unsigned)__builtin_popcountll(word));
	}
	g_rand_free(rand);
}

static const struct unit_case cases[] = {
	{ "256 bits", test_256 },
	{ "words", test_words },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("bitcount", cases);
}
