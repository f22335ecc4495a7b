/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "common/timestamp.h"
#include "storage/hourfile.h"
#include "tests/unit/memstream.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOUR_NS MEMSTREAM_HOUR_NS

static const struct hourfile_key key = { .hour_ns = HOUR_NS, .sensor = 1, .flowtype = 3 };

/* Stands before the C library's: the folders that were synced, in order. */
static char synced[4096];

int fsync(int fd)
{
	char *link = g_strdup_printf("/proc/self/fd/%d", fd);
	char *target = g_file_read_link(link, NULL);

	g_strlcat(synced, target != NULL ? target : "?", sizeof(synced));
	g_strlcat(synced, "\n", sizeof(synced));
	g_free(target);
	g_free(link);
	return 0;
}

/* Append count records to path; was the file new? */
static bool append(const char *path, uint8_t format, uint8_t compression, unsigned count)
{
	const struct hourfile_write_opts opts = { .kind = HOURFILE_SILK,
						  .format = format,
						  .compression = compression };
	struct hourfile_writer *writer = NULL;
	struct record rec = memstream_record(0);
	struct err err = { 0, "" };
	bool created = false;

	CU_ASSERT_EQUAL_FATAL(hourfile_append(&writer, path, &key, &opts, &created, &err), ST_OK);
	for (unsigned i = 0; i < count; i++) {
		CU_ASSERT_EQUAL(hourfile_write(writer, &rec, &err), ST_OK);
	}
	UNIT_ASSERT_U64(hourfile_records(writer), count);
	UNIT_ASSERT_U64(hourfile_take_records(writer), count);
	UNIT_ASSERT_U64(hourfile_records(writer), 0);
	CU_ASSERT_EQUAL(hourfile_finish(writer, &err), ST_OK);
	return created;
}

static uint64_t count_rows(const char *path, struct header *header)
{
	struct hourfile_reader *reader = NULL;
	struct batch *batch = batch_new();
	uint64_t rows = 0;
	struct err err = { 0, "" };
	int rc;

	CU_ASSERT_EQUAL_FATAL(hourfile_open(&reader, path, NULL, &err), ST_OK);
	while ((rc = hourfile_read_batch(reader, batch, COLUMNS_ALL, &err)) == ST_OK) {
		rows += batch->rows;
	}
	CU_ASSERT_EQUAL(rc, ST_END);
	if (header != NULL) {
		*header = *hourfile_header(reader);
		header->entries = NULL;
	}
	hourfile_close(reader);
	batch_free(batch);
	return rows;
}

/* Folders are made; a file that exists keeps its format, whatever is asked for later. */
static void test_append(void)
{
	char *path = g_strdup_printf("%s/a/b/ow-S1_20240305.06", unit_scratch());
	struct header header;

	CU_ASSERT(append(path, 0, COMPRESSION_SNAPPY, 5));
	CU_ASSERT(!append(path, FORMAT_RWSPLIT, COMPRESSION_NONE, 7));
	UNIT_ASSERT_U64(count_rows(path, &header), 12);
	UNIT_ASSERT_U64(header.format, FORMAT_RWIPV6);
	UNIT_ASSERT_U64(header.compression, COMPRESSION_SNAPPY);
	UNIT_ASSERT_U64(header.entry_count, 1);
	g_free(path);
}

/* A record of another hour is refused by a packed format; the writer goes on. */
static void test_refused(void)
{
	const struct hourfile_write_opts opts = { .kind = HOURFILE_SILK, .format = FORMAT_RWSPLIT };
	char *path = g_strdup_printf("%s/refused", unit_scratch());
	struct hourfile_writer *writer = NULL;
	struct record rec = memstream_record(0);
	struct err err = { 0, "" };

	CU_ASSERT_EQUAL_FATAL(hourfile_append(&writer, path, &key, &opts, NULL, &err), ST_OK);
	rec.start_ns -= NS_PER_HOUR;
	CU_ASSERT_EQUAL(hourfile_write(writer, &rec, &err), ST_ERANGE);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, path));
	rec.start_ns += NS_PER_HOUR;
	CU_ASSERT_EQUAL(hourfile_write(writer, &rec, &err), ST_OK);
	UNIT_ASSERT_U64(hourfile_records(writer), 1);
	CU_ASSERT_EQUAL(hourfile_finish(writer, &err), ST_OK);
	UNIT_ASSERT_U64(count_rows(path, NULL), 1);
	g_free(path);
}

/* Readers see what was flushed, and before that a file without records. */
static void test_visible(void)
{
	const struct hourfile_write_opts opts = { .kind = HOURFILE_SILK,
						  .compression = COMPRESSION_LZO1X };
	char *path = g_strdup_printf("%s/visible", unit_scratch());
	struct hourfile_writer *writer = NULL;
	struct record rec = memstream_record(0);

	CU_ASSERT_EQUAL_FATAL(hourfile_append(&writer, path, &key, &opts, NULL, NULL), ST_OK);
	UNIT_ASSERT_U64(count_rows(path, NULL), 0);
	for (unsigned i = 1; i <= 3; i++) {
		CU_ASSERT_EQUAL(hourfile_write(writer, &rec, NULL), ST_OK);
		UNIT_ASSERT_U64(count_rows(path, NULL), i - 1);
		CU_ASSERT_EQUAL(hourfile_flush(writer, i == 3, NULL), ST_OK);
		UNIT_ASSERT_U64(count_rows(path, NULL), i);
	}
	CU_ASSERT_EQUAL(hourfile_finish(writer, NULL), ST_OK);
	g_free(path);
}

