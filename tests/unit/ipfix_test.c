/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/ipfix.h"

#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/timestamp.h"
#include "packer/decoder.h"
#include "packer/probe.h"
#include "tests/unit/unit.h"

#define EXPORT_S 1700001000u

static const struct ipfix_limits limits = { .max_templates = 4,
					    .max_template_fields = 100,
					    .max_domains = 3 };

/* Shared by all decoders: to make one takes long. */
static const struct ipfix_mapping plain_mapping;
static struct iemodel *model;

/* A decoder that is fed IPFIX. */
struct ipfix_decoder {
	struct decoder *decoder;
	int (*fn)(void *arg, const struct record *rec);
	void *arg;
	void (*ignored)(void *arg, const struct record *rec, const char *reason);
	void *ignored_arg;
};

struct ipfix_stats {
	uint64_t forward, reverse, unknown_sets, held, missing, out_of_sequence, malformed;
};

static int ipfix_flow(void *arg, struct record *rec, const struct extras *extras)
{
	const struct ipfix_decoder *decoder = arg;

	CU_ASSERT_TRUE(extras->count <= EXTRAS_MAX);
	return decoder->fn(decoder->arg, rec);
}

static void ipfix_ignored(void *arg, const struct record *rec, const char *reason)
{
	const struct ipfix_decoder *decoder = arg;

	if (decoder->ignored) {
		decoder->ignored(decoder->ignored_arg, rec, reason);
	}
}

static struct ipfix_decoder *ipfix_decoder_new(const struct ipfix_limits *bounds,
					       const struct ipfix_mapping *mapping)
{
	struct ipfix_decoder *decoder = g_new0(struct ipfix_decoder, 1);
	const struct decoder_opts opts = { .limits = *bounds, .mapping = *mapping, .model = model };
	const struct decoder_sink sink = {
		.flow = ipfix_flow,
		.ignored = ipfix_ignored,
		.arg = decoder,
	};

	decoder->decoder = decoder_new(&opts, &sink);
	return decoder;
}

static void ipfix_decoder_free(struct ipfix_decoder *decoder)
{
	decoder_free(decoder->decoder);
	g_free(decoder);
}

static void ipfix_set_ignored(struct ipfix_decoder *decoder,
			      void (*fn)(void *arg, const struct record *rec, const char *reason),
			      void *arg)
{
	decoder->ignored = fn;
	decoder->ignored_arg = arg;
}

static int ipfix_decode(struct ipfix_decoder *decoder, const uint8_t *bytes, size_t len,
			int (*fn)(void *arg, const struct record *rec), void *arg, struct err *err)
{
	const struct decoder_message message = { bytes, len, EXPORT_S * NS_PER_S };

	decoder->fn = fn;
	decoder->arg = arg;
	return decoder_take(decoder->decoder, &message, err);
}

static void ipfix_get_stats(const struct ipfix_decoder *decoder, struct ipfix_stats *out)
{
	uint64_t counts[DECODER_COUNTERS];

	decoder_get_counts(decoder->decoder, counts);
	*out = (struct ipfix_stats){
		.forward = counts[DECODER_FORWARD],
		.reverse = counts[DECODER_REVERSE],
		.unknown_sets = counts[DECODER_UNKNOWN_SETS],
		.held = counts[DECODER_HELD],
		.missing = counts[DECODER_MISSING],
		.out_of_sequence = counts[DECODER_OUT_OF_SEQUENCE],
		.malformed = counts[DECODER_MALFORMED],
	};
}

/* A message under construction. */
struct message {
	uint8_t bytes[65535];
	size_t len;
	size_t set; /* where the open set begins */
};

static void put(struct message *m, uint64_t value, size_t bytes)
{
	for (size_t i = bytes; i-- > 0;) {
		m->bytes[m->len++] = (uint8_t)(value >> (8 * i));
	}
}

static void fix(struct message *m, size_t at, uint16_t value)
{
	m->bytes[at] = (uint8_t)(value >> 8);
	m->bytes[at + 1] = (uint8_t)value;
}

static void begin(struct message *m, uint32_t domain, uint32_t sequence)
{
	m->len = 0;
	put(m, 10, 2);
	put(m, 0, 2);
	put(m, EXPORT_S, 4);
	put(m, sequence, 4);
	put(m, domain, 4);
}

static void begin_set(struct message *m, uint16_t id)
{
	m->set = m->len;
	put(m, id, 2);
	put(m, 0, 2);
}

static void end_set(struct message *m)
{
	fix(m, m->set + 2, (uint16_t)(m->len - m->set));
	fix(m, 2, (uint16_t)m->len);
}

/*
 * A flow in words: "ELEMENT[:ENTERPRISE]=VALUE ..." separated by blanks; the reverse of an IANA
 * element is written rELEMENT, CERT's cELEMENT. Values are numbers, for list 293 four numbers
 * "I,U,RI,RU" of one entry or "-" for an empty list; for IPv6 addresses the last byte.
 */
struct word {
	uint16_t element;
	uint32_t enterprise;
	size_t len; /* 0: the list */
	const char *value;
};

static size_t element_len(uint32_t enterprise, uint16_t element)
{
	if (enterprise == 0 && element == 293) {
		return 0;
	}
#define X(upper, member, type, enterprise_, number_)                                               \
	if (enterprise == (enterprise_) && element == (number_)) {                                 \
		return sizeof(type);                                                               \
	}
	IPFIX_FIELDS(X)
#undef X
	return 4;
}

static unsigned parse_words(char *text, struct word *words)
{
	unsigned count = 0;
	char *save = NULL;

	for (char *t = strtok_r(text, " ", &save); t; t = strtok_r(NULL, " ", &save)) {
		struct word *w = &words[count++];
		char *end;

		w->enterprise = *t == 'r' ? IPFIX_PEN_REVERSE : *t == 'c' ? IPFIX_PEN_CERT : 0;
		w->element = (uint16_t)strtoul(w->enterprise ? t + 1 : t, &end, 10);
		w->value = end + 1;
		w->len = element_len(w->enterprise, w->element);
	}
	return count;
}

static void put_value(struct message *m, const struct word *w)
{
	unsigned flags[4];

	if (w->len > 0) {
		for (size_t i = 8; i < w->len; i++) {
			put(m, 0, 1);
		}
		put(m, strtoull(w->value, NULL, 0), MIN(w->len, 8));
	} else if (sscanf(w->value, "%u,%u,%u,%u", &flags[0], &flags[1], &flags[2], &flags[3]) ==
		   4) {
		put(m, 9, 1);
		put(m, 3, 1);
		put(m, 257, 2);
		put(m, 8, 2);
		for (size_t i = 0; i < 4; i++) {
			put(m, flags[i], 1);
		}
	} else {
		put(m, 1, 1);
		put(m, 3, 1);
	}
}

