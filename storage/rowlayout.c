/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The layouts (silk-flow-files.md 4.2 to 4.10), and which format and version uses which. */
#include "storage/rowlayout.h"

#include <stddef.h>

/* clang-format off */

#define AT(codec, offset)	    { &rowcodec_##codec, offset, 0 }
#define AT2(codec, offset, second)  { &rowcodec_##codec, offset, second }
#define END			    { NULL, 0, 0 }

/* ---- where each column is: codec, offset, second offset ---- */

static const struct rowfield ipv6routing_1[] = {
	AT(start_ms64, 0), AT(duration_ms32, 8), AT(sport, 12), AT(dport, 14), AT(protocol, 16),
	AT(flowtype, 17), AT(sensor16, 18), AT2(tcpstate_ipv6, 20, 16), AT(application, 24),
	AT(memo, 26), AT(input16, 28), AT(output16, 30), AT(packets32, 32), AT(bytes32, 36),
	AT2(sip16, 40, 23), AT2(dip16, 56, 23), AT2(nhip16, 72, 23),
	END,
};

static const struct rowfield ipv6routing_2[] = {
	AT(start_ms64, 0), AT(duration_ms32, 8), AT(sport, 12), AT(dport, 14), AT(protocol, 16),
	AT(flowtype, 17), AT(sensor16, 18), AT2(tcpstate_ipv6, 20, 16), AT(application_lost, 24),
	AT(memo, 26), AT(input16, 28), AT(output16, 30), AT(packets32, 32), AT(bytes32, 36),
	AT2(sip16, 40, 23), AT2(dip16, 56, 23), AT2(nhip16, 72, 23),
	END,
};

static const struct rowfield ipv6routing_3[] = {
	AT(start_ms64, 0), AT(duration_ms32, 8), AT(sport, 12), AT(dport, 14), AT(protocol, 16),
	AT(flowtype, 17), AT(sensor16, 18), AT2(tcpstate_ipv6_asis, 20, 16), AT(application, 24),
	AT(memo, 26), AT(input32, 28), AT(packets64, 32), AT(bytes64, 40), AT2(sip16, 48, 23),
	AT2(dip16, 64, 23), AT2(nhip16, 80, 23), AT(output32, 96),
	END,
};

static const struct rowfield ipv6_1[] = {
	AT(start_ms64, 0), AT(duration_ms32, 8), AT(sport, 12), AT(dport, 14), AT(protocol, 16),
	AT(flowtype, 17), AT(sensor16, 18), AT2(tcpstate_ipv6, 20, 16), AT(application, 24),
	AT(memo, 26), AT(packets32, 28), AT(bytes32, 32), AT2(sip16, 36, 23), AT2(dip16, 52, 23),
	AT2(nhip_none, 0, 23),
	END,
};

static const struct rowfield ipv6_2[] = {
	AT(enc_d_ipv6, 0), AT(application, 6), AT(sport, 8), AT(dport, 10), AT(duration_ms32, 12),
	AT(packets32, 16), AT(bytes32, 20), AT2(sip16, 24, 5), AT2(dip16, 40, 5),
	AT2(nhip_none, 0, 5),
	END,
};

static const struct rowfield generic_0[] = {
	AT(sip4, 0), AT(dip4, 4), AT(sport, 8), AT(dport, 10), AT(protocol, 12), AT(flags, 13),
	AT(input8, 14), AT(output8, 15), AT(nhip4, 16), AT(start_s32, 20), AT(packets32, 24),
	AT(bytes32, 28), AT(duration_s32, 32), AT(sensor8, 36), AT(zero8, 37), AT(zero16, 38),
	END,
};

static const struct rowfield generic_1[] = {
	AT(sip4, 0), AT(dip4, 4), AT(sport, 8), AT(dport, 10), AT(protocol, 12), AT(flags, 13),
	AT(input8, 14), AT(output8, 15), AT(nhip4, 16), AT(start_s32, 20), AT(packets32, 24),
	AT(bytes32, 28), AT(duration_s32, 32), AT(sensor8, 36),
	END,
};

