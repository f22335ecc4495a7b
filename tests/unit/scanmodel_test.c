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

static void test_flood(void)
{
	struct ipset *set = inside();
	const struct scanmodel_opts both = { SCANMODEL_BOTH, set, 0.8, 0.2 };
	const struct scanmodel_opts regression = { SCANMODEL_BLR, set, 0.8, 0.2 };
	struct scanflow flows[40];
	struct scanmodel_verdict verdict;

	for (size_t i = 0; i < G_N_ELEMENTS(flows); i++) {
		ask(flows + i, OUTSIDE, 1, 1, SYN);
	}
	scanmodel_judge(&both, 6, flows, G_N_ELEMENTS(flows), &verdict);
	CU_ASSERT_FALSE(verdict.is_scan);
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
		{ 1, 10, 80, SYN, true, false },
		{ 1, 11, 80, SYN | ACK, false, true },
		{ 2, 12, 80, RST, true, false },
		{ 2, 13, 80, SYN | ACK | RST, true, false },
	};
	struct scanflow udp[] = {
		/* sorted by port: 53, 54, 70, 40000 of host 5; 6, 7 */
		{ 5, 1, 54, 0, true, false },    { 5, 1, 53, 0, true, false },
		{ 5, 1, 40000, 0, true, true },  { 5, 1, 70, 0, true, false },
		{ 6, 2, 1000, 0, false, false }, { 7, 3, 40000, 0, true, false },
		{ 7, 4, 40000, 0, true, false }, { 9, 3, 40000, 0, true, false },
	};
	struct scanflow icmp[] = {
		{ 0x101, 0, 8 << 8, 0, true, false },     { 0x102, 0, 8 << 8, 0, true, false },
		{ 0x102, 0, 0, 0, true, false },          { 0x103, 0, 13 << 8, 0, true, false },
		{ 0x109, 0, 771, 0, true, false },        { 0x201, 0, 8 << 8, 0, true, false },
		{ 0x401, 0, 8 << 8 | 1, 0, true, false },
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

static const struct unit_case cases[] = {
	{ "walk", test_walk },
	{ "flood", test_flood },
	{ "figures", test_figures },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("scanmodel", cases);
}
