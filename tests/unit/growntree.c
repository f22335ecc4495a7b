/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The algorithms and their order of steps are those of silk-set-bag-pmap-files.md 1.6.1. */
#include "tests/unit/growntree.h"

#include <assert.h>
#include <glib.h>
#include <string.h>

#define STRIDE_BITS 4u

/* Indices of one of the two arrays. */
struct pool {
	uint32_t capacity;
	uint32_t used;
	GArray *unused; /* uint32_t, last in first out */
};

struct growntree {
	struct iptree_leaf *leaves;
	struct iptree_node *nodes;
	struct pool leaf_pool;
	struct pool node_pool;
	uint32_t root;
	bool root_is_leaf;
	bool combine_next; /* the leaf array has grown since the last Combine */
	bool changed;      /* since the last clean */
	bool loading;      /* do not join yet */
};

static inline uint64_t high_mask(unsigned bits)
{
	return bits == 0 ? 0 : UINT64_MAX << (64 - bits);
}

static inline struct ip ip_masked(struct ip ip, unsigned prefix)
{
	return (struct ip){ ip.hi & high_mask(prefix < 64 ? prefix : 64),
			    ip.lo & high_mask(prefix > 64 ? prefix - 64 : 0) };
}

/* Number of leading bits that are the same. */
static inline unsigned shared_bits(struct ip a, struct ip b)
{
	if (a.hi != b.hi) {
		return (unsigned)__builtin_clzll(a.hi ^ b.hi);
	}
	return a.lo != b.lo ? 64 + (unsigned)__builtin_clzll(a.lo ^ b.lo) : 128;
}

/* The four bits after the first prefix ones. */
static inline unsigned slot_of(struct ip ip, unsigned prefix)
{
	return (unsigned)(prefix < 64 ? ip.hi >> (60 - prefix) : ip.lo >> (124 - prefix)) & 15;
}

/* How many slots a block fills in a node. */
static inline unsigned slot_span(unsigned node_prefix, unsigned block_prefix)
{
	unsigned deeper = block_prefix - node_prefix;

	return deeper >= STRIDE_BITS ? 1 : 1u << (STRIDE_BITS - deeper);
}

static inline bool bit(uint32_t bits, unsigned slot)
{
	return bits >> slot & 1;
}

static inline void pool_give(struct pool *pool, uint32_t index)
{
	g_array_append_val(pool->unused, index);
}

#define POOL_FIRST      2048u
#define POOL_DOUBLE_MAX (1u << 20)

/* Where an entry hangs: a slot of a node, or the root. */
struct place {
	uint32_t node; /* 0: root */
	unsigned slot;
};

/* --- the arrays --- */

struct growntree *growntree_new(void)
{
	struct growntree *tree = g_new0(struct growntree, 1);

	tree->leaf_pool.unused = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	tree->node_pool.unused = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	return tree;
}

void growntree_free(struct growntree *tree)
{
	if (tree) {
		g_free(tree->leaves);
		g_free(tree->nodes);
		g_array_free(tree->leaf_pool.unused, TRUE);
		g_array_free(tree->node_pool.unused, TRUE);
		g_free(tree);
	}
}

static bool pool_take(struct pool *pool, uint32_t *out)
{
	if (pool->used < pool->capacity) {
		*out = pool->used++;
		return true;
	}
	if (pool->unused->len) {
		*out = g_array_index(pool->unused, uint32_t, pool->unused->len - 1);
		g_array_set_size(pool->unused, pool->unused->len - 1);
		return true;
	}
	return false;
}

static uint32_t pool_grown(const struct pool *pool)
{
	if (pool->capacity < POOL_FIRST / 2) {
		return POOL_FIRST;
	}
	return pool->capacity >= POOL_DOUBLE_MAX ? pool->capacity + POOL_DOUBLE_MAX
						 : pool->capacity * 2;
}

static uint32_t leaf_take(struct growntree *tree, struct ip ip, unsigned prefix)
{
	struct pool *pool = &tree->leaf_pool;
	uint32_t index = 0;

	if (!pool_take(pool, &index)) {
		tree->combine_next = tree->combine_next || pool->capacity;
		pool->capacity = pool_grown(pool);
		tree->leaves = g_renew(struct iptree_leaf, tree->leaves, pool->capacity);
		index = pool->used++;
	}
	tree->leaves[index] = (struct iptree_leaf){ .ip = ip, .prefix = (uint8_t)prefix };
	return index;
}

