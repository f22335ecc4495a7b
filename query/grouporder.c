/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entries that name a row of a table each are sorted by the words of the keys, those of each shape
 * by themselves, and the two runs are merged.
 */
#include "query/grouporder.h"

#include <endian.h>
#include <string.h>

#include <glib.h>

#include "common/hugeroom.h"
#include "query/entrysort.h"

/* Rows that are fetched into the cache before their turn, as they lie anywhere in memory. */
#define AHEAD 16
/* Bytes of a key that are sorted by at a time. */
#define WORD 8
/* An entry's row: the number of the table, and that of its row below. */
#define TABLE_SHIFT 32

struct run {
	struct sortentry *entries; /* hugeroom_map() */
	size_t count;
};

struct grouporder {
	const struct groupkey *key;
	struct grouptable *const *tables;
	size_t table_count;
	size_t count;
	struct sortentry *entries; /* NULL: groups come as they lie in the tables */
};

/* ---- sorting ---- */

static const uint8_t *row_of(const struct grouporder *order, const struct sortentry *entry)
{
	return keytable_row(&order->tables[entry->row >> TABLE_SHIFT]->rows, (uint32_t)entry->row);
}

/* Word number w of a padded key, as a number that ascends with it. */
static uint64_t word_of(const uint8_t *row, size_t w)
{
	uint64_t word;

	memcpy(&word, row + w * WORD, sizeof(word));
	return be64toh(word);
}

static void fill_words(const struct grouporder *order, struct sortentry *entries, size_t count,
		       size_t w)
{
	for (size_t i = 0; i < count; i++) {
		if (i + AHEAD < count) {
			__builtin_prefetch(row_of(order, &entries[i + AHEAD]) + w * WORD);
		}
		entries[i].word = word_of(row_of(order, &entries[i]), w);
	}
}

/*
 * Entries whose words are filled in from word number w of the key on, of words: sorted by that one,
 * and each run of equal ones by the next. Returns the array that holds the result.
 */
static struct sortentry *sort_words(const struct grouporder *order, struct sortentry *entries,
				    struct sortentry *spare, size_t count, size_t w, size_t words)
{
	struct sortentry *sorted = entrysort(entries, spare, count);
	struct sortentry *other = sorted == entries ? spare : entries;
	size_t end;

	for (size_t i = 0; w + 1 < words && i < count; i = end) {
		struct sortentry *part;

		for (end = i + 1; end < count && sorted[end].word == sorted[i].word; end++) {
		}
		if (end - i < 2) {
			continue;
		}
		fill_words(order, sorted + i, end - i, w + 1);
		part = sort_words(order, sorted + i, other + i, end - i, w + 1, words);
		if (part != sorted + i) {
			memcpy(sorted + i, part, (end - i) * sizeof(*part));
		}
	}
	return sorted;
}

/* The first word of what a row is sorted by. */
static uint64_t first_word(const struct grouporder *order, const struct grouptable *table,
			   uint32_t row, enum grouporder_by by, size_t first)
{
	return by == GROUPORDER_BY_FIRST ? grouptable_values(table, row)[first]
					 : word_of(keytable_row(&table->rows, row), 0);
}

static size_t count_rows(const struct grouporder *order, size_t from, size_t step)
{
	size_t rows = 0;

	for (size_t t = from; t < order->table_count; t += step) {
		rows += order->tables[t] ? order->tables[t]->rows.count : 0;
	}
	return rows;
}

static struct sortentry *room_for(size_t count)
{
	return hugeroom_map(count * sizeof(struct sortentry));
}

static void give_back(struct sortentry *entries, size_t count)
{
	hugeroom_unmap(entries, count * sizeof(*entries));
}

/* A run of every step-th table from table number from on. */
static struct run sort_run(const struct grouporder *order, size_t from, size_t step,
			   enum grouporder_by by, size_t first)
{
	struct run run = { .count = count_rows(order, from, step) };
	struct sortentry *entries = room_for(run.count);
	struct sortentry *spare = room_for(run.count);
	size_t words = 1;
	size_t at = 0;

	for (size_t t = from; t < order->table_count; t += step) {
		const struct grouptable *table = order->tables[t];

		for (uint32_t row = 0; table && row < table->rows.count; row++) {
			entries[at++] = (struct sortentry){
				.word = first_word(order, table, row, by, first),
				.row = (uint64_t)t << TABLE_SHIFT | row,
			};
		}
		if (table && by == GROUPORDER_BY_KEY) {
			words = table->rows.padded / WORD;
		}
	}
	run.entries = sort_words(order, entries, spare, run.count, 0, words);
	give_back(run.entries == entries ? spare : entries, run.count);
	return run;
}

