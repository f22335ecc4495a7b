/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/flowblockbuild.h"

#include <string.h>

#include "storage/bloom.h"
#include "tests/unit/unit.h"

#define SENSOR   7
#define FLOWTYPE 3

static struct flowblock_builder *new_builder(bool quick)
{
	const struct flowblock_opts opts = {
		.compression = CHUNK_LZO1X,
		.quick = quick,
		.sensor = SENSOR,
		.flowtype = FLOWTYPE,
	};

	return flowblock_builder_new(&opts);
}

static void add_rows(struct flowblock_builder *builder, uint32_t rows)
{
	for (uint32_t row = 0; row < rows; row++) {
		struct record rec;

		record_init(&rec);
		rec.sensor = SENSOR;
		rec.flowtype = FLOWTYPE;
		rec.start_ns = row * 10;
		rec.duration_ns = row == 0 ? 100000 : 5;
		rec.sip = ip_from_v4(row % 50);
		rec.dip = ip_from_v4(1000);
		rec.bytes = 100;
		flowblock_add(builder, &rec);
	}
}

/* The block in bytes. */
static void parse(const uint8_t *bytes, size_t len, struct flowblock_prelude *prelude,
		  struct flowblock *block)
{
	struct err err = { 0 };

	CU_ASSERT_EQUAL_FATAL(flowblock_parse_prelude(bytes, prelude, &err), ST_OK);
	UNIT_ASSERT_U64(len, (uint64_t)prelude->header_len + prelude->body_len);
	CU_ASSERT_EQUAL_FATAL(flowblock_parse(bytes + FLOWBLOCK_PRELUDE_BYTES,
					      prelude->header_len - FLOWBLOCK_PRELUDE_BYTES - 8,
					      prelude->count, prelude->body_len, SENSOR, FLOWTYPE,
					      block, &err),
			      ST_OK);
}

static void test_directory(void)
{
	static const struct {
		bool quick;
		uint32_t rows;
		bool filter;
	} cases[] = {
		{ false, 1, false },  { false, 64, true }, { false, 5000, true },
		{ false, 63, false }, { true, 1, false },  { true, 2000, false },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const uint32_t rows = cases[i].rows;
		struct flowblock_builder *builder = new_builder(cases[i].quick);
		struct flowblock_prelude prelude;
		struct flowblock block;
		const uint8_t *bytes;
		size_t len, hashes;

		unit_at("%u rows%s", rows, cases[i].quick ? ", quick" : "");
		add_rows(builder, rows);
		UNIT_ASSERT_U64(flowblock_rows(builder), rows);
		CU_ASSERT_EQUAL(flowblock_build(builder, &bytes, &len, NULL), ST_OK);
		UNIT_ASSERT_U64(flowblock_rows(builder), 0);
		parse(bytes, len, &prelude, &block);
		UNIT_ASSERT_U64(block.rows, rows);
		CU_ASSERT(block.sorted);
		CU_ASSERT_EQUAL(block.filter_len > 0, cases[i].filter);
		CU_ASSERT_EQUAL(block.summary.first_start_ns, 0);
		CU_ASSERT_EQUAL(block.summary.last_start_ns, (rows - 1) * 10);
		CU_ASSERT_EQUAL(block.summary.last_end_ns, 100000);
		CU_ASSERT_EQUAL(block.core[COLUMN_SENSOR], -1); /* as the file has it */
		CU_ASSERT_EQUAL(block.core[COLUMN_SPORT], -1);
		CU_ASSERT_FATAL(block.core[COLUMN_BYTES] >= 0);
		UNIT_ASSERT_U64(block.columns[block.core[COLUMN_BYTES]].sum, 100 * rows);
		flowblock_address_hashes(builder, &hashes);
		UNIT_ASSERT_U64(hashes, cases[i].quick ? 0 : MIN(rows, 50) + 1);
		flowblock_release(&block);
		flowblock_builder_free(builder);
	}
}

