/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data sets of NetFlow v9 and IPFIX to records; the hot loop is here. */
#include "common/timestamp.h"
#include "packer/sampledpacket.h"
#include "packer/templatelist.h"
#include "packer/templatesession.h"

/* Elements that are added. */
#define DATA_SAMPLING_INTERVAL 34
#define DATA_TOS               5
#define DATA_VLAN              58

/* All that is the same for the records of one set. */
struct data_set {
	struct templatesession *session;
	const struct templatesession_domain *domain;
	const struct templatesession_domain *whole; /* domain 0, for what is said of all; or NULL */
	const struct templatesession_header *header;
	const struct template *tmpl;
	const struct templateplan *plan;
	struct ipfix_input input;
	struct ipfix_list_flags list;
	const struct templateplan_places *places;
	bool sampled; /* there may be a sampling interval to add */
	int section;  /* the sampled packet, in the extras; -1: none */
	int linktype; /* of it */
};

/* ---- sampling ---- */

static bool data_is_sampled(const struct data_set *set)
{
	return set->places->sampling_interval < 0 &&
	       (set->places->packet_interval >= 0 ||
		exporteroptions_has_intervals(set->domain->options) ||
		(set->whole && exporteroptions_has_intervals(set->whole->options)));
}

static uint64_t data_look_up(const struct data_set *set, enum exporteroptions_kind kind,
			     uint64_t id)
{
	uint64_t interval = exporteroptions_interval(set->domain->options, kind, id);

	return interval == 0 && set->whole ? exporteroptions_interval(set->whole->options, kind, id)
					   : interval;
}

/* What is said most closely is believed: the record, its sampler, its interface, the domain. */
static uint64_t data_sampling_interval(const struct data_set *set)
{
	const struct flowblock_value *values = set->session->values.extras.values;
	uint64_t interval = 0;

	if (set->places->packet_interval >= 0 && set->places->packet_space >= 0 &&
	    values[set->places->packet_interval].number > 0) {
		uint64_t taken = values[set->places->packet_interval].number;

		interval = (taken + values[set->places->packet_space].number) / taken;
	}
	if (interval == 0 && set->places->sampler >= 0) {
		interval = data_look_up(set, EXPORTEROPTIONS_SAMPLER,
					values[set->places->sampler].number);
	}
	if (interval == 0 && set->input.shape->has[IPFIX_INPUT]) {
		interval = data_look_up(set, EXPORTEROPTIONS_INTERFACE, set->input.fields->input);
	}
	return interval ? interval : data_look_up(set, EXPORTEROPTIONS_DOMAIN, 0);
}

static void data_add_sampling(const struct data_set *set)
{
	uint64_t interval = data_sampling_interval(set);

	if (interval > 0) {
		extras_add_number(&set->session->values.extras,
				  (struct column_key){ 0, DATA_SAMPLING_INTERVAL },
				  COLUMN_UNSIGNED32, MIN(interval, UINT32_MAX));
	}
}

/* ---- sampled packets ---- */

static void data_find_section(struct data_set *set)
{
	const bool *has = set->input.shape->has;

	set->section = -1;
	if (has[IPFIX_SIP4] || has[IPFIX_DIP4] || has[IPFIX_SIP6] || has[IPFIX_DIP6]) {
		return;
	}
	set->linktype = set->places->frame >= 0 ? SAMPLEDPACKET_ETHERNET : SAMPLEDPACKET_IP;
	set->section = set->places->frame >= 0 ? set->places->frame : set->places->ip_section;
}

