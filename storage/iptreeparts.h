/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inside of a tree, for iptree.c (taking blocks in), iptreegrow.c (growing by many blocks at
 * once) and iptreeshape.c (what is written) only.
 */
#ifndef TUSSAH_STORAGE_IPTREEPARTS_H
#define TUSSAH_STORAGE_IPTREEPARTS_H

#include <glib.h>

#include "storage/iptree.h"
#include "storage/setblock.h"

#define STRIDE_BITS      4u
#define IPTREE_DEPTH_MAX (128 / STRIDE_BITS)
#define IPTREE_NEVER     UINT32_MAX

struct recent;

/* The numbers of nodes that are given out. */
struct node_pool {
	uint32_t capacity;
	uint32_t used;
	GArray *unused; /* uint32_t, last in first out */
};

/* What a node of a clean tree looks like; the first one has the place 0 in all arrays. */
struct node_shape {
	uint32_t leaf; /* place of the first one below it, of whose address it has the first bits */
	uint32_t children; /* where in the tree's children its own begin, by slot, no repeats */
	uint16_t leaf_bits;
	uint16_t repeat_bits;
	uint16_t node_bits;
	uint8_t prefix;
};

struct iptree {
	/*
	 * The tree as it was when leaves were last joined. Nodes are in the order in which a walk
	 * from the lowest address on leaves them: children before their parent, the root last.
	 * Together with the leaves their numbers are all there is to know.
	 */
	struct setblocks leaves;
	uint32_t *numbers;
	uint32_t node_count;
	/* Blocks that came since, in order; none that was held already when it came. */
	struct setblocks pending;
	/* Blocks that came after these, as they came. */
	struct setblocks fresh;
	uint32_t fresh_room;
	uint32_t leaf_capacity;
	struct node_pool node_pool;
	bool combine_next; /* the leaf array has grown since the last joining */
	bool changed;      /* since the last clean */
	bool loading;      /* do not join yet */
	/* Of a clean tree; NULL: not made. */
	struct node_shape *shapes;
	uint32_t *children;    /* numbers; until nodes have any, of these the places */
	uint32_t *places;      /* of nodes, by number */
	struct recent *recent; /* addresses seen last; NULL: none */
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

/* The prefix of the node in which addresses that share so many bits part. */
static inline unsigned node_prefix_at(unsigned shared)
{
	return shared & ~(STRIDE_BITS - 1);
}

/* How large an array becomes that is full. */
uint32_t iptree_grown(uint32_t capacity);

/*
 * The pending blocks up to this moment go into the tree, in their order, and leaves are joined.
 * Those that are left have their moments counted from there.
 */
void iptree_grow(struct iptree *tree, uint32_t until);

/* Make and drop what is known of a clean tree. */
void iptree_make_shape(struct iptree *tree);
void iptree_drop_shape(struct iptree *tree);
/* Let no number be free below the highest one; the shape must be there. */
void iptree_compact(struct iptree *tree);

#endif
