/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/writer.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "common/timestamp.h"
#include "storage/repo.h"
#include "tests/unit/packsite.h"
#include "tests/unit/unit.h"

#define HOUR_NS (INT64_C(1234396800) * NS_PER_S)

static int write_record(struct writer *writer, const struct site *site, const struct record *rec,
			const struct extras *extras, struct err *err)
{
	int st;

	writer_begin(writer);
	st = writer_write(writer, site, rec, extras, err);
	writer_end(writer);
	return st;
}

static char *make_root(const char *name)
{
	char *root = g_build_filename(unit_scratch(), name, NULL);

	CU_ASSERT_EQUAL(g_mkdir(root, 0755), 0);
	return root;
}

static struct writer *make_writer(const char *root, size_t cache_size)
{
	return writer_new(&(struct writer_opts){
		.root = root,
		.cache_size = cache_size,
		.file = { .kind = HOURFILE_SILK, .compression = COMPRESSION_LZO1X },
	});
}

static struct record make_record(uint16_t sensor, unsigned hour, uint64_t packets)
{
	struct record rec;

	record_init(&rec);
	rec.start_ns = HOUR_NS + hour * NS_PER_HOUR + 5 * NS_PER_S;
	rec.sensor = sensor;
	rec.flowtype = 0;
	rec.packets = packets;
	rec.bytes = 40 * packets;
	rec.protocol = 17;
	return rec;
}

/* Records, and the sum of their packets, in the file of sensor and hour; -1: there is no file. */
static int64_t count_packets(const struct site *site, const char *root, uint16_t sensor,
			     unsigned hour, uint64_t *records)
{
	const struct hourfile_key key = {
		.hour_ns = HOUR_NS + hour * NS_PER_HOUR,
		.sensor = sensor,
	};
	char *path = repo_path(site, root, &key);
	struct batch *batch = batch_new();
	struct stream *stream = NULL;
	int64_t packets = -1;

	*records = 0;
	if (stream_open(&stream, path, NULL, NULL) == ST_OK) {
		packets = 0;
		while (stream_read_batch(stream, batch, COLUMNS_ALL, NULL) == ST_OK) {
			for (uint32_t i = 0; i < batch->rows; i++) {
				packets += (int64_t)batch->packets[i];
			}
			*records += batch->rows;
		}
		stream_close(stream, NULL);
	}
	batch_free(batch);
	g_free(path);
	return packets;
}

static void expect_file(const struct site *site, const char *root, uint16_t sensor, unsigned hour,
			int64_t packets, uint64_t records)
{
	uint64_t found;
	int64_t sum = count_packets(site, root, sensor, hour, &found);

	unit_at("sensor %u hour %u", sensor, hour);
	CU_ASSERT_EQUAL(sum, packets);
	UNIT_ASSERT_U64(found, records);
}

static void write_one(struct writer *writer, const struct site *site, uint16_t sensor,
		      unsigned hour, uint64_t packets)
{
	struct record rec = make_record(sensor, hour, packets);
	struct err err;

	if (write_record(writer, site, &rec, NULL, &err) != ST_OK) {
		UNIT_ASSERT_STR(err.text, "");
	}
}

static void test_flush_makes_visible(void)
{
	struct site *site = packsite_load();
	char *root = make_root("flush");
	struct writer *writer = make_writer(root, 8);
	uint64_t ignored;

	write_one(writer, site, 0, 0, 3);
	write_one(writer, site, 0, 0, 4);
	write_one(writer, site, 1, 2, 5);
	CU_ASSERT(count_packets(site, root, 0, 0, &ignored) <= 0);
	CU_ASSERT_EQUAL(writer_flush(writer, WRITER_REPORT, 0, NULL), ST_OK);
	expect_file(site, root, 0, 0, 7, 2);
	expect_file(site, root, 1, 2, 5, 1);
	expect_file(site, root, 1, 0, -1, 0);
	UNIT_ASSERT_U64(writer_open_files(writer), 2);

	/* more after the flush, and after closing */
	write_one(writer, site, 0, 0, 1);
	CU_ASSERT_EQUAL(writer_flush(writer, WRITER_CLOSE, 1, NULL), ST_OK);
	UNIT_ASSERT_U64(writer_open_files(writer), 0);
	write_one(writer, site, 0, 0, 1);
	CU_ASSERT_EQUAL(writer_flush(writer, 0, 2, NULL), ST_OK);
	/* what was not flushed is lost */
	write_one(writer, site, 0, 0, 100);
	writer_free(writer);
	expect_file(site, root, 0, 0, 9, 4);
	g_free(root);
	site_free(site);
}

