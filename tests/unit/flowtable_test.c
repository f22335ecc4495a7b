/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/flowtable.h"

#include <string.h>

#include "common/status.h"
#include "common/tcpflags.h"
#include "common/timestamp.h"
#include "tests/unit/unit.h"

#define MS NS_PER_MS
#define S  NS_PER_S

enum {
	F = TCPFLAG_FIN,
	SYN = TCPFLAG_SYN,
	R = TCPFLAG_RST,
	P = TCPFLAG_PSH,
	A = TCPFLAG_ACK,
};

#define MAX_FLOWS 16

struct ended {
	struct flow flows[MAX_FLOWS];
	size_t count;
};

static void on_flow(void *arg, const struct flow *flow)
{
	struct ended *ended = arg;

	if (ended->count < MAX_FLOWS) {
		ended->flows[ended->count] = *flow;
	}
	ended->count++;
}

static const struct flowtable_opts default_opts = {
	.max_flows = 1000,
	.idle_timeout_ns = 300 * S,
	.active_timeout_ns = 1800 * S,
	.late_tolerance_ns = MS,
};

/* Packet of connection number: 10.0.0.1:1000+number <-> 10.0.0.2:80. */
static struct packet make(uint8_t protocol, unsigned number, bool reverse, int64_t time_ns)
{
	struct packet packet = {
		.time_ns = time_ns,
		.key = { .sip = ip_from_v4(0x0a000001),
			 .dip = ip_from_v4(0x0a000002),
			 .sport = (uint16_t)(1000 + number),
			 .dport = 80,
			 .protocol = protocol,
			 .version = 4 },
		.bytes = 100,
		.payload_bytes = 60,
	};

	if (reverse) {
		packet.key.sip = ip_from_v4(0x0a000002);
		packet.key.dip = ip_from_v4(0x0a000001);
		packet.key.sport = 80;
		packet.key.dport = (uint16_t)(1000 + number);
	}
	return packet;
}

struct step {
	int64_t time_ns;
	bool reverse;
	uint8_t flags;
	uint32_t sequence;
};

struct expected {
	int64_t start_ns, end_ns;
	uint64_t packets, reverse_packets;
	uint8_t reason;
	uint8_t initial, other, reverse_initial, reverse_other;
};

struct scenario {
	const char *name;
	uint8_t protocol;
	bool silk;
	struct step steps[8];
	size_t count;
	struct expected flows[3];
	size_t flow_count;
};

/* A packet of either direction: time, flags, sequence number. */
#define TO(time, flags_, number)                                                                   \
	{                                                                                          \
		.time_ns = (time), .flags = (flags_), .sequence = (number)                         \
	}
#define FRO(time, flags_, number)                                                                  \
	{                                                                                          \
		.time_ns = (time), .reverse = true, .flags = (flags_), .sequence = (number)        \
	}

