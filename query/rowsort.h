/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows of a store sorted by the keys in front of them; what sorter.c does in memory. One thread has
 * one of these, and any number of them may sort rows of one store.
 *
 *	struct rowsort *sort = rowsort_new(store, key_size, row_size, reverse);
 *	rowsort_clear(sort, count);
 *	... rowsort_add(sort, row) for each of the rows, as they were added to the store ...
 *	rowsort_run(sort);
 *	rowsort_get(sort, 0, 0, to);		// the first one
 *	rowsort_free(sort);
 */
#ifndef TUSSAH_QUERY_ROWSORT_H
#define TUSSAH_QUERY_ROWSORT_H

#include "query/rowstore.h"

struct rowsort;

/* store is kept. reverse: greatest key first; rows of equal keys keep their order. */
struct rowsort *rowsort_new(const struct rowstore *store, size_t key_size, size_t row_size,
			    bool reverse);
void rowsort_free(struct rowsort *sort);
/* No rows; room for so many. */
void rowsort_clear(struct rowsort *sort, size_t rows);
/* The rowstore_list_fn; arg is the rowsort. */
void rowsort_add(void *arg, uint64_t row);
void rowsort_run(struct rowsort *sort);
size_t rowsort_count(const struct rowsort *sort);
/*
 * Row i in order, without the first from bytes, a multiple of 8; to has room for them and
 * ROWFORM_SLACK bytes.
 */
void rowsort_get(const struct rowsort *sort, size_t i, size_t from, uint8_t *to);

#endif
