/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inside of a tree, for iptree.c (taking blocks in), iptreeapart.c (merging those that lie
 * apart), iptreegrow.c (growing by many blocks at once), iptreeextend.c (the same where they lie
 * apart) and iptreeshape.c (what is written) only.
 */
#ifndef TUSSAH_STORAGE_IPTREEPARTS_H
#define TUSSAH_STORAGE_IPTREEPARTS_H

#include <glib.h>

#include "common/bitcount.h"
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

/*
 * What a node of a clean tree looks like; the first one has the place 0 in all arrays. It has the
 * first bits of the address of the leaf at that place, the first one below it.
 */
struct node_shape {
	uint32_t leaf;
	uint32_t child; /* the first of its children that are nodes, of those of the tree */
	uint16_t leaf_bits;
	uint16_t repeat_bits;
	uint16_t node_bits;
	uint8_t prefix;
};

struct gap {
	uint32_t from;
	uint32_t to;
};

/* A child that is a node. */
struct node_child {
	uint32_t number;   /* its place, until numbers are settled */
	uint32_t leaf_end; /* behind the last leaf below it */
};

struct tree_shape {
	struct node_shape *nodes;    /* NULL: not made */
	struct node_child *children; /* of the node at place 0, in order, then 1, ... */
	uint32_t child_end;          /* behind the last one */
	/* Of two halves made side by side: what is used by neither. */
	struct gap place_gap;
	struct gap child_gap;
};

/* For 64 leaves, which of the two lists each is in. */
struct leaf_word {
	uint64_t late;   /* bit i: the leaf is in the list of the late ones */
	uint32_t before; /* how many of the leaves before these are */
};

struct iptree {
	/*
	 * The tree as it was when leaves were last joined. Nodes are in the order in which a walk
	 * from the lowest address on leaves them: children before their parent, the root last.
	 * Together with the leaves their numbers are all there is to know.
	 */
	struct setblocks leaves;
	uint32_t *numbers; /* by place */
	uint32_t node_count;
	/* Leaves that came last, apart from the others, in a clean tree only. */
	struct setblocks late;
	struct leaf_word *leaf_words; /* NULL: there are none */
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
	bool is_apart;     /* nothing pending covers or joins anything */
	bool was_near;     /* some fresh ones did not lie apart, so the next ones may not either */
	/* Of a clean tree; NULL: not made. */
	struct tree_shape shape;
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

static inline uint32_t iptree_held(const struct iptree *tree)
{
	return tree->leaves.count + tree->late.count;
}

/* Where node number i of those of the walk is, by its place. */
static inline uint32_t iptree_place(const struct iptree *tree, uint32_t i)
{
	const struct gap *gap = &tree->shape.place_gap;

	return i < gap->from ? i : i + (gap->to - gap->from);
}

/* Of two lists: is the leaf at this place in order in the late one, and how many before it are? */
static inline bool iptree_is_late(const struct iptree *tree, uint32_t place)
{
	return tree->leaf_words[place / 64].late >> place % 64 & 1;
}

static inline uint32_t iptree_late_before(const struct iptree *tree, uint32_t place)
{
	const struct leaf_word *word = &tree->leaf_words[place / 64];

	return word->before + bitcount_64(word->late & ((UINT64_C(1) << place % 64) - 1));
}

/* The leaf at this place in order, of both lists. */
static inline const struct setblock *iptree_leaf_at(const struct iptree *tree, uint32_t place)
{
	uint32_t late;

	if (!tree->leaf_words) {
		return &tree->leaves.at[place];
	}
	late = iptree_late_before(tree, place);
	return iptree_is_late(tree, place) ? &tree->late.at[late] : &tree->leaves.at[place - late];
}

/*
 * Two neighbours in order, which share so many bits: is the second one neither inside the first nor
 * its other half?
 */
static inline bool iptree_are_apart(const struct setblock *a, const struct setblock *b,
				    unsigned shared)
{
	return shared + 1 < a->prefix || (shared + 1 == a->prefix && b->prefix != a->prefix);
}

/* How large an array becomes that is full. */
uint32_t iptree_grown(uint32_t capacity);

/*
 * Fresh blocks, in order, with their moments, become pending ones, as which there are some that lie
 * apart; there are no leaves. False, and both are as they were: they are not all apart.
 */
bool iptree_merge_apart(struct iptree *tree);

/*
 * The pending blocks up to this moment go into the tree, in their order, and leaves are joined.
 * Those that are left have their moments counted from there.
 */
void iptree_grow(struct iptree *tree, uint32_t until);

/*
 * The same, of all pending blocks, where no block or leaf lies in another or makes a whole with
 * one; if any does, nothing is changed and it is false. Makes the shape, too.
 */
bool iptree_extend(struct iptree *tree);
/* One list of leaves again, as is needed before anything comes in. */
void iptree_join_lists(struct iptree *tree);
void iptree_drop_late(struct iptree *tree);

/* A number for one more node. */
uint32_t iptree_number_take(struct node_pool *pool);

struct open_shape {
	struct node_shape shape;
	uint32_t time;   /* of its children the first */
	uint32_t second; /* and the next one */
	unsigned child_count;
	struct node_child children[IPTREE_SLOTS];
};

/* A walk over leaves, from the lowest on, that tells done() of all nodes, children before parents. */
struct shaping {
	struct open_shape open[IPTREE_DEPTH_MAX];
	unsigned depth;
	uint32_t nodes; /* done */
	void (*done)(struct shaping *shaping, const struct open_shape *open);
	void *arg;
};

/* The leaf, at this place, is done; the next one shares so many bits with it, < 0: there is none. */
void iptree_shape_leaf(struct shaping *shaping, const struct setblock *leaf, uint32_t leaf_place,
		       int shared);
/* Room for the shape of a tree with so many nodes at most. */
void iptree_new_shape(struct iptree *tree, uint32_t nodes);
/* The shape of the next node, at this place, when it is done. */
void iptree_add_shape(struct tree_shape *shape, uint32_t place, const struct open_shape *open);

/* Make and drop what is known of a clean tree. */
void iptree_make_shape(struct iptree *tree);
void iptree_drop_shape(struct iptree *tree);
/* Let no number be free below the highest one; the shape must be there. */
void iptree_compact(struct iptree *tree);

#endif
