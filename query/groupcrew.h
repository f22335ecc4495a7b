/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The records of a source are grouped by a crew of threads (query/readcrew): each has a worker of
 * the groups. The groups are the same whatever the number of threads.
 *
 *	const struct groupcrew crew = {
 *		.source = source, .threads = threads, .groups = { group },
 *	};
 *	groupcrew_run(&crew, NULL, err);
 *	status = source_close(source);
 *	group_finish(group, sorted, err);
 */
#ifndef TUSSAH_QUERY_GROUPCREW_H
#define TUSSAH_QUERY_GROUPCREW_H

#include "query/group.h"
#include "query/source.h"

/* Groups that every record is added to. */
#define GROUPCREW_GROUPS 2

struct groupcrew {
	struct source *source;                  /* borrowed */
	unsigned threads;                       /* at most; made with spec.threads no lower are: */
	struct group *groups[GROUPCREW_GROUPS]; /* borrowed; the second may be NULL */
	uint32_t columns;                       /* COLUMN_BITs that change() reads */
	void *arg;                              /* of both callbacks, which any thread calls */
	/* Ask a batch, which will be read into, for extension columns. May be NULL. */
	void (*want)(void *arg, struct batch *batch);
	/* Records as they are to be grouped. May be NULL. */
	void (*change)(void *arg, struct batch *batch);
};

/*
 * Read everything. *records: how many were grouped; may be NULL. ST_OK, or ST_EIO of temporary files.
 * What goes wrong with the source is told by it, and source_close() returns it.
 */
int groupcrew_run(const struct groupcrew *crew, uint64_t *records, struct err *err);

#endif
