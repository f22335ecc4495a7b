/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/aggbag.h"

#include <glib.h>
#include <string.h>

#include "storage/byteorder.h"
#include "tests/unit/unit.h"

#define SPORT    2
#define PROTOCOL 4
#define RECORDS  0xc000
#define BYTES    0xc002

static struct agglayout layout_of(const uint16_t *ids, size_t count)
{
	struct agglayout layout = { 0 };

	for (size_t i = 0; i < count; i++) {
		CU_ASSERT(agglayout_add(&layout, ids[i]));
	}
	return layout;
}

static struct agglayout small_layout(void)
{
	static const uint16_t ids[] = { BYTES, SPORT, RECORDS, PROTOCOL };

	return layout_of(ids, G_N_ELEMENTS(ids));
}

static void add(struct aggbag *bag, uint16_t port, uint8_t protocol, uint64_t records,
		uint64_t bytes)
{
	uint8_t key[3];
	const uint64_t counters[] = { records, bytes };

	store16_be(key, port);
	key[2] = protocol;
	aggbag_add(bag, key, counters);
}

/* "53/17=1,80 443/6=3,1540" */
static void assert_content(const struct aggbag *bag, const char *expected)
{
	GString *found = g_string_new(NULL);
	struct aggbag_cursor cursor;

	aggbag_first(bag, &cursor);
	while (aggbag_next(&cursor)) {
		g_string_append_printf(found, "%s%u/%u=%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT,
				       found->len ? " " : "", load16_be(cursor.key), cursor.key[2],
				       cursor.counters[0], cursor.counters[1]);
		CU_ASSERT_PTR_EQUAL(aggbag_find(bag, cursor.key), cursor.counters);
	}
	UNIT_ASSERT_STR(found->str, expected);
	g_string_free(found, TRUE);
}

/* --- fields and layouts --- */

static void test_fields(void)
{
	uint16_t id = 0;

	for (size_t i = 0; i < aggfield_count; i++) {
		const struct aggfield *field = &aggfield_table[i];

		unit_at("field %u", field->id);
		CU_ASSERT_PTR_EQUAL(aggfield_of(field->id), field);
		CU_ASSERT(aggfield_name(field->id) != NULL && field->help != NULL);
		CU_ASSERT_EQUAL(aggfield_find(aggfield_name(field->id), AGGFIELD_ANY, &id, NULL),
				field->sets & AGGFIELD_NAMED ? ST_OK : ST_EINVAL);
		CU_ASSERT_EQUAL(field->kind == AGGKIND_COUNTER, aggfield_is_counter(field->id));
	}
	CU_ASSERT_PTR_NULL(aggfield_of(21));
	CU_ASSERT_PTR_NULL(aggfield_of(0xc005));
	CU_ASSERT_EQUAL(aggfield_find("PROTO", AGGFIELD_ANY, &id, NULL), ST_OK);
	CU_ASSERT_EQUAL(id, PROTOCOL);
	CU_ASSERT_EQUAL(aggfield_find("sip", AGGFIELD_ANY, &id, NULL), ST_EINVAL);
	CU_ASSERT_EQUAL(aggfield_find("", AGGFIELD_ANY, &id, NULL), ST_EINVAL);
	CU_ASSERT_EQUAL(aggfield_find("records", AGGFIELD_NAMED | AGGFIELD_KEYS, &id, NULL),
			ST_EINVAL);
	CU_ASSERT_EQUAL(aggfield_find("any-port", AGGFIELD_FLOW | AGGFIELD_KEYS, &id, NULL),
			ST_EINVAL);
}

static void test_layout(void)
{
	static const uint16_t ids[] = { SPORT, PROTOCOL, RECORDS, BYTES };
	static const uint16_t places[] = { 0, 2, 3, 11 };
	struct agglayout layout = small_layout();
	struct agglayout other = layout;

	CU_ASSERT_EQUAL_FATAL(layout.count, 4);
	CU_ASSERT_EQUAL(layout.key_count, 2);
	CU_ASSERT_EQUAL(layout.key_bytes, 3);
	CU_ASSERT_EQUAL(layout.record_bytes, 19);
	for (size_t i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(layout.ids[i], ids[i]);
		CU_ASSERT_EQUAL(layout.at[i], places[i]);
		CU_ASSERT_EQUAL(agglayout_find(&layout, ids[i]), (int)i);
	}
	CU_ASSERT(!agglayout_add(&layout, BYTES));
	CU_ASSERT(agglayout_equal(&layout, &other));
	CU_ASSERT(agglayout_remove(&layout, PROTOCOL));
	CU_ASSERT(!agglayout_remove(&layout, PROTOCOL));
	CU_ASSERT(!agglayout_equal(&layout, &other));
	CU_ASSERT_EQUAL(layout.record_bytes, 18);
	CU_ASSERT_EQUAL(agglayout_find(&layout, PROTOCOL), -1);
}

