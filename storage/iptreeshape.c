/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the nodes of a clean tree look like: found from the leaves alone, in one walk. Children are
 * kept for slots that are taken only.
 */
#include "storage/iptreeparts.h"

#include "common/hugeroom.h"

#include <assert.h>
#include <string.h>

/* Nodes ahead. */
#define FETCH_SHAPE 32u
#define FETCH_REST  16u

static bool bit(unsigned bits, unsigned slot)
{
	return bits >> slot & 1;
}

/* Below a node: a leaf, or a node that is done. */
struct child {
	uint32_t leaf; /* the first one below it, or it */
	uint32_t time; /* the first of the leaves below it, or its */
	bool is_node;
	struct node_child node; /* with its place */
};

/* The child, on the way to this leaf. */
static void put_child(struct open_shape *open, const struct child *child,
		      const struct setblock *leaf)
{
	struct node_shape *shape = &open->shape;
	unsigned slot = slot_of(leaf->ip, shape->prefix);
	unsigned span = child->is_node ? 1 : slot_span(shape->prefix, leaf->prefix);
	unsigned bits = ((1u << span) - 1) << slot;

	if (child->time < open->time) {
		open->second = open->time;
		open->time = child->time;
	} else {
		open->second = MIN(open->second, child->time);
	}
	if (child->is_node) {
		shape->node_bits |= (uint16_t)bits;
		open->children[open->child_count++] = child->node;
	} else {
		shape->leaf_bits |= (uint16_t)bits;
		shape->repeat_bits |= (uint16_t)(bits & bits << 1);
	}
}

/* The last one of the way has all its children; this is the last leaf below it. */
static struct child end_shape(struct shaping *shaping, uint32_t leaf_place)
{
	struct open_shape *open = &shaping->open[--shaping->depth];

	shaping->done(shaping, open);
	return (struct child){
		.leaf = open->shape.leaf,
		.time = open->time,
		.is_node = true,
		.node = { .number = shaping->nodes++, .leaf_end = leaf_place + 1 },
	};
}

void iptree_shape_leaf(struct shaping *shaping, const struct setblock *leaf, uint32_t leaf_place,
		       int shared)
{
	struct child child = {
		.leaf = leaf_place,
		.time = leaf->time,
		.is_node = false,
	};
	struct open_shape *open = NULL;

	while (shaping->depth && shaping->open[shaping->depth - 1].shape.prefix > shared) {
		put_child(&shaping->open[shaping->depth - 1], &child, leaf);
		child = end_shape(shaping, leaf_place);
	}
	if (shared < 0) {
		return;
	}
	if (shaping->depth) {
		open = &shaping->open[shaping->depth - 1];
	}
	if (!open || open->shape.prefix != node_prefix_at((unsigned)shared)) {
		open = &shaping->open[shaping->depth++];
		open->shape = (struct node_shape){
			.prefix = (uint8_t)node_prefix_at((unsigned)shared),
			.leaf = child.leaf,
		};
		open->time = IPTREE_NEVER;
		open->second = IPTREE_NEVER;
		open->child_count = 0;
	}
	put_child(open, &child, leaf);
}

/* By number, where the nodes are. */
static void make_places(struct iptree *tree)
{
	g_free(tree->places);
	tree->places = g_new0(uint32_t, (size_t)tree->node_count + 1);
	for (uint32_t i = 0; i < tree->node_count; i++) {
		uint32_t place = iptree_place(tree, i);

		tree->places[tree->numbers[place]] = place;
	}
}

/* Tell done() of all nodes of the leaves, children before their parents. */
static void shape_nodes(struct shaping *shaping, const struct setblocks *leaves)
{
	for (uint32_t i = 0; i < leaves->count; i++) {
		int shared = i + 1 < leaves->count
				     ? (int)ip_shared_bits(leaves->at[i].ip, leaves->at[i + 1].ip)
				     : -1;

		iptree_shape_leaf(shaping, &leaves->at[i], i, shared);
	}
}

static void keep_shape(struct shaping *shaping, const struct open_shape *open)
{
	struct iptree *tree = shaping->arg;

	iptree_add_shape(&tree->shape, shaping->nodes, open);
}

