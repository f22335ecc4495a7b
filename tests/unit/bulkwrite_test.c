/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/bulkwrite.h"

#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "storage/newfile.h"
#include "tests/unit/unit.h"

#define PARTS_MAX 700u
#define BYTES_MAX (9u << 20)

/* Bytes that are found at no other place. */
static uint8_t *make_bytes(size_t len)
{
	uint8_t *bytes = g_malloc(len);
	GRand *random = g_rand_new_with_seed(29);

	for (size_t i = 0; i < len; i++) {
		bytes[i] = (uint8_t)g_rand_int(random);
	}
	g_rand_free(random);
	return bytes;
}

/* Cut len bytes into so many parts at random; some are empty. */
static void cut(GRand *random, uint8_t *bytes, size_t len, struct iovec *parts, size_t count)
{
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		size_t most = 2 * (len - at) / (count - i);
		size_t n = i + 1 == count
				   ? len - at
				   : MIN(len - at, most > 0 ? (size_t)g_rand_int_range(random, 0,
										       (gint32)most)
							    : 0);

		parts[i] = (struct iovec){ bytes + at, n };
		at += n;
	}
}

static void check_file(int fd, uint64_t offset, const uint8_t *bytes, size_t len)
{
	uint8_t *found = g_malloc(len + 1);

	CU_ASSERT_EQUAL(pread(fd, found, len + 1, (off_t)offset), (ssize_t)len);
	CU_ASSERT_EQUAL(memcmp(found, bytes, len), 0);
	g_free(found);
}

/* One file that grows by short and long runs, as an hour's file does. */
static void grow(const char *folder, struct partpool *pool)
{
	GRand *random = g_rand_new_with_seed(7);
	uint8_t *bytes = make_bytes(BYTES_MAX);
	struct iovec parts[PARTS_MAX];
	size_t end = 0;
	int flags;
	int fd;

	CU_ASSERT_EQUAL_FATAL(newfile_nameless(folder, &fd, NULL), ST_OK);
	flags = fcntl(fd, F_GETFL);
	for (unsigned i = 0; i < 60; i++) {
		const size_t most = i % 3 == 0   ? BYTES_MAX
				    : i % 3 == 1 ? BULKWRITE_DIRECT_BYTES + 9000
						 : 9000;
		const size_t len = (size_t)g_rand_int_range(random, 0, (gint32)most);
		const size_t count = (size_t)g_rand_int_range(random, 1, PARTS_MAX);

		cut(random, bytes, len, parts, count);
		CU_ASSERT_EQUAL_FATAL(bulkwrite(fd, end, parts, count, pool, NULL), ST_OK);
		CU_ASSERT_EQUAL(fcntl(fd, F_GETFL), flags);
		check_file(fd, end, bytes, len);
		end += len;
	}
	/* over what is there, and in the middle of a block */
	cut(random, bytes, BYTES_MAX, parts, 3);
	CU_ASSERT_EQUAL(bulkwrite(fd, 12345, parts, 3, pool, NULL), ST_OK);
	CU_ASSERT_EQUAL(ftruncate(fd, 12345 + BYTES_MAX), 0);
	check_file(fd, 12345, bytes, BYTES_MAX);
	close(fd);
	g_free(bytes);
	g_rand_free(random);
}

static void test_disk(void)
{
	struct partpool *pool = partpool_new();

	grow(unit_scratch(), pool);
	partpool_free(pool);
}

/* Where memory is the disk there may be no way past the cache. */
static void test_memory(void)
{
	if (g_file_test("/dev/shm", G_FILE_TEST_IS_DIR)) {
		grow("/dev/shm", NULL);
	}
}

static void test_nothing(void)
{
	struct iovec empty = { NULL, 0 };

	CU_ASSERT_EQUAL(bulkwrite(-1, 0, NULL, 0, NULL, NULL), ST_OK);
	CU_ASSERT_EQUAL(bulkwrite(-1, 0, &empty, 1, NULL, NULL), ST_OK);
}

/* Where each way ends in an error: a descriptor that cannot be written to. */
static void test_failure(void)
{
	uint8_t *bytes = make_bytes(2 * BULKWRITE_DIRECT_BYTES);
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	struct err err;

	for (size_t len = 1000; len <= 2 * BULKWRITE_DIRECT_BYTES; len *= 2) {
		const struct iovec part = { bytes, len };

		err.text[0] = '\0';
		CU_ASSERT_EQUAL(bulkwrite(fd, 1, &part, 1, NULL, &err), ST_EIO);
		CU_ASSERT(err.text[0] != '\0');
	}
	close(fd);
	g_free(bytes);
}

/* A file that may not grow, somewhere in the blocks: what fits is there, and the flags are as before. */
static void test_limit(void)
{
	const rlim_t most = 3 * BULKWRITE_DIRECT_BYTES + 5 * 4096;
	uint8_t *bytes = make_bytes(BYTES_MAX);
	const struct iovec part = { bytes, BYTES_MAX };
	struct rlimit before;
	struct rlimit limit;
	int flags;
	int fd;

	CU_ASSERT_EQUAL_FATAL(newfile_nameless(unit_scratch(), &fd, NULL), ST_OK);
	flags = fcntl(fd, F_GETFL);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = (struct rlimit){ most, before.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	CU_ASSERT_NOT_EQUAL(bulkwrite(fd, 0, &part, 1, NULL, NULL), ST_OK);
	setrlimit(RLIMIT_FSIZE, &before);
	CU_ASSERT_EQUAL(fcntl(fd, F_GETFL), flags);
	check_file(fd, 0, bytes, most);
	close(fd);
	g_free(bytes);
}

int main(void)
{
	static const struct unit_case tests[] = {
		{ "files on a disk", test_disk },
		{ "files in memory", test_memory },
		{ "nothing to write", test_nothing },
		{ "failures", test_failure },
		{ "a limit", test_limit },
		{ NULL, NULL },
	};

	return unit_run("bulkwrite", tests);
}
