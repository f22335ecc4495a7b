/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "storage/encode.h"
#include "storage/ranks.h"

static const size_t counts[] = { 1, 2, 100, 5000, 65536 };

/* Distinct values ascend, and every row finds its own. */
static void test_numbers(void)
{
	static const unsigned bits[] = { 1, 8, 16, 17, 33, 64 };
	struct ranks *ranks = ranks_new();
	uint64_t *values = g_new(uint64_t, ENCODE_ROWS_MAX);
	uint64_t *distinct = g_new(uint64_t, ENCODE_ROWS_MAX);
	uint64_t *codes = g_new(uint64_t, ENCODE_ROWS_MAX);
	GRand *rand = g_rand_new_with_seed(23);

	for (size_t i = 0; i < G_N_ELEMENTS(counts) * G_N_ELEMENTS(bits); i++) {
		size_t count = counts[i % G_N_ELEMENTS(counts)];
		unsigned width = bits[i / G_N_ELEMENTS(counts)];
		size_t found;
		size_t wrong = 0;

		unit_at("%zu of %u bits", count, width);
		for (size_t row = 0; row < count; row++) {
			values[row] = ((uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand)) >>
				      (64 - width);
		}
		found = ranks_make(ranks, values, count, distinct, codes);
		for (size_t row = 0; row < count; row++) {
			wrong += codes[row] >= found || distinct[codes[row]] != values[row];
		}
		for (size_t d = 1; d < found; d++) {
			wrong += distinct[d - 1] >= distinct[d];
		}
		UNIT_ASSERT_U64(wrong, 0);
	}
	g_rand_free(rand);
	g_free(codes);
	g_free(distinct);
	g_free(values);
	ranks_free(ranks);
}

/* IPv4 first, each part ascending in all 128 bits. */
static void test_addresses(void)
{
	struct ranks *ranks = ranks_new();
	struct ip *values = g_new(struct ip, ENCODE_ROWS_MAX);
	struct ip *distinct = g_new(struct ip, ENCODE_ROWS_MAX);
	uint64_t *codes = g_new(uint64_t, ENCODE_ROWS_MAX);
	GRand *rand = g_rand_new_with_seed(29);

	for (size_t i = 0; i < G_N_ELEMENTS(counts) * 3; i++) {
		size_t count = counts[i % G_N_ELEMENTS(counts)];
		unsigned kind = (unsigned)(i / G_N_ELEMENTS(counts));
		size_t v4 = 0;
		size_t found;
		size_t wrong = 0;

		unit_at("%zu of kind %u", count, kind);
		for (size_t row = 0; row < count; row++) {
			bool is_v4 = kind == 0 || (kind == 1 && g_rand_int(rand) % 2);

			values[row] =
				is_v4 ? ip_from_v4(g_rand_int(rand) % 1000)
				      : (struct ip){ g_rand_int(rand) % 50, g_rand_int(rand) % 50 };
		}
		found = ranks_make_ip(ranks, values, count, distinct, codes, &v4);
		for (size_t row = 0; row < count; row++) {
			wrong +=
				codes[row] >= found || !ip_equal(distinct[codes[row]], values[row]);
		}
		for (size_t d = 0; d < found; d++) {
			wrong += ip_is_mapped(distinct[d]) != (d < v4);
			wrong += d > 0 && d != v4 && ip_compare(distinct[d - 1], distinct[d]) >= 0;
		}
		UNIT_ASSERT_U64(wrong, 0);
	}
	g_rand_free(rand);
	g_free(codes);
	g_free(distinct);
	g_free(values);
	ranks_free(ranks);
}

static const struct unit_case cases[] = {
	{ "numbers", test_numbers },
	{ "addresses", test_addresses },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("ranks", cases);
}
