/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An aggregate bag filled from flow records.
 *
 *	struct flowagg *agg = flowagg_new(&layout, site, country_map);
 *	while (source_next(source, batch, flowagg_columns(agg))) {
 *		flowagg_add(agg, batch);
 *	}
 */
#ifndef TUSSAH_QUERY_FLOWAGG_H
#define TUSSAH_QUERY_FLOWAGG_H

#include "common/batch.h"
#include "common/site.h"
#include "storage/aggbag.h"
#include "storage/pmap.h"

struct flowagg;

/* Does the layout have fields that need a country map? */
bool flowagg_needs_countries(const struct agglayout *layout);

/* layout holds fields of AGGFIELD_FLOW; site and country_map (NULL: none needed) are kept. */
struct flowagg *flowagg_new(const struct agglayout *layout, const struct site *site,
			    const struct pmap *country_map);
void flowagg_free(struct flowagg *agg);

/* COLUMN_BITs that flowagg_add() reads. */
uint32_t flowagg_columns(const struct flowagg *agg);
/* Add the selected rows. */
void flowagg_add(struct flowagg *agg, const struct batch *batch);
/* Borrowed. */
struct aggbag *flowagg_bag(const struct flowagg *agg);

#endif
