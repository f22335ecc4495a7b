/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/hashset.h"

#include <glib.h>
#include <string.h>

#define SLOTS_MIN 256u

/* The slot that holds hash, or the free one where it belongs. Half of the slots are free. */
static uint64_t *find_slot(const struct hashset *set, uint64_t hash)
{
	size_t mask = set->slot_count - 1;
	size_t i = hash & mask;

	while (set->slots[i] != 0 && set->slots[i] != hash) {
		i = (i + 1) & mask;
	}
	return &set->slots[i];
}

static void grow(struct hashset *set)
{
	set->slot_count = MAX(2 * set->slot_count, SLOTS_MIN);
	g_free(set->slots);
	set->slots = g_new0(uint64_t, set->slot_count);
	set->values = g_renew(uint64_t, set->values, set->slot_count / 2);
	for (size_t i = 0; i < set->count; i++) {
		if (set->values[i] != 0) {
			*find_slot(set, set->values[i]) = set->values[i];
		}
	}
}

void hashset_add(struct hashset *set, uint64_t hash)
{
	if (set->count >= set->slot_count / 2) {
		grow(set);
	}
	if (hash == 0) {
		if (set->has_zero) {
			return;
		}
		set->has_zero = true;
	} else {
		uint64_t *slot = find_slot(set, hash);

		if (*slot == hash) {
			return;
		}
		*slot = hash;
	}
	set->values[set->count++] = hash;
}

void hashset_clear(struct hashset *set)
{
	if (set->slots != NULL) {
		memset(set->slots, 0, set->slot_count * sizeof(*set->slots));
	}
	set->count = 0;
	set->has_zero = false;
}

void hashset_release(struct hashset *set)
{
	g_free(set->values);
	g_free(set->slots);
	*set = (struct hashset){ 0 };
}
