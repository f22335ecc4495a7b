/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Join records that an exporter made of one flow because it lasted too long: those marked T
 *(timeout) with the next one marked C (continued). The engine of rwcombine.
 *
 *	struct flowcombine combine;
 *	flowcombine_init(&combine, max_idle_ns, write, arg);
 *	for each record, by session and time: flowcombine_add(&combine, &rec, is_new_session, err);
 *	flowcombine_finish(&combine, err);
 */
#ifndef TUSSAH_QUERY_FLOWCOMBINE_H
#define TUSSAH_QUERY_FLOWCOMBINE_H

#include "common/err.h"
#include "common/record.h"

/* What became of the records that were added. */
struct flowcombine_counts {
	uint64_t added;
	uint64_t missing_end;   /* written: marked T, */
	uint64_t missing_both;  /* T and C, */
	uint64_t missing_start; /* C, */
	uint64_t complete;      /* or neither any more */
	uint64_t eliminated;    /* became part of another one */
	/*
	 * Idle times between records that were joined, in milliseconds, as SiLK keeps them: modulo
	 * 2^64, so that overlaps are near UINT64_MAX; the least is UINT64_MAX when there are none,
	 * and is the last overlap, or less, when there are some.
	 */
	uint64_t idle_min_ms;
	uint64_t idle_max_ms;
	uint64_t idle_before_max_ms; /* the greatest one when idle_max_ms was found */
};

#define FLOWCOMBINE_ANY_IDLE INT64_MAX

typedef int (*flowcombine_write_fn)(void *arg, const struct record *rec, struct err *err);

struct flowcombine {
	int64_t max_idle_ns;
	flowcombine_write_fn write;
	void *arg;
	bool holds; /* a record that the next one may continue: */
	struct record held;
	struct flowcombine_counts counts;
};

/* Records are not joined when there is more than max_idle_ns between them. */
void flowcombine_init(struct flowcombine *combine, int64_t max_idle_ns, flowcombine_write_fn write,
		      void *arg);
/* ST_OK, or what write() returned. */
int flowcombine_add(struct flowcombine *combine, const struct record *rec, bool is_new_session,
		    struct err *err);
int flowcombine_finish(struct flowcombine *combine, struct err *err);

#endif
