/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/ip4frame.h"

#include "common/bigendian.h"
#include "common/packet.h"

#define ETHERTYPE_IPV4   0x0800
#define IPV4_BYTES       20
#define FRAGMENT_MORE    0x2000
#define FRAGMENT_OFFSET  0x1fff
#define PORTS_BYTES      4
#define TCP_FLAGS_OFFSET 13

/* What of the transport header must be there. */
static size_t needed_bytes(uint8_t protocol)
{
	switch (protocol) {
	case PROTOCOL_TCP:
		return TCP_FLAGS_OFFSET + 1;
	case PROTOCOL_UDP:
		return PORTS_BYTES;
	case PROTOCOL_ICMP:
		return 2;
	default:
		return 0;
	}
}

static void parse_transport(struct ip4frame *frame)
{
	const uint8_t *at = frame->payload;
	bool is_tcp = frame->protocol == PROTOCOL_TCP;

	frame->is_complete = frame->payload_bytes >= needed_bytes(frame->protocol);
	if (frame->protocol == PROTOCOL_ICMP && frame->is_complete) {
		frame->dport = get_be16(at);
	}
	frame->has_ports =
		(is_tcp || frame->protocol == PROTOCOL_UDP) && frame->payload_bytes >= PORTS_BYTES;
	if (frame->has_ports) {
		frame->sport = get_be16(at);
		frame->dport = get_be16(at + 2);
	}
	frame->has_flags = is_tcp && frame->is_complete;
	if (frame->has_flags) {
		frame->tcp_flags = at[TCP_FLAGS_OFFSET];
	}
}

enum ip4frame_cause ip4frame_parse_packet(const uint8_t *ip, size_t captured, struct ip4frame *out)
{
	size_t header_bytes;
	unsigned fragment;

	*out = (struct ip4frame){ .is_complete = true };
	if (captured < IPV4_BYTES) {
		return IP4FRAME_SHORT;
	}
	if (ip[0] >> 4 != 4) {
		return IP4FRAME_OTHER;
	}
	header_bytes = (size_t)(ip[0] & 0x0f) * 4;
	fragment = get_be16(ip + 6);
	out->bytes = get_be16(ip + 2);
	out->protocol = ip[9];
	out->sip = get_be32(ip + 12);
	out->dip = get_be32(ip + 16);
	out->is_fragment = fragment & (FRAGMENT_MORE | FRAGMENT_OFFSET);
	out->is_first = !(fragment & FRAGMENT_OFFSET);
	if (header_bytes <= captured) {
		out->payload = ip + header_bytes;
		out->payload_bytes = captured - header_bytes;
	}
	if (out->is_first) {
		parse_transport(out);
	}
	return IP4FRAME_OK;
}

enum ip4frame_cause ip4frame_parse(const uint8_t *bytes, size_t captured, struct ip4frame *out)
{
	*out = (struct ip4frame){ .is_complete = true };
	if (captured < IP4FRAME_ETHERNET_BYTES) {
		return IP4FRAME_SHORT;
	}
	if (get_be16(bytes + 12) != ETHERTYPE_IPV4) {
		return IP4FRAME_OTHER;
	}
	return ip4frame_parse_packet(bytes + IP4FRAME_ETHERNET_BYTES,
				     captured - IP4FRAME_ETHERNET_BYTES, out);
}
