/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "common/bigendian.h"
#include "common/timestamp.h"
#include "packer/decoder.h"
#include "packer/templatesession.h"
#include "tests/unit/unit.h"

#define NOW_S 1700000000u

static struct iemodel *model;

struct seen {
	unsigned records;
	struct record last;
	struct extras extras;
	char note[256];
};

static int take_flow(void *arg, struct record *rec, const struct extras *extras)
{
	struct seen *seen = arg;

	seen->records++;
	seen->last = *rec;
	seen->extras = *extras;
	return ST_OK;
}

static void take_note(void *arg, enum decoder_note note, const char *text)
{
	if (note == DECODER_NOTE_SAMPLING) {
		g_strlcpy(((struct seen *)arg)->note, text, sizeof(((struct seen *)arg)->note));
	}
}

static struct decoder *make_decoder(struct seen *seen, int64_t clock_limit_ns)
{
	const struct decoder_opts opts = { .limits = { 64, 64, 4 },
					   .mapping = { .clock_limit_ns = clock_limit_ns },
					   .model = model };
	const struct decoder_sink sink = {
		.flow = take_flow, .note = take_note, .arg = seen, .notes = ~0U
	};

	memset(seen, 0, sizeof(*seen));
	return decoder_new(&opts, &sink);
}

static uint64_t count_of(const struct decoder *decoder, enum decoder_counter counter)
{
	uint64_t counts[DECODER_COUNTERS];

	decoder_get_counts(decoder, counts);
	return counts[counter];
}

/* A datagram: numbers of the header, then 16-bit words of its sets. */
struct datagram {
	uint8_t bytes[1500];
	size_t len;
	size_t set;
};

static void put(struct datagram *d, uint64_t value, size_t size)
{
	for (size_t i = size; i-- > 0;) {
		d->bytes[d->len++] = (uint8_t)(value >> (8 * i));
	}
}

static void begin(struct datagram *d, uint32_t sequence, uint32_t uptime_ms, uint32_t now_s)
{
	d->len = 0;
	put(d, 9, 2);
	put(d, 1, 2);
	put(d, uptime_ms, 4);
	put(d, now_s, 4);
	put(d, sequence, 4);
	put(d, 7, 4);
}

static void begin_set(struct datagram *d, uint16_t id)
{
	d->set = d->len;
	put(d, id, 2);
	put(d, 0, 2);
}

static void end_set(struct datagram *d)
{
	put_be16(d->bytes + d->set + 2, (uint16_t)(d->len - d->set));
}

static void put_fields(struct datagram *d, uint16_t id, const uint16_t fields[][2], size_t count)
{
	begin_set(d, 0);
	put(d, id, 2);
	put(d, count, 2);
	for (size_t i = 0; i < count; i++) {
		put(d, fields[i][0], 2);
		put(d, fields[i][1], 2);
	}
	end_set(d);
}

/* 300: addresses, protocol, packets, bytes, uptimes, interface, sampler, first MPLS label, ToS */
static void put_template(struct datagram *d)
{
	static const uint16_t fields[][2] = { { 8, 4 },  { 12, 4 }, { 4, 1 },  { 2, 4 },
					      { 1, 4 },  { 22, 4 }, { 21, 4 }, { 10, 4 },
					      { 48, 1 }, { 70, 3 }, { 5, 1 } };

	put_fields(d, 300, fields, G_N_ELEMENTS(fields));
}

static void put_record(struct datagram *d, unsigned interface, unsigned sampler)
{
	begin_set(d, 300);
	put(d, 0x0a000001, 4);
	put(d, 0x0a000002, 4);
	put(d, 17, 1);
	put(d, 3, 4);
	put(d, 300, 4);
	put(d, 50000, 4);
	put(d, 59000, 4);
	put(d, interface, 4);
	put(d, sampler, 1);
	put(d, 0x01e240, 3);
	put(d, 0xb8, 1);
	put(d, 0, 2); /* padding */
	end_set(d);
}

static int take_at(struct decoder *decoder, const struct datagram *d, uint32_t arrival_s)
{
	const struct decoder_message message = { d->bytes, d->len, arrival_s * NS_PER_S };
	struct err err = { .text = "" };
	int st = decoder_take(decoder, &message, &err);

	UNIT_ASSERT_STR(err.text, "");
	return st;
}

