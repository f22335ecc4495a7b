/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/perf/behaviour.h"

enum { PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_ICMPV6 = 58 };
enum { HEADERS_UDP = 28, HEADERS_V6_MORE = 20, SEGMENT = 1400, UDP_SEGMENT = 1200 };

/* Of the sessions of behaviours that know IPv6; scans and the like do not. */
#define V6_SHARE 0.034

static bool draw_v6(struct scene *scene)
{
	return rng_chance(&scene->rng, V6_SHARE);
}

static int64_t draw_start_ms(struct scene *scene)
{
	return scene->hour_ms + (int64_t)rng_below(&scene->rng, (uint64_t)HOUR_MS);
}

static struct host draw_client(struct scene *scene, bool is_v6, uint64_t *rank)
{
	*rank = rng_zipf(rng_unit(&scene->rng), HOSTS_CLIENTS, 0.75);
	return hosts_client(scene->seed, *rank, is_v6);
}

static struct host draw_server(struct scene *scene, bool is_v6)
{
	return hosts_server(scene->seed, rng_zipf(rng_unit(&scene->rng), HOSTS_SERVERS, 0.9),
			    is_v6);
}

static struct host draw_outside(struct scene *scene, enum population population, bool is_v6)
{
	return hosts_draw(scene->seed, population, rng_unit(&scene->rng), is_v6);
}

/* Half of the clients count up in the dynamic range, the others draw as Linux does. */
static uint16_t client_port(struct scene *scene, const struct host *client, uint64_t rank)
{
	if (client->traits & 1) {
		return 49152 + (scene->next_port[rank]++ + (client->traits >> 16)) % 16384;
	}
	return (uint16_t)rng_between(&scene->rng, 32768, 60999);
}

static uint16_t any_port(struct scene *scene)
{
	return (uint16_t)rng_between(&scene->rng, 1024, 65535);
}

/* Near networks answer at once, far ones later; each has its own distance. */
static uint32_t round_trip_ms(struct scene *scene, const struct host *host)
{
	uint64_t base = host->is_inside ? 0 : 4 + (host->block * UINT64_C(37)) % 140;

	return (uint32_t)(base + rng_below(&scene->rng, 3 + base / 6));
}

static struct session begin(struct scene *scene, const struct host *client,
			    const struct host *server, uint8_t protocol)
{
	return (struct session){
		.client = *client,
		.server = *server,
		.protocol = protocol,
		.start_ms = draw_start_ms(scene),
		.round_trip_ms = round_trip_ms(scene, client->is_inside ? server : client),
	};
}

static uint64_t tcp_header_bytes(const struct session *session)
{
	uint64_t base = session->client.is_v6 ? 60 : 40;

	return base + (session->client.traits & 2 ? 12 : 0); /* with timestamps or without */
}

/* Both directions of a TCP connection that carried this much. */
static void carry_tcp(struct scene *scene, struct session *session, double request, double response)
{
	uint64_t header = tcp_header_bytes(session);
	uint64_t sent = (uint64_t)request;
	uint64_t received = (uint64_t)response;
	uint64_t data_there = 1 + sent / SEGMENT + rng_below(&scene->rng, 3);
	uint64_t data_back = 1 + received / SEGMENT + rng_below(&scene->rng, 3);

	session->there.packets = 3 + data_there + data_back / 2 + rng_below(&scene->rng, 2);
	session->back.packets = 2 + data_back + data_there / 2 + rng_below(&scene->rng, 2);
	session->there.bytes = sent + header * session->there.packets + 12;
	session->back.bytes = received + header * session->back.packets + 12;
	session->there.initial_flags = TCP_SYN;
	session->back.initial_flags = TCP_SYN | TCP_ACK;
}

