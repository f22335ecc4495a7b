/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/timeruns.h"

#include <glib.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

/* Rows about some bins, some longer than those, some of large volume; some of them are selected. */
static void fill(struct batch *batch, GRand *random, int64_t size_ms)
{
	int64_t span_ms = size_ms * 3;

	batch_clear(batch, ~0U);
	for (int i = 0; i < 200; i++) {
		bool near = g_rand_int_range(random, 0, 4) > 0;
		struct record rec;

		record_init(&rec);
		rec.start_ns =
			g_rand_int_range(random, 0, near ? (int32_t)size_ms : (int32_t)span_ms) *
				(int64_t)NS_PER_MS +
			g_rand_int_range(random, 0, NS_PER_MS);
		rec.start_ns -= size_ms * (int64_t)NS_PER_MS;
		rec.duration_ns = (uint64_t)g_rand_int_range(random, 0, 50) * NS_PER_MS +
				  (uint64_t)g_rand_int_range(random, 0, NS_PER_MS);
		rec.bytes = g_rand_int(random);
		rec.packets = g_rand_int(random) % 1000;
		if (g_rand_int_range(random, 0, 30) == 0) {
			rec.bytes <<= 20;
		}
		batch_append(batch, &rec);
	}
	/* every third row is not selected */
	batch->selected = 0;
	for (uint32_t row = 0; row < batch->rows; row++) {
		if (row % 3 > 0) {
			batch->selection[batch->selected++] = (uint16_t)row;
		}
	}
}

static int64_t floor_ms(int64_t ns)
{
	return ns / NS_PER_MS - (ns % NS_PER_MS < 0);
}

static bool in_bin(const struct timegrid *grid, int64_t start_ms, int64_t end_ms)
{
	/* all times are later than a million bins before the origin */
	int64_t origin_ms = grid->origin_ms - 1000000 * grid->size_ms;

	return (start_ms - origin_ms) / grid->size_ms == (end_ms - origin_ms) / grid->size_ms;
}

/* The rows of all runs are those of the batch, in their order, and runs lie in one bin. */
static void check_runs(const struct timeruns *runs, const struct timegrid *grid,
		       const struct batch *batch)
{
	const struct timerun_row *rows = runs->rows;
	uint32_t at = 0;

	for (uint32_t r = 0; r < runs->run_count; r++) {
		const struct timerun *run = &runs->runs[r];
		uint32_t row = batch->selection[at];
		int64_t start_ms = floor_ms(batch->start_ns[row]);
		int64_t end_ms = start_ms + (int64_t)(batch->duration_ns[row] / NS_PER_MS);

		CU_ASSERT_EQUAL(run->start_ms, start_ms);
		CU_ASSERT_EQUAL(run->end_ms, end_ms);
		if (run->count == 0) {
			CU_ASSERT_EQUAL(run->bytes, batch->bytes[row]);
			CU_ASSERT_EQUAL(run->packets, batch->packets[row]);
			CU_ASSERT(!grid->known || !in_bin(grid, start_ms, end_ms) ||
				  run->bytes > UINT32_MAX);
			at++;
		}
		for (uint32_t i = 0; i < run->count; i++, at++, rows++) {
			row = batch->selection[at];
			CU_ASSERT_EQUAL(rows->bytes, batch->bytes[row]);
			CU_ASSERT_EQUAL(rows->packets, batch->packets[row]);
			end_ms = floor_ms(batch->start_ns[row]) +
				 (int64_t)(batch->duration_ns[row] / NS_PER_MS);
			CU_ASSERT(in_bin(grid, start_ms, floor_ms(batch->start_ns[row])) &&
				  in_bin(grid, start_ms, end_ms));
		}
	}
	CU_ASSERT_EQUAL(at, batch->selected);
	CU_ASSERT_EQUAL(rows - runs->rows, runs->row_count);
}

static void test_gather(void)
{
	struct timeruns *runs = g_new0(struct timeruns, 1);
	struct batch *batch = batch_new();
	GRand *random = g_rand_new_with_seed(7);

	for (int i = 0; i < 200; i++) {
		const struct timegrid grid = {
			.known = i % 10 > 0,
			.origin_ms = g_rand_int_range(random, -100000, 100000),
			.size_ms = g_rand_int_range(random, 1, 500),
		};

		unit_at("round %d", i);
		fill(batch, random, grid.size_ms);
		runs->run_count = 0;
		runs->row_count = 0;
		CU_ASSERT(timeruns_have_room(runs));
		timeruns_gather(runs, &grid, batch);
		check_runs(runs, &grid, batch);
	}
	runs->row_count = TIMERUNS_MAX - BATCH_ROWS + 1;
	CU_ASSERT(!timeruns_have_room(runs));
	g_rand_free(random);
	batch_free(batch);
	g_free(runs);
}

/* All digits are those of adding one row after the other, whatever the sums were before. */
static void test_add(void)
{
	static const double befores[] = {
		0,        1,
		5e-324,   1e-9,
		1.0 / 3,  0.7,
		1.5,      2.0 / 3 * 1e3,
		1e6 / 7,  1e9 / 7,
		1e12 / 7, 1e14 / 7,
		1e15 / 7, 4503599627370495.5,
		1e17,     1e300,
	};
	struct timerun_row rows[300];
	GRand *random = g_rand_new_with_seed(11);

	for (int round = 0; round < 20000; round++) {
		double before = befores[round % G_N_ELEMENTS(befores)];
		uint32_t count = (uint32_t)g_rand_int_range(random, 1, G_N_ELEMENTS(rows));
		int shift = g_rand_int_range(random, 0, 32);
		struct timebin bin = { before, before, before / 3 };
		struct timebin expected = bin;

		for (uint32_t i = 0; i < count; i++) {
			rows[i].bytes = g_rand_int(random) >> shift;
			rows[i].packets = g_rand_int(random) % 10;
			expected.records += 1;
			expected.bytes += rows[i].bytes;
			expected.packets += rows[i].packets;
		}
		timerun_add(&bin, rows, count);
		CU_ASSERT(bin.records == expected.records && bin.bytes == expected.bytes &&
			  bin.packets == expected.packets);
	}
	g_rand_free(random);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "gather", test_gather },
		{ "add", test_add },
		{ NULL, NULL },
	};

	return unit_run("timeruns", cases);
}
