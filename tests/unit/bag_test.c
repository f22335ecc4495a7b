/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/bag.h"

#include <glib.h>
#include <string.h>

#include "storage/byteorder.h"
#include "tests/unit/unit.h"

static struct ip ip_of(const char *text)
{
	struct ip ip = { 0 };
	bool is_v6;

	CU_ASSERT_EQUAL_FATAL(ip_parse(text, &ip, &is_v6, NULL), ST_OK);
	return ip;
}

/* "KEY=COUNTER KEY=COUNTER", ascending, or "" */
static void assert_content(struct bag *bag, const char *expected)
{
	GString *found = g_string_new(NULL);
	struct bag_cursor cursor;
	uint64_t count = 0;

	bag_first(bag, &cursor);
	while (bag_next(&cursor)) {
		char key[IP_TEXT_MAX];

		ip_print(key, cursor.key, true, IP_UNMAP_V6);
		g_string_append_printf(found, "%s%s=%" G_GUINT64_FORMAT, found->len ? " " : "", key,
				       cursor.counter);
		UNIT_ASSERT_U64(bag_get(bag, cursor.key), cursor.counter);
		count++;
	}
	UNIT_ASSERT_STR(found->str, expected);
	UNIT_ASSERT_U64(bag_count(bag), count);
	g_string_free(found, TRUE);
}

/* --- in memory, against a GLib table --- */

static int compare_keys(const void *a, const void *b)
{
	return ip_compare(**(struct ip *const *)a, **(struct ip *const *)b);
}

static guint hash_key(const void *key)
{
	const struct ip *ip = key;

	return (guint)(ip->lo * 31 + ip->hi);
}

static gboolean equal_keys(const void *a, const void *b)
{
	return ip_equal(*(const struct ip *)a, *(const struct ip *)b);
}

static void assert_model(struct bag *bag, GHashTable *model)
{
	guint count;
	struct ip **keys = (struct ip **)g_hash_table_get_keys_as_array(model, &count);
	struct bag_cursor cursor;
	guint same = 0;

	qsort(keys, count, sizeof(*keys), compare_keys);
	bag_first(bag, &cursor);
	for (guint i = 0; bag_next(&cursor); i++) {
		uint64_t *counter = g_hash_table_lookup(model, &cursor.key);

		same += i < count && ip_equal(cursor.key, *keys[i]) && counter &&
			*counter == cursor.counter && bag_get(bag, cursor.key) == *counter;
	}
	UNIT_ASSERT_U64(same, count);
	UNIT_ASSERT_U64(bag_count(bag), count);
	g_free(keys);
}

static void change(struct bag *bag, GHashTable *model, struct ip key, uint32_t choice)
{
	uint64_t *counter = g_hash_table_lookup(model, &key);
	uint64_t number = choice / 8 % 5;

	if (choice % 8 == 0) {
		bag_set(bag, key, number);
	} else {
		CU_ASSERT(bag_add(bag, key, number));
		number += counter ? *counter : 0;
	}
	if (number) {
		g_hash_table_replace(model, g_memdup2(&key, sizeof(key)),
				     g_memdup2(&number, sizeof(number)));
	} else {
		g_hash_table_remove(model, &key);
	}
}

