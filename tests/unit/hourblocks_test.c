/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Block files through the seam of hourly files. */
#include "storage/hourfile.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/blockrecords.h"
#include "tests/unit/unit.h"

static const struct hourfile_key key = { .hour_ns = BLOCKRECORDS_HOUR_NS,
					 .sensor = BLOCKRECORDS_SENSOR,
					 .flowtype = BLOCKRECORDS_TYPE };

/* Append records first..first+count as one block; was the file new? */
static bool append(const char *path, enum hourfile_kind kind, uint8_t compression, unsigned first,
		   unsigned count)
{
	const struct hourfile_write_opts opts = { .kind = kind, .compression = compression };
	struct hourfile_writer *writer = NULL;
	struct err err = { 0, "" };
	bool created = false;

	CU_ASSERT_EQUAL_FATAL(hourfile_append(&writer, path, &key, &opts, &created, &err), ST_OK);
	UNIT_ASSERT_U64(hourfile_cut_bytes(writer), 0);
	for (unsigned i = first; i < first + count; i++) {
		GRand *rand = g_rand_new_with_seed(i);
		struct record rec = blockrecords_usual(rand, i);

		CU_ASSERT_EQUAL(hourfile_write(writer, &rec, &err), ST_OK);
		g_rand_free(rand);
	}
	UNIT_ASSERT_U64(hourfile_take_records(writer), count);
	UNIT_ASSERT_U64(hourfile_records(writer), 0);
	CU_ASSERT_EQUAL(hourfile_finish(writer, &err), ST_OK);
	return created;
}

/* Rows that can be read; failures that were gone on after are counted. */
static uint64_t count_rows(const char *path, unsigned *failures)
{
	struct hourfile_reader *reader = NULL;
	struct batch *batch = batch_new();
	uint64_t rows = 0;
	struct err err = { 0, "" };
	int rc;

	*failures = 0;
	CU_ASSERT_EQUAL_FATAL(hourfile_open(&reader, path, NULL, &err), ST_OK);
	while ((rc = hourfile_read_batch(reader, batch, COLUMNS_ALL, &err)) != ST_END) {
		if (rc != ST_OK) {
			CU_ASSERT_EQUAL(rc, ST_EFORMAT);
			CU_ASSERT_PTR_NOT_NULL(strstr(err.text, path));
			CU_ASSERT_FATAL(hourfile_goes_on(reader));
			++*failures;
		}
		rows += rc == ST_OK ? batch->selected : 0;
	}
	hourfile_close(reader);
	batch_free(batch);
	return rows;
}

/* Folders are made; a file keeps its kind, whatever is asked for later. */
static void test_kinds(void)
{
	char *blocks = g_strdup_printf("%s/x/y/blocks", unit_scratch());
	char *silk = g_strdup_printf("%s/silk", unit_scratch());
	struct hourfile_reader *reader = NULL;
	unsigned failures;

	CU_ASSERT(append(blocks, HOURFILE_BLOCKS, COMPRESSION_DEFAULT, 0, 5));
	CU_ASSERT(!append(blocks, HOURFILE_SILK, COMPRESSION_NONE, 5, 7));
	CU_ASSERT(append(silk, HOURFILE_SILK, COMPRESSION_NONE, 0, 5));
	CU_ASSERT(!append(silk, HOURFILE_BLOCKS, COMPRESSION_BEST, 5, 7));
	UNIT_ASSERT_U64(count_rows(blocks, &failures), 12);
	UNIT_ASSERT_U64(count_rows(silk, &failures), 12);
	CU_ASSERT_EQUAL_FATAL(hourfile_open(&reader, blocks, NULL, NULL), ST_OK);
	CU_ASSERT_PTR_NOT_NULL(hourfile_blocks(reader));
	CU_ASSERT_EQUAL(blockfile_count(hourfile_blocks(reader)), 2);
	hourfile_close(reader);
	CU_ASSERT_EQUAL_FATAL(hourfile_open(&reader, silk, NULL, NULL), ST_OK);
	CU_ASSERT_PTR_NULL(hourfile_blocks(reader));
	CU_ASSERT(!hourfile_goes_on(reader));
	hourfile_close(reader);
	g_free(blocks);
	g_free(silk);
}

