/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Remembers which leaf of a tree holds an address, so that an address that comes again, as in flow
 * records, is not looked for in the tree.
 *
 *	struct leafmemo *memo = leafmemo_new();
 *	leafmemo_insert(memo, tree, ips, count);	// instead of iptree_insert() for each
 *	leafmemo_free(memo);
 *
 * Good as long as nothing is taken out of the tree, nor the tree cleaned. It is a memo: it may
 * forget, and what it remembers is checked against the leaf.
 */
#ifndef TUSSAH_STORAGE_LEAFMEMO_H
#define TUSSAH_STORAGE_LEAFMEMO_H

#include "storage/iptree.h"

struct leafmemo;

struct leafmemo *leafmemo_new(void);
void leafmemo_free(struct leafmemo *memo);

/* Insert addresses into the tree, in this order. */
void leafmemo_insert(struct leafmemo *memo, struct iptree *tree, const struct ip *ips,
		     size_t count);

#endif
