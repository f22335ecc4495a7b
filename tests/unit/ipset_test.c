/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/ipset.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/ipsetform.h"
#include "tests/unit/unit.h"

/* --- sets from text --- */

/* Blocks separated by blanks, inserted one after the other. */
static struct ipset *set_of(const char *text)
{
	struct ipset *set = ipset_new();
	char **words = g_strsplit(text, " ", -1);

	for (char **word = words; *word && **word; word++) {
		char *slash = strchr(*word, '/');
		unsigned prefix = slash ? (unsigned)atoi(slash + 1) : 0;
		struct ip ip;
		bool is_v6;

		if (slash) {
			*slash = '\0';
		}
		CU_ASSERT_EQUAL_FATAL(ip_parse(*word, &ip, &is_v6, NULL), ST_OK);
		prefix = !slash ? 128 : is_v6 ? prefix : prefix + 96;
		ipset_add_range(set, ip_block_first(ip, prefix), ip_block_last(ip, prefix));
	}
	g_strfreev(words);
	ipset_finish(set);
	return set;
}

static bool sets_equal(const struct ipset *a, const struct ipset *b)
{
	if (ipset_ranges(a) != ipset_ranges(b)) {
		return false;
	}
	for (size_t i = 0; i < ipset_ranges(a); i++) {
		struct cidr x = ipset_range(a, i);
		struct cidr y = ipset_range(b, i);

		if (!ip_equal(x.first, y.first) || !ip_equal(x.last, y.last)) {
			return false;
		}
	}
	return true;
}

static GByteArray *written(const struct ipset *set, const struct ipset_write_opts *opts)
{
	struct bytesink *sink = bytesink_memory("memory");
	GByteArray *bytes = g_byte_array_new();
	const uint8_t *at;
	size_t len;

	CU_ASSERT_EQUAL(ipset_write_to(set, sink, opts, NULL), ST_OK);
	at = bytesink_bytes(sink, &len);
	g_byte_array_append(bytes, at, (guint)len);
	bytesink_close(sink, NULL);
	return bytes;
}

static int read_bytes(struct ipset **out, const void *bytes, size_t len, struct err *err)
{
	struct bytesource *src = bytesource_memory(bytes, len, "memory");
	int status = ipset_read_from(out, src, NULL, err);

	bytesource_close(src);
	return status;
}

/* --- algebra, against a bitmap --- */

#define WINDOW 65536u
#define BASE   0x0a00ff00u /* crosses a /16 */

static void check_against(const struct ipset *set, const uint8_t *model)
{
	uint64_t expected = 0;
	uint64_t high;
	uint64_t low;
	struct ip before = { 0, 0 };

	for (uint32_t i = 0; i < WINDOW; i++) {
		expected += model[i];
		if (ipset_contains(set, ip_from_v4(BASE + i)) != model[i]) {
			CU_FAIL("contains");
			return;
		}
	}
	ipset_count(set, &high, &low);
	CU_ASSERT_EQUAL(high, 0);
	UNIT_ASSERT_U64(low, expected);
	CU_ASSERT_EQUAL(ipset_is_empty(set), expected == 0);
	for (size_t i = 0; i < ipset_ranges(set); i++) {
		struct cidr range = ipset_range(set, i);

		CU_ASSERT(ip_compare(range.first, range.last) <= 0);
		CU_ASSERT(i == 0 || ip_compare(ip_next(before), range.first) < 0);
		CU_ASSERT_EQUAL(range.is_v6, ipset_has_ipv6(set));
		before = range.last;
	}
}

/* One random addition: mostly single addresses, some ranges. */
static void add_random(struct ipset *set, uint8_t *model, GRand *rand, uint32_t spread)
{
	uint32_t first = (uint32_t)g_rand_int_range(rand, 0, (gint32)spread);
	uint32_t last = first;

	if (g_rand_int_range(rand, 0, 4) == 0) {
		last += (uint32_t)g_rand_int_range(rand, 0, 600);
		last = MIN(last, WINDOW - 1);
		ipset_add_range(set, ip_from_v4(BASE + first), ip_from_v4(BASE + last));
	} else {
		ipset_add(set, ip_from_v4(BASE + first));
	}
	memset(model + first, 1, last - first + 1);
}

