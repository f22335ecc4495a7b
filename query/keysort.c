/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/keysort.h"

#include <string.h>

/* Entries with the same word, by what follows in their keys; sorted in their place. */
static void sort_equal(const struct keysort *sort, struct sortentry *entries,
		       struct sortentry *spare, size_t count, size_t from)
{
	size_t next = sort->fill(sort->arg, entries, count, from);
	struct sortentry *sorted = keysort_run(sort, entries, spare, count, next);

	if (sorted != entries) {
		memcpy(entries, sorted, count * sizeof(*entries));
	}
}

struct sortentry *keysort_run(const struct keysort *sort, struct sortentry *entries,
			      struct sortentry *spare, size_t count, size_t next)
{
	struct sortentry *sorted = entrysort(entries, spare, count);
	struct sortentry *other = sorted == entries ? spare : entries;
	size_t end;

	for (size_t i = 0; next != KEYSORT_END && i < count; i = end) {
		for (end = i + 1; end < count && sorted[end].word == sorted[i].word; end++) {
		}
		if (end - i > 1) {
			sort_equal(sort, sorted + i, other + i, end - i, next);
		}
	}
	return sorted;
}
