/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NetFlow v1, v5, v7 and v8 through the decoder. */
#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "common/bigendian.h"
#include "packer/decoder.h"
#include "packer/probe.h"
#include "tests/unit/unit.h"

#define DAY_MS   UINT32_C(86400000)
#define EXPORT_S UINT32_C(1700000000)

static const struct decoder_opts no_opts = { .limits = { 64, 64, 4 } };

/* What came out, in the form of tests/data/netflow5/expected.txt. */
struct seen {
	GString *records;
	GString *notes;
	struct record last;
};

static uint64_t extra(const struct extras *extras, uint16_t id)
{
	for (size_t i = 0; i < extras->count; i++) {
		if (extras->values[i].key.pen == 0 && extras->values[i].key.id == id) {
			return extras->values[i].number;
		}
	}
	return 0;
}

static int take_flow(void *arg, struct record *rec, const struct extras *extras)
{
	struct seen *seen = arg;
	char sip[IP_TEXT_MAX], dip[IP_TEXT_MAX], nhip[IP_TEXT_MAX];

	ip_print(sip, rec->sip, false, IP_CANONICAL);
	ip_print(dip, rec->dip, false, IP_CANONICAL);
	ip_print(nhip, rec->nhip, false, IP_CANONICAL);
	g_string_append_printf(seen->records,
			       "%s|%s|%s|%u|%u|%" PRIu64 "|%" PRIu64 "|%" PRId64 "|%" PRIu64
			       "|%u|%u|%u|%u|%u|%u|%u|%u|%u|%u\n",
			       sip, dip, nhip, rec->input, rec->output, rec->packets, rec->bytes,
			       rec->start_ns / 1000000, rec->duration_ns / 1000000, rec->sport,
			       rec->dport, rec->flags, rec->protocol, (unsigned)extra(extras, 5),
			       (unsigned)extra(extras, 16), (unsigned)extra(extras, 17),
			       (unsigned)extra(extras, 9), (unsigned)extra(extras, 13),
			       (unsigned)extra(extras, 34));
	seen->last = *rec;
	return ST_OK;
}

static void take_note(void *arg, enum decoder_note note, const char *text)
{
	struct seen *seen = arg;

	if (note != DECODER_NOTE_TIMESTAMPS) {
		g_string_append_printf(seen->notes, "%s\n", text);
	}
}

static struct decoder *make_decoder(struct seen *seen, const struct decoder_opts *opts)
{
	const struct decoder_sink sink = {
		.flow = take_flow,
		.note = take_note,
		.arg = seen,
		.notes = ~0U,
	};

	seen->records = g_string_new(NULL);
	seen->notes = g_string_new(NULL);
	return decoder_new(opts, &sink);
}

static void seen_release(struct seen *seen)
{
	g_string_free(seen->records, TRUE);
	g_string_free(seen->notes, TRUE);
}

static uint64_t count_of(const struct decoder *decoder, enum decoder_counter counter)
{
	uint64_t counts[DECODER_COUNTERS];

	decoder_get_counts(decoder, counts);
	return counts[counter];
}

static int take(struct decoder *decoder, const uint8_t *bytes, size_t len, struct err *err)
{
	/* in memory of exactly that size, so that a sanitizer sees every step outside */
	uint8_t *copy = g_memdup2(bytes, len);
	const struct decoder_message message = { copy, len, (int64_t)EXPORT_S * 1000000000 };
	int st = decoder_take(decoder, &message, err);

	g_free(copy);
	return st;
}

/* ---- made datagrams ---- */

struct flow {
	uint32_t packets, bytes, first, last;
	uint16_t sport, dport;
	uint8_t protocol;
};

static const struct flow plain_flow = { 3, 300, 1000, 2000, 1024, 80, 6 };

struct datagram {
	uint16_t version;
	uint32_t uptime;
	uint32_t sequence;
	uint16_t engine;
	uint16_t sampling;
	uint16_t flows;
};