static void test_random(void)
{
	uint8_t *model = g_malloc(WINDOW);

	for (guint32 seed = 1; seed <= 60; seed++) {
		GRand *rand = g_rand_new_with_seed(seed);
		struct ipset *set = ipset_new();
		bool wide = seed % 3 == 0;
		int rounds = seed % 2 ? 3 : 1;

		unit_at("seed %u", seed);
		memset(model, 0, WINDOW);
		if (wide) {
			ipset_widen(set);
		}
		for (int round = 0; round < rounds; round++) {
			for (guint32 i = 0; i < seed * 5; i++) {
				add_random(set, model, rand, seed % 5 ? WINDOW : 2000);
			}
			ipset_finish(set);
			check_against(set, model);
		}
		ipset_free(set);
		g_rand_free(rand);
	}
	g_free(model);
}

/* An address of few networks, dense in some, so that it comes again and neighbours join. */
static struct ip draw_address(GRand *rand)
{
	uint32_t kind = (uint32_t)g_rand_int_range(rand, 0, 4);

	if (kind == 0) {
		return ip_from_v4(0x0a000000u + (uint32_t)g_rand_int_range(rand, 0, 3000));
	}
	return (struct ip){
		.hi = UINT64_C(0x20010db800000000) + (uint64_t)g_rand_int_range(rand, 0, 40),
		.lo = kind == 1 ? g_rand_int(rand) : (uint64_t)g_rand_int_range(rand, 0, 200),
	};
}

/* Many at once make the same file as one after the other, whatever the portions. */
static void test_many(void)
{
	const struct ipset_write_opts opts = { .record_version = 3 };

	for (guint32 seed = 1; seed <= 8; seed++) {
		GRand *rand = g_rand_new_with_seed(seed);
		struct ipset *sets[2] = { ipset_new(), ipset_new() };
		GByteArray *bytes[2];

		unit_at("seed %u", seed);
		for (guint32 i = 0; i < 400; i++) {
			struct ip ips[300];
			size_t count = (size_t)g_rand_int_range(rand, 0, G_N_ELEMENTS(ips));

			for (size_t n = 0; n < count; n++) {
				ips[n] = draw_address(rand);
				ipset_add(sets[0], ips[n]);
			}
			ipset_add_many(sets[1], ips, count);
		}
		for (size_t n = 0; n < 2; n++) {
			ipset_finish(sets[n]);
			bytes[n] = written(sets[n], &opts);
			CU_ASSERT_EQUAL(bytes[n]->len, bytes[0]->len);
			CU_ASSERT(memcmp(bytes[n]->data, bytes[0]->data, bytes[0]->len) == 0);
		}
		for (size_t n = 0; n < 2; n++) {
			g_byte_array_unref(bytes[n]);
			ipset_free(sets[n]);
		}
		g_rand_free(rand);
	}
}

static void test_many_out_of_order(void)
{
	struct ipset *set = ipset_new();
	uint64_t high;
	uint64_t low;

	/* descending pairs with gaps: more than are let pile up before sorting */
	for (uint32_t i = 200000; i > 0; i--) {
		ipset_add_range(set, ip_from_v4(i * 4), ip_from_v4(i * 4 + 1));
	}
	ipset_finish(set);
	ipset_count(set, &high, &low);
	UNIT_ASSERT_U64(low, 400000);
	UNIT_ASSERT_U64(ipset_ranges(set), 200000);
	CU_ASSERT(ipset_contains(set, ip_from_v4(4)));
	CU_ASSERT(!ipset_contains(set, ip_from_v4(6)));
	ipset_free(set);
}

static void test_ipv6(void)
{
	struct ipset *set = set_of("2001:db8::/32 10.0.0.1 ::ffff:10.0.0.2 ::1");
	struct ip ip;
	bool is_v6;
	uint64_t high;
	uint64_t low;

	CU_ASSERT(ipset_has_ipv6(set));
	CU_ASSERT(ipset_contains(set, ip_from_v4(0x0a000001)));
	CU_ASSERT(ipset_contains(set, ip_from_v4(0x0a000002)));
	CU_ASSERT(!ipset_contains(set, ip_from_v4(0x0a000003)));
	ip_parse("2001:db8:ffff::1", &ip, &is_v6, NULL);
	CU_ASSERT(ipset_contains(set, ip));
	ip_parse("2001:db9::", &ip, &is_v6, NULL);
	CU_ASSERT(!ipset_contains(set, ip));
	CU_ASSERT(!ipset_contains(set, (struct ip){ UINT64_MAX, UINT64_MAX }));
	ipset_count(set, &high, &low);
	UNIT_ASSERT_U64(high, UINT64_C(1) << 32);
	UNIT_ASSERT_U64(low, 3);
	UNIT_ASSERT_U64(ipset_ranges(set), 3);
	ipset_free(set);
}