/* Template 256 for the words, template 257 for entries of the list, and one record. */
static void put_flow(struct message *m, const char *text)
{
	char *copy = g_strdup(text);
	struct word words[64];
	unsigned count = parse_words(copy, words);

	begin(m, 1, 0);
	begin_set(m, 2);
	put(m, 256, 2);
	put(m, count, 2);
	for (unsigned i = 0; i < count; i++) {
		put(m, words[i].element | (words[i].enterprise ? 0x8000 : 0), 2);
		put(m, words[i].len ? words[i].len : 65535, 2);
		if (words[i].enterprise) {
			put(m, words[i].enterprise, 4);
		}
	}
	put(m, 257, 2);
	put(m, 4, 2);
	for (unsigned i = 0; i < 4; i++) {
		put(m, 0x8000 | (14 + i % 2 + (i < 2 ? 0 : 0x4000)), 2);
		put(m, 1, 2);
		put(m, IPFIX_PEN_CERT, 4);
	}
	end_set(m);
	begin_set(m, 256);
	for (unsigned i = 0; i < count; i++) {
		put_value(m, &words[i]);
	}
	end_set(m);
	g_free(copy);
}

static int print_record(void *arg, const struct record *rec)
{
	GString *out = arg;
	bool v6 = record_is_ipv6(rec);
	char sip[IP_TEXT_MAX], dip[IP_TEXT_MAX];

	ip_print(sip, rec->sip, v6, IP_CANONICAL);
	ip_print(dip, rec->dip, v6, IP_CANONICAL);
	g_string_append_printf(
		out,
		"%s%s,%u>%s,%u p%u %" PRIu64 "/%" PRIu64 " f%02x,%02x,%02x s%02x %" PRId64
		"+%" PRIu64 " %u>%u",
		out->len ? "; " : "", sip, rec->sport, dip, rec->dport, rec->protocol, rec->packets,
		rec->bytes, rec->flags, rec->initial_flags, rec->session_flags, rec->state,
		rec->start_ns - EXPORT_S * NS_PER_S, rec->duration_ns, rec->input, rec->output);
	if (rec->application || rec->memo) {
		g_string_append_printf(out, " a%u m%u", rec->application, rec->memo);
	}
	return 0;
}

static void print_ignored(void *arg, const struct record *rec, const char *reason)
{
	(void)rec;
	g_string_append_printf(arg, "ignored: %s", reason);
}

/* Times in the table are relative to the export time, in nanoseconds. */
struct flow_case {
	const char *flow;
	const char *expected;
	unsigned quirks;
	bool vlan;
};

static void check_flows(const char *prefix, const struct flow_case *cases, size_t count)
{
	struct message *m = g_new(struct message, 1);

	for (size_t i = 0; i < count; i++) {
		struct ipfix_mapping mapping = { .vlan_interfaces = cases[i].vlan,
						 .quirks = cases[i].quirks };
		struct ipfix_decoder *decoder = ipfix_decoder_new(&limits, &mapping);
		char *flow = g_strconcat(prefix, " ", cases[i].flow, NULL);
		GString *out = g_string_new(NULL);
		struct err err = { .text = "" };

		unit_at("%s", cases[i].flow);
		ipfix_set_ignored(decoder, print_ignored, out);
		put_flow(m, flow);
		CU_ASSERT_EQUAL(ipfix_decode(decoder, m->bytes, m->len, print_record, out, &err),
				ST_OK);
		UNIT_ASSERT_STR(err.text, "");
		UNIT_ASSERT_STR(out->str, cases[i].expected);
		g_string_free(out, TRUE);
		g_free(flow);
		ipfix_decoder_free(decoder);
	}
	g_free(m);
}

#define TCP   "8=0x0a000001 12=0x0a000002 4=6 7=1000 11=80"
#define ENDS  "10.0.0.1,1000>10.0.0.2,80 p6 "
#define BACK  "10.0.0.2,80>10.0.0.1,1000 p6 "
#define TIMES "152=1700000990000 153=1700000999500"
#define WHEN  "-10000000000+9500000000 "
/* One second before the export, as NTP. */
#define NTP_S       "0x" NTP_SECONDS
#define NTP_SECONDS "e8fe7367"

static void test_times(void)
{
#define FLOW ENDS "3/300 f00,00,00 s00 "
	static const struct flow_case cases[] = {
		{ "", FLOW "0+0 0>0", 0, false },
		{ "152=1700000990000 153=1700000999500", FLOW WHEN "0>0", 0, false },
		{ "152=1700000990000 153=1700000980000", FLOW "-10000000000+0 0>0", 0, false },
		{ "153=1700000990000", FLOW "-1700001000000000000+4294967295000000 0>0", 0, false },
		{ "150=1700000990 151=1700000999", FLOW "-10000000000+9000000000 0>0", 0, false },
		{ "150=1700000999 151=1700000990", FLOW "-1000000000+4294967295000000 0>0", 0,
		  false },
		{ "154=" NTP_S "80000000 155=" NTP_S "c0000000", FLOW "-500000000+250000000 0>0", 0,
		  false },
		{ "154=" NTP_S "80000fff 155=" NTP_S "c0000000", FLOW "-499999524+249999524 0>0", 0,
		  false },
		{ "156=" NTP_S "80000004 157=" NTP_S "c0000000", FLOW "-500000000+250000000 0>0", 0,
		  false },
		{ "156=" NTP_S "80000005 157=" NTP_S "c0000000", FLOW "-499999999+249999999 0>0", 0,
		  false },
		{ "156=0 157=0", FLOW "-1700001000000000000+0 0>0", 0, false },
		/* before the export by whole milliseconds, as the export is of whole seconds */
		{ "158=2900 159=500", FLOW "-2000000+2000000 0>0", 0, false },
		{ "152=1700000990000 161=1500", FLOW "-10000000000+1500000000 0>0", 0, false },
		{ "154=" NTP_S "80000000 162=1500", FLOW "-500000000+1500000 0>0", 0, false },
		{ "152=1700000990000 153=1700000999500 161=7", FLOW "-10000000000+7000000 0>0", 0,
		  false },
		{ "152=1700000990000 150=1700000000 151=1700000999",
		  FLOW "-10000000000+9000000000 0>0", 0, false },
		{ "152=1700000990000", FLOW "-10000000000+0 0>0", 0, false },
		{ "150=1700000990", FLOW "-10000000000+0 0>0", 0, false },
		{ "151=1700000999 161=1000", FLOW "-2000000000+1000000000 0>0", 0, false },
		{ "161=1000", FLOW "-1000000000+1000000000 0>0", 0, false },
		{ "151=1700000999", FLOW "-1000000000+0 0>0", 0, false },
		{ "258=1700000999001", FLOW "-999000000+0 0>0", 0, false },
		{ "322=1700000999", FLOW "-1000000000+0 0>0", 0, false },
		{ "323=1700000999001", FLOW "-999000000+0 0>0", 0, false },
		{ "324=" NTP_S "80000000", FLOW "-500000000+0 0>0", 0, false },
		{ "325=" NTP_S "80000000", FLOW "-500000000+0 0>0", 0, false },
		{ "152=1700000990000 323=1700000999000", FLOW "-10000000000+9000000000 0>0", 0,
		  false },
		{ "152=0 323=1700000999000", FLOW "-1000000000+0 0>0", 0, false },
		/* Uptimes: an hour since boot; the start before a wrap of the counter; both. */
		{ "22=3590000 21=3599000 160=1699997400000", FLOW "-10000000000+9000000000 0>0", 0,
		  false },
		{ "22=4294967000 21=704 160=1699997400000", FLOW "-3600296000000+1000000000 0>0", 0,
		  false },
		{ "22=1000 21=2000 160=1695703032704", FLOW "-2999000000000+1000000000 0>0", 0,
		  false },
		{ "22=1000 21=3000", FLOW "-2000000000+2000000000 0>0", 0, false },
		{ "22=1000 21=3000 160=1700000996400", FLOW "-3599000000000+2000000000 0>0",
		  PROBE_QUIRK_NF9_SYSUPTIME_SECONDS, false },
		/* Nonsense stays within bounds. */
		{ "152=0xffffffffffffffff 153=0xffffffffffffffff", FLOW "2911685018427387903+0 0>0",
		  0, false },
	};
#undef FLOW

	check_flows(TCP " 2=3 1=300", cases, G_N_ELEMENTS(cases));
}