/* How a connection ends: mostly in order, or reset, or not at all while we look. */
static void close_tcp(struct scene *scene, struct session *session)
{
	double draw = rng_unit(&scene->rng);
	uint8_t ecn = session->server.traits % 23 == 0 ? TCP_ECE : 0;

	session->there.session_flags = TCP_PSH | TCP_ACK;
	session->back.session_flags = TCP_PSH | TCP_ACK | ecn;
	if (draw < 0.72) {
		session->there.session_flags |= TCP_FIN;
		session->back.session_flags |= TCP_FIN;
		session->is_fin_followed = draw < 0.03;
	} else if (draw < 0.84) {
		session->there.session_flags |= TCP_RST;
		session->back.session_flags |= TCP_FIN;
	} else if (draw < 0.92) {
		session->there.session_flags |= TCP_FIN;
		session->back.session_flags |= TCP_RST;
	}
}

/* A port that nobody listens at, or a host that is not there. */
static void refuse_tcp(struct scene *scene, struct session *session, double answered)
{
	uint64_t size = session->client.is_v6 ? 80 : session->client.traits & 2 ? 60 : 52;

	session->there.packets = 1;
	session->there.initial_flags = TCP_SYN;
	session->duration_ms = 0;
	session->application = 0;
	if (rng_chance(&scene->rng, answered)) {
		session->back = (struct half){ 1, size - 12, TCP_RST | TCP_ACK, 0 };
		session->duration_ms = session->round_trip_ms;
	} else if (rng_chance(&scene->rng, 0.7)) {
		static const uint64_t retry_ms[] = { 0, 1000, 3000, 7000, 15000 };
		uint64_t retries = rng_between(&scene->rng, 1, 4);

		session->there.packets += retries;
		session->there.session_flags = TCP_SYN;
		session->duration_ms = retry_ms[retries] + rng_below(&scene->rng, 20 * retries);
		session->is_uniform = true;
	}
	session->there.bytes = size * session->there.packets;
}

/* The length of a connection: what must be moved, then idling until somebody closes. */
static uint64_t draw_duration_ms(struct scene *scene, const struct session *session, double median,
				 double sigma)
{
	double moving = (double)session->round_trip_ms * 3.0 +
			(double)session->back.bytes / rng_lognormal(&scene->rng, 900.0, 0.9);
	double idle = rng_lognormal(&scene->rng, median, sigma);

	/* Servers close idle connections when their timers say so. */
	if (rng_chance(&scene->rng, 0.3)) {
		static const double timers[] = { 5000, 10000, 15000, 30000, 60000, 75000, 120000 };

		idle = timers[session->server.traits % 7] + rng_unit(&scene->rng) * 60.0;
	}
	return (uint64_t)(moving + idle < 5400000.0 ? moving + idle : 5400000.0);
}

static void web_connection(struct scene *scene, struct session *session)
{
	bool is_plain = session->server.traits % 100 < 11;
	double request = rng_lognormal(&scene->rng, is_plain ? 480.0 : 1500.0, 0.8);
	double response = rng_lognormal(&scene->rng, is_plain ? 2600.0 : 6800.0, 1.75);

	session->dport = is_plain ? (session->server.traits % 1000 < 8 ? 8080 : 80) : 443;
	session->application = is_plain ? 80 : 443;
	if (rng_chance(&scene->rng, 0.015)) {
		request *= 300.0; /* something is sent up */
	}
	if (rng_chance(&scene->rng, 0.035)) {
		refuse_tcp(scene, session, 0.4);
	} else {
		carry_tcp(scene, session, request, response);
		session->duration_ms = draw_duration_ms(scene, session, 900.0, 1.7);
		close_tcp(scene, session);
	}
	session_emit(&scene->sink, session);
}

static void quic_connection(struct scene *scene, struct session *session)
{
	double request = rng_lognormal(&scene->rng, 3600.0, 0.7);
	double response = rng_lognormal(&scene->rng, 9500.0, 1.7);
	uint64_t headers = HEADERS_UDP + (session->client.is_v6 ? HEADERS_V6_MORE : 0);

	session->protocol = PROTOCOL_UDP;
	session->dport = 443;
	session->there.packets = 4 + (uint64_t)(request / UDP_SEGMENT + response / 9000.0);
	session->back.packets = 4 + (uint64_t)(response / UDP_SEGMENT);
	session->there.bytes = (uint64_t)request + headers * session->there.packets;
	session->back.bytes = (uint64_t)response + headers * session->back.packets;
	session->duration_ms = draw_duration_ms(scene, session, 2500.0, 1.5);
	session_emit(&scene->sink, session);
}

