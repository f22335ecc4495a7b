/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Streams: whole files of silk-flow-files.md section 7, framing, files and damage. */
#include "tests/unit/unit.h"

#include "common/timestamp.h"
#include "storage/block.h"
#include "storage/byteorder.h"
#include "storage/compress.h"
#include "storage/rowformat.h"
#include "tests/unit/memstream.h"

#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void test_read_vectors(void)
{
	static const char *const names[] = { "routing-le", "routing-be", "zlib", "lzo1x",
					     "snappy" };

	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		GByteArray *bytes = memstream_vector(names[i]);
		struct memstream_read got;

		unit_at("%s", names[i]);
		if (i >= 2) { /* data sections only: below the header of the first */
			GByteArray *head = memstream_vector("routing-le");

			g_byte_array_prepend(bytes, head->data, 88);
			bytes->data[7] = (guint8)(i - 1);
			g_byte_array_unref(head);
		}
		got = memstream_read(bytes, names[i]);
		CU_ASSERT_EQUAL(got.status, ST_END);
		UNIT_ASSERT_U64(got.rows, 3);
		for (unsigned r = 0; r < 3; r++) {
			struct record want = memstream_record(r);

			memstream_assert_record(&got.first[r], &want);
		}
		g_byte_array_unref(bytes);
	}
}

static void assert_bytes(const GByteArray *got, const GByteArray *want)
{
	UNIT_ASSERT_U64(got->len, want->len);
	CU_ASSERT(got->len == want->len && memcmp(got->data, want->data, got->len) == 0);
}

/* What one block of LZO1X holds; its bytes are the library's or our own (storage/lzo1xrows.h). */
static GByteArray *unpack_block(const GByteArray *section)
{
	size_t packed = load32_be(section->data);
	size_t len = load32_be(section->data + 4);
	GByteArray *plain = g_byte_array_new();
	struct err err;

	UNIT_ASSERT_U64(section->len, 8 + packed);
	g_byte_array_set_size(plain, (guint)len);
	CU_ASSERT_EQUAL(decompress_block(COMPRESSION_LZO1X, section->data + 8, packed, plain->data,
					 len, &err),
			ST_OK);
	return plain;
}

static void assert_same_block(const GByteArray *got, const GByteArray *want)
{
	GByteArray *got_plain = unpack_block(got);
	GByteArray *want_plain = unpack_block(want);

	assert_bytes(got_plain, want_plain);
	g_byte_array_unref(got_plain);
	g_byte_array_unref(want_plain);
}

static void write_encoded(struct stream *stream, const struct record *rec, enum byte_order order)
{
	uint8_t bytes[128];
	const struct rowformat *format =
		rowformat_find(FORMAT_RWIPV6ROUTING, stream_header(stream)->record_version);
	const struct rowview view = rowview_of_record(rec);
	const struct rowwrite out = {
		.bytes = bytes,
		.swap = HOST_BIG_ENDIAN == (order == BYTE_ORDER_LITTLE),
	};

	rowformat_encode(format, &out, &view, &(uint16_t){ 0 }, 1);
	CU_ASSERT_EQUAL(stream_write_encoded(stream, bytes, NULL), ST_OK);
}

