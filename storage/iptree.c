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
#define FRESH_SHARE         4u /* more: more merging; less: more memory, twice what is fresh */
#define RECENT4_BITS        18
#define RECENT6_BITS        13
#define RECENT_AHEAD        8u
#define NEST_MAX            128 /* an address has nothing inside */

/*
 * Most addresses of flow records came a short while before. Those seen last, by their hash, are
 * dropped before they take memory.
 */
struct recent {
	uint32_t v4[1u << RECENT4_BITS];
	struct ip v6[1u << RECENT6_BITS];
};

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
		iptree_drop_late(tree);
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
	struct setblock around[NEST_MAX];
};

/* The innermost block around this one, which is the next in order; NULL: there is none. */
static const struct setblock *nest_around(struct nest *nest, const struct setblock *block)
{
	while (nest->depth && !setblock_holds(&nest->around[nest->depth - 1], block)) {
		nest->depth--;
	}
	return nest->depth ? &nest->around[nest->depth - 1] : NULL;
}

static bool is_same(const struct setblock *a, const struct setblock *b)
{
	return ip_equal(a->ip, b->ip) && a->prefix == b->prefix;
}

/* The next in order of two lists; NULL: there is none. */
static const struct setblock *next_of(struct setblocks *a, struct setblocks *b)
{
	struct setblocks *from = a;

	if (!a->count || (b->count && setblock_order(b->at, a->at) < 0)) {
		from = b;
	}
	if (!from->count) {
		return NULL;
	}
	from->count--;
	return from->at++;
}

/* The innermost block around a leaf, if there is one, takes its place. */
static bool count_inside(struct nest *nest, const struct setblock *leaf, uint32_t *marks)
{
	const struct setblock *around = nest_around(nest, leaf);

	if (around) {
		marks[around->time]++;
	}
	return around;
}

/*
 * Pass the leaves up to a block, or all of them where it is NULL, counting those inside others. Were
 * there any?
 */
static bool pass_leaves(const struct iptree *tree, const struct setblock **leaf,
			const struct setblock *block, struct nest *nest, uint32_t *marks)
{
	const struct setblock *end = setblocks_end(&tree->leaves);
	bool any = false;

	for (; *leaf < end && (!block || setblock_order(*leaf, block) < 0); (*leaf)++) {
		if (nest->depth) {
			any = count_inside(nest, *leaf, marks) || any;
		}
	}
	return any;
}

/* Was a block held when it came: by one around it, or by the same one before it (or NULL)? */
static bool is_covered(const struct setblock *block, const struct setblock *around,
		       const struct setblock *before)
{
	return (around && around->time < block->time) || (before && is_same(before, block));
}

/* Does a block make a whole with the one before it (or NULL), or with a leaf beside it? */
static bool is_half(const struct iptree *tree, const struct setblock *block,
		    const struct setblock *before, const struct setblock *next_leaf)
{
	return (before && setblock_are_halves(before, block)) ||
	       (next_leaf > tree->leaves.at && setblock_are_halves(next_leaf - 1, block)) ||
	       (next_leaf < setblocks_end(&tree->leaves) && setblock_are_halves(block, next_leaf));
}

/*
 * Where the fresh and the pending blocks are merged; the pending ones have been moved to its end,
 * as many places behind its beginning as there are fresh ones. Where there are none pending it is
 * the place of the fresh ones. What is merged never gets as far as what is not.
 */
static struct setblock *room_to_merge(struct iptree *tree)
{
	struct setblock *room = tree->fresh.at;
	uint32_t fresh = tree->fresh.count;
	uint32_t pending = tree->pending.count;

	if (pending) {
		room = g_renew(struct setblock, tree->pending.at, (size_t)pending + fresh);
		memmove(room + fresh, room, pending * sizeof(*room));
	} else {
		g_free(tree->pending.at);
		tree->fresh.at = NULL;
		tree->fresh_room = 0;
	}
	return room;
}

/*
 * Merge the fresh blocks, which are sorted, with the pending ones and drop those that were held
 * when they came. marks[moment]: 0, it was dropped; else 1 and how many leaves it took the place
 * of; it is 1 at first for the moments up to stay, which are those of pending blocks that stay. A
 * block around a later one has come later, or the later one would have been dropped: so the
 * innermost one came first. Returns whether a block takes the place of others or makes a whole with
 * another: if none does, leaves will not be joined, whenever that is tried.
 */
