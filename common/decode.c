/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The headers are walked from the link layer inwards. A struct walk is the bounded reader: it
 * hands out pointers only to bytes that were captured, and knows how many bytes were on the wire,
 * which stands in for the IP length where offloading left that zero.
 */
#include "common/decode.h"

#include <stddef.h>
#include <string.h>

#include "common/bigendian.h"
#include "common/datalink.h"

struct walk {
	const uint8_t *at;
	uint32_t left;      /* captured bytes from at on */
	uint32_t wire_left; /* bytes on the wire from at on */
	struct packet *packet;
};

typedef enum decode_cause (*walk_fn)(struct walk *walk);

struct decode_link {
	int linktype;
	walk_fn walk;
};

const struct metric decode_causes[DECODE_CAUSE_COUNT] = {
	[DECODE_OK] = { "accepted", "packets and datagrams taken into flows" },
	[DECODE_HELD] = { "fragments-held", "fragments kept for reassembly" },
	[DECODE_LINK_SHORT] = { "link-short", "link-layer header cut off" },
	[DECODE_LINK_UNSUPPORTED] = { "link-unsupported",
				      "link-layer frame without a packet that can be read" },
	[DECODE_LOOPBACK_FAMILY] = { "loopback-family",
				     "loopback frame of another family than IP" },
	[DECODE_SHIM_SHORT] = { "shim-short", "VLAN tag, MPLS label or PPPoE header cut off" },
	[DECODE_PPP_PROTOCOL] = { "ppp-protocol", "PPP frame that holds no IP" },
	[DECODE_ARP] = { "arp", "ARP" },
	[DECODE_LLDP] = { "lldp", "LLDP" },
	[DECODE_8023] = { "ieee-802.3", "802.3 frame with a length, or slow protocols" },
	[DECODE_PSEUDOWIRE] = { "mpls-pseudowire", "MPLS payload that is not IP" },
	[DECODE_ETHERTYPE] = { "ethertype", "network protocol other than IP" },
	[DECODE_IPV4_SHORT] = { "ipv4-short", "IPv4 header cut off" },
	[DECODE_IPV4_MALFORMED] = { "ipv4-malformed", "IPv4 version or length fields wrong" },
	[DECODE_IPV6_SHORT] = { "ipv6-short", "IPv6 header cut off" },
	[DECODE_IPV6_MALFORMED] = { "ipv6-malformed", "IPv6 version wrong" },
	[DECODE_IPV6_EXTENSION] = { "ipv6-extension", "IPv6 extension header cut off" },
	[DECODE_NO_NEXT_HEADER] = { "ipv6-no-next-header", "IPv6 packet without payload (59)" },
	[DECODE_TRANSPORT_SHORT] = { "transport-short", "TCP, UDP or ICMP header cut off" },
	[DECODE_FRAGMENT_OFF] = { "fragment-off", "fragment while reassembly is off" },
	[DECODE_FRAGMENT_MALFORMED] = { "fragment-malformed",
					"fragment of impossible place or size" },
	[DECODE_FRAGMENT_OVERLAP] = { "fragment-overlap", "overlapping IPv6 fragment (RFC 5722)" },
	[DECODE_FRAGMENT_HEADER] = { "fragment-header", "datagram without its transport header" },
	[DECODE_IP_VERSION] = { "ip-version", "IP version that was not asked for" },
	[DECODE_LATE] = { "late", "packet older than the clock" },
};

enum {
	ETHERTYPE_8023_END = 0x0600, /* below: IEEE 802.3 length */
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_ARP = 0x0806,
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_SLOW = 0x8809,
	ETHERTYPE_MPLS = 0x8847,
	ETHERTYPE_MPLS_UPSTREAM = 0x8848,
	ETHERTYPE_PPPOE = 0x8864,
	ETHERTYPE_PROVIDER = 0x88a8,
	ETHERTYPE_LLDP = 0x88cc,
	ETHERTYPE_QINQ = 0x9100,
};

#define PPPOE_VERSION_1_SESSION 0x1100 /* version, type, code */

