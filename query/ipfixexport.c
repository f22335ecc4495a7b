/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One internal record, described to libfixbuf by one internal template, holds every field in its
 * widest form; each external template is a choice from the table of elements, of which libfixbuf
 * shortens what is shorter there. Those of SiLK come first. What they have no room for, greater
 * numbers and elements of extension columns, is written by templates that are made when the first
 * record needs them; for each there is an internal one, too, with the elements at its end.
 */
#include "query/ipfixexport.h"

#include <stdio.h>
#include <string.h>

#include <fixbuf/public.h>

#include "common/timestamp.h"
#include "query/ipfixelements.h"

#define CERT_PEN 6871

/* What a template holds beyond what all have. */
enum {
	WITH_IPV4 = 1 << 0,
	WITH_IPV6 = 1 << 1,
	WITH_ICMP4 = 1 << 2,
	WITH_ICMP6 = 1 << 3,
	WITH_PORTS = 1 << 4,
	WITH_FLAGS = 1 << 5,
	WITH_EXPANDED = 1 << 6, /* flags of the first packet and of the others */
	WITH_NAMES = 1 << 7,
	WITH_NARROW = 1 << 8, /* counts and interfaces as SiLK has them */
	WITH_WIDE = 1 << 9,
};

/* Kinds of records; numbers of templates are a base for the family and one of these. */
enum {
	KIND_OTHER,
	KIND_ICMP,
	KIND_PORTS,
	KIND_TCP,
	KIND_EXPANDED,
	KINDS,
	TEMPLATE_IPV4 = 0x9dd0,
	TEMPLATE_IPV6 = 0x9ed0,
	TEMPLATE_SINGLE = 0xafea,
	TEMPLATE_SETS = 0xb000, /* and what follows: those that are made when they are needed */
	INTERNAL = 0xa000,
	INTERNAL_SETS = 0xa001, /* and what follows: theirs */
};

#define PROTOCOL_ICMP   1
#define PROTOCOL_TCP    6
#define PROTOCOL_UDP    17
#define PROTOCOL_ICMPV6 58
#define PROTOCOL_SCTP   132

/* libfixbuf takes these arrays without const, and only reads them. */
#define IE(name_, len_, flags_)                                                                    \
	{                                                                                          \
		.name = (char *)(uintptr_t)(name_), .len_override = (len_), .flags = (flags_)      \
	}
#define CERT_U(name_, num_, len_, flags_)                                                          \
	FB_IE_INIT_FULL(name_, CERT_PEN, num_, len_, (flags_) | FB_IE_F_ENDIAN, 0, 0,              \
			(len_) == 1 ? FB_UINT_8 : FB_UINT_16, NULL)
#define CERT_STRING(name_, num_)                                                                   \
	FB_IE_INIT_FULL(name_, CERT_PEN, num_, FB_IE_VARLEN, FB_IE_DEFAULT, 0, 0, FB_STRING, NULL)

static const fbInfoElement_t cert_elements[] = {
	CERT_U("initialTCPFlags", 14, 1, FB_IE_FLAGS),
	CERT_U("unionTCPFlags", 15, 1, FB_IE_FLAGS),
	CERT_U("silkFlowtypeId", 30, 1, FB_IE_IDENTIFIER),
	CERT_U("silkSensorId", 31, 2, FB_IE_IDENTIFIER),
	CERT_U("silkTCPState", 32, 1, FB_IE_FLAGS),
	CERT_U("silkAppLabel", 33, 2, FB_IE_IDENTIFIER),
	CERT_STRING("silkFlowtypeName", 938),
	CERT_STRING("silkClassName", 939),
	CERT_STRING("silkTypeName", 940),
	CERT_STRING("silkSensorName", 941),
	FB_IE_NULL,
};

/* What libfixbuf reads; the order is that of internal_elements, and there are no holes. */
struct flow_record {
	fbVarfield_t flowtype_name, class_name, type_name, sensor_name;
	uint64_t start_ms, end_ms, packets, bytes;
	uint8_t sip6[16], dip6[16], nhip6[16];
	uint32_t sip4, dip4, nhip4;
	uint32_t input, output;
	uint16_t sport, dport;
	uint16_t icmp4, icmp6;
	uint16_t application, sensor;
	uint8_t flowtype, state, protocol;
	uint8_t flags, initial_flags, session_flags;
	uint8_t padding[6];
	uint8_t more_padding[4]; /* elements may follow, and are aligned */
};
_Static_assert(sizeof(struct flow_record) ==
		       offsetof(struct flow_record, more_padding) + sizeof(uint8_t[4]),
	       "no hole at the end");

