/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Groups in temporary files: those of tables that have grown too large, each time as partial ones,
 * which are merged on the way out.
 *
 *	spill = groupspill_new(&opts);
 *	groupspill_add(spill, shape, table, err); ...
 *	groupspill_finish(spill, err);
 *	while ((status = groupspill_next(spill, &bin, err)) == ST_OK) ...
 *	groupspill_free(spill);
 *
 * Threads: one at a time.
 */
#ifndef TUSSAH_QUERY_GROUPSPILL_H
#define TUSSAH_QUERY_GROUPSPILL_H

#include "query/grouptable.h"

struct groupspill_opts {
	const struct groupkey *key;         /* kept */
	const struct grouptable_spec *spec; /* of tables of any shape; kept */
	/* Groups come in the order of the tables' rows; a key that comes again is another group,
	 * unless it is the first one of a table and the last one of the table before. */
	bool presorted;
	uint64_t memory_bytes; /* before files are written */
	const char *temp_dir;  /* kept */
};

struct groupspill;

struct groupspill *groupspill_new(const struct groupspill_opts *opts);
void groupspill_free(struct groupspill *spill);

/* Take the groups of a table, which is then empty. ST_OK, ST_EIO. */
int groupspill_add(struct groupspill *spill, enum groupkey_shape shape, struct grouptable *table,
		   struct err *err);

/* No more tables. ST_OK, ST_EIO. */
int groupspill_finish(struct groupspill *spill, struct err *err);
/*
 * The next group, in ascending order of the keys unless opts.presorted is set; borrowed until the
 * next call. ST_OK, ST_END, ST_EIO.
 */
int groupspill_next(struct groupspill *spill, struct group_bin *bin, struct err *err);

#endif
