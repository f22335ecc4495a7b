/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Loops run over pieces of a constant number of values, so that the compiler makes vector code of
 * them, and then over what is left.
 */
#include "storage/lanes.h"

#include "storage/bitpack.h"

#define PIECE      32
#define LONG_PIECE 128 /* for what has to be put together at the end of each */

/* clang-format off */
#define LANES(bits_)                                                                              \
	static void unpack_u##bits_(const uint8_t *in, size_t count, unsigned width, void *out)   \
	{                                                                                         \
		bitunpack_u##bits_(in, count, width, out);                                        \
	}                                                                                         \
                                                                                                  \
	static void fill_u##bits_(void *out, size_t count, uint64_t value)                        \
	{                                                                                         \
		uint##bits_##_t *to = out;                                                        \
                                                                                                  \
		for (; count >= PIECE; count -= PIECE, to += PIECE) {                             \
			for (size_t i = 0; i < PIECE; i++) {                                      \
				to[i] = (uint##bits_##_t)value;                                   \
			}                                                                         \
		}                                                                                 \
		for (size_t i = 0; i < count; i++) {                                              \
			to[i] = (uint##bits_##_t)value;                                           \
		}                                                                                 \
	}                                                                                         \
                                                                                                  \
	static void add_u##bits_(void *out, size_t count, uint64_t value)                         \
	{                                                                                         \
		uint##bits_##_t *to = out;                                                        \
                                                                                                  \
		for (; count >= PIECE; count -= PIECE, to += PIECE) {                             \
			for (size_t i = 0; i < PIECE; i++) {                                      \
				to[i] = (uint##bits_##_t)(to[i] + value);                         \
			}                                                                         \
		}                                                                                 \
		for (size_t i = 0; i < count; i++) {                                              \
			to[i] = (uint##bits_##_t)(to[i] + value);                                 \
		}                                                                                 \
	}                                                                                         \
                                                                                                  \
	static void multiply_u##bits_(void *out, size_t count, uint64_t value)                         \
	{                                                                                         \
		uint##bits_##_t *to = out;                                                        \
                                                                                                  \
		for (; count >= PIECE; count -= PIECE, to += PIECE) {                             \
			for (size_t i = 0; i < PIECE; i++) {                                      \
				to[i] = (uint##bits_##_t)(to[i] * value);                         \
			}                                                                         \
		}                                                                                 \
		for (size_t i = 0; i < count; i++) {                                              \
			to[i] = (uint##bits_##_t)(to[i] * value);                                 \
		}                                                                                 \
	}                                                                                         \
                                                                                                  \
	static uint##bits_##_t over_u##bits_(const uint##bits_##_t *from, uint##bits_##_t most)   \
	{                                                                                         \
		uint##bits_##_t over = 0;                                                         \
                                                                                                  \
		for (size_t i = 0; i < LONG_PIECE; i++) {                                         \
			over |= from[i] > most;                                                   \
		}                                                                                 \
		return over;                                                                      \
	}                                                                                         \
                                                                                                  \
	static bool exceeds_u##bits_(const void *in, size_t count, uint64_t limit)                \
	{                                                                                         \
		const uint##bits_##_t *from = in;                                                 \
		const uint##bits_##_t most = (uint##bits_##_t)limit;                              \
		uint##bits_##_t over = 0;                                                         \
                                                                                                  \
		if (count >= LONG_PIECE) {                                                        \
			for (size_t i = 0; i < count - LONG_PIECE; i += LONG_PIECE) {             \
				over |= over_u##bits_(from + i, most);                            \
			}                                                                         \
			/* the last may begin among those seen before */                          \
			return (over | over_u##bits_(from + count - LONG_PIECE, most)) != 0;      \
		}                                                                                 \
		for (size_t i = 0; i < count; i++) {                                              \
			over |= from[i] > most;                                                   \
		}                                                                                 \
		return over != 0;                                                                 \
	}                                                                                         \
                                                                                                  \
	static void patch_u##bits_(void *out, size_t count, unsigned shift, const uint16_t *gaps, \
				   const uint64_t *high, size_t exceptions)                       \
	{                                                                                         \
		uint##bits_##_t *to = out;                                                        \
		size_t place = 0;                                                                 \
                                                                                                  \
		for (size_t i = 0; i < exceptions; i++, place++) {                                \
			place += gaps[i];                                                         \
			if (place >= count) {                                                     \
				break;                                                            \
			}                                                                         \
			to[place] = (uint##bits_##_t)(to[place] | high[i] << shift);              \
		}                                                                                 \
	}                                                                                         \
                                                                                                  \
	static void narrow_u##bits_(void *out, const uint64_t *in, size_t count)                  \
	{                                                                                         \
		uint##bits_##_t *to = out;                                                        \
                                                                                                  \
		for (; count >= PIECE; count -= PIECE, to += PIECE, in += PIECE) {                \
			for (size_t i = 0; i < PIECE; i++) {                                      \
				to[i] = (uint##bits_##_t)in[i];                                   \
			}                                                                         \
		}                                                                                 \
		for (size_t i = 0; i < count; i++) {                                              \
			to[i] = (uint##bits_##_t)in[i];                                           \
		}                                                                                 \
	}                                                                                         \
                                                                                                  \
	static void pick_u##bits_(void *out, const uint16_t *places, size_t count,                \
				  const uint64_t *from)                                           \
	{                                                                                         \
		uint##bits_##_t *to = out;                                                        \
		size_t i = 0;                                                                     \
                                                                                                  \
		for (; i + 4 <= count; i += 4) {                                                  \
			to[i] = (uint##bits_##_t)from[places[i]];                                 \
			to[i + 1] = (uint##bits_##_t)from[places[i + 1]];                         \
			to[i + 2] = (uint##bits_##_t)from[places[i + 2]];                         \
			to[i + 3] = (uint##bits_##_t)from[places[i + 3]];                         \
		}                                                                                 \
		for (; i < count; i++) {                                                          \
			to[i] = (uint##bits_##_t)from[places[i]];                                 \
		}                                                                                 \
	}                                                                                         \
                                                                                                  \
	const struct lanes lanes_u##bits_ = {                                                     \
		.bits = bits_,                                                                    \
		.max = UINT##bits_##_MAX,                                                         \
		.unpack = unpack_u##bits_,                                                        \
		.fill = fill_u##bits_,                                                            \
		.add = add_u##bits_,                                                              \
		.multiply = multiply_u##bits_,                                                              \
		.exceeds = exceeds_u##bits_, \
		.patch = patch_u##bits_,                                                          \
		.narrow = narrow_u##bits_,                                                        \
		.pick = pick_u##bits_,                                                            \
	};
/* clang-format on */

LANES(8)
LANES(16)
LANES(32)
LANES(64)