static const fbInfoElementSpec_t internal_elements[] = {
	IE("silkFlowtypeName", FB_IE_VARLEN, 0),
	IE("silkClassName", FB_IE_VARLEN, 0),
	IE("silkTypeName", FB_IE_VARLEN, 0),
	IE("silkSensorName", FB_IE_VARLEN, 0),
	IE("flowStartMilliseconds", 8, 0),
	IE("flowEndMilliseconds", 8, 0),
	IE("packetDeltaCount", 8, 0),
	IE("octetDeltaCount", 8, 0),
	IE("sourceIPv6Address", 16, 0),
	IE("destinationIPv6Address", 16, 0),
	IE("ipNextHopIPv6Address", 16, 0),
	IE("sourceIPv4Address", 4, 0),
	IE("destinationIPv4Address", 4, 0),
	IE("ipNextHopIPv4Address", 4, 0),
	IE("ingressInterface", 4, 0),
	IE("egressInterface", 4, 0),
	IE("sourceTransportPort", 2, 0),
	IE("destinationTransportPort", 2, 0),
	IE("icmpTypeCodeIPv4", 2, 0),
	IE("icmpTypeCodeIPv6", 2, 0),
	IE("silkAppLabel", 2, 0),
	IE("silkSensorId", 2, 0),
	IE("silkFlowtypeId", 1, 0),
	IE("silkTCPState", 1, 0),
	IE("protocolIdentifier", 1, 0),
	IE("tcpControlBits", 1, 0),
	IE("initialTCPFlags", 1, 0),
	IE("unionTCPFlags", 1, 0),
	IE("paddingOctets", 6, 0),
	IE("paddingOctets", 4, 0),
	FB_IESPEC_NULL,
};

/* The records of the many templates; a row is in a template that has all of its flags. */
static const fbInfoElementSpec_t kind_elements[] = {
	IE("flowStartMilliseconds", 8, 0),
	IE("flowEndMilliseconds", 8, 0),
	IE("packetDeltaCount", 4, WITH_NARROW),
	IE("octetDeltaCount", 4, WITH_NARROW),
	IE("ingressInterface", 2, WITH_NARROW),
	IE("egressInterface", 2, WITH_NARROW),
	IE("packetDeltaCount", 8, WITH_WIDE),
	IE("octetDeltaCount", 8, WITH_WIDE),
	IE("ingressInterface", 4, WITH_WIDE),
	IE("egressInterface", 4, WITH_WIDE),
	IE("silkAppLabel", 2, 0),
	IE("silkSensorId", 2, 0),
	IE("silkFlowtypeId", 1, 0),
	IE("silkTCPState", 1, 0),
	IE("protocolIdentifier", 1, 0),
	IE("icmpTypeCodeIPv4", 2, WITH_ICMP4),
	IE("icmpTypeCodeIPv6", 2, WITH_ICMP6),
	IE("initialTCPFlags", 1, WITH_EXPANDED),
	IE("unionTCPFlags", 1, WITH_EXPANDED),
	IE("tcpControlBits", 1, WITH_FLAGS),
	IE("sourceTransportPort", 2, WITH_PORTS),
	IE("destinationTransportPort", 2, WITH_PORTS),
	IE("sourceIPv4Address", 4, WITH_IPV4),
	IE("destinationIPv4Address", 4, WITH_IPV4),
	IE("ipNextHopIPv4Address", 4, WITH_IPV4),
	IE("sourceIPv6Address", 16, WITH_IPV6),
	IE("destinationIPv6Address", 16, WITH_IPV6),
	IE("ipNextHopIPv6Address", 16, WITH_IPV6),
	IE("silkFlowtypeName", FB_IE_VARLEN, WITH_NAMES),
	IE("silkClassName", FB_IE_VARLEN, WITH_NAMES),
	IE("silkTypeName", FB_IE_VARLEN, WITH_NAMES),
	IE("silkSensorName", FB_IE_VARLEN, WITH_NAMES),
	FB_IESPEC_NULL,
};