/* clang-format off */
static const struct scenario scenarios[] = {
	{ "idle: 300.000 s stays, 300.000000001 s splits", PROTOCOL_UDP, false,
	  { TO(0, 0, 0), TO(300 * S, 0, 0), TO(600 * S + 1, 0, 0) }, 3,
	  { { 0, 300 * S, 2, 0, 1, 0, 0, 0, 0 }, { 600 * S + 1, 600 * S + 1, 1, 0, 4, 0, 0, 0, 0 } }, 2 },
	{ "idle: 300.001 s splits, direction flips", PROTOCOL_UDP, false,
	  { TO(0, 0, 0), FRO(300 * S + MS, 0, 0) }, 2,
	  { { 0, 0, 1, 0, 1, 0, 0, 0, 0 }, { 300 * S + MS, 300 * S + MS, 1, 0, 4, 0, 0, 0, 0 } }, 2 },
	{ "active: 1800.000 s stays", PROTOCOL_UDP, true,
	  { TO(0, 0, 0), TO(300 * S, 0, 0), TO(600 * S, 0, 0), TO(900 * S, 0, 0), TO(1200 * S, 0, 0), TO(1500 * S, 0, 0), TO(1800 * S, 0, 0) }, 7,
	  { { 0, 1800 * S, 7, 0, 4, 0, 0, 0, 0 } }, 1 },
	{ "active: 1800.001 s splits, SiLK marks the next", PROTOCOL_UDP, true,
	  { TO(0, 0, 0), TO(300 * S, 0, 0), TO(600 * S, 0, 0), TO(900 * S, 0, 0), TO(1200 * S, 0, 0), TO(1501 * S - MS, 0, 0), FRO(1800 * S + MS, 0, 0) }, 7,
	  { { 0, 1200 * S, 5, 0, 1, 0, 0, 0, 0 }, { 1501 * S - MS, 1800 * S + MS, 1, 1, 4, 0, 0, 0, 0 } }, 2 },
	{ "active: splits, SiLK marks the next, direction flips", PROTOCOL_UDP, true,
	  { TO(0, 0, 0), TO(300 * S, 0, 0), TO(600 * S, 0, 0), TO(900 * S, 0, 0), TO(1200 * S, 0, 0), TO(1500 * S, 0, 0), FRO(1800 * S + MS, 0, 0) }, 7,
	  { { 0, 1500 * S, 6, 0, 2, 0, 0, 0, 0 }, { 1800 * S + MS, 1800 * S + MS, 1, 0, 0x84, 0, 0, 0, 0 } }, 2 },
	{ "active: no mark without SiLK mode", PROTOCOL_UDP, false,
	  { TO(0, 0, 0), TO(300 * S, 0, 0), TO(600 * S, 0, 0), TO(900 * S, 0, 0), TO(1200 * S, 0, 0), TO(1500 * S, 0, 0), TO(1800 * S + MS, 0, 0) }, 7,
	  { { 0, 1500 * S, 6, 0, 2, 0, 0, 0, 0 }, { 1800 * S + MS, 1800 * S + MS, 1, 0, 4, 0, 0, 0, 0 } }, 2 },
	{ "orderly close ends at the fourth packet", PROTOCOL_TCP, false,
	  { TO(0, SYN, 10), FRO(1, SYN | A, 50), TO(2, F | A, 11), FRO(3, A, 51),
	    FRO(4, F | A, 51), TO(5, A, 12), TO(6, A, 12) }, 7,
	  { { 0, 5, 3, 3, 3, SYN, F | A, SYN | A, F | A }, { 6, 6, 1, 0, 4, A, 0, 0, 0 } }, 2 },
	{ "close in three", PROTOCOL_TCP, false,
	  { TO(0, F | A, 10), FRO(1, F | A, 50), TO(2, A, 11) }, 3,
	  { { 0, 2, 2, 1, 3, F | A, A, F | A, 0 } }, 1 },
	{ "FIN without ACK acknowledges nothing", PROTOCOL_TCP, false,
	  { TO(0, F, 10), FRO(1, F, 50), TO(2, A, 11) }, 3,
	  { { 0, 2, 2, 1, 4, F, A, F, 0 } }, 1 },
	{ "last ACK missing", PROTOCOL_TCP, false,
	  { TO(0, F | A, 10), FRO(1, F | A, 50) }, 2,
	  { { 0, 1, 1, 1, 4, F | A, 0, F | A, 0 } }, 1 },
	{ "RST ends at once, a new SYN is a new flow", PROTOCOL_TCP, false,
	  { TO(0, SYN, 10), FRO(1, R | A, 0), TO(2, SYN, 99) }, 3,
	  { { 0, 1, 1, 1, 3, SYN, 0, R | A, 0 }, { 2, 2, 1, 0, 4, SYN, 0, 0, 0 } }, 2 },
	{ "repeated SYN is in both", PROTOCOL_TCP, false,
	  { TO(0, SYN, 10), TO(1, SYN, 10) }, 2,
	  { { 0, 1, 2, 0, 4, SYN, SYN, 0, 0 } }, 1 },
	{ "an earlier packet that came later is the initial one", PROTOCOL_TCP, false,
	  { TO(0, P | A, 20), TO(1, SYN, 10), TO(2, A, 30) }, 3,
	  { { 0, 2, 3, 0, 4, SYN, P | A, 0, 0 } }, 1 },
	{ "sequence numbers wrap", PROTOCOL_TCP, false,
	  { TO(0, SYN, 0xfffffff0), TO(1, P | A, 0xfffffff1), TO(2, A, 0x20) }, 3,
	  { { 0, 2, 3, 0, 4, SYN, P | A, 0, 0 } }, 1 },
	{ "flags of UDP are nothing", PROTOCOL_UDP, false,
	  { TO(0, R, 0), FRO(1, R, 0) }, 2,
	  { { 0, 1, 1, 1, 4, 0, 0, 0, 0 } }, 1 },
};
/* clang-format on */

