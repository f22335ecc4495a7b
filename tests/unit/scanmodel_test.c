/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scanmodel.h"

#include <math.h>

#include <glib.h>

#include "common/tcpflags.h"
#include "tests/unit/unit.h"

#define SYN TCPFLAG_SYN
#define ACK TCPFLAG_ACK
#define RST TCPFLAG_RST

/* Hosts first..last of a network, one flow each. */
static size_t ask(struct scanflow *flows, uint32_t network, uint32_t first, uint32_t last,
		  uint8_t flags)
{
	size_t count = 0;

	for (uint32_t host = first; host <= last; host++) {
		flows[count++] = (struct scanflow){
			.dip = network + host,
			.sport = 5000,
			.dport = 80,
			.flags = flags,
			.few_packets = true,
		};
	}
	return count;
}

#define INSIDE  0x14000000u
#define OUTSIDE 0x1e000000u

static struct ipset *inside(void)
{
	struct ipset *set = ipset_new();

	ipset_add_range(set, ip_from_v4(INSIDE), ip_from_v4(INSIDE + 255));
	ipset_finish(set);
	return set;
}

static void test_walk(void)
{
	static const struct {
		uint32_t first_network;
		unsigned first;
		uint8_t first_flags;
		uint32_t second_network;
		unsigned second;
		bool is_scan;
		double ratio;
	} cases[] = {
		{ OUTSIDE, 3, SYN, 0, 0, false, 0 },
		{ OUTSIDE, 4, SYN, 0, 0, true, 256 },
		{ OUTSIDE, 40, SYN, 0, 0, true, 256 },
		{ INSIDE, 1, SYN, OUTSIDE, 5, true, 256 },
		{ INSIDE, 1, SYN, OUTSIDE, 4, false, 0 },
		{ INSIDE, 4, SYN, OUTSIDE, 40, false, 0 },
		{ OUTSIDE + 256, 1, SYN | ACK, OUTSIDE, 40, false, 0 },
		{ OUTSIDE, 4, SYN | TCPFLAG_PSH | TCPFLAG_ECE, 0, 0, true, 256 },
		{ OUTSIDE, 9, RST, 0, 0, false, 0 },
	};
	struct ipset *set = inside();
	const struct scanmodel_opts opts = { SCANMODEL_TRW, set, 0.8, 0.2 };

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct scanflow flows[100];
		struct scanmodel_verdict verdict;
		size_t count =
			ask(flows, cases[i].first_network, 1, cases[i].first, cases[i].first_flags);

		count += ask(flows + count, cases[i].second_network, 1, cases[i].second, SYN);
		unit_at("case %zu", i);
		scanmodel_judge(&opts, 6, flows, count, &verdict);
		CU_ASSERT_EQUAL(verdict.is_scan, cases[i].is_scan);
		CU_ASSERT_DOUBLE_EQUAL(verdict.probability, cases[i].ratio, 1e-6);
		scanmodel_judge(&opts, 17, flows, count, &verdict);
		CU_ASSERT_FALSE(verdict.is_scan);
	}
	ipset_free(set);
}

/* A flow that is no question ends the walk, also behind a question to the same host. */
static void test_walk_ends(void)
{
	struct ipset *set = inside();
	const struct scanmodel_opts opts = { SCANMODEL_TRW, set, 0.8, 0.2 };

	for (size_t at = 1; at <= 5; at++) {
		struct scanflow flows[6];
		struct scanmodel_verdict verdict;
		size_t before = ask(flows, OUTSIDE, 1, (uint32_t)at, SYN);

		ask(flows + at, OUTSIDE, (uint32_t)at, 5, SYN);
		flows[before].flags = ACK;
		unit_at("after %zu", at);
		scanmodel_judge(&opts, 6, flows, G_N_ELEMENTS(flows), &verdict);
		CU_ASSERT_EQUAL(verdict.is_scan, at >= 4);
	}
	ipset_free(set);
}

