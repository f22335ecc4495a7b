/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records sorted by a key of fields, in bounded memory: what rwsort, rwdedupe and rwcombine stand
 * on.
 *
 *	struct recordsort *sort = recordsort_new(&key, &plan);
 *	recordsort_add(sort, batch, err) ...
 *	recordsort_finish(sort, err);
 *	while ((st = recordsort_next(sort, &row, err)) == ST_OK) ...
 *	recordsort_free(sort);
 *
 * Records of equal keys keep their order. They come back as a SiLK file holds them: times in
 * milliseconds, counters of 32 bits.
 */
#ifndef TUSSAH_QUERY_RECORDSORT_H
#define TUSSAH_QUERY_RECORDSORT_H

#include "query/rowkey.h"
#include "query/sink.h"
#include "storage/rowformat.h"

struct recordsort;

struct recordsort_row {
	const uint8_t *key;
	const uint8_t *encoded; /* for stream_write_encoded(), in recordsort_format() */
};

/* As of struct sorter_opts. */
struct recordsort_plan {
	uint64_t memory_bytes;
	const char *temp_dir;
	bool reverse;
};

/*
 * key is kept; NULL: records are compared as a whole, in the order in which SiLK's memory has them.
 * Never NULL.
 */
struct recordsort *recordsort_new(const struct rowkey *key, const struct recordsort_plan *plan);
void recordsort_free(struct recordsort *sort);
/* How long the keys of rows are. */
size_t recordsort_key_size(const struct recordsort *sort);
/* The selected rows of a batch that holds all columns; its selection is used up. ST_OK or ST_EIO.
 */
int recordsort_add(struct recordsort *sort, struct batch *batch, struct err *err);
int recordsort_finish(struct recordsort *sort, struct err *err);
/* The next one, borrowed until the next call. ST_OK, ST_END or ST_EIO. */
int recordsort_next(struct recordsort *sort, struct recordsort_row *row, struct err *err);
/* Of the encoded records. */
const struct rowformat *recordsort_format(const struct recordsort *sort);
/* The record of a row. */
void recordsort_get(const struct recordsort *sort, const struct recordsort_row *row,
		    struct record *out);

/* The switches of tools that sort: --buffer-size, --memory and --temp-directory. */
struct recordsort_opts {
	uint64_t buffer_size;
	char *temp_directory;
};
#define RECORDSORT_BUFFER_DEFAULT (UINT64_C(1920) << 20)
extern const struct opt recordsort_opt_table[];

#endif
