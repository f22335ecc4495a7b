/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writers of block files that are killed at any byte, and readers beside writers
 * (storage/FORMAT.md section 6). Record number n of a file is always the same, so a file can be
 * judged by itself: it holds records 0 to n - 1 for some n that is not less than what was
 * acknowledged.
 */
#include "storage/blockwriter.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/blockrecords.h"
#include "tests/unit/unit.h"

/* Shared by the test and the writers it forks. */
struct shared {
	uint64_t acknowledged; /* records that a flush has returned for */
	int64_t bytes_to_live; /* of the writer, which dies inside a write; negative: it does not */
	uint64_t cut_bytes;    /* that the last writer cut */
};

static struct shared *shared;

/* Stands before the C library's: the writer dies when it has written so many bytes. */
ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	ssize_t written;

	if (shared == NULL || shared->bytes_to_live < 0 || (int64_t)len < shared->bytes_to_live) {
		if (shared != NULL && shared->bytes_to_live >= 0) {
			shared->bytes_to_live -= (int64_t)len;
		}
		return syscall(SYS_pwrite64, fd, bytes, len, offset);
	}
	written = syscall(SYS_pwrite64, fd, bytes, (size_t)shared->bytes_to_live, offset);
	kill(getpid(), SIGKILL);
	return written;
}

static struct record numbered(uint64_t number)
{
	struct record rec;

	record_init(&rec);
	rec.start_ns = BLOCKRECORDS_HOUR_NS + (int64_t)(number * 7919);
	rec.packets = number;
	rec.bytes = number * UINT64_C(0x9e3779b97f4a7c15);
	rec.sip = ip_from_v4((uint32_t)number * 2654435761u);
	rec.sport = (uint16_t)(number * 31);
	return rec;
}

/* How many records path holds, which must be the first ones; 0: there is no file. */
static uint64_t check_prefix(const char *path)
{
	GArray *got;
	uint64_t count;
	int damage;

	if (access(path, F_OK) != 0) {
		return 0;
	}
	got = blockrecords_read(path, &damage);
	CU_ASSERT_EQUAL(damage, 0);
	count = got->len;
	for (uint64_t i = 0; i < count; i++) {
		const struct record want = numbered(i);

		if (!blockrecords_equal(&g_array_index(got, struct record, i), &want)) {
			CU_FAIL("a record is not what was written");
			break;
		}
	}
	g_array_unref(got);
	return count;
}

/* Append blocks until killed, or until records first..last are written. Returns only then. */
static void write_records(const char *path, uint64_t first, uint64_t last, unsigned seed)
{
	const struct blockwriter_opts opts = { .compression = CHUNK_LZO1X };
	GRand *rand = g_rand_new_with_seed(seed);
	struct blockwriter *writer = NULL;

	if (blockwriter_append(&writer, path, &opts, &shared->cut_bytes, NULL) != ST_OK) {
		abort();
	}
	while (first < last) {
		uint64_t some = (uint64_t)g_rand_int_range(rand, 1, 200);
		uint64_t count = MIN(last - first, some);

		for (uint64_t i = 0; i < count; i++) {
			struct record rec = numbered(first + i);

			if (blockwriter_write(writer, &rec, NULL) != ST_OK) {
				abort();
			}
		}
		first += count;
		if (blockwriter_flush(writer, false, NULL) != ST_OK) {
			abort();
		}
		__atomic_store_n(&shared->acknowledged, first, __ATOMIC_SEQ_CST);
	}
	blockwriter_close(writer, NULL);
	g_rand_free(rand);
}

static pid_t start_writer(const char *path, uint64_t first, unsigned seed)
{
	pid_t pid = fork();

	CU_ASSERT_FATAL(pid >= 0);
	if (pid == 0) {
		write_records(path, first, UINT64_MAX, seed);
		_exit(0);
	}
	return pid;
}

