/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An opened chunk: the values of one column of one block, decoded in pieces
 * (storage/FORMAT.md section 4). Everything is checked here or while decoding; no bytes can make it
 * read or write out of bounds.
 *
 *	struct chunk *chunk = chunk_new();			// reused for many chunks
 *	chunk_open(chunk, COLUMN_UNSIGNED16, bytes, len, rows, has_absent, err);
 *	chunk_read_u16(chunk, 1024, 1024, ports, err);		// rows 1024..2047
 *	chunk_free(chunk);
 *
 * Rows are read from a multiple of FRAME_ROWS, at most FRAME_ROWS at once: one frame.
 * Statuses: ST_OK or ST_EFORMAT; messages say what is wrong, not where.
 * Threads: one at a time per chunk.
 */
#ifndef TUSSAH_STORAGE_CHUNK_H
#define TUSSAH_STORAGE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ip.h"
#include "storage/column.h"
#include "storage/encode.h"

/* Readable bytes that must follow what chunk_open() is given, of any content. */
#define CHUNK_PADDING 16

struct chunk;

struct chunk *chunk_new(void);
void chunk_free(struct chunk *chunk);

/* bytes (plain, decompressed) are kept until the next chunk_open() or chunk_free(). */
int chunk_open(struct chunk *chunk, uint8_t type, const uint8_t *bytes, size_t len, uint32_t rows,
	       bool has_absent, struct err *err);

/*
 * Numbers, in the width of out; a value that does not fit is ST_EFORMAT. Signed types come as they
 * are held (the bit of column_sign() inverted), except in chunk_read_i64, which undoes it.
 */
int chunk_read_u8(struct chunk *chunk, uint32_t row, uint32_t count, uint8_t *out, struct err *err);
int chunk_read_u16(struct chunk *chunk, uint32_t row, uint32_t count, uint16_t *out,
		   struct err *err);
int chunk_read_u32(struct chunk *chunk, uint32_t row, uint32_t count, uint32_t *out,
		   struct err *err);
int chunk_read_u64(struct chunk *chunk, uint32_t row, uint32_t count, uint64_t *out,
		   struct err *err);
int chunk_read_i64(struct chunk *chunk, uint32_t row, uint32_t count, int64_t *out,
		   struct err *err);
int chunk_read_ip(struct chunk *chunk, uint32_t row, uint32_t count, struct ip *out,
		  struct err *err);
/* Byte strings; pointers into the chunk. */
int chunk_read_strings(struct chunk *chunk, uint32_t row, uint32_t count, struct encode_bytes *out,
		       struct err *err);
/* Which rows have a value (1) and which not (0); all 1 unless has_absent. */
int chunk_read_presence(struct chunk *chunk, uint32_t row, uint32_t count, uint8_t *out,
			struct err *err);

/*
 * The distinct values, when the encoding has them at hand (constants count as a dictionary of one):
 * a test of a value is then made once per value, and rows are told by their codes. count 0: none.
 * Borrowed until the next chunk_open().
 */
struct chunk_dictionary {
	uint32_t count;
	const uint64_t *numbers;    /* of number columns, ascending */
	const struct ip *addresses; /* of address columns */
};
void chunk_dictionary(const struct chunk *chunk, struct chunk_dictionary *out);
/* Codes of one frame: places in the dictionary, each below its count. Only when there is one. */
int chunk_read_codes(struct chunk *chunk, uint32_t row, uint32_t count, uint16_t *out,
		     struct err *err);

#endif
