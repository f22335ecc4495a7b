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

/* Pass over len bytes from at on, and read on. */
static void check_skip(struct block_reader *reader, size_t at, uint64_t len)
{
	uint64_t left = LEN - at;
	uint64_t skipped = 0;
	uint8_t byte = 0;

	CU_ASSERT_EQUAL(block_reader_skip(reader, len, &skipped, NULL), ST_OK);
	UNIT_ASSERT_U64(skipped, MIN(len, left));
	CU_ASSERT_EQUAL(block_reader_read(reader, &byte, 1, NULL), len < left ? ST_OK : ST_ETRUNC);
	if (len < left) {
		UNIT_ASSERT_U64(byte, byte_at(at + len));
	}
}

static void test_skip(void)
{
	static const uint64_t lens[] = {
		0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, 2 * BLOCK_BYTES + 3, LEN - 3, LEN, UINT64_MAX
	};

	for (uint8_t compression = 0; compression <= COMPRESSION_SNAPPY; compression++) {
		struct bytesink *sink = write_blocks(compression);
		size_t len;
		const uint8_t *bytes = bytesink_bytes(sink, &len);

		for (unsigned i = 0; i < 2 * G_N_ELEMENTS(lens); i++) {
			struct bytesource *src = bytesource_memory(bytes, len, "blocks");
			struct block_reader *reader = NULL;
			uint8_t head[2];

			unit_at("compression %u, skip %u", compression, i);
			CU_ASSERT_EQUAL_FATAL(block_reader_new(&reader, src, compression, NULL),
					      ST_OK);
			if (i % 2) {
				block_reader_read(reader, head, sizeof(head), NULL);
			}
			check_skip(reader, i % 2 ? sizeof(head) : 0, lens[i / 2]);
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

/* --- reading ahead --- */

#define AHEAD_LEN 2000000

/* Bytes that do not repeat where blocks do, nor pack into nothing. */
static uint8_t noise_at(size_t offset)
{
	uint64_t mixed = (offset / 2 + 1) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint8_t)((mixed ^ mixed >> 29) * UINT64_C(0xbf58476d1ce4e5b9) >> 56);
}

static void write_file(const char *path, uint8_t compression, size_t cut)
{
	struct bytesink *sink = bytesink_memory("blocks");
	struct block_writer *writer = block_writer_new(sink, compression, 1);
	uint8_t *bytes = g_malloc(AHEAD_LEN);
	const uint8_t *packed;
	size_t len;

	for (size_t i = 0; i < AHEAD_LEN; i++) {
		bytes[i] = noise_at(i);
	}
	CU_ASSERT_EQUAL(block_writer_write(writer, bytes, AHEAD_LEN, NULL), ST_OK);
	CU_ASSERT_EQUAL(block_writer_flush(writer, NULL), ST_OK);
	block_writer_free(writer);
	packed = bytesink_bytes(sink, &len);
	CU_ASSERT(g_file_set_contents(path, (const char *)packed, (gssize)(len - cut), NULL));
	bytesink_close(sink, NULL);
	g_free(bytes);
}

/* Views of many sizes; returns how many bytes were right before the end, or before *failure. */
static size_t read_noise(struct block_reader *reader, size_t stop, struct err *failure)
{
	size_t at = 0, want = 1;

	*failure = (struct err){ 0 };
	while (at < stop) {
		const uint8_t *bytes;
		size_t len, take;
		int rc = block_reader_view(reader, want, &bytes, &len, failure);

		take = MIN(len, want);
		if (take == 0) {
			CU_ASSERT_EQUAL(rc, failure->status);
			break;
		}
		for (size_t i = 0; i < take; i++) {
			CU_ASSERT_FATAL(bytes[i] == noise_at(at + i));
		}
		block_reader_consume(reader, take);
		at += take;
		want = (want * 7 + 1) % BLOCK_BYTES + 1;
	}
	return at;
}

/* What is shown, and what is told of damage, is the same with a thread as without. */
static void test_read_ahead(void)
{
	static const size_t cuts[] = { 0, 1, 300000 };
	char *path = g_build_filename(unit_scratch(), "ahead", NULL);

	for (unsigned i = 0; i < 3 * G_N_ELEMENTS(cuts); i++) {
		uint8_t compression = (uint8_t)(COMPRESSION_ZLIB + i % 3);
		struct err failures[2];
		size_t lengths[2];

		unit_at("compression %u, cut %zu", compression, cuts[i / 3]);
		write_file(path, compression, cuts[i / 3]);
		for (unsigned ahead = 0; ahead < 2; ahead++) {
			struct block_reader *reader = NULL;
			struct bytesource *src = NULL;

			CU_ASSERT_EQUAL_FATAL(bytesource_open(&src, path, NULL), ST_OK);
			CU_ASSERT_EQUAL(block_reader_new(&reader, src, compression, NULL), ST_OK);
			if (ahead) {
				block_reader_read_ahead(reader);
			}
			lengths[ahead] = read_noise(reader, SIZE_MAX, &failures[ahead]);
			block_reader_free(reader);
			bytesource_close(src);
		}
		UNIT_ASSERT_U64(lengths[0], lengths[1]);
		CU_ASSERT((lengths[0] == AHEAD_LEN) == (cuts[i / 3] == 0));
		CU_ASSERT_EQUAL(failures[0].status, cuts[i / 3] ? ST_ETRUNC : ST_OK);
		UNIT_ASSERT_STR(failures[1].text, failures[0].text);
	}
	g_free(path);
}

/* A reader may be freed wherever it stands, with the thread waiting or at work. */
static void test_stop_ahead(void)
{
	char *path = g_build_filename(unit_scratch(), "stopped", NULL);
	struct err failure;

	write_file(path, COMPRESSION_LZO1X, 0);
	for (size_t stop = 0; stop < AHEAD_LEN; stop += 100000) {
		struct block_reader *reader = NULL;
		struct bytesource *src = NULL;

		unit_at("after %zu", stop);
		CU_ASSERT_EQUAL_FATAL(bytesource_open(&src, path, NULL), ST_OK);
		CU_ASSERT_EQUAL(block_reader_new(&reader, src, COMPRESSION_LZO1X, NULL), ST_OK);
		block_reader_read_ahead(reader);
		CU_ASSERT(read_noise(reader, stop, &failure) >= stop);
		block_reader_free(reader);
		bytesource_close(src);
	}
	g_free(path);
}

/* --- digests --- */

#define UNIT 7

/* Of whole units: how many bytes, and their sum. */
static void digest_units(uint64_t offset, const uint8_t *bytes, size_t len,
			 struct block_digest *digest)
{
	digest->begin = (uint32_t)((UNIT - offset % UNIT) % UNIT);
	digest->len = (uint32_t)((len - digest->begin) / UNIT * UNIT);
	digest->numbers[0] = 0;
	for (size_t i = 0; i < digest->len; i++) {
		digest->numbers[0] += bytes[digest->begin + i];
	}
}

/* The next bytes: digested ones, or those before them. Returns how many. */
static size_t sum_next(struct block_reader *reader, uint64_t *sum, size_t *digested)
{
	const struct block_digest *digest;
	const uint8_t *bytes;
	size_t before, len;

	CU_ASSERT_EQUAL(block_reader_view(reader, UNIT, &bytes, &len, NULL), ST_OK);
	digest = block_reader_digested(reader, &before);
	if (digest && before == 0) {
		*sum += digest->numbers[0];
		*digested += digest->len;
		len = digest->len;
	} else {
		len = digest ? before : MIN(len, UNIT);
		for (size_t i = 0; i < len; i++) {
			*sum += bytes[i];
		}
	}
	block_reader_consume(reader, len);
	return len;
}

static void test_digest(void)
{
	char *path = g_build_filename(unit_scratch(), "digested", NULL);
	uint64_t whole = 0;

	for (size_t i = 0; i < AHEAD_LEN; i++) {
		whole += noise_at(i);
	}
	for (unsigned i = 0; i < 4; i++) {
		uint8_t compression = i % 2 ? COMPRESSION_LZO1X : COMPRESSION_NONE;
		struct block_reader *reader = NULL;
		struct bytesource *src = NULL;
		size_t digested = 0;
		uint64_t sum = 0;

		unit_at("compression %u, ahead %u", compression, i / 2);
		write_file(path, compression, 0);
		CU_ASSERT_EQUAL_FATAL(bytesource_open(&src, path, NULL), ST_OK);
		CU_ASSERT_EQUAL(block_reader_new(&reader, src, compression, NULL), ST_OK);
		block_reader_digest(reader, digest_units);
		if (i / 2) {
			block_reader_read_ahead(reader);
		}
		while (sum_next(reader, &sum, &digested) > 0) {
		}
		UNIT_ASSERT_U64(sum, whole);
		CU_ASSERT(compression
				  ? AHEAD_LEN - digested < 2 * UNIT * (AHEAD_LEN / BLOCK_BYTES + 1)
				  : digested == 0);
		block_reader_free(reader);
		bytesource_close(src);
	}
	g_free(path);
}

/* --- a crew of packing threads --- */

/* What a writer makes of a file with many blocks, flushed in between as well. */
static GBytes *packed_noise(uint8_t compression, bool crew, size_t flush_at)
{
	struct bytesink *sink = bytesink_memory("blocks");
	struct block_writer *writer = block_writer_new(sink, compression, 1);
	const uint8_t *bytes;
	size_t len;
	GBytes *made;

	if (crew) {
		block_writer_use_crew(writer);
	}
	for (size_t i = 0; i < AHEAD_LEN; i++) {
		uint8_t byte = noise_at(i);

		CU_ASSERT_EQUAL_FATAL(block_writer_write(writer, &byte, 1, NULL), ST_OK);
		if (i == flush_at) {
			CU_ASSERT_EQUAL(block_writer_flush(writer, NULL), ST_OK);
		}
	}
	CU_ASSERT_EQUAL(block_writer_flush(writer, NULL), ST_OK);
	block_writer_free(writer);
	bytes = bytesink_bytes(sink, &len);
	made = g_bytes_new(bytes, len);
	bytesink_close(sink, NULL);
	return made;
}

/* The bytes are the same as without. */
static void test_crew(void)
{
	static const size_t flushes[] = { 10, 500000, AHEAD_LEN / 2, AHEAD_LEN };

	for (unsigned i = 0; i < 4 * G_N_ELEMENTS(flushes); i++) {
		GBytes *alone = packed_noise((uint8_t)(i % 4), false, flushes[i / 4]);
		GBytes *crew = packed_noise((uint8_t)(i % 4), true, flushes[i / 4]);

		unit_at("compression %u, flush at %zu", i % 4, flushes[i / 4]);
		CU_ASSERT(g_bytes_equal(alone, crew));
		g_bytes_unref(alone);
		g_bytes_unref(crew);
	}
}

static void fill_noise(const void *arg, uint64_t offset, uint8_t *to, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		to[i] = noise_at(offset + i + *(const size_t *)arg);
	}
}

/* The same, put together block by block by whoever packs it. */
static GBytes *filled_noise(uint8_t compression, bool crew, size_t total)
{
	const size_t from = 0;
	struct bytesink *sink = bytesink_memory("blocks");
	struct block_writer *writer = block_writer_new(sink, compression, 1);
	const uint8_t *bytes;
	size_t len;
	GBytes *made;

	if (crew) {
		block_writer_use_crew(writer);
	}
	CU_ASSERT_EQUAL(block_writer_fill(writer, total, fill_noise, &from, NULL), ST_OK);
	CU_ASSERT_EQUAL(block_writer_flush(writer, NULL), ST_OK);
	block_writer_free(writer);
	bytes = bytesink_bytes(sink, &len);
	made = g_bytes_new(bytes, len);
	bytesink_close(sink, NULL);
	return made;
}

static void test_filled(void)
{
	static const size_t totals[] = { 0, 1, BLOCK_BYTES, 4 * BLOCK_BYTES + 1, AHEAD_LEN };

	for (uint8_t compression = 0; compression < 4; compression++) {
		GBytes *written = packed_noise(compression, false, AHEAD_LEN);

		for (size_t i = 0; i < G_N_ELEMENTS(totals); i++) {
			GBytes *alone = filled_noise(compression, false, totals[i]);
			GBytes *crew = filled_noise(compression, true, totals[i]);

			unit_at("compression %u, %zu bytes", compression, totals[i]);
			CU_ASSERT(g_bytes_equal(alone, crew));
			CU_ASSERT(totals[i] < AHEAD_LEN || g_bytes_equal(crew, written));
			g_bytes_unref(alone);
			g_bytes_unref(crew);
		}
		g_bytes_unref(written);
	}
}

/* A full disk is told at the flush at the latest, and what is left is freed. */
static void test_crew_fails(void)
{
	for (size_t len = 1000; len < 3000000; len = len * 3) {
		struct bytesink *sink = NULL;
		struct block_writer *writer;
		struct err err;
		int rc = ST_OK;

		unit_at("%zu bytes", len);
		CU_ASSERT_EQUAL_FATAL(bytesink_create(&sink, "/dev/full", 0, &err), ST_OK);
		writer = block_writer_new(sink, COMPRESSION_ZLIB, 1);
		block_writer_use_crew(writer);
		for (size_t i = 0; rc == ST_OK && i < len; i++) {
			uint8_t byte = noise_at(i);

			rc = block_writer_write(writer, &byte, 1, &err);
		}
		if (rc == ST_OK) {
			rc = block_writer_flush(writer, &err);
		}
		block_writer_free(writer);
		if (rc == ST_OK) {
			rc = bytesink_close(sink, &err);
		} else {
			bytesink_close(sink, NULL);
		}
		CU_ASSERT_EQUAL(rc, ST_EIO);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/dev/full"));
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
	{ "skip", test_skip },
	{ "bounds", test_bounds },
	{ "units", test_units },
	{ "reading ahead", test_read_ahead },
	{ "reading ahead ends early", test_stop_ahead },
	{ "digests", test_digest },
	{ "a crew packs the same bytes", test_crew },
	{ "put together by a crew", test_filled },
	{ "a crew on a full disk", test_crew_fails },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("block", cases);
}