static const fbInfoElementSpec_t single_elements[] = {
	IE("flowStartMilliseconds", 8, 0), IE("flowEndMilliseconds", 8, 0),
	IE("sourceIPv6Address", 16, 0),    IE("destinationIPv6Address", 16, 0),
	IE("sourceIPv4Address", 4, 0),     IE("destinationIPv4Address", 4, 0),
	IE("sourceTransportPort", 2, 0),   IE("destinationTransportPort", 2, 0),
	IE("ipNextHopIPv4Address", 4, 0),  IE("ipNextHopIPv6Address", 16, 0),
	IE("ingressInterface", 4, 0),      IE("egressInterface", 4, 0),
	IE("packetDeltaCount", 8, 0),      IE("octetDeltaCount", 8, 0),
	IE("protocolIdentifier", 1, 0),    IE("silkFlowtypeId", 1, 0),
	IE("silkSensorId", 2, 0),          IE("tcpControlBits", 1, 0),
	IE("initialTCPFlags", 1, 0),       IE("unionTCPFlags", 1, 0),
	IE("silkTCPState", 1, 0),          IE("silkAppLabel", 2, 0),
	IE("paddingOctets", 6, 0),         FB_IESPEC_NULL,
};

static const uint32_t kind_flags[2][KINDS] = {
	{
		[KIND_OTHER] = WITH_IPV4,
		[KIND_ICMP] = WITH_IPV4 | WITH_ICMP4,
		[KIND_PORTS] = WITH_IPV4 | WITH_PORTS,
		[KIND_TCP] = WITH_IPV4 | WITH_PORTS | WITH_FLAGS,
		[KIND_EXPANDED] = WITH_IPV4 | WITH_PORTS | WITH_FLAGS | WITH_EXPANDED,
	},
	{
		[KIND_OTHER] = WITH_IPV6,
		[KIND_ICMP] = WITH_IPV6 | WITH_ICMP6,
		[KIND_PORTS] = WITH_IPV6 | WITH_PORTS,
		[KIND_TCP] = WITH_IPV6 | WITH_PORTS | WITH_FLAGS,
		[KIND_EXPANDED] = WITH_IPV6 | WITH_PORTS | WITH_FLAGS | WITH_EXPANDED,
	},
};

#define NUMBER_TEXT sizeof("4294967295")

struct ipfixexport {
	struct ipfixexport_opts opts;
	struct bytesink *sink;
	struct err sink_err; /* what the sink failed with, if anything */
	FILE *file;          /* what libfixbuf writes to, and through it to the sink */
	fbInfoModel_t *model;
	fbSession_t *session; /* belongs to fbuf */
	fBuf_t *fbuf;
	struct ipfixelements *elements;
	unsigned sets;     /* so many of their templates were written */
	uint16_t template; /* of the last record */
	char type_number[NUMBER_TEXT];
	char sensor_number[NUMBER_TEXT];
};

/* The sink's reason, or else libfixbuf's, as ours; frees the latter. */
static int export_err(const struct ipfixexport *export, GError **gerror, struct err *err)
{
	if (export->sink_err.text[0]) {
		err_set(err, ST_EIO, "%s", export->sink_err.text);
	} else {
		err_set(err, ST_EIO, "%s: %s", bytesink_name(export->sink),
			*gerror ? (*gerror)->message : "libfixbuf failed");
	}
	g_clear_error(gerror);
	return ST_EIO;
}

static ssize_t write_to_sink(void *cookie, const char *bytes, size_t len)
{
	struct ipfixexport *export = cookie;

	return bytesink_write(export->sink, bytes, len, &export->sink_err) == ST_OK ? (ssize_t)len
										    : 0;
}

/* set: the elements of extension columns; NULL: none. */
static int add_template(struct ipfixexport *export, bool internal, uint16_t number,
			const fbInfoElementSpec_t *elements, uint32_t flags,
			const struct ipfixelements_set *set, struct err *err)
{
	GError *gerror = NULL;
	fbTemplate_t *template = fbTemplateAlloc(export->model);

	if (!fbTemplateAppendSpecArray(template, (fbInfoElementSpec_t *)(uintptr_t)elements, flags,
				       &gerror) ||
	    (set && !ipfixelements_append(set, template, &gerror)) ||
	    fbSessionAddTemplate(export->session, internal, number, template, &gerror) == 0) {
		fbTemplateFreeUnused(template);
		return export_err(export, &gerror, err);
	}
	return ST_OK;
}

static int add_templates(struct ipfixexport *export, struct err *err)
{
	int st = add_template(export, true, INTERNAL, internal_elements, 0, NULL, err);
	uint32_t always = WITH_NARROW | (export->opts.names ? WITH_NAMES : 0);

	if (export->opts.single_template) {
		return st == ST_OK ? add_template(export, false, TEMPLATE_SINGLE, single_elements,
						  0, NULL, err)
				   : st;
	}
	for (uint16_t kind = 0; st == ST_OK && kind < KINDS; kind++) {
		st = add_template(export, false, (uint16_t)(TEMPLATE_IPV4 + kind), kind_elements,
				  kind_flags[0][kind] | always, NULL, err);
		if (st == ST_OK) {
			st = add_template(export, false, (uint16_t)(TEMPLATE_IPV6 + kind),
					  kind_elements, kind_flags[1][kind] | always, NULL, err);
		}
	}
	return st;
}

