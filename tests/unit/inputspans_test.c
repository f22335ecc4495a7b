/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/inputspans.h"

#include <glib.h>
#include <string.h>

#include "common/timestamp.h"
#include "query/tool.h"
#include "storage/blockout.h"
#include "storage/hourfile.h"
#include "tests/unit/unit.h"

const struct tool tool = { .name = "inputspans_test" };

#define FIRST_MS INT64_C(1700000000000)

/* A block file of so many blocks of so many rows, which start one ms after the other. */
static char *make_file(const char *name, int64_t start_ms, unsigned blocks, unsigned rows)
{
	char *path = g_build_filename(unit_scratch(), name, NULL);
	struct blockout *out = NULL;
	struct record rec = { .protocol = 6, .packets = 1, .bytes = 40 };
	struct err err;

	CU_ASSERT_EQUAL_FATAL(
		blockout_create(&out, path, BYTESINK_OVERWRITE, COMPRESSION_NONE, &err), ST_OK);
	for (unsigned block = 0; block < blocks; block++) {
		for (unsigned row = 0; row < rows; row++) {
			rec.start_ns = start_ms++ * NS_PER_MS;
			CU_ASSERT_EQUAL(blockout_write(out, &rec, &err), ST_OK);
		}
		CU_ASSERT_EQUAL(blockout_end_block(out, &err), ST_OK);
	}
	CU_ASSERT_EQUAL(blockout_close(out, &err), ST_OK);
	return path;
}

static struct inputspans *find(int count, char **names)
{
	static const struct source_opts opts = { .own_policy = "mix" };
	struct source *source = source_new(NULL, &opts, count, names);
	struct inputspans *spans = inputspans_find(source);

	CU_ASSERT_EQUAL(source_close(source), TOOL_EXIT_OK);
	return spans;
}

static void check_span(const struct inputspans *spans, size_t i, size_t files, uint64_t rows,
		       const char *first)
{
	const struct inputspan span = inputspans_get(spans, i);

	CU_ASSERT_EQUAL(span.count, files);
	UNIT_ASSERT_U64(span.rows, rows);
	UNIT_ASSERT_STR(span.files[0].name, first);
}

/* Named against the order of time; two of them overlap, the one that is named first comes first. */
static void test_spans(void)
{
	char *names[] = {
		make_file("late", FIRST_MS + 9000, 2, 10),
		make_file("inner", FIRST_MS + 120, 1, 5),
		make_file("none", FIRST_MS, 0, 0),
		make_file("outer", FIRST_MS + 100, 1, 50),
		make_file("early", FIRST_MS, 1, 100),
	};
	struct inputspans *spans = find(G_N_ELEMENTS(names), names);

	CU_ASSERT_PTR_NOT_NULL_FATAL(spans);
	CU_ASSERT_EQUAL(inputspans_count(spans), 3);
	check_span(spans, 0, 1, 100, names[4]);
	check_span(spans, 1, 2, 55, names[1]);
	check_span(spans, 2, 1, 20, names[0]);
	UNIT_ASSERT_U64(inputspans_rows(spans), 175);
	UNIT_ASSERT_U64(inputspans_rows_max(spans), 100);
	inputspans_free(spans);
	inputspans_free(NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_free(names[i]);
	}
}

static void test_unfit(void)
{
	char *names[] = { make_file("good", FIRST_MS, 1, 1), g_strdup("/nosuch/file") };

	CU_ASSERT_PTR_NULL(find(2, names));
	g_free(names[1]);
	names[1] = make_file("ancient", -5, 1, 1);
	CU_ASSERT_PTR_NULL(find(2, names));
	g_free(names[1]);
	names[1] = make_file("empty", 0, 0, 0);
	CU_ASSERT_PTR_NULL(find(1, names + 1));
	CU_ASSERT(g_file_set_contents(names[1], "text", -1, NULL));
	CU_ASSERT_PTR_NULL(find(2, names));
	g_free(names[1]);
	g_free(names[0]);
}

static size_t blocks_now(const struct inputfile *file)
{
	const struct stream_read_opts opts = { 0 };
	struct hourfile_reader *reader = NULL;
	struct err err;
	size_t count;

	CU_ASSERT_EQUAL_FATAL(hourfile_open(&reader, file->name, &opts, &err), ST_OK);
	count = inputspans_blocks(file, hourfile_blocks(reader));
	hourfile_close(reader);
	return count;
}

/* Between the two looks at a file it may grow, or be sealed; else it is another. */
static void test_changed(void)
{
	char *name = make_file("file", FIRST_MS, 2, 30);
	struct inputspans *spans = find(1, &name);
	struct inputspan span;

	CU_ASSERT_PTR_NOT_NULL_FATAL(spans);
	span = inputspans_get(spans, 0);
	CU_ASSERT_EQUAL(blocks_now(span.files), 2);
	g_free(make_file("file", FIRST_MS, 3, 30));
	CU_ASSERT_EQUAL(blocks_now(span.files), 2);
	g_free(make_file("file", FIRST_MS, 1, 60));
	CU_ASSERT_EQUAL(blocks_now(span.files), 1);
	g_free(make_file("file", FIRST_MS, 4, 15));
	CU_ASSERT_EQUAL(blocks_now(span.files), 4);
	g_free(make_file("file", FIRST_MS, 1, 59));
	CU_ASSERT_EQUAL(blocks_now(span.files), 0);
	g_free(make_file("file", FIRST_MS + 1, 2, 30));
	CU_ASSERT_EQUAL(blocks_now(span.files), 0);
	inputspans_free(spans);
	g_free(name);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "spans", test_spans },
		{ "what is none", test_unfit },
		{ "files that change", test_changed },
		{ NULL, NULL },
	};

	return unit_run("inputspans", cases);
}