/* Cisco's routers tell when they booted in an options record (RFC 7012 5.11.12: flows need it). */
static void test_boot_in_options(void)
{
	struct ipfix_decoder *decoder = ipfix_decoder_new(&limits, &plain_mapping);
	struct message *m = g_new(struct message, 1);
	GString *out = g_string_new(NULL);

	begin(m, 1, 0);
	begin_set(m, 3);
	put(m, 400, 2);
	put(m, 2, 2);
	put(m, 1, 2); /* scope: */
	put(m, 149, 2);
	put(m, 4, 2);
	put(m, 160, 2);
	put(m, 8, 2);
	end_set(m);
	begin_set(m, 400);
	put(m, 1, 4);
	put(m, (EXPORT_S - 100) * UINT64_C(1000) + 5, 8);
	end_set(m);
	CU_ASSERT_EQUAL(ipfix_decode(decoder, m->bytes, m->len, print_record, out, NULL), ST_OK);
	put_flow(m, TCP " 2=3 1=300 22=60000 21=95000");
	CU_ASSERT_EQUAL(ipfix_decode(decoder, m->bytes, m->len, print_record, out, NULL), ST_OK);
	UNIT_ASSERT_STR(out->str, ENDS "3/300 f00,00,00 s00 -39995000000+35000000000 0>0");
	g_string_free(out, TRUE);
	ipfix_decoder_free(decoder);
	g_free(m);
}

static void test_volumes(void)
{
#define REST " f00,00,00 s00 " WHEN "0>0"
	static const struct flow_case cases[] = {
		{ "2=1 1=40", ENDS "1/40" REST, 0, false },
		{ "86=1 85=40", ENDS "1/40" REST, 0, false },
		{ "298=1 231=40", ENDS "1/40" REST, 0, false },
		{ "24=1 23=40", ENDS "1/40" REST, 0, false },
		{ "172=1 171=40", ENDS "1/40" REST, 0, false },
		{ "2=0 1=40 86=5 85=6", ENDS "5/40" REST, 0, false },
		/* With the link's headers, where nothing else counts. */
		{ "2=1 352=60", ENDS "1/60" REST, 0, false },
		{ "86=1 353=60", ENDS "1/60" REST, 0, false },
		{ "2=1 352=60 1=40", ENDS "1/40" REST, 0, false },
		{ "2=1 352=60 23=41", ENDS "1/41" REST, 0, false },
		{ "2=0 352=60 r2=2 r1=80", BACK "2/80" REST, 0, false },
		{ "2=0x1000000000 1=0x2000000000", ENDS "68719476736/137438953472" REST, 0, false },
		{ "2=0 1=40", "ignored: byte or packet count is zero", 0, false },
		{ "2=0 1=40", ENDS "1/40" REST, PROBE_QUIRK_ZERO_PACKETS, false },
		{ "2=1 1=0", "ignored: byte or packet count is zero", PROBE_QUIRK_ZERO_PACKETS,
		  false },
		{ "298=1 231=0", "ignored: no forward/reverse octets", 0, false },
		{ "298=0 231=1", "ignored: no forward/reverse packets", 0, false },
		{ "", "ignored: no forward/reverse octets", 0, false },
		{ "2=1 1=40 r2=2 r1=80 c21=500",
		  ENDS "1/40" REST "; " BACK "2/80 f00,00,00 s00 -9500000000+9000000000 0>0", 0,
		  false },
		{ "2=1 1=40 r2=2 r1=80 c42=500000001",
		  ENDS "1/40" REST "; " BACK "2/80 f00,00,00 s00 -9499999999+8999999999 0>0", 0,
		  false },
		{ "2=1 1=40 r2=2 r1=80 c41=500001",
		  ENDS "1/40" REST "; " BACK "2/80 f00,00,00 s00 -9499999000+8999999000 0>0", 0,
		  false },
		{ "2=1 1=40 r2=2 r1=80 c21=20000",
		  ENDS "1/40" REST "; " BACK "2/80 f00,00,00 s00 10000000000+0 0>0", 0, false },
		{ "2=1 1=40 r2=2 r1=80", ENDS "1/40" REST "; " BACK "2/80" REST, 0, false },
		{ "2=1 1=40 r2=2 r1=0", ENDS "1/40" REST, 0, false },
		{ "2=0 1=0 r2=2 r1=80 c21=500", BACK "2/80" REST, 0, false },
		{ "298=1 231=40 299=2 232=80", ENDS "1/40" REST "; " BACK "2/80" REST, 0, false },
		/* The bytes of the reverse half are kept if nobody counted its packets. */
		{ "298=1 231=40 299=0 232=80", ENDS "1/40" REST "; " BACK "0/80" REST, 0, false },
		{ "298=1 231=40 299=0 232=80", ENDS "1/40" REST "; " BACK "1/80" REST,
		  PROBE_QUIRK_ZERO_PACKETS, false },
		{ "298=1 231=0 299=0 232=80", "ignored: no forward/reverse packets", 0, false },
		{ "299=2 232=80 58=7", BACK "2/80 f00,00,00 s00 " WHEN "7>0", 0, true },
		/* What went out is the reverse, whatever else is in the record. */
		{ "24=1 23=40", BACK "1/40" REST, PROBE_QUIRK_NF9_OUT_IS_REVERSE, false },
		{ "2=1 1=40 24=2 23=80", ENDS "1/40" REST "; " BACK "2/80" REST,
		  PROBE_QUIRK_NF9_OUT_IS_REVERSE, false },
		{ "24=1 23=40 r2=2 r1=80", BACK "1/40" REST, PROBE_QUIRK_NF9_OUT_IS_REVERSE,
		  false },
		{ "172=1 171=40", ENDS "1/40" REST, PROBE_QUIRK_NF9_OUT_IS_REVERSE, false },
		{ "2=1 1=40 24=2 23=80", ENDS "1/40" REST, 0, false },
		/* Intermediate records are no flows. */
		{ "2=1 1=40 136=0x1f", "", 0, false },
	};
#undef REST

	check_flows(TCP " " TIMES, cases, G_N_ELEMENTS(cases));
}

