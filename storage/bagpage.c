/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/bagpage.h"

#include <string.h>

#include <glib.h>

#define LOG2_MIN   2
#define WORD_COUNT (BAGPAGE_KEYS / 64)

static void allocate(struct bagpage *page, unsigned log2)
{
	size_t slots = (size_t)1 << log2;
	size_t key_bytes = log2 == BAGPAGE_ARRAY_LOG2 ? 0 : sizeof(uint16_t);

	page->counters = g_malloc(slots * (sizeof(uint64_t) + key_bytes));
	memset(page->counters, 0, slots * sizeof(uint64_t));
	page->log2 = (uint8_t)log2;
}

void bagpage_make_array(struct bagpage *page)
{
	allocate(page, BAGPAGE_ARRAY_LOG2);
}

void bagpage_release(struct bagpage *page)
{
	g_free(page->counters);
	*page = (struct bagpage){ 0 };
}

static void put_key(struct bagpage *page, uint32_t slot, uint16_t key)
{
	if (page->log2 != BAGPAGE_ARRAY_LOG2) {
		((uint16_t *)bagpage_keys(page))[slot] = key;
	}
}

/* Twice the slots. */
static void grow(struct bagpage *page)
{
	struct bagpage old = *page;
	const uint16_t *keys;

	if (!old.counters) {
		allocate(page, LOG2_MIN);
		return;
	}
	keys = bagpage_keys(&old);
	allocate(page, old.log2 + 1u);
	for (uint32_t i = 0; i < UINT32_C(1) << old.log2; i++) {
		if (old.counters[i]) {
			uint32_t slot = bagpage_slot(page, keys[i]);

			page->counters[slot] = old.counters[i];
			put_key(page, slot, keys[i]);
		}
	}
	g_free(old.counters);
}

/* A free slot is always left, so that searches end. */
static uint32_t room(const struct bagpage *page)
{
	uint32_t slots = UINT32_C(1) << page->log2;

	if (!page->counters) {
		return 0;
	}
	return page->log2 == BAGPAGE_ARRAY_LOG2 ? BAGPAGE_KEYS : slots / 4 * 3;
}

uint64_t *bagpage_find(struct bagpage *page, uint16_t key)
{
	uint32_t slot = page->counters ? bagpage_slot(page, key) : 0;

	if (page->counters && page->counters[slot]) {
		return &page->counters[slot];
	}
	if (page->used >= room(page)) {
		grow(page);
		slot = bagpage_slot(page, key);
	}
	put_key(page, slot, key);
	page->used++;
	return &page->counters[slot];
}

uint64_t bagpage_get(const struct bagpage *page, uint16_t key)
{
	return page->counters ? page->counters[bagpage_slot(page, key)] : 0;
}

/* Slots behind the removed one move up where their hash allows, so that no search is cut short. */
static void close_hole(struct bagpage *page, uint32_t hole)
{
	const uint16_t *keys = bagpage_keys(page);
	uint32_t mask = (UINT32_C(1) << page->log2) - 1;

	for (uint32_t at = (hole + 1) & mask; page->counters[at]; at = (at + 1) & mask) {
		uint32_t home = bagpage_home(page, keys[at]);

		if (((at - home) & mask) >= ((at - hole) & mask)) {
			page->counters[hole] = page->counters[at];
			put_key(page, hole, keys[at]);
			hole = at;
		}
	}
	page->counters[hole] = 0;
}

void bagpage_remove(struct bagpage *page, uint16_t key)
{
	uint32_t slot = page->counters ? bagpage_slot(page, key) : 0;

	if (!page->counters || !page->counters[slot]) {
		return;
	}
	page->used--;
	if (page->log2 == BAGPAGE_ARRAY_LOG2) {
		page->counters[slot] = 0;
	} else {
		close_hole(page, slot);
	}
}

/* Keys are distinct and few against 65536, so a bitmap of them puts them in order. */
uint32_t bagpage_order(const struct bagpage *page, uint16_t *order)
{
	uint64_t words[WORD_COUNT] = { 0 };
	uint32_t count = 0;
	const uint16_t *keys;

	if (page->log2 == BAGPAGE_ARRAY_LOG2) {
		for (uint32_t i = 0; i < BAGPAGE_KEYS; i++) {
			order[count] = (uint16_t)i;
			count += page->counters[i] != 0;
		}
		return count;
	}
	if (!page->used) {
		return 0;
	}
	keys = bagpage_keys(page);
	for (uint32_t i = 0; i < UINT32_C(1) << page->log2; i++) {
		if (page->counters[i]) {
			words[keys[i] / 64] |= UINT64_C(1) << (keys[i] % 64);
		}
	}
	for (uint32_t i = 0; i < WORD_COUNT; i++) {
		for (uint64_t word = words[i]; word; word &= word - 1) {
			order[count++] = (uint16_t)(i * 64 + (uint32_t)__builtin_ctzll(word));
		}
	}
	return count;
}
