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
 * Rows that other threads have encoded go out by destination_write_rows(); with a crew its threads
 * compress them too, whole blocks at a time, and the bytes are the same.
 *
 * A pipe that nobody reads any more is left out from then on (where SIGPIPE is ignored); a destination
 * of which nothing else is left is abandoned, which has no room. As SiLK, the others get theirs.
 *
 * Threads: one at a time.
 */
#ifndef TUSSAH_QUERY_DESTINATION_H
#define TUSSAH_QUERY_DESTINATION_H

#include "query/scancrew.h"
#include "storage/rowformat.h"
#include "storage/stream.h"

struct destination;

/* limit: no more records than this; 0: no limit. Free with destination_close(). */
struct destination *destination_new(uint64_t limit);

/* Open one more stream; as stream_create(). */
int destination_add(struct destination *destination, const char *path,
		    const struct stream_write_opts *opts, struct err *err);

/* Open one more output, a block file, which keeps extension columns; as blockout_create(). Such
 * destinations take destination_write() only. */
int destination_add_blocks(struct destination *destination, const char *path,
			   const struct stream_write_opts *opts, struct err *err);

/* Append entries to the headers of all streams. */
void destination_add_entries(struct destination *destination, const struct header *entries);

/* How many more records it takes; UINT64_MAX: any number. */
uint64_t destination_room(const struct destination *destination);
/* It has streams, and nobody reads any of them. */
bool destination_is_abandoned(const struct destination *destination);

/*
 * Write the selected rows, which are no more than there is room for. Records that the format cannot
 * hold are left out. Returns ST_OK or a fatal error.
 */
int destination_write(struct destination *destination, const struct batch *batch, struct err *err);

/* The format of all streams, which holds every record; in the byte order of the machine. */
const struct rowformat *destination_format(void);

/* Have blocks compressed by the crew, which is kept until destination_drain(). */
void destination_use_crew(struct destination *destination, struct scancrew *crew);

/* As destination_write, of count rows that follow one another, encoded in the format. */
int destination_write_rows(struct destination *destination, const uint8_t *rows, uint64_t count,
			   struct err *err);

/* Write what the crew still has; the crew is not used any more. NULL is fine. */
int destination_drain(struct destination *destination, struct err *err);

/* Close all streams and free; the first error, or ST_EPIPE if it was abandoned. NULL is fine. */
int destination_close(struct destination *destination, struct err *err);

#endif
