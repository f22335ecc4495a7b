/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/flowblock.h"

#include "tests/unit/unit.h"

#include <string.h>

static void test_prelude(void)
{
	static const struct {
		const char *name;
		struct flowblock_prelude prelude;
		int status;
	} rows[] = {
		{ "block", { FLOWBLOCK_MAGIC, 33, 0, 1 }, ST_OK },
		{ "largest",
		  { FLOWBLOCK_MAGIC, FLOWBLOCK_HEADER_MAX, FLOWBLOCK_BODY_MAX, FLOWBLOCK_ROWS_MAX },
		  ST_OK },
		{ "footer", { FLOWBLOCK_FOOTER_MAGIC, 40, 32, 100000 }, ST_OK },
		{ "footer of nothing", { FLOWBLOCK_FOOTER_MAGIC, 34, 0, 0 }, ST_OK },
		{ "no rows", { FLOWBLOCK_MAGIC, 33, 0, 0 }, ST_EFORMAT },
		{ "too many rows", { FLOWBLOCK_MAGIC, 33, 0, FLOWBLOCK_ROWS_MAX + 1 }, ST_EFORMAT },
		{ "short header", { FLOWBLOCK_MAGIC, 32, 0, 1 }, ST_EFORMAT },
		{ "long header", { FLOWBLOCK_MAGIC, FLOWBLOCK_HEADER_MAX + 1, 0, 1 }, ST_EFORMAT },
		{ "long body", { FLOWBLOCK_MAGIC, 33, FLOWBLOCK_BODY_MAX + 1, 1 }, ST_EFORMAT },
		{ "other magic", { 0x12345678, 33, 0, 1 }, ST_EFORMAT },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		uint8_t bytes[FLOWBLOCK_PRELUDE_BYTES];
		struct flowblock_prelude got = { 0 };

		unit_at("%s", rows[i].name);
		flowblock_put_prelude(bytes, &rows[i].prelude);
		CU_ASSERT(i > 0 || memcmp(bytes, "TBLK", 4) == 0);
		CU_ASSERT_EQUAL(flowblock_parse_prelude(bytes, &got, NULL), rows[i].status);
		CU_ASSERT_EQUAL(memcmp(&got, &rows[i].prelude, sizeof(got)), 0);
		for (size_t at = 0; at < 8 * sizeof(bytes); at++) {
			bytes[at / 8] ^= (uint8_t)(1 << at % 8);
			CU_ASSERT_EQUAL(flowblock_parse_prelude(bytes, &got, NULL), ST_EFORMAT);
			bytes[at / 8] ^= (uint8_t)(1 << at % 8);
		}
	}
}

/* A directory with a core column, two kinds of extension columns and a filter. */
static const struct flowblock_column columns[] = {
	{ .key = { 0, 1 },
	  .type = COLUMN_UNSIGNED64,
	  .compression = CHUNK_LZO1X,
	  .flags = FLOWBLOCK_RANGED | FLOWBLOCK_SUMMED,
	  .stored_len = 10,
	  .plain_len = 300,
	  .checksum = 17,
	  .min = 40,
	  .max = UINT64_MAX,
	  .sum = 12345 },
	{ .key = { 0, 27 },
	  .type = COLUMN_IPV6_ADDRESS,
	  .flags = FLOWBLOCK_RANGED,
	  .stored_len = 5,
	  .plain_len = 5,
	  .min_ip = { 0, 1 },
	  .max_ip = { 2, 0 } },
	{ .key = { 0, 156 }, .type = COLUMN_NANOSECONDS, .stored_len = 7, .plain_len = 7 },
	{ .key = { 35632, 500 },
	  .type = COLUMN_STRING,
	  .compression = CHUNK_ZSTD,
	  .flags = FLOWBLOCK_ABSENT,
	  .stored_len = 100,
	  .plain_len = 90 },
};

#define BODY_LEN (64 + 10 + 5 + 7 + 100)

static struct flowblock make(void)
{
	return (struct flowblock){
		.rows = 9,
		.sorted = true,
		.filter_len = 64,
		.filter_checksum = UINT64_MAX,
		.summary = { .first_start_ns = -1000,
			     .last_start_ns = 5000,
			     .last_end_ns = INT64_MIN },
		.column_count = G_N_ELEMENTS(columns),
		.columns = (struct flowblock_column *)columns,
	};
}