static void test_addresses_and_ports(void)
{
#define REST  " 1/40 f00,00,00 s80 " WHEN "0>0"
#define REST4 " 1/40 f00,00,00 s00 " WHEN "0>0"
	static const struct flow_case cases[] = {
		{ "4=17 7=5 11=6", "ignored: No IP addresses", 0, false },
		{ "4=17 7=5 11=6", "0.0.0.0,5>0.0.0.0,6 p17" REST4, PROBE_QUIRK_MISSING_IPS,
		  false },
		{ "8=0x01020304 4=17 7=5 11=6", "1.2.3.4,5>0.0.0.0,6 p17" REST4, 0, false },
		{ "27=1 28=2 4=17 7=5 11=6", "::1,5>::2,6 p17" REST, 0, false },
		{ "27=0 28=0 4=17", "::,0>::,0 p17" REST, 0, false },
		{ "8=1 12=2 27=0 28=0 4=17", "0.0.0.1,0>0.0.0.2,0 p17" REST4, 0, false },
		{ "8=1 12=2 27=0 28=3 4=17", "::,0>::3,0 p17" REST, 0, false },
		/* Ports of one protocol. */
		{ "8=1 12=2 4=6 182=5 183=6 180=0 181=0", "0.0.0.1,5>0.0.0.2,6 p6" REST4, 0,
		  false },
		{ "8=1 12=2 4=17 182=0 183=0 180=5 181=6", "0.0.0.1,5>0.0.0.2,6 p17" REST4, 0,
		  false },
		{ "8=1 12=2 4=17 180=5 181=6 7=7 11=8", "0.0.0.1,7>0.0.0.2,8 p17" REST4, 0, false },
		/* What is of one protocol says which. */
		{ "8=1 12=2 32=0x0800", "0.0.0.1,0>0.0.0.2,2048 p1" REST4, 0, false },
		{ "27=1 28=2 139=0x8000", "::1,0>::2,32768 p58" REST, 0, false },
		{ "8=1 12=2 182=5 183=6", "0.0.0.1,5>0.0.0.2,6 p6" REST4, 0, false },
		{ "8=1 12=2 180=5 183=6", "0.0.0.1,5>0.0.0.2,6 p0" REST4, 0, false },
		{ "8=1 12=2 32=0 4=17", "0.0.0.1,0>0.0.0.2,0 p17" REST4, 0, false },
		{ "8=1 12=2 32=0 4=0", "0.0.0.1,0>0.0.0.2,0 p0" REST4, 0, false },
		/* ICMP. */
		{ "8=1 12=2 4=1 32=0x0301", "0.0.0.1,0>0.0.0.2,769 p1" REST4, 0, false },
		{ "8=1 12=2 4=1 7=9 11=9 176=3 177=1", "0.0.0.1,0>0.0.0.2,769 p1" REST4, 0, false },
		{ "27=1 28=2 4=58 139=0x8700", "::1,0>::2,34560 p58" REST, 0, false },
		{ "27=1 28=2 4=58 178=135 179=1", "::1,0>::2,34561 p58" REST, 0, false },
		{ "27=1 28=2 4=58 7=5 11=6 176=3 177=1", "::1,0>::2,0 p58" REST, 0, false },
		{ "8=1 12=2 4=1 7=5 11=6 139=7", "0.0.0.1,0>0.0.0.2,0 p1" REST4, 0, false },
		{ "8=1 12=2 4=1 7=5 11=769", "0.0.0.1,0>0.0.0.2,769 p1" REST4, 0, false },
		{ "8=1 12=2 4=1 7=5 11=769 59=0", "0.0.0.1,5>0.0.0.2,769 p1" REST4, 0, false },
		{ "8=1 12=2 4=1 7=769 11=0 59=0", "0.0.0.1,0>0.0.0.2,769 p1" REST4, 0, false },
		{ "8=1 12=2 4=58 7=5 11=6 139=7", "0.0.0.1,5>0.0.0.2,6 p58" REST4, 0, false },
	};
#undef REST
#undef REST4

	check_flows("2=1 1=40 " TIMES, cases, G_N_ELEMENTS(cases));
}

static void test_flags_and_attributes(void)
{
#define F(flags, state) ENDS "1/40 f" flags " s" state " " WHEN "0>0"
#define R(flags, state) "; " BACK "2/80 f" flags " s" state " " WHEN "0>0"
	static const struct flow_case cases[] = {
		{ "6=0x1b", F("1b,00,00", "00") R("1b,00,00", "00"), 0, false },
		{ "6=0x1b r6=0x12", F("1b,00,00", "00") R("12,00,00", "00"), 0, false },
		{ "6=0xff c14=2 c15=0x18", F("1a,02,18", "01") R("1a,02,18", "01"), 0, false },
		{ "c14=2 c15=0x18 c16398=0x12 c16399=0x11", F("1a,02,18", "01") R("13,12,11", "01"),
		  0, false },
		{ "6=1 c14=0 c15=0 c16398=0 c16399=0", F("01,00,00", "00") R("00,00,00", "00"), 0,
		  false },
		{ "293=2,24,18,17", F("1a,02,18", "01") R("13,12,11", "01"), 0, false },
		{ "293=2,24,0,0", F("1a,02,18", "01") R("00,00,00", "00"), 0, false },
		{ "6=4 293=-", F("04,00,00", "00") R("04,00,00", "00"), 0, false },
		{ "c14=4 c15=4 293=2,24,18,17", F("04,04,04", "01") R("04,04,04", "01"), 0, false },
		{ "59=0 c14=4 c15=4 293=2,24,18,17", F("1a,02,18", "01") R("13,12,11", "01"), 0,
		  false },
		{ "c40=1 c16424=0", F("00,00,00", "10") R("00,00,00", "00"), 0, false },
		{ "c40=0 c16424=1", F("00,00,00", "00") R("00,00,00", "10"), 0, false },
		{ "136=2", F("00,00,00", "20") R("00,00,00", "20"), 0, false },
		{ "136=0x82", F("00,00,00", "60") R("00,00,00", "60"), 0, false },
		{ "136=0x81", F("00,00,00", "40") R("00,00,00", "40"), 0, false },
		{ "136=2 c40=1 c32=0x08", F("00,00,00", "08") R("00,00,00", "08"), 0, false },
		{ "136=2 c32=0x01", F("00,00,00", "20") R("00,00,00", "20"), 0, false },
		{ "c33=80", F("00,00,00", "00") " a80 m0" R("00,00,00", "00") " a80 m0", 0, false },
	};
#undef F
#undef R

	check_flows(TCP " " TIMES " 2=1 1=40 r2=2 r1=80 c21=0", cases, G_N_ELEMENTS(cases));
}

static void test_interfaces(void)
{
#define F(interfaces) ENDS "1/40 f00,00,00 s00 " WHEN interfaces
#define R(interfaces) "; " BACK "2/80 f00,00,00 s00 " WHEN interfaces
	static const struct flow_case cases[] = {
		{ "10=5 14=6 58=7", F("5>6") R("6>5"), 0, false },
		{ "10=5 14=70000", F("5>70000") R("70000>5"), 0, false },
		{ "10=5 14=6", F("0>0") R("0>0"), 0, true },
		{ "58=7", F("7>0") R("7>0"), 0, true },
		{ "58=7 59=8", F("7>8") R("8>7"), 0, true },
		{ "58=7 r58=9", F("7>0") R("9>0"), 0, true },
		{ "58=7 59=8 r58=9 r59=3", F("7>8") R("9>3"), 0, true },
	};
#undef F
#undef R

	check_flows(TCP " " TIMES " 2=1 1=40 r2=2 r1=80 c21=0", cases, G_N_ELEMENTS(cases));
}