static void test_write_vectors(void)
{
	static const struct {
		const char *name;
		uint8_t compression;
		enum byte_order order;
	} cases[] = {
		{ "routing-le", COMPRESSION_NONE, BYTE_ORDER_LITTLE },
		{ "routing-be", COMPRESSION_NONE, BYTE_ORDER_BIG },
		{ "zlib", COMPRESSION_ZLIB, BYTE_ORDER_LITTLE },
		{ "lzo1x", COMPRESSION_LZO1X, BYTE_ORDER_LITTLE },
		{ "snappy", COMPRESSION_SNAPPY, BYTE_ORDER_LITTLE },
	};

	static const char *const ways[] = { "by record", "by batch", "encoded" };

	for (unsigned i = 0; i < 3 * G_N_ELEMENTS(cases); i++) {
		const struct stream_write_opts opts = {
			.compression = cases[i / 3].compression,
			.byte_order = cases[i / 3].order,
			.no_silk_version = true,
		};
		struct memstream_out out = memstream_create(&opts);
		struct batch *batch = batch_new();
		GByteArray *want = memstream_vector(cases[i / 3].name);
		GByteArray *got;

		unit_at("%s %s", cases[i / 3].name, ways[i % 3]);
		batch_clear(batch, COLUMNS_ALL);
		for (unsigned r = 0; r < 3; r++) {
			struct record rec = memstream_record(r);

			if (i % 3 == 1) {
				batch_append(batch, &rec);
			} else if (i % 3 == 2) {
				write_encoded(out.stream, &rec, opts.byte_order);
			} else {
				CU_ASSERT_EQUAL(stream_write(out.stream, &rec, NULL), ST_OK);
			}
		}
		CU_ASSERT_EQUAL(stream_write_batch(out.stream, batch, NULL, NULL), ST_OK);
		got = memstream_finish(&out);
		if (cases[i / 3].compression != COMPRESSION_NONE) {
			g_byte_array_remove_range(got, 0, 88);
		}
		if (cases[i / 3].compression == COMPRESSION_LZO1X) {
			assert_same_block(got, want);
		} else {
			assert_bytes(got, want);
		}
		g_byte_array_unref(got);
		g_byte_array_unref(want);
		batch_free(batch);
	}
}

static void test_split(void)
{
	static const char *const names[] = { "split-le", "split-be" };

	for (unsigned i = 0; i < 2; i++) {
		GByteArray *want = memstream_vector(names[i]);
		struct memstream_read in = memstream_read(want, names[i]);
		struct header entries;
		struct stream_write_opts opts = {
			.format = FORMAT_RWSPLIT,
			.byte_order = i ? BYTE_ORDER_BIG : BYTE_ORDER_LITTLE,
			.no_silk_version = true,
			.entries = &entries,
		};
		struct memstream_out out;
		GByteArray *got;

		unit_at("%s", names[i]);
		CU_ASSERT_EQUAL(in.status, ST_END);
		UNIT_ASSERT_U64(in.rows, 2);
		UNIT_ASSERT_U64(in.first[0].flowtype, 3);
		UNIT_ASSERT_U64(in.first[0].sensor, 1);
		UNIT_ASSERT_U64(in.first[1].packets, 1048576);
		UNIT_ASSERT_U64(in.first[1].bytes, 99991552);
		header_init(&entries);
		header_add_text(&entries, ENTRY_PROBE_NAME, "DUMMY_PROBE");
		header_add_packed_file(&entries, MEMSTREAM_HOUR_NS + 5 * NS_PER_S, 3, 1);
		out = memstream_create(&opts);
		header_release(&entries);
		/* What was lost on the way was lost for good: the same bytes come out again. */
		CU_ASSERT_EQUAL(stream_write(out.stream, &in.first[0], NULL), ST_OK);
		in.first[1].packets = 1048577;
		in.first[1].bytes = 100000001;
		CU_ASSERT_EQUAL(stream_write(out.stream, &in.first[1], NULL), ST_OK);
		got = memstream_finish(&out);
		assert_bytes(got, want);
		g_byte_array_unref(got);
		g_byte_array_unref(want);
	}
}

/* Finer times: both ends are cut, as a sensor that counts milliseconds would have sent them. */
static void test_fractions(void)
{
	static const struct {
		int64_t start_ns;
		uint64_t duration_ns;
		int64_t want_start_ns;
		uint64_t want_duration_ns;
	} cases[] = {
		{ 1900000, 200000, 1000000, 1000000 },  { 1000000, 1999999, 1000000, 1000000 },
		{ 1999999, 1, 1000000, 1000000 },       { 1000001, 999998, 1000000, 0 },
		{ 5000000, 7000000, 5000000, 7000000 },
	};
	const struct stream_write_opts opts = { .no_silk_version = true };

	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct memstream_out out = memstream_create(&opts);
		struct record rec = memstream_record(0);
		struct memstream_read got;
		GByteArray *bytes;

		unit_at("start %lld", (long long)cases[i].start_ns);
		rec.start_ns = MEMSTREAM_HOUR_NS + cases[i].start_ns;
		rec.duration_ns = cases[i].duration_ns;
		CU_ASSERT_EQUAL(stream_write(out.stream, &rec, NULL), ST_OK);
		bytes = memstream_finish(&out);
		got = memstream_read(bytes, "fractions");
		UNIT_ASSERT_U64(got.rows, 1);
		CU_ASSERT_EQUAL(got.first[0].start_ns, MEMSTREAM_HOUR_NS + cases[i].want_start_ns);
		UNIT_ASSERT_U64(got.first[0].duration_ns, cases[i].want_duration_ns);
		g_byte_array_unref(bytes);
	}
}

