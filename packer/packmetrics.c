/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/packmetrics.h"

#include <glib.h>
#include <stddef.h>
#include <string.h>

#include "common/timestamp.h"

/* Those behind the decoder's. */
static const struct metric probe_names[PROBE_COUNTERS] = {
	[PROBE_PEERS_REFUSED] = { "peers-refused", "peers that no probe at the port accepts" },
	[PROBE_REPEATED] = { "repeated", "messages that had been taken in before" },
	[PROBE_CATEGORIZED] = { "categorized", "records that the packing logic gave a type" },
	[PROBE_DROPPED] = { "dropped", "records that could not be written" },
	[PROBE_KERNEL_DROPS] = { "kernel-drops", "datagrams that found the receive buffer full" },
	[PROBE_JOURNAL_DROPS] = { "journal-drops", "messages that found the journal full" },
};

/* A row: a family and where its number lies in the struct; all are uint64_t. */
struct packmetrics_row {
	struct metricfamily family;
	size_t offset;
};

#define ROW(type, member, name, help, kind)                                                        \
	{                                                                                          \
		{ name, help, kind }, offsetof(type, member)                                       \
	}

static const struct packmetrics_row listener_rows[] = {
	ROW(struct listener_stats, open, "tussah_listener_sessions", "sessions that are open",
	    METRIC_GAUGE),
	ROW(struct listener_stats, accepted, "tussah_listener_accepted", "sessions opened",
	    METRIC_COUNTER),
	ROW(struct listener_stats, refused, "tussah_listener_refused", "peers refused",
	    METRIC_COUNTER),
	ROW(struct listener_stats, over_limit, "tussah_listener_over_limit",
	    "peers refused because there were too many", METRIC_COUNTER),
	ROW(struct listener_stats, messages, "tussah_listener_messages", "messages received",
	    METRIC_COUNTER),
	ROW(struct listener_stats, bytes, "tussah_listener_bytes", "bytes of messages received",
	    METRIC_COUNTER),
	ROW(struct listener_stats, broken, "tussah_listener_broken",
	    "sessions closed and datagrams dropped for what they sent", METRIC_COUNTER),
	ROW(struct listener_stats, dropped, "tussah_listener_kernel_drops",
	    "datagrams that found the receive buffer full", METRIC_COUNTER),
};

static const struct packmetrics_row state_rows[] = {
	ROW(struct packmetrics_state, collector.messages, "tussah_messages", "messages taken in",
	    METRIC_COUNTER),
	ROW(struct packmetrics_state, collector.unsynced_bytes, "tussah_unsynced_bytes",
	    "bytes of messages packed and not yet committed to the repository", METRIC_GAUGE),
	ROW(struct packmetrics_state, collector.journal.last, "tussah_journal_entries",
	    "entries appended to the journal, ever", METRIC_COUNTER),
	ROW(struct packmetrics_state, collector.packed, "tussah_journal_packed",
	    "entries of the journal whose records are packed", METRIC_COUNTER),
	ROW(struct packmetrics_state, collector.committed, "tussah_journal_committed",
	    "entries of the journal whose records are durable in the repository", METRIC_COUNTER),
	ROW(struct packmetrics_state, collector.journal.bytes, "tussah_journal_bytes",
	    "size of the journal", METRIC_GAUGE),
	ROW(struct packmetrics_state, collector.journal.syncs, "tussah_journal_syncs",
	    "times that the journal was made durable", METRIC_COUNTER),
	ROW(struct packmetrics_state, checkpoints, "tussah_checkpoints",
	    "times that all files were made durable", METRIC_COUNTER),
	ROW(struct packmetrics_state, last_checkpoint_s, "tussah_last_checkpoint_timestamp_seconds",
	    "when all files were last made durable", METRIC_GAUGE),
	ROW(struct packmetrics_state, open_files, "tussah_open_files", "hourly files open",
	    METRIC_GAUGE),
	ROW(struct packmetrics_state, unsealed_files, "tussah_unsealed_files",
	    "hourly files to be sealed and entered in the catalog", METRIC_GAUGE),
	ROW(struct packmetrics_state, reloads, "tussah_reloads", "changes of configuration",
	    METRIC_COUNTER),
};

static void packmetrics_add(struct metrictext *text, const struct packmetrics_row *rows,
			    size_t count, const void *from, const struct metriclabel *labels)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value;

		memcpy(&value, (const char *)from + rows[i].offset, sizeof(value));
		metrictext_add(text, &rows[i].family, labels, value);
	}
}

void packmetrics_probe(struct metrictext *text, const struct probestats *stats)
{
	static const struct metricfamily records = { "tussah_probe_records",
						     "records that came out, both directions",
						     METRIC_COUNTER };
	const struct metriclabel labels[] = { { "probe", stats->name }, { NULL, NULL } };

	metrictext_add(text, &records, labels,
		       metric_get(&stats->values[DECODER_FORWARD]) +
			       metric_get(&stats->values[DECODER_REVERSE]));
	metrictext_add_table(text, "tussah_probe", decoder_counter_names, stats->values,
			     DECODER_COUNTERS, labels);
	for (size_t i = DECODER_COUNTERS; i < PROBE_COUNTERS; i++) {
		if (probe_names[i].name) {
			metrictext_add_table(text, "tussah_probe", &probe_names[i],
					     &stats->values[i], 1, labels);
		}
	}
}

void packmetrics_listener(struct metrictext *text, const char *where,
			  const struct listener_stats *stats)
{
	const struct metriclabel labels[] = { { "listener", where }, { NULL, NULL } };

	packmetrics_add(text, listener_rows, G_N_ELEMENTS(listener_rows), stats, labels);
}

void packmetrics_state(struct metrictext *text, const struct packmetrics_state *state)
{
	static const struct metricfamily sync_time = { "tussah_checkpoint_seconds",
						       "time spent making files durable",
						       METRIC_COUNTER };
	static const struct metricfamily journal_time = { "tussah_journal_sync_seconds",
							  "time spent making the journal durable",
							  METRIC_COUNTER };
	static const struct metricfamily lag = { "tussah_lag_seconds",
						 "age of the message that is packed next; 0: "
						 "none waits",
						 METRIC_GAUGE };
	static const struct metricfamily version = { "tussah_build", "the version, always 1",
						     METRIC_GAUGE };
	const struct metriclabel labels[] = { { "version", PACKAGE_VERSION }, { NULL, NULL } };

	packmetrics_add(text, state_rows, G_N_ELEMENTS(state_rows), state, NULL);
	metrictext_add_real(text, &sync_time, NULL, (double)state->checkpoint_ns / NS_PER_S);
	metrictext_add_real(text, &journal_time, NULL,
			    (double)state->collector.journal.sync_ns / NS_PER_S);
	metrictext_add_real(text, &lag, NULL, (double)state->collector.lag_ns / NS_PER_S);
	metrictext_add(text, &version, labels, 1);
}
