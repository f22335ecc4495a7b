/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/rowform.h"

#include <string.h>

#include <glib.h>

#include "tests/unit/unit.h"

#define ROWS 1000

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

static void check_form(size_t row_size, const unsigned *values, size_t size)
{
	uint8_t *rows = make_rows(row_size, values);
	struct rowform *form = rowform_choose(rows, row_size, ROWS);
	uint8_t packed[128], again[128];
	size_t bad = 0, fitting = 0;

	UNIT_ASSERT_U64(rowform_size(form), size);
	for (size_t i = 0; i < ROWS; i++) {
		const uint8_t *row = rows + i * row_size;

		if (rowform_pack(form, row, packed)) {
			fitting++;
			rowform_unpack(form, packed, 0, row_size, again);
			bad += memcmp(row, again, row_size) != 0;
			memset(again, 0xee, sizeof(again));
			rowform_unpack(form, packed, row_size / 2, row_size, again);
			bad += memcmp(row + row_size / 2, again + row_size / 2,
				      row_size - row_size / 2) != 0;
		}
	}
	UNIT_ASSERT_U64(bad, 0);
	UNIT_ASSERT_U64(fitting, size < row_size ? ROWS - ROWS / 50 : ROWS);
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
		{ "other rows need another form", test_change },
		{ NULL, NULL },
	};

	return unit_run("rowform", cases);
}
