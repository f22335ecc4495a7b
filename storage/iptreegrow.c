/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Growing by many blocks at once. A walk in order of address over the leaves and the new blocks
 * keeps the way from the root to the last block: the nodes in which blocks part, and the new blocks
 * that the next one may be inside of. What is behind the walk is folded up into the moments that
 * matter. A node comes into being with the second of the blocks below it that part in it, and so
 * each insertion makes one node at most; it ends with the first block that covers it, or when all
 * its leaves are joined to one. Leaves, which were there before, have the moment 0.
 */
#include "storage/iptreeparts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SPANS_MAX     (IPTREE_SLOTS + IPTREE_SLOTS - 2) /* each slot, and blocks of 2, 4, 8 slots */
#define CARRIED_MAX   STRIDE_BITS
#define WAY_MAX       (IPTREE_DEPTH_MAX + 129)
#define LEAF_MIN_BITS 1 /* SiLK knows no block of all IPv6 addresses */

/* Slots of a node, and when they were first taken as a whole or, of one slot, in part. */
struct span {
	uint8_t first;
	uint8_t last;
	uint32_t time;
};

/* A node on the way. */
struct open_node {
	unsigned count;
	struct span spans[SPANS_MAX + CARRIED_MAX];
};

/* A step of the way: a node, or a block. */
struct step {
	bool is_node;
	uint8_t prefix;
	uint32_t time;  /* of a block */
	uint32_t first; /* place of the first leaf below it */
};

/*
 * What has been left behind and is not yet below a node. It may be two to four spans of a node with
 * this prefix if there will be one, and is one slot of nodes above.
 */
struct carried {
	uint32_t time; /* the first; IPTREE_NEVER: nothing is carried */
	uint32_t first;
	unsigned prefix;
	unsigned count; /* 0: no spans, one slot of any node */
	struct span spans[CARRIED_MAX];
};

/* A node that ends, at this moment or, IPTREE_NEVER, by joining. */
struct dead {
	uint32_t time;
	uint32_t place;
	struct setblock where;
};

struct walk {
	const struct setblock *last;
	struct step way[WAY_MAX];
	unsigned depth;
	struct open_node nodes[IPTREE_DEPTH_MAX];
	unsigned node_depth;
	unsigned block_depth;
	struct setblock *leaves; /* joined, those behind the walk */
	uint32_t leaf_count;
	const uint32_t *old_numbers; /* of the nodes that the walk has not left yet */
	uint32_t *numbers;           /* of those that it has left */
	uint32_t node_count;
	uint32_t *made; /* by moment, the place of the node; IPTREE_NEVER: none */
	GArray *dead;
};

/* --- nodes --- */

/* When two blocks that part in the node are there; IPTREE_NEVER. */
static uint32_t node_moment(const struct open_node *node)
{
	const struct span *biggest = NULL; /* of those so far, and the only one */
	uint32_t seen = 0;

	for (unsigned n = 0; n < node->count; n++) {
		unsigned next = node->count;

		for (unsigned i = 0; i < node->count; i++) {
			if (!(seen >> i & 1) &&
			    (next == node->count || node->spans[i].time < node->spans[next].time)) {
				next = i;
			}
		}
		if (biggest && (node->spans[next].first > biggest->last ||
				node->spans[next].last < biggest->first)) {
			return node->spans[next].time;
		}
		seen |= UINT32_C(1) << next;
		biggest = &node->spans[next];
	}
	return IPTREE_NEVER;
}

static uint32_t first_moment(const struct span *spans, unsigned count)
{
	uint32_t time = IPTREE_NEVER;

	for (unsigned i = 0; i < count; i++) {
		time = MIN(time, spans[i].time);
	}
	return time;
}

/* The innermost block of the way, which all of the way above it is inside of; NULL. */
static const struct step *block_around(const struct walk *walk)
{
	const struct step *step = &walk->way[walk->depth];

	if (walk->block_depth) {
		while (step-- > walk->way) {
			if (!step->is_node) {
				return step;
			}
		}
	}
	return NULL;
}

