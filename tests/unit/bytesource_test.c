/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sources and sinks of bytes: files, pipes, gzip, memory. */
#include "tests/unit/unit.h"

#include "storage/bytesink.h"
#include "storage/bytesource.h"

#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEN 700000 /* more than a source reads at once */

static uint8_t byte_at(uint64_t offset)
{
	return (uint8_t)(offset * 31 + offset / 251);
}

static uint8_t *make_bytes(void)
{
	uint8_t *bytes = g_malloc(LEN);

	for (uint64_t i = 0; i < LEN; i++) {
		bytes[i] = byte_at(i);
	}
	return bytes;
}

static char *write_file(const char *name)
{
	char *path = g_strdup_printf("%s/%s", unit_scratch(), name);
	uint8_t *bytes = make_bytes();
	struct bytesink *sink = NULL;
	struct err err = { 0, "" };

	CU_ASSERT_EQUAL_FATAL(bytesink_create(&sink, path, BYTESINK_OVERWRITE, &err), ST_OK);
	CU_ASSERT(bytesink_is_seekable(sink));
	UNIT_ASSERT_STR(bytesink_name(sink), path);
	CU_ASSERT_EQUAL(bytesink_write(sink, bytes, LEN / 2, &err), ST_OK);
	CU_ASSERT_EQUAL(bytesink_flush(sink, true, &err), ST_OK);
	CU_ASSERT_EQUAL(bytesink_write(sink, bytes + LEN / 2, LEN - LEN / 2, &err), ST_OK);
	CU_ASSERT_EQUAL(bytesink_close(sink, &err), ST_OK);
	g_free(bytes);
	return path;
}

/* Views of many sizes, each consumed in part; every byte comes once and in its place. */
static void read_in_pieces(struct bytesource *src)
{
	uint64_t at = 0;
	size_t want = 1;

	while (at < LEN) {
		const uint8_t *bytes;
		size_t len, take;

		CU_ASSERT_EQUAL_FATAL(bytesource_view(src, want, &bytes, &len, NULL), ST_OK);
		CU_ASSERT(len >= want || at + len == LEN);
		UNIT_ASSERT_U64(bytesource_offset(src), at);
		take = MIN(len, want);
		CU_ASSERT_FATAL(take > 0);
		for (size_t i = 0; i < take; i++) {
			if (bytes[i] != byte_at(at + i)) {
				CU_FAIL_FATAL("wrong byte");
			}
		}
		bytesource_consume(src, take);
		at += take;
		want = (want * 5 + 3) % 300000 + 1;
	}
}

static void skip_about(struct bytesource *src)
{
	uint64_t skipped = 0;
	uint8_t byte = 0;

	CU_ASSERT_EQUAL(bytesource_read(src, &byte, 1, NULL), ST_OK);
	UNIT_ASSERT_U64(byte, byte_at(0));
	CU_ASSERT_EQUAL(bytesource_skip(src, 400000, &skipped, NULL), ST_OK);
	UNIT_ASSERT_U64(skipped, 400000);
	CU_ASSERT_EQUAL(bytesource_read(src, &byte, 1, NULL), ST_OK);
	UNIT_ASSERT_U64(byte, byte_at(400001));
	UNIT_ASSERT_U64(bytesource_offset(src), 400002);
	CU_ASSERT_EQUAL(bytesource_skip(src, UINT64_MAX, &skipped, NULL), ST_OK);
	UNIT_ASSERT_U64(skipped, LEN - 400002);
	CU_ASSERT_EQUAL(bytesource_read(src, &byte, 1, NULL), ST_ETRUNC);
}

static void test_kinds(void)
{
	static const char *const names[] = { "plain", "packed.gz", "odd.gz.part", "memory" };

	for (unsigned i = 0; i < 2 * G_N_ELEMENTS(names); i++) {
		const char *name = names[i / 2];
		char *path = write_file(name);
		uint8_t *bytes = make_bytes();
		struct bytesource *src = NULL;

		unit_at("%s", name);
		if (strcmp(name, "memory") == 0) {
			src = bytesource_memory(bytes, LEN, name);
		} else {
			CU_ASSERT_EQUAL_FATAL(bytesource_open(&src, path, NULL), ST_OK);
		}
		if (i % 2) {
			skip_about(src);
		} else {
			read_in_pieces(src);
		}
		bytesource_close(src);
		g_free(bytes);
		g_free(path);
	}
}