static bool merge_fresh(struct iptree *tree, uint32_t *marks, uint32_t stay)
{
	struct setblocks fresh = tree->fresh;
	struct setblocks merged = { room_to_merge(tree), 0 };
	struct setblocks pending = { merged.at + fresh.count, tree->pending.count };
	const struct setblock *leaf = tree->leaves.at;
	struct nest nest = { 0 };
	const struct setblock *block;
	bool may_join = false;

	while ((block = next_of(&pending, &fresh))) {
		bool takes = pass_leaves(tree, &leaf, block, &nest, marks);
		bool is_held = leaf > tree->leaves.at && setblock_holds(leaf - 1, block);
		const struct setblock *around = nest.depth ? nest_around(&nest, block) : NULL;
		const struct setblock *before = merged.count ? &merged.at[merged.count - 1] : NULL;

		may_join = may_join || takes;
		if (is_held || is_covered(block, around, before)) {
			continue;
		}
		may_join = may_join || around || is_half(tree, block, before, leaf);
		if (around) {
			marks[around->time]++;
		}
		if (block->prefix < 128) {
			nest.around[nest.depth++] = *block;
		}
		if (block->time > stay) {
			marks[block->time] = 1;
		}
		merged.at[merged.count++] = *block;
	}
	may_join = (nest.depth && pass_leaves(tree, &leaf, NULL, &nest, marks)) || may_join;
	tree->pending = merged;
	tree->fresh.count = 0;
	return may_join;
}

/*
 * Do the fresh blocks, which are sorted, lie apart from each other and from the leaves, and make no
 * whole with any?
 */
static bool is_fresh_apart(const struct iptree *tree)
{
	const struct setblock *leaf = tree->leaves.at;
	const struct setblock *end = setblocks_end(&tree->leaves);

	for (uint32_t i = 0; i < tree->fresh.count; i++) {
		const struct setblock *block = &tree->fresh.at[i];
		const struct setblock *before = i ? block - 1 : NULL;

		while (leaf < end && setblock_order(leaf, block) < 0) {
			leaf++;
		}
		if ((before && setblock_holds(before, block)) ||
		    (leaf > tree->leaves.at && setblock_holds(leaf - 1, block)) ||
		    (leaf < end && setblock_holds(block, leaf)) ||
		    is_half(tree, block, before, leaf)) {
			return false;
		}
	}
	return true;
}

/* Moments without gaps again, from this one to the last one; marks move with them. */
static void renumber_moments(struct setblocks *pending, uint32_t *marks, uint32_t first,
			     uint32_t last)
{
	uint32_t *moments = g_new(uint32_t, (size_t)(last - first) + 1);
	uint32_t moment = first - 1;

	for (uint32_t i = first; i <= last; i++) {
		if (marks[i]) {
			moments[i - first] = ++moment;
			marks[moment] = marks[i];
		}
	}
	for (uint32_t i = 0; i < pending->count; i++) {
		if (pending->at[i].time >= first) {
			pending->at[i].time = moments[pending->at[i].time - first];
		}
	}
	g_free(moments);
}

/* --- the leaf array --- */

/*
 * The moment when the array grows, whereupon leaves are joined; 0: not yet. taken[moment]: 1 and
 * how many leaves the block takes the place of.
 */
static uint32_t joining_moment(struct iptree *tree, const uint32_t *taken)
{
	uint32_t left = tree->leaf_capacity ? tree->leaf_capacity - tree->leaves.count - 1 : 0;

	if (tree->combine_next) {
		return 1;
	}
	for (uint32_t moment = 1; moment <= tree->pending.count; moment++) {
		bool joins = tree->leaf_capacity;

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
		tree->leaf_capacity = iptree_grown(tree->leaf_capacity);
		if (joins) {
			return moment;
		}
	}
	return 0;
}

/* Nothing was joined when the array grew. */
static void grow_leaf_array(struct iptree *tree)
{
	while (tree->leaf_capacity < iptree_held(tree) + 1) {
		tree->combine_next = tree->loading && (tree->combine_next || tree->leaf_capacity);
		tree->leaf_capacity = iptree_grown(tree->leaf_capacity);
	}
}

