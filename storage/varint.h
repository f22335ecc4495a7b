/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers of variable length (storage/FORMAT.md section 1): base 128, low bits first, the shortest
 * form required; signed numbers in zigzag.
 *
 *	uint8_t bytes[VARINT_BYTES_MAX];
 *	size_t len = varint_put(bytes, zigzag_encode(-3));
 *	const uint8_t *at = bytes;
 *	if (varint_get(&at, bytes + len, &value)) ...	// at == bytes + len
 */
#ifndef TUSSAH_STORAGE_VARINT_H
#define TUSSAH_STORAGE_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VARINT_BYTES_MAX 10

/* Returns how many bytes of out were used. */
static inline size_t varint_put(uint8_t out[VARINT_BYTES_MAX], uint64_t value)
{
	size_t len = 0;

	while (value >= 0x80) {
		out[len++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	out[len++] = (uint8_t)value;
	return len;
}

/* *at moves behind the number; false (and *at anywhere up to end): no number, or not as required.
 */
static inline bool varint_get(const uint8_t **at, const uint8_t *end, uint64_t *out)
{
	uint64_t value = 0;

	for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
		uint8_t byte = *(*at)++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*out = value;
			return (byte != 0 || shift == 0) && (shift < 63 || byte == 1);
		}
	}
	return false;
}

static inline uint64_t zigzag_encode(int64_t value)
{
	return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static inline int64_t zigzag_decode(uint64_t coded)
{
	return (int64_t)(coded >> 1 ^ (0 - (coded & 1)));
}

#endif