static void check_flow(const struct flow *flow, const struct expected *expected)
{
	CU_ASSERT_EQUAL(flow->start_ns, expected->start_ns);
	CU_ASSERT_EQUAL(flow->end_ns, expected->end_ns);
	UNIT_ASSERT_U64(flow->side[FLOW_FORWARD].packets, expected->packets);
	UNIT_ASSERT_U64(flow->side[FLOW_REVERSE].packets, expected->reverse_packets);
	UNIT_ASSERT_U64(flow->side[FLOW_FORWARD].bytes, 100 * expected->packets);
	UNIT_ASSERT_U64(flow->side[FLOW_REVERSE].bytes, 100 * expected->reverse_packets);
	UNIT_ASSERT_U64(flow->end_reason, expected->reason);
	UNIT_ASSERT_U64(flow->side[FLOW_FORWARD].initial_flags, expected->initial);
	UNIT_ASSERT_U64(flow->side[FLOW_FORWARD].union_flags, expected->other);
	UNIT_ASSERT_U64(flow->side[FLOW_REVERSE].initial_flags, expected->reverse_initial);
	UNIT_ASSERT_U64(flow->side[FLOW_REVERSE].union_flags, expected->reverse_other);
}

static void test_scenarios(void)
{
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		const struct scenario *scenario = &scenarios[i];
		struct flowtable_opts opts = default_opts;
		struct ended ended = { .count = 0 };
		struct flowtable *table;

		opts.silk = scenario->silk;
		table = flowtable_new(&opts, on_flow, &ended);
		for (size_t j = 0; j < scenario->count; j++) {
			const struct step *step = &scenario->steps[j];
			struct packet packet =
				make(scenario->protocol, 0, step->reverse, step->time_ns);

			packet.tcp_flags = step->flags;
			packet.tcp_sequence = step->sequence;
			CU_ASSERT_EQUAL(
				flowtable_add(table, &packet, flowtable_prepare(table, &packet)),
				ST_OK);
		}
		flowtable_flush(table);
		unit_at("%s", scenario->name);
		UNIT_ASSERT_U64(ended.count, scenario->flow_count);
		for (size_t j = 0; j < ended.count && j < scenario->flow_count; j++) {
			unit_at("%s, flow %zu", scenario->name, j);
			check_flow(&ended.flows[j], &scenario->flows[j]);
		}
		flowtable_free(table);
	}
}

static void test_late(void)
{
	struct ended ended = { .count = 0 };
	struct flowtable_opts opts = default_opts;
	struct flowtable *table = flowtable_new(&opts, on_flow, &ended);
	struct flowtable_stats stats;
	struct packet packet = make(PROTOCOL_UDP, 0, false, 10 * S);

	CU_ASSERT_EQUAL(flowtable_clock(table), INT64_MIN);
	CU_ASSERT(!flowtable_is_late(table, INT64_MIN));
	CU_ASSERT_EQUAL(flowtable_add(table, &packet, flowtable_prepare(table, &packet)), ST_OK);
	packet = make(PROTOCOL_UDP, 0, true, 10 * S - MS);
	CU_ASSERT_EQUAL(flowtable_add(table, &packet, flowtable_prepare(table, &packet)), ST_OK);
	packet = make(PROTOCOL_UDP, 0, true, 10 * S - MS - 1);
	CU_ASSERT(flowtable_is_late(table, packet.time_ns));
	CU_ASSERT_EQUAL(flowtable_add(table, &packet, flowtable_prepare(table, &packet)),
			ST_ERANGE);
	CU_ASSERT_EQUAL(flowtable_clock(table), 10 * S);
	flowtable_get_stats(table, &stats);
	UNIT_ASSERT_U64(stats.late, 1);
	UNIT_ASSERT_U64(stats.packets, 2);
	flowtable_flush(table);
	UNIT_ASSERT_U64(ended.flows[0].side[FLOW_REVERSE].attributes & FLOW_LATE, 0);
	ended.count = 0;
	flowtable_free(table);

	opts.accept_late = true;
	table = flowtable_new(&opts, on_flow, &ended);
	packet = make(PROTOCOL_UDP, 0, false, 10 * S);
	CU_ASSERT_EQUAL(flowtable_add(table, &packet, flowtable_prepare(table, &packet)), ST_OK);
	packet = make(PROTOCOL_UDP, 0, false, 5 * S);
	CU_ASSERT_EQUAL(flowtable_add(table, &packet, flowtable_prepare(table, &packet)), ST_OK);
	flowtable_flush(table);
	UNIT_ASSERT_U64(ended.count, 1);
	CU_ASSERT_EQUAL(ended.flows[0].end_ns, 10 * S);
	CU_ASSERT(ended.flows[0].side[FLOW_FORWARD].attributes & FLOW_LATE);
	flowtable_free(table);
}

