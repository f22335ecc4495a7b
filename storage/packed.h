/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packed lists (storage/FORMAT.md section 4): numbers of one width, and those that do not fit as
 * exceptions.
 *
 *	size_t bytes = packed_plan(numbers, count, base, &width);	// about
 *	packed_put(out, rest, count, width);			// rest[i] == numbers[i] - base
 *
 *	packed_open(&packed, at, end, count, err);
 *	packed_read(&packed, count, &lanes_u16, out, err);	// packed.width is at most 16
 *
 * Statuses: ST_OK or ST_EFORMAT.
 */
#ifndef TUSSAH_STORAGE_PACKED_H
#define TUSSAH_STORAGE_PACKED_H

#include <stdint.h>

#include "common/err.h"
#include "storage/encode.h"
#include "storage/lanes.h"

/* Exceptions are lists too, whose exceptions are lists, which have none. */
#define PACKED_LEVELS 3

/* A list, parsed up to its exceptions; all is borrowed. */
struct packed {
	const uint8_t *bits;
	const uint8_t *exceptions;
	const uint8_t *end;
	unsigned width;
	uint32_t count; /* of numbers */
	uint32_t exception_count;
};

/* count is at most FRAME_ROWS; the list uses up the bytes up to end, behind which there are
 * BITPACK_PADDING readable ones. */
int packed_open(struct packed *packed, const uint8_t *at, const uint8_t *end, uint32_t count,
		struct err *err);

/* The first count numbers. packed->width is at most lanes->bits; an exception that is larger than
 * lanes->max is ST_EFORMAT. */
int packed_read(const struct packed *packed, uint32_t count, const struct lanes *lanes, void *out,
		struct err *err);

/* The best width for numbers[i] - base; returns how many bytes the list will take, about. */
size_t packed_plan(const uint64_t *numbers, size_t count, uint64_t base, unsigned *width);
/* Append the list. */
void packed_put(GByteArray *out, const uint64_t *numbers, size_t count, unsigned width);

/* Bytes of a number of variable length. */
size_t varint_bytes(uint64_t value);

#endif