void iptree_new_shape(struct iptree *tree, uint32_t nodes)
{
	struct tree_shape *shape = &tree->shape;

	shape->nodes = g_malloc(nodes * sizeof(*shape->nodes));
	shape->children = g_malloc(nodes * sizeof(*shape->children));
}

void iptree_add_shape(struct tree_shape *shape, uint32_t place, const struct open_shape *open)
{
	shape->nodes[place] = open->shape;
	shape->nodes[place].child = shape->child_end;
	for (unsigned i = 0; i < open->child_count; i++) {
		shape->children[shape->child_end++] = open->children[i];
	}
}

void iptree_make_shape(struct iptree *tree)
{
	struct shaping shaping = { .done = keep_shape, .arg = tree };

	iptree_new_shape(tree, tree->node_count);
	shape_nodes(&shaping, &tree->leaves);
	assert(shaping.nodes == tree->node_count);
}

void iptree_drop_shape(struct iptree *tree)
{
	const struct gap *gap = &tree->shape.place_gap;

	if (gap->to > gap->from) {
		memmove(tree->numbers + gap->from, tree->numbers + gap->to,
			(tree->node_count - gap->from) * sizeof(*tree->numbers));
	}
	g_free(tree->shape.nodes);
	g_free(tree->shape.children);
	g_free(tree->places);
	tree->shape = (struct tree_shape){ NULL };
	tree->places = NULL;
}

/* --- numbers without holes --- */

/* The next unused number up to the highest one that is left; larger ones are thrown away. */
static uint32_t hole_below(struct iptree *tree)
{
	uint32_t number = 0;

	do {
		GArray *unused = tree->node_pool.unused;

		assert(unused->len);
		number = g_array_index(unused, uint32_t, unused->len - 1);
		g_array_set_size(unused, unused->len - 1);
	} while (number > tree->node_count);
	return number;
}

/* In the order of silk-set-bag-pmap-files.md 1.6.1, "Compact". */
static void fill_holes(struct iptree *tree)
{
	GArray *work = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	uint32_t root = iptree_place(tree, tree->node_count - 1);

	if (tree->numbers[root] > tree->node_count) {
		tree->numbers[root] = hole_below(tree);
	}
	g_array_append_val(work, root);
	while (work->len) {
		uint32_t place = g_array_index(work, uint32_t, work->len - 1);
		const struct node_child *child =
			&tree->shape.children[tree->shape.nodes[place].child];

		g_array_set_size(work, work->len - 1);
		for (unsigned left = tree->shape.nodes[place].node_bits; left; left &= left - 1) {
			if (tree->numbers[child->number] > tree->node_count) {
				tree->numbers[child->number] = hole_below(tree);
			}
			g_array_append_val(work, child->number);
			child++;
		}
	}
	g_array_free(work, TRUE);
}

/* What were places are numbers, which are settled. */
static void number_children(struct iptree *tree, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		struct node_child *child = &tree->shape.children[i];

		child->number = tree->numbers[child->number];
	}
}

void iptree_compact(struct iptree *tree)
{
	const struct tree_shape *shape = &tree->shape;

	if (tree->node_pool.unused->len && tree->node_count) {
		fill_holes(tree);
	}
	g_array_set_size(tree->node_pool.unused, 0);
	tree->node_pool.used = iptree_node_count(tree);
	number_children(tree, 0, shape->child_gap.from);
	number_children(tree, shape->child_gap.to, shape->child_end);
	make_places(tree);
}

/* --- numbers of a file --- */

/* The nodes of a file in order, parents before children, as a walk leaves them. */
struct leaving {
	const struct setblock *next;
	uint32_t left;
	const struct setblock *way[IPTREE_DEPTH_MAX];
	unsigned depth;
	const struct setblock *leaves;
	uint32_t *numbers; /* found so far, of as many as there are nodes */
	bool failed;
};