static int take(struct decoder *decoder, const struct datagram *d)
{
	return take_at(decoder, d, NOW_S);
}

static const struct flowblock_value *find(const struct seen *seen, uint16_t id)
{
	for (size_t i = 0; i < seen->extras.count; i++) {
		if (seen->extras.values[i].key.pen == 0 && seen->extras.values[i].key.id == id) {
			return &seen->extras.values[i];
		}
	}
	return NULL;
}

static void test_record(void)
{
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen, 0);
	struct datagram d;

	begin(&d, 1, 60000, NOW_S);
	put_template(&d);
	put_record(&d, 70000, 0);
	CU_ASSERT_EQUAL(take(decoder, &d), ST_OK);
	CU_ASSERT_EQUAL_FATAL(seen.records, 1);
	UNIT_ASSERT_U64(seen.last.packets, 3);
	UNIT_ASSERT_U64(seen.last.bytes, 300);
	UNIT_ASSERT_U64(seen.last.input, 70000);
	CU_ASSERT_EQUAL(seen.last.start_ns, (NOW_S - 10) * NS_PER_S);
	UNIT_ASSERT_U64(seen.last.duration_ns, 9 * NS_PER_S);
	/* what went into the record is not told twice */
	UNIT_ASSERT_U64(seen.extras.count, 3);
	CU_ASSERT_PTR_NOT_NULL_FATAL(find(&seen, 5));
	UNIT_ASSERT_U64(find(&seen, 5)->number, 0xb8);
	CU_ASSERT_PTR_NOT_NULL(find(&seen, 48));
	CU_ASSERT_PTR_NOT_NULL_FATAL(find(&seen, 70));
	UNIT_ASSERT_U64(find(&seen, 70)->bytes.len, 3);
	decoder_free(decoder);
}

/* Options template 400: scope interface or system, then the two fields. */
static void put_rate(struct datagram *d, uint16_t scope, uint32_t scope_id, uint16_t id_field,
		     uint32_t id, uint16_t rate_field, uint32_t rate)
{
	begin_set(d, 1);
	put(d, 400, 2);
	put(d, 4, 2);
	put(d, 8, 2);
	put(d, scope, 2);
	put(d, 4, 2);
	put(d, id_field, 2);
	put(d, 4, 2);
	put(d, rate_field, 2);
	put(d, 4, 2);
	put(d, 0, 2);
	end_set(d);
	begin_set(d, 400);
	put(d, scope_id, 4);
	put(d, id, 4);
	put(d, rate, 4);
	end_set(d);
}

/* The closest word on sampling is believed, also after a restart. */
static void test_sampling(void)
{
	static const struct {
		unsigned interface, sampler;
		uint64_t interval;
	} rows[] = { { 1, 9, 100 }, { 5, 9, 50 }, { 5, 3, 1000 }, { 1, 3, 1000 } };
	struct seen seen;
	struct seen after;
	struct decoder *decoder = make_decoder(&seen, 0);
	struct decoder *successor = make_decoder(&after, 0);
	GByteArray *state = g_byte_array_new();
	struct datagram d;

	begin(&d, 1, 60000, NOW_S);
	put_template(&d);
	put_rate(&d, TEMPLATE_SCOPE_SYSTEM, 0, 35, 2, 34, 100);
	CU_ASSERT_EQUAL(take(decoder, &d), ST_OK);
	UNIT_ASSERT_STR(seen.note, "Sampling Algorithm 2; Sampling Interval 100");
	begin(&d, 2, 60000, NOW_S);
	put_rate(&d, TEMPLATE_SCOPE_INTERFACE, 5, 49, 1, 34, 50);
	put_rate(&d, TEMPLATE_SCOPE_SYSTEM, 0, 48, 3, 50, 1000);
	CU_ASSERT_EQUAL(take(decoder, &d), ST_OK);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_OPTIONS), 3);
	decoder_save(decoder, state);
	CU_ASSERT_EQUAL(decoder_load(successor, state->data, state->len, NULL), ST_OK);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		unit_at("interface %u, sampler %u", rows[i].interface, rows[i].sampler);
		begin(&d, 3 + (uint32_t)i, 60000, NOW_S);
		put_record(&d, rows[i].interface, rows[i].sampler);
		CU_ASSERT_EQUAL(take(decoder, &d), ST_OK);
		CU_ASSERT_PTR_NOT_NULL_FATAL(find(&seen, 34));
		UNIT_ASSERT_U64(find(&seen, 34)->number, rows[i].interval);
		UNIT_ASSERT_U64(seen.last.packets, 3); /* raw */
		CU_ASSERT_EQUAL(take(successor, &d), ST_OK);
		CU_ASSERT_PTR_NOT_NULL_FATAL(find(&after, 34));
		UNIT_ASSERT_U64(find(&after, 34)->number, rows[i].interval);
	}
	UNIT_ASSERT_U64(count_of(successor, DECODER_OUT_OF_SEQUENCE), 0);
	g_byte_array_free(state, TRUE);
	decoder_free(successor);
	decoder_free(decoder);
}

