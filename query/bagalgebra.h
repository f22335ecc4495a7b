/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bags made of bags.
 *
 *	status = bagalgebra_apply(BAGALGEBRA_ADD, &left, right, err);
 *	kept = bagalgebra_filter(left, &limits);
 */
#ifndef TUSSAH_QUERY_BAGALGEBRA_H
#define TUSSAH_QUERY_BAGALGEBRA_H

#include "query/baglimits.h"
#include "storage/bag.h"

enum bagalgebra_op {
	BAGALGEBRA_ADD,
	BAGALGEBRA_SUBTRACT, /* what would be 0 or less goes */
	BAGALGEBRA_MINIMIZE, /* of keys in both */
	BAGALGEBRA_MAXIMIZE,
	BAGALGEBRA_DIVIDE, /* rounded, half up; every key of left must be in right */
	BAGALGEBRA_COMPARE_LT,
	BAGALGEBRA_COMPARE_LE,
	BAGALGEBRA_COMPARE_EQ, /* keys in both for which it is so, with the counter 1 */
	BAGALGEBRA_COMPARE_GE,
	BAGALGEBRA_COMPARE_GT,
};

/*
 * *left becomes the result. Sums, differences and quotients have the types of both together, the
 * others those of left. ST_OK, or ST_ERANGE: a sum is too large, or a divisor is missing; *left is
 * then of no use but to be freed.
 */
int bagalgebra_apply(enum bagalgebra_op op, struct bag **left, struct bag *right, struct err *err);

/* The lower 64 bits of the products; false: one was larger. */
bool bagalgebra_multiply(struct bag **bag, uint64_t factor);
/* Keep what is within the limits. */
void bagalgebra_filter(struct bag **bag, const struct baglimits *limits);
/* How many keys have each counter, counters above 2^32 - 1 being that; types change places. */
void bagalgebra_invert(struct bag **bag);
/* The keys as a set. Returned: ipset_free(). */
struct ipset *bagalgebra_cover(struct bag *bag);

#endif
