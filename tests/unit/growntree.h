/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The radix tree of IPset files of record version 3, grown one block after the other, slowly, as
 * the specification tells it. storage/iptree.h must come to the same.
 */
#ifndef TUSSAH_TESTS_UNIT_GROWNTREE_H
#define TUSSAH_TESTS_UNIT_GROWNTREE_H

#include "storage/iptree.h"

struct growntree;

struct growntree *growntree_new(void);
void growntree_free(struct growntree *tree);
/* Returns the leaf that holds the block. */
uint32_t growntree_insert(struct growntree *tree, struct ip ip, uint8_t prefix);
void growntree_load(struct growntree *tree);
void growntree_clean(struct growntree *tree);
/* As if the tree, which is clean, had been written and read again. */
void growntree_reread(struct growntree *tree);

uint32_t growntree_leaf_count(const struct growntree *tree);
uint32_t growntree_node_count(const struct growntree *tree);
uint32_t growntree_root(const struct growntree *tree);
const struct iptree_leaf *growntree_leaf(const struct growntree *tree, uint32_t index);
const struct iptree_node *growntree_node(const struct growntree *tree, uint32_t index);

#endif