/* A client opens a page: a handful of connections to some servers within seconds. */
static void play_web(struct scene *scene)
{
	bool is_v6 = draw_v6(scene);
	uint64_t rank;
	struct host client = draw_client(scene, is_v6, &rank);
	uint64_t connections = rng_geometric(&scene->rng, 4.5);
	int64_t start_ms = draw_start_ms(scene);

	for (uint64_t i = 0; i < connections && i < 30; i++) {
		/* Everybody has habits: sites met again and again. */
		double habit =
			rng_mix_unit(client.traits, rng_zipf(rng_unit(&scene->rng), 60, 0.8));
		double unit = rng_chance(&scene->rng, 0.55) ? habit : rng_unit(&scene->rng);
		struct host server = hosts_draw(scene->seed, POPULATION_WEB, unit, is_v6);
		struct session session = begin(scene, &client, &server, PROTOCOL_TCP);

		session.start_ms = start_ms;
		session.sport = client_port(scene, &client, rank);
		if (server.traits % 100 >= 11 && rng_chance(&scene->rng, 0.17)) {
			quic_connection(scene, &session);
		} else {
			web_connection(scene, &session);
		}
		start_ms += (int64_t)rng_exponential(&scene->rng, i < 3 ? 180.0 : 900.0);
	}
}

/* A visitor of one of our servers. */
static void play_visit(struct scene *scene)
{
	bool is_v6 = draw_v6(scene);
	struct host visitor = draw_outside(scene, POPULATION_CLIENT, is_v6);
	struct host server = draw_server(scene, is_v6);
	uint64_t connections = rng_geometric(&scene->rng, 2.6);
	int64_t start_ms = draw_start_ms(scene);

	for (uint64_t i = 0; i < connections && i < 12; i++) {
		struct session session = begin(scene, &visitor, &server, PROTOCOL_TCP);

		session.start_ms = start_ms;
		session.sport = any_port(scene);
		web_connection(scene, &session);
		start_ms += (int64_t)rng_exponential(&scene->rng, 600.0);
	}
}

static void play_names(struct scene *scene)
{
	bool is_v6 = draw_v6(scene);
	bool is_direct = rng_chance(&scene->rng, 0.25);
	uint64_t rank = rng_below(&scene->rng, HOSTS_RESOLVERS);
	struct host client = is_direct ? draw_client(scene, is_v6, &rank)
				       : hosts_resolver(scene->seed, rank, is_v6);
	struct host server =
		draw_outside(scene, is_direct ? POPULATION_RESOLVER : POPULATION_DNS, is_v6);
	struct session session = begin(scene, &client, &server, PROTOCOL_UDP);
	uint64_t headers = HEADERS_UDP + 12 + (is_v6 ? HEADERS_V6_MORE : 0);

	session.sport = any_port(scene);
	session.dport = 53;
	session.application = 53;
	session.there = (struct half){ .packets = 1 };
	session.there.bytes = headers + 16 + rng_geometric(&scene->rng, 19.0) % 200;
	if (rng_chance(&scene->rng, 0.97)) {
		session.back = (struct half){ .packets = 1 };
		session.back.bytes = session.there.bytes + 16 +
				     (uint64_t)rng_lognormal(&scene->rng, 75.0, 0.9) % 1200;
		session.duration_ms = session.round_trip_ms;
	} else {
		session.there.packets = rng_between(&scene->rng, 1, 3);
		session.there.bytes *= session.there.packets;
		session.duration_ms = session.there.packets * 1500;
		session.is_uniform = true;
	}
	session_emit(&scene->sink, &session);
}

static void play_time(struct scene *scene)
{
	bool is_v6 = draw_v6(scene);
	uint64_t rank;
	struct host client = draw_client(scene, is_v6, &rank);
	struct host server = draw_outside(scene, POPULATION_NTP, is_v6);
	struct session session = begin(scene, &client, &server, PROTOCOL_UDP);
	uint64_t size = 76 + (is_v6 ? HEADERS_V6_MORE : 0);
	uint64_t packets = client.traits % 5 == 0 ? 4 : 1;

	session.sport = client.traits & 4 ? 123 : client_port(scene, &client, rank);
	session.dport = 123;
	session.application = 123;
	session.there = (struct half){ .packets = packets, .bytes = size * packets };
	session.back = session.there;
	session.duration_ms = session.round_trip_ms + (packets - 1) * 2000;
	session.is_uniform = true;
	session_emit(&scene->sink, &session);
}