static void test_everything(void)
{
	struct ipset *set = set_of("::/1 8000::/1");
	uint64_t high = 1;
	uint64_t low = 1;

	ipset_count(set, &high, &low);
	CU_ASSERT(high == 0 && low == 0 && !ipset_is_empty(set));
	UNIT_ASSERT_U64(ipset_ranges(set), 1);
	for (uint16_t version = 3; version <= 5; version++) {
		struct ipset_write_opts opts = { .record_version = version };
		GByteArray *bytes = written(set, &opts);
		struct ipset *read = NULL;

		unit_at("version %u", version);
		CU_ASSERT_EQUAL_FATAL(read_bytes(&read, bytes->data, bytes->len, NULL), ST_OK);
		CU_ASSERT(sets_equal(read, set));
		ipset_free(read);
		g_byte_array_free(bytes, TRUE);
	}
	CU_ASSERT(ipset_contains(set, (struct ip){ UINT64_MAX, UINT64_MAX }));
	CU_ASSERT(ipset_contains(set, (struct ip){ 0, 0 }));
	ipset_free(set);
	set = ipset_new();
	ipset_add_range(set, ip_from_v4(0), ip_from_v4(UINT32_MAX));
	ipset_finish(set);
	ipset_count(set, &high, &low);
	UNIT_ASSERT_U64(low, UINT64_C(1) << 32);
	CU_ASSERT(ipset_contains(set, ip_from_v4(UINT32_MAX)));
	CU_ASSERT(!ipset_has_ipv6(set));
	ipset_free(set);
	ipset_free(NULL);
}

static void test_intersects(void)
{
	static const struct {
		const char *a;
		const char *b;
		bool expected;
	} cases[] = {
		{ "", "10.0.0.0/8", false },
		{ "10.0.0.0/8", "10.1.1.1", true },
		{ "10.0.0.0/8 12.0.0.0/8", "11.0.0.0/8 13.0.0.1", false },
		{ "10.0.0.0/8", "2001:db8::1", false },
		{ "10.0.0.0/8", "2001:db8::1 ::ffff:10.0.0.1", true },
		{ "1.1.1.1 3.3.3.3 5.5.5.5", "2.2.2.2 4.4.4.4 5.5.5.5", true },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct ipset *a = set_of(cases[i].a);
		struct ipset *b = set_of(cases[i].b);

		unit_at("%s and %s", cases[i].a, cases[i].b);
		CU_ASSERT_EQUAL(ipset_intersects(a, b), cases[i].expected);
		CU_ASSERT_EQUAL(ipset_intersects(b, a), cases[i].expected);
		ipset_free(a);
		ipset_free(b);
	}
}

/* --- files --- */

