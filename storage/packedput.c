/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The width of a packed list is the one that costs least when the numbers that do not fit become
 * exceptions. What is above the width of those is a list again, of which the same is true: all
 * costs follow from how many numbers there are of each width, but for the gaps, which are taken to
 * be about even.
 */
#include "storage/packed.h"

#include "storage/bitpack.h"
#include "storage/putbytes.h"
#include "storage/varint.h"

#include <assert.h>

/* More exceptions than one of this many numbers are not looked into. */
#define EXCEPTIONS_PART 3

size_t varint_bytes(uint64_t value)
{
	return value == 0 ? 1 : (bitpack_width(value) + 6) / 7;
}

/* Numbers that are wider than w bits, for every w. */
static void count_widths(const uint64_t *numbers, size_t count, uint64_t base, uint32_t wider[65])
{
	uint32_t of_width[2][65] = { { 0 } }; /* two, to wait less for the one just written */
	size_t i = 0;

	for (; i + 2 <= count; i += 2) {
		of_width[0][bitpack_width(numbers[i] - base)]++;
		of_width[1][bitpack_width(numbers[i + 1] - base)]++;
	}
	if (i < count) {
		of_width[0][bitpack_width(numbers[i] - base)]++;
	}
	wider[64] = 0;
	for (unsigned w = 64; w-- > 0;) {
		wider[w] = wider[w + 1] + of_width[0][w + 1] + of_width[1][w + 1];
	}
}

static size_t list_bytes(size_t exceptions, size_t count, unsigned width)
{
	return 1 + varint_bytes(exceptions) + bitpack_bytes(count, width);
}

/* The best width of count numbers, wider[w] of which are wider than w bits, and none than max.
 * Returns about how many bytes the list takes. */
static size_t choose(const uint32_t *wider, unsigned max, size_t count, unsigned level,
		     unsigned *width)
{
	size_t best = list_bytes(0, count, max);

	*width = max;
	if (level == PACKED_LEVELS - 1) {
		return best;
	}
	for (unsigned w = max; w-- > 0 && wider[w] <= count / EXCEPTIONS_PART;) {
		size_t exceptions = wider[w];
		size_t bytes = list_bytes(exceptions, count, w);
		unsigned high_width;

		bytes += list_bytes(0, exceptions, bitpack_width(count / exceptions) + 1);
		if (bytes < best) {
			bytes += choose(wider + w, max - w, exceptions, level + 1, &high_width);
		}
		if (bytes < best) {
			best = bytes;
			*width = w;
		}
	}
	return best;
}

static size_t plan(const uint64_t *numbers, size_t count, uint64_t base, unsigned level,
		   unsigned *width)
{
	uint32_t wider[65];
	unsigned max = 0;

	count_widths(numbers, count, base, wider);
	while (wider[max] > 0) {
		max++;
	}
	return choose(wider, max, count, level, width);
}

size_t packed_plan(const uint64_t *numbers, size_t count, uint64_t base, unsigned *width)
{
	return plan(numbers, count, base, 0, width);
}

static void put_level(GByteArray *out, const uint64_t *numbers, size_t count, unsigned width,
		      unsigned level)
{
	uint64_t gaps[FRAME_ROWS];
	uint64_t high[FRAME_ROWS];
	size_t exceptions = 0;
	size_t next = 0; /* behind the exception before */
	size_t len = bitpack_bytes(count, width);
	guint at;

	assert(count <= FRAME_ROWS);
	for (size_t i = 0; i < count; i++) {
		if (numbers[i] > bitpack_mask(width)) {
			gaps[exceptions] = i - next;
			high[exceptions++] = numbers[i] >> width;
			next = i + 1;
		}
	}
	put_byte(out, (uint8_t)width);
	put_varint(out, exceptions);
	at = out->len;
	g_byte_array_set_size(out, at + (guint)len + BITPACK_PADDING);
	bitpack(numbers, count, width, out->data + at);
	g_byte_array_set_size(out, at + (guint)len);
	if (exceptions > 0) {
		assert(level + 1 < PACKED_LEVELS);
		plan(gaps, exceptions, 0, level + 1, &width);
		put_level(out, gaps, exceptions, width, level + 1);
		plan(high, exceptions, 0, level + 1, &width);
		put_level(out, high, exceptions, width, level + 1);
	}
}

void packed_put(GByteArray *out, const uint64_t *numbers, size_t count, unsigned width)
{
	put_level(out, numbers, count, width, 0);
}