/* Of a translator (RFC 8158): no volume, what matters is before and behind. */
static void test_nat_event(void)
{
	static const uint16_t fields[][2] = { { 8, 4 }, { 225, 4 }, { 7, 2 },  { 227, 2 },
					      { 4, 1 }, { 230, 1 }, { 323, 8 } };
	static const uint16_t pool[][2] = { { 283, 4 }, { 230, 1 } };
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen, 0);
	struct datagram d;

	begin(&d, 1, 60000, NOW_S);
	put_fields(&d, 310, fields, G_N_ELEMENTS(fields));
	put_fields(&d, 311, pool, G_N_ELEMENTS(pool));
	begin_set(&d, 310);
	put(&d, 0x0a000001, 4);
	put(&d, 0xc0000201, 4);
	put(&d, 1024, 2);
	put(&d, 40000, 2);
	put(&d, 17, 1);
	put(&d, 1, 1);
	put(&d, (NOW_S - 3) * UINT64_C(1000) + 250, 8);
	end_set(&d);
	begin_set(&d, 311);
	put(&d, 9, 4);
	put(&d, 16, 1);
	end_set(&d);
	CU_ASSERT_EQUAL(take(decoder, &d), ST_OK);
	CU_ASSERT_EQUAL_FATAL(seen.records, 1);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_IGNORED), 1); /* nobody's addresses */
	UNIT_ASSERT_U64(ip_to_v4(seen.last.sip), 0x0a000001);
	UNIT_ASSERT_U64(seen.last.sport, 1024);
	UNIT_ASSERT_U64(seen.last.packets, 1);
	UNIT_ASSERT_U64(seen.last.bytes, 1);
	CU_ASSERT_EQUAL(seen.last.start_ns, (NOW_S - 3) * NS_PER_S + 250 * NS_PER_MS);
	CU_ASSERT_PTR_NOT_NULL_FATAL(find(&seen, 225));
	UNIT_ASSERT_U64(ip_to_v4(find(&seen, 225)->ip), 0xc0000201);
	CU_ASSERT_PTR_NOT_NULL_FATAL(find(&seen, 227));
	UNIT_ASSERT_U64(find(&seen, 227)->number, 40000);
	CU_ASSERT_PTR_NOT_NULL_FATAL(find(&seen, 230));
	UNIT_ASSERT_U64(find(&seen, 230)->number, 1);
	decoder_free(decoder);
}

static void put_bytes(struct datagram *d, const char *hex)
{
	for (unsigned byte; sscanf(hex, "%2x", &byte) == 1; hex += 2) {
		put(d, byte, 1);
	}
}

/* Instead of a flow the packet itself (RFC 5477), as a frame or from its IP header on. */
static unsigned count_key(const struct seen *seen, uint16_t id)
{
	unsigned count = 0;

	for (size_t i = 0; i < seen->extras.count; i++) {
		count += seen->extras.values[i].key.pen == 0 && seen->extras.values[i].key.id == id;
	}
	return count;
}

