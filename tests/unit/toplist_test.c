/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/toplist.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define ROW 12
#define KEY 8

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, KEY);
}

/* The list has the rows that come first when all are sorted. */
static void test_random(void)
{
	static const size_t limits[] = { 1, 2, 3, 10, 500, 1000, 1500, SIZE_MAX };
	GRand *rng = g_rand_new_with_seed(3);

	for (size_t k = 0; k < G_N_ELEMENTS(limits); k++) {
		struct toplist *list = toplist_new(limits[k], KEY, ROW);
		uint8_t rows[1100][ROW];
		size_t wrong = 0;

		for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
			uint64_t key = GUINT64_TO_BE((uint64_t)g_rand_int_range(rng, 0, 800));
			uint32_t rest = (uint32_t)GUINT64_FROM_BE(key);

			memcpy(rows[i], &key, KEY);
			memcpy(rows[i] + KEY, &rest, sizeof(rest));
			toplist_offer(list, rows[i]);
		}
		toplist_finish(list);
		qsort(rows, G_N_ELEMENTS(rows), ROW, compare);
		unit_at("limit %zu", limits[k]);
		UNIT_ASSERT_U64(toplist_count(list), MIN(limits[k], G_N_ELEMENTS(rows)));
		for (size_t i = 0; i < toplist_count(list); i++) {
			wrong += memcmp(toplist_row(list, i), rows[i], ROW) != 0;
		}
		UNIT_ASSERT_U64(wrong, 0);
		toplist_free(list);
	}
	g_rand_free(rng);
}

/* The order of rwstats 3.22.1 --presorted-input for keys (less is better) of rows 1, 2, ... */
static void test_equal_keys(void)
{
	static const struct {
		size_t limit;
		const char *keys;
		const char *rows;
	} cases[] = {
		{ 3, "aaaaa", "231" },           { 4, "aaaaaaaa", "2341" },
		{ 20, "aaaaaaaa", "23456781" },  { SIZE_MAX, "aaaaaaaa", "23456781" },
		{ 3, "abbaabbab", "145" },       { 5, "cbbccbabb", "73268" },
		{ 9, "bababcbca", "429137586" },
	};

	for (size_t k = 0; k < G_N_ELEMENTS(cases); k++) {
		struct toplist *list = toplist_new(cases[k].limit, 1, 2);
		char rows[10] = "";

		for (size_t i = 0; cases[k].keys[i]; i++) {
			toplist_offer(list,
				      (uint8_t[]){ (uint8_t)cases[k].keys[i], (uint8_t)('1' + i) });
		}
		toplist_finish(list);
		for (size_t i = 0; i < toplist_count(list); i++) {
			rows[i] = (char)toplist_row(list, i)[1];
		}
		unit_at("case %zu", k);
		UNIT_ASSERT_STR(rows, cases[k].rows);
		toplist_free(list);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "random rows", test_random },
		{ "rows of equal keys", test_equal_keys },
		{ NULL, NULL },
	};

	return unit_run("toplist", cases);
}
