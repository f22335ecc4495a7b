/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sFlow v2, v4 and v5 through the decoder. */
#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "common/bigendian.h"
#include "packer/decoder.h"
#include "tests/unit/unit.h"

#define ARRIVAL_NS INT64_C(1700000000123456789)

/* What came out, in the form of tests/data/sflow/expected.txt. */
struct seen {
	GString *flows;
	GString *counters;
	GString *notes;
	struct record last;
	uint64_t extras[512]; /* numbers by element; addresses of IPv4 as numbers */
};

static int take_flow(void *arg, struct record *rec, const struct extras *extras)
{
	struct seen *seen = arg;
	char sip[IP_TEXT_MAX], dip[IP_TEXT_MAX], nhip[IP_TEXT_MAX];
	const uint64_t *at = seen->extras;

	memset(seen->extras, 0, sizeof(seen->extras));
	for (size_t i = 0; i < extras->count; i++) {
		const struct flowblock_value *value = &extras->values[i];

		CU_ASSERT_TRUE_FATAL(value->key.pen == 0 && value->key.id < 512);
		seen->extras[value->key.id] = column_form(value->type) == COLUMN_FORM_ADDRESS
						      ? value->ip.lo & UINT32_MAX
						      : value->number;
	}
	ip_print(sip, rec->sip, record_is_ipv6(rec), IP_CANONICAL);
	ip_print(dip, rec->dip, record_is_ipv6(rec), IP_CANONICAL);
	ip_print(nhip, rec->nhip, record_is_ipv6(rec), IP_CANONICAL);
	g_string_append_printf(seen->flows,
			       "flow %s|%s|%s|%u|%u|%" PRIu64 "|%" PRIu64 "|%u|%u|%u|%u|%" PRIu64
			       "|%" PRIu64 "|%" PRIu64 "|%" PRIu64 "|%" PRIu64 "|%" PRIu64
			       "|%" PRIu64 "\n",
			       sip, dip, nhip, rec->input, rec->output, rec->packets, rec->bytes,
			       rec->sport, rec->dport, rec->flags, rec->protocol, at[5], at[16],
			       at[17], at[9] + at[29], at[13] + at[30], at[58], at[34]);
	seen->last = *rec;
	return ST_OK;
}

static void take_counters(void *arg, const struct ifcounters *c)
{
	struct seen *seen = arg;
	char agent[IP_TEXT_MAX];

	ip_print(agent, c->agent, !ip_is_mapped(c->agent), IP_CANONICAL);
	CU_ASSERT_EQUAL(c->time_ns, ARRIVAL_NS);
	g_string_append_printf(seen->counters, "counters %s|%u|%u", agent, c->sub_agent,
			       c->interface);
	for (size_t i = 0; i < IFCOUNTERS; i++) {
		if (i == IFCOUNTER_STATUS) {
			g_string_append_printf(seen->counters, "|%u|%u", (unsigned)c->values[i] & 1,
					       (unsigned)c->values[i] >> 1 & 1);
		} else {
			g_string_append_printf(seen->counters, "|%" PRIu64, c->values[i]);
		}
	}
	g_string_append_c(seen->counters, '\n');
}

static void take_note(void *arg, enum decoder_note note, const char *text)
{
	struct seen *seen = arg;

	if (note == DECODER_NOTE_MISSING) {
		g_string_append_printf(seen->notes, "%s\n", text);
	}
}

static struct decoder *make_decoder(struct seen *seen, bool vlan_interfaces)
{
	const struct decoder_opts opts = {
		.limits = { 64, 64, 4 },
		.mapping = { .vlan_interfaces = vlan_interfaces },
	};
	const struct decoder_sink sink = {
		.flow = take_flow,
		.note = take_note,
		.arg = seen,
		.notes = ~0U,
		.counters = take_counters,
	};

	memset(seen, 0, sizeof(*seen));
	seen->flows = g_string_new(NULL);
	seen->counters = g_string_new(NULL);
	seen->notes = g_string_new(NULL);
	return decoder_new(&opts, &sink);
}

static void release(struct decoder *decoder, struct seen *seen)
{
	decoder_free(decoder);
	g_string_free(seen->flows, TRUE);
	g_string_free(seen->counters, TRUE);
	g_string_free(seen->notes, TRUE);
}