static void reap(pid_t pid)
{
	int status = 0;

	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* The writer dies inside a write: each new one goes on behind what is whole. */
static void kill_inside_writes(const char *path, unsigned kills, unsigned seed)
{
	GRand *rand = g_rand_new_with_seed(seed);
	uint64_t count = 0;
	unsigned cuts = 0;

	shared->acknowledged = 0;
	for (unsigned i = 0; i < kills; i++) {
		unit_at("kill %u", i);
		shared->bytes_to_live = g_rand_int_range(rand, 0, 20000);
		reap(start_writer(path, count, seed + i));
		shared->bytes_to_live = -1;
		cuts += i > 0 && shared->cut_bytes > 0;
		count = check_prefix(path);
		CU_ASSERT(count >= shared->acknowledged);
		if (count > 30000) {
			unlink(path);
			count = 0;
			shared->acknowledged = 0;
		}
	}
	CU_ASSERT(cuts > kills / 3);
	g_rand_free(rand);
}

/* The writer is killed from without, wherever it is. */
static void kill_any_time(const char *path, unsigned kills, unsigned seed)
{
	GRand *rand = g_rand_new_with_seed(seed);
	uint64_t count = 0;

	shared->acknowledged = 0;
	for (unsigned i = 0; i < kills; i++) {
		pid_t pid = start_writer(path, count, seed + i);

		unit_at("kill %u", i);
		usleep((useconds_t)g_rand_int_range(rand, 0, 8000));
		kill(pid, SIGKILL);
		reap(pid);
		count = check_prefix(path);
		CU_ASSERT(count >= shared->acknowledged);
		if (count > 30000) {
			unlink(path);
			count = 0;
			shared->acknowledged = 0;
		}
	}
	g_rand_free(rand);
}

static unsigned kill_count(void)
{
	return g_strcmp0(getenv("TUSSAH_LONG"), "yes") == 0 ? 500 : 60;
}

static void test_killed_inside_writes(void)
{
	char *path = g_strdup_printf("%s/inside", unit_scratch());

	kill_inside_writes(path, kill_count(), 1);
	g_free(path);
}

static void test_killed_any_time(void)
{
	char *path = g_strdup_printf("%s/any", unit_scratch());

	kill_any_time(path, kill_count(), 2);
	g_free(path);
}

/* Readers see more and more, never less nor something else, however often they open. */
static void test_readers(void)
{
	char *path = g_strdup_printf("%s/readers", unit_scratch());
	uint64_t last = 0;
	unsigned rounds = 0;
	pid_t pid;

	shared->acknowledged = 0;
	shared->bytes_to_live = -1;
	pid = start_writer(path, 0, 3);
	while (last < 20000 && ++rounds < 100000) {
		uint64_t before = __atomic_load_n(&shared->acknowledged, __ATOMIC_SEQ_CST);
		uint64_t count = check_prefix(path);

		CU_ASSERT(count >= before && count >= last);
		last = count;
	}
	CU_ASSERT(last >= 20000);
	kill(pid, SIGKILL);
	reap(pid);
	g_free(path);
}

/* Two writers take turns by the lock; each block is whole. */
static void test_two_writers(void)
{
	char *path = g_strdup_printf("%s/two", unit_scratch());
	pid_t pids[3];
	int damage;
	GArray *got;

	shared->bytes_to_live = -1;
	for (size_t i = 0; i < G_N_ELEMENTS(pids); i++) {
		pids[i] = fork();
		CU_ASSERT_FATAL(pids[i] >= 0);
		if (pids[i] == 0) {
			for (unsigned round = 0; round < 20; round++) {
				write_records(path, 0, 50, round);
			}
			_exit(0);
		}
	}
	for (size_t i = 0; i < G_N_ELEMENTS(pids); i++) {
		int status = -1;

		waitpid(pids[i], &status, 0);
		CU_ASSERT_EQUAL(status, 0);
	}
	got = blockrecords_read(path, &damage);
	CU_ASSERT_EQUAL(damage, 0);
	UNIT_ASSERT_U64(got->len, 3 * 20 * 50);
	g_array_unref(got);
	g_free(path);
}

static const struct unit_case cases[] = {
	{ "killed inside writes", test_killed_inside_writes },
	{ "killed at any time", test_killed_any_time },
	{ "readers beside a writer", test_readers },
	{ "writers take turns", test_two_writers },
	{ NULL, NULL },
};

int main(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	shared->bytes_to_live = -1;
	return unit_run("blockcrash", cases);
}