static void widen_entry(const struct grouporder *order, const struct sortentry *entry,
			uint8_t *wide)
{
	enum groupkey_shape shape = (entry->row >> TABLE_SHIFT) % GROUPKEY_SHAPES;

	groupkey_widen(order->key, shape, row_of(order, entry), wide);
}

/* How many entries of the run, from number at on, come before the wide key; by doubling steps. */
static size_t count_before(const struct grouporder *order, const struct run *run, size_t at,
			   const uint8_t *wide)
{
	size_t size = order->key->size[GROUPKEY_WIDE];
	uint8_t other[GROUP_KEY_MAX];
	size_t low = at;
	size_t high = at;

	for (size_t step = 1; high < run->count; step *= 2) {
		widen_entry(order, &run->entries[high], other);
		if (memcmp(other, wide, size) > 0) {
			break;
		}
		low = high + 1;
		high += step;
	}
	high = MIN(high, run->count);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		widen_entry(order, &run->entries[middle], other);
		if (memcmp(other, wide, size) > 0) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return low - at;
}

/* Both runs, which are taken, as one; wide keys are few, or all there are. */
static struct sortentry *merge_runs(const struct grouporder *order, struct run *narrow,
				    struct run *wide)
{
	struct sortentry *merged;
	uint8_t key[GROUP_KEY_MAX];
	size_t at = 0;

	if (narrow->count == 0 || wide->count == 0) {
		struct run *none = narrow->count == 0 ? narrow : wide;

		give_back(none->entries, none->count);
		return none == narrow ? wide->entries : narrow->entries;
	}
	merged = room_for(order->count);
	for (size_t i = 0; i < wide->count; i++) {
		size_t before;

		widen_entry(order, &wide->entries[i], key);
		before = count_before(order, narrow, at, key);
		memcpy(merged + at + i, narrow->entries + at, before * sizeof(*merged));
		at += before;
		merged[at + i] = wide->entries[i];
	}
	memcpy(merged + at + wide->count, narrow->entries + at,
	       (narrow->count - at) * sizeof(*merged));
	give_back(narrow->entries, narrow->count);
	give_back(wide->entries, wide->count);
	return merged;
}

/* Where row number i of all tables lies, as entries have it. */
static uint64_t find_lying(const struct grouporder *order, size_t i)
{
	for (size_t t = 0; t < order->table_count; t++) {
		size_t rows = order->tables[t] ? order->tables[t]->rows.count : 0;

		if (i < rows) {
			return (uint64_t)t << TABLE_SHIFT | i;
		}
		i -= rows;
	}
	g_assert_not_reached();
}

struct grouporder *grouporder_new(const struct groupkey *key, struct grouptable *const *tables,
				  size_t count, enum grouporder_by by, size_t first)
{
	struct grouporder *order = g_new0(struct grouporder, 1);

	order->key = key;
	order->tables = tables;
	order->table_count = count;
	order->count = count_rows(order, 0, 1);
	if (by == GROUPORDER_BY_KEY && key->size[GROUPKEY_WIDE] > 0) {
		struct run narrow = sort_run(order, GROUPKEY_NARROW, GROUPKEY_SHAPES, by, first);
		struct run wide = sort_run(order, GROUPKEY_WIDE, GROUPKEY_SHAPES, by, first);

		order->entries = merge_runs(order, &narrow, &wide);
	} else if (by == GROUPORDER_BY_FIRST) {
		order->entries = sort_run(order, 0, 1, by, first).entries;
	}
	return order;
}

void grouporder_free(struct grouporder *order)
{
	if (order) {
		give_back(order->entries, order->count);
		g_free(order);
	}
}

size_t grouporder_count(const struct grouporder *order)
{
	return order->count;
}

const uint64_t *grouporder_get(const struct grouporder *order, size_t i, uint8_t *wide)
{
	struct sortentry lying = { .row = i };
	const struct sortentry *entry = order->entries ? &order->entries[i] : &lying;
	const struct grouptable *table;

	if (!order->entries) {
		lying.row = find_lying(order, i);
	} else if (i + AHEAD < order->count) {
		__builtin_prefetch(row_of(order, entry + AHEAD));
	}
	widen_entry(order, entry, wide);
	table = order->tables[entry->row >> TABLE_SHIFT];
	return grouptable_values(table, (uint32_t)entry->row);
}
