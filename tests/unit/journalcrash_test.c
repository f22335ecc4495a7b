/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writers of a journal that are killed anywhere, again and again on one folder: at a random moment,
 * or inside a write after so many bytes. What a flush had returned for is there, in order and as it
 * was; what was dropped is counted; nothing damaged is handed out. TUSSAH_LONG=yes: many more
 * times.
 */
#include "common/journal.h"

#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

/* Shared by the test and the writers it forks. */
struct shared {
	uint64_t safe;         /* position up to which a flush or sync has returned */
	uint64_t released;     /* position that a release has returned for */
	uint64_t releasing;    /* position of the release that may be under way */
	uint64_t consumed;     /* entries that were read up to released ... */
	uint64_t consuming;    /* ... and up to releasing */
	int64_t bytes_to_live; /* of the writer, which dies inside a write; negative: it does not */
};

static struct shared *shared;

/* These stand before the C library's; a process that is killed loses nothing of what it wrote. */
ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	if (shared != NULL && shared->bytes_to_live >= 0) {
		if ((int64_t)len >= shared->bytes_to_live) {
			syscall(SYS_pwrite64, fd, bytes, (size_t)shared->bytes_to_live, offset);
			kill(getpid(), SIGKILL);
		}
		shared->bytes_to_live -= (int64_t)len;
	}
	return syscall(SYS_pwrite64, fd, bytes, len, offset);
}

int fdatasync(int fd)
{
	return fd < 0 ? -1 : 0;
}

int fsync(int fd)
{
	return fdatasync(fd);
}

static size_t entry_len(uint64_t position)
{
	return 8 + position * UINT64_C(2654435761) % 700;
}

static void make_entry(uint64_t position, uint8_t *out)
{
	const size_t len = entry_len(position);

	for (size_t i = 0; i < len; i++) {
		out[i] = (uint8_t)(position * 31 + i * 7);
	}
}

static struct journal *open_journal(const char *directory, bool drop_oldest)
{
	const struct journal_opts opts = { .directory = directory,
					   .segment_bytes = 20000,
					   .max_bytes = 200000,
					   .drop_oldest = drop_oldest };
	struct journal *journal = NULL;
	struct err err = { .text = "" };

	if (journal_open(&journal, &opts, NULL, &err) != ST_OK) {
		fprintf(stderr, "# %s\n", err.text);
		abort();
	}
	return journal;
}

/* Read some entries and release them. */
static void consume(struct journal *journal, struct journal_reader *reader, int count)
{
	struct journal_entry entry = { 0 };
	uint64_t consumed = shared->consumed;

	while (count > 0 && journal_reader_next(reader, &entry, NULL) == ST_OK) {
		count--;
		consumed++;
	}
	if (consumed > shared->consumed) {
		/* killed between these, nothing is released yet */
		__atomic_store_n(&shared->releasing, 0, __ATOMIC_SEQ_CST);
		__atomic_store_n(&shared->consuming, consumed, __ATOMIC_SEQ_CST);
		__atomic_store_n(&shared->releasing, entry.position, __ATOMIC_SEQ_CST);
		if (journal_release(journal, entry.position, NULL) != ST_OK) {
			abort();
		}
		__atomic_store_n(&shared->consumed, consumed, __ATOMIC_SEQ_CST);
		__atomic_store_n(&shared->released, entry.position, __ATOMIC_SEQ_CST);
	}
}

