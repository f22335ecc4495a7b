/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One internal record, described to libfixbuf by one internal template, holds every field in its
 * widest form. Each external template is a choice from one table of elements; libfixbuf picks and
 * shortens the fields it names. Templates are all known from the start, so a session can begin
 * with them, and be begun again, without looking at the flows.
 */
#include "sensor/export.h"

#include <fixbuf/public.h>
#include <glib.h>
#include <string.h>

#include "common/timestamp.h"

#define CERT_PEN 6871

/* What a template holds beyond what all have; flags of the element table. */
enum {
	WITH_MS = 1 << 0,
	WITH_US = 1 << 1,
	WITH_NS = 1 << 2,
	WITH_TOTAL = 1 << 3,
	WITH_DELTA = 1 << 4,
	WITH_WIDE = 1 << 5, /* 8-byte counters */
	WITH_NARROW = 1 << 6,
	WITH_IPV4 = 1 << 7,
	WITH_IPV6 = 1 << 8,
	WITH_TCP = 1 << 9,
	WITH_INTERFACES = 1 << 10,
	WITH_MAC = 1 << 11,
	WITH_REVERSE = 1 << 12,
	WITH_VARIANTS = WITH_WIDE | WITH_IPV6 | WITH_TCP | WITH_REVERSE,
};

/* Template numbers: a base and one bit for each way in which flows differ within one run. */
enum {
	INTERNAL_FLOW = 0xa000,
	INTERNAL_STATISTICS = 0xa001,
	TEMPLATE_FLOW = 0xb000,
	TEMPLATE_WIDE = 0x01,
	TEMPLATE_IPV6 = 0x02,
	TEMPLATE_TCP = 0x04,
	TEMPLATE_REVERSE = 0x08,
	TEMPLATE_FLOW_END = TEMPLATE_FLOW + 0x10,
	TEMPLATE_STATISTICS = 0xd003,
};

/* libfixbuf takes these arrays without const, and only reads them. */
#define IE(name_, len_, flags_)                                                                    \
	{                                                                                          \
		.name = (char *)(uintptr_t)(name_), .len_override = (len_), .flags = (flags_)      \
	}
#define CERT_U(name_, num_, len_, flags_)                                                          \
	FB_IE_INIT_FULL(name_, CERT_PEN, num_, len_, (flags_) | FB_IE_F_ENDIAN, 0, 0,              \
			(len_) == 1   ? FB_UINT_8                                                  \
			: (len_) == 2 ? FB_UINT_16                                                 \
			: (len_) == 4 ? FB_UINT_32                                                 \
				      : FB_UINT_64,                                                \
			NULL)
#define CERT_U_REV(name_, num_, len_, flags_)                                                      \
	CERT_U(name_, num_, len_, (flags_) | FB_IE_F_REVERSIBLE)

/* Elements of enterprise 6871 that libfixbuf does not know by itself. */
static const fbInfoElement_t cert_elements[] = {
	CERT_U_REV("initialTCPFlags", 14, 1, FB_IE_FLAGS),
	CERT_U_REV("unionTCPFlags", 15, 1, FB_IE_FLAGS),
	CERT_U("reverseFlowDeltaMilliseconds", 21, 4, FB_IE_QUANTITY | FB_UNITS_MILLISECONDS),
	CERT_U("silkAppLabel", 33, 2, FB_IE_IDENTIFIER),
	CERT_U_REV("flowAttributes", 40, 2, FB_IE_FLAGS),
	CERT_U("reverseFlowDeltaMicroseconds", 41, 8, FB_IE_QUANTITY | FB_UNITS_MICROSECONDS),
	CERT_U("reverseFlowDeltaNanoseconds", 42, 8, FB_IE_QUANTITY | FB_UNITS_NANOSECONDS),
	CERT_U("expiredFragmentCount", 100, 4, FB_IE_TOTALCOUNTER),
	CERT_U("assembledFragmentCount", 101, 4, FB_IE_TOTALCOUNTER),
	CERT_U("meanFlowRate", 102, 4, FB_IE_QUANTITY),
	CERT_U("meanPacketRate", 103, 4, FB_IE_QUANTITY),
	CERT_U("flowTableFlushEventCount", 104, 4, FB_IE_TOTALCOUNTER),
	CERT_U("flowTablePeakCount", 105, 4, FB_IE_QUANTITY),
	FB_IE_NULL,
};

