/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/addressline.h"

#include <glib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* What is taken is what ip_parse() makes of it. */
static void check(const char *text, bool must_take)
{
	char *line = g_strconcat(text, "\n", "1.2:", NULL);
	struct ip want, got;
	bool is_v6 = false;
	size_t len = addressline_v4(line, &got);
	bool took_v4 = len > 0;

	unit_at("'%s'", text);
	if (!len) {
		len = addressline_v6(line, &got);
	}
	CU_ASSERT(!must_take || len > 0);
	if (len) {
		UNIT_ASSERT_U64(len, strlen(text) + 1);
		CU_ASSERT_EQUAL(ip_parse(text, &want, &is_v6, NULL), ST_OK);
		CU_ASSERT(ip_equal(want, got));
		CU_ASSERT_EQUAL(is_v6, !took_v4);
	}
	g_free(line);
}

static void test_plain(void)
{
	static const char *const texts[] = {
		"0.0.0.0",
		"255.255.255.255",
		"1.2.3.4",
		"010.001.2.099",
		"::",
		"::1",
		"1::",
		"2001:db8::1",
		"1:2:3:4:5:6:7:8",
		"1::3:4:5:6:7:8",
		"ABCD:ef01:0:0000:1:2:3:ffff",
		"::ffff:102:304",
		"1:2:3:4:5:6:7::",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		check(texts[i], true);
	}
}

static void test_others(void)
{
	static const char *const texts[] = {
		"",
		"1.2.3",
		"1.2.3.4.5",
		"256.1.1.1",
		"1.2.3.4 ",
		" 1.2.3.4",
		"1.2.3.4/8",
		"1..2.3",
		"1.2.3.x",
		"1234.1.1.1",
		":",
		":::",
		"1:::2",
		"1::2::3",
		"1:2:3:4:5:6:7:8:9",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8::",
		"12345::",
		"g::",
		"1:",
		":1",
		"::1.2.3.4",
		"::/64",
		"1",
		"2001:db8::1 # x",
		"1:2:3:4::5:6:7:8",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		char *line = g_strconcat(texts[i], "\n", "1.2:", NULL);
		struct ip ip;

		unit_at("'%s'", texts[i]);
		UNIT_ASSERT_U64(addressline_v4(line, &ip), 0);
		UNIT_ASSERT_U64(addressline_v6(line, &ip), 0);
		g_free(line);
	}
}

/* Texts of the characters that addresses have, most of them none. */
static void test_random(void)
{
	static const char letters[] = "0123456789abcF::::....";
	GRand *rand = g_rand_new_with_seed(1);

	for (int i = 0; i < 200000; i++) {
		char text[24];
		int len = g_rand_int_range(rand, 1, (gint32)sizeof(text));

		for (int j = 0; j < len; j++) {
			text[j] = letters[g_rand_int_range(rand, 0, sizeof(letters) - 1)];
		}
		text[len] = '\0';
		check(text, false);
	}
	g_rand_free(rand);
}

static const struct unit_case cases[] = {
	{ "plain addresses", test_plain },
	{ "something else", test_others },
	{ "random texts", test_random },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("addressline", cases);
}
