/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/streamclaims.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utime.h>

#include "tests/unit/unit.h"

#define KEY "0123456789abcdef0123456789abcdef sensor one"
static bool disk_is_full;

/* This stands before the C library's. */
ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	if (disk_is_full) {
		errno = ENOSPC;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, bytes, len, offset);
}

#define OTHER "0123456789abcdef0123456789abcdef sensor on"

static char *folder(const char *name)
{
	char *path = g_build_filename(unit_scratch(), name, NULL);

	CU_ASSERT_EQUAL(g_mkdir(path, 0755), 0);
	return path;
}

static uint64_t claim(struct streamclaims *claims, const char *key, uint64_t from)
{
	uint64_t taken = 99;

	CU_ASSERT_EQUAL(streamclaims_claim(claims, key, from, 1000, &taken, NULL), ST_OK);
	return taken;
}

static uint64_t look(struct streamclaims *claims, const char *key, uint64_t had)
{
	uint64_t taken = 99;

	CU_ASSERT_EQUAL(streamclaims_look(claims, key, had, &taken, NULL), ST_OK);
	return taken;
}

static int commit(struct streamclaims *claims, const char *key, uint64_t committed, uint64_t marked)
{
	const struct streamclaims_mark mark = { key, committed, marked };

	return streamclaims_commit(claims, &mark, 1, NULL);
}

static void test_turns(void)
{
	char *root = folder("turns");
	struct streamclaims *one = streamclaims_new(root, "1111", false);
	struct streamclaims *two = streamclaims_new(root, "2222", false);

	UNIT_ASSERT_U64(claim(one, KEY, 1), 0);
	CU_ASSERT_EQUAL(commit(one, KEY, 0, 10), ST_OK);
	UNIT_ASSERT_U64(look(two, KEY, 0), 10);
	UNIT_ASSERT_U64(look(two, OTHER, 0), 0);
	/* what the other has cannot be claimed, and is not */
	UNIT_ASSERT_U64(claim(two, KEY, 9), 10);
	CU_ASSERT_EQUAL(commit(one, KEY, 10, 12), ST_OK);
	UNIT_ASSERT_U64(claim(two, KEY, 13), 12);
	CU_ASSERT(!streamclaims_is_others(two, KEY, 13));
	CU_ASSERT(streamclaims_is_others(two, KEY, 12));
	/* the first one learns of it when it has packed some of them, and when not */
	CU_ASSERT_EQUAL(commit(one, KEY, 12, 14), ST_EAGAIN);
	CU_ASSERT(streamclaims_is_others(one, KEY, 13));
	CU_ASSERT(!streamclaims_is_others(one, KEY, 12));
	CU_ASSERT(!streamclaims_is_others(one, OTHER, 13));
	UNIT_ASSERT_U64(streamclaims_ours(one, KEY, 20), 12);
	UNIT_ASSERT_U64(streamclaims_ours(one, KEY, 5), 5);
	CU_ASSERT_EQUAL(streamclaims_refresh(one, NULL), ST_OK);
	CU_ASSERT_EQUAL(commit(one, KEY, 12, 12), ST_OK);
	/* and back */
	CU_ASSERT_EQUAL(commit(two, KEY, 0, 15), ST_OK);
	UNIT_ASSERT_U64(claim(one, KEY, 16), 15);
	CU_ASSERT(streamclaims_is_others(one, KEY, 15));
	CU_ASSERT(!streamclaims_is_others(one, KEY, 16));
	UNIT_ASSERT_U64(streamclaims_ours(one, KEY, 16), 16);
	streamclaims_free(one);
	streamclaims_free(two);
	g_free(root);
}

static void test_kept(void)
{
	char *root = folder("kept");
	char *path = g_build_filename(root, STREAMCLAIMS_FILE, NULL);
	struct streamclaims *one = streamclaims_new(root, "1111", false);
	char *text = NULL;

	claim(one, KEY, 7);
	claim(one, KEY, 9); /* is its own already */
	CU_ASSERT(g_file_get_contents(path, &text, NULL, NULL));
	UNIT_ASSERT_STR(text, "tussah-claims 1\n7 1111 1000 " KEY "\n");
	streamclaims_free(one);
	one = streamclaims_new(root, "2222", false);
	CU_ASSERT_EQUAL(streamclaims_refresh(one, NULL), ST_OK);
	CU_ASSERT(streamclaims_is_others(one, KEY, 7));
	CU_ASSERT(!streamclaims_is_others(one, KEY, 6));
	/* what was known before packing began is no news */
	CU_ASSERT_EQUAL(commit(one, KEY, 0, 8), ST_OK);
	streamclaims_free(one);
	g_free(text);
	g_free(path);
	g_free(root);
}

static char *contents(const char *path)
{
	char *text = NULL;

	CU_ASSERT_FATAL(g_file_get_contents(path, &text, NULL, NULL));
	return text;
}

