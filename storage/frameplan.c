/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/frameplan.h"

#include "storage/bitpack.h"
#include "storage/byteorder.h"
#include "storage/packed.h"
#include "storage/putbytes.h"
#include "storage/varint.h"

#include <assert.h>

static uint64_t least(const uint64_t *numbers, size_t count)
{
	uint64_t min = numbers[0];

	for (size_t i = 1; i < count; i++) {
		min = numbers[i] < min ? numbers[i] : min;
	}
	return min;
}

/* The count - 1 steps between neighbours; returns the least. */
static int64_t steps_of(const uint64_t *numbers, size_t count, uint64_t *steps)
{
	int64_t min = INT64_MAX;

	for (size_t i = 1; i < count; i++) {
		int64_t step = (int64_t)(numbers[i] - numbers[i - 1]);

		steps[i - 1] = (uint64_t)step;
		min = step < min ? step : min;
	}
	return min;
}

static size_t plan_frame(struct frameplan *plan, size_t frame, const uint64_t *numbers,
			 size_t count)
{
	uint64_t steps[FRAME_ROWS];
	int64_t step;

	if (!plan->delta) {
		uint64_t base = least(numbers, count);

		plan->frames[frame].base = base;
		return varint_bytes(base) +
		       packed_plan(numbers, count, base, &plan->frames[frame].width);
	}
	plan->frames[frame].first = numbers[0];
	if (count == 1) {
		return varint_bytes(numbers[0]);
	}
	step = steps_of(numbers, count, steps);
	plan->frames[frame].base = (uint64_t)step;
	return varint_bytes(numbers[0]) + varint_bytes(zigzag_encode(step)) +
	       packed_plan(steps, count - 1, (uint64_t)step, &plan->frames[frame].width);
}

static void begin(struct frameplan *plan, const uint64_t *numbers, size_t count, uint64_t origin,
		  uint64_t scale, bool delta)
{
	assert(count > 0 && count <= ENCODE_ROWS_MAX);
	plan->numbers = numbers;
	plan->count = count;
	plan->origin = origin;
	plan->scale = scale;
	plan->delta = delta;
	plan->bytes = 1 + varint_bytes(origin) + varint_bytes(scale);
}

void frameplan_make(struct frameplan *plan, const uint64_t *numbers, size_t count, uint64_t origin,
		    uint64_t scale, bool delta)
{
	begin(plan, numbers, count, origin, scale, delta);
	for (size_t at = 0; at < count; at += FRAME_ROWS) {
		size_t rows = MIN(count - at, FRAME_ROWS);

		plan->bytes += 2 + plan_frame(plan, at / FRAME_ROWS, numbers + at, rows);
	}
}

void frameplan_make_quick(struct frameplan *plan, const uint64_t *numbers, size_t count,
			  uint64_t origin, uint64_t scale)
{
	begin(plan, numbers, count, origin, scale, false);
	for (size_t at = 0; at < count; at += FRAME_ROWS) {
		const size_t rows = MIN(count - at, FRAME_ROWS);
		uint64_t min = numbers[at];
		uint64_t max = numbers[at];

		for (size_t i = at + 1; i < at + rows; i++) {
			min = numbers[i] < min ? numbers[i] : min;
			max = numbers[i] > max ? numbers[i] : max;
		}
		plan->frames[at / FRAME_ROWS].base = min;
		plan->frames[at / FRAME_ROWS].width = bitpack_width(max - min);
		plan->bytes += 2 + varint_bytes(min) + 2 +
			       bitpack_bytes(rows, plan->frames[at / FRAME_ROWS].width);
	}
}

static void put_frame(const struct frameplan *plan, size_t frame, const uint64_t *numbers,
		      size_t count, GByteArray *out)
{
	const uint64_t base = plan->frames[frame].base;
	const unsigned width = plan->frames[frame].width;
	uint64_t rest[FRAME_ROWS];

	if (!plan->delta) {
		put_varint(out, base);
		for (size_t i = 0; i < count; i++) {
			rest[i] = numbers[i] - base;
		}
		packed_put(out, rest, count, width);
		return;
	}
	put_varint(out, plan->frames[frame].first);
	if (count == 1) {
		return;
	}
	put_varint(out, zigzag_encode((int64_t)base));
	for (size_t i = 1; i < count; i++) {
		rest[i - 1] = numbers[i] - numbers[i - 1] - base;
	}
	packed_put(out, rest, count - 1, width);
}

void frameplan_put(const struct frameplan *plan, GByteArray *out)
{
	const size_t frames = (plan->count + FRAME_ROWS - 1) / FRAME_ROWS;
	guint lengths;

	put_byte(out, plan->delta ? ENCODING_DELTA : ENCODING_FRAMES);
	put_varint(out, plan->origin);
	put_varint(out, plan->scale);
	lengths = out->len;
	g_byte_array_set_size(out, lengths + (guint)frames * 2);
	for (size_t i = 0; i < frames; i++) {
		const size_t at = i * FRAME_ROWS;
		const guint before = out->len;

		put_frame(plan, i, plan->numbers + at, MIN(plan->count - at, FRAME_ROWS), out);
		assert(out->len - before <= UINT16_MAX);
		store16(out->data + lengths + i * 2, (uint16_t)(out->len - before),
			HOST_BIG_ENDIAN);
	}
}
