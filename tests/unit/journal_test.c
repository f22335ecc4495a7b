/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The journal against a plain model, damaged, full, and with failing writes. What an entry holds
 * follows from its position, so that everything that is read can be judged by itself.
 */
#include "common/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static uint8_t content[JOURNAL_ENTRY_MAX];
static int64_t disk_room = -1; /* bytes that may still be written; negative: no bound */
static int disk_errno = ENOSPC;
static bool sync_fails;

/* These stand before the C library's. */
ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	if (disk_room >= 0 && len != 128) { /* the state file's blocks are there already */
		len = MIN(len, (size_t)disk_room);
		if (len == 0) {
			errno = disk_errno;
			return -1;
		}
		disk_room -= (int64_t)len;
	}
	return syscall(SYS_pwrite64, fd, bytes, len, offset);
}

int fdatasync(int fd)
{
	if (sync_fails) {
		errno = EIO;
		return -1;
	}
	return fd < 0 ? -1 : 0; /* no machine crashes here: it may be quick */
}

int fsync(int fd)
{
	return fdatasync(fd);
}

static const char *fresh_directory(void)
{
	static unsigned count;
	static char path[512];

	g_snprintf(path, sizeof(path), "%s/journal%u", unit_scratch(), count++);
	return path;
}

static size_t content_len(uint64_t position)
{
	const uint64_t mixed = position * UINT64_C(0x9e3779b97f4a7c15) >> 40;

	return 1 + (mixed % 100 == 0 ? mixed % 50000 : mixed % 300);
}

static uint32_t content_records(uint64_t position)
{
	return (uint32_t)(position % 31);
}

static void make_content(uint64_t position)
{
	const size_t len = content_len(position);

	for (size_t i = 0; i < len; i++) {
		content[i] = (uint8_t)(position * 7 + i * 13 + (i >> 8));
	}
}

/* The next entry; its position is known beforehand. */
static int append(struct journal *journal, struct err *err)
{
	const uint64_t expected = journal_last(journal) + 1;
	const size_t len = content_len(expected);
	const size_t cut = len / 3;
	const struct iovec iov[2] = { { content, cut }, { content + cut, len - cut } };
	uint64_t position = 0;
	int rc;

	make_content(expected);
	rc = journal_append(journal, iov, 2, content_records(expected), &position, err);
	if (rc == ST_OK) {
		UNIT_ASSERT_U64(position, expected);
	}
	return rc;
}

static void append_many(struct journal *journal, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		CU_ASSERT_EQUAL_FATAL(append(journal, NULL), ST_OK);
	}
}

static bool is_right(const struct journal_entry *entry)
{
	make_content(entry->position);
	return entry->len == content_len(entry->position) &&
	       entry->records == content_records(entry->position) &&
	       memcmp(entry->bytes, content, entry->len) == 0;
}

static struct journal *open_journal(const char *directory, uint64_t segment, uint64_t max,
				    bool drop_oldest)
{
	const struct journal_opts opts = { .directory = directory,
					   .segment_bytes = segment,
					   .max_bytes = max,
					   .drop_oldest = drop_oldest };
	struct journal *journal = NULL;
	struct err err = { .text = "" };

	CU_ASSERT_EQUAL(journal_open(&journal, &opts, NULL, &err), ST_OK);
	UNIT_ASSERT_STR(err.text, "");
	CU_ASSERT_PTR_NOT_NULL_FATAL(journal);
	return journal;
}

struct tally {
	uint64_t entries;
	uint64_t records;
	uint64_t lost;
	uint64_t told; /* times that damage was told */
	uint64_t first;
	uint64_t last;
};

/* Read on to the end; positions must rise and everything must be right. */
static struct tally read_on(struct journal_reader *reader)
{
	struct tally tally = { 0 };
	struct journal_entry entry;
	struct err err;
	int rc;

	while ((rc = journal_reader_next(reader, &entry, &err)) != ST_END) {
		if (rc == ST_EFORMAT) {
			tally.lost += entry.lost;
			tally.told++;
			continue;
		}
		CU_ASSERT_EQUAL_FATAL(rc, ST_OK);
		CU_ASSERT_FATAL(entry.position > tally.last);
		CU_ASSERT_FATAL(is_right(&entry));
		tally.first = tally.first == 0 ? entry.position : tally.first;
		tally.last = entry.position;
		tally.entries++;
		tally.records += entry.records;
	}
	return tally;
}

static struct tally read_all(struct journal *journal, uint64_t position)
{
	struct journal_reader *reader = NULL;
	struct tally tally;

