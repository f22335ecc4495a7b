/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/probestats.h"

#include <glib.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/log.h"

struct probestats *probestats_new(const char *name)
{
	struct probestats *stats = g_new0(struct probestats, 1);

	stats->name = g_strdup(name);
	stats->type = PROBE_IPFIX;
	return stats;
}

void probestats_free(struct probestats *stats)
{
	if (stats) {
		g_free(stats->name);
		g_free(stats);
	}
}

void probestats_add(struct probestats *stats, const struct decoder *decoder,
		    uint64_t seen[DECODER_COUNTERS])
{
	uint64_t now[DECODER_COUNTERS];

	decoder_get_counts(decoder, now);
	for (size_t i = 0; i < DECODER_COUNTERS; i++) {
		if (now[i] != seen[i]) {
			/* what was missing may turn up late: the difference wraps, the sum is right
			 */
			metric_add(&stats->values[i], now[i] - seen[i]);
			seen[i] = now[i];
		}
	}
}

void probestats_losses(const struct probestats *stats, struct loss *out)
{
	static const struct {
		unsigned counter;
		enum loss_kind kind;
	} rows[] = {
		{ DECODER_FORWARD, LOSS_RECEIVED },
		{ DECODER_REVERSE, LOSS_RECEIVED },
		{ DECODER_MISSING, LOSS_MISSING },
		{ DECODER_MISSING_PACKETS, LOSS_MISSING_PACKETS },
		{ DECODER_MALFORMED, LOSS_REJECTED },
		{ DECODER_UNKNOWN_SETS, LOSS_UNKNOWN_SETS },
		{ DECODER_CLOCK_OFF, LOSS_CLOCK_OFF },
		{ PROBE_DROPPED, LOSS_DROPPED },
		{ PROBE_KERNEL_DROPS, LOSS_KERNEL },
		{ PROBE_JOURNAL_DROPS, LOSS_JOURNAL },
	};

	*out = (struct loss){ 0 };
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		out->values[rows[i].kind] += (int64_t)metric_get(&stats->values[rows[i].counter]);
	}
}

static void probestats_log_pdus(const char *name, const uint64_t since[PROBE_COUNTERS])
{
	uint64_t good =
		since[DECODER_MESSAGES] - since[DECODER_MALFORMED] - since[DECODER_UNSUPPORTED];

	log_msg(LOG_LEVEL_INFO,
		"'%s': Pkts %" PRIu64 "/%" PRIu64 ", Recs %" PRIu64 ", MissRecs %" PRIu64
		", BadRecs %" PRIu64,
		name, good, since[DECODER_MESSAGES],
		since[DECODER_FORWARD] + since[DECODER_REVERSE], since[DECODER_MISSING],
		since[DECODER_BAD]);
}

static void probestats_log_flows(const char *name, enum probe_type type,
				 const uint64_t since[PROBE_COUNTERS])
{
	char packets[64] = "";

	if (type == PROBE_NETFLOW_V9 || type == PROBE_SFLOW) {
		snprintf(packets, sizeof(packets), ", %s: missing-pkts %" PRIu64,
			 type == PROBE_SFLOW ? "sflow" : "nf9", since[DECODER_MISSING_PACKETS]);
	}
	log_msg(LOG_LEVEL_INFO,
		"'%s': forward %" PRIu64 ", reverse %" PRIu64 ", ignored %" PRIu64
		"%s; records %" PRIu64 ", bytes %" PRIu64 ", rejected %" PRIu64
		", missing %" PRIu64,
		name, since[DECODER_FORWARD], since[DECODER_REVERSE], since[DECODER_IGNORED],
		packets, since[DECODER_FORWARD] + since[DECODER_REVERSE], since[DECODER_BYTES],
		since[DECODER_MALFORMED] + since[PROBE_PEERS_REFUSED], since[DECODER_MISSING]);
}

bool probestats_has_dropped(const struct probestats *stats)
{
	return metric_get(&stats->values[PROBE_DROPPED]) > stats->reported[PROBE_DROPPED];
}

void probestats_report(struct probestats *stats)
{
	enum probe_type type = (enum probe_type)stats->type;
	uint64_t since[PROBE_COUNTERS];

	for (size_t i = 0; i < PROBE_COUNTERS; i++) {
		uint64_t value = metric_get(&stats->values[i]);

		since[i] = value >= stats->reported[i] ? value - stats->reported[i] : 0;
		stats->reported[i] = value;
	}
	if (type == PROBE_NETFLOW_V5) {
		probestats_log_pdus(stats->name, since);
	} else {
		probestats_log_flows(stats->name, type, since);
	}
	if (since[PROBE_DROPPED] > 0) {
		log_msg(LOG_LEVEL_INFO, "'%s': Records categorized %" PRIu64 ", dropped %" PRIu64,
			stats->name, since[PROBE_CATEGORIZED], since[PROBE_DROPPED]);
	}
}
