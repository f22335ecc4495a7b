/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading files for a query: what one thread does with one file. Records are counted, and those
 *that somebody wants are handed over a frame at a time, with no more columns than are asked for.
 *
 *	struct scan_file *file;
 *	if (scan_file_open(&file, path, &read_opts, err) == ST_OK) {
 *		struct scanner *scanner = scanner_new(&plan);
 *		st = scanner_read(scanner, file, 0, &counts, on_frame, arg, err);
 *		scan_file_unref(file);
 *	}
 *
 * The parts of a file are independent of each other: its parts may be read by several threads, each
 * with its own scanner.
 */
#ifndef TUSSAH_QUERY_SCAN_H
#define TUSSAH_QUERY_SCAN_H

#include "query/predicate.h"
#include "storage/stream.h"

struct scan_plan {
	const struct predicates *tests; /* NULL: everything passes */
	uint32_t columns;               /* of the rows handed over; 0: none is handed over */
	bool wants_all;                 /* frames without rows that pass are handed over as well */
	bool count_volumes;
	bool uncounted; /* frames handed over are left for the taker to count */
	struct stream_read_opts read_opts;
};

struct scan_counts {
	uint64_t records;
	uint64_t packets; /* with count_volumes */
	uint64_t bytes;   /* with count_volumes */
};

struct scan_totals {
	struct scan_counts total;
	struct scan_counts pass; /* what is not here failed */
};

void scan_counts_add(struct scan_counts *counts, const struct scan_counts *other);
/* Count these rows of the batch. */
void scan_counts_add_rows(struct scan_counts *counts, const struct batch *batch,
			  const uint16_t *rows, uint32_t count, bool volumes);

struct scan_file;

/*
 * *out returned: scan_file_unref(). What is wrong with a file is in err, as hourfile_open() has it.
 */
int scan_file_open(struct scan_file **out, const char *path, const struct stream_read_opts *opts,
		   struct err *err);
/* One more owner; any thread may let go. */
struct scan_file *scan_file_ref(struct scan_file *file);
void scan_file_unref(struct scan_file *file);
/* The SiLK header, or NULL when the file is of another kind. */
const struct header *scan_file_header(const struct scan_file *file);
/* How many parts it can be read in; parts of similar size. */
size_t scan_file_parts(const struct scan_file *file);

struct scanner;

struct scanner *scanner_new(const struct scan_plan *plan); /* plan is kept */
void scanner_free(struct scanner *scanner);

/*
 * All rows of the batch that are selected pass; rows 0..rows-1 are all that were looked at.
 * Anything but ST_OK ends the reading.
 */
typedef int (*scan_frame_fn)(void *arg, struct batch *batch);

/*
 * Read one part of a file. Returns ST_OK; what fn returned; or an error, when everything before the
 * damage was read and counted.
 */
int scanner_read(struct scanner *scanner, struct scan_file *file, size_t part,
		 struct scan_totals *totals, scan_frame_fn fn, void *arg, struct err *err);

#endif
