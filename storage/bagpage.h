/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A page of a bag: the counters of the keys that share their upper 16 bits. A hash table of lower
 * halves by linear probing, or, once that would be larger, an array with a place for each. A
 * counter of 0 marks a free place. A zeroed page is empty.
 */
#ifndef TUSSAH_STORAGE_BAGPAGE_H
#define TUSSAH_STORAGE_BAGPAGE_H

#include <stdint.h>

#define BAGPAGE_KEYS 65536u

struct bagpage {
	uint64_t *counters; /* then, of a hash table, the keys of the slots */
	uint32_t used;
	uint8_t log2; /* of the number of slots; 16: an array */
};

#define BAGPAGE_ARRAY_LOG2 16

static inline const uint16_t *bagpage_keys(const struct bagpage *page)
{
	return (const uint16_t *)(page->counters + (UINT32_C(1) << page->log2));
}

/* Where the search for a key begins. */
static inline uint32_t bagpage_home(const struct bagpage *page, uint16_t key)
{
	return (uint16_t)(key * 40503u) >> (16 - page->log2);
}

/* Where the counter of a key is or would be, in a page that is not empty. */
static inline uint32_t bagpage_slot(const struct bagpage *page, uint16_t key)
{
	const uint16_t *keys = bagpage_keys(page);
	uint32_t mask = (UINT32_C(1) << page->log2) - 1;
	uint32_t at = bagpage_home(page, key);

	if (page->log2 == BAGPAGE_ARRAY_LOG2) {
		return key;
	}
	while (page->counters[at] && keys[at] != key) {
		at = (at + 1) & mask;
	}
	return at;
}

/* Make an array of an empty page at once, for keys of 16 bits. */
void bagpage_make_array(struct bagpage *page);
void bagpage_release(struct bagpage *page);

/* The counter of key, 0 when new; the caller makes it more than 0 before the next call. */
uint64_t *bagpage_find(struct bagpage *page, uint16_t key);
uint64_t bagpage_get(const struct bagpage *page, uint16_t key);
void bagpage_remove(struct bagpage *page, uint16_t key);

/* The keys, ascending; returns how many. order holds BAGPAGE_KEYS. */
uint32_t bagpage_order(const struct bagpage *page, uint16_t *order);

#endif