static void test_firewall_events(void)
{
#define REST " f00,00,00 s00 " WHEN "0>0"
	static const struct flow_case cases[] = {
		{ "233=1 231=40 298=1", ENDS "1/40" REST, 0, false },
		{ "233=1 231=40 298=1", "ignored: firewallEvent=1,extended=0",
		  PROBE_QUIRK_FIREWALL_EVENT, false },
		{ "9998=5 9997=1001 231=40 298=1", "ignored: firewallEvent=5,extended=1001",
		  PROBE_QUIRK_FIREWALL_EVENT, false },
		{ "233=2 231=40 298=0", ENDS "1/40" REST, PROBE_QUIRK_FIREWALL_EVENT, false },
		{ "233=2 231=0 298=7", ENDS "7/7" REST, PROBE_QUIRK_FIREWALL_EVENT, false },
		{ "233=2 231=0 298=0", ENDS "1/1" REST, PROBE_QUIRK_FIREWALL_EVENT, false },
		{ "233=2 231=40 232=80", ENDS "1/40" REST "; " BACK "1/80" REST,
		  PROBE_QUIRK_FIREWALL_EVENT, false },
		/* Somebody began it, whatever was counted of that. */
		{ "233=2 231=0 232=80", ENDS "1/1" REST "; " BACK "1/80" REST,
		  PROBE_QUIRK_FIREWALL_EVENT, false },
		{ "233=3 231=40 232=80", ENDS "1/40" REST " a0 m3", PROBE_QUIRK_FIREWALL_EVENT,
		  false },
		{ "233=3 9997=1002", ENDS "1/1" REST " a0 m1002", PROBE_QUIRK_FIREWALL_EVENT,
		  false },
		{ "233=3 9997=1005", ENDS "1/1" REST " a0 m3", PROBE_QUIRK_FIREWALL_EVENT, false },
	};
#undef REST

	check_flows(TCP " " TIMES, cases, G_N_ELEMENTS(cases));
}

/* Templates of the shape that NetFlow v9 has (silk-packing.md 11.3). */
static void test_shape_of_v9(void)
{
#define F(volume, state)   ENDS volume " f00,00,00 " state " -10000000000+9500000000 "
#define R(volume, state)   "; " BACK volume " f00,00,00 " state " -10000000000+9500000000 "
#define ENDED              "323=1700000999500 152=1700000990000 "
#define UPTIME(start, end) "22=" #start " 21=" #end " 160=1700000999000 "
	static const struct flow_case cases[] = {
		{ ENDED "2=1 1=40 136=1", F("1/40", "s00") "0>0", 0, false },
		{ ENDED "2=1 1=40 136=2", F("1/40", "s20") "0>0", 0, false },
		{ ENDED "2=1 1=40 136=0x82", F("1/40", "s20") "0>0", 0, false },
		{ ENDED "2=1 1=40 136=0x1f", F("1/40", "s00") "0>0", 0, false },
		{ ENDED "298=1 231=40 299=2 232=80 58=7",
		  F("1/40", "s00") "7>0" R("2/80", "s00") "0>7", 0, true },
		{ ENDED "2=3 1=0 24=5 23=50", F("5/50", "s00") "0>0", 0, false },
		{ ENDED "2=3 1=30 24=5 23=50", F("3/30", "s00") "0>0", 0, false },
		/* The second before the export is a thousand of them when uptimes are seconds. */
		{ UPTIME(990000, 989000) "24=1 23=40",
		  ENDS "1/40 f00,00,00 s00 989000000000+4294966296000000 0>0", 0, false },
		{ UPTIME(990000, 989000) "24=1 23=40", ENDS "1/40 f00,00,00 s00 -10000000000+0 0>0",
		  PROBE_QUIRK_NF9_SYSUPTIME_SECONDS, false },
	};
#undef F
#undef R
#undef ENDED
#undef UPTIME

	check_flows(TCP, cases, G_N_ELEMENTS(cases));
}

static int count_record(void *arg, const struct record *rec)
{
	(void)rec;
	(*(unsigned *)arg)++;
	return 0;
}

/* Template set and data set of one simple flow; records: how often. */
static void put_simple(struct message *m, uint16_t template_id, unsigned records)
{
	static const uint16_t fields[][2] = { { 8, 4 }, { 12, 4 },  { 4, 1 },  { 2, 4 },
					      { 1, 4 }, { 150, 4 }, { 151, 4 } };

	begin_set(m, 2);
	put(m, template_id, 2);
	put(m, G_N_ELEMENTS(fields), 2);
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		put(m, fields[i][0], 2);
		put(m, fields[i][1], 2);
	}
	end_set(m);
	begin_set(m, template_id);
	for (unsigned i = 0; i < records; i++) {
		for (size_t f = 0; f < G_N_ELEMENTS(fields); f++) {
			put(m, i + 1, fields[f][1]);
		}
	}
	end_set(m);
}

static void test_sequence(void)
{
	static const struct {
		uint32_t sequence;
		unsigned records;
		uint64_t missing, out_of_sequence; /* afterwards */
	} steps[] = {
		{ 1000, 3, 0, 0 },
		{ 1003, 2, 0, 0 },
		{ 1015, 1, 10, 1 },
		{ 1016, 1, 10, 1 },
		{ 1005, 4, 6, 2 }, /* late */
		{ 1017, 1, 6, 2 },
		{ 0x80000000, 1, 0x80000000u - 1018 + 6, 3 },
		{ 0x80000001, 1, 0x80000000u - 1018 + 6, 3 },
		{ 5, 1, 0x80000000u - 1018 + 6 + (5 - 0x80000002u), 4 }, /* ahead, modulo 2^32 */
	};
	struct ipfix_decoder *decoder = ipfix_decoder_new(&limits, &plain_mapping);
	struct message *m = g_new(struct message, 1);
	unsigned count = 0;

	for (size_t i = 0; i < 6; i++) {
		struct ipfix_stats stats;

		unit_at("step %zu", i);
		begin(m, 7, steps[i].sequence);
		put_simple(m, 300, steps[i].records);
		CU_ASSERT_EQUAL(ipfix_decode(decoder, m->bytes, m->len, count_record, &count, NULL),
				ST_OK);
		ipfix_get_stats(decoder, &stats);
		UNIT_ASSERT_U64(stats.missing, steps[i].missing);
		UNIT_ASSERT_U64(stats.out_of_sequence, steps[i].out_of_sequence);
	}
	UNIT_ASSERT_U64(count, 12);
	/* An exporter that began anew is not 60,000 records late. */
	for (unsigned i = 0; i < 2; i++) {
		struct ipfix_stats stats;

		begin(m, 8, i ? 3 : 100000);
		put_simple(m, 300, 1);
		ipfix_decode(decoder, m->bytes, m->len, count_record, &count, NULL);
		ipfix_get_stats(decoder, &stats);
		UNIT_ASSERT_U64(stats.missing, 6);
		UNIT_ASSERT_U64(stats.out_of_sequence, 2 + i);
	}
	ipfix_decoder_free(decoder);
	g_free(m);
}

