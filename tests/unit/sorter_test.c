/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/sorter.h"

#include <string.h>
#include <sys/resource.h>

#include <glib.h>

#include "tests/unit/unit.h"

/* A row: a key of few values, so that many are equal, and the position it was added at. */
struct row {
	uint8_t key[12];
	uint32_t order;
};

static void check_sorted(uint32_t rows, unsigned key_values, uint64_t memory_bytes, bool reverse)
{
	const struct sorter_opts opts = {
		.key_size = 12,
		.row_size = sizeof(struct row),
		.memory_bytes = memory_bytes,
		.temp_dir = unit_scratch(),
		.reverse = reverse,
	};
	struct sorter *sorter = sorter_new(&opts);
	GRand *random = g_rand_new_with_seed(rows);
	struct row last = { .order = 0 };
	uint32_t bad = 0, seen = 0;
	uint64_t sum = 0;
	const uint8_t *out;
	int status;

	for (uint32_t i = 0; i < rows; i++) {
		struct row row = { .order = i };

		/* the key differs beyond its first eight bytes, too */
		row.key[g_rand_int_range(random, 0, 12)] =
			(uint8_t)g_rand_int_range(random, 0, (gint32)key_values);
		memcpy(sorter_add(sorter, NULL), &row, sizeof(row));
	}
	CU_ASSERT_EQUAL(sorter_finish(sorter, NULL), ST_OK);
	while ((status = sorter_next(sorter, &out, NULL)) == ST_OK) {
		struct row row;
		int order;

		memcpy(&row, out, sizeof(row));
		order = memcmp(last.key, row.key, sizeof(row.key)) * (reverse ? -1 : 1);
		bad += seen > 0 && (order > 0 || (order == 0 && last.order >= row.order));
		sum += row.order;
		last = row;
		seen++;
	}
	CU_ASSERT_EQUAL(status, ST_END);
	UNIT_ASSERT_U64(bad, 0);
	UNIT_ASSERT_U64(seen, rows);
	UNIT_ASSERT_U64(sum, rows ? (uint64_t)rows * (rows - 1) / 2 : 0);
	g_rand_free(random);
	sorter_free(sorter);
}