/* The next len bytes, or NULL when they were not captured. */
static const uint8_t *walk_take(struct walk *walk, uint32_t len)
{
	const uint8_t *at = walk->at;

	if (len > walk->left) {
		return NULL;
	}
	walk->at += len;
	walk->left -= len;
	walk->wire_left -= len;
	return at;
}

/* --- transport ------------------------------------------------------------------------------ */

/* Look for MP_CAPABLE or MP_JOIN (kind 30, subtypes 0 and 1); options end at the first damage. */
static bool tcp_has_mptcp(const uint8_t *at, uint32_t left)
{
	while (left >= 2 && at[0] != 0) {
		uint32_t len = at[0] == 1 ? 1 : at[1];

		if (len == 0 || (len < 2 && at[0] != 1) || len > left) {
			break;
		}
		if (at[0] == 30 && len > 2 && at[2] >> 4 <= 1) {
			return true;
		}
		at += len;
		left -= len;
	}
	return false;
}

/*
 * A data offset below the minimum is taken as the minimum: the packet is still a TCP packet
 * with ports.
 */
static enum decode_cause walk_tcp(struct walk *walk, uint32_t *header_bytes)
{
	struct packet *packet = walk->packet;
	const uint8_t *tcp = walk_take(walk, 20);
	const uint8_t *options;
	uint32_t offset;

	if (tcp == NULL) {
		return DECODE_TRANSPORT_SHORT;
	}
	offset = (tcp[12] >> 4) * 4u;
	offset = offset < 20 ? 20 : offset;
	options = walk_take(walk, offset - 20);
	if (options == NULL) {
		return DECODE_TRANSPORT_SHORT;
	}
	packet->key.sport = get_be16(tcp);
	packet->key.dport = get_be16(tcp + 2);
	packet->tcp_sequence = get_be32(tcp + 4);
	packet->tcp_flags = tcp[13];
	packet->mptcp = tcp_has_mptcp(options, offset - 20);
	*header_bytes = offset;
	return DECODE_OK;
}

static enum decode_cause walk_udp(struct walk *walk, uint32_t *header_bytes)
{
	const uint8_t *udp = walk_take(walk, 8);

	if (udp == NULL) {
		return DECODE_TRANSPORT_SHORT;
	}
	walk->packet->key.sport = get_be16(udp);
	walk->packet->key.dport = get_be16(udp + 2);
	*header_bytes = 8;
	return DECODE_OK;
}

static enum decode_cause walk_icmp(struct walk *walk, uint32_t *header_bytes)
{
	const uint8_t *icmp = walk_take(walk, 8);

	if (icmp == NULL) {
		return DECODE_TRANSPORT_SHORT;
	}
	walk->packet->key.dport = get_be16(icmp);
	*header_bytes = 8;
	return DECODE_OK;
}

/* walk is at the transport header; part_bytes is the length of it and all that follows. */
static enum decode_cause walk_transport(struct walk *walk, uint32_t part_bytes)
{
	struct packet *packet = walk->packet;
	uint32_t header_bytes = 0;
	enum decode_cause cause = DECODE_OK;

	switch (packet->key.protocol) {
	case PROTOCOL_TCP:
		cause = walk_tcp(walk, &header_bytes);
		break;
	case PROTOCOL_UDP:
		cause = walk_udp(walk, &header_bytes);
		break;
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		cause = walk_icmp(walk, &header_bytes);
		break;
	default:
		break;
	}
	packet->payload_bytes = part_bytes > header_bytes ? part_bytes - header_bytes : 0;
	return cause;
}

/* --- network -------------------------------------------------------------------------------- */

/* Nothing beyond the IP packet is read: padding and frame checks are not its content. */
static void walk_trim(struct walk *walk, uint32_t len)
{
	walk->left = walk->left < len ? walk->left : len;
	walk->wire_left = walk->wire_left < len ? walk->wire_left : len;
}

