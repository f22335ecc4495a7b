/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A decoded packet: what the flow table needs to know of it, as values. It points into the
 * captured bytes for those that decode it (ip), and while it is a fragment on its way to
 * reassembly (fragment_bytes).
 */
#ifndef TUSSAH_COMMON_PACKET_H
#define TUSSAH_COMMON_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ip.h"

#define PROTOCOL_ICMP   1
#define PROTOCOL_TCP    6
#define PROTOCOL_UDP    17
#define PROTOCOL_ICMPV6 58

/* IPv4 addresses are in mapped form (common/ip.h). No padding: compared and hashed as words. */
struct flow_key {
	struct ip sip;
	struct ip dip;
	uint16_t sport; /* ICMP: 0 */
	uint16_t dport; /* ICMP: type * 256 + code */
	uint16_t vlan;  /* 12 bits of the innermost tag, 0 without one */
	uint8_t protocol;
	uint8_t version; /* 4 or 6 */
};
_Static_assert(sizeof(struct flow_key) == 40, "flow keys have no padding");

struct packet {
	int64_t time_ns; /* set by the caller of decode_packet() */
	struct flow_key key;
	const uint8_t *ip;      /* the (innermost) IP header; borrowed from the capture */
	uint32_t bytes;         /* layer 3, from the IP header */
	uint32_t payload_bytes; /* bytes less all headers up to transport */
	uint32_t tcp_sequence;
	uint16_t vlan; /* as key.vlan, kept when the key goes without */
	uint8_t tcp_flags;
	uint8_t tos;
	bool mptcp; /* MP_CAPABLE or MP_JOIN option (RFC 8684 3.1, 3.2) */
	bool reassembled;
	uint8_t source_mac[6];
	uint8_t destination_mac[6];

	bool is_fragment; /* then ports and what follows the IP header are not known yet */
	bool fragment_more;
	uint16_t fragment_offset;   /* bytes, a multiple of 8 */
	uint16_t fragment_len;      /* bytes this fragment covers, captured or not */
	uint16_t fragment_captured; /* bytes readable at fragment_bytes */
	uint32_t fragment_id;
	uint32_t fragment_prefix_bytes; /* layer-3 bytes before the fragmented part, its header less
					 */
	const uint8_t *fragment_bytes;  /* borrowed from the capture */
};

#endif
