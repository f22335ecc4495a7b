/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/ipfixmap.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "common/timestamp.h"
#include "packer/probe.h"

#define MAP_PROTOCOL_ICMP  1
#define MAP_PROTOCOL_TCP   6
#define MAP_PROTOCOL_UDP   17
#define MAP_PROTOCOL_ICMP6 58

/* flowEndReason: 5 bits of reason, and YAF's mark of a continued flow. */
#define MAP_REASON_MASK         0x1f
#define MAP_REASON_ACTIVE       2
#define MAP_REASON_INTERMEDIATE 0x1f
#define MAP_REASON_CONTINUED    0x80
#define MAP_ATTRIBUTE_UNIFORM   1    /* flowAttributes: all packets of one size */
#define MAP_STATE_GIVEN         0x78 /* bits of silkTCPState that make it count */

enum map_event { MAP_EVENT_DELETED = 2, MAP_EVENT_DENIED = 3 };
#define MAP_EXTENDED_MIN 1001
#define MAP_EXTENDED_MAX 1004

struct map_volume {
	uint64_t packets, bytes;
};

static bool shape_has_any(const struct ipfix_shape *shape, const enum ipfix_field *fields,
			  size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (shape->has[fields[i]]) {
			return true;
		}
	}
	return false;
}

/* How many groups of volume elements a template draws from, of those that NetFlow v9 has. */
static unsigned shape_volume_groups(const struct ipfix_shape *shape)
{
	static const enum ipfix_field groups[3][4] = {
		{ IPFIX_PACKETS_DELTA, IPFIX_BYTES_DELTA, IPFIX_PACKETS_POST_DELTA,
		  IPFIX_BYTES_POST_DELTA },
		{ IPFIX_PACKETS_TOTAL, IPFIX_BYTES_TOTAL, IPFIX_PACKETS_POST_TOTAL,
		  IPFIX_BYTES_POST_TOTAL },
		{ IPFIX_PACKETS_INITIATOR, IPFIX_BYTES_INITIATOR, IPFIX_PACKETS_RESPONDER,
		  IPFIX_BYTES_RESPONDER },
	};
	unsigned count = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(groups); i++) {
		count += shape_has_any(shape, groups[i], G_N_ELEMENTS(groups[i]));
	}
	return count;
}

static bool shape_has_ipv4(const struct ipfix_shape *shape)
{
	return shape->has[IPFIX_SIP4] || shape->has[IPFIX_DIP4];
}

static bool shape_has_ipv6(const struct ipfix_shape *shape)
{
	return shape->has[IPFIX_SIP6] || shape->has[IPFIX_DIP6];
}

static bool shape_has_event(const struct ipfix_shape *shape)
{
	return shape->has[IPFIX_EVENT] || shape->has[IPFIX_CISCO_EVENT] ||
	       shape->has[IPFIX_EXTENDED_EVENT];
}

static bool shape_is_yaf(const struct ipfix_shape *shape)
{
	static const enum ipfix_field others[] = {
		IPFIX_POST_VLAN,          IPFIX_PACKETS_POST_DELTA, IPFIX_BYTES_POST_DELTA,
		IPFIX_PACKETS_POST_TOTAL, IPFIX_BYTES_POST_TOTAL,   IPFIX_PACKETS_INITIATOR,
		IPFIX_BYTES_INITIATOR,    IPFIX_PACKETS_RESPONDER,  IPFIX_BYTES_RESPONDER,
		IPFIX_ICMP4_TYPE,         IPFIX_ICMP4_CODE,         IPFIX_ICMP6_TYPE,
		IPFIX_ICMP6_CODE,
	};
	const bool *has = shape->has;
	bool delta = has[IPFIX_PACKETS_DELTA] && has[IPFIX_BYTES_DELTA];
	bool total = has[IPFIX_PACKETS_TOTAL] && has[IPFIX_BYTES_TOTAL];
	bool any_delta = has[IPFIX_PACKETS_DELTA] || has[IPFIX_BYTES_DELTA];
	bool any_total = has[IPFIX_PACKETS_TOTAL] || has[IPFIX_BYTES_TOTAL];

	return (shape_has_ipv4(shape) || shape_has_ipv6(shape)) &&
	       ipfix_time_is_yaf(shape->times) &&
	       ((delta && !any_total) || (total && !any_delta)) && !shape_has_event(shape) &&
	       !shape_has_any(shape, others, G_N_ELEMENTS(others));
}