static uint64_t count_of(const struct decoder *decoder, enum decoder_counter counter)
{
	uint64_t counts[DECODER_COUNTERS];

	decoder_get_counts(decoder, counts);
	return counts[counter];
}

static int take_at(struct decoder *decoder, const uint8_t *bytes, size_t len, int64_t arrival_ns)
{
	/* in memory of exactly that size, so that a sanitizer sees every step outside */
	uint8_t *copy = g_memdup2(bytes, len);
	const struct decoder_message message = { copy, len, arrival_ns };
	struct err err;
	int st = decoder_take(decoder, &message, &err);

	g_free(copy);
	return st;
}

/* ---- datagrams from lists of words ---- */

static GByteArray *words(const uint32_t *values, size_t count)
{
	GByteArray *out = g_byte_array_new();

	for (size_t i = 0; i < count; i++) {
		uint8_t word[4];

		put_be32(word, values[i]);
		g_byte_array_append(out, word, sizeof(word));
	}
	return out;
}
#define WORDS(...)                                                                                 \
	words((const uint32_t[]){ __VA_ARGS__ },                                                   \
	      sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

/* The words, then their expectation as one flow line; the decoder is new. */
struct flow_case {
	const char *name;
	bool vlan_interfaces;
	int status;
	const char *flows;
	uint32_t words[64];
	size_t count;
};

/* An Ethernet frame with tag 7, IPv4, UDP 1.2.3.4:53 to 5.6.7.8:1024, ToS 0x10, 46 bytes; in words
 */
#define FRAME                                                                                      \
	46, 0x02000000, 0x00020200, 0x00000001, 0x81000007, 0x08004510, 0x001c0000, 0x00004011,    \
		0x00000102, 0x03040506, 0x07080035, 0x04000008, 0x00000000
#define IPV4_ELEMENT 60, 6, 0x01020304, 0x05060708, 1024, 80, 0x12, 0x20
#define HEAD5        5, 1, 0xc0000201, 9, 1, 1000, 1
#define HEAD2        1, 0xc0000201, 1, 1000, 1
/* number, source, rate, pool, drops, input, output */
#define SAMPLE 1, 3, 512, 0, 0, 11, 12

static void test_flows(void)
{
	static const struct flow_case rows[] = {
		{ "v5, header",
		  false,
		  ST_OK,
		  "flow 1.2.3.4|5.6.7.8|0.0.0.0|11|12|1|64|53|1024|0|17|16|0|0|0|0|7|512\n",
		  { HEAD5, 1, 108, SAMPLE, 1, 1, 68, 1, 64, 4, FRAME, 0 },
		  0 },
		{ "v5, header, VLANs as interfaces",
		  true,
		  ST_OK,
		  "flow 1.2.3.4|5.6.7.8|0.0.0.0|7|0|1|64|53|1024|0|17|16|0|0|0|0|7|512\n",
		  { HEAD5, 1, 108, SAMPLE, 1, 1, 68, 1, 64, 4, FRAME, 0 },
		  0 },
		{ "v5, IPv4 element and switch",
		  true,
		  ST_OK,
		  "flow 1.2.3.4|5.6.7.8|0.0.0.0|100|200|1|60|1024|80|18|6|32|0|0|0|0|100|512\n",
		  { HEAD5, 1, 96, SAMPLE, 2, 3, 32, IPV4_ELEMENT, 1001, 16, 100, 0, 200, 0 },
		  0 },
		{ "v5, expanded, IPv6",
		  false,
		  ST_OK,
		  "flow 102:304::1|506:708::1|::|70000|0|1|60|1024|80|18|6|32|0|0|0|0|0|512\n",
		  { HEAD5, 3, 108,        1, 0, 3, 512,        0, 0, 0, 70000, 1,  2,    1,   4, 56,
		    60,    6, 0x01020304, 0, 0, 1, 0x05060708, 0, 0, 1, 1024,  80, 0x12, 0x20 },
		  0 },
		{ "v5, unknown elements and samples between",
		  false,
		  ST_OK,
		  "flow 1.2.3.4|5.6.7.8|0.0.0.0|11|12|1|60|1024|80|18|6|32|0|0|0|0|0|512\n",
		  { 5, 1,  0xc0000201, 9, 1,         1000, 2, 0x1234567, 8,  1,           2,
		    1, 84, SAMPLE,     2, 0x9999001, 4,    1, 3,         32, IPV4_ELEMENT },
		  0 },
		{ "v5, no IP",
		  false,
		  ST_OK,
		  "",
		  { HEAD5, 1, 72, SAMPLE, 1, 1, 32, 1, 64, 4, 16, 0, 0, 0, 0x08060000 },
		  0 },
		{ "v5, the first sample is damaged",
		  false,
		  ST_EFORMAT,
		  "flow 1.2.3.4|5.6.7.8|0.0.0.0|11|12|1|60|1024|80|18|6|32|0|0|0|0|0|512\n",
		  { 5, 1, 0xc0000201, 9, 1, 1000, 2, 1, 8, 1, 2, 1, 72, SAMPLE, 1, 3, 32,
		    IPV4_ELEMENT },
		  0 },
		{ "v5, gateway and router",
		  false,
		  ST_OK,
		  "flow 1.2.3.4|5.6.7.8|9.9.9.9|11|12|1|60|1024|80|18|6|32|65001|65004|24|16|0|512\n",
		  { HEAD5,      1,  152,   SAMPLE, 3,  3, 32,         IPV4_ELEMENT, 1002,  16,    1,
		    0x09090909, 24, 16,    1003,   48, 1, 0x0a0a0a0a, 65000,        65001, 65002, 1,
		    2,          2,  65003, 65004,  0,  0 },
		  0 },
		{ "v4, header and gateway",
		  false,
		  ST_OK,
		  "flow 1.2.3.4|5.6.7.8|0.0.0.0|11|12|1|64|53|1024|0|17|16|65001|65004|0|0|7|512\n",
		  { 4,     HEAD2, 1, SAMPLE, 1, 1,     64,    FRAME, 1,  3,  65000,
		    65001, 65002, 1, 2,      2, 65003, 65004, 1,     77, 100 },
		  0 },
		{ "v4, user, URL and router",
		  false,
		  ST_OK,
		  "flow 1.2.3.4|5.6.7.8|9.9.9.9|11|12|1|60|1024|80|18|6|32|0|0|24|16|0|512\n",
		  { 4,          HEAD2, 1, SAMPLE, 2, IPV4_ELEMENT, 3,          4, 3,
		    0x61626300, 0,     5, 1,      5, 0x61626364,   0x65000000, 2, 1,
		    0x09090909, 24,    16 },
		  0 },
		{ "v2, gateway",
		  false,
		  ST_OK,
		  "flow 1.2.3.4|5.6.7.8|0.0.0.0|11|12|1|60|1024|80|18|6|32|65001|65004|0|0|0|512\n",
		  { 2, HEAD2, 1, SAMPLE, 2, IPV4_ELEMENT, 1, 3, 65000, 65001, 65002, 2, 65003,
		    65004 },
		  0 },
		{ "v2, empty path",
		  false,
		  ST_OK,
		  "flow 1.2.3.4|5.6.7.8|0.0.0.0|11|12|1|60|1024|80|18|6|32|65001|65000|0|0|0|512\n",
		  { 2, HEAD2, 1, SAMPLE, 2, IPV4_ELEMENT, 1, 3, 65000, 65001, 65002, 0 },
		  0 },
		{ "v4, a type that is not known",
		  false,
		  ST_EFORMAT,
		  "flow 1.2.3.4|5.6.7.8|0.0.0.0|11|12|1|60|1024|80|18|6|32|0|0|0|0|0|512\n",
		  { 4, HEAD2, 1, SAMPLE, 2, IPV4_ELEMENT, 1, 6, 1, 1 },
		  0 },
		{ "version 3", false, ST_EFORMAT, "", { 3, HEAD2, 0 }, 0 },
		{ "unknown address", false, ST_EFORMAT, "", { 5, 3, 1, 2, 3, 4, 5, 6 }, 0 },
		{ "cut off in the header", false, ST_EFORMAT, "", { 5, 1, 1, 2, 3, 4 }, 6 },
		{ "samples that never come",
		  false,
		  ST_EFORMAT,
		  "",
		  { 5, 1, 1, 2, 3, 4, 0xffffffff },
		  7 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		size_t count = rows[i].count ? rows[i].count : G_N_ELEMENTS(rows[i].words);
		GByteArray *datagram = words(rows[i].words, count);
		struct seen seen;
		struct decoder *decoder = make_decoder(&seen, rows[i].vlan_interfaces);

		unit_at("%s", rows[i].name);
		CU_ASSERT_EQUAL(take_at(decoder, datagram->data, datagram->len, ARRIVAL_NS),
				rows[i].status);
		UNIT_ASSERT_STR(seen.flows->str, rows[i].flows);
		UNIT_ASSERT_U64(count_of(decoder, DECODER_FORWARD), rows[i].flows[0] != '\0');
		if (rows[i].flows[0]) {
			CU_ASSERT_EQUAL(seen.last.start_ns, ARRIVAL_NS);
			UNIT_ASSERT_U64(seen.last.duration_ns, 0);
		}
		release(decoder, &seen);
		g_byte_array_free(datagram, TRUE);
	}
}

/* Every cut of a datagram, and a byte of it changed: refused or not, nothing is read outside. */
static void test_cuts(void)
{
	GByteArray *whole = WORDS(HEAD5, 1, 108, SAMPLE, 1, 1, 68, 1, 64, 4, FRAME, 0);
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen, false);

	for (guint len = 4; len < whole->len; len++) {
		take_at(decoder, whole->data, len, ARRIVAL_NS);
	}
	UNIT_ASSERT_U64(count_of(decoder, DECODER_MALFORMED), whole->len - 4);
	release(decoder, &seen);
	g_byte_array_free(whole, TRUE);
}

static void test_columns(void)
{
	GByteArray *datagram =
		WORDS(HEAD5, 1, 188, SAMPLE, 5, 1, 64, 1, 64, 4, FRAME, 1003, 36, 1, 0x0a0a0a0a,
		      65000, 65001, 65002, 0, 0, 0, 0, 1007, 16, 1, 0x0b0b0b0b, 1, 0x0c0c0c0c, 1020,
		      8, 4000, 5000, 1001, 16, 5, 0, 6, 0);
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen, false);

	put_be32(datagram->data + 32, datagram->len - 36); /* the sample's length */
	CU_ASSERT_EQUAL(take_at(decoder, datagram->data, datagram->len, ARRIVAL_NS), ST_OK);
	UNIT_ASSERT_U64(seen.extras[18], 0x0a0a0a0a); /* bgpNextHopIPv4Address */
	UNIT_ASSERT_U64(seen.extras[225], 0x0b0b0b0b);
	UNIT_ASSERT_U64(seen.extras[226], 0x0c0c0c0c);
	UNIT_ASSERT_U64(seen.extras[227], 4000);
	UNIT_ASSERT_U64(seen.extras[228], 5000);
	UNIT_ASSERT_U64(seen.extras[56], 0x020000000001);
	UNIT_ASSERT_U64(seen.extras[80], 0x020000000002);
	UNIT_ASSERT_U64(seen.extras[58], 5); /* the switch knows better than the tag */
	UNIT_ASSERT_U64(seen.extras[59], 6);
	UNIT_ASSERT_U64(seen.extras[34], 512);
	release(decoder, &seen);
	g_byte_array_free(datagram, TRUE);
}

