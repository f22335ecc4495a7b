/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entries sorted by keys that lie elsewhere, a word of them at a time: a stable sort by the first
 * words, then each run of equal ones by the next. So keys, which lie anywhere in memory, are seldom
 * looked at.
 *
 *	struct keysort sort = { .arg = rows, .fill = fill_words };
 *	next = fill_words(rows, entries, count, 0);
 *	sorted = keysort_run(&sort, entries, spare, count, next);	// one of the two
 */
#ifndef TUSSAH_QUERY_KEYSORT_H
#define TUSSAH_QUERY_KEYSORT_H

#include "query/entrysort.h"

struct keysort {
	void *arg;
	/*
	 * Have the words of these entries tell their keys apart from byte number from on, or some of
	 * them. Returns the byte of the key from which they may differ still; KEYSORT_END: none.
	 */
	size_t (*fill)(void *arg, struct sortentry *entries, size_t count, size_t from);
	/* The key of an entry will be looked at soon. May be NULL. */
	void (*fetch)(void *arg, const struct sortentry *entry);
	/*
	 * Sort up to KEYSORT_FEW entries whose keys may differ from byte number from on, in their
	 * place, equal ones in their order. May be NULL.
	 */
	void (*few)(void *arg, struct sortentry *entries, size_t count, size_t from);
};

#define KEYSORT_FEW 8

#define KEYSORT_END ((size_t)-1)

/*
 * Entries that have their words; next: as fill() has returned it. Both arrays have room for count
 * entries and are overwritten; returns the one that is sorted. Threads: any number, of other entries.
 */
struct sortentry *keysort_run(const struct keysort *sort, struct sortentry *entries,
			      struct sortentry *spare, size_t count, size_t next);

#endif
