/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The engine of rwfilter: reads files, with one thread or several, splits their records by the
 * tests, hands them to the destinations and counts. Whatever the number of threads, everything
 * happens as if one file was read after the other, record by record.
 *
 *	struct filter filter = { .tests = tests, .threads = 2, .list = list,
 *				 .destinations = { [FILTER_PASS] = pass } };
 *	struct filter_stats stats = { 0 };
 *	st = filter_run(&filter, &stats, err);
 */
#ifndef TUSSAH_QUERY_FILTER_H
#define TUSSAH_QUERY_FILTER_H

#include "query/destination.h"
#include "query/scan.h"
#include "query/scanlist.h"

struct filter_stats {
	uint64_t files; /* opened, or answered by the catalog */
	struct scan_totals records;
	struct scan_report report;
	unsigned threads; /* that were at work */
};

enum filter_way { FILTER_PASS, FILTER_FAIL, FILTER_ALL, FILTER_WAYS };

struct filter {
	const struct predicates *tests; /* NULL: everything passes */
	struct destination *destinations[FILTER_WAYS];
	uint64_t limits[FILTER_WAYS]; /* those of the destinations; 0: none */
	bool count_volumes;
	bool extensions;    /* destinations are block files: extension columns go there; 1 thread */
	unsigned threads;   /* at most */
	bool threads_asked; /* start them however little there is to read */
	struct stream_read_opts read_opts;
	struct scanlist *list;
	void *arg; /* of all callbacks, which are called by the caller's thread */
	/* A file is read, or is missing; before what is in it. May be NULL. */
	void (*on_file)(void *arg, const char *path, bool missing);
	/*
	 * It could be opened; header is NULL when it is not SiLK's. May be NULL; not called any
	 * more once it returns false.
	 */
	bool (*on_open)(void *arg, const struct header *header);
	/* So many names were passed, and so many records are done; often. May be NULL. */
	void (*on_progress)(void *arg, uint64_t place, uint64_t records);
	/* Something of it could not be read. ours: it is a block file. */
	void (*on_error)(void *arg, const struct err *err, bool ours);
};

/*
 * Filter all files, or as many as it takes to give every destination all it wanted. Returns ST_OK,
 * ST_EPIPE when nobody reads any of them, or what writing failed with.
 */
int filter_run(const struct filter *filter, struct filter_stats *stats, struct err *err);

#endif