static void test_order(void)
{
	static const struct {
		const char *name;
		uint32_t rows;
		unsigned key_values;
		uint64_t memory_bytes;
	} cases[] = {
		{ "none", 0, 2, 0 },
		{ "one", 1, 2, 0 },
		{ "few", 11, 2, 0 },
		{ "in memory", 20000, 200, 0 },
		{ "all equal", 5000, 1, 0 },
		{ "two runs", 1500, 20, 32000 },
		{ "runs of two rows", 3000, 50, 1 },
		{ "three levels of runs", 40000, 200, 32 * 30 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		for (int reverse = 0; reverse < 2; reverse++) {
			unit_at("%s%s", cases[i].name, reverse ? ", reversed" : "");
			check_sorted(cases[i].rows, cases[i].key_values, cases[i].memory_bytes,
				     reverse);
		}
	}
}

/* ---- handed out by several threads ---- */

struct drained {
	struct row last;
	uint64_t rows;
	uint64_t bad;
	uint64_t sum;
	uint64_t stop_at;
	bool reverse;
	bool whole; /* with their first eight bytes */
};

static void check_next(struct drained *drained, const struct row *row)
{
	const struct row *last = &drained->last;
	int order = memcmp(last->key, row->key, sizeof(row->key)) * (drained->reverse ? -1 : 1);

	if (drained->whole && drained->rows > 0) {
		drained->bad += order > 0 || (order == 0 && last->order >= row->order);
	}
	drained->last = *row;
	drained->sum += row->order;
	drained->rows++;
}

static int take_rows(void *arg, const uint8_t *rows, size_t count, struct err *err)
{
	struct drained *drained = arg;
	size_t from = drained->whole ? 0 : 8;

	for (size_t i = 0; i < count; i++, rows += sizeof(struct row) - from) {
		struct row row = { .order = 0 };

		memcpy((uint8_t *)&row + from, rows, sizeof(row) - from);
		check_next(drained, &row);
	}
	return drained->rows >= drained->stop_at ? err_set(err, ST_ELIMIT, "enough") : ST_OK;
}

/* A key of which all bytes or only the last ones are random; as an area if there is one, or not. */
static void add_random(struct sorter *sorter, struct rowpack *pack, uint32_t rows)
{
	GRand *random = g_rand_new_with_seed(rows);

	for (uint32_t i = 0; i < rows; i++) {
		struct row row = { .order = i };
		uint8_t *to;
		size_t count;

		for (int at = i % 30 == 0 ? 0 : 7; at < 12; at++) {
			row.key[at] = (uint8_t)g_rand_int_range(random, 0, 256);
		}
		while (pack && !(to = rowpack_place(pack, 1, &count))) {
			CU_ASSERT_EQUAL(sorter_append(sorter, rowpack_take(pack), NULL), ST_OK);
		}
		to = pack ? to : sorter_add(sorter, NULL);
		memcpy(to, &row, sizeof(row));
	}
	g_rand_free(random);
}

static void check_drain(uint32_t rows, struct sorter_opts opts, bool areas, struct drained drained)
{
	struct sorter *sorter;
	struct rowpack *pack;
	struct rowarea *rest;
	bool stops = drained.stop_at < rows;

	opts.key_size = 12;
	opts.row_size = sizeof(struct row);
	opts.temp_dir = unit_scratch();
	sorter = sorter_new(&opts);
	pack = areas ? sorter_new_pack(sorter) : NULL;
	add_random(sorter, pack, rows);
	if (pack && (rest = rowpack_take(pack)) != NULL) {
		CU_ASSERT_EQUAL(sorter_append(sorter, rest, NULL), ST_OK);
	}
	CU_ASSERT_EQUAL(sorter_drain(sorter, drained.whole ? 0 : 8, take_rows, &drained, NULL),
			stops ? ST_ELIMIT : ST_OK);
	UNIT_ASSERT_U64(drained.bad, 0);
	if (!stops) {
		UNIT_ASSERT_U64(drained.rows, rows);
		UNIT_ASSERT_U64(drained.sum, rows ? (uint64_t)rows * (rows - 1) / 2 : 0);
	}
	rowpack_free(pack);
	sorter_free(sorter);
}

static void test_drain(void)
{
	static const struct {
		const char *name;
		uint32_t rows;
		uint64_t memory_bytes;
	} cases[] = {
		{ "none", 0, 0 },
		{ "few", 11, 0 },
		{ "many", 700000, 0 },
		{ "many, in runs", 500000, 10000000 },
		{ "in runs of several buckets", 2000000, 40000000 },
		{ "in many small runs", 20000, 20000 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		for (unsigned threads = 1; threads <= 3; threads += 2) {
			const struct sorter_opts opts = {
				.memory_bytes = cases[i].memory_bytes,
				.threads = threads,
				.reverse = threads == 3,
			};
			struct drained drained = {
				.stop_at = UINT64_MAX,
				.whole = true,
				.reverse = opts.reverse,
			};

			unit_at("%s, %u threads", cases[i].name, threads);
			check_drain(cases[i].rows, opts, false, drained);
			check_drain(cases[i].rows, opts, true, drained);
			drained.whole = false;
			check_drain(cases[i].rows, opts, true, drained);
			drained.stop_at = 1;
			check_drain(cases[i].rows, opts, true, drained);
		}
	}
}

/* So many that 32 runs of a level would not be open at once. */
static void test_few_descriptors(void)
{
	struct rlimit before;

	CU_ASSERT_EQUAL(getrlimit(RLIMIT_NOFILE, &before), 0);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 16, before.rlim_max }), 0);
	check_sorted(3000, 50, 1, false);
	check_sorted(20000, 20, 32 * 30, true);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void test_no_folder(void)
{
	const struct sorter_opts opts = {
		.key_size = 1,
		.row_size = 8,
		.memory_bytes = 1,
		.temp_dir = "/nonexistent/folder",
	};
	struct sorter *sorter = sorter_new(&opts);
	uint8_t *row = NULL;
	struct err err = { 0 };

	for (uint8_t i = 0; i < 3; i++) {
		row = sorter_add(sorter, &err);
		if (row) {
			memset(row, i, 8);
		}
	}
	CU_ASSERT_PTR_NULL(row);
	CU_ASSERT_EQUAL(err.status, ST_EIO);
	CU_ASSERT(strstr(err.text, "/nonexistent/folder") != NULL);
	sorter_free(sorter);
}

/* Rows come several at a time, as many as there is room for. */
static void test_add_rows(void)
{
	const struct sorter_opts opts = {
		.key_size = 12,
		.row_size = sizeof(struct row),
		.memory_bytes = 5 * 32,
		.temp_dir = unit_scratch(),
	};
	struct sorter *sorter = sorter_new(&opts);
	uint32_t left = 23, count = 0;
	const uint8_t *out;

	while (left > 0) {
		uint8_t *to = sorter_add_rows(sorter, left, &count, NULL);

		CU_ASSERT_FATAL(to != NULL && count >= 1 && count <= MIN(left, 5));
		for (uint32_t i = 0; i < count; i++, left--) {
			struct row row = { .order = left };

			/* first and last byte of the key: more than a word apart */
			row.key[0] = (uint8_t)(left / 4);
			row.key[11] = (uint8_t)(left % 4);
			memcpy(to + i * sizeof(row), &row, sizeof(row));
		}
	}
	CU_ASSERT_EQUAL(sorter_finish(sorter, NULL), ST_OK);
	for (uint32_t order = 1; order <= 23; order++) {
		struct row row = { .order = 0 };

		CU_ASSERT_EQUAL_FATAL(sorter_next(sorter, &out, NULL), ST_OK);
		memcpy(&row, out, sizeof(row));
		UNIT_ASSERT_U64(row.order, order);
	}
	CU_ASSERT_EQUAL(sorter_next(sorter, &out, NULL), ST_END);
	sorter_free(sorter);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "order", test_order },
		{ "several rows at a time", test_add_rows },
		{ "handed out by several threads", test_drain },
		{ "few descriptors", test_few_descriptors },
		{ "no folder for runs", test_no_folder },
		{ NULL, NULL },
	};

	return unit_run("sorter", cases);
}
