/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "common/decimal.h"
#include "common/timestamp.h"
#include "tests/unit/unit.h"

/* What fill() writes through the style; caller frees. */
static char *render(const struct text_style *style, void (*fill)(struct text *))
{
	char *path = g_build_filename(unit_scratch(), "text", NULL);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct text *text = text_new(fd, style);
	char *out = NULL;

	fill(text);
	CU_ASSERT_EQUAL(text_close(text, NULL), ST_OK);
	close(fd);
	CU_ASSERT(g_file_get_contents(path, &out, NULL, NULL));
	g_free(path);
	return out;
}

static void fill_two(struct text *text)
{
	text_add_column(text, "name", 6, false);
	text_add_column(text, "a long title", 5, true);
	text_titles(text);
	text_cell_string(text, "x,\"y\"");
	text_cell_u64(text, 42);
	text_row_done(text);
	text_cell_string(text, "overflowing");
	text_cell(text);
	text_cell_done(text, 0);
	text_row_done(text);
}

static void test_styles(void)
{
	static const struct {
		const char *name;
		struct text_style style;
		const char *expected;
	} cases[] = {
		{ "columns",
		  { .separator = '|' },
		  "  name|a lon|\n x,\"y\"|   42|\noverflowing|     |\n" },
		{ "no titles",
		  { .separator = '|', .no_titles = true },
		  " x,\"y\"|   42|\noverflowing|     |\n" },
		{ "no final",
		  { .separator = ' ', .no_final_delimiter = true },
		  "  name a lon\n x,\"y\"    42\noverflowing      \n" },
		{ "delimited",
		  { .form = TEXT_DELIMITED, .separator = ';' },
		  "name;a long title;\nx,\"y\";42;\noverflowing;;\n" },
		{ "csv",
		  { .form = TEXT_CSV, .separator = ',', .no_final_delimiter = true },
		  "name,a long title\n\"x,\"\"y\"\"\",42\noverflowing,\n" },
		{ "json",
		  { .form = TEXT_JSON },
		  "{\"name\":\"x,\\\"y\\\"\",\"a long title\":42}\n"
		  "{\"name\":\"overflowing\",\"a long title\":null}\n" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *out = render(&cases[i].style, fill_two);

		unit_at("%s", cases[i].name);
		UNIT_ASSERT_STR(out, cases[i].expected);
		g_free(out);
	}
}

static void fill_mixed(struct text *text)
{
	text_add_column(text, "day", 11, false);
	text_align_left(text);
	text_add_column(text, "hour", 14, false);
	text_add_column(text, "time", 20, false);
	text_add_column(text, "value", 5, false);
	text_cell_day(text, INT64_C(1700049605123456789), TIMESTAMP_DEFAULT);
	text_cell_hour(text, INT64_C(1700049605123456789), TIMESTAMP_DEFAULT);
	text_cell_time(text, INT64_C(1700049605123456789), TIMESTAMP_MDY | TIMESTAMP_NO_MSEC);
	text_cell_is_number(text, true);
	text_cell_u64(text, 7);
	text_row_done(text);
	text_cell_string(text, "");
	text_cell_string(text, "");
	text_cell_time(text, 0, TIMESTAMP_EPOCH | TIMESTAMP_MICRO);
	text_cell_string(text, "seven");
	text_row_done(text);
}

static void test_counts(void)
{
	static const struct text_count counts[] = { { "read", 5 }, { "passed, all", UINT64_MAX } };
	static const char *const expected[] = {
		NULL,
		"read,\"passed, all\"\n5,18446744073709551615\n",
		"{\"read\":5,\"passed, all\":18446744073709551615}\n",
	};
	char *path = g_build_filename(unit_scratch(), "counts", NULL);

	for (int format = 1; text_data_formats[format]; format++) {
		int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
		char *out = NULL;

		unit_at("%s", text_data_formats[format]);
		CU_ASSERT_EQUAL(text_data_counts(fd, format, counts, 2, NULL), ST_OK);
		close(fd);
		CU_ASSERT(g_file_get_contents(path, &out, NULL, NULL));
		UNIT_ASSERT_STR(out, expected[format]);
		g_free(out);
	}
	g_free(path);
}

static void test_times(void)
{
	const struct text_style columns = { .separator = '|' };
	const struct text_style json = { .form = TEXT_JSON };
	char *out = render(&columns, fill_mixed);

	UNIT_ASSERT_STR(out, "2023/11/15 | 2023/11/15T12| 11/15/2023 12:00:05|    7|\n"
			     "           |              |            0.000000|seven|\n");
	g_free(out);
	out = render(&json, fill_mixed);
	UNIT_ASSERT_STR(out, "{\"day\":\"2023-11-15\",\"hour\":\"2023-11-15T12:00:05Z\","
			     "\"time\":\"2023-11-15T12:00:05Z\",\"value\":7}\n"
			     "{\"day\":\"\",\"hour\":\"\",\"time\":\"1970-01-01T00:00:00.000000Z\","
			     "\"value\":\"seven\"}\n");
	g_free(out);
}

static void test_options(void)
{
	static const struct {
		const char *name;
		struct text_opts opts;
		struct text_style expected;
	} cases[] = {
		{ "none", { 0 }, { .form = TEXT_COLUMNS, .separator = '|' } },
		{ "separator", { .separator = { false, true, ';' } }, { .separator = ';' } },
		{ "no columns", { .no_columns = true }, { TEXT_DELIMITED, .separator = '|' } },
		{ "delimited",
		  { .separator = { .delimited = true } },
		  { TEXT_DELIMITED, .separator = '|', .no_final_delimiter = true } },
		{ "delimited=,",
		  { .separator = { true, true, ',' }, .no_titles = true },
		  { TEXT_DELIMITED, .separator = ',', .no_final_delimiter = true,
		    .no_titles = true } },
		{ "csv",
		  { .output_format = TEXT_CSV },
		  { TEXT_CSV, .separator = ',', .no_final_delimiter = true } },
	};

	CU_ASSERT_EQUAL(opt_check(text_opt_table, NULL), ST_OK);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct text_style *want = &cases[i].expected;
		struct text_style style;

		unit_at("%s", cases[i].name);
		CU_ASSERT_EQUAL(text_style_from_opts(&cases[i].opts, &style, NULL), ST_OK);
		CU_ASSERT_EQUAL(style.form, want->form);
		CU_ASSERT_EQUAL(style.separator, want->separator);
		CU_ASSERT_EQUAL(style.no_final_delimiter, want->no_final_delimiter);
		CU_ASSERT_EQUAL(style.no_titles, want->no_titles);
	}
}