/* Spread decides between pages with few keys, hash pages of all sizes, and arrays. */
static void test_random(void)
{
	static const struct {
		const char *name;
		uint16_t type;
		uint32_t spread; /* bits of keys that vary */
		bool v6;
	} cases[] = {
		{ "few ports", BAGTYPE_DPORT, 0xff, false },
		{ "all ports", BAGTYPE_DPORT, 0xffff, false },
		{ "hosts of a network", BAGTYPE_SIPV4, 0x1ffff, false },
		{ "an array grown from a table", BAGTYPE_CUSTOM, 0xffff, false },
		{ "scattered hosts", BAGTYPE_SIPV4, 0xffffffff, false },
		{ "IPv6", BAGTYPE_SIPV6, 0xfffff, true },
		{ "IPv6 among IPv4", BAGTYPE_SIPV4, 0xfff0f, true },
	};
	GRand *rand = g_rand_new_with_seed(7);

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		GHashTable *model = g_hash_table_new_full(hash_key, equal_keys, g_free, g_free);
		struct bag *bag = bag_new(cases[i].type, BAGTYPE_CUSTOM);

		unit_at("%s", cases[i].name);
		for (int j = 0; j < 60000; j++) {
			struct ip key = ip_from_v4(g_rand_int(rand) & cases[i].spread);

			if (cases[i].v6 && key.lo & 1) {
				key.hi = UINT64_C(0x20010db800000000);
			}
			change(bag, model, key, g_rand_int(rand));
			if (j % 20000 == 0) {
				assert_model(bag, model);
			}
		}
		assert_model(bag, model);
		bag_free(bag);
		g_hash_table_unref(model);
	}
	g_rand_free(rand);
}

static void test_numbers(void)
{
	static const uint32_t keys[] = { 7, 70000, 7, 0, UINT32_MAX, 70001, 7 };
	static const uint64_t counters[] = { 1, 2, 3, 4, 5, 0, 7 };
	struct bag *bag = bag_new(BAGTYPE_CUSTOM, BAGTYPE_CUSTOM);

	CU_ASSERT(bag_add_numbers(bag, keys, counters, G_N_ELEMENTS(keys)));
	assert_content(bag, "0.0.0.0=4 0.0.0.7=11 0.1.17.112=2 255.255.255.255=5");
	CU_ASSERT(bag_add_numbers(bag, keys, NULL, G_N_ELEMENTS(keys)));
	assert_content(bag, "0.0.0.0=5 0.0.0.7=14 0.1.17.112=3 0.1.17.113=1 255.255.255.255=6");
	bag_free(bag);
	bag = bag_new(BAGTYPE_SIPV6, BAGTYPE_CUSTOM);
	CU_ASSERT(bag_add_numbers(bag, keys, counters, 3));
	assert_content(bag, "0.0.0.7=4 0.1.17.112=2");
	bag_free(bag);
	bag_free(NULL);
}

static void test_overflow(void)
{
	struct bag *bag = bag_new(BAGTYPE_CUSTOM, BAGTYPE_CUSTOM);
	uint32_t key = 1;
	uint64_t counter = 5;

	CU_ASSERT(bag_add(bag, ip_from_v4(1), BAG_COUNTER_MAX - 1));
	CU_ASSERT(bag_add(bag, ip_from_v4(1), 1));
	CU_ASSERT(!bag_add(bag, ip_from_v4(1), 1));
	CU_ASSERT(!bag_add_numbers(bag, &key, &counter, 1));
	UNIT_ASSERT_U64(bag_get(bag, ip_from_v4(1)), BAG_COUNTER_MAX);
	UNIT_ASSERT_U64(bag_get(bag, ip_of("2001:db8::1")), 0);
	bag_free(bag);
}

