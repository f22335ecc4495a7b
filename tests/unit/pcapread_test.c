/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/pcapread.h"

#include <glib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* A file in memory, given out in parts of a size. */
struct memory {
	const GByteArray *bytes;
	size_t at;
	size_t part;
	bool broken; /* the end is an error */
};

static ssize_t memory_fill(void *arg, uint8_t *out, size_t len)
{
	struct memory *memory = arg;
	size_t n = MIN(MIN(len, memory->part), memory->bytes->len - memory->at);

	memcpy(out, memory->bytes->data + memory->at, n);
	memory->at += n;
	return n == 0 && memory->broken ? -1 : (ssize_t)n;
}

struct form {
	const char *name;
	uint32_t magic;
	bool swapped;
	int64_t unit_ns;
};

static const struct form forms[] = {
	{ "microseconds", 0xa1b2c3d4, false, 1000 },
	{ "nanoseconds", 0xa1b23c4d, false, 1 },
	{ "microseconds, swapped", 0xa1b2c3d4, true, 1000 },
	{ "nanoseconds, swapped", 0xa1b23c4d, true, 1 },
};

static void add32(GByteArray *out, uint32_t value, bool swapped)
{
	value = swapped ? __builtin_bswap32(value) : value;
	g_byte_array_append(out, (const guint8 *)&value, sizeof(value));
}

static void add16(GByteArray *out, uint16_t value, bool swapped)
{
	value = swapped ? __builtin_bswap16(value) : value;
	g_byte_array_append(out, (const guint8 *)&value, sizeof(value));
}

static GByteArray *make_header(const struct form *form, uint32_t snap_bytes)
{
	GByteArray *out = g_byte_array_new();

	add32(out, form->magic, form->swapped);
	add16(out, 2, form->swapped);
	add16(out, 4, form->swapped);
	add32(out, 0, form->swapped);
	add32(out, 0, form->swapped);
	add32(out, snap_bytes, form->swapped);
	add32(out, 1, form->swapped);
	return out;
}

static uint32_t captured_of(uint32_t i)
{
	return i % 7 == 0 ? 3000 : i % 1500;
}

static void add_packet(GByteArray *out, const struct form *form, uint32_t i, uint32_t captured)
{
	guint at;

	add32(out, 1700000000 + i, form->swapped);
	add32(out, i % 1000, form->swapped);
	add32(out, captured, form->swapped);
	add32(out, captured + 4, form->swapped);
	at = out->len;
	g_byte_array_set_size(out, at + captured);
	memset(out->data + at, (int)(i & 0xff), captured);
}

static uint32_t count_wrong(struct pcapread *reader, const struct form *form, uint32_t snap_bytes,
			    uint32_t *count, struct err *err, int *st)
{
	struct pcapread_packet packet;
	uint32_t wrong = 0;
	uint32_t i = 0;

	while ((*st = pcapread_next(reader, &packet, err)) == ST_OK) {
		uint32_t captured = captured_of(i);

		wrong += packet.time_ns !=
			 INT64_C(1000000000) * (1700000000 + i) + i % 1000 * form->unit_ns;
		wrong += packet.captured != MIN(captured, snap_bytes);
		wrong += packet.wire_len != captured + 4;
		wrong += packet.captured > 0 && (packet.bytes[0] != (i & 0xff) ||
						 packet.bytes[packet.captured - 1] != (i & 0xff));
		i++;
	}
	*count = i;
	return wrong;
}

#define PACKETS 2000u

static void check(const struct form *form, uint32_t snap_bytes, size_t part, bool threaded)
{
	GByteArray *bytes = make_header(form, snap_bytes);
	struct memory memory = { .bytes = bytes, .part = part };
	struct pcapread *reader = NULL;
	struct err err = { 0, "" };
	uint32_t count = 0;
	int st;

	unit_at("%s, snap %u, parts of %zu%s", form->name, snap_bytes, part,
		threaded ? ", threaded" : "");
	for (uint32_t i = 0; i < PACKETS; i++) {
		add_packet(bytes, form, i, captured_of(i));
	}
	CU_ASSERT_EQUAL(pcapread_open(&reader, readahead_new(memory_fill, &memory, threaded), &err),
			ST_OK);
	UNIT_ASSERT_U64((unsigned)pcapread_linktype(reader), 1);
	UNIT_ASSERT_U64((unsigned)pcapread_snap_bytes(reader), snap_bytes);
	UNIT_ASSERT_U64(count_wrong(reader, form, snap_bytes, &count, &err, &st), 0);
	CU_ASSERT_EQUAL(st, ST_END);
	UNIT_ASSERT_U64(count, PACKETS);
	pcapread_free(reader);
	g_byte_array_free(bytes, TRUE);
}

