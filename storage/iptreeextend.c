/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Growing where no block lies in another and none makes a whole with another, as with addresses
 * that are scattered. Then every node that was there stays, and a node comes into being with the
 * second of the blocks below it: one walk merges leaves and blocks, and makes nodes and their shape.
 */
#include "storage/iptreeparts.h"

#include "common/hugeroom.h"

#include <string.h>

/* Blocks whose memory is given back together. */
#define FORGET_BLOCKS 16384u

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

/*
 * The array for all leaves, at whose end are those that were there; where there are none it is that
 * of the pending blocks. What is written never gets as far as what is not yet seen.
 */
static struct setblock *room_for_all(const struct iptree *tree)
{
	uint32_t count = tree->leaves.count;
	uint32_t pending = tree->pending.count;
	struct setblock *room = tree->pending.at;

	if (count) {
		room = hugeroom_new(((size_t)count + pending) * sizeof(*room));
		memcpy(room + pending, tree->leaves.at, count * sizeof(*room));
	}
	g_free(tree->leaves.at);
	return room;
}

static void walk_all(struct iptree *tree, struct shaping *shaping)
{
	struct setblocks leaves = { room_for_all(tree), 0 };
	const struct setblock *old = leaves.at + tree->pending.count;
	const struct setblock *old_end = old + tree->leaves.count;
	const struct setblock *block = tree->pending.at;
	const struct setblock *end = setblocks_end(&tree->pending);
	size_t forgotten = 0;

	shaping->leaves = &leaves;
	while (old < old_end || block < end) {
		bool is_old = block == end || (old < old_end && setblock_order(old, block) < 0);
		const struct setblock next = is_old ? *old++ : *block++;
		uint32_t count = leaves.count;

		if (count) {
			struct setblock *last = &leaves.at[count - 1];

			iptree_shape_leaf(shaping, count - 1,
					  (int)ip_shared_bits(last->ip, next.ip));
			last->time = 0;
		}
		leaves.at[leaves.count++] = next;
		if (!is_old && old != old_end && leaves.at != tree->pending.at &&
		    (size_t)(block - tree->pending.at) - forgotten == FORGET_BLOCKS) {
			hugeroom_forget(tree->pending.at + forgotten,
					FORGET_BLOCKS * sizeof(*block));
			forgotten += FORGET_BLOCKS;
		}
	}
	iptree_shape_leaf(shaping, leaves.count - 1, -1);
	leaves.at[leaves.count - 1].time = 0;
	if (leaves.at != tree->pending.at) {
		g_free(tree->pending.at);
	}
	tree->leaves = leaves;
	tree->pending = (struct setblocks){ NULL, 0 };
}

/*
 * Give numbers in order of the moments. There are at least as many leaves as moments; meanwhile the
 * time of each is the place of the node of that moment, IPTREE_NEVER where there is none.
 */
static void give_numbers(struct iptree *tree, uint32_t *numbers, uint32_t nodes, uint32_t until)
{
	struct setblock *leaves = tree->leaves.at;

	for (uint32_t moment = 1; moment <= until; moment++) {
		leaves[moment - 1].time = IPTREE_NEVER;
	}
	for (uint32_t place = 0; place < nodes; place++) {
		if (numbers[place] & IS_MOMENT) {
			leaves[(numbers[place] & ~IS_MOMENT) - 1].time = place;
		}
	}
	for (uint32_t moment = 1; moment <= until; moment++) {
		if (leaves[moment - 1].time != IPTREE_NEVER) {
			numbers[leaves[moment - 1].time] = iptree_number_take(&tree->node_pool);
		}
		leaves[moment - 1].time = 0;
	}
}

void iptree_extend(struct iptree *tree)
{
	uint32_t until = tree->pending.count;
	size_t most = (size_t)tree->node_count + until;
	struct extending extending = { .tree = tree, .old_numbers = tree->numbers };
	struct shaping shaping = { .done = keep_node, .arg = &extending };

	if (!until) {
		return;
	}
	if (!tree->leaves.count) {
		iptree_number_take(&tree->node_pool); /* the unused node */
	}
	extending.numbers = g_new(uint32_t, most);
	iptree_new_shape(tree, (uint32_t)most);
	walk_all(tree, &shaping);
	give_numbers(tree, extending.numbers, shaping.nodes, until);
	g_free(tree->numbers);
	tree->node_count = shaping.nodes;
	tree->numbers = g_renew(uint32_t, extending.numbers, tree->node_count);
}
