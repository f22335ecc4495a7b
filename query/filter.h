/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The engine of rwfilter: reads one file after the other, splits its records by the tests, hands
 * them to the destinations and counts.
 *
 *	struct filter filter = { .tests = tests, .destinations = { [FILTER_PASS] = pass } };
 *	struct filter_stats stats = { 0 };
 *	while (st != ST_END && (path = names_next(names))) {
 *		st = filter_file(&filter, path, batch, &stats, err);
 *	}
 *
 * A file is the unit of work: the plan is not changed by it, all that is counted is in the stats of
 * the caller, and only the destinations are shared.
 */
#ifndef TUSSAH_QUERY_FILTER_H
#define TUSSAH_QUERY_FILTER_H

#include "query/destination.h"
#include "query/predicate.h"

struct filter_counts {
	uint64_t records;
	uint64_t packets; /* with count_volumes */
	uint64_t bytes;   /* with count_volumes */
};

struct filter_stats {
	uint64_t files; /* opened */
	struct filter_counts total;
	struct filter_counts pass; /* what is not here failed */
};

enum filter_way { FILTER_PASS, FILTER_FAIL, FILTER_ALL, FILTER_WAYS };

struct filter {
	const struct predicates *tests; /* NULL: everything passes */
	struct destination *destinations[FILTER_WAYS];
	bool count_volumes;
	struct stream_read_opts read_opts;
	/* Called with the header of each file before its records; may be NULL. */
	void (*on_open)(void *arg, const struct header *header);
	void *on_open_arg;
};

/*
 * Filter one file. batch is the caller's scratch space. Returns ST_OK; ST_END: every destination
 * has all it wanted, so there is nothing to read for; what opening or reading failed with; or
 * ST_ERANGE: the output failed, and the tool must end. Records before a failure are filtered.
 */
int filter_file(const struct filter *filter, const char *path, struct batch *batch,
		struct filter_stats *stats, struct err *err);

#endif
