/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/encodeparts.h"

#include "storage/bitpack.h"
#include "storage/divisor.h"
#include "storage/putbytes.h"

/* Would steps take less room? A look at two frames decides for all, since rows are in order of time
 * or they are not. */
static bool is_delta_promising(const uint64_t *reduced, size_t count)
{
	const size_t middle = count / 2 / FRAME_ROWS * FRAME_ROWS;
	struct frameplan plan[2];

	if (count <= 2 * FRAME_ROWS) {
		return true;
	}
	frameplan_make(&plan[0], reduced + middle, FRAME_ROWS, 0, 1, false);
	frameplan_make(&plan[1], reduced + middle, FRAME_ROWS, 0, 1, true);
	return plan[1].bytes < plan[0].bytes;
}

void plain_plan_reduced(struct plain *plain, const uint64_t *reduced, size_t count, uint64_t origin,
			uint64_t scale)
{
	struct frameplan delta;

	plain->is_constant = false;
	frameplan_make(&plain->frames, reduced, count, origin, scale, false);
	if (is_delta_promising(reduced, count)) {
		frameplan_make(&delta, reduced, count, origin, scale, true);
		if (delta.bytes < plain->frames.bytes) {
			plain->frames = delta;
		}
	}
	plain->bytes = plain->frames.bytes;
}

/* The least value and the scale; reduced is filled. False: all values are one, and plain is done.
 */
static bool reduce(struct plain *plain, const uint64_t *values, size_t count, uint64_t *reduced,
		   uint64_t *origin, uint64_t *scale)
{
	uint64_t min = values[0];
	uint64_t max = values[0];
	struct divisor divisor;

	for (size_t i = 1; i < count; i++) {
		min = values[i] < min ? values[i] : min;
		max = values[i] > max ? values[i] : max;
	}
	if (min == max) {
		plain->is_constant = true;
		plain->constant = min;
		plain->bytes = 1 + varint_bytes(min);
		return false;
	}
	divisor = divisor_of(divisor_common(values, count, min));
	if (divisor.number == 1) {
		for (size_t i = 0; i < count; i++) {
			reduced[i] = values[i] - min;
		}
	} else {
		for (size_t i = 0; i < count; i++) {
			reduced[i] = divisor_quotient(&divisor, values[i] - min);
		}
	}
	*origin = min;
	*scale = divisor.number;
	return true;
}

void plain_plan(struct plain *plain, const uint64_t *values, size_t count, uint64_t *reduced)
{
	uint64_t origin;
	uint64_t scale;

	if (reduce(plain, values, count, reduced, &origin, &scale)) {
		plain_plan_reduced(plain, reduced, count, origin, scale);
	}
}

void plain_plan_quick(struct plain *plain, const uint64_t *values, size_t count, uint64_t *reduced)
{
	uint64_t origin;
	uint64_t scale;

	if (reduce(plain, values, count, reduced, &origin, &scale)) {
		plain->is_constant = false;
		frameplan_make_quick(&plain->frames, reduced, count, origin, scale);
		plain->bytes = plain->frames.bytes;
	}
}

void plain_put(const struct plain *plain, GByteArray *out)
{
	if (plain->is_constant) {
		put_byte(out, ENCODING_CONSTANT);
		put_varint(out, plain->constant);
	} else {
		frameplan_put(&plain->frames, out);
	}
}

void plain_put_with_length(const struct plain *plain, GByteArray *part, GByteArray *out)
{
	g_byte_array_set_size(part, 0);
	plain_put(plain, part);
	put_varint(out, part->len);
	g_byte_array_append(out, part->data, part->len);
}