/* The walk leaves a node that has just been taken off the way. */
static void leave_node(struct walk *walk, const struct step *step, uint32_t moment)
{
	const struct step *block = block_around(walk);
	bool joined = !block && walk->leaf_count - 1 <= step->first;
	uint32_t place = walk->node_count++;

	if (moment == 0) {
		walk->numbers[place] = *walk->old_numbers++;
	} else {
		walk->made[moment] = place;
	}
	if (block || joined) {
		struct dead dead = {
			.time = block ? block->time : IPTREE_NEVER,
			.place = place,
			.where = { .ip = ip_masked(walk->last->ip, step->prefix),
				   .prefix = step->prefix },
		};

		g_array_append_val(walk->dead, dead);
	}
}

/* What is carried goes below a node. */
static void put_below(const struct walk *walk, struct open_node *node, unsigned prefix,
		      struct carried *carried)
{
	uint8_t slot = (uint8_t)slot_of(walk->last->ip, prefix);

	if (carried->time == IPTREE_NEVER) {
		return;
	}
	assert(node->count + CARRIED_MAX <= G_N_ELEMENTS(node->spans));
	if (!carried->count || carried->prefix != prefix) {
		node->spans[node->count++] = (struct span){ slot, slot, carried->time };
	} else {
		memcpy(node->spans + node->count, carried->spans, sizeof(carried->spans));
		node->count += carried->count;
	}
	carried->time = IPTREE_NEVER;
	carried->count = 0;
}

/* Where on the way a node of this prefix is or would be: below blocks that part in it. */
static unsigned place_on_way(const struct walk *walk, unsigned prefix)
{
	unsigned at = walk->depth;

	while (at && !walk->way[at - 1].is_node && walk->way[at - 1].prefix > prefix) {
		at--;
	}
	return at;
}

static bool is_node_at(const struct walk *walk, unsigned at, unsigned prefix)
{
	return at && walk->way[at - 1].is_node && walk->way[at - 1].prefix == prefix;
}

/* --- the way --- */

/* A block that takes several slots of a node, if there is one for them. */
static void carry_span(const struct walk *walk, const struct step *block, struct carried *carried)
{
	unsigned prefix = node_prefix_at(block->prefix);
	unsigned slot = slot_of(walk->last->ip, prefix);
	unsigned span = slot_span(prefix, block->prefix);
	uint8_t first = (uint8_t)(slot & ~(span - 1));

	if (carried->time != IPTREE_NEVER && (!carried->count || carried->prefix != prefix)) {
		carried->spans[0] = (struct span){ (uint8_t)slot, (uint8_t)slot, carried->time };
		carried->count = 1;
	}
	carried->prefix = prefix;
	carried->spans[carried->count++] =
		(struct span){ first, (uint8_t)(first + span - 1), block->time };
	carried->time = MIN(carried->time, block->time);
}

static void leave_block(struct walk *walk, const struct step *block, struct carried *carried)
{
	unsigned prefix = node_prefix_at(block->prefix);
	unsigned at;

	walk->block_depth--;
	if (block->prefix == prefix) {
		carried->time = MIN(carried->time, block->time);
		carried->count = 0;
		return;
	}
	carry_span(walk, block, carried);
	at = place_on_way(walk, prefix);
	if (is_node_at(walk, at, prefix)) {
		put_below(walk, &walk->nodes[walk->node_depth - 1], prefix, carried);
	}
}

/* The node in which the last and the next block part. */
static void part_at(struct walk *walk, unsigned prefix, struct carried *carried)
{
	unsigned at = place_on_way(walk, prefix);

	if (!is_node_at(walk, at, prefix)) {
		uint32_t first = at < walk->depth ? walk->way[at].first : carried->first;

		memmove(walk->way + at + 1, walk->way + at,
			(walk->depth - at) * sizeof(walk->way[0]));
		walk->way[at] =
			(struct step){ .is_node = true, .prefix = (uint8_t)prefix, .first = first };
		walk->depth++;
		walk->nodes[walk->node_depth++].count = 0;
	}
	put_below(walk, &walk->nodes[walk->node_depth - 1], prefix, carried);
}

/* Take off the way what is not around an address that shares so many bits with the last one. */
static void go_back(struct walk *walk, int shared)
{
	struct carried carried = { .time = IPTREE_NEVER };

	while (walk->depth && walk->way[walk->depth - 1].prefix > shared) {
		struct step step = walk->way[--walk->depth];

		carried.first = step.first;
		if (step.is_node) {
			struct open_node *node = &walk->nodes[walk->node_depth - 1];
			uint32_t moment;

			put_below(walk, node, step.prefix, &carried);
			moment = node_moment(node);
			walk->node_depth--;
			if (moment != IPTREE_NEVER) {
				leave_node(walk, &step, moment);
			}
			carried.time = first_moment(node->spans, node->count);
		} else {
			leave_block(walk, &step, &carried);
		}
	}
	if (shared >= 0) {
		part_at(walk, node_prefix_at((unsigned)shared), &carried);
	}
}

