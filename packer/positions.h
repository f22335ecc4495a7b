/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How far each exporter's stream has been taken in, and how far the journal has been packed
 * (DESIGN 5).
 *
 *	struct positions *positions = positions_new(directory);
 *	struct stream_position *stream;
 *	positions_get(positions, "sensor1", id, &stream, err);
 *	if (position_begin(stream, 17)) {		// false: taken in before
 *		st = append message 17 to the journal;
 *		position_end(stream, 17, st == ST_OK);
 *	}
 *	...
 *	write the records of message 17;		// another thread
 *	position_pack(stream, 17);
 *	...
 *	positions_mark(positions, journal_id, 4711);	// what has been packed by now
 *	st = append to all files, in epoch positions_epoch(positions);
 *	st = positions_commit(positions, true, now, err);	// becomes durable here, all of it
 *
 * What is taken in and not packed yet is in the journal: after a crash, taking the stream's
 * messages there in anew (position_begin, position_end) makes taken what it was.
 *
 * A stream belongs to the certificate that writes it: the name is part of its key, so that nobody
 * moves another's position.
 *
 * On disk: DIRECTORY/.rwflowpack-positions, replaced atomically. The first line is
 * "tussah-positions 3", the number of the last epoch (storage/appendlog.h) that counts, the id of
 * this packer, the id of the journal (both 32 hexadecimal digits), and the position in it up to
 * which everything is packed; then one line a stream: id (32 hexadecimal digits), position, second
 * of the last use, name. Version 2 has no journal, version 1 no id and no epoch either. The file is
 * locked, so that two packers that share a folder do not undo each other's work.
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

#define POSITIONS_KEY_NAME 33 /* where the name stands in a key */
#define POSITIONS_ID_BYTES 33 /* of the text, with its end */

/* directory is copied; nothing is opened yet. */
struct positions *positions_new(const char *directory);
void positions_free(struct positions *positions);

/*
 * Lock and read the file, or make it. ST_OK (also when it is open already), ST_EIO, ST_EFORMAT
 * (damaged), ST_EAGAIN (another packer has it).
 */
int positions_open(struct positions *positions, struct err *err);
/* Does another packer have it open now? Nothing is made; not to be asked of an open one. */
bool positions_in_use(const struct positions *positions);
/* The id of this packer; and the epoch in which files may be appended to now, the one after the
 * last that counts. Open. */
const char *positions_id(const struct positions *positions);
uint64_t positions_epoch(const struct positions *positions);
/* Up to where the journal with this id is packed; 0: nothing is known of it. Open. */
uint64_t positions_packed(const struct positions *positions, const uint8_t journal_id[16]);

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
/* The last one taken in. */
uint64_t position_taken(struct stream_position *stream);
/* Nothing after this one is taken in, whatever was: it is to come again. */
void position_lower(struct stream_position *stream, uint64_t position);
/* "ID NAME", as in the file; borrowed. */
const char *position_key(const struct stream_position *stream);
/* Nothing more comes, and nobody will ask: to be forgotten once all of it is durable. */
void position_finish(struct stream_position *stream);
/* Its records are written. From the thread that packs. */
void position_pack(struct stream_position *stream, uint64_t position);
uint64_t position_packed(const struct stream_position *stream);

/*
 * Remember what has been packed by now, of all streams and up to here in this journal; commit makes
 * that durable. Not while a commit is going on.
 */
void positions_mark(struct positions *positions, const uint8_t journal_id[16],
		    uint64_t journal_position);
/* Each stream with the last position that counts, and the one that the next commit makes count. */
void positions_each(struct positions *positions,
		    void (*fn)(void *arg, const char *key, uint64_t committed, uint64_t marked),
		    void *arg);
/* What was packed since the last commit is to be packed again. Nothing is being packed. */
void positions_rewind(struct positions *positions);
/*
 * appended: files were appended to in this epoch, which is over when this succeeds. ST_OK;
 * ST_ELIMIT (no room: the epoch is not over, try again); ST_EIO: it is not known whether it is.
 */
int positions_commit(struct positions *positions, bool appended, int64_t now_s, struct err *err);

#endif