static uint32_t node_take(struct growntree *tree, struct ip ip, unsigned prefix)
{
	struct pool *pool = &tree->node_pool;
	uint32_t index = 0;

	if (!pool_take(pool, &index)) {
		pool->capacity = pool_grown(pool);
		tree->nodes = g_renew(struct iptree_node, tree->nodes, pool->capacity);
		index = pool->used++;
	}
	tree->nodes[index] = (struct iptree_node){ .ip = ip, .prefix = (uint8_t)prefix };
	return index;
}

/* Give back a node, all nodes below it, and their leaves. */
static void subtree_free(struct growntree *tree, uint32_t top)
{
	GArray *work = g_array_new(FALSE, FALSE, sizeof(uint32_t));

	g_array_append_val(work, top);
	while (work->len) {
		uint32_t index = g_array_index(work, uint32_t, work->len - 1);
		const struct iptree_node *node = &tree->nodes[index];

		g_array_set_size(work, work->len - 1);
		for (unsigned s = 0; s < IPTREE_SLOTS; s++) {
			if (!node->child[s] || bit(node->repeat_bits, s)) {
				continue;
			}
			if (bit(node->leaf_bits, s)) {
				pool_give(&tree->leaf_pool, node->child[s]);
			} else {
				g_array_append_val(work, node->child[s]);
			}
		}
		pool_give(&tree->node_pool, index);
	}
	g_array_free(work, TRUE);
}

static void combine_all(struct growntree *tree);

/* --- insertion --- */

static void set_leaf(struct growntree *tree, uint32_t node_index, uint32_t leaf_index)
{
	struct iptree_node *node = &tree->nodes[node_index];
	const struct iptree_leaf *leaf = &tree->leaves[leaf_index];
	unsigned slot = slot_of(leaf->ip, node->prefix);
	unsigned span = slot_span(node->prefix, leaf->prefix);

	for (unsigned s = slot; s < slot + span; s++) {
		node->child[s] = leaf_index;
		node->leaf_bits |= 1u << s;
		node->repeat_bits |= 1u << s;
	}
	node->repeat_bits &= ~(1u << slot);
}

static void set_node(struct growntree *tree, struct place at, uint32_t index)
{
	if (at.node) {
		struct iptree_node *parent = &tree->nodes[at.node];

		parent->child[at.slot] = index;
		parent->leaf_bits &= ~(1u << at.slot);
		parent->repeat_bits &= ~(1u << at.slot);
	} else {
		tree->root = index;
		tree->root_is_leaf = false;
	}
}

static void set_leaf_at(struct growntree *tree, struct place at, uint32_t index)
{
	if (at.node) {
		set_leaf(tree, at.node, index);
	} else {
		tree->root = index;
		tree->root_is_leaf = true;
	}
}

/* The block takes the one slot (or the root) that index, a leaf or a subtree inside it, has. */
static uint32_t cover_one(struct growntree *tree, struct place at, uint32_t index, bool is_leaf,
			  struct ip ip, unsigned prefix)
{
	if (is_leaf) {
		tree->leaves[index] = (struct iptree_leaf){ .ip = ip, .prefix = (uint8_t)prefix };
	} else {
		subtree_free(tree, index);
		index = leaf_take(tree, ip, prefix);
		set_leaf_at(tree, at, index);
	}
	return index;
}

/* The block takes several slots, with leaves, subtrees and holes in them. */
static uint32_t cover_many(struct growntree *tree, uint32_t node_index, struct ip ip,
			   unsigned prefix)
{
	struct iptree_node *node = &tree->nodes[node_index];
	unsigned slot = slot_of(ip, node->prefix);
	unsigned span = slot_span(node->prefix, prefix);
	uint32_t kept = 0;

	for (unsigned s = slot; s < slot + span; s++) {
		if (!node->child[s] || bit(node->repeat_bits, s)) {
			continue;
		}
		if (!bit(node->leaf_bits, s)) {
			subtree_free(tree, node->child[s]);
		} else if (!kept) {
			kept = node->child[s];
		} else {
			pool_give(&tree->leaf_pool, node->child[s]);
		}
	}
	if (kept) {
		tree->leaves[kept] = (struct iptree_leaf){ .ip = ip, .prefix = (uint8_t)prefix };
	} else {
		kept = leaf_take(tree, ip, prefix);
	}
	set_leaf(tree, node_index, kept);
	return kept;
}