static void test_idle_files_are_closed(void)
{
	struct site *site = packsite_load();
	char *root = make_root("idle");
	struct writer *writer = make_writer(root, 8);

	write_one(writer, site, 0, 0, 1);
	write_one(writer, site, 0, 1, 1);
	CU_ASSERT_EQUAL(writer_flush(writer, 0, 10 * NS_PER_S, NULL), ST_OK);
	write_one(writer, site, 0, 1, 1);
	CU_ASSERT_EQUAL(writer_flush(writer, 0, 300 * NS_PER_S, NULL), ST_OK);
	UNIT_ASSERT_U64(writer_open_files(writer), 2);
	CU_ASSERT_EQUAL(writer_flush(writer, 0, 311 * NS_PER_S, NULL), ST_OK);
	UNIT_ASSERT_U64(writer_open_files(writer), 1);
	writer_free(writer);
	expect_file(site, root, 0, 0, 1, 1);
	expect_file(site, root, 0, 1, 2, 2);
	g_free(root);
	site_free(site);
}

static void test_cache_is_bounded(void)
{
	struct site *site = packsite_load();
	char *root = make_root("cache");
	struct writer *writer = make_writer(root, 4);

	for (unsigned round = 0; round < 3; round++) {
		for (unsigned hour = 0; hour < 10; hour++) {
			write_one(writer, site, 2, hour, hour + 1);
			/* one more than it is to hold makes it ask for a commit */
			CU_ASSERT(writer_open_files(writer) <= 5);
			if (writer_is_crowded(writer)) {
				CU_ASSERT_EQUAL(writer_flush(writer, 0, 0, NULL), ST_OK);
			}
		}
	}
	CU_ASSERT_EQUAL(writer_flush(writer, 0, 0, NULL), ST_OK);
	writer_free(writer);
	for (unsigned hour = 0; hour < 10; hour++) {
		expect_file(site, root, 2, hour, 3 * (hour + 1), 3);
	}
	g_free(root);
	site_free(site);
}

static bool has_column(const struct flowblock *block, struct column_key key)
{
	for (size_t i = 0; i < block->column_count; i++) {
		if (block->columns[i].key.pen == key.pen && block->columns[i].key.id == key.id) {
			return true;
		}
	}
	return false;
}

/* Block files keep them, values without a place are counted, SiLK's files leave them out. */
static void test_extras(void)
{
	const struct hourfile_key key = { .hour_ns = HOUR_NS };
	const struct column_key sampling = { 0, 305 };
	struct site *site = packsite_load();

	for (int kind = HOURFILE_BLOCKS; kind <= HOURFILE_SILK; kind++) {
		char *root = make_root(kind == HOURFILE_BLOCKS ? "extras-blocks" : "extras-silk");
		struct writer *writer = writer_new(&(struct writer_opts){
			.root = root, .cache_size = 4, .file = { .kind = (uint8_t)kind } });
		struct record rec = make_record(0, 0, 7);
		struct hourfile_reader *reader = NULL;
		struct extras extras = { .count = 2 };
		char *path = repo_path(site, root, &key);
		bool is_blocks = kind == HOURFILE_BLOCKS;

		extras.values[0] = (struct flowblock_value){ .key = sampling,
							     .type = COLUMN_UNSIGNED32,
							     .number = 1000 };
		extras.values[1] = extras.values[0]; /* a second one has no place */
		CU_ASSERT_EQUAL(write_record(writer, site, &rec, &extras, NULL), ST_OK);
		UNIT_ASSERT_U64(writer_extras_lost(writer), is_blocks);
		CU_ASSERT_EQUAL(writer_flush(writer, 0, 0, NULL), ST_OK);
		CU_ASSERT_EQUAL(hourfile_open(&reader, path, NULL, NULL), ST_OK);
		CU_ASSERT_EQUAL(hourfile_blocks(reader) != NULL, is_blocks);
		if (is_blocks) {
			const struct flowblock *block = blockfile_block(hourfile_blocks(reader), 0);

			CU_ASSERT(has_column(block, sampling));
		}
		hourfile_close(reader);
		writer_free(writer);
		g_free(path);
		g_free(root);
	}
	site_free(site);
}

static void add_file(const struct site *site, const char *root, const struct hourfile_key *key,
		     uint64_t *records, uint64_t *packets)
{
	char *path = repo_path(site, root, key);
	struct hourfile_reader *reader = NULL;
	struct batch *batch = batch_new();

	if (hourfile_open(&reader, path, NULL, NULL) == ST_OK) {
		while (hourfile_read_batch(reader, batch, COLUMNS_ALL, NULL) == ST_OK) {
			for (uint32_t i = 0; i < batch->rows; i++) {
				*packets += batch->packets[i];
				CU_ASSERT(batch->start_ns[i] >= key->hour_ns &&
					  batch->start_ns[i] < key->hour_ns + NS_PER_HOUR);
			}
			*records += batch->rows;
		}
	}
	hourfile_close(reader);
	batch_free(batch);
	g_free(path);
}