static size_t make_datagram(uint8_t *out, const struct datagram *d, const struct flow *flows)
{
	size_t header = d->version == 1 ? 16 : 24;
	size_t record = d->version == 5 ? 48 : 52;

	memset(out, 0, header + record * d->flows);
	put_be16(out, d->version);
	put_be16(out + 2, d->flows);
	put_be32(out + 4, d->uptime);
	put_be32(out + 8, EXPORT_S);
	put_be32(out + 12, 123456789);
	if (d->version != 1) {
		put_be32(out + 16, d->sequence);
		put_be16(out + 20, d->engine);
		put_be16(out + 22, d->sampling);
	}
	for (unsigned i = 0; i < d->flows; i++) {
		uint8_t *at = out + header + record * i;

		put_be32(at, 0x0a000001);
		put_be32(at + 4, 0x0a000002);
		put_be32(at + 8, 0x0a000003);
		put_be16(at + 12, 11);
		put_be16(at + 14, 12);
		put_be32(at + 16, flows[i].packets);
		put_be32(at + 20, flows[i].bytes);
		put_be32(at + 24, flows[i].first);
		put_be32(at + 28, flows[i].last);
		put_be16(at + 32, flows[i].sport);
		put_be16(at + 34, flows[i].dport);
		at[d->version == 1 ? 40 : 37] = 0x1b;
		at[38] = flows[i].protocol;
		at[39] = 0x28;
		if (d->version != 1) {
			put_be16(at + 40, 64512);
			put_be16(at + 42, 64513);
			at[44] = 24;
			at[45] = 16;
		}
	}
	return header + record * d->flows;
}

static int take_datagram(struct decoder *decoder, const struct datagram *d,
			 const struct flow *flows)
{
	uint8_t bytes[24 + 31 * 52];
	struct err err;

	return take(decoder, bytes, make_datagram(bytes, d, flows), &err);
}

static void test_versions(void)
{
	static const struct {
		uint16_t version;
		const char *record;
	} rows[] = {
		{ 1,
		  "10.0.0.1|10.0.0.2|10.0.0.3|11|12|3|300|1699999901123|1000|1024|80|27|6|40|0|0|"
		  "0|0|0\n" },
		{ 5, "10.0.0.1|10.0.0.2|10.0.0.3|11|12|3|300|1699999901123|1000|1024|80|27|6|40|"
		     "64512|64513|24|16|100\n" },
		{ 7, "10.0.0.1|10.0.0.2|10.0.0.3|11|12|3|300|1699999901123|1000|1024|80|27|6|40|"
		     "64512|64513|24|16|0\n" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct datagram d = { rows[i].version, 100000, 0, 0, 0x4000 | 100, 2 };
		const struct flow flows[] = { plain_flow, plain_flow };
		char *both = g_strconcat(rows[i].record, rows[i].record, NULL);
		struct seen seen;
		struct decoder *decoder = make_decoder(&seen, &no_opts);

		unit_at("version %u", rows[i].version);
		CU_ASSERT_EQUAL(take_datagram(decoder, &d, flows), ST_OK);
		UNIT_ASSERT_STR(seen.records->str, both);
		UNIT_ASSERT_STR(seen.notes->str, "");
		UNIT_ASSERT_U64(count_of(decoder, DECODER_FORWARD), 2);
		CU_ASSERT_FALSE(record_is_ipv6(&seen.last));
		decoder_free(decoder);
		seen_release(&seen);
		g_free(both);
	}
}

/* softflowd leaves out four reserved bytes at the end of a record, and packs 30 of them. */
static void test_short_version1(void)
{
	static struct flow flows[31];

	for (size_t i = 0; i < G_N_ELEMENTS(flows); i++) {
		flows[i] = plain_flow;
	}
	for (uint16_t count = 1; count <= 31; count++) {
		const struct datagram d = { 1, 100000, 0, 0, 0, count };
		uint8_t bytes[24 + 31 * 52];
		struct seen seen;
		struct decoder *decoder = make_decoder(&seen, &no_opts);
		struct err err;

		unit_at("%u flows", count);
		make_datagram(bytes, &d, flows);
		for (unsigned k = 1; k < count; k++) {
			memmove(bytes + 16 + 48 * k, bytes + 16 + 52 * k, 48);
		}
		CU_ASSERT_EQUAL(take(decoder, bytes, 16 + 48 * (size_t)count, &err),
				count > 30 ? ST_EFORMAT : ST_OK);
		UNIT_ASSERT_U64(count_of(decoder, DECODER_FORWARD), count > 30 ? 0 : count);
		if (count <= 30) {
			UNIT_ASSERT_U64(seen.last.dip.lo & 0xffffffff, 0x0a000002);
		}
		decoder_free(decoder);
		seen_release(&seen);
	}
}

static void test_version8(void)
{
	static const uint8_t bytes[100] = { 0, 8, 0, 1 };
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen, &no_opts);
	struct err err;

	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(take(decoder, bytes, sizeof(bytes), &err), ST_OK);
	}
	UNIT_ASSERT_U64(count_of(decoder, DECODER_UNSUPPORTED), 3);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_MALFORMED), 0);
	UNIT_ASSERT_STR(
		seen.notes->str,
		"NetFlow version 8 (aggregated by the router) is not collected: its records "
		"are no flows; let the router export version 5 or 9\n");
	decoder_free(decoder);
	seen_release(&seen);
}

