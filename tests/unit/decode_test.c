/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/decode.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define MACS                                                                                       \
	"020000000002"                                                                             \
	"020000000001"
#define ETH4 MACS "0800"
#define ETH6 MACS "86dd"
#define UDP4                                                                                       \
	"4500001f 00010000 4011 0000 0a000001 0a000002"                                            \
	"1f41 0035 000b 0000 616263"
#define TCP4                                                                                       \
	"45b80030 00010000 4006 0000 0a000001 0a000002"                                            \
	"9c41 0050 000003e8 00000000 7012 ffff 0000 0000 020405b4 01010402"
#define ICMP4                                                                                      \
	"4500001c 00010000 4001 0000 0a000001 0a000002"                                            \
	"0303 0000 00000000"
#define ADDR6                                                                                      \
	"20010db8000000000000000000000001"                                                         \
	"20010db8000000000000000000000002"
#define IP6(length, next) "6b812345 " length next "40" ADDR6
#define UDP8              "1b59 1b5a 0008 0000"
#define PAD8              "00 0104 00000000" /* rest of an extension header of 8 bytes, after its type */

/* Frame control, duration, three addresses, sequence control. */
#define WLAN(control, sequence) control "0000 020000000001 020000000002 020000000003" sequence
#define SNAP                    "aaaa03000000"

#define REFUSED(cause) cause, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0

struct decode_case {
	const char *name;
	int linktype;
	const char *hex;
	enum decode_cause cause;
	uint32_t need; /* captured bytes without which it is refused; 0: do not look */
	uint8_t version, protocol, tos, flags;
	uint16_t sport, dport, vlan;
	uint32_t bytes, payload_bytes;
};