static void play_mail(struct scene *scene)
{
	bool is_v6 = draw_v6(scene);
	double draw = rng_unit(&scene->rng);
	struct host ours = hosts_server(scene->seed, 20 + rng_below(&scene->rng, 4), is_v6);
	struct host theirs = draw_outside(scene, POPULATION_MAIL, is_v6);
	struct host reader = draw_outside(scene, POPULATION_CLIENT, is_v6);
	struct session session = draw < 0.40   ? begin(scene, &theirs, &ours, PROTOCOL_TCP)
				 : draw < 0.65 ? begin(scene, &ours, &theirs, PROTOCOL_TCP)
					       : begin(scene, &reader, &ours, PROTOCOL_TCP);

	session.sport = any_port(scene);
	session.dport = draw < 0.65 ? 25 : draw < 0.75 ? 587 : 993;
	session.application = draw < 0.75 ? 25 : 993;
	if (rng_chance(&scene->rng, 0.06)) {
		refuse_tcp(scene, &session, 0.3);
	} else if (draw < 0.75) {
		carry_tcp(scene, &session, rng_lognormal(&scene->rng, 9000.0, 1.6),
			  rng_lognormal(&scene->rng, 900.0, 0.5));
		session.duration_ms = draw_duration_ms(scene, &session, 1800.0, 1.2);
		close_tcp(scene, &session);
	} else {
		carry_tcp(scene, &session, rng_lognormal(&scene->rng, 1800.0, 0.7),
			  rng_lognormal(&scene->rng, 12000.0, 1.6));
		session.duration_ms = draw_duration_ms(scene, &session, 20000.0, 1.6);
		close_tcp(scene, &session);
	}
	session_emit(&scene->sink, &session);
}

static uint64_t series_length(struct scene *scene, uint64_t wanted)
{
	uint64_t most = scene->room / 12 + 1;

	return wanted < most ? wanted : most;
}

/* One source asks many of our addresses, or one address at many ports. */
static void scan(struct scene *scene, bool is_vertical)
{
	static const uint16_t ports[] = { 23,   22,   445,  3389, 80,    443,  8080, 5555,
					  1433, 3306, 6379, 2323, 37215, 5060, 81,   8443 };
	struct host scanner = draw_outside(scene, POPULATION_SCANNER, false);
	uint64_t probes = series_length(scene, rng_geometric(&scene->rng, is_vertical ? 90 : 140));
	uint16_t first = (uint16_t)rng_next(&scene->rng);
	uint16_t dport = ports[rng_zipf(rng_unit(&scene->rng), 16, 0.9)];
	bool is_fast = scanner.traits % 3 == 0; /* raw packets from one port */
	bool is_dropped = scanner.traits % 10 < 4;
	uint16_t sport = any_port(scene);
	int64_t start_ms = draw_start_ms(scene);
	double gap_ms = rng_lognormal(&scene->rng, 900.0, 1.5);

	for (uint64_t i = 0; i < probes; i++) {
		struct host target = hosts_anywhere_inside(
			scene->seed, is_vertical ? first
				     : is_fast   ? (uint16_t)rng_next(&scene->rng)
						 : (uint16_t)(first + i));
		struct session session = begin(scene, &scanner, &target, PROTOCOL_TCP);

		session.start_ms = start_ms;
		session.sport = is_fast ? sport : any_port(scene);
		session.dport = is_vertical ? (uint16_t)rng_between(&scene->rng, 1, 10000) : dport;
		session.is_dropped = is_dropped;
		if (is_fast) {
			session.there = (struct half){ 1, 40, TCP_SYN, 0 };
			if (!is_dropped && rng_chance(&scene->rng, 0.06)) {
				session.back = (struct half){ 1, 40, TCP_RST | TCP_ACK, 0 };
				session.duration_ms = session.round_trip_ms;
			}
		} else {
			refuse_tcp(scene, &session, is_dropped ? 0.0 : 0.08);
		}
		session_emit(&scene->sink, &session);
		start_ms += (int64_t)rng_exponential(&scene->rng, gap_ms);
	}
}

