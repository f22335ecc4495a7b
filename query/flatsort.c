/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/flatsort.h"

#include <string.h>

#include <glib.h>

#include "query/keysort.h"
#include "query/rowword.h"

struct flatsort {
	size_t key_size;
	size_t row_size;
	bool reverse;
	const uint8_t *rows;
	struct sortroom room;
	uint8_t *differs; /* by byte of the key: the bits in which some keys differ */
};

struct flatsort *flatsort_new(size_t key_size, size_t row_size, bool reverse)
{
	struct flatsort *sort = g_new0(struct flatsort, 1);

	sort->key_size = key_size;
	sort->row_size = row_size;
	sort->reverse = reverse;
	sort->differs = g_malloc(key_size);
	return sort;
}

void flatsort_free(struct flatsort *sort)
{
	if (sort) {
		sortroom_release(&sort->room);
		g_free(sort->differs);
		g_free(sort);
	}
}

static const uint8_t *key_of(const struct flatsort *sort, const struct sortentry *entry)
{
	return sort->rows + entry->row * sort->row_size;
}

/* ---- of struct keysort ---- */

static size_t fill(void *arg, struct sortentry *entries, size_t count, size_t from)
{
	const struct flatsort *sort = arg;
	const uint64_t flip = sort->reverse ? UINT64_MAX : 0;
	const uint8_t *first = key_of(sort, entries);
	struct rowword word;
	size_t behind;

	memset(sort->differs + from, 0, sort->key_size - from);
	for (size_t i = 1; i < count; i++) {
		rowword_note(first, key_of(sort, &entries[i]), from, sort->key_size, sort->differs);
	}
	behind = rowword_choose(&word, sort->differs, from, sort->key_size);
	if (word.run_count == 0) {
		return KEYSORT_END;
	}
	for (size_t i = 0; i < count; i++) {
		entries[i].word = flip ^ rowword_load(&word, key_of(sort, &entries[i]));
	}
	return behind == sort->key_size ? KEYSORT_END : behind;
}

static void sort_few(void *arg, struct sortentry *entries, size_t count, size_t from)
{
	const struct flatsort *sort = arg;
	const size_t bytes = sort->key_size - from;

	for (size_t i = 1; i < count; i++) {
		struct sortentry entry = entries[i];
		const uint8_t *key = key_of(sort, &entry) + from;
		size_t at = i;

		while (at > 0) {
			int order = memcmp(key, key_of(sort, &entries[at - 1]) + from, bytes);

			if (sort->reverse ? order <= 0 : order >= 0) {
				break;
			}
			entries[at] = entries[at - 1];
			at--;
		}
		entries[at] = entry;
	}
}

const struct sortentry *flatsort_run(struct flatsort *sort, const uint8_t *rows, size_t count)
{
	const struct keysort keysort = { .arg = sort, .fill = fill, .few = sort_few };
	struct sortentry *entries;

	sortroom_make(&sort->room, count);
	entries = sort->room.entries;
	sort->rows = rows;
	for (size_t i = 0; i < count; i++) {
		entries[i] = (struct sortentry){ .row = i };
	}
	if (count < 2) {
		return entries;
	}
	return keysort_run(&keysort, entries, sort->room.spare, count,
			   fill(sort, entries, count, 0));
}
