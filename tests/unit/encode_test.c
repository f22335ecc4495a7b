/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is encoded is decoded to the same values, in every encoding, of all kinds of values. */
#include "tests/unit/unit.h"

#include "storage/chunk.h"
#include "storage/encode.h"

#include <string.h>

static const uint32_t counts[] = { 1, 2, 3, 1023, 1024, 1025, 5000, 65535, 65536 };

/* The value of row i; count rows in all. */
struct shape {
	const char *name;
	uint64_t (*value)(GRand *rand, uint32_t i);
	int encoding; /* that encode_numbers() chooses for 5,000; -1: does not matter */
};

static uint64_t random64(GRand *rand)
{
	return (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
}

static uint64_t all_zero(GRand *rand, uint32_t i)
{
	return 0;
}

static uint64_t all_ones(GRand *rand, uint32_t i)
{
	return UINT64_MAX;
}

static uint64_t two_far(GRand *rand, uint32_t i)
{
	return i % 3 == 0 ? UINT64_MAX : 0;
}

static uint64_t few(GRand *rand, uint32_t i)
{
	static const uint64_t ports[] = { 443, 80, 53, 123, 25, 8080, 61000, 22 };

	return ports[g_rand_int_range(rand, 0, G_N_ELEMENTS(ports))];
}

static uint64_t few_and_far(GRand *rand, uint32_t i)
{
	return few(rand, i) << (g_rand_int(rand) % 48);
}

static uint64_t random_bits(GRand *rand, uint32_t i)
{
	return random64(rand);
}

/* Mostly narrow, some of any width. */
static uint64_t heavy_tail(GRand *rand, uint32_t i)
{
	return random64(rand) >> (g_rand_int(rand) % 16 == 0 ? g_rand_int(rand) % 64 : 58);
}

static uint64_t ascending_ms(GRand *rand, uint32_t i)
{
	return (UINT64_C(1) << 63) + UINT64_C(1700000000000) * 1000000 +
	       (uint64_t)i * 700 * 1000000 + g_rand_int(rand) % 700 * UINT64_C(1000000);
}

static uint64_t descending(GRand *rand, uint32_t i)
{
	return UINT64_MAX - (uint64_t)i * 1000 - g_rand_int(rand) % 100;
}

static uint64_t line(GRand *rand, uint32_t i)
{
	return 17 + (uint64_t)i * 12345;
}

static uint64_t no_common_scale(GRand *rand, uint32_t i)
{
	return g_rand_int(rand) % 1000 * UINT64_C(1000000) + (i == 4321);
}

static uint64_t even_scale(GRand *rand, uint32_t i)
{
	return (g_rand_int(rand) % 50000) * (UINT64_C(3) << 40) + 5;
}

static const struct shape shapes[] = {
	{ "all 0", all_zero, ENCODING_CONSTANT },
	{ "all 2^64-1", all_ones, ENCODING_CONSTANT },
	{ "0 and 2^64-1", two_far, ENCODING_FRAMES },
	{ "eight ports", few, ENCODING_DICTIONARY },
	{ "few, far apart", few_and_far, ENCODING_DICTIONARY },
	{ "random", random_bits, ENCODING_FRAMES },
	{ "heavy tail", heavy_tail, ENCODING_FRAMES },
	{ "ascending, milliseconds", ascending_ms, ENCODING_DELTA },
	{ "descending", descending, ENCODING_DELTA },
	{ "line", line, ENCODING_DELTA },
	{ "no common scale", no_common_scale, -1 },
	{ "even scale", even_scale, ENCODING_FRAMES },
};

static uint64_t *make(const struct shape *shape, uint32_t count, uint32_t seed)
{
	GRand *rand = g_rand_new_with_seed(seed);
	uint64_t *values = g_new(uint64_t, count);

	for (uint32_t i = 0; i < count; i++) {
		values[i] = shape->value(rand, i);
	}
	g_rand_free(rand);
	return values;
}

/* The stream with the padding that reading asks for. */
static void pad(GByteArray *out)
{
	static const uint8_t padding[CHUNK_PADDING] = { 0xff, 0xff, 0xff, 0xff };

	g_byte_array_append(out, padding, sizeof(padding));
}

static void check_numbers(GByteArray *out, const uint64_t *values, uint32_t count)
{
	struct chunk *chunk = chunk_new();
	uint64_t got[FRAME_ROWS];
	struct err err = { 0, "" };
	size_t wrong = 0;
	size_t len = out->len;
	int rc;

	pad(out);
	rc = chunk_open(chunk, COLUMN_UNSIGNED64, out->data, len, count, false, &err);
	CU_ASSERT_EQUAL(rc, ST_OK);
	for (uint32_t row = 0; rc == ST_OK && row < count; row += FRAME_ROWS) {
		uint32_t rows = MIN(count - row, FRAME_ROWS);

		rc = chunk_read_u64(chunk, row, rows, got, &err);
		wrong += memcmp(got, values + row, rows * sizeof(got[0])) != 0;
		/* the beginning of a frame */
		CU_ASSERT_EQUAL(chunk_read_u64(chunk, row, rows / 3, got, &err), ST_OK);
		wrong += memcmp(got, values + row, rows / 3 * sizeof(got[0])) != 0;
	}
	UNIT_ASSERT_STR(err.text, "");
	UNIT_ASSERT_U64(wrong, 0);
	chunk_free(chunk);
}

static void check_shape(struct encoder *encoder, const struct shape *shape, uint32_t count)
{
	static const enum encoding encodings[] = { ENCODING_CONSTANT, ENCODING_FRAMES,
						   ENCODING_DELTA, ENCODING_DICTIONARY };
	uint64_t *values = make(shape, count, count);
	GByteArray *out = g_byte_array_new();
	size_t automatic;

	unit_at("%u of %s", count, shape->name);
	encode_numbers(encoder, values, count, out);
	automatic = out->len;
	if (count == 5000 && shape->encoding >= 0) {
		UNIT_ASSERT_U64(out->data[0], (unsigned)shape->encoding);
	}
	check_numbers(out, values, count);
	unit_at("%u of %s, quickly", count, shape->name);
	g_byte_array_set_size(out, 0);
	encoder_set_quick(encoder, true);
	encode_numbers(encoder, values, count, out);
	encoder_set_quick(encoder, false);
	CU_ASSERT(out->data[0] == ENCODING_CONSTANT || out->data[0] == ENCODING_FRAMES);
	check_numbers(out, values, count);
	for (size_t i = 0; i < G_N_ELEMENTS(encodings); i++) {
		unit_at("%u of %s as %u", count, shape->name, encodings[i]);
		g_byte_array_set_size(out, 0);
		if (!encode_numbers_as(encoder, encodings[i], values, count, out)) {
			CU_ASSERT_EQUAL(encodings[i], ENCODING_CONSTANT);
			UNIT_ASSERT_U64(out->len, 0);
			continue;
		}
		UNIT_ASSERT_U64(out->data[0], encodings[i]);
		/* the choice is by estimates that err by a few bytes a frame */
		CU_ASSERT(out->len + 16 + count / 64 >= automatic);
		check_numbers(out, values, count);
	}
	g_byte_array_free(out, TRUE);
	g_free(values);
}

static void test_numbers(void)
{
	struct encoder *encoder = encoder_new();

	for (size_t s = 0; s < G_N_ELEMENTS(shapes); s++) {
		for (size_t c = 0; c < G_N_ELEMENTS(counts); c++) {
			check_shape(encoder, &shapes[s], counts[c]);
		}
	}
	encoder_free(encoder);
}

/* Any mixture of widths, bases and repetitions. */
static void test_random_numbers(void)
{
	struct encoder *encoder = encoder_new();
	GRand *rand = g_rand_new_with_seed(3);
	GByteArray *out = g_byte_array_new();
	uint64_t *values = g_new(uint64_t, 4 * FRAME_ROWS);

	for (unsigned round = 0; round < 500; round++) {
		uint32_t count = (uint32_t)g_rand_int_range(rand, 1, 4 * FRAME_ROWS);
		uint64_t base = random64(rand) >> g_rand_int_range(rand, 0, 64);
		uint64_t scale = random64(rand) >> g_rand_int_range(rand, 0, 64);
		int shift = g_rand_int_range(rand, 0, 64);
		int repeat = g_rand_int_range(rand, 1, 6);

		unit_at("round %u", round);
		for (uint32_t i = 0; i < count; i++) {
			values[i] = i % (unsigned)repeat > 0
					    ? values[i - 1]
					    : base + (random64(rand) >> shift) * scale;
		}
		g_byte_array_set_size(out, 0);
		encode_numbers(encoder, values, count, out);
		check_numbers(out, values, count);
	}
	g_free(values);
	g_byte_array_free(out, TRUE);
	g_rand_free(rand);
	encoder_free(encoder);
}

/* ---- addresses ---- */

static struct ip v4_few(GRand *rand)
{
	return ip_from_v4(0xc0000200u + g_rand_int(rand) % 100);
}

static struct ip v4_many(GRand *rand)
{
	return ip_from_v4(g_rand_int(rand));
}

static struct ip v6_many(GRand *rand)
{
	return (struct ip){ UINT64_C(0x20010db800000000) + g_rand_int(rand) % 1000,
			    random64(rand) };
}

static struct ip mixed(GRand *rand)
{
	/* next to the IPv4 addresses, and where only one half differs */
	static const struct ip edges[] = {
		{ 0, 0 },
		{ 0, 1 },
		{ 0, IP_V4_PREFIX },
		{ 0, IP_V4_PREFIX - 1 },
		{ 0, IP_V4_PREFIX | UINT32_MAX },
		{ 0, (IP_V4_PREFIX | UINT32_MAX) + 1 },
		{ 1, IP_V4_PREFIX },
		{ 1, 0 },
		{ UINT64_MAX, UINT64_MAX },
		{ UINT64_MAX, 0 },
		{ 0, UINT64_MAX },
	};
	unsigned kind = g_rand_int(rand) % 4;

	return kind == 0   ? v6_many(rand)
	       : kind == 1 ? edges[g_rand_int(rand) % G_N_ELEMENTS(edges)]
			   : v4_few(rand);
}

static struct ip one_v6(GRand *rand)
{
	return (struct ip){ 5, 6 };
}

static void check_addresses(GByteArray *out, const struct ip *values, uint32_t count)
{
	struct chunk *chunk = chunk_new();
	struct chunk_dictionary dictionary;
	struct ip got[FRAME_ROWS];
	uint16_t codes[FRAME_ROWS];
	struct err err = { 0, "" };
	size_t wrong = 0;
	size_t len = out->len;
	int rc;

	pad(out);
	rc = chunk_open(chunk, COLUMN_IPV6_ADDRESS, out->data, len, count, false, &err);
	CU_ASSERT_EQUAL_FATAL(rc, ST_OK);
	chunk_dictionary(chunk, &dictionary);
	CU_ASSERT_EQUAL(dictionary.count == 0, out->data[0] == ENCODING_ADDRESS_V4);
	for (uint32_t row = 0; rc == ST_OK && row < count; row += FRAME_ROWS) {
		uint32_t rows = MIN(count - row, FRAME_ROWS);

		rc = chunk_read_ip(chunk, row, rows, got, &err);
		wrong += memcmp(got, values + row, rows * sizeof(got[0])) != 0;
		if (dictionary.count > 0) {
			CU_ASSERT_EQUAL(chunk_read_codes(chunk, row, rows, codes, &err), ST_OK);
		}
		for (uint32_t i = 0; dictionary.count > 0 && i < rows; i++) {
			wrong += !ip_equal(dictionary.addresses[codes[i]], values[row + i]);
		}
	}
	UNIT_ASSERT_STR(err.text, "");
	UNIT_ASSERT_U64(wrong, 0);
	chunk_free(chunk);
}

static void test_addresses(void)
{
	static const struct {
		const char *name;
		struct ip (*value)(GRand *rand);
		unsigned encoding; /* for 5,000 */
	} kinds[] = {
		{ "few", v4_few, ENCODING_ADDRESS_DICTIONARY },
		{ "IPv4", v4_many, ENCODING_ADDRESS_V4 },
		{ "IPv6", v6_many, ENCODING_ADDRESS_DICTIONARY },
		{ "mixed", mixed, ENCODING_ADDRESS_DICTIONARY },
		{ "one", one_v6, ENCODING_ADDRESS_CONSTANT },
	};
	struct encoder *encoder = encoder_new();
	GRand *rand = g_rand_new_with_seed(4);
	GByteArray *out = g_byte_array_new();
	struct ip *values = g_new(struct ip, ENCODE_ROWS_MAX);

	for (size_t i = 0; i < G_N_ELEMENTS(kinds) * G_N_ELEMENTS(counts); i++) {
		uint32_t count = counts[i % G_N_ELEMENTS(counts)];
		size_t kind = i / G_N_ELEMENTS(counts);

		unit_at("%u %s", count, kinds[kind].name);
		for (uint32_t row = 0; row < count; row++) {
			values[row] = kinds[kind].value(rand);
		}
		g_byte_array_set_size(out, 0);
		encode_addresses(encoder, values, count, out);
		if (count == 5000) {
			UNIT_ASSERT_U64(out->data[0], kinds[kind].encoding);
		}
		check_addresses(out, values, count);
		unit_at("%u %s, quickly", count, kinds[kind].name);
		g_byte_array_set_size(out, 0);
		encoder_set_quick(encoder, true);
		encode_addresses(encoder, values, count, out);
		encoder_set_quick(encoder, false);
		check_addresses(out, values, count);
	}
	g_free(values);
	g_byte_array_free(out, TRUE);
	g_rand_free(rand);
	encoder_free(encoder);
}

/* ---- byte strings ---- */

/* The encoding is asked for when there are enough to tell. */
static void check_strings(struct encoder *encoder, const struct encode_bytes *values,
			  uint32_t count, unsigned encoding)
{
	GByteArray *out = g_byte_array_new();
	struct chunk *chunk = chunk_new();
	struct encode_bytes got[FRAME_ROWS];
	struct err err = { 0, "" };
	size_t wrong = 0;
	size_t len;
	int rc;

	encode_strings(encoder, values, count, out);
	if (count >= 1000) {
		UNIT_ASSERT_U64(out->data[0], encoding);
	}
	len = out->len;
	pad(out);
	rc = chunk_open(chunk, COLUMN_STRING, out->data, len, count, false, &err);
	CU_ASSERT_EQUAL(rc, ST_OK);
	for (uint32_t row = 0; rc == ST_OK && row < count; row += FRAME_ROWS) {
		uint32_t rows = MIN(count - row, FRAME_ROWS);

		rc = chunk_read_strings(chunk, row, rows, got, &err);
		for (uint32_t i = 0; rc == ST_OK && i < rows; i++) {
			wrong += got[i].len != values[row + i].len ||
				 memcmp(got[i].bytes, values[row + i].bytes, got[i].len) != 0;
		}
	}
	UNIT_ASSERT_STR(err.text, "");
	UNIT_ASSERT_U64(wrong, 0);
	g_byte_array_free(out, TRUE);
	chunk_free(chunk);
}

static void test_strings(void)
{
	static uint8_t text[COLUMN_BYTES_MAX];
	struct encoder *encoder = encoder_new();
	struct encode_bytes *values = g_new(struct encode_bytes, ENCODE_ROWS_MAX);
	GRand *rand = g_rand_new_with_seed(5);

	for (size_t i = 0; i < sizeof(text); i++) {
		text[i] = (uint8_t)g_rand_int(rand);
	}
	for (size_t c = 0; c < G_N_ELEMENTS(counts); c++) {
		for (uint32_t i = 0; i < counts[c]; i++) {
			values[i] = (struct encode_bytes){ text + g_rand_int(rand) % 60000,
							   g_rand_int(rand) % 40 };
		}
		unit_at("%u different", counts[c]);
		check_strings(encoder, values, counts[c], ENCODING_STRINGS);
		for (uint32_t i = 0; i < counts[c]; i++) {
			/* the same bytes at several places, one a beginning of another */
			values[i] = (struct encode_bytes){ text + 100, g_rand_int(rand) % 4 * 9 };
		}
		unit_at("%u of a few", counts[c]);
		check_strings(encoder, values, counts[c], ENCODING_STRING_DICTIONARY);
	}
	values[0] = (struct encode_bytes){ text, COLUMN_BYTES_MAX };
	values[1] = (struct encode_bytes){ text, 0 };
	values[2] = (struct encode_bytes){ text + 1, COLUMN_BYTES_MAX - 1 };
	unit_at("long ones");
	check_strings(encoder, values, 3, ENCODING_STRINGS);
	g_rand_free(rand);
	g_free(values);
	encoder_free(encoder);
}

static const struct unit_case cases[] = {
	{ "numbers", test_numbers },
	{ "random numbers", test_random_numbers },
	{ "addresses", test_addresses },
	{ "strings", test_strings },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("encode", cases);
}
