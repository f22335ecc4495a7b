/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/keysort.h"

#include <string.h>

/* Entries are told of so long before their turn. */
#define AHEAD 16

/* Entries with the same word, by what follows in their keys; sorted in their place. */
static void sort_equal(const struct keysort *sort, struct sortentry *entries,
		       struct sortentry *spare, size_t count, size_t from)
{
	struct sortentry *sorted;
	size_t next;

	if (sort->few && count <= KEYSORT_FEW) {
		sort->few(sort->arg, entries, count, from);
		return;
	}
	next = sort->fill(sort->arg, entries, count, from);
	sorted = keysort_run(sort, entries, spare, count, next);
	if (sorted != entries) {
		memcpy(entries, sorted, count * sizeof(*entries));
	}
}

/* Tell of entry i if it is next to one with the same word, as it will be compared further. */
static void fetch_equal(const struct keysort *sort, const struct sortentry *sorted, size_t count,
			size_t i)
{
	if (sort->fetch && i < count && sorted[i].word == sorted[i - 1].word) {
		sort->fetch(sort->arg, &sorted[i]);
	}
}

struct sortentry *keysort_run(const struct keysort *sort, struct sortentry *entries,
			      struct sortentry *spare, size_t count, size_t next)
{
	struct sortentry *sorted = entrysort(entries, spare, count);
	struct sortentry *other = sorted == entries ? spare : entries;
	size_t start = 0;

	for (size_t i = 1; next != KEYSORT_END && i <= count; i++) {
		fetch_equal(sort, sorted, count, i + AHEAD);
		if (i < count && sorted[i].word == sorted[start].word) {
			continue;
		}
		if (i - start > 1) {
			sort_equal(sort, sorted + start, other + start, i - start, next);
		}
		start = i;
	}
	return sorted;
}
