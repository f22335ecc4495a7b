/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "storage/bitpack.h"
#include "storage/lanes.h"

#include <glib.h>
#include <string.h>

#define COUNT_MAX 1025

static const struct lanes *const all_lanes[] = { &lanes_u8, &lanes_u16, &lanes_u32, &lanes_u64 };
static const size_t counts[] = { 1, 2, 7, 8, 9, 31, 63, 64, 65, 1023, 1024, 1025 };

static uint64_t at(const struct lanes *lanes, const void *array, size_t i)
{
	switch (lanes->bits) {
	case 8:
		return ((const uint8_t *)array)[i];
	case 16:
		return ((const uint16_t *)array)[i];
	case 32:
		return ((const uint32_t *)array)[i];
	default:
		return ((const uint64_t *)array)[i];
	}
}

static void fill(uint64_t *values, size_t count)
{
	GRand *rand = g_rand_new_with_seed(11);

	for (size_t i = 0; i < count; i++) {
		values[i] = (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
	}
	values[0] = UINT64_MAX;
	g_rand_free(rand);
}

/* Bit by bit, as the format describes it. */
static uint64_t bits_at(const uint8_t *bytes, size_t bit, unsigned width)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < width; i++, bit++) {
		value |= (uint64_t)(bytes[bit / 8] >> bit % 8 & 1) << i;
	}
	return value;
}

static void check_unpack(const uint64_t *values, size_t count, unsigned width, const uint8_t *bytes)
{
	uint64_t out[COUNT_MAX + 1];

	for (size_t l = 0; l < G_N_ELEMENTS(all_lanes); l++) {
		const struct lanes *lanes = all_lanes[l];
		size_t wrong = 0;

		if (width > lanes->bits) {
			continue;
		}
		unit_at("%zu numbers of %u bits into %u", count, width, lanes->bits);
		memset(out, 0xee, sizeof(out));
		lanes->unpack(bytes, count, width, out);
		for (size_t i = 0; i < count; i++) {
			wrong += at(lanes, out, i) != (values[i] & bitpack_mask(width));
		}
		UNIT_ASSERT_U64(wrong, 0);
		UNIT_ASSERT_U64(at(lanes, out, count), UINT64_C(0xeeeeeeeeeeeeeeee) & lanes->max);
	}
}

/* Every width, packed as described and unpacked into every output; the bytes behind the packed ones
 * do not matter. */
static void test_widths(void)
{
	uint64_t values[COUNT_MAX];
	size_t wrong = 0;

	fill(values, COUNT_MAX);
	for (unsigned width = 0; width <= 64; width++) {
		for (size_t c = 0; c < G_N_ELEMENTS(counts); c++) {
			size_t len = bitpack_bytes(counts[c], width);
			uint8_t *bytes = g_malloc(len + BITPACK_PADDING);

			bitpack(values, counts[c], width, bytes);
			for (size_t i = 0; i < counts[c]; i++) {
				wrong += bits_at(bytes, i * width, width) !=
					 (values[i] & bitpack_mask(width));
			}
			for (size_t bit = counts[c] * width; bit < len * 8; bit++) {
				wrong += bits_at(bytes, bit, 1) != 0;
			}
			UNIT_ASSERT_U64(wrong, 0);
			memset(bytes + len, 0xff, BITPACK_PADDING);
			check_unpack(values, counts[c], width, bytes);
			g_free(bytes);
		}
	}
}

static void test_width_of(void)
{
	UNIT_ASSERT_U64(bitpack_width(0), 0);
	UNIT_ASSERT_U64(bitpack_width(1), 1);
	UNIT_ASSERT_U64(bitpack_width(255), 8);
	UNIT_ASSERT_U64(bitpack_width(256), 9);
	UNIT_ASSERT_U64(bitpack_width(UINT64_MAX), 64);
	UNIT_ASSERT_U64(bitpack_mask(0), 0);
	UNIT_ASSERT_U64(bitpack_mask(1), 1);
	UNIT_ASSERT_U64(bitpack_mask(64), UINT64_MAX);
}

/* What the lanes do to arrays, against plain loops over 64 bits. */
static void test_lanes(void)
{
	static const uint16_t gaps[] = { 1, 0, COUNT_MAX };
	static const uint64_t high[] = { 1, 1, 1 };
	uint64_t values[COUNT_MAX], out[COUNT_MAX + 1];
	uint16_t places[COUNT_MAX];

	fill(values, COUNT_MAX);
	for (size_t c = 0; c < G_N_ELEMENTS(counts) * G_N_ELEMENTS(all_lanes); c++) {
		const struct lanes *lanes = all_lanes[c % G_N_ELEMENTS(all_lanes)];
		size_t count = counts[c / G_N_ELEMENTS(all_lanes)];
		uint64_t greatest = 0;
		size_t wrong = 0;

		unit_at("%zu lanes of %u bits", count, lanes->bits);
		for (size_t i = 0; i < count; i++) {
			values[i] &= lanes->max >> 1;
			places[i] = (uint16_t)(i * 7 % count);
			greatest = MAX(greatest, values[i]);
		}
		lanes->narrow(out, values, count);
		CU_ASSERT_FALSE(lanes->exceeds(out, count, greatest));
		CU_ASSERT_EQUAL(lanes->exceeds(out, count, greatest - 1), greatest > 0);
		lanes->add(out, count, lanes->max);
		lanes->multiply(out, count, 5);
		lanes->add(out, count, 3);
		for (size_t i = 0; i < count; i++) {
			wrong += at(lanes, out, i) != (((values[i] - 1) * 5 + 3) & lanes->max);
		}
		lanes->pick(out, places, count, values);
		lanes->patch(out, count, lanes->bits - 1, gaps, high, 3);
		for (size_t i = 0; i < count; i++) {
			wrong += at(lanes, out, i) !=
				 (values[places[i]] |
				  (i == 1 || i == 2 ? (lanes->max >> 1) + 1 : 0));
		}
		lanes->fill(out, count, lanes->max - 1);
		for (size_t i = 0; i < count; i++) {
			wrong += at(lanes, out, i) != lanes->max - 1;
		}
		UNIT_ASSERT_U64(wrong, 0);
	}
}

static const struct unit_case cases[] = {
	{ "widths", test_widths },
	{ "width of", test_width_of },
	{ "lanes", test_lanes },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("bitpack", cases);
}
