/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a byte occurs in a block of bytes, as bits: bit i is byte i. All bytes are looked at at
 * once, where the processor can.
 *
 *	for (mask = bytemask_of(block, '|'); mask; mask &= mask - 1) {
 *		... block[__builtin_ctzll(mask)] ...
 *	}
 */
#ifndef TUSSAH_COMMON_BYTEMASK_H
#define TUSSAH_COMMON_BYTEMASK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BYTEMASK_BLOCK 64
#define BYTEMASK_PART  16

/* BYTEMASK_PART bytes, so that several questions are asked of what was loaded once. */
struct bytemask_part {
#ifdef __SSE2__
	__m128i bytes;
#else
	uint8_t bytes[BYTEMASK_PART];
#endif
};

static inline struct bytemask_part bytemask_load(const void *from)
{
	struct bytemask_part part;

	memcpy(&part, from, sizeof(part));
	return part;
}

/* All bits of the bytes that are c, no bit of the others. */
static inline struct bytemask_part bytemask_equal(struct bytemask_part part, char c)
{
#ifdef __SSE2__
	part.bytes = _mm_cmpeq_epi8(part.bytes, _mm_set1_epi8(c));
#else
	for (unsigned i = 0; i < BYTEMASK_PART; i++) {
		part.bytes[i] = part.bytes[i] == (uint8_t)c ? UINT8_MAX : 0;
	}
#endif
	return part;
}

/* All bits of the bytes that are the same in both. */
static inline struct bytemask_part bytemask_same(struct bytemask_part a, struct bytemask_part b)
{
#ifdef __SSE2__
	a.bytes = _mm_cmpeq_epi8(a.bytes, b.bytes);
#else
	for (unsigned i = 0; i < BYTEMASK_PART; i++) {
		a.bytes[i] = a.bytes[i] == b.bytes[i] ? UINT8_MAX : 0;
	}
#endif
	return a;
}

static inline struct bytemask_part bytemask_or(struct bytemask_part a, struct bytemask_part b)
{
#ifdef __SSE2__
	a.bytes = _mm_or_si128(a.bytes, b.bytes);
#else
	for (unsigned i = 0; i < BYTEMASK_PART; i++) {
		a.bytes[i] |= b.bytes[i];
	}
#endif
	return a;
}

/* The highest bit of each byte. */
static inline uint64_t bytemask_bits(struct bytemask_part part)
{
#ifdef __SSE2__
	return (unsigned)_mm_movemask_epi8(part.bytes);
#else
	uint64_t bits = 0;

	for (unsigned i = 0; i < BYTEMASK_PART; i++) {
		bits |= (uint64_t)(part.bytes[i] >> 7) << i;
	}
	return bits;
#endif
}

/* Of BYTEMASK_BLOCK bytes those that are c. */
static inline uint64_t bytemask_of(const void *block, char c)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < BYTEMASK_BLOCK; i += BYTEMASK_PART) {
		mask |= bytemask_bits(bytemask_equal(bytemask_load((const uint8_t *)block + i), c))
			<< i;
	}
	return mask;
}

#endif
