/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/probestats.h"

#include <glib.h>
#include <inttypes.h>

#include "common/log.h"

struct probestats *probestats_new(const char *name)
{
	struct probestats *stats = g_new0(struct probestats, 1);

	stats->name = g_strdup(name);
	return stats;
}

void probestats_free(struct probestats *stats)
{
	if (stats) {
		g_free(stats->name);
		g_free(stats);
	}
}

void probestats_add(struct probestats *stats, const struct ipfix_stats *before,
		    const struct ipfix_stats *now)
{
	/* what was missing may turn up late: the difference wraps and the sum comes out right */
	metric_add(&stats->values[PROBE_FORWARD], now->forward - before->forward);
	metric_add(&stats->values[PROBE_REVERSE], now->reverse - before->reverse);
	metric_add(&stats->values[PROBE_IGNORED], now->ignored - before->ignored);
	metric_add(&stats->values[PROBE_MESSAGES], now->messages - before->messages);
	metric_add(&stats->values[PROBE_BYTES], now->bytes - before->bytes);
	metric_add(&stats->values[PROBE_MISSING], now->missing - before->missing);
	metric_add(&stats->values[PROBE_OUT_OF_SEQUENCE],
		   now->out_of_sequence - before->out_of_sequence);
	metric_add(&stats->values[PROBE_MALFORMED], now->malformed - before->malformed);
}

void probestats_report(struct probestats *stats)
{
	uint64_t since[PROBE_COUNTERS];

	for (size_t i = 0; i < PROBE_COUNTERS; i++) {
		uint64_t value = metric_get(&stats->values[i]);

		since[i] = value >= stats->reported[i] ? value - stats->reported[i] : 0;
		stats->reported[i] = value;
	}
	log_msg(LOG_LEVEL_INFO,
		"'%s': forward %" PRIu64 ", reverse %" PRIu64 ", ignored %" PRIu64
		"; records %" PRIu64 ", bytes %" PRIu64 ", rejected %" PRIu64 ", missing %" PRIu64,
		stats->name, since[PROBE_FORWARD], since[PROBE_REVERSE], since[PROBE_IGNORED],
		since[PROBE_FORWARD] + since[PROBE_REVERSE], since[PROBE_BYTES],
		since[PROBE_MALFORMED] + since[PROBE_PEERS_REFUSED], since[PROBE_MISSING]);
	if (since[PROBE_DROPPED] > 0) {
		log_msg(LOG_LEVEL_INFO, "'%s': Records categorized %" PRIu64 ", dropped %" PRIu64,
			stats->name, since[PROBE_CATEGORIZED], since[PROBE_DROPPED]);
	}
}
