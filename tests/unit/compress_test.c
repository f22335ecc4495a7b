/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "storage/compress.h"
#include "storage/flowblock.h"

#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEN 65536

static void fill(uint8_t *bytes, size_t len, unsigned kind)
{
	GRand *rand = g_rand_new_with_seed(7);

	for (size_t i = 0; i < len; i++) {
		bytes[i] = kind == 0   ? 0
			   : kind == 1 ? (uint8_t)(i / 7 % 11)
				       : (uint8_t)g_rand_int_range(rand, 0, 256);
	}
	g_rand_free(rand);
}

/* Every method, on bytes that shrink and on bytes that do not, of awkward lengths. */
static void test_round_trip(void)
{
	static const size_t lengths[] = { 1, 2, 88, 4095, LEN - 1, LEN };
	uint8_t *in = g_malloc(LEN);
	uint8_t *back = g_malloc(LEN + 1);

	for (uint8_t method = 0; method <= CHUNK_ZSTD; method++) {
		struct compressor *compressor = compressor_new(method);
		uint8_t *out = g_malloc(compress_bound(method, LEN));

		for (unsigned i = 0; i < 3 * G_N_ELEMENTS(lengths); i++) {
			size_t len = lengths[i / 3];
			size_t packed = 0;

			unit_at("method %u, %zu bytes, kind %u", method, len, i % 3);
			fill(in, len, i % 3);
			CU_ASSERT_EQUAL(compress_block(compressor, in, len, out, &packed, NULL),
					ST_OK);
			CU_ASSERT(packed <= compress_bound(method, len));
			back[len] = 0xee;
			CU_ASSERT_EQUAL(decompress_block(method, out, packed, back, len, NULL),
					ST_OK);
			CU_ASSERT_EQUAL(memcmp(in, back, len), 0);
			UNIT_ASSERT_U64(back[len], 0xee);
		}
		compressor_free(compressor);
		g_free(out);
	}
	g_free(in);
	g_free(back);
}

/* Wrong lengths and cut blocks are errors, and nothing is written behind the room given. */
static void test_damage(void)
{
	uint8_t in[300], out[1024], back[400];

	fill(in, sizeof(in), 1);
	for (uint8_t method = 0; method <= CHUNK_ZSTD; method++) {
		struct compressor *compressor = compressor_new(method);
		size_t packed = 0;

		unit_at("method %u", method);
		CU_ASSERT_EQUAL(compress_block(compressor, in, sizeof(in), out, &packed, NULL),
				ST_OK);
		for (size_t room = 0; room < 350; room++) {
			struct err err = { 0, "" };
			int want = room == sizeof(in) ? ST_OK : ST_EFORMAT;

			memset(back, 0xee, sizeof(back));
			CU_ASSERT_EQUAL(decompress_block(method, out, packed, back, room, &err),
					want);
			UNIT_ASSERT_U64(back[room], 0xee);
		}
		for (size_t cut = 0; cut < packed; cut++) {
			CU_ASSERT_NOT_EQUAL(
				decompress_block(method, out, cut, back, sizeof(in), NULL), ST_OK);
		}
		compressor_free(compressor);
	}
}

static void test_gzip(void)
{
	char *path = g_strdup_printf("%s/x.gz", unit_scratch());
	uint8_t *in = g_malloc(LEN);
	uint8_t *back = g_malloc(LEN);
	struct gzip *gzip = NULL;
	struct stat st;
	struct err err;
	size_t got = 0;

	fill(in, LEN, 1);
	CU_ASSERT_EQUAL_FATAL(gzip_open(&gzip, open(path, O_WRONLY | O_CREAT, 0600), true, &err),
			      ST_OK);
	CU_ASSERT_EQUAL(gzip_write(gzip, in, LEN / 2, &err), ST_OK);
	CU_ASSERT_EQUAL(gzip_flush(gzip, &err), ST_OK);
	CU_ASSERT_EQUAL(gzip_write(gzip, in + LEN / 2, LEN / 2, &err), ST_OK);
	CU_ASSERT_EQUAL(gzip_close(gzip, &err), ST_OK);
	CU_ASSERT_EQUAL_FATAL(gzip_open(&gzip, open(path, O_RDONLY), false, &err), ST_OK);
	CU_ASSERT_EQUAL(gzip_read(gzip, back, LEN, &got, &err), ST_OK);
	UNIT_ASSERT_U64(got, LEN);
	CU_ASSERT_EQUAL(memcmp(in, back, LEN), 0);
	CU_ASSERT_EQUAL(gzip_read(gzip, back, 1, &got, &err), ST_OK);
	UNIT_ASSERT_U64(got, 0);
	CU_ASSERT_EQUAL(gzip_close(gzip, &err), ST_OK);
	/* Cut, it gives what it has and says so. */
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(truncate(path, st.st_size - 20), 0);
	CU_ASSERT_EQUAL_FATAL(gzip_open(&gzip, open(path, O_RDONLY), false, &err), ST_OK);
	CU_ASSERT_EQUAL(gzip_read(gzip, back, LEN, &got, &err), ST_ETRUNC);
	CU_ASSERT(got >= LEN / 2 && memcmp(in, back, got) == 0);
	gzip_close(gzip, NULL);
	g_free(in);
	g_free(back);
	g_free(path);
}

static const struct unit_case cases[] = {
	{ "round trip", test_round_trip },
	{ "damage", test_damage },
	{ "gzip", test_gzip },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("compress", cases);
}
