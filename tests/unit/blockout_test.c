/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/blockout.h"

#include <glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/hourfile.h"
#include "tests/unit/unit.h"

#define ROWS 1000u

/* A batch of rows whose packets count up from first, with an element of this type. */
static void fill(struct batch *batch, unsigned first, uint8_t type)
{
	struct batch_extension *column;

	batch_clear(batch, COLUMNS_ALL);
	for (unsigned i = 0; i < ROWS; i++) {
		struct record rec;

		record_init(&rec);
		rec.start_ns = 1709618400123456789 + i;
		rec.packets = first + i;
		batch_append(batch, &rec);
	}
	column = batch_extension(batch, 0);
	column->any = true;
	column->type = type;
	for (unsigned i = 0; i < ROWS; i++) {
		column->present[i] = i % 2;
		if (type == IE_STRING) {
			column->strings[i] = (struct batch_bytes){ (const uint8_t *)"text", 4 };
		} else {
			column->numbers[i] = first + i;
		}
	}
}

static void write_file(const char *path)
{
	struct batch *batch = batch_new();
	struct blockout *out = NULL;
	struct header entries;
	struct err err = { 0, "" };

	batch_want(batch, (struct ie_key){ 9, 1 });
	header_init(&entries);
	header_add_text(&entries, ENTRY_ANNOTATION, "a note");
	header_add_text(&entries, ENTRY_INVOCATION, "a command");
	CU_ASSERT_EQUAL_FATAL(blockout_create(&out, path, 0, COMPRESSION_DEFAULT, &err), ST_OK);
	blockout_add_entries(out, &entries);
	fill(batch, 0, IE_UNSIGNED32);
	CU_ASSERT_EQUAL(blockout_write_batch(out, batch, &err), ST_OK);
	/* another input, where the element has another type */
	fill(batch, ROWS, IE_STRING);
	batch->selected = 10;
	CU_ASSERT_EQUAL(blockout_write_batch(out, batch, &err), ST_OK);
	fill(batch, 2 * ROWS, IE_STRING);
	CU_ASSERT_EQUAL(blockout_write_batch(out, batch, &err), ST_OK);
	CU_ASSERT_EQUAL(blockout_close(out, &err), ST_OK);
	header_release(&entries);
	batch_free(batch);
}

static void test_write(void)
{
	char *path = g_build_filename(unit_scratch(), "out", NULL);
	struct hourfile_reader *reader = NULL;
	struct batch *batch = batch_new();
	struct err err = { 0, "" };
	uint64_t rows = 0;
	uint64_t texts = 0;
	uint64_t numbers = 0;
	size_t pos = 0;

	write_file(path);
	batch_want(batch, (struct ie_key){ 9, 1 });
	CU_ASSERT_EQUAL_FATAL(hourfile_open(&reader, path, NULL, &err), ST_OK);
	CU_ASSERT_EQUAL(blockfile_count(hourfile_blocks(reader)), 2);
	UNIT_ASSERT_STR(
		(const char *)header_next(hourfile_header(reader), ENTRY_ANNOTATION, &pos)->payload,
		"a note");
	while (hourfile_read_batch(reader, batch, COLUMNS_ALL, &err) == ST_OK) {
		const struct batch_extension *column = batch_extension(batch, 0);

		for (uint32_t row = 0; row < batch->rows; row++) {
			rows++;
			CU_ASSERT_EQUAL(batch->sensor[row], RECORD_NO_SENSOR);
			CU_ASSERT_EQUAL(column->present[row], batch->packets[row] % 2);
			if (!column->present[row]) {
				continue;
			}
			texts += column->type == IE_STRING && column->strings[row].len == 4;
			numbers += column->type == IE_UNSIGNED32 &&
				   column->numbers[row] == batch->packets[row];
		}
	}
	UNIT_ASSERT_U64(rows, 2 * ROWS + 10);
	UNIT_ASSERT_U64(numbers, ROWS / 2);
	UNIT_ASSERT_U64(texts, ROWS / 2 + 5);
	hourfile_close(reader);
	batch_free(batch);
	g_free(path);
}

static void test_empty_and_existing(void)
{
	char *path = g_build_filename(unit_scratch(), "empty", NULL);
	struct hourfile_reader *reader = NULL;
	struct blockout *out = NULL;
	struct err err = { 0, "" };

	CU_ASSERT_EQUAL_FATAL(blockout_create(&out, path, 0, COMPRESSION_NONE, &err), ST_OK);
	CU_ASSERT_EQUAL(blockout_close(out, &err), ST_OK);
	CU_ASSERT_EQUAL_FATAL(hourfile_open(&reader, path, NULL, &err), ST_OK);
	CU_ASSERT_EQUAL(blockfile_count(hourfile_blocks(reader)), 0);
	hourfile_close(reader);
	CU_ASSERT_EQUAL(blockout_create(&out, path, 0, COMPRESSION_NONE, &err), ST_EEXIST);
	CU_ASSERT_EQUAL(blockout_close(NULL, &err), ST_OK);
	g_free(path);
}

static void test_full_disk(void)
{
	struct batch *batch = batch_new();
	struct blockout *out = NULL;
	struct err err = { 0, "" };

	if (access("/dev/full", W_OK) != 0 ||
	    blockout_create(&out, "/dev/full", 0, COMPRESSION_NONE, &err) != ST_OK) {
		batch_free(batch);
		return;
	}
	batch_want(batch, (struct ie_key){ 9, 1 });
	fill(batch, 0, IE_UNSIGNED32);
	CU_ASSERT_EQUAL(blockout_write_batch(out, batch, &err), ST_OK);
	CU_ASSERT_EQUAL(blockout_close(out, &err), ST_EIO);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/dev/full"));
	batch_free(batch);
}

static const struct unit_case cases[] = {
	{ "write", test_write },
	{ "empty and existing", test_empty_and_existing },
	{ "full disk", test_full_disk },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("blockout", cases);
}