/* What the exporter says itself is believed: ToS and VLAN, or that there were no packets. */
static void test_sampled_packets_apart(void)
{
	static const uint16_t told[][2] = { { 5, 1 }, { 58, 2 }, { 315, 46 } };
	static const uint16_t flow[][2] = { { 8, 4 }, { 2, 4 }, { 1, 4 }, { 315, 46 } };
	static const char frame[] = "020000000001020000000002810003e80800"
				    "45b8003c0001000040110000c0000201c00002020035aaaa00280000";
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen, 0);
	struct datagram d;

	begin(&d, 1, 60000, NOW_S);
	put_fields(&d, 330, told, G_N_ELEMENTS(told));
	put_fields(&d, 331, flow, G_N_ELEMENTS(flow));
	begin_set(&d, 330);
	put(&d, 7, 1);
	put(&d, 9, 2);
	put_bytes(&d, frame);
	end_set(&d);
	CU_ASSERT_EQUAL(take(decoder, &d), ST_OK);
	CU_ASSERT_EQUAL_FATAL(seen.records, 1);
	UNIT_ASSERT_U64(count_key(&seen, 5), 1);
	UNIT_ASSERT_U64(count_key(&seen, 58), 1);
	UNIT_ASSERT_U64(find(&seen, 5)->number, 7);
	begin(&d, 2, 60000, NOW_S);
	begin_set(&d, 331);
	put(&d, 0x0a000001, 4);
	put(&d, 0, 4);
	put(&d, 0, 4);
	put_bytes(&d, frame);
	end_set(&d);
	CU_ASSERT_EQUAL(take(decoder, &d), ST_OK);
	UNIT_ASSERT_U64(seen.records, 1);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_IGNORED), 1);
	decoder_free(decoder);
}

static void test_sampled_packets(void)
{
	static const uint16_t frame[][2] = { { 10, 4 }, { 14, 4 }, { 312, 2 }, { 315, 46 } };
	static const uint16_t packet[][2] = { { 10, 4 }, { 313, 28 } };
	static const char ip[] = "45b8003c0001000040110000c0000201c00002020035aaaa00280000";
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen, 0);
	struct datagram d;

	begin(&d, 1, 60000, NOW_S);
	put_fields(&d, 320, frame, G_N_ELEMENTS(frame));
	put_fields(&d, 321, packet, G_N_ELEMENTS(packet));
	begin_set(&d, 320);
	put(&d, 7, 4);
	put(&d, 8, 4);
	put(&d, 1500, 2);
	put_bytes(&d, "020000000001020000000002810003e80800");
	put_bytes(&d, ip);
	end_set(&d);
	CU_ASSERT_EQUAL(take(decoder, &d), ST_OK);
	CU_ASSERT_EQUAL_FATAL(seen.records, 1);
	UNIT_ASSERT_U64(ip_to_v4(seen.last.sip), 0xc0000201);
	UNIT_ASSERT_U64(ip_to_v4(seen.last.dip), 0xc0000202);
	UNIT_ASSERT_U64(seen.last.sport, 53);
	UNIT_ASSERT_U64(seen.last.dport, 0xaaaa);
	UNIT_ASSERT_U64(seen.last.protocol, 17);
	UNIT_ASSERT_U64(seen.last.packets, 1);
	UNIT_ASSERT_U64(seen.last.bytes, 1500);
	UNIT_ASSERT_U64(seen.last.input, 7);
	CU_ASSERT_EQUAL(seen.last.start_ns, NOW_S * NS_PER_S);
	CU_ASSERT_PTR_NOT_NULL_FATAL(find(&seen, 5));
	UNIT_ASSERT_U64(find(&seen, 5)->number, 0xb8);
	CU_ASSERT_PTR_NOT_NULL_FATAL(find(&seen, 58));
	UNIT_ASSERT_U64(find(&seen, 58)->number, 1000);

	begin(&d, 2, 60000, NOW_S);
	begin_set(&d, 321);
	put(&d, 7, 4);
	put_bytes(&d, ip);
	put(&d, 7, 4);
	put_bytes(&d, "00000000000000000000000000000000000000000000000000000000");
	end_set(&d);
	CU_ASSERT_EQUAL(take(decoder, &d), ST_OK);
	CU_ASSERT_EQUAL_FATAL(seen.records, 2);
	UNIT_ASSERT_U64(seen.last.bytes, 60);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_IGNORED), 1); /* what is no packet */
	decoder_free(decoder);
}

