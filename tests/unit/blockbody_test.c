/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/blockbody.h"

#include <string.h>
#include <xxhash.h>

#include "storage/compress.h"
#include "tests/unit/unit.h"

#define LONG 4000u

static void append_noise(GByteArray *stream, unsigned len)
{
	GRand *rand = g_rand_new_with_seed(len);

	for (unsigned i = 0; i < len; i++) {
		uint8_t byte = (uint8_t)g_rand_int(rand);

		g_byte_array_append(stream, &byte, 1);
	}
	g_rand_free(rand);
}

static void append_zeros(GByteArray *stream, unsigned len)
{
	const guint at = stream->len;

	g_byte_array_set_size(stream, at + len);
	for (guint i = at; i < stream->len; i++) {
		stream->data[i] = 0;
	}
}

static const struct {
	const char *name;
	void (*append)(GByteArray *stream, unsigned len);
	unsigned len;
	bool shrinks;
} chunks[] = {
	{ "nothing", append_zeros, 0, false },           { "little", append_zeros, 10, false },
	{ "zeros", append_zeros, LONG, true },           { "noise", append_noise, LONG, false },
	{ "zeros again", append_zeros, LONG + 1, true },
};

/* Are these bytes what was appended? */
static bool is_chunk(const uint8_t *stored, const struct flowblock_column *column, size_t i)
{
	GByteArray *want = g_byte_array_new();
	uint8_t plain[LONG + 1];
	bool same;

	chunks[i].append(want, chunks[i].len);
	if (column->compression == CHUNK_PLAIN) {
		same = column->stored_len == want->len &&
		       (want->len == 0 || memcmp(stored, want->data, want->len) == 0);
	} else {
		same = decompress_block(column->compression, stored, column->stored_len, plain,
					column->plain_len, NULL) == ST_OK &&
		       memcmp(plain, want->data, want->len) == 0;
	}
	g_byte_array_unref(want);
	return same;
}

static void check_chunks(struct blockbody *body, uint8_t compression)
{
	guint at;

	blockbody_clear(body);
	append_noise(body->bytes, 7); /* as a filter comes first */
	at = body->bytes->len;
	for (size_t i = 0; i < G_N_ELEMENTS(chunks); i++) {
		struct flowblock_column column = { .compression = 99 };
		struct err err;

		unit_at("%s, compression %u", chunks[i].name, compression);
		CU_ASSERT_EQUAL(blockbody_begin(body)->len,
				compression == CHUNK_PLAIN ? at : 0); /* one that is given up */
		chunks[i].append(blockbody_begin(body), chunks[i].len);
		CU_ASSERT_EQUAL(blockbody_end(body, &column, &err), ST_OK);
		UNIT_ASSERT_U64(column.plain_len, chunks[i].len);
		UNIT_ASSERT_U64(column.compression, chunks[i].shrinks ? compression : CHUNK_PLAIN);
		UNIT_ASSERT_U64(body->bytes->len - at, column.stored_len);
		UNIT_ASSERT_U64(column.checksum,
				XXH64(body->bytes->data + at, column.stored_len, 0));
		CU_ASSERT(is_chunk(body->bytes->data + at, &column, i));
		at = body->bytes->len;
	}
}

static void test_chunks(void)
{
	static const uint8_t compressions[] = { CHUNK_PLAIN, CHUNK_LZO1X };

	for (size_t c = 0; c < G_N_ELEMENTS(compressions); c++) {
		struct blockbody body;

		blockbody_init(&body, compressions[c]);
		check_chunks(&body, compressions[c]);
		check_chunks(&body, compressions[c]); /* the room is used again */
		blockbody_trim(&body);
		check_chunks(&body, compressions[c]); /* and made again */
		blockbody_release(&body);
	}
}

static void test_unused(void)
{
	struct blockbody body;

	blockbody_init(&body, CHUNK_LZO1X);
	blockbody_trim(&body);
	blockbody_release(&body);
	blockbody_release(&body);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "chunks", test_chunks },
		{ "unused", test_unused },
		{ NULL, NULL },
	};

	return unit_run("blockbody", cases);
}
