/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bins of time by number, which may be negative, with memory for those pages of them that are used.
 *
 *	struct bintable table = { 0 };
 *	if (bintable_cover(&table, low, high, err) == ST_OK) {
 *		bintable_at(&table, low)->records++;
 *	}
 *	bintable_release(&table);
 *
 * A bin stays where it is as long as the table lives.
 */
#ifndef TUSSAH_QUERY_BINTABLE_H
#define TUSSAH_QUERY_BINTABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

/* The volume of a bin. */
struct timebin {
	double records, bytes, packets;
};

/* From the first to the last bin, at most: 3 GiB if all are used, a day and a half of milliseconds. */
#define BINTABLE_SPAN (INT64_C(1) << 27)

/* Bins of a page. */
#define BINTABLE_PAGE_SHIFT 12
#define BINTABLE_PAGE       (INT64_C(1) << BINTABLE_PAGE_SHIFT)

/* Zeroed: empty. */
struct bintable {
	struct timebin **pages; /* pages[0] is page number `lowest`; NULL: nothing is in it */
	int64_t lowest, count;
	int64_t used; /* pages in memory */
};

void bintable_release(struct bintable *table);

/* Pages for bins low..high, as bintable_cover() has them. */
int bintable_add(struct bintable *table, int64_t low, int64_t high, struct err *err);

/*
 * Have room for bins low..high. ST_OK, or ST_ELIMIT: BINTABLE_SPAN; no memory is taken then.
 */
static inline int bintable_cover(struct bintable *table, int64_t low, int64_t high, struct err *err)
{
	uint64_t first = (uint64_t)((low >> BINTABLE_PAGE_SHIFT) - table->lowest);
	uint64_t last = (uint64_t)((high >> BINTABLE_PAGE_SHIFT) - table->lowest);

	if (first == last && first < (uint64_t)table->count && table->pages[first]) {
		return ST_OK;
	}
	return bintable_add(table, low, high, err);
}

/* A bin that is covered. */
static inline struct timebin *bintable_at(const struct bintable *table, int64_t n)
{
	return &table->pages[(n >> BINTABLE_PAGE_SHIFT) - table->lowest][n & (BINTABLE_PAGE - 1)];
}

/* The last bin in memory right behind bin n, which is covered: those up to there are an array. */
static inline int64_t bintable_page_end(int64_t n)
{
	return n | (BINTABLE_PAGE - 1);
}

/* Bin n, or NULL: no bin of its page is covered. */
const struct timebin *bintable_look_up(const struct bintable *table, int64_t n);

#endif
