/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sort numbered rows by a number each; those with equal numbers keep their order.
 *
 *	struct sortentry *sorted = entrysort(entries, spare, count);	// one of the two
 */
#ifndef TUSSAH_QUERY_ENTRYSORT_H
#define TUSSAH_QUERY_ENTRYSORT_H

#include <stddef.h>
#include <stdint.h>

struct sortentry {
	uint64_t word; /* sorted by this */
	uint64_t row;
};

/* Both arrays, of as many as were needed at once so far. Begins as { 0 }. */
struct sortroom {
	struct sortentry *entries;
	struct sortentry *spare;
	size_t count;
};
/* Room for count entries; what was in it is lost where it grows. */
void sortroom_make(struct sortroom *room, size_t count);
void sortroom_release(struct sortroom *room);

/* Both arrays have room for count entries and are overwritten; returns the one that is sorted. */
struct sortentry *entrysort(struct sortentry *entries, struct sortentry *spare, size_t count);

#endif
