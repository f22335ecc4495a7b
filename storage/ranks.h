/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The distinct values of a column in order, and the place of every row's among them: what a
 * dictionary is made of. By sorting, so that no choice of values makes it slow.
 *
 *	struct ranks *ranks = ranks_new();
 *	count = ranks_make(ranks, values, rows, distinct, codes);
 *	// values[i] == distinct[codes[i]]
 *	ranks_free(ranks);
 *
 * Threads: one at a time per ranks.
 */
#ifndef TUSSAH_STORAGE_RANKS_H
#define TUSSAH_STORAGE_RANKS_H

#include <stddef.h>
#include <stdint.h>

#include "common/ip.h"

struct ranks; /* scratch space */

struct ranks *ranks_new(void);
void ranks_free(struct ranks *ranks);

/* count is at most ENCODE_ROWS_MAX, and so is the room in distinct. Returns how many there are. */
size_t ranks_make(struct ranks *ranks, const uint64_t *values, size_t count, uint64_t *distinct,
		  uint64_t *codes);

/* The same of addresses: first those of IPv4 (returned in *v4), then all others. */
size_t ranks_make_ip(struct ranks *ranks, const struct ip *values, size_t count,
		     struct ip *distinct, uint64_t *codes, size_t *v4);

#endif
