/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/decoder.h"

#include <string.h>

#include "common/status.h"
#include "tests/unit/unit.h"

static const struct decoder_opts opts = { .limits = { 64, 64, 4 } };

struct seen {
	unsigned records;
	unsigned notes;
	uint64_t packets;
};

static int take_flow(void *arg, struct record *rec, const struct extras *extras)
{
	struct seen *seen = arg;

	(void)extras;
	seen->records++;
	seen->packets += rec->packets;
	return ST_OK;
}

static void take_note(void *arg, enum decoder_note note, const char *text)
{
	struct seen *seen = arg;

	(void)note;
	seen->notes++;
	CU_ASSERT_TRUE(strlen(text) > 0);
}

static struct decoder *make_decoder(struct seen *seen)
{
	const struct decoder_sink sink = {
		.flow = take_flow,
		.note = take_note,
		.arg = seen,
		.notes = ~0U,
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

/* IPFIX: template 256 of addresses, packets, bytes, protocol, and one record of it. */
static const uint8_t template_message[] = {
	0, 10, 0, 44, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0,  0, 1, /* header */
	0, 2,  0, 28, 1, 0, 0, 5,   0, 8, 0, 4, 0, 12, 0, 4, 0, 2, 0, 8, 0, 1, 0, 8, 0, 4, 0, 1,
};
static const uint8_t data_message[] = {
	0, 10, 0, 45, 0,   0, 0, 100, 0,   0, 0, 0,   0,  0, 0, 1, /* header */
	1, 0,  0, 29, 192, 0, 2, 1,   192, 0, 2, 2,   0,  0, 0, 0,
	0, 0,  0, 7,  0,   0, 0, 0,   0,   0, 3, 232, 17,
};

static int take(struct decoder *decoder, const uint8_t *bytes, size_t len, struct err *err)
{
	const struct decoder_message message = { bytes, len, INT64_C(100000000000) };

	return decoder_take(decoder, &message, err);
}

static void test_versions(void)
{
	static const struct {
		const char *name;
		uint8_t bytes[4];
		size_t len;
		const char *error;
	} rows[] = {
		{ "nothing", { 0 }, 0, "0 bytes are no message" },
		{ "three bytes", { 0, 10, 0 }, 3, "3 bytes are no message" },
		{ "version 2", { 0, 2, 0, 0 }, 4, "version 2 is no export format known here" },
		{ "version 65535",
		  { 255, 255, 0, 0 },
		  4,
		  "version 65535 is no export format known here" },
	};
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = { 0 };

		unit_at("%s", rows[i].name);
		CU_ASSERT_EQUAL(take(decoder, rows[i].bytes, rows[i].len, &err), ST_EFORMAT);
		UNIT_ASSERT_STR(err.text, rows[i].error);
		UNIT_ASSERT_U64(count_of(decoder, DECODER_MALFORMED), i + 1);
		UNIT_ASSERT_U64(count_of(decoder, DECODER_MESSAGES), i + 1);
	}
	decoder_free(decoder);
}

static void test_ipfix(void)
{
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen);
	struct err err = { 0 };

	CU_ASSERT_EQUAL(take(decoder, template_message, sizeof(template_message), &err), ST_OK);
	CU_ASSERT_EQUAL(take(decoder, data_message, sizeof(data_message), &err), ST_OK);
	UNIT_ASSERT_STR(err.text, "");
	UNIT_ASSERT_U64(seen.records, 1);
	UNIT_ASSERT_U64(seen.packets, 7);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_FORWARD), 1);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_TEMPLATES), 1);
	UNIT_ASSERT_U64(count_of(decoder, DECODER_BYTES),
			sizeof(template_message) + sizeof(data_message));
	/* what was refused leaves the decoder fit for the next message */
	CU_ASSERT_EQUAL(take(decoder, data_message, 20, &err), ST_EFORMAT);
	CU_ASSERT_EQUAL(take(decoder, template_message, sizeof(template_message), &err), ST_OK);
	CU_ASSERT_EQUAL(take(decoder, data_message, sizeof(data_message), &err), ST_OK);
	UNIT_ASSERT_U64(seen.records, 2);
	decoder_free(decoder);
}

/* Every prefix of a saved state, and every damaged octet of its frame, is refused or harmless. */
static void test_load(void)
{
	struct seen seen;
	struct decoder *decoder = make_decoder(&seen);
	GByteArray *state = g_byte_array_new();
	const uint8_t foreign[] = { 200, 0, 0, 0, 0 };
	const uint8_t too_long[] = { 0, 0, 0, 1, 0 };
	struct err err = { 0 };

	CU_ASSERT_EQUAL(decoder_load(decoder, foreign, sizeof(foreign), &err), ST_EFORMAT);
	CU_ASSERT_EQUAL(decoder_load(decoder, too_long, sizeof(too_long), &err), ST_EFORMAT);
	CU_ASSERT_EQUAL(decoder_load(decoder, NULL, 0, &err), ST_OK);
	CU_ASSERT_EQUAL(take(decoder, template_message, sizeof(template_message), &err), ST_OK);
	decoder_save(decoder, state);
	decoder_free(decoder);
	for (guint len = 1; len < state->len; len++) {
		decoder = make_decoder(&seen);
		unit_at("%u of %u bytes", len, state->len);
		CU_ASSERT_EQUAL(decoder_load(decoder, state->data, len, &err), ST_EFORMAT);
		CU_ASSERT_EQUAL(take(decoder, template_message, sizeof(template_message), &err),
				ST_OK);
		CU_ASSERT_EQUAL(take(decoder, data_message, sizeof(data_message), &err), ST_OK);
		UNIT_ASSERT_U64(seen.records, 1);
		decoder_free(decoder);
	}
	g_byte_array_free(state, TRUE);
}

/* The table says a name and a help of every counter. */
static void test_names(void)
{
	for (size_t i = 0; i < DECODER_COUNTERS; i++) {
		unit_at("counter %zu", i);
		CU_ASSERT_PTR_NOT_NULL_FATAL(decoder_counter_names[i].name);
		CU_ASSERT_PTR_NOT_NULL(decoder_counter_names[i].help);
		for (size_t j = 0; j < i; j++) {
			CU_ASSERT_STRING_NOT_EQUAL(decoder_counter_names[i].name,
						   decoder_counter_names[j].name);
		}
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "versions", test_versions }, { "ipfix", test_ipfix }, { "load", test_load },
		{ "names", test_names },       { NULL, NULL },
	};

	return unit_run("decoder", cases);
}
