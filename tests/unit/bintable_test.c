/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/bintable.h"

#include <stddef.h>

#include "tests/unit/unit.h"

/* Bins far apart, in any order, keep what they hold where they are. */
static void test_scattered(void)
{
	static const int64_t numbers[] = { 0,     -1,        4095,     4096,  -4096,
					   -4097, 100000000, 70000000, 12345, -20000000 };
	struct bintable table = { 0 };
	struct timebin *places[sizeof(numbers) / sizeof(numbers[0])];

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		CU_ASSERT_EQUAL_FATAL(bintable_cover(&table, numbers[i], numbers[i], NULL), ST_OK);
		places[i] = bintable_at(&table, numbers[i]);
		CU_ASSERT_EQUAL(places[i]->records, 0);
		places[i]->records = (double)i + 1;
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		CU_ASSERT_PTR_EQUAL(bintable_at(&table, numbers[i]), places[i]);
		CU_ASSERT_PTR_EQUAL(bintable_look_up(&table, numbers[i]), places[i]);
		CU_ASSERT_EQUAL(places[i]->records, (double)i + 1);
	}
	CU_ASSERT_EQUAL(table.used, 8);
	CU_ASSERT_PTR_NULL(bintable_look_up(&table, 50000000));
	CU_ASSERT_PTR_NULL(bintable_look_up(&table, INT64_MAX));
	CU_ASSERT_PTR_NULL(bintable_look_up(&table, INT64_MIN));
	bintable_release(&table);
	bintable_release(&table);
}

/* The bins of a range are arrays of a page each. */
static void test_ranges(void)
{
	struct bintable table = { 0 };

	CU_ASSERT_EQUAL_FATAL(bintable_cover(&table, -5, 9000, NULL), ST_OK);
	for (int64_t n = -5; n <= 9000; n++) {
		bintable_at(&table, n)->bytes = (double)n;
	}
	CU_ASSERT_EQUAL(bintable_page_end(-5), -1);
	CU_ASSERT_EQUAL(bintable_page_end(0), 4095);
	CU_ASSERT_EQUAL(bintable_at(&table, 0)[4095].bytes, 4095);
	CU_ASSERT_EQUAL(bintable_look_up(&table, 9000)->bytes, 9000);
	bintable_release(&table);
}

static void test_bounds(void)
{
	struct bintable table = { 0 };
	struct err err;

	CU_ASSERT_EQUAL(bintable_cover(&table, 0, BINTABLE_SPAN, &err), ST_ELIMIT);
	CU_ASSERT_EQUAL(bintable_cover(&table, 10, 10, &err), ST_OK);
	CU_ASSERT_EQUAL(bintable_cover(&table, BINTABLE_SPAN + 10, BINTABLE_SPAN + 10, &err),
			ST_ELIMIT);
	CU_ASSERT_EQUAL(table.used, 1);
	CU_ASSERT_EQUAL(bintable_cover(&table, 0, BINTABLE_SPAN, &err), ST_ELIMIT);
	CU_ASSERT_EQUAL(table.used, 1);
	CU_ASSERT_EQUAL(bintable_cover(&table, BINTABLE_SPAN - 1, BINTABLE_SPAN - 1, &err), ST_OK);
	CU_ASSERT_EQUAL(table.used, 2);
	bintable_release(&table);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "scattered bins", test_scattered },
		{ "ranges", test_ranges },
		{ "bounds", test_bounds },
		{ NULL, NULL },
	};

	return unit_run("bintable", cases);
}
