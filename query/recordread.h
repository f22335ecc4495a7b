/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The records of a source into a recordsort, by several threads: they read, make keys and pack,
 * and the caller's thread adds what they have made in the order of the input.
 *
 *	struct recordread read = { .source = source, .sort = sort, .threads = 2 };
 *	recordread_run(&read);
 *	exit_status = source_close(source);
 */
#ifndef TUSSAH_QUERY_RECORDREAD_H
#define TUSSAH_QUERY_RECORDREAD_H

#include <stdbool.h>

#include "query/readcrew.h"
#include "query/recordsort.h"

struct recordread {
	struct source *source;   /* borrowed */
	struct recordsort *sort; /* borrowed */
	unsigned threads;        /* at most */
	void *arg;
	/* As of struct readcrew; may be NULL. */
	void (*want)(void *arg, struct batch *batch);
	/* Is row a record that is sorted, by any thread? The others go to others(). NULL: all are. */
	bool (*sorts)(const struct batch *batch, uint16_t row);
	/* Encoded as for stream_write_encoded_rows(), in the order of the input; borrowed. */
	void (*others)(void *arg, const uint8_t *encoded, size_t count);
};

/*
 * Read everything. What is wrong with the input is told by the source, and source_close() returns
 * it; a failure to write temporary files ends the program.
 */
void recordread_run(const struct recordread *read);

#endif
