/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/wildcard.h"

#include <string.h>
#include <glib.h>

#include "tests/unit/unit.h"

static struct wildcard wildcard;

static int append_range(void *arg, const struct cidr *range)
{
	GString *text = arg;
	char first[IP_TEXT_MAX];
	char last[IP_TEXT_MAX];

	ip_print(first, range->first, range->is_v6, IP_CANONICAL);
	ip_print(last, range->last, range->is_v6, IP_CANONICAL);
	if (strcmp(first, last) == 0) {
		g_string_append_printf(text, "%s ", first);
	} else {
		g_string_append_printf(text, "%s-%s ", first, last);
	}
	return text->len > 200;
}

static void test_ranges(void)
{
	static const struct {
		const char *text;
		const char *ranges;
	} cases[] = {
		{ "1.2.3.4", "1.2.3.4 " },
		{ " 1.2.3.4 ", "1.2.3.4 " },
		{ "16909060", "1.2.3.4 " },
		{ "1.2.3.4/24", "1.2.3.0-1.2.3.255 " },
		{ "1.2.3.4/1", "0.0.0.0-127.255.255.255 " },
		{ "10/8", "0.0.0.0-0.255.255.255 " },
		{ "x.x.x.x", "0.0.0.0-255.255.255.255 " },
		{ "X.0-255.x.x", "0.0.0.0-255.255.255.255 " },
		{ "1.2.3.x", "1.2.3.0-1.2.3.255 " },
		{ "10.1-2.1,3.0", "10.1.1.0 10.1.3.0 10.2.1.0 10.2.3.0 " },
		{ "1.2.3.4,5-7", "1.2.3.4-1.2.3.7 " },
		{ "1.2.1,2.0-255", "1.2.1.0-1.2.2.255 " },
		{ "1.0-1.250-255.x", "1.0.250.0-1.0.255.255 1.1.250.0-1.1.255.255 " },
		{ "1.2-3.0-5,250-255.x",
		  "1.2.0.0-1.2.5.255 1.2.250.0-1.3.5.255 1.3.250.0-1.3.255.255 " },
		{ "1.2,2,1-3.0.0", "1.1.0.0 1.2.0.0 1.3.0.0 " },
		{ "1.2,.3.4", "1.2.3.4 " },
		{ "1.2,,3.4.5", "1.2.4.5 1.3.4.5 " },
		{ "1.2.3.5,4,3", "1.2.3.3-1.2.3.5 " },
		{ "1.2.3.4-5,", "1.2.3.4-1.2.3.5 " },
		{ "2001:db8::1", "2001:db8::1 " },
		{ "2001:db8::/32", "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff " },
		{ "2001:db8::1/17", "2001::-2001:7fff:ffff:ffff:ffff:ffff:ffff:ffff " },
		{ "2001:db8::x", "2001:db8::-2001:db8::ffff " },
		{ "x:x:x:x:x:x:x:x", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff " },
		{ "::f-1F,3", "::3 ::f-::1f " },
		{ "::1,2", "::1-::2 " },
		{ "1:2::3-4", "1:2::3-1:2::4 " },
		{ "1-2::", "1:: 2:: " },
		{ "1:2:3:4:5:6:7:8-9", "1:2:3:4:5:6:7:8-1:2:3:4:5:6:7:9 " },
		{ "1,3:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0 3:2:3:4:5:6:7:0 " },
		{ "::ffff:1.2.3.x", "::ffff:1.2.3.0-::ffff:1.2.3.255 " },
		{ "::1,3.0.0.1-2", "::1.0.0.1-::1.0.0.2 ::3.0.0.1-::3.0.0.2 " },
		{ "1:2:3:4:5:6:x.x.x.x", "1:2:3:4:5:6::-1:2:3:4:5:6:ffff:ffff " },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		GString *text = g_string_new(NULL);
		struct err err = { 0 };
		struct cidr single;

		unit_at("%s", cases[i].text);
		memset(&wildcard, 0xa5, sizeof(wildcard));
		CU_ASSERT_EQUAL(wildcard_parse(cases[i].text, &wildcard, &err), ST_OK);
		UNIT_ASSERT_STR(err.text, "");
		CU_ASSERT_EQUAL(wildcard_each_range(&wildcard, append_range, text), 0);
		UNIT_ASSERT_STR(text->str, cases[i].ranges);
		/* one range: one blank, the last character */
		CU_ASSERT_EQUAL(wildcard_as_range(&wildcard, &single),
				strchr(text->str, ' ') == text->str + text->len - 1);
		g_string_free(text, TRUE);
	}
}

static void test_errors(void)
{
	static const struct {
		const char *text;
		const char *reason;
	} cases[] = {
		{ "", "Input is empty or all whitespace" },
		{ "1.2-1.3.4", "Range is invalid (min > max) (2-1)" },
		{ "1.2-3-4.5.6", "Unexpected character '-'" },
		{ "1.-2.3.4", "Unexpected character '-'" },
		{ "1.,2.3.4", "Unexpected character ','" },
		{ "1.x,2.3.4", "Unexpected character ','" },
		{ "1.xx.2.3", "Unexpected character 'x'" },
		{ "1.0-256.2.3", "Value is above maximum of 255" },
		{ "1.0-99999999999.2.3", "Value is above maximum of 255" },
		{ "1.256.x.3", "IP octet 2 is too large: 256" },
		{ "1.256.2.3", "IP octet 2 is too large: 256" },
		{ "1.x.3.4/24", "Unexpected character '/'" },
		{ "2001:db8:x::/48", "Unexpected character '/'" },
		{ "::5-1", "Range is invalid (min > max) (5-1)" },
		{ "::f-e", "Range is invalid (min > max) (f-e)" },
		{ "::10000", "Value in IP section 1 is too large" },
		{ "x:10000::", "Value in IP section 2 is too large" },
		{ "::1-10000", "Value is above maximum of 65535" },
		{ "5-6", "Too few IP blocks given" },
		{ "5,6", "Too few IP blocks given" },
		{ "x", "Too few IP blocks given" },
		{ "1.2.x", "Too few IP blocks given" },
		{ "1:x", "Too few IP blocks given" },
		{ "1/0", "Value is below minimum of 1" },
		{ "::/0", "Value is below minimum of 1" },
		{ "1.2.3.4/33", "Value is above maximum of 32" },
		{ "1.2. 3.x", "Unexpected character ' '" },
		{ "1.2.3.4,5 6", "Unexpected character ' '" },
		{ "1.2.3.4-",
		  "Range is missing its upper limit (open-ended ranges are not supported)" },
		{ "x.x.x.x.x", "Found '.' after fourth octet" },
		{ "x:x:x:x:x:x:x:x:x", "Found ':' after final section" },
		{ "x::x::x", "Only one :: instance allowed" },
		{ "x:::x", "Unexpected character ':'" },
		{ "x::x:x:x:x:x:x:x", "Cannot have '::' in IP with 8 sections" },
		{ "1:2:3:4:5:6:7:1.2.x.4", "Too many sections before embedded IPv4" },
		{ "1:2:1.2.x.4", "Too few IP blocks given" },
		{ "x:", "Expecting IP block value after ':'" },
		{ ":x", "IP address cannot begin with single ':'" },
		{ "::1.2.x.4.5", "Found '.' after fourth octet" },
		{ "::1.2.x.4:5", "Found ':' after final section" },
		{ "::1.a.x.3", "Unexpected character 'a'" },
		{ "1.a.2.3", "Unexpected character 'a'" },
		{ "-", "Unexpected character '-'" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct err err = { 0 };

		unit_at("%s", cases[i].text);
		CU_ASSERT_EQUAL(wildcard_parse(cases[i].text, &wildcard, &err), ST_EINVAL);
		UNIT_ASSERT_STR(err.text, cases[i].reason);
	}
}

static void test_contains(void)
{
	static const struct {
		const char *wildcard;
		const char *address;
		bool inside;
	} cases[] = {
		{ "10.x.1-4,9.0", "10.200.9.0", true },
		{ "10.x.1-4,9.0", "10.200.5.0", false },
		{ "10.x.1-4,9.0", "10.200.9.1", false },
		{ "10.x.1-4,9.0", "11.200.9.0", false },
		{ "10.x.1-4,9.0", "::ffff:10.200.9.0", true },
		{ "10.x.1-4,9.0", "::10.200.9.0", false },
		{ "10.x.1-4,9.0", "2001::ffff:10.200.9.0", false },
		{ "x.x.x.x", "::1", false },
		{ "::ffff:10.x.0.0", "10.77.0.0", true },
		{ "::x:x:x", "10.77.0.0", true },
		{ "x::x:x", "10.77.0.0", false },
		{ "2001:db8:x::1-f", "2001:db8:77::e", true },
		{ "2001:db8:x::1-f", "2001:db8:77::10", false },
		{ "2001:db8:x::1-f", "2001:db9:77::1", false },
		{ "2001:db8:x::1-f", "2001:db8:77:0:0:0:1:1", false },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct ip ip;
		bool is_v6;

		unit_at("%s %s", cases[i].wildcard, cases[i].address);
		CU_ASSERT_EQUAL(wildcard_parse(cases[i].wildcard, &wildcard, NULL), ST_OK);
		CU_ASSERT_EQUAL(ip_parse(cases[i].address, &ip, &is_v6, NULL), ST_OK);
		CU_ASSERT_EQUAL(wildcard_contains(&wildcard, ip, is_v6), cases[i].inside);
	}
}

struct range_check {
	struct ip last; /* of the range before */
	uint64_t addresses;
	int ranges;
};

static int check_range(void *arg, const struct cidr *range)
{
	struct range_check *check = arg;

	CU_ASSERT(ip_compare(range->first, range->last) <= 0);
	/* ascending, with a gap in between */
	if (check->ranges > 0) {
		CU_ASSERT(ip_compare(ip_next(check->last), range->first) < 0);
	}
	CU_ASSERT(wildcard_contains(&wildcard, range->first, false));
	CU_ASSERT(wildcard_contains(&wildcard, range->last, false));
	CU_ASSERT(!wildcard_contains(&wildcard, ip_prev(range->first), false) ||
		  ip_to_v4(range->first) == 0);
	CU_ASSERT(!wildcard_contains(&wildcard, ip_next(range->last), false) ||
		  ip_to_v4(range->last) == UINT32_MAX);
	check->addresses += range->last.lo - range->first.lo + 1;
	check->last = range->last;
	check->ranges++;
	return 0;
}

/* Random wildcards: the ranges are disjoint and hold as many addresses as the product says. */
static void test_random(void)
{
	GRand *random = g_rand_new_with_seed(5);

	for (int round = 0; round < 300; round++) {
		GString *text = g_string_new(NULL);
		struct range_check check = { .ranges = 0 };
		uint64_t expected = 1;

		for (int i = 0; i < 4; i++) {
			uint64_t values = 0;
			bool in[256] = { false };

			g_string_append(text, i > 0 ? "." : "");
			if (g_rand_int_range(random, 0, 3) == 0) {
				g_string_append_c(text, 'x');
				expected *= 256;
				continue;
			}
			for (int j = g_rand_int_range(random, 0, 3); j >= 0; j--) {
				int first = g_rand_int_range(random, 0, 256);
				int last =
					first + g_rand_int_range(random, 0, MIN(12, 256 - first));

				g_string_append_printf(text, "%d-%d%s", first, last, j ? "," : "");
				memset(in + first, true, (size_t)(last - first + 1));
			}
			for (int j = 0; j < 256; j++) {
				values += in[j];
			}
			expected *= values;
		}
		unit_at("%s", text->str);
		CU_ASSERT_EQUAL(wildcard_parse(text->str, &wildcard, NULL), ST_OK);
		CU_ASSERT_EQUAL(wildcard_each_range(&wildcard, check_range, &check), 0);
		UNIT_ASSERT_U64(check.addresses, expected);
		g_string_free(text, TRUE);
	}
	g_rand_free(random);
}

static int stop_at_third(void *arg, const struct cidr *range)
{
	(void)range;
	return ++*(int *)arg == 3 ? 42 : 0;
}

static void test_stop(void)
{
	int calls = 0;

	CU_ASSERT_EQUAL(wildcard_parse("x.x.x.1", &wildcard, NULL), ST_OK);
	CU_ASSERT_EQUAL(wildcard_each_range(&wildcard, stop_at_third, &calls), 42);
	CU_ASSERT_EQUAL(calls, 3);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "ranges", test_ranges }, { "errors", test_errors }, { "contains", test_contains },
		{ "random", test_random }, { "stop", test_stop },     { NULL, NULL },
	};

	return unit_run("wildcard", cases);
}
