/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rows of a bucket sorted by the keys in front of them; what sorter.c does in memory. One thread
 * has one of these, and any number of them may sort buckets of one store.
 *
 *	struct rowsort *sort = rowsort_new(store, row_size, key_size, reverse);
 *	rowsort_run(sort, buckets, 0);
 *	rowsort_get(sort, 0, 0, to);		// the first row
 *	rowsort_free(sort);
 */
#ifndef TUSSAH_QUERY_ROWSORT_H
#define TUSSAH_QUERY_ROWSORT_H

#include "query/rowbuckets.h"

struct rowsort;

/* store is kept; row_size is that of its rows. */
struct rowsort *rowsort_new(const struct rowstore *store, size_t row_size, size_t key_size,
			    bool reverse);
void rowsort_free(struct rowsort *sort);
/* Sort a bucket of the store, of which reverse is the same; rows of equal keys keep their order. */
void rowsort_run(struct rowsort *sort, const struct rowbuckets *buckets, size_t bucket);
size_t rowsort_count(const struct rowsort *sort);
/*
 * Row i in order, without the first from bytes, a multiple of 8; to has room for them and
 * ROWFORM_SLACK bytes.
 */
void rowsort_get(const struct rowsort *sort, size_t i, size_t from, uint8_t *to);

#endif
