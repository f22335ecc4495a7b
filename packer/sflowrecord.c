/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/sflowrecord.h"

#include <string.h>

#include "packer/sampledpacket.h"

#define VLAN_MAX 4095

enum {
	IE_TOS = 5,
	IE_MASK4 = 9,
	IE_DESTINATION_MASK4 = 13,
	IE_SOURCE_AS = 16,
	IE_DESTINATION_AS = 17,
	IE_BGP_NEXT_HOP4 = 18,
	IE_MASK6 = 29,
	IE_DESTINATION_MASK6 = 30,
	IE_SAMPLING_INTERVAL = 34,
	IE_SOURCE_MAC = 56,
	IE_VLAN = 58,
	IE_POST_VLAN = 59,
	IE_NEXT_HOP6 = 62,
	IE_BGP_NEXT_HOP6 = 63,
	IE_DESTINATION_MAC = 80,
	IE_NAT_SOURCE4 = 225,
	IE_NAT_DESTINATION4 = 226,
	IE_NAT_SPORT = 227,
	IE_NAT_DPORT = 228,
	IE_NAT_SOURCE6 = 281,
	IE_NAT_DESTINATION6 = 282,
};

static void add_number(struct sflowrecord *flow, uint16_t id, uint8_t type, uint64_t number)
{
	extras_add_number(flow->extras, (struct column_key){ 0, id }, type, number);
}

/* An address as the element of its family; none is added for none. */
static void add_address(struct sflowrecord *flow, uint16_t id4, uint16_t id6, uint32_t family,
			struct ip ip)
{
	if (family != XDR_NO_ADDRESS) {
		bool v4 = family == XDR_IPV4;

		extras_add(flow->extras,
			   (struct flowblock_value){
				   .key = { 0, v4 ? id4 : id6 },
				   .type = v4 ? COLUMN_IPV4_ADDRESS : COLUMN_IPV6_ADDRESS,
				   .ip = ip,
			   });
	}
}

void sflowrecord_begin(struct sflowrecord *flow, struct extras *extras, int64_t arrival_ns)
{
	memset(flow, 0, sizeof(*flow));
	record_init(&flow->rec);
	flow->rec.start_ns = arrival_ns;
	flow->rec.packets = 1;
	flow->extras = extras;
	extras_clear(extras);
}

void sflowrecord_head(struct sflowrecord *flow, uint32_t rate, uint32_t input, uint32_t output)
{
	flow->rec.input = input;
	flow->rec.output = output;
	add_number(flow, IE_SAMPLING_INTERVAL, COLUMN_UNSIGNED32, rate);
}

/* ---- the sampled packet ---- */

/* header_protocol of sFlow as a link type of common/decode.h. */
static int sflow_linktype(uint32_t protocol)
{
	static const struct {
		uint32_t protocol;
		int linktype;
	} rows[] = {
		{ 1, SAMPLEDPACKET_ETHERNET },
		{ 7, 9 },    /* PPP */
		{ 11, 228 }, /* IPv4 */
		{ 12, 229 }, /* IPv6 */
		{ 13, 219 }, /* MPLS */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].protocol == protocol) {
			return rows[i].linktype;
		}
	}
	return -1;
}

static void flow_take_packet(struct sflowrecord *flow, const struct packet *packet,
			     uint32_t frame_bytes)
{
	flow->found = true;
	flow->from_header = true;
	flow->tos = packet->tos;
	sampledpacket_fill(&flow->rec, packet);
	flow->rec.bytes = frame_bytes;
	if (!flow->tagged) {
		flow->vlan = packet->vlan;
	}
}