static void test_numbers(void)
{
	uint8_t bytes[8] = { 0 };

	for (unsigned octets = 1; octets <= 8; octets *= 2) {
		agglayout_store(bytes, 0x81, octets);
		CU_ASSERT_EQUAL(bytes[octets - 1], 0x81);
		UNIT_ASSERT_U64(agglayout_load(bytes, octets), 0x81);
	}
}

/* --- in memory --- */

static void test_add(void)
{
	struct agglayout layout = small_layout();
	struct aggbag *bag = aggbag_new(&layout);
	const uint8_t missing[3] = { 0 };

	assert_content(bag, "");
	add(bag, 443, 6, 2, 1500);
	add(bag, 53, 17, 1, 80);
	add(bag, 443, 6, 1, 40);
	add(bag, 9, 6, 0, 0);
	assert_content(bag, "53/17=1,80 443/6=3,1540");
	CU_ASSERT_PTR_NULL(aggbag_find(bag, missing));
	add(bag, 443, 6, UINT64_MAX, UINT64_MAX - 1540);
	add(bag, 443, 6, 0, 1);
	assert_content(bag, "53/17=1,80 443/6=18446744073709551615,18446744073709551615");
	aggbag_free(bag);
	aggbag_free(NULL);
}

static void test_add_many(void)
{
	struct agglayout layout = small_layout();
	struct aggbag *one = aggbag_new(&layout);
	struct aggbag *many = aggbag_new(&layout);
	size_t stride = aggbag_stride(many);
	uint8_t *keys = g_malloc0(1000 * stride);
	uint64_t *counters = g_new(uint64_t, 2000);
	struct aggbag_cursor a;
	struct aggbag_cursor b;
	GRand *rand = g_rand_new_with_seed(3);
	unsigned same = 0;

	for (unsigned i = 0; i < 1000; i++) {
		store16_be(keys + i * stride, (uint16_t)g_rand_int_range(rand, 0, 300));
		keys[i * stride + 2] = 6;
		counters[2 * i] = 1;
		counters[2 * i + 1] = g_rand_int(rand);
		aggbag_add(one, keys + i * stride, counters + (size_t)2 * i);
	}
	aggbag_add_many(many, keys, counters, 1000);
	aggbag_first(one, &a);
	aggbag_first(many, &b);
	while (aggbag_next(&a)) {
		CU_ASSERT_FATAL(aggbag_next(&b));
		same += memcmp(a.key, b.key, 3) == 0 && a.counters[0] == b.counters[0] &&
			a.counters[1] == b.counters[1];
	}
	CU_ASSERT(!aggbag_next(&b));
	CU_ASSERT(same > 200);
	g_rand_free(rand);
	g_free(keys);
	g_free(counters);
	aggbag_free(one);
	aggbag_free(many);
}

/* --- files --- */

static GByteArray *bytes_of(const char *hex)
{
	GByteArray *bytes = g_byte_array_new();

	for (; *hex; hex += 2) {
		guint8 byte =
			(guint8)(g_ascii_xdigit_value(hex[0]) * 16 + g_ascii_xdigit_value(hex[1]));

		g_byte_array_append(bytes, &byte, 1);
	}
	return bytes;
}

static int read_bytes(struct aggbag **out, const uint8_t *bytes, size_t len, struct err *err)
{
	struct bytesource *src = bytesource_memory(bytes, len, "memory");
	int status = aggbag_read_from(out, src, NULL, err);

	bytesource_close(src);
	return status;
}

#define HEAD "deadbeef00091000002e1cb100130001"
#define FIELDS                                                                                     \
	"00040002"                                                                                 \
	"0002"                                                                                     \
	"0004"                                                                                     \
	"c000"                                                                                     \
	"c002"
#define ENTRY                                                                                      \
	"0000000800000018"                                                                         \
	"00000001" FIELDS
#define END                                                                                        \
	"0000000000000011"                                                                         \
	"000000000000000000"
#define ROWS                                                                                       \
	"0035"                                                                                     \
	"11"                                                                                       \
	"0000000000000001"                                                                         \
	"0000000000000050"                                                                         \
	"01bb"                                                                                     \
	"06"                                                                                       \
	"0000000000000003"                                                                         \
	"0000000000000604"

