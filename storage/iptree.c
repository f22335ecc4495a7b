/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Taking blocks in. A tree that is gone down for each block waits for memory at every level. Here
 * blocks are gathered, sorted by address, and go in together, in one walk over the tree from the
 * lowest address to the highest (iptreegrow.c); what the order in which they came decides, the
 * numbers of nodes, is found from the moments at which they came.
 *
 * The algorithms are those of silk-set-bag-pmap-files.md 1.6.1: leaves are joined after the
 * insertion that makes the leaf array grow. So the blocks that go in together end there.
 */
#include "storage/iptreeparts.h"

#include <string.h>

#define CAPACITY_FIRST      2048u
#define CAPACITY_DOUBLE_MAX (1u << 20)
#define FRESH_MIN           16384u
#define RECENT_BITS         13
#define NEST_MAX            129

struct iptree *iptree_new(void)
{
	struct iptree *tree = g_new0(struct iptree, 1);

	tree->node_pool.unused = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	return tree;
}

void iptree_free(struct iptree *tree)
{
	if (tree) {
		iptree_drop_shape(tree);
		g_free(tree->leaves.at);
		g_free(tree->numbers);
		g_free(tree->pending.at);
		g_free(tree->fresh.at);
		g_free(tree->recent);
		g_array_free(tree->node_pool.unused, TRUE);
		g_free(tree);
	}
}

uint32_t iptree_grown(uint32_t capacity)
{
	if (capacity < CAPACITY_FIRST / 2) {
		return CAPACITY_FIRST;
	}
	return capacity >= CAPACITY_DOUBLE_MAX ? capacity + CAPACITY_DOUBLE_MAX : capacity * 2;
}

/* --- blocks in order --- */

/* The blocks around the place where a walk in order is, each inside the one before. */
struct nest {
	unsigned depth;
	const struct setblock *around[NEST_MAX];
};

/* The innermost block around this one, which is the next in order; NULL: there is none. */
static const struct setblock *nest_around(struct nest *nest, const struct setblock *block)
{
	while (nest->depth && !setblock_holds(nest->around[nest->depth - 1], block)) {
		nest->depth--;
	}
	return nest->depth ? nest->around[nest->depth - 1] : NULL;
}

/* The next in order of several lists. */
static const struct setblock *next_of(struct setblocks lists[], unsigned count)
{
	struct setblocks *least = NULL;

	for (unsigned i = 0; i < count; i++) {
		if (lists[i].count && (!least || setblock_order(lists[i].at, least->at) < 0)) {
			least = &lists[i];
		}
	}
	if (!least) {
		return NULL;
	}
	least->count--;
	return least->at++;
}

/*
 * Merge the fresh blocks, which are sorted, with the pending ones and drop those that were held
 * when they came. marks[moment]: 0, it was dropped; else 1 and how many leaves it took the place
 * of. A block around a later one has come later, or the later one would have been dropped: so the
 * innermost one came first.
 */
static void merge_fresh(struct iptree *tree, uint32_t *marks)
{
	struct setblocks lists[] = { tree->leaves, tree->pending, tree->fresh };
	struct setblocks merged = { g_new(struct setblock, tree->pending.count + tree->fresh.count),
				    0 };
	struct nest nest = { 0 };
	const struct setblock *block;

	while ((block = next_of(lists, G_N_ELEMENTS(lists)))) {
		const struct setblock *around = nest_around(&nest, block);

		if (around && around->time < block->time) {
			continue;
		}
		if (around) {
			marks[around->time]++;
		}
		nest.around[nest.depth++] = block;
		if (block->time) {
			marks[block->time] = 1;
			merged.at[merged.count++] = *block;
		}
	}
	g_free(tree->pending.at);
	tree->pending = merged;
	tree->fresh.count = 0;
}

/* Moments without gaps, from 1 on; marks move with them. */
static void renumber_moments(struct setblocks *pending, uint32_t *marks, uint32_t last)
{
	uint32_t *moments = g_new(uint32_t, (size_t)last + 1);
	uint32_t moment = 0;

	for (uint32_t i = 1; i <= last; i++) {
		if (marks[i]) {
			moments[i] = ++moment;
			marks[moment] = marks[i];
		}
	}
	for (uint32_t i = 0; i < pending->count; i++) {
		pending->at[i].time = moments[pending->at[i].time];
	}
	g_free(moments);
}

/* --- the leaf array --- */

/*
 * The moment when the array grows so that leaves are joined; 0: not yet. taken[moment]: 1 and how
 * many leaves the block takes the place of.
 */
static uint32_t joining_moment(struct iptree *tree, const uint32_t *taken)
{
	uint32_t left = tree->leaf_capacity ? tree->leaf_capacity - tree->leaves.count - 1 : 0;

	if (tree->combine_next && !tree->loading && tree->pending.count) {
		return 1;
	}
	for (uint32_t moment = 1; moment <= tree->pending.count; moment++) {
		bool joins = tree->leaf_capacity && !tree->loading;

		if (taken[moment] > 1) {
			left += taken[moment] - 2;
			continue;
		}
		if (left) {
			left--;
			continue;
		}
		/* the first time there is the unused leaf, too */
		left = iptree_grown(tree->leaf_capacity) - MAX(tree->leaf_capacity, 1) - 1;
		tree->combine_next = tree->combine_next || tree->leaf_capacity;
		tree->leaf_capacity = iptree_grown(tree->leaf_capacity);
		if (joins) {
			return moment;
		}
	}
	return 0;
}