/* NULL: there are no more, or more above each other than a tree has. */
static const struct setblock *leave_next(struct leaving *leaving)
{
	while (leaving->left && (!leaving->depth ||
				 setblock_holds(leaving->way[leaving->depth - 1], leaving->next))) {
		if (leaving->depth == IPTREE_DEPTH_MAX) {
			return NULL;
		}
		leaving->way[leaving->depth++] = leaving->next++;
		leaving->left--;
	}
	return leaving->depth ? leaving->way[--leaving->depth] : NULL;
}

/* Is the node of the file the one that its leaves make? */
static void check_shape(struct shaping *shaping, const struct open_shape *open)
{
	struct leaving *leaving = shaping->arg;
	const struct setblock *node = leaving->failed ? NULL : leave_next(leaving);
	struct ip leaf = leaving->leaves[open->shape.leaf].ip;

	if (!node || node->prefix != open->shape.prefix ||
	    !ip_equal(node->ip, ip_masked(leaf, node->prefix))) {
		leaving->failed = true;
		return;
	}
	leaving->numbers[shaping->nodes] = node->time;
}

static bool find_numbers(const struct iptree *tree, const struct setblock *nodes, uint32_t *numbers)
{
	struct leaving leaving = { .next = nodes,
				   .left = tree->node_count,
				   .leaves = tree->leaves.at,
				   .numbers = numbers };
	struct shaping shaping = { .done = check_shape, .arg = &leaving };

	shape_nodes(&shaping, &tree->leaves);
	return !leaving.failed && shaping.nodes == tree->node_count;
}

struct iptree *iptree_adopt(struct setblock *leaves, uint32_t leaf_count, struct setblock *nodes,
			    uint32_t node_count)
{
	struct iptree *tree;

	if (!leaf_count || !setblock_are_leaves(leaves, leaf_count)) {
		return NULL;
	}
	setblock_sort(nodes, node_count);
	tree = iptree_new();
	tree->leaves = (struct setblocks){ leaves, leaf_count };
	tree->node_count = node_count;
	tree->numbers = g_new(uint32_t, (size_t)node_count + 1);
	if (!find_numbers(tree, nodes, tree->numbers)) {
		tree->leaves.at = NULL;
		iptree_free(tree);
		return NULL;
	}
	/* what is read fills its arrays to the brim */
	tree->node_pool.used = iptree_node_count(tree);
	tree->node_pool.capacity = tree->node_pool.used;
	tree->leaf_capacity = iptree_leaf_count(tree);
	return tree;
}

/* --- asking --- */

/*
 * Nodes are asked for one after the other, and what they are made of is all over the memory. gcc
 * takes a function that does nothing but this for one that does nothing, unless it is inlined.
 */
static inline __attribute__((always_inline)) void fetch_ahead(const struct iptree *tree,
							      uint32_t index)
{
	if (index + FETCH_SHAPE <= tree->node_count) {
		uint32_t place = tree->places[index + FETCH_REST];
		const struct node_shape *shape = &tree->shape.nodes[place];

		__builtin_prefetch(&tree->shape.nodes[tree->places[index + FETCH_SHAPE]]);
		__builtin_prefetch(&tree->shape.children[shape->child]);
		__builtin_prefetch(iptree_leaf_at(tree, shape->leaf));
	}
}

void iptree_node(const struct iptree *tree, uint32_t index, struct iptree_node *out)
{
	const struct node_shape *shape = &tree->shape.nodes[tree->places[index]];
	const struct node_child *child = &tree->shape.children[shape->child];
	uint32_t leaf = shape->leaf;
	uint32_t number = 0;

	fetch_ahead(tree, index);
	*out = (struct iptree_node){
		.leaf_bits = shape->leaf_bits,
		.repeat_bits = shape->repeat_bits,
		.prefix = shape->prefix,
		.ip = ip_masked(iptree_leaf_at(tree, shape->leaf)->ip, shape->prefix),
	};
	for (unsigned left = shape->leaf_bits | shape->node_bits; left; left &= left - 1) {
		unsigned slot = (unsigned)__builtin_ctz(left);

		if (bit(shape->node_bits, slot)) {
			number = child->number;
			leaf = child++->leaf_end;
		} else if (!bit(shape->repeat_bits, slot)) {
			number = ++leaf;
		}
		out->child[slot] = number;
	}
}
