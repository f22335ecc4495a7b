/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/eventgen.h"

#include <glib.h>

#include "common/packet.h"
#include "common/timestamp.h"

#define INSIDE_END UINT32_C(0x80000000)

#define FLAG_FIN 0x01
#define FLAG_SYN 0x02
#define FLAG_RST 0x04
#define FLAG_PSH 0x08
#define FLAG_ACK 0x10

#define EPHEMERAL_FIRST   20000
#define EPHEMERAL_END     60000
#define ACTIVE_TIMEOUT_MS (1800 * 1000)
#define REPLY_MS          30 /* an answer begins within */
#define TELNET_MAX_MS     (4 * 3600 * 1000)
#define SCAN_HOSTS        256
#define PORTS             65536

struct eventgen {
	struct eventgen_opts opts;
	GRand *random;
};

/* An event under way. */
struct event {
	struct eventgen *gen;
	int64_t start_ns;
	eventgen_fn fn;
	void *arg;
};

struct event_kind {
	unsigned share;   /* of all records, in per cent */
	unsigned records; /* that one has, about */
	int (*make)(struct event *event, const struct event_kind *kind);
	uint16_t port;
	uint8_t protocol;
};

static uint32_t below(struct eventgen *gen, uint32_t end)
{
	return (uint32_t)g_rand_int_range(gen->random, 0, (gint32)end);
}

static uint32_t between(struct eventgen *gen, uint32_t first, uint32_t last)
{
	return first + below(gen, last - first + 1);
}

/* --- records --- */

static bool is_inside(struct ip ip)
{
	return ip_to_v4(ip) < INSIDE_END;
}

static bool is_web(const struct record *rec)
{
	return rec->protocol == PROTOCOL_TCP &&
	       (rec->application == 80 || rec->application == 443 || rec->application == 8080);
}

/* Flowtype and sensor, by the inner address. */
static void classify(const struct eventgen *gen, struct record *rec)
{
	bool out = is_inside(rec->sip);
	enum eventgen_way way = out ? EVENTGEN_OUT : EVENTGEN_IN;
	uint32_t sensor = gen->opts.sensors
				  ? pmap_lookup_ip(gen->opts.sensors, out ? rec->sip : rec->dip)
				  : PMAP_NO_VALUE;

	rec->flowtype = gen->opts.flowtypes[way + (is_web(rec) ? 1 : 0)];
	rec->sensor = sensor < RECORD_NO_SENSOR ? (uint16_t)sensor : gen->opts.sensor;
}

static int send(const struct event *event, struct record *rec)
{
	classify(event->gen, rec);
	return event->fn(event->arg, rec);
}

/* A client on either side of the border, and a server on the other. */
static struct record make_request(struct event *event, const struct event_kind *kind)
{
	struct eventgen *gen = event->gen;
	struct record rec;
	struct ip inner = ip_from_v4(between(gen, 1, INSIDE_END - 2));
	struct ip outer = ip_from_v4(INSIDE_END + between(gen, 1, INSIDE_END - 2));
	bool out = below(gen, 2);

	record_init(&rec);
	rec.start_ns = event->start_ns;
	rec.sip = out ? inner : outer;
	rec.dip = out ? outer : inner;
	rec.protocol = kind->protocol;
	rec.sport = (uint16_t)between(gen, EPHEMERAL_FIRST, EPHEMERAL_END);
	rec.dport = kind->port;
	rec.application = kind->port;
	return rec;
}

static struct record make_reply(struct event *event, const struct record *request)
{
	struct record rec = *request;

	rec.sip = request->dip;
	rec.dip = request->sip;
	rec.sport = request->dport;
	rec.dport = request->sport;
	rec.start_ns += (int64_t)between(event->gen, 1, REPLY_MS) * NS_PER_MS;
	return rec;
}

static void set_volume(struct event *event, struct record *rec, uint32_t packets, uint32_t most)
{
	rec->packets = packets;
	rec->bytes = (uint64_t)packets * between(event->gen, 40, most);
}

