/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/sampledpacket.h"

#include <string.h>

#include "common/decode.h"

bool sampledpacket_decode(int linktype, const uint8_t *bytes, uint32_t len, uint32_t wire_bytes,
			  struct packet *packet)
{
	const struct decode_link *link = decode_link_find(linktype);

	memset(packet, 0, sizeof(*packet));
	if (!link) {
		return false;
	}
	decode_packet(link, bytes, len, wire_bytes, packet);
	if (packet->is_fragment && packet->fragment_offset == 0) {
		decode_reassembled(packet->fragment_bytes, packet->fragment_captured,
				   packet->fragment_len, packet);
	}
	return packet->key.version != 0;
}

void sampledpacket_fill(struct record *rec, const struct packet *packet)
{
	rec->state = packet->key.version == 6 ? RECORD_IPV6 : 0;
	rec->sip = packet->key.sip;
	rec->dip = packet->key.dip;
	rec->sport = packet->key.sport;
	rec->dport = packet->key.dport;
	rec->protocol = packet->key.protocol;
	rec->flags = packet->tcp_flags;
}
