/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How far each exporter's stream has been taken in, and how far that is durable (DESIGN 5).
 *
 *	struct positions *positions = positions_new(directory);
 *	struct stream_position *stream;
 *	positions_get(positions, "sensor1", id, &stream, err);
 *	if (position_begin(stream, 17)) {		// false: taken in before
 *		st = write the records of message 17;
 *		position_end(stream, 17, st == ST_OK);
 *	}
 *	...
 *	positions_mark(positions);		// what has been taken in by now
 *	st = flush and sync all files;
 *	st = positions_commit(positions, now, err);	// becomes durable here
 *
 * A stream belongs to the certificate that writes it: the name is part of its key, so that nobody
 * moves another's position.
 *
 * On disk: DIRECTORY/.rwflowpack-positions, replaced atomically. The first line is
 * "tussah-positions 1"; then one line a stream: id (32 hexadecimal digits), position, second of the
 * last use, name. It is opened with the first stream, and locked, so that two packers that share a
 * folder do not undo each other's work.
 */
#ifndef TUSSAH_PACKER_POSITIONS_H
#define TUSSAH_PACKER_POSITIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define POSITIONS_FILE        ".rwflowpack-positions"
#define POSITIONS_NAME_MAX    255
#define POSITIONS_STREAMS_MAX 65536 /* kept; the ones used longest ago are forgotten */

struct positions;
struct stream_position;

/* directory is copied; nothing is opened yet. */
struct positions *positions_new(const char *directory);
void positions_free(struct positions *positions);

/*
 * The stream of this name and id, made at position 0 when new; to be given back with
 * positions_put(). Streams that nobody has may be forgotten by a commit when there are too many.
 * Returns ST_OK, ST_EINVAL (name), ST_EIO, ST_EFORMAT (damaged file), ST_EAGAIN (another packer
 * has the file), ST_ELIMIT. Thread-safe.
 */
int positions_get(struct positions *positions, const char *name, const uint8_t id[16],
		  struct stream_position **out, struct err *err);

/* Thread-safe. */
void positions_put(struct positions *positions, struct stream_position *stream);

/* Claim the message: false when it has been taken in before. Else the stream stays locked ... */
bool position_begin(struct stream_position *stream, uint64_t position);
/* ... until here. Only a message taken in whole counts. */
void position_end(struct stream_position *stream, uint64_t position, bool taken);

uint64_t position_durable(const struct stream_position *stream);

/* Is anything taken in that is not durable? */
bool positions_are_ahead(struct positions *positions);
/* Remember what has been taken in by now; commit makes that durable. One thread at a time. */
void positions_mark(struct positions *positions);
int positions_commit(struct positions *positions, int64_t now_s, struct err *err);

#endif