static void test_forms(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
		for (int threaded = 0; threaded < 2; threaded++) {
			check(&forms[i], 262144, SIZE_MAX, threaded);
			check(&forms[i], 1000, SIZE_MAX, threaded);
			check(&forms[i], 262144, 1009, threaded);
		}
	}
}

/* A reader that is freed while its thread has much to read. */
static void test_left(void)
{
	GByteArray *bytes = make_header(&forms[0], 262144);
	struct memory memory = { .bytes = bytes, .part = 4096 };
	struct pcapread *reader = NULL;

	for (uint32_t i = 0; i < PACKETS; i++) {
		add_packet(bytes, &forms[0], i, 3000);
	}
	CU_ASSERT_EQUAL(pcapread_open(&reader, readahead_new(memory_fill, &memory, true), NULL),
			ST_OK);
	pcapread_free(reader);
	g_byte_array_free(bytes, TRUE);
}

/* One packet of 1,000 bytes, cut or damaged. */
static void test_damage(void)
{
	static const struct {
		const char *name;
		guint len;
		uint32_t captured;
		bool broken;
		const char *error;
	} rows[] = {
		{ "in a header", 24 + 15, 1000, false,
		  "truncated dump file; tried to read 16 header bytes, only got 15" },
		{ "in a packet", 24 + 16 + 999, 1000, false,
		  "truncated dump file; tried to read 1000 captured bytes, only got 999" },
		{ "too long", 24 + 16 + 1000, 262145, false,
		  "invalid packet capture length 262145, bigger than maximum of 262144" },
		{ "not readable", 24, 1000, true, "error reading dump file" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		GByteArray *bytes = make_header(&forms[0], 262144);
		struct memory memory = { .bytes = bytes,
					 .part = SIZE_MAX,
					 .broken = rows[i].broken };
		struct pcapread_packet packet;
		struct pcapread *reader = NULL;
		struct err err = { 0, "" };

		unit_at("%s", rows[i].name);
		add_packet(bytes, &forms[0], 0, rows[i].captured);
		g_byte_array_set_size(bytes, rows[i].len);
		CU_ASSERT_EQUAL(
			pcapread_open(&reader, readahead_new(memory_fill, &memory, false), &err),
			ST_OK);
		CU_ASSERT_EQUAL(pcapread_next(reader, &packet, &err), ST_EFORMAT);
		UNIT_ASSERT_STR(err.text, rows[i].error);
		pcapread_free(reader);
		g_byte_array_free(bytes, TRUE);
	}
}

/* What is not of the common form is there from its first byte on. */
static void test_others(void)
{
	static const struct {
		const char *name;
		size_t at; /* a byte that is changed */
		guint len;
	} rows[] = {
		{ "other magic", 0, 900000 }, { "other version", 4, 900000 },
		{ "no snap length", 17, 24 }, { "short", 0, 20 },
		{ "other link", 20, 900000 }, { "empty", 0, 0 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		GByteArray *bytes = make_header(&forms[0], 256);
		GByteArray *got = g_byte_array_new();
		struct memory memory = { .bytes = bytes, .part = SIZE_MAX };
		struct pcapread *reader = NULL;
		uint8_t part[1000];
		ssize_t len;

		unit_at("%s", rows[i].name);
		g_byte_array_set_size(bytes, MAX(rows[i].len, 24));
		bytes->data[rows[i].at] ^= 1;
		g_byte_array_set_size(bytes, rows[i].len);
		CU_ASSERT_EQUAL(
			pcapread_open(&reader, readahead_new(memory_fill, &memory, true), NULL),
			ST_ESUPPORT);
		while ((len = pcapread_take(reader, part, sizeof(part))) > 0) {
			g_byte_array_append(got, part, (guint)len);
		}
		UNIT_ASSERT_U64((uint64_t)len, 0);
		UNIT_ASSERT_U64(got->len, bytes->len);
		CU_ASSERT(got->len == 0 || memcmp(got->data, bytes->data, MIN(got->len, 24)) == 0);
		pcapread_free(reader);
		g_byte_array_free(got, TRUE);
		g_byte_array_free(bytes, TRUE);
	}
}

static const struct unit_case cases[] = {
	{ "forms", test_forms },
	{ "freed early", test_left },
	{ "damage", test_damage },
	{ "others", test_others },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("pcapread", cases);
}
