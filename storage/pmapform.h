/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inside of a prefix map, for pmap.c and the file code (pmapread.c, pmapwrite.c): a binary tree
 * in an array, as in the file, and a list of words.
 */
#ifndef TUSSAH_STORAGE_PMAPFORM_H
#define TUSSAH_STORAGE_PMAPFORM_H

#include <glib.h>

#include "storage/pmap.h"

#define PMAP_LEAF      UINT32_C(0x80000000) /* a child that is a value, not a node */
#define PMAP_NODES_MAX PMAP_LEAF

/* Children for the key bit 0 and 1; the first node decides on the highest bit. */
struct pmap_node {
	uint32_t child[2];
};

struct pmap_word {
	uint32_t value;
	char *text;
};

struct pmap {
	enum pmap_kind kind;
	char *name;
	struct pmap_node *nodes;
	uint32_t node_count; /* at least 1 */
	uint32_t node_room;
	/* Holes take no room, however many they are. */
	GArray *words;       /* struct pmap_word, ascending by value */
	uint32_t word_limit; /* holes at the end included */
	size_t word_bytes_max;
	GHashTable *by_text; /* of words[i].text, case ignored -> value */
};

/* Bits of a key, the longest path through the tree. */
static inline unsigned pmap_bits(enum pmap_kind kind)
{
	return kind == PMAP_IPV6 ? 128 : 32;
}

/* Append a node; false: there are PMAP_NODES_MAX. */
bool pmap_append_node(struct pmap *pmap, struct pmap_node node);

#endif
