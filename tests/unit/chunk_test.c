/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chunks read as their type says, and what damaged bytes do. Round trips are in encode_test. */
#include "tests/unit/unit.h"

#include "storage/chunk.h"
#include "storage/encode.h"

#include <string.h>

#define ROWS 1500 /* two frames */

/* bytes in space of their own, which ends with the padding. */
static uint8_t *padded(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = g_malloc(len + CHUNK_PADDING);

	memcpy(copy, bytes, len);
	memset(copy + len, 0xff, CHUNK_PADDING);
	return copy;
}

static int open_numbers(struct chunk *chunk, uint8_t type, GByteArray *out, uint32_t rows,
			struct err *err)
{
	size_t len = out->len;

	g_byte_array_set_size(out, (guint)(len + CHUNK_PADDING));
	return chunk_open(chunk, type, out->data, len, rows, false, err);
}

/* Values up to limit and one that is limit, read in every width: those that are too narrow refuse
 * the frame that the value is in, whatever the encoding. */
static void check_limit(uint64_t limit, enum encoding encoding, unsigned step)
{
	struct encoder *encoder = encoder_new();
	struct chunk *chunk = chunk_new();
	GByteArray *out = g_byte_array_new();
	uint64_t values[ROWS], u64[FRAME_ROWS];
	uint32_t u32[FRAME_ROWS];
	uint16_t u16[FRAME_ROWS];
	uint8_t u8[FRAME_ROWS];
	size_t wrong = 0;

	for (uint32_t i = 0; i < ROWS; i++) {
		values[i] = i == 700 ? limit : i * (uint64_t)step % MIN(limit, 250);
	}
	unit_at("limit %llu, encoding %u, step %u", (unsigned long long)limit, encoding, step);
	CU_ASSERT_TRUE_FATAL(encode_numbers_as(encoder, encoding, values, ROWS, out));
	CU_ASSERT_EQUAL_FATAL(open_numbers(chunk, COLUMN_UNSIGNED64, out, ROWS, NULL), ST_OK);
	CU_ASSERT_EQUAL(chunk_read_u64(chunk, 0, FRAME_ROWS, u64, NULL), ST_OK);
	CU_ASSERT_EQUAL(chunk_read_u32(chunk, 0, FRAME_ROWS, u32, NULL),
			limit > UINT32_MAX ? ST_EFORMAT : ST_OK);
	CU_ASSERT_EQUAL(chunk_read_u16(chunk, 0, FRAME_ROWS, u16, NULL),
			limit > UINT16_MAX ? ST_EFORMAT : ST_OK);
	CU_ASSERT_EQUAL(chunk_read_u8(chunk, 0, FRAME_ROWS, u8, NULL),
			limit > UINT8_MAX ? ST_EFORMAT : ST_OK);
	for (uint32_t i = 0; i < FRAME_ROWS; i++) {
		wrong += u64[i] != values[i] || (limit <= UINT32_MAX && u32[i] != values[i]) ||
			 (limit <= UINT16_MAX && u16[i] != values[i]) ||
			 (limit <= UINT8_MAX && u8[i] != values[i]);
	}
	UNIT_ASSERT_U64(wrong, 0);
	g_byte_array_free(out, TRUE);
	chunk_free(chunk);
	encoder_free(encoder);
}

static void test_limits(void)
{
	static const uint64_t limits[] = {
		200,        255,
		256,        40000,
		UINT16_MAX, UINT16_MAX + UINT64_C(1),
		UINT32_MAX, UINT32_MAX + UINT64_C(1),
		UINT64_MAX,
	};

	for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
		for (unsigned step = 1; step < 7; step += 5) {
			check_limit(limits[i], ENCODING_FRAMES, step);
			check_limit(limits[i], ENCODING_DELTA, step);
			check_limit(limits[i], ENCODING_DICTIONARY, step);
		}
	}
}

/* Signed times and numbers are held with their highest bit inverted. */
static void test_signed(void)
{
	static const int64_t expected[] = { INT64_MIN, -1, 0, 1, INT64_MAX };
	struct encoder *encoder = encoder_new();
	struct chunk *chunk = chunk_new();
	GByteArray *out = g_byte_array_new();
	uint64_t values[5];
	int64_t got[5];

	for (size_t i = 0; i < 5; i++) {
		values[i] = (uint64_t)expected[i] ^ column_sign(COLUMN_NANOSECONDS);
	}
	encode_numbers(encoder, values, 5, out);
	CU_ASSERT_EQUAL(open_numbers(chunk, COLUMN_NANOSECONDS, out, 5, NULL), ST_OK);
	CU_ASSERT_EQUAL(chunk_read_i64(chunk, 0, 5, got, NULL), ST_OK);
	CU_ASSERT_EQUAL(memcmp(got, expected, sizeof(got)), 0);
	g_byte_array_free(out, TRUE);
	chunk_free(chunk);
	encoder_free(encoder);
}

