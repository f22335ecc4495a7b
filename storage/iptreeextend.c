/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Growing where no block lies in another and none makes a whole with another, as with addresses
 * that are scattered. Then every node that was there stays, and a node comes into being with the
 * second of the blocks below it: one walk over both lists makes nodes and their shape. The lists stay
 * as they are, and a bit for each leaf tells which of them it is in: one array of all would be as
 * much memory again.
 */
#include "storage/iptreeparts.h"

/* In place of the number of a node that is new: the moment at which it came into being. */
#define IS_MOMENT (UINT32_C(1) << 31)

struct extending {
	struct iptree *tree;
	const uint32_t *old_numbers; /* of the nodes that were there and are not done yet */
	uint32_t *numbers;
};

static void keep_node(struct shaping *shaping, const struct open_shape *open)
{
	struct extending *extending = shaping->arg;

	extending->tree->shapes[shaping->nodes] = open->shape;
	extending->numbers[shaping->nodes] =
		open->second == 0 ? *extending->old_numbers++ : open->second | IS_MOMENT;
}

static void mark_leaf(struct leaf_word *words, uint32_t place, bool is_late, uint32_t late_before)
{
	struct leaf_word *word = &words[place / 64];

	if (place % 64 == 0) {
		*word = (struct leaf_word){ .before = late_before };
	}
	word->late |= (uint64_t)is_late << place % 64;
}

/* Two neighbours in order: is the second one neither inside the first nor its other half? */
static bool are_apart(const struct setblock *a, const struct setblock *b, unsigned shared)
{
	return shared + 1 < a->prefix || (shared + 1 == a->prefix && b->prefix != a->prefix);
}

/* Nothing is changed. False: two of them are not apart. */
static bool walk_all(const struct iptree *tree, struct leaf_word *words, struct shaping *shaping)
{
	const struct setblock *old = tree->leaves.at;
	const struct setblock *old_end = setblocks_end(&tree->leaves);
	const struct setblock *block = tree->pending.at;
	const struct setblock *end = setblocks_end(&tree->pending);
	const struct setblock *last = NULL;
	uint32_t place = 0;

	for (; old < old_end || block < end; place++) {
		bool is_old = block == end || (old < old_end && setblock_order(old, block) < 0);
		const struct setblock *next = is_old ? old : block;

		if (words) {
			mark_leaf(words, place, !is_old, (uint32_t)(block - tree->pending.at));
		}
		old = is_old ? old + 1 : old;
		block = is_old ? block : block + 1;
		if (last) {
			unsigned shared = ip_shared_bits(last->ip, next->ip);

			if (!are_apart(last, next, shared)) {
				return false;
			}
			iptree_shape_leaf(shaping, last, place - 1, (int)shared);
		}
		last = next;
	}
	iptree_shape_leaf(shaping, last, place - 1, -1);
	return true;
}

/*
 * Give numbers in order of the moments. There is a pending block to each; meanwhile the time of the
 * first one is the place of the node of the first moment, and so on, IPTREE_NEVER where there is
 * none.
 */
static void give_numbers(struct iptree *tree, uint32_t *numbers, uint32_t nodes)
{
	struct setblock *blocks = tree->pending.at;
	uint32_t until = tree->pending.count;

	for (uint32_t moment = 1; moment <= until; moment++) {
		blocks[moment - 1].time = IPTREE_NEVER;
	}
	for (uint32_t place = 0; place < nodes; place++) {
		if (numbers[place] & IS_MOMENT) {
			blocks[(numbers[place] & ~IS_MOMENT) - 1].time = place;
		}
	}
	for (uint32_t moment = 1; moment <= until; moment++) {
		if (blocks[moment - 1].time != IPTREE_NEVER) {
			numbers[blocks[moment - 1].time] = iptree_number_take(&tree->node_pool);
		}
		blocks[moment - 1].time = 0;
	}
}

/* The pending blocks are leaves from here on. */
static void take_pending(struct iptree *tree, struct leaf_word *words)
{
	if (words) {
		tree->late = tree->pending;
		tree->leaf_words = words;
	} else {
		g_free(tree->leaves.at);
		tree->leaves = tree->pending;
	}
	tree->pending = (struct setblocks){ NULL, 0 };
}

bool iptree_extend(struct iptree *tree)
{
	size_t leaves = (size_t)tree->leaves.count + tree->pending.count;
	size_t most = (size_t)tree->node_count + tree->pending.count;
	struct extending extending = { .tree = tree, .old_numbers = tree->numbers };
	struct shaping shaping = { .done = keep_node, .arg = &extending };
	struct leaf_word *words = NULL;

	if (!tree->pending.count) {
		return true;
	}
	if (tree->leaves.count) {
		words = g_new(struct leaf_word, leaves / 64 + 1);
	}
	extending.numbers = g_new(uint32_t, most);
	iptree_new_shape(tree, (uint32_t)most);
	if (!walk_all(tree, words, &shaping)) {
		iptree_drop_shape(tree);
		g_free(extending.numbers);
		g_free(words);
		return false;
	}
	if (!tree->leaves.count) {
		iptree_number_take(&tree->node_pool); /* the unused node */
	}
	give_numbers(tree, extending.numbers, shaping.nodes);
	take_pending(tree, words);
	g_free(tree->numbers);
	tree->node_count = shaping.nodes;
	tree->numbers = g_renew(uint32_t, extending.numbers, tree->node_count);
	return true;
}

void iptree_join_lists(struct iptree *tree)
{
	struct setblocks all = { NULL, 0 };
	uint32_t count = iptree_leaves(tree);

	if (!tree->late.count) {
		return;
	}
	all.at = g_new(struct setblock, count);
	for (; all.count < count; all.count++) {
		all.at[all.count] = *iptree_leaf_at(tree, all.count);
	}
	g_free(tree->leaves.at);
	tree->leaves = all;
	iptree_drop_late(tree);
}

void iptree_drop_late(struct iptree *tree)
{
	g_free(tree->late.at);
	g_free(tree->leaf_words);
	tree->late = (struct setblocks){ NULL, 0 };
	tree->leaf_words = NULL;
}
