/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/cidr.h"

#include <glib.h>

#include "tests/unit/unit.h"

static void print_range(const struct cidr *cidr, char *out, size_t size)
{
	char first[IP_TEXT_MAX];
	char last[IP_TEXT_MAX];

	ip_print(first, cidr->first, cidr->is_v6, IP_CANONICAL);
	ip_print(last, cidr->last, cidr->is_v6, IP_CANONICAL);
	g_snprintf(out, size, "%s %s", first, last);
}

static void test_parse(void)
{
	static const struct {
		const char *text;
		const char *range; /* or the reason of failure */
		bool ok;
	} cases[] = {
		{ "1.2.3.4", "1.2.3.4 1.2.3.4", true },
		{ " 1.2.3.4 ", "1.2.3.4 1.2.3.4", true },
		{ "1.2.3.4/24", "1.2.3.0 1.2.3.255", true },
		{ "1.2.3.4/ 24", "1.2.3.0 1.2.3.255", true },
		{ "1.2.3.4/+24 ", "1.2.3.0 1.2.3.255", true },
		{ "1.2.3.4/024", "1.2.3.0 1.2.3.255", true },
		{ "1.2.3.4/32", "1.2.3.4 1.2.3.4", true },
		{ "1.2.3.4/0", "0.0.0.0 255.255.255.255", true },
		{ "16909060/24", "1.2.3.0 1.2.3.255", true },
		{ "::/0", ":: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true },
		{ "2001:db8::/32", "2001:db8:: 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true },
		{ "2001:db8::1/65", "2001:db8:: 2001:db8::7fff:ffff:ffff:ffff", true },
		{ "::1/128", "::1 ::1", true },
		{ "1.2.3.4/33", "Value is above maximum of 32", false },
		{ "::/129", "Value is above maximum of 128", false },
		{ "1.2.3.4/x", "Unexpected character 'x'", false },
		{ "1.2.3.4/24x", "Unexpected character 'x'", false },
		{ "1.2.3.4/", "Unexpected end-of-input", false },
		{ "1.2.3.4/24/5", "Unexpected character '/'", false },
		{ "1.2.3.4 /24", "Unexpected character ' '", false },
		{ "1.2.3.4/-1", "Unexpected character '-'", false },
		{ "1.2.3.4/1-2", "Unexpected character '-'", false },
		{ "1.2.3.4x", "Unexpected character 'x'", false },
		{ "1.2.3.4-1.2.3.5", "Unexpected character '-'", false },
		{ "1.2.3", "Unexpected end-of-input", false },
		{ "", "Input is empty or all whitespace", false },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct cidr cidr;
		struct err err = { 0 };
		char text[128];

		unit_at("%s", cases[i].text);
		CU_ASSERT_EQUAL(cidr_parse(cases[i].text, &cidr, &err),
				cases[i].ok ? ST_OK : ST_EINVAL);
		if (cases[i].ok) {
			print_range(&cidr, text, sizeof(text));
			UNIT_ASSERT_STR(text, cases[i].range);
			CU_ASSERT(cidr_contains(&cidr, cidr.first));
			CU_ASSERT(cidr_contains(&cidr, cidr.last));
		} else {
			UNIT_ASSERT_STR(err.text, cases[i].range);
		}
	}
}

static void test_min_prefix(void)
{
	struct cidr cidr;
	struct err err;

	CU_ASSERT_EQUAL(cidr_parse_min("1.2.3.4/0", 1, &cidr, &err), ST_EINVAL);
	UNIT_ASSERT_STR(err.text, "Value is below minimum of 1");
	CU_ASSERT_EQUAL(cidr_parse_min("1.2.3.4/1", 1, &cidr, &err), ST_OK);
}

static void test_range(void)
{
	static const struct {
		const char *text;
		const char *range; /* or the reason of failure */
		bool ok;
	} cases[] = {
		{ "10.0.0.1-10.0.0.5", "10.0.0.1 10.0.0.5", true },
		{ "10.0.0.1 - 10.0.0.5", "10.0.0.1 10.0.0.5", true },
		{ "1-5", "0.0.0.1 0.0.0.5", true },
		{ "1.2.3.4", "1.2.3.4 1.2.3.4", true },
		{ "1.2.3.0/24", "1.2.3.0 1.2.3.255", true },
		{ "2001::1-2001::5", "2001::1 2001::5", true },
		{ "::1-1.2.3.4", "::1 ::ffff:1.2.3.4", true },
		{ "10.0.0.5-10.0.0.1", "Range is invalid (min > max)", false },
		{ "1.2.3.4-::5", "Range is invalid (min > max)", false },
		{ "1.2.3.4-", "Input is empty or all whitespace", false },
		{ "-1.2.3.4", "Input is empty or all whitespace", false },
		{ "1.2.3.4-x", "Unexpected character 'x'", false },
		{ "1.2.3.0/24-1.2.4.0/24", "Extra text follows value", false },
		{ "1.2.3.4-1.2.3.5-1.2.3.6", "Extra text follows value", false },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct cidr cidr;
		struct err err = { 0 };
		char text[128];

		unit_at("%s", cases[i].text);
		CU_ASSERT_EQUAL(cidr_parse_range(cases[i].text, &cidr, &err),
				cases[i].ok ? ST_OK : ST_EINVAL);
		if (cases[i].ok) {
			print_range(&cidr, text, sizeof(text));
			UNIT_ASSERT_STR(text, cases[i].range);
		} else {
			UNIT_ASSERT_STR(err.text, cases[i].range);
		}
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "parse", test_parse },
		{ "smallest prefix", test_min_prefix },
		{ "range", test_range },
		{ NULL, NULL },
	};

	return unit_run("cidr", cases);
}
