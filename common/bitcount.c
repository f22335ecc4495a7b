/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Without branches, which a scattered bitmap makes guess wrong: the bits of each byte are added up
 * side by side, then those of the same byte of some bitmaps, and the bytes at the end.
 */
#include "common/bitcount.h"

#include <glib.h>
#include <string.h>

typedef uint64_t words __attribute__((vector_size(16)));

/* So many times two vectors of up to 8 bits a byte fit in a byte. */
#define BITMAPS_A_BYTE 15

#define PAIRS   UINT64_C(0x5555555555555555)
#define NIBBLES UINT64_C(0x3333333333333333)
#define BYTES   UINT64_C(0x0f0f0f0f0f0f0f0f)

/* In each nibble, how many of its bits are set. */
static inline words count_nibbles(const uint8_t *at)
{
	words bits;

	memcpy(&bits, at, sizeof(bits));
	bits -= bits >> 1 & (words){ PAIRS, PAIRS };
	return (bits & (words){ NIBBLES, NIBBLES }) + (bits >> 2 & (words){ NIBBLES, NIBBLES });
}

static uint64_t add_bytes(uint64_t bytes)
{
	bytes = (bytes & UINT64_C(0x00ff00ff00ff00ff)) +
		(bytes >> 8 & UINT64_C(0x00ff00ff00ff00ff));
	return bytes * UINT64_C(0x0001000100010001) >> 48;
}

/* Of up to BITMAPS_A_BYTE. */
static inline uint64_t count_some(const uint8_t *at, size_t count, size_t stride)
{
	words bytes = { 0, 0 };

	for (const uint8_t *end = at + count * stride; at < end; at += stride) {
		words nibbles = count_nibbles(at) + count_nibbles(at + sizeof(words));

		bytes += (nibbles & (words){ BYTES, BYTES }) +
			 (nibbles >> 4 & (words){ BYTES, BYTES });
	}
	return add_bytes(bytes[0]) + add_bytes(bytes[1]);
}

uint64_t bitcount_bitmaps(const uint8_t *at, size_t count, size_t stride)
{
	uint64_t bits = 0;

	while (count > 0) {
		size_t some = MIN(count, BITMAPS_A_BYTE);

		bits += count_some(at, some, stride);
		at += some * stride;
		count -= some;
	}
	return bits;
}