static void test_flood(void)
{
	struct ipset *set = inside();
	const struct scanmodel_opts both = { SCANMODEL_BOTH, set, 0.8, 0.2 };
	/* their first step decides */
	const struct scanmodel_opts extreme = { SCANMODEL_BOTH, set, 0.999, 0.2 };
	const struct scanmodel_opts benign = { SCANMODEL_BOTH, set, 0.8, 0 };
	const struct scanmodel_opts regression = { SCANMODEL_BLR, set, 0.8, 0.2 };
	struct scanflow flows[40];
	struct scanmodel_verdict verdict;

	for (size_t i = 0; i < G_N_ELEMENTS(flows); i++) {
		ask(flows + i, OUTSIDE, 1, 1, SYN);
	}
	scanmodel_judge(&both, 6, flows, G_N_ELEMENTS(flows), &verdict);
	CU_ASSERT_FALSE(verdict.is_scan);
	scanmodel_judge(&extreme, 6, flows, G_N_ELEMENTS(flows), &verdict);
	CU_ASSERT(verdict.is_scan);
	ask(flows, INSIDE, 1, 1, SYN);
	for (size_t i = 1; i < G_N_ELEMENTS(flows); i++) {
		flows[i] = flows[0];
	}
	scanmodel_judge(&benign, 6, flows, G_N_ELEMENTS(flows), &verdict);
	CU_ASSERT_EQUAL(verdict.model, SCANMODEL_BLR);
	for (size_t i = 0; i < G_N_ELEMENTS(flows); i++) {
		ask(flows + i, OUTSIDE, 1, 1, SYN);
	}
	scanmodel_judge(&regression, 6, flows, G_N_ELEMENTS(flows), &verdict);
	CU_ASSERT(verdict.is_scan);
	CU_ASSERT_DOUBLE_EQUAL(verdict.probability, 0.596374, 1e-6);
	scanmodel_judge(&regression, 6, flows, 31, &verdict);
	CU_ASSERT_FALSE(verdict.is_scan);
	ipset_free(set);
}

static void check_figures(uint8_t protocol, struct scanflow *flows, size_t count,
			  const double *expected, size_t expected_count)
{
	double figures[SCANMODEL_FIGURES];

	UNIT_ASSERT_U64(scanmodel_figures(protocol, flows, count, figures), expected_count);
	for (size_t i = 0; i < expected_count; i++) {
		unit_at("protocol %u, figure %zu", protocol, i);
		CU_ASSERT_DOUBLE_EQUAL(figures[i], expected[i], 1e-9);
	}
}

static void test_figures(void)
{
	struct scanflow tcp[] = {
		{ 1, 10, 80, SYN, true, false, 0 },
		{ 1, 11, 80, SYN | ACK, false, true, 0 },
		{ 2, 12, 80, RST, true, false, 0 },
		{ 2, 13, 80, SYN | ACK | RST, true, false, 0 },
	};
	struct scanflow udp[] = {
		{ 5, 1, 54, 0, true, false, 0 },    { 5, 1, 53, 0, true, false, 0 },
		{ 5, 1, 40000, 0, true, true, 0 },  { 5, 1, 70, 0, true, false, 0 },
		{ 6, 2, 1000, 0, false, false, 0 }, { 7, 3, 40000, 0, true, false, 0 },
		{ 7, 4, 40000, 0, true, false, 0 }, { 9, 3, 40000, 0, true, false, 0 },
	};
	struct scanflow icmp[] = {
		{ 0x101, 0, 8 << 8, 0, true, false, 0 },
		{ 0x102, 0, 8 << 8, 0, true, false, 0 },
		{ 0x102, 0, 0, 0, true, false, 0 },
		{ 0x103, 0, 13 << 8, 0, true, false, 0 },
		{ 0x109, 0, 771, 0, true, false, 0 },
		{ 0x201, 0, 8 << 8, 0, true, false, 0 },
		{ 0x401, 0, 8 << 8 | 1, 0, true, false, 0 },
	};
	static const double tcp_expected[] = { 0.5, 0.75, 1, 0.25, 0.5, 0.5 };
	static const double udp_expected[] = { 0.875, 3, 3, 2, 1.0 / 7, 0.125, 0.5 };
	static const double icmp_expected[] = { 2, 3, 4, 7, 4.0 / 7 };

	check_figures(6, tcp, G_N_ELEMENTS(tcp), tcp_expected, 6);
	check_figures(17, udp, G_N_ELEMENTS(udp), udp_expected, 7);
	check_figures(1, icmp, G_N_ELEMENTS(icmp), icmp_expected, 5);
	check_figures(47, icmp, G_N_ELEMENTS(icmp), NULL, 0);
	check_figures(6, tcp, 0, NULL, 0);
}

struct asked {
	uint32_t dip;
	uint16_t sport;
	uint16_t dport;
};

