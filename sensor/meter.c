/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/meter.h"

#include <glib.h>

#include "common/status.h"

#define METER_WAITING 16 /* packets; a power of two */
#define METER_FETCHED 8  /* of them, the flow is on its way */

struct meter_waiting {
	struct packet packet;
	uint32_t hash;
};

struct meter {
	struct meter_opts opts;
	struct flowtable *flows;
	struct fragments *fragments;
	uint64_t packets;
	uint64_t bytes;
	uint64_t causes[DECODE_CAUSE_COUNT];
	uint32_t first; /* of those that wait; both only rise */
	uint32_t next;
	struct meter_waiting waiting[METER_WAITING];
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

static struct meter_waiting *meter_at(struct meter *meter, uint32_t number)
{
	return &meter->waiting[number % METER_WAITING];
}

static enum decode_cause meter_add(struct meter *meter, const struct packet *packet, uint32_t hash)
{
	return flowtable_add(meter->flows, packet, hash) == ST_OK ? DECODE_OK : DECODE_LATE;
}

static void meter_take_first(struct meter *meter)
{
	const struct meter_waiting *waiting = meter_at(meter, meter->first++);

	meter->causes[meter_add(meter, &waiting->packet, waiting->hash)]++;
}

static void meter_take_all(struct meter *meter)
{
	while (meter->first != meter->next) {
		meter_take_first(meter);
	}
}

/* After those that wait, since its bytes are there for the moment only. */
static enum decode_cause meter_take_fragment(struct meter *meter, struct packet *packet)
{
	enum decode_cause cause = DECODE_FRAGMENT_OFF;

	if (flowtable_is_late(meter->flows, packet->time_ns)) {
		return DECODE_LATE;
	}
	if (!meter->opts.no_fragments) {
		cause = fragments_add(meter->fragments, packet);
	}
	return cause == DECODE_OK
		       ? meter_add(meter, packet, flowtable_prepare(meter->flows, packet))
		       : cause;
}

/* The packet that was decoded in its place waits. */
static void meter_enqueue(struct meter *meter)
{
	struct meter_waiting *waiting = meter_at(meter, meter->next++);

	waiting->hash = flowtable_prepare(meter->flows, &waiting->packet);
	if (meter->next - meter->first > METER_FETCHED) {
		flowtable_fetch(meter->flows, meter_at(meter, meter->next - METER_FETCHED)->hash);
	}
	if (meter->next - meter->first == METER_WAITING) {
		meter_take_first(meter);
	}
}

void meter_packet(struct meter *meter, const struct decode_link *link, const uint8_t *bytes,
		  uint32_t captured, uint32_t wire_len, int64_t time_ns)
{
	struct packet *packet = &meter_at(meter, meter->next)->packet;
	enum decode_cause cause;

	packet->time_ns = time_ns;
	cause = decode_packet(link, bytes, captured, wire_len, packet);
	meter->packets++;
	meter->bytes += wire_len;
	if (cause == DECODE_OK && meter->opts.only_version != 0 &&
	    packet->key.version != meter->opts.only_version) {
		cause = DECODE_IP_VERSION;
	}
	if (cause == DECODE_OK && !packet->is_fragment) {
		meter_enqueue(meter);
		return;
	}
	if (cause == DECODE_OK) {
		meter_take_all(meter);
		cause = meter_take_fragment(meter, packet);
	}
	meter->causes[cause]++;
}

void meter_expire(struct meter *meter, int64_t now_ns)
{
	meter_take_all(meter);
	flowtable_expire(meter->flows, now_ns);
	fragments_expire(meter->fragments, now_ns);
}

void meter_flush(struct meter *meter)
{
	meter_take_all(meter);
	flowtable_flush(meter->flows);
	fragments_flush(meter->fragments);
}

void meter_get_stats(struct meter *meter, struct meter_stats *out)
{
	meter_take_all(meter);
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