static bool shape_is_v9(const struct ipfix_shape *shape)
{
	static const enum ipfix_field others[] = {
		IPFIX_REV_PACKETS_DELTA, IPFIX_REV_PACKETS_TOTAL, IPFIX_REV_BYTES_DELTA,
		IPFIX_REV_BYTES_TOTAL,   IPFIX_REV_VLAN,          IPFIX_REV_FLAGS,
		IPFIX_INITIAL_FLAGS,     IPFIX_REV_INITIAL_FLAGS, IPFIX_REV_DELTA_MS,
	};
	unsigned groups = shape_volume_groups(shape);

	return shape_has_ipv4(shape) != shape_has_ipv6(shape) && ipfix_time_is_v9(shape->times) &&
	       (groups == 1 || (groups == 0 && shape_has_event(shape))) && !shape->has_list &&
	       !shape_has_any(shape, others, G_N_ELEMENTS(others));
}

/* Elements that only one protocol has say which, unless there are such of several. */
static uint8_t shape_implied_protocol(const struct ipfix_shape *shape)
{
	static const struct {
		enum ipfix_field field;
		uint8_t protocol;
	} rows[] = {
		{ IPFIX_ICMP4, MAP_PROTOCOL_ICMP },    { IPFIX_ICMP4_TYPE, MAP_PROTOCOL_ICMP },
		{ IPFIX_ICMP6, MAP_PROTOCOL_ICMP6 },   { IPFIX_ICMP6_TYPE, MAP_PROTOCOL_ICMP6 },
		{ IPFIX_TCP_SPORT, MAP_PROTOCOL_TCP }, { IPFIX_TCP_DPORT, MAP_PROTOCOL_TCP },
		{ IPFIX_UDP_SPORT, MAP_PROTOCOL_UDP }, { IPFIX_UDP_DPORT, MAP_PROTOCOL_UDP },
	};
	uint8_t protocol = 0;

	for (size_t i = 0; !shape->has[IPFIX_PROTOCOL] && i < G_N_ELEMENTS(rows); i++) {
		if (shape->has[rows[i].field]) {
			if (protocol != 0 && protocol != rows[i].protocol) {
				return 0;
			}
			protocol = rows[i].protocol;
		}
	}
	return protocol;
}

void ipfix_shape_finish(struct ipfix_shape *shape)
{
	static const enum ipfix_field reverse[] = {
		IPFIX_REV_PACKETS_DELTA,
		IPFIX_REV_PACKETS_TOTAL,
		IPFIX_REV_BYTES_DELTA,
		IPFIX_REV_BYTES_TOTAL,
	};

	shape->has_nat_event &= shape_volume_groups(shape) == 0 &&
				!shape_has_any(shape, reverse, G_N_ELEMENTS(reverse));
	shape->protocol = shape_implied_protocol(shape);
	ipfix_time_prepare(shape);
	shape->form = shape_is_yaf(shape)  ? IPFIX_FORM_YAF
		      : shape_is_v9(shape) ? IPFIX_FORM_V9
					   : IPFIX_FORM_GENERIC;
}

/* The first that is not zero. */
static inline uint64_t map_first(uint64_t a, uint64_t b, uint64_t c)
{
	return a ? a : b ? b : c;
}

