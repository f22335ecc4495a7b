/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where rwfilter writes one kind of records (pass, fail or all): any number of streams that get the
 * same records, until a limit is reached.
 *
 *	struct destination *pass = destination_new(max_records);
 *	destination_add(pass, "pass.rw", &write_opts, err);
 *	destination_add_entries(pass, &entries);	// before the first record
 *	destination_write(pass, batch, err);
 *	destination_close(pass, err);
 *
 * Threads: one at a time.
 */
#ifndef TUSSAH_QUERY_DESTINATION_H
#define TUSSAH_QUERY_DESTINATION_H

#include "storage/stream.h"

struct destination;

/* limit: no more records than this; 0: no limit. Free with destination_close(). */
struct destination *destination_new(uint64_t limit);

/* Open one more stream; as stream_create(). */
int destination_add(struct destination *destination, const char *path,
		    const struct stream_write_opts *opts, struct err *err);

/* Append entries to the headers of all streams. */
void destination_add_entries(struct destination *destination, const struct header *entries);

/* How many more records it takes; UINT64_MAX: any number. */
uint64_t destination_room(const struct destination *destination);

/*
 * Write the selected rows, which are no more than there is room for. Records that the format cannot
 * hold are left out. Returns ST_OK or a fatal error.
 */
int destination_write(struct destination *destination, const struct batch *batch, struct err *err);

/* Close all streams and free; the first error. NULL is fine. */
int destination_close(struct destination *destination, struct err *err);

#endif