	CU_ASSERT_EQUAL_FATAL(journal_reader_new(&reader, journal, position, 0, NULL), ST_OK);
	tally = read_on(reader);
	journal_reader_free(reader);
	return tally;
}

static void test_append_and_read(void)
{
	const char *directory = fresh_directory();
	struct journal *journal = open_journal(directory, 100000, 0, false);
	const struct iovec nothing = { content, 0 };
	const struct iovec much = { content, JOURNAL_ENTRY_MAX + 1 };
	uint8_t id[JOURNAL_ID_BYTES];
	struct tally tally;

	UNIT_ASSERT_U64(journal_last(journal), 0);
	UNIT_ASSERT_U64(journal_first(journal), 1);
	CU_ASSERT_EQUAL(journal_append(journal, &nothing, 1, 0, NULL, NULL), ST_EINVAL);
	CU_ASSERT_EQUAL(journal_append(journal, &much, 1, 0, NULL, NULL), ST_EINVAL);
	append_many(journal, 5000);
	tally = read_all(journal, 0); /* partly still in memory */
	UNIT_ASSERT_U64(tally.entries, 5000);
	UNIT_ASSERT_U64(tally.first, 1);
	UNIT_ASSERT_U64(journal_durable(journal), 0);
	CU_ASSERT_EQUAL(journal_sync(journal, NULL), ST_OK);
	UNIT_ASSERT_U64(journal_durable(journal), 5000);
	memcpy(id, journal_id(journal), sizeof(id));
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);

	journal = open_journal(directory, 100000, 0, false);
	CU_ASSERT_EQUAL(memcmp(id, journal_id(journal), sizeof(id)), 0);
	UNIT_ASSERT_U64(journal_durable(journal), 5000);
	append_many(journal, 1);
	tally = read_all(journal, 4000);
	UNIT_ASSERT_U64(tally.first, 4000);
	UNIT_ASSERT_U64(tally.last, 5001);
	tally = read_all(journal, 5002);
	UNIT_ASSERT_U64(tally.entries, 0);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
}

static void test_largest_entry(void)
{
	struct journal *journal = open_journal(fresh_directory(), 65536, 0, false);
	struct journal_reader *reader = NULL;
	struct journal_entry entry;
	const struct iovec iov = { content, JOURNAL_ENTRY_MAX };

	make_content(1);
	for (int i = 0; i < 5; i++) {
		CU_ASSERT_EQUAL(journal_append(journal, &iov, 1, 1, NULL, NULL), ST_OK);
	}
	CU_ASSERT_EQUAL(journal_reader_new(&reader, journal, 1, 0, NULL), ST_OK);
	for (int i = 0; i < 5; i++) {
		CU_ASSERT_EQUAL_FATAL(journal_reader_next(reader, &entry, NULL), ST_OK);
		UNIT_ASSERT_U64(entry.len, JOURNAL_ENTRY_MAX);
		CU_ASSERT_EQUAL(memcmp(entry.bytes, content, entry.len), 0);
	}
	CU_ASSERT_EQUAL(journal_reader_next(reader, &entry, NULL), ST_END);
	journal_reader_free(reader);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
}

static void test_locked(void)
{
	const char *directory = fresh_directory();
	const struct journal_opts opts = { .directory = directory };
	struct journal *journal = open_journal(directory, 0, 0, false);
	struct journal *second = NULL;

	CU_ASSERT_EQUAL(journal_open(&second, &opts, NULL, NULL), ST_EAGAIN);
	CU_ASSERT_PTR_NULL(second);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
}

static void test_release(void)
{
	const char *directory = fresh_directory();
	struct journal *journal = open_journal(directory, 20000, 0, false);
	struct journal_stats stats;
	struct tally tally;

	append_many(journal, 3000);
	CU_ASSERT_EQUAL(journal_release(journal, 2000, NULL), ST_OK);
	CU_ASSERT_EQUAL(journal_release(journal, 1000, NULL), ST_OK); /* changes nothing */
	journal_get_stats(journal, &stats);
	UNIT_ASSERT_U64(stats.released, 2000);
	UNIT_ASSERT_U64(stats.first, 2001);
	CU_ASSERT(stats.bytes < 1000 * 700);
	tally = read_all(journal, 0);
	UNIT_ASSERT_U64(tally.first, 2001);
	UNIT_ASSERT_U64(tally.entries, 1000);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
	journal = open_journal(directory, 20000, 0, false);
	UNIT_ASSERT_U64(journal_first(journal), 2001);
	CU_ASSERT_EQUAL(journal_release(journal, UINT64_MAX, NULL), ST_OK);
	UNIT_ASSERT_U64(journal_first(journal), 3001);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
	journal = open_journal(directory, 20000, 0, false);
	append_many(journal, 1);
	UNIT_ASSERT_U64(journal_last(journal), 3001);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
}

