/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The distinct ones of many 64-bit hashes, for the filter that is made of them.
 *
 *	struct hashset set = { 0 };
 *	hashset_add(&set, hash);
 *	... set.values[0..set.count) ...
 *	hashset_release(&set);
 */
#ifndef TUSSAH_STORAGE_HASHSET_H
#define TUSSAH_STORAGE_HASHSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hashset {
	uint64_t *values; /* in the order in which they came */
	size_t count;
	uint64_t *slots; /* 0: free */
	size_t slot_count;
	bool has_zero;
};

void hashset_add(struct hashset *set, uint64_t hash);
/* Forget all values; room for them stays. */
void hashset_clear(struct hashset *set);
void hashset_release(struct hashset *set);

#endif
