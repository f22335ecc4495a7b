/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A stream of bytes read in large pieces, some pieces ahead of who takes them, by a thread of its
 * own where that is wanted. Each piece has room in front of it, for what was left of the last one.
 *
 *	struct readahead *ahead = readahead_new(fill, arg, true);
 *	while ((st = readahead_next(ahead, &piece)) == ST_OK) {
 *		use(piece.bytes, piece.len);			// until the next call
 *	}
 *	readahead_free(ahead);
 *
 * Threads: one besides its own; fill is called by one at a time.
 */
#ifndef TUSSAH_SENSOR_READAHEAD_H
#define TUSSAH_SENSOR_READAHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define READAHEAD_FRONT_BYTES (272 * 1024) /* writable in front of each piece */

/* Up to len bytes into out; 0: the end; negative: cannot be read. */
typedef ssize_t (*readahead_fill_fn)(void *arg, uint8_t *out, size_t len);

struct readahead_piece {
	uint8_t *bytes; /* borrowed until the next call */
	size_t len;
};

struct readahead;

/* fill and arg are kept. threaded: fill never waits for long, since readahead_free() waits for it.
 */
struct readahead *readahead_new(readahead_fill_fn fill, void *arg, bool threaded);
void readahead_free(struct readahead *ahead);

/* ST_OK; ST_END; ST_EIO. */
int readahead_next(struct readahead *ahead, struct readahead_piece *out);

#endif