static int parse(const GByteArray *bytes, uint32_t body_len, struct flowblock *out, struct err *err)
{
	return flowblock_parse(bytes->data, bytes->len, 9, body_len, 12, 3, out, err);
}

static void test_directory(void)
{
	GByteArray *bytes = g_byte_array_new();
	const struct flowblock block = make();
	const struct summary *summary;
	struct err err = { 0, "" };
	struct flowblock got;

	flowblock_put_directory(&block, bytes);
	CU_ASSERT_EQUAL_FATAL(parse(bytes, BODY_LEN, &got, &err), ST_OK);
	summary = &got.summary;
	CU_ASSERT(got.sorted);
	CU_ASSERT_EQUAL(got.rows, 9);
	CU_ASSERT_EQUAL(got.filter_len, 64);
	UNIT_ASSERT_U64(got.filter_checksum, UINT64_MAX);
	CU_ASSERT_EQUAL(summary->first_start_ns, -1000);
	CU_ASSERT_EQUAL(summary->last_start_ns, 5000);
	CU_ASSERT_EQUAL(summary->last_end_ns, INT64_MIN);
	CU_ASSERT_EQUAL(summary->range[COLUMN_START].min_ns, -1000);
	UNIT_ASSERT_U64(summary->range[COLUMN_BYTES].max, UINT64_MAX);
	UNIT_ASSERT_U64(summary->bytes, 12345);
	UNIT_ASSERT_U64(summary->range[COLUMN_SIP].max_ip.hi, 2);
	/* Not listed: the defaults, of the file where it says so. */
	CU_ASSERT_EQUAL(summary->ranged, COLUMNS_ALL);
	UNIT_ASSERT_U64(summary->range[COLUMN_SENSOR].min, 12);
	UNIT_ASSERT_U64(summary->range[COLUMN_FLOWTYPE].max, 3);
	UNIT_ASSERT_U64(summary->packets, 0);
	CU_ASSERT_EQUAL(summary->summed, COLUMN_BIT(COLUMN_PACKETS) | COLUMN_BIT(COLUMN_BYTES));
	CU_ASSERT_EQUAL(got.core[COLUMN_BYTES], 0);
	CU_ASSERT_EQUAL(got.core[COLUMN_START], 2);
	CU_ASSERT_EQUAL(got.core[COLUMN_DIP], -1);
	CU_ASSERT_EQUAL(got.columns[0].offset, 64);
	CU_ASSERT_EQUAL(got.columns[3].offset, 64 + 22);
	CU_ASSERT_EQUAL(got.columns[3].plain_len, 90);
	flowblock_release(&got);
	CU_ASSERT_EQUAL(parse(bytes, BODY_LEN + 1, &got, &err), ST_EFORMAT);
	CU_ASSERT_EQUAL(parse(bytes, BODY_LEN - 1, &got, &err), ST_EFORMAT);
	for (guint len = bytes->len; len-- > 0;) {
		bytes->len = len;
		CU_ASSERT_EQUAL(parse(bytes, BODY_LEN, &got, &err), ST_EFORMAT);
	}
	g_byte_array_unref(bytes);
}

