/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Headers: entries, padding, copies, names and damage (silk-flow-files.md section 1). */
#include "tests/unit/unit.h"

#include "common/timestamp.h"
#include "storage/header.h"
#include "tests/unit/memstream.h"

#include <string.h>

#define HOUR_NS MEMSTREAM_HOUR_NS

static struct header routing_header(void)
{
	struct header header;

	header_init(&header);
	header.format = FORMAT_RWIPV6ROUTING;
	header.record_length = 88;
	header.record_version = 1;
	return header;
}

static GByteArray *write_header(struct header *header)
{
	struct bytesink *sink = bytesink_memory("header");
	GByteArray *bytes = g_byte_array_new();
	const uint8_t *data;
	size_t len;

	CU_ASSERT_EQUAL(header_write(header, sink, NULL), ST_OK);
	data = bytesink_bytes(sink, &len);
	g_byte_array_append(bytes, data, (guint)len);
	bytesink_close(sink, NULL);
	UNIT_ASSERT_U64(bytes->len, header->length_bytes);
	return bytes;
}

static int read_header(struct header *header, const void *bytes, size_t len, struct err *err)
{
	struct bytesource *src = bytesource_memory(bytes, len, "header");
	int rc = header_read(header, src, NULL, err);

	bytesource_close(src);
	return rc;
}

/* 7.4: a note, then the invocation with the folder of the program cut off. */
static void test_vector(void)
{
	static char *const argv[] = {
		(char *)"/usr/bin/lt-rwtuc",         (char *)"--output-path=t3.rwf",
		(char *)"--compression-method=none", (char *)"--note-add=my note",
		(char *)"--stop-on-error",           (char *)"t3.txt",
	};
	struct header header = routing_header();
	GByteArray *want = memstream_vector("notes-head");
	GByteArray *got;

	header_add_text(&header, ENTRY_ANNOTATION, "my note");
	header_add_invocation(&header, G_N_ELEMENTS(argv), argv);
	got = write_header(&header);
	UNIT_ASSERT_U64(got->len, 176);
	CU_ASSERT_EQUAL(memcmp(got->data, want->data, 176), 0);
	header_release(&header);
	g_byte_array_unref(got);
	g_byte_array_unref(want);
}

/* The header is a whole number of records long, never padded by a full one (1.2). */
static void test_padding(void)
{
	for (unsigned length = 0; length <= 100; length++) {
		for (unsigned text = 0; text < 100; text += 13) {
			struct header header = routing_header();
			unsigned plain = 24 + 8 + text;
			GByteArray *bytes;

			unit_at("record length %u, text %u", length, text);
			header.record_length = (uint16_t)length;
			header_add(&header, 77,
				   "................................................"
				   "....................................................",
				   text);
			bytes = write_header(&header);
			CU_ASSERT(length == 0 || bytes->len % length == 0);
			CU_ASSERT(bytes->len >= plain &&
				  bytes->len < plain + (length > 0 ? length : 1));
			header_release(&header);
			g_byte_array_unref(bytes);
		}
	}
}

static void test_round_trip(void)
{
	struct header header = routing_header();
	struct header back;
	const struct header_entry *entry;
	GByteArray *bytes;
	int64_t hour_ns = 0;
	uint8_t flowtype = 0;
	uint16_t sensor = 0;
	size_t pos = 0;

	header.silk_version = HEADER_SILK_VERSION;
	header.compression = COMPRESSION_LZO1X;
	header.big_endian = true;
	header_add_packed_file(&header, HOUR_NS + 59 * 60 * NS_PER_S, 3, 258);
	header_add_text(&header, ENTRY_PROBE_NAME, "P1");
	header_add(&header, 4242, "opaque", 6);
	bytes = write_header(&header);
	header_init(&back);
	CU_ASSERT_EQUAL(read_header(&back, bytes->data, bytes->len, NULL), ST_OK);
	UNIT_ASSERT_U64(back.format, FORMAT_RWIPV6ROUTING);
	UNIT_ASSERT_U64(back.file_version, 16);
	UNIT_ASSERT_U64(back.compression, COMPRESSION_LZO1X);
	UNIT_ASSERT_U64(back.big_endian, 1);
	UNIT_ASSERT_U64(back.silk_version, 3022001);
	UNIT_ASSERT_U64(back.record_length, 88);
	UNIT_ASSERT_U64(back.length_bytes, bytes->len);
	UNIT_ASSERT_U64(back.entry_count, 3);
	CU_ASSERT(header_packed_file(&back, &hour_ns, &flowtype, &sensor));
	CU_ASSERT_EQUAL(hour_ns, HOUR_NS);
	UNIT_ASSERT_U64(flowtype, 3);
	UNIT_ASSERT_U64(sensor, 258);
	entry = header_next(&back, 4242, &pos);
	CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
	CU_ASSERT(entry->len == 6 && memcmp(entry->payload, "opaque", 6) == 0);
	CU_ASSERT_PTR_NULL(header_next(&back, 4242, &pos));
	header_remove(&back, ENTRY_PACKED_FILE);
	CU_ASSERT(!header_packed_file(&back, &hour_ns, &flowtype, &sensor));
	UNIT_ASSERT_U64(back.entry_count, 2);
	header_release(&header);
	header_release(&back);
	g_byte_array_unref(bytes);
}