/* A number column's dictionary ascends, and rows are places in it; a constant has one value. */
static void test_dictionary(void)
{
	struct encoder *encoder = encoder_new();
	struct chunk *chunk = chunk_new();
	struct chunk_dictionary dictionary;
	GByteArray *out = g_byte_array_new();
	uint64_t values[ROWS];
	uint16_t codes[FRAME_ROWS];
	size_t wrong = 0;

	for (uint32_t i = 0; i < ROWS; i++) {
		values[i] = (i * 7919 % 5) * 11000 + i % 2;
	}
	encode_numbers(encoder, values, ROWS, out);
	CU_ASSERT_EQUAL_FATAL(open_numbers(chunk, COLUMN_UNSIGNED16, out, ROWS, NULL), ST_OK);
	chunk_dictionary(chunk, &dictionary);
	UNIT_ASSERT_U64(dictionary.count, 10);
	for (uint32_t i = 1; i < dictionary.count; i++) {
		CU_ASSERT(dictionary.numbers[i] > dictionary.numbers[i - 1]);
	}
	CU_ASSERT_EQUAL(chunk_read_codes(chunk, FRAME_ROWS, ROWS - FRAME_ROWS, codes, NULL), ST_OK);
	for (uint32_t i = FRAME_ROWS; i < ROWS; i++) {
		wrong += dictionary.numbers[codes[i - FRAME_ROWS]] != values[i];
	}
	UNIT_ASSERT_U64(wrong, 0);

	g_byte_array_set_size(out, 0);
	encode_numbers(encoder, (const uint64_t[]){ 9, 9 }, 2, out);
	CU_ASSERT_EQUAL_FATAL(open_numbers(chunk, COLUMN_UNSIGNED16, out, 2, NULL), ST_OK);
	chunk_dictionary(chunk, &dictionary);
	UNIT_ASSERT_U64(dictionary.count, 1);
	UNIT_ASSERT_U64(dictionary.numbers[0], 9);
	CU_ASSERT_EQUAL(chunk_read_codes(chunk, 0, 2, codes, NULL), ST_OK);
	CU_ASSERT(codes[0] == 0 && codes[1] == 0);

	g_byte_array_set_size(out, 0);
	encode_numbers_as(encoder, ENCODING_FRAMES, values, ROWS, out);
	CU_ASSERT_EQUAL_FATAL(open_numbers(chunk, COLUMN_UNSIGNED16, out, ROWS, NULL), ST_OK);
	chunk_dictionary(chunk, &dictionary);
	UNIT_ASSERT_U64(dictionary.count, 0);
	g_byte_array_free(out, TRUE);
	chunk_free(chunk);
	encoder_free(encoder);
}

/* A column of which every third row has no value. */
static void test_presence(void)
{
	struct encoder *encoder = encoder_new();
	struct chunk *chunk = chunk_new();
	GByteArray *has = g_byte_array_new();
	GByteArray *out = g_byte_array_new();
	uint64_t present[ROWS], values[ROWS], got[FRAME_ROWS];
	uint8_t has_value[FRAME_ROWS];
	size_t wrong = 0;
	uint8_t len;
	size_t out_len;

	for (uint32_t i = 0; i < ROWS; i++) {
		present[i] = i % 3 != 0;
		values[i] = i % 3 * 1000;
	}
	encode_numbers(encoder, present, ROWS, has);
	CU_ASSERT_FATAL(has->len >= 0x80 && has->len < 0x4000);
	len = (uint8_t)(has->len | 0x80);
	g_byte_array_append(out, &len, 1);
	len = (uint8_t)(has->len >> 7);
	g_byte_array_append(out, &len, 1);
	g_byte_array_append(out, has->data, has->len);
	encode_numbers(encoder, values, ROWS, out);
	out_len = out->len;
	g_byte_array_set_size(out, (guint)(out_len + CHUNK_PADDING));
	CU_ASSERT_EQUAL_FATAL(
		chunk_open(chunk, COLUMN_UNSIGNED32, out->data, out_len, ROWS, true, NULL), ST_OK);
	CU_ASSERT_EQUAL(chunk_read_presence(chunk, FRAME_ROWS, 400, has_value, NULL), ST_OK);
	CU_ASSERT_EQUAL(chunk_read_u64(chunk, FRAME_ROWS, 400, got, NULL), ST_OK);
	for (uint32_t i = 0; i < 400; i++) {
		wrong +=
			has_value[i] != present[FRAME_ROWS + i] || got[i] != values[FRAME_ROWS + i];
	}
	UNIT_ASSERT_U64(wrong, 0);
	/* presence is 0 or 1 */
	memcpy(out->data, "\x03\x00\x82\x01\x00\x00", 6);
	CU_ASSERT_EQUAL(chunk_open(chunk, COLUMN_UNSIGNED32, out->data, 6, ROWS, true, NULL),
			ST_OK);
	CU_ASSERT_EQUAL(chunk_read_presence(chunk, 0, 1, has_value, NULL), ST_EFORMAT);
	/* without the flag all rows have a value */
	CU_ASSERT_EQUAL(chunk_open(chunk, COLUMN_UNSIGNED32, out->data + 4, 2, ROWS, false, NULL),
			ST_OK);
	CU_ASSERT_EQUAL(chunk_read_presence(chunk, 0, 1, has_value, NULL), ST_OK);
	UNIT_ASSERT_U64(has_value[0], 1);
	g_byte_array_free(has, TRUE);
	g_byte_array_free(out, TRUE);
	chunk_free(chunk);
	encoder_free(encoder);
}