/* Any compression of SiLK files can be asked for. */
static void test_compressions(void)
{
	static const uint8_t methods[] = {
		COMPRESSION_NONE,   COMPRESSION_ZLIB, COMPRESSION_LZO1X,
		COMPRESSION_SNAPPY, COMPRESSION_BEST, COMPRESSION_DEFAULT
	};

	for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
		char *path = g_strdup_printf("%s/method%zu", unit_scratch(), i);
		unsigned failures;

		unit_at("method %u", methods[i]);
		append(path, HOURFILE_BLOCKS, methods[i], 0, 3000);
		UNIT_ASSERT_U64(count_rows(path, &failures), 3000);
		CU_ASSERT_EQUAL(failures, 0);
		g_free(path);
	}
}

static void flip_byte(const char *path, off_t at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte = 0;

	CU_ASSERT_EQUAL(pread(fd, &byte, 1, at), 1);
	byte ^= 0x55;
	CU_ASSERT_EQUAL(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

/* A damaged directory and a damaged column each cost a block, and are told. */
static void test_damage(void)
{
	char *path = g_strdup_printf("%s/damaged", unit_scratch());
	struct hourfile_reader *reader = NULL;
	off_t offsets[4];
	unsigned failures;

	for (unsigned i = 0; i < 4; i++) {
		append(path, HOURFILE_BLOCKS, COMPRESSION_NONE, 10 * i, 10);
	}
	CU_ASSERT_EQUAL_FATAL(hourfile_open(&reader, path, NULL, NULL), ST_OK);
	for (unsigned i = 0; i < 4; i++) {
		offsets[i] = (off_t)blockfile_offset(hourfile_blocks(reader), i);
	}
	hourfile_close(reader);
	flip_byte(path, offsets[0] + 40);
	flip_byte(path, offsets[2] - 1);
	UNIT_ASSERT_U64(count_rows(path, &failures), 20);
	CU_ASSERT_EQUAL(failures, 2);
	g_free(path);
}

static void *write_pipe(void *arg)
{
	const char *const *paths = arg;
	char *bytes = NULL;
	gsize len = 0;
	int fd = open(paths[1], O_WRONLY | O_CLOEXEC);

	CU_ASSERT(g_file_get_contents(paths[0], &bytes, &len, NULL));
	for (gsize at = 0; at < len;) {
		ssize_t n = write(fd, bytes + at, len - at);

		CU_ASSERT_FATAL(n > 0);
		at += (gsize)n;
	}
	close(fd);
	g_free(bytes);
	return NULL;
}

/* What a pipe brings is read as well. */
static void test_pipe(void)
{
	char *path = g_strdup_printf("%s/whole", unit_scratch());
	char *fifo = g_strdup_printf("%s/fifo", unit_scratch());
	const char *paths[] = { path, fifo };
	pthread_t thread;
	unsigned failures;

	append(path, HOURFILE_BLOCKS, COMPRESSION_NONE, 0, 20000);
	CU_ASSERT_EQUAL_FATAL(mkfifo(fifo, 0600), 0);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, write_pipe, paths), 0);
	UNIT_ASSERT_U64(count_rows(fifo, &failures), 20000);
	pthread_join(thread, NULL);
	CU_ASSERT_EQUAL(failures, 0);
	g_free(fifo);
	g_free(path);
}