static uint32_t cover(struct growntree *tree, struct place at, uint32_t index, bool is_leaf,
		      struct ip ip, unsigned prefix)
{
	if (at.node && prefix - tree->nodes[at.node].prefix < STRIDE_BITS) {
		return cover_many(tree, at.node, ip, prefix);
	}
	return cover_one(tree, at, index, is_leaf, ip, prefix);
}

/* A new node between a place and what hangs there, where the block branches off at bit shared. */
static uint32_t split(struct growntree *tree, struct place at, uint32_t index, bool is_leaf,
		      struct ip ip, unsigned prefix, unsigned shared)
{
	unsigned node_prefix = shared & ~(STRIDE_BITS - 1);
	uint32_t leaf = leaf_take(tree, ip, prefix);
	struct ip old = is_leaf ? tree->leaves[index].ip : tree->nodes[index].ip;
	uint32_t node = node_take(tree, ip_masked(old, node_prefix), node_prefix);

	set_leaf(tree, node, leaf);
	if (is_leaf) {
		set_leaf(tree, node, index);
	} else {
		set_node(tree, (struct place){ node, slot_of(old, node_prefix) }, index);
	}
	set_node(tree, at, node);
	return leaf;
}

/* At an empty slot: is another slot that the block would fill taken? */
static bool span_is_taken(const struct iptree_node *node, struct ip ip, unsigned prefix)
{
	unsigned slot = slot_of(ip, node->prefix);
	unsigned span = slot_span(node->prefix, prefix);

	for (unsigned s = slot; s < slot + span; s++) {
		if (node->child[s]) {
			return true;
		}
	}
	return false;
}

/* The insertions return the leaf that has the block now. */
static uint32_t insert_at_leaf(struct growntree *tree, struct place at, uint32_t index,
			       struct ip ip, unsigned prefix)
{
	const struct iptree_leaf *leaf = &tree->leaves[index];
	unsigned shared = shared_bits(ip, leaf->ip);

	if (shared >= leaf->prefix && prefix >= leaf->prefix) {
		return index;
	}
	if (shared < leaf->prefix && shared < prefix) {
		return split(tree, at, index, true, ip, prefix, shared);
	}
	return cover(tree, at, index, true, ip, prefix);
}

/* From the node at index downwards. */
static uint32_t insert_at_node(struct growntree *tree, struct place at, uint32_t index,
			       struct ip ip, unsigned prefix)
{
	for (;;) {
		const struct iptree_node *node = &tree->nodes[index];
		unsigned shared = shared_bits(ip, node->ip);
		unsigned slot;

		if (shared < node->prefix && shared < prefix) {
			return split(tree, at, index, false, ip, prefix, shared);
		}
		if (shared < node->prefix || prefix <= node->prefix) {
			return cover(tree, at, index, false, ip, prefix);
		}
		slot = slot_of(ip, node->prefix);
		at = (struct place){ index, slot };
		if (!node->child[slot]) {
			uint32_t leaf;

			if (span_is_taken(node, ip, prefix)) {
				return cover_many(tree, index, ip, prefix);
			}
			leaf = leaf_take(tree, ip, prefix);
			set_leaf(tree, index, leaf);
			return leaf;
		}
		if (bit(node->leaf_bits, slot)) {
			return insert_at_leaf(tree, at, node->child[slot], ip, prefix);
		}
		if (node->prefix + STRIDE_BITS >= prefix) {
			return cover(tree, at, node->child[slot], false, ip, prefix);
		}
		index = node->child[slot];
	}
}

