/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Integers at any address in memory, of either byte order. "swap" asks for the order that the
 * machine does not have; when it is a constant the compiler drops the other branch, so loops over
 * records are written once and built twice.
 */
#ifndef TUSSAH_STORAGE_BYTEORDER_H
#define TUSSAH_STORAGE_BYTEORDER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define HOST_BIG_ENDIAN (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)

static inline uint8_t load8(const uint8_t *from, bool swap)
{
	return *from;
}

static inline uint16_t load16(const uint8_t *from, bool swap)
{
	uint16_t value;

	memcpy(&value, from, sizeof(value));
	return swap ? __builtin_bswap16(value) : value;
}

static inline uint32_t load32(const uint8_t *from, bool swap)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return swap ? __builtin_bswap32(value) : value;
}

static inline uint64_t load64(const uint8_t *from, bool swap)
{
	uint64_t value;

	memcpy(&value, from, sizeof(value));
	return swap ? __builtin_bswap64(value) : value;
}

static inline void store8(uint8_t *to, uint8_t value, bool swap)
{
	*to = value;
}

static inline void store16(uint8_t *to, uint16_t value, bool swap)
{
	value = swap ? __builtin_bswap16(value) : value;
	memcpy(to, &value, sizeof(value));
}

static inline void store32(uint8_t *to, uint32_t value, bool swap)
{
	value = swap ? __builtin_bswap32(value) : value;
	memcpy(to, &value, sizeof(value));
}

static inline void store64(uint8_t *to, uint64_t value, bool swap)
{
	value = swap ? __builtin_bswap64(value) : value;
	memcpy(to, &value, sizeof(value));
}

/* Network order, whatever the file's. */
#define load16_be(from)       load16((from), !HOST_BIG_ENDIAN)
#define load32_be(from)       load32((from), !HOST_BIG_ENDIAN)
#define load64_be(from)       load64((from), !HOST_BIG_ENDIAN)
#define store16_be(to, value) store16((to), (value), !HOST_BIG_ENDIAN)
#define store32_be(to, value) store32((to), (value), !HOST_BIG_ENDIAN)
#define store64_be(to, value) store64((to), (value), !HOST_BIG_ENDIAN)

#endif