static enum decode_cause walk_fragment(struct walk *walk, uint32_t offset, bool more, uint32_t len,
				       uint32_t prefix_bytes)
{
	struct packet *packet = walk->packet;

	/* Whole units but for the last, and nothing past the largest datagram. */
	if ((more && len % 8 != 0) || len == 0 || offset + len > 65535) {
		return DECODE_FRAGMENT_MALFORMED;
	}
	packet->is_fragment = true;
	packet->fragment_more = more;
	packet->fragment_offset = (uint16_t)offset;
	packet->fragment_len = (uint16_t)len;
	packet->fragment_captured = (uint16_t)(walk->left < len ? walk->left : len);
	packet->fragment_prefix_bytes = prefix_bytes;
	packet->fragment_bytes = walk->at;
	return DECODE_OK;
}

static enum decode_cause walk_ipv4(struct walk *walk)
{
	struct packet *packet = walk->packet;
	uint32_t wire_bytes = walk->wire_left;
	const uint8_t *ip = walk_take(walk, 20);
	uint32_t header_bytes, bytes, offset;

	if (ip == NULL) {
		return DECODE_IPV4_SHORT;
	}
	header_bytes = (ip[0] & 0x0f) * 4u;
	if (ip[0] >> 4 != 4 || header_bytes < 20) {
		return DECODE_IPV4_MALFORMED;
	}
	if (walk_take(walk, header_bytes - 20) == NULL) {
		return DECODE_IPV4_SHORT;
	}
	/* Segmentation offload leaves the length zero for the hardware to fill in. */
	bytes = get_be16(ip + 2) != 0 ? get_be16(ip + 2) : wire_bytes;
	if (bytes < header_bytes) {
		return DECODE_IPV4_MALFORMED;
	}
	packet->ip = ip;
	packet->key.version = 4;
	packet->key.protocol = ip[9];
	packet->key.sip = ip_from_v4(get_be32(ip + 12));
	packet->key.dip = ip_from_v4(get_be32(ip + 16));
	packet->tos = ip[1];
	packet->bytes = bytes;
	walk_trim(walk, bytes - header_bytes);
	offset = (get_be16(ip + 6) & 0x1fffu) * 8;
	if (offset != 0 || (ip[6] & 0x20) != 0) {
		packet->fragment_id = get_be16(ip + 4);
		return walk_fragment(walk, offset, (ip[6] & 0x20) != 0, bytes - header_bytes,
				     header_bytes);
	}
	return walk_transport(walk, bytes - header_bytes);
}

enum {
	NEXT_HOP_BY_HOP = 0,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_NONE = 59,
	NEXT_DESTINATION = 60,
};

/*
 * Walk extension headers from the type in key.protocol on, in any order, to the transport header.
 * part_bytes: bytes left of the IP packet. A fragment header of a fragment that is not whole ends
 * the walk; within a reassembled datagram it cannot come again.
 */
static enum decode_cause walk_ipv6_chain(struct walk *walk, uint32_t part_bytes, bool reassembled)
{
	struct packet *packet = walk->packet;

	for (;;) {
		uint8_t type = packet->key.protocol;
		const uint8_t *header;
		uint32_t len = 8;

		if (type == NEXT_NONE) {
			return DECODE_NO_NEXT_HEADER;
		}
		if (type != NEXT_HOP_BY_HOP && type != NEXT_ROUTING && type != NEXT_DESTINATION &&
		    type != NEXT_FRAGMENT) {
			return walk_transport(walk, part_bytes);
		}
		header = walk_take(walk, 8);
		if (header == NULL) {
			return DECODE_IPV6_EXTENSION;
		}
		if (type != NEXT_FRAGMENT) {
			len += header[1] * 8u;
			if (walk_take(walk, len - 8) == NULL) {
				return DECODE_IPV6_EXTENSION;
			}
		}
		part_bytes = part_bytes > len ? part_bytes - len : 0;
		packet->key.protocol = header[0];
		if (type == NEXT_FRAGMENT && (get_be16(header + 2) & 0xfff9) != 0) {
			if (reassembled) {
				return DECODE_FRAGMENT_MALFORMED;
			}
			packet->fragment_id = get_be32(header + 4);
			return walk_fragment(walk, get_be16(header + 2) & 0xfff8u,
					     (header[3] & 1) != 0, part_bytes,
					     packet->bytes - part_bytes - 8);
		}
	}
}