/* Fresh blocks become pending ones. Returns when leaves are to be joined; 0: not yet. */
static uint32_t add_pending(struct iptree *tree)
{
	uint32_t last = tree->pending.count + tree->fresh.count;
	/* where nothing is fresh leaves have been joined, which pending blocks may lie in */
	uint32_t stay = tree->fresh.count ? tree->pending.count : 0;
	uint32_t *marks = g_new0(uint32_t, (size_t)last + 1);
	uint32_t until;
	bool may_join;

	for (uint32_t moment = 1; moment <= stay; moment++) {
		marks[moment] = 1;
	}
	tree->is_apart = !merge_fresh(tree, marks, stay);
	may_join = !tree->is_apart && !tree->loading;
	/* joining follows an insertion that inserts nothing, too */
	tree->combine_next =
		tree->combine_next && (!last || tree->loading || (marks[1] && may_join));
	renumber_moments(&tree->pending, marks, stay + 1, last);
	until = may_join ? joining_moment(tree, marks) : 0;
	g_free(marks);
	return until;
}

/* The same where none are pending and nothing can be joined. */
static void take_apart(struct iptree *tree)
{
	g_free(tree->pending.at);
	tree->pending = tree->fresh;
	tree->fresh = (struct setblocks){ NULL, 0 };
	tree->fresh_room = 0;
	tree->is_apart = true;
	tree->combine_next = tree->combine_next && (!tree->pending.count || tree->loading);
}

/* Fresh blocks in order, with their moments. */
static void order_fresh(struct iptree *tree)
{
	for (uint32_t i = 0; i < tree->fresh.count; i++) {
		tree->fresh.at[i].time = tree->pending.count + i + 1;
	}
	setblock_sort(tree->fresh.at, tree->fresh.count);
}

/* Most scattered blocks go the short way. False: nothing is changed. */
static bool add_apart(struct iptree *tree)
{
	bool is_apart = tree->is_apart && !tree->was_near && !tree->leaves.count &&
			tree->pending.count && tree->fresh.count;

	if (!is_apart) {
		return false;
	}
	tree->was_near = !iptree_merge_apart(tree);
	tree->combine_next = tree->combine_next && (tree->was_near || tree->loading);
	return !tree->was_near;
}

/* Ordered ones become pending ones, or part of the tree when leaves have been joined since. */
static void settle_ordered(struct iptree *tree)
{
	uint32_t until;

	if (add_apart(tree)) {
		return;
	}
	while ((until = add_pending(tree))) {
		iptree_grow(tree, until);
		tree->combine_next = false;
	}
}

static void settle(struct iptree *tree)
{
	order_fresh(tree);
	if (!tree->pending.count && is_fresh_apart(tree)) {
		take_apart(tree);
	} else {
		settle_ordered(tree);
	}
}

/* Ordered blocks become leaves at once; false, and nothing is changed: they are not all apart. */
static bool extend_by_fresh(struct iptree *tree)
{
	bool combine_next = tree->combine_next;

	if (tree->pending.count) {
		return false;
	}
	take_apart(tree);
	if (iptree_extend(tree)) {
		return true;
	}
	g_free(tree->fresh.at);
	tree->fresh = tree->pending;
	tree->fresh_room = tree->fresh.count;
	tree->pending = (struct setblocks){ NULL, 0 };
	tree->combine_next = combine_next;
	return false;
}

/* --- insertion --- */

