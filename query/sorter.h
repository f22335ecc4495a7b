/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sort rows of fixed size by a key in front of each, compared with memcmp(); rows with equal keys
 * keep their order. What does not fit in memory goes to temporary files as sorted runs, which are
 * merged on the way out.
 *
 *	struct sorter *sorter = sorter_new(&opts);
 *	for (...) {
 *		uint8_t *row = sorter_add(sorter, err);		// NULL: failure
 *		... write key and the rest into row ...
 *	}
 *	st = sorter_finish(sorter, err);
 *	while ((st = sorter_next(sorter, &row, err)) == ST_OK) ...
 *	sorter_free(sorter);
 *
 * Or, in the place of sorter_finish() and what follows, by several threads, sorter_drain(). The rows
 * and their order do not depend on the number of threads, nor on memory.
 */
#ifndef TUSSAH_QUERY_SORTER_H
#define TUSSAH_QUERY_SORTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/batch.h"
#include "common/err.h"
#include "query/rowpack.h"

struct sorter_opts {
	size_t key_size;       /* bytes compared, at the start of the row */
	size_t row_size;       /* bytes of a row, key included */
	uint64_t memory_bytes; /* about this much is used before a run is written; 0: 1 GiB */
	const char *temp_dir;  /* kept; folder of temporary files, which have no name */
	bool reverse;          /* greatest key first */
	unsigned threads; /* that sort; for little they are not started. 0: one, the caller's */
	unsigned beside;  /* other sorters that have temporary files at the same time */
};

struct sorter;

/* Returned: free with sorter_free(). Nothing is allocated for rows yet. */
struct sorter *sorter_new(const struct sorter_opts *opts);
void sorter_free(struct sorter *sorter);

/* Place for the next row, to be filled before the next call. NULL: ST_EIO in err. */
uint8_t *sorter_add(struct sorter *sorter, struct err *err);

/*
 * Place for several rows, one behind the other: *count of them, 1..want, to be filled before the
 * next call. NULL: ST_EIO in err.
 */
uint8_t *sorter_add_rows(struct sorter *sorter, uint32_t want, uint32_t *count, struct err *err);

/* Fills the rows of what is selected in the batch, one behind the other. */
typedef void (*sorter_fill_fn)(const void *arg, const struct batch *batch, uint8_t *rows);
/*
 * Add the selected rows of a batch, in as many parts as there is place for; what stays selected are
 * those that were added last. ST_OK, ST_EIO.
 */
int sorter_add_batch(struct sorter *sorter, struct batch *batch, sorter_fill_fn fill,
		     const void *arg, struct err *err);

/*
 * Rows that were packed elsewhere, by a rowpack of the sorter's: several threads may have one each.
 * The area is taken. ST_OK, ST_EIO. Not beside the calls above.
 */
struct rowpack *sorter_new_pack(const struct sorter *sorter);
int sorter_append(struct sorter *sorter, struct rowarea *area, struct err *err);

/* No more rows: get ready for sorter_next(). ST_OK or ST_EIO. */
int sorter_finish(struct sorter *sorter, struct err *err);

/* The next row in order, borrowed until the next call. ST_OK, ST_END, ST_EIO. */
int sorter_next(struct sorter *sorter, const uint8_t **row, struct err *err);

/*
 * No more rows: hand all of them out in order, some at a time, one behind the other, each without
 * its first from bytes, a multiple of 8; they are borrowed. Anything but ST_OK ends it and is what sorter_drain() returns.
 */
typedef int (*sorter_take_fn)(void *arg, const uint8_t *rows, size_t count, struct err *err);
int sorter_drain(struct sorter *sorter, size_t from, sorter_take_fn take, void *arg,
		 struct err *err);

#endif
