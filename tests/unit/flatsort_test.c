/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/flatsort.h"

#include <string.h>

#include <glib.h>

#include "tests/unit/unit.h"

#define KEY_BYTES 21
#define ROW_BYTES 40

/* Keys of few different bytes, so that many are alike for long, or at all. */
static uint8_t *make_rows(size_t count, unsigned values)
{
	uint8_t *rows = g_malloc0(count * ROW_BYTES + FLATSORT_SLACK);
	GRand *random = g_rand_new_with_seed((guint32)(count + values));

	for (size_t i = 0; i < count; i++) {
		for (size_t at = 3; at < KEY_BYTES; at += 4) {
			rows[i * ROW_BYTES + at] =
				(uint8_t)(g_rand_int_range(random, 0, (gint32)values) * 37);
		}
		memcpy(rows + i * ROW_BYTES + KEY_BYTES, &i, sizeof(i));
	}
	g_rand_free(random);
	return rows;
}

static void check(size_t count, unsigned values, bool reverse)
{
	struct flatsort *sort = flatsort_new(KEY_BYTES, ROW_BYTES, reverse);
	uint8_t *rows = make_rows(count, values);
	const struct sortentry *order = flatsort_run(sort, rows, count);
	uint8_t *seen = g_malloc0(count + 1);
	uint64_t bad = 0;

	unit_at("%zu rows, %u values%s", count, values, reverse ? ", reverse" : "");
	for (size_t i = 0; i < count; i++) {
		const uint8_t *row = rows + order[i].row * ROW_BYTES;
		int diff =
			i == 0 ? -1 : memcmp(rows + order[i - 1].row * ROW_BYTES, row, KEY_BYTES);

		diff = reverse && i > 0 ? -diff : diff;
		bad += diff > 0 || (i > 0 && diff == 0 && order[i - 1].row > order[i].row);
		bad += seen[order[i].row]++;
	}
	UNIT_ASSERT_U64(bad, 0);
	g_free(seen);
	g_free(rows);
	flatsort_free(sort);
}

static void test_order(void)
{
	static const size_t counts[] = { 0, 1, 2, 3, 7, 8, 9, 17, 100, 1000, 20000 };

	for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
		for (unsigned values = 1; values <= 7; values += 2) {
			check(counts[i], values, false);
			check(counts[i], values, true);
		}
	}
}

/* The same object again, with more and fewer rows. */
static void test_again(void)
{
	struct flatsort *sort = flatsort_new(1, 1, false);
	static const uint8_t rows[3 + FLATSORT_SLACK] = { 9, 3, 5 };

	CU_ASSERT_EQUAL(flatsort_run(sort, rows, 2)[0].row, 1);
	CU_ASSERT_EQUAL(flatsort_run(sort, rows, 3)[1].row, 2);
	CU_ASSERT_EQUAL(flatsort_run(sort, rows, 1)[0].row, 0);
	flatsort_free(sort);
	flatsort_free(NULL);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "order", test_order },
		{ "again", test_again },
		{ NULL, NULL },
	};

	return unit_run("flatsort", cases);
}
