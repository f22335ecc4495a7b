/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records sorted by a key of fields, in bounded memory: what rwsort, rwdedupe and rwcombine stand
 * on.
 *
 *	struct recordsort *sort = recordsort_new(&key, &plan);
 *	recordsort_add(sort, batch, err) ...
 *	recordsort_drain(sort, write_record, arg, err);
 *	recordsort_free(sort);
 *
 * Records of equal keys keep their order. They come back as a SiLK file holds them: times in
 * milliseconds, counters of 32 bits; whatever the number of threads and however little memory, in
 * the same order.
 */
#ifndef TUSSAH_QUERY_RECORDSORT_H
#define TUSSAH_QUERY_RECORDSORT_H

#include "query/rowkey.h"
#include "query/rowpack.h"
#include "query/sink.h"
#include "storage/rowformat.h"

struct recordsort;

struct recordsort_row {
	const uint8_t *key;
	const uint8_t *encoded; /* for stream_write_encoded() */
};

/* As of struct sorter_opts. */
struct recordsort_plan {
	uint64_t memory_bytes;
	const char *temp_dir;
	bool reverse;
	unsigned threads;
};

/*
 * key is kept; NULL: records are compared as a whole, in the order in which SiLK's memory has them.
 * Never NULL.
 */
struct recordsort *recordsort_new(const struct rowkey *key, const struct recordsort_plan *plan);
void recordsort_free(struct recordsort *sort);
/* In which records are encoded. */
const struct rowformat *recordsort_format(const struct recordsort *sort);
/* How long the keys of rows are. */
size_t recordsort_key_size(const struct recordsort *sort);
/* How long rows are, and where in them the encoded record begins. */
size_t recordsort_row_size(const struct recordsort *sort);
size_t recordsort_encoded_at(const struct recordsort *sort);
/* Is the start time what records are sorted by first? */
bool recordsort_is_by_start(const struct recordsort *sort);
/* The rows of what is selected in a batch, one behind the other, without adding them. Any thread. */
void recordsort_fill(const struct recordsort *sort, const struct batch *batch, uint8_t *rows);
/* How many bytes of this one are of its first fields. */
size_t recordsort_key_extent(const struct recordsort *sort, const struct recordsort_row *row,
			     size_t fields);
/* The selected rows of a batch that holds all columns; its selection is used up. ST_OK or ST_EIO.
 */
int recordsort_add(struct recordsort *sort, struct batch *batch, struct err *err);
/*
 * In the place of recordsort_add(), by any number of threads that have a rowpack each, with batches
 * of their own: pack a batch, as recordsort_add() takes it. Returns how many rows stay selected: the
 * rowpack is full, and what it has is to be taken first. recordsort_append() takes it over, by one
 * thread, in the order of the input: ST_OK or ST_EIO.
 */
struct rowpack *recordsort_new_pack(const struct recordsort *sort);
uint32_t recordsort_pack(const struct recordsort *sort, struct rowpack *pack, struct batch *batch);
int recordsort_append(struct recordsort *sort, struct rowarea *area, struct err *err);
/* How many of so many threads may make keys. */
unsigned recordsort_threads(const struct recordsort *sort, unsigned threads);
/*
 * No more records: hand all of them out in order, each borrowed for the call. Anything but ST_OK
 * ends it and is returned, as is ST_EIO.
 */
typedef int (*recordsort_take_fn)(void *arg, const struct recordsort_row *row, struct err *err);
int recordsort_drain(struct recordsort *sort, recordsort_take_fn take, void *arg, struct err *err);
/* The same without keys, and with many encoded records at a time, one behind the other. Not for
 * records that are compared as a whole. */
typedef int (*recordsort_take_encoded_fn)(void *arg, const uint8_t *encoded, size_t count,
					  struct err *err);
int recordsort_drain_encoded(struct recordsort *sort, recordsort_take_encoded_fn take, void *arg,
			     struct err *err);
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