static void fill_many(struct text *text)
{
	char *wide = g_strnfill(100000, '"');

	text_add_column(text, "n", 9, true);
	text_add_column(text, "s", 9, false);
	for (unsigned i = 0; i < 40000; i++) {
		text_cell_u64(text, i);
		text_cell_string(text, i == 777 ? wide : "ab");
		text_row_done(text);
	}
	g_free(wide);
}

/* More than the buffer, and one cell longer than any bound. */
static void test_much(void)
{
	const struct text_style style = { .form = TEXT_JSON };
	char *out = render(&style, fill_many);
	const char *last = "{\"n\":39999,\"s\":\"ab\"}\n";

	CU_ASSERT(g_str_has_suffix(out, last));
	CU_ASSERT(strstr(out, "{\"n\":777,\"s\":\"\\\"\\\"\\\"") != NULL);
	UNIT_ASSERT_U64(strlen(out), 10 * strlen("{'n':0,'s':'ab'}\n") +
					     90 * strlen("{'n':10,'s':'ab'}\n") +
					     900 * strlen("{'n':100,'s':'ab'}\n") +
					     9000 * strlen("{'n':1000,'s':'ab'}\n") +
					     30000 * strlen("{'n':10000,'s':'ab'}\n") + 200000 - 2);
	g_free(out);
}

static void test_numbers(void)
{
	uint64_t number = 1;

	for (int digits = 1; digits <= 20; digits++) {
		for (int step = -1; step <= 1; step++) {
			char expected[24], actual[24] = { 0 };
			uint64_t n = number + (uint64_t)step;

			snprintf(expected, sizeof(expected), "%llu", (unsigned long long)n);
			actual[decimal_print(actual, n)] = '\0';
			UNIT_ASSERT_STR(actual, expected);
		}
		number *= 10;
	}
}

/* The two rows of fill_two() without titles, of which the second is made in a draft. */
static void fill_with_draft(struct text *text)
{
	struct text *draft = text_draft(text);
	struct text_rows rows = { 0 };

	text_add_column(text, "name", 6, false);
	text_add_column(text, "a long title", 5, true);
	text_cell_string(draft, "overflowing");
	text_cell(draft);
	text_cell_done(draft, 0);
	text_row_done(draft);
	CU_ASSERT_EQUAL(text_draft_bytes(draft), strlen("overflowing|     |\n"));
	text_cell_string(text, "x,\"y\"");
	text_cell_u64(text, 42);
	text_row_done(text);
	text_take_rows(draft, &rows);
	CU_ASSERT_EQUAL(text_draft_bytes(draft), 0);
	text_put_rows(text, &rows);
	/* the room is used again */
	text_take_rows(draft, &rows);
	text_put_rows(text, &rows);
	g_free(rows.bytes);
	CU_ASSERT_EQUAL(text_close(draft, NULL), ST_OK);
}

static void test_draft(void)
{
	const struct text_style style = { .separator = '|' };
	char *out = render(&style, fill_with_draft);

	UNIT_ASSERT_STR(out, " x,\"y\"|   42|\noverflowing|     |\n");
	g_free(out);
}

/* A draft holds more than a table that is written does. */
static void test_large_draft(void)
{
	const struct text_style style = { .separator = '|' };
	struct text *text = text_new(STDOUT_FILENO, &style);
	struct text *draft = text_draft(text);
	struct text_rows rows = { 0 };

	text_add_column(text, "number", 9, true);
	for (unsigned i = 0; i < 100000; i++) {
		text_cell_u64(draft, i);
		text_row_done(draft);
	}
	text_take_rows(draft, &rows);
	CU_ASSERT_EQUAL(rows.len, 100000 * strlen("        0|\n"));
	CU_ASSERT(memcmp(rows.bytes + rows.len - 11, "    99999|\n", 11) == 0);
	g_free(rows.bytes);
	text_close(draft, NULL);
	CU_ASSERT_EQUAL(text_close(text, NULL), ST_OK);
}

static void test_full_disk(void)
{
	const struct text_style style = { .separator = '|' };
	int fd = open("/dev/full", O_WRONLY);
	struct text *text;
	struct err err;

	if (fd < 0) {
		return;
	}
	text = text_new(fd, &style);
	text_raw(text, "heading\n");
	CU_ASSERT_EQUAL(text_close(text, &err), ST_EIO);
	CU_ASSERT(strstr(err.text, "No space left") != NULL);
	close(fd);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "styles", test_styles },       { "counts", test_counts },
		{ "times", test_times },         { "options", test_options },
		{ "much", test_much },           { "numbers", test_numbers },
		{ "drafts", test_draft },        { "a large draft", test_large_draft },
		{ "full disk", test_full_disk }, { NULL, NULL },
	};

	return unit_run("text", cases);
}