/* The hour is in the legacy header; flowtype and sensor are unknown without a site. */
static void test_legacy(void)
{
	GByteArray *legacy = memstream_vector("split-legacy");
	GByteArray *today = memstream_vector("split-le");
	struct memstream_read old = memstream_read(legacy, "ow-S1_20240305.06");
	struct memstream_read new = memstream_read(today, "x");

	CU_ASSERT_EQUAL(old.status, ST_END);
	UNIT_ASSERT_U64(old.rows, 2);
	UNIT_ASSERT_U64(old.first[0].sensor, RECORD_NO_SENSOR);
	UNIT_ASSERT_U64(old.first[0].flowtype, RECORD_NO_FLOWTYPE);
	for (unsigned r = 0; r < 2; r++) {
		old.first[r].sensor = 1;
		old.first[r].flowtype = 3;
		memstream_assert_record(&old.first[r], &new.first[r]);
	}
	g_byte_array_unref(legacy);
	g_byte_array_unref(today);
}

/* Full blocks hold whole records only; a flush ends a block early (2.3). */
static void test_block_sizes(void)
{
	static const struct {
		uint8_t format;
		uint16_t version;
		uint32_t per_block;
		uint32_t length;
	} cases[] = {
		{ FORMAT_RWIPV6ROUTING, 1, 744, 88 }, { FORMAT_RWIPV6, 1, 963, 68 },
		{ FORMAT_RWGENERIC, 5, 1260, 52 },    { FORMAT_RWSPLIT, 5, 2730, 24 },
		{ FORMAT_RWWWW, 5, 2978, 22 },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct stream_write_opts opts = {
			.format = cases[i].format,
			.record_version = cases[i].version,
			.compression = COMPRESSION_SNAPPY,
		};
		const uint32_t want[] = { cases[i].per_block, cases[i].per_block, 7, 1 };
		struct memstream_out out = memstream_create(&opts);
		struct record rec = memstream_record(0);
		unsigned block = 0;
		GByteArray *got;
		size_t at = 0;

		unit_at("format 0x%02x", cases[i].format);
		rec.start_ns = 0; /* no packed-file entry: hour 0 */
		for (uint32_t n = 0; n < 2 * cases[i].per_block + 7; n++) {
			CU_ASSERT_EQUAL(stream_write(out.stream, &rec, NULL), ST_OK);
		}
		CU_ASSERT_EQUAL(stream_flush(out.stream, NULL), ST_OK);
		CU_ASSERT_EQUAL(stream_flush(out.stream, NULL), ST_OK);
		CU_ASSERT_EQUAL(stream_write(out.stream, &rec, NULL), ST_OK);
		got = memstream_finish(&out);
		at = cases[i].length * (24 / cases[i].length + (24 % cases[i].length > 0));
		for (; at < got->len; block++) {
			CU_ASSERT_FATAL(block < G_N_ELEMENTS(want));
			UNIT_ASSERT_U64(load32_be(got->data + at + 4),
					want[block] * cases[i].length);
			at += 8 + load32_be(got->data + at);
		}
		UNIT_ASSERT_U64(block, 4);
		UNIT_ASSERT_U64(at, got->len);
		g_byte_array_unref(got);
	}
}