/* A number that is no VLAN's is how agents say that they do not know it. */
static void test_unknown_vlans(void)
{
	GByteArray *datagram = WORDS(HEAD5, 1, 120, SAMPLE, 2, 1, 64, 1, 64, 4, FRAME, 1001, 16,
				     UINT32_MAX, 0, UINT32_MAX, 0);
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen, false);

	put_be32(datagram->data + 32, datagram->len - 36); /* the sample's length */
	CU_ASSERT_EQUAL(take_at(decoder, datagram->data, datagram->len, ARRIVAL_NS), ST_OK);
	UNIT_ASSERT_U64(seen.extras[58], 7); /* the tag does */
	UNIT_ASSERT_U64(seen.extras[59], 0);
	release(decoder, &seen);
	g_byte_array_free(datagram, TRUE);
}

/* ---- counters and discards ---- */

#define GENERIC 4, 6, 0, 1000000000, 1, 3, 0, 100, 1, 2, 3, 4, 5, 6, 1, 200, 7, 8, 9, 10, 11, 0

static void test_counters(void)
{
	static const char *const expected =
		"counters 192.0.2.1|%s|4|6|1000000000|1|1|1|100|1|2|3|4|5|6|4294967496|7|8|9|10|11\n";
	static const struct {
		const char *name;
		const char *sub_agent; /* NULL: nothing comes out */
		uint32_t words[64];
	} rows[] = {
		{ "v5", "9", { HEAD5, 2, 108, 1, 3, 1, 1, 88, GENERIC } },
		{ "v5, expanded, after another",
		  "9",
		  { HEAD5, 4, 128, 1, 0, 3, 2, 2, 8, 1, 2, 1, 88, GENERIC } },
		{ "v4, generic", "0", { 4, HEAD2, 2, 1, 3, 20, 1, GENERIC } },
		{ "v2, Ethernet", "0", { 2, HEAD2, 2, 1, 3, 20, 2, GENERIC } },
		{ "v4, VLAN", NULL, { 4, HEAD2, 2, 1, 3, 20, 7, 5, 0, 1, 2, 3, 4, 5 } },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		GByteArray *datagram = words(rows[i].words, G_N_ELEMENTS(rows[i].words));
		char *line = rows[i].sub_agent ? g_strdup_printf("%s", "") : g_strdup("");
		struct seen seen;
		struct decoder *decoder = make_decoder(&seen, false);

		if (rows[i].sub_agent) {
			char **parts = g_strsplit(expected, "%s", 2);

			g_free(line);
			line = g_strjoin(rows[i].sub_agent, parts[0], parts[1], NULL);
			g_strfreev(parts);
		}
		unit_at("%s", rows[i].name);
		CU_ASSERT_EQUAL(take_at(decoder, datagram->data, datagram->len, ARRIVAL_NS), ST_OK);
		UNIT_ASSERT_STR(seen.counters->str, line);
		UNIT_ASSERT_U64(count_of(decoder, DECODER_COUNTER_SAMPLES), 1);
		release(decoder, &seen);
		g_byte_array_free(datagram, TRUE);
		g_free(line);
	}
}

