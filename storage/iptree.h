/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The 16-way radix tree of IPset files of record version 3 (silk-set-bag-pmap-files.md 1.6). The
 * file is a dump of the tree's arrays, and the numbers of its nodes tell in which order blocks came
 * in: to write the same bytes as SiLK the numbers must come out as if the tree had grown block by
 * block. That is all it is for; asking is done by struct ipset.
 *
 *	struct iptree *tree = iptree_new();
 *	iptree_insert(tree, ip, 128);
 *	iptree_clean(tree);			// before asking or writing
 *	for (uint32_t i = 1; i < iptree_node_count(tree); i++) {
 *		iptree_node(tree, i, &node);
 *		...
 *	}
 *	iptree_free(tree);
 *
 * All prefixes are those of 128-bit addresses; IPv4 lies in ::ffff:0:0/96, and since 96 is a
 * multiple of 4 a tree of IPv4 blocks has the shape and the numbers of SiLK's 32-bit tree.
 */
#ifndef TUSSAH_STORAGE_IPTREE_H
#define TUSSAH_STORAGE_IPTREE_H

#include "common/cidr.h"

#define IPTREE_SLOTS 16

struct iptree;
struct setblock;

struct iptree_leaf {
	struct ip ip;
	uint8_t prefix;
};

struct iptree_node {
	uint32_t child[IPTREE_SLOTS]; /* index of a leaf or a node; 0: none */
	uint32_t leaf_bits;           /* bit s: child[s] is a leaf */
	uint32_t repeat_bits;         /* bit s: child[s] is the same leaf as child[s - 1] */
	uint8_t prefix;               /* multiple of 4 */
	struct ip ip;
};

struct iptree *iptree_new(void);
void iptree_free(struct iptree *tree);

/* Insert one block; bits of ip below the prefix are ignored. */
void iptree_insert(struct iptree *tree, struct ip ip, uint8_t prefix);
/* Insert addresses one after the other. */
void iptree_insert_many(struct iptree *tree, const struct ip *ips, size_t count);
/* The blocks of a range, ascending. */
void iptree_insert_range(struct iptree *tree, struct ip first, struct ip last);
/* Insert blocks one after the other; bits below their prefixes are 0. blocks: taken, g_free(). */
void iptree_insert_blocks(struct iptree *tree, struct setblock *blocks, uint32_t count);

/*
 * The blocks that follow are those of a file being read: SiLK puts joining off until the first
 * addition after it (1.6.1, "reading v4/v5"). Ends with iptree_clean().
 */
void iptree_load(struct iptree *tree);

/*
 * A tree as it stands in a file, and clean but for what iptree_clean() makes for asking about
 * nodes: leaves in order, and the address and prefix of each node
 * with, as its time, its number. leaves: taken, g_free(), when this succeeds; nodes: borrowed, and
 * sorted here. NULL: it is no tree of SiLK's.
 */
struct iptree *iptree_adopt(struct setblock *leaves, uint32_t leaf_count, struct setblock *nodes,
			    uint32_t node_count);

/* Join what can be joined, give numbers without holes, leaves in order of address. */
void iptree_clean(struct iptree *tree);

/*
 * Of a clean tree. Counts include the unused first leaf and node; all are 0 while the tree is
 * empty.
 */
uint32_t iptree_leaf_count(const struct iptree *tree);
uint32_t iptree_node_count(const struct iptree *tree);
/* Of a node, or of a leaf when there are fewer than two nodes. */
uint32_t iptree_root(const struct iptree *tree);
/* Leaves ascend. */
struct iptree_leaf iptree_leaf(const struct iptree *tree, uint32_t index);
/* So many at once, from index on. */
void iptree_leaves(const struct iptree *tree, uint32_t index, uint32_t count,
		   struct iptree_leaf out[]);
void iptree_node(const struct iptree *tree, uint32_t index, struct iptree_node *out);

/*
 * Split a range into the fewest aligned blocks, ascending; stops when fn returns non-zero and
 * returns that. All addresses are two blocks, as in SiLK.
 */
typedef int (*iptree_block_fn)(void *arg, struct ip first, uint8_t prefix);
int iptree_each_block(struct ip first, struct ip last, iptree_block_fn fn, void *arg);

#endif