/* As rwscan of SiLK 3.22.1 counts (--verbose-results) when 40 flows to one far host come first. */
static void test_udp_figures(void)
{
	static const struct {
		struct asked flows[11];
		size_t count;
		double row, ports, ports_row, source_ports;
	} cases[] = {
		/* one that is not the next ends a row when it is the longest of its network */
		{ { { 1, 1, 5 }, { 2, 1, 5 }, { 4, 1, 5 }, { 5, 1, 5 } }, 4, 2, 1, 1, 1 / 4.0 },
		{ { { 1, 1, 5 }, { 2, 1, 5 }, { 4, 1, 5 }, { 5, 1, 5 }, { 7, 1, 5 }, { 8, 1, 5 } },
		  6,
		  3,
		  1,
		  1,
		  1 / 6.0 },
		{ { { 1, 1, 5 },
		    { 2, 1, 5 },
		    { 9, 1, 5 },
		    { 10, 1, 5 },
		    { 256 + 5, 1, 5 },
		    { 256 + 9, 1, 5 },
		    { 256 + 10, 1, 5 } },
		  7,
		  2,
		  1,
		  1,
		  1 / 7.0 },
		/* the first flow to a host counts with the port of the one before */
		{ { { 11, 1, 10 },
		    { 11, 1, 11 },
		    { 11, 1, 12 },
		    { 12, 1, 20 },
		    { 12, 1, 21 },
		    { 12, 1, 22 } },
		  6,
		  2,
		  3,
		  3,
		  1 / 6.0 },
		{ { { 11, 1, 10 },
		    { 11, 1, 11 },
		    { 11, 1, 12 },
		    { 12, 1, 20 },
		    { 12, 1, 21 },
		    { 12, 1, 22 },
		    { 12, 1, 23 } },
		  7,
		  2,
		  4,
		  3,
		  1 / 7.0 },
		/* the order does not matter, and a row with the last low port does not count */
		{ { { 1, 1, 12 }, { 1, 1, 10 }, { 1, 1, 11 }, { 1, 1, 10 } }, 4, 1, 3, 3, 1 / 4.0 },
		{ { { 1, 1, 3 }, { 1, 1, 1022 }, { 1, 1, 1023 }, { 1, 1, 1024 } },
		  4,
		  1,
		  3,
		  1,
		  1 / 4.0 },
		/* source ports are those of the last host that differ from the one before */
		{ { { 1, 7, 5 }, { 2, 8, 5 }, { 2, 9, 6 }, { 2, 8, 5 }, { 2, 8, 5 } },
		  5,
		  2,
		  2,
		  2,
		  3 / 4.0 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct scanflow flows[G_N_ELEMENTS(cases[0].flows)];
		double figures[SCANMODEL_FIGURES];

		for (size_t k = 0; k < cases[i].count; k++) {
			const struct asked *asked = &cases[i].flows[k];

			flows[k] = (struct scanflow){ .dip = asked->dip,
						      .sport = asked->sport,
						      .dport = asked->dport };
		}
		unit_at("case %zu", i);
		UNIT_ASSERT_U64(scanmodel_figures(17, flows, cases[i].count, figures), 7);
		CU_ASSERT_DOUBLE_EQUAL(figures[1], cases[i].row, 1e-9);
		CU_ASSERT_DOUBLE_EQUAL(figures[2], cases[i].ports, 1e-9);
		CU_ASSERT_DOUBLE_EQUAL(figures[3], cases[i].ports_row, 1e-9);
		CU_ASSERT_DOUBLE_EQUAL(figures[4], cases[i].source_ports, 1e-9);
	}
}

/* The regression goes by host and time, the walk by the input. */
static void test_order(void)
{
	static const struct {
		uint32_t dip;
		uint16_t dport;
		int64_t start_ns;
	} asked[] = { { 2, 25, 8 }, { 1, 9, 4 },  { 2, 24, 7 }, { 2, 22, 5 },
		      { 1, 8, 3 },  { 2, 21, 9 }, { 2, 23, 6 } };
	struct scanflow flows[G_N_ELEMENTS(asked)];
	double figures[SCANMODEL_FIGURES];

	for (size_t i = 0; i < G_N_ELEMENTS(asked); i++) {
		flows[i] = (struct scanflow){ .dip = asked[i].dip,
					      .dport = asked[i].dport,
					      .start_ns = asked[i].start_ns };
	}
	UNIT_ASSERT_U64(scanmodel_figures(17, flows, G_N_ELEMENTS(flows), figures), 7);
	/* 22, the first of its host, counts with the port before it, 9 */
	CU_ASSERT_DOUBLE_EQUAL(figures[2], 5, 1e-9);
	CU_ASSERT_DOUBLE_EQUAL(figures[3], 3, 1e-9);
	for (size_t i = 1; i < G_N_ELEMENTS(flows); i++) {
		CU_ASSERT(flows[i - 1].dip < flows[i].dip ||
			  flows[i - 1].start_ns < flows[i].start_ns);
	}
}

/* A ratio that is the bound itself decides. */
static void test_bound(void)
{
	struct ipset *set = inside();
	const struct scanmodel_opts opts = { SCANMODEL_BOTH, set, 0.99, 0.01 };
	struct scanflow flows[40];
	struct scanmodel_verdict verdict;

	for (size_t i = 0; i < G_N_ELEMENTS(flows); i++) {
		ask(flows + i, INSIDE, 1, 1, SYN);
	}
	scanmodel_judge(&opts, 6, flows, G_N_ELEMENTS(flows), &verdict);
	CU_ASSERT_EQUAL(verdict.model, SCANMODEL_BLR);
	ipset_free(set);
}

static const struct unit_case cases[] = {
	{ "walk", test_walk },
	{ "end of the walk", test_walk_ends },
	{ "flood", test_flood },
	{ "figures", test_figures },
	{ "figures of UDP", test_udp_figures },
	{ "order", test_order },
	{ "bound", test_bound },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("scanmodel", cases);
}
