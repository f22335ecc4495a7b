/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Volume in bins of time: the engine of rwcount. Times are milliseconds since the epoch.
 *
 *	timebins_new(&bins, &opts, err);
 *	grid = timebins_grid(bins);		// by any thread, from time to time
 *	timeruns_gather(runs, &grid, batch);	// by any thread
 *	timebins_add(bins, runs, err); ...	// in the order of the input
 *	timebins_range(bins, &first, &last);
 *	for (n = first; n <= last; n++) ... timebins_time(bins, n), timebins_at(bins, n)
 *	timebins_free(bins);
 */
#ifndef TUSSAH_QUERY_TIMEBINS_H
#define TUSSAH_QUERY_TIMEBINS_H

#include "query/timeruns.h"

/* How a record's volume is spread over the bins it spans; values are SiLK's numbers. */
enum timebins_scheme {
	TIMEBINS_BIN_UNIFORM,
	TIMEBINS_START_SPIKE,
	TIMEBINS_END_SPIKE,
	TIMEBINS_MIDDLE_SPIKE,
	TIMEBINS_TIME_PROPORTIONAL,
	TIMEBINS_MAXIMUM_VOLUME,
	TIMEBINS_MINIMUM_VOLUME,
	TIMEBINS_SCHEME_COUNT,
};

/* By number, or by unique prefix of the name. */
int timebins_scheme_parse(const char *text, enum timebins_scheme *out, struct err *err);

struct timebins_opts {
	int64_t size_ms;
	enum timebins_scheme scheme;
	bool has_start;
	bool has_end;
	int64_t start_ms; /* start of the first bin */
	int64_t end_ms;   /* a time at which a bin starts, when there is no start */
	int64_t last_ms;  /* in the last bin */
};

struct timebins;

/* ST_OK, or ST_ELIMIT: start and end are too many bins apart. */
int timebins_new(struct timebins **out, const struct timebins_opts *opts, struct err *err);
void timebins_free(struct timebins *bins);

/* Where bins begin, which may be known before the first record. Threads: any. */
struct timegrid timebins_grid(const struct timebins *bins);

/*
 * ST_OK, or ST_ELIMIT: the times span too many bins. Shares of bins are rounded as they are added, and
 * where bins begin may depend on the first record: records must come in the order of the input. Threads:
 * one at a time.
 */
int timebins_add(struct timebins *bins, const struct timeruns *runs, struct err *err);

/* The bins to show; first > last: none. */
void timebins_range(const struct timebins *bins, int64_t *first, int64_t *last);
/* The number of bin n for --bin-slots. */
uint64_t timebins_slot(const struct timebins *bins, int64_t n);
const struct timebin *timebins_at(const struct timebins *bins, int64_t n);
int64_t timebins_time(const struct timebins *bins, int64_t n);

#endif
