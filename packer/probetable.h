/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The counters of every probe by name, for the life of the daemon: reported to the log, and what
 * was lost written down by hour (storage/lossfile.h). From any thread.
 *
 *	struct probetable *table = probetable_new();
 *	probetable_configure(table, conf);			// and again whenever it changes
 *	struct probestats *stats = probetable_get(table, "P0");
 *	metric_add(&stats->values[PROBE_DROPPED], 1);
 *	probetable_report(table);
 *	probetable_book(table, conf, &place, now_ns, false);
 */
#ifndef TUSSAH_PACKER_PROBETABLE_H
#define TUSSAH_PACKER_PROBETABLE_H

#include "packer/probestats.h"
#include "packer/sensorconf.h"

struct probetable;

struct probetable *probetable_new(void);
void probetable_free(struct probetable *table);

/* Which probes listen, and of what type they are. */
void probetable_configure(struct probetable *table, const struct sensorconf *conf);

/* Never NULL; lives as long as the table. */
struct probestats *probetable_get(struct probetable *table, const char *probe);

/* All of them, in any order; fn must not come back here. */
void probetable_each(struct probetable *table,
		     void (*fn)(void *arg, const struct probestats *stats), void *arg);
/* The lines of probestats_report() for each probe that listens. */
void probetable_report(struct probetable *table);
/* For one. */
void probetable_report_one(struct probetable *table, struct probestats *stats);

/*
 * Write down there what was lost since the last call, for each sensor that a probe feeds. last: the
 * daemon stops. What cannot be written is logged and forgotten: it is worth no stop.
 */
void probetable_book(struct probetable *table, const struct sensorconf *conf,
		     const struct hourlines_place *place, int64_t now_ns, bool last);

#endif