/* Rows that do not fit are counted and left out of a batch; the others are written. */
static void test_refused_rows(void)
{
	const struct stream_write_opts opts = { .format = FORMAT_RWGENERIC };
	struct memstream_out out = memstream_create(&opts);
	struct batch *batch = batch_new();
	struct err err = { 0, "" };
	struct memstream_read back;
	uint64_t refused = 0;
	GByteArray *bytes;

	batch_clear(batch, COLUMNS_ALL);
	for (unsigned r = 0; r < 6; r++) {
		struct record rec = memstream_record(r % 3);

		batch_append(batch, &rec);
	}
	CU_ASSERT_EQUAL(stream_write_batch(out.stream, batch, &refused, &err), ST_OK);
	UNIT_ASSERT_U64(refused, 2);
	CU_ASSERT_EQUAL(err.status, ST_ERANGE);
	UNIT_ASSERT_U64(stream_records(out.stream), 4);
	bytes = memstream_finish(&out);
	back = memstream_read(bytes, "refused");
	UNIT_ASSERT_U64(back.rows, 4);
	UNIT_ASSERT_U64(back.first[1].protocol, 1);
	UNIT_ASSERT_U64(back.first[2].protocol, 6);
	g_byte_array_unref(bytes);
	batch_free(batch);
}

/* ---- damage ---- */

struct damage {
	const char *name;
	int compression;
	long cut; /* bytes left; negative: from the end; 0: all */
	long at;  /* a byte changed; negative: from the end; 0: none */
	uint8_t byte;
	int status;
	uint64_t rows;
	const char *says;
};

/* Two blocks of three records, header of 88 bytes. */
static const struct damage damages[] = {
	{ "whole", 0, 0, 0, 0, ST_END, 6, NULL },
	{ "whole zlib", 1, 0, 0, 0, ST_END, 6, NULL },
	{ "empty", 0, -1000000, 0, 0, ST_EFORMAT, 0, "not a SiLK file" },
	{ "magic only", 0, 4, 0, 0, ST_ETRUNC, 0, "inside its header" },
	{ "fixed part only", 0, 16, 0, 0, ST_ETRUNC, 0, "byte 16" },
	{ "other magic", 0, 0, 1, 0, ST_EFORMAT, 0, "not a SiLK file" },
	{ "not flows", 0, 0, 5, FORMAT_IPSET, ST_EFORMAT, 0, "no flow records" },
	{ "no such format", 0, 0, 5, 0x99, ST_EFORMAT, 0, "no flow records" },
	{ "no such version", 0, 0, 15, 9, ST_EVERSION, 0, "version 9" },
	{ "other record length", 0, 0, 13, 89, ST_EFORMAT, 0, "record length 89" },
	{ "no such compression", 0, 0, 7, 9, ST_ESUPPORT, 0, "compression method 9" },
	{ "default on disk", 0, 0, 7, 255, ST_ESUPPORT, 0, "compression method 255" },
	{ "entry of length 4", 0, 0, 23, 4, ST_EFORMAT, 0, "byte 16" },
	{ "entry longer than the file", 0, 0, 21, 1, ST_ETRUNC, 0, "end of data" },
	{ "no legacy form", 0, 0, 6, 3, ST_EVERSION, 0, "file version 3" },
	{ "half a record", 0, -40, 0, 0, ST_ETRUNC, 5, "record 6 is incomplete at byte 528" },
	{ "frame cut in its first size", 1, 91, 0, 0, ST_ETRUNC, 0, "block 1 at byte 88" },
	{ "frame cut in its second size", 2, 94, 0, 0, ST_ETRUNC, 0, "incomplete block" },
	{ "block cut", 3, -3, 0, 0, ST_ETRUNC, 3, "block 2" },
	{ "block too large", 1, 0, 89, 0x20, ST_EFORMAT, 0, "too large" },
	{ "plain size too large", 1, 0, 93, 0x10, ST_EFORMAT, 0, "too large" },
	{ "plain size wrong", 2, 0, 95, 0x09, ST_EFORMAT, 0, "block 1" },
	{ "damaged zlib", 1, 0, -9, 0x55, ST_EFORMAT, 3, "block 2" },
	{ "damaged snappy", 3, 0, 96, 0xff, ST_EFORMAT, 0, "block 1" },
};

static GByteArray *two_blocks(int compression)
{
	const struct stream_write_opts opts = { .compression = (uint8_t)compression };
	struct memstream_out out = memstream_create(&opts);

	for (unsigned r = 0; r < 6; r++) {
		struct record rec = memstream_record(r % 3);

		CU_ASSERT_EQUAL(stream_write(out.stream, &rec, NULL), ST_OK);
		if (r == 2) {
			CU_ASSERT_EQUAL(stream_flush(out.stream, NULL), ST_OK);
		}
	}
	return memstream_finish(&out);
}

