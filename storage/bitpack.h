/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers of a fixed width in bits, packed without gaps from the lowest bit of the first byte
 * upwards (storage/FORMAT.md section 4, packed lists).
 *
 *	bitpack(values, count, 11, bytes);			// bitpack_bytes(count, 11) bytes
 *	bitunpack_u16(bytes, count, 11, ports);
 *
 * There is one loop for every width and every output type, in which all shifts are constants.
 */
#ifndef TUSSAH_STORAGE_BITPACK_H
#define TUSSAH_STORAGE_BITPACK_H

#include <stddef.h>
#include <stdint.h>

/* Bytes behind the packed ones that may be read or written, whatever is in them. */
#define BITPACK_PADDING 8

static inline size_t bitpack_bytes(size_t count, unsigned width)
{
	return (count * width + 7) / 8;
}

/* The low width (0..64) bits, all set. */
static inline uint64_t bitpack_mask(unsigned width)
{
	return width == 0 ? 0 : UINT64_MAX >> (64 - width);
}

/* Bits that value needs; 0 for 0. */
static inline unsigned bitpack_width(uint64_t value)
{
	return value == 0 ? 0 : 64 - (unsigned)__builtin_clzll(value);
}

/* The low width bits of each value. out has room for bitpack_bytes() and BITPACK_PADDING. */
void bitpack(const uint64_t *values, size_t count, unsigned width, uint8_t *out);

/* width is at most the width of the output; in has BITPACK_PADDING readable bytes behind it. */
void bitunpack_u8(const uint8_t *in, size_t count, unsigned width, uint8_t *out);
void bitunpack_u16(const uint8_t *in, size_t count, unsigned width, uint16_t *out);
void bitunpack_u32(const uint8_t *in, size_t count, unsigned width, uint32_t *out);
void bitunpack_u64(const uint8_t *in, size_t count, unsigned width, uint64_t *out);

#endif
