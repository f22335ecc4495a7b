/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/lockedfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static void test_missing(void)
{
	struct err err;
	int fd = -1;

	CU_ASSERT_EQUAL(chdir(unit_scratch()), 0);
	CU_ASSERT_EQUAL(lockedfile_open("missing", 0, &fd, &err), ST_ENOENT);
	CU_ASSERT_EQUAL(fd, -1);
	CU_ASSERT_EQUAL(lockedfile_open("nowhere/missing", LOCKEDFILE_CREATE, &fd, &err),
			ST_ENOENT);
	CU_ASSERT_EQUAL(lockedfile_open("made", LOCKEDFILE_CREATE, &fd, &err), ST_OK);
	close(fd);
	CU_ASSERT_EQUAL(access("made", W_OK), 0);
}

static void test_held(void)
{
	struct err err;
	int first = -1;
	int second = -1;

	CU_ASSERT_EQUAL(lockedfile_open("held", LOCKEDFILE_CREATE, &first, &err), ST_OK);
	CU_ASSERT_EQUAL(lockedfile_open("held", LOCKEDFILE_NO_WAIT, &second, &err), ST_EAGAIN);
	CU_ASSERT_EQUAL(lockedfile_open("held", LOCKEDFILE_NO_LOCK, &second, &err), ST_OK);
	close(second);
	close(first);
	CU_ASSERT_EQUAL(lockedfile_open("held", LOCKEDFILE_NO_WAIT, &second, &err), ST_OK);
	close(second);
}

/* Another process waits for the lock while the file is replaced: it must get the new one. */
static void test_replaced(void)
{
	struct err err;
	int ready[2];
	int fd = -1;
	int status = -1;
	pid_t child;
	char byte = 0;

	CU_ASSERT_EQUAL(lockedfile_open("old", LOCKEDFILE_CREATE, &fd, &err), ST_OK);
	CU_ASSERT_EQUAL(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		int ours = -1;
		int rc;

		close(fd); /* the lock is of the open file, which is the child's as well */
		rc = write(ready[1], "x", 1) == 1 ? lockedfile_open("old", 0, &ours, &err) : -1;

		_exit(rc == ST_OK && write(ours, "from the child", 14) == 14 ? 0 : 1);
	}
	CU_ASSERT_EQUAL(read(ready[0], &byte, 1), 1);
	usleep(20000); /* mostly it waits by now; if it does not yet, the test is only weaker */
	CU_ASSERT_EQUAL(close(open("new", O_CREAT | O_WRONLY, 0666)), 0);
	CU_ASSERT_EQUAL(rename("new", "old"), 0);
	close(fd);
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_EQUAL(access("old", R_OK), 0);
	fd = open("old", O_RDONLY);
	CU_ASSERT_EQUAL(lseek(fd, 0, SEEK_END), 14);
	close(fd);
	close(ready[0]);
	close(ready[1]);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "missing", test_missing },
		{ "held", test_held },
		{ "replaced", test_replaced },
		{ NULL, NULL },
	};

	return unit_run("lockedfile", cases);
}