static void flow_header(struct sflowrecord *flow, struct xdr *part, bool stripped)
{
	uint32_t protocol = xdr_u32(part);
	uint32_t frame_bytes = xdr_u32(part);
	int linktype = sflow_linktype(protocol);
	struct packet packet;
	const uint8_t *header;
	uint32_t len;
	bool found;

	if (stripped) {
		xdr_u32(part);
	}
	header = xdr_opaque(part, &len);
	if (!header || linktype < 0 || flow->from_header) {
		return;
	}
	found = sampledpacket_decode(linktype, header, len, frame_bytes, &packet);
	memcpy(flow->source_mac, packet.source_mac, sizeof(flow->source_mac));
	memcpy(flow->destination_mac, packet.destination_mac, sizeof(flow->destination_mac));
	if (found) {
		flow_take_packet(flow, &packet, frame_bytes);
	}
}

static void element_header(struct sflowrecord *flow, struct xdr *part)
{
	flow_header(flow, part, true);
}

static void element_header4(struct sflowrecord *flow, struct xdr *part)
{
	flow_header(flow, part, false);
}

static void element_ethernet(struct sflowrecord *flow, struct xdr *part)
{
	const uint8_t *source, *destination;

	xdr_u32(part); /* length */
	source = xdr_bytes(part, 6);
	destination = xdr_bytes(part, 6);
	xdr_u32(part); /* type */
	if (!part->bad && !flow->from_header) {
		memcpy(flow->source_mac, source, sizeof(flow->source_mac));
		memcpy(flow->destination_mac, destination, sizeof(flow->destination_mac));
	}
}

static void flow_ip(struct sflowrecord *flow, struct xdr *part, bool v6)
{
	struct record rec = flow->rec;
	uint32_t tos;

	rec.bytes = xdr_u32(part);
	rec.protocol = (uint8_t)xdr_u32(part);
	rec.sip = v6 ? xdr_ipv6(part) : xdr_ipv4(part);
	rec.dip = v6 ? xdr_ipv6(part) : xdr_ipv4(part);
	rec.sport = (uint16_t)xdr_u32(part);
	rec.dport = (uint16_t)xdr_u32(part);
	rec.flags = (uint8_t)xdr_u32(part);
	rec.state = v6 ? RECORD_IPV6 : 0;
	tos = xdr_u32(part);
	if (!part->bad && !flow->from_header) {
		flow->found = true;
		flow->tos = (uint8_t)tos;
		flow->rec = rec;
	}
}

static void element_ipv4(struct sflowrecord *flow, struct xdr *part)
{
	flow_ip(flow, part, false);
}

static void element_ipv6(struct sflowrecord *flow, struct xdr *part)
{
	flow_ip(flow, part, true);
}

/* ---- what the agent knows of it ---- */

/* Ids have 12 bits; other numbers, 4294967295 most of all, say that the agent does not know. */
static void element_switch(struct sflowrecord *flow, struct xdr *part)
{
	uint32_t vlan = xdr_u32(part);
	uint32_t post_vlan;

	xdr_u32(part); /* priority */
	post_vlan = xdr_u32(part);
	xdr_u32(part);
	if (!part->bad && vlan <= VLAN_MAX) {
		flow->tagged = true;
		flow->vlan = vlan;
	}
	if (!part->bad && post_vlan <= VLAN_MAX) {
		flow->post_vlan = post_vlan;
	}
}

static void element_router(struct sflowrecord *flow, struct xdr *part)
{
	flow->next_hop = xdr_address(part, &flow->next_hop_family);
	flow->source_mask = xdr_u32(part);
	flow->destination_mask = xdr_u32(part);
}

static void flow_add_as(struct sflowrecord *flow, uint32_t source, uint32_t destination)
{
	if (source) {
		add_number(flow, IE_SOURCE_AS, COLUMN_UNSIGNED32, source);
	}
	if (destination) {
		add_number(flow, IE_DESTINATION_AS, COLUMN_UNSIGNED32, destination);
	}
}