static void test_discards(void)
{
	GByteArray *datagram = WORDS(5, 1, 0xc0000201, 9, 1, 1000, 2, 5, 32, 1, 0, 3, 0, 11, 12,
				     256, 0, 5, 32, 2, 0, 3, 0, 11, 12, 256, 0);
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen, false);

	CU_ASSERT_EQUAL(take_at(decoder, datagram->data, datagram->len, ARRIVAL_NS), ST_OK);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_DISCARDS), 2);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_FORWARD), 0);
	release(decoder, &seen);
	g_byte_array_free(datagram, TRUE);
}

/* ---- sequence numbers ---- */

static void take_numbered(struct decoder *decoder, uint32_t sub_agent, uint32_t number,
			  uint32_t sample, uint32_t uptime_ms, int64_t after_ms)
{
	GByteArray *datagram = WORDS(5, 1, 0xc0000201, sub_agent, number, uptime_ms, 1, 1, 72,
				     sample, 3, 512, 0, 0, 1, 2, 1, 3, 32, IPV4_ELEMENT);

	CU_ASSERT_EQUAL(
		take_at(decoder, datagram->data, datagram->len, ARRIVAL_NS + after_ms * 1000000),
		ST_OK);
	g_byte_array_free(datagram, TRUE);
}

static void test_sequence(void)
{
	GByteArray *saved = g_byte_array_new();
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen, false);

	take_numbered(decoder, 1, 10, 100, 100000, 0);
	take_numbered(decoder, 1, 11, 101, 101000, 1000);
	take_numbered(decoder, 2, 77, 500, 101000, 1000); /* another agent counts for itself */
	UNIT_ASSERT_STR(seen.notes->str, "");
	take_numbered(decoder, 1, 14, 110, 102000, 2000);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_MISSING_PACKETS), 2);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_MISSING), 8);
	UNIT_ASSERT_STR(seen.notes->str,
			"sFlow agent 192.0.2.1, sub-agent 1: expecting datagram 12, received 14\n");
	take_numbered(decoder, 1, 12, 102, 101500, 2010);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_MISSING_PACKETS), 1);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_MISSING), 7);
	decoder_save(decoder, saved);
	release(decoder, &seen);

	decoder = make_decoder(&seen, false);
	CU_ASSERT_EQUAL_FATAL(decoder_load(decoder, saved->data, saved->len, NULL), ST_OK);
	take_numbered(decoder, 1, 16, 112, 103000, 3000);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_MISSING_PACKETS), 1);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_MISSING), 1);
	/* a small number is no late datagram when the agent has just been switched on */
	take_numbered(decoder, 1, 1, 1, 500, 60000);
	take_numbered(decoder, 1, 2, 2, 1500, 61000);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_REBOOTS), 1);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_MISSING_PACKETS), 1);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_MISSING), 1);
	release(decoder, &seen);

	decoder = make_decoder(&seen, false);
	CU_ASSERT_EQUAL(decoder_load(decoder, saved->data, saved->len - 1, NULL), ST_EFORMAT);
	release(decoder, &seen);
	g_byte_array_free(saved, TRUE);
}

