/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bytes that are gathered in parts and written out later. The memory of the parts is shared by all
 * who gather: what one needed at its worst moment is there for the others afterwards, so that
 * memory is that of what waits in all, not the sum of everybody's worst moments. And no part is
 * moved to make it longer than it was meant to be.
 *
 *	struct partpool *pool = partpool_new();
 *	struct parts parts;
 *	parts_init(&parts, pool);
 *	g_byte_array_append(parts_tail(&parts), bytes, len); ...
 *	vectors = parts_vectors(&parts, &count);		// to be written
 *	parts_clear(&parts);					// its memory is the pool's again
 *	parts_release(&parts);
 *	partpool_free(pool);
 */
#ifndef TUSSAH_STORAGE_PARTS_H
#define TUSSAH_STORAGE_PARTS_H

#include <glib.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/err.h"

struct partpool;

/* Any threads may share a pool; those who gather in it are released before it is freed. */
struct partpool *partpool_new(void);
void partpool_free(struct partpool *pool);
/* Free what nobody needed since the last call. */
void partpool_trim(struct partpool *pool);

#define PARTPOOL_BLOCK_BYTES (1u << 20)
#define PARTPOOL_BLOCK_ALIGN 4096u

/* A block of so many bytes at such an address, to move bytes through. The pool keeps one;
 * NULL: from the system and back to it. Returned NULL: there is no memory. */
void *partpool_borrow(struct partpool *pool);
void partpool_return(struct partpool *pool, void *block);

struct parts {
	struct partpool *pool; /* kept; NULL: memory is given back to the system */
	GPtrArray *arrays;     /* of GByteArray */
	size_t ended;          /* bytes of all but the last */
	GArray *vectors;       /* struct iovec, as of the last parts_vectors() */
};

void parts_init(struct parts *parts, struct partpool *pool);
void parts_release(struct parts *parts);
/* Forget the bytes. */
void parts_clear(struct parts *parts);

size_t parts_len(const struct parts *parts);
/* To be appended to, once: one piece that shall not be torn. Borrowed. */
GByteArray *parts_tail(struct parts *parts);
/* Where the bytes are; borrowed until they change. */
const struct iovec *parts_vectors(struct parts *parts, size_t *count);

#endif