/* All fresh blocks become pending ones, or part of the tree when leaves have been joined since. */
static void settle(struct iptree *tree)
{
	uint32_t until = 0;

	do {
		uint32_t last = tree->pending.count + tree->fresh.count;
		uint32_t *marks = g_new0(uint32_t, (size_t)last + 1);

		for (uint32_t i = 0; i < tree->fresh.count; i++) {
			tree->fresh.at[i].time = tree->pending.count + i + 1;
		}
		setblock_sort(tree->fresh.at, tree->fresh.count);
		merge_fresh(tree, marks);
		if (last && !marks[1] && !tree->loading) {
			/* joining follows an insertion that inserts nothing, too */
			tree->combine_next = false;
		}
		renumber_moments(&tree->pending, marks, last);
		until = joining_moment(tree, marks);
		if (until) {
			iptree_grow(tree, until);
			tree->combine_next = false;
		}
		g_free(marks);
	} while (until);
}

/* --- insertion --- */

static void make_room(struct iptree *tree)
{
	uint32_t most = MAX(FRESH_MIN, (tree->leaves.count + tree->pending.count) / 4);

	if (tree->fresh_room >= most) {
		settle(tree);
		most = MAX(FRESH_MIN, (tree->leaves.count + tree->pending.count) / 4);
	}
	if (tree->fresh_room < most) {
		tree->fresh_room = MIN(MAX(2 * tree->fresh_room, 64), most);
		tree->fresh.at = g_renew(struct setblock, tree->fresh.at, tree->fresh_room);
	}
}

static void take(struct iptree *tree, struct ip ip, unsigned prefix)
{
	if (tree->fresh.count == tree->fresh_room) {
		make_room(tree);
	}
	tree->fresh.at[tree->fresh.count++] =
		(struct setblock){ .ip = ip, .prefix = (uint8_t)prefix };
}

static void begin_change(struct iptree *tree)
{
	tree->changed = true;
	iptree_drop_shape(tree);
}

void iptree_insert(struct iptree *tree, struct ip ip, uint8_t prefix)
{
	begin_change(tree);
	take(tree, ip_masked(ip, prefix), prefix);
}

static uint64_t hash_of(struct ip ip)
{
	uint64_t mixed = ip.hi * UINT64_C(0xc2b2ae3d27d4eb4f) ^ ip.lo;

	return (mixed ^ mixed >> 32) * UINT64_C(0x9e3779b97f4a7c15);
}

/* Most addresses of flow records came a short while before: a table of those seen last drops them.
 */
void iptree_insert_many(struct iptree *tree, const struct ip *ips, size_t count)
{
	begin_change(tree);
	if (!tree->recent) {
		tree->recent = g_new0(struct ip, 1u << RECENT_BITS);
		/* :: belongs into the first entry and has not been seen; ::1 belongs elsewhere */
		tree->recent[0].lo = 1;
	}
	for (size_t i = 0; i < count; i++) {
		struct ip *recent = &tree->recent[hash_of(ips[i]) >> (64 - RECENT_BITS)];

		if (!ip_equal(*recent, ips[i])) {
			*recent = ips[i];
			take(tree, ips[i], 128);
		}
	}
}

static int insert_block(void *arg, struct ip first, uint8_t prefix)
{
	take(arg, first, prefix);
	return 0;
}

void iptree_insert_range(struct iptree *tree, struct ip first, struct ip last)
{
	begin_change(tree);
	iptree_each_block(first, last, insert_block, tree);
}

int iptree_each_block(struct ip first, struct ip last, iptree_block_fn fn, void *arg)
{
	for (;;) {
		unsigned prefix = 128;
		int rc;

		/* widen while the block starts here and does not reach past the end */
		while (prefix > 1 && ip_equal(ip_masked(first, prefix - 1), first) &&
		       ip_compare(ip_block_last(first, prefix - 1), last) <= 0) {
			prefix--;
		}
		rc = fn(arg, first, (uint8_t)prefix);
		if (rc) {
			return rc;
		}
		first = ip_block_last(first, prefix);
		if (ip_compare(first, last) >= 0) {
			return 0;
		}
		first = ip_next(first);
	}
}

void iptree_load(struct iptree *tree)
{
	tree->loading = true;
}

/* --- cleaning --- */

void iptree_clean(struct iptree *tree)
{
	if (tree->changed) {
		settle(tree);
		iptree_grow(tree, tree->pending.count);
		g_free(tree->fresh.at);
		g_free(tree->pending.at);
		g_free(tree->recent);
		tree->fresh = (struct setblocks){ NULL, 0 };
		tree->fresh_room = 0;
		tree->pending = tree->fresh;
		tree->recent = NULL;
		tree->changed = false;
		iptree_make_shape(tree);
		iptree_compact(tree);
	}
	tree->loading = false;
}

uint32_t iptree_leaf_count(const struct iptree *tree)
{
	return tree->leaves.count ? tree->leaves.count + 1 : 0;
}

uint32_t iptree_node_count(const struct iptree *tree)
{
	return tree->leaves.count ? tree->node_count + 1 : 0;
}

uint32_t iptree_root(const struct iptree *tree)
{
	if (tree->node_count) {
		return tree->numbers[tree->node_count - 1];
	}
	return tree->leaves.count ? 1 : 0;
}

struct iptree_leaf iptree_leaf(const struct iptree *tree, uint32_t index)
{
	const struct setblock *leaf = &tree->leaves.at[index - 1];

	return (struct iptree_leaf){ .ip = leaf->ip, .prefix = leaf->prefix };
}