int ipfixexport_new(struct ipfixexport **out, const struct ipfixexport_opts *opts,
		    struct bytesink *sink, struct err *err)
{
	struct ipfixexport *export = g_new0(struct ipfixexport, 1);
	GError *gerror = NULL;
	int st;

	export->opts = *opts;
	export->sink = sink;
	export->file = fopencookie(export, "w", (cookie_io_functions_t){ .write = write_to_sink });
	export->model = fbInfoModelAlloc();
	fbInfoModelAddElementArray(export->model, (fbInfoElement_t *)(uintptr_t)cert_elements);
	export->elements = ipfixelements_new(export->model);
	export->session = fbSessionAlloc(export->model);
	st = add_templates(export, err);
	export->fbuf = fBufAllocForExport(export->session, fbExporterAllocFP(export->file));
	if (st == ST_OK && (!fBufSetInternalTemplate(export->fbuf, INTERNAL, &gerror) ||
			    !fbSessionExportTemplates(export->session, &gerror))) {
		st = export_err(export, &gerror, err);
	}
	if (st != ST_OK) {
		ipfixexport_free(export);
		return st;
	}
	*out = export;
	return ST_OK;
}

void ipfixexport_free(struct ipfixexport *export)
{
	if (export) {
		fBufFree(export->fbuf);
		fclose(export->file);
		ipfixelements_free(export->elements);
		fbInfoModelFree(export->model);
		g_free(export);
	}
}

/* --- records --- */

/* Larger than what SiLK's records and the many templates have room for? */
static bool is_wide(const struct record *rec)
{
	return rec->packets > UINT32_MAX || rec->bytes > UINT32_MAX || rec->input > UINT16_MAX ||
	       rec->output > UINT16_MAX;
}

static unsigned choose_kind(const struct record *rec)
{
	switch (rec->protocol) {
	case PROTOCOL_TCP:
		return rec->state & RECORD_EXPANDED ? KIND_EXPANDED : KIND_TCP;
	case PROTOCOL_UDP:
	case PROTOCOL_SCTP:
		return KIND_PORTS;
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6: /* either in either family */
		return KIND_ICMP;
	default:
		return KIND_OTHER;
	}
}

static void set_name(fbVarfield_t *field, const char *name)
{
	field->buf = (uint8_t *)(uintptr_t)name;
	field->len = strlen(name);
}

/* What the site has no name for has its number. */
static const char *or_number(const char *name, unsigned number, char *room)
{
	if (!name) {
		snprintf(room, NUMBER_TEXT, "%u", number);
	}
	return name ? name : room;
}

static void fill_names(struct ipfixexport *export, const struct record *rec,
		       struct flow_record *out)
{
	const struct site *site = export->opts.names;
	int class_id = site_flowtype_class(site, rec->flowtype);
	const char *flowtype = site_flowtype_name(site, rec->flowtype);
	const char *sensor = site_sensor_name(site, rec->sensor);

	set_name(&out->flowtype_name,
		 rec->flowtype == RECORD_NO_FLOWTYPE
			 ? "?"
			 : or_number(flowtype, rec->flowtype, export->type_number));
	set_name(&out->class_name, class_id < 0 ? "?" : site_class_name(site, class_id));
	set_name(&out->type_name, or_number(site_flowtype_type(site, rec->flowtype), rec->flowtype,
					    export->type_number));
	set_name(&out->sensor_name,
		 rec->sensor == RECORD_NO_SENSOR
			 ? "?"
			 : or_number(sensor, rec->sensor, export->sensor_number));
}

static void fill_addresses(const struct record *rec, struct flow_record *out)
{
	if (record_is_ipv6(rec)) {
		ip_to_bytes(rec->sip, out->sip6);
		ip_to_bytes(rec->dip, out->dip6);
		ip_to_bytes(rec->nhip, out->nhip6);
	} else {
		out->sip4 = ip_to_v4(rec->sip);
		out->dip4 = ip_to_v4(rec->dip);
		out->nhip4 = ip_to_v4(rec->nhip);
	}
}