static const struct rowfield generic_2[] = {
	AT(sip4, 0), AT(dip4, 4), AT(sport, 8), AT(dport, 10), AT(nhip4, 12), AT(input16, 16),
	AT(output16, 18), AT(start_s32, 20), AT(duration_s32, 24), AT(packets32, 28),
	AT(bytes32, 32), AT(protocol, 36), AT(flowtype, 37), AT(sensor16, 38),
	AT2(tcpstate, 40, 36), AT(zero32, 44),
	END,
};

static const struct rowfield generic_3[] = {
	AT(sip4, 0), AT(dip4, 4), AT(sport, 8), AT(dport, 10), AT(nhip4, 12), AT(input16, 16),
	AT(output16, 18), AT(start_s32, 20), AT(duration_s32, 24), AT(packets32, 28),
	AT(bytes32, 32), AT(protocol, 36), AT(flowtype, 37), AT(sensor16, 38),
	AT2(tcpstate, 40, 36), AT(zero32, 44), AT(start_ms16, 48), AT(duration_ms16, 50),
	AT(application, 52), AT(zero16, 54),
	END,
};

static const struct rowfield generic_5[] = {
	AT(start_ms64, 0), AT(duration_ms32, 8), AT(sport, 12), AT(dport, 14), AT(protocol, 16),
	AT(flowtype, 17), AT(sensor16, 18), AT2(tcpstate, 20, 16), AT(application, 24),
	AT(memo, 26), AT(input16, 28), AT(output16, 30), AT(packets32, 32), AT(bytes32, 36),
	AT(sip4, 40), AT(dip4, 44), AT(nhip4, 48),
	END,
};

static const struct rowfield augmented_1[] = {
	AT(sip4, 0), AT(dip4, 4), AT(sport, 8), AT(dport, 10), AT2(enc_b_state, 12, 26),
	AT(application, 24),
	END,
};

static const struct rowfield augrouting_1[] = {
	AT(sip4, 0), AT(dip4, 4), AT(sport, 8), AT(dport, 10), AT2(enc_b_state, 12, 26),
	AT(application, 24), AT(nhip4, 28), AT(input16, 32), AT(output16, 34),
	END,
};

static const struct rowfield augsnmpout_1[] = {
	AT(sip4, 0), AT(dip4, 4), AT(sport, 8), AT(dport, 10), AT2(enc_b_state, 12, 26),
	AT(application, 24), AT(output16, 28),
	END,
};

static const struct rowfield augmented_4[] = {
	AT2(enc_c_state, 0, 12), AT(application, 14), AT(sport, 16), AT(dport, 18), AT(sip4, 20),
	AT(dip4, 24),
	END,
};

static const struct rowfield augrouting_4[] = {
	AT2(enc_c_state, 0, 12), AT(application, 14), AT(sport, 16), AT(dport, 18),
	AT(input16, 20), AT(output16, 22), AT(sip4, 24), AT(dip4, 28), AT(nhip4, 32),
	END,
};

static const struct rowfield augsnmpout_4[] = {
	AT2(enc_c_state, 0, 12), AT(application, 14), AT(sport, 16), AT(dport, 18), AT(sip4, 20),
	AT(dip4, 24), AT(output16, 28),
	END,
};

static const struct rowfield augmented_5[] = {
	AT(enc_d, 0), AT(application, 6), AT(sport, 8), AT(dport, 10), AT(duration_ms32, 12),
	AT(packets32, 16), AT(bytes32, 20), AT(sip4, 24), AT(dip4, 28),
	END,
};

static const struct rowfield augrouting_5[] = {
	AT(enc_d, 0), AT(application, 6), AT(sport, 8), AT(dport, 10), AT(duration_ms32, 12),
	AT(packets32, 16), AT(bytes32, 20), AT(sip4, 24), AT(dip4, 28), AT(nhip4, 32),
	AT(input16, 36), AT(output16, 38),
	END,
};

static const struct rowfield augsnmpout_5[] = {
	AT(enc_d, 0), AT(application, 6), AT(sport, 8), AT(dport, 10), AT(duration_ms32, 12),
	AT(packets32, 16), AT(bytes32, 20), AT(sip4, 24), AT(dip4, 28), AT(output16, 32),
	END,
};

static const struct rowfield augweb_1[] = {
	AT(sip4, 0), AT(dip4, 4), AT2(enc_b_web_state, 8, 24), AT2(web_ports_b, 16, 20),
	AT(application, 22),
	END,
};

