/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every layout against the vectors of silk-flow-files.md 7.7, in both byte orders and directions.
 */
#include "tests/unit/unit.h"

#include "common/timestamp.h"
#include "storage/byteorder.h"
#include "storage/rowformat.h"
#include "tests/unit/drawn.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#define HOUR_NS  (INT64_C(1709618400000) * NS_PER_MS)
#define FLOWTYPE 3
#define SENSOR   1

static struct record record_a(void)
{
	struct record rec;

	record_init(&rec);
	rec.start_ns = INT64_C(1709618828901) * NS_PER_MS;
	rec.duration_ns = 12345 * (uint64_t)NS_PER_MS;
	rec.sip = ip_from_v4(0xc0000201);
	rec.dip = ip_from_v4(0xc6336402);
	rec.nhip = ip_from_v4(0xcb0071fe);
	rec.sport = 49152;
	rec.dport = 443;
	rec.protocol = 6;
	rec.packets = 10;
	rec.bytes = 4321;
	rec.flags = 0x1b;
	rec.initial_flags = 0x02;
	rec.session_flags = 0x19;
	rec.state = RECORD_EXPANDED | RECORD_TIMEOUT;
	rec.application = 443;
	rec.sensor = SENSOR;
	rec.flowtype = FLOWTYPE;
	rec.input = 11;
	rec.output = 22;
	return rec;
}

static struct record record_b(void)
{
	struct record rec;

	record_init(&rec);
	rec.start_ns = INT64_C(1709621999999) * NS_PER_MS;
	rec.duration_ns = 1800007 * (uint64_t)NS_PER_MS;
	rec.sip = ip_from_v4(0x0a000001);
	rec.dip = ip_from_v4(0x0a000002);
	rec.nhip = ip_from_v4(0x0a0000fe);
	rec.sport = 1234;
	rec.dport = 53;
	rec.protocol = 17;
	rec.packets = 1048577;
	rec.bytes = 100000001;
	rec.flags = 0x12;
	rec.state = RECORD_CONTINUED;
	rec.application = 53;
	rec.sensor = SENSOR;
	rec.flowtype = FLOWTYPE;
	rec.input = 33;
	rec.output = 44;
	return rec;
}

struct vector {
	char format_name[24];
	unsigned version;
	char order[4];
	char which[2];
	char hex[256];
	const struct rowformat *format;
	bool swap;
	uint8_t bytes[128];
	size_t len;
};

static uint8_t format_id(const char *name)
{
	for (unsigned id = 0; id < 256; id++) {
		const char *known = header_format_name((uint8_t)id);

		if (known != NULL && strcmp(known + 3, name) == 0) {
			return (uint8_t)id;
		}
	}
	return 0xff;
}

/* Call fn for every line of the data file. */
static unsigned each_vector(void (*fn)(const struct vector *v))
{
	FILE *file = fopen(unit_path("tests/data/rowvectors.txt"), "r");
	char line[512];
	unsigned count = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		struct vector v = { .len = 0 };

		if (line[0] == '#' || sscanf(line, "%23s %u %3s %1s %255s", v.format_name,
					     &v.version, v.order, v.which, v.hex) != 5) {
			continue;
		}
		unit_at("%s v%u %s %s", v.format_name, v.version, v.order, v.which);
		v.format = rowformat_find(format_id(v.format_name), (uint16_t)v.version);
		CU_ASSERT_PTR_NOT_NULL_FATAL(v.format);
		v.swap = (strcmp(v.order, "BE") == 0) != HOST_BIG_ENDIAN;
		v.len = strlen(v.hex) / 2;
		for (size_t i = 0; i < v.len; i++) {
			unsigned byte = 0;

			sscanf(v.hex + 2 * i, "%2x", &byte);
			v.bytes[i] = (uint8_t)byte;
		}
		UNIT_ASSERT_U64(v.len, v.format->length);
		fn(&v);
		count++;
	}
	fclose(file);
	return count;
}

static struct record record_of(const struct vector *v)
{
	return v->which[0] == 'A' ? record_a() : record_b();
}

static void encode_vector(const struct vector *v)
{
	struct record rec = record_of(v);
	struct rowview view = rowview_of_record(&rec);
	uint8_t bytes[128];
	struct rowwrite out = {
		.bytes = bytes, .stride = v->len, .swap = v->swap, .hour_ns = HOUR_NS
	};
	uint16_t row = 0;

	memset(bytes, 0xee, sizeof(bytes));
	CU_ASSERT_EQUAL(rowformat_check(v->format, &view, 0, HOUR_NS, NULL), ST_OK);
	rowformat_encode(v->format, &out, &view, &row, 1);
	CU_ASSERT_EQUAL(memcmp(bytes, v->bytes, v->len), 0);
	UNIT_ASSERT_U64(bytes[v->len], 0xee);
}

