/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The body of a block that is being made (storage/FORMAT.md 2.2): the streams of its columns become
 * chunks, compressed where that helps, each with its checksum.
 *
 *	struct blockbody body;
 *	blockbody_init(&body, CHUNK_LZO1X);
 *	GByteArray *stream = blockbody_begin(&body);
 *	...							// append the column to stream
 *	blockbody_end(&body, &column, err);			// now it is in body.bytes
 *	blockbody_clear(&body);					// for the next block
 *	blockbody_release(&body);
 */
#ifndef TUSSAH_STORAGE_BLOCKBODY_H
#define TUSSAH_STORAGE_BLOCKBODY_H

#include "storage/flowblock.h"

struct compressor;

struct blockbody {
	GByteArray *bytes; /* so far; what is not a chunk the caller puts there itself */

	/* internal: */
	uint8_t compression;
	GByteArray *
		stream; /* plain, or bytes: chunks that are not compressed are made where they stay */
	guint chunk_at; /* where the chunk begins in it */
	struct compressor *compressor;
	GByteArray *plain;
	GByteArray *compressed;
};

/* compression: an enum chunk_compression. */
void blockbody_init(struct blockbody *body, uint8_t compression);
void blockbody_release(struct blockbody *body);
/* Forget the bytes; the room for them stays. */
void blockbody_clear(struct blockbody *body);
/* Give back the room for what is compressed; it is made again when it is needed. */
void blockbody_trim(struct blockbody *body);

/* Where the next chunk is to be appended; borrowed until blockbody_end(). One that stays empty may
 * be begun anew instead. */
GByteArray *blockbody_begin(struct blockbody *body);
/*
 * What was appended since then becomes a chunk. Sets compression, lengths and checksum of the column,
 * not its offset, which is not stored. ST_OK; ST_ELIMIT: larger than a chunk or a body may be; ST_EIO:
 * the compression library failed.
 */
int blockbody_end(struct blockbody *body, struct flowblock_column *column, struct err *err);

#endif