/* Enter the inodes of all segments (known may be NULL); returns how many spares there are. */
static unsigned learn_inodes(const char *directory, GHashTable *known)
{
	GDir *dir = g_dir_open(directory, 0, NULL);
	unsigned spares = 0;
	const char *name;

	while ((name = g_dir_read_name(dir)) != NULL) {
		char *path = g_build_filename(directory, name, NULL);
		struct stat st;

		if (known && g_str_has_suffix(name, ".seg") && stat(path, &st) == 0) {
			g_hash_table_add(known, GUINT_TO_POINTER(st.st_ino));
		}
		spares += g_str_has_suffix(name, ".spare");
		g_free(path);
	}
	g_dir_close(dir);
	return spares;
}

/*
 * Segments that are released become new ones, once a sync has made that durable: what they held is
 * not read again, neither by a reader that was there before, nor after the process was killed.
 */
static void use_again(const char *directory)
{
	struct journal *journal = open_journal(directory, 20000, 400000, false);
	GHashTable *inodes = g_hash_table_new(NULL, NULL);
	struct journal_reader *reader = NULL;
	struct tally tally;

	CU_ASSERT_EQUAL(journal_reader_new(&reader, journal, 0, 0, NULL), ST_OK);
	for (unsigned round = 1; round <= 40; round++) {
		unit_at("round %u", round);
		append_many(journal, 300);
		tally = read_on(reader);
		UNIT_ASSERT_U64(tally.entries, 300);
		UNIT_ASSERT_U64(tally.told, 0);
		CU_ASSERT_EQUAL(journal_release(journal, journal_last(journal) - 10, NULL), ST_OK);
		tally = read_all(journal, 0);
		UNIT_ASSERT_U64(tally.entries, 10);
		CU_ASSERT_EQUAL(journal_sync(journal, NULL), ST_OK);
		learn_inodes(directory, inodes);
	}
	CU_ASSERT(g_hash_table_size(inodes) < 60); /* of more than 200 segments */
	append_many(journal, 100);
	CU_ASSERT_EQUAL(journal_flush(journal, NULL), ST_OK);
	g_hash_table_destroy(inodes);
}

static void test_reuse(void)
{
	const char *directory = fresh_directory();
	const struct journal_opts opts = { .directory = directory };
	struct journal_recovery recovery;
	struct journal *journal = NULL;
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) { /* ends without closing */
		use_again(directory);
		_exit(CU_get_number_of_failures() == 0 ? 0 : 1);
	}
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_EQUAL_FATAL(journal_open(&journal, &opts, &recovery, NULL), ST_OK);
	CU_ASSERT(!recovery.clean);
	UNIT_ASSERT_U64(recovery.torn_bytes, 0);
	UNIT_ASSERT_U64(recovery.lost_entries, 0);
	UNIT_ASSERT_U64(read_all(journal, 0).entries, 110);
	UNIT_ASSERT_U64(learn_inodes(directory, NULL), 0);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
}

/* Without drop_oldest: full is full, until something is released. */
static void test_full(void)
{
	struct journal *journal = open_journal(fresh_directory(), 20000, 400000, false);
	struct journal_stats stats;
	uint64_t last;
	int rc;

	while ((rc = append(journal, NULL)) == ST_OK) {
	}
	CU_ASSERT_EQUAL(rc, ST_ELIMIT);
	last = journal_last(journal);
	journal_get_stats(journal, &stats);
	CU_ASSERT(stats.bytes <= 400000 && stats.bytes > 300000);
	UNIT_ASSERT_U64(read_all(journal, 0).entries, last);
	CU_ASSERT_EQUAL(journal_release(journal, last / 2, NULL), ST_OK);
	append_many(journal, 100);
	UNIT_ASSERT_U64(read_all(journal, 0).last, last + 100);
	UNIT_ASSERT_U64(stats.dropped_entries, 0);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
}

