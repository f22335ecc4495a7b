/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The events of rwscan: all flows of one source and protocol, one after the other in records that
 * are sorted, judged by scanmodel_judge() on several threads and handed over in their order.
 *
 *	struct scanevents_opts opts = { .threads = 4, .model = &model, .next = next, .take = take };
 *	scanevents_run(&opts);
 *
 * What is handed over does not depend on the number of threads.
 */
#ifndef TUSSAH_QUERY_SCANEVENTS_H
#define TUSSAH_QUERY_SCANEVENTS_H

#include "common/batch.h"
#include "query/scanmodel.h"

/* The columns that records must have. */
extern const uint32_t scanevents_columns;

struct scanevent {
	uint32_t sip;
	uint8_t protocol;
	int64_t start_ns;
	int64_t end_ns;
	uint64_t packets;
	uint64_t bytes;
	size_t flows;
	struct scanmodel_verdict verdict;
};

struct scanevents_opts {
	unsigned threads; /* that judge; at least 1 */
	bool one_by_one;  /* judge each event before the next record is looked at; on one thread */
	const struct scanmodel_opts *model;
	void *arg; /* of all callbacks */
	/* Fill the batch; false: no more. Called by one thread at a time. */
	bool (*next)(void *arg, struct batch *batch);
	/* Each record as it is read, by the same thread; may be NULL. */
	void (*record)(void *arg, const struct batch *batch, uint32_t row);
	/* Each event, judged, in order; by the caller's thread. */
	void (*take)(void *arg, const struct scanevent *event);
};

void scanevents_run(const struct scanevents_opts *opts);

#endif
