/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/quickcolumn.h"

#include "storage/chunk.h"
#include "storage/divisor.h"
#include "tests/unit/unit.h"

#include <string.h>

#define ROWS 3000u

/* Values from base on, as far as range above it, in steps. */
struct shape {
	const char *name;
	uint64_t base;
	uint64_t range;
	uint64_t step;
	size_t size; /* of a value */
	unsigned
		bits[3]; /* of the numbers at most, for 1 row, 1,025, all: of frames; 0: constant */
};

static const struct shape shapes[] = {
	{ "bytes", 0, 255, 1, 1, { 0, 8, 8 } },
	{ "one byte", 7, 0, 1, 1, { 0, 0, 0 } },
	{ "small ports", 60000, 255, 1, 2, { 0, 8, 8 } },
	{ "ports", 0, 65535, 1, 2, { 0, 16, 16 } },
	{ "narrow indexes", 4000000000, 200, 1, 4, { 0, 8, 8 } },
	{ "indexes", 1, 60000, 1, 4, { 0, 16, 16 } },
	{ "addresses", 0, UINT32_MAX, 1, 4, { 0, 32, 32 } },
	{ "few packets", 1, 100, 1, 8, { 0, 8, 8 } },
	{ "packets", 1, 65000, 1, 8, { 0, 16, 16 } },
	{ "bytes of flows", 40, UINT32_MAX, 1, 8, { 0, 32, 32 } },
	{ "counters", 0, UINT64_MAX, 1, 8, { 0, 64, 64 } },
	{ "milliseconds",
	  UINT64_C(1700000000000000000),
	  UINT64_C(3600000000000),
	  1000000,
	  8,
	  { 0, 32, 32 } },
	{ "nanoseconds",
	  UINT64_C(1700000000000000000),
	  UINT64_C(3600000000000),
	  1,
	  8,
	  { 0, 64, 64 } },
};
static const uint32_t counts[] = { 1, 1025, ROWS };

static uint64_t *make(const struct shape *shape, uint32_t rows)
{
	GRand *rand = g_rand_new_with_seed(rows);
	uint64_t *values = g_new(uint64_t, rows);
	uint64_t steps = shape->range / shape->step;

	for (uint32_t i = 0; i < rows; i++) {
		uint64_t number = (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);

		number = i == 0                ? 0
			 : i == 1              ? steps
			 : steps == UINT64_MAX ? number
					       : number % (steps + 1);
		values[i] = shape->base + number * shape->step;
	}
	g_rand_free(rand);
	return values;
}

/* The values in an array of their width. */
static void *narrow(const uint64_t *values, uint32_t rows, size_t size)
{
	uint8_t *out = g_malloc((gsize)rows * size);

	for (uint32_t i = 0; i < rows; i++) {
		const uint8_t one = (uint8_t)values[i];
		const uint16_t two = (uint16_t)values[i];
		const uint32_t four = (uint32_t)values[i];
		const void *from[] = { [1] = &one, [2] = &two, [4] = &four, [8] = &values[i] };

		memcpy(out + i * size, from[size], size);
	}
	return out;
}

static uint64_t count_wrong(GByteArray *out, const uint64_t *values, uint32_t rows)
{
	struct chunk *chunk = chunk_new();
	struct err err = { 0, "" };
	uint64_t got[FRAME_ROWS];
	uint64_t wrong = 0;
	guint len = out->len;

	g_byte_array_set_size(out, len + CHUNK_PADDING);
	CU_ASSERT_EQUAL(chunk_open(chunk, COLUMN_UNSIGNED64, out->data, len, rows, false, &err),
			ST_OK);
	for (uint32_t row = 0; row < rows; row += FRAME_ROWS) {
		uint32_t count = MIN(rows - row, FRAME_ROWS);

		CU_ASSERT_EQUAL(chunk_read_u64(chunk, row, count, got, &err), ST_OK);
		for (uint32_t i = 0; i < count; i++) {
			wrong += got[i] != values[row + i];
		}
	}
	UNIT_ASSERT_STR(err.text, "");
	chunk_free(chunk);
	return wrong;
}

