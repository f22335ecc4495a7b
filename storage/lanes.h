/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Arrays of unsigned numbers in one of four widths, and what decoding does to a whole array at
 * once; decoding itself is written once for all of them.
 *
 *	const struct lanes *lanes = &lanes_u16;
 *	lanes->unpack(bytes, 1024, 11, out);			// uint16_t out[1024]
 *	lanes->add(out, 1024, 40000);
 */
#ifndef TUSSAH_STORAGE_LANES_H
#define TUSSAH_STORAGE_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lanes {
	unsigned bits; /* of one number: 8, 16, 32, 64 */
	uint64_t max;
	/* As bitunpack_u8() and its like. */
	void (*unpack)(const uint8_t *in, size_t count, unsigned width, void *out);
	void (*fill)(void *out, size_t count, uint64_t value);
	/* Modulo the width. */
	void (*add)(void *out, size_t count, uint64_t value);
	void (*multiply)(void *out, size_t count, uint64_t value);
	/* Is any of them greater than limit, which is at most max? */
	bool (*exceeds)(const void *in, size_t count, uint64_t limit);
	/* out[place] |= high[i] << shift for places that are gaps[i] behind the one before (the
	 * first: behind the beginning) and below count. */
	void (*patch)(void *out, size_t count, unsigned shift, const uint16_t *gaps,
		      const uint64_t *high, size_t exceptions);
	/* out[i] = in[i]; they fit. */
	void (*narrow)(void *out, const uint64_t *in, size_t count);
	/* out[i] = from[places[i]]; they fit. */
	void (*pick)(void *out, const uint16_t *places, size_t count, const uint64_t *from);
};

extern const struct lanes lanes_u8;
extern const struct lanes lanes_u16;
extern const struct lanes lanes_u32;
extern const struct lanes lanes_u64;

#endif
