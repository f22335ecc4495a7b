/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/sensor.h"

#include <arpa/inet.h>
#include <glib.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/daemon.h"
#include "common/log.h"
#include "common/timestamp.h"

#define POLL_MS 100
/* A live packet may wait in the kernel's ring for this long before it is seen. */
#define CAPTURE_DELAY_NS NS_PER_S
/* A finished flow waits at most so long for others to share its message, while live. */
#define FLUSH_INTERVAL_NS NS_PER_S
/* At the end, what the kernel still holds is read for so long: more than it keeps a ring block. */
#define LAST_PACKETS_NS  (250 * NS_PER_MS)
#define TICK_INTERVAL_NS (NS_PER_S / 2)

/* Of lines about the link. */
static const struct log_rate event_rate = { .burst = 20, .per_minute = 20 };

struct sensor {
	struct sensor_opts opts;
	struct sink *sink;
	struct meter *meter;
	struct export *export;
	const struct decode_link *link; /* of the capture being read */
	struct capture *live;           /* NULL while reading files */
	int64_t start_ns;               /* wall clock */
	int64_t next_stats_ns;          /* steady clock, as the next */
	int64_t next_flush_ns;
	int64_t next_tick_ns;
	uint64_t capture_dropped;
	uint32_t exporter_address;
	bool broken; /* the sink failed; its reason is in failure */
	struct err failure;
	uint64_t told_dropped; /* messages that the log knows of */
	struct log_limit event_limit;
};

/* The first IPv4 address of an interface that is up and not loopback, host order; 0: none. */
static uint32_t own_address(void)
{
	struct ifaddrs *list = NULL;
	uint32_t address = 0;

	if (getifaddrs(&list) != 0) {
		return 0;
	}
	for (const struct ifaddrs *at = list; at != NULL && address == 0; at = at->ifa_next) {
		if (at->ifa_addr != NULL && at->ifa_addr->sa_family == AF_INET &&
		    (at->ifa_flags & IFF_UP) && !(at->ifa_flags & IFF_LOOPBACK)) {
			address = ntohl(((const struct sockaddr_in *)(const void *)at->ifa_addr)
						->sin_addr.s_addr);
		}
	}
	freeifaddrs(list);
	return address;
}

static void log_events(struct sensor *sensor, int64_t now_ns)
{
	struct err event;
	uint64_t held_back = 0;

	while (sink_take_event(sensor->sink, &event)) {
		if (log_limit_ok(&sensor->event_limit, event_rate, now_ns, &held_back)) {
			log_msg(event.status == ST_OK ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "%s",
				event.text);
		}
	}
}

/*
 * A full link buffer holds up the reading of files, where nothing is lost by waiting; a live
 * capture goes on, and the oldest messages, counted by the link, make room.
 */
static int on_message(void *arg, const struct export_message *message, struct err *err)
{
	struct sensor *sensor = arg;
	int st;

	for (;;) {
		st = sink_send(sensor->sink, message, err);
		if (st != ST_EAGAIN) {
			break;
		}
		if (sensor->live != NULL) {
			sink_drop_oldest(sensor->sink);
		} else {
			int64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);

			sink_poll(sensor->sink, now_ns, POLL_MS);
			log_events(sensor, now_ns);
			if (daemon_stopping()) {
				sink_drop_oldest(sensor->sink);
			}
		}
	}
	return st;
}

static void sensor_break(struct sensor *sensor, const struct err *err)
{
	if (!sensor->broken) {
		sensor->broken = true;
		sensor->failure = *err;
	}
}

static void on_flow(void *arg, const struct flow *flow)
{
	struct sensor *sensor = arg;
	struct err err;

	if (!sensor->broken && export_flow(sensor->export, flow, &err) != ST_OK) {
		sensor_break(sensor, &err);
	}
}

static void on_packet(void *arg, int64_t time_ns, const uint8_t *bytes, uint32_t captured,
		      uint32_t wire_len)
{
	struct sensor *sensor = arg;

	meter_packet(sensor->meter, sensor->link, bytes, captured, wire_len, time_ns);
}

static void tell_counters(struct sensor *sensor)
{
	struct sensor_snapshot snapshot = { 0 };

	if (sensor->live != NULL) {
		struct capture_stats capture;

		capture_get_stats(sensor->live, &capture);
		sensor->capture_dropped = capture.dropped;
	}
	meter_get_stats(sensor->meter, &snapshot.meter);
	sink_get_stats(sensor->sink, &snapshot.sink);
	snapshot.capture_dropped = sensor->capture_dropped;
	sensor->opts.tick(sensor->opts.tick_arg, &snapshot);
}

