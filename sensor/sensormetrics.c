/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/sensormetrics.h"

#include <glib.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

struct sensormetrics {
	pthread_mutex_t lock;
	struct sensor_snapshot snapshot;
};

/* Which destinations have it. */
enum { OF_ALL, OF_LINK, OF_SPOOL };

/* A family, and where its number (uint64_t) lies in the snapshot. */
#define ROW(member, name, help, kind)                                                              \
	{                                                                                          \
		{ name, help, kind }, offsetof(struct sensor_snapshot, member), OF_ALL             \
	}
#define SPOOL_ROW(member, name, help, kind)                                                        \
	{                                                                                          \
		{ name, help, kind }, offsetof(struct sensor_snapshot, sink.member), OF_SPOOL      \
	}
#define LINK_ROW(member, name, help, kind)                                                         \
	{                                                                                          \
		{ name, help, kind }, offsetof(struct sensor_snapshot, sink.link.member), OF_LINK  \
	}

static const struct sensormetrics_row {
	struct metricfamily family;
	size_t offset;
	uint8_t of;
} rows[] = {
	ROW(meter.packets, "tussah_sensor_packets", "packets read", METRIC_COUNTER),
	ROW(meter.bytes, "tussah_sensor_bytes", "bytes of packets on the wire", METRIC_COUNTER),
	ROW(meter.flows.packets, "tussah_sensor_accepted_packets", "packets that became flows",
	    METRIC_COUNTER),
	ROW(meter.flows.flows, "tussah_sensor_flows", "flows that ended", METRIC_COUNTER),
	ROW(capture_dropped, "tussah_sensor_capture_drops", "packets that the kernel dropped",
	    METRIC_COUNTER),
	ROW(meter.fragments.assembled, "tussah_sensor_assembled",
	    "datagrams put together of fragments", METRIC_COUNTER),
	ROW(sink.messages, "tussah_sensor_messages", "messages with records made", METRIC_COUNTER),
	ROW(sink.records, "tussah_sensor_records", "records made", METRIC_COUNTER),
	LINK_ROW(sent_messages, "tussah_sensor_sent_messages", "messages sent, with repeats",
		 METRIC_COUNTER),
	LINK_ROW(acked_messages, "tussah_sensor_acked_messages",
		 "messages that the collector has acknowledged", METRIC_COUNTER),
	LINK_ROW(queued_messages, "tussah_sensor_queued_messages",
		 "messages in memory that are not acknowledged yet", METRIC_GAUGE),
	LINK_ROW(queued_bytes, "tussah_sensor_queued_bytes", "bytes of those", METRIC_GAUGE),
	SPOOL_ROW(spool.bytes, "tussah_sensor_spool_bytes", "bytes of the spool on disk",
		  METRIC_GAUGE),
	SPOOL_ROW(spool.last, "tussah_sensor_spool_appended_position",
		  "newest message of the spool", METRIC_GAUGE),
	SPOOL_ROW(spool.durable, "tussah_sensor_spool_durable_position",
		  "newest message that is safe on disk", METRIC_GAUGE),
	SPOOL_ROW(spool.released, "tussah_sensor_spool_acked_position",
		  "newest message that the collector has acknowledged", METRIC_GAUGE),
	SPOOL_ROW(spool.dropped_entries, "tussah_sensor_spool_dropped_messages",
		  "messages that the full spool dropped, since it was made", METRIC_COUNTER),
	SPOOL_ROW(spool.dropped_records, "tussah_sensor_spool_dropped_records", "records in those",
		  METRIC_COUNTER),
	SPOOL_ROW(spool.syncs, "tussah_sensor_spool_syncs", "syncs of the spool", METRIC_COUNTER),
	SPOOL_ROW(spool.sync_ns, "tussah_sensor_spool_sync_nanoseconds", "time spent in them",
		  METRIC_COUNTER),
	LINK_ROW(dropped_messages, "tussah_sensor_dropped_messages",
		 "messages pushed out of the full buffer", METRIC_COUNTER),
	LINK_ROW(dropped_records, "tussah_sensor_dropped_records", "records in those",
		 METRIC_COUNTER),
	LINK_ROW(connects, "tussah_sensor_connections", "connections made", METRIC_COUNTER),
	LINK_ROW(connect_failures, "tussah_sensor_failed_connections",
		 "attempts to connect that failed", METRIC_COUNTER),
};

struct sensormetrics *sensormetrics_new(void)
{
	struct sensormetrics *metrics = g_new0(struct sensormetrics, 1);

	pthread_mutex_init(&metrics->lock, NULL);
	return metrics;
}

void sensormetrics_free(struct sensormetrics *metrics)
{
	if (metrics) {
		pthread_mutex_destroy(&metrics->lock);
		g_free(metrics);
	}
}

void sensormetrics_publish(struct sensormetrics *metrics, const struct sensor_snapshot *snapshot)
{
	pthread_mutex_lock(&metrics->lock);
	metrics->snapshot = *snapshot;
	pthread_mutex_unlock(&metrics->lock);
}

/* What became of packets that are in no flow. */
static void add_causes(struct metrictext *text, const struct meter_stats *stats)
{
	static const struct metricfamily refused = { "tussah_sensor_refused_packets",
						     "packets that are in no flow",
						     METRIC_COUNTER };

	for (size_t i = 0; i < DECODE_CAUSE_COUNT; i++) {
		const struct metriclabel labels[] = { { "cause", decode_causes[i].name },
						      { NULL, NULL } };

		if (i != DECODE_OK && i != DECODE_HELD) {
			metrictext_add(text, &refused, labels, stats->causes[i]);
		}
	}
}

void sensormetrics_collect(void *arg, struct metrictext *text)
{
	static const struct metricfamily active = { "tussah_sensor_active_flows",
						    "flows in the table", METRIC_GAUGE };
	static const struct metricfamily connected = { "tussah_sensor_connected",
						       "1 while there is a connection",
						       METRIC_GAUGE };
	struct sensormetrics *metrics = arg;
	bool has[] = { [OF_ALL] = true, [OF_SPOOL] = false };
	struct sensor_snapshot snapshot;

	pthread_mutex_lock(&metrics->lock);
	snapshot = metrics->snapshot;
	pthread_mutex_unlock(&metrics->lock);
	has[OF_LINK] = snapshot.sink.is_link;
	has[OF_SPOOL] = snapshot.sink.has_spool;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		uint64_t value;

		memcpy(&value, (const char *)&snapshot + rows[i].offset, sizeof(value));
		if (has[rows[i].of]) {
			metrictext_add(text, &rows[i].family, NULL, value);
		}
	}
	if (snapshot.sink.is_link) {
		metrictext_add(text, &connected, NULL, snapshot.sink.link.connected);
	}
	metrictext_add(text, &active, NULL, snapshot.meter.flows.active);
	add_causes(text, &snapshot.meter);
}