/* What left the exporter is the forward half, too, unless the probe says that it is the reverse one. */
static void map_volumes(const struct ipfix_input *input, struct map_volume volumes[2])
{
	const struct ipfix_fields *f = input->fields;
	bool out_is_reverse = input->mapping->quirks & PROBE_QUIRK_NF9_OUT_IS_REVERSE;
	bool is_v9 = input->shape->form == IPFIX_FORM_V9;
	struct map_volume *totals = &volumes[out_is_reverse && is_v9];

	volumes[0].packets = map_first(f->packets_delta, f->packets_total, f->packets_initiator);
	volumes[0].bytes = map_first(f->bytes_delta, f->bytes_total, f->bytes_initiator);
	volumes[1].packets =
		map_first(f->rev_packets_delta, f->rev_packets_total, f->packets_responder);
	volumes[1].bytes = map_first(f->rev_bytes_delta, f->rev_bytes_total, f->bytes_responder);
	if (out_is_reverse) {
		volumes[1].packets =
			map_first(f->packets_post_delta, f->packets_responder, volumes[1].packets);
		volumes[1].bytes =
			map_first(f->bytes_post_delta, f->bytes_responder, volumes[1].bytes);
	} else if (is_v9 && volumes[0].bytes == 0) {
		/* NetFlow v9: packets of the counter that the bytes are of */
		volumes[0].packets = map_first(f->packets_post_delta, volumes[0].packets, 0);
		volumes[0].bytes = f->bytes_post_delta;
	} else {
		volumes[0].packets = map_first(volumes[0].packets, f->packets_post_delta, 0);
		volumes[0].bytes = map_first(volumes[0].bytes, f->bytes_post_delta, 0);
	}
	totals->packets = map_first(totals->packets, f->packets_post_total, 0);
	totals->bytes = map_first(totals->bytes, f->bytes_post_total, 0);
	if (volumes[0].bytes == 0 && volumes[0].packets != 0) {
		volumes[0].bytes = map_first(f->bytes_layer2_delta, f->bytes_layer2_total, 0);
	}
}

/* Addresses are IPv6 if the template has no IPv4, or either IPv6 address is not zero. */
static bool map_is_ipv6(const struct ipfix_input *input)
{
	static const struct ipfix_address6 zero = { { 0 } };
	const struct ipfix_fields *f = input->fields;

	return shape_has_ipv6(input->shape) &&
	       (!shape_has_ipv4(input->shape) || memcmp(&f->sip6, &zero, sizeof(zero)) != 0 ||
		memcmp(&f->dip6, &zero, sizeof(zero)) != 0);
}

static void map_addresses(const struct ipfix_input *input, struct record *rec)
{
	const struct ipfix_fields *f = input->fields;

	if (map_is_ipv6(input)) {
		rec->state |= RECORD_IPV6;
		rec->sip = ip_from_bytes(f->sip6.bytes);
		rec->dip = ip_from_bytes(f->dip6.bytes);
		rec->nhip = ip_from_bytes(f->nhip6.bytes);
	} else {
		rec->sip = ip_from_v4(f->sip4);
		rec->dip = ip_from_v4(f->dip4);
		rec->nhip = ip_from_v4(f->nhip4);
	}
}

/* Type and code go to dport, from the record's own family; false: no element has them. */
static bool map_icmp(const struct ipfix_input *input, struct record *rec)
{
	static const enum ipfix_field apart[] = { IPFIX_ICMP4_TYPE, IPFIX_ICMP4_CODE,
						  IPFIX_ICMP6_TYPE, IPFIX_ICMP6_CODE };
	const struct ipfix_fields *f = input->fields;
	const bool *has = input->shape->has;

	if (has[IPFIX_ICMP4] || has[IPFIX_ICMP6]) {
		rec->dport = record_is_ipv6(rec) ? f->icmp6 : f->icmp4;
	} else if (!shape_has_any(input->shape, apart, G_N_ELEMENTS(apart))) {
		return false;
	} else if (record_is_ipv6(rec)) {
		rec->dport = (uint16_t)(f->icmp6_type << 8 | f->icmp6_code);
	} else {
		rec->dport = (uint16_t)(f->icmp4_type << 8 | f->icmp4_code);
	}
	rec->sport = 0;
	return true;
}

static void map_ports(const struct ipfix_input *input, bool reverse_only, struct record *rec)
{
	const struct ipfix_fields *f = input->fields;

	rec->sport = (uint16_t)map_first(f->sport, f->tcp_sport, f->udp_sport);
	rec->dport = (uint16_t)map_first(f->dport, f->tcp_dport, f->udp_dport);
	if (!record_is_icmp(rec) || map_icmp(input, rec)) {
		return;
	}
	if (input->shape->form != IPFIX_FORM_GENERIC) {
		rec->sport = 0;
	} else if (rec->dport == 0 || reverse_only) {
		/* Turned round by an exporter that takes type and code for a port. */
		rec->dport = rec->dport ? rec->dport : rec->sport;
		rec->sport = 0;
	}
}