uint32_t growntree_insert(struct growntree *tree, struct ip ip, uint8_t prefix)
{
	const struct place root = { 0, 0 };
	uint32_t leaf;

	ip = ip_masked(ip, prefix);
	tree->changed = true;
	if (!tree->root) {
		leaf_take(tree, (struct ip){ 0, 0 }, 0);
		tree->root = leaf_take(tree, ip, prefix);
		tree->root_is_leaf = true;
		node_take(tree, (struct ip){ 0, 0 }, 0);
		return tree->root;
	}
	leaf = tree->root_is_leaf ? insert_at_leaf(tree, root, tree->root, ip, prefix)
				  : insert_at_node(tree, root, tree->root, ip, prefix);
	if (tree->combine_next && !tree->loading) {
		combine_all(tree);
		tree->combine_next = false;
	}
	return leaf;
}

/* --- asking --- */

uint32_t growntree_leaf_count(const struct growntree *tree)
{
	return tree->leaf_pool.used;
}

uint32_t growntree_node_count(const struct growntree *tree)
{
	return tree->node_pool.used;
}

uint32_t growntree_root(const struct growntree *tree)
{
	return tree->root;
}

const struct iptree_leaf *growntree_leaf(const struct growntree *tree, uint32_t index)
{
	return &tree->leaves[index];
}

const struct iptree_node *growntree_node(const struct growntree *tree, uint32_t index)
{
	return &tree->nodes[index];
}

/* --- joining --- */

/* Slots seen so far whose leaves may be joined with one on their left; top is the nearest. */
struct slot_stack {
	unsigned count;
	uint8_t slot[IPTREE_SLOTS];
};

/* Join the leaf of slot s with its right neighbours as long as two halves make a whole. */
static void combine_slot(struct growntree *tree, struct iptree_node *node, unsigned s,
			 struct slot_stack *stack)
{
	struct iptree_leaf *leaf = &tree->leaves[node->child[s]];

	while (stack->count && s % 2 == 0) {
		unsigned j = stack->slot[stack->count - 1];
		uint32_t other_index = node->child[j];
		const struct iptree_leaf *other = &tree->leaves[other_index];

		/* SiLK knows no block of all IPv6 addresses */
		if (other->prefix != leaf->prefix || leaf->prefix == 1 ||
		    shared_bits(leaf->ip, other->ip) < leaf->prefix - 1u) {
			break;
		}
		leaf->prefix--;
		leaf->ip = ip_masked(leaf->ip, leaf->prefix);
		pool_give(&tree->leaf_pool, other_index);
		for (unsigned k = s + 1; k <= j; k++) {
			node->repeat_bits |= 1u << k;
		}
		for (unsigned k = j;
		     k < IPTREE_SLOTS && node->child[k] == other_index && bit(node->leaf_bits, k);
		     k++) {
			node->child[k] = node->child[s];
		}
		stack->count--;
	}
	stack->slot[stack->count++] = (uint8_t)s;
}

static void leaf_for_node(struct iptree_node *node, unsigned s, uint32_t leaf)
{
	node->child[s] = leaf;
	node->leaf_bits |= 1u << s;
}

static bool combine(struct growntree *tree, uint32_t index, uint32_t *leaf);

/*
 * Join leaves below a node. True when the node has only one leaf left: it has been freed, and *leaf
 * is to take its place. Depth is at most 32.
 */
static bool combine(struct growntree *tree, uint32_t index, uint32_t *leaf)
{
	struct iptree_node *node = &tree->nodes[index];
	struct slot_stack stack = { 0 };
	int lowest = -1;
	int highest = -1;

	for (int s = IPTREE_SLOTS - 1; s >= 0; s--) {
		uint32_t joined;

		if (!node->child[s]) {
			stack.count = 0;
			continue;
		}
		highest = highest < 0 ? s : highest;
		lowest = s;
		if (bit(node->repeat_bits, (unsigned)s)) {
			continue;
		}
		if (!bit(node->leaf_bits, (unsigned)s)) {
			if (!combine(tree, node->child[s], &joined)) {
				stack.count = 0;
				continue;
			}
			leaf_for_node(node, (unsigned)s, joined);
		}
		combine_slot(tree, node, (unsigned)s, &stack);
	}
	assert(lowest >= 0);
	if (node->child[lowest] != node->child[highest] ||
	    !bit(node->leaf_bits, (unsigned)lowest) || !bit(node->leaf_bits, (unsigned)highest)) {
		return false;
	}
	*leaf = node->child[lowest];
	pool_give(&tree->node_pool, index);
	return true;
}