/* clang-format off */
static const struct decode_case cases[] = {
	{ "udp", 1, ETH4 UDP4, DECODE_OK, 42, 4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "tcp with options", 1, ETH4 TCP4, DECODE_OK, 62, 4, 6, 0xb8, 0x12, 40001, 80, 0, 48, 0 },
	{ "icmp", 1, ETH4 ICMP4, DECODE_OK, 42, 4, 1, 0, 0, 0, 0x303, 0, 28, 0 },
	{ "padding is not payload", 1, ETH4 ICMP4 "000000000000000000000000", DECODE_OK, 42,
	  4, 1, 0, 0, 0, 0x303, 0, 28, 0 },
	{ "protocol without ports", 1, ETH4 "4500001c 00010000 4032 0000 0a000001 0a000002" "0102030405060708",
	  DECODE_OK, 34, 4, 50, 0, 0, 0, 0, 0, 28, 8 },
	{ "ip options", 1, ETH4 "46000020 00010000 4001 0000 0a000001 0a000002 94040000" "0800 0000 00000000",
	  DECODE_OK, 46, 4, 1, 0, 0, 0, 0x800, 0, 32, 0 },
	{ "tcp data offset 3 is read as 5", 1, ETH4 "45000028 00010000 4006 0000 0a000001 0a000002"
	  "0001 0002 00000001 00000000 3002 ffff 0000 0000", DECODE_OK, 54, 4, 6, 0, 2, 1, 2, 0, 40, 0 },
	{ "length 0 is taken from the wire", 1, ETH4 "45000000 00010000 4011 0000 0a000001 0a000002" UDP8 "6162",
	  DECODE_OK, 0, 4, 17, 0, 0, 7001, 7002, 0, 30, 2 },
	{ "length beyond the capture", 1, ETH4 "450005dc 00010000 4011 0000 0a000001 0a000002" UDP8,
	  DECODE_OK, 42, 4, 17, 0, 0, 7001, 7002, 0, 1500, 1472 },

	{ "ipv6 udp", 1, ETH6 IP6("0008", "11") UDP8, DECODE_OK, 62, 6, 17, 0xb8, 0, 7001, 7002, 0, 48, 0 },
	{ "ipv6 chain", 1, ETH6 IP6("0020", "00") "2b" PAD8 "3c" PAD8 "11" PAD8 UDP8,
	  DECODE_OK, 86, 6, 17, 0xb8, 0, 7001, 7002, 0, 72, 0 },
	{ "ipv6 atomic fragment", 1, ETH6 IP6("0010", "2c") "11 00 0000 22222222" UDP8,
	  DECODE_OK, 70, 6, 17, 0xb8, 0, 7001, 7002, 0, 56, 0 },
	{ "ipv6 ah ends the chain", 1, ETH6 IP6("0008", "33") "11040000 00000000", DECODE_OK, 54,
	  6, 51, 0xb8, 0, 0, 0, 0, 48, 8 },
	{ "icmpv6", 1, ETH6 IP6("0008", "3a") "8700 0000 00000000", DECODE_OK, 62,
	  6, 58, 0xb8, 0, 0, 0x8700, 0, 48, 0 },
	{ "ipv6 without next header", 1, ETH6 IP6("0000", "3b"), REFUSED(DECODE_NO_NEXT_HEADER) },
	{ "ipv6 extension longer than the packet", 1, ETH6 IP6("0008", "00") "11ff" "000000000000" UDP8,
	  REFUSED(DECODE_IPV6_EXTENSION) },
	{ "ipv6 jumbo: length from the wire", 1,
	  ETH6 IP6("0000", "00") "1100c20400010000" UDP8 "61", DECODE_OK, 70,
	  6, 17, 0xb8, 0, 7001, 7002, 0, 57, 1 },
	{ "ipv6 without payload, padded", 1, ETH6 IP6("0000", "63") "000000000000", DECODE_OK, 54,
	  6, 99, 0xb8, 0, 0, 0, 0, 40, 0 },

	{ "vlan", 1, MACS "8100 a064 0800" UDP4, DECODE_OK, 46, 4, 17, 0, 0, 8001, 53, 100, 31, 3 },
	{ "provider tag, innermost id wins", 1, MACS "88a8 01f4 8100 0258 0800" UDP4, DECODE_OK, 50,
	  4, 17, 0, 0, 8001, 53, 600, 31, 3 },
	{ "9100", 1, MACS "9100 01f4 8100 0fff 0800" UDP4, DECODE_OK, 50, 4, 17, 0, 0, 8001, 53, 4095, 31, 3 },
	{ "tag cut off", 1, MACS "8100 01", REFUSED(DECODE_SHIM_SHORT) },
	{ "mpls", 1, MACS "8847 03e81040 03e82140" UDP4, DECODE_OK, 50, 4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "mpls without bottom", 1, MACS "8847 03e81040", REFUSED(DECODE_SHIM_SHORT) },
	{ "mpls pseudowire", 1, MACS "8848 00014140 0200", REFUSED(DECODE_PSEUDOWIRE) },
	{ "vlan and mpls", 1, MACS "8100 004d 8847 0001e140" UDP4, DECODE_OK, 50,
	  4, 17, 0, 0, 8001, 53, 77, 31, 3 },
	{ "pppoe", 1, MACS "8864 1100 0009 0021 0021" UDP4, DECODE_OK, 50, 4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "pppoe lcp", 1, MACS "8864 1100 0009 0006 c021 01010004", REFUSED(DECODE_PPP_PROTOCOL) },
	{ "pppoe discovery", 1, MACS "8863 1109 0000 0004 01010000", REFUSED(DECODE_ETHERTYPE) },
	{ "arp", 1, MACS "0806 0001", REFUSED(DECODE_ARP) },
	{ "lldp", 1, MACS "88cc 0207", REFUSED(DECODE_LLDP) },
	{ "802.3", 1, MACS "0200 424203", REFUSED(DECODE_8023) },
	{ "slow protocols", 1, MACS "8809 0101", REFUSED(DECODE_8023) },
	{ "ipx", 1, MACS "8137 ffff", REFUSED(DECODE_ETHERTYPE) },
	{ "short frame", 1, "02000000", REFUSED(DECODE_LINK_SHORT) },

	{ "version 5", 1, ETH4 "5500001c 00010000 4001 0000 0a000001 0a000002 0800000000000000",
	  REFUSED(DECODE_IPV4_MALFORMED) },
	{ "header of 16 bytes", 1, ETH4 "4400001c 00010000 4001 0000 0a000001 0a000002 0800000000000000",
	  REFUSED(DECODE_IPV4_MALFORMED) },
	{ "length below the header", 1, ETH4 "45000010 00010000 4001 0000 0a000001 0a000002 0800000000000000",
	  REFUSED(DECODE_IPV4_MALFORMED) },
	{ "ipv6 version", 1, ETH6 "4b812345 000811 40" ADDR6 UDP8, REFUSED(DECODE_IPV6_MALFORMED) },
	{ "length cuts the transport header", 1, ETH4 "45000018 00010000 4011 0000 0a000001 0a000002" UDP8,
	  REFUSED(DECODE_TRANSPORT_SHORT) },
	{ "tcp options cut off", 1, ETH4 "45000028 00010000 4006 0000 0a000001 0a000002"
	  "0001 0002 00000001 00000000 f002 ffff 0000 0000", REFUSED(DECODE_TRANSPORT_SHORT) },
	{ "fragment not of whole units", 1, ETH4 "4500001d 00012000 4011 0000 0a000001 0a000002" UDP8 "61",
	  REFUSED(DECODE_FRAGMENT_MALFORMED) },
	{ "fragment past the largest datagram", 1, ETH4 "4500002c 00011fff 4011 0000 0a000001 0a000002"
	  UDP8 UDP8 UDP8, REFUSED(DECODE_FRAGMENT_MALFORMED) },

	{ "raw", 12, UDP4, DECODE_OK, 28, 4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "raw file", 101, IP6("0008", "11") UDP8, DECODE_OK, 48, 6, 17, 0xb8, 0, 7001, 7002, 0, 48, 0 },
	{ "raw neither", 101, "75000000", REFUSED(DECODE_ETHERTYPE) },
	{ "ipv4", 228, UDP4, DECODE_OK, 28, 4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "ipv6", 229, IP6("0008", "11") UDP8, DECODE_OK, 48, 6, 17, 0xb8, 0, 7001, 7002, 0, 48, 0 },
	{ "cooked", 113, "0000 0001 0006 020000000001 0000 8100 0009 0800" UDP4, DECODE_OK, 48,
	  4, 17, 0, 0, 8001, 53, 9, 31, 3 },
	{ "cooked 2", 276, "0800 0000 00000002 0001 00 06 020000000001 0000" UDP4, DECODE_OK, 48,
	  4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "null, little endian", 0, "02000000" UDP4, DECODE_OK, 32, 4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "null, big endian", 0, "0000001c" IP6("0008", "11") UDP8, DECODE_OK, 52,
	  6, 17, 0xb8, 0, 7001, 7002, 0, 48, 0 },
	{ "loop", 108, "00000018" IP6("0008", "11") UDP8, DECODE_OK, 52,
	  6, 17, 0xb8, 0, 7001, 7002, 0, 48, 0 },
	{ "null, other family", 0, "63000000" UDP4, REFUSED(DECODE_LOOPBACK_FAMILY) },
	{ "ppp", 9, "ff03 0021" UDP4, DECODE_OK, 32, 4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "ppp, no address field, compressed number", 9, "21" UDP4, DECODE_OK, 29,
	  4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "ppp ipv6", 9, "0057" IP6("0008", "11") UDP8, DECODE_OK, 50, 6, 17, 0xb8, 0, 7001, 7002, 0, 48, 0 },
	{ "ppp lcp", 9, "ff03 c021 01010004", REFUSED(DECODE_PPP_PROTOCOL) },
	{ "hdlc", 104, "0f00 0800" UDP4, DECODE_OK, 32, 4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "pppoe link", 51, "1100 0009 0021 0021" UDP4, DECODE_OK, 36, 4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "pppoe link as ethernet", 51, ETH4 UDP4, DECODE_OK, 42, 4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "ppp serial as hdlc", 50, "0f00 0800" UDP4, DECODE_OK, 32, 4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "juniper", 178, "4d474301" ETH4 UDP4, DECODE_OK, 46, 4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "juniper with extensions", 178, "4d474381 0006 010441424344" ETH4 UDP4, DECODE_OK, 54,
	  4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "802.11 data", 105, WLAN("0802", "0000") SNAP "0800" UDP4, DECODE_OK, 60, 4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "802.11 ipv6", 105, WLAN("0801", "0000") SNAP "86dd" IP6("0008", "11") UDP8, DECODE_OK, 80,
	  6, 17, 0xb8, 0, 7001, 7002, 0, 48, 0 },
	{ "802.11 between access points", 105, WLAN("0803", "0000") "020000000004" SNAP "0800" UDP4, DECODE_OK, 66,
	  4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "802.11 qos", 105, WLAN("8801", "0000") "0000" SNAP "0800" UDP4, DECODE_OK, 62, 4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "802.11 qos and ht", 105, WLAN("8881", "0000") "0000 00000000" SNAP "0800" UDP4, DECODE_OK, 66,
	  4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "802.11 vlan", 105, WLAN("0801", "0000") SNAP "8100 0007 0800" UDP4, DECODE_OK, 64,
	  4, 17, 0, 0, 8001, 53, 7, 31, 3 },
	{ "802.11 arp", 105, WLAN("0802", "0000") SNAP "0806 00010800", REFUSED(DECODE_ARP) },
	{ "802.11 without snap", 105, WLAN("0802", "0000") "424203 0000000000", REFUSED(DECODE_8023) },
	{ "802.11 beacon", 105, WLAN("8000", "0000") "0011223344556677", REFUSED(DECODE_LINK_UNSUPPORTED) },
	{ "802.11 null data", 105, WLAN("4801", "0000"), REFUSED(DECODE_LINK_UNSUPPORTED) },
	{ "802.11 encrypted", 105, WLAN("0841", "0000") SNAP "0800" UDP4, REFUSED(DECODE_LINK_UNSUPPORTED) },
	{ "802.11 later fragment", 105, WLAN("0801", "0100") SNAP "0800" UDP4, REFUSED(DECODE_LINK_UNSUPPORTED) },
	{ "802.11 aggregate", 105, WLAN("8801", "0000") "8000" SNAP "0800" UDP4, REFUSED(DECODE_LINK_UNSUPPORTED) },
	{ "radiotap", 127, "0000 0800 00000000" WLAN("0802", "0000") SNAP "0800" UDP4, DECODE_OK, 68,
	  4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "radiotap with padding", 127, "0000 1900 030000a0 00000000 00000000 0011223344556677 20" WLAN("8802", "0000") "0000 0000" SNAP
	  "0800" UDP4, DECODE_OK, 89, 4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "radiotap version", 127, "0100 0800 00000000" WLAN("0802", "0000"), REFUSED(DECODE_LINK_UNSUPPORTED) },
	{ "radiotap length", 127, "0000 0700 00000000" WLAN("0802", "0000"), REFUSED(DECODE_LINK_UNSUPPORTED) },
	{ "nflog", 239, "02000000 0800 0100 08000301 0500 0a00 61000000 2300 0900" UDP4, DECODE_OK, 52,
	  4, 17, 0, 0, 8001, 53, 0, 31, 3 },
	{ "nflog attribute of no length", 239, "02000000 0300 0100 0000", REFUSED(DECODE_LINK_UNSUPPORTED) },
	{ "nflog without a packet", 239, "02000000 0800 0100 08000301", REFUSED(DECODE_LINK_SHORT) },
	{ "juniper magic", 178, "4d474001" ETH4 UDP4, REFUSED(DECODE_LINK_UNSUPPORTED) },
};
/* clang-format on */