static void test_encode(void)
{
	UNIT_ASSERT_U64(each_vector(encode_vector), 224);
}

/* Decoding gives what encoding again turns into the same bytes, and the fields that matter. */
static void decode_vector(const struct vector *v)
{
	struct batch *batch = batch_new();
	struct rowread in = {
		.bytes = v->bytes,
		.stride = v->len,
		.rows = 1,
		.swap = v->swap,
		.hour_ns = HOUR_NS,
		.sensor = SENSOR,
		.flowtype = FLOWTYPE,
	};
	struct record want = record_of(v);
	struct record got;

	memset(batch, 0xee, sizeof(*batch));
	batch->extensions = NULL;
	rowformat_decode(v->format, &in, COLUMNS_ALL, batch);
	UNIT_ASSERT_U64(batch->rows, 1);
	UNIT_ASSERT_U64(batch->selected, 1);
	UNIT_ASSERT_U64(batch->columns, COLUMNS_ALL);
	batch_get(batch, 0, &got);
	CU_ASSERT(ip_equal(got.sip, want.sip));
	CU_ASSERT(ip_equal(got.dip, want.dip));
	UNIT_ASSERT_U64(got.sport, want.sport);
	UNIT_ASSERT_U64(got.dport, want.dport);
	UNIT_ASSERT_U64(got.protocol, want.protocol);
	UNIT_ASSERT_U64(got.sensor, SENSOR);
	CU_ASSERT_EQUAL(got.start_ns / NS_PER_S, want.start_ns / NS_PER_S);
	CU_ASSERT_EQUAL(got.duration_ns / NS_PER_S, want.duration_ns / NS_PER_S);
	CU_ASSERT(got.packets == want.packets || (got.packets == 1048576 && got.bytes == 99991552));
	CU_ASSERT(got.bytes == want.bytes || got.bytes == 99991552);
	CU_ASSERT(got.flags == want.flags || got.protocol != 6);
	batch_free(batch);
}

/* What encodes all columns of a row at once does as the columns one after the other. */
static void test_whole_rows(void)
{
	const struct rowformat *format = rowformat_find(FORMAT_RWIPV6ROUTING, 1);
	struct rowformat by_column = *format;
	struct batch *batch = batch_new();
	GRand *rng = g_rand_new_with_seed(11);

	by_column.encode = NULL;
	CU_ASSERT(format->encode != NULL);
	for (unsigned swap = 0; swap < 2; swap++) {
		uint8_t bytes[2][BATCH_ROWS * 90];
		struct rowwrite out = { .stride = 90, .swap = swap };
		struct rowview view = rowview_of_batch(batch);

		batch_clear(batch, COLUMNS_ALL);
		for (uint32_t i = 0; i < BATCH_ROWS; i++) {
			struct record rec;

			drawn_record(rng, &rec);
			batch_append(batch, &rec);
		}
		memset(bytes, 0xee, sizeof(bytes));
		out.bytes = bytes[0];
		rowformat_encode(format, &out, &view, batch->selection + 3, BATCH_ROWS - 5);
		out.bytes = bytes[1];
		rowformat_encode(&by_column, &out, &view, batch->selection + 3, BATCH_ROWS - 5);
		CU_ASSERT(memcmp(bytes[0], bytes[1], sizeof(bytes[0])) == 0);
	}
	g_rand_free(rng);
	batch_free(batch);
}

static void test_decode(void)
{
	each_vector(decode_vector);
}

/* Each column alone, swapped or not, is the same as among all of them. */
static void decode_columns(const struct vector *v)
{
	struct batch *all = batch_new();
	struct batch *one = batch_new();
	struct rowread in = {
		.bytes = v->bytes,
		.stride = v->len,
		.rows = 1,
		.swap = v->swap,
		.hour_ns = HOUR_NS,
		.sensor = SENSOR,
		.flowtype = FLOWTYPE,
	};

	rowformat_decode(v->format, &in, COLUMNS_ALL, all);
#define X(upper, member, type)                                                                     \
	memset(one, 0xee, sizeof(*one));                                                           \
	one->extensions = NULL;                                                                    \
	rowformat_decode(v->format, &in, COLUMN_BIT(COLUMN_##upper), one);                         \
	CU_ASSERT(one->columns &COLUMN_BIT(COLUMN_##upper));                                       \
	CU_ASSERT_EQUAL(memcmp(&all->member[0], &one->member[0], sizeof(type)), 0);
	RECORD_COLUMNS(X)
#undef X
	batch_free(all);
	batch_free(one);
}

static void test_columns(void)
{
	each_vector(decode_columns);
}

static const struct unit_case cases[] = {
	{ "encode every vector", test_encode },
	{ "encode whole rows", test_whole_rows },
	{ "decode every vector", test_decode },
	{ "decode single columns", test_columns },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("rowformat", cases);
}