static void combine_all(struct growntree *tree)
{
	uint32_t leaf;

	if (tree->root && !tree->root_is_leaf && combine(tree, tree->root, &leaf)) {
		tree->root = leaf;
		tree->root_is_leaf = true;
	}
}

/* --- numbering --- */

/* The next unused number below limit; larger ones are thrown away. */
static uint32_t hole_below(struct growntree *tree, uint32_t limit)
{
	uint32_t index = 0;

	do {
		GArray *unused = tree->node_pool.unused;

		assert(unused->len);
		index = g_array_index(unused, uint32_t, unused->len - 1);
		g_array_set_size(unused, unused->len - 1);
	} while (index >= limit);
	return index;
}

/* Move nodes down into the holes so that they are numbered without gaps. */
static void compact_nodes(struct growntree *tree)
{
	uint32_t limit = tree->node_pool.used - tree->node_pool.unused->len;
	GArray *work = g_array_new(FALSE, FALSE, sizeof(uint32_t));

	if (tree->root >= limit) {
		uint32_t to = hole_below(tree, limit);

		tree->nodes[to] = tree->nodes[tree->root];
		tree->root = to;
	}
	g_array_append_val(work, tree->root);
	while (work->len) {
		uint32_t index = g_array_index(work, uint32_t, work->len - 1);
		struct iptree_node *node = &tree->nodes[index];

		g_array_set_size(work, work->len - 1);
		for (unsigned s = 0; s < IPTREE_SLOTS; s++) {
			if (!node->child[s] || bit(node->leaf_bits, s)) {
				continue;
			}
			if (node->child[s] >= limit) {
				uint32_t to = hole_below(tree, limit);

				tree->nodes[to] = tree->nodes[node->child[s]];
				node->child[s] = to;
			}
			g_array_append_val(work, node->child[s]);
		}
	}
	tree->node_pool.used = limit;
	g_array_free(work, TRUE);
}

/* Copy the leaves below a node, in order, to the end of a new array, and renumber them. */
static void number_leaves(struct growntree *tree, uint32_t index, struct iptree_leaf *to,
			  uint32_t *count)
{
	struct iptree_node *node = &tree->nodes[index];
	uint32_t number = 0;

	for (unsigned s = 0; s < IPTREE_SLOTS; s++) {
		if (!node->child[s]) {
			continue;
		}
		if (!bit(node->leaf_bits, s)) {
			number_leaves(tree, node->child[s], to, count);
			continue;
		}
		if (!bit(node->repeat_bits, s)) {
			number = (*count)++;
			to[number] = tree->leaves[node->child[s]];
		}
		node->child[s] = number;
	}
}

void growntree_load(struct growntree *tree)
{
	tree->loading = true;
}

void growntree_clean(struct growntree *tree)
{
	struct pool *leaf_pool = &tree->leaf_pool;
	struct iptree_leaf *leaves;
	uint32_t count = 1;

	tree->loading = false;
	if (!tree->changed) {
		return;
	}
	tree->changed = false;
	combine_all(tree);
	leaves = g_new(struct iptree_leaf, leaf_pool->capacity);
	leaves[0] = (struct iptree_leaf){ .prefix = 0 };
	if (tree->root_is_leaf) {
		tree->node_pool.used = 1;
		leaves[1] = tree->leaves[tree->root];
		tree->root = 1;
		count = 2;
	} else {
		if (tree->node_pool.unused->len) {
			compact_nodes(tree);
		}
		number_leaves(tree, tree->root, leaves, &count);
	}
	g_array_set_size(tree->node_pool.unused, 0);
	g_array_set_size(leaf_pool->unused, 0);
	leaf_pool->used = count;
	g_free(tree->leaves);
	tree->leaves = leaves;
}

void growntree_reread(struct growntree *tree)
{
	tree->node_pool.capacity = tree->node_pool.used;
	tree->leaf_pool.capacity = tree->leaf_pool.used;
	tree->combine_next = false;
}