/* ---- damage ---- */

/* Everything that can be read of damaged bytes; true when all of it could. */
static bool read_all(struct chunk *chunk, uint8_t type, const uint8_t *bytes, size_t len,
		     uint32_t rows)
{
	static struct encode_bytes strings[FRAME_ROWS];
	static struct ip ips[FRAME_ROWS];
	static uint64_t numbers[FRAME_ROWS];
	static uint16_t codes[FRAME_ROWS];
	struct chunk_dictionary dictionary;
	uint8_t *copy = padded(bytes, len);
	int rc = chunk_open(chunk, type, copy, len, rows, false, NULL);
	bool good = rc == ST_OK;

	if (good) {
		chunk_dictionary(chunk, &dictionary);
	}
	for (uint32_t row = 0; rc == ST_OK && row < rows; row += FRAME_ROWS) {
		uint32_t count = MIN(rows - row, FRAME_ROWS);

		switch (column_form(type)) {
		case COLUMN_FORM_ADDRESS:
			good &= chunk_read_ip(chunk, row, count, ips, NULL) == ST_OK;
			break;
		case COLUMN_FORM_BYTES:
			good &= chunk_read_strings(chunk, row, count, strings, NULL) == ST_OK;
			break;
		default:
			good &= chunk_read_u16(chunk, row, count, codes, NULL) == ST_OK;
			good &= chunk_read_u8(chunk, row, count, (uint8_t *)codes, NULL) == ST_OK;
			good &= chunk_read_u64(chunk, row, count, numbers, NULL) == ST_OK;
		}
		if (dictionary.count > 0) {
			good &= chunk_read_codes(chunk, row, count, codes, NULL) == ST_OK;
		}
	}
	g_free(copy);
	return good;
}

/* A stream cut anywhere, or with a byte more, is an error; with a byte changed it is an error or
 * gives some values. Nothing is read or written out of bounds (sanitizers look). */
static void check_damage(const char *name, uint8_t type, GByteArray *out, uint32_t rows)
{
	struct chunk *chunk = chunk_new();
	size_t accepted = 0;

	unit_at("%s as %u", name, out->data[0]);
	CU_ASSERT(read_all(chunk, type, out->data, out->len, rows));
	for (size_t len = 0; len < out->len; len++) {
		accepted += read_all(chunk, type, out->data, len, rows);
	}
	UNIT_ASSERT_U64(accepted, 0);
	for (size_t at = 0; at < out->len; at++) {
		uint8_t kept = out->data[at];
		unsigned step = at < 64 ? 1 : 51;

		for (unsigned value = 0; value < 256; value += step) {
			out->data[at] = (uint8_t)(kept ^ value);
			read_all(chunk, type, out->data, out->len, rows);
		}
		out->data[at] = kept;
	}
	g_byte_array_append(out, (const uint8_t *)"", 1);
	CU_ASSERT_FALSE(read_all(chunk, type, out->data, out->len, rows));
	g_byte_array_set_size(out, 0);
	chunk_free(chunk);
}

