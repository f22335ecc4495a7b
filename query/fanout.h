/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The records of a source for several takers: read and decoded once, and taken by each on a thread
 * of its own, all of them in the order of the input. For what must see records in order, and so
 * cannot be shared out by parts of the input as query/readcrew does.
 *
 *	const struct fanout_taker takers[] = {
 *		{ .take = add_sources, .arg = &sources },
 *		{ .take = add_destinations, .arg = &destinations },
 *	};
 *	fanout_run(source, COLUMN_BIT(COLUMN_SIP) | COLUMN_BIT(COLUMN_DIP), takers, 2);
 *	exit_status = source_close(source);
 *
 * Reading gets ahead by so many records that a taker may do something large with what it has, as
 * sorting it, while the others go on; then it waits.
 *
 * No thread is started for little input, nor where there is but one processor: then the caller's
 * thread does everything.
 */
#ifndef TUSSAH_QUERY_FANOUT_H
#define TUSSAH_QUERY_FANOUT_H

#include "query/source.h"

struct fanout_taker {
	/* A batch with at least one selected row; borrowed, and others may be reading it. */
	void (*take)(void *arg, const struct batch *batch);
	/* Behind the last one, by the same thread; may be NULL. */
	void (*end)(void *arg);
	void *arg;
};

/*
 * Read everything, with these COLUMN_BITs. All takers have ended when it returns. What goes wrong is
 * told by the source.
 */
void fanout_run(struct source *source, uint32_t columns, const struct fanout_taker *takers,
		size_t count);

#endif
