/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sFlow versions 2, 4 and 5 as one format of packer/decoder.h: datagrams of samples. Samples of
 * version 5 tell their length, so that one that is damaged or not known costs itself alone; of the
 * older ones it costs the rest of the datagram.
 */
#include <inttypes.h>

#include "packer/decoder.h"
#include "packer/sflowrecord.h"
#include "packer/sflowsource.h"
#include "packer/xdr.h"

struct sflow {
	struct decoder_context *context;
	struct sflowsources *sources;
	struct extras extras;
};

/* One datagram while it is taken in. */
struct sflow_datagram {
	struct sflow *format;
	uint32_t version;
	int64_t arrival_ns;
	struct ip agent_address;
	uint32_t sub_agent;
	struct sflowagent *agent; /* NULL: not accounted */
};

struct sflow_source_id {
	uint32_t source_class;
	uint32_t index;
};

static void *sflow_open(struct decoder_context *context)
{
	struct sflow *format = g_new0(struct sflow, 1);

	format->context = context;
	format->sources = sflowsources_new(&context->budget);
	return format;
}

static void sflow_close(void *state)
{
	struct sflow *format = state;

	sflowsources_free(format->sources);
	g_free(format);
}

static void sflow_save(const void *state, GByteArray *out)
{
	const struct sflow *format = state;

	sflowsources_save(format->sources, out);
}

static int sflow_load(void *state, const uint8_t *bytes, size_t len, struct err *err)
{
	struct sflow *format = state;

	return sflowsources_load(format->sources, bytes, len, err);
}

/* ---- sequence numbers ---- */

static void sflow_account_datagram(const struct sflow_datagram *datagram, uint32_t number,
				   uint32_t uptime_ms)
{
	uint64_t *counts = datagram->format->context->counts;
	struct sequence_step step;
	struct sflow_signs signs;

	if (!datagram->agent) {
		return;
	}
	signs = sflowagent_datagram(datagram->agent, number, uptime_ms, datagram->arrival_ns,
				    &step);
	counts[DECODER_REBOOTS] += signs.rebooted;
	counts[DECODER_MISSING_PACKETS] += (uint64_t)step.missing;
	counts[DECODER_OUT_OF_SEQUENCE] += signs.sign != SEQUENCE_IN_ORDER;
	if ((signs.rebooted || signs.sign != SEQUENCE_IN_ORDER) &&
	    decoder_wants(datagram->format->context, DECODER_NOTE_MISSING)) {
		char agent[IP_TEXT_MAX];

		ip_print(agent, datagram->agent_address, !ip_is_mapped(datagram->agent_address),
			 IP_CANONICAL);
		decoder_note(datagram->format->context, DECODER_NOTE_MISSING,
			     "sFlow agent %s, sub-agent %" PRIu32 "%s: expecting datagram %" PRIu32
			     ", received %" PRIu32,
			     agent, datagram->sub_agent, signs.rebooted ? " began anew" : "",
			     step.expected, number);
	}
}

static void sflow_account_sample(const struct sflow_datagram *datagram, enum sflow_kind kind,
				 struct sflow_source_id id, uint32_t number)
{
	struct sequence_step step;

	if (datagram->agent) {
		sflowsources_sample(datagram->format->sources, datagram->agent, kind,
				    id.source_class, id.index, number, &step);
		if (kind == SFLOW_FLOWS) {
			datagram->format->context->counts[DECODER_MISSING] +=
				(uint64_t)step.missing;
		}
	}
}

/* ---- samples ---- */

static struct sflow_source_id take_source_id(struct xdr *xdr, bool expanded)
{
	uint32_t word = xdr_u32(xdr);

	if (expanded) {
		return (struct sflow_source_id){ word, xdr_u32(xdr) };
	}
	return (struct sflow_source_id){ word >> 24, word & 0xffffff };
}

/*
 * An interface of a sample: its ifIndex if it is one; 0 for "dropped for a reason", "to so many
 * interfaces" (formats 1 and 2) and the number that stands for "not known".
 */
static uint32_t take_interface(struct xdr *xdr, bool expanded)
{
	uint32_t word = xdr_u32(xdr);
	uint32_t format = expanded ? word : word >> 30;
	uint32_t value = expanded ? xdr_u32(xdr) : word & 0x3fffffff;
	uint32_t unknown = expanded ? UINT32_MAX : 0x3fffffff;

	return format == 0 && value != unknown ? value : 0;
}

/* Hand over what a flow sample made; non-zero: the sink's. */
static int sflow_deliver(const struct sflow_datagram *datagram, struct sflowrecord *flow)
{
	struct decoder_context *context = datagram->format->context;

	if (sflowrecord_finish(flow, &context->opts.mapping)) {
		context->counts[DECODER_FORWARD]++;
		return context->sink.flow(context->sink.arg, &flow->rec, flow->extras);
	}
	context->counts[DECODER_IGNORED]++;
	if (context->sink.ignored) {
		context->sink.ignored(context->sink.arg, &flow->rec, "No IP addresses");
	}
	return ST_OK;
}

