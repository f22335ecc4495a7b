/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading checks all bounds once per list: one that lies wholly in its frame is unpacked without a
 * further look, and the greatest exception and the last one speak for all.
 */
#include "storage/packed.h"

#include "storage/bitpack.h"
#include "storage/chunk.h"
#include "storage/varint.h"

_Static_assert(CHUNK_PADDING >= BITPACK_PADDING, "unpacking stays within the padding");

/* *at moves behind the bits. level: 0 for a frame's own list, 1 for those of its exceptions, and
 * so on. */
static int level_open(struct packed *packed, const uint8_t *at, const uint8_t *end, uint32_t count,
		      unsigned level, struct err *err)
{
	uint64_t exceptions = 0;

	if (at == end) {
		return err_set(err, ST_EFORMAT, "a frame is too short for its values");
	}
	packed->width = *at++;
	if (packed->width > 64) {
		return err_set(err, ST_EFORMAT, "numbers of %u bits", packed->width);
	}
	if (!varint_get(&at, end, &exceptions) || exceptions > count ||
	    (exceptions > 0 && (packed->width == 64 || level == PACKED_LEVELS - 1))) {
		return err_set(err, ST_EFORMAT, "bad number of exceptions");
	}
	if ((size_t)(end - at) < bitpack_bytes(count, packed->width)) {
		return err_set(err, ST_EFORMAT, "a frame is too short for its values");
	}
	packed->bits = at;
	packed->exceptions = at + bitpack_bytes(count, packed->width);
	packed->end = end;
	packed->count = count;
	packed->exception_count = (uint32_t)exceptions;
	return ST_OK;
}

static int level_read(const struct packed *packed, uint32_t count, unsigned level,
		      const struct lanes *lanes, void *out, const uint8_t **end, struct err *err);

/* A list of exceptions; *at moves behind it. */
static int exceptions_read(const uint8_t **at, const uint8_t *end, uint32_t count, unsigned level,
			   const struct lanes *lanes, void *out, struct err *err)
{
	struct packed packed = { 0 };
	int rc = level_open(&packed, *at, end, count, level, err);

	if (rc == ST_OK && packed.width > lanes->bits) {
		return err_set(err, ST_EFORMAT, "exceptions of %u bits", packed.width);
	}
	return rc == ST_OK ? level_read(&packed, count, level, lanes, out, at, err) : rc;
}

/* Put the exceptions into the first count numbers, which are unpacked. *end moves from the
 * exceptions to behind them. */
static int patch(const struct packed *packed, uint32_t count, unsigned level,
		 const struct lanes *lanes, void *out, const uint8_t **end, struct err *err)
{
	const uint32_t exceptions = packed->exception_count;
	uint16_t gaps[FRAME_ROWS];
	uint64_t high[FRAME_ROWS];
	uint32_t gap_sum = 0;
	uint64_t any_high = 0;
	int rc;

	rc = exceptions_read(end, packed->end, exceptions, level + 1, &lanes_u16, gaps, err);
	if (rc == ST_OK) {
		rc = exceptions_read(end, packed->end, exceptions, level + 1, &lanes_u64, high,
				     err);
	}
	if (rc != ST_OK) {
		return rc;
	}
	for (uint32_t i = 0; i < exceptions; i++) {
		gap_sum += gaps[i];
		any_high |= high[i];
	}
	if (gap_sum > packed->count - exceptions) {
		return err_set(err, ST_EFORMAT, "an exception behind the last value");
	}
	if (any_high > lanes->max >> packed->width) {
		return err_set(err, ST_EFORMAT, "an exception is too large");
	}
	lanes->patch(out, count, packed->width, gaps, high, exceptions);
	return ST_OK;
}

/* The first count numbers; *end is set behind the list. */
static int level_read(const struct packed *packed, uint32_t count, unsigned level,
		      const struct lanes *lanes, void *out, const uint8_t **end, struct err *err)
{
	lanes->unpack(packed->bits, count, packed->width, out);
	*end = packed->exceptions;
	return packed->exception_count == 0 ? ST_OK
					    : patch(packed, count, level, lanes, out, end, err);
}

int packed_open(struct packed *packed, const uint8_t *at, const uint8_t *end, uint32_t count,
		struct err *err)
{
	return level_open(packed, at, end, count, 0, err);
}

int packed_read(const struct packed *packed, uint32_t count, const struct lanes *lanes, void *out,
		struct err *err)
{
	const uint8_t *end = NULL;
	int rc = level_read(packed, count, 0, lanes, out, &end, err);

	if (rc == ST_OK && end != packed->end) {
		return err_set(err, ST_EFORMAT, "a frame is longer than its values");
	}
	return rc;
}