/* More flows than fit: the least recently seen end early, one each. */
static void test_max_flows(void)
{
	struct ended ended = { .count = 0 };
	struct flowtable_opts opts = default_opts;
	struct flowtable *table;
	struct flowtable_stats stats;
	struct packet packet;

	opts.max_flows = 3;
	table = flowtable_new(&opts, on_flow, &ended);
	for (unsigned i = 0; i < 3; i++) {
		packet = make(PROTOCOL_UDP, i, false, i);
		flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	}
	packet = make(PROTOCOL_UDP, 0, true, 3); /* number 1 is the oldest now */
	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	UNIT_ASSERT_U64(ended.count, 0);
	packet = make(PROTOCOL_UDP, 3, false, 4);
	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	UNIT_ASSERT_U64(ended.count, 1);
	UNIT_ASSERT_U64(ended.flows[0].key.sport, 1001);
	UNIT_ASSERT_U64(ended.flows[0].end_reason, FLOW_END_RESOURCES);
	flowtable_flush(table);
	flowtable_get_stats(table, &stats);
	UNIT_ASSERT_U64(stats.ended[FLOW_END_RESOURCES], 1);
	UNIT_ASSERT_U64(stats.ended[FLOW_END_FORCED], 3);
	UNIT_ASSERT_U64(stats.flows, 4);
	UNIT_ASSERT_U64(stats.peak, 3);
	UNIT_ASSERT_U64(stats.active, 0);
	/* Oldest last packet first. */
	UNIT_ASSERT_U64(ended.flows[1].key.sport, 1002);
	UNIT_ASSERT_U64(ended.flows[2].key.sport, 1000);
	UNIT_ASSERT_U64(ended.flows[3].key.sport, 1003);
	flowtable_free(table);
}

static void test_expire(void)
{
	struct ended ended = { .count = 0 };
	struct flowtable *table = flowtable_new(&default_opts, on_flow, &ended);
	struct packet packet = make(PROTOCOL_UDP, 0, false, 0);

	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	flowtable_expire(table, 300 * S);
	UNIT_ASSERT_U64(ended.count, 0);
	flowtable_expire(table, 300 * S + 1);
	UNIT_ASSERT_U64(ended.count, 1);
	UNIT_ASSERT_U64(ended.flows[0].end_reason, FLOW_END_IDLE);
	/* The clock of the packets did not move. */
	packet = make(PROTOCOL_UDP, 0, false, 200 * S);
	CU_ASSERT_EQUAL(flowtable_add(table, &packet, flowtable_prepare(table, &packet)), ST_OK);
	/* Another connection's packet ends what is idle. */
	packet = make(PROTOCOL_UDP, 1, false, 501 * S);
	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	UNIT_ASSERT_U64(ended.count, 2);
	flowtable_free(table);
}

static void test_idle_zero(void)
{
	struct ended ended = { .count = 0 };
	struct flowtable_opts opts = default_opts;
	struct flowtable *table;

	opts.idle_timeout_ns = 0;
	table = flowtable_new(&opts, on_flow, &ended);
	for (unsigned i = 0; i < 3; i++) {
		struct packet packet = make(PROTOCOL_UDP, 0, i & 1, 0);

		flowtable_add(table, &packet, flowtable_prepare(table, &packet));
		UNIT_ASSERT_U64(ended.count, i + 1);
		UNIT_ASSERT_U64(ended.flows[i].end_reason, FLOW_END_IDLE);
	}
	flowtable_free(table);
}

/* Same hash for both directions, and no two keys taken for one; with removals in between. */
static void test_many(void)
{
	enum { COUNT = 5000 };
	struct ended ended = { .count = 0 };
	struct flowtable_opts opts = default_opts;
	struct flowtable *table;
	struct flowtable_stats stats;
	struct packet packet;

	opts.max_flows = COUNT;
	table = flowtable_new(&opts, on_flow, &ended);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < COUNT; i++) {
			packet = make(PROTOCOL_TCP, i, round & 1, round);
			flowtable_add(table, &packet, flowtable_prepare(table, &packet));
		}
	}
	UNIT_ASSERT_U64(ended.count, 0);
	for (unsigned i = 0; i < COUNT; i += 3) {
		packet = make(PROTOCOL_TCP, i, false, 10);
		packet.tcp_flags = TCPFLAG_RST;
		flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	}
	for (unsigned i = 0; i < COUNT; i++) {
		packet = make(PROTOCOL_TCP, i, true, 20);
		flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	}
	flowtable_get_stats(table, &stats);
	UNIT_ASSERT_U64(stats.ended[FLOW_END_DETECTED], (COUNT + 2) / 3);
	UNIT_ASSERT_U64(stats.flows, (COUNT + 2) / 3);
	UNIT_ASSERT_U64(stats.active, COUNT);
	flowtable_free(table);
}