static void map_interfaces(const struct ipfix_input *input, struct record *rec)
{
	const struct ipfix_fields *f = input->fields;

	rec->input = input->mapping->vlan_interfaces ? f->vlan : f->input;
	rec->output = input->mapping->vlan_interfaces ? f->post_vlan : f->output;
}

static void map_swap_interfaces(const struct ipfix_input *input, const struct record *forward,
				struct record *reverse)
{
	const bool *has = input->shape->has;

	reverse->input = forward->output;
	reverse->output = forward->input;
	if (!input->mapping->vlan_interfaces || input->shape->form == IPFIX_FORM_V9) {
		return;
	}
	if (has[IPFIX_REV_VLAN] || has[IPFIX_REV_POST_VLAN]) {
		reverse->input = input->fields->rev_vlan;
		reverse->output = input->fields->rev_post_vlan;
	} else if (!has[IPFIX_POST_VLAN]) {
		reverse->input = forward->input;
		reverse->output = 0;
	}
}

static void map_set_tcp(struct record *rec, unsigned initial, unsigned session)
{
	rec->initial_flags = (uint8_t)initial;
	rec->session_flags = (uint8_t)session;
	rec->flags = rec->initial_flags | rec->session_flags;
	rec->state |= RECORD_EXPANDED;
}

/* Are the flags of a list entry taken, if there is one? YAF's form prefers its own. */
static bool map_uses_list(const struct ipfix_input *input)
{
	return input->list->found &&
	       (input->shape->form != IPFIX_FORM_YAF || !input->shape->has[IPFIX_INITIAL_FLAGS]);
}

static void map_flags(const struct ipfix_input *input, struct record *rec)
{
	const struct ipfix_fields *f = input->fields;
	bool listed = map_uses_list(input);
	uint8_t initial_flags = listed ? input->list->initial_flags : (uint8_t)f->initial_flags;
	uint8_t union_flags = listed ? input->list->union_flags : (uint8_t)f->union_flags;

	rec->flags = (uint8_t)f->flags;
	if (rec->protocol == MAP_PROTOCOL_TCP && (initial_flags || union_flags)) {
		map_set_tcp(rec, initial_flags, union_flags);
	}
}

static void map_reverse_flags(const struct ipfix_input *input, struct record *rec)
{
	const struct ipfix_fields *f = input->fields;
	const bool *has = input->shape->has;
	bool listed = map_uses_list(input);
	uint8_t initial_flags =
		listed ? input->list->rev_initial_flags : (uint8_t)f->rev_initial_flags;
	uint8_t union_flags = listed ? input->list->rev_union_flags : (uint8_t)f->rev_union_flags;

	if (rec->protocol == MAP_PROTOCOL_TCP && (initial_flags || union_flags)) {
		map_set_tcp(rec, initial_flags, union_flags);
	} else if (has[IPFIX_REV_FLAGS] || has[IPFIX_REV_INITIAL_FLAGS] || listed) {
		rec->initial_flags = 0;
		rec->session_flags = 0;
		rec->flags = has[IPFIX_REV_FLAGS] ? (uint8_t)f->rev_flags : 0;
		rec->state &= (uint8_t)~RECORD_EXPANDED;
	}
}

/* Records of NetFlow v9 only tell that a flow was cut by the active timeout. */
static void map_attributes(const struct ipfix_input *input, struct record *rec)
{
	const struct ipfix_fields *f = input->fields;

	bool is_v9 = input->shape->form == IPFIX_FORM_V9;

	if (!is_v9) {
		rec->application = f->application;
	}
	if (!is_v9 && f->state & MAP_STATE_GIVEN) {
		rec->state |= f->state & MAP_STATE_GIVEN;
		return;
	}
	if ((f->end_reason & MAP_REASON_MASK) == MAP_REASON_ACTIVE) {
		rec->state |= RECORD_TIMEOUT;
	}
	if (is_v9) {
		return;
	}
	if (f->attributes & MAP_ATTRIBUTE_UNIFORM) {
		rec->state |= RECORD_UNIFORM;
	}
	if (f->end_reason & MAP_REASON_CONTINUED) {
		rec->state |= RECORD_CONTINUED;
	}
}