static void play_scan(struct scene *scene)
{
	scan(scene, false);
}

static void play_port_scan(struct scene *scene)
{
	scan(scene, true);
}

/* Somebody tries passwords at one of our servers. */
static void play_guess(struct scene *scene)
{
	struct host guesser = draw_outside(scene, POPULATION_SCANNER, false);
	struct host server = draw_server(scene, false);
	uint64_t tries = series_length(scene, rng_geometric(&scene->rng, 10));
	int64_t start_ms = draw_start_ms(scene);

	for (uint64_t i = 0; i < tries; i++) {
		struct session session = begin(scene, &guesser, &server, PROTOCOL_TCP);

		session.start_ms = start_ms;
		session.sport = any_port(scene);
		session.dport = 22;
		session.application = 22;
		carry_tcp(scene, &session, 1900.0 + (double)rng_below(&scene->rng, 64),
			  2400.0 + (double)rng_below(&scene->rng, 80));
		session.duration_ms = (uint64_t)rng_lognormal(&scene->rng, 2600.0, 0.4);
		close_tcp(scene, &session);
		session_emit(&scene->sink, &session);
		start_ms += (int64_t)session.duration_ms + (int64_t)rng_below(&scene->rng, 900);
	}
}

static void play_ping(struct scene *scene)
{
	bool is_v6 = draw_v6(scene);
	double draw = rng_unit(&scene->rng);
	uint64_t rank;
	struct host inside = draw_client(scene, is_v6, &rank);
	struct host outside = draw_outside(scene, POPULATION_WEB, is_v6);
	struct host router = draw_outside(scene, POPULATION_TUNNEL, is_v6);
	uint8_t protocol = is_v6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP;
	uint64_t packets = draw < 0.3 ? 1 : rng_between(&scene->rng, 1, 5);
	struct session session;

	if (draw < 0.55) {
		session = begin(scene, &inside, &outside, protocol);
		session.dport = (is_v6 ? 128 : 8) << 8;
		session.reply_code = (is_v6 ? 129 : 0) << 8;
		session.there.packets = packets;
		session.there.bytes = packets * (inside.traits & 2 ? 84 : 60);
		session.back = session.there;
		session.duration_ms = session.round_trip_ms + (packets - 1) * 1000;
		session.is_uniform = true;
	} else {
		session = begin(scene, &router, &inside, protocol);
		session.dport = draw < 0.8 ? (is_v6 ? 1 << 8 | 4 : 3 << 8 | 3) /* unreachable */
					   : (is_v6 ? 3 << 8 : 11 << 8);       /* expired */
		session.there.packets = packets;
		session.there.bytes = packets * 56 + rng_below(&scene->rng, 40);
		session.duration_ms = (packets - 1) * rng_below(&scene->rng, 2500);
	}
	session_emit(&scene->sink, &session);
}

/* A bot calls home every so often until the hour is over. */
static void play_beacon(struct scene *scene)
{
	static const uint64_t periods_ms[] = { 60000, 60000, 120000, 300000, 300000, 600000 };
	uint64_t rank = rng_below(&scene->rng, 40) * 131;
	struct host bot = hosts_client(scene->seed, rank, false);
	struct host control =
		hosts_outside(scene->seed, POPULATION_CONTROL, bot.traits % 25, false);
	uint64_t period_ms = periods_ms[bot.traits % 6];
	uint64_t beats = series_length(scene, (uint64_t)HOUR_MS / period_ms);
	int64_t start_ms = scene->hour_ms + (int64_t)rng_below(&scene->rng, period_ms);

	for (uint64_t i = 0; i < beats; i++) {
		struct session session = begin(scene, &bot, &control, PROTOCOL_TCP);

		session.start_ms = start_ms + (int64_t)rng_below(&scene->rng, period_ms / 50);
		session.sport = client_port(scene, &bot, rank);
		session.dport = bot.traits % 3 == 0 ? 8443 : 443;
		session.application = 443;
		carry_tcp(scene, &session, 620.0 + (double)(bot.traits % 90),
			  3100.0 + (double)rng_below(&scene->rng, 40));
		session.duration_ms = session.round_trip_ms * 4 + rng_below(&scene->rng, 120);
		close_tcp(scene, &session);
		session_emit(&scene->sink, &session);
		start_ms += (int64_t)period_ms;
	}
}

