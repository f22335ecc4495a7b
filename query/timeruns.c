/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/timeruns.h"

#include <string.h>

#include <glib.h>

#include "common/timestamp.h"

/* ---- gathering ---- */

/* A bin in nanoseconds. Differences count modulo 2^64, and so need no bounds. */
struct window {
	uint64_t from_ns, size_ns;
};

static int64_t floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static bool is_small(uint64_t bytes, uint64_t packets)
{
	return (bytes | packets) <= UINT32_MAX;
}

/*
 * Put rows, from number i of the selection on, while they lie in the window; returns where that ends.
 * Start and duration in milliseconds are no more than their sum in nanoseconds, and a row that is
 * found to be outside may yet be inside.
 */
static uint32_t put_rows(const struct window *window, const struct batch *batch, uint32_t i,
			 struct timerun_row *rows)
{
	for (; i < batch->selected; i++) {
		const uint32_t row = batch->selection[i];
		const uint64_t bytes = batch->bytes[row];
		const uint64_t packets = batch->packets[row];
		uint64_t into_ns = (uint64_t)batch->start_ns[row] - window->from_ns;

		if (into_ns >= window->size_ns ||
		    batch->duration_ns[row] >= window->size_ns - into_ns ||
		    !is_small(bytes, packets)) {
			break;
		}
		*rows++ = (struct timerun_row){ (uint32_t)bytes, (uint32_t)packets };
	}
	return i;
}

/* How many rows, from number i of the selection on, are a run that begins in the bin at from_ms; 0: its
 * first row is none. */
static uint32_t put_run(const struct timerun *first, int64_t from_ms, int64_t size_ms,
			const struct batch *batch, uint32_t i, struct timerun_row *rows)
{
	const struct window window = {
		.from_ns = (uint64_t)from_ms * NS_PER_MS,
		.size_ns = (uint64_t)size_ms * NS_PER_MS,
	};

	if (first->end_ms - from_ms >= size_ms || !is_small(first->bytes, first->packets)) {
		return 0;
	}
	rows[0] = (struct timerun_row){ (uint32_t)first->bytes, (uint32_t)first->packets };
	return put_rows(&window, batch, i + 1, rows + 1) - i;
}

/* When the bin begins that holds start_ms; from_ms: when some bin does. */
static int64_t bin_start(const struct timegrid *grid, int64_t start_ms, int64_t from_ms)
{
	if ((uint64_t)(start_ms - from_ms) < (uint64_t)grid->size_ms) {
		return from_ms;
	}
	return from_ms + floor_divide(start_ms - from_ms, grid->size_ms) * grid->size_ms;
}

void timeruns_gather(struct timeruns *runs, const struct timegrid *grid, const struct batch *batch)
{
	int64_t from_ms = grid->origin_ms;

	for (uint32_t i = 0; i < batch->selected;) {
		const uint32_t row = batch->selection[i];
		struct timerun *run = &runs->runs[runs->run_count++];

		run->start_ms = floor_divide(batch->start_ns[row], NS_PER_MS);
		run->end_ms = run->start_ms + (int64_t)(batch->duration_ns[row] / NS_PER_MS);
		run->bytes = batch->bytes[row];
		run->packets = batch->packets[row];
		run->count = 0;
		if (grid->known) {
			from_ms = bin_start(grid, run->start_ms, from_ms);
			run->count = put_run(run, from_ms, grid->size_ms, batch, i,
					     &runs->rows[runs->row_count]);
			runs->row_count += run->count;
		}
		i += MAX(run->count, 1);
	}
}

/* ---- adding ---- */

/* Up to here a sum has three bits behind the point at least. */
#define SUM_MAX ((double)(UINT64_C(1) << 50))

/* So many rows are worth asking. */
#define WORTH_ROWS 8

static uint64_t exponent(double number)
{
	uint64_t bits;

	memcpy(&bits, &number, sizeof(bits));
	return bits >> 52;
}

/*
 * May whole numbers, more in all, be added to sum at once? Not below 2^50: yes, if sum is whole, as
 * nothing is ever rounded. Or if the result has the exponent of sum, for the same reason. Or the next
 * one: then a bit is rounded away once, on the way there, to even, and where the last bits of sum
 * stand whole numbers have none, so that they do not change how.
 */
static bool is_exact(double sum, uint64_t more)
{
	double after = sum + (double)more;

	return after < SUM_MAX &&
	       ((double)(int64_t)sum == sum || exponent(after) - exponent(sum) <= 1);
}

/* false: the sums are as they were. */
static bool add_at_once(struct timebin *bin, const struct timerun_row *rows, uint32_t count)
{
	uint64_t bytes = 0;
	uint64_t packets = 0;

	for (uint32_t i = 0; i < count; i++) {
		bytes += rows[i].bytes;
		packets += rows[i].packets;
	}
	if (!is_exact(bin->records, count) || !is_exact(bin->bytes, bytes) ||
	    !is_exact(bin->packets, packets)) {
		return false;
	}
	bin->records += count;
	bin->bytes += (double)bytes;
	bin->packets += (double)packets;
	return true;
}

void timerun_add(struct timebin *bin, const struct timerun_row *rows, uint32_t count)
{
	struct timebin sum = *bin;

	if (count >= WORTH_ROWS && add_at_once(bin, rows, count)) {
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		sum.records++;
		sum.bytes += rows[i].bytes;
		sum.packets += rows[i].packets;
	}
	*bin = sum;
}
