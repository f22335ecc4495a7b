/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packet decode: bytes and a link type in, struct packet out. Pure: no system call, no state, no
 * allocation; every read is bounded by the captured length.
 *
 *	const struct decode_link *link = decode_link_find(pcap_datalink(pcap));
 *	struct packet packet = { .time_ns = now };
 *	enum decode_cause cause = decode_packet(link, bytes, captured, wire_len, &packet);
 *	if (cause != DECODE_OK) {
 *		rejected[cause]++;			// decode_causes[cause].name says why
 *	} else if (packet.is_fragment) {
 *		cause = fragment_add(fragments, &packet);
 *	}
 *
 * Threads: free of state, any number.
 */
#ifndef TUSSAH_COMMON_DECODE_H
#define TUSSAH_COMMON_DECODE_H

#include <stddef.h>

#include "common/metrics.h"
#include "common/packet.h"

/* Why a packet does not become part of a flow. Each has its row in decode_causes. */
enum decode_cause {
	DECODE_OK,
	DECODE_HELD, /* fragment kept until its datagram is whole: not a reject */
	DECODE_LINK_SHORT,
	DECODE_LINK_UNSUPPORTED,
	DECODE_LOOPBACK_FAMILY,
	DECODE_SHIM_SHORT,
	DECODE_PPP_PROTOCOL,
	DECODE_ARP,
	DECODE_LLDP,
	DECODE_8023,
	DECODE_PSEUDOWIRE,
	DECODE_ETHERTYPE,
	DECODE_IPV4_SHORT,
	DECODE_IPV4_MALFORMED,
	DECODE_IPV6_SHORT,
	DECODE_IPV6_MALFORMED,
	DECODE_IPV6_EXTENSION,
	DECODE_NO_NEXT_HEADER,
	DECODE_TRANSPORT_SHORT,
	DECODE_FRAGMENT_OFF,
	DECODE_FRAGMENT_MALFORMED,
	DECODE_FRAGMENT_OVERLAP,
	DECODE_FRAGMENT_HEADER,
	DECODE_IP_VERSION,
	DECODE_LATE,
	DECODE_CAUSE_COUNT
};

/* Name and meaning of each cause, indexed by it. */
extern const struct metric decode_causes[DECODE_CAUSE_COUNT];

struct decode_link;

/* The decoder of a libpcap link type (DLT_ value or LINKTYPE_ number of a file); NULL: none. */
const struct decode_link *decode_link_find(int linktype);

/*
 * Decode one packet. bytes: borrowed; captured bytes are readable, wire_len is the length on the
 * wire (at least captured). *out: time_ns is left alone, all else is set. A fragment other than an
 * atomic one (RFC 6946) comes back as DECODE_OK with is_fragment.
 */
enum decode_cause decode_packet(const struct decode_link *link, const uint8_t *bytes,
				uint32_t captured, uint32_t wire_len, struct packet *out);

/*
 * Decode what follows the headers that were fragmented, once a datagram is whole: the rest of an
 * IPv6 header chain and the transport header. captured bytes of it are readable; total_bytes is
 * the length of the reassembled part. key.protocol holds the protocol (IPv6: next header) of the
 * part; ports, payload_bytes and the TCP members are set.
 */
enum decode_cause decode_reassembled(const uint8_t *bytes, uint32_t captured, uint32_t total_bytes,
				     struct packet *packet);

#endif
