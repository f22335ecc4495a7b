/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The hosts of a made-up network and of the world around it. A host is worked out from its rank
 * each time, so a world of millions takes no memory. Inside is 198.18.0.0/16 and 2001:db8::/32.
 */
#ifndef TUSSAH_TESTS_PERF_HOSTS_H
#define TUSSAH_TESTS_PERF_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ip.h"
#include "tests/perf/rng.h"

/* Who is out there; each is a population of its own size and popularity. */
enum population {
	POPULATION_WEB,      /* servers that inside clients visit */
	POPULATION_DNS,      /* authoritative name servers */
	POPULATION_RESOLVER, /* public resolvers */
	POPULATION_NTP,
	POPULATION_MAIL,
	POPULATION_CLIENT, /* visitors of our servers */
	POPULATION_PEER,   /* peer-to-peer: many, each met a few times */
	POPULATION_SCANNER,
	POPULATION_CONTROL, /* what bots beacon to */
	POPULATION_TUNNEL,  /* far ends of long flows */
	POPULATION_COUNT,
};

enum { SENSOR_COUNT = 3 };

struct host {
	struct ip ip;
	uint64_t traits; /* the same each time the host is met */
	bool is_inside;
	bool is_server;
	bool is_v6;
	uint16_t block;     /* network it is in, for routes */
	uint32_t interface; /* SNMP index at the border router */
};

/* An inside host: rank by activity. */
enum { HOSTS_CLIENTS = 6000, HOSTS_SERVERS = 240, HOSTS_RESOLVERS = 4 };
struct host hosts_client(uint64_t seed, uint64_t rank, bool is_v6);
struct host hosts_server(uint64_t seed, uint64_t rank, bool is_v6);
struct host hosts_resolver(uint64_t seed, uint64_t rank, bool is_v6);
/* Any address of the inside network, used or not. */
struct host hosts_anywhere_inside(uint64_t seed, uint16_t low_bits);

/* An outside host, by rank or drawn by popularity. */
struct host hosts_outside(uint64_t seed, enum population population, uint64_t rank, bool is_v6);
struct host hosts_draw(uint64_t seed, enum population population, double unit, bool is_v6);

/* The host that is planted a few times in the data, and nowhere else. */
struct host hosts_rare(void);

/* Which sensor sees the traffic between two hosts, and the router it sends a packet for to on to.
 */
uint16_t hosts_sensor(uint64_t seed, const struct host *a, const struct host *b);
struct ip hosts_next_hop(uint16_t sensor, const struct host *to);

#endif