/* What libfixbuf reads; the order is that of flow_internal. */
struct flow_record {
	uint64_t start_ms, end_ms;
	uint64_t start_us, end_us; /* NTP 32.32 (RFC 7011 6.1.9, 6.1.10) */
	uint64_t start_ns, end_ns;
	uint64_t bytes, reverse_bytes, packets, reverse_packets;
	uint64_t delta_bytes, reverse_delta_bytes, delta_packets, reverse_delta_packets;
	uint64_t reverse_us, reverse_ns;
	uint8_t sip6[16], dip6[16];
	uint32_t sip4, dip4;
	uint32_t reverse_ms;
	uint32_t sequence, reverse_sequence;
	uint32_t ingress, egress;
	uint16_t sport, dport;
	uint16_t attributes, reverse_attributes;
	uint16_t application;
	uint16_t vlan, reverse_vlan;
	uint8_t protocol, reason;
	uint8_t initial_flags, union_flags, reverse_initial_flags, reverse_union_flags;
	uint8_t tos, reverse_tos;
	uint8_t source_mac[6], destination_mac[6];
	uint8_t padding[2];
};

static const fbInfoElementSpec_t flow_internal[] = {
	IE("flowStartMilliseconds", 8, 0),
	IE("flowEndMilliseconds", 8, 0),
	IE("flowStartMicroseconds", 8, 0),
	IE("flowEndMicroseconds", 8, 0),
	IE("flowStartNanoseconds", 8, 0),
	IE("flowEndNanoseconds", 8, 0),
	IE("octetTotalCount", 8, 0),
	IE("reverseOctetTotalCount", 8, 0),
	IE("packetTotalCount", 8, 0),
	IE("reversePacketTotalCount", 8, 0),
	IE("octetDeltaCount", 8, 0),
	IE("reverseOctetDeltaCount", 8, 0),
	IE("packetDeltaCount", 8, 0),
	IE("reversePacketDeltaCount", 8, 0),
	IE("reverseFlowDeltaMicroseconds", 8, 0),
	IE("reverseFlowDeltaNanoseconds", 8, 0),
	IE("sourceIPv6Address", 16, 0),
	IE("destinationIPv6Address", 16, 0),
	IE("sourceIPv4Address", 4, 0),
	IE("destinationIPv4Address", 4, 0),
	IE("reverseFlowDeltaMilliseconds", 4, 0),
	IE("tcpSequenceNumber", 4, 0),
	IE("reverseTcpSequenceNumber", 4, 0),
	IE("ingressInterface", 4, 0),
	IE("egressInterface", 4, 0),
	IE("sourceTransportPort", 2, 0),
	IE("destinationTransportPort", 2, 0),
	IE("flowAttributes", 2, 0),
	IE("reverseFlowAttributes", 2, 0),
	IE("silkAppLabel", 2, 0),
	IE("vlanId", 2, 0),
	IE("reverseVlanId", 2, 0),
	IE("protocolIdentifier", 1, 0),
	IE("flowEndReason", 1, 0),
	IE("initialTCPFlags", 1, 0),
	IE("unionTCPFlags", 1, 0),
	IE("reverseInitialTCPFlags", 1, 0),
	IE("reverseUnionTCPFlags", 1, 0),
	IE("ipClassOfService", 1, 0),
	IE("reverseIpClassOfService", 1, 0),
	IE("sourceMacAddress", 6, 0),
	IE("destinationMacAddress", 6, 0),
	IE("paddingOctets", 2, 0),
	FB_IESPEC_NULL,
};

