/* SPDX-License-Identifier: GPL-3.0-or-later */
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

static int take_flow(void *arg, const struct record *rec, const struct extras *extras)
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

/* 300: addresses, protocol, packets, bytes, uptimes, interface, sampler, first MPLS label, ToS */
static void put_template(struct datagram *d)
{
	static const uint16_t fields[][2] = { { 8, 4 },  { 12, 4 }, { 4, 1 },  { 2, 4 },
					      { 1, 4 },  { 22, 4 }, { 21, 4 }, { 10, 4 },
					      { 48, 1 }, { 70, 3 }, { 5, 1 } };

	begin_set(d, 0);
	put(d, 300, 2);
	put(d, G_N_ELEMENTS(fields), 2);
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		put(d, fields[i][0], 2);
		put(d, fields[i][1], 2);
	}
	end_set(d);
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
		{ "held", test_held },
		{ "sequence", test_sequence },
		{ "clock", test_clock },
		{ "damage", test_damage },
		{ NULL, NULL },
	};
	int status;

	model = iemodel_new();
	status = unit_run("netflow9", cases);
	iemodel_free(model);
	return status;
}
