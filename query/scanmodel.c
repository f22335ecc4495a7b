/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The coefficients of the regression were found by fitting what rwscan of SiLK 3.22.1 prints for
 * made-up flows; the figures are those that its manual page describes.
 */
#include "query/scanmodel.h"

#include <math.h>
#include <string.h>

#include <glib.h>

#include "common/tcpflags.h"

/* BLR says nothing about fewer flows. */
#define BLR_FLOWS_MIN 32
/* So many connections to one host alone are a flood, and no scan. */
#define FLOOD_FLOWS_MIN 11
/* Both kinds of mistakes of TRW are to be rarer than this. */
#define TRW_ERROR 0.01

#define LOW_PORTS 1024

/* ---- threshold random walk ---- */

static bool asks_for_connection(const struct scanflow *flow)
{
	return (flow->flags & (TCPFLAG_SYN | TCPFLAG_ACK | TCPFLAG_RST | TCPFLAG_FIN)) ==
	       TCPFLAG_SYN;
}

static bool is_flood(const struct scanflow *flows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (flows[i].dip != flows[0].dip || !asks_for_connection(&flows[i])) {
			return false;
		}
	}
	return count >= FLOOD_FLOWS_MIN;
}

/*
 * Steps at the first flow to each host. A flow that is no plain question ends it undecided. Is it
 * decided, that they are a scan or that they are none?
 */
static bool walk(const struct scanmodel_opts *opts, const struct scanflow *flows, size_t count,
		 struct scanmodel_verdict *verdict)
{
	const double hit = opts->theta1 / opts->theta0;
	const double miss = (1 - opts->theta1) / (1 - opts->theta0);
	double ratio = 1;

	for (size_t i = 0; i < count; i++) {
		if (!asks_for_connection(&flows[i])) {
			return false;
		}
		if (i > 0 && flows[i].dip == flows[i - 1].dip) {
			continue;
		}
		ratio *= ipset_contains(opts->internal, ip_from_v4(flows[i].dip)) ? hit : miss;
		if (ratio <= TRW_ERROR / (1 - TRW_ERROR)) {
			return true;
		}
		if (ratio > (1 - TRW_ERROR) / TRW_ERROR) {
			*verdict = (struct scanmodel_verdict){ true, SCANMODEL_TRW, ratio };
			return true;
		}
	}
	return false;
}

/* ---- figures ---- */

static double ratio_of(size_t part, size_t all)
{
	return all > 0 ? (double)part / (double)all : 0;
}

static size_t count_hosts(const struct scanflow *flows, size_t count)
{
	size_t hosts = 0;

	for (size_t i = 0; i < count; i++) {
		hosts += i == 0 || flows[i].dip != flows[i - 1].dip;
	}
	return hosts;
}

static size_t count_source_ports(const struct scanflow *flows, size_t count)
{
	uint8_t *seen = g_malloc0((UINT16_MAX + 1) / 8);
	size_t ports = 0;

	for (size_t i = 0; i < count; i++) {
		uint8_t *byte = &seen[flows[i].sport / 8];
		const uint8_t bit = (uint8_t)(1u << flows[i].sport % 8);

		ports += !(*byte & bit);
		*byte |= bit;
	}
	g_free(seen);
	return ports;
}

/* Those of the last host stand for all, as in SiLK. */
static size_t last_source_ports(const struct scanflow *flows, size_t count)
{
	size_t first = count;

	while (first > 0 && flows[first - 1].dip == flows[count - 1].dip) {
		first--;
	}
	return count_source_ports(flows + first, count - first);
}

static size_t count_if(const struct scanflow *flows, size_t count,
		       bool (*test)(const struct scanflow *flow))
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		n += test(&flows[i]);
	}
	return n;
}

static bool has_no_ack(const struct scanflow *flow)
{
	return !(flow->flags & TCPFLAG_ACK);
}

static bool has_few_packets(const struct scanflow *flow)
{
	return flow->few_packets;
}

static bool is_large(const struct scanflow *flow)
{
	return flow->large;
}

static bool is_backscatter(const struct scanflow *flow)
{
	return flow->flags == (TCPFLAG_SYN | TCPFLAG_ACK) ||
	       flow->flags == (TCPFLAG_RST | TCPFLAG_ACK) || flow->flags == TCPFLAG_RST;
}

static bool is_request(const struct scanflow *flow)
{
	/* type and code of echo, timestamp, information and mask requests */
	return flow->dport == 8 << 8 || flow->dport == 13 << 8 || flow->dport == 15 << 8 ||
	       flow->dport == 17 << 8;
}

