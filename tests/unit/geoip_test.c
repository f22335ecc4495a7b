/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/geoip.h"

#include <glib.h>
#include <string.h>

#include "tests/unit/unit.h"

static void ignore(const char *text)
{
}

static int list_range(void *arg, const struct pmap_range *range)
{
	char first[IP_TEXT_MAX];
	char last[IP_TEXT_MAX];
	char code[COUNTRY_TEXT_MAX];

	if (range->value != COUNTRY_UNKNOWN) {
		ip_print(first, range->first, true, IP_CANONICAL | IP_UNMAP_V6);
		ip_print(last, range->last, true, IP_CANONICAL | IP_UNMAP_V6);
		country_print(code, range->value);
		g_string_append_printf(arg, "%s-%s=%s;", first, last, code);
	}
	return 0;
}

/* "4:" or "6:" and the ranges that have a country; "-" without a map. */
static char *listing_of(const struct pmap *map)
{
	GString *text = g_string_new(!map ? "-" : pmap_kind(map) == PMAP_IPV4 ? "4:" : "6:");

	if (map) {
		pmap_each_range(map, list_range, text);
	}
	return g_string_free(text, FALSE);
}

#define ROW(first, last, code) "\"" first "\",\"" last "\",\"1\",\"2\",\"" code "\",\"Name\"\n"
#define US                     ROW("1.0.0.0", "1.0.0.255", "US")

static void test_old_csv(void)
{
	static const struct {
		const char *name;
		enum geoip_family family;
		const char *text;
		const char *listing;
		unsigned faults;
		int status;
	} cases[] = {
		{ "IPv4", GEOIP_AUTO, US ROW("2.0.0.0", "2.0.0.0", "de"),
		  "4:1.0.0.0-1.0.0.255=us;2.0.0.0-2.0.0.0=de;", 0, ST_OK },
		{ "IPv6", GEOIP_AUTO, ROW("::1", "::2", "a1") US,
		  "6:::1-::2=a1;1.0.0.0-1.0.0.255=us;", 0, ST_OK },
		{ "IPv6 in a map of IPv4", GEOIP_AUTO, US ROW("::1", "::2", "a1"),
		  "4:1.0.0.0-1.0.0.255=us;", 0, ST_OK },
		{ "mapped in a map of IPv4", GEOIP_IPV4,
		  ROW("::ffff:1.0.0.0", "::ffff:1.0.0.1", "us"), "4:1.0.0.0-1.0.0.1=us;", 0,
		  ST_OK },
		{ "IPv4 in a map of IPv6", GEOIP_IPV6, US, "6:1.0.0.0-1.0.0.255=us;", 0, ST_OK },
		{ "nothing", GEOIP_AUTO, "\n  \n", "4:", 0, ST_OK },
		{ "bad lines", GEOIP_AUTO,
		  "foo\n" US ROW("x", "1.1.1.1", "us") ROW("3.0.0.0", "2.0.0.0",
							   "us") ROW("3.0.0.0", "3.0.0.0", "usa")
			  ROW("3.0.0.0", "3.0.0.0", "") "\"1.1.1.1\"\n\"open\n1,2,3,4,5,6\n",
		  "4:1.0.0.0-1.0.0.255=us;", 8, ST_OK },
		{ "blanks, and an empty column", GEOIP_AUTO,
		  " \"1.0.0.0\" , \"1.0.0.9\",,\"2\" ,\"us\",\"a, b\" \r\n",
		  "4:1.0.0.0-1.0.0.9=us;", 0, ST_OK },
		{ "another file", GEOIP_AUTO, "\"a\",\"b\"\n" US, "-", 0, ST_EFORMAT },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct geoip geoip = { .family = cases[i].family, .warn = ignore };
		struct bytesource *src =
			bytesource_memory(cases[i].text, strlen(cases[i].text), "memory");
		struct err err = { 0 };
		char *listing;

		unit_at("%s", cases[i].name);
		CU_ASSERT_EQUAL(geoip_read_old_csv(&geoip, src, &err), cases[i].status);
		UNIT_ASSERT_U64(geoip.faults, cases[i].faults);
		listing = listing_of(geoip.map);
		UNIT_ASSERT_STR(listing, cases[i].listing);
		g_free(listing);
		pmap_free(geoip.map);
		bytesource_close(src);
	}
}