/* Times, ICMP and what cannot be true; SiLK's rwflowpack gave the same for all of these. */
static void test_records(void)
{
	static const struct {
		const char *name;
		uint32_t uptime;
		struct flow flow;
		const char *note; /* NULL: a record comes out */
		int64_t start_ms, duration_ms;
		uint16_t sport, dport;
	} rows[] = {
		{ "no packets",
		  100000,
		  { 0, 300, 1, 2, 3, 4, 6 },
		  "Netflow record has zero packets or bytes\n",
		  0,
		  0,
		  0,
		  0 },
		{ "no bytes",
		  100000,
		  { 3, 0, 1, 2, 3, 4, 6 },
		  "Netflow record has zero packets or bytes\n",
		  0,
		  0,
		  0,
		  0 },
		{ "more packets",
		  100000,
		  { 5, 4, 1, 2, 3, 4, 6 },
		  "Netflow record has more packets them bytes\n",
		  0,
		  0,
		  0,
		  0 },
		{ "end first",
		  100000,
		  { 3, 300, 2000, 1999, 3, 4, 6 },
		  "Netflow record has earlier end time than start time\n",
		  0,
		  0,
		  0,
		  0 },
		{ "too long",
		  100000,
		  { 3, 300, 0, 45 * DAY_MS + 1, 3, 4, 6 },
		  "Netflow record has earlier end time than start time\n",
		  0,
		  0,
		  0,
		  0 },
		{ "long",
		  100000,
		  { 3, 300, 0, 45 * DAY_MS, 3, 4, 6 },
		  NULL,
		  1699999900123,
		  3888000000,
		  3,
		  4 },
		{ "plain",
		  100000,
		  { 3, 300, 1000, 2000, 3, 4, 6 },
		  NULL,
		  1699999901123,
		  1000,
		  3,
		  4 },
		{ "after the export",
		  100000,
		  { 3, 300, 200000, 200001, 3, 4, 6 },
		  NULL,
		  1700000100123,
		  1,
		  3,
		  4 },
		{ "uptime and last wrapped",
		  100000,
		  { 3, 300, 4294967000, 1000, 3, 4, 6 },
		  NULL,
		  1699999899827,
		  1296,
		  3,
		  4 },
		{ "last wrapped",
		  100000,
		  { 3, 300, 45 * DAY_MS + 5, 5, 3, 4, 6 },
		  NULL,
		  1703887900128,
		  406967296,
		  3,
		  4 },
		{ "first wrapped",
		  4294900000,
		  { 3, 300, 100, 200, 3, 4, 6 },
		  NULL,
		  1700000067519,
		  100,
		  3,
		  4 },
		{ "ICMP in the source port",
		  100000,
		  { 3, 300, 1, 2, 0x0304, 0, 1 },
		  NULL,
		  1699999900124,
		  1,
		  0,
		  0x0403 },
		{ "ICMP in the destination port",
		  100000,
		  { 3, 300, 1, 2, 1, 2, 1 },
		  NULL,
		  1699999900124,
		  1,
		  1,
		  2 },
		{ "58 is not ICMP",
		  100000,
		  { 3, 300, 1, 2, 0x0304, 0, 58 },
		  NULL,
		  1699999900124,
		  1,
		  0x0304,
		  0 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct datagram d = { 5, rows[i].uptime, 0, 0, 0, 1 };
		struct seen seen;
		struct decoder *decoder = make_decoder(&seen, &no_opts);

		unit_at("%s", rows[i].name);
		CU_ASSERT_EQUAL(take_datagram(decoder, &d, &rows[i].flow), ST_OK);
		UNIT_ASSERT_STR(seen.notes->str, rows[i].note ? rows[i].note : "");
		UNIT_ASSERT_U64(count_of(decoder, DECODER_BAD), rows[i].note != NULL);
		UNIT_ASSERT_U64(count_of(decoder, DECODER_FORWARD), rows[i].note == NULL);
		if (!rows[i].note) {
			CU_ASSERT_EQUAL(seen.last.start_ns, rows[i].start_ms * 1000000);
			CU_ASSERT_EQUAL(seen.last.duration_ns,
					(uint64_t)rows[i].duration_ms * 1000000);
			UNIT_ASSERT_U64(seen.last.sport, rows[i].sport);
			UNIT_ASSERT_U64(seen.last.dport, rows[i].dport);
		}
		decoder_free(decoder);
		seen_release(&seen);
	}
}

static void test_zero_packets(void)
{
	static const struct decoder_opts opts = {
		.limits = { 64, 64, 4 },
		.mapping = { .quirks = PROBE_QUIRK_ZERO_PACKETS },
	};
	const struct datagram d = { 5, 100000, 0, 0, 0, 2 };
	const struct flow flows[] = { { 0, 300, 1, 2, 3, 4, 6 }, { 0, 0, 1, 2, 3, 4, 6 } };
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen, &opts);

	CU_ASSERT_EQUAL(take_datagram(decoder, &d, flows), ST_OK);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_FORWARD), 1);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_BAD), 1);
	UNIT_ASSERT_U64(seen.last.packets, 1);
	decoder_free(decoder);
	seen_release(&seen);
}

