/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The metering process: decode, reassembly and flow table in a row, with a counter for every
 * packet that does not get through. Pure: captured bytes and their time in, finished flows out.
 * The last packets handed in are with the meter still, while what it knows of their flows is
 * fetched from memory; everything but meter_packet() takes them in first.
 *
 *	struct meter *meter = meter_new(&opts, on_flow, arg);
 *	meter_packet(meter, link, bytes, captured, wire_len, time_ns);
 *	meter_flush(meter);
 *	meter_free(meter);
 *
 * Threads: one per meter.
 */
#ifndef TUSSAH_SENSOR_METER_H
#define TUSSAH_SENSOR_METER_H

#include "common/decode.h"
#include "sensor/flowtable.h"
#include "sensor/fragment.h"

struct meter_opts {
	struct flowtable_opts flows;
	struct fragment_opts fragments;
	bool no_fragments;    /* refuse fragments instead of reassembling */
	uint8_t only_version; /* 4, 6, or 0: both */
};

struct meter_stats {
	uint64_t packets;                    /* handed in */
	uint64_t bytes;                      /* on the wire */
	uint64_t causes[DECODE_CAUSE_COUNT]; /* what became of them; adds up to packets */
	struct flowtable_stats flows;
	struct fragment_stats fragments;
};

struct meter;

/* Never NULL. arg is kept for fn. */
struct meter *meter_new(const struct meter_opts *opts, flow_fn fn, void *arg);
void meter_free(struct meter *meter);

/* Take in one packet: captured bytes at bytes (borrowed) of wire_len on the wire. */
void meter_packet(struct meter *meter, const struct decode_link *link, const uint8_t *bytes,
		  uint32_t captured, uint32_t wire_len, int64_t time_ns);

/* End flows and datagrams that have been silent at now_ns. */
void meter_expire(struct meter *meter, int64_t now_ns);

/* End everything. */
void meter_flush(struct meter *meter);

void meter_get_stats(struct meter *meter, struct meter_stats *out);

/* Sum of the packets that were refused in decode and reassembly, late ones not included. */
uint64_t meter_stats_rejected(const struct meter_stats *stats);

#endif
