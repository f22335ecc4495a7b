/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/filestate.h"

#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static struct filestate *open_state(void)
{
	struct filestate *state = NULL;

	CU_ASSERT_EQUAL_FATAL(filestate_open(&state, unit_scratch(), "test", NULL), ST_OK);
	return state;
}

/* Overwrite a byte, as a torn write may. */
static void damage(off_t at)
{
	char *path = g_build_filename(unit_scratch(), ".rwflowpack-files-test", NULL);
	int fd = open(path, O_RDWR);

	CU_ASSERT_EQUAL(pwrite(fd, "\xff", 1, at), 1);
	close(fd);
	g_free(path);
}

static void test_remembers(void)
{
	struct filestate *state = open_state();
	struct filestate *other = NULL;
	char *id = g_strdup(filestate_id(state));
	uint64_t epoch = filestate_epoch(state);

	CU_ASSERT_EQUAL(strlen(id), 32);
	UNIT_ASSERT_U64(filestate_done(state, 7), 0);
	UNIT_ASSERT_U64(filestate_last(state), 0);
	CU_ASSERT_EQUAL(filestate_open(&other, unit_scratch(), "test", NULL), ST_EAGAIN);
	CU_ASSERT_EQUAL(filestate_commit(state, 7, 100, NULL), ST_OK);
	CU_ASSERT_EQUAL(filestate_commit(state, 7, 250, NULL), ST_OK);
	UNIT_ASSERT_U64(filestate_epoch(state), epoch + 2);
	filestate_close(state);

	state = open_state();
	UNIT_ASSERT_STR(filestate_id(state), id);
	UNIT_ASSERT_U64(filestate_epoch(state), epoch + 2);
	UNIT_ASSERT_U64(filestate_done(state, 7), 250);
	UNIT_ASSERT_U64(filestate_done(state, 8), 0);
	UNIT_ASSERT_U64(filestate_last(state), 7);
	filestate_close(state);

	/* The slot written last is torn: what was before counts. */
	damage((off_t)(epoch + 1) % 2 * 4096 + 30);
	state = open_state();
	UNIT_ASSERT_STR(filestate_id(state), id);
	UNIT_ASSERT_U64(filestate_epoch(state), epoch + 1);
	UNIT_ASSERT_U64(filestate_done(state, 7), 100);
	CU_ASSERT_EQUAL(filestate_commit(state, 9, 1, NULL), ST_OK);
	UNIT_ASSERT_U64(filestate_done(state, 7), 0);
	filestate_remove(state);

	state = open_state();
	CU_ASSERT_STRING_NOT_EQUAL(filestate_id(state), id);
	filestate_remove(state);
	g_free(id);
}

static void test_file(void)
{
	const struct stat one = { .st_ino = 5, .st_size = 10, .st_mtim = { 1000, 5 } };
	struct stat changed = one;
	uint64_t number = filestate_file("a", &one);

	UNIT_ASSERT_U64(filestate_file("a", &one), number);
	CU_ASSERT_NOT_EQUAL(filestate_file("b", &one), number);
	changed.st_size++;
	CU_ASSERT_NOT_EQUAL(filestate_file("a", &changed), number);
	changed = one;
	changed.st_mtim.tv_nsec++;
	CU_ASSERT_NOT_EQUAL(filestate_file("a", &changed), number);
	changed = one;
	changed.st_ino++;
	CU_ASSERT_NOT_EQUAL(filestate_file("a", &changed), number);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "what was committed is remembered", test_remembers },
		{ "numbers of files", test_file },
		{ NULL, NULL },
	};

	return unit_run("filestate", cases);
}
