/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/rowsort.h"

#include <string.h>

#include <glib.h>

#include "query/keysort.h"
#include "query/rowword.h"

/* Rows that are fetched into the cache before their turn, as they lie anywhere in memory. */
#define AHEAD 16

struct rowsort {
	const struct rowstore *store;
	size_t key_size;
	bool reverse;
	struct sortroom room; /* entries: those that were sorted last */
	size_t count;
	uint8_t *first;   /* a key that others are compared with */
	uint8_t *differs; /* by byte of the key: the bits in which they differ */
	uint8_t *row;     /* the one looked at */
	uint8_t *few;     /* KEYSORT_FEW of them */
	size_t key_room;  /* of each */
};

struct rowsort *rowsort_new(const struct rowstore *store, size_t row_size, size_t key_size,
			    bool reverse)
{
	struct rowsort *sort = g_new0(struct rowsort, 1);

	sort->store = store;
	sort->key_size = key_size;
	sort->reverse = reverse;
	sort->first = g_malloc(row_size + ROWFORM_SLACK);
	sort->differs = g_malloc(key_size);
	sort->row = g_malloc(row_size + ROWFORM_SLACK);
	sort->key_room = row_size + ROWFORM_SLACK;
	sort->few = g_malloc(KEYSORT_FEW * sort->key_room);
	return sort;
}

void rowsort_free(struct rowsort *sort)
{
	if (sort) {
		sortroom_release(&sort->room);
		g_free(sort->first);
		g_free(sort->differs);
		g_free(sort->row);
		g_free(sort->few);
		g_free(sort);
	}
}

size_t rowsort_count(const struct rowsort *sort)
{
	return sort->count;
}

/* Bytes begin..end-1 of the row of an entry, in sort->row; rows lie anywhere in memory. */
static void look_at(const struct rowsort *sort, const struct sortentry *entries, size_t count,
		    size_t i, size_t begin, size_t end)
{
	if (i + AHEAD < count) {
		rowstore_fetch(sort->store, entries[i + AHEAD].row);
	}
	rowstore_get(sort->store, entries[i].row, begin, end, sort->row);
}

/*
 * The first bytes in which the keys of these entries differ, from byte number from on; often few
 * do. Returns the number of the byte behind them.
 */
static size_t choose_word(const struct rowsort *sort, const struct sortentry *entries, size_t count,
			  size_t from, struct rowword *word)
{
	memset(sort->differs + from, 0, sort->key_size - from);
	rowstore_get(sort->store, entries[0].row, from, sort->key_size, sort->first);
	for (size_t i = 1; i < count; i++) {
		look_at(sort, entries, count, i, from, sort->key_size);
		rowword_note(sort->first, sort->row, from, sort->key_size, sort->differs);
	}
	return rowword_choose(word, sort->differs, from, sort->key_size);
}

/* Fill in the words of all entries. */
static void fill_words(const struct rowsort *sort, struct sortentry *entries, size_t count,
		       const struct rowword *word)
{
	uint64_t flip = sort->reverse ? UINT64_MAX : 0;

	for (size_t i = 0; i < count; i++) {
		look_at(sort, entries, count, i, word->begin, word->end);
		entries[i].word = flip ^ rowword_load(word, sort->row);
	}
}

/* ---- of struct keysort ---- */

static void fetch(void *arg, const struct sortentry *entry)
{
	const struct rowsort *sort = arg;

	rowstore_fetch(sort->store, entry->row);
}

/* The keys are compared as they are. */
static void sort_few(void *arg, struct sortentry *entries, size_t count, size_t from)
{
	const struct rowsort *sort = arg;
	const size_t bytes = sort->key_size - from;
	const uint8_t *keys[KEYSORT_FEW];

	for (size_t i = 0; i < count; i++) {
		struct sortentry entry = entries[i];
		uint8_t *key = sort->few + i * sort->key_room;
		size_t at = i;

		rowstore_get(sort->store, entry.row, from, sort->key_size, key);
		while (at > 0 && (sort->reverse ? memcmp(key + from, keys[at - 1], bytes) > 0
						: memcmp(key + from, keys[at - 1], bytes) < 0)) {
			keys[at] = keys[at - 1];
			entries[at] = entries[at - 1];
			at--;
		}
		keys[at] = key + from;
		entries[at] = entry;
	}
}

/* What keysort_run() takes for the byte of keys behind a word. */
static size_t next_byte(const struct rowsort *sort, size_t behind)
{
	return behind == sort->key_size ? KEYSORT_END : behind;
}

static size_t fill(void *arg, struct sortentry *entries, size_t count, size_t from)
{
	const struct rowsort *sort = arg;
	struct rowword word;
	size_t behind = choose_word(sort, entries, count, from, &word);

	if (word.run_count == 0) {
		return KEYSORT_END;
	}
	fill_words(sort, entries, count, &word);
	return next_byte(sort, behind);
}

void rowsort_run(struct rowsort *sort, const struct rowbuckets *buckets, size_t bucket)
{
	const struct keysort keysort = { sort, fill, fetch, sort_few };
	size_t next = next_byte(sort, rowbuckets_behind_word(buckets));

	sort->count = rowbuckets_rows(buckets, bucket);
	sortroom_make(&sort->room, sort->count);
	rowbuckets_list(buckets, bucket, sort->room.entries);
	if (sort->count > 1 && keysort_run(&keysort, sort->room.entries, sort->room.spare,
					   sort->count, next) != sort->room.entries) {
		struct sortentry *swap = sort->room.entries;

		sort->room.entries = sort->room.spare;
		sort->room.spare = swap;
	}
}

void rowsort_get(const struct rowsort *sort, size_t i, size_t from, uint8_t *to)
{
	if (i + AHEAD < sort->count) {
		rowstore_fetch(sort->store, sort->room.entries[i + AHEAD].row);
	}
	rowstore_get_end(sort->store, sort->room.entries[i].row, from, to);
}
