/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <glib.h>

#include "tests/unit/unit.h"

static void test_parse(void)
{
	static const struct {
		const char *text;
		uint64_t hi, lo;
		bool is_v6;
	} cases[] = {
		{ "1.2.3.4", 0, 0xffff01020304, false },
		{ " 1.2.3.4 ", 0, 0xffff01020304, false },
		{ "01.02.003.004", 0, 0xffff01020304, false },
		{ "00000000001.2.3.0004", 0, 0xffff01020304, false },
		{ "0.0.0.0", 0, 0xffff00000000, false },
		{ "255.255.255.255", 0, 0xffffffffffff, false },
		{ "16909060", 0, 0xffff01020304, false },
		{ "+1", 0, 0xffff00000001, false },
		{ "+1.2.3.4", 0, 0xffff01020304, false },
		{ "4294967295", 0, 0xffffffffffff, false },
		{ "::", 0, 0, true },
		{ "::1", 0, 1, true },
		{ "::00001", 0, 1, true },
		{ "1::", 0x1000000000000, 0, true },
		{ "2001:db8::1", 0x20010db800000000, 1, true },
		{ "2001:DB8::A", 0x20010db800000000, 10, true },
		{ "a::b", 0xa000000000000, 0xb, true },
		{ "1:2:3:4:5:6:7:8", 0x0001000200030004, 0x0005000600070008, true },
		{ "1:2:3:4:5:6:7::", 0x0001000200030004, 0x0005000600070000, true },
		{ "::2:3:4:5:6:7:8", 0x0000000200030004, 0x0005000600070008, true },
		{ "1:2:3::6:7:8", 0x0001000200030000, 0x0000000600070008, true },
		{ "::ffff:1.2.3.4", 0, 0xffff01020304, true },
		{ "::1.2.3.4", 0, 0x01020304, true },
		{ "1:2:3:4:5:6:1.2.3.4", 0x0001000200030004, 0x0005000601020304, true },
		{ "64:ff9b::192.0.2.33", 0x0064ff9b00000000, 0xc0000221, true },
		{ "2001:db8::1.2.3.4", 0x20010db800000000, 0x01020304, true },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct ip ip = { 9, 9 };
		bool is_v6 = !cases[i].is_v6;
		struct err err = { 0 };

		unit_at("%s", cases[i].text);
		CU_ASSERT_EQUAL(ip_parse(cases[i].text, &ip, &is_v6, &err), ST_OK);
		UNIT_ASSERT_STR(err.text, "");
		UNIT_ASSERT_U64(ip.hi, cases[i].hi);
		UNIT_ASSERT_U64(ip.lo, cases[i].lo);
		CU_ASSERT_EQUAL(is_v6, cases[i].is_v6);
	}
}