/* The record on the wire, in this order; a row is in a template that has all of its flags. */
static const fbInfoElementSpec_t flow_external[] = {
	IE("flowStartMilliseconds", 8, WITH_MS),
	IE("flowEndMilliseconds", 8, WITH_MS),
	IE("flowStartMicroseconds", 8, WITH_US),
	IE("flowEndMicroseconds", 8, WITH_US),
	IE("flowStartNanoseconds", 8, WITH_NS),
	IE("flowEndNanoseconds", 8, WITH_NS),
	IE("octetTotalCount", 8, WITH_TOTAL | WITH_WIDE),
	IE("reverseOctetTotalCount", 8, WITH_TOTAL | WITH_WIDE | WITH_REVERSE),
	IE("packetTotalCount", 8, WITH_TOTAL | WITH_WIDE),
	IE("reversePacketTotalCount", 8, WITH_TOTAL | WITH_WIDE | WITH_REVERSE),
	IE("octetTotalCount", 4, WITH_TOTAL | WITH_NARROW),
	IE("reverseOctetTotalCount", 4, WITH_TOTAL | WITH_NARROW | WITH_REVERSE),
	IE("packetTotalCount", 4, WITH_TOTAL | WITH_NARROW),
	IE("reversePacketTotalCount", 4, WITH_TOTAL | WITH_NARROW | WITH_REVERSE),
	IE("octetDeltaCount", 8, WITH_DELTA | WITH_WIDE),
	IE("reverseOctetDeltaCount", 8, WITH_DELTA | WITH_WIDE | WITH_REVERSE),
	IE("packetDeltaCount", 8, WITH_DELTA | WITH_WIDE),
	IE("reversePacketDeltaCount", 8, WITH_DELTA | WITH_WIDE | WITH_REVERSE),
	IE("octetDeltaCount", 4, WITH_DELTA | WITH_NARROW),
	IE("reverseOctetDeltaCount", 4, WITH_DELTA | WITH_NARROW | WITH_REVERSE),
	IE("packetDeltaCount", 4, WITH_DELTA | WITH_NARROW),
	IE("reversePacketDeltaCount", 4, WITH_DELTA | WITH_NARROW | WITH_REVERSE),
	IE("sourceIPv6Address", 16, WITH_IPV6),
	IE("destinationIPv6Address", 16, WITH_IPV6),
	IE("sourceIPv4Address", 4, WITH_IPV4),
	IE("destinationIPv4Address", 4, WITH_IPV4),
	IE("sourceTransportPort", 2, 0),
	IE("destinationTransportPort", 2, 0),
	IE("flowAttributes", 2, 0),
	IE("reverseFlowAttributes", 2, WITH_REVERSE),
	IE("protocolIdentifier", 1, 0),
	IE("flowEndReason", 1, 0),
	IE("silkAppLabel", 2, 0),
	/* Collectors tell a biflow by the milliseconds, so they are there at any precision. */
	IE("reverseFlowDeltaMilliseconds", 4, WITH_REVERSE),
	IE("reverseFlowDeltaMicroseconds", 8, WITH_REVERSE | WITH_US),
	IE("reverseFlowDeltaNanoseconds", 8, WITH_REVERSE | WITH_NS),
	IE("tcpSequenceNumber", 4, WITH_TCP),
	IE("reverseTcpSequenceNumber", 4, WITH_TCP | WITH_REVERSE),
	IE("initialTCPFlags", 1, WITH_TCP),
	IE("unionTCPFlags", 1, WITH_TCP),
	IE("reverseInitialTCPFlags", 1, WITH_TCP | WITH_REVERSE),
	IE("reverseUnionTCPFlags", 1, WITH_TCP | WITH_REVERSE),
	IE("vlanId", 2, 0),
	IE("reverseVlanId", 2, WITH_REVERSE),
	IE("ingressInterface", 4, WITH_INTERFACES),
	IE("egressInterface", 4, WITH_INTERFACES),
	IE("ipClassOfService", 1, 0),
	IE("reverseIpClassOfService", 1, WITH_REVERSE),
	IE("sourceMacAddress", 6, WITH_MAC),
	IE("destinationMacAddress", 6, WITH_MAC),
	FB_IESPEC_NULL,
};