static enum decode_cause walk_ipv6(struct walk *walk)
{
	struct packet *packet = walk->packet;
	const uint8_t *ip = walk_take(walk, 40);
	uint32_t payload_bytes;

	if (ip == NULL) {
		return DECODE_IPV6_SHORT;
	}
	if (ip[0] >> 4 != 6) {
		return DECODE_IPV6_MALFORMED;
	}
	/* Zero: a jumbogram (RFC 2675), with or without its option, or indeed nothing but padding.
	 */
	payload_bytes = get_be16(ip + 4);
	if (payload_bytes == 0 && (ip[6] == NEXT_HOP_BY_HOP || walk->wire_left > 65535)) {
		payload_bytes = walk->wire_left;
	}
	packet->ip = ip;
	packet->key.version = 6;
	packet->key.protocol = ip[6];
	packet->key.sip = ip_from_bytes(ip + 8);
	packet->key.dip = ip_from_bytes(ip + 24);
	packet->tos = (uint8_t)(ip[0] << 4 | ip[1] >> 4);
	packet->bytes = payload_bytes + 40;
	walk_trim(walk, payload_bytes);
	return walk_ipv6_chain(walk, payload_bytes, false);
}

static enum decode_cause walk_ip(struct walk *walk)
{
	if (walk->left == 0) {
		return DECODE_LINK_SHORT;
	}
	switch (walk->at[0] >> 4) {
	case 4:
		return walk_ipv4(walk);
	case 6:
		return walk_ipv6(walk);
	default:
		return DECODE_ETHERTYPE;
	}
}

/* --- link and shims ------------------------------------------------------------------------- */

static enum decode_cause walk_mpls(struct walk *walk)
{
	const uint8_t *label;

	do {
		label = walk_take(walk, 4);
		if (label == NULL) {
			return DECODE_SHIM_SHORT;
		}
	} while ((label[2] & 1) == 0);
	if (walk->left == 0) {
		return DECODE_SHIM_SHORT;
	}
	return walk->at[0] >> 4 == 4 || walk->at[0] >> 4 == 6 ? walk_ip(walk) : DECODE_PSEUDOWIRE;
}

static enum decode_cause walk_ppp_protocol(struct walk *walk, uint16_t protocol)
{
	switch (protocol) {
	case 0x0021:
		return walk_ipv4(walk);
	case 0x0057:
		return walk_ipv6(walk);
	case 0x0281:
	case 0x0283:
		return walk_mpls(walk);
	default:
		return DECODE_PPP_PROTOCOL;
	}
}

static enum decode_cause walk_pppoe(struct walk *walk)
{
	const uint8_t *header = walk_take(walk, 8); /* 6 of PPPoE, 2 of the PPP number */

	if (header == NULL) {
		return DECODE_SHIM_SHORT;
	}
	return walk_ppp_protocol(walk, get_be16(header + 6));
}

/* What an Ethertype leads to; tags are peeled off in the loop of walk_ethertype(). */
static enum decode_cause walk_network(struct walk *walk, uint16_t type)
{
	switch (type) {
	case ETHERTYPE_IPV4:
		return walk_ipv4(walk);
	case ETHERTYPE_IPV6:
		return walk_ipv6(walk);
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_UPSTREAM:
		return walk_mpls(walk);
	case ETHERTYPE_PPPOE:
		return walk_pppoe(walk);
	case ETHERTYPE_ARP:
		return DECODE_ARP;
	case ETHERTYPE_LLDP:
		return DECODE_LLDP;
	case ETHERTYPE_SLOW:
		return DECODE_8023;
	default:
		return type < ETHERTYPE_8023_END ? DECODE_8023 : DECODE_ETHERTYPE;
	}
}

static enum decode_cause walk_ethertype(struct walk *walk, uint16_t type)
{
	while (type == ETHERTYPE_VLAN || type == ETHERTYPE_PROVIDER || type == ETHERTYPE_QINQ) {
		const uint8_t *tag = walk_take(walk, 4);

		if (tag == NULL) {
			return DECODE_SHIM_SHORT;
		}
		walk->packet->vlan = get_be16(tag) & 0x0fff;
		walk->packet->key.vlan = walk->packet->vlan;
		type = get_be16(tag + 2);
	}
	return walk_network(walk, type);
}