static void tcp_figures(const struct scanflow *flows, size_t count, double *out)
{
	const size_t hosts = count_hosts(flows, count);

	out[0] = ratio_of(count_if(flows, count, has_no_ack), count);
	out[1] = ratio_of(count_if(flows, count, has_few_packets), count);
	out[2] = ratio_of(last_source_ports(flows, count), hosts);
	out[3] = ratio_of(count_if(flows, count, is_large), count);
	out[4] = ratio_of(hosts, count);
	out[5] = ratio_of(count_if(flows, count, is_backscatter), count);
}

/* Hosts that follow each other in one network of 24 bits, and what else is told by such networks.
 */
struct network_figures {
	unsigned run;          /* greatest number of hosts in a row */
	unsigned networks_run; /* of networks in a row */
	unsigned hosts_max;    /* in one network */
	unsigned host_ports;   /* different pairs of host and port, next to each other */
};

static void count_networks(const struct scanflow *flows, size_t count, struct network_figures *out)
{
	unsigned networks = 1, hosts = 1;

	out->networks_run = 1;
	out->hosts_max = 1;
	out->host_ports = 1;
	for (size_t i = 1; i < count; i++) {
		const uint32_t before = flows[i - 1].dip, dip = flows[i].dip;

		out->host_ports += dip != before || flows[i].dport != flows[i - 1].dport;
		if (dip >> 8 != before >> 8) {
			networks = dip >> 8 == (before >> 8) + 1 ? networks + 1 : 1;
			hosts = 1;
		} else if (dip != before) {
			hosts++;
		}
		out->networks_run = MAX(out->networks_run, networks);
		out->hosts_max = MAX(out->hosts_max, hosts);
	}
}

/*
 * A run goes on behind the end of a network. As SiLK counts for ICMP, it counts only once a host of
 * its last network follows that is not the next one.
 */
static unsigned longest_run(const struct scanflow *flows, size_t count)
{
	unsigned run = 1, longest = 1;

	for (size_t i = 1; i < count; i++) {
		const uint32_t before = flows[i - 1].dip, dip = flows[i].dip;

		if (dip == before || dip >> 8 != before >> 8) {
			continue;
		}
		if (dip == before + 1) {
			run++;
		} else {
			longest = MAX(longest, run);
			run = 1;
		}
	}
	return longest;
}

/* The bits of the low ports that one host was asked for. */
struct low_ports {
	uint64_t bits[LOW_PORTS / 64];
};

static void add_port(struct low_ports *ports, uint16_t port)
{
	if (port < LOW_PORTS) {
		ports->bits[port / 64] |= UINT64_C(1) << port % 64;
	}
}

/* How many there are, and how many in a row; as in SiLK no row counts that has the last one. */
static void measure_ports(const struct low_ports *ports, double *unique_max, double *run_max)
{
	unsigned unique = 0, run = 0, longest = 0, before = LOW_PORTS;

	for (unsigned i = 0; i < G_N_ELEMENTS(ports->bits); i++) {
		for (uint64_t word = ports->bits[i]; word; word &= word - 1) {
			const unsigned port = i * 64 + (unsigned)__builtin_ctzll(word);

			if (port != before + 1) {
				longest = MAX(longest, run);
				run = 0;
			}
			unique++;
			run++;
			before = port;
		}
	}
	if (before != LOW_PORTS - 1) {
		longest = MAX(longest, run);
	}
	*unique_max = MAX(*unique_max, unique);
	*run_max = MAX(*run_max, longest);
}

/*
 * The most low ports that one host was asked for, and the most in a row. As in SiLK the first flow
 * to a host counts with the port of the flow before it.
 */
static void low_ports(const struct scanflow *flows, size_t count, double *unique_max,
		      double *run_max)
{
	struct low_ports ports = { 0 };

	*unique_max = 0;
	*run_max = 0;
	add_port(&ports, flows[0].dport);
	for (size_t i = 1; i < count; i++) {
		if (flows[i].dip == flows[i - 1].dip) {
			add_port(&ports, flows[i].dport);
			continue;
		}
		measure_ports(&ports, unique_max, run_max);
		memset(&ports, 0, sizeof(ports));
		add_port(&ports, flows[i - 1].dport);
	}
	measure_ports(&ports, unique_max, run_max);
}

/*
 * Hosts in a row. As in SiLK one that is not the next ends a row only when it is longer than those
 * before it in the same network, and a row goes on behind the end of a network.
 */
static unsigned longest_row(const struct scanflow *flows, size_t count)
{
	unsigned row = 1, ended = 1, longest = 1;

	for (size_t i = 1; i < count; i++) {
		const uint32_t before = flows[i - 1].dip, dip = flows[i].dip;

		if (dip >> 8 != before >> 8) {
			ended = 1;
		} else if (dip == before + 1) {
			row++;
			longest = MAX(longest, row);
		} else if (dip != before && row > ended) {
			ended = row;
			row = 1;
		}
	}
	return longest;
}

