/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/conficker.h"

#include "common/numlist.h"
#include "common/timestamp.h"

#define MULTIPLIER UINT64_C(0x015A4E35)
#define ROUNDS     10

#define WEEK_S        INT64_C(604800)
#define FIRST_WEEK_S  INT64_C(345600) /* 1970-01-05 */
#define NEAR_A_TURN_S INT64_C(900)

#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17

/* A bit for every 32 ports: they are never chosen. */
static const uint32_t blocked[64] = {
	0xffffffff, 0xffffffff, 0xf0f6bfbb, 0xbb5a5ff3, 0xf3977011, 0xeb67bfbf, 0x5f9bfac8,
	0x34d88091, 0x1e2282df, 0x573402c4, 0xc0000084, 0x03000209, 0x01600002, 0x00005000,
	0x801000c0, 0x00500040, 0x000000a1, 0x01000000, 0x01000000, 0x00022a20, 0x00000080,
	0x04000000, 0x40020000, 0x88000000, 0x00000180, 0x00081000, 0x08801900, 0x00800b81,
	0x00000280, 0x080002c0, 0x00a80000, 0x00008000, 0x00100040, 0x00100000, 0,
	0,          0x10000008, 0,          0,          0x00000004, 0x00000002, 0,
	0x00040000, 0,          0,          0,          0x00410000, 0x82000000, 0,
	0,          0x00000001, 0,          0,          0,          0,          0,
	0,          0,          0,          0,          0,          0,          0x00000008,
	0x80000000,
};

static bool is_blocked(uint16_t port)
{
	unsigned group = port / 32u;

	return blocked[group / 32] >> group % 32 & 1;
}

/* Two ports, and the state of the generator behind them. */
static uint32_t choose_pair(uint32_t state, uint16_t pair[2])
{
	pair[0] = 0;
	pair[1] = 0;
	do {
		for (unsigned i = 0; i < ROUNDS; i++) {
			uint64_t product = state * MULTIPLIER + 1;

			state = (uint32_t)product;
			pair[i % 2] ^= (uint16_t)((uint32_t)(product >> 32) >> i);
		}
	} while (is_blocked(pair[0]) || is_blocked(pair[1]) || pair[0] == pair[1]);
	return state;
}

void conficker_ports(uint32_t address, uint32_t seed, uint16_t ports[CONFICKER_PORTS])
{
	uint32_t state = choose_pair(~__builtin_bswap32(address), ports);

	choose_pair(state ^ seed, ports + 2);
}

static bool has_port(uint32_t address, uint32_t seed, uint16_t port)
{
	uint16_t ports[CONFICKER_PORTS];

	conficker_ports(address, seed, ports);
	for (unsigned i = 0; i < CONFICKER_PORTS; i++) {
		if (ports[i] == port) {
			return true;
		}
	}
	return false;
}

/* One seed, or two near the turn of a week; how many. */
static unsigned seeds_of(int64_t start_ns, uint32_t seeds[2])
{
	int64_t since_s = start_ns / NS_PER_S - FIRST_WEEK_S;
	int64_t week = since_s >= 0 ? since_s / WEEK_S : (since_s + 1) / WEEK_S - 1;
	int64_t gone_s = since_s - week * WEEK_S;

	seeds[0] = (uint32_t)week;
	if (gone_s < NEAR_A_TURN_S) {
		seeds[1] = (uint32_t)week - 1;
		return 2;
	}
	if (WEEK_S - gone_s < NEAR_A_TURN_S) {
		seeds[1] = (uint32_t)week + 1;
		return 2;
	}
	return 1;
}

bool conficker_hits(const struct batch *batch, uint32_t row, unsigned ends,
		    const struct conficker_seed *seed)
{
	uint32_t seeds[2] = { seed->number, 0 };
	unsigned count = 1;
	bool hit = false;

	if ((batch->protocol[row] != PROTOCOL_TCP && batch->protocol[row] != PROTOCOL_UDP) ||
	    batch->state[row] & RECORD_IPV6) {
		return false;
	}
	if (!seed->given) {
		count = seeds_of(batch->start_ns[row], seeds);
	}
	for (unsigned i = 0; i < count && !hit; i++) {
		hit = (ends & CONFICKER_SOURCE &&
		       has_port(ip_to_v4(batch->sip[row]), seeds[i], batch->sport[row])) ||
		      (ends & CONFICKER_DESTINATION &&
		       has_port(ip_to_v4(batch->dip[row]), seeds[i], batch->dport[row]));
	}
	return hit;
}

static int parse_seed(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct conficker_seed *seed = dest;
	uint64_t number;
	int st = number_parse(text, 0, UINT32_MAX, &number, err);

	if (st == ST_OK) {
		*seed = (struct conficker_seed){ .given = true, .number = (uint32_t)number };
	}
	return st;
}

const struct opt conficker_opt_table[] = {
	{
		.kind = OPT_KIND_CALL,
		.name = "conficker-seed",
		.arg = "SEED",
		.parse = parse_seed,
		.flags = OPT_ADDED,
		.help = "look for Conficker.C with this seed instead of the week of each flow",
	},
	OPT_END,
};