/* Internal and external form alike. */
struct statistics_record {
	uint32_t domain, process_id, exporter_address, now_s;
	uint64_t start_ms, flows, packets, dropped_packets, ignored_packets, late_packets;
	uint32_t expired_fragments, assembled_fragments, flush_events, peak_flows;
	uint32_t flow_rate, packet_rate;
};

static const fbInfoElementSpec_t statistics_elements[] = {
	IE("observationDomainId", 4, 0),
	IE("exportingProcessId", 4, 0),
	IE("exporterIPv4Address", 4, 0),
	IE("observationTimeSeconds", 4, 0),
	IE("systemInitTimeMilliseconds", 8, 0),
	IE("exportedFlowRecordTotalCount", 8, 0),
	IE("packetTotalCount", 8, 0),
	IE("droppedPacketTotalCount", 8, 0),
	IE("ignoredPacketTotalCount", 8, 0),
	IE("notSentPacketTotalCount", 8, 0),
	IE("expiredFragmentCount", 4, 0),
	IE("assembledFragmentCount", 4, 0),
	IE("flowTableFlushEventCount", 4, 0),
	IE("flowTablePeakCount", 4, 0),
	IE("meanFlowRate", 4, 0),
	IE("meanPacketRate", 4, 0),
	FB_IESPEC_NULL,
};
#define STATISTICS_SCOPE 3

struct export
{
	struct export_opts opts;
	export_message_fn fn;
	void *arg;
	fbInfoModel_t *model;
	fbSession_t *session;   /* belongs to fbuf */
	fbExporter_t *exporter; /* belongs to fbuf */
	fBuf_t *fbuf;
	uint32_t records; /* in the message under way */
	uint8_t message[EXPORT_MESSAGE_MAX];
};

/* libfixbuf's reason as ours; frees it. */
static int fixbuf_err(struct err *err, GError **gerror, const char *what)
{
	err_set(err, ST_EFORMAT, "%s: %s", what,
		*gerror != NULL ? (*gerror)->message : "libfixbuf failed");
	g_clear_error(gerror);
	return ST_EFORMAT;
}

static int add_template(struct export *export, bool internal, uint16_t number,
			const fbInfoElementSpec_t *elements, uint32_t flags, uint16_t scope,
			struct err *err)
{
	GError *gerror = NULL;
	fbTemplate_t *template = fbTemplateAlloc(export->model);

	if (!fbTemplateAppendSpecArray(template, (fbInfoElementSpec_t *)(uintptr_t)elements, flags,
				       &gerror)) {
		fbTemplateFreeUnused(template);
		return fixbuf_err(err, &gerror, "template");
	}
	if (scope != 0) {
		fbTemplateSetOptionsScope(template, scope);
	}
	if (fbSessionAddTemplate(export->session, internal, number, template, &gerror) == 0) {
		fbTemplateFreeUnused(template);
		return fixbuf_err(err, &gerror, "template");
	}
	return ST_OK;
}

static uint32_t template_flags(const struct export_opts *opts, uint16_t number)
{
	static const uint32_t precision[] = { WITH_MS, WITH_US, WITH_NS };
	uint32_t flags = precision[opts->precision];

	flags |= opts->delta ? WITH_DELTA : WITH_TOTAL;
	flags |= opts->interfaces ? WITH_INTERFACES : 0;
	flags |= opts->mac ? WITH_MAC : 0;
	flags |= number & TEMPLATE_WIDE ? WITH_WIDE : WITH_NARROW;
	flags |= number & TEMPLATE_IPV6 ? WITH_IPV6 : WITH_IPV4;
	flags |= number & TEMPLATE_TCP ? WITH_TCP : 0;
	flags |= number & TEMPLATE_REVERSE ? WITH_REVERSE : 0;
	return flags;
}

static int add_templates(struct export *export, struct err *err)
{
	int st = add_template(export, true, INTERNAL_FLOW, flow_internal, UINT32_MAX, 0, err);

	if (st == ST_OK) {
		st = add_template(export, true, INTERNAL_STATISTICS, statistics_elements, 0, 0,
				  err);
	}
	for (uint16_t number = TEMPLATE_FLOW; st == ST_OK && number < TEMPLATE_FLOW_END; number++) {
		st = add_template(export, false, number, flow_external,
				  template_flags(&export->opts, number), 0, err);
	}
	if (st == ST_OK) {
		st = add_template(export, false, TEMPLATE_STATISTICS, statistics_elements, 0,
				  STATISTICS_SCOPE, err);
	}
	return st;
}

