/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each format refuses, caps, loses and repairs (silk-flow-files.md 4.0, 4.1, 7.8). */
#include "tests/unit/unit.h"

#include "common/timestamp.h"
#include "storage/byteorder.h"
#include "tests/unit/memstream.h"

#include <string.h>

/* ---- what fits (7.8) ---- */

struct limit {
	uint8_t format;
	uint16_t version;
	enum column column;
	uint64_t value;  /* of the column; the rest is a plain record */
	uint64_t value2; /* bytes, for COLUMN_PACKETS */
	int status;
	uint64_t stored; /* what is read back from the column; 0: not looked at */
};

#define MS(n) ((n) * (uint64_t)NS_PER_MS)

static const struct limit limits[] = {
	{ FORMAT_RWSPLIT, 1, COLUMN_DURATION, MS(2047999), 0, ST_OK, MS(2047000) },
	{ FORMAT_RWSPLIT, 1, COLUMN_DURATION, MS(2048000), 0, ST_ERANGE, 0 },
	{ FORMAT_RWSPLIT, 3, COLUMN_DURATION, MS(4095999), 0, ST_OK, MS(4095999) },
	{ FORMAT_RWSPLIT, 3, COLUMN_DURATION, MS(4096000), 0, ST_ERANGE, 0 },
	{ FORMAT_RWSPLIT, 5, COLUMN_DURATION, MS(4095999), 0, ST_OK, MS(4095999) },
	{ FORMAT_RWSPLIT, 5, COLUMN_DURATION, MS(4096000), 0, ST_ERANGE, 0 },
	{ FORMAT_RWAUGMENTED, 4, COLUMN_DURATION, MS(4096000), 0, ST_ERANGE, 0 },
	{ FORMAT_RWWWW, 5, COLUMN_DURATION, MS(4096000), 0, ST_ERANGE, 0 },
	{ FORMAT_RWSPLIT, 5, COLUMN_START, MS(4095999), 0, ST_OK, MS(4095999) },
	{ FORMAT_RWSPLIT, 5, COLUMN_START, MS(4096000), 0, ST_ERANGE, 0 },
	{ FORMAT_RWSPLIT, 5, COLUMN_START, (uint64_t)-NS_PER_MS, 0, ST_ERANGE, 0 },
	{ FORMAT_RWIPV6, 2, COLUMN_START, MS(4095999), 0, ST_OK, MS(4095999) },
	{ FORMAT_RWIPV6, 2, COLUMN_START, MS(4096000), 0, ST_ERANGE, 0 },
	{ FORMAT_RWIPV6, 2, COLUMN_START, (uint64_t)-NS_PER_MS, 0, ST_ERANGE, 0 },
	{ FORMAT_RWSPLIT, 5, COLUMN_PACKETS, 1, 16383, ST_OK, 1 },
	{ FORMAT_RWSPLIT, 5, COLUMN_PACKETS, 1, 16384, ST_ERANGE, 0 },
	{ FORMAT_RWSPLIT, 5, COLUMN_PACKETS, 67108863, 4000000000, ST_OK, 67108800 },
	{ FORMAT_RWSPLIT, 5, COLUMN_PACKETS, 67108864, 4000000000, ST_ERANGE, 0 },
	{ FORMAT_RWSPLIT, 5, COLUMN_PACKETS, 5, 4, ST_ERANGE, 0 },
	{ FORMAT_RWSPLIT, 5, COLUMN_PACKETS, 0, 0, ST_ERANGE, 0 },
	{ FORMAT_RWAUGWEB, 5, COLUMN_DURATION, MS(1073741823), 0, ST_OK, MS(1073741823) },
	{ FORMAT_RWAUGWEB, 5, COLUMN_DURATION, MS(1073741824), 0, ST_ERANGE, 0 },
	{ FORMAT_RWAUGWEB, 5, COLUMN_PROTOCOL, 17, 0, ST_ERANGE, 0 },
	{ FORMAT_RWWWW, 5, COLUMN_PROTOCOL, 1, 0, ST_ERANGE, 0 },
	{ FORMAT_FLOWCAP, 5, COLUMN_DURATION, MS(70000500), 0, ST_OK, MS(65535500) },
	{ FORMAT_FLOWCAP, 5, COLUMN_PACKETS, 16777216, 16777216, ST_OK, 16777215 },
	{ FORMAT_RWFILTER, 1, COLUMN_SENSOR, 63, 0, ST_OK, 63 },
	{ FORMAT_RWFILTER, 1, COLUMN_SENSOR, 64, 0, ST_ERANGE, 0 },
	{ FORMAT_RWFILTER, 2, COLUMN_SENSOR, 255, 0, ST_OK, 255 },
	{ FORMAT_RWFILTER, 2, COLUMN_SENSOR, 256, 0, ST_ERANGE, 0 },
	{ FORMAT_RWGENERIC, 1, COLUMN_INPUT, 255, 0, ST_OK, 255 },
	{ FORMAT_RWGENERIC, 1, COLUMN_INPUT, 256, 0, ST_ERANGE, 0 },
	{ FORMAT_RWROUTED, 1, COLUMN_OUTPUT, 256, 0, ST_ERANGE, 0 },
	{ FORMAT_RWNOTROUTED, 1, COLUMN_INPUT, 256, 0, ST_ERANGE, 0 },
	{ FORMAT_RWNOTROUTED, 1, COLUMN_OUTPUT, 256, 0, ST_OK, 0 },
	{ FORMAT_RWGENERIC, 5, COLUMN_STATE, RECORD_IPV6, 0, ST_ERANGE, 0 },
	/* The wider columns of our records are capped where SiLK's formats end. */
	{ FORMAT_RWIPV6ROUTING, 1, COLUMN_PACKETS, UINT64_C(1) << 32, UINT64_C(1) << 40, ST_OK,
	  UINT32_MAX },
	{ FORMAT_RWIPV6ROUTING, 1, COLUMN_INPUT, 65536, 0, ST_OK, 65535 },
	{ FORMAT_RWIPV6ROUTING, 1, COLUMN_OUTPUT, UINT32_MAX, 0, ST_OK, 65535 },
	{ FORMAT_RWIPV6ROUTING, 1, COLUMN_DURATION, MS(UINT64_C(1) << 32), 0, ST_OK,
	  MS(UINT32_MAX) },
	{ FORMAT_RWIPV6ROUTING, 3, COLUMN_PACKETS, UINT64_C(1) << 32, UINT64_C(1) << 40, ST_OK,
	  UINT32_MAX },
	{ FORMAT_RWIPV6ROUTING, 3, COLUMN_INPUT, 65536, 0, ST_OK, 65535 },
};