static void test_rejects(void)
{
	static const struct {
		const char *name;
		struct datagram datagram;
		int len; /* relative to the whole, or absolute if positive */
		const char *error;
	} rows[] = {
		{ "header", { 5, 1, 0, 0, 0, 1 }, 23, "due to truncated header" },
		{ "header of version 1", { 1, 1, 0, 0, 0, 1 }, 15, "due to truncated header" },
		{ "none", { 5, 1, 0, 0, 0, 0 }, 0, "reporting zero records" },
		{ "31", { 5, 1, 0, 0, 0, 31 }, 0, "reporting more than 30 records" },
		{ "25 of version 1", { 1, 1, 0, 0, 0, 25 }, 0, "reporting more than 24 records" },
		{ "29 of version 7", { 7, 1, 0, 0, 0, 29 }, 0, "reporting more than 28 records" },
		{ "cut", { 5, 1, 0, 0, 0, 30 }, -1, "due to truncated data section" },
		{ "cut by a header", { 5, 1, 0, 0, 0, 30 }, -24, "due to truncated data section" },
		{ "cut, version 7", { 7, 1, 0, 0, 0, 28 }, -1, "due to truncated data section" },
		{ "cut, version 1", { 1, 1, 0, 0, 0, 24 }, -1, "due to truncated data section" },
	};
	static struct flow flows[31];

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		uint8_t bytes[24 + 31 * 52];
		size_t len = make_datagram(bytes, &rows[i].datagram, flows);
		char *error = g_strconcat("Rejected PDU record ", rows[i].error, NULL);
		char *line = g_strconcat(error, "\n", NULL);
		struct seen seen;
		struct decoder *decoder = make_decoder(&seen, &no_opts);
		struct err err = { 0 };

		unit_at("%s", rows[i].name);
		len = rows[i].len > 0 ? (size_t)rows[i].len : len - (size_t)-rows[i].len;
		CU_ASSERT_EQUAL(take(decoder, bytes, len, &err), ST_EFORMAT);
		UNIT_ASSERT_STR(err.text, error);
		UNIT_ASSERT_STR(seen.notes->str, line);
		UNIT_ASSERT_U64(count_of(decoder, DECODER_MALFORMED), 1);
		UNIT_ASSERT_U64(count_of(decoder, DECODER_FORWARD), 0);
		decoder_free(decoder);
		seen_release(&seen);
		g_free(error);
		g_free(line);
	}
}