static void put_template(struct message *m, uint16_t id, const uint16_t *fields, size_t count)
{
	put(m, id, 2);
	put(m, count, 2);
	for (size_t i = 0; i < count; i++) {
		put(m, fields[2 * i], 2);
		put(m, fields[2 * i + 1], 2);
	}
}

/* Sets of every wrong make. Each case writes what follows the header. */
static void bad_set_short(struct message *m)
{
	put(m, 256, 2);
	put(m, 3, 2);
	fix(m, 2, (uint16_t)m->len);
}

static void bad_set_long(struct message *m)
{
	put(m, 256, 2);
	put(m, 5, 2);
	fix(m, 2, (uint16_t)m->len);
}

static void bad_set_half(struct message *m)
{
	put(m, 256, 2);
	fix(m, 2, (uint16_t)m->len);
}

static void bad_set_reserved(struct message *m)
{
	begin_set(m, 4);
	end_set(m);
}

static void bad_template_id(struct message *m)
{
	static const uint16_t fields[] = { 8, 4 };

	begin_set(m, 2);
	put_template(m, 255, fields, 1);
	end_set(m);
}

static void bad_template_cut(struct message *m)
{
	begin_set(m, 2);
	put(m, 256, 2);
	put(m, 2, 2);
	put(m, 8, 2);
	put(m, 4, 2);
	end_set(m);
}

static void bad_template_enterprise_cut(struct message *m)
{
	begin_set(m, 2);
	put(m, 256, 2);
	put(m, 1, 2);
	put(m, 0x8008, 2);
	put(m, 4, 2);
	end_set(m);
}

static void bad_template_empty(struct message *m)
{
	static const uint16_t fields[] = { 8, 0 };

	begin_set(m, 2);
	put_template(m, 256, fields, 1);
	end_set(m);
}

static void bad_template_huge(struct message *m)
{
	static const uint16_t fields[] = { 210, 60000, 210, 60000 };

	begin_set(m, 2);
	put_template(m, 256, fields, 2);
	end_set(m);
}

static void bad_template_fields(struct message *m)
{
	begin_set(m, 2);
	put(m, 256, 2);
	put(m, 101, 2);
	for (int i = 0; i < 101; i++) {
		put(m, 8, 2);
		put(m, 4, 2);
	}
	end_set(m);
}

static void bad_template_count(struct message *m)
{
	static const uint16_t fields[] = { 8, 4 };

	begin_set(m, 2);
	for (uint16_t id = 256; id < 261; id++) {
		put_template(m, id, fields, 1);
	}
	end_set(m);
}

static void bad_list_fixed(struct message *m)
{
	static const uint16_t fields[] = { 293, 10 };

	begin_set(m, 2);
	put_template(m, 256, fields, 1);
	end_set(m);
}

static void bad_scope(struct message *m)
{
	begin_set(m, 3);
	put(m, 256, 2);
	put(m, 1, 2);
	put(m, 2, 2);
	put(m, 8, 2);
	put(m, 4, 2);
	end_set(m);
}

static void put_varlen(struct message *m, uint16_t element, const char *content, size_t len)
{
	const uint16_t fields[] = { element, 65535 };

	begin_set(m, 2);
	put_template(m, 256, fields, 1);
	put(m, 257, 2);
	put(m, 1, 2);
	put(m, 0x8000 | 14, 2);
	put(m, 2, 2);
	put(m, IPFIX_PEN_CERT, 4);
	end_set(m);
	begin_set(m, 256);
	for (size_t i = 0; i < len; i++) {
		put(m, (uint8_t)content[i], 1);
	}
	end_set(m);
}

static void bad_varlen(struct message *m)
{
	put_varlen(m, 82,
		   "\x05"
		   "abcd",
		   5);
}

static void bad_varlen_long(struct message *m)
{
	put_varlen(m, 82, "\xff\x00", 2);
}

static void bad_list_entry_header(struct message *m)
{
	put_varlen(m, 293, "\x04\x03\x01\x01\x00", 5);
}

static void bad_list_entry_short(struct message *m)
{
	put_varlen(m, 293, "\x05\x03\x01\x01\x00\x03", 6);
}

static void bad_list_entry_long(struct message *m)
{
	put_varlen(m, 293, "\x06\x03\x01\x01\x00\x06\x00", 7);
}

static void bad_list_record(struct message *m)
{
	put_varlen(m, 293, "\x08\x03\x01\x01\x00\x07\x00\x00\x00", 9);
}

static void test_damage_is_told(void)
{
	static const struct {
		void (*fill)(struct message *m);
		int status;
		const char *text;
	} cases[] = {
		{ bad_set_short, ST_EFORMAT, "a set of 3 bytes" },
		{ bad_set_long, ST_EFORMAT, "a set goes beyond its message" },
		{ bad_set_half, ST_EFORMAT, "a set of 0 bytes" },
		{ bad_set_reserved, ST_EFORMAT, "set id 4 is reserved" },
		{ bad_template_id, ST_EFORMAT, "template id 255" },
		{ bad_template_cut, ST_EFORMAT, "a template goes beyond its set" },
		{ bad_template_enterprise_cut, ST_EFORMAT, "a template goes beyond its set" },
		{ bad_template_empty, ST_EFORMAT, "a template for records of 0 bytes" },
		{ bad_template_huge, ST_EFORMAT, "a template for records of 120000 bytes" },
		{ bad_template_fields, ST_ELIMIT, "a template of 101 fields" },
		{ bad_template_count, ST_ELIMIT, "more than 4 templates" },
		{ bad_list_fixed, ST_EFORMAT, "a list of fixed length in a template" },
		{ bad_scope, ST_EFORMAT, "an options template with a wrong scope" },
		{ bad_varlen, ST_EFORMAT, "a field goes beyond its record" },
		{ bad_varlen_long, ST_EFORMAT, "a field goes beyond its record" },
		{ bad_list_entry_header, ST_EFORMAT, "a list entry without its header" },
		{ bad_list_entry_short, ST_EFORMAT, "a list entry without its header" },
		{ bad_list_entry_long, ST_EFORMAT, "a list entry goes beyond its list" },
		{ bad_list_record, ST_EFORMAT, "a record goes beyond its list" },
	};
	struct message *m = g_new(struct message, 1);

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct ipfix_decoder *decoder = ipfix_decoder_new(&limits, &plain_mapping);
		struct ipfix_stats stats;
		struct err err = { .text = "" };
		unsigned count = 0;

		unit_at("%s", cases[i].text);
		begin(m, 1, 0);
		cases[i].fill(m);
		CU_ASSERT_EQUAL(ipfix_decode(decoder, m->bytes, m->len, count_record, &count, &err),
				cases[i].status);
		UNIT_ASSERT_STR(err.text, cases[i].text);
		/* A datagram session goes on. */
		begin(m, 1, 0);
		put_simple(m, 400, 2);
		CU_ASSERT_EQUAL(ipfix_decode(decoder, m->bytes, m->len, count_record, &count, &err),
				ST_OK);
		UNIT_ASSERT_U64(count, 2);
		ipfix_get_stats(decoder, &stats);
		UNIT_ASSERT_U64(stats.malformed, 1);
		ipfix_decoder_free(decoder);
	}
	g_free(m);
}