static void set_column(struct record *rec, const struct limit *limit)
{
	switch (limit->column) {
	case COLUMN_START:
		rec->start_ns = MEMSTREAM_HOUR_NS + (int64_t)limit->value;
		break;
	case COLUMN_DURATION:
		rec->duration_ns = limit->value;
		break;
	case COLUMN_PACKETS:
		rec->packets = limit->value;
		rec->bytes = limit->value2;
		break;
	case COLUMN_SENSOR:
		rec->sensor = (uint16_t)limit->value;
		break;
	case COLUMN_INPUT:
		rec->input = (uint32_t)limit->value;
		break;
	case COLUMN_OUTPUT:
		rec->output = (uint32_t)limit->value;
		break;
	case COLUMN_PROTOCOL:
		rec->protocol = (uint8_t)limit->value;
		break;
	default:
		rec->state = (uint8_t)limit->value;
		break;
	}
}

static uint64_t get_column(const struct record *rec, enum column column)
{
	return column == COLUMN_START      ? (uint64_t)(rec->start_ns - MEMSTREAM_HOUR_NS)
	       : column == COLUMN_DURATION ? rec->duration_ns
	       : column == COLUMN_PACKETS  ? rec->packets
	       : column == COLUMN_SENSOR   ? rec->sensor
	       : column == COLUMN_INPUT    ? rec->input
					   : rec->output;
}

static void test_limits(void)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(limits); i++) {
		const struct limit *limit = &limits[i];
		struct header entries;
		struct stream_write_opts opts = { .format = limit->format,
						  .record_version = limit->version,
						  .entries = &entries };
		struct record rec = memstream_record(0);
		struct err err = { 0, "" };
		struct memstream_out out;
		struct memstream_read back;
		GByteArray *bytes;

		unit_at("limit %u: format 0x%02x version %u", i, limit->format, limit->version);
		header_init(&entries);
		header_add_packed_file(&entries, MEMSTREAM_HOUR_NS, 3, 1);
		out = memstream_create(&opts);
		header_release(&entries);
		set_column(&rec, limit);
		CU_ASSERT_EQUAL(stream_write(out.stream, &rec, &err), limit->status);
		CU_ASSERT(limit->status == ST_OK || err.status == ST_ERANGE);
		bytes = memstream_finish(&out);
		back = memstream_read(bytes, "limit");
		UNIT_ASSERT_U64(back.rows, limit->status == ST_OK);
		if (limit->stored != 0 && back.rows == 1) {
			UNIT_ASSERT_U64(get_column(&back.first[0], limit->column), limit->stored);
		}
		g_byte_array_unref(bytes);
	}
}

/* ---- repairs and artefacts on reading ---- */

/* One record through a format, its bytes changed on the way by fn. */
static struct record through(uint8_t format, uint16_t version, const struct record *rec,
			     void (*fn)(uint8_t *row))
{
	struct header entries;
	struct stream_write_opts opts = { .format = format,
					  .record_version = version,
					  .byte_order = BYTE_ORDER_LITTLE,
					  .entries = &entries };
	struct memstream_read back;
	struct memstream_out out;
	GByteArray *bytes;

	header_init(&entries);
	header_add_packed_file(&entries, MEMSTREAM_HOUR_NS, 3, 1);
	out = memstream_create(&opts);
	header_release(&entries);
	CU_ASSERT_EQUAL(stream_write(out.stream, rec, NULL), ST_OK);
	bytes = memstream_finish(&out);
	if (fn != NULL) {
		fn(bytes->data + bytes->len - load16_be(bytes->data + 12));
	}
	back = memstream_read(bytes, "through");
	UNIT_ASSERT_U64(back.rows, 1);
	g_byte_array_unref(bytes);
	return back.first[0];
}

