/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Unpacking works on groups of eight numbers, which fill as many bytes as a number has bits: every
 * group begins at a byte, and every number lies at the same bit of its group. Numbers for u32 and
 * u64 are cut out of a 64-bit word loaded at their first byte. For u8 and u16 eight or four
 * neighbours are cut out in one word and spread to their places by halves, which costs less than
 * an operation per number; numbers of up to eight bits become bytes first, also for u16.
 */
#include "storage/bitpack.h"

#include "storage/byteorder.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

void bitpack(const uint64_t *values, size_t count, unsigned width, uint8_t *out)
{
	const uint64_t mask = bitpack_mask(width);
	uint64_t word = 0;
	unsigned used = 0;

	if (width == 0) {
		return;
	}
	for (size_t i = 0; i < count; i++) {
		uint64_t value = values[i] & mask;

		word |= value << used;
		used += width;
		if (used >= 64) {
			store64(out, word, HOST_BIG_ENDIAN);
			out += 8;
			used -= 64;
			word = used == 0 ? 0 : value >> (width - used);
		}
	}
	for (; used > 0; used -= used < 8 ? used : 8) {
		*out++ = (uint8_t)word;
		word >>= 8;
	}
}

/* width bits from bit upwards; the word at the last number reads at most BITPACK_PADDING bytes
 * too many. */
static ALWAYS_INLINE uint64_t cut(const uint8_t *in, size_t bit, unsigned width)
{
	const uint8_t *at = in + bit / 8;
	unsigned shift = bit % 8;
	uint64_t word = load64(at, HOST_BIG_ENDIAN) >> shift;

	if (shift + width > 64) {
		word |= (uint64_t)at[8] << (64 - shift);
	}
	return word & bitpack_mask(width);
}

/* Pairs of width bits each, one in each lane (which begins at a bit set in lanes): the upper of a
 * pair is moved to bit half of the lane. */
static ALWAYS_INLINE uint64_t spread(uint64_t word, unsigned width, unsigned half, uint64_t lanes)
{
	const uint64_t low = bitpack_mask(width) * lanes;

	return (word & low) | ((word >> width) & low) << half;
}

/* Eight numbers of up to 8 bits, a byte each. */
static ALWAYS_INLINE uint64_t bytes_of(const uint8_t *in, unsigned width)
{
	uint64_t word = cut(in, 0, 8 * width);

	word = spread(word, 4 * width, 32, 1);
	word = spread(word, 2 * width, 16, UINT64_C(0x0000000100000001));
	return spread(word, width, 8, UINT64_C(0x0001000100010001));
}

static ALWAYS_INLINE void group_u8(const uint8_t *in, unsigned width, uint8_t *out)
{
	store64(out, bytes_of(in, width), HOST_BIG_ENDIAN);
}

/* The compiler knows an instruction that widens eight bytes. */
static ALWAYS_INLINE void widen_u16(const uint8_t bytes[8], uint16_t *out)
{
	uint8_t narrow __attribute__((vector_size(8)));
	uint16_t wide __attribute__((vector_size(16)));

	memcpy(&narrow, bytes, sizeof(narrow));
	wide = __builtin_convertvector(narrow, __typeof__(wide));
	memcpy(out, &wide, sizeof(wide));
}

static ALWAYS_INLINE void group_u16(const uint8_t *in, unsigned width, uint16_t *out)
{
	if (width <= 8) {
		uint8_t bytes[8];

		group_u8(in, width, bytes);
		widen_u16(bytes, out);
		return;
	}
	for (unsigned half = 0; half < 2; half++, out += 4) {
		uint64_t word = cut(in, (size_t)half * 4 * width, 4 * width);

		word = spread(word, 2 * width, 32, 1);
		word = spread(word, width, 16, UINT64_C(0x0000000100000001));
		out[0] = (uint16_t)word;
		out[1] = (uint16_t)(word >> 16);
		out[2] = (uint16_t)(word >> 32);
		out[3] = (uint16_t)(word >> 48);
	}
}