/* Behind the other leaves, joined with them as long as two halves make a whole. */
static void put_leaf(struct walk *walk, const struct setblock *block)
{
	struct setblock *leaf = &walk->leaves[walk->leaf_count++];

	*leaf = *block;
	leaf->time = 0;
	while (walk->leaf_count > 1 && leaf->prefix > LEAF_MIN_BITS &&
	       setblock_are_halves(leaf - 1, leaf)) {
		leaf--;
		leaf->prefix--;
		walk->leaf_count--;
	}
}

/* The next block in order. last: the one before, which stays until the call after. */
static void walk_to(struct walk *walk, const struct setblock *block)
{
	if (walk->last) {
		unsigned shared = ip_shared_bits(walk->last->ip, block->ip);

		if (shared < walk->last->prefix) {
			go_back(walk, (int)shared);
		}
	}
	if (!walk->block_depth) {
		put_leaf(walk, block);
	}
	walk->way[walk->depth++] = (struct step){
		.prefix = block->prefix,
		.time = block->time,
		.first = walk->leaf_count - 1,
	};
	walk->block_depth++;
}

/* --- numbers --- */

uint32_t iptree_number_take(struct node_pool *pool)
{
	if (pool->used == pool->capacity) {
		if (pool->unused->len) {
			uint32_t number =
				g_array_index(pool->unused, uint32_t, pool->unused->len - 1);

			g_array_set_size(pool->unused, pool->unused->len - 1);
			return number;
		}
		pool->capacity = iptree_grown(pool->capacity);
	}
	return pool->used++;
}

/* Upwards from the lowest address; a node before those below it. */
static int way_down(const void *a, const void *b)
{
	return setblock_order(&((const struct dead *)a)->where, &((const struct dead *)b)->where);
}

static bool is_inside(const struct dead *outer, const struct dead *inner)
{
	return inner->where.prefix >= outer->where.prefix &&
	       setblock_holds(&outer->where, &inner->where);
}

/* A node before those below it, else downwards from the highest address: as subtrees are freed. */
static int freed_order(const void *a, const void *b)
{
	const struct dead *x = a;
	const struct dead *y = b;

	if (is_inside(x, y) || is_inside(y, x)) {
		return way_down(a, b);
	}
	return -way_down(a, b);
}

/* Downwards from the highest address, a node after those below it: as leaves are joined. */
static int joined_order(const void *a, const void *b)
{
	return -way_down(a, b);
}

static int time_order(const void *a, const void *b)
{
	const struct dead *x = a;
	const struct dead *y = b;

	return x->time != y->time ? (x->time < y->time ? -1 : 1) : way_down(a, b);
}

/* The nodes that one block covers are whole subtrees, freed one after the other. */
static void order_covered(struct dead *dead, size_t count)
{
	size_t start = 0;

	for (size_t i = 1; i <= count; i++) {
		if (i == count || !is_inside(&dead[start], &dead[i])) {
			qsort(dead + start, i - start, sizeof(*dead), freed_order);
			start = i;
		}
	}
}

/* In the order in which their numbers become free. */
static void order_dead(struct dead *dead, size_t count)
{
	size_t start = 0;

	if (count) {
		qsort(dead, count, sizeof(*dead), time_order);
	}
	for (size_t i = 1; i <= count; i++) {
		if (i == count || dead[i].time != dead[start].time) {
			if (dead[start].time == IPTREE_NEVER) {
				qsort(dead + start, i - start, sizeof(*dead), joined_order);
			} else {
				order_covered(dead + start, i - start);
			}
			start = i;
		}
	}
}

/* Let all pass that happened, in order of time: nodes get numbers, and lose them. */
static void give_numbers(struct iptree *tree, struct walk *walk, uint32_t until)
{
	const struct dead *dead = (const void *)walk->dead->data;
	guint i = 0;

	for (uint32_t moment = 1; moment <= until; moment++) {
		for (; i < walk->dead->len && dead[i].time == moment; i++) {
			g_array_append_val(tree->node_pool.unused, walk->numbers[dead[i].place]);
		}
		if (walk->made[moment] != IPTREE_NEVER) {
			walk->numbers[walk->made[moment]] = iptree_number_take(&tree->node_pool);
		}
	}
	for (; i < walk->dead->len; i++) {
		g_array_append_val(tree->node_pool.unused, walk->numbers[dead[i].place]);
	}
}