static void test_widening(void)
{
	static const struct {
		uint16_t type;
		uint16_t widened;
	} cases[] = {
		{ BAGTYPE_SIPV4, BAGTYPE_SIPV6 },       { BAGTYPE_DIPV4, BAGTYPE_DIPV6 },
		{ BAGTYPE_NHIPV4, BAGTYPE_NHIPV6 },     { BAGTYPE_ANY_IPV4, BAGTYPE_ANY_IPV6 },
		{ BAGTYPE_CUSTOM, BAGTYPE_CUSTOM },     { BAGTYPE_SPORT, BAGTYPE_SPORT },
		{ BAGTYPE_ANY_IPV6, BAGTYPE_ANY_IPV6 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct bag *bag = bag_new(cases[i].type, BAGTYPE_RECORDS);

		unit_at("%s", bagtype_name(cases[i].type));
		bag_add(bag, ip_from_v4(0x0a000001), 3);
		bag_add(bag, ip_of("2001:db8::1"), 0);
		CU_ASSERT_EQUAL(bag_key_type(bag), cases[i].type);
		CU_ASSERT_EQUAL(bag_is_wide(bag), bagtype_octets(cases[i].type) == 16);
		bag_add(bag, ip_of("2001:db8::1"), 4);
		bag_add(bag, ip_of("::1"), 5);
		CU_ASSERT(bag_is_wide(bag));
		CU_ASSERT_EQUAL(bag_key_type(bag), cases[i].widened);
		CU_ASSERT_EQUAL(bag_counter_type(bag), BAGTYPE_RECORDS);
		assert_content(bag, "::1=5 10.0.0.1=3 2001:db8::1=4");
		bag_set(bag, ip_of("::1"), 0);
		bag_set(bag, ip_of("::2"), 0);
		assert_content(bag, "10.0.0.1=3 2001:db8::1=4");
		bag_free(bag);
	}
}

static void test_stop_early(void)
{
	struct bag *bag = bag_new(BAGTYPE_SIPV4, BAGTYPE_CUSTOM);
	struct bag_cursor cursor;

	bag_add(bag, ip_from_v4(1), 1);
	bag_first(bag, &cursor);
	CU_ASSERT(bag_next(&cursor));
	bag_cursor_release(&cursor);
	bag_add(bag, ip_of("2001:db8::1"), 1);
	bag_first(bag, &cursor);
	CU_ASSERT(bag_next(&cursor));
	bag_cursor_release(&cursor);
	bag_add(bag, ip_of("2001:db8::1"), 1);
	assert_content(bag, "0.0.0.1=1 2001:db8::1=2");
	bag_free(bag);
}

/* --- types --- */

static void test_types(void)
{
	static const struct {
		const char *a;
		const char *b;
		const char *merged;
	} cases[] = {
		{ "sIPv4", "sIPv4", "sIPv4" },
		{ "sIPv4", "dIPv4", "any-IPv4" },
		{ "nhIPv4", "sIPv6", "any-IPv6" },
		{ "sIPv6", "dIPv6", "any-IPv6" },
		{ "sPort", "dPort", "any-port" },
		{ "input", "any-snmp", "any-snmp" },
		{ "packets", "sum-packets", "sum-packets" },
		{ "bytes", "sum-bytes", "sum-bytes" },
		{ "initialFlags", "sessionFlags", "flags" },
		{ "sTime", "eTime", "any-time" },
		{ "eTime", "duration", "any-time" },
		{ "sum-duration", "any-time", "any-time" },
		{ "duration", "sum-duration", "sum-duration" },
		{ "sip-country", "any-country", "any-country" },
		{ "sip-pmap", "dip-pmap", "any-ip-pmap" },
		{ "sport-pmap", "any-port-pmap", "any-port-pmap" },
		{ "sip-pmap", "sport-pmap", "custom" },
		{ "protocol", "sPort", "custom" },
		{ "class", "type", "custom" },
		{ "custom", "sIPv4", "custom" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		uint16_t a = 0;
		uint16_t b = 0;

		unit_at("%s and %s", cases[i].a, cases[i].b);
		CU_ASSERT_EQUAL(bagtype_find(cases[i].a, &a, NULL), ST_OK);
		CU_ASSERT_EQUAL(bagtype_find(cases[i].b, &b, NULL), ST_OK);
		UNIT_ASSERT_STR(bagtype_name(bagtype_merge(a, b)), cases[i].merged);
		UNIT_ASSERT_STR(bagtype_name(bagtype_merge(b, a)), cases[i].merged);
	}
}

static void test_names(void)
{
	static const char *const wrong[] = { "", "s", "any-IP", "nope", "sIPv45" };
	uint16_t id = 0;

	for (uint16_t i = 0; i < 300; i++) {
		CU_ASSERT(bagtype_name(i) != NULL && bagtype_octets(i) > 0);
		if (bagtype_known(i) == i) {
			CU_ASSERT_EQUAL(bagtype_find(bagtype_name(i), &id, NULL), ST_OK);
			CU_ASSERT_EQUAL(id, i);
		} else {
			CU_ASSERT_EQUAL(bagtype_known(i), BAGTYPE_CUSTOM);
		}
	}
	CU_ASSERT_EQUAL(bagtype_find("PROTO", &id, NULL), ST_OK);
	CU_ASSERT_EQUAL(id, BAGTYPE_PROTOCOL);
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		unit_at("%s", wrong[i]);
		CU_ASSERT_EQUAL(bagtype_find(wrong[i], &id, NULL), ST_EINVAL);
	}
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

static int read_bytes(struct bag **out, const GByteArray *bytes, struct err *err)
{
	struct bytesource *src = bytesource_memory(bytes->data, bytes->len, "memory");
	int status = bag_read_from(out, src, NULL, err);

	bytesource_close(src);
	return status;
}

static GByteArray *written(struct bag *bag, uint8_t compression)
{
	const struct bag_write_opts opts = { .compression = compression };
	struct bytesink *sink = bytesink_memory("memory");
	GByteArray *bytes = g_byte_array_new();
	const uint8_t *at;
	size_t len;

	CU_ASSERT_EQUAL(bag_write_to(bag, sink, &opts, NULL), ST_OK);
	at = bytesink_bytes(sink, &len);
	g_byte_array_append(bytes, at, (guint)len);
	bytesink_close(sink, NULL);
	return bytes;
}

/* Fixed parts of headers: format 0x21, compression none, release 3.22.1. */
#define HEAD_LITTLE "deadbeef00211000002e1cb1"
#define HEAD_BIG    "deadbeef01211000002e1cb1"
#define END         "0000000000000008"
/* Header entry 6: types and sizes of key and counter. */
#define ENTRY(key, key_octets, counter, counter_octets)                                            \
	"0000000600000010" key key_octets counter counter_octets

/* What SiLK writes. */
#define NARROW                                                                                     \
	HEAD_LITTLE "000c0003" ENTRY("0003", "0004", "001c",                                       \
				     "0008") "00000000000000100000000000000000"                    \
					     "500000000600000000000000bb0100000700000000000000"
#define WIDE                                                                                                         \
	HEAD_LITTLE "00180004" ENTRY(                                                                                \
		"0019", "0010", "001e",                                                                              \
		"0008") "00000000000000100000000000000000"                                                           \
			"00000000000000000000ffff0a000001050000000000000020010db80000000000000000000000010700000000" \
			"000000"
#define V4(key_octets, counter_octets)                                                             \
	HEAD_LITTLE "00010004" ENTRY("00ff", key_octets, "00ff", counter_octets) END

static const struct vector {
	const char *name;
	const char *hex;
	const char *content;
	uint16_t key_type;
	uint16_t counter_type;
	bool same_written;
} vectors[] = {
	{ "version 3", NARROW, "0.0.0.80=6 0.0.1.187=7", BAGTYPE_DPORT, BAGTYPE_RECORDS, true },
	{ "version 4, IPv6", WIDE, "10.0.0.1=5 2001:db8::1=7", BAGTYPE_SIPV6, BAGTYPE_SUM_BYTES,
	  true },
	{ "version 1", HEAD_LITTLE "00080001" END "05000000060000000700000001000000",
	  "0.0.0.5=6 0.0.0.7=1", BAGTYPE_CUSTOM, BAGTYPE_CUSTOM, false },
	{ "version 1, big-endian", HEAD_BIG "00080001" END "0000000500000006", "0.0.0.5=6",
	  BAGTYPE_CUSTOM, BAGTYPE_CUSTOM, false },
	{ "version 2", HEAD_LITTLE "000c0002" END "050000000600000000000000", "0.0.0.5=6",
	  BAGTYPE_CUSTOM, BAGTYPE_CUSTOM, false },
	{ "version 3 without entry", HEAD_LITTLE "000c0003" END "050000000600000000000000",
	  "0.0.0.5=6", BAGTYPE_CUSTOM, BAGTYPE_CUSTOM, false },
	{ "version 3, big-endian",
	  HEAD_BIG "000c0003" ENTRY("0003", "0004", "001c", "0008") END "000000500000000000000006",
	  "0.0.0.80=6", BAGTYPE_DPORT, BAGTYPE_RECORDS, false },
	{ "version 3, sizes of the entry do not matter",
	  HEAD_LITTLE "000c0003" ENTRY("0003", "0002", "001c", "0004") END
	  "500000000600000000000000",
	  "0.0.0.80=6", BAGTYPE_DPORT, BAGTYPE_RECORDS, false },
	{ "version 4, 1 and 1 bytes", V4("0001", "0001") "0506ff01", "0.0.0.5=6 0.0.0.255=1",
	  BAGTYPE_CUSTOM, BAGTYPE_CUSTOM, false },
	{ "version 4, 2 and 4 bytes", V4("0002", "0004") "050006000000", "0.0.0.5=6",
	  BAGTYPE_CUSTOM, BAGTYPE_CUSTOM, false },
	{ "version 4, 4 and 2 bytes, big-endian",
	  HEAD_BIG "00060004" ENTRY("00ff", "0004", "00ff", "0002") END "000000050006", "0.0.0.5=6",
	  BAGTYPE_CUSTOM, BAGTYPE_CUSTOM, false },
	{ "version 4, 16 and 1 bytes", V4("0010", "0001") "20010db800000000000000000000000109",
	  "2001:db8::1=9", BAGTYPE_CUSTOM, BAGTYPE_CUSTOM, false },
	{ "any order, the last one counts, 0 removes",
	  HEAD_LITTLE "00080001" END
		      "0700000001000000050000000600000005000000020000000900000001000000"
		      "0900000000000000",
	  "0.0.0.5=2 0.0.0.7=1", BAGTYPE_CUSTOM, BAGTYPE_CUSTOM, false },
	{ "unknown types", HEAD_LITTLE "000c0003" ENTRY("0015", "0004", "1234", "0008") END, "",
	  BAGTYPE_CUSTOM, BAGTYPE_CUSTOM, false },
	{ "the largest counter", HEAD_LITTLE "000c0002" END "05000000feffffffffffffff",
	  "0.0.0.5=18446744073709551614", BAGTYPE_CUSTOM, BAGTYPE_CUSTOM, false },
};

static void test_vectors(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
		const struct vector *v = &vectors[i];
		GByteArray *bytes = bytes_of(v->hex);
		struct bag *bag = NULL;
		struct err err = { 0 };

		unit_at("%s", v->name);
		CU_ASSERT_EQUAL_FATAL(read_bytes(&bag, bytes, &err), ST_OK);
		assert_content(bag, v->content);
		CU_ASSERT_EQUAL(bag_key_type(bag), v->key_type);
		CU_ASSERT_EQUAL(bag_counter_type(bag), v->counter_type);
		if (v->same_written && !HOST_BIG_ENDIAN) {
			GByteArray *again = written(bag, COMPRESSION_NONE);

			CU_ASSERT(again->len == bytes->len &&
				  memcmp(again->data, bytes->data, bytes->len) == 0);
			g_byte_array_free(again, TRUE);
		}
		bag_free(bag);
		g_byte_array_free(bytes, TRUE);
	}
}

/* Several blocks, each method. */
static void test_compression(void)
{
	for (uint8_t method = COMPRESSION_NONE; method <= COMPRESSION_SNAPPY; method++) {
		for (int wide = 0; wide < 2; wide++) {
			struct bag *bag =
				bag_new(wide ? BAGTYPE_SIPV6 : BAGTYPE_SIPV4, BAGTYPE_CUSTOM);
			struct bag *again = NULL;
			GByteArray *bytes;
			struct bag_cursor cursor;
			uint64_t same = 0;

			unit_at("method %u, %s", method, wide ? "wide" : "narrow");
			for (uint32_t i = 0; i < 20000; i++) {
				bag_add(bag, ip_from_v4(i * 7), i + 1);
			}
			bytes = written(bag, method);
			CU_ASSERT_EQUAL_FATAL(read_bytes(&again, bytes, NULL), ST_OK);
			UNIT_ASSERT_U64(bag_count(again), 20000);
			bag_first(again, &cursor);
			while (bag_next(&cursor)) {
				same += bag_get(bag, cursor.key) == cursor.counter;
			}
			UNIT_ASSERT_U64(same, 20000);
			bag_free(again);
			bag_free(bag);
			g_byte_array_free(bytes, TRUE);
		}
	}
}

static void test_truncation(void)
{
	static const char *const files[] = { NARROW, WIDE };

	for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
		GByteArray *bytes = bytes_of(files[i]);
		size_t record = i == 0 ? 12 : 24;
		size_t header = bytes->len - 2 * record;

		for (guint len = 0; len < bytes->len; len++) {
			struct bytesource *src = bytesource_memory(bytes->data, len, "cut");
			struct bag *bag = NULL;
			struct err err = { 0 };
			int status = bag_read_from(&bag, src, NULL, &err);

			unit_at("file %zu cut to %u", i, len);
			if (len >= header && (len - header) % record == 0) {
				CU_ASSERT_EQUAL(status, ST_OK);
			} else {
				CU_ASSERT(status == ST_ETRUNC || status == ST_EFORMAT);
				CU_ASSERT(bag == NULL && err.text[0]);
			}
			bag_free(bag);
			bytesource_close(src);
		}
		g_byte_array_free(bytes, TRUE);
	}
}