/* For what keeps them as they came: as sent, else 0, but none in records of NetFlow v9. */
static void map_sensor(const struct ipfix_input *input, struct record *rec)
{
	bool is_v9 = input->shape->form == IPFIX_FORM_V9;

	if (input->shape->has[IPFIX_SENSOR] || !is_v9) {
		rec->sensor = input->fields->sensor;
	}
	if (input->shape->has[IPFIX_FLOWTYPE] || !is_v9) {
		rec->flowtype = input->fields->flowtype;
	}
}

/* How long after the forward half the reverse one began. */
static uint64_t map_reverse_delta_ns(const struct ipfix_input *input)
{
	const struct ipfix_fields *f = input->fields;

	if (input->shape->has[IPFIX_REV_DELTA_NS]) {
		return f->rev_delta_ns;
	}
	if (input->shape->has[IPFIX_REV_DELTA_US]) {
		return f->rev_delta_us > UINT64_MAX / NS_PER_US ? UINT64_MAX
								: f->rev_delta_us * NS_PER_US;
	}
	return (uint64_t)f->rev_delta_ms * NS_PER_MS;
}

static void map_reverse(const struct ipfix_input *input, const struct map_volume *volume,
			const struct record *forward, struct record *reverse)
{
	uint64_t delta_ns = MIN(map_reverse_delta_ns(input), UINT32_MAX * (uint64_t)NS_PER_MS);

	*reverse = *forward;
	reverse->sip = forward->dip;
	reverse->dip = forward->sip;
	if (!record_is_icmp(forward)) {
		reverse->sport = forward->dport;
		reverse->dport = forward->sport;
	}
	reverse->packets = volume->packets;
	reverse->bytes = volume->bytes;
	reverse->start_ns += (int64_t)delta_ns;
	reverse->duration_ns -= MIN(delta_ns, forward->duration_ns);
	map_swap_interfaces(input, forward, reverse);
	map_reverse_flags(input, reverse);
	reverse->state &= (uint8_t)~RECORD_UNIFORM;
	if (input->fields->rev_attributes & MAP_ATTRIBUTE_UNIFORM) {
		reverse->state |= RECORD_UNIFORM;
	}
}

/* A flow seen in the reverse direction only is turned round. */
static void map_turn(const struct ipfix_input *input, struct record *rec)
{
	const struct record forward = *rec;

	rec->sip = forward.dip;
	rec->dip = forward.sip;
	map_swap_interfaces(input, &forward, rec);
	if (!record_is_icmp(rec)) {
		rec->sport = forward.dport;
		rec->dport = forward.sport;
	}
}

/* Firewalls leave out what they do not count. */
static void map_complete(struct map_volume *volume)
{
	if (volume->packets == 0) {
		volume->packets = volume->bytes ? 1 : 0;
	}
	if (volume->bytes == 0) {
		volume->bytes = volume->packets;
	}
}

/* 11.6. false: the event is no flow. */
static bool map_event(const struct ipfix_input *input, struct map_volume volumes[2], uint16_t *memo,
		      struct ipfix_output *out)
{
	const struct ipfix_fields *f = input->fields;
	unsigned event = f->event ? f->event : f->cisco_event;

	if (event != MAP_EVENT_DELETED && event != MAP_EVENT_DENIED) {
		snprintf(out->text, sizeof(out->text), "firewallEvent=%u,extended=%u", event,
			 f->extended_event);
		out->ignored = out->text;
		return false;
	}
	map_complete(&volumes[0]);
	map_complete(&volumes[1]);
	if (event == MAP_EVENT_DENIED) {
		bool known = f->extended_event >= MAP_EXTENDED_MIN &&
			     f->extended_event <= MAP_EXTENDED_MAX;

		*memo = known ? f->extended_event : MAP_EVENT_DENIED;
		volumes[1] = (struct map_volume){ 0, 0 };
	}
	if (volumes[0].packets == 0) {
		volumes[0] = (struct map_volume){ 1, 1 };
	}
	return true;
}

