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
 *	st = append to all files, in epoch positions_epoch(positions);
 *	st = positions_commit(positions, true, now, err);	// becomes durable here, all of it
 *
 * A stream belongs to the certificate that writes it: the name is part of its key, so that nobody
 * moves another's position.
 *
 * On disk: DIRECTORY/.rwflowpack-positions, replaced atomically. The first line is
 * "tussah-positions 2", the number of the last epoch (storage/appendlog.h) that counts, and the id
 * of this packer (32 hexadecimal digits); then one line a stream: id (32 hexadecimal digits),
 * position, second of the last use, name. Version 1 has neither epoch nor id. The file is locked,
 * so that two packers that share a folder do not undo each other's work.
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

#define POSITIONS_ID_BYTES 33 /* of the text, with its end */

/* directory is copied; nothing is opened yet. */
struct positions *positions_new(const char *directory);
void positions_free(struct positions *positions);

/*
 * Lock and read the file, or make it. ST_OK (also when it is open already), ST_EIO, ST_EFORMAT
 * (damaged), ST_EAGAIN (another packer has it).
 */
int positions_open(struct positions *positions, struct err *err);
/* The id of this packer; and the epoch in which files may be appended to now, the one after the
 * last that counts. Open. */
const char *positions_id(const struct positions *positions);
uint64_t positions_epoch(const struct positions *positions);

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
/* appended: files were appended to in this epoch, which is over when this succeeds. */
int positions_commit(struct positions *positions, bool appended, int64_t now_s, struct err *err);

#endif
