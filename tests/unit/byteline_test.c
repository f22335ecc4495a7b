/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/byteline.h"

#include <string.h>

#include "tests/unit/unit.h"

/* The lines of text of at most 8 bytes, each as "line|", or "!beginning|" when too long. */
static char *lines_of(const char *text, size_t len)
{
	struct bytesource *src = bytesource_memory(text, len, "memory");
	GString *line = g_string_new(NULL);
	GString *all = g_string_new(NULL);
	struct err err;
	int status;

	while ((status = byteline_read(src, 8, line, &err)) != ST_END) {
		CU_ASSERT(status == ST_OK || status == ST_ELIMIT);
		g_string_append_printf(all, "%s%.*s|", status == ST_OK ? "" : "!", (int)line->len,
				       line->str);
	}
	g_string_free(line, TRUE);
	bytesource_close(src);
	return g_string_free(all, FALSE);
}

static void test_lines(void)
{
	static const struct {
		const char *text;
		const char *lines;
	} cases[] = {
		{ "", "" },
		{ "\n", "|" },
		{ "a", "a|" },
		{ "a\n", "a|" },
		{ "a\n\nb", "a||b|" },
		{ "1234567\n", "1234567|" },
		{ "12345678\nx\n", "!12345678|x|" },
		{ "12345678", "12345678|" },
		{ "123456789\n123456789", "!12345678|!12345678|" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *lines = lines_of(cases[i].text, strlen(cases[i].text));

		unit_at("\"%s\"", cases[i].text);
		UNIT_ASSERT_STR(lines, cases[i].lines);
		g_free(lines);
	}
}

static void test_nul(void)
{
	struct bytesource *src = bytesource_memory("a\0b\nc", 5, "memory");
	GString *line = g_string_new(NULL);

	CU_ASSERT_EQUAL(byteline_read(src, 8, line, NULL), ST_OK);
	UNIT_ASSERT_U64(line->len, 3);
	CU_ASSERT_EQUAL(memcmp(line->str, "a\0b", 4), 0);
	g_string_free(line, TRUE);
	bytesource_close(src);
}

/* A line longer than what the source shows at once. */
static void test_long(void)
{
	const size_t len = 3 * BYTESOURCE_VIEW_MAX;
	char *text = g_strnfill(len, 'x');
	struct bytesource *src = bytesource_memory(text, len, "memory");
	GString *line = g_string_new(NULL);
	struct err err;

	CU_ASSERT_EQUAL(byteline_read(src, len, line, NULL), ST_OK);
	UNIT_ASSERT_U64(line->len, len);
	bytesource_close(src);
	src = bytesource_memory(text, len, "memory");
	CU_ASSERT_EQUAL(byteline_read(src, len - 1, line, &err), ST_ELIMIT);
	UNIT_ASSERT_U64(line->len, len - 1);
	CU_ASSERT_EQUAL(byteline_read(src, len - 1, line, NULL), ST_END);
	bytesource_close(src);
	g_string_free(line, TRUE);
	g_free(text);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "lines", test_lines },
		{ "a NUL", test_nul },
		{ "a long line", test_long },
		{ NULL, NULL },
	};

	return unit_run("byteline", cases);
}