static void test_damaged_numbers(void)
{
	static const enum encoding encodings[] = { ENCODING_FRAMES, ENCODING_DELTA,
						   ENCODING_DICTIONARY };
	struct encoder *encoder = encoder_new();
	GByteArray *out = g_byte_array_new();
	uint64_t values[FRAME_ROWS + 3];

	for (uint32_t i = 0; i < FRAME_ROWS + 3; i++) {
		values[i] = i % 100 == 50 ? 250 : i * 7 % 6;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(encodings); i++) {
		encode_numbers_as(encoder, encodings[i], values, 30, out);
		check_damage("30 numbers", COLUMN_UNSIGNED8, out, 30);
		encode_numbers_as(encoder, encodings[i], values, FRAME_ROWS + 3, out);
		check_damage("1027 numbers", COLUMN_UNSIGNED8, out, FRAME_ROWS + 3);
	}
	encode_numbers(encoder, (const uint64_t[]){ 200, 200 }, 2, out);
	check_damage("constant", COLUMN_UNSIGNED8, out, 2);
	g_byte_array_free(out, TRUE);
	encoder_free(encoder);
}

static void test_damaged_addresses(void)
{
	struct encoder *encoder = encoder_new();
	GByteArray *out = g_byte_array_new();
	struct ip values[40];

	for (uint32_t i = 0; i < 40; i++) {
		values[i] = ip_from_v4(i * UINT32_C(0x9e3779b1));
	}
	encode_addresses(encoder, values, 40, out);
	UNIT_ASSERT_U64(out->data[0], ENCODING_ADDRESS_V4);
	check_damage("IPv4", COLUMN_IPV4_ADDRESS, out, 40);
	for (uint32_t i = 0; i < 40; i++) {
		values[i] = i % 4 == 0 ? (struct ip){ i % 3, i } : ip_from_v4(i % 5);
	}
	encode_addresses(encoder, values, 40, out);
	UNIT_ASSERT_U64(out->data[0], ENCODING_ADDRESS_DICTIONARY);
	check_damage("mixed", COLUMN_IPV6_ADDRESS, out, 40);
	values[1] = values[0];
	encode_addresses(encoder, values, 2, out);
	UNIT_ASSERT_U64(out->data[0], ENCODING_ADDRESS_CONSTANT);
	check_damage("constant", COLUMN_IPV6_ADDRESS, out, 2);
	g_byte_array_free(out, TRUE);
	encoder_free(encoder);
}

static void test_damaged_strings(void)
{
	static const uint8_t text[] = "the quick brown fox jumps over the lazy dog and runs away";
	struct encoder *encoder = encoder_new();
	GByteArray *out = g_byte_array_new();
	struct encode_bytes values[40];

	for (uint32_t i = 0; i < 40; i++) {
		values[i] = (struct encode_bytes){ text + i, i % 13 };
	}
	encode_strings(encoder, values, 40, out);
	UNIT_ASSERT_U64(out->data[0], ENCODING_STRINGS);
	check_damage("strings", COLUMN_STRING, out, 40);
	for (uint32_t i = 0; i < 40; i++) {
		values[i] = (struct encode_bytes){ text + i % 3, 20 + i % 3 };
	}
	encode_strings(encoder, values, 40, out);
	UNIT_ASSERT_U64(out->data[0], ENCODING_STRING_DICTIONARY);
	check_damage("few strings", COLUMN_OCTET_ARRAY, out, 40);
	g_byte_array_free(out, TRUE);
	encoder_free(encoder);
}

