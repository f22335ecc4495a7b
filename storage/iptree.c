/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The algorithms and their order of steps are those of silk-set-bag-pmap-files.md 1.6.1. */
#include "storage/iptreeparts.h"

#include <assert.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#define POOL_FIRST      2048u
#define POOL_DOUBLE_MAX (1u << 20)

/* Where an entry hangs: a slot of a node, or the root. */
struct place {
	uint32_t node; /* 0: root */
	unsigned slot;
};

/* --- the arrays --- */

struct iptree *iptree_new(void)
{
	struct iptree *tree = g_new0(struct iptree, 1);

	tree->leaf_pool.unused = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	tree->node_pool.unused = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	return tree;
}

void iptree_free(struct iptree *tree)
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

static uint32_t leaf_take(struct iptree *tree, struct ip ip, unsigned prefix)
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

static uint32_t node_take(struct iptree *tree, struct ip ip, unsigned prefix)
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
static void subtree_free(struct iptree *tree, uint32_t top)
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

/* --- insertion --- */

static void set_leaf(struct iptree *tree, uint32_t node_index, uint32_t leaf_index)
{
	struct iptree_node *node = &tree->nodes[node_index];
	const struct iptree_leaf *leaf = &tree->leaves[leaf_index];
	unsigned slot = slot_of(leaf->ip, node->prefix);
	unsigned span = slot_span(node->prefix, leaf->prefix);

	for (unsigned s = slot; s < slot + span; s++) {
		node->child[s] = leaf_index;
		node->leaf_bits |= 1u << s;
		node->repeat_bits |= 1u << s;
		node->node_bits &= (uint16_t) ~(1u << s);
	}
	node->repeat_bits &= ~(1u << slot);
}

static void set_node(struct iptree *tree, struct place at, uint32_t index)
{
	if (at.node) {
		struct iptree_node *parent = &tree->nodes[at.node];

		parent->child[at.slot] = index;
		parent->leaf_bits &= ~(1u << at.slot);
		parent->repeat_bits &= ~(1u << at.slot);
		parent->node_bits |= (uint16_t)(1u << at.slot);
	} else {
		tree->root = index;
		tree->root_is_leaf = false;
	}
}

static void set_leaf_at(struct iptree *tree, struct place at, uint32_t index)
{
	if (at.node) {
		set_leaf(tree, at.node, index);
	} else {
		tree->root = index;
		tree->root_is_leaf = true;
	}
}

