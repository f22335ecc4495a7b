/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/rowstoreparts.h"

#include <string.h>

#include <glib.h>

#include "tests/unit/unit.h"

#define ROW 40

/* Mostly of a sort in which few bytes count; the number decides. */
static void make_row(uint8_t *row, uint32_t number)
{
	memset(row, number / 1000000, ROW);
	memcpy(row + 10, &number, sizeof(number));
	if (number % 31 == 0) {
		memset(row + 20, (int)(number % 251), 20);
	}
}

static void add_rows(struct rowstore *store, uint32_t rows)
{
	for (uint32_t i = 0; i < rows;) {
		size_t count;
		uint8_t *to = rowstore_place(store, MIN(rows - i, 1000), &count);

		for (size_t k = 0; k < count; k++, i++) {
			make_row(to + k * ROW, i);
		}
	}
}

/* The numbers of all rows, by seven at a time. */
static GArray *list_rows(struct rowstore *store)
{
	GArray *list = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	struct rowcursor cursor = { 0 };
	uint64_t rows[7];
	size_t count;

	rowstore_pack(store);
	cursor.end = store->areas->len;
	while ((count = rowstore_next(store, &cursor, rows, G_N_ELEMENTS(rows))) > 0) {
		g_array_append_vals(list, rows, (guint)count);
	}
	return list;
}

/* One of so many, the rest passed over. */
static void check_skipped(const struct rowstore *store, const GArray *list, size_t step)
{
	struct rowcursor cursor = { .end = store->areas->len };
	size_t at = 0, bad = 0;
	uint64_t row;

	for (; rowstore_next(store, &cursor, &row, 1) > 0; at += step) {
		bad += at >= list->len || row != g_array_index(list, uint64_t, at);
		rowstore_skip(store, &cursor, step - 1);
	}
	UNIT_ASSERT_U64(bad, 0);
	CU_ASSERT(at >= list->len);
}

static void check_rows(struct rowstore *store, uint32_t rows)
{
	GArray *list;
	uint8_t out[ROW + ROWFORM_SLACK], wanted[ROW];
	size_t bad = 0;

	UNIT_ASSERT_U64(rowstore_count(store), rows);
	list = list_rows(store);
	CU_ASSERT_EQUAL_FATAL(list->len, rows);
	for (uint32_t i = 0; i < rows; i++) {
		make_row(wanted, i);
		rowstore_fetch(store, g_array_index(list, uint64_t, i));
		rowstore_get(store, g_array_index(list, uint64_t, i), 0, ROW, out);
		bad += memcmp(wanted, out, ROW) != 0;
		memset(out, 0, sizeof(out));
		rowstore_get(store, g_array_index(list, uint64_t, i), 11, 21, out);
		bad += memcmp(wanted + 11, out + 11, 10) != 0;
	}
	UNIT_ASSERT_U64(bad, 0);
	check_skipped(store, list, 1);
	check_skipped(store, list, 977);
	g_array_free(list, TRUE);
}

static void test_rows(void)
{
	static const uint32_t counts[] = { 0, 1, 1000, 20000, 500000, 3000000 };

	for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
		struct rowstore *store = rowstore_new(ROW, 16);

		unit_at("%u rows", counts[i]);
		add_rows(store, counts[i]);
		check_rows(store, counts[i]);
		CU_ASSERT(rowstore_bytes(store) <= 100 + (size_t)counts[i] * ROW / 4);
		rowstore_free(store);
	}
}

static void test_clear(void)
{
	struct rowstore *store = rowstore_new(ROW, 16);

	add_rows(store, 100000);
	check_rows(store, 100000);
	rowstore_clear(store);
	UNIT_ASSERT_U64(rowstore_bytes(store), 0);
	add_rows(store, 30000);
	check_rows(store, 30000);
	rowstore_free(store);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "rows in, rows out", test_rows },
		{ "used again", test_clear },
		{ NULL, NULL },
	};

	return unit_run("rowstore", cases);
}