static void test_damage(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(damages); i++) {
		const struct damage *damage = &damages[i];
		GByteArray *bytes = two_blocks(damage->compression);
		struct memstream_read got;

		unit_at("%s", damage->name);
		if (damage->at != 0) {
			bytes->data[damage->at < 0 ? (long)bytes->len + damage->at : damage->at] =
				damage->byte;
		}
		if (damage->cut > 0) {
			g_byte_array_set_size(bytes, (guint)damage->cut);
		} else if (damage->cut < 0) {
			g_byte_array_set_size(bytes, (guint)MAX((long)bytes->len + damage->cut, 0));
		}
		got = memstream_read(bytes, damage->name);
		CU_ASSERT_EQUAL(got.status, damage->status);
		UNIT_ASSERT_U64(got.rows, damage->rows);
		if (damage->says != NULL && strstr(got.err.text, damage->says) == NULL) {
			UNIT_ASSERT_STR(got.err.text, damage->says);
		}
		CU_ASSERT(damage->says == NULL || g_str_has_prefix(got.err.text, damage->name));
		g_byte_array_unref(bytes);
	}
}

/* A frame of size 0 ends the data, whatever follows. */
static void test_end_mark(void)
{
	GByteArray *bytes = two_blocks(COMPRESSION_LZO1X);
	struct memstream_read got;

	g_byte_array_append(bytes, (const guint8 *)"\0\0\0\0garbage", 11);
	got = memstream_read(bytes, "end mark");
	CU_ASSERT_EQUAL(got.status, ST_END);
	UNIT_ASSERT_U64(got.rows, 6);
	g_byte_array_unref(bytes);
}

/* Records that span blocks are read, though nobody writes them. */
static void test_spanning(void)
{
	GByteArray *bytes = two_blocks(COMPRESSION_NONE);
	struct bytesink *sink = bytesink_memory("spanning");
	struct block_writer *writer;
	struct memstream_read got;
	const uint8_t *data;
	size_t len;

	bytes->data[7] = COMPRESSION_SNAPPY;
	CU_ASSERT_EQUAL(bytesink_write(sink, bytes->data, 88, NULL), ST_OK);
	writer = block_writer_new(sink, COMPRESSION_SNAPPY, 1);
	for (guint at = 88; at < bytes->len; at += 60) {
		CU_ASSERT_EQUAL(block_writer_write(writer, bytes->data + at,
						   MIN(60, bytes->len - at), NULL),
				ST_OK);
		CU_ASSERT_EQUAL(block_writer_flush(writer, NULL), ST_OK);
	}
	data = bytesink_bytes(sink, &len);
	g_byte_array_set_size(bytes, 0);
	g_byte_array_append(bytes, data, (guint)len);
	got = memstream_read(bytes, "spanning");
	CU_ASSERT_EQUAL(got.status, ST_END);
	UNIT_ASSERT_U64(got.rows, 6);
	for (unsigned r = 0; r < 3; r++) {
		struct record want = memstream_record(r);

		memstream_assert_record(&got.first[r], &want);
	}
	block_writer_free(writer);
	bytesink_close(sink, NULL);
	g_byte_array_unref(bytes);
}

static void test_skip(void)
{
	for (int compression = 0; compression <= COMPRESSION_SNAPPY; compression++) {
		GByteArray *bytes = two_blocks(compression);
		struct batch *batch = batch_new();
		struct stream *in = NULL;
		uint64_t skipped = 0;

		unit_at("compression %d", compression);
		CU_ASSERT_EQUAL_FATAL(
			stream_open_source(&in, bytesource_memory(bytes->data, bytes->len, "skip"),
					   NULL, NULL),
			ST_OK);
		CU_ASSERT_EQUAL(stream_skip(in, 4, &skipped, NULL), ST_OK);
		UNIT_ASSERT_U64(skipped, 4);
		CU_ASSERT_EQUAL(stream_read_batch(in, batch, COLUMN_BIT(COLUMN_PROTOCOL), NULL),
				ST_OK);
		UNIT_ASSERT_U64(batch->protocol[0], 1);
		CU_ASSERT_EQUAL(stream_skip(in, 4, &skipped, NULL), ST_END);
		UNIT_ASSERT_U64(skipped, 0);
		UNIT_ASSERT_U64(stream_records(in), 6);
		stream_close(in, NULL);
		batch_free(batch);
		g_byte_array_unref(bytes);
	}
}

