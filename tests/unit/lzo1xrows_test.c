/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "storage/lzo1x.h"
#include "storage/lzo1xrows.h"

#include <glib.h>
#include <lzo/lzo1x.h>
#include <string.h>

#define ROW  LZO1XROWS_BYTES
#define ROWS 3000

/* Rows each byte of which is, with some chance, that of the row some rows before. */
static void fill(GRand *rand, uint8_t *bytes, size_t len)
{
	int noise = g_rand_int_range(rand, 0, 101);
	int reach = g_rand_boolean(rand) ? 3 : 1000;

	for (size_t at = 0; at < len;) {
		size_t piece = (size_t)g_rand_int_range(rand, 1, g_rand_boolean(rand) ? 6 : 60);
		size_t back = (size_t)g_rand_int_range(rand, 1, reach) * ROW;
		bool repeats = back <= at && g_rand_int_range(rand, 0, 100) >= noise;

		for (piece = MIN(piece, len - at); piece > 0; piece--, at++) {
			bytes[at] = repeats ? bytes[at - back] : (uint8_t)g_rand_int(rand);
		}
	}
}

/* All of exact size, so that a sanitizer or valgrind sees each byte beyond. Returns the packed size. */
static size_t check(struct lzo1xrows *work, const uint8_t *bytes, size_t len)
{
	uint8_t *in = g_memdup2(bytes, len);
	uint8_t *packed = g_malloc(lzo1xrows_bound(len) + 1);
	uint8_t *out = g_malloc(len + 1);
	size_t used = len;
	lzo_uint theirs = len;
	size_t packed_len;

	packed[lzo1xrows_bound(len)] = 0xee;
	packed_len = lzo1xrows_pack(work, in, len, packed);
	CU_ASSERT(packed_len <= lzo1xrows_bound(len));
	UNIT_ASSERT_U64(packed[lzo1xrows_bound(len)], 0xee);
	CU_ASSERT(lzo1x_unpack(packed, packed_len, out, &used));
	UNIT_ASSERT_U64(used, len);
	CU_ASSERT(len == 0 || memcmp(out, bytes, len) == 0);
	memset(out, 0, len);
	UNIT_ASSERT_U64(lzo1x_decompress_safe(packed, packed_len, out, &theirs, NULL), LZO_E_OK);
	UNIT_ASSERT_U64(theirs, len);
	CU_ASSERT(len == 0 || memcmp(out, bytes, len) == 0);
	g_free(in);
	g_free(packed);
	g_free(out);
	return packed_len;
}

/* What is in work from before does not count. */
static void test_any_bytes(void)
{
	struct lzo1xrows *work = g_new(struct lzo1xrows, 1);
	uint8_t *bytes = g_malloc(ROWS * ROW);
	GRand *rand = g_rand_new_with_seed(5);

	memset(work, 0xee, sizeof(*work));
	for (unsigned i = 0; i < 600; i++) {
		size_t most = i % 20 ? 5 * ROW : (size_t)ROWS * ROW;
		size_t len = (size_t)g_rand_int_range(rand, 0, (int)most + 1);

		unit_at("stream %u of %zu bytes", i, len);
		fill(rand, bytes, len);
		check(work, bytes, len);
	}
	for (size_t len = 0; len < 3 * ROW; len++) {
		unit_at("%zu bytes", len);
		memset(bytes, 7, len);
		check(work, bytes, len);
		fill(rand, bytes, len);
		check(work, bytes, len);
	}
	g_rand_free(rand);
	g_free(bytes);
	g_free(work);
}

/* Equal rows, with one byte of each row changed: each place of a byte, each length of runs. */
static void test_each_byte(void)
{
	struct lzo1xrows *work = g_new(struct lzo1xrows, 1);
	uint8_t bytes[4 * ROW];

	for (size_t first = 0; first < ROW; first++) {
		for (size_t second = first; second < ROW; second++) {
			unit_at("bytes %zu and %zu", first, second);
			memset(bytes, 3, sizeof(bytes));
			for (size_t row = 0; row < 4; row++) {
				bytes[row * ROW + first] = (uint8_t)(10 + row);
				bytes[row * ROW + second] = (uint8_t)(20 + row);
			}
			CU_ASSERT(check(work, bytes, sizeof(bytes)) < ROW + 60);
		}
	}
	g_free(work);
}

/* The same source as some rows before: it is found, if an instruction reaches so far. */
static void test_look_up(void)
{
	static const size_t back[] = { 2, 24, 186, 187, 558, 559 };
	struct lzo1xrows *work = g_new(struct lzo1xrows, 1);
	uint8_t *bytes = g_malloc(ROWS * ROW);
	GRand *rand = g_rand_new_with_seed(6);

	for (size_t i = 0; i < G_N_ELEMENTS(back); i++) {
		size_t packed;

		unit_at("%zu rows", back[i]);
		for (size_t at = 0; at < ROWS * ROW; at++) {
			size_t row = at / ROW;
			bool same = row >= back[i] && at % ROW >= 40;

			bytes[at] = same ? bytes[at - back[i] * ROW] : (uint8_t)g_rand_int(rand);
		}
		packed = check(work, bytes, ROWS * ROW);
		/* 40 bytes and 6 for the match; some are forgotten for others of the same hash */
		CU_ASSERT_EQUAL(packed < ROWS * 60 + back[i] * 28, back[i] <= 558);
	}
	g_rand_free(rand);
	g_free(bytes);
	g_free(work);
}

static const struct unit_case cases[] = {
	{ "any bytes", test_any_bytes },
	{ "each byte", test_each_byte },
	{ "a row like one before", test_look_up },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("lzo1xrows", cases);
}