/* The lock belongs to the open file: closing another descriptor of it does not lose it. */
static void test_lock(void)
{
	const struct hourfile_write_opts opts = { .kind = HOURFILE_SILK, .format = 0 };
	char *path = g_strdup_printf("%s/locked", unit_scratch());
	struct hourfile_writer *writer = NULL;
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd;

	CU_ASSERT_EQUAL_FATAL(hourfile_append(&writer, path, &key, &opts, NULL, NULL), ST_OK);
	close(open(path, O_RDWR));
	fd = open(path, O_RDWR);
	CU_ASSERT_EQUAL(fcntl(fd, F_OFD_SETLK, &lock), -1);
	CU_ASSERT_EQUAL(hourfile_finish(writer, NULL), ST_OK);
	CU_ASSERT_EQUAL(fcntl(fd, F_OFD_SETLK, &lock), 0);
	close(fd);
	g_free(path);
}

#define WRITERS 4
#define ROUNDS  25

static void *append_often(void *path)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		append(path, 0, COMPRESSION_LZO1X, 3);
	}
	return NULL;
}

/* Many writers of one file, each in its turn: no record is lost, exactly one header written. */
static void test_threads(void)
{
	char *path = g_strdup_printf("%s/threads", unit_scratch());
	pthread_t threads[WRITERS];

	for (unsigned i = 0; i < WRITERS; i++) {
		CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, append_often, path), 0);
	}
	for (unsigned i = 0; i < WRITERS; i++) {
		pthread_join(threads[i], NULL);
	}
	UNIT_ASSERT_U64(count_rows(path, NULL), WRITERS * ROUNDS * 3);
	g_free(path);
}

/* A full disk leaves no half block behind: what is appended later can be read. */
static void test_full(void)
{
	const struct hourfile_write_opts opts = { .kind = HOURFILE_SILK,
						  .compression = COMPRESSION_NONE };
	char *path = g_strdup_printf("%s/full", unit_scratch());
	struct hourfile_writer *writer = NULL;
	struct record rec = memstream_record(0);
	struct rlimit old, tight;
	struct err err;
	struct stat st;

	append(path, 0, COMPRESSION_NONE, 3);
	CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL_FATAL(hourfile_append(&writer, path, &key, &opts, NULL, &err), ST_OK);
	for (unsigned i = 0; i < 9; i++) {
		CU_ASSERT_EQUAL(hourfile_write(writer, &rec, &err), ST_OK);
	}
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	tight = old;
	tight.rlim_cur = (rlim_t)st.st_size + 100;
	setrlimit(RLIMIT_FSIZE, &tight);
	CU_ASSERT_EQUAL(hourfile_flush(writer, false, &err), ST_EIO);
	setrlimit(RLIMIT_FSIZE, &old);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, path));
	/* The writer is done for. */
	CU_ASSERT_EQUAL(hourfile_write(writer, &rec, &err), ST_EIO);
	hourfile_finish(writer, NULL);
	append(path, 0, COMPRESSION_NONE, 2);
	UNIT_ASSERT_U64(count_rows(path, NULL), 5);
	g_free(path);
}

/* The name of a new file is made durable with it, once, and so are new folders. */
static void test_folders_are_synced(void)
{
	static const struct hourfile_write_opts opts = { .kind = HOURFILE_SILK, .format = 0 };
	char *root = realpath(unit_scratch(), NULL);
	char *path = g_strdup_printf("%s/type/2021/file", root);
	char *expected = g_strdup_printf("%s/type/2021\n%s/type\n%s\n", root, root, root);
	struct record rec = memstream_record(0);
	struct err err = { 0, "" };

	for (unsigned round = 0; round < 2; round++) {
		struct hourfile_writer *writer = NULL;

		unit_at("round %u", round);
		synced[0] = '\0';
		CU_ASSERT_EQUAL_FATAL(hourfile_append(&writer, path, &key, &opts, NULL, &err),
				      ST_OK);
		CU_ASSERT_EQUAL(hourfile_write(writer, &rec, &err), ST_OK);
		CU_ASSERT_EQUAL(hourfile_flush(writer, false, &err), ST_OK);
		UNIT_ASSERT_STR(synced, "");
		CU_ASSERT_EQUAL(hourfile_flush(writer, true, &err), ST_OK);
		CU_ASSERT_EQUAL(hourfile_flush(writer, true, &err), ST_OK);
		UNIT_ASSERT_STR(synced, round == 0 ? expected : "");
		CU_ASSERT_EQUAL(hourfile_finish(writer, &err), ST_OK);
	}
	g_free(expected);
	g_free(path);
	free(root);
}

static void test_errors(void)
{
	const struct hourfile_write_opts opts = { .kind = HOURFILE_SILK, .format = 0 };
	char *path = g_strdup_printf("%s/text", unit_scratch());
	struct hourfile_writer *writer = NULL;
	struct err err;

	CU_ASSERT(g_file_set_contents(path, "this is no flow file at all", -1, NULL));
	CU_ASSERT_EQUAL(hourfile_append(&writer, path, &key, &opts, NULL, &err), ST_EFORMAT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, path));
	CU_ASSERT_PTR_NULL(writer);
	CU_ASSERT_EQUAL(hourfile_append(&writer, "/proc/none/x", &key, &opts, NULL, &err), ST_EIO);
	hourfile_close(NULL);
	CU_ASSERT_EQUAL(hourfile_finish(NULL, NULL), ST_OK);
	g_free(path);
}

static const struct unit_case cases[] = {
	{ "append", test_append },
	{ "refused records", test_refused },
	{ "what is visible", test_visible },
	{ "lock", test_lock },
	{ "threads", test_threads },
	{ "full disk", test_full },
	{ "new folders are synced", test_folders_are_synced },
	{ "errors", test_errors },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("hourfile", cases);
}