static void test_keys(void)
{
	struct ended ended = { .count = 0 };
	struct flowtable_opts opts = default_opts;
	struct flowtable *table = flowtable_new(&opts, on_flow, &ended);
	struct packet packet = make(PROTOCOL_ICMP, 0, false, 0);

	/* ICMP: type and code stay where they are; the reply has a key of its own. */
	packet.key.sport = 0;
	packet.key.dport = 0x0303;
	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	packet = make(PROTOCOL_ICMP, 0, true, 1);
	packet.key.sport = 0;
	packet.key.dport = 0x0303;
	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	/* A packet to itself is forward. */
	packet = make(PROTOCOL_UDP, 0, false, 2);
	packet.key.dip = packet.key.sip;
	packet.key.dport = packet.key.sport;
	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	/* Another VLAN is another flow ... */
	packet = make(PROTOCOL_UDP, 5, false, 3);
	packet.key.vlan = packet.vlan = 7;
	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	packet = make(PROTOCOL_UDP, 5, true, 4);
	packet.key.vlan = packet.vlan = 8;
	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	flowtable_flush(table);
	UNIT_ASSERT_U64(ended.count, 4);
	UNIT_ASSERT_U64(ended.flows[0].side[FLOW_REVERSE].packets, 1);
	UNIT_ASSERT_U64(ended.flows[1].side[FLOW_FORWARD].packets, 2);
	flowtable_free(table);

	/* ... unless it is not in the key. */
	ended.count = 0;
	opts.no_vlan_in_key = true;
	table = flowtable_new(&opts, on_flow, &ended);
	packet = make(PROTOCOL_UDP, 5, false, 3);
	packet.key.vlan = packet.vlan = 7;
	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	packet = make(PROTOCOL_UDP, 5, true, 4);
	packet.key.vlan = packet.vlan = 8;
	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	flowtable_flush(table);
	UNIT_ASSERT_U64(ended.count, 1);
	UNIT_ASSERT_U64(ended.flows[0].side[FLOW_FORWARD].vlan, 7);
	UNIT_ASSERT_U64(ended.flows[0].side[FLOW_REVERSE].vlan, 8);
	flowtable_free(table);
}

/* SiLK mode keeps the bytes of a direction within 32 bits. */
static void test_silk_bytes(void)
{
	struct ended ended = { .count = 0 };
	struct flowtable_opts opts = default_opts;
	struct flowtable *table;
	struct packet packet;

	opts.silk = true;
	table = flowtable_new(&opts, on_flow, &ended);
	packet = make(PROTOCOL_UDP, 0, false, 0);
	packet.bytes = UINT32_MAX - 100;
	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	packet = make(PROTOCOL_UDP, 0, true, 1); /* the other direction has room */
	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	packet = make(PROTOCOL_UDP, 0, false, 2); /* exactly full */
	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	UNIT_ASSERT_U64(ended.count, 0);
	packet = make(PROTOCOL_UDP, 0, false, 3);
	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	UNIT_ASSERT_U64(ended.count, 1);
	UNIT_ASSERT_U64(ended.flows[0].side[FLOW_FORWARD].bytes, UINT32_MAX);
	UNIT_ASSERT_U64(ended.flows[0].end_reason, FLOW_END_ACTIVE);
	flowtable_flush(table);
	UNIT_ASSERT_U64(ended.flows[1].end_reason, FLOW_END_FORCED | FLOW_END_CONTINUES);
	flowtable_free(table);
}