/* The sum over what is read, released and dropped is what was appended; also over restarts. */
static void test_drop_oldest(void)
{
	const char *directory = fresh_directory();
	struct journal *journal = open_journal(directory, 20000, 300000, true);
	struct journal_stats stats;
	struct tally tally;
	uint64_t records = 0;

	for (int round = 0; round < 12; round++) {
		append_many(journal, 700);
		if (round % 3 == 2) {
			CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
			journal = open_journal(directory, 20000, 300000, true);
		}
	}
	for (uint64_t i = 1; i <= journal_last(journal); i++) {
		records += content_records(i);
	}
	journal_get_stats(journal, &stats);
	CU_ASSERT(stats.dropped_entries > 3000);
	tally = read_all(journal, 0);
	UNIT_ASSERT_U64(tally.entries + stats.dropped_entries, 8400);
	UNIT_ASSERT_U64(tally.records + stats.dropped_records, records);
	UNIT_ASSERT_U64(tally.told, 0);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
}

/*
 * What a reader was handed is not dropped before it is released, the segments behind it are; and
 * what was released is never counted as dropped.
 */
static void test_drop_spares_the_reader(void)
{
	const char *directory = fresh_directory();
	struct journal *journal = open_journal(directory, 20000, 300000, true);
	struct journal_reader *reader = NULL;
	struct journal_entry entry;
	struct journal_stats stats;
	struct tally tally;

	append_many(journal, 100);
	CU_ASSERT_EQUAL(journal_reader_new(&reader, journal, 0, JOURNAL_READ_DURABLE, NULL), ST_OK);
	CU_ASSERT_EQUAL(journal_reader_next(reader, &entry, NULL), ST_END);
	CU_ASSERT_EQUAL(journal_sync(journal, NULL), ST_OK);
	for (int i = 0; i < 60; i++) {
		CU_ASSERT_EQUAL(journal_reader_next(reader, &entry, NULL), ST_OK);
	}
	UNIT_ASSERT_U64(entry.position, 60);
	journal_reader_free(reader);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
	journal = open_journal(directory, 20000, 300000, true);
	append_many(journal, 6000);
	CU_ASSERT_EQUAL(journal_release(journal, 30, NULL), ST_OK);
	tally = read_all(journal, 0);
	UNIT_ASSERT_U64(tally.first, 31);
	UNIT_ASSERT_U64(tally.told, 0); /* the gap is no damage */
	journal_get_stats(journal, &stats);
	CU_ASSERT(stats.dropped_entries > 1000);
	UNIT_ASSERT_U64(30 + tally.entries + stats.dropped_entries, 6100);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
}

static void test_disk_full(void)
{
	for (int64_t room = 0; room < 30000; room += 1777) {
		const char *directory = fresh_directory();
		struct journal *journal = open_journal(directory, 20000, 0, false);
		uint64_t last;

		unit_at("%d bytes of room", (int)room);
		append_many(journal, 20);
		CU_ASSERT_EQUAL(journal_sync(journal, NULL), ST_OK);
		disk_room = room;
		for (int i = 0; i < 400 && append(journal, NULL) == ST_OK; i++) {
		}
		CU_ASSERT_EQUAL(journal_flush(journal, NULL), ST_ELIMIT);
		CU_ASSERT_EQUAL(journal_sync(journal, NULL), ST_ELIMIT);
		UNIT_ASSERT_U64(journal_durable(journal), 20);
		last = journal_last(journal);
		UNIT_ASSERT_U64(read_all(journal, 0).entries, last);
		disk_errno = EIO;
		disk_room = 0;
		CU_ASSERT_EQUAL(journal_flush(journal, NULL), ST_EIO);
		disk_errno = ENOSPC;
		disk_room = -1;
		append_many(journal, 300);
		CU_ASSERT_EQUAL(journal_sync(journal, NULL), ST_OK);
		UNIT_ASSERT_U64(read_all(journal, 0).entries, last + 300);
		CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
		journal = open_journal(directory, 20000, 0, false);
		UNIT_ASSERT_U64(read_all(journal, 0).entries, last + 300);
		CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
	}
}

static void test_failed_sync_is_final(void)
{
	const char *directory = fresh_directory();
	struct journal *journal = open_journal(directory, 20000, 0, false);

	append_many(journal, 10);
	CU_ASSERT_EQUAL(journal_sync(journal, NULL), ST_OK);
	append_many(journal, 10);
	sync_fails = true;
	CU_ASSERT_EQUAL(journal_sync(journal, NULL), ST_EIO);
	sync_fails = false;
	CU_ASSERT_EQUAL(journal_sync(journal, NULL), ST_EIO);
	CU_ASSERT_EQUAL(append(journal, NULL), ST_EIO);
	UNIT_ASSERT_U64(journal_durable(journal), 10);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_EIO);
	journal = open_journal(directory, 20000, 0, false);
	CU_ASSERT(journal_last(journal) >= 10);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
}

