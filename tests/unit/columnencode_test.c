/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/columnencode.h"

#include <string.h>

#include "tests/unit/unit.h"

#define PEN  35632u
#define ROWS 2500u

/* What a chunk that is opened is told of. */
struct made {
	struct flowcolumns columns;
	struct columnencoder *encoder;
	GByteArray *stream;
	struct flowblock_column column;
	struct chunk *chunk;
};

static void fill_rows(struct flowcolumns *columns, uint32_t rows, bool v6)
{
	for (uint32_t row = 0; row < rows; row++) {
		struct record rec;

		record_init(&rec);
		rec.start_ns = -(int64_t)row;
		rec.bytes = 40 + row % 100;
		rec.dport = (uint16_t)(row * 7);
		rec.sip = v6 && row % 2 == 0 ? (struct ip){ 1, row } : ip_from_v4(row);
		flowcolumns_add(columns, &rec);
	}
	flowcolumns_settle(columns);
}

static void begin(struct made *made, bool quick, uint32_t rows, bool v6)
{
	struct record usual;

	record_init(&usual);
	flowcolumns_init(&made->columns, &usual);
	fill_rows(&made->columns, rows, v6);
	made->encoder = columnencoder_new(quick, &usual);
	made->stream = g_byte_array_new();
	made->chunk = chunk_new();
	columnencoder_begin(made->encoder, &made->columns);
}

static void end(struct made *made)
{
	flowcolumns_release(&made->columns);
	columnencoder_free(made->encoder);
	g_byte_array_unref(made->stream);
	chunk_free(made->chunk);
}

/* The stream, which must be one of so many rows. */
static void open_stream(struct made *made, uint32_t rows)
{
	const guint len = made->stream->len;
	struct err err = { 0 };

	g_byte_array_set_size(made->stream, len + CHUNK_PADDING);
	CU_ASSERT_EQUAL_FATAL(chunk_open(made->chunk, made->column.type, made->stream->data, len,
					 rows, made->column.flags & FLOWBLOCK_ABSENT, &err),
			      ST_OK);
}

static bool encode_core(struct made *made, enum column core)
{
	g_byte_array_set_size(made->stream, 0);
	made->column = (struct flowblock_column){ .key = column_core(core)->key };
	return columnencoder_core(made->encoder, core, made->stream, &made->column);
}

static void check_bytes(struct made *made, uint32_t rows)
{
	uint64_t sum = 0;
	uint64_t values[FRAME_ROWS];
	unsigned wrong = 0;

	CU_ASSERT(encode_core(made, COLUMN_BYTES));
	open_stream(made, rows);
	for (uint32_t row = 0; row < rows; row += FRAME_ROWS) {
		const uint32_t count = MIN(rows - row, FRAME_ROWS);

		CU_ASSERT_EQUAL(chunk_read_u64(made->chunk, row, count, values, NULL), ST_OK);
		for (uint32_t i = 0; i < count; i++) {
			wrong += values[i] != 40 + (row + i) % 100;
			sum += values[i];
		}
	}
	CU_ASSERT_EQUAL(wrong, 0);
	UNIT_ASSERT_U64(made->column.flags, FLOWBLOCK_RANGED | FLOWBLOCK_SUMMED);
	UNIT_ASSERT_U64(made->column.min, 40);
	UNIT_ASSERT_U64(made->column.max, 40 + MIN(rows - 1, 99));
	UNIT_ASSERT_U64(made->column.sum, sum);
}

