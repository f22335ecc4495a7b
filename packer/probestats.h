/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What came in through a probe, counted by its sessions and reported line by line. */
#ifndef TUSSAH_PACKER_PROBESTATS_H
#define TUSSAH_PACKER_PROBESTATS_H

#include "common/metrics.h"
#include "packer/decoder.h"
#include "packer/lossbook.h"
#include "packer/probe.h"

/* The counters of its decoders (enum decoder_counter), then these. */
enum probe_counter {
	PROBE_PEERS_REFUSED = DECODER_COUNTERS,
	PROBE_REPEATED,      /* messages that had been taken in before */
	PROBE_CATEGORIZED,   /* records that the packing logic gave a type */
	PROBE_DROPPED,       /* records that could not be written */
	PROBE_KERNEL_DROPS,  /* datagrams that found the socket's buffer full */
	PROBE_JOURNAL_DROPS, /* messages that found the journal full */
	PROBE_COUNTERS,
};

/* One per probe name for the life of the daemon. */
struct probestats {
	char *name;
	_Atomic bool listens; /* to be reported at every flush */
	_Atomic bool polls;   /* to be reported after each file */
	_Atomic int type;     /* enum probe_type: the form of the line */
	_Atomic uint64_t values[PROBE_COUNTERS];
	_Atomic int64_t hour_ns;           /* of the latest record; 0: none yet */
	uint64_t reported[PROBE_COUNTERS]; /* guarded by who owns the table of probes */
	struct lossbook book;              /* likewise */
};

struct probestats *probestats_new(const char *name);
void probestats_free(struct probestats *stats);

/* Add what the decoder counted since the last look, which seen is brought up to. */
void probestats_add(struct probestats *stats, const struct decoder *decoder,
		    uint64_t seen[DECODER_COUNTERS]);

/* What storage/lossfile.h counts, since the start. */
void probestats_losses(const struct probestats *stats, struct loss *out);

/* Were records dropped since the last report? */
bool probestats_has_dropped(const struct probestats *stats);

/*
 * Log the lines about the time since the last report (silk-packing.md 5.7): of a NetFlow v5 probe
 * "'P': Pkts GOOD/TOTAL, Recs N, MissRecs N, BadRecs N", of others "'P': forward N, reverse N,
 * ignored N; records N, bytes N, rejected N, missing N" with ", nf9: missing-pkts N" or ", sflow:
 * missing-pkts N" before the semicolon. If any were dropped, "'P': Records categorized N, dropped
 * M".
 */
void probestats_report(struct probestats *stats);

#endif
