/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is a source a scanner? Two models over all its flows of one protocol: the threshold random walk
 * (TRW), which follows whether the hosts that are asked exist, and a logistic regression (BLR) over
 * figures of the flows. The engine of rwscan.
 *
 *	struct scanmodel_opts opts = { .models = SCANMODEL_BOTH, .internal = set, 0.8, 0.2 };
 *	scanmodel_judge(&opts, 6, flows, count, &verdict);
 *	if (verdict.is_scan) ... verdict.model, verdict.probability ...
 */
#ifndef TUSSAH_QUERY_SCANMODEL_H
#define TUSSAH_QUERY_SCANMODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/ipset.h"

/* Numbers are those of --scan-model and of the column scan_model. */
enum scanmodel {
	SCANMODEL_BOTH = 0,
	SCANMODEL_TRW = 1,
	SCANMODEL_BLR = 2,
};

struct scanmodel_opts {
	enum scanmodel models;
	const struct ipset *internal; /* the hosts there are; TRW */
	double theta0;                /* how likely a benign source's connection succeeds; TRW */
	double theta1;                /* and a scanner's */
};

struct scanflow {
	uint32_t dip;
	uint16_t sport;
	uint16_t dport;
	uint8_t flags;
	bool few_packets; /* fewer than 3 */
	bool large;       /* more than 60 bytes a packet */
	int64_t start_ns;
};

struct scanmodel_verdict {
	bool is_scan;
	enum scanmodel model; /* that said so */
	double probability;   /* BLR; TRW: the likelihood ratio */
};

/* The figures of BLR, in the order of its coefficients; at most SCANMODEL_FIGURES. */
#define SCANMODEL_FIGURES 7
/*
 * The flows are put in the order of their destinations, those to one host in that of their times.
 * Returns how many figures there are; 0: the protocol has no model.
 */
size_t scanmodel_figures(uint8_t protocol, struct scanflow *flows, size_t count,
			 double figures[SCANMODEL_FIGURES]);

/*
 * All flows of one source and protocol (6, 17 or 1). TRW walks in the order they are given in, BLR
 * may put them in its own.
 */
void scanmodel_judge(const struct scanmodel_opts *opts, uint8_t protocol, struct scanflow *flows,
		     size_t count, struct scanmodel_verdict *verdict);

#endif