static enum decode_cause walk_ethernet(struct walk *walk)
{
	const uint8_t *header = walk_take(walk, 14);

	if (header == NULL) {
		return DECODE_LINK_SHORT;
	}
	memcpy(walk->packet->destination_mac, header, 6);
	memcpy(walk->packet->source_mac, header + 6, 6);
	return walk_ethertype(walk, get_be16(header + 12));
}

/* Session packets of PPPoE by themselves (tcpdump's view), or in Ethernet (YAF's). */
static enum decode_cause walk_pppoe_link(struct walk *walk)
{
	return walk->left >= 2 && get_be16(walk->at) == PPPOE_VERSION_1_SESSION
		       ? walk_pppoe(walk)
		       : walk_ethernet(walk);
}

static enum decode_cause walk_ppp(struct walk *walk)
{
	const uint8_t *header;

	if (walk->left >= 2 && walk->at[0] == 0xff && walk->at[1] == 0x03) {
		walk_take(walk, 2);
	}
	header = walk_take(walk, 1);
	if (header == NULL) {
		return DECODE_LINK_SHORT;
	}
	/* An odd first octet is a compressed number (RFC 1661 6.5). */
	if (header[0] & 1) {
		return walk_ppp_protocol(walk, header[0]);
	}
	return walk_take(walk, 1) == NULL ? DECODE_LINK_SHORT
					  : walk_ppp_protocol(walk, get_be16(header));
}

static enum decode_cause walk_hdlc(struct walk *walk)
{
	const uint8_t *header = walk_take(walk, 4);

	return header == NULL ? DECODE_LINK_SHORT : walk_ethertype(walk, get_be16(header + 2));
}

/* PPP in HDLC framing, or Cisco's, told apart by the address octet. */
static enum decode_cause walk_ppp_serial(struct walk *walk)
{
	return walk->left > 0 && walk->at[0] == 0xff ? walk_ppp(walk) : walk_hdlc(walk);
}

static enum decode_cause walk_cooked(struct walk *walk)
{
	const uint8_t *header = walk_take(walk, 16);

	if (header == NULL) {
		return DECODE_LINK_SHORT;
	}
	if (get_be16(header + 4) == 6) {
		memcpy(walk->packet->source_mac, header + 6, 6);
	}
	return walk_ethertype(walk, get_be16(header + 14));
}

static enum decode_cause walk_cooked2(struct walk *walk)
{
	const uint8_t *header = walk_take(walk, 20);

	if (header == NULL) {
		return DECODE_LINK_SHORT;
	}
	if (header[11] == 6) {
		memcpy(walk->packet->source_mac, header + 12, 6);
	}
	return walk_ethertype(walk, get_be16(header));
}

/* Four octets of family, in the byte order of the host that captured (DLT_LOOP: network order). */
static enum decode_cause walk_loopback(struct walk *walk)
{
	const uint8_t *header = walk_take(walk, 4);
	uint32_t family;

	if (header == NULL) {
		return DECODE_LINK_SHORT;
	}
	family = get_be32(header);
	family = family > 0xffff ? __builtin_bswap32(family) : family;
	switch (family) {
	case 2:
		return walk_ipv4(walk);
	case 10: /* Linux */
	case 23: /* Windows */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* macOS */
		return walk_ipv6(walk);
	default:
		return DECODE_LOOPBACK_FAMILY;
	}
}

static enum decode_cause walk_juniper(struct walk *walk)
{
	const uint8_t *header = walk_take(walk, 4);
	uint8_t flags;

	if (header == NULL) {
		return DECODE_LINK_SHORT;
	}
	if (memcmp(header, "MGC", 3) != 0) {
		return DECODE_LINK_UNSUPPORTED;
	}
	flags = header[3];
	if (flags & 0x80) {
		const uint8_t *length = walk_take(walk, 2);

		if (length == NULL || walk_take(walk, get_be16(length)) == NULL) {
			return DECODE_LINK_SHORT;
		}
	}
	return flags & 0x02 ? walk_ip(walk) : walk_ethernet(walk);
}