/* ---- files ---- */

static void write_one(const char *path, const struct stream_write_opts *opts, int status)
{
	struct stream *out = NULL;
	struct record rec = memstream_record(0);
	struct err err = { 0, "" };

	CU_ASSERT_EQUAL(stream_create(&out, path, opts, &err), status);
	if (status == ST_OK) {
		CU_ASSERT_EQUAL(stream_write(out, &rec, &err), ST_OK);
		CU_ASSERT_EQUAL(stream_close(out, &err), ST_OK);
	} else {
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, path));
	}
}

static uint64_t count_file(const char *path, uint8_t *compression)
{
	struct batch *batch = batch_new();
	struct stream *in = NULL;
	struct err err = { 0, "" };
	uint64_t rows;

	CU_ASSERT_EQUAL_FATAL(stream_open(&in, path, NULL, &err), ST_OK);
	while (stream_read_batch(in, batch, 0, &err) == ST_OK) {
	}
	rows = stream_records(in);
	*compression = stream_header(in)->compression;
	stream_close(in, NULL);
	batch_free(batch);
	return rows;
}

static void test_files(void)
{
	struct stream_write_opts opts = { .compression = COMPRESSION_DEFAULT };
	char *path = g_strdup_printf("%s/a.rw", unit_scratch());
	char *gzip = g_strdup_printf("%s/a.rw.gz", unit_scratch());
	struct stream *in = NULL;
	uint8_t compression = 0;
	uint8_t magic[2] = { 0 };
	struct err err;
	int fd;

	write_one(path, &opts, ST_OK);
	UNIT_ASSERT_U64(count_file(path, &compression), 1);
	UNIT_ASSERT_U64(compression, COMPRESSION_LZO1X);
	write_one(path, &opts, ST_EEXIST);
	opts.overwrite = true;
	opts.compression = COMPRESSION_ZLIB;
	write_one(path, &opts, ST_OK);
	/* Appending keeps the file's own compression. */
	opts.append = true;
	opts.lock = true;
	opts.compression = COMPRESSION_NONE;
	write_one(path, &opts, ST_OK);
	write_one(path, &opts, ST_OK);
	UNIT_ASSERT_U64(count_file(path, &compression), 3);
	UNIT_ASSERT_U64(compression, COMPRESSION_ZLIB);
	write_one(gzip, &opts, ST_ESUPPORT);
	opts.append = false;
	write_one(gzip, &opts, ST_OK);
	UNIT_ASSERT_U64(count_file(gzip, &compression), 1);
	fd = open(gzip, O_RDONLY);
	CU_ASSERT_EQUAL(read(fd, magic, 2), 2);
	close(fd);
	UNIT_ASSERT_U64(magic[0], 0x1f);
	UNIT_ASSERT_U64(magic[1], 0x8b);
	CU_ASSERT_EQUAL(stream_open(&in, "/no/such/file", NULL, &err), ST_ENOENT);
	g_free(path);
	g_free(gzip);
}

/* Format, version, compression and entries of another's header; the byte order is the writer's. */
static void test_like(void)
{
	struct bytesink *sink = bytesink_memory("like");
	struct stream_write_opts opts = { .byte_order = BYTE_ORDER_BIG, .format = FORMAT_RWIPV6 };
	struct stream *stream = NULL;
	struct header like;
	struct header more;
	struct err err;

	header_init(&like);
	like.format = FORMAT_RWGENERIC;
	like.record_version = 0; /* not the default, which 0 stands for elsewhere */
	like.compression = COMPRESSION_ZLIB;
	header_add_text(&like, ENTRY_ANNOTATION, "first");
	header_init(&more);
	header_add_text(&more, ENTRY_ANNOTATION, "second");
	opts.like = &like;
	opts.entries = &more;
	CU_ASSERT_EQUAL_FATAL(stream_create_sink(&stream, sink, &opts, &err), ST_OK);
	UNIT_ASSERT_U64(stream_header(stream)->format, FORMAT_RWGENERIC);
	UNIT_ASSERT_U64(stream_header(stream)->record_version, 0);
	UNIT_ASSERT_U64(stream_header(stream)->compression, COMPRESSION_ZLIB);
	UNIT_ASSERT_U64(stream_header(stream)->entry_count, 2);
	CU_ASSERT(stream_header(stream)->big_endian);
	CU_ASSERT_EQUAL(stream_close(stream, &err), ST_OK);
	header_release(&like);
	header_release(&more);
}

