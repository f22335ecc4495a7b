/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A radix sort by 11 bits at a time: three passes over 4 bytes an address, no comparisons. */
#include "storage/gather4.h"

#include <glib.h>
#include <string.h>

#define FIRST_CAPACITY 1024u
#define PASSES         3u
#define DIGIT_BITS     11u
#define DIGITS         (1u << DIGIT_BITS)
#define SMALL          64u /* sorted by insertion */

struct gather4 *gather4_new(void)
{
	struct gather4 *gather = g_new0(struct gather4, 1);

	/* address 0 belongs into the first entry and has not been seen; 1 belongs elsewhere */
	gather->recent[0] = 1;
	gather->limit = GATHER4_ROOM_MIN;
	return gather;
}

void gather4_free(struct gather4 *gather)
{
	if (gather) {
		g_free(gather->addresses);
		g_free(gather);
	}
}

bool gather4_grow(struct gather4 *gather)
{
	if (gather->capacity >= gather->limit) {
		return false;
	}
	gather->capacity = MIN(MAX(gather->capacity * 2, FIRST_CAPACITY), gather->limit);
	gather->addresses = g_renew(uint32_t, gather->addresses, gather->capacity);
	return true;
}

static void sort_small(uint32_t *addresses, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		uint32_t address = addresses[i];
		size_t j = i;

		for (; j > 0 && addresses[j - 1] > address; j--) {
			addresses[j] = addresses[j - 1];
		}
		addresses[j] = address;
	}
}

/* One stable pass, by the digit at shift. */
static void sort_pass(const uint32_t *from, uint32_t *to, size_t count, size_t *places,
		      unsigned shift)
{
	size_t place = 0;

	for (unsigned digit = 0; digit < DIGITS; digit++) {
		size_t many = places[digit];

		places[digit] = place;
		place += many;
	}
	for (size_t i = 0; i < count; i++) {
		to[places[from[i] >> shift & (DIGITS - 1)]++] = from[i];
	}
}

static bool is_sorted(const uint32_t *addresses, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (addresses[i - 1] > addresses[i]) {
			return false;
		}
	}
	return true;
}

static void sort_large(struct gather4 *gather)
{
	uint32_t *other = g_new(uint32_t, gather->capacity);
	size_t(*places)[DIGITS] = g_malloc0(sizeof(size_t) * PASSES * DIGITS);

	for (size_t i = 0; i < gather->count; i++) {
		for (unsigned pass = 0; pass < PASSES; pass++) {
			places[pass][gather->addresses[i] >> (pass * DIGIT_BITS) & (DIGITS - 1)]++;
		}
	}
	for (unsigned pass = 0; pass < PASSES; pass++) {
		uint32_t *sorted = other;

		sort_pass(gather->addresses, sorted, gather->count, places[pass],
			  pass * DIGIT_BITS);
		other = gather->addresses;
		gather->addresses = sorted;
	}
	g_free(places);
	g_free(other);
}

const uint32_t *gather4_sort(struct gather4 *gather, size_t *count)
{
	size_t kept = 0;

	if (gather->count < SMALL) {
		sort_small(gather->addresses, gather->count);
	} else if (!is_sorted(gather->addresses, gather->count)) {
		sort_large(gather);
	}
	for (size_t i = 0; i < gather->count; i++) {
		if (!kept || gather->addresses[kept - 1] != gather->addresses[i]) {
			gather->addresses[kept++] = gather->addresses[i];
		}
	}
	gather->count = kept;
	*count = kept;
	return gather->addresses;
}

void gather4_clear(struct gather4 *gather, size_t room)
{
	gather->count = 0;
	gather->limit = MAX(room, GATHER4_ROOM_MIN);
}