static void test_vector(void)
{
	GByteArray *bytes = bytes_of(HEAD ENTRY END ROWS);
	const struct aggbag_write_opts opts = { .compression = COMPRESSION_NONE };
	struct bytesink *sink = bytesink_memory("memory");
	struct aggbag *bag = NULL;
	const uint8_t *at;
	size_t len;

	CU_ASSERT_EQUAL_FATAL(read_bytes(&bag, bytes->data, bytes->len, NULL), ST_OK);
	assert_content(bag, "53/17=1,80 443/6=3,1540");
	CU_ASSERT_EQUAL(aggbag_write_to(bag, sink, &opts, NULL), ST_OK);
	at = bytesink_bytes(sink, &len);
	if (!HOST_BIG_ENDIAN) {
		CU_ASSERT(len == bytes->len && memcmp(at, bytes->data, len) == 0);
	}
	bytesink_close(sink, NULL);
	aggbag_free(bag);
	g_byte_array_free(bytes, TRUE);
}

/* Fields in another order in the header, and the other byte order: the data are the same. */
static void test_header_order(void)
{
	GByteArray *bytes = bytes_of("deadbeef01091000002e1cb100130001"
				     "0000000800000018"
				     "00000001"
				     "00040002"
				     "0004"
				     "0002"
				     "c002"
				     "c000" END ROWS);
	struct aggbag *bag = NULL;

	CU_ASSERT_EQUAL_FATAL(read_bytes(&bag, bytes->data, bytes->len, NULL), ST_OK);
	assert_content(bag, "53/17=1,80 443/6=3,1540");
	aggbag_free(bag);
	g_byte_array_free(bytes, TRUE);
}

static void test_truncation(void)
{
	GByteArray *bytes = bytes_of(HEAD ENTRY END ROWS);
	size_t header = bytes->len - (size_t)2 * 19;

	for (guint len = 0; len < bytes->len; len++) {
		struct aggbag *bag = NULL;
		struct err err = { 0 };
		int status = read_bytes(&bag, bytes->data, len, &err);

		unit_at("cut to %u", len);
		if (len >= header && (len - header) % 19 == 0) {
			CU_ASSERT_EQUAL(status, ST_OK);
		} else {
			CU_ASSERT(status == ST_ETRUNC || status == ST_EFORMAT);
			CU_ASSERT(bag == NULL && err.text[0]);
		}
		aggbag_free(bag);
	}
	g_byte_array_free(bytes, TRUE);
}

static void test_damage(void)
{
	static const struct {
		const char *name;
		const char *hex;
		int status;
	} cases[] = {
		{ "not an aggregate bag", "deadbeef00211000002e1cb100130001" ENTRY END,
		  ST_EFORMAT },
		{ "version 2", "deadbeef00091000002e1cb100130002" ENTRY END, ST_EVERSION },
		{ "no entry", HEAD "0000000000000008", ST_EFORMAT },
		{ "wrong record length", "deadbeef00091000002e1cb100120001" ENTRY END, ST_EFORMAT },
		{ "unknown field",
		  HEAD "0000000800000018"
		       "00000001"
		       "00040002"
		       "0002"
		       "0015"
		       "c000"
		       "c002" END,
		  ST_EFORMAT },
		{ "repeated field",
		  HEAD "0000000800000018"
		       "00000001"
		       "00040002"
		       "0002"
		       "0002"
		       "c000"
		       "c002" END,
		  ST_EFORMAT },
		{ "wrong number of keys",
		  HEAD "0000000800000018"
		       "00000001"
		       "00040001"
		       "0002"
		       "0004"
		       "c000"
		       "c002" END,
		  ST_EFORMAT },
		{ "no counter",
		  HEAD "0000000800000014"
		       "00000001"
		       "00020002"
		       "0002"
		       "0004" END,
		  ST_EFORMAT },
		{ "a key twice",
		  HEAD ENTRY END ROWS "0035"
				      "11"
				      "0000000000000001"
				      "0000000000000050",
		  ST_EFORMAT },
		{ "unknown compression", "deadbeef00091009002e1cb100130001" ENTRY END,
		  ST_ESUPPORT },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		GByteArray *bytes = bytes_of(cases[i].hex);
		struct aggbag *bag = NULL;
		struct err err = { 0 };

		unit_at("%s", cases[i].name);
		CU_ASSERT_EQUAL(read_bytes(&bag, bytes->data, bytes->len, &err), cases[i].status);
		CU_ASSERT(bag == NULL);
		CU_ASSERT(strncmp(err.text, "memory: ", 8) == 0);
		aggbag_free(bag);
		g_byte_array_free(bytes, TRUE);
	}
}

static const struct unit_case cases[] = {
	{ "fields", test_fields },
	{ "layout", test_layout },
	{ "numbers", test_numbers },
	{ "add", test_add },
	{ "add many", test_add_many },
	{ "vector", test_vector },
	{ "order of the header", test_header_order },
	{ "truncation", test_truncation },
	{ "damage", test_damage },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("aggbag", cases);
}