static void set_flags(struct record *rec, unsigned initial, unsigned session)
{
	rec->initial_flags = (uint8_t)initial;
	rec->session_flags = rec->packets > 1 ? (uint8_t)session : 0;
	rec->flags = rec->initial_flags | rec->session_flags;
	rec->state |= RECORD_EXPANDED;
}

/* --- kinds of events --- */

/* A request and its answer over TCP. */
static int make_exchange(struct event *event, const struct event_kind *kind)
{
	static const unsigned ends[] = { FLAG_FIN, FLAG_FIN, FLAG_FIN, FLAG_RST, 0 };
	unsigned end = ends[below(event->gen, G_N_ELEMENTS(ends))];
	struct record request = make_request(event, kind);
	struct record reply = make_reply(event, &request);
	int status;

	request.duration_ns = (uint64_t)below(event->gen, 70000) * NS_PER_MS;
	reply.duration_ns = request.duration_ns;
	set_volume(event, &request, between(event->gen, 3, 20), 400);
	set_volume(event, &reply, between(event->gen, 3, 40), 1500);
	set_flags(&request, FLAG_SYN, FLAG_PSH | FLAG_ACK | end);
	set_flags(&reply, FLAG_SYN | FLAG_ACK, FLAG_PSH | FLAG_ACK | end);
	status = send(event, &request);
	return status == 0 ? send(event, &reply) : status;
}

static int make_dns(struct event *event, const struct event_kind *kind)
{
	struct record request = make_request(event, kind);
	struct record reply = make_reply(event, &request);
	int status;

	set_volume(event, &request, 1, 100);
	set_volume(event, &reply, 1, 512);
	status = send(event, &request);
	return status == 0 ? send(event, &reply) : status;
}

static int make_icmp(struct event *event, const struct event_kind *kind)
{
	static const uint16_t messages[] = { 0x0800, 0x0000, 0x0301, 0x0303, 0x0b00 };
	struct record rec = make_request(event, kind);

	rec.sport = 0;
	rec.dport = messages[below(event->gen, G_N_ELEMENTS(messages))];
	set_volume(event, &rec, between(event->gen, 1, 4), 84);
	return send(event, &rec);
}

static int make_other(struct event *event, const struct event_kind *kind)
{
	static const uint8_t protocols[] = { 47, 50, 58 };
	struct record rec = make_request(event, kind);

	rec.protocol = protocols[below(event->gen, G_N_ELEMENTS(protocols))];
	rec.sport = 0;
	rec.dport = 0;
	rec.duration_ns = (uint64_t)below(event->gen, 60000) * NS_PER_MS;
	set_volume(event, &rec, between(event->gen, 1, 100), 1400);
	return send(event, &rec);
}

/* One part of a session that the active timeout cuts. */
static int send_part(struct event *event, struct record rec, uint64_t at_ms, uint64_t left_ms)
{
	bool first = at_ms == 0;
	bool last = left_ms <= ACTIVE_TIMEOUT_MS;
	uint64_t duration_ms = last ? left_ms : ACTIVE_TIMEOUT_MS;

	rec.start_ns += (int64_t)at_ms * NS_PER_MS;
	rec.duration_ns = duration_ms * NS_PER_MS;
	set_volume(event, &rec,
		   (uint32_t)between(event->gen, 2, 3 + (uint32_t)(duration_ms / 2000)), 60);
	set_flags(&rec, first ? FLAG_SYN : FLAG_PSH | FLAG_ACK,
		  FLAG_PSH | FLAG_ACK | (last ? FLAG_FIN : 0));
	rec.state |= first ? 0 : RECORD_CONTINUED;
	rec.state |= last ? 0 : RECORD_TIMEOUT;
	return send(event, &rec);
}

static int make_telnet(struct event *event, const struct event_kind *kind)
{
	struct record request = make_request(event, kind);
	struct record reply = make_reply(event, &request);
	uint64_t length_ms = between(event->gen, 1, TELNET_MAX_MS);
	int status = 0;

	for (uint64_t at_ms = 0; status == 0 && at_ms < length_ms; at_ms += ACTIVE_TIMEOUT_MS) {
		status = send_part(event, request, at_ms, length_ms - at_ms);
		if (status == 0) {
			status = send_part(event, reply, at_ms, length_ms - at_ms);
		}
	}
	return status;
}

