/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Aggregate bags made of aggregate bags.
 *
 *	aggalgebra_reshape(&bag, &shape, err);		// of every input
 *	aggalgebra_apply(AGGALGEBRA_ADD, &divisor, left, right, err);
 *	aggalgebra_multiply(left, factors);
 *	aggalgebra_filter(left, limits, count);
 */
#ifndef TUSSAH_QUERY_AGGALGEBRA_H
#define TUSSAH_QUERY_AGGALGEBRA_H

#include "query/aggvalue.h"
#include "storage/aggbag.h"
#include "storage/bag.h"
#include "storage/ipset.h"

/* A field that every row gets. */
struct agginsert {
	uint16_t id;
	uint8_t value[AGGVALUE_BYTES_MAX];
};

/* Which fields an input keeps, and which it gets. */
struct aggshape {
	bool keep_all; /* or those in keep */
	bool drop;     /* keep names those that go instead */
	struct agglayout keep;
	const struct agginsert *inserts; /* in place of a key of the input; counters it has stay */
	size_t insert_count;
};

/* Rows whose keys become the same are added. ST_OK, or ST_EINVAL: no key or no counter is left. */
int aggalgebra_reshape(struct aggbag **bag, const struct aggshape *shape, struct err *err);

enum aggalgebra_op {
	AGGALGEBRA_ADD,      /* sums stay at UINT64_MAX */
	AGGALGEBRA_SUBTRACT, /* differences at 0 */
	AGGALGEBRA_DIVIDE,   /* rounded, half up */
};

/* What a counter becomes that is divided by 0 or by a key that is not there. */
enum aggalgebra_zero { AGGZERO_ERROR, AGGZERO_REMOVE, AGGZERO_NOCHANGE, AGGZERO_VALUE };
struct aggalgebra_divisor {
	enum aggalgebra_zero zero;
	uint64_t value; /* AGGZERO_VALUE */
};

/* left becomes the result. ST_OK, or ST_ERANGE: other fields, or a division by 0. */
int aggalgebra_apply(enum aggalgebra_op op, const struct aggalgebra_divisor *divisor,
		     struct aggbag *left, const struct aggbag *right, struct err *err);

/* Each counter times its factor, in the order of the layout; products stay at UINT64_MAX. */
void aggalgebra_multiply(struct aggbag *bag, const uint64_t *factors);

/* One condition on a field; rows of bags that do not have it pass. */
enum agglimit_kind { AGGLIMIT_MIN, AGGLIMIT_MAX, AGGLIMIT_IN, AGGLIMIT_NOT_IN };
struct agglimit {
	enum agglimit_kind kind;
	uint16_t id;
	uint8_t value[AGGVALUE_BYTES_MAX]; /* of the first two */
	struct ipset *set;                 /* of the others */
};
/* Counters of rows that do not pass become 0, so that they are not there. */
void aggalgebra_filter(struct aggbag *bag, const struct agglimit *limits, size_t count);

/* A bag of the first key field and the first counter. Returned: bag_free(). */
struct bag *aggalgebra_to_bag(const struct aggbag *bag);
/* A set of the first key field. Returned, finished: ipset_free(). */
struct ipset *aggalgebra_to_set(const struct aggbag *bag);

#endif
