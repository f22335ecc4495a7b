/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many bits are set, without an instruction for it, which not every processor has. */
#ifndef TUSSAH_COMMON_BITCOUNT_H
#define TUSSAH_COMMON_BITCOUNT_H

#include <stddef.h>
#include <stdint.h>

#define BITCOUNT_BITMAP_BYTES 32

static inline unsigned bitcount_64(uint64_t word)
{
	word -= word >> 1 & UINT64_C(0x5555555555555555);
	word = (word & UINT64_C(0x3333333333333333)) + (word >> 2 & UINT64_C(0x3333333333333333));
	word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return (unsigned)(word * UINT64_C(0x0101010101010101) >> 56);
}

/* In bitmaps of 256 bits that begin at at and every stride bytes from there on; of any alignment. */
uint64_t bitcount_bitmaps(const uint8_t *at, size_t count, size_t stride);

#endif