static void make_room(struct iptree *tree)
{
	uint32_t most = MAX(FRESH_MIN, (tree->leaves.count + tree->pending.count) / FRESH_SHARE);

	if (tree->fresh_room >= most) {
		settle(tree);
		most = MAX(FRESH_MIN, (tree->leaves.count + tree->pending.count) / FRESH_SHARE);
	}
	if (tree->fresh_room < most) {
		/* in few steps where much is to be expected, which leave few holes in the memory */
		tree->fresh_room = tree->leaves.count || tree->pending.count
					   ? most
					   : MIN(MAX(2 * tree->fresh_room, 64), most);
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
	iptree_join_lists(tree);
}

void iptree_insert(struct iptree *tree, struct ip ip, uint8_t prefix)
{
	begin_change(tree);
	take(tree, ip_masked(ip, prefix), prefix);
}

static uint32_t *recent4(struct recent *recent, uint32_t address)
{
	return &recent->v4[address * UINT32_C(0x9e3779b1) >> (32 - RECENT4_BITS)];
}

/* Seen a short while before? If not, it is from now on. */
static bool is_recent4(struct recent *recent, uint32_t address)
{
	uint32_t *seen = recent4(recent, address);
	bool is_same = *seen == address;

	*seen = address;
	return is_same;
}

static bool is_recent6(struct recent *recent, struct ip ip)
{
	uint64_t mixed = ip.hi * UINT64_C(0xc2b2ae3d27d4eb4f) ^ ip.lo;
	uint64_t hash = (mixed ^ mixed >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	struct ip *seen = &recent->v6[hash >> (64 - RECENT6_BITS)];
	bool is_same = ip_equal(*seen, ip);

	*seen = ip;
	return is_same;
}

static struct recent *recent_new(void)
{
	struct recent *recent = g_new0(struct recent, 1);

	/* 0 belongs into the first entries and has not been seen; 1 belongs elsewhere */
	recent->v4[0] = 1;
	recent->v6[0].lo = 1;
	return recent;
}

void iptree_insert_many(struct iptree *tree, const struct ip *ips, size_t count)
{
	begin_change(tree);
	if (!tree->recent) {
		tree->recent = recent_new();
	}
	for (size_t i = 0; i < count; i++) {
		bool is_recent;

		if (i + RECENT_AHEAD < count) {
			__builtin_prefetch(recent4(tree->recent, ip_to_v4(ips[i + RECENT_AHEAD])),
					   1);
		}
		is_recent = ip_is_mapped(ips[i]) ? is_recent4(tree->recent, ip_to_v4(ips[i]))
						 : is_recent6(tree->recent, ips[i]);

		if (!is_recent) {
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
	if (ip_equal(first, last)) {
		return fn(arg, first, 128);
	}
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

void iptree_insert_blocks(struct iptree *tree, struct setblock *blocks, uint32_t count)
{
	begin_change(tree);
	if (tree->fresh.count) {
		for (uint32_t i = 0; i < count; i++) {
			take(tree, blocks[i].ip, blocks[i].prefix);
		}
		g_free(blocks);
		return;
	}
	g_free(tree->fresh.at);
	tree->fresh = (struct setblocks){ blocks, count };
	tree->fresh_room = count;
}

void iptree_load(struct iptree *tree)
{
	tree->loading = true;
}

/* --- cleaning --- */

/* All that came goes into the tree. */
static void grow_all(struct iptree *tree)
{
	g_free(tree->recent);
	tree->recent = NULL;
	order_fresh(tree);
	if (!extend_by_fresh(tree)) {
		settle_ordered(tree);
		g_free(tree->fresh.at);
		tree->fresh = (struct setblocks){ NULL, 0 };
		tree->fresh_room = 0;
		if (!tree->is_apart || !iptree_extend(tree)) {
			iptree_grow(tree, tree->pending.count);
		}
	}
	grow_leaf_array(tree);
	tree->changed = false;
}

void iptree_clean(struct iptree *tree)
{
	if (tree->changed) {
		grow_all(tree);
	}
	if (!tree->shape.nodes) {
		iptree_make_shape(tree);
	}
	if (!tree->places) {
		iptree_compact(tree);
	}
	tree->loading = false;
}

uint32_t iptree_leaf_count(const struct iptree *tree)
{
	uint32_t count = iptree_held(tree);

	return count ? count + 1 : 0;
}

uint32_t iptree_node_count(const struct iptree *tree)
{
	return tree->leaves.count ? tree->node_count + 1 : 0;
}

uint32_t iptree_root(const struct iptree *tree)
{
	if (tree->node_count) {
		return tree->numbers[iptree_place(tree, tree->node_count - 1)];
	}
	return tree->leaves.count ? 1 : 0;
}

struct iptree_leaf iptree_leaf(const struct iptree *tree, uint32_t index)
{
	const struct setblock *leaf = iptree_leaf_at(tree, index - 1);

	return (struct iptree_leaf){ .ip = leaf->ip, .prefix = leaf->prefix };
}

void iptree_leaves(const struct iptree *tree, uint32_t index, uint32_t count,
		   struct iptree_leaf out[])
{
	uint32_t place = index - 1;
	uint32_t late = tree->leaf_words ? iptree_late_before(tree, place) : 0;

	for (uint32_t i = 0; i < count; i++, place++) {
		bool is_late = tree->leaf_words && iptree_is_late(tree, place);
		/* a choice of addresses, no branch, which would be guessed wrong half of the time */
		const struct setblock *early_leaf = tree->leaves.at + (place - late);
		const struct setblock *leaf = is_late ? tree->late.at + late : early_leaf;

		out[i] = (struct iptree_leaf){ .ip = leaf->ip, .prefix = leaf->prefix };
		late += is_late;
	}
}