static void test_skip(void)
{
	const char *directory = fresh_directory();
	struct journal *journal = open_journal(directory, 100000, 0, false);
	struct journal_reader *reader = NULL;
	struct journal_entry entry;

	append_many(journal, 10);
	CU_ASSERT_EQUAL(journal_reader_new(&reader, journal, 0, 0, NULL), ST_OK);
	UNIT_ASSERT_U64(read_on(reader).last, 10);
	CU_ASSERT_EQUAL(journal_skip(journal, 5, NULL), ST_OK);
	CU_ASSERT_EQUAL(journal_skip(journal, 500, NULL), ST_OK);
	CU_ASSERT_EQUAL(journal_reader_next(reader, &entry, NULL), ST_END);
	CU_ASSERT_EQUAL(journal_reader_wait(reader, 0), ST_END);
	append_many(journal, 10);
	CU_ASSERT_EQUAL(journal_reader_wait(reader, 0), ST_OK);
	UNIT_ASSERT_U64(read_on(reader).first, 501);
	journal_reader_free(reader);
	CU_ASSERT_EQUAL(journal_skip(journal, 900, NULL), ST_OK);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
	journal = open_journal(directory, 100000, 0, false);
	append_many(journal, 10);
	UNIT_ASSERT_U64(journal_last(journal), 910);
	UNIT_ASSERT_U64(read_all(journal, 0).entries, 30);
	UNIT_ASSERT_U64(read_all(journal, 0).told, 0);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
}

static void test_renew_id(void)
{
	const char *directory = fresh_directory();
	struct journal *journal = open_journal(directory, 0, 0, false);
	uint8_t old[JOURNAL_ID_BYTES];
	uint8_t new[JOURNAL_ID_BYTES];

	append_many(journal, 3);
	memcpy(old, journal_id(journal), sizeof(old));
	CU_ASSERT_EQUAL(journal_renew_id(journal, NULL), ST_OK);
	memcpy(new, journal_id(journal), sizeof(new));
	CU_ASSERT_NOT_EQUAL(memcmp(old, new, sizeof(new)), 0);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
	journal = open_journal(directory, 0, 0, false);
	CU_ASSERT_EQUAL(memcmp(journal_id(journal), new, sizeof(new)), 0);
	UNIT_ASSERT_U64(read_all(journal, 0).entries, 3);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
}

static char *segment_path(const char *directory, uint64_t first)
{
	return g_strdup_printf("%s/%020llu.seg", directory, (unsigned long long)first);
}

/* A journal of count entries, cleanly closed; its directory. */
static const char *make_journal(unsigned count, uint64_t segment_bytes)
{
	const char *directory = fresh_directory();
	struct journal *journal = open_journal(directory, segment_bytes, 0, false);

	append_many(journal, count);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
	return directory;
}

/* Every truncation of a cleanly closed segment: the whole entries before it, and no more. */
static void test_truncations(void)
{
	for (off_t cut = 0; cut < 2000; cut += cut < 500 ? 1 : 17) {
		const char *directory = make_journal(12, 0);
		const struct journal_opts opts = { .directory = directory };
		struct journal *journal = NULL;
		struct journal_recovery recovery;
		struct tally tally;
		char *path = segment_path(directory, 1);

		unit_at("cut at %d", (int)cut);
		CU_ASSERT_EQUAL(truncate(path, cut), 0);
		CU_ASSERT_EQUAL_FATAL(journal_open(&journal, &opts, &recovery, NULL), ST_OK);
		tally = read_all(journal, 1);
		UNIT_ASSERT_U64(tally.last, tally.entries);
		CU_ASSERT(tally.entries < 12);
		UNIT_ASSERT_U64(recovery.lost_entries, 12 - tally.entries);
		CU_ASSERT(recovery.clean);
		append_many(journal, 2); /* no position is used again */
		UNIT_ASSERT_U64(journal_last(journal), 14);
		UNIT_ASSERT_U64(read_all(journal, 0).entries, tally.entries + 2);
		CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
		g_free(path);
	}
}

/* Killed while a full segment gets its end mark, when the file of the next one is there: the mark
 * is cut off, what was durable is there, and nothing is told as damaged. */