static void test_limits_of_session(void)
{
	struct ipfix_decoder *decoder = ipfix_decoder_new(&limits, &plain_mapping);
	struct message *m = g_new(struct message, 1);
	unsigned count = 0;
	struct err err;
	int rc = ST_OK;

	for (uint32_t domain = 1; domain <= 3; domain++) {
		begin(m, domain, 0);
		put_simple(m, 256, 1);
		CU_ASSERT_EQUAL(ipfix_decode(decoder, m->bytes, m->len, count_record, &count, &err),
				ST_OK);
	}
	begin(m, 4, 0);
	put_simple(m, 256, 1);
	CU_ASSERT_EQUAL(ipfix_decode(decoder, m->bytes, m->len, count_record, &count, &err),
			ST_ELIMIT);
	UNIT_ASSERT_STR(err.text, "more than 3 observation domains");
	/* Ever new elements under ever the same template id. */
	for (uint32_t n = 0; n < 10000 && rc == ST_OK; n++) {
		begin(m, 1, 0);
		begin_set(m, 2);
		put(m, 256, 2);
		put(m, 1, 2);
		put(m, 0x8001, 2);
		put(m, 4, 2);
		put(m, 50000 + n, 4);
		end_set(m);
		rc = ipfix_decode(decoder, m->bytes, m->len, count_record, &count, &err);
	}
	/* cost nothing: only the last is kept */
	CU_ASSERT_EQUAL(rc, ST_OK);
	ipfix_decoder_free(decoder);
	g_free(m);
}

/* Fields of no bytes, many of them: a datagram full of records of one byte each would be looked
 * through for each of them. A few are let be. */
static void test_empty_fields(void)
{
	static const struct ipfix_limits generous = { .max_templates = 4,
						      .max_template_fields = 1024,
						      .max_domains = 4 };
	static const unsigned counts[] = { 8, 9, 1000 };

	for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
		for (uint16_t set = 2; set <= 3; set++) {
			struct ipfix_decoder *decoder =
				ipfix_decoder_new(&generous, &plain_mapping);
			struct message *m = g_new(struct message, 1);
			struct err err = { .text = "" };
			unsigned count = 0;

			unit_at("%u fields, set %u", counts[i], set);
			begin(m, 1, 0);
			begin_set(m, set);
			put(m, 256, 2);
			put(m, counts[i], 2);
			if (set == 3) {
				put(m, 1, 2);
			}
			for (unsigned k = 0; k < counts[i]; k++) {
				put(m, 4 + k, 2);
				put(m, k == 0 ? 1 : 0, 2);
			}
			end_set(m);
			CU_ASSERT_EQUAL(
				ipfix_decode(decoder, m->bytes, m->len, count_record, &count, &err),
				i == 0 ? ST_OK : ST_EFORMAT);
			ipfix_decoder_free(decoder);
			g_free(m);
		}
	}
}

/* Many large templates in many domains; one told again and again counts once. */
static void test_limit_of_fields(void)
{
	static const struct ipfix_limits generous = { .max_templates = 1024,
						      .max_template_fields = 1024,
						      .max_domains = 256 };
	struct ipfix_decoder *decoder = ipfix_decoder_new(&generous, &plain_mapping);
	struct message *m = g_new(struct message, 1);
	uint32_t domain = 0;
	struct err err = { .text = "" };
	unsigned count = 0;
	int rc = ST_OK;

	while (rc == ST_OK && domain < 512) {
		begin(m, MIN(domain, 255), 0);
		begin_set(m, 2);
		put(m, domain <= 255 ? 256 : domain + 1, 2);
		put(m, 512, 2);
		for (unsigned i = 0; i < 512; i++) {
			put(m, 4, 2);
			put(m, 1, 2);
		}
		end_set(m);
		rc = ipfix_decode(decoder, m->bytes, m->len, count_record, &count, &err);
		if (domain == 0 && rc == ST_OK) {
			rc = ipfix_decode(decoder, m->bytes, m->len, count_record, &count, &err);
		}
		domain++;
	}
	CU_ASSERT_EQUAL(rc, ST_ELIMIT);
	UNIT_ASSERT_STR(err.text, "more templates than may be kept");
	/* by what they cost, and the domains */
	UNIT_ASSERT_U64(domain, (DECODER_BYTES_MAX - 256 * 1024) / TEMPLATE_COST(512) + 1);
	ipfix_decoder_free(decoder);
	g_free(m);
}

/* Templates come late, change, and go. */
static void test_template_life(void)
{
	static const uint16_t other[] = { 8, 4, 12, 4, 86, 1, 85, 2, 150, 4, 151, 4, 82, 65535 };
	struct ipfix_decoder *decoder = ipfix_decoder_new(&limits, &plain_mapping);
	struct message *m = g_new(struct message, 1);
	struct ipfix_stats stats;
	unsigned count = 0;

	begin(m, 1, 0);
	begin_set(m, 256);
	put(m, 0x1234, 2);
	end_set(m);
	put_simple(m, 256, 2);
	CU_ASSERT_EQUAL(ipfix_decode(decoder, m->bytes, m->len, count_record, &count, NULL), ST_OK);
	UNIT_ASSERT_U64(count, 2);
	/* The same id, other fields, in the same message as records of the old ones. */
	begin(m, 1, 2);
	put_simple(m, 256, 1);
	begin_set(m, 2);
	put_template(m, 256, other, 7);
	end_set(m);
	begin_set(m, 256);
	for (unsigned i = 0; i < 2; i++) {
		put(m, 1, 4);
		put(m, 2, 4);
		put(m, 3, 1);
		put(m, 4, 2);
		put(m, EXPORT_S, 4);
		put(m, EXPORT_S, 4);
		put(m, i ? 0 : 255, 1);
		if (i == 0) {
			put(m, 1, 2);
			put(m, 'x', 1);
		}
	}
	end_set(m);
	CU_ASSERT_EQUAL(ipfix_decode(decoder, m->bytes, m->len, count_record, &count, NULL), ST_OK);
	UNIT_ASSERT_U64(count, 5);
	/* Withdrawn: its records are not looked at. */
	begin(m, 1, 5);
	begin_set(m, 2);
	put(m, 256, 2);
	put(m, 0, 2);
	end_set(m);
	begin_set(m, 256);
	put(m, 0, 8);
	end_set(m);
	CU_ASSERT_EQUAL(ipfix_decode(decoder, m->bytes, m->len, count_record, &count, NULL), ST_OK);
	UNIT_ASSERT_U64(count, 5);
	put_simple(m, 256, 1);
	CU_ASSERT_EQUAL(ipfix_decode(decoder, m->bytes, m->len, count_record, &count, NULL), ST_OK);
	UNIT_ASSERT_U64(count, 6);
	/* All withdrawn. */
	begin(m, 1, 6);
	begin_set(m, 2);
	put(m, 2, 2);
	put(m, 0, 2);
	end_set(m);
	CU_ASSERT_EQUAL(ipfix_decode(decoder, m->bytes, m->len, count_record, &count, NULL), ST_OK);
	put_simple(m, 300, 1);
	CU_ASSERT_EQUAL(ipfix_decode(decoder, m->bytes, m->len, count_record, &count, NULL), ST_OK);
	UNIT_ASSERT_U64(count, 7);
	ipfix_get_stats(decoder, &stats);
	/* the first waited for its template, which was too long for it */
	UNIT_ASSERT_U64(stats.unknown_sets, 2);
	UNIT_ASSERT_U64(stats.held, 1);
	ipfix_decoder_free(decoder);
	g_free(m);
}

