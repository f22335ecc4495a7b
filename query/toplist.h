/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The first few of many rows of fixed size, in the order of memcmp() over a key in front of each:
 * what a sorter would hand out first, without keeping the rest.
 *
 *	struct toplist *list = toplist_new(limit, key_size, row_size);
 *	toplist_offer(list, row);
 *	toplist_finish(list);
 *	for (size_t i = 0; i < toplist_count(list); i++) ... toplist_row(list, i) ...
 *	toplist_free(list);
 */
#ifndef TUSSAH_QUERY_TOPLIST_H
#define TUSSAH_QUERY_TOPLIST_H

#include <stddef.h>
#include <stdint.h>

struct toplist;

/* limit: at least 1; SIZE_MAX keeps all rows. Memory grows with the rows that stay. */
struct toplist *toplist_new(size_t limit, size_t key_size, size_t row_size);
void toplist_free(struct toplist *list);

/*
 * The row is copied if it is among the first so far. Which of equal keys stay, and in what order they
 * come, follows from the order in which rows are offered alone, and is that of SiLK's rwstats.
 */
void toplist_offer(struct toplist *list, const uint8_t *row);

/* No more rows: put those that stayed in order. */
void toplist_finish(struct toplist *list);
size_t toplist_count(const struct toplist *list);
const uint8_t *toplist_row(const struct toplist *list, size_t i);

#endif
