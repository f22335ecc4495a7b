/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "storage/bloom.h"

#include <glib.h>

static struct ip address(uint32_t i, uint64_t hi)
{
	return hi == 0 ? ip_from_v4(0x0a000000u + i * 3) : (struct ip){ hi, i };
}

/* What was added is there; of what was not, few are said to be. */
static void test_answers(void)
{
	static const size_t counts[] = { 1, 2, 32, 33, 1000, 20000 };

	for (size_t c = 0; c < G_N_ELEMENTS(counts) * 2; c++) {
		size_t count = counts[c / 2];
		uint64_t hi = c % 2 * UINT64_C(0x20010db800000000);
		size_t size = bloom_size(count);
		uint8_t *filter = g_malloc0(size);
		size_t missed = 0;
		size_t wrong = 0;

		unit_at("%zu addresses", count);
		UNIT_ASSERT_U64(size % BLOOM_UNIT_BYTES, 0);
		for (uint32_t i = 0; i < count; i++) {
			bloom_add(filter, size, bloom_hash(address(i, hi)));
		}
		for (uint32_t i = 0; i < count; i++) {
			missed += !bloom_may_hold(filter, size, bloom_hash(address(i, hi)));
		}
		for (uint32_t i = 0; i < 10000; i++) {
			struct ip other = address(i + 1000000, hi);

			wrong += bloom_may_hold(filter, size, bloom_hash(other));
		}
		UNIT_ASSERT_U64(missed, 0);
		CU_ASSERT(wrong < 600);
		g_free(filter);
	}
}

static void test_sizes(void)
{
	UNIT_ASSERT_U64(bloom_size(0), 0);
	UNIT_ASSERT_U64(bloom_size(1), 32);
	UNIT_ASSERT_U64(bloom_size(32), 32);
	UNIT_ASSERT_U64(bloom_size(33), 64);
	UNIT_ASSERT_U64(bloom_size(2u << 20), 2u << 20);
	UNIT_ASSERT_U64(bloom_size((2u << 20) + 1), BLOOM_BYTES_MAX);
	UNIT_ASSERT_U64(bloom_size(SIZE_MAX), BLOOM_BYTES_MAX);
}

/* The bits of one address, as the format gives them; the hash is XXH64 of its sixteen bytes. */
static void test_bits(void)
{
	static const uint32_t expected[8] = { 20, 15, 5, 15, 29, 7, 3, 19 };
	uint8_t filter[3 * BLOOM_UNIT_BYTES] = { 0 };
	uint64_t hash = bloom_hash(ip_from_v4(0xc0000201u));
	size_t set = 0;

	UNIT_ASSERT_U64(hash, UINT64_C(0xde3cbbe5a2240bf0));
	bloom_add(filter, sizeof(filter), hash);
	for (size_t i = 0; i < 8; i++) {
		size_t bit = expected[i];

		CU_ASSERT(filter[(size_t)2 * BLOOM_UNIT_BYTES + i * 4 + bit / 8] >> bit % 8 & 1);
	}
	for (size_t i = 0; i < sizeof(filter); i++) {
		set += (size_t)__builtin_popcount(filter[i]);
	}
	UNIT_ASSERT_U64(set, 8);
}

static const struct unit_case cases[] = {
	{ "answers", test_answers },
	{ "sizes", test_sizes },
	{ "bits", test_bits },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("bloom", cases);
}