static void fill_record(struct ipfixexport *export, const struct record *rec,
			struct flow_record *out)
{
	*out = (struct flow_record){
		.start_ms = (uint64_t)(rec->start_ns / NS_PER_MS),
		.end_ms = (uint64_t)(record_end_ns(rec) / NS_PER_MS),
		.packets = rec->packets,
		.bytes = rec->bytes,
		.input = rec->input,
		.output = rec->output,
		.sport = rec->sport,
		.dport = rec->dport,
		.icmp4 = rec->dport,
		.icmp6 = rec->dport,
		.application = rec->application,
		.sensor = rec->sensor,
		.flowtype = rec->flowtype,
		.state = rec->state & (uint8_t)~RECORD_IPV6,
		.protocol = rec->protocol,
		.flags = rec->flags,
		.initial_flags = rec->initial_flags,
		.session_flags = rec->session_flags,
	};
	fill_addresses(rec, out);
	if (export->opts.names) {
		fill_names(export, rec, out);
	}
}

/* Both templates of a set, as the first record of it comes. */
static int make_set(struct ipfixexport *export, const struct ipfixelements_set *set, uint32_t flags,
		    struct err *err)
{
	const uint16_t external = (uint16_t)(TEMPLATE_SETS + set->number);
	GError *gerror = NULL;
	int status = add_template(export, true, (uint16_t)(INTERNAL_SETS + set->number),
				  internal_elements, 0, set, err);

	flags |= WITH_WIDE | (export->opts.names ? WITH_NAMES : 0);
	if (status == ST_OK) {
		status = add_template(export, false, external, kind_elements, flags, set, err);
	}
	if (status == ST_OK && !fbSessionExportTemplate(export->session, external, &gerror)) {
		status = export_err(export, &gerror, err);
	}
	export->sets++;
	return status;
}

/* What the record is written with from now on. */
static int use_templates(struct ipfixexport *export, const struct record *rec,
			 const struct ipfixelements_set *set, struct err *err)
{
	const bool is_v6 = record_is_ipv6(rec);
	const unsigned kind = choose_kind(rec);
	uint16_t internal = INTERNAL, external = TEMPLATE_SINGLE;
	GError *gerror = NULL;
	int status = ST_OK;

	if (set) {
		internal = (uint16_t)(INTERNAL_SETS + set->number);
		external = (uint16_t)(TEMPLATE_SETS + set->number);
	} else if (!export->opts.single_template) {
		external = (uint16_t)((is_v6 ? TEMPLATE_IPV6 : TEMPLATE_IPV4) + kind);
	}
	if (external == export->template) {
		return ST_OK;
	}
	if (set && set->number >= export->sets) {
		status = make_set(export, set, kind_flags[is_v6][kind], err);
	}
	if (status == ST_OK && (!fBufSetInternalTemplate(export->fbuf, internal, &gerror) ||
				!fBufSetExportTemplate(export->fbuf, external, &gerror))) {
		status = export_err(export, &gerror, err);
	}
	export->template = external;
	return status;
}

static int write_row(struct ipfixexport *export, const struct batch *batch, uint32_t row,
		     struct err *err)
{
	struct {
		struct flow_record flow;
		uint8_t elements[IPFIXELEMENTS_BYTES];
	} out;
	const struct ipfixelements_set *set = NULL;
	GError *gerror = NULL;
	struct record rec;
	int status;

	batch_get(batch, row, &rec);
	fill_record(export, &rec, &out.flow);
	if (!export->opts.single_template) {
		set = ipfixelements_of_row(
			export->elements, batch, row,
			(uint16_t)(record_is_ipv6(&rec) * KINDS + choose_kind(&rec)),
			is_wide(&rec));
	}
	status = use_templates(export, &rec, set, err);
	if (status != ST_OK) {
		return status;
	}
	if (set) {
		ipfixelements_fill(export->elements, set, out.elements);
	}
	if (!fBufAppend(export->fbuf, (uint8_t *)&out, sizeof(out.flow) + (set ? set->bytes : 0),
			&gerror)) {
		return export_err(export, &gerror, err);
	}
	return ST_OK;
}

int ipfixexport_write(struct ipfixexport *export, const struct batch *batch, struct err *err)
{
	int status = ST_OK;

	for (uint32_t i = 0; status == ST_OK && i < batch->selected; i++) {
		status = write_row(export, batch, batch->selection[i], err);
	}
	return status;
}

uint64_t ipfixexport_left_out(const struct ipfixexport *export)
{
	return ipfixelements_left_out(export->elements);
}

int ipfixexport_finish(struct ipfixexport *export, struct err *err)
{
	GError *gerror = NULL;

	if (!fBufEmit(export->fbuf, &gerror)) {
		return export_err(export, &gerror, err);
	}
	return fflush(export->file) == 0 ? ST_OK : export_err(export, &gerror, err);
}