static void check_addresses(struct made *made, uint32_t rows, bool v6)
{
	struct ip values[FRAME_ROWS];
	const uint32_t count = MIN(rows, FRAME_ROWS);
	unsigned wrong = 0;

	CU_ASSERT(
		ip_equal(columnencoder_addresses(made->encoder, COLUMN_SIP)[rows - 1],
			 v6 && rows % 2 == 1 ? (struct ip){ 1, rows - 1 } : ip_from_v4(rows - 1)));
	CU_ASSERT(encode_core(made, COLUMN_SIP));
	open_stream(made, rows);
	CU_ASSERT_EQUAL(chunk_read_ip(made->chunk, 0, count, values, NULL), ST_OK);
	for (uint32_t i = 0; i < count; i++) {
		wrong += !ip_equal(values[i],
				   v6 && i % 2 == 0 ? (struct ip){ 1, i } : ip_from_v4(i));
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(ip_equal(made->column.min_ip, ip_from_v4(v6 ? 1 : 0)));
}

static void check_start(struct made *made, uint32_t rows)
{
	int64_t values[FRAME_ROWS];
	const uint32_t count = MIN(rows, FRAME_ROWS);
	unsigned wrong = 0;

	CU_ASSERT(encode_core(made, COLUMN_START));
	open_stream(made, rows);
	CU_ASSERT_EQUAL(chunk_read_i64(made->chunk, 0, count, values, NULL), ST_OK);
	for (uint32_t i = 0; i < count; i++) {
		wrong += values[i] != -(int64_t)i;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	UNIT_ASSERT_U64(made->column.flags, 0);
}

static void test_core(void)
{
	static const struct {
		bool quick;
		uint32_t rows;
		bool v6;
	} cases[] = {
		{ false, 2, false }, { false, ROWS, false }, { false, ROWS, true },
		{ true, 2, false },  { true, ROWS, false },  { true, ROWS, true },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct made made = { 0 };

		unit_at("%s, %u rows%s", cases[i].quick ? "quick" : "small", cases[i].rows,
			cases[i].v6 ? ", IPv6" : "");
		begin(&made, cases[i].quick, cases[i].rows, cases[i].v6);
		check_bytes(&made, cases[i].rows);
		check_addresses(&made, cases[i].rows, cases[i].v6);
		check_start(&made, cases[i].rows);
		CU_ASSERT(!encode_core(&made, COLUMN_SPORT)); /* all 0 */
		CU_ASSERT_EQUAL(made.stream->len, 0);
		columnencoder_trim(made.encoder);
		end(&made);
	}
}

/* Every third row has one. */
static void put_values(struct extension_buffer *buffer, uint8_t type)
{
	for (uint32_t row = 0; row < ROWS; row += 3) {
		struct flowblock_value value = { .key = { PEN, 1 }, .type = type };

		if (column_form(type) == COLUMN_FORM_ADDRESS) {
			value.ip = ip_from_v4(row);
		} else if (column_form(type) == COLUMN_FORM_BYTES) {
			value.bytes = (struct encode_bytes){ (const uint8_t *)"abc", row % 4 };
		} else {
			value.number = row;
		}
		CU_ASSERT_EQUAL(extension_put(buffer, row, &value, NULL), ST_OK);
	}
}

static bool is_value(struct made *made, uint32_t row)
{
	const uint32_t frame = row / FRAME_ROWS * FRAME_ROWS;
	const uint32_t count = MIN(ROWS - frame, FRAME_ROWS);
	const bool present = row % 3 == 0;
	struct encode_bytes strings[FRAME_ROWS];
	struct ip addresses[FRAME_ROWS];
	uint64_t numbers[FRAME_ROWS];
	uint8_t presence[FRAME_ROWS];

	if (chunk_read_presence(made->chunk, frame, count, presence, NULL) != ST_OK ||
	    presence[row - frame] != present) {
		return false;
	}
	switch (column_form(made->column.type)) {
	case COLUMN_FORM_NUMBER:
		return chunk_read_u64(made->chunk, frame, count, numbers, NULL) == ST_OK &&
		       numbers[row - frame] == (present ? row : 0);
	case COLUMN_FORM_ADDRESS:
		return chunk_read_ip(made->chunk, frame, count, addresses, NULL) == ST_OK &&
		       ip_equal(addresses[row - frame], ip_from_v4(present ? row : 0));
	case COLUMN_FORM_BYTES:
		break;
	}
	return chunk_read_strings(made->chunk, frame, count, strings, NULL) == ST_OK &&
	       strings[row - frame].len == (present ? row % 4 : 0);
}

static void test_extensions(void)
{
	static const struct {
		uint8_t type;
		uint8_t flags;
	} cases[] = {
		{ COLUMN_UNSIGNED16, FLOWBLOCK_RANGED | FLOWBLOCK_ABSENT },
		{ COLUMN_IPV4_ADDRESS, FLOWBLOCK_RANGED | FLOWBLOCK_ABSENT },
		{ COLUMN_STRING, FLOWBLOCK_ABSENT },
	};

	for (size_t i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
		const uint8_t type = cases[i / 2].type;
		struct extension_buffer *buffer = extension_buffer_new();
		struct made made = { 0 };
		unsigned wrong = 0;

		unit_at("type %u%s", type, i % 2 ? ", quick" : "");
		begin(&made, i % 2, ROWS, false);
		put_values(buffer, type);
		made.column.key = (struct column_key){ PEN, 1 };
		columnencoder_extension(made.encoder, extension_column(buffer, 0), made.stream,
					&made.column);
		UNIT_ASSERT_U64(made.column.type, type);
		UNIT_ASSERT_U64(made.column.flags, cases[i / 2].flags);
		open_stream(&made, ROWS);
		for (uint32_t row = 0; row < ROWS; row += 7) {
			wrong += !is_value(&made, row);
		}
		CU_ASSERT_EQUAL(wrong, 0);
		extension_buffer_free(buffer);
		end(&made);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "core columns", test_core },
		{ "extension columns", test_extensions },
		{ NULL, NULL },
	};

	return unit_run("columnencode", cases);
}