static void test_damage(void)
{
	static const struct {
		const char *name;
		const char *hex;
		int status;
	} cases[] = {
		{ "not a bag", "deadbeef001d1000002e1cb100010002" END, ST_EFORMAT },
		{ "version 0", HEAD_LITTLE "000c0000" END, ST_EVERSION },
		{ "version 5", HEAD_LITTLE "000c0005" END, ST_EVERSION },
		{ "version 4 without entry", HEAD_LITTLE "000c0004" END, ST_EFORMAT },
		{ "key of 8 bytes", V4("0008", "0008"), ST_EFORMAT },
		{ "key of 0 bytes", V4("0000", "0008"), ST_EFORMAT },
		{ "counter of 16 bytes", V4("0004", "0010"), ST_EFORMAT },
		{ "counter of 0 bytes", V4("0004", "0000"), ST_EFORMAT },
		{ "counter out of range", HEAD_LITTLE "000c0002" END "05000000ffffffffffffffff",
		  ST_EFORMAT },
		{ "version 2, compressed", "deadbeef00211001002e1cb1000c0002" END, ST_EFORMAT },
		{ "unknown compression", "deadbeef00211009002e1cb1000c0003" END, ST_ESUPPORT },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		GByteArray *bytes = bytes_of(cases[i].hex);
		struct bag *bag = NULL;
		struct err err = { 0 };

		unit_at("%s", cases[i].name);
		CU_ASSERT_EQUAL(read_bytes(&bag, bytes, &err), cases[i].status);
		CU_ASSERT(bag == NULL);
		CU_ASSERT(strncmp(err.text, "memory: ", 8) == 0);
		bag_free(bag);
		g_byte_array_free(bytes, TRUE);
	}
}

static void test_no_file(void)
{
	struct bag *bag = NULL;
	struct header header;
	struct err err = { 0 };

	CU_ASSERT_EQUAL(bag_read(&bag, "/nonexistent/a.bag", &header, &err), ST_ENOENT);
	CU_ASSERT(bag == NULL && strstr(err.text, "/nonexistent/a.bag"));
	header_release(&header);
}

static const struct unit_case cases[] = {
	{ "against a model", test_random },
	{ "numbers", test_numbers },
	{ "overflow", test_overflow },
	{ "widening", test_widening },
	{ "stop early", test_stop_early },
	{ "merging of types", test_types },
	{ "names of types", test_names },
	{ "vectors", test_vectors },
	{ "compression", test_compression },
	{ "truncation", test_truncation },
	{ "damage", test_damage },
	{ "no file", test_no_file },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("bag", cases);
}