/* The lines are SiLK's; the last two rows go through a saved state. */
static void test_sequence(void)
{
	static const struct {
		struct datagram datagram;
		const char *notes;
		uint64_t missing, out_of_sequence, reboots;
	} rows[] = {
		{ { 5, 100000, 13, 0, 0, 1 }, "", 0, 0, 0 },
		{ { 5, 100000, 21, 0, 0, 1 },
		  "Out-of-sequence packet: expecting 14, received 21, difference 7, elapsed "
		  "0.000000 sec, engine 0.0; adding to missing records 7/8 ==    87.5%\n",
		  7,
		  1,
		  0 },
		{ { 5, 100000, 14, 0, 0, 1 },
		  "Out-of-sequence packet: expecting 22, received 14, difference -8, elapsed "
		  "0.000000 sec, engine 0.0; treating 1 flows as arriving late\n",
		  6,
		  2,
		  0 },
		{ { 5, 100000, 4000022, 0, 0, 1 },
		  "Out-of-sequence packet: expecting 22, received 4000022, difference 4000000, "
		  "elapsed 0.000000 sec, engine 0.0; resetting sequence due to large difference; "
		  "next expected packet 4000023\n",
		  6,
		  3,
		  0 },
		{ { 5, 100000, 7, 0x0102, 0, 1 }, "", 6, 3, 0 },
		{ { 5, 100000, 4294967291, 0x0103, 0, 1 }, "", 6, 3, 0 },
		{ { 5, 100000, 3, 0x0103, 0, 1 },
		  "Out-of-sequence packet: expecting 4294967292, received 3, difference "
		  "-4294967289, elapsed 0.000000 sec, engine 1.3; treating as missing packets "
		  "during roll-over (difference without roll-over 7); adding to missing records "
		  "7/8 ==    87.5%\n",
		  13,
		  4,
		  0 },
		{ { 5, 100000, 4294967292, 0x0103, 0, 1 },
		  "Out-of-sequence packet: expecting 4, received 4294967292, difference "
		  "4294967288, elapsed 0.000000 sec, engine 1.3; treating 1 flows as arriving "
		  "late after roll-over (difference without roll-over -8)\n",
		  12,
		  5,
		  0 },
		{ { 7, 100000, 7, 0, 0, 1 }, "", 12, 5, 0 }, /* its own numbers */
		{ { 5, 100000, 8, 0x0102, 0, 1 }, "", 12, 5, 0 },
		{ { 5, 50000, 101, 0, 0, 1 },
		  "Router reboot for engine 0.0. Last time 1699999900123, Current time "
		  "1699999950123\n",
		  12,
		  5,
		  1 },
	};
	GByteArray *saved = g_byte_array_new();
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen, &no_opts);
	uint64_t base[3] = { 0 };

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		unit_at("row %zu", i);
		if (i == G_N_ELEMENTS(rows) - 2) {
			base[0] = rows[i].missing;
			base[1] = rows[i].out_of_sequence;
			decoder_save(decoder, saved);
			decoder_free(decoder);
			seen_release(&seen);
			decoder = make_decoder(&seen, &no_opts);
			CU_ASSERT_EQUAL(decoder_load(decoder, saved->data, saved->len, NULL),
					ST_OK);
		}
		g_string_truncate(seen.notes, 0);
		CU_ASSERT_EQUAL(take_datagram(decoder, &rows[i].datagram, &plain_flow), ST_OK);
		UNIT_ASSERT_STR(seen.notes->str, rows[i].notes);
		UNIT_ASSERT_U64(count_of(decoder, DECODER_MISSING) + base[0], rows[i].missing);
		UNIT_ASSERT_U64(count_of(decoder, DECODER_OUT_OF_SEQUENCE) + base[1],
				rows[i].out_of_sequence);
		UNIT_ASSERT_U64(count_of(decoder, DECODER_REBOOTS), rows[i].reboots);
	}
	/* damaged */
	decoder_free(decoder);
	seen_release(&seen);
	decoder = make_decoder(&seen, &no_opts);
	CU_ASSERT_EQUAL(decoder_load(decoder, saved->data, saved->len - 1, NULL), ST_EFORMAT);
	decoder_free(decoder);
	seen_release(&seen);
	g_byte_array_free(saved, TRUE);
}