int sensor_start(struct sensor **out, const struct sensor_opts *opts, struct sink *sink,
		 struct err *err)
{
	struct sensor *sensor = g_new0(struct sensor, 1);
	int64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);
	int st;

	sensor->opts = *opts;
	sensor->sink = sink;
	sensor->start_ns = clock_now_ns(CLOCK_REALTIME);
	sensor->next_stats_ns = now_ns + opts->stats_interval_ns;
	sensor->exporter_address = own_address();
	sensor->meter = meter_new(&opts->meter, on_flow, sensor);
	st = export_new(&sensor->export, &opts->export, on_message, sensor, err);
	if (st == ST_OK) {
		st = export_templates(sensor->export, err);
	}
	if (st != ST_OK) {
		sensor_free(sensor);
		return st;
	}
	if (opts->tick) {
		tell_counters(sensor);
	}
	*out = sensor;
	return ST_OK;
}

void sensor_free(struct sensor *sensor)
{
	if (sensor != NULL) {
		meter_free(sensor->meter);
		export_free(sensor->export);
		g_free(sensor);
	}
}

bool sensor_is_broken(const struct sensor *sensor)
{
	return sensor->broken;
}

/* --- statistics ----------------------------------------------------------------------------- */

static void log_statistics(struct sensor *sensor, const struct meter_stats *stats)
{
	static const char *const reasons[FLOW_END_COUNT] = {
		[FLOW_END_IDLE] = "idle",
		[FLOW_END_ACTIVE] = "active",
		[FLOW_END_DETECTED] = "closed",
		[FLOW_END_FORCED] = "forced",
		[FLOW_END_RESOURCES] = "table full",
	};
	GString *text = g_string_new(NULL);
	struct sink_stats sink;

	sink_get_stats(sensor->sink, &sink);
	g_string_printf(text,
			"statistics: packets %" PRIu64 ", bytes %" PRIu64 ", accepted %" PRIu64
			", flows %" PRIu64 " (",
			stats->packets, stats->bytes, stats->flows.packets, stats->flows.flows);
	for (size_t i = FLOW_END_IDLE; i < FLOW_END_COUNT; i++) {
		g_string_append_printf(text, "%s%s %" PRIu64, i > FLOW_END_IDLE ? ", " : "",
				       reasons[i], stats->flows.ended[i]);
	}
	g_string_append_printf(text,
			       "), in table %" PRIu32 ", peak %" PRIu32 ", fragments held %" PRIu64
			       ", datagrams assembled %" PRIu64 ", given up %" PRIu64
			       ", capture drops %" PRIu64 ", records %" PRIu64,
			       stats->flows.active, stats->flows.peak, stats->causes[DECODE_HELD],
			       stats->fragments.assembled,
			       stats->fragments.expired + stats->fragments.evicted +
				       stats->fragments.refused,
			       sensor->capture_dropped, sink.records);
	log_msg(LOG_LEVEL_INFO, "%s", text->str);
	g_string_printf(text, "statistics: refused packets %" PRIu64,
			meter_stats_rejected(stats) + stats->causes[DECODE_LATE]);
	for (size_t i = 0; i < DECODE_CAUSE_COUNT; i++) {
		if (stats->causes[i] != 0 && i != DECODE_OK && i != DECODE_HELD) {
			g_string_append_printf(text, ", %s %" PRIu64, decode_causes[i].name,
					       stats->causes[i]);
		}
	}
	log_msg(LOG_LEVEL_INFO, "%s", text->str);
	g_string_free(text, TRUE);
}

static void log_link(struct sensor *sensor)
{
	struct sink_stats sink;

	sink_get_stats(sensor->sink, &sink);
	if (sink.is_link) {
		log_msg(LOG_LEVEL_INFO,
			"statistics: messages %" PRIu64 ", sent %" PRIu64 ", acknowledged %" PRIu64
			", waiting %" PRIu64 ", dropped %" PRIu64 " with %" PRIu64
			" records, connections %" PRIu64 ", failed %" PRIu64,
			sink.messages, sink.link.sent_messages, sink.link.acked_messages,
			sink.link.queued_messages, sink.link.dropped_messages,
			sink.link.dropped_records, sink.link.connects, sink.link.connect_failures);
	}
	if (sink.has_spool) {
		log_msg(LOG_LEVEL_INFO,
			"statistics: spool positions %" PRIu64 " to %" PRIu64 ", durable %" PRIu64
			", bytes %" PRIu64 ", damaged %" PRIu64 ", dropped in all %" PRIu64
			" with %" PRIu64 " records",
			sink.spool.first, sink.spool.last, sink.spool.durable, sink.spool.bytes,
			sink.lost, sink.spool.dropped_entries, sink.spool.dropped_records);
	}
}