/* Streams made by hand, each with the one thing that is wrong. */
static void test_messages(void)
{
	static const struct {
		const char *bytes;
		size_t len;
		uint8_t type;
		uint32_t rows;
		const char *message;
	} bad[] = {
		{ "", 0, COLUMN_UNSIGNED8, 1, "an empty stream" },
		{ "\x04\x00", 2, COLUMN_UNSIGNED8, 1, "unknown encoding 4 of numbers" },
		{ "\x00", 1, COLUMN_STRING, 1, "unknown encoding 0 of byte strings" },
		{ "\x00\x80\x00", 3, COLUMN_UNSIGNED8, 1, "bad constant" },
		{ "\x00\x00\x00", 3, COLUMN_UNSIGNED8, 1, "bad constant" },
		{ "\x01\x00\x00\x03\x00\x00\x00\x00", 8, COLUMN_UNSIGNED8, 1,
		  "frames without origin and scale" },
		{ "\x01\x00\x01\x04\x00\x00\x00\x00", 8, COLUMN_UNSIGNED8, 1,
		  "frames of 4 bytes in 3" },
		{ "\x01\x00\x01\x03", 4, COLUMN_UNSIGNED8, 1,
		  "the lengths of the frames are cut off" },
		{ "\x01\x00\x01\x03\x00\x00\x41\x00", 8, COLUMN_UNSIGNED8, 1,
		  "numbers of 65 bits" },
		{ "\x01\x00\x01\x03\x00\x00\x01\x00", 8, COLUMN_UNSIGNED8, 1,
		  "a frame is too short for its values" },
		{ "\x01\x00\x01\x04\x00\x00\x00\x00\x00", 9, COLUMN_UNSIGNED8, 1,
		  "a frame is longer than its values" },
		{ "\x01\x00\x01\x05\x00\x00\x00\x02\x00\x00", 10, COLUMN_UNSIGNED8, 1,
		  "bad number of exceptions" },
		{ "\x01\x00\x01\x09\x00\x00\x00\x01\x01\x00\x01\x01\x00\x01", 14, COLUMN_UNSIGNED8,
		  1, "an exception behind the last value" },
		{ "\x01\x00\x01\x09\x00\x00\x00\x01\x00\x00\x09\x00\x00\x01", 14, COLUMN_UNSIGNED8,
		  1, "an exception is too large" },
		{ "\x01\x00\x01\x0a\x00\x00\x00\x01\x11\x00\x00\x00\x00\x00\x00", 15,
		  COLUMN_UNSIGNED8, 1, "exceptions of 17 bits" },
		/* exceptions of exceptions of exceptions */
		{ "\x01\x00\x01\x09\x00\x00\x00\x01\x00\x01\x00\x01\x00\x00", 14, COLUMN_UNSIGNED8,
		  1, "bad number of exceptions" },
		{ "\x00\x80\x02", 3, COLUMN_UNSIGNED8, 1, "a value is too large for its column" },
		{ "\x01\xff\x01\x01\x04\x00\x00\x08\x00\x01", 10, COLUMN_UNSIGNED8, 1,
		  "a value is too large for its column" },
		{ "\x03\x02\x03\x03\x01\x02\x01\x00\x01\x03\x00\x00\x00\x00", 14, COLUMN_UNSIGNED8,
		  1, "a dictionary within a stream" },
		{ "\x03\x02\x02\x00\x02\x01\x00\x01\x03\x00\x00\x00\x00", 13, COLUMN_UNSIGNED8, 1,
		  "a dictionary does not ascend" },
		{ "\x03\x01\x02\x00\x02\x01\x00\x01\x03\x00\x01\x00\x00", 13, COLUMN_UNSIGNED8, 1,
		  "a place behind the dictionary" },
		{ "\x03\x01\x02\x00\x02\x00\x00", 7, COLUMN_UNSIGNED8, 1,
		  "a dictionary without frames" },
		{ "\x03\x00\x00", 3, COLUMN_UNSIGNED8, 1, "bad size of a dictionary" },
		{ "\x12\x00\x00", 3, COLUMN_IPV6_ADDRESS, 1, "bad size of a dictionary" },
		{ "\x12\x01\x00\x09", 4, COLUMN_IPV6_ADDRESS, 1,
		  "a part is longer than its stream" },
		{ "\x12\x01\x00\x06\x00\x80\x80\x80\x80\x10\x01\x00\x01\x03\x00\x00\x00\x00", 18,
		  COLUMN_IPV6_ADDRESS, 1, "an IPv4 address of more than 32 bits" },
		{ "\x20\x04\x00\x80\x80\x04", 6, COLUMN_STRING, 1, "a byte string is too long" },
		{ "\x20\x02\x00\x01", 4, COLUMN_STRING, 1, "byte strings are cut off" },
		{ "\x20\x02\x00\x01zz", 6, COLUMN_STRING, 1, "bytes behind the last byte string" },
	};
	struct chunk *chunk = chunk_new();

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		uint8_t *bytes = padded((const uint8_t *)bad[i].bytes, bad[i].len);
		struct err err = { 0, "" };
		uint8_t u8[1];
		int rc =
			chunk_open(chunk, bad[i].type, bytes, bad[i].len, bad[i].rows, false, &err);

		unit_at("message %zu", i);
		if (rc == ST_OK) {
			rc = chunk_read_u8(chunk, 0, 1, u8, &err);
		}
		CU_ASSERT_EQUAL(rc, ST_EFORMAT);
		UNIT_ASSERT_STR(err.text, bad[i].message);
		g_free(bytes);
	}
	chunk_free(chunk);
}

static const struct unit_case cases[] = {
	{ "limits of widths", test_limits },
	{ "signed", test_signed },
	{ "dictionary", test_dictionary },
	{ "presence", test_presence },
	{ "damaged numbers", test_damaged_numbers },
	{ "damaged addresses", test_damaged_addresses },
	{ "damaged strings", test_damaged_strings },
	{ "messages", test_messages },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("chunk", cases);
}