static const struct rowfield augweb_4[] = {
	AT2(enc_c_web_state, 0, 12), AT(application, 14), AT(sip4, 16), AT(dip4, 20),
	AT2(web_ports_c, 8, 24),
	END,
};

static const struct rowfield augweb_5[] = {
	AT2(enc_d_web, 0, 8), AT2(web_ports_d, 0, 28), AT(application, 6), AT(packets32, 12),
	AT(bytes32, 16), AT(sip4, 20), AT(dip4, 24),
	END,
};

static const struct rowfield split_1[] = {
	AT(sip4, 0), AT(dip4, 4), AT(sport, 8), AT(dport, 10), AT(enc_a, 12), AT(protocol, 20),
	AT(flags, 21),
	END,
};

static const struct rowfield notrouted_1[] = {
	AT(sip4, 0), AT(dip4, 4), AT(sport, 8), AT(dport, 10), AT(enc_a, 12), AT(protocol, 20),
	AT(flags, 21), AT(input8, 22),
	END,
};

static const struct rowfield routed_1[] = {
	AT(sip4, 0), AT(dip4, 4), AT(nhip4, 8), AT(sport, 12), AT(dport, 14), AT(enc_a, 16),
	AT(protocol, 24), AT(flags, 25), AT(input8, 26), AT(output8, 27),
	END,
};

static const struct rowfield split_3[] = {
	AT(sip4, 0), AT(dip4, 4), AT(sport, 8), AT(dport, 10), AT(enc_b, 12),
	END,
};

static const struct rowfield notrouted_3[] = {
	AT(sip4, 0), AT(dip4, 4), AT(sport, 8), AT(dport, 10), AT(enc_b, 12), AT(input16, 24),
	END,
};

static const struct rowfield routed_3[] = {
	AT(sip4, 0), AT(dip4, 4), AT(sport, 8), AT(dport, 10), AT(enc_b, 12), AT(nhip4, 24),
	AT(input16, 28), AT(output16, 30),
	END,
};

static const struct rowfield split_5[] = {
	AT(enc_c, 0), AT(sport, 12), AT(dport, 14), AT(sip4, 16), AT(dip4, 20),
	END,
};

static const struct rowfield notrouted_5[] = {
	AT(enc_c, 0), AT(sport, 12), AT(dport, 14), AT(sip4, 16), AT(dip4, 20), AT(input16, 24),
	END,
};

static const struct rowfield routed_5[] = {
	AT(enc_c, 0), AT(sport, 12), AT(dport, 14), AT(input16, 16), AT(output16, 18),
	AT(sip4, 20), AT(dip4, 24), AT(nhip4, 28),
	END,
};

static const struct rowfield www_1[] = {
	AT(sip4, 0), AT(dip4, 4), AT(enc_a, 8), AT2(web_a, 18, 16),
	END,
};

static const struct rowfield www_3[] = {
	AT(sip4, 0), AT(dip4, 4), AT(enc_b_web, 8), AT2(web_ports_b, 16, 20),
	END,
};

static const struct rowfield www_5[] = {
	AT(enc_c_web, 0), AT(sip4, 12), AT(dip4, 16), AT2(web_ports_c, 8, 20),
	END,
};

static const struct rowfield filter_1[] = {
	AT(sip4, 0), AT(dip4, 4), AT(sport, 8), AT(dport, 10), AT(protocol, 12), AT(flags, 13),
	AT(input8, 14), AT(output8, 15), AT(nhip4, 16), AT(start_s32, 20), AT(filter1, 24),
	END,
};

static const struct rowfield filter_2[] = {
	AT(sip4, 0), AT(dip4, 4), AT(sport, 8), AT(dport, 10), AT(protocol, 12), AT(flags, 13),
	AT(input8, 14), AT(output8, 15), AT(nhip4, 16), AT(start_s32, 20), AT(filter2, 24),
	END,
};

static const struct rowfield filter_3[] = {
	AT(sip4, 0), AT(dip4, 4), AT(sport, 8), AT(dport, 10), AT(nhip4, 12), AT(input16, 16),
	AT(output16, 18), AT(start_s32, 20), AT(duration_s32, 24), AT(filter3, 28),
	AT(sensor16, 36), AT(protocol, 38), AT(flags, 39),
	END,
};

