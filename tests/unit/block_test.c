/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "storage/block.h"
#include "storage/byteorder.h"
#include "storage/header.h"

#include <glib.h>
#include <string.h>

#define LEN 200000

static uint8_t byte_at(size_t offset)
{
	return (uint8_t)(offset / 3 * 7);
}

/* LEN bytes in blocks of any compression. Returned: bytesink_close(). */
static struct bytesink *write_blocks(uint8_t compression)
{
	struct bytesink *sink = bytesink_memory("blocks");
	struct block_writer *writer = block_writer_new(sink, compression, 1);
	uint8_t *bytes = g_malloc(LEN);

	for (size_t i = 0; i < LEN; i++) {
		bytes[i] = byte_at(i);
	}
	CU_ASSERT_EQUAL(block_writer_write(writer, bytes, LEN / 3, NULL), ST_OK);
	CU_ASSERT_EQUAL(block_writer_write(writer, bytes + LEN / 3, LEN - LEN / 3, NULL), ST_OK);
	CU_ASSERT_EQUAL(block_writer_flush(writer, NULL), ST_OK);
	CU_ASSERT_EQUAL(block_writer_flush(writer, NULL), ST_OK);
	block_writer_free(writer);
	g_free(bytes);
	return sink;
}

static void test_round_trip(void)
{
	for (uint8_t compression = 0; compression <= COMPRESSION_SNAPPY; compression++) {
		struct bytesink *sink = write_blocks(compression);
		struct block_reader *reader = NULL;
		struct bytesource *src;
		const uint8_t *bytes;
		size_t len, at = 0, want = 1;

		unit_at("compression %u", compression);
		bytes = bytesink_bytes(sink, &len);
		src = bytesource_memory(bytes, len, "blocks");
		CU_ASSERT_EQUAL_FATAL(block_reader_new(&reader, src, compression, NULL), ST_OK);
		while (at < LEN) {
			size_t take;

			CU_ASSERT_EQUAL_FATAL(block_reader_view(reader, want, &bytes, &len, NULL),
					      ST_OK);
			CU_ASSERT_FATAL(len >= want || at + len == LEN);
			take = MIN(len, want);
			CU_ASSERT(bytes[0] == byte_at(at) &&
				  bytes[take - 1] == byte_at(at + take - 1));
			block_reader_consume(reader, take);
			at += take;
			want = (want * 7 + 1) % BLOCK_BYTES + 1;
		}
		CU_ASSERT_EQUAL(block_reader_view(reader, 1, &bytes, &len, NULL), ST_OK);
		UNIT_ASSERT_U64(len, 0);
		CU_ASSERT_EQUAL(block_reader_read(reader, &want, 1, NULL), ST_ETRUNC);
		block_reader_free(reader);
		bytesource_close(src);
		bytesink_close(sink, NULL);
	}
}

static void test_measure(void)
{
	for (uint8_t compression = 0; compression <= COMPRESSION_SNAPPY; compression++) {
		struct bytesink *sink = write_blocks(compression);
		uint64_t block_bytes = compression == COMPRESSION_NONE ? LEN - 1 : 3 * BLOCK_BYTES;
		size_t len;
		const uint8_t *bytes = bytesink_bytes(sink, &len);

		for (unsigned cut = 0; cut < 2; cut++) {
			struct bytesource *src = bytesource_memory(bytes, len - cut, "blocks");
			struct block_reader *reader = NULL;
			uint64_t plain = 0;
			int rc;

			unit_at("compression %u, cut %u", compression, cut);
			CU_ASSERT_EQUAL_FATAL(block_reader_new(&reader, src, compression, NULL),
					      ST_OK);
			rc = block_reader_measure(reader, &plain, NULL);
			/* Plain bytes do not tell that one is missing. */
			CU_ASSERT_EQUAL(rc, cut && compression ? ST_ETRUNC : ST_OK);
			UNIT_ASSERT_U64(plain, cut ? block_bytes : LEN);
			block_reader_free(reader);
			bytesource_close(src);
		}
		bytesink_close(sink, NULL);
	}
}

/* The bounds of 2.2: one more is too much. */
static void test_bounds(void)
{
	static const struct {
		uint32_t compressed;
		uint32_t plain;
		int status;
	} frames[] = {
		{ BLOCK_COMPRESSED_MAX, BLOCK_PLAIN_MAX, ST_ETRUNC },
		{ BLOCK_COMPRESSED_MAX + 1, 1, ST_EFORMAT },
		{ 1, BLOCK_PLAIN_MAX + 1, ST_EFORMAT },
		{ UINT32_MAX, UINT32_MAX, ST_EFORMAT },
		{ 0, UINT32_MAX, ST_OK },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(frames); i++) {
		struct block_reader *reader = NULL;
		struct bytesource *src;
		const uint8_t *view;
		uint8_t bytes[8];
		size_t len;

		unit_at("frame %u", i);
		store32_be(bytes, frames[i].compressed);
		store32_be(bytes + 4, frames[i].plain);
		src = bytesource_memory(bytes, sizeof(bytes), "frame");
		CU_ASSERT_EQUAL_FATAL(block_reader_new(&reader, src, COMPRESSION_ZLIB, NULL),
				      ST_OK);
		for (unsigned again = 0; again < 2; again++) {
			CU_ASSERT_EQUAL(block_reader_view(reader, 1, &view, &len, NULL),
					frames[i].status);
			UNIT_ASSERT_U64(len, 0);
		}
		block_reader_free(reader);
		bytesource_close(src);
	}
}

/* Units are never split: as many as fit are offered, then a new block begins. */
static void test_units(void)
{
	struct bytesink *sink = bytesink_memory("units");
	struct block_writer *writer = block_writer_new(sink, COMPRESSION_SNAPPY, 30000);
	const uint8_t *bytes;
	uint8_t *to = NULL;
	size_t len = 0;

	CU_ASSERT_EQUAL(block_writer_room(writer, 9, &to, NULL), 2);
	memset(to, 1, 30000);
	block_writer_commit(writer, 1);
	CU_ASSERT_EQUAL(block_writer_room(writer, 9, &to, NULL), 1);
	memset(to, 2, 30000);
	block_writer_commit(writer, 1);
	/* A full block waits until the next unit comes. */
	bytesink_bytes(sink, &len);
	UNIT_ASSERT_U64(len, 0);
	CU_ASSERT_EQUAL(block_writer_room(writer, 1, &to, NULL), 1);
	bytes = bytesink_bytes(sink, &len);
	UNIT_ASSERT_U64(load32_be(bytes) + 8, len);
	UNIT_ASSERT_U64(load32_be(bytes + 4), 60000);
	block_writer_free(writer);
	bytesink_close(sink, NULL);
}

static const struct unit_case cases[] = {
	{ "round trip", test_round_trip },
	{ "measure", test_measure },
	{ "bounds", test_bounds },
	{ "units", test_units },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("block", cases);
}
