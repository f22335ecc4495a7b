/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the file code (ipsetread.c, ipsetwrite.c) must know about the inside of a set: in which of
 * two forms SiLK would hold it. Narrow: 32-bit addresses in a bitmap. Wide: 128-bit addresses in a
 * radix tree. The form, not the content, decides some encodings (silk-set-bag-pmap-files.md 1.2).
 */
#ifndef TUSSAH_STORAGE_IPSETFORM_H
#define TUSSAH_STORAGE_IPSETFORM_H

#include "storage/ipset.h"
#include "storage/iptree.h"

/* Begin the header of a set file of this record version that will be written to sink. */
void ipset_header(struct header *header, unsigned version, const struct ipset_write_opts *opts,
		  const struct bytesink *sink);

/* An empty set of the wide form that will be filled by ipset_load_range() only. */
struct ipset *ipset_new_wide(void);

/* Add a range without growing the tree that remembers the order of insertions; then finish. */
void ipset_load_range(struct ipset *set, struct ip first, struct ip last);

bool ipset_is_wide(const struct ipset *set);

/*
 * A set of the wide form without IPv6 addresses becomes one of 32-bit addresses that stay in the
 * tree, as SiLK's rwsettool makes it before writing; others stay. Nothing is to be added after.
 */
void ipset_shrink(struct ipset *set);
/* Of a finished set without IPv6 addresses that was filled by ipset_load_range(): no wide form. */
void ipset_narrow(struct ipset *set);
/* Shrunk? */
bool ipset_is_shrunk(const struct ipset *set);

/*
 * Of a finished set of the wide form that was read from a file of another version than 3: grow the
 * tree that SiLK would have read it into, so that additions and version 3 come out the same.
 */
void ipset_regrow_tree(struct ipset *set);
/* Of an empty set of the wide form: it is what this tree holds. tree: taken. */
void ipset_use_tree(struct ipset *set, struct iptree *tree);
/*
 * Of an empty set of the wide form: it is these blocks, the leaves of a tree, and will be added to
 * another set. blocks: taken, g_free().
 */
void ipset_use_blocks(struct ipset *set, struct setblock *blocks, uint32_t count);
/*
 * The tree that the finished set was built in, clean; NULL: there is none, one grown from the
 * ranges is as good. Borrowed until the set changes.
 */
const struct iptree *ipset_tree(const struct ipset *set);

/* A clean tree grown from the ranges of the finished set. Returned: iptree_free(). */
struct iptree *ipset_grow_tree(const struct ipset *set);

#endif
