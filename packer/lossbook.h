/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a probe lost, divided into hours: counters that only grow become differences for
 * storage/lossfile. An hour in which nothing went wrong leaves no line; another has lines that add
 * up to all that was received in it. Pure.
 *
 *	struct lossbook book = { 0 };
 *	lossbook_turn(&book, &totals, hour_ns, false, write, arg);	// now and then
 *	lossbook_turn(&book, &totals, hour_ns, true, write, arg);	// the last time
 */
#ifndef TUSSAH_PACKER_LOSSBOOK_H
#define TUSSAH_PACKER_LOSSBOOK_H

#include "storage/lossfile.h"

struct lossbook {
	struct loss seen;    /* totals at the last turn */
	struct loss pending; /* since the last line, of hour_ns */
	int64_t hour_ns;
	bool has_line; /* the hour has one already */
};

typedef void (*lossbook_fn)(void *arg, int64_t hour_ns, const struct loss *loss);

/* hour_ns: of the records that come in now. last: no turn follows for long. */
void lossbook_turn(struct lossbook *book, const struct loss *totals, int64_t hour_ns, bool last,
		   lossbook_fn write, void *arg);

#endif
