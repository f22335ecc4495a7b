/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/extension.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "storage/flowblockbuild.h"
#include "tests/unit/blockrecords.h"
#include "tests/unit/unit.h"

#define PEN 35632u

/* Values are made from row and type, so that they need not be kept. */
static bool has_value(uint8_t type, uint32_t row)
{
	return type % 3 == 0 || (row * 2654435761u >> 16) % (type + 1u) == 0;
}

static uint64_t number_of(uint8_t type, uint32_t row)
{
	uint64_t value = row % 7 == 0 ? UINT64_MAX : row * UINT64_C(0x9e3779b97f4a7c15);

	return type % 2 == 0 ? value : row % 5;
}

static struct ip address_of(uint8_t type, uint32_t row)
{
	return type == COLUMN_IPV4_ADDRESS || row % 2 == 0 ? ip_from_v4(row * 977)
							   : (struct ip){ row % 9, row };
}

/* Up to length bytes, of a text that all values are pieces of. */
static struct encode_bytes bytes_of(uint8_t type, uint32_t row)
{
	static uint8_t text[COLUMN_BYTES_MAX];
	size_t len = row % 50 == 0 ? (size_t)type * 40 : row % 11;

	memset(text, 'x', sizeof(text));
	if (type == COLUMN_STRING && row == 60) {
		len = COLUMN_BYTES_MAX;
	}
	return (struct encode_bytes){ .bytes = text, .len = len };
}

static struct flowblock_value value_of(uint8_t type, uint32_t row)
{
	struct flowblock_value value = { .key = { PEN, (uint16_t)(type + 1) }, .type = type };

	switch (column_form(type)) {
	case COLUMN_FORM_NUMBER:
		value.number = number_of(type, row);
		break;
	case COLUMN_FORM_ADDRESS:
		value.ip = address_of(type, row);
		break;
	case COLUMN_FORM_BYTES:
		value.bytes = bytes_of(type, row);
		break;
	}
	return value;
}

static void write_file(const char *path, uint32_t rows)
{
	const struct blockwriter_opts opts = { .compression = CHUNK_LZO1X };
	struct blockwriter *writer = NULL;
	struct record rec;
	struct err err;

	record_init(&rec);
	CU_ASSERT_EQUAL_FATAL(blockwriter_append(&writer, path, &opts, NULL, &err), ST_OK);
	for (uint32_t row = 0; row < rows; row++) {
		rec.start_ns = row;
		CU_ASSERT_EQUAL(blockwriter_write(writer, &rec, &err), ST_OK);
		for (uint8_t type = 0; type < COLUMN_TYPES; type++) {
			const struct flowblock_value value = value_of(type, row);

			if (has_value(type, row)) {
				CU_ASSERT_EQUAL(blockwriter_set(writer, &value, &err), ST_OK);
			}
		}
	}
	CU_ASSERT_EQUAL(blockwriter_close(writer, &err), ST_OK);
}

/* One frame of a column. */
struct frame {
	uint64_t numbers[FRAME_ROWS];
	struct ip addresses[FRAME_ROWS];
	struct encode_bytes strings[FRAME_ROWS];
	uint8_t presence[FRAME_ROWS];
};

static void read_frame(struct chunk *chunk, uint8_t type, uint32_t row, uint32_t count,
		       struct frame *out)
{
	CU_ASSERT_EQUAL(chunk_read_presence(chunk, row, count, out->presence, NULL), ST_OK);
	switch (column_form(type)) {
	case COLUMN_FORM_NUMBER:
		CU_ASSERT_EQUAL(chunk_read_u64(chunk, row, count, out->numbers, NULL), ST_OK);
		break;
	case COLUMN_FORM_ADDRESS:
		CU_ASSERT_EQUAL(chunk_read_ip(chunk, row, count, out->addresses, NULL), ST_OK);
		break;
	case COLUMN_FORM_BYTES:
		CU_ASSERT_EQUAL(chunk_read_strings(chunk, row, count, out->strings, NULL), ST_OK);
		break;
	}
}

