/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The values of groups: how rows are added to them, and how partial groups are merged. Counts of
 * distinct values, which need a table of their own, are query/grouptable's.
 */
#ifndef TUSSAH_QUERY_GROUPVALUE_H
#define TUSSAH_QUERY_GROUPVALUE_H

#include "query/group.h"

/* Rows of a batch and the values of their groups. */
struct grouprows {
	const struct batch *batch;
	const uint16_t *rows;
	uint64_t *const *values;
	uint32_t count;
	uint64_t zero_ns;  /* GROUP_TIME */
	uint64_t position; /* of the batch in the input: GROUP_FIRST */
};

struct groupvalue_op {
	uint32_t columns; /* COLUMN_BITs that are read */
	uint64_t initial;
	/* Add the rows to value number v of their groups; NULL: GROUP_DISTINCT. */
	void (*add)(const struct grouprows *rows, size_t v);
	uint64_t (*merge)(uint64_t a, uint64_t b);
};
extern const struct groupvalue_op groupvalue_ops[GROUP_OP_COUNT];

/* Add value number v of so many partial groups to that of their groups. Not of GROUP_DISTINCT. */
void groupvalue_merge(enum group_op op, size_t v, uint64_t *const *to, const uint64_t *const *from,
		      uint32_t count);

#endif