static void test_uniform(void)
{
	static const struct {
		const char *name;
		uint8_t protocol;
		uint32_t bytes[4], payload[4], sequence[4];
		bool uniform;
	} rows[] = {
		{ "one packet", PROTOCOL_UDP, { 9 }, { 1 }, { 0 }, false },
		{ "two alike", PROTOCOL_UDP, { 9, 9 }, { 1, 1 }, { 0 }, true },
		{ "another", PROTOCOL_UDP, { 9, 9, 8, 9 }, { 1, 1, 1, 1 }, { 0 }, false },
		{ "TCP: empty ones do not count",
		  PROTOCOL_TCP,
		  { 60, 90, 60, 90 },
		  { 0, 30, 0, 30 },
		  { 1, 2, 50, 60 },
		  true },
		{ "TCP: keep-alives do not count",
		  PROTOCOL_TCP,
		  { 90, 90, 61 },
		  { 30, 30, 1 },
		  { 1, 31, 30 },
		  true },
		{ "TCP: one with data", PROTOCOL_TCP, { 60, 90 }, { 0, 30 }, { 1, 2 }, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ended ended = { .count = 0 };
		struct flowtable *table = flowtable_new(&default_opts, on_flow, &ended);

		for (size_t j = 0; j < 4 && rows[i].bytes[j] != 0; j++) {
			struct packet packet = make(rows[i].protocol, 0, false, (int64_t)j);

			packet.bytes = rows[i].bytes[j];
			packet.payload_bytes = rows[i].payload[j];
			packet.tcp_sequence = rows[i].sequence[j];
			flowtable_add(table, &packet, flowtable_prepare(table, &packet));
		}
		flowtable_flush(table);
		unit_at("%s", rows[i].name);
		CU_ASSERT_EQUAL(ended.flows[0].side[FLOW_FORWARD].attributes & FLOW_UNIFORM,
				rows[i].uniform ? FLOW_UNIFORM : 0);
		flowtable_free(table);
	}
}

/* After so many bytes the sequence numbers no longer tell what came first. */
static void test_sequence_after_much(void)
{
	struct ended ended = { .count = 0 };
	struct flowtable *table = flowtable_new(&default_opts, on_flow, &ended);
	struct packet packet = make(PROTOCOL_TCP, 0, false, 0);

	packet.tcp_flags = SYN;
	packet.bytes = (1 << 30) + 1;
	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	packet.tcp_flags = A;
	packet.tcp_sequence = 0x90000000;
	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	flowtable_flush(table);
	UNIT_ASSERT_U64(ended.flows[0].side[FLOW_FORWARD].initial_flags, SYN);
	UNIT_ASSERT_U64(ended.flows[0].side[FLOW_FORWARD].sequence, 0);
	UNIT_ASSERT_U64(ended.flows[0].side[FLOW_FORWARD].union_flags, A);
	flowtable_free(table);
}

static void test_marks(void)
{
	struct ended ended = { .count = 0 };
	struct flowtable *table = flowtable_new(&default_opts, on_flow, &ended);
	struct packet packet = make(PROTOCOL_TCP, 0, false, 0);

	packet.mptcp = true;
	packet.tos = 1;
	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	packet.tos = 2;
	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	packet = make(PROTOCOL_TCP, 0, true, 5);
	packet.reassembled = true;
	packet.tos = 3;
	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	packet.reassembled = false;
	packet.tos = 4;
	flowtable_add(table, &packet, flowtable_prepare(table, &packet));
	flowtable_flush(table);
	UNIT_ASSERT_U64(ended.flows[0].side[FLOW_FORWARD].attributes & FLOW_MPTCP, FLOW_MPTCP);
	UNIT_ASSERT_U64(ended.flows[0].side[FLOW_FORWARD].attributes & FLOW_REASSEMBLED, 0);
	UNIT_ASSERT_U64(ended.flows[0].side[FLOW_REVERSE].attributes & FLOW_REASSEMBLED,
			FLOW_REASSEMBLED);
	/* Class of service: forward of the first packet, reverse of the last. */
	UNIT_ASSERT_U64(ended.flows[0].side[FLOW_FORWARD].tos, 1);
	UNIT_ASSERT_U64(ended.flows[0].side[FLOW_REVERSE].tos, 4);
	CU_ASSERT_EQUAL(ended.flows[0].reverse_start_ns, 5);
	flowtable_free(table);
	flowtable_free(NULL);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "scenarios", test_scenarios },
		{ "late packets", test_late },
		{ "max flows", test_max_flows },
		{ "expire", test_expire },
		{ "idle timeout 0", test_idle_zero },
		{ "many flows", test_many },
		{ "keys", test_keys },
		{ "32-bit byte counts", test_silk_bytes },
		{ "packets of one size", test_uniform },
		{ "sequence numbers after much traffic", test_sequence_after_much },
		{ "marks", test_marks },
		{ NULL, NULL },
	};

	return unit_run("flowtable", cases);
}