/* One packet to each port of a host. */
static int make_port_scan(struct event *event, const struct event_kind *kind)
{
	struct record probe = make_request(event, kind);
	int status = 0;

	set_volume(event, &probe, 1, 40);
	set_flags(&probe, FLAG_SYN, 0);
	for (uint32_t port = 1; status == 0 && port < PORTS; port++) {
		struct record rec = probe;

		rec.dport = (uint16_t)port;
		rec.start_ns += (int64_t)port * NS_PER_MS;
		status = send(event, &rec);
	}
	return status;
}

/* One packet to a port of each host of a network. */
static int make_host_scan(struct event *event, const struct event_kind *kind)
{
	static const uint16_t ports[] = { 22, 23, 80, 135, 139, 443, 445, 3389 };
	struct record probe = make_request(event, kind);
	uint32_t network = ip_to_v4(probe.dip) & ~(uint32_t)(SCAN_HOSTS - 1);
	int status = 0;

	probe.dport = ports[below(event->gen, G_N_ELEMENTS(ports))];
	set_volume(event, &probe, 1, 40);
	set_flags(&probe, FLAG_SYN, 0);
	for (uint32_t host = 0; status == 0 && host < SCAN_HOSTS; host++) {
		struct record rec = probe;

		rec.dip = ip_from_v4(network | host);
		rec.start_ns += (int64_t)host * NS_PER_MS;
		status = send(event, &rec);
	}
	return status;
}

static const struct event_kind event_kinds[] = {
	{ 30, 2, make_exchange, 80, PROTOCOL_TCP },
	{ 30, 2, make_exchange, 443, PROTOCOL_TCP },
	{ 10, 2, make_dns, 53, PROTOCOL_UDP },
	{ 4, 2, make_exchange, 21, PROTOCOL_TCP },
	{ 4, 1, make_icmp, 0, PROTOCOL_ICMP },
	{ 4, 2, make_exchange, 143, PROTOCOL_TCP },
	{ 4, 2, make_exchange, 110, PROTOCOL_TCP },
	{ 4, 2, make_exchange, 25, PROTOCOL_TCP },
	{ 4, 10, make_telnet, 23, PROTOCOL_TCP },
	{ 4, 1, make_other, 0, 47 },
	{ 1, PORTS, make_port_scan, 0, PROTOCOL_TCP },
	{ 1, SCAN_HOSTS, make_host_scan, 0, PROTOCOL_TCP },
};

/* --- drawing --- */

struct eventgen *eventgen_new(const struct eventgen_opts *opts)
{
	struct eventgen *gen = g_new(struct eventgen, 1);

	gen->opts = *opts;
	gen->random = g_rand_new_with_seed(opts->seed);
	return gen;
}

void eventgen_free(struct eventgen *gen)
{
	if (gen) {
		g_rand_free(gen->random);
		g_free(gen);
	}
}

/* Kinds with many records are seldom, so that their records have their share. */
static double kind_weight(const struct event_kind *kind)
{
	return (double)kind->share / kind->records;
}

int eventgen_event(struct eventgen *gen, int64_t start_ns, eventgen_fn fn, void *arg)
{
	struct event event = { .gen = gen, .start_ns = start_ns, .fn = fn, .arg = arg };
	const struct event_kind *kind = event_kinds;
	double total = 0;
	double drawn;

	for (size_t i = 0; i < G_N_ELEMENTS(event_kinds); i++) {
		total += kind_weight(&event_kinds[i]);
	}
	drawn = g_rand_double(gen->random) * total;
	while (drawn >= kind_weight(kind) && kind < event_kinds + G_N_ELEMENTS(event_kinds) - 1) {
		drawn -= kind_weight(kind);
		kind++;
	}
	return kind->make(&event, kind);
}