/* ---- exporters' own ---- */

/* The UDP payload of an Ethernet frame of IPv4 or IPv6 without options. */
static void take_frame(struct decoder *decoder, struct seen *seen, const uint8_t *frame, size_t len)
{
	size_t header = get_be16(frame + 12) == 0x86dd ? 14 + 40 + 8 : 14 + 20 + 8;

	CU_ASSERT_TRUE_FATAL(len > header);
	if (take_at(decoder, frame + header, len - header, ARRIVAL_NS) != ST_OK) {
		g_string_append(seen->flows, "refused\n");
	}
}

static void check_lines(const char *actual, const char *expected)
{
	char **lines = g_strsplit(actual, "\n", -1);
	char **wanted = g_strsplit(expected, "\n", -1);

	UNIT_ASSERT_U64(g_strv_length(lines), g_strv_length(wanted));
	for (size_t i = 0; lines[i] && wanted[i]; i++) {
		UNIT_ASSERT_STR(lines[i], wanted[i]);
	}
	g_strfreev(lines);
	g_strfreev(wanted);
}

static void check_file(const char *name, const char *expected)
{
	char *relative = g_strconcat("tests/data/sflow/", name, NULL);
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen, false);
	char *bytes = NULL;
	gsize len = 0;

	unit_at("%s", name);
	CU_ASSERT_TRUE_FATAL(g_file_get_contents(unit_path(relative), &bytes, &len, NULL));
	for (gsize at = 24; at + 16 <= len;) {
		uint32_t captured;

		memcpy(&captured, bytes + at + 8,
		       sizeof(captured)); /* the files are little-endian */
		captured = le32toh(captured);
		CU_ASSERT_TRUE_FATAL(captured <= len - at - 16);
		take_frame(decoder, &seen, (const uint8_t *)bytes + at + 16, captured);
		at += 16 + captured;
	}
	g_string_append(seen.flows, seen.counters->str);
	check_lines(seen.flows->str, expected);
	release(decoder, &seen);
	g_free(bytes);
	g_free(relative);
}

static void test_exporters(void)
{
	char *text = NULL;
	char **files;
	unsigned checked = 0;

	CU_ASSERT_TRUE_FATAL(
		g_file_get_contents(unit_path("tests/data/sflow/expected.txt"), &text, NULL, NULL));
	files = g_strsplit(text, "file ", -1);
	for (char **file = files + 1; *file; file++) {
		char *lines = strchr(*file, '\n');

		*lines = '\0';
		check_file(*file, lines + 1);
		checked++;
	}
	UNIT_ASSERT_U64(checked, 4);
	g_strfreev(files);
	g_free(text);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "flow samples", test_flows },
		{ "cut off anywhere", test_cuts },
		{ "extension columns", test_columns },
		{ "VLANs that the agent does not know", test_unknown_vlans },
		{ "counter samples", test_counters },
		{ "discarded packets", test_discards },
		{ "sequence numbers", test_sequence },
		{ "exporters", test_exporters },
		{ NULL, NULL },
	};

	return unit_run("sflow", cases);
}