static enum decode_cause walk_80211_frame(struct walk *walk, bool padded)
{
	struct datalink header;
	enum decode_cause cause = datalink_80211(walk->at, walk->left, padded, &header);

	if (cause != DECODE_OK) {
		return cause;
	}
	memcpy(walk->packet->source_mac, header.source, 6);
	memcpy(walk->packet->destination_mac, header.destination, 6);
	walk_take(walk, header.bytes);
	return walk_ethertype(walk, header.ethertype);
}

static enum decode_cause walk_80211(struct walk *walk)
{
	return walk_80211_frame(walk, false);
}

static enum decode_cause walk_radiotap(struct walk *walk)
{
	uint32_t len;
	bool padded;
	enum decode_cause cause = datalink_radiotap(walk->at, walk->left, &len, &padded);

	if (cause != DECODE_OK) {
		return cause;
	}
	walk_take(walk, len);
	return walk_80211_frame(walk, padded);
}

static enum decode_cause walk_nflog(struct walk *walk)
{
	uint32_t at;
	uint32_t len;
	enum decode_cause cause = datalink_nflog(walk->at, walk->left, &at, &len);

	if (cause != DECODE_OK) {
		return cause;
	}
	walk_take(walk, at);
	walk_trim(walk, len);
	return walk_ip(walk);
}

static const struct decode_link decode_links[] = {
	{ 0, walk_loopback },    /* BSD loopback */
	{ 1, walk_ethernet },    /* Ethernet */
	{ 9, walk_ppp },         /* PPP */
	{ 12, walk_ip },         /* raw IP, as libpcap calls it */
	{ 14, walk_ip },         /* raw IP, on OpenBSD */
	{ 50, walk_ppp_serial }, /* PPP in HDLC framing */
	{ 51, walk_pppoe_link }, /* PPP over Ethernet */
	{ 101, walk_ip },        /* raw IP, in files */
	{ 104, walk_hdlc },      /* Cisco HDLC */
	{ 105, walk_80211 },     /* IEEE 802.11 */
	{ 108, walk_loopback },  /* OpenBSD loopback */
	{ 113, walk_cooked },    /* Linux cooked, version 1 */
	{ 127, walk_radiotap },  /* IEEE 802.11 behind radiotap */
	{ 178, walk_juniper },   /* Juniper Ethernet */
	{ 219, walk_mpls },      /* MPLS */
	{ 228, walk_ipv4 },      /* IPv4 */
	{ 229, walk_ipv6 },      /* IPv6 */
	{ 239, walk_nflog },     /* NFLOG of Linux */
	{ 276, walk_cooked2 },   /* Linux cooked, version 2 */
};

const struct decode_link *decode_link_find(int linktype)
{
	for (size_t i = 0; i < sizeof(decode_links) / sizeof(decode_links[0]); i++) {
		if (decode_links[i].linktype == linktype) {
			return &decode_links[i];
		}
	}
	return NULL;
}

enum decode_cause decode_packet(const struct decode_link *link, const uint8_t *bytes,
				uint32_t captured, uint32_t wire_len, struct packet *out)
{
	struct walk walk = {
		.at = bytes,
		.left = captured,
		.wire_left = wire_len > captured ? wire_len : captured,
		.packet = out,
	};
	/* what tells of a fragment is set where there is one; less is cleared by better code */
	memset((char *)out + offsetof(struct packet, key), 0,
	       offsetof(struct packet, fragment_more) - offsetof(struct packet, key));
	return link->walk(&walk);
}

enum decode_cause decode_reassembled(const uint8_t *bytes, uint32_t captured, uint32_t total_bytes,
				     struct packet *packet)
{
	struct walk walk = {
		.at = bytes,
		.left = captured < total_bytes ? captured : total_bytes,
		.wire_left = total_bytes,
		.packet = packet,
	};

	return packet->key.version == 6 ? walk_ipv6_chain(&walk, total_bytes, true)
					: walk_transport(&walk, total_bytes);
}