/* The uptime passes 2^32, 49.7 days after the boot: no reboot, and times go on. */
static void test_uptime_wrap(void)
{
	const struct datagram before = { 5, 4294967000, 0, 0, 0, 1 };
	const struct datagram after = { 5, 704, 1, 0, 0, 1 }; /* a second later */
	const struct flow flows[] = { { 3, 300, 4294966000, 4294966500, 3, 4, 6 },
				      { 3, 300, 4294967000, 4, 3, 4, 6 } };
	uint8_t bytes[72];
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen, &no_opts);
	struct err err;
	size_t len;

	CU_ASSERT_EQUAL(take_datagram(decoder, &before, &flows[0]), ST_OK);
	CU_ASSERT_EQUAL(seen.last.start_ns, INT64_C(1699999999123000000));
	len = make_datagram(bytes, &after, &flows[1]);
	put_be32(bytes + 8, EXPORT_S + 1);
	CU_ASSERT_EQUAL(take(decoder, bytes, len, &err), ST_OK);
	CU_ASSERT_EQUAL(seen.last.start_ns, INT64_C(1700000000123000000));
	CU_ASSERT_EQUAL(seen.last.duration_ns, UINT64_C(300000000));
	UNIT_ASSERT_U64(count_of(decoder, DECODER_REBOOTS), 0);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_MISSING), 0);
	decoder_free(decoder);
	seen_release(&seen);
}

/* A clock that is far off is not believed, if there is a limit. */
static void test_clock_limit(void)
{
	static const struct {
		const char *name;
		int64_t limit_ns;
		uint32_t export_s;
		int64_t start_ns;
		bool off;
	} rows[] = {
		{ "no limit", 0, 1000000000, INT64_C(999999901123000000), false },
		{ "within", INT64_C(3600000000000), EXPORT_S - 3000, INT64_C(1699996901123000000),
		  false },
		/* moved by what the clock is off: the export becomes the arrival */
		{ "beyond", INT64_C(3600000000000), 1000000000, INT64_C(1699999901000000000),
		  true },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct decoder_opts opts = {
			.limits = { 64, 64, 4 },
			.mapping = { .clock_limit_ns = rows[i].limit_ns },
		};
		const struct datagram d = { 5, 100000, 0, 0, 0, 1 };
		uint8_t bytes[72];
		size_t len = make_datagram(bytes, &d, &plain_flow);
		struct seen seen;
		struct decoder *decoder = make_decoder(&seen, &opts);
		struct err err;

		unit_at("%s", rows[i].name);
		put_be32(bytes + 8, rows[i].export_s);
		CU_ASSERT_EQUAL(take(decoder, bytes, len, &err), ST_OK);
		CU_ASSERT_EQUAL(seen.last.start_ns, rows[i].start_ns);
		UNIT_ASSERT_U64(count_of(decoder, DECODER_CLOCK_OFF), rows[i].off);
		decoder_free(decoder);
		seen_release(&seen);
	}
}

/* No exporter can make us remember without end. */
static void test_many_engines(void)
{
	GByteArray *saved = g_byte_array_new();
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen, &no_opts);

	for (unsigned engine = 0; engine < 1000; engine++) {
		const struct datagram d = { 5, 100000, 1, (uint16_t)engine, 0, 1 };

		take_datagram(decoder, &d, &plain_flow);
	}
	decoder_save(decoder, saved);
	CU_ASSERT_TRUE(saved->len < 20000);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_FORWARD), 1000);
	decoder_free(decoder);
	seen_release(&seen);
	g_byte_array_free(saved, TRUE);
}

/* ---- exporters' own ---- */

static void check_file(const char *name, const char *expected)
{
	char *relative = g_strconcat("tests/data/netflow5/", name, NULL);
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen, &no_opts);
	struct err err = { 0 };
	char *bytes = NULL;
	gsize len = 0;

	unit_at("%s", name);
	CU_ASSERT_TRUE_FATAL(g_file_get_contents(unit_path(relative), &bytes, &len, NULL));
	if (take(decoder, (const uint8_t *)bytes, len, &err) != ST_OK) {
		g_string_printf(seen.records, "rejected%s\n", strstr(err.text, " reporting"));
	}
	UNIT_ASSERT_STR(seen.records->str, expected);
	decoder_free(decoder);
	seen_release(&seen);
	g_free(bytes);
	g_free(relative);
}

