/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rwfilter's tests by prefix maps: --pmap-file, and the switches that each map adds,
 *--pmap-src-NAME,
 * --pmap-dst-NAME and --pmap-any-NAME, or the old names of those of a map without a name.
 *
 *	OPT_GROUP(struct rwfilter_opts, maps, maptest_opt_table),
 *	...
 *	maptest_add(&opts->maps, &tests);
 *	...
 *	maptest_release(&opts->maps);		// when the tests are done with
 */
#ifndef TUSSAH_QUERY_MAPTEST_H
#define TUSSAH_QUERY_MAPTEST_H

#include "common/opt.h"
#include "query/predicate.h"

struct maptests;

struct maptest_opts {
	struct maptests *maps; /* NULL: no switch was given */
};
extern const struct opt maptest_opt_table[];

/* Add the tests that the switches ask for. */
void maptest_add(const struct maptest_opts *opts, struct predicates **tests);
void maptest_release(struct maptest_opts *opts);

/* The arguments of --pmap-file, borrowed; NULL: none. */
const GPtrArray *maptest_files(const struct maptest_opts *opts);

/* The value of a label, or of a number; false: the map has it not. */
bool maptest_find_value(const struct pmap *pmap, const char *word, uint32_t *value);

/* Add the values of a list of labels, or numbers, of the map. */
int maptest_parse_labels(const struct pmap *pmap, const char *text, GHashTable *values,
			 struct err *err);

#endif