/* What the header says is there as entries, for those who copy them. */
static void test_entries(void)
{
	static struct blockfile_property properties[] = {
		{ BLOCKFILE_INVOCATION, (char *)"rwfilter --proto=6" },
		{ BLOCKFILE_ANNOTATION, (char *)"a note" },
		{ BLOCKFILE_PROBE_NAME, (char *)"P0" },
		{ BLOCKFILE_ANNOTATION, (char *)"another" },
	};
	const struct blockwriter_opts opts = { .header = { .hour_ns = key.hour_ns,
							   .sensor = key.sensor,
							   .flowtype = key.flowtype,
							   .property_count = 4,
							   .properties = properties } };
	char *path = g_strdup_printf("%s/entries", unit_scratch());
	struct hourfile_reader *reader = NULL;
	struct blockwriter *writer = NULL;
	const struct header_entry *entry;
	const struct header *header;
	size_t pos = 0;
	int64_t hour_ns = 0;
	uint16_t sensor = 0;
	uint8_t flowtype = 0;

	CU_ASSERT_EQUAL_FATAL(blockwriter_append(&writer, path, &opts, NULL, NULL), ST_OK);
	CU_ASSERT_EQUAL(blockwriter_close(writer, NULL), ST_OK);
	CU_ASSERT_EQUAL_FATAL(hourfile_open(&reader, path, NULL, NULL), ST_OK);
	header = hourfile_header(reader);
	CU_ASSERT_EQUAL(header->entry_count, 5);
	CU_ASSERT(header_packed_file(header, &hour_ns, &flowtype, &sensor));
	CU_ASSERT_EQUAL(hour_ns, key.hour_ns);
	CU_ASSERT_EQUAL(sensor, key.sensor);
	CU_ASSERT_EQUAL(flowtype, key.flowtype);
	entry = header_next(header, ENTRY_ANNOTATION, &pos);
	UNIT_ASSERT_STR((const char *)entry->payload, "a note");
	entry = header_next(header, ENTRY_ANNOTATION, &pos);
	UNIT_ASSERT_STR((const char *)entry->payload, "another");
	hourfile_close(reader);
	g_free(path);
}

/* ---- extension columns ---- */

#define NUMBER                                                                                     \
	{                                                                                          \
		0, 305                                                                             \
	}
#define ADDRESS                                                                                    \
	{                                                                                          \
		0, 225                                                                             \
	}
#define TEXT                                                                                       \
	{                                                                                          \
		0, 371                                                                             \
	}
#define NOWHERE                                                                                    \
	{                                                                                          \
		6871, 1                                                                            \
	}
#define EXTENDED_ROWS 1500u

static void set_value(struct hourfile_writer *writer, const struct flowblock_value *value)
{
	struct err err = { 0, "" };

	CU_ASSERT_EQUAL(hourfile_set(writer, value, &err), ST_OK);
}

/* Row i has a number, every third an address, every row from 1100 on a text. */
static void write_extended(const char *path, enum hourfile_kind kind)
{
	const struct hourfile_write_opts opts = { .kind = kind };
	struct hourfile_writer *writer = NULL;
	GRand *rand = g_rand_new_with_seed(1);
	struct err err = { 0, "" };
	char text[16];

	CU_ASSERT_EQUAL_FATAL(hourfile_append(&writer, path, &key, &opts, NULL, &err), ST_OK);
	for (unsigned i = 0; i < EXTENDED_ROWS; i++) {
		struct record rec = blockrecords_usual(rand, i);

		CU_ASSERT_EQUAL(hourfile_write(writer, &rec, &err), ST_OK);
		set_value(writer, &(struct flowblock_value){ .key = NUMBER,
							     .type = COLUMN_UNSIGNED32,
							     .number = i * 3 });
		if (i % 3 == 0) {
			set_value(writer, &(struct flowblock_value){ .key = ADDRESS,
								     .type = COLUMN_IPV4_ADDRESS,
								     .ip = ip_from_v4(i) });
		}
		if (i >= 1100) {
			g_snprintf(text, sizeof(text), "user %u", i);
			set_value(writer, &(struct flowblock_value){
						  .key = TEXT,
						  .type = COLUMN_STRING,
						  .bytes = { (uint8_t *)text, strlen(text) } });
		}
	}
	CU_ASSERT_EQUAL(hourfile_finish(writer, &err), ST_OK);
	g_rand_free(rand);
}

