/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/rowform.h"

#include <string.h>

#include <glib.h>

#include "tests/unit/unit.h"

#define ROWS    1000
#define ROW_MAX 200
#define GUARD   64

/* Rows in which byte i has one of values[i] values; one of 50 rows is different all over. */
static uint8_t *make_rows(size_t row_size, const unsigned *values)
{
	uint8_t *rows = g_malloc0(ROWS * row_size + ROWFORM_SLACK);
	GRand *random = g_rand_new_with_seed(7);

	for (size_t i = 0; i < ROWS; i++) {
		for (size_t at = 0; at < row_size; at++) {
			unsigned odd = i % 50 == 49 ? 100 : 0;

			rows[i * row_size + at] =
				(uint8_t)(odd +
					  (unsigned)g_rand_int_range(random, 0, 1000) % values[at]);
		}
	}
	g_rand_free(random);
	return rows;
}

static bool is_guarded(const uint8_t *bytes)
{
	size_t others = 0;

	for (size_t i = 0; i < GUARD; i++) {
		others += bytes[i] != 0xee;
	}
	return others == 0;
}

/* Rows that do not come back as they were, in whole or in part; *fitting is how many fit. */
static size_t count_bad(const struct rowform *form, const uint8_t *rows, size_t row_size,
			size_t *fitting)
{
	/* of exact size, so that a write beyond is seen */
	uint8_t *packed = g_malloc(row_size + ROWFORM_SLACK);
	uint8_t again[ROW_MAX + ROWFORM_SLACK + GUARD];
	size_t bad = 0;

	*fitting = 0;
	for (size_t i = 0; i < ROWS; i++) {
		const uint8_t *row = rows + i * row_size;

		if (rowform_pack(form, row, packed)) {
			++*fitting;
			rowform_unpack(form, packed, 0, row_size, again);
			bad += memcmp(row, again, row_size) != 0;
			memset(again, 0xee, sizeof(again));
			rowform_unpack(form, packed, row_size / 2, row_size, again);
			bad += memcmp(row + row_size / 2, again + row_size / 2,
				      row_size - row_size / 2) != 0;
			bad += !is_guarded(again + row_size + ROWFORM_SLACK);
			for (size_t from = 0; from < row_size; from += 8) {
				const size_t end = row_size - from + ROWFORM_SLACK;

				memset(again + end, 0xee, GUARD);
				rowform_unpack_end(form, packed, from, again);
				bad += memcmp(row + from, again, row_size - from) != 0;
				bad += !is_guarded(again + end);
			}
		}
	}
	g_free(packed);
	return bad;
}

static void check_form(size_t row_size, const unsigned *values, size_t size)
{
	uint8_t *rows = make_rows(row_size, values);
	struct rowform *form = rowform_choose(rows, row_size, ROWS);
	const size_t all = size < row_size ? ROWS - ROWS / 50 : ROWS;
	size_t fitting;

	UNIT_ASSERT_U64(rowform_size(form), size);
	UNIT_ASSERT_U64(count_bad(form, rows, row_size, &fitting), 0);
	UNIT_ASSERT_U64(fitting, all);
	rowform_use_words(form);
	UNIT_ASSERT_U64(count_bad(form, rows, row_size, &fitting), 0);
	UNIT_ASSERT_U64(fitting, all);
	rowform_free(form);
	g_free(rows);
}

static void test_round(void)
{
	static const struct {
		const char *name;
		size_t row_size;
		unsigned values[20];
		size_t size;
	} cases[] = {
		{ "all differ", 5, { 90, 90, 90, 90, 90 }, 5 },
		{ "all equal", 9, { 1, 1, 1, 1, 1, 1, 1, 1, 1 }, 0 },
		{ "first of a word", 8, { 90, 1, 1, 1, 1, 1, 1, 1 }, 1 },
		{ "last of a word", 8, { 1, 1, 1, 1, 1, 1, 1, 90 }, 1 },
		{ "a gap in a word stays", 8, { 1, 90, 1, 90, 1, 1, 1, 1 }, 3 },
		{ "several words",
		  20,
		  { 1, 1, 90, 90, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 90, 90, 90, 1 },
		  5 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		unit_at("%s", cases[i].name);
		check_form(cases[i].row_size, cases[i].values, cases[i].size);
	}
}

/* Rows of one, two and more vectors, with the same bytes packed by them and by words. */
static void test_lengths(void)
{
	static const size_t sizes[] = { 1, 7, 8, 63, 64, 65, 104, 127, 128, 129, 192, ROW_MAX };

	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		unsigned values[ROW_MAX];
		struct rowform *form;
		uint8_t *rows;
		size_t bad = 0, fitting;

		unit_at("%zu bytes", sizes[i]);
		for (size_t at = 0; at < ROW_MAX; at++) {
			values[at] = at % 11 < 5 ? 1 : 90;
		}
		rows = make_rows(sizes[i], values);
		form = rowform_choose(rows, sizes[i], ROWS);
		for (size_t k = 0; k < ROWS; k++) {
			uint8_t packed[2][ROW_MAX + ROWFORM_SLACK];
			bool fits = rowform_pack(form, rows + k * sizes[i], packed[0]);
			struct rowform *again = rowform_choose(rows, sizes[i], ROWS);

			rowform_use_words(again);
			bad += rowform_pack(again, rows + k * sizes[i], packed[1]) != fits;
			bad += fits && memcmp(packed[0], packed[1], rowform_size(form)) != 0;
			rowform_free(again);
		}
		bad += count_bad(form, rows, sizes[i], &fitting);
		rowform_use_words(form);
		bad += count_bad(form, rows, sizes[i], &fitting);
		UNIT_ASSERT_U64(bad, 0);
		rowform_free(form);
		g_free(rows);
	}
}

static void test_change(void)
{
	static const unsigned few[8] = { 1, 1, 1, 1, 1, 1, 1, 90 };
	static const unsigned many[8] = { 90, 90, 90, 90, 90, 90, 90, 90 };
	uint8_t *rows = make_rows(8, few);
	struct rowform *form = rowform_choose(rows, 8, ROWS);
	uint8_t *others = make_rows(8, many);

	CU_ASSERT(rowform_cost(form, rows, ROWS) < 2);
	CU_ASSERT(rowform_cost(form, others, ROWS) > 7);
	rowform_free(form);
	g_free(rows);
	g_free(others);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "pack and unpack", test_round },
		{ "rows of all lengths", test_lengths },
		{ "other rows need another form", test_change },
		{ NULL, NULL },
	};

	return unit_run("rowform", cases);
}
