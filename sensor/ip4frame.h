/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The plain view of a packet that the tools of single packets have (rwptoflow, rwpmatch, rwpdedupe,
 * rwpcut): an Ethernet frame with an IPv4 packet in it, no tags, every fragment by itself. The
 * sensor's own view is common/decode.h.
 *
 *	cause = ip4frame_parse(bytes, captured, &frame);
 *	cause = ip4frame_parse_packet(bytes + link_bytes, captured - link_bytes, &frame);
 *
 * Pure; every read is bounded by the captured length.
 */
#ifndef TUSSAH_SENSOR_IP4FRAME_H
#define TUSSAH_SENSOR_IP4FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IP4FRAME_ETHERNET_BYTES 14

enum ip4frame_cause {
	IP4FRAME_OK,
	IP4FRAME_SHORT,
	IP4FRAME_OTHER, /* not IPv4 */
};

struct ip4frame {
	uint32_t sip, dip;
	uint16_t bytes; /* total length in the IP header */
	uint8_t protocol;
	bool is_fragment;
	bool is_first;    /* not a fragment, or its first one */
	bool is_complete; /* ports, and what TCP has, were captured; true for other protocols */
	bool has_ports;   /* of TCP and UDP, captured; else they are 0 */
	bool has_flags;   /* of TCP, captured; else they are 0 */
	uint16_t sport;   /* of TCP and UDP */
	uint16_t dport;   /* ICMP: type * 256 + code */
	uint8_t tcp_flags;
	const uint8_t *payload; /* behind the IP header; borrowed */
	size_t payload_bytes;   /* captured, and in the packet */
};

enum ip4frame_cause ip4frame_parse(const uint8_t *bytes, size_t captured, struct ip4frame *out);
/* The same from the IP header on, whatever the link is. */
enum ip4frame_cause ip4frame_parse_packet(const uint8_t *ip, size_t captured, struct ip4frame *out);

#endif
