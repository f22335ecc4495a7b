/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "storage/lzo1x.h"

#include <glib.h>
#include <lzo/lzo1x.h>
#include <stdlib.h>
#include <string.h>

#define LEN     100000
#define PACKED  (LEN + LEN / 16 + 67)
#define STREAMS 60
#define DAMAGES 400

/* Mixtures of what calls for each instruction: noise, runs of a byte, near, far and very far repetitions. */
static void fill(GRand *rand, uint8_t *bytes, size_t len)
{
	int noise = g_rand_int_range(rand, 1, 100);

	for (size_t at = 0; at < len;) {
		size_t piece = (size_t)g_rand_int_range(rand, 1, g_rand_boolean(rand) ? 9 : 900);
		size_t reach = (size_t)1 << g_rand_int_range(rand, 0, 17);
		size_t back = (size_t)g_rand_int_range(rand, 1, (int)MIN(at, reach) + 2);
		bool repeats = back <= at && g_rand_int_range(rand, 0, 100) >= noise;

		for (piece = MIN(piece, len - at); piece > 0; piece--, at++) {
			bytes[at] = repeats ? bytes[at - back] : (uint8_t)g_rand_int(rand);
		}
	}
}

/* Of exact size, so that a sanitizer or valgrind sees each byte beyond. */
static void same_as_library(const uint8_t *stream, size_t len, size_t room)
{
	uint8_t *in = g_memdup2(stream, len);
	uint8_t *out = g_malloc(room + 1);
	uint8_t *theirs = g_malloc(room + 1);
	size_t used = room;
	lzo_uint want = room;
	bool good = lzo1x_decompress_safe(in, len, theirs, &want, NULL) == LZO_E_OK;

	out[room] = 0xee;
	UNIT_ASSERT_U64(lzo1x_unpack(in, len, out, &used), good);
	UNIT_ASSERT_U64(out[room], 0xee);
	if (good) {
		UNIT_ASSERT_U64(used, want);
		CU_ASSERT_EQUAL(memcmp(out, theirs, want), 0);
	}
	g_free(in);
	g_free(out);
	g_free(theirs);
}

typedef int (*pack_fn)(const lzo_bytep, lzo_uint, lzo_bytep, lzo_uintp, lzo_voidp);

/* What each of the library's compressors writes comes back; damaged, both say the same. */
static void round_trips(pack_fn pack, size_t work_bytes, const char *name)
{
	GRand *rand = g_rand_new_with_seed(11);
	void *work = g_malloc0(work_bytes);
	uint8_t *plain = g_malloc(LEN);
	uint8_t *packed = g_malloc(PACKED);

	for (unsigned i = 0; i < STREAMS; i++) {
		size_t len = (size_t)g_rand_int_range(rand, 1, i % 4 ? 3000 : LEN);
		lzo_uint used = 0;

		fill(rand, plain, len);
		CU_ASSERT_EQUAL_FATAL(pack(plain, len, packed, &used, work), LZO_E_OK);
		unit_at("%s, stream %u of %zu bytes", name, i, len);
		same_as_library(packed, used, len);
		same_as_library(packed, used, len - 1);
		same_as_library(packed, used, len + 100);
		same_as_library(packed, (size_t)g_rand_int_range(rand, 0, (int)used), len);
		for (unsigned j = 0; len < 3000 && j < DAMAGES; j++) {
			size_t at = (size_t)g_rand_int_range(rand, 0, (int)used);
			uint8_t was = packed[at];

			unit_at("%s, stream %u of %zu bytes, damage %u", name, i, len, j);
			packed[at] = (uint8_t)g_rand_int(rand);
			same_as_library(packed, used, len);
			same_as_library(packed, used, len + 50);
			packed[at] = was;
		}
	}
	g_free(work);
	g_free(plain);
	g_free(packed);
	g_rand_free(rand);
}

static void test_round_trips(void)
{
	round_trips(lzo1x_1_15_compress, LZO1X_1_15_MEM_COMPRESS, "1_15");
	round_trips(lzo1x_1_compress, LZO1X_1_MEM_COMPRESS, "1");
	round_trips(lzo1x_999_compress, LZO1X_999_MEM_COMPRESS, "999");
}

#define END 0x11, 0, 0

/* Each kind of instruction by itself, and each limit. */
static void test_instructions(void)
{
	static const struct {
		const char *what;
		uint8_t in[24];
		size_t len;
		const char *out; /* NULL: damaged */
	} vectors[] = {
		{ "nothing", { END }, 3, "" },
		{ "first byte is a short run", { 19, 'a', 'b', END }, 6, "ab" },
		{ "first byte is a run", { 22, 'a', 'b', 'c', 'd', 'e', END }, 9, "abcde" },
		{ "run", { 1, 'a', 'b', 'c', 'd', END }, 8, "abcd" },
		{ "long run",
		  { 0,   1,   'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i',
		    'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', END },
		  24,
		  "abcdefghijklmnopqrs" },
		{ "2 bytes after a literal", { 18, 'a', 0, 0, END }, 7, "aaa" },
		{ "2 bytes, then a literal", { 19, 'a', 'b', 5, 0, 'c', END }, 9, "ababc" },
		{ "near match, overlapping", { 18, 'a', 0xe0, 0, END }, 7, "aaaaaaaaa" },
		{ "near match, 3 literals",
		  { 19, 'a', 'b', 0x47, 0, 'x', 'y', 'z', END },
		  11,
		  "ababaxyz" },
		{ "word match", { 19, 'a', 'b', 0x25, 4, 0, END }, 9, "ababababa" },
		{ "long word match",
		  { 18, 'a', 0x20, 2, 0, 0, END },
		  9,
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
		{ "beyond the beginning", { 18, 'a', 0xe4, 0, END }, 7, NULL },
		{ "3 bytes from 2049 back", { 22, 'a', 'b', 'c', 'd', 'e', 0, 0, END }, 11, NULL },
		{ "bytes behind the end", { 18, 'a', END, 0 }, 6, NULL },
		{ "no end", { 18, 'a' }, 2, NULL },
		{ "nothing at all", { 0 }, 0, NULL },
		{ "zeros without an end", { 0, 0, 0, 0 }, 4, NULL },
	};
	uint8_t out[64];

	for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
		size_t used = sizeof(out);
		bool good = lzo1x_unpack(vectors[i].in, vectors[i].len, out, &used);

		unit_at("%s", vectors[i].what);
		UNIT_ASSERT_U64(good, vectors[i].out != NULL);
		if (good && vectors[i].out) {
			UNIT_ASSERT_U64(used, strlen(vectors[i].out));
			CU_ASSERT_EQUAL(memcmp(out, vectors[i].out, strlen(vectors[i].out)), 0);
		}
		same_as_library(vectors[i].in, vectors[i].len, sizeof(out));
	}
}

static const struct unit_case cases[] = {
	{ "instructions", test_instructions },
	{ "round trips", test_round_trips },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("lzo1x", cases);
}
