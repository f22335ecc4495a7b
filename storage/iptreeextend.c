/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Growing where no block lies in another and none makes a whole with another, as with addresses
 * that are scattered. Then every node that was there stays, and a node comes into being with the
 * second of the blocks below it: one walk over both lists makes nodes and their shape. The lists stay
 * as they are, and a bit for each leaf tells which of them it is in: one array of all would be as
 * much memory again.
 */
#include "storage/iptreeparts.h"

#include <pthread.h>

#include "common/processors.h"

/* In place of the number of a node: the moment at which it came into being, or that it was there. */
#define IS_MOMENT (UINT32_C(1) << 31)
#define WAS_THERE 0u

/* Leaves that are worth a thread. */
#define SPLIT_MIN (UINT32_C(1) << 16)

/*
 * A part of the leaves and what is made of it: all of them, or one of two halves that part at the root.
 * What is below the root stays open there at the end of a half.
 */
struct part {
	struct setblocks old;
	struct setblocks fresh;
	uint32_t late_before; /* of the fresh ones, how many are in front of the part */
	uint32_t place;       /* of the first leaf */
	int root;             /* its prefix, < 0: to its end */
	struct leaf_word *words;
	struct leaf_word edge;   /* the first word, if it begins in front of the part */
	struct tree_shape shape; /* the same arrays in both halves */
	uint32_t *numbers;
	struct shaping shaping;
	bool is_apart;
};

static void keep_node(struct shaping *shaping, const struct open_shape *open)
{
	struct part *part = shaping->arg;

	iptree_add_shape(&part->shape, shaping->nodes, open);
	part->numbers[shaping->nodes] = open->second == 0 ? WAS_THERE : open->second | IS_MOMENT;
}

static void mark_leaf(struct part *part, uint32_t place, bool is_late, uint32_t late_before)
{
	bool is_edge = part->place % 64 && place / 64 == part->place / 64;
	struct leaf_word *word = is_edge ? &part->edge : &part->words[place / 64];

	if (place % 64 == 0) {
		*word = (struct leaf_word){ .before = late_before };
	}
	word->late |= (uint64_t)is_late << place % 64;
}

/* Whether they are apart; false: what is made is good for nothing. */
static bool walk_part(struct part *part)
{
	const struct setblock *old = part->old.at;
	const struct setblock *old_end = setblocks_end(&part->old);
	const struct setblock *block = part->fresh.at;
	const struct setblock *end = setblocks_end(&part->fresh);
	const struct setblock *last = NULL;
	uint32_t place = part->place;

	for (; old < old_end || block < end; place++) {
		bool is_old = block == end || (old < old_end && setblock_order(old, block) < 0);
		const struct setblock *next = is_old ? old : block;

		if (part->words) {
			mark_leaf(part, place, !is_old,
				  part->late_before + (uint32_t)(block - part->fresh.at));
		}
		old = is_old ? old + 1 : old;
		block = is_old ? block : block + 1;
		if (last) {
			unsigned shared = ip_shared_bits(last->ip, next->ip);

			if (!iptree_are_apart(last, next, shared)) {
				return false;
			}
			iptree_shape_leaf(&part->shaping, last, place - 1, (int)shared);
		}
		last = next;
	}
	iptree_shape_leaf(&part->shaping, last, place - 1, part->root);
	return true;
}

static void *run_part(void *arg)
{
	struct part *part = arg;

	part->shaping.done = keep_node;
	part->shaping.arg = part;
	part->is_apart = walk_part(part);
	return NULL;
}

/* --- halves --- */