static void test_parse_errors(void)
{
	static const struct {
		const char *text;
		const char *reason;
	} cases[] = {
		{ "", "Input is empty or all whitespace" },
		{ "  ", "Input is empty or all whitespace" },
		{ "1.2.3", "Unexpected end-of-input" },
		{ "1.2.3.", "Unexpected end-of-input" },
		{ "1.2.3.4.5", "Found '.' after fourth octet" },
		{ ".1.2.3", "Unexpected character '.'" },
		{ "256.1.1.1", "IP octet 1 is too large: 256" },
		{ "1.2.3.300", "IP octet 4 is too large: 300" },
		{ "1.99999999999999999999999999.3.3",
		  "IP octet 2 is too large: 99999999999999999999" },
		{ "4294967296", "Integer too large for IPv4: 4294967296" },
		{ "99999999999999999999999", "Value overflows the parser" },
		{ "1.2.3.4x", "Extra text follows value" },
		{ "1.2.3.4 5", "Extra text follows value" },
		{ "1.2.3.4/24", "Extra text follows value" },
		{ "1 .2.3.4", "Extra text follows value" },
		{ "0x1234", "Extra text follows value" },
		{ "1.2.3.x", "Unexpected character 'x'" },
		{ "abc", "Unexpected character 'a'" },
		{ "-1", "Unexpected character '-'" },
		{ "+", "Unexpected character '+'" },
		{ "1..2.3", "Unexpected character '.'" },
		{ "1::2::3", "Only one :: instance allowed" },
		{ "12345::", "Value in IP section 1 is too large" },
		{ "1:2:10000::", "Value in IP section 3 is too large" },
		{ "1:2", "Too few IP sections given" },
		{ "1:2 ", "Too few IP sections given" },
		{ "1:2/64", "Unexpected character '/'" },
		{ "ffxf:1::", "Unexpected character 'x'" },
		{ "1.0525.3.4", "IP octet 2 is too large: 525" },
		{ "1:2:3:4:5:6:7", "Too few IP sections given" },
		{ "1:2:3:4:5:6:7:8:9", "Found ':' after final section" },
		{ ":1::2", "IP address cannot begin with single ':'" },
		{ ":", "IP address cannot begin with single ':'" },
		{ "1:", "Expecting IP section value after ':'" },
		{ "1:g", "Unexpected character 'g'" },
		{ ":::", "Unexpected character :::" },
		{ "1:::2", "Unexpected character :::" },
		{ "1::2:3:4:5:6:7:8", "Cannot have '::' in IP with 8 sections" },
		{ "1:2:3:4:5:6:7:8::", "Found ':' after final section" },
		{ "::1:2:3:4:5:6:7:8", "Cannot have '::' in IP with 8 sections" },
		{ "::1:2:3:4:5:6:7:8:9", "Found ':' after final section" },
		{ "1:2:3:4:5:6:7:1.2.3.4", "Too many sections before embedded IPv4" },
		{ "1:2:1.2.3.4", "Only 4/8 IP sections specified" },
		{ "::1.2.3", "Unexpected end-of-input" },
		{ "::1.2.3.256", "IP octet 4 is too large: 256" },
		{ "1.2.3.4::", "Extra text follows value" },
		{ "::1.2.3.4:5", "Found ':' after final section" },
		{ "::a.2.3.4", "Unexpected character 'a'" },
		{ "2001:db8::g", "Extra text follows value" },
		{ "fe80::1%eth0", "Extra text follows value" },
		{ "::1/64", "Extra text follows value" },
		{ "[::1]", "Unexpected character '['" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct ip ip = { 9, 9 };
		bool is_v6;
		struct err err = { 0 };

		unit_at("%s", cases[i].text);
		CU_ASSERT_EQUAL(ip_parse(cases[i].text, &ip, &is_v6, &err), ST_EINVAL);
		UNIT_ASSERT_STR(err.text, cases[i].reason);
		UNIT_ASSERT_U64(ip.lo, 9);
	}
}

static void test_scan(void)
{
	const char *text = " 10.0.0.1-::2,x";
	const char *pos = text;
	struct ip ip;
	bool is_v6;

	CU_ASSERT_EQUAL(ip_scan(&pos, &ip, &is_v6, NULL), ST_OK);
	UNIT_ASSERT_STR(pos, "-::2,x");
	CU_ASSERT_EQUAL(ip_to_v4(ip), 0x0a000001);
	pos++;
	CU_ASSERT_EQUAL(ip_scan(&pos, &ip, &is_v6, NULL), ST_OK);
	UNIT_ASSERT_STR(pos, ",x");
	CU_ASSERT(is_v6 && ip.lo == 2);
	CU_ASSERT_EQUAL(ip_scan(&pos, &ip, &is_v6, NULL), ST_EINVAL);
	UNIT_ASSERT_STR(pos, ",x");
}

/* Every line of the data file: what SiLK's rwcut prints. */
static void test_print(void)
{
	FILE *file = fopen(unit_path("tests/data/ip-formats.txt"), "r");
	char line[256];
	int checked = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	while (fgets(line, sizeof(line), file)) {
		char names[64], address[64], expected[64], text[IP_TEXT_MAX];
		unsigned format;
		int family;
		struct ip ip;
		bool is_v6;

		if (sscanf(line, "%d %63s %63s %63s", &family, names, address, expected) != 4) {
			continue;
		}
		unit_at("%s %s", names, address);
		CU_ASSERT_EQUAL(ip_format_parse(names, &format, NULL), ST_OK);
		CU_ASSERT_EQUAL(ip_parse(address, &ip, &is_v6, NULL), ST_OK);
		memset(text, 'x', sizeof(text));
		CU_ASSERT_EQUAL(ip_print(text, ip, family == 6, format), strlen(expected));
		UNIT_ASSERT_STR(text, expected);
		CU_ASSERT((int)strlen(text) <= ip_print_width(format, family == 6));
		checked++;
	}
	fclose(file);
	CU_ASSERT(checked > 1000);
}

/* A different address each time, with many zero sections. */
static struct ip random_ip(uint64_t *seed)
{
	uint64_t words[2];

	for (int i = 0; i < 2; i++) {
		*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		words[i] = *seed ^ *seed >> 29;
		for (int j = 0; j < 4; j++) {
			if (*seed >> (40 + j) & 1) {
				words[i] &= ~(UINT64_C(0xffff) << (16 * j));
			}
		}
	}
	return (struct ip){ words[0], words[1] };
}

/* parse(print(x)) == x, and the C library prints the same. */
static void test_print_and_parse(void)
{
	uint64_t seed = 42;

	for (int i = 0; i < 20000; i++) {
		struct ip ip = random_ip(&seed);
		struct ip back;
		bool is_v6;
		uint8_t bytes[16];
		char text[IP_TEXT_MAX];
		char reference[INET6_ADDRSTRLEN];

		ip_to_bytes(ip, bytes);
		CU_ASSERT(ip_equal(ip_from_bytes(bytes), ip));
		inet_ntop(AF_INET6, bytes, reference, sizeof(reference));
		ip_print(text, ip, true, IP_CANONICAL);
		UNIT_ASSERT_STR(text, reference);
		CU_ASSERT_EQUAL(ip_parse(text, &back, &is_v6, NULL), ST_OK);
		CU_ASSERT(is_v6 && ip_equal(back, ip));
		ip_print(text, ip, true, IP_NO_MIXED);
		CU_ASSERT_EQUAL(ip_parse(text, &back, &is_v6, NULL), ST_OK);
		CU_ASSERT(is_v6 && ip_equal(back, ip));
		ip_print(text, ip, true, IP_CANONICAL | IP_ZERO_PADDED);
		CU_ASSERT_EQUAL(ip_parse(text, &back, &is_v6, NULL), ST_OK);
		CU_ASSERT(is_v6 && ip_equal(back, ip));
		ip = ip_from_v4((uint32_t)(ip.lo >> 7));
		for (unsigned base = IP_CANONICAL; base <= IP_DECIMAL; base++) {
			ip_print(text, ip, false, base | (i & 1 ? IP_ZERO_PADDED : 0));
			CU_ASSERT_EQUAL(ip_parse(text, &back, &is_v6, NULL), ST_OK);
			CU_ASSERT(!is_v6 && ip_equal(back, ip));
		}
	}
}

static void test_neighbours_and_blocks(void)
{
	struct ip zero = { 0, 0 };
	struct ip ones = { UINT64_MAX, UINT64_MAX };
	struct ip ip = { 0x20010db8aaaaaaaa, 0xbbbbbbbbbbbbbbbb };

	CU_ASSERT(ip_equal(ip_next(ones), zero));
	CU_ASSERT(ip_equal(ip_prev(zero), ones));
	CU_ASSERT(ip_equal(ip_next((struct ip){ 1, UINT64_MAX }), (struct ip){ 2, 0 }));
	CU_ASSERT(ip_equal(ip_prev((struct ip){ 2, 0 }), (struct ip){ 1, UINT64_MAX }));
	for (unsigned len = 0; len <= 128; len++) {
		struct ip first = ip_block_first(ip, len);
		struct ip last = ip_block_last(ip, len);

		unit_at("/%u", len);
		CU_ASSERT(ip_compare(first, ip) <= 0 && ip_compare(ip, last) <= 0);
		CU_ASSERT(ip_equal(ip_block_last(first, len), last));
		/* the neighbours are outside of the block */
		if (len > 0) {
			CU_ASSERT(!ip_equal(ip_block_first(ip_next(last), len), first));
			CU_ASSERT(!ip_equal(ip_block_first(ip_prev(first), len), first));
		}
	}
	CU_ASSERT(ip_equal(ip_block_first(ip, 0), zero));
	CU_ASSERT(ip_equal(ip_block_last(ip, 0), ones));
	CU_ASSERT_EQUAL(ip_to_v4(ip_block_last(ip_from_v4(0x0a010203), 96 + 24)), 0x0a0102ff);
	CU_ASSERT(ip_is_mapped(ip_from_v4(1)) && !ip_is_mapped(ip));
}

static void test_format_parse(void)
{
	static const struct {
		const char *text;
		unsigned format;
		const char *reason; /* NULL: no failure */
	} cases[] = {
		{ "canonical", IP_CANONICAL, NULL },
		{ "CANON", IP_CANONICAL, NULL },
		{ "c", IP_CANONICAL, NULL },
		{ "d", IP_DECIMAL, NULL },
		{ "h", IP_HEXADECIMAL, NULL },
		{ "n", IP_NO_MIXED, NULL },
		{ "z,d", IP_DECIMAL | IP_ZERO_PADDED, NULL },
		{ ",d,", IP_DECIMAL, NULL },
		{ "map-v4,unm", 0, "May not combine unmap-v6 with map-v4,force-ipv6" },
		{ "u,m", 0, "May not combine map-v4 with unmap-v6" },
		{ "force-ipv6", IP_NO_MIXED | IP_MAP_V4, NULL },
		{ "map-v4,force-ipv6,no-mixed", IP_NO_MIXED | IP_MAP_V4, NULL },
		{ "f,u", 0, "May not combine unmap-v6 with map-v4,force-ipv6" },
		{ "u,f", 0, "May not combine force-ipv6 with unmap-v6" },
		{ "f,c", 0, "May not combine canonical with no-mixed,force-ipv6" },
		{ "c,f", 0, "May not combine force-ipv6 with canonical" },
		{ "h,d", 0, "May not combine decimal with hexadecimal" },
		{ "n,c", 0, "May not combine canonical with no-mixed,force-ipv6" },
		{ "d,d", 0, "Duplicate name 'd'" },
		{ "foo,d", 0, "No match was found for the field 'foo'" },
		{ "d, z", 0, "No match was found for the field ' z'" },
		{ "", 0, "Field list is empty" },
		{ " ", 0, "Field list is empty" },
		{ ",", IP_CANONICAL, NULL },
		{ " d,,", IP_DECIMAL, NULL },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		unsigned format = 0;
		struct err err = { 0 };
		int st;

		unit_at("%s", cases[i].text);
		st = ip_format_parse(cases[i].text, &format, &err);
		CU_ASSERT_EQUAL(st, cases[i].reason ? ST_EINVAL : ST_OK);
		UNIT_ASSERT_STR(err.text, cases[i].reason ? cases[i].reason : "");
		UNIT_ASSERT_U64(format, cases[i].format);
	}
}

static void test_width(void)
{
	static const struct {
		unsigned format;
		int v4, v6;
	} cases[] = {
		{ IP_CANONICAL, 15, 39 },
		{ IP_NO_MIXED, 15, 39 },
		{ IP_DECIMAL, 10, 39 },
		{ IP_HEXADECIMAL, 8, 32 },
		{ IP_CANONICAL | IP_MAP_V4, 22, 39 },
		{ IP_NO_MIXED | IP_MAP_V4, 16, 39 },
		{ IP_DECIMAL | IP_MAP_V4, 15, 39 },
		{ IP_HEXADECIMAL | IP_MAP_V4, 12, 32 },
		{ IP_CANONICAL | IP_MAP_V4 | IP_ZERO_PADDED, 39, 39 },
		{ IP_HEXADECIMAL | IP_MAP_V4 | IP_ZERO_PADDED, 32, 32 },
		{ IP_DECIMAL | IP_ZERO_PADDED, 10, 39 },
		{ IP_CANONICAL | IP_UNMAP_V6, 15, 39 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		unit_at("format %#x", cases[i].format);
		CU_ASSERT_EQUAL(ip_print_width(cases[i].format, false), cases[i].v4);
		CU_ASSERT_EQUAL(ip_print_width(cases[i].format, true), cases[i].v6);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "parse", test_parse },
		{ "parse errors", test_parse_errors },
		{ "scan", test_scan },
		{ "print as SiLK", test_print },
		{ "print and parse", test_print_and_parse },
		{ "neighbours and blocks", test_neighbours_and_blocks },
		{ "format names", test_format_parse },
		{ "width", test_width },
		{ NULL, NULL },
	};

	return unit_run("ip", cases);
}