int export_new(struct export **out, const struct export_opts *opts, export_message_fn fn, void *arg,
	       struct err *err)
{
	struct export *export = NULL;
	int st;

	if (opts->max_message_bytes < EXPORT_MESSAGE_MIN ||
	    opts->max_message_bytes > EXPORT_MESSAGE_MAX) {
		return err_set(err, ST_EINVAL, "message size %zu is not in %d..%d",
			       opts->max_message_bytes, EXPORT_MESSAGE_MIN, EXPORT_MESSAGE_MAX);
	}
	export = g_new0(struct export, 1);
	export->opts = *opts;
	export->fn = fn;
	export->arg = arg;
	export->model = fbInfoModelAlloc();
	fbInfoModelAddElementArray(export->model, (fbInfoElement_t *)(uintptr_t)cert_elements);
	export->session = fbSessionAlloc(export->model);
	fbSessionSetDomain(export->session, opts->domain);
	export->exporter =
		fbExporterAllocBuffer(export->message, (uint16_t)opts->max_message_bytes);
	st = add_templates(export, err);
	export->fbuf = fBufAllocForExport(export->session, export->exporter);
	fBufSetAutomaticMode(export->fbuf, FALSE);
	if (st != ST_OK) {
		export_free(export);
		return st;
	}
	*out = export;
	return ST_OK;
}

void export_free(struct export *export)
{
	if (export != NULL) {
		fBufFree(export->fbuf);
		fbInfoModelFree(export->model);
		g_free(export);
	}
}

/* End the message under way and hand it out. */
static int emit(struct export *export, bool templates, struct err *err)
{
	struct export_message message = { .bytes = export->message,
					  .records = export->records,
					  .templates = templates };
	GError *gerror = NULL;

	if (!fBufEmit(export->fbuf, &gerror)) {
		return fixbuf_err(err, &gerror, "message");
	}
	export->records = 0;
	message.len = fbExporterGetMsgLen(export->exporter);
	return export->fn(export->arg, &message, err);
}

int export_flush(struct export *export, struct err *err)
{
	return export->records > 0 ? emit(export, false, err) : ST_OK;
}

/*
 * Put one template into the message under way. libfixbuf says "end of message" when it is full,
 * and also before the first template of a message, full or not.
 */
static int export_template(struct export *export, uint16_t number, bool *pending, struct err *err)
{
	GError *gerror = NULL;

	for (int attempt = 0; attempt < 3; attempt++) {
		if (fbSessionExportTemplate(export->session, number, &gerror)) {
			*pending = true;
			return ST_OK;
		}
		if (!g_error_matches(gerror, FB_ERROR_DOMAIN, FB_ERROR_EOM)) {
			break;
		}
		g_clear_error(&gerror);
		if (*pending) {
			int st = emit(export, true, err);

			if (st != ST_OK) {
				return st;
			}
			*pending = false;
		}
	}
	return fixbuf_err(err, &gerror, "template");
}

int export_templates(struct export *export, struct err *err)
{
	bool pending = false;
	int st = export_flush(export, err);

	for (uint16_t number = TEMPLATE_FLOW; st == ST_OK && number < TEMPLATE_FLOW_END; number++) {
		st = export_template(export, number, &pending, err);
	}
	if (st == ST_OK) {
		st = export_template(export, TEMPLATE_STATISTICS, &pending, err);
	}
	return st == ST_OK ? emit(export, true, err) : st;
}

/*
 * Append a record; a full message is sent and the record goes into the next. As with templates,
 * "end of message" may mean no more than that templates came before.
 */