static void check(const struct shape *shape, size_t c)
{
	const uint32_t rows = counts[c];
	uint64_t *values = make(shape, rows);
	void *array = narrow(values, rows, shape->size);
	struct quickcolumn column = { .values = array, .size = shape->size, .rows = rows };
	GByteArray *out = g_byte_array_new();

	unit_at("%u %s", rows, shape->name);
	quickcolumn_measure(&column);
	UNIT_ASSERT_U64(column.min, shape->base);
	UNIT_ASSERT_U64(column.max, shape->base + (rows > 1 ? shape->range : 0));
	quickcolumn_put(&column, out);
	CU_ASSERT_EQUAL(out->data[0], shape->bits[c] == 0 ? ENCODING_CONSTANT : ENCODING_FRAMES);
	CU_ASSERT(out->len <= 32 + rows * 5 / FRAME_ROWS + rows * shape->bits[c] / 8);
	UNIT_ASSERT_U64(count_wrong(out, values, rows), 0);
	g_byte_array_free(out, TRUE);
	g_free(array);
	g_free(values);
}

static void test_numbers(void)
{
	for (size_t s = 0; s < G_N_ELEMENTS(shapes); s++) {
		for (size_t c = 0; c < G_N_ELEMENTS(counts); c++) {
			check(&shapes[s], c);
		}
	}
}

static void test_v4(void)
{
	const uint32_t values[2][3] = { { 0xc0000201, 0xc0000201, 0xc0000201 },
					{ 5, 0, UINT32_MAX } };

	for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
		struct quickcolumn column = { .values = values[i], .size = 4, .rows = 3 };
		GByteArray *out = g_byte_array_new();
		struct chunk *chunk = chunk_new();
		struct ip got[3];
		guint len;

		quickcolumn_measure(&column);
		quickcolumn_put_v4(&column, out);
		len = out->len;
		g_byte_array_set_size(out, len + CHUNK_PADDING);
		CU_ASSERT_EQUAL(
			chunk_open(chunk, COLUMN_IPV6_ADDRESS, out->data, len, 3, false, NULL),
			ST_OK);
		CU_ASSERT_EQUAL(chunk_read_ip(chunk, 0, 3, got, NULL), ST_OK);
		for (size_t row = 0; row < 3; row++) {
			CU_ASSERT(ip_equal(got[row], ip_from_v4(values[i][row])));
		}
		chunk_free(chunk);
		g_byte_array_free(out, TRUE);
	}
}

/* What all numbers have in common, wherever the one is that has less of it. */
static void test_common_divisor(void)
{
	enum { NUMBERS = 200 };
	const uint64_t origin = UINT64_C(1) << 60;
	const size_t places[] = { 0, 1, 62, 63, 64, 65, 128, NUMBERS - 1 };
	uint64_t values[NUMBERS];
	uint64_t quotients[NUMBERS];

	for (size_t i = 0; i < NUMBERS; i++) {
		values[i] = origin + 6000000 * (i + 5);
	}
	UNIT_ASSERT_U64(divisor_common(values, NUMBERS, origin), 6000000);
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		const uint64_t before = values[places[i]];
		const uint64_t less[] = { 0, 4000000, 9000000, 1500, 1 };
		const uint64_t want[] = { 6000000, 2000000, 3000000, 1500, 1 };

		for (size_t j = 0; j < G_N_ELEMENTS(less); j++) {
			struct divisor divisor = divisor_of(want[j]);
			size_t wrong = 0;

			unit_at("place %zu, %" G_GUINT64_FORMAT, places[i], less[j]);
			values[places[i]] = origin + less[j];
			UNIT_ASSERT_U64(divisor_common(values, NUMBERS, origin), want[j]);
			divisor_quotients(&divisor, values, NUMBERS, origin, quotients);
			for (size_t k = 0; k < NUMBERS; k++) {
				wrong += quotients[k] != (values[k] - origin) / want[j];
			}
			UNIT_ASSERT_U64(wrong, 0);
		}
		values[places[i]] = before;
	}
}

static void test_divisors(void)
{
	const uint64_t numbers[] = { 1, 2, 3, 7, 1000, 1000000, UINT64_C(1) << 63, UINT64_MAX };

	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
		struct divisor divisor = divisor_of(numbers[i]);
		uint64_t most = UINT64_MAX / numbers[i];

		unit_at("%" G_GUINT64_FORMAT, numbers[i]);
		for (uint64_t times = most > 5 ? most - 5 : 0; times < most; times++) {
			CU_ASSERT(divisor_divides(&divisor, times * numbers[i]));
			UNIT_ASSERT_U64(divisor_quotient(&divisor, times * numbers[i]), times);
			CU_ASSERT(numbers[i] == 1 ||
				  !divisor_divides(&divisor, times * numbers[i] + 1));
		}
	}
}

static const struct unit_case cases[] = {
	{ "numbers", test_numbers },
	{ "IPv4 addresses", test_v4 },
	{ "divisors", test_divisors },
	{ "common divisor", test_common_divisor },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("quickcolumn", cases);
}
