/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A value can only be too large for the output if the largest one of its frame is. */
#include "storage/frames.h"

#include "storage/bitpack.h"
#include "storage/byteorder.h"
#include "storage/packed.h"
#include "storage/varint.h"

#include <assert.h>

static int too_short(struct err *err)
{
	return err_set(err, ST_EFORMAT, "a frame is too short for its values");
}

int frames_open(struct frames *frames, const uint8_t *at, const uint8_t *end, uint32_t count,
		bool delta, struct err *err)
{
	const size_t frame_count = (count + FRAME_ROWS - 1) / FRAME_ROWS;
	uint32_t sum = 0;

	assert(count > 0 && count <= ENCODE_ROWS_MAX);
	if (!varint_get(&at, end, &frames->origin) || !varint_get(&at, end, &frames->scale) ||
	    frames->scale == 0) {
		return err_set(err, ST_EFORMAT, "frames without origin and scale");
	}
	if ((size_t)(end - at) < frame_count * 2) {
		return err_set(err, ST_EFORMAT, "the lengths of the frames are cut off");
	}
	for (size_t i = 0; i < frame_count; i++, at += 2) {
		sum += load16(at, HOST_BIG_ENDIAN);
		frames->ends[i] = sum;
	}
	if (sum != (size_t)(end - at)) {
		return err_set(err, ST_EFORMAT, "frames of %u bytes in %zu", sum,
			       (size_t)(end - at));
	}
	frames->bytes = at;
	frames->count = count;
	frames->delta = delta;
	return ST_OK;
}

/* 64-bit numbers as lanes->bits wide ones. */
static int narrow(const uint64_t *numbers, uint32_t count, const struct lanes *lanes, void *out,
		  struct err *err)
{
	if (lanes->bits < 64) {
		if (lanes_u64.exceeds(numbers, count, lanes->max)) {
			return err_set(err, ST_EFORMAT, "a value is too large for its column");
		}
		lanes->narrow(out, numbers, count);
	}
	return ST_OK;
}

/* origin + scale * number, modulo the width of the output. */
static void rescale(uint64_t origin, uint64_t scale, uint32_t count, const struct lanes *lanes,
		    void *out)
{
	if (scale != 1) {
		lanes->multiply(out, count, scale);
	}
	if (origin != 0) {
		lanes->add(out, count, origin);
	}
}

/* Of any origin, scale and width, by way of 64 bits. */
static int read_wide(const struct packed *packed, uint64_t origin, uint64_t scale, uint32_t count,
		     const struct lanes *lanes, void *out, struct err *err)
{
	uint64_t wide[FRAME_ROWS];
	uint64_t *numbers = lanes->bits == 64 ? out : wide;
	int rc = packed_read(packed, count, &lanes_u64, numbers, err);

	if (rc != ST_OK) {
		return rc;
	}
	rescale(origin, scale, count, &lanes_u64, numbers);
	return narrow(numbers, count, lanes, out, err);
}

/* Numbers of the width of the output, which holds the origin too. */
static int read_narrow(const struct packed *packed, uint64_t origin, uint64_t scale, uint32_t count,
		       const struct lanes *lanes, void *out, struct err *err)
{
	const uint64_t limit = (lanes->max - origin) / scale;
	int rc = packed_read(packed, count, lanes, out, err);

	if (rc != ST_OK) {
		return rc;
	}
	/* without exceptions the width says that most frames cannot exceed it */
	if ((packed->exception_count > 0 || bitpack_mask(packed->width) > limit) &&
	    lanes->exceeds(out, count, limit)) {
		return err_set(err, ST_EFORMAT, "a value is too large for its column");
	}
	rescale(origin, scale, count, lanes, out);
	return ST_OK;
}

static int read_plain(const struct frames *frames, const uint8_t *at, const uint8_t *end,
		      uint32_t rows, uint32_t count, const struct lanes *lanes, void *out,
		      struct err *err)
{
	struct packed packed = { 0 };
	uint64_t base = 0;
	int rc;

	if (!varint_get(&at, end, &base)) {
		return too_short(err);
	}
	base = frames->origin + frames->scale * base;
	rc = packed_open(&packed, at, end, rows, err);
	if (rc != ST_OK) {
		return rc;
	}
	return (lanes->bits < 64 && packed.width <= lanes->bits && base <= lanes->max
			? read_narrow
			: read_wide)(&packed, base, frames->scale, count, lanes, out, err);
}

/* Running sums of steps, from value on. */
static void sum_up(uint64_t value, uint64_t step_base, uint64_t scale, uint32_t count,
		   uint64_t *numbers)
{
	uint64_t step = step_base * scale;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t next = value + step + numbers[i] * scale;

		numbers[i] = value;
		value = next;
	}
}

static int read_delta(const struct frames *frames, const uint8_t *at, const uint8_t *end,
		      uint32_t rows, uint32_t count, const struct lanes *lanes, void *out,
		      struct err *err)
{
	uint64_t wide[FRAME_ROWS];
	uint64_t *numbers = lanes->bits == 64 ? out : wide;
	struct packed packed = { 0 };
	uint64_t first = 0;
	uint64_t step = 0;

	if (!varint_get(&at, end, &first)) {
		return too_short(err);
	}
	if (rows > 1) {
		int rc;

		if (!varint_get(&at, end, &step)) {
			return too_short(err);
		}
		rc = packed_open(&packed, at, end, rows - 1, err);
		if (rc == ST_OK) {
			rc = packed_read(&packed, count < rows ? count : rows - 1, &lanes_u64,
					 numbers, err);
		}
		if (rc != ST_OK) {
			return rc;
		}
	} else if (at != end) {
		return err_set(err, ST_EFORMAT, "a frame is longer than its values");
	}
	if (count == rows) {
		numbers[count - 1] = 0;
	}
	sum_up(frames->origin + first * frames->scale, (uint64_t)zigzag_decode(step), frames->scale,
	       count, numbers);
	return narrow(numbers, count, lanes, out, err);
}

int frames_read(const struct frames *frames, uint32_t row, uint32_t count,
		const struct lanes *lanes, void *out, struct err *err)
{
	const uint32_t frame = row / FRAME_ROWS;
	const uint32_t left = frames->count - row;
	const uint32_t rows = left < FRAME_ROWS ? left : FRAME_ROWS;
	const uint8_t *at = frames->bytes + (frame == 0 ? 0 : frames->ends[frame - 1]);
	const uint8_t *end = frames->bytes + frames->ends[frame];

	assert(row % FRAME_ROWS == 0 && row < frames->count && count <= rows);
	if (count == 0) {
		return ST_OK;
	}
	return (frames->delta ? read_delta : read_plain)(frames, at, end, rows, count, lanes, out,
							 err);
}
