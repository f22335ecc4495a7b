/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a tree, for iptree.c (growing, asking) and iptreeclean.c (joining, numbering) only.
 */
#ifndef TUSSAH_STORAGE_IPTREEPARTS_H
#define TUSSAH_STORAGE_IPTREEPARTS_H

#include <glib.h>

#include "storage/iptree.h"

#define STRIDE_BITS      4u
#define IPTREE_DEPTH_MAX (128 / STRIDE_BITS)

/* Indices of one of the two arrays. */
struct pool {
	uint32_t capacity;
	uint32_t used;
	GArray *unused; /* uint32_t, last in first out */
};

struct iptree {
	struct iptree_leaf *leaves;
	struct iptree_node *nodes;
	struct pool leaf_pool;
	struct pool node_pool;
	uint32_t root;
	bool root_is_leaf;
	bool combine_next; /* the leaf array has grown since the last Combine */
	bool changed;      /* since the last clean */
	bool loading;      /* do not join yet */
	/*
	 * The nodes above the block last inserted, from the root downwards: the next one of
	 * ascending blocks need not begin at the root. Every one holds the address last.
	 */
	struct ip last;
	unsigned depth;
	uint32_t path[IPTREE_DEPTH_MAX];
	uint8_t prefixes[IPTREE_DEPTH_MAX]; /* theirs */
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

/* Join leaves below the root as far as they go. */
void iptree_combine(struct iptree *tree);

#endif
