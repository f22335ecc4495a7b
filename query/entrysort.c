/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entries are distributed by the first bits in which they differ, as many bits as give each value
 * some entries; each of these few is sorted by insertion, and where many are alike again.
 */
#include "query/entrysort.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>

/* No more than these are sorted by insertion. */
#define INSERTION_MAX 16
/* Entries that a value gets when all come alike often: a power of two, as its bits. */
#define VALUE_ENTRY_BITS 1
#define VALUE_BITS_MAX   11
#define VALUES_MAX       (1u << VALUE_BITS_MAX)

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

static uint64_t differing_bits(const struct sortentry *entries, size_t count)
{
	uint64_t differs = 0;

	for (size_t i = 0; i < count; i++) {
		differs |= entries[i].word ^ entries[0].word;
	}
	return differs;
}

static unsigned highest_bit(uint64_t number)
{
	return 63 - (unsigned)__builtin_clzll(number);
}

struct sortentry *entrysort(struct sortentry *entries, struct sortentry *spare, size_t count)
{
	size_t ends[VALUES_MAX];
	size_t start = 0;
	uint64_t differs;
	unsigned top, bits;

	if (count <= INSERTION_MAX) {
		insertion_sort(entries, count);
		return entries;
	}
	differs = differing_bits(entries, count);
	if (differs == 0) {
		return entries;
	}
	top = highest_bit(differs) + 1;
	bits = MIN(MIN(highest_bit(count) - VALUE_ENTRY_BITS, VALUE_BITS_MAX), top);
	distribute(entries, spare, count, top - bits, ends, (size_t)1 << bits);
	for (size_t value = 0; value < (size_t)1 << bits && top > bits; value++) {
		size_t n = ends[value] - start;

		/* few are sorted where they are */
		if (n > INSERTION_MAX &&
		    entrysort(spare + start, entries + start, n) != spare + start) {
			memcpy(spare + start, entries + start, n * sizeof(*spare));
		} else if (n <= INSERTION_MAX) {
			insertion_sort(spare + start, n);
		}
		start = ends[value];
	}
	return spare;
}

void sortroom_make(struct sortroom *room, size_t count)
{
	if (count > room->count) {
		sortroom_release(room);
		room->entries = g_new(struct sortentry, count);
		room->spare = g_new(struct sortentry, count);
		room->count = count;
	}
}

void sortroom_release(struct sortroom *room)
{
	g_free(room->entries);
	g_free(room->spare);
	*room = (struct sortroom){ 0 };
}
