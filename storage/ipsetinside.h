/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a set, for ipset.c (asking), ipsetbuild.c (adding) and ipsetalgebra.c only. */
#ifndef TUSSAH_STORAGE_IPSETINSIDE_H
#define TUSSAH_STORAGE_IPSETINSIDE_H

#include "storage/gather4.h"
#include "storage/ipset.h"
#include "storage/iptree.h"
#include "storage/setblock.h"

struct range4 {
	uint32_t first;
	uint32_t last;
};

struct range6 {
	struct ip first;
	struct ip last;
};

struct ranges4 {
	struct range4 *at;
	size_t count;
	size_t capacity;
};

struct ranges6 {
	struct range6 *at;
	size_t count;
	size_t capacity;
};

struct ipset {
	bool wide;
	struct iptree *tree;     /* wide sets that are built; NULL: those that were read */
	bool tree_changed;       /* the tree holds what the ranges do not */
	bool tree_only;          /* finished, for writing the tree, which has IPv6 addresses */
	struct setblocks loaded; /* read for being added to another set, not in the ranges */
	bool loaded_ipv6;        /* of these, an address outside ::ffff:0:0/96 */
	struct gather4 *gather;  /* not yet in ranges4; NULL: nothing */
	struct ranges4 ranges4;  /* when no address is outside ::ffff:0:0/96 */
	struct ranges6 ranges6;  /* else */
	size_t sorted;           /* leading entries of the ranges in use that are in order */
	uint32_t *index;         /* first of ranges4 that ends in or after each /16; NULL: none */
};

#endif