/* The first one from an address on. */
static uint32_t place_from(const struct setblocks *blocks, struct ip from)
{
	uint32_t low = 0;
	uint32_t high = blocks->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (ip_compare(blocks->at[middle].ip, from) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

/* Of both lists together; NULL: they are empty. */
static const struct setblock *first_leaf(const struct part *part)
{
	if (!part->old.count || !part->fresh.count) {
		return part->old.count ? part->old.at : part->fresh.at;
	}
	return setblock_order(part->old.at, part->fresh.at) < 0 ? part->old.at : part->fresh.at;
}

static const struct setblock *last_leaf(const struct part *part)
{
	const struct setblock *old = part->old.count ? setblocks_end(&part->old) - 1 : NULL;
	const struct setblock *fresh = part->fresh.count ? setblocks_end(&part->fresh) - 1 : NULL;

	if (!old || !fresh) {
		return old ? old : fresh;
	}
	return setblock_order(old, fresh) > 0 ? old : fresh;
}

/*
 * Make two halves of the part, as far as slots of the root allow: the first one is that with it.
 * False, and nothing is changed: it is not worth it.
 */
static bool split(struct part *part, struct part *second)
{
	struct ip middle;
	unsigned root;
	uint32_t old;
	uint32_t fresh;

	if (part->old.count + part->fresh.count < SPLIT_MIN || processors_count() < 2) {
		return false;
	}
	/* so many leaves differ before the last slots */
	root = node_prefix_at(ip_shared_bits(first_leaf(part)->ip, last_leaf(part)->ip));
	middle = ip_masked(part->fresh.at[part->fresh.count / 2].ip, root + STRIDE_BITS);
	old = place_from(&part->old, middle);
	fresh = place_from(&part->fresh, middle);
	if (old + fresh == 0) {
		return false;
	}
	part->root = (int)root;
	*second = *part;
	part->old.count = old;
	part->fresh.count = fresh;
	if (old > 0) {
		second->old = (struct setblocks){ second->old.at + old, second->old.count - old };
	}
	second->fresh = (struct setblocks){ second->fresh.at + fresh, second->fresh.count - fresh };
	second->late_before = fresh;
	second->place = old + fresh;
	/* there are fewer nodes than leaves in the first half */
	second->shaping.nodes = second->place;
	second->shape.child_end = second->place;
	return true;
}

static void add_time(struct open_shape *open, uint32_t time)
{
	open->second = MIN(open->second, MAX(open->time, time));
	open->time = MIN(open->time, time);
}

/* Both halves of the root, which is done. */
static void join_roots(struct open_shape *root, const struct open_shape *second)
{
	root->shape.leaf_bits |= second->shape.leaf_bits;
	root->shape.repeat_bits |= second->shape.repeat_bits;
	root->shape.node_bits |= second->shape.node_bits;
	add_time(root, second->time);
	add_time(root, second->second);
	for (unsigned i = 0; i < second->child_count; i++) {
		root->children[root->child_count++] = second->children[i];
	}
}

/* The first half is the whole. */
static void join(struct part *part, struct part *second)
{
	struct tree_shape *shape = &part->shape;
	struct open_shape *root = &part->shaping.open[0];

	shape->place_gap = (struct gap){ part->shaping.nodes, second->place };
	shape->child_gap = (struct gap){ shape->child_end, second->place };
	shape->child_end = second->shape.child_end;
	part->shaping.nodes = second->shaping.nodes;
	join_roots(root, &second->shaping.open[0]);
	keep_node(&part->shaping, root);
	part->shaping.nodes++;
	if (part->words && second->place % 64) {
		part->words[second->place / 64].late |= second->edge.late;
	}
}

static bool are_parts_apart(const struct part *part, const struct part *second)
{
	const struct setblock *a = last_leaf(part);
	const struct setblock *b = first_leaf(second);

	return part->is_apart && second->is_apart &&
	       iptree_are_apart(a, b, ip_shared_bits(a->ip, b->ip));
}

/* Whether they are apart; false: what is made is good for nothing. */
static bool walk_all(struct part *part)
{
	struct part second;
	pthread_t thread;
	bool on_thread;

	if (!split(part, &second)) {
		run_part(part);
		return part->is_apart;
	}
	on_thread = pthread_create(&thread, NULL, run_part, &second) == 0;
	run_part(part);
	if (on_thread) {
		pthread_join(thread, NULL);
	} else {
		run_part(&second);
	}
	if (!are_parts_apart(part, &second)) {
		return false;
	}
	join(part, &second);
	return true;
}

/* --- numbers --- */

/*
 * Give numbers in order of the moments. There is a pending block to each; meanwhile the time of the
 * first one is the place of the node of the first moment, and so on, IPTREE_NEVER where there is
 * none.
 */
static void give_numbers(struct iptree *tree, uint32_t *numbers)
{
	struct setblock *blocks = tree->pending.at;
	const uint32_t *old_numbers = tree->numbers;
	uint32_t until = tree->pending.count;

	for (uint32_t moment = 1; moment <= until; moment++) {
		blocks[moment - 1].time = IPTREE_NEVER;
	}
	for (uint32_t i = 0; i < tree->node_count; i++) {
		uint32_t place = iptree_place(tree, i);

		if (numbers[place] & IS_MOMENT) {
			blocks[(numbers[place] & ~IS_MOMENT) - 1].time = place;
		} else {
			numbers[place] = *old_numbers++;
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
	uint32_t leaves = tree->leaves.count + tree->pending.count;
	struct part part = { .old = tree->leaves, .fresh = tree->pending, .root = -1 };

	if (!tree->pending.count) {
		return true;
	}
	if (tree->leaves.count) {
		part.words = g_new(struct leaf_word, (size_t)leaves / 64 + 1);
	}
	part.numbers = g_new(uint32_t, leaves);
	iptree_new_shape(tree, leaves);
	part.shape = tree->shape;
	if (!walk_all(&part)) {
		iptree_drop_shape(tree);
		g_free(part.numbers);
		g_free(part.words);
		return false;
	}
	tree->shape = part.shape;
	tree->node_count =
		part.shaping.nodes - (part.shape.place_gap.to - part.shape.place_gap.from);
	if (!tree->leaves.count) {
		iptree_number_take(&tree->node_pool); /* the unused node */
	}
	give_numbers(tree, part.numbers);
	take_pending(tree, part.words);
	g_free(tree->numbers);
	tree->numbers = g_renew(uint32_t, part.numbers, part.shaping.nodes);
	return true;
}

void iptree_join_lists(struct iptree *tree)
{
	struct setblocks all = { NULL, 0 };
	uint32_t count = iptree_held(tree);

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
