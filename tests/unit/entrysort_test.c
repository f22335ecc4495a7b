/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/entrysort.h"

#include <stdbool.h>

#include <glib.h>

#include "tests/unit/unit.h"

/* Numbers of which only the bits of the mask are not 0, mostly 0 when they are to be skewed. */
static void check_sorted(size_t count, uint64_t mask, bool skewed)
{
	struct sortentry *entries = g_new(struct sortentry, count + 1);
	struct sortentry *spare = g_new(struct sortentry, count + 1);
	GRand *random = g_rand_new_with_seed((guint32)count);
	const struct sortentry *sorted;
	uint64_t sum = 0, bad = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t word = (uint64_t)g_rand_int(random) << 32 | g_rand_int(random);

		entries[i].word = skewed && word % 16 ? 0 : word & mask;
		entries[i].row = i;
		sum += entries[i].word;
	}
	sorted = entrysort(entries, spare, count);
	CU_ASSERT(sorted == entries || sorted == spare);
	for (size_t i = 0; i < count; i++) {
		sum -= sorted[i].word;
		bad += i > 0 && (sorted[i - 1].word > sorted[i].word ||
				 (sorted[i - 1].word == sorted[i].word &&
				  sorted[i - 1].row >= sorted[i].row));
	}
	UNIT_ASSERT_U64(sum, 0);
	UNIT_ASSERT_U64(bad, 0);
	g_rand_free(random);
	g_free(entries);
	g_free(spare);
}

static void test_order(void)
{
	static const size_t counts[] = { 0, 1, 2, 13, 255, 256, 1000, 16384, 16385, 300000 };
	static const uint64_t masks[] = { 0,
					  1,
					  0xff,
					  UINT64_C(1) << 63,
					  UINT64_C(0x8000000000000001),
					  UINT64_C(0x00ff0000ff00),
					  UINT64_MAX };

	for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
		for (size_t k = 0; k < G_N_ELEMENTS(masks); k++) {
			unit_at("%zu entries, mask %zu", counts[i], k);
			check_sorted(counts[i], masks[k], false);
			check_sorted(counts[i], masks[k], true);
		}
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "order, also of equal ones", test_order },
		{ NULL, NULL },
	};

	return unit_run("entrysort", cases);
}
