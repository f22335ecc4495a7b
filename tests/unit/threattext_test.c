/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/threattext.h"

#include <glib.h>

#include "tests/unit/unit.h"

static const struct {
	const char *line;
	const char *texts; /* each with a bar behind it */
} lines[] = {
	{ "", "" },
	{ "\r\n", "" },
	{ "# comment", "" },
	{ "  ; comment 192.0.2.1", "" },
	{ "// comment", "" },
	{ "192.0.2.1\r\n", "192.0.2.1|" },
	{ "\xef\xbb\xbf# comment", "" },
	{ "\xef\xbb\xbf"
	  "192.0.2.1",
	  "192.0.2.1|" },
	{ " 192.0.2.1 # scanner", "192.0.2.1|" },
	{ "192.0.2.0/24 ; SBL1", "192.0.2.0/24|" },
	{ "192.0.2.1 // why", "192.0.2.1|" },
	{ "192.0.2.1,2026-01-01,\"a, b\"", "192.0.2.1|" },
	{ "\"192.0.2.1\",\"x\"", "192.0.2.1|" },
	{ "'192.0.2.1','x'", "192.0.2.1|" },
	{ "192.0.2.1\tscanner", "192.0.2.1|" },
	{ "192.0.2.1|x", "192.0.2.1|" },
	{ "192.0.2.1 - 192.0.2.9", "192.0.2.1 - 192.0.2.9|" },
	{ "192[.]0[.]2[.]1", "192.0.2.1|" },
	{ "2001[:]db8::1", "2001:db8::1|" },
	{ "http://192.0.2.1/x", "http:|" },
	{ ",192.0.2.1", "" },
	{ "[ipv4-addr:value = '192.0.2.1']", "192.0.2.1|" },
	{ "[ipv4-addr:value='192.0.2.0/24' OR ipv6-addr:value = '2001:db8::1']",
	  "192.0.2.0/24|2001:db8::1|" },
	{ "[ipv4-addr:value IN ('192.0.2.1', ' 192.0.2.2 ')]", "192.0.2.1|192.0.2.2|" },
	{ "[domain-name:value = 'ipv4-addr:value' AND ipv4-addr:value = '192.0.2.1']",
	  "192.0.2.1|" },
	{ "[ipv4-addr:value = '192.0.2.1' AND url:value = 'http://x']", "192.0.2.1|" },
	{ "[ipv4-addr:value = '192.0.2.1", "" },
	{ "[network-traffic:src_ref.type = 'ipv4-addr'] x ipv4-addr:value", "" },
	{ "\"pattern\": \"[ipv4-addr:value = '192.0.2.1']\",", "192.0.2.1|" },
};

static void test_lines(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
		char *line = g_strdup(lines[i].line);
		GString *texts = g_string_new(NULL);
		struct threattext threat;
		const char *text;

		unit_at("%s", lines[i].line);
		threattext_start(&threat, line);
		while ((text = threattext_next(&threat))) {
			g_string_append_printf(texts, "%s|", text);
		}
		UNIT_ASSERT_STR(texts->str, lines[i].texts);
		CU_ASSERT_PTR_NULL(threattext_next(&threat));
		g_string_free(texts, TRUE);
		g_free(line);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "lines", test_lines },
		{ NULL, NULL },
	};

	return unit_run("threattext", cases);
}
