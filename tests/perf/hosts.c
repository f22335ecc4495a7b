/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/perf/hosts.h"

#define INSIDE_V4   UINT32_C(0xc6120000)         /* 198.18.0.0/16 */
#define INSIDE_V6   UINT64_C(0x20010db800000000) /* 2001:db8::/32 */
#define ROUTERS_V6  UINT64_C(0x20010db80000ff00) /* 2001:db8:0:ff00::/64 */
#define RARE_V4     UINT32_C(0xcb00714d)         /* 203.0.113.77 */
#define NETWORKS    6000                         /* of the outside world */
#define SERVER_NETS 8                            /* inside /24s: 1.. */
#define CLIENT_NETS 96                           /* inside /24s: 16.. */

enum { INTERFACE_UPSTREAM = 1, INTERFACE_INSIDE = 10 };

/* Salts of rng_mix(), so that traits of different things do not depend on each other. */
enum salt {
	SALT_SERVER = 1,
	SALT_CLIENT,
	SALT_OUTSIDE,
	SALT_NETWORK,
	SALT_PREFIX,
	SALT_SENSOR,
	SALT_DENSITY,
	SALT_V6,
};

static const struct {
	uint32_t size;
	double exponent;
	bool is_dense; /* servers fill few /24s of their network; homes are spread over it */
} population_table[POPULATION_COUNT] = {
	[POPULATION_WEB] = { 400000, 0.95, true },  [POPULATION_DNS] = { 60000, 0.8, true },
	[POPULATION_RESOLVER] = { 6, 1.0, true },   [POPULATION_NTP] = { 60, 0.7, true },
	[POPULATION_MAIL] = { 30000, 0.9, true },   [POPULATION_CLIENT] = { 500000, 0.75, false },
	[POPULATION_PEER] = { 700000, 0.6, false }, [POPULATION_SCANNER] = { 60000, 0.8, false },
	[POPULATION_CONTROL] = { 25, 0.5, true },   [POPULATION_TUNNEL] = { 3000, 0.6, false },
};

/* Is this first octet one that the Internet routes? */
static bool is_routed(uint32_t octet)
{
	return octet != 0 && octet != 10 && octet != 100 && octet != 127 && octet != 169 &&
	       octet != 172 && octet != 192 && octet != 198 && octet != 203 && octet < 224;
}

/* The first sixteen bits of an outside network. */
static uint32_t network_prefix(uint64_t seed, uint32_t network)
{
	uint64_t bits = rng_mix(seed ^ SALT_PREFIX, network);

	while (!is_routed(bits & 0xff)) {
		bits = rng_mix(bits, network);
	}
	return (uint32_t)(bits & 0xff) << 8 | (uint32_t)(bits >> 8 & 0xff);
}

static struct host inside_host(uint64_t traits, uint32_t subnet, uint32_t low, bool is_v6)
{
	struct host host = {
		.traits = traits,
		.is_inside = true,
		.is_v6 = is_v6,
		.block = (uint16_t)subnet,
		.interface = INTERFACE_INSIDE + subnet / 16,
	};

	if (is_v6) {
		host.ip.hi = INSIDE_V6 | subnet;
		host.ip.lo = rng_mix(traits, SALT_V6);
	} else {
		host.ip = ip_from_v4(INSIDE_V4 | subnet << 8 | low);
	}
	return host;
}

struct host hosts_client(uint64_t seed, uint64_t rank, bool is_v6)
{
	uint64_t traits = rng_mix(seed ^ SALT_CLIENT, rank);

	return inside_host(traits, 16 + (uint32_t)(rank * 37 % CLIENT_NETS),
			   20 + (uint32_t)(rank / CLIENT_NETS * 3 % 230), is_v6);
}

struct host hosts_server(uint64_t seed, uint64_t rank, bool is_v6)
{
	uint64_t traits = rng_mix(seed ^ SALT_SERVER, rank);
	struct host host = inside_host(traits, 1 + (uint32_t)(rank * 5 % SERVER_NETS),
				       10 + (uint32_t)(rank / SERVER_NETS), is_v6);

	host.is_server = true;
	if (is_v6) {
		host.ip.lo = 10 + rank; /* given by hand */
	}
	return host;
}

struct host hosts_resolver(uint64_t seed, uint64_t rank, bool is_v6)
{
	return hosts_server(seed, HOSTS_SERVERS + rank, is_v6);
}

struct host hosts_anywhere_inside(uint64_t seed, uint16_t low_bits)
{
	return inside_host(rng_mix(seed ^ SALT_CLIENT, low_bits), low_bits >> 8, low_bits & 0xff,
			   false);
}

struct host hosts_outside(uint64_t seed, enum population population, uint64_t rank, bool is_v6)
{
	uint64_t traits = rng_mix(seed ^ SALT_OUTSIDE, rank << 8 | population);
	uint32_t network = (uint32_t)rng_zipf(rng_mix_unit(traits, SALT_NETWORK), NETWORKS, 0.9);
	uint32_t prefix = network_prefix(seed, network);
	bool is_dense = population_table[population].is_dense;
	struct host host = {
		.traits = traits,
		.is_server = is_dense,
		.is_v6 = is_v6,
		.block = (uint16_t)network,
		.interface = INTERFACE_UPSTREAM + network * 7 % 3,
	};

	if (is_v6) {
		host.ip.hi = UINT64_C(0x2400000000000000) | (uint64_t)(prefix & 0x3ff) << 48 |
			     (uint64_t)prefix << 32 | (traits >> 20 & 0xff);
		host.ip.lo = is_dense ? traits >> 32 & 0xffff : rng_mix(traits, SALT_V6);
	} else {
		uint32_t nets = is_dense ? 1 + rng_mix(network, SALT_DENSITY) % 12 : 256;
		uint32_t net = (uint32_t)(traits >> 40) % nets * 19 % 256;

		host.ip = ip_from_v4(prefix << 16 | net << 8 | (traits >> 32 & 0xff));
	}
	return host;
}

struct host hosts_draw(uint64_t seed, enum population population, double unit, bool is_v6)
{
	return hosts_outside(seed, population,
			     rng_zipf(unit, population_table[population].size,
				      population_table[population].exponent),
			     is_v6);
}

struct host hosts_rare(void)
{
	return (struct host){
		.ip = ip_from_v4(RARE_V4),
		.block = NETWORKS,
		.interface = INTERFACE_UPSTREAM,
	};
}

uint16_t hosts_sensor(uint64_t seed, const struct host *a, const struct host *b)
{
	const struct host *outside = a->is_inside ? b : a;
	uint64_t draw = rng_mix(seed ^ SALT_SENSOR, outside->block) % 100;

	return draw < 42 ? 0 : draw < 72 ? 1 : 2;
}

struct ip hosts_next_hop(uint16_t sensor, const struct host *to)
{
	uint32_t router = (uint32_t)sensor * 32 + to->interface;

	return to->is_v6 ? (struct ip){ ROUTERS_V6, router } : ip_from_v4(INSIDE_V4 | router);
}