/* Bytes of a text of hexadecimal digits and blanks; in a block of exactly that size. */
static uint8_t *unhex(const char *hex, uint32_t *len)
{
	uint8_t *bytes = g_malloc(strlen(hex) / 2 + 1);
	uint32_t digits = 0;

	for (; *hex != '\0'; hex++) {
		if (*hex != ' ') {
			uint8_t digit = (uint8_t)g_ascii_xdigit_value(*hex);

			bytes[digits / 2] =
				(uint8_t)(digits % 2 ? bytes[digits / 2] << 4 | digit : digit);
			digits++;
		}
	}
	*len = digits / 2;
	return bytes;
}

static void check_values(const struct decode_case *c, const struct packet *packet)
{
	CU_ASSERT_EQUAL(packet->time_ns, 7);
	CU_ASSERT(!packet->is_fragment);
	UNIT_ASSERT_U64(packet->key.version, c->version);
	UNIT_ASSERT_U64(packet->key.protocol, c->protocol);
	UNIT_ASSERT_U64(packet->key.sport, c->sport);
	UNIT_ASSERT_U64(packet->key.dport, c->dport);
	UNIT_ASSERT_U64(packet->key.vlan, c->vlan);
	UNIT_ASSERT_U64(packet->vlan, c->vlan);
	UNIT_ASSERT_U64(packet->tos, c->tos);
	UNIT_ASSERT_U64(packet->tcp_flags, c->flags);
	if (c->version == 4) {
		UNIT_ASSERT_U64(ip_to_v4(packet->key.sip), 0x0a000001);
		UNIT_ASSERT_U64(ip_to_v4(packet->key.dip), 0x0a000002);
		CU_ASSERT(ip_is_mapped(packet->key.sip));
	} else {
		UNIT_ASSERT_U64(packet->key.sip.hi, 0x20010db800000000);
		UNIT_ASSERT_U64(packet->key.dip.lo, 2);
	}
}