/* The block takes the one slot (or the root) that index, a leaf or a subtree inside it, has. */
static uint32_t cover_one(struct iptree *tree, struct place at, uint32_t index, bool is_leaf,
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
static uint32_t cover_many(struct iptree *tree, uint32_t node_index, struct ip ip, unsigned prefix)
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

static uint32_t cover(struct iptree *tree, struct place at, uint32_t index, bool is_leaf,
		      struct ip ip, unsigned prefix)
{
	if (at.node && prefix - tree->nodes[at.node].prefix < STRIDE_BITS) {
		return cover_many(tree, at.node, ip, prefix);
	}
	return cover_one(tree, at, index, is_leaf, ip, prefix);
}

/* A new node between a place and what hangs there, where the block branches off at bit shared. */
static uint32_t split(struct iptree *tree, struct place at, uint32_t index, bool is_leaf,
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
static uint32_t insert_at_leaf(struct iptree *tree, struct place at, uint32_t index, struct ip ip,
			       unsigned prefix)
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
static uint32_t insert_at_node(struct iptree *tree, struct place at, uint32_t index, struct ip ip,
			       unsigned prefix)
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
		tree->path[tree->depth] = index;
		tree->prefixes[tree->depth++] = node->prefix;
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

/* The lowest node of the path that holds the block and is not inside it, which leaves the path. */
static uint32_t path_down(struct iptree *tree, struct ip ip, unsigned prefix)
{
	unsigned shared = MIN(shared_bits(ip, tree->last), prefix - 1);

	while (tree->depth && tree->prefixes[tree->depth - 1] > shared) {
		tree->depth--;
	}
	tree->last = ip;
	return tree->depth ? tree->path[--tree->depth] : tree->root;
}

uint32_t iptree_insert(struct iptree *tree, struct ip ip, uint8_t prefix)
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
	leaf = tree->root_is_leaf
		       ? insert_at_leaf(tree, root, tree->root, ip, prefix)
		       : insert_at_node(tree, root, path_down(tree, ip, prefix), ip, prefix);
	if (tree->combine_next && !tree->loading) {
		iptree_combine(tree);
		tree->combine_next = false;
	}
	return leaf;
}

/* One level further down; false: nothing more to fetch. */
static bool fetch_next(const struct iptree *tree, struct ip ip, uint32_t *index)
{
	const struct iptree_node *node = &tree->nodes[*index];
	unsigned slot;

	if (shared_bits(ip, node->ip) < node->prefix) {
		return false;
	}
	slot = slot_of(ip, node->prefix);
	*index = node->child[slot];
	if (!*index) {
		return false;
	}
	if (bit(node->leaf_bits, slot)) {
		__builtin_prefetch(&tree->leaves[*index]);
		return false;
	}
	node = &tree->nodes[*index];
	__builtin_prefetch(node, 1);
	__builtin_prefetch(&node->leaf_bits, 1);
	return true;
}

void iptree_fetch(const struct iptree *tree, const struct ip *ips, size_t count)
{
	uint32_t index[IPTREE_FETCH_MAX];
	uint8_t active[IPTREE_FETCH_MAX];
	size_t left = tree->root && !tree->root_is_leaf ? count : 0;

	assert(count <= IPTREE_FETCH_MAX);
	for (size_t i = 0; i < left; i++) {
		index[i] = tree->root;
		active[i] = (uint8_t)i;
	}
	while (left) {
		size_t kept = 0;

		for (size_t i = 0; i < left; i++) {
			if (fetch_next(tree, ips[active[i]], &index[active[i]])) {
				active[kept++] = active[i];
			}
		}
		left = kept;
	}
}

static int insert_block(void *arg, struct ip first, uint8_t prefix)
{
	iptree_insert(arg, first, prefix);
	return 0;
}

void iptree_insert_range(struct iptree *tree, struct ip first, struct ip last)
{
	iptree_each_block(first, last, insert_block, tree);
}

/* The number of the node for exactly these bits; 0: there is none. */
static uint32_t find_node(const struct iptree *tree, struct ip ip, unsigned prefix)
{
	uint32_t index = tree->root;

	for (;;) {
		const struct iptree_node *node = &tree->nodes[index];
		unsigned slot;

		if (node->prefix >= prefix) {
			return node->prefix == prefix && ip_equal(node->ip, ip) ? index : 0;
		}
		slot = slot_of(ip, node->prefix);
		if (!node->child[slot] || bit(node->leaf_bits, slot)) {
			return 0;
		}
		index = node->child[slot];
	}
}

/* numbers[old] is the new number of each node; false: two places for one node, or none. */
static bool map_numbers(const struct iptree *tree, const struct iptree_leaf *nodes, uint32_t count,
			uint32_t *numbers)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t old = find_node(tree, nodes[i].ip, nodes[i].prefix);

		if (!old || numbers[old]) {
			return false;
		}
		numbers[old] = i + 1;
	}
	return true;
}

bool iptree_renumber(struct iptree *tree, const struct iptree_leaf *nodes, uint32_t count)
{
	struct iptree_node *renumbered;
	uint32_t *numbers;

	if (tree->root_is_leaf || !tree->root || count + 1 != tree->node_pool.used) {
		return false;
	}
	numbers = g_new0(uint32_t, (size_t)count + 1);
	if (!map_numbers(tree, nodes, count, numbers)) {
		g_free(numbers);
		return false;
	}
	renumbered = g_new(struct iptree_node, (size_t)count + 1);
	renumbered[0] = tree->nodes[0];
	for (uint32_t i = 1; i <= count; i++) {
		struct iptree_node *node = &renumbered[numbers[i]];

		*node = tree->nodes[i];
		for (unsigned s = 0; s < IPTREE_SLOTS; s++) {
			if (node->child[s] && !bit(node->leaf_bits, s)) {
				node->child[s] = numbers[node->child[s]];
			}
		}
	}
	tree->root = numbers[tree->root];
	tree->depth = 0;
	g_free(numbers);
	g_free(tree->nodes);
	tree->nodes = renumbered;
	/* what is read fills its arrays to the brim */
	tree->node_pool.capacity = tree->node_pool.used;
	tree->leaf_pool.capacity = tree->leaf_pool.used;
	return true;
}

/* --- asking --- */

uint32_t iptree_leaf_count(const struct iptree *tree)
{
	return tree->leaf_pool.used;
}

uint32_t iptree_node_count(const struct iptree *tree)
{
	return tree->node_pool.used;
}

uint32_t iptree_root(const struct iptree *tree)
{
	return tree->root;
}

const struct iptree_leaf *iptree_leaf(const struct iptree *tree, uint32_t index)
{
	return &tree->leaves[index];
}

const struct iptree_node *iptree_node(const struct iptree *tree, uint32_t index)
{
	return &tree->nodes[index];
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