/* Data waits for its template, through a restart too; not for ever, and not without bound. */
static void test_held(void)
{
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen, 0);
	struct decoder *successor = make_decoder(&seen, 0);
	GByteArray *state = g_byte_array_new();
	struct datagram d;

	begin(&d, 1, 60000, NOW_S - 5);
	put_record(&d, 1, 0);
	CU_ASSERT_EQUAL(take(decoder, &d), ST_OK);
	UNIT_ASSERT_U64(seen.records, 0);
	decoder_save(decoder, state);
	CU_ASSERT_EQUAL(decoder_load(successor, state->data, state->len, NULL), ST_OK);
	begin(&d, 2, 65000, NOW_S);
	put_template(&d);
	CU_ASSERT_EQUAL(take(successor, &d), ST_OK);
	UNIT_ASSERT_U64(seen.records, 1);
	UNIT_ASSERT_U64(count_of(successor, DECODER_HELD), 1);
	/* its own message's time */
	CU_ASSERT_EQUAL(seen.last.start_ns, (NOW_S - 15) * NS_PER_S);
	begin(&d, 2, 700000, NOW_S + 700);
	CU_ASSERT_EQUAL(take_at(decoder, &d, NOW_S + 700), ST_OK);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_UNKNOWN_SETS), 1);
	for (uint32_t i = 0; i < TEMPLATESESSION_HELD_SETS + 10; i++) {
		begin(&d, 3 + i, 700000, NOW_S + 700);
		put_record(&d, 1, 0);
		CU_ASSERT_EQUAL(take_at(decoder, &d, NOW_S + 700), ST_OK);
	}
	UNIT_ASSERT_U64(count_of(decoder, DECODER_UNKNOWN_SETS), 11);
	g_byte_array_free(state, TRUE);
	decoder_free(successor);
	decoder_free(decoder);
}

static void test_sequence(void)
{
	static const struct {
		uint32_t sequence, uptime_ms;
		uint64_t missing, out_of_sequence, reboots; /* afterwards */
	} steps[] = {
		{ 10, 60000, 0, 0, 0 }, { 11, 61000, 0, 0, 0 }, { 15, 62000, 3, 1, 0 },
		{ 13, 62000, 2, 2, 0 }, { 16, 63000, 2, 2, 0 }, { 1, 1000, 2, 2, 1 },
		{ 2, 2000, 2, 2, 1 },
	};
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen, 0);
	struct datagram d;

	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
		unit_at("step %zu", i);
		begin(&d, steps[i].sequence, steps[i].uptime_ms,
		      NOW_S + (i < 5 ? steps[i].uptime_ms / 1000 : 100 + (uint32_t)i));
		CU_ASSERT_EQUAL(take(decoder, &d), ST_OK);
		UNIT_ASSERT_U64(count_of(decoder, DECODER_MISSING_PACKETS), steps[i].missing);
		UNIT_ASSERT_U64(count_of(decoder, DECODER_OUT_OF_SEQUENCE),
				steps[i].out_of_sequence);
		UNIT_ASSERT_U64(count_of(decoder, DECODER_REBOOTS), steps[i].reboots);
	}
	decoder_free(decoder);
}

/* An exporter that lives in 1970, with and without a limit. */
static void test_clock(void)
{
	for (int limited = 0; limited < 2; limited++) {
		struct seen seen;
		struct decoder *decoder = make_decoder(&seen, limited ? 3600 * NS_PER_S : 0);
		struct datagram d;

		unit_at("limited %d", limited);
		begin(&d, 1, 60000, 1000);
		put_template(&d);
		put_record(&d, 1, 0);
		CU_ASSERT_EQUAL(take(decoder, &d), ST_OK);
		CU_ASSERT_EQUAL(seen.last.start_ns, ((limited ? NOW_S : 1000) - 10) * NS_PER_S);
		UNIT_ASSERT_U64(count_of(decoder, DECODER_CLOCK_OFF), (uint64_t)limited);
		decoder_free(decoder);
	}
}