static const struct vector {
	const char *name;
	uint16_t version;
	const char *text;
	const char *hex; /* of the file, not compressed */
} vectors[] = {
	{ "IPv4, version 2", 2, "10.0.0.1 10.0.0.3 10.0.1.0/24 10.0.2.0/23",
	  "deadbeef001d1000002e1cb10001000200000000000000080000000a0a0000000000000000000000"
	  "00000000000000000000000000000000000000000001000affffffffffffffffffffffffffffffff"
	  "ffffffffffffffffffffffffffffffff0002000affffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffffffffffff0003000affffffffffffffffffffffffffffffffffffffffffffffff"
	  "ffffffffffffffff" },
	{ "IPv4, version 4", 4, "10.0.0.1 10.0.0.3 10.0.1.0/24 10.0.2.0/23",
	  "deadbeef001d1000002e1cb100010004000000070000002000000000000000000000000400000000"
	  "000000000000000000000000000000080000000a810a000000000000000000000000000000000000"
	  "000000000000000000000000000001000a180002000a17" },
	{ "IPv4, version 3", 3, "10.0.0.1 10.0.0.8/30",
	  "deadbeef001d1000002e1cb100010003000000070000002000000010000000030000000800000002"
	  "00000050000000010000000000000008000000000000000000000000000000000000000000000000"
	  "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "00000000000000000000000000000000000000000100000000000000000000000000000000000000"
	  "00000000000000000200000002000000020000000200000000000000000000000000000000000000"
	  "020f0000000e00001c0000000000000a0000000000000000200000000100000a1e0000000800000a" },
	{ "IPv6, version 3", 3, "2001:db8::1 2001:db8::8/126",
	  "deadbeef001d1000002e1cb100010003000000070000002000000010000000030000001800000002"
	  "00000060000000010000000000000008000000000000000000000000000000000000000000000000"
	  "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "00000000000000000000000000000000000000000000000000000000000000000000000001000000"
	  "00000000000000000000000000000000000000000000000002000000020000000200000002000000"
	  "00000000000000000000000000000000020f0000000e00007c0000000000000000000000b80d0120"
	  "00000000000000000000000000000000000000000000000000000000000000008000000000000000"
	  "00000000b80d012001000000000000007e0000000000000000000000b80d01200800000000000000" },
	{ "IPv6, the root is a leaf", 3, "2001:db8::/32",
	  "deadbeef001d1000002e1cb100010003000000070000002000000010000000020000001800000001"
	  "00000060000000010000000000000008000000000000000000000000000000000000000000000000"
	  "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	  "00000000000000000000000000000000200000000000000000000000b80d01200000000000000000" },
	{ "IPv6, version 4", 4, "2001:db8::1 2001:db8::5 2001:db8:0:0:1::/80 2001:db8:1::/48",
	  "deadbeef001d1000002e1cb100010004000000070000002000000000000000000000001000000000"
	  "0000000000000000000000000000000820010db80000000000000000000000008122000000000000"
	  "0000000000000000000000000000000000000000000000000020010db80000000000010000000000"
	  "005020010db800010000000000000000000030" },
	{ "IPv6, version 5", 5, "2001:db8::1 2001:db8::5 2001:db8:0:0:1::/80 2001:db8:1::/48",
	  "deadbeef001d1000002e1cb100010005000000070000002000000000000000000000001000000000"
	  "0000000000000000000000000000000800000000b80d012082000000000000000081220000000000"
	  "000000000000000000000000000000000000000000000000000000000000000001005000000100b8"
	  "0d012030" },
	{ "empty, version 2", 2, "", "deadbeef001d1000002e1cb1000100020000000000000008" },
	{ "empty, version 3", 3, "",
	  "deadbeef001d1000002e1cb100010003000000070000002000000010000000000000000800000000"
	  "00000050000000000000000000000008" },
	{ "empty, version 4", 4, "",
	  "deadbeef001d1000002e1cb100010004000000070000002000000000000000000000000400000000"
	  "00000000000000000000000000000008" },
};

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

static void test_vectors(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
		const struct vector *v = &vectors[i];
		struct ipset_write_opts opts = { .record_version = v->version };
		GByteArray *bytes = bytes_of(v->hex);
		struct ipset *built = set_of(v->text);
		GByteArray *output = written(built, &opts);
		struct ipset *read = NULL;
		struct err err = { 0 };

		unit_at("%s", v->name);
		CU_ASSERT_EQUAL(output->len, bytes->len);
		CU_ASSERT(output->len == bytes->len &&
			  memcmp(output->data, bytes->data, bytes->len) == 0);
		CU_ASSERT_EQUAL(read_bytes(&read, bytes->data, bytes->len, &err), ST_OK);
		UNIT_ASSERT_STR(err.text, "");
		if (read) {
			CU_ASSERT(sets_equal(read, built));
		}
		ipset_free(read);
		ipset_free(built);
		g_byte_array_free(output, TRUE);
		g_byte_array_free(bytes, TRUE);
	}
}

/* Every cut of every vector is an error or a smaller set, never a crash or a wrong address. */
static void test_truncation(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
		GByteArray *bytes = bytes_of(vectors[i].hex);
		struct ipset *whole = set_of(vectors[i].text);
		unsigned failures = 0;

		for (guint len = 0; len < bytes->len; len++) {
			/* an exact copy, so that the sanitizers see a read beyond the end */
			uint8_t *cut = g_memdup2(bytes->data, len);
			struct ipset *set = NULL;
			struct err err = { 0 };
			int status = read_bytes(&set, cut, len, &err);

			unit_at("%s cut at %u", vectors[i].name, len);
			CU_ASSERT_EQUAL(status != ST_OK, err.text[0] != '\0');
			failures += status != ST_OK;
			for (size_t j = 0; set && j < ipset_ranges(set); j++) {
				CU_ASSERT(ipset_contains(whole, ipset_range(set, j).first));
				CU_ASSERT(ipset_contains(whole, ipset_range(set, j).last));
			}
			ipset_free(set);
			g_free(cut);
		}
		CU_ASSERT(failures >= 16);
		ipset_free(whole);
		g_byte_array_free(bytes, TRUE);
	}
}

