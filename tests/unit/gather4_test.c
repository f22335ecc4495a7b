/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/gather4.h"

#include <glib.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

static int order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Against qsort(), with few different addresses and with many. */
static void test_sort(void)
{
	static const guint32 masks[] = { 0xff, 0xff00ff, 0xffffffff };
	GRand *rand = g_rand_new_with_seed(3);

	for (unsigned count = 0; count < 40000; count = count * 3 + 1) {
		for (size_t m = 0; m < G_N_ELEMENTS(masks); m++) {
			struct gather4 *gather = gather4_new();
			uint32_t *model = g_new(uint32_t, count + 1);
			const uint32_t *sorted;
			size_t kept = 0;
			size_t len;

			unit_at("%u addresses of mask %x", count, masks[m]);
			for (unsigned i = 0; i < count; i++) {
				model[i] = g_rand_int(rand) & masks[m];
				CU_ASSERT(gather4_add(gather, model[i]));
			}
			qsort(model, count, sizeof(*model), order);
			for (unsigned i = 0; i < count; i++) {
				if (!kept || model[kept - 1] != model[i]) {
					model[kept++] = model[i];
				}
			}
			sorted = gather4_sort(gather, &len);
			CU_ASSERT_EQUAL_FATAL(len, kept);
			for (size_t i = 0; i < len; i++) {
				CU_ASSERT_EQUAL_FATAL(sorted[i], model[i]);
			}
			g_free(model);
			gather4_free(gather);
		}
	}
	g_rand_free(rand);
}

/* Those that meet in the table of recent ones, 0 above all, are not lost. */
static void test_edges(void)
{
	static const uint32_t all[] = { 0, 1, UINT32_MAX, 0, 2, UINT32_MAX, 1, 0 };
	struct gather4 *gather = gather4_new();
	const uint32_t *sorted;
	size_t count;

	for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
		CU_ASSERT(gather4_add(gather, all[i]));
	}
	sorted = gather4_sort(gather, &count);
	CU_ASSERT_EQUAL_FATAL(count, 4);
	CU_ASSERT(sorted[0] == 0 && sorted[1] == 1 && sorted[2] == 2 && sorted[3] == UINT32_MAX);
	gather4_free(gather);
}

static void test_full(void)
{
	struct gather4 *gather = gather4_new();
	size_t count;

	for (uint32_t i = 0; i < GATHER4_ROOM_MIN; i++) {
		CU_ASSERT_FATAL(gather4_add(gather, i * 4099));
	}
	CU_ASSERT_FALSE(gather4_add(gather, 7));
	CU_ASSERT_TRUE(gather4_add(gather, (GATHER4_ROOM_MIN - 1) * 4099)); /* a repeat fits */
	gather4_sort(gather, &count);
	CU_ASSERT_EQUAL(count, GATHER4_ROOM_MIN);
	gather4_clear(gather, 0);
	CU_ASSERT_TRUE(gather4_add(gather, 7));
	gather4_sort(gather, &count);
	CU_ASSERT_EQUAL(count, 1);
	gather4_free(gather);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "sorted and different", test_sort },
		{ "addresses at the edges", test_edges },
		{ "a full one", test_full },
		{ NULL, NULL },
	};

	return unit_run("gather4", cases);
}
