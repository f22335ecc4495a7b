/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records on their way to tables that several threads share, each table with the keys of one range of
 * hashes: they wait, as partial groups, until there are many for one table. So a thread asks seldom
 * for a table, and what it needs of that comes into the cache and the processor's table of pages once
 * for all of them.
 *
 *	buffers = groupbuffers_new(&spec, set_bits);
 *	groupbuffers_add(buffers, &packed);
 *	for (unsigned s = 0; s < sets; s++) {
 *		if (groupbuffers_is_full(buffers, s)) {
 *			groupbuffers_empty(buffers, s, table_of_set_s);
 *		}
 *	}
 *	groupbuffers_free(buffers);
 *
 * Threads: one at a time.
 */
#ifndef TUSSAH_QUERY_GROUPBUFFERS_H
#define TUSSAH_QUERY_GROUPBUFFERS_H

#include "query/grouptable.h"

struct groupbuffers;

/* For keys of one shape, and 2^set_bits sets, as grouptable_part() has them; spec is kept. */
struct groupbuffers *groupbuffers_new(const struct grouptable_spec *spec, unsigned set_bits);
/* NULL is fine. */
void groupbuffers_free(struct groupbuffers *buffers);

/* Add the selected rows of a batch. No buffer may be full before. */
void groupbuffers_add(struct groupbuffers *buffers, const struct grouptable_packed *packed);

/* How many wait for set number s, and are those enough? */
uint32_t groupbuffers_count(const struct groupbuffers *buffers, unsigned s);
bool groupbuffers_is_full(const struct groupbuffers *buffers, unsigned s);

/* Those of set number s go into its table. */
void groupbuffers_empty(struct groupbuffers *buffers, unsigned s, struct grouptable *table);

#endif