/* Copies end text at its first NUL and give it one; hours are floored, odd tombstones dropped. */
static void test_copy(void)
{
	static const uint8_t hour[16] = { 0, 0, 0x01, 0x8e, 0x0d, 0x32, 0x8b, 0x05 };
	static const uint8_t tombstone[12] = { 0, 0, 0, 2 };
	struct header from = routing_header();
	struct header to = routing_header();
	int64_t hour_ns = 0;
	uint8_t flowtype;
	uint16_t sensor;

	header_add(&from, ENTRY_ANNOTATION, "no end", 6);
	header_add(&from, ENTRY_ANNOTATION, "cut\0off", 8);
	header_add(&from, ENTRY_PACKED_FILE, hour, sizeof(hour));
	header_add(&from, ENTRY_TOMBSTONE, tombstone, sizeof(tombstone));
	header_copy_entries(&to, &from, ENTRY_ANNOTATION);
	header_copy_entries(&to, &from, ENTRY_PACKED_FILE);
	header_copy_entries(&to, &from, ENTRY_TOMBSTONE);
	UNIT_ASSERT_U64(to.entry_count, 3);
	UNIT_ASSERT_STR((const char *)to.entries[0].payload, "no end");
	UNIT_ASSERT_U64(to.entries[0].len, 7);
	UNIT_ASSERT_STR((const char *)to.entries[1].payload, "cut");
	UNIT_ASSERT_U64(to.entries[1].len, 4);
	CU_ASSERT(header_packed_file(&to, &hour_ns, &flowtype, &sensor));
	CU_ASSERT_EQUAL(hour_ns, HOUR_NS);
	header_release(&from);
	header_release(&to);
}

/* Entries of known ids have their sizes (1.3); the name of the source is in every message. */
static void test_damage(void)
{
	static const struct {
		const char *name;
		uint32_t id;
		uint32_t len; /* of the entry, with its first 8 bytes */
		uint8_t payload[24];
		int status;
	} cases[] = {
		{ "packed file short", ENTRY_PACKED_FILE, 20, { 0 }, ST_EFORMAT },
		{ "packed file long", ENTRY_PACKED_FILE, 28, { 0 }, ST_EFORMAT },
		{ "packed file", ENTRY_PACKED_FILE, 24, { 0 }, ST_OK },
		{ "empty text", ENTRY_INVOCATION, 8, { 0 }, ST_OK },
		{ "prefix map short", ENTRY_PREFIX_MAP, 10, { 0 }, ST_EFORMAT },
		{ "prefix map of another version", ENTRY_PREFIX_MAP, 14, { 0, 0, 0, 2 }, ST_OK },
		{ "prefix map", ENTRY_PREFIX_MAP, 14, { 0, 0, 0, 1, 'x' }, ST_OK },
		{ "bag short", ENTRY_BAG, 12, { 0 }, ST_EFORMAT },
		{ "ipset long", ENTRY_IPSET, 31, { 0 }, ST_EFORMAT },
		{ "aggregate bag", ENTRY_AGGREGATE_BAG, 20, { 0, 0, 0, 1, 0, 2, 0, 1 }, ST_OK },
		{ "aggregate bag short",
		  ENTRY_AGGREGATE_BAG,
		  20,
		  { 0, 0, 0, 1, 0, 3, 0, 1 },
		  ST_EFORMAT },
		{ "aggregate bag all keys",
		  ENTRY_AGGREGATE_BAG,
		  20,
		  { 0, 0, 0, 1, 0, 2, 0, 2 },
		  ST_EFORMAT },
		{ "aggregate bag of another version",
		  ENTRY_AGGREGATE_BAG,
		  20,
		  { 0, 0, 0, 9, 0, 2, 0, 1 },
		  ST_EFORMAT },
		{ "tombstone", ENTRY_TOMBSTONE, 16, { 0, 0, 0, 1 }, ST_OK },
		{ "tombstone long", ENTRY_TOMBSTONE, 20, { 0, 0, 0, 1 }, ST_EFORMAT },
		{ "tombstone of another version", ENTRY_TOMBSTONE, 20, { 0, 0, 0, 2 }, ST_OK },
		{ "unknown", 99, 9, { 0 }, ST_OK },
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct header header = routing_header();
		struct header back;
		struct err err = { 0, "" };
		GByteArray *bytes;

		unit_at("%s", cases[i].name);
		header_add(&header, cases[i].id, cases[i].payload, cases[i].len - 8);
		bytes = write_header(&header);
		header_init(&back);
		CU_ASSERT_EQUAL(read_header(&back, bytes->data, bytes->len, &err), cases[i].status);
		CU_ASSERT(cases[i].status == ST_OK || g_str_has_prefix(err.text, "header: "));
		/* Cut anywhere, it is an error and nothing worse. */
		for (guint len = 0; len < bytes->len; len++) {
			CU_ASSERT_NOT_EQUAL(read_header(&back, bytes->data, len, &err), ST_OK);
		}
		header_release(&header);
		header_release(&back);
		g_byte_array_unref(bytes);
	}
}

