/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A block of addresses with the moment at which it came, and lists of them in order.
 *
 *	struct setblock blocks[] = { ... };
 *	setblock_sort(blocks, count);
 *	if (setblock_holds(&blocks[0], &blocks[1])) ...
 */
#ifndef TUSSAH_STORAGE_SETBLOCK_H
#define TUSSAH_STORAGE_SETBLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ip.h"

struct __attribute__((packed)) setblock {
	struct ip ip; /* bits below the prefix are 0 */
	uint32_t time;
	uint8_t prefix; /* of 128 bits */
};

struct setblocks {
	struct setblock *at;
	uint32_t count;
};

/* Behind the last one; of an array that is not there, which nothing may be added to, NULL. */
static inline struct setblock *setblocks_end(const struct setblocks *blocks)
{
	return blocks->count > 0 ? blocks->at + blocks->count : blocks->at;
}

/* A list that grows. */
struct setblock_list {
	struct setblock *at; /* g_free() */
	uint32_t count;
	uint32_t capacity;
};

void setblock_list_grow(struct setblock_list *list);

static inline void setblock_list_add(struct setblock_list *list, struct ip ip, uint32_t time,
				     uint8_t prefix)
{
	if (list->count == list->capacity) {
		setblock_list_grow(list);
	}
	list->at[list->count++] = (struct setblock){ ip, time, prefix };
}

/* Number of leading bits that are the same. */
static inline unsigned ip_shared_bits(struct ip a, struct ip b)
{
	if (a.hi != b.hi) {
		return (unsigned)__builtin_clzll(a.hi ^ b.hi);
	}
	return a.lo != b.lo ? 64 + (unsigned)__builtin_clzll(a.lo ^ b.lo) : 128;
}

/* Is inner, the same or later in order, the same block or one inside it? */
static inline bool setblock_holds(const struct setblock *outer, const struct setblock *inner)
{
	return ip_shared_bits(outer->ip, inner->ip) >= outer->prefix;
}

/* Two halves of a block? a comes first. */
static inline bool setblock_are_halves(const struct setblock *a, const struct setblock *b)
{
	return a->prefix == b->prefix && ip_shared_bits(a->ip, b->ip) == a->prefix - 1u;
}

/*
 * < 0, 0, > 0: by address, larger blocks before smaller ones, then by time. A block comes before
 * all blocks inside it.
 */
static inline int setblock_order(const struct setblock *a, const struct setblock *b)
{
	int order = ip_compare(a->ip, b->ip);

	if (order == 0) {
		order = (a->prefix > b->prefix) - (a->prefix < b->prefix);
	}
	return order ? order : (a->time > b->time) - (a->time < b->time);
}

/* In order, apart from each other, and joined as far as they can be, as those of a tree are? */
bool setblock_are_leaves(const struct setblock *blocks, size_t count);

/* Takes as much memory again for the while, unless they are sorted. */
void setblock_sort(struct setblock *blocks, size_t count);

#endif
