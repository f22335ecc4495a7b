/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/appender.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "storage/blockout.h"
#include "tests/unit/packsite.h"
#include "tests/unit/unit.h"

#define NAME "in-S0_20240305.12.Ab3dEf"
#define HOUR INT64_C(1709640000000000000)

struct fixture {
	struct site *site;
	char *in;
	char *root;
	char *bad;
	struct appender_opts opts;
	struct appender *appender;
};

static char *folder(const char *test, const char *name)
{
	char *path = g_build_filename(unit_scratch(), test, name, NULL);

	CU_ASSERT_EQUAL(g_mkdir_with_parents(path, 0755), 0);
	return path;
}

static void fixture_init(struct fixture *at, const char *test)
{
	at->site = packsite_load();
	at->in = folder(test, "in");
	at->root = folder(test, "root");
	at->bad = folder(test, "bad");
	at->opts = (struct appender_opts){
		.site = at->site,
		.incoming_directory = at->in,
		.root_directory = at->root,
		.disposal = { .error_directory = at->bad },
		.hours_past = -1,
		.hours_future = -1,
		.threads = 2,
		.keep_kind = true,
		.keep_byte_order = true,
		.compression = APPENDER_AS_IS,
	};
	CU_ASSERT_EQUAL(appender_open(&at->appender, &at->opts, NULL), ST_OK);
}

static void fixture_release(struct fixture *at)
{
	appender_close(at->appender);
	site_free(at->site);
	g_free(at->in);
	g_free(at->root);
	g_free(at->bad);
}

static int take(struct fixture *at, unsigned thread)
{
	char *path = g_build_filename(at->in, NAME, NULL);
	struct appender_file file = { .path = path, .name = NAME };
	struct err err = { .status = ST_OK };
	int st = appender_take(at->appender, thread, &file, 1, &err);

	unit_at("%s", err.text);
	g_free(path);
	return st == ST_OK && !file.done ? ST_ENOENT : st;
}

static struct record record_of(unsigned i)
{
	struct record rec;

	record_init(&rec);
	rec.start_ns = HOUR + i * INT64_C(1000000);
	rec.sip = ip_from_v4(0x0a000000 + i);
	rec.packets = 1;
	rec.bytes = 40 + i;
	return rec;
}

/* Blocks of count records, whose element 305 has this type in all of them. */
static void put_blocks(struct fixture *at, unsigned count, uint8_t type)
{
	char *path = g_build_filename(at->in, NAME, NULL);
	struct blockout *out = NULL;

	CU_ASSERT_EQUAL(blockout_create(&out, path, 0, COMPRESSION_DEFAULT, NULL), ST_OK);
	for (unsigned i = 0; i < count; i++) {
		struct record rec = record_of(i);
		struct flowblock_value value = { .key = { 0, 305 }, .type = type, .number = i };

		CU_ASSERT_EQUAL(blockout_write(out, &rec, NULL), ST_OK);
		CU_ASSERT_EQUAL(blockout_set(out, &value, NULL), ST_OK);
	}
	CU_ASSERT_EQUAL(blockout_close(out, NULL), ST_OK);
	g_free(path);
}

/* The sums of bytes and of element 305 in the hourly file, and its records. */
static void read_hour(struct fixture *at, uint64_t *records, uint64_t *bytes, uint64_t *element)
{
	char *path = g_build_filename(at->root, "in/2024/03/05/in-S0_20240305.12", NULL);
	struct batch *batch = batch_new();
	struct hourfile_reader *reader = NULL;

	*records = *bytes = *element = 0;
	batch_want(batch, (struct ie_key){ 0, 305 });
	if (hourfile_open(&reader, path, NULL, NULL) == ST_OK) {
		while (hourfile_read_batch(reader, batch, COLUMNS_ALL, NULL) == ST_OK) {
			const struct batch_extension *column = batch_extension(batch, 0);

			*records += batch->rows;
			for (uint32_t i = 0; i < batch->rows; i++) {
				*bytes += batch->bytes[i];
				*element +=
					column->any && column->present[i] ? column->numbers[i] : 0;
			}
		}
		hourfile_close(reader);
	}
	batch_free(batch);
	g_free(path);
}

