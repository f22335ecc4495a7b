/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/country.h"

#include <glib.h>

#include "tests/unit/unit.h"

static void test_codes(void)
{
	static const struct {
		const char *text;
		uint16_t code;
		const char *printed;
	} cases[] = {
		{ "us", 0x7573, "us" }, { "US", 0x7573, "us" },  { "a1", 0x6131, "a1" },
		{ "--", 0x2d2d, "--" }, { "1a", 0x7e7f, "??" },  { "u", 0x7e7f, "??" },
		{ "", 0x7e7f, "??" },   { "usa", 0x7e7f, "??" }, { "u-", 0x7e7f, "??" },
		{ "-", 0x7e7f, "??" },  { "---", 0x7e7f, "??" }, { " us", 0x7e7f, "??" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char text[COUNTRY_TEXT_MAX];

		unit_at("'%s'", cases[i].text);
		UNIT_ASSERT_U64(country_parse(cases[i].text), cases[i].code);
		country_print(text, cases[i].code);
		UNIT_ASSERT_STR(text, cases[i].printed);
	}
}

static void test_print_limits(void)
{
	static const struct {
		uint32_t code;
		const char *printed;
	} cases[] = {
		{ 0, "??" },      { 0x201f, "??" }, { 0x2020, "  " },
		{ 0x7e7e, "~~" }, { 0x7e7f, "??" }, { PMAP_NO_VALUE, "??" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char text[COUNTRY_TEXT_MAX];

		unit_at("%#x", cases[i].code);
		country_print(text, cases[i].code);
		UNIT_ASSERT_STR(text, cases[i].printed);
	}
}

static void test_lookup(void)
{
	struct pmap *map = pmap_new(PMAP_IPV4);
	const struct ip v6 = { UINT64_C(0x20010db800000000), 1 };

	pmap_set_default(map, COUNTRY_UNKNOWN);
	CU_ASSERT_EQUAL(pmap_add_range(map, ip_from_v4(0x0a000000), ip_from_v4(0x0a0000ff),
				       country_parse("ch"), NULL),
			ST_OK);
	UNIT_ASSERT_U64(country_lookup(map, ip_from_v4(0x0a000001)), 0x6368);
	UNIT_ASSERT_U64(country_lookup(map, ip_from_v4(0x0a000100)), COUNTRY_UNKNOWN);
	UNIT_ASSERT_U64(country_lookup(map, v6), COUNTRY_INVALID);
	pmap_free(map);
}

static void test_files(void)
{
	char *path = g_build_filename(unit_scratch(), "a.pmap", NULL);
	const struct pmap_write_opts opts = { .overwrite = true };
	struct pmap *map = pmap_new(PMAP_PROTO_PORT);
	struct pmap *read = NULL;
	struct err err = { 0 };
	char *expected = g_strconcat(path, ": Map contains protocol/port pairs", NULL);
	uint32_t value;

	CU_ASSERT_EQUAL(pmap_add_word(map, "x", &value, NULL), ST_OK);
	CU_ASSERT_EQUAL(pmap_write(map, path, &opts, NULL), ST_OK);
	pmap_free(map);
	CU_ASSERT_EQUAL(country_map_read(&read, path, &err), ST_EFORMAT);
	UNIT_ASSERT_STR(err.text, expected);
	CU_ASSERT_PTR_NULL(read);
	map = pmap_new(PMAP_IPV6);
	CU_ASSERT_EQUAL(pmap_write(map, path, &opts, NULL), ST_OK);
	pmap_free(map);
	CU_ASSERT_EQUAL(country_map_read(&read, path, NULL), ST_OK);
	CU_ASSERT_EQUAL(pmap_kind(read), PMAP_IPV6);
	pmap_free(read);
	CU_ASSERT_EQUAL(country_map_read(&read, "/nope/x", &err), ST_ENOENT);
	g_free(expected);
	g_free(path);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "codes", test_codes },
		{ "limits of printing", test_print_limits },
		{ "lookup", test_lookup },
		{ "files", test_files },
		{ NULL, NULL },
	};

	return unit_run("country", cases);
}