/* One life of a writer: appends, flushes, syncs, reads and releases until killed. */
static void live(const char *directory, bool drop_oldest, unsigned seed)
{
	GRand *rand = g_rand_new_with_seed(seed);
	struct journal *journal = open_journal(directory, drop_oldest);
	struct journal_reader *reader = NULL;

	if (journal_reader_new(&reader, journal, 0, JOURNAL_READ_DURABLE, NULL) != ST_OK) {
		abort();
	}
	for (int i = 0; i < 4000; i++) {
		uint8_t bytes[1024];
		const uint64_t position = journal_last(journal) + 1;
		const struct iovec iov = { bytes, entry_len(position) };
		int rc;

		make_entry(position, bytes);
		rc = journal_append(journal, &iov, 1, 1, NULL, NULL);
		if (rc != ST_OK && (rc != ST_ELIMIT || drop_oldest)) {
			abort();
		}
		if (rc == ST_ELIMIT || g_rand_int_range(rand, 0, 8) == 0) {
			rc = g_rand_boolean(rand) ? journal_flush(journal, NULL)
						  : journal_sync(journal, NULL);
			if (rc != ST_OK) {
				abort();
			}
			__atomic_store_n(&shared->safe, journal_last(journal), __ATOMIC_SEQ_CST);
		}
		if (g_rand_int_range(rand, 0, 40) == 0 && (!drop_oldest || seed % 3 == 0)) {
			consume(journal, reader, g_rand_int_range(rand, 1, 80));
		}
	}
	_exit(0);
}

/* What is there is whole (this reader pins nothing); with what was released and dropped it is all
 * that was safe. */
static void check(const char *directory)
{
	struct journal *journal = open_journal(directory, false);
	struct journal_reader *reader = NULL;
	struct journal_entry entry;
	struct journal_stats stats;
	uint64_t count = 0;
	int rc;

	journal_get_stats(journal, &stats);
	CU_ASSERT(stats.last >= shared->safe);
	CU_ASSERT(stats.released >= shared->released);
	CU_ASSERT_EQUAL_FATAL(journal_reader_new(&reader, journal, 0, 0, NULL), ST_OK);
	while ((rc = journal_reader_next(reader, &entry, NULL)) == ST_OK) {
		uint8_t bytes[1024];

		make_entry(entry.position, bytes);
		if (entry.len != entry_len(entry.position) ||
		    memcmp(bytes, entry.bytes, entry.len) != 0) {
			CU_FAIL_FATAL("an entry is not what was written");
		}
		count++;
	}
	CU_ASSERT_EQUAL(rc, ST_END);
	if (shared->releasing > 0 && stats.released == shared->releasing) {
		shared->consumed = shared->consuming;
	}
	UNIT_ASSERT_U64(shared->consumed + count + stats.dropped_entries, stats.last);
	shared->safe = stats.last;
	shared->released = stats.released;
	journal_reader_free(reader);
	CU_ASSERT_EQUAL(journal_close(journal, NULL), ST_OK);
}

static void kill_often(bool drop_oldest, unsigned times)
{
	char *directory = g_strdup_printf("%s/journal%d", unit_scratch(), drop_oldest);
	GRand *rand = g_rand_new_with_seed(4711);
	unsigned killed = 0;

	memset(shared, 0, sizeof(*shared));
	for (unsigned seed = 0; seed < times; seed++) {
		const bool in_write = seed % 2 == 0;
		int status;
		pid_t pid;

		unit_at("life %u", seed);
		shared->bytes_to_live = in_write ? g_rand_int_range(rand, 0, 400000) : -1;
		pid = fork();
		CU_ASSERT_FATAL(pid >= 0);
		if (pid == 0) {
			live(directory, drop_oldest, seed);
		}
		if (!in_write) {
			g_usleep((gulong)g_rand_int_range(rand, 0, 8000));
			kill(pid, SIGKILL);
		}
		CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
		CU_ASSERT(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL
					      : WEXITSTATUS(status) == 0);
		killed += WIFSIGNALED(status);
		shared->bytes_to_live = -1;
		check(directory);
	}
	CU_ASSERT(killed > times / 4);
	g_rand_free(rand);
	g_free(directory);
}

static unsigned times(void)
{
	return g_strcmp0(g_getenv("TUSSAH_LONG"), "yes") == 0 ? 5000 : 150;
}

static void test_bounded(void)
{
	kill_often(false, times());
}

static void test_dropping(void)
{
	kill_often(true, times());
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "killed anywhere", test_bounded },
		{ "killed anywhere, dropping", test_dropping },
		{ NULL, NULL },
	};

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	return shared == MAP_FAILED ? 99 : unit_run("journalcrash", cases);
}