/* Tunnels, shells, streams and backups: hours rather than seconds. */
static void play_long(struct scene *scene)
{
	static const struct {
		uint8_t protocol;
		uint16_t port, application;
		double bytes_per_s;
	} shapes[] = {
		{ PROTOCOL_UDP, 4500, 0, 9000.0 },   { PROTOCOL_UDP, 1194, 0, 6000.0 },
		{ PROTOCOL_TCP, 22, 22, 900.0 },     { PROTOCOL_TCP, 443, 443, 2500.0 },
		{ PROTOCOL_TCP, 993, 993, 300.0 },   { PROTOCOL_TCP, 5223, 0, 60.0 },
		{ PROTOCOL_UDP, 51820, 0, 12000.0 }, { PROTOCOL_TCP, 873, 873, 90000.0 },
	};
	uint64_t rank;
	unsigned shape = (unsigned)rng_below(&scene->rng, 8);
	bool is_v6 = draw_v6(scene);
	struct host client = draw_client(scene, is_v6, &rank);
	struct host server = draw_outside(scene, POPULATION_TUNNEL, is_v6);
	struct session session = begin(scene, &client, &server, shapes[shape].protocol);
	double seconds = rng_lognormal(&scene->rng, 5400.0, 0.9);
	double rate = shapes[shape].bytes_per_s * rng_lognormal(&scene->rng, 1.0, 1.2);

	seconds = seconds < 43200.0 ? seconds : 43200.0;
	session.sport = client_port(scene, &client, rank);
	session.dport = shapes[shape].port;
	session.application = shapes[shape].application;
	carry_tcp(scene, &session, seconds * rate * 0.2, seconds * rate);
	session.duration_ms = (uint64_t)(seconds * 1000.0) + rng_below(&scene->rng, 1000);
	if (session.protocol == PROTOCOL_TCP) {
		close_tcp(scene, &session);
	}
	session_emit(&scene->sink, &session);
}

/* File sharing: short talks with hosts that are rarely met again. */
static void play_peers(struct scene *scene)
{
	uint64_t rank = rng_below(&scene->rng, 150) * 17;
	struct host client = hosts_client(scene->seed, rank, false);
	uint64_t talks = series_length(scene, rng_geometric(&scene->rng, 9));
	uint16_t sport = (uint16_t)(6881 + client.traits % 50000);
	int64_t start_ms = draw_start_ms(scene);

	for (uint64_t i = 0; i < talks; i++) {
		struct host peer = draw_outside(scene, POPULATION_PEER, false);
		struct session session = begin(scene, &client, &peer, PROTOCOL_UDP);
		uint64_t packets = rng_geometric(&scene->rng, 3);

		session.start_ms = start_ms;
		session.sport = sport;
		session.dport = (uint16_t)(1024 + peer.traits % 64000);
		session.there.packets = packets;
		session.there.bytes = packets * (HEADERS_UDP + 75) + rng_below(&scene->rng, 60);
		if (rng_chance(&scene->rng, 0.55)) {
			session.back.packets = packets;
			session.back.bytes =
				packets * (HEADERS_UDP + 20) +
				(uint64_t)rng_lognormal(&scene->rng, 280.0, 1.3) % (packets * 1400);
		}
		session.duration_ms =
			session.round_trip_ms + (packets - 1) * 1700 + rng_below(&scene->rng, 400);
		session_emit(&scene->sink, &session);
		start_ms += (int64_t)rng_exponential(&scene->rng, 700.0);
	}
}