static void check_row(const struct batch *batch, uint32_t row, unsigned i)
{
	const struct batch_extension *number = batch_extension(batch, 2);
	const struct batch_extension *address = batch_extension(batch, 0);
	const struct batch_extension *text = batch_extension(batch, 1);
	char expected[16];

	CU_ASSERT(number->any && number->present[row] && number->type == IE_UNSIGNED32);
	UNIT_ASSERT_U64(number->numbers[row], i * 3);
	CU_ASSERT_EQUAL(address->present[row], i % 3 == 0);
	if (i % 3 == 0) {
		UNIT_ASSERT_U64(ip_to_v4(address->addresses[row]), i);
	}
	CU_ASSERT_EQUAL(text->any, i >= 1024);
	CU_ASSERT_EQUAL(text->any && text->present[row], i >= 1100);
	if (i >= 1100) {
		g_snprintf(expected, sizeof(expected), "user %u", i);
		CU_ASSERT_EQUAL(text->strings[row].len, strlen(expected));
		CU_ASSERT_EQUAL(memcmp(text->strings[row].bytes, expected, strlen(expected)), 0);
	}
}

/* Two files behind each other into one batch, as a query does; the second is not ours. */
static void read_extended(struct batch *batch, const char *path, bool has)
{
	struct hourfile_reader *reader = NULL;
	struct err err = { 0, "" };
	unsigned i = 0;

	CU_ASSERT_EQUAL_FATAL(hourfile_open(&reader, path, NULL, &err), ST_OK);
	while (hourfile_read_batch(reader, batch, COLUMN_BIT(COLUMN_SPORT), &err) == ST_OK) {
		for (uint32_t row = 0; row < batch->rows; row++, i++) {
			unit_at("%s: row %u", path, i);
			if (has) {
				check_row(batch, row, i);
			}
		}
		for (size_t n = 0; !has && n < batch_extension_count(batch); n++) {
			CU_ASSERT_FALSE(batch_extension(batch, n)->any);
		}
	}
	UNIT_ASSERT_U64(i, EXTENDED_ROWS);
	hourfile_close(reader);
}

static void test_extensions(void)
{
	char *ours = g_build_filename(unit_scratch(), "extended", NULL);
	char *silk = g_build_filename(unit_scratch(), "extended.rw", NULL);
	struct batch *wanted = batch_new();
	struct batch *every = batch_new();

	write_extended(ours, HOURFILE_BLOCKS);
	write_extended(silk, HOURFILE_SILK);
	batch_want(wanted, (struct ie_key)ADDRESS);
	batch_want(wanted, (struct ie_key)TEXT);
	batch_want(wanted, (struct ie_key)NUMBER);
	batch_want(wanted, (struct ie_key)NOWHERE);
	read_extended(wanted, ours, true);
	CU_ASSERT_FALSE(batch_extension(wanted, 3)->any);
	read_extended(wanted, silk, false);
	UNIT_ASSERT_U64(batch_extension_count(wanted), 4);

	batch_want_every(every);
	UNIT_ASSERT_U64(batch_extension_count(every), 0);
	read_extended(every, silk, false);
	{
		struct hourfile_reader *reader = NULL;
		struct err err = { 0, "" };

		CU_ASSERT_EQUAL_FATAL(hourfile_open(&reader, ours, NULL, &err), ST_OK);
		CU_ASSERT_EQUAL(hourfile_read_batch(reader, every, 0, &err), ST_OK);
		UNIT_ASSERT_U64(batch_extension_count(every), 3);
		UNIT_ASSERT_U64(batch_extension(every, 0)->key.id, 225);
		UNIT_ASSERT_U64(batch_extension(every, 1)->key.id, 305);
		UNIT_ASSERT_U64(batch_extension(every, 1)->numbers[1023], 3069);
		hourfile_close(reader);
	}
	read_extended(every, silk, false);
	batch_free(wanted);
	batch_free(every);
	g_free(ours);
	g_free(silk);
}

static const struct unit_case cases[] = {
	{ "kinds", test_kinds },
	{ "compressions", test_compressions },
	{ "damage", test_damage },
	{ "pipe", test_pipe },
	{ "entries", test_entries },
	{ "extension columns", test_extensions },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("hourblocks", cases);
}
