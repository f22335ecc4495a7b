/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Many entries are distributed by their first bits until what is left of them fits the cache; there
 * they are distributed by one digit after the other, the last one first; few are merged.
 */
#include "query/entrysort.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>

/* Fewer entries than this are merged, more are distributed. */
#define RADIX_MIN 256
/* So many, with as much room to spare, fit the cache. */
#define CACHED_MAX (1u << 14)
/* Bits of a digit in the cache, and of the first ones. */
#define DIGIT_BITS   8
#define DIGIT_VALUES (1u << DIGIT_BITS)
#define FIRST_BITS   11
#define FIRST_VALUES (1u << FIRST_BITS)
/* Merging starts from runs of this length made by insertion. */
#define RUN 12

static void insertion_sort(struct sortentry *entries, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct sortentry entry = entries[i];
		size_t at = i;

		while (at > 0 && entries[at - 1].word > entry.word) {
			entries[at] = entries[at - 1];
			at--;
		}
		entries[at] = entry;
	}
}

static void merge_entries(const struct sortentry *left, const struct sortentry *middle,
			  const struct sortentry *end, struct sortentry *out)
{
	const struct sortentry *right = middle;

	while (left < middle && right < end) {
		*out++ = left->word <= right->word ? *left++ : *right++;
	}
	memcpy(out, left, (size_t)(middle - left) * sizeof(*out));
	memcpy(out + (middle - left), right, (size_t)(end - right) * sizeof(*out));
}

/* Returns the array that holds the result, one of the two. */
static struct sortentry *merge_sort(struct sortentry *from, struct sortentry *to, size_t count)
{
	for (size_t i = 0; i < count; i += RUN) {
		insertion_sort(from + i, MIN(RUN, count - i));
	}
	for (size_t width = RUN; width < count; width *= 2) {
		struct sortentry *swap = from;

		for (size_t i = 0; i < count; i += 2 * width) {
			size_t middle = MIN(i + width, count);
			size_t end = MIN(i + 2 * width, count);

			merge_entries(from + i, from + middle, from + end, to + i);
		}
		from = to;
		to = swap;
	}
	return from;
}

/* By values digits from the bit shift on; places end up as the ends of their entries in to. */
static void distribute(const struct sortentry *from, struct sortentry *to, size_t count,
		       unsigned shift, size_t *places, size_t values)
{
	size_t at = 0;

	memset(places, 0, values * sizeof(*places));
	for (size_t i = 0; i < count; i++) {
		places[from[i].word >> shift & (values - 1)]++;
	}
	for (size_t value = 0; value < values; value++) {
		size_t n = places[value];

		places[value] = at;
		at += n;
	}
	for (size_t i = 0; i < count; i++) {
		to[places[from[i].word >> shift & (values - 1)]++] = from[i];
	}
}

/* By each digit in which words differ, the last one first. Returns the array with the result. */
static struct sortentry *sort_digits(struct sortentry *from, struct sortentry *to, size_t count,
				     uint64_t differs)
{
	size_t places[DIGIT_VALUES];
	unsigned shift = 0;

	while (shift < 64 && differs >> shift != 0) {
		struct sortentry *swap = from;

		shift += (unsigned)__builtin_ctzll(differs >> shift);
		distribute(from, to, count, shift, places, DIGIT_VALUES);
		from = to;
		to = swap;
		shift += DIGIT_BITS;
	}
	return from;
}

static uint64_t differing_bits(const struct sortentry *entries, size_t count)
{
	uint64_t differs = 0;

	for (size_t i = 0; i < count; i++) {
		differs |= entries[i].word ^ entries[0].word;
	}
	return differs;
}

static struct sortentry *sort_cached(struct sortentry *entries, struct sortentry *spare,
				     size_t count)
{
	if (count < RADIX_MIN) {
		return merge_sort(entries, spare, count);
	}
	return sort_digits(entries, spare, count, differing_bits(entries, count));
}

/* By the first bits in which words differ; what has the same ones is next to be sorted. */
struct sortentry *entrysort(struct sortentry *entries, struct sortentry *spare, size_t count)
{
	uint64_t differs;
	unsigned top, shift;
	size_t *ends;
	size_t start = 0;

	if (count <= CACHED_MAX) {
		return sort_cached(entries, spare, count);
	}
	differs = differing_bits(entries, count);
	if (differs == 0) {
		return entries;
	}
	top = 64 - (unsigned)__builtin_clzll(differs);
	shift = top > FIRST_BITS ? top - FIRST_BITS : 0;
	ends = g_new(size_t, FIRST_VALUES);
	distribute(entries, spare, count, shift, ends, FIRST_VALUES);
	for (size_t value = 0; value < FIRST_VALUES && shift > 0; value++) {
		size_t n = ends[value] - start;
		struct sortentry *sorted =
			n > 1 ? entrysort(spare + start, entries + start, n) : spare + start;

		if (sorted != spare + start) {
			memcpy(spare + start, sorted, n * sizeof(*sorted));
		}
		start = ends[value];
	}
	g_free(ends);
	return spare;
}