/* Is entry i of the frame the value of this row, or what stands for none? */
static bool is_right(const struct frame *frame, uint32_t i, uint8_t type, uint32_t row)
{
	bool present = has_value(type, row);
	const struct flowblock_value want = value_of(type, row);

	if (frame->presence[i] != present) {
		return false;
	}
	switch (column_form(type)) {
	case COLUMN_FORM_NUMBER:
		return frame->numbers[i] == (present ? want.number : 0);
	case COLUMN_FORM_ADDRESS:
		return ip_equal(frame->addresses[i], present ? want.ip : ip_from_v4(0));
	case COLUMN_FORM_BYTES:
		break;
	}
	return frame->strings[i].len == (present ? want.bytes.len : 0) &&
	       memcmp(frame->strings[i].bytes, want.bytes.bytes, frame->strings[i].len) == 0;
}

static void check_column(const struct blockfile *file, size_t i, size_t n, uint32_t first_row)
{
	const struct flowblock *block = blockfile_block(file, i);
	uint8_t type = block->columns[n].type;
	struct blockfile_scratch *scratch = blockfile_scratch_new();
	struct frame *frame = g_new0(struct frame, 1);
	struct chunk *chunk = chunk_new();
	struct err err = { 0, "" };
	unsigned wrong = 0;

	CU_ASSERT_EQUAL_FATAL(blockfile_chunk_at(file, i, n, chunk, scratch, &err), ST_OK);
	for (uint32_t row = 0; row < block->rows; row += FRAME_ROWS) {
		uint32_t count = MIN(block->rows - row, FRAME_ROWS);

		read_frame(chunk, type, row, count, frame);
		for (uint32_t k = 0; k < count; k++) {
			wrong += !is_right(frame, k, type, first_row + row + k);
		}
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(blockfile_scratch_bytes(scratch) > 0);
	chunk_free(chunk);
	g_free(frame);
	blockfile_scratch_free(scratch);
}

/* A column of each type, with rows that have no value, comes back as it was. */
static void test_types(void)
{
	static const uint32_t sizes[] = { 1, 63, 1025, 3000 };

	for (size_t k = 0; k < G_N_ELEMENTS(sizes); k++) {
		char *path = g_strdup_printf("%s/types%zu", unit_scratch(), k);
		struct blockfile *file = NULL;
		uint32_t row = 0;

		write_file(path, sizes[k]);
		CU_ASSERT_EQUAL_FATAL(
			blockfile_open(&file, open(path, O_RDONLY | O_CLOEXEC), path, NULL), ST_OK);
		for (size_t i = 0; i < blockfile_count(file); i++) {
			const struct flowblock *block = blockfile_block(file, i);

			for (size_t n = 0; n < block->column_count; n++) {
				const struct flowblock_column *column = &block->columns[n];

				unit_at("%u rows, type %u", sizes[k], column->type);
				if (column->key.pen == PEN) {
					CU_ASSERT_EQUAL(column->key.id, column->type + 1);
					check_column(file, i, n, row);
				}
			}
			row += block->rows;
		}
		UNIT_ASSERT_U64(row, sizes[k]);
		blockfile_close(file);
		g_free(path);
	}
}

/* Ranges are of the rows that have a value. */
static void test_ranges(void)
{
	const struct flowblock_opts opts = { .sensor = RECORD_NO_SENSOR,
					     .flowtype = RECORD_NO_FLOWTYPE };
	struct flowblock_builder *builder = flowblock_builder_new(&opts);
	struct flowblock_value value = { .key = { PEN, 9 }, .type = COLUMN_UNSIGNED32 };
	struct flowblock_prelude prelude;
	const uint8_t *bytes = NULL;
	struct flowblock block;
	struct record rec;
	size_t len = 0;

	record_init(&rec);
	for (unsigned i = 0; i < 10; i++) {
		flowblock_add(builder, &rec);
		value.number = 100 + i;
		if (i % 4 == 1) {
			CU_ASSERT_EQUAL(flowblock_set(builder, &value, NULL), ST_OK);
		}
	}
	CU_ASSERT_EQUAL_FATAL(flowblock_build(builder, &bytes, &len, NULL), ST_OK);
	CU_ASSERT_EQUAL_FATAL(flowblock_parse_prelude(bytes, &prelude, NULL), ST_OK);
	CU_ASSERT_EQUAL_FATAL(flowblock_parse(bytes + FLOWBLOCK_PRELUDE_BYTES,
					      prelude.header_len - FLOWBLOCK_PRELUDE_BYTES - 8, 10,
					      prelude.body_len, RECORD_NO_SENSOR,
					      RECORD_NO_FLOWTYPE, &block, NULL),
			      ST_OK);
	/* All core columns have their defaults but the start times, which have none. */
	CU_ASSERT_EQUAL_FATAL(block.column_count, 2);
	CU_ASSERT_EQUAL(block.columns[1].flags, FLOWBLOCK_RANGED | FLOWBLOCK_ABSENT);
	UNIT_ASSERT_U64(block.columns[1].min, 101);
	UNIT_ASSERT_U64(block.columns[1].max, 109);
	flowblock_release(&block);
	flowblock_builder_free(builder);
}

static void test_refused(void)
{
	static const uint8_t text[COLUMN_BYTES_MAX + 1];
	struct flowblock_value value = { .key = { PEN, 9 }, .type = COLUMN_UNSIGNED32 };
	struct extension_buffer *buffer = extension_buffer_new();
	struct err err;

	CU_ASSERT_EQUAL(extension_put(buffer, 3, &value, &err), ST_OK);
	CU_ASSERT_EQUAL(extension_put(buffer, 3, &value, &err), ST_EINVAL);
	UNIT_ASSERT_STR(err.text, "column 35632/9: a second value");
	value.type = COLUMN_UNSIGNED64;
	CU_ASSERT_EQUAL(extension_put(buffer, 4, &value, &err), ST_EINVAL);
	UNIT_ASSERT_STR(err.text, "column 35632/9: type 4 where the column has 3");
	value.type = COLUMN_TYPES;
	CU_ASSERT_EQUAL(extension_put(buffer, 4, &value, &err), ST_EINVAL);
	value = (struct flowblock_value){ .key = { 0, 1 }, .type = COLUMN_UNSIGNED64 };
	CU_ASSERT_EQUAL(extension_put(buffer, 4, &value, &err), ST_EINVAL);
	UNIT_ASSERT_STR(err.text, "column bytes: is one of every record");
	value = (struct flowblock_value){ .key = { PEN, 10 },
					  .type = COLUMN_STRING,
					  .bytes = { text, sizeof(text) } };
	CU_ASSERT_EQUAL(extension_put(buffer, 4, &value, &err), ST_EINVAL);
	value = (struct flowblock_value){ .type = COLUMN_UNSIGNED8 };
	for (unsigned i = 1; i < FLOWBLOCK_COLUMNS_MAX - COLUMN_COUNT; i++) {
		value.key = (struct column_key){ PEN + 1, (uint16_t)i };
		CU_ASSERT_EQUAL(extension_put(buffer, 5, &value, &err), ST_OK);
	}
	value.key = (struct column_key){ PEN + 2, 1 };
	CU_ASSERT_EQUAL(extension_put(buffer, 5, &value, &err), ST_ELIMIT);
	extension_clear(buffer);
	CU_ASSERT_EQUAL(extension_count(buffer), 0);
	UNIT_ASSERT_U64(extension_bytes(buffer), 0);
	CU_ASSERT_EQUAL(extension_put(buffer, 0, &value, &err), ST_OK);
	extension_buffer_free(buffer);
	extension_buffer_free(NULL);
}

enum { ROWS = 200, ROW_VALUES = COLUMN_TYPES + 1 };

/* Rows whose values are all of the same columns, or not; with some that are too wide for their
 * type, and some (of_other_type) that are refused; their shapes are known, or not. */
static void make_rows(struct flowblock_row rows[ROWS],
		      struct flowblock_value values[ROWS][ROW_VALUES], bool alike,
		      bool of_other_type, bool have_shapes)
{
	for (uint32_t row = 0; row < ROWS; row++) {
		const bool is_other = of_other_type && row % 60 > 40;
		uint32_t count = 0;
		uint32_t shape = 0;

		for (uint8_t type = 0; type < COLUMN_TYPES; type++) {
			if (alike || has_value(type, row)) {
				values[row][count++] = value_of(type, row);
				shape |= 2u << type;
			}
		}
		if (is_other) {
			values[row][0].type = COLUMN_SIGNED64;
		}
		record_init(&rows[row].rec);
		rows[row].rec.start_ns = row;
		rows[row].values = values[row];
		rows[row].value_count = count;
		rows[row].shape = have_shapes ? shape | is_other : 0;
	}
}

static GByteArray *block_of_each(const struct flowblock_row *rows, bool quick, size_t *lost)
{
	const struct flowblock_opts opts = { .quick = quick };
	struct flowblock_builder *builder = flowblock_builder_new(&opts);
	GByteArray *out = g_byte_array_new();

	for (uint32_t row = 0; row < ROWS; row++) {
		flowblock_add(builder, &rows[row].rec);
		for (size_t i = 0; i < rows[row].value_count; i++) {
			*lost += flowblock_set(builder, &rows[row].values[i], NULL) != ST_OK;
		}
	}
	CU_ASSERT_EQUAL(flowblock_append(builder, out, NULL), ST_OK);
	flowblock_builder_free(builder);
	return out;
}

static GByteArray *block_of_rows(struct flowblock_row *rows, size_t at_once, bool quick,
				 size_t *lost)
{
	const struct flowblock_opts opts = { .quick = quick };
	struct flowblock_builder *builder = flowblock_builder_new(&opts);
	GByteArray *out = g_byte_array_new();
	struct flowblock_row *some[ROWS];

	for (size_t row = 0; row < ROWS; row += at_once) {
		size_t count = MIN(at_once, ROWS - row);

		for (size_t i = 0; i < count; i++) {
			some[i] = &rows[row + i];
		}
		*lost += flowblock_add_rows(builder, some, count);
	}
	CU_ASSERT_EQUAL(flowblock_append(builder, out, NULL), ST_OK);
	flowblock_builder_free(builder);
	return out;
}

/* Many rows at once become the block that they become one by one. */
static void test_rows(void)
{
	static struct flowblock_row rows[ROWS];
	static struct flowblock_value values[ROWS][ROW_VALUES];
	static const size_t at_once[] = { 1, 7, 30, 64, ROWS };

	for (unsigned kind = 0; kind < 16; kind++) {
		const bool quick = kind & 1;
		size_t lost = 0;
		GByteArray *want;

		make_rows(rows, values, kind & 2, kind & 4, kind & 8);
		want = block_of_each(rows, quick, &lost);
		CU_ASSERT_EQUAL(lost > 0, (kind & 4) != 0);
		for (size_t i = 0; i < G_N_ELEMENTS(at_once); i++) {
			size_t lost_now = 0;
			GByteArray *got = block_of_rows(rows, at_once[i], quick, &lost_now);

			unit_at("kind %u, %zu at once", kind, at_once[i]);
			UNIT_ASSERT_U64(lost_now, lost);
			CU_ASSERT(got->len == want->len &&
				  memcmp(got->data, want->data, want->len) == 0);
			g_byte_array_unref(got);
		}
		g_byte_array_unref(want);
	}
}

/* Long values end a block early. */
static void test_full(void)
{
	static const uint8_t text[COLUMN_BYTES_MAX];
	const struct flowblock_value value = { .key = { PEN, 10 },
					       .type = COLUMN_OCTET_ARRAY,
					       .bytes = { text, sizeof(text) } };
	const struct blockwriter_opts opts = { .compression = CHUNK_LZO1X };
	char *path = g_strdup_printf("%s/full", unit_scratch());
	struct blockwriter *writer = NULL;
	struct blockfile *file = NULL;
	struct record rec;

	record_init(&rec);
	CU_ASSERT_EQUAL_FATAL(blockwriter_append(&writer, path, &opts, NULL, NULL), ST_OK);
	for (unsigned i = 0; i < 1200; i++) {
		CU_ASSERT_EQUAL(blockwriter_write(writer, &rec, NULL), ST_OK);
		CU_ASSERT_EQUAL(blockwriter_set(writer, &value, NULL), ST_OK);
	}
	CU_ASSERT_EQUAL(blockwriter_close(writer, NULL), ST_OK);
	CU_ASSERT_EQUAL_FATAL(blockfile_open(&file, open(path, O_RDONLY | O_CLOEXEC), path, NULL),
			      ST_OK);
	CU_ASSERT_EQUAL(blockfile_count(file), 3);
	UNIT_ASSERT_U64(blockfile_summary(file)->records, 1200);
	blockfile_close(file);
	g_free(path);
}

static const struct unit_case cases[] = {
	{ "types", test_types }, { "ranges", test_ranges }, { "refused", test_refused },
	{ "rows", test_rows },   { "full", test_full },     { NULL, NULL },
};

int main(void)
{
	return unit_run("extension", cases);
}
