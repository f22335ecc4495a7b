/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Threads that compress blocks for a block writer, several at once; the writer's thread alone
 * touches the sink, to which the blocks go in the order in which they were filled.
 *
 *	struct packcrew *crew = packcrew_new(COMPRESSION_LZO1X, 0, BLOCK_BYTES);
 *	while (...) {
 *		uint8_t *block = packcrew_room(crew);
 *		... up to BLOCK_BYTES ...
 *		status = packcrew_pack(crew, len, sink, err);
 *	}
 *	status = packcrew_drain(crew, sink, err);
 *	packcrew_free(crew);
 */
#ifndef TUSSAH_STORAGE_PACKCREW_H
#define TUSSAH_STORAGE_PACKCREW_H

#include <stddef.h>
#include <stdint.h>

#include "storage/bytesink.h"

struct packcrew;

/*
 * row_bytes: as compressor_new_rows(); 0: as compressor_new(). NULL: there is but one processor, or
 * there can be no threads now.
 */
struct packcrew *packcrew_new(uint8_t compression, size_t row_bytes, size_t block_bytes);
/* What was not drained is lost. NULL is fine. */
void packcrew_free(struct packcrew *crew);

/* Where the next block is to be filled; the same until packcrew_pack(). */
uint8_t *packcrew_room(struct packcrew *crew);
/*
 * Hand over the block, len bytes of it. Writes those packed before that are in the way of the next
 * one. ST_OK, or an error, after which only packcrew_free() may follow.
 */
int packcrew_pack(struct packcrew *crew, size_t len, struct bytesink *sink, struct err *err);
/*
 * The same of a block that is filled by the thread that packs it: with len bytes of what fill() puts
 * together, from offset on. arg is borrowed until packcrew_drain().
 */
typedef void (*packcrew_fill_fn)(const void *arg, uint64_t offset, uint8_t *to, size_t len);
int packcrew_pack_filled(struct packcrew *crew, packcrew_fill_fn fill, const void *arg,
			 uint64_t offset, size_t len, struct bytesink *sink, struct err *err);
/* Write all blocks handed over. */
int packcrew_drain(struct packcrew *crew, struct bytesink *sink, struct err *err);

#endif
