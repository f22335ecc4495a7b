/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tests of streams share: the vectors of silk-flow-files.md 7, reading and writing in memory.
 */
#ifndef TUSSAH_TESTS_MEMSTREAM_H
#define TUSSAH_TESTS_MEMSTREAM_H

#include "storage/stream.h"

#include <glib.h>

#define MEMSTREAM_HOUR_NS INT64_C(1709618400000000000)

/* The bytes of a line of tests/data/streamvectors.txt. Returned: g_byte_array_unref(). */
GByteArray *memstream_vector(const char *name);

/* The three records of 7.1: number 0 to 2. */
struct record memstream_record(unsigned number);

/* Fail for each column that differs. */
void memstream_assert_record(const struct record *got, const struct record *want);

struct memstream_read {
	uint64_t rows;
	int status; /* of opening, or of the end */
	struct err err;
	struct record first[4];
};

/* Read all there is. */
struct memstream_read memstream_read(const GByteArray *bytes, const char *name);

struct memstream_out {
	struct stream *stream;
	struct bytesink *sink; /* the stream's own; looked at before it is closed */
};

struct memstream_out memstream_create(const struct stream_write_opts *opts);
/* Close; the bytes that were written. Returned: g_byte_array_unref(). */
GByteArray *memstream_finish(struct memstream_out *out);

#endif
