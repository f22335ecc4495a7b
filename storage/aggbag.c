/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/aggbag.h"

#include <string.h>

#include <glib.h>

#include "storage/byteorder.h"
#include "storage/keytable.h"

/* How far ahead of adding slots are brought into the cache. */
#define AHEAD 8

struct aggbag {
	struct agglayout layout;
	size_t counter_count;
	struct keytable table;
};

struct aggbag *aggbag_new(const struct agglayout *layout)
{
	struct aggbag *bag = g_new0(struct aggbag, 1);

	bag->layout = *layout;
	bag->counter_count = layout->count - layout->key_count;
	keytable_init(&bag->table, layout->key_bytes, bag->counter_count * sizeof(uint64_t));
	return bag;
}

void aggbag_free(struct aggbag *bag)
{
	if (!bag) {
		return;
	}
	keytable_release(&bag->table);
	g_free(bag);
}

const struct agglayout *aggbag_layout(const struct aggbag *bag)
{
	return &bag->layout;
}

size_t aggbag_stride(const struct aggbag *bag)
{
	return keytable_padded(bag->layout.key_bytes);
}

static uint64_t *row_counters(const struct aggbag *bag, uint8_t *row)
{
	return (uint64_t *)(void *)(row + aggbag_stride(bag));
}

static void add_padded(struct aggbag *bag, const uint8_t *key, uint32_t hash,
		       const uint64_t *counters)
{
	bool added;
	uint64_t *sums = row_counters(bag, keytable_find(&bag->table, key, hash, &added));

	for (size_t i = 0; i < bag->counter_count; i++) {
		uint64_t sum = sums[i] + counters[i];

		sums[i] = sum < counters[i] ? UINT64_MAX : sum;
	}
}

static void pad(const struct aggbag *bag, uint8_t *to, const uint8_t *key)
{
	memset(to, 0, aggbag_stride(bag));
	memcpy(to, key, bag->layout.key_bytes);
}

void aggbag_add(struct aggbag *bag, const uint8_t *key, const uint64_t *counters)
{
	uint8_t padded[AGGBAG_KEY_MAX];

	pad(bag, padded, key);
	add_padded(bag, padded, keytable_hash(&bag->table, padded), counters);
}

void aggbag_add_many(struct aggbag *bag, const uint8_t *keys, const uint64_t *counters,
		     size_t count)
{
	size_t stride = aggbag_stride(bag);
	uint32_t hashes[AHEAD];

	for (size_t i = 0; i < count + AHEAD; i++) {
		if (i >= AHEAD) {
			size_t at = i - AHEAD;

			add_padded(bag, keys + at * stride, hashes[at % AHEAD],
				   counters + at * bag->counter_count);
		}
		if (i < count) {
			hashes[i % AHEAD] = keytable_hash(&bag->table, keys + i * stride);
			keytable_prefetch(&bag->table, hashes[i % AHEAD]);
		}
	}
}

uint64_t *aggbag_find(const struct aggbag *bag, const uint8_t *key)
{
	uint8_t padded[AGGBAG_KEY_MAX];
	uint8_t *row;

	pad(bag, padded, key);
	row = keytable_look_up(&bag->table, padded, keytable_hash(&bag->table, padded));
	return row ? row_counters(bag, row) : NULL;
}

/* --- walking --- */

/* The first bytes of a key decide most comparisons without a look at the row. */
struct aggbag_place {
	uint64_t prefix;
	uint32_t row;
};

static int compare_places(const void *a, const void *b, void *arg)
{
	const struct aggbag *bag = arg;
	const struct aggbag_place *one = a;
	const struct aggbag_place *two = b;

	if (one->prefix != two->prefix) {
		return one->prefix < two->prefix ? -1 : 1;
	}
	return memcmp(keytable_row(&bag->table, one->row), keytable_row(&bag->table, two->row),
		      aggbag_stride(bag));
}

void aggbag_first(const struct aggbag *bag, struct aggbag_cursor *cursor)
{
	*cursor = (struct aggbag_cursor){ .bag = bag, .count = bag->table.count };
	cursor->order = g_new(struct aggbag_place, cursor->count + 1);
	for (uint32_t i = 0; i < bag->table.count; i++) {
		const uint8_t *row = keytable_row(&bag->table, i);

		cursor->order[i].row = i;
		cursor->order[i].prefix = aggbag_stride(bag) ? load64_be(row) : 0;
	}
	g_qsort_with_data(cursor->order, (gint)cursor->count, sizeof(*cursor->order),
			  compare_places, (gpointer)bag);
}

void aggbag_cursor_release(struct aggbag_cursor *cursor)
{
	g_free(cursor->order);
	cursor->order = NULL;
}

static bool any_counter(const struct aggbag_cursor *cursor)
{
	for (size_t i = 0; i < cursor->bag->counter_count; i++) {
		if (cursor->counters[i]) {
			return true;
		}
	}
	return false;
}

bool aggbag_next(struct aggbag_cursor *cursor)
{
	while (cursor->at < cursor->count) {
		uint8_t *row = keytable_row(&cursor->bag->table, cursor->order[cursor->at++].row);

		cursor->key = row;
		cursor->counters = row_counters(cursor->bag, row);
		if (any_counter(cursor)) {
			return true;
		}
	}
	aggbag_cursor_release(cursor);
	return false;
}
