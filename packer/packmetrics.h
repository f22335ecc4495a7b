/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the packer counts, as metrics: names, help and labels stand here, the numbers with those
 * who count them. See METRICS in the manual.
 *
 *	packmetrics_probe(text, stats);			// for each probe
 *	packmetrics_listener(text, "udp 4739", &listener_stats);
 *	packmetrics_state(text, &state);
 */
#ifndef TUSSAH_PACKER_PACKMETRICS_H
#define TUSSAH_PACKER_PACKMETRICS_H

#include "common/metrictext.h"
#include "packer/collector.h"
#include "packer/listen.h"
#include "packer/probestats.h"

/* Of the packer as a whole, at one moment. */
struct packmetrics_state {
	struct collector_state collector;
	uint64_t checkpoints;      /* done since the start */
	int64_t checkpoint_ns;     /* time spent in them */
	int64_t last_checkpoint_s; /* since the epoch; 0: none yet */
	uint64_t open_files;       /* hourly files */
	uint64_t unsealed_files;   /* hourly files that sealing or the catalog waits for */
	uint64_t reloads;
};

void packmetrics_probe(struct metrictext *text, const struct probestats *stats);
void packmetrics_listener(struct metrictext *text, const char *where,
			  const struct listener_stats *stats);
void packmetrics_state(struct metrictext *text, const struct packmetrics_state *state);

#endif
