/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records on their way to bins of time: rows that lie in one bin, one after the other, are a run. A
 * bin's sums are doubles, whose last digits depend on the order of adding; but whole numbers can be
 * added before, as long as no sum is rounded otherwise for it.
 *
 *	timeruns_gather(&runs, &grid, batch); ...	// by any thread
 *	timerun_add(bin, run, rows); ...		// in the order of the input
 */
#ifndef TUSSAH_QUERY_TIMERUNS_H
#define TUSSAH_QUERY_TIMERUNS_H

#include "common/batch.h"
#include "query/bintable.h"

/* Where bins begin: origin_ms and any multiple of size_ms from there. */
struct timegrid {
	bool known; /* else each row is a run */
	int64_t origin_ms, size_ms;
};

/* Rows from one bin, or one row that may lie in several. */
struct timerun {
	int64_t start_ms, end_ms; /* of the first row */
	uint32_t count;           /* of rows; 0: one, and this is its volume: */
	uint64_t bytes, packets;
};

/* Most volumes are small. */
struct timerun_row {
	uint32_t bytes, packets;
};

#define TIMERUNS_MAX (8 * BATCH_ROWS)

struct timeruns {
	uint32_t run_count;
	uint32_t row_count;
	struct timerun runs[TIMERUNS_MAX];
	struct timerun_row rows[TIMERUNS_MAX]; /* of the runs, in their order */
};

/* Is there room for another batch? */
static inline bool timeruns_have_room(const struct timeruns *runs)
{
	return runs->run_count <= TIMERUNS_MAX - BATCH_ROWS &&
	       runs->row_count <= TIMERUNS_MAX - BATCH_ROWS;
}

/* Add the selected rows; there is room. Reads COLUMN_START, _DURATION, _BYTES and _PACKETS. */
void timeruns_gather(struct timeruns *runs, const struct timegrid *grid, const struct batch *batch);

/* Add the rows of a run to their bin, with the same result as one row after the other. */
void timerun_add(struct timebin *bin, const struct timerun_row *rows, uint32_t count);

#endif