/* What flow samples of all versions begin with, up to the interfaces. */
static void sflow_begin_flow(const struct sflow_datagram *datagram, struct sflowrecord *flow,
			     struct xdr *xdr, bool expanded)
{
	uint32_t number = xdr_u32(xdr);
	struct sflow_source_id id = take_source_id(xdr, expanded);
	uint32_t rate = xdr_u32(xdr);
	uint32_t input, output;

	xdr_skip(xdr, 8); /* pool, drops */
	input = take_interface(xdr, expanded);
	output = take_interface(xdr, expanded);
	sflowrecord_begin(flow, &datagram->format->extras, datagram->arrival_ns);
	sflowrecord_head(flow, rate, input, output);
	if (!xdr->bad) {
		sflow_account_sample(datagram, SFLOW_FLOWS, id, number);
	}
}

static int sflow_flow5(const struct sflow_datagram *datagram, struct xdr *xdr, bool expanded)
{
	struct sflowrecord flow;
	uint32_t elements;

	sflow_begin_flow(datagram, &flow, xdr, expanded);
	elements = xdr_u32(xdr);
	for (uint32_t i = 0; i < elements && !xdr->bad; i++) {
		uint32_t format = xdr_u32(xdr);
		struct xdr part = xdr_part(xdr, xdr_u32(xdr));

		xdr->bad |= !sflowrecord_element(&flow, format, &part);
	}
	return xdr->bad && !flow.found ? ST_OK : sflow_deliver(datagram, &flow);
}

static int sflow_take_flow5(const struct sflow_datagram *datagram, struct xdr *xdr)
{
	return sflow_flow5(datagram, xdr, false);
}

static int sflow_take_expanded5(const struct sflow_datagram *datagram, struct xdr *xdr)
{
	return sflow_flow5(datagram, xdr, true);
}

static void sflow_generic(const struct sflow_datagram *datagram, struct xdr *xdr)
{
	struct decoder_context *context = datagram->format->context;
	struct ifcounters counters = {
		.time_ns = datagram->arrival_ns,
		.agent = datagram->agent_address,
		.sub_agent = datagram->sub_agent,
	};

	counters.interface = xdr_u32(xdr);
	for (size_t i = 0; i < IFCOUNTERS; i++) {
		counters.values[i] = ifcounter_rows[i].wide ? xdr_u64(xdr) : xdr_u32(xdr);
	}
	xdr_u32(xdr); /* promiscuous mode */
	if (!xdr->bad && context->sink.counters) {
		context->sink.counters(context->sink.arg, &counters);
	}
}

static int sflow_counters5(const struct sflow_datagram *datagram, struct xdr *xdr, bool expanded)
{
	uint32_t number = xdr_u32(xdr);
	struct sflow_source_id id = take_source_id(xdr, expanded);
	uint32_t elements = xdr_u32(xdr);

	if (xdr->bad) {
		return ST_OK;
	}
	sflow_account_sample(datagram, SFLOW_COUNTERS, id, number);
	datagram->format->context->counts[DECODER_COUNTER_SAMPLES]++;
	for (uint32_t i = 0; i < elements && !xdr->bad; i++) {
		uint32_t format = xdr_u32(xdr);
		struct xdr part = xdr_part(xdr, xdr_u32(xdr));

		if (format == 1) { /* generic; others are of one medium */
			sflow_generic(datagram, &part);
			xdr->bad |= part.bad;
		}
	}
	return ST_OK;
}

static int sflow_take_counters5(const struct sflow_datagram *datagram, struct xdr *xdr)
{
	return sflow_counters5(datagram, xdr, false);
}

static int sflow_take_counters_expanded5(const struct sflow_datagram *datagram, struct xdr *xdr)
{
	return sflow_counters5(datagram, xdr, true);
}

/* A packet that the agent's device dropped, and why: counted. */
static int sflow_take_discard5(const struct sflow_datagram *datagram, struct xdr *xdr)
{
	uint32_t number = xdr_u32(xdr);
	struct sflow_source_id id = take_source_id(xdr, true);

	xdr_skip(xdr, 16); /* drops of samples, input, output, reason */
	if (!xdr->bad) {
		sflow_account_sample(datagram, SFLOW_DISCARDS, id, number);
		datagram->format->context->counts[DECODER_DISCARDS]++;
	}
	return ST_OK;
}

