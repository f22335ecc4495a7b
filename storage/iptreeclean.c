/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Joining and numbering, in the order of steps of silk-set-bag-pmap-files.md 1.6.1. */
#include "storage/iptreeparts.h"

#include <assert.h>

#define EVEN_SLOTS 0x5555u

/* --- joining --- */

/* Slots seen so far whose leaves may be joined with one on their left; top is the nearest. */
struct slot_stack {
	unsigned count;
	uint8_t slot[IPTREE_SLOTS];
};

/* Join the leaf of slot s with its right neighbours as long as two halves make a whole. */
static void combine_slot(struct iptree *tree, struct iptree_node *node, unsigned s,
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
	node->node_bits &= (uint16_t) ~(1u << s);
}

static bool combine(struct iptree *tree, uint32_t index, uint32_t *leaf);

/*
 * A node in which no two slots are occupied that could make a whole: only what is below it can be
 * joined, in the same order as by combine().
 */
static void combine_below(struct iptree *tree, struct iptree_node *node)
{
	for (unsigned left = node->node_bits; left;) {
		unsigned s = 31 - (unsigned)__builtin_clz(left);
		uint32_t joined;

		if (combine(tree, node->child[s], &joined)) {
			leaf_for_node(node, s, joined);
		}
		left &= ~(1u << s);
	}
}

/* Its children will be looked at soon. */
static void fetch_children(const struct iptree *tree, const struct iptree_node *node)
{
	for (unsigned left = node->node_bits; left; left &= left - 1) {
		const struct iptree_node *child = &tree->nodes[node->child[__builtin_ctz(left)]];

		__builtin_prefetch(&child->leaf_bits);
		__builtin_prefetch(child);
	}
}

/*
 * Join leaves below a node. True when the node has only one leaf left: it has been freed, and *leaf
 * is to take its place. Depth is at most 32.
 */
static bool combine(struct iptree *tree, uint32_t index, uint32_t *leaf)
{
	struct iptree_node *node = &tree->nodes[index];
	struct slot_stack stack = { 0 };
	unsigned occupied = node->leaf_bits | node->node_bits;
	int lowest = -1;
	int highest = -1;

	fetch_children(tree, node);
	if (!(occupied & occupied >> 1 & EVEN_SLOTS)) {
		combine_below(tree, node);
		return false;
	}
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

void iptree_combine(struct iptree *tree)
{
	uint32_t leaf;

	tree->depth = 0;
	if (tree->root && !tree->root_is_leaf && combine(tree, tree->root, &leaf)) {
		tree->root = leaf;
		tree->root_is_leaf = true;
	}
}

/* --- numbering --- */

/* The next unused number below limit; larger ones are thrown away. */
static uint32_t hole_below(struct iptree *tree, uint32_t limit)
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
static void compact_nodes(struct iptree *tree)
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
static void number_leaves(struct iptree *tree, uint32_t index, struct iptree_leaf *to,
			  uint32_t *count)
{
	struct iptree_node *node = &tree->nodes[index];
	uint32_t number = 0;

	fetch_children(tree, node);
	for (unsigned left = node->leaf_bits & ~node->repeat_bits; left; left &= left - 1) {
		__builtin_prefetch(&tree->leaves[node->child[__builtin_ctz(left)]]);
	}
	for (unsigned left = node->leaf_bits | node->node_bits; left; left &= left - 1) {
		unsigned s = (unsigned)__builtin_ctz(left);

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

void iptree_load(struct iptree *tree)
{
	tree->loading = true;
}

void iptree_clean(struct iptree *tree)
{
	struct pool *leaf_pool = &tree->leaf_pool;
	struct iptree_leaf *leaves;
	uint32_t count = 1;

	tree->loading = false;
	if (!tree->changed) {
		return;
	}
	tree->changed = false;
	iptree_combine(tree);
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