/* A pipe is not compressed unless somebody says how. */
static void test_pipe(void)
{
	struct stream_write_opts opts = { .compression = COMPRESSION_BEST };
	struct record rec = memstream_record(2);
	struct batch *batch = batch_new();
	struct stream *in = NULL;
	struct stream *out = NULL;
	struct record got;
	int fds[2];

	CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
	CU_ASSERT_EQUAL_FATAL(stream_create_fd(&out, fds[1], "pipe", &opts, NULL), ST_OK);
	CU_ASSERT_EQUAL(stream_write(out, &rec, NULL), ST_OK);
	CU_ASSERT_EQUAL(stream_flush(out, NULL), ST_OK);
	CU_ASSERT_EQUAL_FATAL(stream_open_fd(&in, fds[0], "pipe", NULL, NULL), ST_OK);
	UNIT_ASSERT_U64(stream_header(in)->compression, COMPRESSION_NONE);
	/* What is flushed can be read while the writer goes on. */
	CU_ASSERT_EQUAL(stream_read_batch(in, batch, COLUMNS_ALL, NULL), ST_OK);
	batch_get(batch, 0, &got);
	memstream_assert_record(&got, &rec);
	CU_ASSERT_EQUAL(stream_close(out, NULL), ST_OK);
	CU_ASSERT_EQUAL(stream_read_batch(in, batch, COLUMNS_ALL, NULL), ST_END);
	stream_close(in, NULL);
	batch_free(batch);
}

/* The bytes of so many records, a block that was flushed before it was full among them. */
static GByteArray *write_many(uint8_t compression, bool crew)
{
	const struct stream_write_opts opts = { .compression = compression, .crew = crew };
	struct memstream_out out = memstream_create(&opts);

	for (unsigned i = 0; i < 30000; i++) {
		struct record rec = memstream_record(i % 3);

		rec.bytes = i * i;
		rec.sport = (uint16_t)(i * 7);
		CU_ASSERT_EQUAL(stream_write(out.stream, &rec, NULL), ST_OK);
		if (i == 10000) {
			CU_ASSERT_EQUAL(stream_flush(out.stream, NULL), ST_OK);
		}
	}
	return memstream_finish(&out);
}

/* Compressing on threads changes nothing that is written. */
static void test_crew(void)
{
	static const uint8_t methods[] = { COMPRESSION_NONE, COMPRESSION_ZLIB, COMPRESSION_LZO1X,
					   COMPRESSION_SNAPPY };

	for (unsigned i = 0; i < G_N_ELEMENTS(methods); i++) {
		GByteArray *alone = write_many(methods[i], false);
		GByteArray *crew = write_many(methods[i], true);

		unit_at("method %u", methods[i]);
		assert_bytes(crew, alone);
		g_byte_array_unref(alone);
		g_byte_array_unref(crew);
	}
}

static const struct unit_case cases[] = {
	{ "fractions of a millisecond", test_fractions },
	{ "read the vectors", test_read_vectors },
	{ "write the vectors", test_write_vectors },
	{ "packed header", test_split },
	{ "legacy header", test_legacy },
	{ "sizes of blocks", test_block_sizes },
	{ "refused rows of a batch", test_refused_rows },
	{ "damage", test_damage },
	{ "end mark", test_end_mark },
	{ "records over block borders", test_spanning },
	{ "skip", test_skip },
	{ "files", test_files },
	{ "like another file", test_like },
	{ "pipes", test_pipe },
	{ "compressed on threads", test_crew },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("stream", cases);
}
