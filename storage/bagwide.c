/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/bagwide.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define PARTS      256
#define SLOTS_MIN  8
#define HASH_SHIFT 8 /* the lower bits choose the part */

/* A counter of 0 marks a free slot of a hash table. */
struct slot {
	struct ip key;
	uint64_t counter;
};

struct part {
	struct slot *slots;
	uint32_t size; /* slots, a power of two */
	uint32_t used;
	bool sorted; /* used slots in front, keys ascending; else a hash table */
};

struct bagwide {
	struct part parts[PARTS];
};

struct bagwide *bagwide_new(void)
{
	return g_new0(struct bagwide, 1);
}

void bagwide_free(struct bagwide *wide)
{
	if (!wide) {
		return;
	}
	for (size_t i = 0; i < PARTS; i++) {
		g_free(wide->parts[i].slots);
	}
	g_free(wide);
}

uint64_t bagwide_count(const struct bagwide *wide)
{
	uint64_t count = 0;

	for (size_t i = 0; i < PARTS; i++) {
		count += wide->parts[i].used;
	}
	return count;
}

/* --- hash tables --- */

static uint64_t hash_key(struct ip key)
{
	return XXH3_64bits(&key, sizeof(key));
}

static struct slot *find_slot(const struct part *part, struct ip key, uint64_t hash)
{
	uint32_t mask = part->size - 1;
	uint32_t at = (uint32_t)(hash >> HASH_SHIFT) & mask;

	while (part->slots[at].counter && !ip_equal(part->slots[at].key, key)) {
		at = (at + 1) & mask;
	}
	return &part->slots[at];
}

/* Make a hash table of size slots of what the part holds. */
static void rebuild(struct part *part, uint32_t size)
{
	struct slot *old = part->slots;
	uint32_t old_size = part->sorted ? part->used : part->size;

	part->slots = g_new0(struct slot, size);
	part->size = size;
	part->sorted = false;
	for (uint32_t i = 0; i < old_size; i++) {
		if (old[i].counter) {
			*find_slot(part, old[i].key, hash_key(old[i].key)) = old[i];
		}
	}
	g_free(old);
}

static struct part *part_of(struct bagwide *wide, uint64_t hash)
{
	struct part *part = &wide->parts[hash % PARTS];

	if (part->sorted) {
		rebuild(part, part->size);
	}
	return part;
}

uint64_t *bagwide_find(struct bagwide *wide, struct ip key)
{
	uint64_t hash = hash_key(key);
	struct part *part = part_of(wide, hash);
	struct slot *slot;

	if (part->used >= part->size / 4 * 3) {
		rebuild(part, part->size ? part->size * 2 : SLOTS_MIN);
	}
	slot = find_slot(part, key, hash);
	if (!slot->counter) {
		slot->key = key;
		part->used++;
	}
	return &slot->counter;
}

static int compare_slots(const void *a, const void *b)
{
	return ip_compare(((const struct slot *)a)->key, ((const struct slot *)b)->key);
}

uint64_t bagwide_get(const struct bagwide *wide, struct ip key)
{
	uint64_t hash = hash_key(key);
	const struct part *part = &wide->parts[hash % PARTS];
	const struct slot wanted = { .key = key };
	const struct slot *found;

	if (!part->used) {
		return 0;
	}
	found = part->sorted
			? bsearch(&wanted, part->slots, part->used, sizeof(wanted), compare_slots)
			: find_slot(part, key, hash);
	return found ? found->counter : 0;
}

/* Slots behind the removed one move up where their hash allows, so that no search is cut short. */
void bagwide_remove(struct bagwide *wide, struct ip key)
{
	uint64_t hash = hash_key(key);
	struct part *part = part_of(wide, hash);
	uint32_t mask = part->size - 1;
	struct slot *slot = part->size ? find_slot(part, key, hash) : NULL;
	uint32_t hole;

	if (!slot || !slot->counter) {
		return;
	}
	hole = (uint32_t)(slot - part->slots);
	for (uint32_t at = (hole + 1) & mask; part->slots[at].counter; at = (at + 1) & mask) {
		uint32_t home = (uint32_t)(hash_key(part->slots[at].key) >> HASH_SHIFT) & mask;

		if (((at - home) & mask) >= ((at - hole) & mask)) {
			part->slots[hole] = part->slots[at];
			hole = at;
		}
	}
	part->slots[hole].counter = 0;
	part->used--;
}

/* --- in order --- */

static void sort_part(struct part *part)
{
	uint32_t kept = 0;

	if (part->sorted) {
		return;
	}
	for (uint32_t i = 0; i < part->size; i++) {
		if (part->slots[i].counter) {
			part->slots[kept++] = part->slots[i];
		}
	}
	if (kept) {
		qsort(part->slots, kept, sizeof(*part->slots), compare_slots);
	}
	part->sorted = true;
}

/* What is left of a sorted part; never empty. */
struct run {
	const struct slot *next;
	const struct slot *end;
};

/* A heap: no run starts with a smaller key than the one at (its index - 1) / 2. */
struct bagwide_walk {
	struct run runs[PARTS];
	size_t count;
};

static void sift_down(struct bagwide_walk *walk, size_t at)
{
	for (;;) {
		size_t least = at;
		struct run moved;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < walk->count;
		     child++) {
			if (compare_slots(walk->runs[child].next, walk->runs[least].next) < 0) {
				least = child;
			}
		}
		if (least == at) {
			return;
		}
		moved = walk->runs[at];
		walk->runs[at] = walk->runs[least];
		walk->runs[least] = moved;
		at = least;
	}
}

struct bagwide_walk *bagwide_walk_new(struct bagwide *wide)
{
	struct bagwide_walk *walk = g_new0(struct bagwide_walk, 1);

	for (size_t i = 0; i < PARTS; i++) {
		struct part *part = &wide->parts[i];

		sort_part(part);
		if (part->used) {
			walk->runs[walk->count++] =
				(struct run){ part->slots, part->slots + part->used };
		}
	}
	for (size_t i = walk->count / 2; i-- > 0;) {
		sift_down(walk, i);
	}
	return walk;
}

bool bagwide_walk_next(struct bagwide_walk *walk, struct ip *key, uint64_t *counter)
{
	struct run *first = &walk->runs[0];

	if (!walk->count) {
		return false;
	}
	*key = first->next->key;
	*counter = first->next->counter;
	first->next++;
	if (first->next == first->end) {
		*first = walk->runs[--walk->count];
	}
	sift_down(walk, 0);
	return true;
}

void bagwide_walk_free(struct bagwide_walk *walk)
{
	g_free(walk);
}
