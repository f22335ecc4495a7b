/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading files for a query: what one thread does with one file. Records are counted, and those
 * that somebody wants are handed over a frame at a time, with no more columns than are asked for.
 *
 *	struct scanner *scanner = scanner_new(&plan);
 *	struct scan_file *file;
 *	if (scanner_open(scanner, &file, path, err) == ST_OK) {
 *		for (size_t part = 0; part < scan_file_parts(file); part++) {
 *			scanner_read(scanner, file, part, &totals, &taker);
 *		}
 *		scan_file_unref(file);
 *	}
 *
 * The parts of a file are independent of each other: they may be read by several threads, each with
 * its own scanner.
 */
#ifndef TUSSAH_QUERY_SCAN_H
#define TUSSAH_QUERY_SCAN_H

#include "query/predicate.h"
#include "storage/stream.h"

struct scan_plan {
	const struct predicates *tests; /* NULL: everything passes */
	uint32_t columns;               /* of the rows handed over; 0: none is handed over */
	bool extensions;                /* rows handed over have all their extension columns */
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

/*
 * Is the verdict on a file or block, with its summary, all there is to know? Then its records are
 * counted in totals.
 */
bool scan_answer(const struct scan_plan *plan, const struct summary *summary,
		 enum predicates_verdict verdict, struct scan_totals *totals);

/* What was done, and what was saved. */
struct scan_report {
	uint64_t files;          /* opened */
	uint64_t files_answered; /* by their footer, or its address filter */
	uint64_t blocks;         /* of the others */
	uint64_t blocks_by_summary;
	uint64_t blocks_by_filter;
	uint64_t blocks_by_dictionary;
	uint64_t blocks_read;
	uint64_t bytes_read; /* of block files; row files are read whole */
	uint64_t bytes_on_disk;
};
void scan_report_add(struct scan_report *report, const struct scan_report *other);

struct scan_taker {
	void *arg;
	/*
	 * All rows of the batch that are selected pass; rows 0..rows-1 are all that were looked at.
	 * Anything but ST_OK ends the reading.
	 */
	int (*frame)(void *arg, struct batch *batch);
	/* What could not be read; the rest is. ours: of a block file. */
	void (*damage)(void *arg, const struct err *err, bool ours);
};

struct scan_file;

/* One more owner; any thread may let go. */
struct scan_file *scan_file_ref(struct scan_file *file);
void scan_file_unref(struct scan_file *file);
/* As hourfile_header(). */
const struct header *scan_file_header(const struct scan_file *file);
bool scan_file_is_ours(const struct scan_file *file);
/* Lines about damage found when opening, as blockfile_damage(). */
const char *scan_file_damage(const struct scan_file *file, size_t i);
/* How many parts it can be read in, of similar size. */
size_t scan_file_parts(const struct scan_file *file);

struct scanner;

struct scanner *scanner_new(const struct scan_plan *plan); /* plan is kept */
void scanner_free(struct scanner *scanner);
/* So far, by this scanner. */
const struct scan_report *scanner_report(struct scanner *scanner);

/*
 * *out returned: scan_file_unref(). What is wrong with a file is in err, as hourfile_open() has it;
 * *ours: it is a block file.
 */
int scanner_open(struct scanner *scanner, struct scan_file **out, const char *path, bool *ours,
		 struct err *err);
/* Is what the footer says enough? Then the records are counted, and nothing is to be read. */
bool scanner_answer(struct scanner *scanner, const struct scan_file *file,
		    struct scan_totals *totals);
/* Read one part of a file. Returns ST_OK, or what taker->frame() returned. */
int scanner_read(struct scanner *scanner, struct scan_file *file, size_t part,
		 struct scan_totals *totals, const struct scan_taker *taker);

#endif