static void test_cases(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct decode_case *c = &cases[i];
		struct packet packet = { .time_ns = 7 };
		uint32_t len;
		uint8_t *bytes = unhex(c->hex, &len);

		unit_at("%s", c->name);
		UNIT_ASSERT_U64(
			decode_packet(decode_link_find(c->linktype), bytes, len, len, &packet),
			c->cause);
		if (c->cause == DECODE_OK) {
			check_values(c, &packet);
			UNIT_ASSERT_U64(packet.bytes, c->bytes);
			UNIT_ASSERT_U64(packet.payload_bytes, c->payload_bytes);
		}
		g_free(bytes);
	}
}

/* Cut at every byte: refused with a cause, or the same packet; and nothing read past the cut. */
static void test_truncation(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct decode_case *c = &cases[i];
		uint32_t len;
		uint8_t *bytes = unhex(c->hex, &len);

		for (uint32_t cut = 0; cut <= len; cut++) {
			uint8_t *copy = malloc(cut > 0 ? cut : 1);
			struct packet packet = { .time_ns = 7 };
			enum decode_cause cause;

			memcpy(copy, bytes, cut);
			unit_at("%s at %u", c->name, cut);
			cause = decode_packet(decode_link_find(c->linktype), copy, cut, len,
					      &packet);
			CU_ASSERT(cause < DECODE_CAUSE_COUNT);
			if (c->need != 0) {
				CU_ASSERT_EQUAL(cause == DECODE_OK, cut >= c->need);
			}
			if (c->cause == DECODE_OK && cause == DECODE_OK) {
				check_values(c, &packet);
				UNIT_ASSERT_U64(packet.bytes, c->bytes);
			}
			free(copy);
		}
		g_free(bytes);
	}
}

