/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many bits of a bitmap are set, without an instruction for it, which not every processor has,
 * and without branches, which a scattered bitmap makes guess wrong.
 */
#ifndef TUSSAH_COMMON_BITCOUNT_H
#define TUSSAH_COMMON_BITCOUNT_H

#include <stdint.h>

/* Of 256 bits. The four words are added up byte by byte before the bytes are. */
static inline unsigned bitcount_256(const uint64_t bits[4])
{
	uint64_t bytes = 0; /* up to 32 each */

	for (int i = 0; i < 4; i++) {
		uint64_t word = bits[i];

		word -= word >> 1 & UINT64_C(0x5555555555555555);
		word = (word & UINT64_C(0x3333333333333333)) +
		       (word >> 2 & UINT64_C(0x3333333333333333));
		bytes += (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	}
	bytes = (bytes & UINT64_C(0x00ff00ff00ff00ff)) +
		(bytes >> 8 & UINT64_C(0x00ff00ff00ff00ff));
	return (unsigned)(bytes * UINT64_C(0x0001000100010001) >> 48);
}

#endif