static int hour_of_row(unsigned i)
{
	return (int)(i * 4 / WRITER_ROWS_MAX);
}

/* Twice the records of test_rows(). */
static void expect_rows(const struct site *site, const char *root, bool is_blocks)
{
	for (uint16_t sensor = 0; sensor < 2; sensor++) {
		for (int hour = -1; hour < 4; hour++) {
			const struct hourfile_key key = { .hour_ns = HOUR_NS + hour * NS_PER_HOUR,
							  .sensor = sensor };
			uint64_t records = 0;
			uint64_t packets = 0;
			uint64_t want_records = 0;
			uint64_t want_packets = 0;

			for (unsigned i = 0; i < WRITER_ROWS_MAX; i++) {
				bool is_here = i % 2 == sensor &&
					       hour == (i == 5 ? -1 : hour_of_row(i)) &&
					       (is_blocks || i != 9);

				want_records += is_here ? 2 : 0;
				want_packets += is_here ? 2 * (i + 1) : 0;
			}
			add_file(site, root, &key, &records, &packets);
			unit_at("sensor %u hour %d", sensor, hour);
			UNIT_ASSERT_U64(records, want_records);
			UNIT_ASSERT_U64(packets, want_packets);
		}
	}
}

/* Many at once, to several files: all are there, but those that a format has no place for. */
static void test_rows(void)
{
	static const uint8_t formats[4] = { FORMAT_RWSPLIT };
	struct site *site = packsite_load();

	for (int kind = HOURFILE_BLOCKS; kind <= HOURFILE_SILK; kind++) {
		const bool is_blocks = kind == HOURFILE_BLOCKS;
		char *root = make_root(is_blocks ? "rows-blocks" : "rows-silk");
		struct writer *writer = writer_new(&(struct writer_opts){
			.root = root, .cache_size = 3, .file = { .kind = (uint8_t)kind } });
		struct flowblock_value value = { .key = { 0, 305 }, .type = COLUMN_UNSIGNED32 };
		static struct flowblock_row rows[WRITER_ROWS_MAX];
		uint64_t refused = 0;

		for (unsigned i = 0; i < WRITER_ROWS_MAX; i++) {
			rows[i] = (struct flowblock_row){
				.rec = make_record(i % 2, hour_of_row(i), i + 1),
				.values = &value,
				.value_count = i % 3 == 0,
			};
		}
		rows[5].rec.start_ns = HOUR_NS - 1; /* a moment before the others */
		rows[9].rec.state = RECORD_IPV6;
		writer_begin(writer);
		for (unsigned i = 0; i < 2; i++) {
			CU_ASSERT_EQUAL(writer_write_rows(writer, site, rows, WRITER_ROWS_MAX,
							  formats, &refused, NULL),
					ST_OK);
		}
		writer_end(writer);
		UNIT_ASSERT_U64(refused, is_blocks ? 0 : 2);
		UNIT_ASSERT_U64(writer_extras_lost(writer), 0);
		CU_ASSERT_EQUAL(writer_flush(writer, 0, 0, NULL), ST_OK);
		writer_free(writer);
		expect_rows(site, root, is_blocks);
		g_free(root);
	}
	site_free(site);
}

struct over {
	int st;
	unsigned calls;
};

static int say_over(void *arg, bool appended, struct err *err)
{
	struct over *over = arg;

	CU_ASSERT(appended);
	over->calls++;
	return over->st == ST_OK ? ST_OK : err_set(err, over->st, "not known");
}

static int commit(struct writer *writer, struct over *over)
{
	const struct writer_epoch epoch = { .number = 5, .over = say_over, .arg = over };

	return writer_commit(writer, 0, 0, &epoch, NULL);
}

/*
 * A commit that failed is never followed by one that succeeds: records that came while it was going
 * on are not frozen, and the epoch would say that they are in the files.
 */
static void test_no_commit_after_failure(void)
{
	struct site *site = packsite_load();
	char *root = make_root("after-failure");
	char *in_the_way = g_build_filename(root, "in", NULL);
	struct writer *writer = make_writer(root, 4);
	struct over over = { .st = ST_OK };

	CU_ASSERT_EQUAL(writer_recover(writer, "one", 5, NULL), ST_OK);
	CU_ASSERT(g_file_set_contents(in_the_way, "a file", -1, NULL));
	write_one(writer, site, 0, 0, 3);
	writer_freeze(writer);
	write_one(writer, site, 0, 0, 4);
	CU_ASSERT_EQUAL(commit(writer, &over), ST_EIO);
	CU_ASSERT_EQUAL(g_unlink(in_the_way), 0);
	writer_freeze(writer);
	CU_ASSERT_EQUAL(commit(writer, &over), ST_EIO);
	UNIT_ASSERT_U64(over.calls, 0);
	writer_free(writer);
	g_free(in_the_way);
	g_free(root);
	site_free(site);
}

