/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Merging blocks that lie apart, as scattered addresses do: nothing is dropped, no moment changes,
 * and a block need only be compared with its neighbours. The way is from the end to the beginning,
 * so what is written never gets as far as what is not yet seen.
 */
#include "storage/iptreeparts.h"

/* What is not merged yet is in front in both lists; merged from there to the end of the room. */
struct merging {
	struct setblock *at; /* the pending ones, and room for the fresh ones */
	uint32_t pending;
	uint32_t merged;
	uint32_t end;
};

static bool are_neighbours_apart(const struct setblock *a, const struct setblock *b)
{
	return iptree_are_apart(a, b, ip_shared_bits(a->ip, b->ip));
}

/* The last of the fresh blocks that are left, and the pending ones behind it. False: not apart. */
static bool merge_last(struct merging *merging, const struct setblock *block)
{
	struct setblock *at = merging->at;
	uint32_t pending = merging->pending;
	uint32_t merged = merging->merged;

	while (pending && setblock_order(&at[pending - 1], block) > 0) {
		at[--merged] = at[--pending];
	}
	merging->pending = pending;
	merging->merged = merged;
	if ((pending && !are_neighbours_apart(&at[pending - 1], block)) ||
	    (merged < merging->end && !are_neighbours_apart(block, &at[merged]))) {
		return false;
	}
	at[--merging->merged] = *block;
	return true;
}

/* The pending ones, whose moments are the first ones, are by themselves again. */
static void take_back(struct merging *merging, uint32_t moments)
{
	for (uint32_t i = merging->merged; i < merging->end; i++) {
		if (merging->at[i].time <= moments) {
			merging->at[merging->pending++] = merging->at[i];
		}
	}
}

bool iptree_merge_apart(struct iptree *tree)
{
	uint32_t pending = tree->pending.count;
	uint32_t fresh = tree->fresh.count;
	struct merging merging = {
		.at = g_renew(struct setblock, tree->pending.at, (size_t)pending + fresh),
		.pending = pending,
		.merged = pending + fresh,
		.end = pending + fresh,
	};

	tree->pending.at = merging.at;
	while (fresh) {
		if (!merge_last(&merging, &tree->fresh.at[fresh - 1])) {
			take_back(&merging, pending);
			return false;
		}
		fresh--;
	}
	tree->pending.count = merging.end;
	tree->fresh.count = 0;
	return true;
}
