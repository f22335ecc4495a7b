/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows that lie one behind the other in memory, few enough for the caches, brought into the order of
 * the keys that they begin with: as entries, the rows stay where they are.
 *
 *	struct flatsort *sort = flatsort_new(key_size, row_size, reverse);
 *	const struct sortentry *order = flatsort_run(sort, rows, count);
 *	... rows + order[i].row * row_size ...
 *
 * Keys are compared with memcmp(); rows with equal keys keep their order.
 */
#ifndef TUSSAH_QUERY_FLATSORT_H
#define TUSSAH_QUERY_FLATSORT_H

#include <stdbool.h>

#include "query/entrysort.h"

/* Bytes behind the last row that may be read. */
#define FLATSORT_SLACK 8

struct flatsort;

struct flatsort *flatsort_new(size_t key_size, size_t row_size, bool reverse);
void flatsort_free(struct flatsort *sort);
/* Borrowed until the next call. */
const struct sortentry *flatsort_run(struct flatsort *sort, const uint8_t *rows, size_t count);

#endif
