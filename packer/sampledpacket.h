/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A packet that a router sampled, or as much of its beginning as it sent (sFlow's headers; RFC 5477's
 * dataLinkFrameSection and ipHeaderPacketSection), as a record. Pure.
 *
 *	if (sampledpacket_decode(SAMPLEDPACKET_ETHERNET, bytes, len, frame_bytes, &packet)) {
 *		sampledpacket_fill(&rec, &packet);
 */
#ifndef TUSSAH_PACKER_SAMPLEDPACKET_H
#define TUSSAH_PACKER_SAMPLEDPACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/packet.h"
#include "common/record.h"

/* Link types of common/decode.h. */
#define SAMPLEDPACKET_ETHERNET 1
#define SAMPLEDPACKET_IP       101 /* either version */

/* wire_bytes: of the whole packet. *packet is set in any case, its MAC addresses and VLAN also of
 * what is no IP. False: no IP. */
bool sampledpacket_decode(int linktype, const uint8_t *bytes, uint32_t len, uint32_t wire_bytes,
			  struct packet *packet);

/* Addresses, protocol, ports and flags; a packet cut off behind its IP header, and a fragment, are
 * flows without ports. */
void sampledpacket_fill(struct record *rec, const struct packet *packet);

#endif