static void test_fragment_fields(void)
{
	static const char hex4[] =
		ETH4 "45000024 12342002 4011 0000 0a000001 0a000002" UDP8 "0102030405060708";
	static const char hex6[] = ETH6 IP6("0018", "00") "2c" PAD8 "3c 00 0011 22222222"
							  "1100010400000000";
	struct packet packet = { 0 };
	uint32_t len;
	uint8_t *bytes = unhex(hex4, &len);

	CU_ASSERT_EQUAL(decode_packet(decode_link_find(1), bytes, len, len, &packet), DECODE_OK);
	CU_ASSERT(packet.is_fragment && packet.fragment_more);
	UNIT_ASSERT_U64(packet.fragment_id, 0x1234);
	UNIT_ASSERT_U64(packet.fragment_offset, 16);
	UNIT_ASSERT_U64(packet.fragment_len, 16);
	UNIT_ASSERT_U64(packet.fragment_captured, 16);
	UNIT_ASSERT_U64(packet.fragment_prefix_bytes, 20);
	CU_ASSERT_PTR_EQUAL(packet.fragment_bytes, bytes + 34);
	/* What was not captured is covered all the same. */
	CU_ASSERT_EQUAL(decode_packet(decode_link_find(1), bytes, 37, len, &packet), DECODE_OK);
	UNIT_ASSERT_U64(packet.fragment_len, 16);
	UNIT_ASSERT_U64(packet.fragment_captured, 3);
	g_free(bytes);

	bytes = unhex(hex6, &len);
	CU_ASSERT_EQUAL(decode_packet(decode_link_find(1), bytes, len, len, &packet), DECODE_OK);
	CU_ASSERT(packet.is_fragment && packet.fragment_more);
	UNIT_ASSERT_U64(packet.fragment_id, 0x22222222);
	UNIT_ASSERT_U64(packet.fragment_offset, 16);
	UNIT_ASSERT_U64(packet.fragment_len, 8);
	UNIT_ASSERT_U64(packet.fragment_prefix_bytes, 48);
	UNIT_ASSERT_U64(packet.key.protocol, 60);
	g_free(bytes);
}