/* No node has the number 0. */
static void drop_dead(struct walk *walk)
{
	uint32_t kept = 0;

	for (guint i = 0; i < walk->dead->len; i++) {
		walk->numbers[g_array_index(walk->dead, struct dead, i).place] = 0;
	}
	for (uint32_t i = 0; i < walk->node_count; i++) {
		walk->numbers[kept] = walk->numbers[i];
		kept += walk->numbers[i] != 0;
	}
	walk->node_count = kept;
}

/* --- growing --- */

/* Those that came after that moment, in a list of their own. */
static struct setblocks split_pending(struct iptree *tree, uint32_t until)
{
	struct setblocks *pending = &tree->pending;
	struct setblocks later = { NULL, 0 };
	uint32_t kept = 0;

	if (until == pending->count) {
		return later;
	}
	later.at = g_new(struct setblock, pending->count - until);
	for (uint32_t i = 0; i < pending->count; i++) {
		struct setblock block = pending->at[i];

		if (block.time <= until) {
			pending->at[kept++] = block;
		} else {
			block.time -= until;
			later.at[later.count++] = block;
		}
	}
	pending->count = kept;
	return later;
}

/*
 * Leaves go, joined and merged with the pending blocks, to the front of their own array, in which
 * they have been moved to the end; or, where there are none, of that of the pending blocks. What
 * is written never gets as far as what is not yet seen. Returns the leaves not yet seen.
 */
static const struct setblock *make_way(const struct iptree *tree, struct walk *walk)
{
	uint32_t count = tree->leaves.count;
	uint32_t room = tree->pending.count;

	if (!count) {
		g_free(tree->leaves.at);
		walk->leaves = tree->pending.at;
		return walk->leaves;
	}
	walk->leaves = g_renew(struct setblock, tree->leaves.at, (size_t)count + room);
	memmove(walk->leaves + room, walk->leaves, count * sizeof(*walk->leaves));
	return walk->leaves + room;
}

static void walk_all(struct iptree *tree, struct walk *walk)
{
	const struct setblock *old = make_way(tree, walk);
	const struct setblock *old_end = old + tree->leaves.count;
	const struct setblock *block = tree->pending.at;
	const struct setblock *end = block + tree->pending.count;
	struct setblock last;

	while (old < old_end || block < end) {
		bool is_old = block == end || (old < old_end && setblock_order(old, block) < 0);
		struct setblock next = is_old ? *old++ : *block++;

		walk_to(walk, &next);
		last = next;
		walk->last = &last;
	}
	go_back(walk, -1);
	if (walk->leaves != tree->pending.at) {
		g_free(tree->pending.at);
	}
	tree->leaves.count = walk->leaf_count;
	tree->leaves.at = g_renew(struct setblock, walk->leaves, walk->leaf_count);
}

void iptree_grow(struct iptree *tree, uint32_t until)
{
	struct setblocks later = split_pending(tree, until);
	struct walk *walk;

	if (!tree->pending.count) {
		return; /* leaves are joined already */
	}
	walk = g_new0(struct walk, 1);
	walk->old_numbers = tree->numbers;
	walk->numbers = g_new(uint32_t, (size_t)tree->node_count + until);
	walk->made = g_new(uint32_t, (size_t)until + 1);
	memset(walk->made, 0xff, ((size_t)until + 1) * sizeof(uint32_t));
	walk->dead = g_array_new(FALSE, FALSE, sizeof(struct dead));
	if (!tree->leaves.count) {
		iptree_number_take(&tree->node_pool); /* the unused node */
	}
	walk_all(tree, walk);
	order_dead((void *)walk->dead->data, walk->dead->len);
	give_numbers(tree, walk, until);
	drop_dead(walk);
	g_free(tree->numbers);
	tree->numbers = g_renew(uint32_t, walk->numbers, walk->node_count);
	tree->node_count = walk->node_count;
	tree->pending = later;
	g_array_free(walk->dead, TRUE);
	g_free(walk->made);
	g_free(walk);
}