static void test_torn_end_mark(void)
{
	for (off_t kept = 0; kept < 24; kept++) {
		const char *directory = make_journal(12, 0);
		const uint8_t torn[24] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
		char *path = segment_path(directory, 1);
		char *next = segment_path(directory, 13);
		struct journal *journal;
		struct tally tally;
		FILE *file = fopen(path, "ab");

		unit_at("%d bytes of the mark", (int)kept);
		CU_ASSERT_EQUAL_FATAL(fwrite(torn, 1, (size_t)kept, file), (size_t)kept);
		fclose(file);
		CU_ASSERT(g_file_set_contents(next, "", 0, NULL));
		journal = open_journal(directory, 0, 0, false);
		tally = read_all(journal, 1);
		UNIT_ASSERT_U64(tally.entries, 12);
		UNIT_ASSERT_U64(tally.told, 0);
		append_many(journal, 2);
		UNIT_ASSERT_U64(read_all(journal, 1).entries, 14);
		CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
		g_free(next);
		g_free(path);
	}
}

static void flip_byte(const char *path, off_t at)
{
	const int fd = open(path, O_RDWR);
	uint8_t byte = 0;

	CU_ASSERT_EQUAL(pread(fd, &byte, 1, at), 1);
	byte = (uint8_t)~byte;
	CU_ASSERT_EQUAL(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

/* Every byte of a segment inverted: nothing wrong comes out, the rest does. */
static void flip_all(const char *directory, uint64_t first, unsigned count)
{
	char *path = segment_path(directory, first);
	gchar *bytes = NULL;
	gsize len = 0;

	CU_ASSERT_FATAL(g_file_get_contents(path, &bytes, &len, NULL));
	for (gsize at = 0; at < len; at++) {
		struct journal *journal;
		struct tally tally;

		unit_at("segment %llu, byte %zu", (unsigned long long)first, at);
		flip_byte(path, (off_t)at);
		journal = open_journal(directory, 4000, 0, false);
		tally = read_all(journal, 1);
		CU_ASSERT(tally.entries >= count - 1);
		/* The last entry of all is cut off at the opening, which tells it. */
		UNIT_ASSERT_U64(tally.told, tally.last == count - 1 ? 0 : 1);
		UNIT_ASSERT_U64(tally.entries + tally.lost, tally.last);
		UNIT_ASSERT_U64(journal_last(journal), count);
		CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
		if (tally.last == count) {
			flip_byte(path, (off_t)at);
		} else {
			CU_ASSERT(g_file_set_contents(path, bytes, (gssize)len, NULL));
		}
	}
	g_free(bytes);
	g_free(path);
}

static void test_flips(void)
{
	const char *directory = make_journal(40, 4000);
	struct journal *journal = open_journal(directory, 4000, 0, false);
	uint64_t last_segment = 40;
	char *path;

	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
	while (path = segment_path(directory, last_segment), access(path, F_OK) != 0) {
		g_free(path);
		last_segment--;
	}
	g_free(path);
	CU_ASSERT(last_segment > 20);
	flip_all(directory, 1, 40);
	directory = make_journal(40, 4000);
	flip_all(directory, last_segment, 40);
}

/* What a running journal has written is looked at when it is read; what has not left it need not be. */
static void test_flip_while_open(void)
{
	const char *directory = fresh_directory();
	struct journal *journal = open_journal(directory, 0, 0, false);
	struct tally tally;
	char *path;

	append_many(journal, 20);
	CU_ASSERT_EQUAL_FATAL(journal_flush(journal, NULL), ST_OK);
	append_many(journal, 20);
	path = segment_path(directory, 1);
	flip_byte(path, 2000);
	tally = read_all(journal, 1);
	UNIT_ASSERT_U64(tally.entries, 39);
	UNIT_ASSERT_U64(tally.told, 1);
	UNIT_ASSERT_U64(tally.lost, 1);
	UNIT_ASSERT_U64(tally.last, 40);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
	g_free(path);
}

/* Either slot of the state may be lost, not both. */
static void test_state_damage(void)
{
	const char *directory = fresh_directory();
	char *path = g_strdup_printf("%s/journal.state", directory);
	const struct journal_opts opts = { .directory = directory };
	struct journal *journal = open_journal(directory, 4000, 0, false);
	gchar *bytes = NULL;
	gsize len = 0;

	append_many(journal, 40);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
	CU_ASSERT_FATAL(g_file_get_contents(path, &bytes, &len, NULL));
	for (gsize at = 0; at < len; at += at == 128 ? 4096 - 128 : 1) {
		unit_at("byte %zu", at);
		flip_byte(path, (off_t)at);
		journal = open_journal(directory, 4000, 0, false);
		UNIT_ASSERT_U64(read_all(journal, 0).entries, 40);
		CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
	}
	bytes[0] = 0;
	bytes[4096] = 0;
	CU_ASSERT(g_file_set_contents(path, bytes, (gssize)len, NULL));
	CU_ASSERT_EQUAL(journal_open(&journal, &opts, NULL, NULL), ST_EFORMAT);
	g_free(bytes);
	g_free(path);
}

/* Random uses against what they should come to. */
struct model {
	struct journal *journal;
	struct journal_reader *reader;
	const char *directory;
	uint64_t read; /* position the reader has come to */
};

static void model_step(struct model *model, GRand *rand)
{
	struct journal_entry entry;
	struct journal_stats stats;
	int rc;

	switch (g_rand_int_range(rand, 0, 24)) {
	case 0:
		CU_ASSERT_EQUAL(journal_sync(model->journal, NULL), ST_OK);
		UNIT_ASSERT_U64(journal_durable(model->journal), journal_last(model->journal));
		break;
	case 1:
		CU_ASSERT_EQUAL(journal_flush(model->journal, NULL), ST_OK);
		break;
	case 2:
		CU_ASSERT_EQUAL(journal_release(model->journal, model->read, NULL), ST_OK);
		journal_get_stats(model->journal, &stats);
		UNIT_ASSERT_U64(stats.released, model->read);
		break;
	case 3:
		if (g_rand_int_range(rand, 0, 4) == 0) {
			const uint64_t last = journal_last(model->journal);

			journal_reader_free(model->reader);
			CU_ASSERT_EQUAL(journal_close(model->journal, NULL), ST_OK);
			model->journal = open_journal(model->directory, 9000, 0, false);
			UNIT_ASSERT_U64(journal_last(model->journal), last);
			CU_ASSERT_EQUAL_FATAL(journal_reader_new(&model->reader, model->journal,
								 model->read + 1, 0, NULL),
					      ST_OK);
		}
		break;
	case 4:
		journal_reader_seek(model->reader, 0);
		model->read = journal_first(model->journal) - 1;
		break;
	case 5:
	case 6:
	case 7:
		for (int i = g_rand_int_range(rand, 0, 60); i > 0; i--) {
			rc = journal_reader_next(model->reader, &entry, NULL);
			if (rc == ST_END) {
				UNIT_ASSERT_U64(model->read, journal_last(model->journal));
				break;
			}
			CU_ASSERT_EQUAL_FATAL(rc, ST_OK);
			UNIT_ASSERT_U64(entry.position, model->read + 1);
			CU_ASSERT_FATAL(is_right(&entry));
			model->read = entry.position;
		}
		break;
	default:
		append_many(model->journal, (unsigned)g_rand_int_range(rand, 0, 6));
	}
}

static void test_against_model(void)
{
	for (unsigned seed = 0; seed < 12; seed++) {
		GRand *rand = g_rand_new_with_seed(seed);
		struct model model = { .directory = fresh_directory() };

		unit_at("seed %u", seed);
		model.journal = open_journal(model.directory, 9000, 0, false);
		CU_ASSERT_EQUAL_FATAL(journal_reader_new(&model.reader, model.journal, 0, 0, NULL),
				      ST_OK);
		for (int i = 0; i < 2500; i++) {
			model_step(&model, rand);
		}
		journal_reader_free(model.reader);
		CU_ASSERT_EQUAL(journal_close(model.journal, NULL), ST_OK);
		g_rand_free(rand);
	}
}

#define THREADS 3
#define EACH    20000

static void *append_and_sync(void *ctx)
{
	static char failed[] = "failed";
	struct journal *journal = ctx;
	uint64_t bytes[20] = { 0 };

	for (uint64_t i = 0; i < EACH; i++) {
		const struct iovec iov = { bytes, 8 + (i % 19) * 8 };
		uint64_t position = 0;

		for (unsigned j = 0; j < 20; j++) {
			bytes[j] = (uint64_t)(uintptr_t)&bytes + i * 3;
		}
		if (journal_append(journal, &iov, 1, 1, &position, NULL) != ST_OK ||
		    (i % 4000 == 0 && journal_sync(journal, NULL) != ST_OK) ||
		    (i % 4000 == 0 && journal_durable(journal) < position)) {
			return failed;
		}
	}
	return NULL;
}

static void rises(void *ctx, uint64_t durable)
{
	uint64_t *seen = ctx;
	uint64_t old = __atomic_load_n(seen, __ATOMIC_SEQ_CST);

	while (durable > old && !__atomic_compare_exchange_n(seen, &old, durable, false,
							     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
	}
}

/* Several writers, a thread that syncs, and a reader that follows and releases. */
static void test_threads(void)
{
	uint64_t seen = 0;
	const struct journal_opts opts = { .directory = fresh_directory(),
					   .segment_bytes = 300000,
					   .sync_interval_ms = 10,
					   .on_durable = rises,
					   .on_durable_ctx = &seen };
	struct journal *journal = NULL;
	struct journal_reader *reader = NULL;
	pthread_t threads[THREADS];
	uint64_t count = 0;

	CU_ASSERT_EQUAL_FATAL(journal_open(&journal, &opts, NULL, NULL), ST_OK);
	CU_ASSERT_EQUAL_FATAL(journal_reader_new(&reader, journal, 0, 0, NULL), ST_OK);
	for (int i = 0; i < THREADS; i++) {
		CU_ASSERT_EQUAL(pthread_create(&threads[i], NULL, append_and_sync, journal), 0);
	}
	while (count < THREADS * EACH) {
		struct journal_entry entry;
		const int rc = journal_reader_next(reader, &entry, NULL);

		if (rc == ST_END) {
			if (journal_reader_wait(reader, 20000) != ST_OK) {
				CU_FAIL_FATAL("no more entries");
			}
			continue;
		}
		CU_ASSERT_EQUAL_FATAL(rc, ST_OK);
		count++;
		CU_ASSERT_FATAL(entry.position == count && entry.len % 8 == 0);
		CU_ASSERT_FATAL(entry.len == 8 ||
				memcmp(entry.bytes, entry.bytes + 8, entry.len - 8) == 0);
		if (count % 5000 == 0) {
			CU_ASSERT_EQUAL(journal_release(journal, count, NULL), ST_OK);
		}
	}
	for (int i = 0; i < THREADS; i++) {
		void *failed = NULL;

		pthread_join(threads[i], &failed);
		CU_ASSERT_PTR_NULL(failed);
	}
	CU_ASSERT_EQUAL(journal_wait_durable(journal, THREADS * EACH, 20000), ST_OK);
	CU_ASSERT_EQUAL(journal_wait_durable(journal, THREADS * EACH + 1, 1), ST_END);
	journal_reader_free(reader);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
	UNIT_ASSERT_U64(seen, THREADS * EACH);
}

/* The thread syncs early when it is asked to and there is much to sync. */
static void test_hurry(void)
{
	const struct journal_opts opts = { .directory = fresh_directory(),
					   .sync_interval_ms = 3600 * 1000 };
	const struct iovec iov = { content, JOURNAL_ENTRY_MAX };
	struct journal *journal = NULL;

	CU_ASSERT_EQUAL_FATAL(journal_open(&journal, &opts, NULL, NULL), ST_OK);
	CU_ASSERT_EQUAL(journal_append(journal, &iov, 1, 1, NULL, NULL), ST_OK);
	journal_hurry(journal);
	CU_ASSERT_EQUAL(journal_wait_durable(journal, 1, 100), ST_END);
	for (int i = 0; i < 12; i++) {
		CU_ASSERT_EQUAL(journal_append(journal, &iov, 1, 1, NULL, NULL), ST_OK);
	}
	CU_ASSERT_EQUAL(journal_wait_durable(journal, 1, 100), ST_END);
	journal_hurry(journal);
	CU_ASSERT_EQUAL(journal_wait_durable(journal, 13, 20000), ST_OK);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
}

static const struct unit_case cases[] = {
	{ "append and read", test_append_and_read },
	{ "largest entry", test_largest_entry },
	{ "locked", test_locked },
	{ "release", test_release },
	{ "released segments are used again", test_reuse },
	{ "full", test_full },
	{ "drop oldest", test_drop_oldest },
	{ "drop spares the reader", test_drop_spares_the_reader },
	{ "disk full", test_disk_full },
	{ "a failed sync is final", test_failed_sync_is_final },
	{ "skip", test_skip },
	{ "renew the id", test_renew_id },
	{ "truncations", test_truncations },
	{ "torn end mark", test_torn_end_mark },
	{ "flips", test_flips },
	{ "a byte inverted while the journal is open", test_flip_while_open },
	{ "damage of the state", test_state_damage },
	{ "against a model", test_against_model },
	{ "threads", test_threads },
	{ "hurry", test_hurry },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("journal", cases);
}