/* One byte changed everywhere in turn: any answer but a crash. */
static void test_damage(void)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0x81, 0x82, 0xff };

	for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
		GByteArray *bytes = bytes_of(vectors[i].hex);

		for (guint at = 0; at < bytes->len; at++) {
			uint8_t old = bytes->data[at];

			for (size_t k = 0; k < G_N_ELEMENTS(values); k++) {
				struct ipset *set = NULL;
				struct err err = { 0 };
				int status;

				unit_at("%s byte %u", vectors[i].name, at);
				bytes->data[at] = values[k];
				status = read_bytes(&set, bytes->data, bytes->len, &err);
				CU_ASSERT_EQUAL(status != ST_OK, err.text[0] != '\0');
				ipset_free(set);
			}
			bytes->data[at] = old;
		}
		g_byte_array_free(bytes, TRUE);
	}
}

static void test_refusals(void)
{
	static const struct {
		const char *name;
		size_t vector; /* changed at offset to bytes */
		size_t offset;
		const char *bytes;
		int status;
		const char *text;
	} cases[] = {
		{ "format", 0, 5, "16", ST_EFORMAT, "memory: not an IPset file" },
		{ "version", 0, 14, "0006", ST_EVERSION, "memory: IPset version 6 is not known" },
		{ "record length", 0, 12, "0002", ST_EFORMAT,
		  "memory: record length 2 in an IPset file" },
		{ "leaf size", 1, 0x20, "00000005", ST_EFORMAT,
		  "memory: header entry of the IPset is missing or does not fit version 4" },
		{ "children", 2, 0x18, "00000005", ST_EFORMAT,
		  "memory: header entry of the IPset is missing or does not fit version 3" },
		{ "leaf size of version 5", 6, 0x20, "00000004", ST_EFORMAT,
		  "memory: header entry of the IPset is missing or does not fit version 5" },
		{ "version 4 without entry", 0, 14, "0004", ST_EFORMAT,
		  "memory: header entry of the IPset is missing or does not fit version 4" },
		{ "prefix 33", 1, 0x61, "21", ST_EFORMAT,
		  "memory: unexpected prefix or tag 0x21 at byte 93" },
		{ "tag 82 in version 4", 1, 0x3c, "82", ST_EFORMAT,
		  "memory: unexpected prefix or tag 0x82 at byte 56" },
		{ "tag 0", 6, 0x40, "00", ST_EFORMAT,
		  "memory: unexpected prefix or tag 0x00 at byte 56" },
		{ "tag 83", 6, 0x40, "83", ST_EFORMAT,
		  "memory: unexpected prefix or tag 0x83 at byte 56" },
		{ "lower half first", 6, 0x40, "50", ST_EFORMAT,
		  "memory: unexpected prefix or tag 0x50 at byte 56" },
		{ "upper half after 82", 6, 0x49, "20", ST_EFORMAT,
		  "memory: unexpected prefix or tag 0x20 at byte 65" },
		{ "leaf of prefix 64", 2, 0xe0, "40", ST_EFORMAT,
		  "memory: prefix 64 in an address block at byte 224" },
		{ "leaves that are not there", 2, 0x1c, "7f000000", ST_ETRUNC,
		  "memory: ends in the middle of an address block at byte 240" },
		{ "nodes that are not there", 2, 0x24, "7f000000", ST_ETRUNC,
		  "memory: ends in the middle of an address block at byte 240" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		GByteArray *bytes = bytes_of(vectors[cases[i].vector].hex);
		GByteArray *patch = bytes_of(cases[i].bytes);
		struct ipset *set = NULL;
		struct err err = { 0 };

		unit_at("%s", cases[i].name);
		memcpy(bytes->data + cases[i].offset, patch->data, patch->len);
		CU_ASSERT_EQUAL(read_bytes(&set, bytes->data, bytes->len, &err), cases[i].status);
		UNIT_ASSERT_STR(err.text, cases[i].text);
		CU_ASSERT_PTR_NULL(set);
		g_byte_array_free(patch, TRUE);
		g_byte_array_free(bytes, TRUE);
	}
}

/* Random sets through every version and compression and back. */
static void test_round_trip(void)
{
	static const struct {
		uint16_t version;
		bool v6;
	} kinds[] = { { 0, false }, { 2, false }, { 3, false }, { 4, false }, { 5, false },
		      { 0, true },  { 3, true },  { 4, true },  { 5, true } };
	static const char *const blocks[] = { "2001:db8::", "2001:db8:1::", "::", "fe80::1:0" };

	for (guint32 seed = 0; seed < 4 * G_N_ELEMENTS(kinds); seed++) {
		GRand *rand = g_rand_new_with_seed(seed);
		struct ipset *set = ipset_new();
		struct ipset_write_opts opts = {
			.record_version = kinds[seed % G_N_ELEMENTS(kinds)].version,
			.compression = (uint8_t)(seed / G_N_ELEMENTS(kinds)),
		};
		GByteArray *bytes;
		struct ipset *read = NULL;
		struct err err = { 0 };

		unit_at("seed %u", seed);
		for (int i = 0; i < 3000; i++) {
			struct ip ip = ip_from_v4(0x0a000000);
			bool is_v6;

			if (kinds[seed % G_N_ELEMENTS(kinds)].v6) {
				ip_parse(blocks[g_rand_int_range(rand, 0, 4)], &ip, &is_v6, NULL);
			}
			ip.lo += (uint64_t)g_rand_int_range(rand, 0, 20000);
			ipset_add_range(
				set, ip,
				(struct ip){ ip.hi, ip.lo + (uint64_t)(i % 100 ? 0 : 700) });
		}
		ipset_finish(set);
		bytes = written(set, &opts);
		CU_ASSERT_EQUAL(read_bytes(&read, bytes->data, bytes->len, &err), ST_OK);
		UNIT_ASSERT_STR(err.text, "");
		CU_ASSERT(read && sets_equal(read, set));
		ipset_free(read);
		ipset_free(set);
		g_byte_array_free(bytes, TRUE);
		g_rand_free(rand);
	}
}

static void test_paths(void)
{
	char *path = g_build_filename(unit_scratch(), "a.set", NULL);
	struct ipset *set = set_of("10.0.0.0/8 2001:db8::1");
	struct ipset *read = NULL;
	struct header header;
	struct header entries;
	struct ipset_write_opts opts = { .record_version = 2, .compression = COMPRESSION_DEFAULT };
	struct err err = { 0 };
	size_t pos = 0;

	CU_ASSERT_EQUAL(ipset_write(set, path, &opts, &err), ST_EINVAL);
	UNIT_ASSERT_STR(err.text, "IPset does not allow IPv6 addresses");
	CU_ASSERT(access(path, F_OK) != 0);
	opts.record_version = 1;
	CU_ASSERT_EQUAL(ipset_write(set, path, &opts, &err), ST_EVERSION);
	opts.record_version = 0;
	header_init(&entries);
	header_add_text(&entries, ENTRY_ANNOTATION, "a note");
	opts.entries = &entries;
	CU_ASSERT_EQUAL(ipset_write(set, path, &opts, &err), ST_OK);
	CU_ASSERT_EQUAL(ipset_write(set, path, &opts, &err), ST_EEXIST);
	opts.overwrite = true;
	CU_ASSERT_EQUAL(ipset_write(set, path, &opts, &err), ST_OK);
	CU_ASSERT_EQUAL_FATAL(ipset_read(&read, path, &header, &err), ST_OK);
	CU_ASSERT(sets_equal(read, set));
	CU_ASSERT_EQUAL(header.record_version, 3);
	CU_ASSERT_EQUAL(header.compression, COMPRESSION_LZO1X);
	CU_ASSERT_PTR_NOT_NULL(header_next(&header, ENTRY_ANNOTATION, &pos));
	ipset_free(read);
	header_release(&header);
	header_release(&entries);
	CU_ASSERT_EQUAL(ipset_read(&read, "/nope/x", &header, &err), ST_ENOENT);
	header_release(&header);
	ipset_free(set);
	g_free(path);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "random additions", test_random },
		{ "many at once", test_many },
		{ "many ranges out of order", test_many_out_of_order },
		{ "IPv6", test_ipv6 },
		{ "all addresses", test_everything },
		{ "intersection", test_intersects },
		{ "vectors", test_vectors },
		{ "truncated files", test_truncation },
		{ "damaged files", test_damage },
		{ "refused files", test_refusals },
		{ "round trip", test_round_trip },
		{ "paths and headers", test_paths },
		{ NULL, NULL },
	};

	return unit_run("ipset", cases);
}