/* What is lost is told when it is, at most once a flush. */
static void log_dropped(struct sensor *sensor)
{
	struct sink_stats sink;

	sink_get_stats(sensor->sink, &sink);
	if (sink.is_link && sink.link.dropped_messages > sensor->told_dropped) {
		sensor->told_dropped = sink.link.dropped_messages;
		log_msg(LOG_LEVEL_WARNING,
			"the %s is full: dropped so far %" PRIu64 " messages with %" PRIu64
			" records",
			sink.has_spool ? "spool" : "buffer", sink.link.dropped_messages,
			sink.link.dropped_records);
	}
}

static int send_statistics(struct sensor *sensor, const struct meter_stats *stats, struct err *err)
{
	struct export_stats record = {
		.process_id = (uint32_t)getpid(),
		.exporter_address = sensor->exporter_address,
		.now_s = (uint32_t)(clock_now_ns(CLOCK_REALTIME) / NS_PER_S),
		.start_ms = sensor->start_ns / NS_PER_MS,
		.flows = stats->flows.flows,
		.packets = stats->flows.packets,
		.dropped_packets = sensor->capture_dropped,
		.ignored_packets = meter_stats_rejected(stats),
		.late_packets = stats->causes[DECODE_LATE],
		.expired_fragments =
			(uint32_t)(stats->fragments.expired + stats->fragments.evicted +
				   stats->fragments.refused),
		.assembled_fragments = (uint32_t)stats->fragments.assembled,
		.flush_events = (uint32_t)stats->flows.ended[FLOW_END_RESOURCES],
		.peak_flows = stats->flows.peak,
	};
	int st = export_statistics(sensor->export, &record, err);

	return st == ST_OK ? export_flush(sensor->export, err) : st;
}

/* Log and send the statistics, after the flows that they tell of. */
static int report(struct sensor *sensor, struct err *err)
{
	struct meter_stats stats;
	int st;

	if (sensor->live != NULL) {
		struct capture_stats capture;

		capture_get_stats(sensor->live, &capture);
		sensor->capture_dropped = capture.dropped;
	}
	st = export_flush(sensor->export, err);
	if (st != ST_OK) {
		return st;
	}
	meter_get_stats(sensor->meter, &stats);
	log_statistics(sensor, &stats);
	return sensor->opts.stats_records ? send_statistics(sensor, &stats, err) : ST_OK;
}

/* --- work ----------------------------------------------------------------------------------- */

/* What is to be done between two batches of packets. */
static int sensor_tick(struct sensor *sensor, struct err *err)
{
	int64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);
	int st = ST_OK;

	if (sensor->broken) {
		*err = sensor->failure;
		return err->status;
	}
	/* There is nothing to reload; a log file that was moved away is opened anew. */
	if (daemon_take_reload()) {
		log_reopen();
	}
	if (daemon_take_report() ||
	    (sensor->opts.stats_interval_ns != 0 && now_ns >= sensor->next_stats_ns)) {
		sensor->next_stats_ns = now_ns + sensor->opts.stats_interval_ns;
		st = report(sensor, err);
		log_link(sensor);
	}
	if (now_ns >= sensor->next_tick_ns) {
		sensor->next_tick_ns = now_ns + TICK_INTERVAL_NS;
		log_tick(clock_now_ns(CLOCK_REALTIME));
		if (sensor->opts.tick) {
			tell_counters(sensor);
		}
	}
	if (st == ST_OK && sensor->live != NULL && now_ns >= sensor->next_flush_ns) {
		sensor->next_flush_ns = now_ns + FLUSH_INTERVAL_NS;
		st = export_flush(sensor->export, err);
		log_dropped(sensor);
	}
	sink_poll(sensor->sink, now_ns, 0);
	log_events(sensor, now_ns);
	if (st != ST_OK) {
		sensor_break(sensor, err);
	}
	return st;
}

/* Find the decoder of the capture. */
static int sensor_use(struct sensor *sensor, const struct capture *capture, struct err *err)
{
	sensor->link = decode_link_find(capture_linktype(capture));
	if (sensor->link == NULL) {
		return err_set(err, ST_ESUPPORT, "%s: link type %s (%d) is not supported",
			       capture_name(capture), capture_linktype_name(capture),
			       capture_linktype(capture));
	}
	return ST_OK;
}

int sensor_read_file(struct sensor *sensor, const char *path, struct err *err)
{
	struct capture *capture = NULL;
	int st = capture_open_file(&capture, path, sensor->opts.filter, err);

	if (st == ST_OK) {
		st = sensor_use(sensor, capture, err);
	}
	while (st == ST_OK && !daemon_stopping()) {
		int tick;

		st = capture_read(capture, on_packet, sensor, err);
		if (st != ST_OK && st != ST_END) {
			break;
		}
		tick = sensor_tick(sensor, err);
		st = tick != ST_OK ? tick : st;
	}
	capture_close(capture);
	return st == ST_END ? ST_OK : st;
}

