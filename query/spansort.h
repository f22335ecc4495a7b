/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sorting by start time first, of inputs that are block files of different hours, as a repository
 * has them: each span of time (query/inputspans.h) is read and sorted by itself, by one thread, and
 * given out before the next. So no more than the spans at hand are in memory, and what is sorted
 * stays in the caches.
 *
 *	spans = spansort_find(source, sort, &plan);
 *	if (spans) {
 *		inputspans_tell_opened(spans, source);
 *		rc = spansort_run(spans, &plan, err);
 *	}
 *
 * The records come in the order in which recordsort_drain_encoded() gives them. Unlike there, some
 * have been given out when a later input proves damaged.
 */
#ifndef TUSSAH_QUERY_SPANSORT_H
#define TUSSAH_QUERY_SPANSORT_H

#include "query/inputspans.h"
#include "query/recordsort.h"

struct spansort {
	struct source *source;         /* borrowed */
	const struct recordsort *sort; /* borrowed: its key, and how rows are made */
	bool reverse;
	uint64_t memory_bytes;
	unsigned threads; /* at most */
	void *arg;
	/* Ask a batch, which will be read into, for extension columns. May be NULL. */
	void (*want)(void *arg, struct batch *batch);
	recordsort_take_encoded_fn take;
};

/*
 * The spans of the inputs that are still to come, or NULL where sorting all at once is better: the
 * key does not begin with the start time, inputs are none for inputspans_find(), or one span has so
 * much of the records that there would be no room, or too little for each thread to do.
 */
struct inputspans *spansort_find(const struct spansort *plan);
/*
 * Hand all records out in order. Damage is told by the source, and source_close() returns it; then
 * ST_EFORMAT, or what take() returned.
 */
int spansort_run(const struct spansort *plan, const struct inputspans *spans, struct err *err);

#endif