/* Between our own networks: directory, shares, logs. */
static void play_internal(struct scene *scene)
{
	static const uint16_t ports[] = { 389, 88, 445, 53, 514, 636, 3128, 9100 };
	bool is_v6 = draw_v6(scene);
	uint64_t rank;
	struct host client = draw_client(scene, is_v6, &rank);
	struct host server = draw_server(scene, is_v6);
	uint16_t port = ports[rng_zipf(rng_unit(&scene->rng), 8, 0.6)];
	bool is_udp = port == 53 || port == 514;
	struct session session =
		begin(scene, &client, &server, is_udp ? PROTOCOL_UDP : PROTOCOL_TCP);

	session.sport = client_port(scene, &client, rank);
	session.dport = port;
	session.application = port == 53 || port == 389 || port == 445 ? port : 0;
	if (is_udp) {
		session.there = (struct half){ .packets = 1 };
		session.there.bytes = 90 + rng_geometric(&scene->rng, 60);
		if (port == 53) {
			session.back = session.there;
			session.back.bytes += rng_geometric(&scene->rng, 90);
		}
		session.duration_ms = session.round_trip_ms;
	} else {
		carry_tcp(scene, &session, rng_lognormal(&scene->rng, 1900.0, 1.1),
			  rng_lognormal(&scene->rng, 5200.0, 1.5));
		session.duration_ms = draw_duration_ms(scene, &session, 3000.0, 1.9);
		close_tcp(scene, &session);
	}
	session_emit(&scene->sink, &session);
}

/* Two outside hosts whose packets pass us. */
static void play_transit(struct scene *scene)
{
	struct host client = draw_outside(scene, POPULATION_CLIENT, false);
	struct host server = draw_outside(scene, POPULATION_WEB, false);
	struct session session = begin(scene, &client, &server, PROTOCOL_TCP);

	session.sport = any_port(scene);
	web_connection(scene, &session);
}

/* Protocols without ports: GRE, ESP, IPv6 in IPv4. */
static void play_tunnel(struct scene *scene)
{
	static const uint8_t protocols[] = { 47, 50, 41 };
	struct host client = hosts_server(scene->seed, 60 + rng_below(&scene->rng, 3), false);
	struct host server = draw_outside(scene, POPULATION_TUNNEL, false);
	struct session session =
		begin(scene, &client, &server, protocols[rng_below(&scene->rng, 3)]);

	session.there.packets = rng_geometric(&scene->rng, 400);
	session.there.bytes = session.there.packets * rng_between(&scene->rng, 90, 900);
	session.back.packets = rng_geometric(&scene->rng, 500);
	session.back.bytes = session.back.packets * rng_between(&scene->rng, 90, 1200);
	session.duration_ms = (uint64_t)rng_lognormal(&scene->rng, 60000.0, 1.2);
	session_emit(&scene->sink, &session);
}

/* share: of all records, in percent; records: what one play makes on average. */
static const struct {
	double share;
	double records;
	void (*play)(struct scene *scene);
} behaviour_table[] = {
	{ 42.0, 8.8, play_web },       { 11.0, 5.1, play_visit },  { 17.5, 2.0, play_names },
	{ 2.0, 2.0, play_time },       { 3.5, 1.9, play_mail },    { 7.5, 145.0, play_scan },
	{ 0.8, 95.0, play_port_scan }, { 2.0, 20.0, play_guess },  { 3.0, 1.5, play_ping },
	{ 0.9, 60.0, play_beacon },    { 1.6, 10.0, play_long },   { 5.0, 14.0, play_peers },
	{ 2.7, 1.9, play_internal },   { 0.3, 2.0, play_transit }, { 0.2, 2.0, play_tunnel },
};

void behaviour_play(struct scene *scene)
{
	const unsigned count = sizeof behaviour_table / sizeof behaviour_table[0];
	double sum = 0.0;
	double draw;
	unsigned i = 0;

	for (unsigned j = 0; j < count; j++) {
		sum += behaviour_table[j].share / behaviour_table[j].records;
	}
	draw = rng_unit(&scene->rng) * sum;
	while (i + 1 < count && draw >= behaviour_table[i].share / behaviour_table[i].records) {
		draw -= behaviour_table[i].share / behaviour_table[i].records;
		i++;
	}
	behaviour_table[i].play(scene);
}