/* Some exporters leave out of a message's length what they padded its last set with. */
static void test_padding_beyond_message(void)
{
	struct message *m = g_new(struct message, 1);

	for (size_t padding = 0; padding <= 8; padding++) {
		struct ipfix_decoder *decoder = ipfix_decoder_new(&limits, &plain_mapping);
		unsigned count = 0;
		size_t len;

		unit_at("%zu bytes", padding);
		begin(m, 1, 0);
		put_simple(m, 256, 2);
		len = m->len;
		put(m, 0, padding);
		end_set(m);
		fix(m, 2, (uint16_t)len);
		CU_ASSERT_EQUAL(ipfix_decode(decoder, m->bytes, m->len, count_record, &count, NULL),
				ST_OK);
		UNIT_ASSERT_U64(count, 2);
		/* or behind the set: there is nothing in it */
		fix(m, m->set + 2, (uint16_t)(len - m->set));
		CU_ASSERT_EQUAL(ipfix_decode(decoder, m->bytes, m->len, count_record, &count, NULL),
				ST_OK);
		UNIT_ASSERT_U64(count, 4);
		ipfix_decoder_free(decoder);
	}
	g_free(m);
}

/* Several messages in one datagram: what is wrong with one is told, and costs that one. */
static void test_damage_among_several(void)
{
	struct ipfix_decoder *decoder = ipfix_decoder_new(&limits, &plain_mapping);
	struct message *m = g_new(struct message, 1);
	struct err err = { .text = "" };
	struct ipfix_stats stats;
	unsigned count = 0;
	GByteArray *datagram = g_byte_array_new();

	for (unsigned i = 0; i < 3; i++) {
		begin(m, 1, 2 * i);
		if (i == 1) {
			bad_set_reserved(m);
		} else {
			put_simple(m, 256, 2);
		}
		fix(m, 2, (uint16_t)m->len);
		g_byte_array_append(datagram, m->bytes, (guint)m->len);
	}
	CU_ASSERT_EQUAL(
		ipfix_decode(decoder, datagram->data, datagram->len, count_record, &count, &err),
		ST_EFORMAT);
	UNIT_ASSERT_STR(err.text, "set id 4 is reserved");
	UNIT_ASSERT_U64(count, 4);
	ipfix_get_stats(decoder, &stats);
	UNIT_ASSERT_U64(stats.malformed, 1);
	g_byte_array_unref(datagram);
	ipfix_decoder_free(decoder);
	g_free(m);
}

static int refuse_second(void *arg, const struct record *rec)
{
	(void)rec;
	return ++*(unsigned *)arg == 2 ? ST_EIO : ST_OK;
}

static void test_callback_stops(void)
{
	struct ipfix_decoder *decoder = ipfix_decoder_new(&limits, &plain_mapping);
	struct message *m = g_new(struct message, 1);
	unsigned count = 0;

	begin(m, 1, 0);
	put_simple(m, 256, 5);
	CU_ASSERT_EQUAL(ipfix_decode(decoder, m->bytes, m->len, refuse_second, &count, NULL),
			ST_EIO);
	UNIT_ASSERT_U64(count, 2);
	ipfix_decoder_free(decoder);
	g_free(m);
}

/* Real messages, whole, cut anywhere and with every byte changed: never a crash. */
static void test_real_messages(void)
{
	static const struct {
		const char *path;
		uint64_t forward, reverse;
	} cases[] = {
		{ "tests/data/ipfix/yaf-tcp-silk.ipfix", 1, 1 },
		{ "tests/data/ipfix/yaf-dns.ipfix", 13, 12 },
		{ "tests/data/ipfix/router.ipfix", 12, 0 },
	};
	const struct ipfix_limits wide = { 1000, 1000, 10 };

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct ipfix_decoder *decoder = ipfix_decoder_new(&wide, &plain_mapping);
		struct ipfix_stats stats;
		gchar *bytes = NULL;
		gsize size = 0;
		unsigned count = 0;

		unit_at("%s", cases[i].path);
		CU_ASSERT_TRUE_FATAL(
			g_file_get_contents(unit_path(cases[i].path), &bytes, &size, NULL));
		for (size_t at = 0, len; at < size; at += len) {
			uint8_t *message = (uint8_t *)bytes + at;

			CU_ASSERT_EQUAL_FATAL(ipfix_message_length(message, size - at, &len, NULL),
					      ST_OK);
			CU_ASSERT_EQUAL(
				ipfix_decode(decoder, message, len, count_record, &count, NULL),
				ST_OK);
			for (size_t k = 0; k < len; k++) {
				struct ipfix_decoder *other =
					ipfix_decoder_new(&wide, &plain_mapping);
				struct message *m = g_new(struct message, 1);
				unsigned ignored = 0;

				memcpy(m->bytes, message, len);
				fix(m, 2, (uint16_t)k);
				ipfix_decode(other, m->bytes, k, count_record, &ignored, NULL);
				fix(m, 2, (uint16_t)len);
				m->bytes[k] ^= (uint8_t)(1 + k * 37);
				ipfix_decode(other, m->bytes, len, count_record, &ignored, NULL);
				ipfix_decoder_free(other);
				g_free(m);
			}
		}
		ipfix_get_stats(decoder, &stats);
		UNIT_ASSERT_U64(stats.forward, cases[i].forward);
		UNIT_ASSERT_U64(stats.reverse, cases[i].reverse);
		UNIT_ASSERT_U64(count, cases[i].forward + cases[i].reverse);
		ipfix_decoder_free(decoder);
		g_free(bytes);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "times", test_times },
		{ "times from a boot that options tell", test_boot_in_options },
		{ "volumes", test_volumes },
		{ "addresses and ports", test_addresses_and_ports },
		{ "flags and attributes", test_flags_and_attributes },
		{ "interfaces", test_interfaces },
		{ "firewall events", test_firewall_events },
		{ "shape of NetFlow v9", test_shape_of_v9 },
		{ "sequence", test_sequence },
		{ "damage is told", test_damage_is_told },
		{ "limits of a session", test_limits_of_session },
		{ "fields of no bytes", test_empty_fields },
		{ "limit of fields", test_limit_of_fields },
		{ "life of a template", test_template_life },
		{ "callback stops", test_callback_stops },
		{ "padding beyond the message", test_padding_beyond_message },
		{ "damage among several messages", test_damage_among_several },
		{ "real messages", test_real_messages },
		{ NULL, NULL },
	};

	int status;

	model = iemodel_new();
	status = unit_run("ipfix", cases);
	iemodel_free(model);
	return status;
}
