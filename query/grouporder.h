/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The groups of several tables in one order: of their keys, of the place of their first record, or
 * in none.
 *
 *	const struct grouporder_opts opts = {
 *		.key = &key, .tables = tables, .table_count = count, .by = GROUPORDER_BY_KEY,
 *	};
 *	order = grouporder_new(&opts);
 *	for (size_t i = 0; i < grouporder_count(order); i++) {
 *		values = grouporder_get(order, i, wide);
 *	}
 *	grouporder_free(order);
 */
#ifndef TUSSAH_QUERY_GROUPORDER_H
#define TUSSAH_QUERY_GROUPORDER_H

#include "query/grouptable.h"

enum grouporder_by { GROUPORDER_NONE, GROUPORDER_BY_KEY, GROUPORDER_BY_FIRST };

struct grouporder;

struct grouporder_opts {
	const struct groupkey *key; /* kept while the order lives, as the tables are */
	/* Sealed; number i is of shape i % GROUPKEY_SHAPES, NULL is an empty one. No two of a shape
	 * hold the same key. */
	struct grouptable *const *tables;
	size_t table_count;
	enum grouporder_by by;
	size_t first;     /* the number of the value GROUP_FIRST */
	unsigned threads; /* that may sort; 0: as 1 */
	/* Taken: rooms that are not needed any more, and whose pages may be used. */
	const struct hugeroom_part *rooms;
	size_t room_count;
};

struct grouporder *grouporder_new(const struct grouporder_opts *opts);
void grouporder_free(struct grouporder *order);

size_t grouporder_count(const struct grouporder *order);
/* The values of group number i, borrowed; its wide key is copied. Threads: any number at once. */
const uint64_t *grouporder_get(const struct grouporder *order, size_t i, uint8_t *wide);

#endif
