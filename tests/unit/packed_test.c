/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "storage/bitpack.h"
#include "storage/chunk.h"
#include "storage/packed.h"

#include <string.h>

static const size_t counts[] = { 1, 2, 10, 100, 1000, 1024 };

static uint64_t random64(GRand *rand)
{
	return (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
}

/* What a list of a width comes to, which is read back as what it was. */
static size_t written(const uint64_t *numbers, size_t count, unsigned width)
{
	GByteArray *out = g_byte_array_new();
	struct packed packed;
	uint64_t got[FRAME_ROWS];
	size_t len;
	int rc;

	packed_put(out, numbers, count, width);
	len = out->len;
	g_byte_array_set_size(out, (guint)(len + CHUNK_PADDING));
	rc = packed_open(&packed, out->data, out->data + len, (uint32_t)count, NULL);
	if (rc == ST_OK) {
		rc = packed_read(&packed, (uint32_t)count, &lanes_u64, got, NULL);
	}
	CU_ASSERT_EQUAL(rc, ST_OK);
	CU_ASSERT_EQUAL(memcmp(got, numbers, count * sizeof(got[0])), 0);
	g_byte_array_free(out, TRUE);
	return len;
}

/* One number in `rare` is wider, by any number of bits. */
static void fill(GRand *rand, uint64_t *numbers, size_t count, unsigned width, unsigned rare)
{
	for (size_t i = 0; i < count; i++) {
		unsigned more = g_rand_int(rand) % rare == 0 ? g_rand_int(rand) % 64 : 0;

		numbers[i] = random64(rand) & bitpack_mask(MIN(width + more, 64));
	}
}

/* Every width can be written, and the one that is planned is about the best of them. */
static void test_widths(void)
{
	static const unsigned rarities[] = { 4, 10, 50, 1000 };
	GRand *rand = g_rand_new_with_seed(17);
	uint64_t numbers[FRAME_ROWS];

	for (unsigned i = 0; i < 5 * G_N_ELEMENTS(counts) * G_N_ELEMENTS(rarities); i++) {
		size_t count = counts[i % G_N_ELEMENTS(counts)];
		unsigned rare = rarities[i / G_N_ELEMENTS(counts) % G_N_ELEMENTS(rarities)];
		size_t best = SIZE_MAX;
		unsigned width = 0;
		size_t planned;
		size_t actual;

		fill(rand, numbers, count, i * 7 % 60, rare);
		planned = packed_plan(numbers, count, 0, &width);
		actual = written(numbers, count, width);
		for (unsigned w = 0; w <= 64; w++) {
			size_t len = written(numbers, count, w);

			best = MIN(best, len);
		}
		unit_at("%zu of %u bits, one in %u wider: %zu planned, %zu written, %zu at best",
			count, i * 7 % 60, rare, planned, actual, best);
		CU_ASSERT(actual <= best + best / 16 + 8);
		CU_ASSERT(planned <= actual + actual / 16 + 8 &&
			  actual <= planned + planned / 16 + 8);
	}
	g_rand_free(rand);
}

static void test_base(void)
{
	const uint64_t numbers[] = { 1000, 1003, 1001, 1000 };
	unsigned width = 0;

	UNIT_ASSERT_U64(packed_plan(numbers, 4, 1000, &width), 3);
	UNIT_ASSERT_U64(width, 2);
	UNIT_ASSERT_U64(packed_plan(numbers, 1, 1000, &width), 2);
	UNIT_ASSERT_U64(width, 0);
}

static void test_varint_bytes(void)
{
	UNIT_ASSERT_U64(varint_bytes(0), 1);
	UNIT_ASSERT_U64(varint_bytes(127), 1);
	UNIT_ASSERT_U64(varint_bytes(128), 2);
	UNIT_ASSERT_U64(varint_bytes(UINT64_MAX), 10);
}

static const struct unit_case cases[] = {
	{ "widths", test_widths },
	{ "base", test_base },
	{ "varint bytes", test_varint_bytes },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("packed", cases);
}
