/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/perf/session.h"

#define ACTIVE_TIMEOUT_MS UINT64_C(1800000)
#define MS_NS             INT64_C(1000000)
#define BYTES_MAX         UINT64_C(4000000000)

static bool is_web_port(uint16_t port)
{
	return port == 80 || port == 443 || port == 8080;
}

/* The decisions of the packer for a border router (silk-packing.md 3). */
static uint8_t flowtype_of(const struct record *rec, const struct host *from, const struct host *to,
			   bool is_dropped)
{
	bool is_inward = !from->is_inside;

	if (from->is_inside == to->is_inside) {
		return from->is_inside ? FLOWTYPE_INT2INT : FLOWTYPE_EXT2EXT;
	}
	if (is_dropped) {
		return is_inward ? FLOWTYPE_INNULL : FLOWTYPE_OUTNULL;
	}
	if (rec->protocol == 1 || rec->protocol == 58) {
		return is_inward ? FLOWTYPE_INICMP : FLOWTYPE_OUTICMP;
	}
	if (rec->protocol == 6 && (is_web_port(rec->sport) || is_web_port(rec->dport))) {
		return is_inward ? FLOWTYPE_INWEB : FLOWTYPE_OUTWEB;
	}
	return is_inward ? FLOWTYPE_IN : FLOWTYPE_OUT;
}

static void set_route(struct record *rec, const struct session_sink *sink,
		      const struct session *session, bool is_back)
{
	const struct host *from = is_back ? &session->server : &session->client;
	const struct host *to = is_back ? &session->client : &session->server;

	rec->sensor = hosts_sensor(sink->seed, from, to);
	rec->sip = from->ip;
	rec->dip = to->ip;
	rec->flowtype =
		sink->one_flowtype ? FLOWTYPE_IN : flowtype_of(rec, from, to, session->is_dropped);
	rec->nhip = (struct ip){ 0, from->is_v6 ? 0 : IP_V4_PREFIX };
	if (sink->with_routes) {
		rec->input = from->interface;
	}
	if (sink->with_routes && !session->is_dropped) {
		rec->output = to->interface;
		rec->nhip = hosts_next_hop(rec->sensor, to);
	}
}

static void set_ports(struct record *rec, const struct session *session, bool is_back)
{
	bool is_icmp = session->protocol == 1 || session->protocol == 58;

	if (is_icmp) {
		rec->dport = is_back ? session->reply_code : session->dport;
	} else {
		rec->sport = is_back ? session->dport : session->sport;
		rec->dport = is_back ? session->sport : session->dport;
	}
}

static void set_volume(struct record *rec, const struct session *session, const struct half *half)
{
	rec->packets = half->packets;
	rec->bytes = half->bytes < BYTES_MAX ? half->bytes : BYTES_MAX;
	if (session->protocol == 6) {
		rec->initial_flags = half->initial_flags;
		rec->session_flags = half->packets > 1 ? half->session_flags : 0;
		rec->flags = rec->initial_flags | rec->session_flags;
		rec->state |= RECORD_EXPANDED;
	}
	if (session->is_uniform && half->packets > 1) {
		rec->state |= RECORD_UNIFORM;
	}
	if (half->packets == 1) {
		rec->duration_ns = 0;
	}
}

static void emit_half(const struct session_sink *sink, const struct session *session,
		      const struct half *half, uint8_t state)
{
	bool is_back = half == &session->back;
	uint64_t delay_ms = is_back ? session->round_trip_ms : 0;
	struct record rec;

	if (half->packets == 0) {
		return;
	}
	record_init(&rec);
	rec.start_ns = (session->start_ms + (int64_t)delay_ms) * MS_NS;
	if (session->duration_ms > delay_ms) {
		rec.duration_ns = (session->duration_ms - delay_ms) * MS_NS;
	}
	rec.protocol = session->protocol;
	rec.application = session->application;
	rec.state = state | (session->client.is_v6 ? RECORD_IPV6 : 0);
	if (session->is_fin_followed && !is_back) {
		rec.state |= RECORD_FIN_FOLLOWED;
	}
	set_ports(&rec, session, is_back);
	set_volume(&rec, session, half);
	set_route(&rec, sink, session, is_back);
	timeline_add(sink->timeline, &rec);
}

/* The share of one of pieces that is as good as equal. */
static void share_out(struct half *half, const struct half *whole, struct rng *rng, uint64_t pieces)
{
	double share = (0.5 + rng_unit(rng)) / (double)pieces;
	uint64_t size;

	if (whole->packets == 0) {
		return;
	}
	size = whole->bytes / whole->packets;
	half->packets = 1 + (uint64_t)((double)whole->packets * share);
	half->bytes = half->packets * size + rng_below(rng, half->packets);
}

/* A TCP direction in the middle of its life: what opens and closes it is in other pieces. */
static void trim_flags(struct half *half, bool is_first, bool is_last)
{
	if (!is_first) {
		half->initial_flags = TCP_ACK | (half->session_flags & TCP_PSH);
	}
	if (!is_last) {
		half->session_flags &= (uint8_t) ~(TCP_FIN | TCP_RST);
	}
}

void session_emit(const struct session_sink *sink, const struct session *session)
{
	uint64_t pieces = 1 + session->duration_ms / ACTIVE_TIMEOUT_MS;
	struct session piece = *session;

	if (pieces == 1) {
		emit_half(sink, session, &session->there, 0);
		emit_half(sink, session, &session->back, 0);
		return;
	}
	for (uint64_t i = 0; i < pieces; i++) {
		uint8_t state =
			(i > 0 ? RECORD_CONTINUED : 0) | (i + 1 < pieces ? RECORD_TIMEOUT : 0);
		uint64_t silence_ms = (uint64_t)rng_exponential(sink->rng, 800.0) % 30000;

		piece.there = session->there;
		piece.back = session->back;
		share_out(&piece.there, &session->there, sink->rng, pieces);
		share_out(&piece.back, &session->back, sink->rng, pieces);
		trim_flags(&piece.there, i == 0, i + 1 == pieces);
		trim_flags(&piece.back, i == 0, i + 1 == pieces);
		piece.duration_ms = i + 1 < pieces ? ACTIVE_TIMEOUT_MS - silence_ms
						   : session->duration_ms % ACTIVE_TIMEOUT_MS;
		piece.is_fin_followed = session->is_fin_followed && i + 1 == pieces;
		emit_half(sink, &piece, &piece.there, state);
		emit_half(sink, &piece, &piece.back, state);
		/* The packet that comes after the timeout opens the next piece. */
		piece.start_ms += (int64_t)ACTIVE_TIMEOUT_MS + (int64_t)(silence_ms % 977);
	}
}