static const struct rowfield filter_4[] = {
	AT(sip4, 0), AT(dip4, 4), AT(sport, 8), AT(dport, 10), AT(nhip4, 12), AT(input16, 16),
	AT(output16, 18), AT(start_s32, 20), AT(duration_s32, 24), AT(filter5, 28),
	AT(sensor16, 36), AT(flowtype, 38), AT(application, 40),
	END,
};

static const struct rowfield flowcap_2[] = {
	AT(sip4, 0), AT(dip4, 4), AT(bytes32, 8), AT(start_s32, 12), AT(duration_s16, 16),
	AT(sport, 18), AT(dport, 20), AT(input8, 22), AT(output8, 23), AT(packets24, 24),
	AT(protocol, 27), AT(flags, 28), AT(zero8, 29),
	END,
};

static const struct rowfield flowcap_3[] = {
	AT(sip4, 0), AT(dip4, 4), AT(bytes32, 8), AT(start_s32, 12), AT(duration_s16, 16),
	AT(sport, 18), AT(dport, 20), AT(application, 22), AT(input8, 24), AT(output8, 25),
	AT(packets24, 26), AT(protocol, 29), AT(flowcap_tcpstate, 30), AT(flowcap_fraction, 33),
	END,
};

static const struct rowfield flowcap_4[] = {
	AT(sip4, 0), AT(dip4, 4), AT(bytes32, 8), AT(start_s32, 12), AT(duration_s16, 16),
	AT(sport, 18), AT(dport, 20), AT(application, 22), AT(input8, 24), AT(output8, 25),
	AT(packets24, 26), AT(protocol, 29), AT(flowcap_tcpstate, 30), AT(flowcap_fraction, 33),
	AT(nhip4, 36),
	END,
};

static const struct rowfield flowcap_5[] = {
	AT(sip4, 0), AT(dip4, 4), AT(bytes32, 8), AT(start_s32, 12), AT(duration_s16, 16),
	AT(sport, 18), AT(dport, 20), AT(application, 22), AT(input16, 24), AT(output16, 26),
	AT(packets24, 28), AT(protocol, 31), AT(flowcap_tcpstate, 32), AT(flowcap_fraction, 35),
	END,
};

static const struct rowfield flowcap_6[] = {
	AT(sip4, 0), AT(dip4, 4), AT(bytes32, 8), AT(start_s32, 12), AT(duration_s16, 16),
	AT(sport, 18), AT(dport, 20), AT(application_lost, 22), AT(input16, 24), AT(output16, 26),
	AT(packets24, 28), AT(protocol, 31), AT(flowcap_tcpstate, 32), AT(flowcap_fraction, 35),
	END,
};

/* clang-format on */

/* ---- what a writer refuses, in SiLK's order ---- */

#define CHECKS(name, ...)                                                                          \
	static const enum rowcheck check_##name[] = { __VA_ARGS__ __VA_OPT__(, ) ROWCHECK_END }

CHECKS(none);
CHECKS(ipv4, ROWCHECK_IPV4);
CHECKS(hour, ROWCHECK_START);
CHECKS(generic_0, ROWCHECK_IPV4, ROWCHECK_INPUT8, ROWCHECK_OUTPUT8, ROWCHECK_SENSOR8);
CHECKS(a, ROWCHECK_IPV4, ROWCHECK_DURATION_11BIT, ROWCHECK_START, ROWCHECK_BPP);
CHECKS(bc, ROWCHECK_IPV4, ROWCHECK_DURATION_12BIT, ROWCHECK_START, ROWCHECK_BPP);
CHECKS(d, ROWCHECK_IPV4, ROWCHECK_START);
CHECKS(web_a, ROWCHECK_IPV4, ROWCHECK_TCP, ROWCHECK_DURATION_11BIT, ROWCHECK_START, ROWCHECK_BPP);
CHECKS(web_bc, ROWCHECK_IPV4, ROWCHECK_TCP, ROWCHECK_DURATION_12BIT, ROWCHECK_START, ROWCHECK_BPP);
CHECKS(web_d, ROWCHECK_IPV4, ROWCHECK_TCP, ROWCHECK_DURATION_30BIT, ROWCHECK_START);
CHECKS(notrouted_1, ROWCHECK_IPV4, ROWCHECK_INPUT8, ROWCHECK_DURATION_11BIT, ROWCHECK_START,
       ROWCHECK_BPP);
