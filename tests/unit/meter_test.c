/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/meter.h"

#include "common/timestamp.h"
#include "tests/unit/unit.h"

static void count_flow(void *arg, const struct flow *flow)
{
	unsigned *flows = arg;

	*flows += 1;
}

/* 10.0.0.1 -> 10.0.0.2, UDP 7001 -> 7002: whole, first and second half, and IPv6. */
static const uint8_t whole[] = { 0x45, 0, 0,  28, 0, 1, 0,    0,    64,   17,   0, 0, 10, 0,
				 0,    1, 10, 0,  0, 2, 0x1b, 0x59, 0x1b, 0x5a, 0, 8, 0,  0 };
static const uint8_t first[] = { 0x45, 0, 0,  28, 0, 2, 0x20, 0,    64,   17,   0, 0, 10, 0,
				 0,    1, 10, 0,  0, 2, 0x1b, 0x59, 0x1b, 0x5a, 0, 9, 0,  0 };
static const uint8_t second[] = { 0x45, 0,  0, 21, 0, 2,  0, 1, 64, 17, 0,
				  0,    10, 0, 0,  1, 10, 0, 0, 2,  99 };
static const uint8_t six[48] = { [0] = 0x60,  [5] = 8,     [6] = 17,    [23] = 1,    [39] = 2,
				 [40] = 0x1b, [41] = 0x59, [42] = 0x1b, [43] = 0x5a, [45] = 8 };

static const struct meter_opts default_opts = {
	.flows = { .max_flows = 100,
		   .idle_timeout_ns = 300 * NS_PER_S,
		   .active_timeout_ns = 1800 * NS_PER_S },
	.fragments = { .max_datagrams = 10, .timeout_ns = 30 * NS_PER_S },
};

#define FEED(meter, bytes, time_ns)                                                                \
	meter_packet(meter, decode_link_find(101), bytes, sizeof(bytes), sizeof(bytes), time_ns)

static void test_counters(void)
{
	unsigned flows = 0;
	struct meter *meter = meter_new(&default_opts, count_flow, &flows);
	struct meter_stats stats;
	uint64_t sum = 0;

	FEED(meter, whole, 10);
	FEED(meter, first, 11);
	FEED(meter, second, 12);
	FEED(meter, six, 13);
	FEED(meter, whole, 9);  /* late */
	FEED(meter, second, 9); /* late */
	FEED(meter, first, 14); /* never whole */
	meter_packet(meter, decode_link_find(101), whole, 3, 28, 15);
	meter_flush(meter);
	meter_get_stats(meter, &stats);
	UNIT_ASSERT_U64(flows, 2);
	UNIT_ASSERT_U64(stats.packets, 8);
	UNIT_ASSERT_U64(stats.bytes, 5 * 28 + 2 * 21 + 48);
	UNIT_ASSERT_U64(stats.causes[DECODE_OK], 3);
	UNIT_ASSERT_U64(stats.causes[DECODE_HELD], 2);
	UNIT_ASSERT_U64(stats.causes[DECODE_LATE], 2);
	UNIT_ASSERT_U64(stats.causes[DECODE_IPV4_SHORT], 1);
	UNIT_ASSERT_U64(meter_stats_rejected(&stats), 1);
	UNIT_ASSERT_U64(stats.flows.packets, 3);
	UNIT_ASSERT_U64(stats.flows.bytes, 28 + 29 + 48);
	UNIT_ASSERT_U64(stats.fragments.assembled, 1);
	UNIT_ASSERT_U64(stats.fragments.expired, 1);
	for (size_t i = 0; i < DECODE_CAUSE_COUNT; i++) {
		sum += stats.causes[i];
	}
	UNIT_ASSERT_U64(sum, stats.packets);
	meter_free(meter);
	meter_free(NULL);
}

static void test_choices(void)
{
	static const struct {
		uint8_t only_version;
		bool no_fragments;
		uint64_t accepted, wrong_version, fragments_off;
	} rows[] = {
		{ 0, false, 3, 0, 0 },
		{ 0, true, 2, 0, 2 },
		{ 4, false, 2, 1, 0 },
		{ 6, false, 1, 3, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned flows = 0;
		struct meter_opts opts = default_opts;
		struct meter_stats stats;
		struct meter *meter;

		opts.only_version = rows[i].only_version;
		opts.no_fragments = rows[i].no_fragments;
		meter = meter_new(&opts, count_flow, &flows);
		FEED(meter, whole, 10);
		FEED(meter, first, 11);
		FEED(meter, second, 12);
		FEED(meter, six, 13);
		meter_get_stats(meter, &stats);
		unit_at("row %zu", i);
		UNIT_ASSERT_U64(stats.causes[DECODE_OK], rows[i].accepted);
		UNIT_ASSERT_U64(stats.causes[DECODE_IP_VERSION], rows[i].wrong_version);
		UNIT_ASSERT_U64(stats.causes[DECODE_FRAGMENT_OFF], rows[i].fragments_off);
		meter_free(meter);
	}
}

static void test_expire(void)
{
	unsigned flows = 0;
	struct meter *meter = meter_new(&default_opts, count_flow, &flows);
	struct meter_stats stats;

	FEED(meter, whole, 0);
	FEED(meter, first, 1);
	meter_expire(meter, 100 * NS_PER_S);
	meter_get_stats(meter, &stats);
	UNIT_ASSERT_U64(stats.fragments.expired, 1);
	UNIT_ASSERT_U64(flows, 0);
	meter_expire(meter, 301 * NS_PER_S);
	UNIT_ASSERT_U64(flows, 1);
	meter_free(meter);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "counters", test_counters },
		{ "choices", test_choices },
		{ "expire", test_expire },
		{ NULL, NULL },
	};

	return unit_run("meter", cases);
}