/* A record that says nothing of its flow but has a packet of it (RFC 5477). */
static bool data_take_packet(struct data_set *set)
{
	struct extras *extras = &set->session->values.extras;
	struct ipfix_output *out = &set->session->output;
	struct record *rec = &out->records[0];
	const struct encode_bytes *section;
	struct packet packet;
	uint32_t size = 0;

	if (set->section < 0) {
		return false;
	}
	section = &extras->values[set->section].bytes;
	if (set->places->frame_size >= 0 && set->linktype == SAMPLEDPACKET_ETHERNET) {
		size = (uint32_t)MIN(extras->values[set->places->frame_size].number, UINT32_MAX);
	}
	if (!sampledpacket_decode(set->linktype, section->bytes, (uint32_t)section->len,
				  MAX(size, (uint32_t)section->len), &packet)) {
		return false;
	}
	sampledpacket_fill(rec, &packet);
	rec->packets = 1;
	rec->bytes = size ? size : packet.bytes;
	if (set->places->tos < 0) {
		extras_add_number(extras, (struct column_key){ 0, DATA_TOS }, COLUMN_UNSIGNED8,
				  packet.tos);
	}
	if (set->places->vlan < 0 && packet.vlan) {
		extras_add_number(extras, (struct column_key){ 0, DATA_VLAN }, COLUMN_UNSIGNED16,
				  packet.vlan);
	}
	out->count = 1;
	return true;
}

/* ---- delivery ---- */

static void data_ignore(const struct data_set *set)
{
	struct decoder_context *context = set->session->context;
	const struct ipfix_output *out = &set->session->output;

	context->counts[DECODER_IGNORED]++;
	if (context->sink.ignored && out->ignored) {
		context->sink.ignored(context->sink.arg, &out->records[0], out->ignored);
	}
}

static int data_give(const struct data_set *set, struct record *rec, const struct extras *extras)
{
	struct decoder_context *context = set->session->context;

	if (exporterclock_correct(context->opts.mapping.clock_limit_ns, &set->header->time,
				  &rec->start_ns, rec->duration_ns)) {
		context->counts[DECODER_CLOCK_OFF]++;
	}
	return context->sink.flow(context->sink.arg, rec, extras);
}

static void data_note_times(const struct data_set *set)
{
	struct decoder_context *context = set->session->context;
	const struct record *rec = &set->session->output.records[0];
	GString *text;

	if (decoder_wants(context, DECODER_NOTE_TIMESTAMPS)) {
		text = g_string_new(NULL);
		ipfix_time_print(&set->input, rec->start_ns, rec->duration_ns, text);
		decoder_note(context, DECODER_NOTE_TIMESTAMPS, "%s", text->str);
		g_string_free(text, TRUE);
	}
}

static int data_deliver(struct data_set *set)
{
	struct templatesession *session = set->session;
	uint64_t *counts = session->context->counts;
	struct ipfix_output *out = &session->output;
	struct extras *extras = &session->values.extras;
	int st;

	ipfix_map(&set->input, out);
	if (out->count == 0 && !data_take_packet(set)) {
		data_ignore(set);
		return ST_OK;
	}
	data_note_times(set);
	counts[DECODER_FORWARD]++;
	counts[DECODER_END_FIRST] += out->end_first;
	counts[DECODER_EXTRAS_LOST] += templateplan_lost(set->plan);
	if (set->sampled) {
		data_add_sampling(set);
	}
	templateplan_finish(set->plan, &session->values, &out->records[0],
			    out->count == 2 || out->turned);
	if (out->count == 2 || out->turned) {
		session->turned.overflowed = 0;
		templateplan_turn(&session->values, &session->turned);
		counts[DECODER_EXTRAS_LOST] += session->turned.overflowed;
	}
	st = data_give(set, &out->records[0], out->turned ? &session->turned : extras);
	if (st == ST_OK && out->count == 2) {
		counts[DECODER_REVERSE]++;
		st = data_give(set, &out->records[1], &session->turned);
	}
	counts[DECODER_EXTRAS_LOST] += extras->overflowed;
	extras->overflowed = 0;
	return st;
}

/* ---- sets ---- */

static int data_fixed(struct data_set *set, struct template_bytes bytes, uint32_t *records)
{
	const uint32_t len = set->tmpl->min_len;
	int st = ST_OK;

	while (st == ST_OK && bytes.left >= len) {
		templateplan_read(set->plan, bytes.at, &set->session->values);
		bytes.at += len;
		bytes.left -= len;
		++*records;
		st = data_deliver(set);
	}
	return st;
}