/* Whether the epoch is over is not known when saying so fails: the next start finds out, and then
 * the records are there or not. */
static void test_epoch_not_known(void)
{
	static const struct {
		const char *name;
		uint64_t epoch; /* at the next start */
		int64_t packets;
		uint64_t records;
	} cases[] = { { "not-over", 5, 0, 0 }, { "over", 6, 7, 2 } };

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct site *site = packsite_load();
		char *root = make_root(cases[i].name);
		struct writer *writer = make_writer(root, 4);
		struct over over = { .st = ST_EIO };

		CU_ASSERT_EQUAL(writer_recover(writer, "one", 5, NULL), ST_OK);
		write_one(writer, site, 0, 0, 3);
		write_one(writer, site, 0, 0, 4);
		writer_freeze(writer);
		CU_ASSERT_EQUAL(commit(writer, &over), ST_EIO);
		CU_ASSERT_EQUAL(commit(writer, &over), ST_EIO);
		UNIT_ASSERT_U64(over.calls, 1);
		writer_free(writer);
		writer = make_writer(root, 4);
		CU_ASSERT_EQUAL(writer_recover(writer, "one", cases[i].epoch, NULL), ST_OK);
		expect_file(site, root, 0, 0, cases[i].packets, cases[i].records);
		writer_free(writer);
		g_free(root);
		site_free(site);
	}
}

static void test_errors(void)
{
	struct site *site = packsite_load();
	char *root = make_root("errors");
	char *in_the_way = g_build_filename(root, "in", NULL);
	struct writer *writer = make_writer(root, 4);
	struct record rec = make_record(0, 0, 1);
	struct err err;

	CU_ASSERT(g_file_set_contents(in_the_way, "a file", -1, NULL));
	CU_ASSERT_EQUAL(write_record(writer, site, &rec, NULL, &err), ST_OK);
	CU_ASSERT_EQUAL(writer_flush(writer, 0, 0, &err), ST_EIO);
	CU_ASSERT_EQUAL(g_unlink(in_the_way), 0);
	/* given up for good: nothing may be acknowledged from here on */
	CU_ASSERT_EQUAL(write_record(writer, site, &rec, NULL, &err), ST_EIO);
	CU_ASSERT_EQUAL(writer_flush(writer, 0, 0, &err), ST_EIO);
	writer_free(writer);
	g_free(in_the_way);
	g_free(root);
	site_free(site);
}

struct hammer {
	struct writer *writer;
	const struct site *site;
	unsigned first;
};

#define HAMMER_RECORDS 20000

static void *hammer_main(void *arg)
{
	const struct hammer *hammer = arg;

	for (unsigned i = 0; i < HAMMER_RECORDS; i++) {
		struct record rec = make_record(0, (hammer->first + i / 50) % 12, 1);

		write_record(hammer->writer, hammer->site, &rec, NULL, NULL);
	}
	return NULL;
}

static void test_threads(void)
{
	struct site *site = packsite_load();
	char *root = make_root("threads");
	struct writer *writer = make_writer(root, 5);
	struct hammer hammers[4];
	pthread_t threads[4];
	uint64_t total = 0;

	for (unsigned i = 0; i < 4; i++) {
		hammers[i] = (struct hammer){ writer, site, 3 * i };
		pthread_create(&threads[i], NULL, hammer_main, &hammers[i]);
	}
	for (int i = 0; i < 20; i++) {
		CU_ASSERT_EQUAL(writer_flush(writer, i % 2 ? WRITER_CLOSE : WRITER_REPORT, i, NULL),
				ST_OK);
	}
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
	}
	CU_ASSERT_EQUAL(writer_flush(writer, 0, 20, NULL), ST_OK);
	writer_free(writer);
	for (unsigned hour = 0; hour < 12; hour++) {
		uint64_t records;

		count_packets(site, root, 0, hour, &records);
		total += records;
	}
	UNIT_ASSERT_U64(total, 4 * HAMMER_RECORDS);
	g_free(root);
	site_free(site);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "a flush makes records visible", test_flush_makes_visible },
		{ "idle files are closed", test_idle_files_are_closed },
		{ "the cache is bounded", test_cache_is_bounded },
		{ "values of extension columns", test_extras },
		{ "many records at once", test_rows },
		{ "errors are final", test_errors },
		{ "no commit after one that failed", test_no_commit_after_failure },
		{ "saying that the epoch is over fails", test_epoch_not_known },
		{ "several threads", test_threads },
		{ NULL, NULL },
	};

	return unit_run("writer", cases);
}
