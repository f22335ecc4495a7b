/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Most addresses of flow records came a short while before: a small table of those seen last drops
 * them. The others are looked for in a table of buckets, each half a cache line; an entry is the
 * number of a leaf and a few bits more of the address's hash. They are taken some at a time, so
 * that the buckets and then the leaves of all of them are on their way from memory before the first
 * is looked at.
 */
#include "storage/leafmemo.h"

#include <glib.h>

#define BUCKET      8u
#define TAG_SHIFT   24 /* leaves of greater numbers are not remembered */
#define LEAF_MASK   ((UINT32_C(1) << TAG_SHIFT) - 1)
#define BITS_FIRST  9 /* of the number of buckets */
#define RECENT_BITS 13
#define AT_ONCE     IPTREE_FETCH_MAX
#define GROW_AHEAD  32

struct leafmemo {
	uint32_t *entries; /* 0: none */
	unsigned bits;
	size_t used;
	struct ip waiting[AT_ONCE]; /* to be inserted, in this order */
	uint64_t hashes[AT_ONCE];
	size_t waiting_count;
	struct ip recent[1u << RECENT_BITS];
};

/* Where an address is remembered, if it is. */
struct place {
	uint32_t *bucket;
	uint32_t tag; /* in its place */
};

static uint64_t hash_of(struct ip ip)
{
	uint64_t mixed = ip.hi * UINT64_C(0xc2b2ae3d27d4eb4f) ^ ip.lo;

	mixed = (mixed ^ mixed >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	return mixed ^ mixed >> 29;
}

static struct place place_of(const struct leafmemo *memo, uint64_t hash)
{
	return (struct place){
		.bucket = memo->entries + (hash >> (64 - memo->bits)) * BUCKET,
		.tag = (uint32_t)(hash >> 16) << TAG_SHIFT,
	};
}

struct leafmemo *leafmemo_new(void)
{
	struct leafmemo *memo = g_new0(struct leafmemo, 1);

	/* :: belongs into the first entry and has not been seen; ::1 belongs elsewhere */
	memo->recent[0].lo = 1;
	memo->bits = BITS_FIRST;
	memo->entries = g_new0(uint32_t, (size_t)BUCKET << memo->bits);
	return memo;
}

void leafmemo_free(struct leafmemo *memo)
{
	if (memo) {
		g_free(memo->entries);
		g_free(memo);
	}
}

/* The next entry from i on with the place's tag; BUCKET: there is none. */
static unsigned next_match(const struct place *place, unsigned i)
{
	while (i < BUCKET && (!place->bucket[i] || (place->bucket[i] & ~LEAF_MASK) != place->tag)) {
		i++;
	}
	return i;
}

/* Instead of one with the same tag, which is most likely out of date, or in the first free entry.
 */
static void remember(struct leafmemo *memo, const struct place *place, uint32_t leaf)
{
	unsigned i = next_match(place, 0);

	if (i == BUCKET) {
		i = 0;
		while (i < BUCKET - 1 && place->bucket[i]) {
			i++;
		}
	}
	memo->used += !place->bucket[i];
	place->bucket[i] = place->tag | leaf;
}

/* Twice as large; leaves that are no single addresses any more are forgotten. */
static void grow(struct leafmemo *memo, const struct iptree *tree)
{
	size_t count = (size_t)BUCKET << memo->bits;
	const struct iptree_leaf *leaves = iptree_leaf(tree, 0);
	uint32_t *old = memo->entries;

	memo->bits++;
	memo->used = 0;
	memo->entries = g_new0(uint32_t, 2 * count);
	for (size_t i = 0; i < count; i++) {
		uint32_t number = old[i] & LEAF_MASK;

		if (i + GROW_AHEAD < count) {
			__builtin_prefetch(&leaves[old[i + GROW_AHEAD] & LEAF_MASK]);
		}
		if (number && leaves[number].prefix == 128) {
			struct place place = place_of(memo, hash_of(leaves[number].ip));

			remember(memo, &place, number);
		}
	}
	g_free(old);
}

static bool holds(const struct iptree_leaf *leaf, struct ip ip)
{
	if (leaf->prefix == 128) {
		return ip_equal(leaf->ip, ip);
	}
	return ip_compare(leaf->ip, ip) <= 0 &&
	       ip_compare(ip, ip_block_last(leaf->ip, leaf->prefix)) <= 0;
}

static bool is_known(const struct place *place, const struct iptree_leaf *leaves, struct ip ip)
{
	for (unsigned i = next_match(place, 0); i < BUCKET; i = next_match(place, i + 1)) {
		if (holds(&leaves[place->bucket[i] & LEAF_MASK], ip)) {
			return true;
		}
	}
	return false;
}

static void insert_waiting(struct leafmemo *memo, struct iptree *tree)
{
	const struct iptree_leaf *leaves = iptree_leaf(tree, 0);
	struct place places[AT_ONCE];
	struct ip unknown[AT_ONCE];
	size_t count = memo->waiting_count;
	size_t unknown_count = 0;

	for (size_t i = 0; i < count; i++) {
		places[i] = place_of(memo, memo->hashes[i]);
		__builtin_prefetch(places[i].bucket, 1);
	}
	for (size_t i = 0; i < count; i++) {
		unsigned match = next_match(&places[i], 0);

		if (match < BUCKET) {
			__builtin_prefetch(&leaves[places[i].bucket[match] & LEAF_MASK]);
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (!is_known(&places[i], leaves, memo->waiting[i])) {
			places[unknown_count] = places[i];
			unknown[unknown_count++] = memo->waiting[i];
		}
	}
	iptree_fetch(tree, unknown, unknown_count);
	for (size_t i = 0; i < unknown_count; i++) {
		uint32_t leaf = iptree_insert(tree, unknown[i], 128);

		if (leaf <= LEAF_MASK) {
			remember(memo, &places[i], leaf);
		}
	}
	memo->waiting_count = 0;
	if (memo->used > (size_t)BUCKET << (memo->bits - 1)) {
		grow(memo, tree);
	}
}

void leafmemo_insert(struct leafmemo *memo, struct iptree *tree, const struct ip *ips, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t hash = hash_of(ips[i]);
		struct ip *recent = &memo->recent[hash & ((1u << RECENT_BITS) - 1)];

		if (ip_equal(*recent, ips[i])) {
			continue;
		}
		*recent = ips[i];
		memo->waiting[memo->waiting_count] = ips[i];
		memo->hashes[memo->waiting_count++] = hash;
		if (memo->waiting_count == AT_ONCE) {
			insert_waiting(memo, tree);
		}
	}
	insert_waiting(memo, tree);
}
