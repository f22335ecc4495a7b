/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random subsets of sets. The same seed and the same set give the same sample, and of sets of up to
 * 2^32 addresses the one that SiLK's rwsettool gives.
 *
 *	struct setsample_random random;
 *	setsample_seed(&random, 1);
 *	setsample_size(result, set, 100, &random);
 */
#ifndef TUSSAH_QUERY_SETSAMPLE_H
#define TUSSAH_QUERY_SETSAMPLE_H

#include "storage/ipset.h"

#include <stdlib.h>

struct setsample_random {
	uint64_t state;
	struct random_data steps; /* for sets of which each address is looked at */
	char steps_state[128];    /* the size decides the numbers */
};

/* random must not be moved afterwards. */
void setsample_seed(struct setsample_random *random, uint64_t seed);

/* Add size different addresses of the set, or all when it has no more, each as likely as others.
 * Memory: 16 bytes for each of them. */
void setsample_size(struct ipset *result, const struct ipset *set, uint64_t size,
		    struct setsample_random *random);

/* Add each address of the set with this probability (0..1). */
void setsample_ratio(struct ipset *result, const struct ipset *set, double ratio,
		     struct setsample_random *random);

#endif