static void test_pipe(void)
{
	struct bytesource *src;
	struct bytesink *sink;
	const uint8_t *bytes;
	uint64_t skipped = 0;
	size_t len;
	int fds[2];

	CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
	src = bytesource_open_fd(fds[0], "pipe");
	sink = bytesink_open_fd(fds[1], "pipe");
	CU_ASSERT(!bytesink_is_seekable(sink));
	CU_ASSERT_EQUAL(bytesink_write(sink, "abcdef", 6, NULL), ST_OK);
	CU_ASSERT_EQUAL(bytesink_flush(sink, true, NULL), ST_OK);
	/* No more is waited for than is wanted. */
	CU_ASSERT_EQUAL(bytesource_view(src, 2, &bytes, &len, NULL), ST_OK);
	CU_ASSERT(len >= 2 && bytes[0] == 'a');
	CU_ASSERT_EQUAL(bytesource_skip(src, 4, &skipped, NULL), ST_OK);
	CU_ASSERT_EQUAL(bytesink_close(sink, NULL), ST_OK);
	CU_ASSERT_EQUAL(bytesource_view(src, 10, &bytes, &len, NULL), ST_OK);
	UNIT_ASSERT_U64(len, 2);
	bytesource_close(src);
}

/* What came before a failure is shown with it; the failure stays. */
static void test_failure(void)
{
	struct bytesource *src = NULL;
	const uint8_t *bytes;
	struct err err = { 0, "" };
	size_t len;

	CU_ASSERT_EQUAL_FATAL(bytesource_open(&src, "/", &err), ST_OK);
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(bytesource_view(src, 1, &bytes, &len, &err), ST_EIO);
		CU_ASSERT(g_str_has_prefix(err.text, "/: "));
		UNIT_ASSERT_U64(len, 0);
	}
	bytesource_close(src);
	CU_ASSERT_EQUAL(bytesource_open(&src, "/no/such/file", &err), ST_ENOENT);
	CU_ASSERT(g_str_has_prefix(err.text, "/no/such/file: "));
	bytesource_close(NULL);
}

static void test_terminal(void)
{
	int control = posix_openpt(O_RDWR | O_NOCTTY);
	struct bytesource *src = NULL;
	struct err err = { 0, "" };
	char *path;

	CU_ASSERT_FATAL(control >= 0 && grantpt(control) == 0 && unlockpt(control) == 0);
	path = g_strdup(ptsname(control));
	CU_ASSERT_EQUAL(bytesource_open_binary(&src, path, &err), ST_EIO);
	CU_ASSERT_PTR_NULL(src);
	CU_ASSERT(g_str_has_prefix(err.text, path));
	CU_ASSERT_EQUAL(bytesource_open(&src, path, &err), ST_OK);
	bytesource_close(src);
	CU_ASSERT_EQUAL(bytesource_open_binary(&src, "/dev/null", &err), ST_OK);
	bytesource_close(src);
	close(control);
	g_free(path);
}

static void test_sink(void)
{
	char *path = write_file("sink");
	struct bytesink *sink = NULL;
	struct err err = { 0, "" };
	const uint8_t *bytes;
	size_t len = 0;

	CU_ASSERT_EQUAL(bytesink_create(&sink, path, 0, &err), ST_EEXIST);
	CU_ASSERT(g_str_has_prefix(err.text, path));
	CU_ASSERT_EQUAL(bytesink_create(&sink, "/dev/null", 0, &err), ST_OK);
	CU_ASSERT_EQUAL(bytesink_close(sink, &err), ST_OK);
	CU_ASSERT_EQUAL(bytesink_create(&sink, "/no/such/file", 0, &err), ST_EIO);
	CU_ASSERT_EQUAL(bytesink_create(&sink, "/dev/full", 0, &err), ST_OK);
	CU_ASSERT_EQUAL(bytesink_write(sink, "x", 1, &err), ST_EIO);
	CU_ASSERT(g_str_has_prefix(err.text, "/dev/full: "));
	bytesink_close(sink, NULL);
	sink = bytesink_memory("memory");
	CU_ASSERT_EQUAL(bytesink_write(sink, "ab", 2, &err), ST_OK);
	CU_ASSERT_EQUAL(bytesink_write(sink, "c", 1, &err), ST_OK);
	bytes = bytesink_bytes(sink, &len);
	CU_ASSERT(len == 3 && memcmp(bytes, "abc", 3) == 0);
	CU_ASSERT_EQUAL(bytesink_close(sink, &err), ST_OK);
	CU_ASSERT_EQUAL(bytesink_close(NULL, &err), ST_OK);
	g_free(path);
}

static const struct unit_case cases[] = {
	{ "files, gzip and memory", test_kinds },
	{ "pipe", test_pipe },
	{ "failure", test_failure },
	{ "terminal", test_terminal },
	{ "sinks", test_sink },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("bytesource", cases);
}