/* Directories that are well formed and make no sense, or use what is not known. */
static void test_refused(void)
{
	static const struct {
		const char *name;
		struct flowblock_column column; /* beside the start times */
		int status;
		const char *text;
	} rows[] = {
		{ "type",
		  { .key = { 1, 1 }, .type = COLUMN_TYPES },
		  ST_EVERSION,
		  "column 1/1: type 23 is not known" },
		{ "compression",
		  { .key = { 1, 1 }, .compression = 3 },
		  ST_EVERSION,
		  "column 1/1: compression 3 is not known" },
		{ "compression",
		  { .key = { 1, 1 }, .compression = 5 },
		  ST_EVERSION,
		  "column 1/1: compression 5 is not known" },
		{ "flags",
		  { .key = { 1, 1 }, .flags = 8 },
		  ST_EVERSION,
		  "column 1/1: flags 0x08 are not known" },
		{ "core type",
		  { .key = { 6871, 31 }, .type = COLUMN_UNSIGNED8 },
		  ST_EFORMAT,
		  "column sensor: directory: type 1 where 2 is needed" },
		{ "core absent",
		  { .key = { 6871, 31 }, .type = COLUMN_UNSIGNED16, .flags = FLOWBLOCK_ABSENT },
		  ST_EFORMAT,
		  "column sensor: directory: rows without a value" },
		{ "range of a string",
		  { .key = { 1, 1 }, .type = COLUMN_STRING, .flags = FLOWBLOCK_RANGED },
		  ST_EFORMAT,
		  "column 1/1: directory: type 13 has no range or sum" },
		{ "sum of addresses",
		  { .key = { 1, 1 }, .type = COLUMN_IPV4_ADDRESS, .flags = FLOWBLOCK_SUMMED },
		  ST_EFORMAT,
		  "column 1/1: directory: type 18 has no range or sum" },
		{ "range too wide",
		  { .key = { 6871, 31 },
		    .type = COLUMN_UNSIGNED16,
		    .flags = FLOWBLOCK_RANGED,
		    .max = 65536 },
		  ST_EFORMAT,
		  "column sensor: directory: bad maximum" },
		{ "addresses backwards",
		  { .key = { 1, 1 },
		    .type = COLUMN_IPV6_ADDRESS,
		    .flags = FLOWBLOCK_RANGED,
		    .min_ip = { 0, 1 } },
		  ST_EFORMAT,
		  "column 1/1: directory: bad maximum" },
		{ "order", { .key = { 0, 100 } }, ST_EFORMAT, "directory: columns out of order" },
		{ "twice",
		  { .key = { 0, 156 }, .type = COLUMN_NANOSECONDS },
		  ST_EFORMAT,
		  "directory: columns out of order" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct flowblock_column two[] = {
			{ .key = { 0, 156 }, .type = COLUMN_NANOSECONDS },
			rows[i].column,
		};
		const struct flowblock block = { .column_count = 2, .columns = two };
		GByteArray *bytes = g_byte_array_new();
		struct err err = { 0, "" };
		struct flowblock got;

		unit_at("%s", rows[i].name);
		flowblock_put_directory(&block, bytes);
		CU_ASSERT_EQUAL(parse(bytes, 0, &got, &err), rows[i].status);
		UNIT_ASSERT_STR(err.text, rows[i].text);
		CU_ASSERT_EQUAL(parse(bytes, 0, &got, NULL), rows[i].status);
		g_byte_array_unref(bytes);
	}
}

/* Bytes of a directory of one column of start times that takes no room. */
static void test_bytes(void)
{
	static const struct {
		const char *name;
		uint8_t times[13];
		size_t times_len;
		int status;
		const char *text;
	} rows[] = {
		{ "good", { 0, 0, 0, 0, 0 }, 5, ST_OK, "" },
		{ "long varint",
		  { 0x80, 0, 0, 0, 0, 0 },
		  6,
		  ST_EFORMAT,
		  "directory: bad first start" },
		{ "flags",
		  { 0, 0, 0, 2, 0 },
		  5,
		  ST_EVERSION,
		  "directory: flags 0x2 are not known" },
		{ "filter",
		  { 0, 0, 0, 0, 32 },
		  5,
		  ST_EFORMAT,
		  "directory: bad length of the filter" },
		{ "start past the end of time",
		  { 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0 },
		  12,
		  ST_EFORMAT,
		  "directory: bad last start" },
	};
	static const uint8_t column[] = { 1, 0, 0x9c, 1, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		GByteArray *bytes = g_byte_array_new();
		struct err err = { 0, "" };
		struct flowblock got;

		unit_at("%s", rows[i].name);
		g_byte_array_append(bytes, rows[i].times, (guint)rows[i].times_len);
		g_byte_array_append(bytes, column, sizeof(column));
		CU_ASSERT_EQUAL(parse(bytes, 0, &got, &err), rows[i].status);
		UNIT_ASSERT_STR(err.text, rows[i].text);
		flowblock_release(&got);
		g_byte_array_unref(bytes);
	}
}

static const struct unit_case cases[] = {
	{ "prelude", test_prelude },
	{ "directory", test_directory },
	{ "refused", test_refused },
	{ "bytes", test_bytes },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("flowblock", cases);
}