/* Wait for packets or a signal; in silence end what is idle, and send it. */
static int live_wait(struct sensor *sensor, struct err *err)
{
	struct pollfd fds[2] = {
		{ .fd = capture_fd(sensor->live), .events = POLLIN },
		{ .fd = daemon_wake_fd(), .events = POLLIN },
	};

	if (poll(fds, 2, POLL_MS) == 0) {
		int st;

		meter_expire(sensor->meter, clock_now_ns(CLOCK_REALTIME) - CAPTURE_DELAY_NS);
		st = export_flush(sensor->export, err);
		return st == ST_OK ? sink_flush(sensor->sink, err) : st;
	}
	return ST_OK;
}

/* Packets that came before the signal to stop are still in the kernel's ring: take them in. */
static int live_last_packets(struct sensor *sensor, struct err *err)
{
	int64_t deadline_ns = clock_now_ns(CLOCK_MONOTONIC) + LAST_PACKETS_NS;
	int64_t left_ns = LAST_PACKETS_NS;
	int st = ST_OK;

	while ((st == ST_OK || st == ST_EAGAIN) && left_ns > 0) {
		st = capture_read(sensor->live, on_packet, sensor, err);
		left_ns = deadline_ns - clock_now_ns(CLOCK_MONOTONIC);
		if (st == ST_EAGAIN && left_ns > 0) {
			struct pollfd fd = { .fd = capture_fd(sensor->live), .events = POLLIN };

			poll(&fd, 1, (int)(left_ns / NS_PER_MS));
		}
	}
	return st == ST_EAGAIN ? ST_OK : st;
}

int sensor_read_live(struct sensor *sensor, struct capture *capture, struct err *err)
{
	int st = sensor_use(sensor, capture, err);

	if (st == ST_OK) {
		log_msg(LOG_LEVEL_INFO, "capturing on %s, link type %s", capture_name(capture),
			capture_linktype_name(capture));
	}
	sensor->live = capture;
	while (st == ST_OK && !daemon_stopping()) {
		st = capture_read(capture, on_packet, sensor, err);
		if (st == ST_EAGAIN) {
			st = live_wait(sensor, err);
		}
		if (st == ST_OK) {
			st = sensor_tick(sensor, err);
		}
	}
	return st == ST_OK ? live_last_packets(sensor, err) : st;
}

/* A spool of a live sensor that has nobody to send to is for the next life. */
static bool is_left_to_spool(struct sensor *sensor)
{
	struct sink_stats stats;

	sink_get_stats(sensor->sink, &stats);
	return sensor->live != NULL && stats.has_spool && !stats.link.connected;
}

/* Wait for the link to deliver everything; a second signal ends the wait. */
static int sensor_drain(struct sensor *sensor, struct err *err)
{
	int64_t deadline_ns = clock_now_ns(CLOCK_MONOTONIC) + sensor->opts.drain_timeout_ns;
	struct sink_stats stats;

	for (;;) {
		int64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);

		sink_poll(sensor->sink, now_ns, 0);
		log_events(sensor, now_ns);
		if (sink_is_drained(sensor->sink) || now_ns >= deadline_ns || daemon_is_hurried() ||
		    is_left_to_spool(sensor)) {
			break;
		}
		sink_poll(sensor->sink, now_ns, POLL_MS);
	}
	log_events(sensor, clock_now_ns(CLOCK_MONOTONIC));
	log_link(sensor);
	sink_get_stats(sensor->sink, &stats);
	if (!sink_is_drained(sensor->sink) && stats.has_spool && sensor->live != NULL) {
		log_msg(LOG_LEVEL_NOTICE, "%" PRIu64 " messages stay in the spool",
			stats.link.queued_messages);
	} else if (!sink_is_drained(sensor->sink)) {
		return err_set(err, ST_EIO, "%" PRIu64 " messages were not delivered",
			       stats.link.queued_messages);
	}
	if (stats.link.dropped_messages > 0) {
		return err_set(err, ST_ELIMIT, "%" PRIu64 " records were dropped",
			       stats.link.dropped_records);
	}
	return ST_OK;
}

int sensor_finish(struct sensor *sensor, struct err *err)
{
	int st;

	meter_flush(sensor->meter);
	if (sensor->broken) {
		*err = sensor->failure;
		st = err->status;
	} else {
		st = report(sensor, err);
	}
	if (st == ST_OK) {
		st = sink_flush(sensor->sink, err);
	}
	return st == ST_OK ? sensor_drain(sensor, err) : st;
}
