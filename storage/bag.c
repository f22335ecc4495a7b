/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/bag.h"

#include "storage/bagpage.h"
#include "storage/bagwide.h"

#include <string.h>

#include <glib.h>

#define PAGES 65536u
/* How far ahead of adding pages and slots are brought into the cache. */
#define AHEAD 8

struct bag {
	uint16_t key_type;
	uint16_t counter_type;
	struct bagpage *pages; /* PAGES; of a narrow bag */
	struct bagwide *wide;  /* of a wide one */
};

struct bag *bag_new(uint16_t key_type, uint16_t counter_type)
{
	struct bag *bag = g_new0(struct bag, 1);

	bag_set_types(bag, key_type, counter_type);
	if (bagtype_octets(bag->key_type) == 16) {
		bag->wide = bagwide_new();
		return bag;
	}
	bag->pages = g_new0(struct bagpage, PAGES);
	if (bagtype_octets(bag->key_type) == 2) {
		bagpage_make_array(&bag->pages[0]);
	}
	return bag;
}

struct bag *bag_new_like(const struct bag *bag)
{
	struct bag *like = bag_new(bag->wide ? BAGTYPE_ANY_IPV6 : BAGTYPE_CUSTOM, BAGTYPE_CUSTOM);

	bag_set_types(like, bag->key_type, bag->counter_type);
	return like;
}

static void free_pages(struct bag *bag)
{
	for (uint32_t i = 0; bag->pages && i < PAGES; i++) {
		bagpage_release(&bag->pages[i]);
	}
	g_free(bag->pages);
	bag->pages = NULL;
}

void bag_free(struct bag *bag)
{
	if (!bag) {
		return;
	}
	free_pages(bag);
	bagwide_free(bag->wide);
	g_free(bag);
}

uint16_t bag_key_type(const struct bag *bag)
{
	return bag->key_type;
}

uint16_t bag_counter_type(const struct bag *bag)
{
	return bag->counter_type;
}

void bag_set_types(struct bag *bag, uint16_t key_type, uint16_t counter_type)
{
	bag->key_type = bagtype_known(key_type);
	bag->counter_type = bagtype_known(counter_type);
}

bool bag_is_wide(const struct bag *bag)
{
	return bag->wide != NULL;
}

uint64_t bag_count(const struct bag *bag)
{
	uint64_t count = 0;

	if (bag->wide) {
		return bagwide_count(bag->wide);
	}
	for (uint32_t i = 0; i < PAGES; i++) {
		count += bag->pages[i].used;
	}
	return count;
}

/* --- changing --- */

static void widen(struct bag *bag)
{
	struct bagwide *wide = bagwide_new();
	struct bag_cursor cursor;

	bag_first(bag, &cursor);
	while (bag_next(&cursor)) {
		*bagwide_find(wide, cursor.key) = cursor.counter;
	}
	free_pages(bag);
	bag->wide = wide;
	bag->key_type = bagtype_widened(bag->key_type);
}

/* Where the counter of key is, to be made more than 0. */
static uint64_t *find(struct bag *bag, struct ip key)
{
	uint32_t number = ip_to_v4(key);

	if (!bag->wide && !ip_is_mapped(key)) {
		widen(bag);
	}
	if (bag->wide) {
		return bagwide_find(bag->wide, key);
	}
	return bagpage_find(&bag->pages[number >> 16], (uint16_t)number);
}

static bool add_to(uint64_t *counter, uint64_t more)
{
	bool fits = more <= BAG_COUNTER_MAX - *counter;

	*counter = fits ? *counter + more : BAG_COUNTER_MAX;
	return fits;
}

bool bag_add(struct bag *bag, struct ip key, uint64_t counter)
{
	return !counter || add_to(find(bag, key), counter);
}

bool bag_add_numbers(struct bag *bag, const uint32_t *keys, const uint64_t *counters, size_t count)
{
	bool fits = true;

	if (bag->wide) {
		for (size_t i = 0; i < count; i++) {
			fits = bag_add(bag, ip_from_v4(keys[i]), counters ? counters[i] : 1) &&
			       fits;
		}
		return fits;
	}
	for (size_t i = 0; i < count; i++) {
		uint64_t counter = counters ? counters[i] : 1;

		if (i + 2 * AHEAD < count) {
			__builtin_prefetch(&bag->pages[keys[i + 2 * AHEAD] >> 16]);
		}
		if (i + AHEAD < count) {
			uint32_t number = keys[i + AHEAD];
			const struct bagpage *page = &bag->pages[number >> 16];
			uint32_t home = page->log2 == BAGPAGE_ARRAY_LOG2
						? (uint16_t)number
						: bagpage_home(page, (uint16_t)number);

			if (page->counters) {
				__builtin_prefetch(&page->counters[home]);
				__builtin_prefetch(&bagpage_keys(page)[home]);
			}
		}
		if (counter) {
			fits = add_to(bagpage_find(&bag->pages[keys[i] >> 16], (uint16_t)keys[i]),
				      counter) &&
			       fits;
		}
	}
	return fits;
}

void bag_set(struct bag *bag, struct ip key, uint64_t counter)
{
	if (counter) {
		*find(bag, key) = counter;
	} else if (bag->wide) {
		bagwide_remove(bag->wide, key);
	} else if (ip_is_mapped(key)) {
		bagpage_remove(&bag->pages[ip_to_v4(key) >> 16], (uint16_t)key.lo);
	}
}

uint64_t bag_get(const struct bag *bag, struct ip key)
{
	if (bag->wide) {
		return bagwide_get(bag->wide, key);
	}
	return ip_is_mapped(key) ? bagpage_get(&bag->pages[ip_to_v4(key) >> 16], (uint16_t)key.lo)
				 : 0;
}

/* --- walking --- */

void bag_first(struct bag *bag, struct bag_cursor *cursor)
{
	*cursor = (struct bag_cursor){ .bag = bag, .page = UINT32_MAX };
	if (bag->wide) {
		cursor->walk = bagwide_walk_new(bag->wide);
	} else {
		cursor->order = g_new(uint16_t, BAGPAGE_KEYS);
	}
}

void bag_cursor_release(struct bag_cursor *cursor)
{
	bagwide_walk_free(cursor->walk);
	g_free(cursor->order);
	cursor->walk = NULL;
	cursor->order = NULL;
}

/* Go to the first key of the next page that has any. */
static bool next_page(struct bag_cursor *cursor)
{
	const struct bagpage *pages = cursor->bag->pages;

	cursor->page++;
	while (cursor->page < PAGES && !pages[cursor->page].used) {
		cursor->page++;
	}
	if (cursor->page == PAGES) {
		return false;
	}
	cursor->at = 0;
	cursor->count = bagpage_order(&pages[cursor->page], cursor->order);
	return true;
}

bool bag_next(struct bag_cursor *cursor)
{
	const struct bagpage *page;
	uint16_t key;

	if (cursor->walk) {
		if (!bagwide_walk_next(cursor->walk, &cursor->key, &cursor->counter)) {
			bag_cursor_release(cursor);
			return false;
		}
		return true;
	}
	if (cursor->at == cursor->count && !next_page(cursor)) {
		bag_cursor_release(cursor);
		return false;
	}
	page = &cursor->bag->pages[cursor->page];
	key = cursor->order[cursor->at++];
	cursor->key = ip_from_v4(cursor->page << 16 | key);
	cursor->counter = page->counters[bagpage_slot(page, key)];
	return true;
}