static int append(struct export *export, uint16_t internal, uint16_t external, void *record,
		  size_t size, struct err *err)
{
	GError *gerror = NULL;

	if (!fBufSetInternalTemplate(export->fbuf, internal, &gerror) ||
	    !fBufSetExportTemplate(export->fbuf, external, &gerror)) {
		return fixbuf_err(err, &gerror, "record");
	}
	for (int attempt = 0; attempt < 3; attempt++) {
		if (fBufAppend(export->fbuf, record, size, &gerror)) {
			export->records++;
			return ST_OK;
		}
		if (!g_error_matches(gerror, FB_ERROR_DOMAIN, FB_ERROR_EOM)) {
			break;
		}
		g_clear_error(&gerror);
		if (export->records > 0) {
			int st = emit(export, false, err);

			if (st != ST_OK) {
				return st;
			}
		}
	}
	return fixbuf_err(err, &gerror, "record");
}

/* --- flows ---------------------------------------------------------------------------------- */

#define NTP_EPOCH_S UINT64_C(2208988800)

/* Nanoseconds since 1970 as NTP 32.32, rounded up so that truncating the fraction gives them back
 * (keep_bits 32), or without its low bits (RFC 7011 6.1.9). */
static uint64_t ntp_time(int64_t ns, unsigned unused_bits)
{
	int64_t seconds = ns / NS_PER_S;
	int64_t rest = ns % NS_PER_S;
	uint64_t fraction;

	if (rest < 0) {
		rest += NS_PER_S;
		seconds--;
	}
	fraction = (((uint64_t)rest << 32) + NS_PER_S - 1) / NS_PER_S;
	return ((uint64_t)seconds + NTP_EPOCH_S) << 32 |
	       (fraction & ~((UINT64_C(1) << unused_bits) - 1));
}

static uint64_t floor_ms(int64_t ns)
{
	int64_t ms = ns / NS_PER_MS - (ns % NS_PER_MS < 0);

	return ms < 0 ? 0 : (uint64_t)ms;
}

static void fill_times(struct flow_record *record, int64_t start_ns, int64_t end_ns)
{
	record->start_ms = floor_ms(start_ns);
	record->end_ms = floor_ms(end_ns);
	record->start_us = ntp_time(start_ns, 11);
	record->end_us = ntp_time(end_ns, 11);
	record->start_ns = ntp_time(start_ns, 0);
	record->end_ns = ntp_time(end_ns, 0);
}

static void fill_forward(struct flow_record *record, const struct flow_side *side)
{
	record->bytes = record->delta_bytes = side->bytes;
	record->packets = record->delta_packets = side->packets;
	record->attributes = side->attributes;
	record->sequence = side->sequence;
	record->initial_flags = side->initial_flags;
	record->union_flags = side->union_flags;
	record->vlan = side->vlan;
	record->tos = side->tos;
}

static void fill_reverse(struct flow_record *record, const struct flow *flow)
{
	const struct flow_side *side = &flow->side[FLOW_REVERSE];
	int64_t delta_ns = flow->reverse_start_ns - flow->start_ns;

	record->reverse_bytes = record->reverse_delta_bytes = side->bytes;
	record->reverse_packets = record->reverse_delta_packets = side->packets;
	record->reverse_attributes = side->attributes;
	record->reverse_sequence = side->sequence;
	record->reverse_initial_flags = side->initial_flags;
	record->reverse_union_flags = side->union_flags;
	record->reverse_vlan = side->vlan;
	record->reverse_tos = side->tos;
	/* Of the truncated times, so that start plus delta is the reverse start to the unit. */
	record->reverse_ms =
		(uint32_t)(floor_ms(flow->reverse_start_ns) - floor_ms(flow->start_ns));
	record->reverse_us = (uint64_t)(flow->reverse_start_ns / NS_PER_US) -
			     (uint64_t)(flow->start_ns / NS_PER_US);
	record->reverse_ns = (uint64_t)delta_ns;
	if (delta_ns < 0) { /* a late packet was let in */
		record->reverse_ms = 0;
		record->reverse_us = 0;
		record->reverse_ns = 0;
	}
}

static void fill_key(struct flow_record *record, const struct flow_key *key)
{
	record->sip4 = ip_to_v4(key->sip);
	record->dip4 = ip_to_v4(key->dip);
	ip_to_bytes(key->sip, record->sip6);
	ip_to_bytes(key->dip, record->dip6);
	record->sport = key->sport;
	record->dport = key->dport;
	record->protocol = key->protocol;
}