static int data_varlen(struct data_set *set, struct template_bytes bytes, uint32_t *records,
		       struct err *err)
{
	int st = ST_OK;

	/* What is too short for a record is padding. */
	while (st == ST_OK && bytes.left >= set->tmpl->min_len) {
		st = templateplan_walk(set->plan, set->tmpl, &bytes, &set->session->values, err);
		if (st == ST_OK) {
			st = templatelist_flags(set->domain->templates, &set->session->values.list,
						&set->list, err);
		}
		if (st == ST_OK) {
			++*records;
			st = data_deliver(set);
		}
	}
	return st;
}

static int data_options(struct templatesession *session, struct templatesession_domain *domain,
			const struct template *tmpl, struct template_bytes bytes, uint32_t *records,
			struct err *err)
{
	struct decoder_context *context = session->context;

	while (bytes.left >= tmpl->min_len) {
		struct exporteroptions_seen seen;
		int st = exporteroptions_take(domain->options, tmpl, &bytes, &seen, err);

		if (st != ST_OK) {
			return st;
		}
		++*records;
		context->counts[DECODER_OPTIONS]++;
		context->counts[DECODER_EXTRAS_LOST] += seen.lost;
		if (seen.sampling) {
			decoder_note(context, DECODER_NOTE_SAMPLING,
				     "Sampling Algorithm %" G_GUINT64_FORMAT
				     "; Sampling Interval %" G_GUINT64_FORMAT,
				     seen.algorithm, seen.interval);
		} else if (seen.sampler) {
			decoder_note(context, DECODER_NOTE_SAMPLING,
				     "Flow Sampler Id %" G_GUINT64_FORMAT
				     "; Flow Sampler Mode %" G_GUINT64_FORMAT
				     "; Flow Sampler Random Interval %" G_GUINT64_FORMAT,
				     seen.sampler_id, seen.mode, seen.random_interval);
		}
	}
	return ST_OK;
}

/* When times count from the boot, and neither the header nor the record says when that was. */
static uint64_t data_boot_ms(const struct data_set *set)
{
	uint64_t boot_ms = exporteroptions_boot_ms(set->domain->options);

	return boot_ms == 0 && set->whole ? exporteroptions_boot_ms(set->whole->options) : boot_ms;
}

int templatesession_data(struct templatesession *session, struct templatesession_domain *domain,
			 const struct templatesession_header *header, struct template *tmpl,
			 struct template_bytes bytes, uint32_t *records, struct err *err)
{
	struct data_set set = {
		.session = session,
		.domain = domain,
		.header = header,
		.tmpl = tmpl,
	};

	if (template_is_options(tmpl)) {
		return data_options(session, domain, tmpl, bytes, records, err);
	}
	if (!tmpl->plan) {
		tmpl->plan = templateplan_new(tmpl, &session->context->opts.mapping,
					      templatesession_model(session));
	}
	if (domain->number != 0) {
		set.whole = g_hash_table_lookup(session->domains, GUINT_TO_POINTER(0));
	}
	set.plan = tmpl->plan;
	set.places = templateplan_places(set.plan);
	set.input = (struct ipfix_input){
		.fields = &session->values.fields,
		.shape = templateplan_shape(set.plan),
		.list = &set.list,
		.mapping = &session->context->opts.mapping,
		.export_ns = header->time.export_ns,
	};
	templateplan_begin(set.plan, &session->values);
	if (header->has_uptime) {
		int64_t boot_ms = header->time.export_ns / NS_PER_MS - header->time.uptime_ms;

		session->values.fields.boot_ms = boot_ms > 0 ? (uint64_t)boot_ms : 0;
	} else {
		session->values.fields.boot_ms = data_boot_ms(&set);
	}
	set.sampled = data_is_sampled(&set);
	data_find_section(&set);
	return tmpl->varlen ? data_varlen(&set, bytes, records, err)
			    : data_fixed(&set, bytes, records);
}