/* A claim is one more line of the file, in the place of what a crash left of one. */
static void test_added(void)
{
	char *root = folder("added");
	char *path = g_build_filename(root, STREAMCLAIMS_FILE, NULL);
	struct streamclaims *one = streamclaims_new(root, "1111", false);
	struct streamclaims *two = streamclaims_new(root, "2222", false);
	struct stat first;
	struct stat now;
	char *text;

	claim(one, KEY, 1);
	CU_ASSERT_EQUAL(stat(path, &first), 0);
	claim(one, OTHER, 2);
	CU_ASSERT_EQUAL(truncate(path, first.st_size + 20), 0);
	claim(two, KEY, 5);
	claim(two, OTHER, 6);
	claim(one, KEY, 8);
	CU_ASSERT_EQUAL(stat(path, &now), 0);
	CU_ASSERT_EQUAL(now.st_ino, first.st_ino);
	text = contents(path);
	UNIT_ASSERT_STR(text, "tussah-claims 1\n1 1111 1000 " KEY "\n5 2222 1000 " KEY
			      "\n6 2222 1000 " OTHER "\n8 1111 1000 " KEY "\n");
	streamclaims_free(one);
	streamclaims_free(two);
	g_free(text);
	g_free(path);
	g_free(root);
}

/* What could not be written down is not claimed: it is tried again. */
static void test_full(void)
{
	char *root = folder("full");
	char *path = g_build_filename(root, STREAMCLAIMS_FILE, NULL);
	struct streamclaims *one = streamclaims_new(root, "1111", false);

	for (int i = 0; i < 2; i++) { /* a new file, and a line more */
		const char *key = i == 0 ? KEY : OTHER;
		uint64_t taken;
		char *text;

		unit_at("%d", i);
		disk_is_full = true;
		CU_ASSERT_EQUAL(streamclaims_claim(one, key, 7, 1000, &taken, NULL), ST_ELIMIT);
		CU_ASSERT_EQUAL(streamclaims_claim(one, key, 7, 1000, &taken, NULL), ST_ELIMIT);
		disk_is_full = false;
		claim(one, key, 7);
		text = contents(path);
		CU_ASSERT(g_str_has_suffix(text, i == 0 ? KEY "\n" : OTHER "\n"));
		g_free(text);
	}
	streamclaims_free(one);
	g_free(path);
	g_free(root);
}

static void test_damaged(void)
{
	static const char *const cases[] = {
		"tussah-claims 2\n",
		"tussah-claims 1\n7 1111 1000\n",
		"tussah-claims 1\nx 1111 1000 " KEY "\n",
		"tussah-claims 1\n7 11/11 1000 " KEY "\n",
		"tussah-claims 1\n7 1111 1000 short\n",
	};
	char *root = folder("damaged");
	char *path = g_build_filename(root, STREAMCLAIMS_FILE, NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct streamclaims *one = streamclaims_new(root, "1111", false);

		unit_at("%s", cases[i]);
		CU_ASSERT(g_file_set_contents(path, cases[i], -1, NULL));
		CU_ASSERT_EQUAL(streamclaims_refresh(one, NULL), ST_EFORMAT);
		streamclaims_free(one);
	}
	g_free(path);
	g_free(root);
}

/* The oldest are forgotten, the latest stay. */
/* An old file is read once, until it is another: by size, by time, by being replaced, or gone. */
static void test_old_files(void)
{
	static const char *const texts[] = { "tussah-taken 1\n5 " KEY "\n7 " OTHER "\n",
					     "tussah-taken 1\n55 " KEY "\n",
					     "tussah-taken 1\n66 " KEY "\n" };
	static const uint64_t wanted[] = { 5, 55, 66 };
	char *root = folder("old");
	char *path = g_build_filename(root, STREAMCLAIMS_TAKEN "1111", NULL);
	struct streamclaims *two = streamclaims_new(root, "2222", false);

	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		const struct utimbuf old = { 1000000000, 1000000000 + (time_t)i };

		CU_ASSERT(g_file_set_contents(path, texts[i], -1, NULL));
		CU_ASSERT_EQUAL(utime(path, &old), 0);
		UNIT_ASSERT_U64(look(two, KEY, 0), wanted[i]);
		UNIT_ASSERT_U64(look(two, KEY, 0), wanted[i]);
		UNIT_ASSERT_U64(look(two, OTHER, 0), i == 0 ? 7 : 0);
	}
	CU_ASSERT_EQUAL(g_unlink(path), 0);
	UNIT_ASSERT_U64(look(two, KEY, 0), 0);
	streamclaims_free(two);
	g_free(path);
	g_free(root);
}

static void test_many(void)
{
	char *root = folder("many");
	char *path = g_build_filename(root, STREAMCLAIMS_FILE, NULL);
	GString *text = g_string_new("tussah-claims 1\n");
	struct streamclaims *one = streamclaims_new(root, "1111", false);
	char key[64];

	for (unsigned i = 0; i < STREAMCLAIMS_CLAIMS_MAX; i++) {
		g_string_append_printf(text, "5 2222 1000 %032x s\n", i);
	}
	CU_ASSERT(g_file_set_contents(path, text->str, -1, NULL));
	UNIT_ASSERT_U64(claim(one, KEY, 7), 0);
	snprintf(key, sizeof(key), "%032x s", 0);
	CU_ASSERT(!streamclaims_is_others(one, key, 5));
	snprintf(key, sizeof(key), "%032x s", STREAMCLAIMS_CLAIMS_MAX - 1);
	CU_ASSERT(streamclaims_is_others(one, key, 5));
	streamclaims_free(one);
	g_string_free(text, TRUE);
	g_free(path);
	g_free(root);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "packers take turns", test_turns },
		{ "claims are kept", test_kept },
		{ "added", test_added },
		{ "full disk", test_full },
		{ "damaged files", test_damaged },
		{ "old files", test_old_files },
		{ "many streams", test_many },
		{ NULL, NULL },
	};

	return unit_run("streamclaims", cases);
}