/* Why nothing came of a record without volume. */
static const char *map_no_volume(const struct ipfix_input *input,
				 const struct map_volume volumes[2])
{
	bool bytes = volumes[0].bytes || volumes[1].bytes;

	if (input->shape->form == IPFIX_FORM_YAF) {
		return "byte or packet count is zero";
	}
	if (input->shape->form == IPFIX_FORM_GENERIC) {
		return bytes ? "no forward/reverse packets" : "no forward/reverse octets";
	}
	if (!bytes) {
		return "No forward/reverse octets";
	}
	if (volumes[0].bytes) {
		return "No forward packets";
	}
	return "No forward octets (reverse octets are non-zero)";
}

/*
 * A direction counts if both its numbers do; but of a mixed template the bytes of the reverse half
 * are kept beside a forward one, too, when nobody counted its packets.
 */
static bool map_check_volumes(const struct ipfix_input *input, struct map_volume volumes[2],
			      struct ipfix_output *out)
{
	bool any = false;
	bool keeps_bytes = false;

	out->ignored = map_no_volume(input, volumes);
	for (size_t i = 0; i < 2; i++) {
		if ((input->mapping->quirks & PROBE_QUIRK_ZERO_PACKETS) && volumes[i].bytes &&
		    !volumes[i].packets) {
			volumes[i].packets = 1;
		}
		if (!volumes[i].bytes || (!volumes[i].packets && !keeps_bytes)) {
			volumes[i] = (struct map_volume){ 0, 0 };
		}
		any |= volumes[i].packets != 0;
		keeps_bytes = any && input->shape->form == IPFIX_FORM_GENERIC;
	}
	return any;
}

static bool map_is_event(const struct ipfix_input *input)
{
	return shape_has_event(input->shape) &&
	       (input->shape->form == IPFIX_FORM_V9 ||
		(input->mapping->quirks & PROBE_QUIRK_FIREWALL_EVENT));
}

/* Is there a flow in it? Sets its volumes, or the reason why not. */
static bool map_accept(const struct ipfix_input *input, struct map_volume volumes[2],
		       uint16_t *memo, struct ipfix_output *out)
{
	out->ignored = NULL;
	if (input->shape->form != IPFIX_FORM_V9 &&
	    (input->fields->end_reason & MAP_REASON_MASK) == MAP_REASON_INTERMEDIATE) {
		return false;
	}
	if (!shape_has_ipv4(input->shape) && !shape_has_ipv6(input->shape) &&
	    !(input->mapping->quirks & PROBE_QUIRK_MISSING_IPS)) {
		out->ignored = "No IP addresses";
		return false;
	}
	map_volumes(input, volumes);
	if (map_is_event(input)) {
		return map_event(input, volumes, memo, out);
	}
	if (input->shape->has_nat_event) {
		/* as an event of a firewall that counts nothing */
		volumes[0] = (struct map_volume){ 1, 1 };
		return true;
	}
	return map_check_volumes(input, volumes, out);
}

void ipfix_map(const struct ipfix_input *input, struct ipfix_output *out)
{
	struct record *rec = &out->records[0];
	struct map_volume volumes[2];
	uint16_t memo = 0;
	bool accepted = map_accept(input, volumes, &memo, out);
	bool reverse_only = accepted && volumes[0].packets == 0;

	record_init(rec);
	rec->protocol = input->fields->protocol | input->shape->protocol;
	rec->memo = memo;
	map_addresses(input, rec);
	map_ports(input, reverse_only, rec);
	map_interfaces(input, rec);
	map_flags(input, rec);
	map_attributes(input, rec);
	map_sensor(input, rec);
	rec->packets = accepted ? volumes[reverse_only].packets : input->fields->packets_delta;
	rec->bytes = accepted ? volumes[reverse_only].bytes : input->fields->bytes_delta;
	out->end_first = ipfix_time(input, rec->packets, &rec->start_ns, &rec->duration_ns);
	out->count = accepted;
	out->turned = reverse_only;
	if (reverse_only) {
		map_turn(input, rec);
	} else if (accepted && volumes[1].bytes) {
		map_reverse(input, &volumes[1], rec, &out->records[1]);
		out->count = 2;
	}
}