/* The last number of the path, which the packet goes to; segments of version 4 and later. */
static uint32_t path_end(struct xdr *part)
{
	uint32_t segments = xdr_u32(part);
	uint32_t end = 0;

	for (uint32_t i = 0; i < segments && !part->bad; i++) {
		uint32_t count;

		xdr_u32(part); /* set or sequence */
		count = xdr_u32(part);
		if (count > 0) {
			xdr_skip(part, (count - 1) * UINT64_C(4));
			end = xdr_u32(part);
		}
	}
	return end;
}

static void element_gateway4(struct sflowrecord *flow, struct xdr *part)
{
	uint32_t own = xdr_u32(part);
	uint32_t source = xdr_u32(part);
	uint32_t destination;

	xdr_u32(part); /* the peer it came from */
	destination = path_end(part);
	xdr_skip(part, xdr_u32(part) * UINT64_C(4)); /* communities */
	xdr_u32(part);                               /* local preference */
	if (!part->bad) {
		/* an empty path ends where the router is */
		flow_add_as(flow, source, destination ? destination : own);
	}
}

static void element_gateway(struct sflowrecord *flow, struct xdr *part)
{
	uint32_t family;
	struct ip next_hop = xdr_address(part, &family);

	if (!part->bad) {
		add_address(flow, IE_BGP_NEXT_HOP4, IE_BGP_NEXT_HOP6, family, next_hop);
	}
	element_gateway4(flow, part);
}

/* In version 2 the path is a plain list. */
static void element_gateway2(struct sflowrecord *flow, struct xdr *part)
{
	uint32_t own = xdr_u32(part);
	uint32_t source = xdr_u32(part);
	uint32_t destination = own;
	uint32_t count;

	xdr_u32(part);
	count = xdr_u32(part);
	if (count > 0) {
		xdr_skip(part, (count - 1) * UINT64_C(4));
		destination = xdr_u32(part);
	}
	if (!part->bad) {
		flow_add_as(flow, source, destination);
	}
}

static void element_nat(struct sflowrecord *flow, struct xdr *part)
{
	uint32_t source_family, destination_family;
	struct ip source = xdr_address(part, &source_family);
	struct ip destination = xdr_address(part, &destination_family);

	if (!part->bad) {
		add_address(flow, IE_NAT_SOURCE4, IE_NAT_SOURCE6, source_family, source);
		add_address(flow, IE_NAT_DESTINATION4, IE_NAT_DESTINATION6, destination_family,
			    destination);
	}
}

static void element_nat_ports(struct sflowrecord *flow, struct xdr *part)
{
	uint32_t sport = xdr_u32(part);
	uint32_t dport = xdr_u32(part);

	if (!part->bad) {
		add_number(flow, IE_NAT_SPORT, COLUMN_UNSIGNED16, (uint16_t)sport);
		add_number(flow, IE_NAT_DPORT, COLUMN_UNSIGNED16, (uint16_t)dport);
	}
}

static void element_user4(struct sflowrecord *flow, struct xdr *part)
{
	uint32_t len;

	(void)flow;
	xdr_opaque(part, &len);
	xdr_opaque(part, &len);
}

static void element_url4(struct sflowrecord *flow, struct xdr *part)
{
	uint32_t len;

	(void)flow;
	xdr_u32(part); /* direction */
	xdr_opaque(part, &len);
}

struct element {
	uint32_t format;
	void (*take)(struct sflowrecord *flow, struct xdr *part);
};

static bool take_element(const struct element *elements, size_t count, struct sflowrecord *flow,
			 uint32_t format, struct xdr *part, bool unknown)
{
	for (size_t i = 0; i < count; i++) {
		if (elements[i].format == format) {
			elements[i].take(flow, part);
			return !part->bad;
		}
	}
	return unknown;
}
#define TAKE_ELEMENT(elements, flow, format, part, unknown)                                        \
	take_element(elements, sizeof(elements) / sizeof((elements)[0]), flow, format, part,       \
		     unknown)

