/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/rowbuckets.h"

#include <string.h>

#include <glib.h>

#include "tests/unit/unit.h"

#define KEY 12
#define ROW 40

/* Rows: a key, the number in the order of which they are added, and what differs now and then. */
static void make_row(uint8_t *row, uint32_t number, int shape)
{
	uint32_t mixed = number * 2654435761u;

	memset(row, 0, ROW);
	memcpy(row + (shape == 2 ? 8 : 0), &mixed, shape == 1 ? 1 : sizeof(mixed));
	memcpy(row + KEY, &number, sizeof(number));
	if (number % 31 == 0) {
		memset(row + 20, (int)(number % 251), 20);
	}
}

static struct rowstore *make_store(uint32_t rows, int shape)
{
	struct rowstore *store = rowstore_new(ROW, KEY);

	for (uint32_t i = 0; i < rows;) {
		size_t count;
		uint8_t *to = rowstore_place(store, MIN(rows - i, 1000), &count);

		for (size_t k = 0; k < count; k++, i++) {
			make_row(to + k * ROW, i, shape);
		}
	}
	return store;
}

struct check {
	const struct rowstore *store;
	int shape;
	bool reverse;
	uint8_t border[KEY]; /* the last key of the buckets before */
	uint8_t last[KEY];   /* of this one and those before */
	bool has_border;
	uint32_t last_number;
	uint8_t one[KEY]; /* the first of the bucket */
	uint64_t one_word;
	uint64_t rows;
	uint64_t bad;
	uint64_t sum;
};

/* Words that differ are in the order of the keys. */
static void check_word(struct check *check, const uint8_t *key, uint64_t word)
{
	int order = memcmp(key, check->one, KEY) * (check->reverse ? -1 : 1);

	if (check->rows == 0) {
		memcpy(check->one, key, KEY);
		check->one_word = word;
		return;
	}
	check->bad += word != check->one_word && (word > check->one_word) != (order > 0);
}

static void check_row(struct check *check, const struct sortentry *entry)
{
	uint8_t out[ROW + ROWFORM_SLACK], wanted[ROW];
	uint32_t number;
	int order;

	rowstore_get(check->store, entry->row, 0, ROW, out);
	memcpy(&number, out + KEY, sizeof(number));
	make_row(wanted, number, check->shape);
	order = memcmp(out, check->border, KEY) * (check->reverse ? -1 : 1);
	check->bad += memcmp(wanted, out, ROW) != 0;
	check->bad += check->has_border && order <= 0;
	check->bad += check->rows > 0 && number <= check->last_number;
	if (memcmp(out, check->last, KEY) * (check->reverse ? -1 : 1) > 0 ||
	    (!check->has_border && check->rows == 0)) {
		memcpy(check->last, out, KEY);
	}
	check_word(check, out, entry->word);
	check->last_number = number;
	check->sum += number;
	check->rows++;
}

static void check_buckets(uint32_t rows, int shape, bool reverse, unsigned threads)
{
	struct rowstore *store = make_store(rows, shape);
	struct rowbuckets *buckets = rowbuckets_new(store, reverse, threads);
	struct check check = { .store = store, .shape = shape, .reverse = reverse };
	struct sortentry *entries;
	uint64_t seen = 0;

	CU_ASSERT(rows > 1000000 ? rowbuckets_count(buckets) > 1
				 : rows > 1000 || rowbuckets_count(buckets) == 1);
	for (size_t i = 0; i < rowbuckets_count(buckets); i++) {
		check.rows = 0;
		entries = g_new(struct sortentry, rowbuckets_rows(buckets, i) + 1);
		rowbuckets_list(buckets, i, entries);
		for (size_t k = 0; k < rowbuckets_rows(buckets, i); k++) {
			check_row(&check, &entries[k]);
		}
		g_free(entries);
		seen += check.rows;
		if (check.rows > 0) {
			memcpy(check.border, check.last, KEY);
			check.has_border = true;
		}
	}
	UNIT_ASSERT_U64(check.bad, 0);
	UNIT_ASSERT_U64(seen, rows);
	UNIT_ASSERT_U64(check.sum, rows ? (uint64_t)rows * (rows - 1) / 2 : 0);
	rowbuckets_free(buckets);
	rowstore_clear(store);
	UNIT_ASSERT_U64(rowstore_count(store), 0);
	rowstore_free(store);
}

static void test_order(void)
{
	static const uint32_t counts[] = { 0, 1, 1000, 400000, 3000000 };

	for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
		for (unsigned threads = 1; threads <= 3; threads += 2) {
			for (int shape = 0; shape < 3; shape++) {
				unit_at("%u rows, shape %d, %u threads", counts[i], shape, threads);
				check_buckets(counts[i], shape, shape == 0, threads);
			}
		}
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "all rows, bucket after bucket", test_order },
		{ NULL, NULL },
	};

	return unit_run("rowbuckets", cases);
}