static int send_flow(struct export *export, struct flow_record *record, const struct flow_key *key,
		     bool reverse, struct err *err)
{
	uint16_t number = TEMPLATE_FLOW;
	uint64_t counters =
		record->bytes | record->packets | record->reverse_bytes | record->reverse_packets;

	record->ingress = export->opts.ingress;
	record->egress = export->opts.egress;
	number |= counters > INT32_MAX ? TEMPLATE_WIDE : 0;
	number |= key->version == 6 || export->opts.force_ipv6 ? TEMPLATE_IPV6 : 0;
	number |= key->protocol == PROTOCOL_TCP ? TEMPLATE_TCP : 0;
	number |= reverse ? TEMPLATE_REVERSE : 0;
	return append(export, INTERNAL_FLOW, number, record, sizeof(*record), err);
}

/* The reverse half of a biflow as a flow of its own; its end is that of the biflow. */
static int send_reverse(struct export *export, const struct flow *flow, struct err *err)
{
	struct flow_record record = { .reason = flow->end_reason };
	struct flow_key key = flow->key;
	bool icmp = key.protocol == PROTOCOL_ICMP || key.protocol == PROTOCOL_ICMPV6;

	key.sip = flow->key.dip;
	key.dip = flow->key.sip;
	key.sport = icmp ? flow->key.sport : flow->key.dport;
	key.dport = icmp ? flow->key.dport : flow->key.sport;
	fill_key(&record, &key);
	fill_times(&record, flow->reverse_start_ns, flow->end_ns);
	fill_forward(&record, &flow->side[FLOW_REVERSE]);
	memcpy(record.source_mac, flow->destination_mac, sizeof(record.source_mac));
	memcpy(record.destination_mac, flow->source_mac, sizeof(record.destination_mac));
	return send_flow(export, &record, &key, false, err);
}

int export_flow(struct export *export, const struct flow *flow, struct err *err)
{
	struct flow_record record = { .reason = flow->end_reason };
	bool has_reverse = flow->side[FLOW_REVERSE].packets > 0;
	int st;

	fill_key(&record, &flow->key);
	fill_times(&record, flow->start_ns, flow->end_ns);
	fill_forward(&record, &flow->side[FLOW_FORWARD]);
	memcpy(record.source_mac, flow->source_mac, sizeof(record.source_mac));
	memcpy(record.destination_mac, flow->destination_mac, sizeof(record.destination_mac));
	if (has_reverse && !export->opts.uniflow) {
		fill_reverse(&record, flow);
		return send_flow(export, &record, &flow->key, true, err);
	}
	st = send_flow(export, &record, &flow->key, false, err);
	return st == ST_OK && has_reverse ? send_reverse(export, flow, err) : st;
}

static uint32_t rate(uint64_t count, const struct export_stats *stats)
{
	int64_t seconds = (int64_t)stats->now_s - stats->start_ms / 1000;

	return seconds > 0 ? (uint32_t)(count / (uint64_t)seconds) : 0;
}

int export_statistics(struct export *export, const struct export_stats *stats, struct err *err)
{
	struct statistics_record record = {
		.domain = export->opts.domain,
		.process_id = stats->process_id,
		.exporter_address = stats->exporter_address,
		.now_s = stats->now_s,
		.start_ms = (uint64_t)stats->start_ms,
		.flows = stats->flows,
		.packets = stats->packets,
		.dropped_packets = stats->dropped_packets,
		.ignored_packets = stats->ignored_packets,
		.late_packets = stats->late_packets,
		.expired_fragments = stats->expired_fragments,
		.assembled_fragments = stats->assembled_fragments,
		.flush_events = stats->flush_events,
		.peak_flows = stats->peak_flows,
		.flow_rate = rate(stats->flows, stats),
		.packet_rate = rate(stats->packets, stats),
	};

	return append(export, INTERNAL_STATISTICS, TEMPLATE_STATISTICS, &record, sizeof(record),
		      err);
}