static void set_expanded(uint8_t *row)
{
	row[23] |= RECORD_EXPANDED;
}

static void test_repairs(void)
{
	struct record rec = memstream_record(1);
	struct record got;

	/* Type and code in the source port: of version 5 as of any, but not with the port given. */
	rec.sport = 2048, rec.dport = 0;
	got = through(FORMAT_RWSPLIT, 5, &rec, NULL);
	UNIT_ASSERT_U64(got.sport, 0);
	UNIT_ASSERT_U64(got.dport, 2048);
	rec.dport = 5;
	got = through(FORMAT_RWSPLIT, 5, &rec, NULL);
	UNIT_ASSERT_U64(got.sport, 2048);
	/* Protocol 58 means ICMPv6 in an IPv6 record only. */
	rec.dport = 0, rec.protocol = 58;
	UNIT_ASSERT_U64(through(FORMAT_RWIPV6, 1, &rec, NULL).dport, 0);
	rec.state |= RECORD_IPV6;
	UNIT_ASSERT_U64(through(FORMAT_RWIPV6, 1, &rec, NULL).dport, 2048);
	/* EXPANDED without TCP, or without flags, goes; version 3 leaves it. */
	rec.state = 0, rec.initial_flags = 2;
	got = through(FORMAT_RWIPV6ROUTING, 1, &rec, set_expanded);
	UNIT_ASSERT_U64(got.state, 0);
	UNIT_ASSERT_U64(got.initial_flags, 0);
	got = through(FORMAT_RWIPV6ROUTING, 3, &rec, set_expanded);
	UNIT_ASSERT_U64(got.state, RECORD_EXPANDED);
	UNIT_ASSERT_U64(got.initial_flags, 2);
	/* Version 2 has no application for readers. */
	rec.application = 80;
	UNIT_ASSERT_U64(through(FORMAT_RWIPV6ROUTING, 2, &rec, NULL).application, 0);
	/* Bits that mean nothing vanish. */
	rec.initial_flags = 0, rec.state = 0xff & ~(RECORD_IPV6 | RECORD_EXPANDED);
	UNIT_ASSERT_U64(through(FORMAT_RWIPV6ROUTING, 1, &rec, NULL).state, 0x78);
}

/* P = 1048575 * 64 and 63 bytes each, and a fraction: SiLK's 32-bit product wraps (4.1). */
static void set_bpp(uint8_t *row, uint32_t bpp)
{
	store32(row, 0 << 10 | bpp >> 10, HOST_BIG_ENDIAN);
	store32(row + 4, bpp << 22, HOST_BIG_ENDIAN);
	store32(row + 8, UINT32_C(17) << 24 | UINT32_C(1) << 23 | 1048575, HOST_BIG_ENDIAN);
}

static void set_56_64ths(uint8_t *row)
{
	set_bpp(row, 63 << 6 | 56);
}

static void set_63_64ths(uint8_t *row)
{
	set_bpp(row, 63 << 6 | 63);
}

static void test_bpp_wraps(void)
{
	struct record rec = memstream_record(0);
	struct record got = through(FORMAT_RWSPLIT, 5, &rec, set_56_64ths);

	UNIT_ASSERT_U64(got.packets, 67108800);
	UNIT_ASSERT_U64(got.bytes, 4219465736);
	UNIT_ASSERT_U64(through(FORMAT_RWSPLIT, 5, &rec, set_63_64ths).bytes, 4226805761);
}

static void test_web_ports(void)
{
	struct record rec = memstream_record(0);
	struct record got;

	rec.sport = 5000, rec.dport = 60000;
	got = through(FORMAT_RWWWW, 5, &rec, NULL);
	UNIT_ASSERT_U64(got.sport, 5000);
	UNIT_ASSERT_U64(got.dport, 0);
	rec.sport = 80, rec.dport = 443;
	got = through(FORMAT_RWAUGWEB, 5, &rec, NULL);
	UNIT_ASSERT_U64(got.sport, 80);
	UNIT_ASSERT_U64(got.dport, 443);
}

/* Times that no clock will reach are capped, not wrapped into another century. */
static void set_far(uint8_t *row)
{
	store64(row, (uint64_t)INT64_MAX, false);
}

static void test_far_times(void)
{
	struct record rec = memstream_record(0);
	struct record got = through(FORMAT_RWIPV6ROUTING, 1, &rec, set_far);

	CU_ASSERT(got.start_ns > INT64_C(8000000000) * NS_PER_S);
	CU_ASSERT(record_end_ns(&got) > got.start_ns);
}

static const struct unit_case cases[] = {
	{ "limits of writing", test_limits },
	{ "repairs on reading", test_repairs },
	{ "wrapping bytes per packet", test_bpp_wraps },
	{ "web ports", test_web_ports },
	{ "times out of reach", test_far_times },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("rowlimit", cases);
}