static void test_exporters(void)
{
	char *text = NULL;
	char **files;
	unsigned checked = 0;

	CU_ASSERT_TRUE_FATAL(g_file_get_contents(unit_path("tests/data/netflow5/expected.txt"),
						 &text, NULL, NULL));
	files = g_strsplit(text, "file ", -1);
	for (char **file = files + 1; *file; file++) {
		char *records = strchr(*file, '\n');

		*records = '\0';
		check_file(*file, records + 1);
		checked++;
	}
	UNIT_ASSERT_U64(checked, 5);
	g_strfreev(files);
	g_free(text);
}

struct waiting {
	struct seen *seen;
	struct rowqueue *queue;
	size_t firsts[3];
	size_t calls;
};

static int take_queued(void *arg, size_t first)
{
	struct waiting *waiting = arg;

	waiting->firsts[waiting->calls++] = first;
	return ST_OK;
}

/* Records of several messages gather in a queue, and are those that come without one. */
static void test_queue(void)
{
	struct flow flows[30];
	struct datagram d = { .version = 5, .uptime = 5000, .flows = 30, .sampling = 100 };
	struct rowqueue *queue = g_new0(struct rowqueue, 1);
	struct seen want = { 0 };
	struct seen got = { 0 };
	struct waiting waiting = { .seen = &got, .queue = queue };
	const struct decoder_sink gathers = { .queue = queue,
					      .queued = take_queued,
					      .arg = &waiting };
	const struct decoder_sink each = { .flow = take_flow, .arg = &got };
	struct decoder *plain = make_decoder(&want, &no_opts);
	struct decoder *decoder = decoder_new(&no_opts, &gathers);
	uint8_t bytes[2048];

	got.records = g_string_new(NULL);
	got.notes = g_string_new(NULL);
	for (unsigned message = 0; message < 3; message++) {
		size_t len;

		for (unsigned i = 0; i < 30; i++) {
			flows[i] = plain_flow;
			flows[i].sport = (uint16_t)(message * 100 + i);
		}
		flows[7].packets = 0; /* cannot be true */
		len = make_datagram(bytes, &d, flows);
		d.sequence += d.flows;
		CU_ASSERT_EQUAL(take(plain, bytes, len, NULL), ST_OK);
		CU_ASSERT_EQUAL(take(decoder, bytes, len, NULL), ST_OK);
		UNIT_ASSERT_U64(waiting.firsts[message], message * 29);
	}
	UNIT_ASSERT_U64(queue->count, 87);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_FORWARD), 87);
	CU_ASSERT(rowqueue_has_room(queue));
	CU_ASSERT_EQUAL(decoder_deliver_each(&each, queue, 29), ST_OK);
	UNIT_ASSERT_U64(queue->count, 29);
	UNIT_ASSERT_U64(queue->value_count, 29 * queue->rows[0].value_count);
	CU_ASSERT(g_str_has_suffix(want.records->str, got.records->str));
	g_string_truncate(got.records, 0);
	CU_ASSERT_EQUAL(decoder_deliver_each(&each, queue, 0), ST_OK);
	CU_ASSERT(g_str_has_prefix(want.records->str, got.records->str));
	UNIT_ASSERT_U64(queue->count, 0);
	UNIT_ASSERT_U64(queue->value_count, 0);
	decoder_free(decoder);
	decoder_free(plain);
	seen_release(&want);
	seen_release(&got);
	g_free(queue);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "versions 1, 5, 7", test_versions },
		{ "version 1 without its last bytes", test_short_version1 },
		{ "version 8", test_version8 },
		{ "records", test_records },
		{ "zero-packets", test_zero_packets },
		{ "refused", test_rejects },
		{ "sequence", test_sequence },
		{ "uptime wraps", test_uptime_wrap },
		{ "clock limit", test_clock_limit },
		{ "many engines", test_many_engines },
		{ "exporters", test_exporters },
		{ "queue", test_queue },
		{ NULL, NULL },
	};

	return unit_run("netflow5", cases);
}