/* A length that no file has is refused before memory is asked for. */
static void test_bound(void)
{
	static const uint8_t bytes[] = { 0xde, 0xad, 0xbe, 0xef, 0,    0x0c, 16,   0,
					 0,    0,    0,    0,    0,    88,   0,    1,
					 0,    0,    0,    9,    0xff, 0xff, 0xff, 0xff };
	struct header header;
	struct err err;

	header_init(&header);
	CU_ASSERT_EQUAL(read_header(&header, bytes, sizeof(bytes), &err), ST_ELIMIT);
	header_release(&header);
}

static void test_names(void)
{
	enum compression method = COMPRESSION_NONE;
	enum byte_order order = BYTE_ORDER_NATIVE;
	unsigned flows = 0;

	for (unsigned id = 0; id < 256; id++) {
		flows += header_is_flow((uint8_t)id);
	}
	UNIT_ASSERT_U64(flows, 13);
	UNIT_ASSERT_STR(header_format_name(FORMAT_RWSPLIT), "FT_RWSPLIT");
	UNIT_ASSERT_STR(header_format_name(FORMAT_PREFIXMAP), "FT_PREFIXMAP");
	UNIT_ASSERT_STR(header_format_name(FORMAT_AGGREGATEBAG), "FT_AGGREGATEBAG");
	CU_ASSERT_PTR_NULL(header_format_name(0x26));
	UNIT_ASSERT_STR(compression_name(COMPRESSION_LZO1X), "lzo1x");
	CU_ASSERT_PTR_NULL(compression_name(COMPRESSION_BEST));
	CU_ASSERT_EQUAL(compression_parse("l", &method, NULL), ST_OK);
	UNIT_ASSERT_U64(method, COMPRESSION_LZO1X);
	CU_ASSERT_EQUAL(compression_parse("best", &method, NULL), ST_OK);
	UNIT_ASSERT_U64(method, COMPRESSION_BEST);
	CU_ASSERT_EQUAL(compression_parse("", &method, NULL), ST_EINVAL);
	CU_ASSERT_EQUAL(compression_parse("zip", &method, NULL), ST_EINVAL);
	CU_ASSERT_EQUAL(byte_order_parse("big", &order, NULL), ST_OK);
	UNIT_ASSERT_U64(order, BYTE_ORDER_BIG);
	CU_ASSERT_EQUAL(byte_order_parse("middle", &order, NULL), ST_EINVAL);
	UNIT_ASSERT_STR(header_bag_type_name(25), "sIPv6");
	UNIT_ASSERT_STR(header_aggregate_field_name(25), "icmpCode");
	UNIT_ASSERT_STR(header_aggregate_field_name(0xc003), "sum-duration");
	CU_ASSERT_PTR_NULL(header_bag_type_name(22));
	CU_ASSERT_PTR_NULL(header_aggregate_field_name(0xc005));
}

static const struct unit_case cases[] = {
	{ "vector", test_vector },         { "padding", test_padding },
	{ "round trip", test_round_trip }, { "copies", test_copy },
	{ "damage", test_damage },         { "bound", test_bound },
	{ "names", test_names },           { NULL, NULL },
};

int main(void)
{
	return unit_run("header", cases);
}