bool sflowrecord_element(struct sflowrecord *flow, uint32_t format, struct xdr *part)
{
	static const struct element elements[] = {
		{ 1, element_header },     { 2, element_ethernet },  { 3, element_ipv4 },
		{ 4, element_ipv6 },       { 1001, element_switch }, { 1002, element_router },
		{ 1003, element_gateway }, { 1007, element_nat },    { 1020, element_nat_ports },
	};

	return TAKE_ELEMENT(elements, flow, format, part, true);
}

bool sflowrecord_packet4(struct sflowrecord *flow, uint32_t type, struct xdr *part)
{
	static const struct element elements[] = {
		{ 1, element_header4 },
		{ 2, element_ipv4 },
		{ 3, element_ipv6 },
	};

	return TAKE_ELEMENT(elements, flow, type, part, false);
}

bool sflowrecord_extended4(struct sflowrecord *flow, uint32_t version, uint32_t type,
			   struct xdr *part)
{
	static const struct element elements2[] = {
		{ 1, element_switch }, { 2, element_router }, { 3, element_gateway2 },
		{ 4, element_user4 },  { 5, element_url4 },
	};
	static const struct element elements4[] = {
		{ 1, element_switch }, { 2, element_router }, { 3, element_gateway4 },
		{ 4, element_user4 },  { 5, element_url4 },
	};

	return version == 2 ? TAKE_ELEMENT(elements2, flow, type, part, false)
			    : TAKE_ELEMENT(elements4, flow, type, part, false);
}

/* ---- the record ---- */

static uint64_t mac_number(const uint8_t mac[6])
{
	return (uint64_t)get_be16(mac) << 32 | get_be32(mac + 2);
}

static void flow_finish_router(struct sflowrecord *flow)
{
	bool v6 = record_is_ipv6(&flow->rec);

	if (flow->next_hop_family == XDR_IPV6 && !v6) {
		add_address(flow, 0, IE_NEXT_HOP6, XDR_IPV6, flow->next_hop);
	} else if (flow->next_hop_family != XDR_NO_ADDRESS) {
		flow->rec.nhip = flow->next_hop;
	} else if (v6) {
		flow->rec.nhip = (struct ip){ 0, 0 };
	}
	if (flow->source_mask) {
		add_number(flow, v6 ? IE_MASK6 : IE_MASK4, COLUMN_UNSIGNED8,
			   (uint8_t)flow->source_mask);
	}
	if (flow->destination_mask) {
		add_number(flow, v6 ? IE_DESTINATION_MASK6 : IE_DESTINATION_MASK4, COLUMN_UNSIGNED8,
			   (uint8_t)flow->destination_mask);
	}
}

bool sflowrecord_finish(struct sflowrecord *flow, const struct ipfix_mapping *mapping)
{
	static const uint8_t no_mac[6];

	if (!flow->found) {
		return false;
	}
	add_number(flow, IE_TOS, COLUMN_UNSIGNED8, flow->tos);
	flow_finish_router(flow);
	if (flow->vlan || flow->post_vlan) {
		add_number(flow, IE_VLAN, COLUMN_UNSIGNED16, (uint16_t)flow->vlan);
	}
	if (flow->post_vlan) {
		add_number(flow, IE_POST_VLAN, COLUMN_UNSIGNED16, (uint16_t)flow->post_vlan);
	}
	if (memcmp(flow->source_mac, no_mac, sizeof(no_mac)) != 0 ||
	    memcmp(flow->destination_mac, no_mac, sizeof(no_mac)) != 0) {
		add_number(flow, IE_SOURCE_MAC, COLUMN_MAC_ADDRESS, mac_number(flow->source_mac));
		add_number(flow, IE_DESTINATION_MAC, COLUMN_MAC_ADDRESS,
			   mac_number(flow->destination_mac));
	}
	if (mapping->vlan_interfaces) {
		flow->rec.input = flow->vlan;
		flow->rec.output = flow->post_vlan;
	}
	return true;
}