static int sflow_sample5(const struct sflow_datagram *datagram, struct xdr *xdr)
{
	static const struct {
		uint32_t format;
		int (*take)(const struct sflow_datagram *datagram, struct xdr *xdr);
	} samples[] = {
		{ 1, sflow_take_flow5 },     { 2, sflow_take_counters5 },
		{ 3, sflow_take_expanded5 }, { 4, sflow_take_counters_expanded5 },
		{ 5, sflow_take_discard5 },
	};
	uint32_t format = xdr_u32(xdr);
	struct xdr part = xdr_part(xdr, xdr_u32(xdr));

	for (size_t i = 0; !part.bad && i < G_N_ELEMENTS(samples); i++) {
		if (samples[i].format == format) {
			int st = samples[i].take(datagram, &part);

			return st == ST_OK && part.bad ? ST_EFORMAT : st;
		}
	}
	return part.bad ? ST_EFORMAT : ST_OK; /* enterprises' own are passed over */
}

/* ---- versions 2 and 4 ---- */

static int sflow_flow4(const struct sflow_datagram *datagram, struct xdr *xdr)
{
	struct sflowrecord flow;
	uint32_t elements;

	sflow_begin_flow(datagram, &flow, xdr, false);
	xdr->bad |= !sflowrecord_packet4(&flow, xdr_u32(xdr), xdr);
	elements = xdr_u32(xdr);
	for (uint32_t i = 0; i < elements && !xdr->bad; i++) {
		xdr->bad |= !sflowrecord_extended4(&flow, datagram->version, xdr_u32(xdr), xdr);
	}
	return xdr->bad && !flow.found ? ST_OK : sflow_deliver(datagram, &flow);
}

static void sflow_counters4(const struct sflow_datagram *datagram, struct xdr *xdr)
{
	/* What follows the generic counters by type (index), in bytes; type 7 has none of them. */
	static const uint8_t rest[] = { 0, 0, 52, 72, 0, 80, 0, 28 };
	uint32_t number = xdr_u32(xdr);
	struct sflow_source_id id = take_source_id(xdr, false);
	uint32_t type;

	xdr_u32(xdr); /* interval */
	type = xdr_u32(xdr);
	if (xdr->bad || type == 0 || type >= sizeof(rest)) {
		xdr->bad = true;
		return;
	}
	sflow_account_sample(datagram, SFLOW_COUNTERS, id, number);
	datagram->format->context->counts[DECODER_COUNTER_SAMPLES]++;
	if (type != 7) {
		sflow_generic(datagram, xdr);
	}
	xdr_skip(xdr, rest[type]);
}

static int sflow_sample4(const struct sflow_datagram *datagram, struct xdr *xdr)
{
	uint32_t type = xdr_u32(xdr);
	int st = ST_OK;

	if (type == 1) {
		st = sflow_flow4(datagram, xdr);
	} else if (type == 2) {
		sflow_counters4(datagram, xdr);
	} else {
		xdr->bad = true;
	}
	return st == ST_OK && xdr->bad ? ST_EFORMAT : st;
}

/* ---- datagrams ---- */

static int sflow_take_samples(const struct sflow_datagram *datagram, struct xdr *xdr,
			      struct err *err)
{
	uint32_t samples = xdr_u32(xdr);
	uint32_t bad = 0;

	for (uint32_t i = 0; i < samples && !xdr->bad; i++) {
		int st = datagram->version == 5 ? sflow_sample5(datagram, xdr)
						: sflow_sample4(datagram, xdr);

		if (st == ST_EFORMAT) {
			bad++;
		} else if (st != ST_OK) {
			return st;
		}
	}
	if (bad > 0 || xdr->bad) {
		return err_set(err, ST_EFORMAT, "sFlow datagram with damaged samples");
	}
	return ST_OK;
}

static int sflow_take(void *state, const struct decoder_message *message, struct err *err)
{
	struct sflow *format = state;
	struct xdr xdr = { message->bytes, message->len, false };
	struct sflow_datagram datagram = { .format = format, .arrival_ns = message->arrival_ns };
	uint32_t family, number, uptime_ms;

	datagram.version = xdr_u32(&xdr);
	if (datagram.version != 2 && datagram.version != 4 && datagram.version != 5) {
		return err_set(err, ST_EFORMAT, "sFlow version %" PRIu32 " is not known here",
			       datagram.version);
	}
	datagram.agent_address = xdr_address(&xdr, &family);
	datagram.sub_agent = datagram.version == 5 ? xdr_u32(&xdr) : 0;
	number = xdr_u32(&xdr);
	uptime_ms = xdr_u32(&xdr);
	if (xdr.bad || xdr.left < 4) {
		return err_set(err, ST_EFORMAT, "sFlow datagram cut off in its header");
	}
	datagram.agent =
		sflowsources_agent(format->sources, datagram.agent_address, datagram.sub_agent);
	sflow_account_datagram(&datagram, number, uptime_ms);
	return sflow_take_samples(&datagram, &xdr, err);
}

const struct decoder_format decoder_sflow = {
	.name = "sFlow",
	.versions = 1U << 0,
	.open = sflow_open,
	.take = sflow_take,
	.save = sflow_save,
	.load = sflow_load,
	.close = sflow_close,
};
