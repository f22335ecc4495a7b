/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The combinations of class, type, sensor and group that a site allows, in the order of rwsiteinfo:
 * the first dimension changes most slowly, and each next one takes the values that go with those
 * before it.
 *
 *	const enum site_dimension order[] = { SITE_CLASS, SITE_TYPE };
 *	struct siterows rows = { .site = site, .order = order, .order_count = 2 };
 *	siterows_each(&rows, print_row, arg);
 */
#ifndef TUSSAH_QUERY_SITEROWS_H
#define TUSSAH_QUERY_SITEROWS_H

#include "common/site.h"

enum site_dimension {
	SITE_CLASS,
	SITE_TYPE, /* a flowtype */
	SITE_SENSOR,
	SITE_GROUP,
	SITE_DEFAULT_TYPE,  /* sets SITE_TYPE, to default types only */
	SITE_DEFAULT_CLASS, /* sets SITE_CLASS; when first, to the default class only */
	SITE_DIMENSIONS,
};

#define SITE_FREE (-1) /* not a dimension of the rows, or not yet reached */
#define SITE_NONE (-2) /* nothing goes with the values before: an empty cell */

/* One row: ids, SITE_FREE or SITE_NONE. Only the first four dimensions are used. */
struct siterow {
	int id[SITE_GROUP + 1];
};

/* Allowed ids; NULL: all. Plain arrays, true for what is allowed. */
struct sitefilter {
	const bool *classes;
	const bool *flowtypes; /* 255 */
	const bool *sensors;   /* 65535 */
	const bool *groups;
};

struct siterows {
	const struct site *site;
	struct sitefilter filter;
	const enum site_dimension *order;
	size_t order_count;
};

typedef void (*siterow_fn)(void *arg, const struct siterow *row);
void siterows_each(const struct siterows *rows, siterow_fn fn, void *arg);

/*
 * The values of a dimension that go with a row, for a column that holds a list. Calls fn for each,
 * in order.
 */
typedef void (*siterow_id_fn)(void *arg, int id);
void siterows_list(const struct siterows *rows, enum site_dimension dimension,
		   const struct siterow *row, siterow_id_fn fn, void *arg);

#endif