/* Information elements stay, also where a column's type changes from file to file. */
static void test_blocks(void)
{
	struct fixture at;
	uint64_t records;
	uint64_t bytes;
	uint64_t element;

	fixture_init(&at, "blocks");
	put_blocks(&at, 1500, COLUMN_UNSIGNED32);
	CU_ASSERT_EQUAL(take(&at, 0), ST_OK);
	put_blocks(&at, 10, COLUMN_UNSIGNED16);
	CU_ASSERT_EQUAL(take(&at, 1), ST_OK);
	CU_ASSERT_EQUAL(take(&at, 1), ST_ENOENT);
	read_hour(&at, &records, &bytes, &element);
	CU_ASSERT_EQUAL(records, 1510);
	CU_ASSERT_EQUAL(bytes, 1500 * 40 + 1499 * 750 + 10 * 40 + 45);
	CU_ASSERT_EQUAL(element, 1499 * 750 + 45);
	fixture_release(&at);
}

/* SiLK files cannot hold the elements: the records are appended without. */
static void test_kind(void)
{
	struct fixture at;
	uint64_t records;
	uint64_t bytes;
	uint64_t element;

	fixture_init(&at, "kind");
	at.opts.keep_kind = false;
	at.opts.kind = HOURFILE_SILK;
	appender_close(at.appender);
	CU_ASSERT_EQUAL(appender_open(&at.appender, &at.opts, NULL), ST_OK);
	put_blocks(&at, 7, COLUMN_UNSIGNED32);
	CU_ASSERT_EQUAL(take(&at, 0), ST_OK);
	read_hour(&at, &records, &bytes, &element);
	CU_ASSERT_EQUAL(records, 7);
	CU_ASSERT_EQUAL(element, 0);
	fixture_release(&at);
}

/* A record that the hourly file cannot hold: the file is put aside as a whole. */
static void test_unfit(void)
{
	struct fixture at;
	struct hourfile_writer *writer = NULL;
	const struct hourfile_key key = { .hour_ns = HOUR };
	const struct hourfile_write_opts opts = { .kind = HOURFILE_SILK, .format = FORMAT_RWSPLIT };
	struct record rec = record_of(1);
	char *path;
	char *aside;
	uint64_t records;
	uint64_t bytes;
	uint64_t element;

	fixture_init(&at, "unfit");
	path = g_build_filename(at.root, "in/2024/03/05/in-S0_20240305.12", NULL);
	CU_ASSERT_EQUAL(hourfile_append(&writer, path, &key, &opts, NULL, NULL), ST_OK);
	CU_ASSERT_EQUAL(hourfile_write(writer, &rec, NULL), ST_OK);
	CU_ASSERT_EQUAL(hourfile_finish(writer, NULL), ST_OK);
	g_free(path);

	path = g_build_filename(at.in, NAME, NULL);
	rec.state |= RECORD_IPV6;
	rec.sip = (struct ip){ .hi = UINT64_C(0x20010db8) << 32, .lo = 1 };
	CU_ASSERT_EQUAL(hourfile_append(&writer, path, &key,
					&(struct hourfile_write_opts){ .kind = HOURFILE_SILK },
					NULL, NULL),
			ST_OK);
	CU_ASSERT_EQUAL(hourfile_write(writer, &rec, NULL), ST_OK);
	CU_ASSERT_EQUAL(hourfile_finish(writer, NULL), ST_OK);
	CU_ASSERT_EQUAL(take(&at, 0), ST_OK);
	aside = g_build_filename(at.bad, NAME, NULL);
	CU_ASSERT(g_file_test(aside, G_FILE_TEST_EXISTS));
	CU_ASSERT(!g_file_test(path, G_FILE_TEST_EXISTS));
	read_hour(&at, &records, &bytes, &element);
	CU_ASSERT_EQUAL(records, 1);
	g_free(aside);
	g_free(path);
	fixture_release(&at);
}

static void test_one_each(void)
{
	struct fixture at;
	struct appender *other = NULL;

	fixture_init(&at, "each");
	CU_ASSERT_EQUAL(appender_open(&other, &at.opts, NULL), ST_EAGAIN);
	fixture_release(&at);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "elements of block files stay", test_blocks },
		{ "another kind of file", test_kind },
		{ "a record that does not fit", test_unfit },
		{ "one appender for a directory", test_one_each },
		{ NULL, NULL },
	};

	return unit_run("appender", cases);
}