/* Blocks stand behind each other; small and large ones of one builder do not disturb each other. */
static void test_append(void)
{
	static const uint32_t sizes[] = { 10, 6000, 3 };
	struct flowblock_builder *builder = new_builder(false);
	GByteArray *out = g_byte_array_new();
	size_t at = 0;

	g_byte_array_append(out, (const uint8_t *)"before", 6);
	at = out->len;
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		add_rows(builder, sizes[i]);
		CU_ASSERT_EQUAL(flowblock_append(builder, out, NULL), ST_OK);
	}
	CU_ASSERT_EQUAL(memcmp(out->data, "before", 6), 0);
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
		struct flowblock_prelude prelude;
		struct flowblock block;
		size_t len;

		CU_ASSERT_EQUAL_FATAL(flowblock_parse_prelude(out->data + at, &prelude, NULL),
				      ST_OK);
		len = (size_t)prelude.header_len + prelude.body_len;
		parse(out->data + at, len, &prelude, &block);
		UNIT_ASSERT_U64(block.rows, sizes[i]);
		flowblock_release(&block);
		at += len;
	}
	UNIT_ASSERT_U64(at, out->len);
	g_byte_array_unref(out);
	flowblock_builder_free(builder);
}

static void test_full(void)
{
	static const struct {
		bool quick;
		uint32_t rows;
	} cases[] = { { false, FLOWBLOCK_ROWS_MAX }, { true, 2048 } };

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct flowblock_builder *builder = new_builder(cases[i].quick);

		UNIT_ASSERT_U64(flowblock_room(builder), cases[i].rows);
		add_rows(builder, cases[i].rows - 1);
		CU_ASSERT(!flowblock_is_full(builder));
		add_rows(builder, 1);
		CU_ASSERT(flowblock_is_full(builder));
		UNIT_ASSERT_U64(flowblock_room(builder), 0);
		flowblock_builder_free(builder);
	}
}

/* Rows at once; values that have no place are counted, the others become columns in order. */
static void test_rows(void)
{
	const struct flowblock_value values[] = {
		{ .key = { 35632, 9 }, .type = COLUMN_UNSIGNED8, .number = 200 },
		{ .key = { 35632, 2 }, .type = COLUMN_UNSIGNED8, .number = 1 },
		{ .key = { 35632, 2 }, .type = COLUMN_UNSIGNED16, .number = 1 }, /* another type */
	};
	struct flowblock_row first = { .values = values, .value_count = 2 };
	struct flowblock_row second = { .values = values + 2, .value_count = 1 };
	struct flowblock_row *rows[] = { &first, &second };
	struct flowblock_builder *builder = new_builder(false);
	struct flowblock_prelude prelude;
	struct flowblock block;
	const uint8_t *bytes;
	size_t len;

	record_init(&first.rec);
	record_init(&second.rec);
	UNIT_ASSERT_U64(flowblock_add_rows(builder, rows, 2), 1);
	CU_ASSERT_EQUAL(flowblock_set(builder, &values[2], NULL), ST_EINVAL);
	CU_ASSERT_EQUAL(flowblock_set(builder, &values[1], NULL), ST_OK);
	CU_ASSERT_EQUAL(flowblock_set(builder, &values[1], NULL), ST_EINVAL); /* a second one */
	CU_ASSERT_EQUAL(flowblock_build(builder, &bytes, &len, NULL), ST_OK);
	parse(bytes, len, &prelude, &block);
	CU_ASSERT_FATAL(block.column_count >= 2);
	UNIT_ASSERT_U64(block.columns[block.column_count - 2].key.id, 2);
	UNIT_ASSERT_U64(block.columns[block.column_count - 2].flags, FLOWBLOCK_RANGED);
	UNIT_ASSERT_U64(block.columns[block.column_count - 1].key.id, 9);
	UNIT_ASSERT_U64(block.columns[block.column_count - 1].flags,
			FLOWBLOCK_RANGED | FLOWBLOCK_ABSENT);
	flowblock_release(&block);
	flowblock_builder_free(builder);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "directory", test_directory },
		{ "blocks behind each other", test_append },
		{ "full", test_full },
		{ "many rows", test_rows },
		{ NULL, NULL },
	};

	return unit_run("flowblockbuild", cases);
}