static ALWAYS_INLINE void group_u32(const uint8_t *in, unsigned width, uint32_t *out)
{
	out[0] = (uint32_t)cut(in, 0, width);
	out[1] = (uint32_t)cut(in, 1 * (size_t)width, width);
	out[2] = (uint32_t)cut(in, 2 * (size_t)width, width);
	out[3] = (uint32_t)cut(in, 3 * (size_t)width, width);
	out[4] = (uint32_t)cut(in, 4 * (size_t)width, width);
	out[5] = (uint32_t)cut(in, 5 * (size_t)width, width);
	out[6] = (uint32_t)cut(in, 6 * (size_t)width, width);
	out[7] = (uint32_t)cut(in, 7 * (size_t)width, width);
}

static ALWAYS_INLINE void group_u64(const uint8_t *in, unsigned width, uint64_t *out)
{
	out[0] = cut(in, 0, width);
	out[1] = cut(in, 1 * (size_t)width, width);
	out[2] = cut(in, 2 * (size_t)width, width);
	out[3] = cut(in, 3 * (size_t)width, width);
	out[4] = cut(in, 4 * (size_t)width, width);
	out[5] = cut(in, 5 * (size_t)width, width);
	out[6] = cut(in, 6 * (size_t)width, width);
	out[7] = cut(in, 7 * (size_t)width, width);
}

/* clang-format off */
#define WIDTHS_8(X, bits)                                                                         \
	X(bits, 1) X(bits, 2) X(bits, 3) X(bits, 4) X(bits, 5) X(bits, 6) X(bits, 7) X(bits, 8)
#define WIDTHS_16(X, bits)                                                                        \
	WIDTHS_8(X, bits)                                                                         \
	X(bits, 9) X(bits, 10) X(bits, 11) X(bits, 12) X(bits, 13) X(bits, 14) X(bits, 15) X(bits, 16)
#define WIDTHS_32(X, bits)                                                                        \
	WIDTHS_16(X, bits)                                                                        \
	X(bits, 17) X(bits, 18) X(bits, 19) X(bits, 20) X(bits, 21) X(bits, 22) X(bits, 23)       \
	X(bits, 24) X(bits, 25) X(bits, 26) X(bits, 27) X(bits, 28) X(bits, 29) X(bits, 30)       \
	X(bits, 31) X(bits, 32)
#define WIDTHS_64(X, bits)                                                                        \
	WIDTHS_32(X, bits)                                                                        \
	X(bits, 33) X(bits, 34) X(bits, 35) X(bits, 36) X(bits, 37) X(bits, 38) X(bits, 39)       \
	X(bits, 40) X(bits, 41) X(bits, 42) X(bits, 43) X(bits, 44) X(bits, 45) X(bits, 46)       \
	X(bits, 47) X(bits, 48) X(bits, 49) X(bits, 50) X(bits, 51) X(bits, 52) X(bits, 53)       \
	X(bits, 54) X(bits, 55) X(bits, 56) X(bits, 57) X(bits, 58) X(bits, 59) X(bits, 60)       \
	X(bits, 61) X(bits, 62) X(bits, 63) X(bits, 64)

#define LOOP(bits, width)                                                                         \
	static void unpack_u##bits##_##width(const uint8_t *in, size_t groups, uint##bits##_t *out) \
	{                                                                                         \
		for (size_t i = 0; i < groups; i++) {                                             \
			group_u##bits(in + i * (width), (width), out + i * 8);                    \
		}                                                                                 \
	}
#define LOOP_ENTRY(bits, width) [width] = unpack_u##bits##_##width,

/* Whole groups by the loop of the width, what is left one by one. */
#define BITUNPACK(bits)                                                                           \
	WIDTHS_##bits(LOOP, bits)                                                                 \
	static void (*const unpack_u##bits[])(const uint8_t *, size_t, uint##bits##_t *) = {      \
		WIDTHS_##bits(LOOP_ENTRY, bits)                                                   \
	};                                                                                        \
	void bitunpack_u##bits(const uint8_t *in, size_t count, unsigned width,                   \
			       uint##bits##_t *out)                                               \
	{                                                                                         \
		size_t i = count & ~(size_t)7;                                                    \
                                                                                                  \
		if (width == 0) {                                                                 \
			memset(out, 0, count * sizeof(*out));                                     \
			return;                                                                   \
		}                                                                                 \
		unpack_u##bits[width](in, count / 8, out);                                        \
		for (; i < count; i++) {                                                          \
			out[i] = (uint##bits##_t)cut(in, i * width, width);                       \
		}                                                                                 \
	}
/* clang-format on */

BITUNPACK(8)
BITUNPACK(16)
BITUNPACK(32)
BITUNPACK(64)