/* Source ports of the last host that differ from those of the flow before. */
static size_t count_port_changes(const struct scanflow *flows, size_t count)
{
	size_t changes = 1;

	for (size_t i = count - 1; i > 0 && flows[i - 1].dip == flows[i].dip; i--) {
		changes += flows[i].sport != flows[i - 1].sport;
	}
	return changes;
}

static void udp_figures(const struct scanflow *flows, size_t count, double *out)
{
	struct network_figures networks;

	count_networks(flows, count, &networks);
	out[0] = ratio_of(count_if(flows, count, has_few_packets), count);
	out[1] = longest_row(flows, count);
	low_ports(flows, count, &out[2], &out[3]);
	out[4] = ratio_of(count_port_changes(flows, count), networks.host_ports);
	out[5] = ratio_of(count_if(flows, count, is_large), count);
	out[6] = ratio_of(count_source_ports(flows, count), count);
}

static void icmp_figures(const struct scanflow *flows, size_t count, double *out)
{
	struct network_figures networks;

	count_networks(flows, count, &networks);
	out[0] = networks.networks_run;
	out[1] = longest_run(flows, count);
	out[2] = networks.hosts_max;
	out[3] = networks.host_ports;
	out[4] = ratio_of(count_if(flows, count, is_request), count);
}

/* ---- regression ---- */

static const struct regression {
	uint8_t protocol;
	void (*figures)(const struct scanflow *flows, size_t count, double *out);
	size_t count;
	double constant;
	double coefficients[SCANMODEL_FIGURES];
} regressions[] = {
	{ 6,
	  tcp_figures,
	  6,
	  -2.83835364,
	  { 3.30902342, -0.15704702, -0.00231928, -1.04741370, 3.16301858, -3.26027044 } },
	{ 17,
	  udp_figures,
	  7,
	  -1.8879079,
	  { 0.5436839, 0.0251510, 0.5290949, -1.2441823, -0.0018423, -0.2245487, -0.6979438 } },
	{ 1,
	  icmp_figures,
	  5,
	  -4.30707917,
	  { -0.08245705, -0.02800612, 0.04877852, -0.000006399, 4.01675149 } },
};

static const struct regression *find_regression(uint8_t protocol)
{
	for (size_t i = 0; i < G_N_ELEMENTS(regressions); i++) {
		if (regressions[i].protocol == protocol) {
			return &regressions[i];
		}
	}
	return NULL;
}

static gint compare_flows(gconstpointer a, gconstpointer b, gpointer arg)
{
	const struct scanflow *x = a, *y = b;

	if (x->dip != y->dip) {
		return x->dip < y->dip ? -1 : 1;
	}
	return (x->start_ns > y->start_ns) - (x->start_ns < y->start_ns);
}

/* Stable. Mostly they are in order. */
static void put_in_order(struct scanflow *flows, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (compare_flows(&flows[i - 1], &flows[i], NULL) > 0) {
			g_qsort_with_data(flows, (gint)count, sizeof(*flows), compare_flows, NULL);
			return;
		}
	}
}

size_t scanmodel_figures(uint8_t protocol, struct scanflow *flows, size_t count,
			 double figures[SCANMODEL_FIGURES])
{
	const struct regression *regression = find_regression(protocol);

	if (!regression || count == 0) {
		return 0;
	}
	put_in_order(flows, count);
	regression->figures(flows, count, figures);
	return regression->count;
}

static void regress(uint8_t protocol, struct scanflow *flows, size_t count,
		    struct scanmodel_verdict *verdict)
{
	const struct regression *regression = find_regression(protocol);
	double figures[SCANMODEL_FIGURES];
	double sum, probability;

	if (count < BLR_FLOWS_MIN || scanmodel_figures(protocol, flows, count, figures) == 0) {
		return;
	}
	sum = regression->constant;
	for (size_t i = 0; i < regression->count; i++) {
		sum += regression->coefficients[i] * figures[i];
	}
	probability = 1 / (1 + exp(-sum));
	*verdict = (struct scanmodel_verdict){ probability > 0.5, SCANMODEL_BLR, probability };
}

void scanmodel_judge(const struct scanmodel_opts *opts, uint8_t protocol, struct scanflow *flows,
		     size_t count, struct scanmodel_verdict *verdict)
{
	*verdict = (struct scanmodel_verdict){ 0 };
	if (opts->models != SCANMODEL_BLR && protocol == 6) {
		if (!walk(opts, flows, count, verdict) && is_flood(flows, count)) {
			return;
		}
	}
	if (!verdict->is_scan && opts->models != SCANMODEL_TRW) {
		regress(protocol, flows, count, verdict);
	}
}