/* Several messages in one datagram, each with times and numbers of its own. */
static void test_several_messages(void)
{
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen, 0);
	struct datagram one;
	struct datagram several = { .len = 0 };

	for (unsigned i = 0; i < 3; i++) {
		begin(&one, i, 60000 + i, NOW_S);
		if (i == 0) {
			put_template(&one);
		}
		put_record(&one, i, 0);
		memcpy(several.bytes + several.len, one.bytes, one.len);
		several.len += one.len;
	}
	CU_ASSERT_EQUAL(take(decoder, &several), ST_OK);
	UNIT_ASSERT_U64(seen.records, 3);
	UNIT_ASSERT_U64(seen.last.input, 2);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_OUT_OF_SEQUENCE), 0);
	decoder_free(decoder);
}

/* Several messages in one datagram: what is wrong with one is told, and costs that one. */
static void test_damage_among_several(void)
{
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen, 0);
	struct err err = { .text = "" };
	struct datagram one;
	struct datagram several = { .len = 0 };

	for (unsigned i = 0; i < 4; i++) {
		begin(&one, i, 60000, NOW_S);
		if (i == 0) {
			put_template(&one);
		}
		if (i == 1 || i == 2) {
			begin_set(&one, (uint16_t)(i + 3)); /* no such thing */
			put(&one, 0, 4);
			end_set(&one);
		}
		put_record(&one, i, 0);
		memcpy(several.bytes + several.len, one.bytes, one.len);
		several.len += one.len;
	}
	CU_ASSERT_EQUAL(decoder_take(decoder,
				     &(struct decoder_message){ several.bytes, several.len,
								NOW_S * NS_PER_S },
				     &err),
			ST_EFORMAT);
	UNIT_ASSERT_STR(err.text, "set id 4 is reserved");
	UNIT_ASSERT_U64(seen.records, 2);
	UNIT_ASSERT_U64(seen.last.input, 3);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_MALFORMED), 1);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_OUT_OF_SEQUENCE), 0);
	decoder_free(decoder);
}

/* A datagram filled up with zeros; a set that is cut; and the next one is fine. */
static void test_damage(void)
{
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen, 0);
	struct err err = { .text = "" };
	struct datagram d;

	begin(&d, 1, 60000, NOW_S);
	put_template(&d);
	put_record(&d, 1, 0);
	memset(d.bytes + d.len, 0, 1000);
	d.len += 1000;
	CU_ASSERT_EQUAL(take(decoder, &d), ST_OK);
	UNIT_ASSERT_U64(seen.records, 1);
	begin(&d, 2, 60000, NOW_S);
	put_record(&d, 1, 0);
	begin_set(&d, 300);
	put(&d, 0, 4);
	put_be16(d.bytes + d.set + 2, 100);
	CU_ASSERT_EQUAL(decoder_take(decoder,
				     &(struct decoder_message){ d.bytes, d.len, NOW_S * NS_PER_S },
				     &err),
			ST_EFORMAT);
	UNIT_ASSERT_STR(err.text, "a set goes beyond its message");
	UNIT_ASSERT_U64(seen.records, 2); /* what was whole */
	begin(&d, 3, 60000, NOW_S);
	put_record(&d, 1, 0);
	CU_ASSERT_EQUAL(take(decoder, &d), ST_OK);
	UNIT_ASSERT_U64(seen.records, 3);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_MALFORMED), 1);
	decoder_free(decoder);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "record", test_record },
		{ "sampling", test_sampling },
		{ "events of translators", test_nat_event },
		{ "sampled packets", test_sampled_packets },
		{ "sampled packets beside what is told", test_sampled_packets_apart },
		{ "held", test_held },
		{ "sequence", test_sequence },
		{ "clock", test_clock },
		{ "several messages", test_several_messages },
		{ "damage among several messages", test_damage_among_several },
		{ "damage", test_damage },
		{ NULL, NULL },
	};
	int status;

	model = iemodel_new();
	status = unit_run("netflow9", cases);
	iemodel_free(model);
	return status;
}