/* 128.0.0.0/2 is "us" (225), the rest is "--". */
static const uint8_t old_tree[] = { 0x00, 0xff, 0xff, 0x01, 0x00, 0x00,
				    0xe1, 0xff, 0xff, 0x00, 0xff, 0xff };

static int read_old(struct pmap **out, const void *bytes, size_t len, struct err *err)
{
	struct bytesource *src = bytesource_memory(bytes, len, "memory");
	struct geoip geoip = { .warn = ignore };
	int status = geoip_read_old_binary(&geoip, src, err);

	bytesource_close(src);
	*out = geoip.map;
	return status;
}

static void test_old_binary(void)
{
	struct pmap *map = NULL;
	char *listing;

	CU_ASSERT_EQUAL(read_old(&map, old_tree, sizeof(old_tree), NULL), ST_OK);
	listing = listing_of(map);
	UNIT_ASSERT_STR(listing, "4:128.0.0.0-191.255.255.255=us;");
	g_free(listing);
	pmap_free(map);
}

/* A chain of nodes to the right, its end all "us": how deep it is decides the family. */
static void test_old_depth(void)
{
	static const struct {
		unsigned nodes;
		int status;
		const char *listing;
	} cases[] = {
		{ 32, ST_OK, "4:255.255.255.254-255.255.255.255=us;" },
		{ 33, ST_OK, "6:ffff:ffff::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff=us;" },
		{ 128, ST_OK,
		  "6:ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe-"
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff=us;" },
		{ 129, ST_EFORMAT, "-" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		unsigned count = cases[i].nodes;
		uint8_t bytes[129 * 6];
		struct pmap *map = NULL;
		struct err err = { 0 };
		char *listing;

		unit_at("%u nodes", count);
		for (unsigned node = 0; node < count; node++) {
			const uint8_t inner[] = { 0, 0xff, 0xff, (uint8_t)(node + 1), 0, 0 };

			memcpy(bytes + node * 6, inner, sizeof(inner));
		}
		memcpy(bytes + (count - 1) * 6, "\xe1\xff\xff\xe1\xff\xff", 6);
		CU_ASSERT_EQUAL(read_old(&map, bytes, count * 6, &err), cases[i].status);
		listing = listing_of(map);
		UNIT_ASSERT_STR(listing, cases[i].listing);
		g_free(listing);
		pmap_free(map);
	}
}

/* Cut anywhere, and every byte changed: a map or a reason. */
static void test_old_damage(void)
{
	for (size_t len = 0; len < sizeof(old_tree); len++) {
		struct pmap *map = NULL;
		struct err err = { 0 };
		uint8_t *cut = g_memdup2(old_tree, len);

		unit_at("cut at %zu", len);
		CU_ASSERT_EQUAL(read_old(&map, cut, len, &err), ST_EFORMAT);
		CU_ASSERT(g_str_has_prefix(err.text, "memory: "));
		g_free(cut);
	}
	for (size_t at = 0; at < sizeof(old_tree); at++) {
		for (unsigned value = 0; value < 256; value += 5) {
			uint8_t bytes[sizeof(old_tree)];
			struct pmap *map = NULL;
			struct err err = { 0 };

			memcpy(bytes, old_tree, sizeof(bytes));
			bytes[at] = (uint8_t)value;
			CU_ASSERT_EQUAL(read_old(&map, bytes, sizeof(bytes), &err) == ST_OK,
					map != NULL);
			g_free(listing_of(map));
			pmap_free(map);
		}
	}
}

static void test_continents(void)
{
	UNIT_ASSERT_U64(geoip_continent("AS"), country_parse("ap"));
	UNIT_ASSERT_U64(geoip_continent("sa"), country_parse("xs"));
	UNIT_ASSERT_U64(geoip_continent("XX"), COUNTRY_INVALID);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "old CSV", test_old_csv },
		{ "old binary", test_old_binary },
		{ "depth of the old binary", test_old_depth },
		{ "damage of the old binary", test_old_damage },
		{ "continents", test_continents },
		{ NULL, NULL },
	};

	return unit_run("geoip", cases);
}