CHECKS(routed_1, ROWCHECK_IPV4, ROWCHECK_INPUT8, ROWCHECK_OUTPUT8, ROWCHECK_DURATION_11BIT,
       ROWCHECK_START, ROWCHECK_BPP);
CHECKS(filter_1, ROWCHECK_IPV4, ROWCHECK_INPUT8, ROWCHECK_OUTPUT8, ROWCHECK_DURATION_11BIT,
       ROWCHECK_BPP, ROWCHECK_SENSOR6);
CHECKS(filter_2, ROWCHECK_IPV4, ROWCHECK_INPUT8, ROWCHECK_OUTPUT8, ROWCHECK_SENSOR8,
       ROWCHECK_DURATION_11BIT, ROWCHECK_BPP);
CHECKS(bpp, ROWCHECK_IPV4, ROWCHECK_BPP);

#define V6     ROWFORMAT_IPV6
#define HOUR   ROWFORMAT_PACKED_HEADER
#define SENSOR ROWFORMAT_HEADER_SENSOR
#define SWAP   ROWFORMAT_SWAP_ICMP

/* clang-format off */

/* format, version, record length, flags, layout, checks, encoder of whole rows */
const struct rowformat rowlayout_formats[] = {
	{ FORMAT_RWIPV6ROUTING, 1, 88, V6, ipv6routing_1, check_none, rowcodec_encode_ipv6routing },
	{ FORMAT_RWIPV6ROUTING, 2, 88, V6, ipv6routing_2, check_none, NULL },
	{ FORMAT_RWIPV6ROUTING, 3, 100, V6, ipv6routing_3, check_none, NULL },
	{ FORMAT_RWIPV6, 1, 68, V6, ipv6_1, check_none, NULL },
	{ FORMAT_RWIPV6, 2, 56, V6 | HOUR, ipv6_2, check_hour, NULL },
	{ FORMAT_RWGENERIC, 0, 40, 0, generic_0, check_generic_0, NULL },
	{ FORMAT_RWGENERIC, 1, 37, 0, generic_1, check_generic_0, NULL },
	{ FORMAT_RWGENERIC, 2, 48, 0, generic_2, check_ipv4, NULL },
	{ FORMAT_RWGENERIC, 3, 56, 0, generic_3, check_ipv4, NULL },
	{ FORMAT_RWGENERIC, 4, 56, 0, generic_3, check_ipv4, NULL },
	{ FORMAT_RWGENERIC, 5, 52, 0, generic_5, check_ipv4, NULL },
	{ FORMAT_RWAUGMENTED, 1, 28, HOUR, augmented_1, check_bc, NULL },
	{ FORMAT_RWAUGMENTED, 2, 28, HOUR, augmented_1, check_bc, NULL },
	{ FORMAT_RWAUGMENTED, 3, 28, HOUR, augmented_1, check_bc, NULL },
	{ FORMAT_RWAUGMENTED, 4, 28, HOUR, augmented_4, check_bc, NULL },
	{ FORMAT_RWAUGMENTED, 5, 32, HOUR, augmented_5, check_d, NULL },
	{ FORMAT_RWAUGROUTING, 1, 36, HOUR, augrouting_1, check_bc, NULL },
	{ FORMAT_RWAUGROUTING, 2, 36, HOUR, augrouting_1, check_bc, NULL },
	{ FORMAT_RWAUGROUTING, 3, 36, HOUR, augrouting_1, check_bc, NULL },
	{ FORMAT_RWAUGROUTING, 4, 36, HOUR, augrouting_4, check_bc, NULL },
	{ FORMAT_RWAUGROUTING, 5, 40, HOUR, augrouting_5, check_d, NULL },
	{ FORMAT_RWAUGSNMPOUT, 1, 30, HOUR, augsnmpout_1, check_bc, NULL },
	{ FORMAT_RWAUGSNMPOUT, 2, 30, HOUR, augsnmpout_1, check_bc, NULL },
	{ FORMAT_RWAUGSNMPOUT, 3, 30, HOUR, augsnmpout_1, check_bc, NULL },
	{ FORMAT_RWAUGSNMPOUT, 4, 30, HOUR, augsnmpout_4, check_bc, NULL },
	{ FORMAT_RWAUGSNMPOUT, 5, 34, HOUR, augsnmpout_5, check_d, NULL },
	{ FORMAT_RWAUGWEB, 1, 26, HOUR, augweb_1, check_web_bc, NULL },
	{ FORMAT_RWAUGWEB, 2, 26, HOUR, augweb_1, check_web_bc, NULL },
	{ FORMAT_RWAUGWEB, 3, 26, HOUR, augweb_1, check_web_bc, NULL },
	{ FORMAT_RWAUGWEB, 4, 26, HOUR, augweb_4, check_web_bc, NULL },
	{ FORMAT_RWAUGWEB, 5, 30, HOUR, augweb_5, check_web_d, NULL },
	{ FORMAT_RWNOTROUTED, 1, 23, HOUR | SWAP, notrouted_1, check_notrouted_1, NULL },
	{ FORMAT_RWNOTROUTED, 2, 23, HOUR | SWAP, notrouted_1, check_notrouted_1, NULL },
	{ FORMAT_RWNOTROUTED, 3, 26, HOUR | SWAP, notrouted_3, check_bc, NULL },
	{ FORMAT_RWNOTROUTED, 4, 26, HOUR | SWAP, notrouted_3, check_bc, NULL },
	{ FORMAT_RWNOTROUTED, 5, 26, HOUR | SWAP, notrouted_5, check_bc, NULL },
	{ FORMAT_RWROUTED, 1, 28, HOUR | SWAP, routed_1, check_routed_1, NULL },
	{ FORMAT_RWROUTED, 2, 28, HOUR | SWAP, routed_1, check_routed_1, NULL },
	{ FORMAT_RWROUTED, 3, 32, HOUR | SWAP, routed_3, check_bc, NULL },
	{ FORMAT_RWROUTED, 4, 32, HOUR | SWAP, routed_3, check_bc, NULL },
	{ FORMAT_RWROUTED, 5, 32, HOUR | SWAP, routed_5, check_bc, NULL },
	{ FORMAT_RWSPLIT, 1, 22, HOUR | SWAP, split_1, check_a, NULL },
	{ FORMAT_RWSPLIT, 2, 22, HOUR | SWAP, split_1, check_a, NULL },
	{ FORMAT_RWSPLIT, 3, 24, HOUR | SWAP, split_3, check_bc, NULL },
	{ FORMAT_RWSPLIT, 4, 24, HOUR | SWAP, split_3, check_bc, NULL },
	{ FORMAT_RWSPLIT, 5, 24, HOUR | SWAP, split_5, check_bc, NULL },
	{ FORMAT_RWWWW, 1, 20, HOUR | SWAP, www_1, check_web_a, NULL },
	{ FORMAT_RWWWW, 2, 20, HOUR | SWAP, www_1, check_web_a, NULL },
	{ FORMAT_RWWWW, 3, 22, HOUR | SWAP, www_3, check_web_bc, NULL },
	{ FORMAT_RWWWW, 4, 22, HOUR | SWAP, www_3, check_web_bc, NULL },
	{ FORMAT_RWWWW, 5, 22, HOUR | SWAP, www_5, check_web_bc, NULL },
	{ FORMAT_RWFILTER, 1, 32, SWAP, filter_1, check_filter_1, NULL },
	{ FORMAT_RWFILTER, 2, 32, SWAP, filter_2, check_filter_2, NULL },
	{ FORMAT_RWFILTER, 3, 40, SWAP, filter_3, check_bpp, NULL },
	{ FORMAT_RWFILTER, 4, 44, SWAP, filter_4, check_bpp, NULL },
	{ FORMAT_RWFILTER, 5, 44, SWAP, filter_4, check_bpp, NULL },
	{ FORMAT_FLOWCAP, 2, 30, SENSOR, flowcap_2, check_ipv4, NULL },
	{ FORMAT_FLOWCAP, 3, 36, SENSOR, flowcap_3, check_ipv4, NULL },
	{ FORMAT_FLOWCAP, 4, 40, SENSOR, flowcap_4, check_ipv4, NULL },
	{ FORMAT_FLOWCAP, 5, 38, SENSOR, flowcap_5, check_ipv4, NULL },
	{ FORMAT_FLOWCAP, 6, 38, SENSOR, flowcap_6, check_ipv4, NULL },
	{ 0, 0, 0, 0, NULL, NULL, NULL },
};
