/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/meter.h"

#include <glib.h>

#include "common/status.h"

struct meter {
	struct meter_opts opts;
	struct flowtable *flows;
	struct fragments *fragments;
	uint64_t packets;
	uint64_t bytes;
	uint64_t causes[DECODE_CAUSE_COUNT];
};

struct meter *meter_new(const struct meter_opts *opts, flow_fn fn, void *arg)
{
	struct meter *meter = g_new0(struct meter, 1);

	meter->opts = *opts;
	meter->flows = flowtable_new(&opts->flows, fn, arg);
	meter->fragments = fragments_new(&opts->fragments);
	return meter;
}

void meter_free(struct meter *meter)
{
	if (meter != NULL) {
		flowtable_free(meter->flows);
		fragments_free(meter->fragments);
		g_free(meter);
	}
}

static enum decode_cause meter_take(struct meter *meter, struct packet *packet)
{
	if (meter->opts.only_version != 0 && packet->key.version != meter->opts.only_version) {
		return DECODE_IP_VERSION;
	}
	if (packet->is_fragment) {
		enum decode_cause cause = DECODE_FRAGMENT_OFF;

		if (flowtable_is_late(meter->flows, packet->time_ns)) {
			return DECODE_LATE;
		}
		if (!meter->opts.no_fragments) {
			cause = fragments_add(meter->fragments, packet);
		}
		if (cause != DECODE_OK) {
			return cause;
		}
	}
	return flowtable_add(meter->flows, packet) == ST_OK ? DECODE_OK : DECODE_LATE;
}

void meter_packet(struct meter *meter, const struct decode_link *link, const uint8_t *bytes,
		  uint32_t captured, uint32_t wire_len, int64_t time_ns)
{
	struct packet packet = { .time_ns = time_ns };
	enum decode_cause cause = decode_packet(link, bytes, captured, wire_len, &packet);

	if (cause == DECODE_OK) {
		cause = meter_take(meter, &packet);
	}
	meter->packets++;
	meter->bytes += wire_len;
	meter->causes[cause]++;
}

void meter_expire(struct meter *meter, int64_t now_ns)
{
	flowtable_expire(meter->flows, now_ns);
	fragments_expire(meter->fragments, now_ns);
}

void meter_flush(struct meter *meter)
{
	flowtable_flush(meter->flows);
	fragments_flush(meter->fragments);
}

void meter_get_stats(const struct meter *meter, struct meter_stats *out)
{
	out->packets = meter->packets;
	out->bytes = meter->bytes;
	for (size_t i = 0; i < DECODE_CAUSE_COUNT; i++) {
		out->causes[i] = meter->causes[i];
	}
	flowtable_get_stats(meter->flows, &out->flows);
	fragments_get_stats(meter->fragments, &out->fragments);
}

uint64_t meter_stats_rejected(const struct meter_stats *stats)
{
	uint64_t rejected = 0;

	for (size_t i = 0; i < DECODE_CAUSE_COUNT; i++) {
		if (i != DECODE_OK && i != DECODE_HELD && i != DECODE_LATE) {
			rejected += stats->causes[i];
		}
	}
	return rejected;
}
