/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * New sets from finished ones.
 *
 *	struct ipset *both = ipset_combine(a, b, IPSET_INTERSECTION);
 *	struct ipset *nets = ipset_mask(a, 120);	// IPv4 /24: 96 + 24
 *
 * The operands are borrowed and stay as they are; any number of threads may use them. What is
 * returned is finished: ipset_free(). Time and memory grow with the ranges of the operands and the
 * result.
 */
#ifndef TUSSAH_STORAGE_IPSETALGEBRA_H
#define TUSSAH_STORAGE_IPSETALGEBRA_H

#include "storage/ipset.h"

enum ipset_op {
	IPSET_UNION,
	IPSET_INTERSECTION,
	IPSET_DIFFERENCE,           /* in a, not in b */
	IPSET_SYMMETRIC_DIFFERENCE, /* in one, not in both */
};

/*
 * Is an address in the result that is in the first set only, in both, in the second only? 64
 * addresses at once: all bits, or none.
 */
struct ipset_truth {
	uint64_t first;
	uint64_t both;
	uint64_t second;
};
extern const struct ipset_truth ipset_truths[]; /* by enum ipset_op */

static inline uint64_t ipset_truth_of(const struct ipset_truth *truth, uint64_t a, uint64_t b)
{
	return (a & ~b & truth->first) | (a & b & truth->both) | (~a & b & truth->second);
}

struct ipset *ipset_combine(const struct ipset *a, const struct ipset *b, enum ipset_op op);

/* The same addresses? */
bool ipset_equal(const struct ipset *a, const struct ipset *b);

/*
 * Of each aligned block of this prefix length (1..128, IPv4 counted as 96 + n) that holds an
 * address, the lowest address. *out returned; ST_ELIMIT, and *out untouched, when there would be
 * more than IPSET_MASK_MAX of them.
 */
#define IPSET_MASK_MAX (UINT64_C(1) << 32)
int ipset_mask(struct ipset **out, const struct ipset *set, unsigned prefix, struct err *err);

/* Each such block as a whole. */
struct ipset *ipset_fill(const struct ipset *set, unsigned prefix);

#endif