static void test_mptcp(void)
{
	static const struct {
		const char *options;
		bool mptcp;
	} options[] = {
		{ "1e0c0081 0000000000000000", true },  /* MP_CAPABLE */
		{ "01011e08 10050000 00000000", true }, /* MP_JOIN, after padding */
		{ "1e0c2005 0000000000000000", false }, /* DSS */
		{ "00001e0c 0081000000000000", false }, /* after the end */
		{ "1e00 00810000000000000000", false }, /* length 0 */
		{ "1e20 00810000000000000000", false }, /* longer than the header */
	};

	for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
		char *hex = g_strconcat("45000034 00010000 4006 0000 0a000001 0a000002"
					"0001 0002 00000001 00000000 8002 ffff 0000 0000",
					options[i].options, NULL);
		struct packet packet = { 0 };
		uint32_t len;
		uint8_t *bytes = unhex(hex, &len);

		unit_at("%s", options[i].options);
		CU_ASSERT_EQUAL(decode_packet(decode_link_find(228), bytes, len, len, &packet),
				DECODE_OK);
		CU_ASSERT_EQUAL(packet.mptcp, options[i].mptcp);
		g_free(bytes);
		g_free(hex);
	}
}

static void test_tables(void)
{
	CU_ASSERT_PTR_NULL(decode_link_find(147));
	for (size_t i = 0; i < DECODE_CAUSE_COUNT; i++) {
		unit_at("cause %zu", i);
		CU_ASSERT_PTR_NOT_NULL_FATAL(decode_causes[i].name);
		CU_ASSERT_PTR_NOT_NULL(decode_causes[i].help);
		for (size_t j = 0; j < i; j++) {
			CU_ASSERT_STRING_NOT_EQUAL(decode_causes[i].name, decode_causes[j].name);
		}
	}
}

int main(void)
{
	static const struct unit_case unit_cases[] = {
		{ "cases", test_cases },
		{ "truncation", test_truncation },
		{ "fragment fields", test_fragment_fields },
		{ "multipath TCP", test_mptcp },
		{ "tables", test_tables },
		{ NULL, NULL },
	};

	return unit_run("decode", unit_cases);
}
