/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/namedfile.h"

#include <fcntl.h>
#include <limits.h>

#include <glib.h>
#include <glib/gstdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

/* Children end in the middle with what they have, and one has no /proc, which the search for leaks
 * needs. The sanitizer's library has to see it. */
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return 1;
}

/* Each test works in a folder of its own, which is the working folder. */
static char *enter(const char *name)
{
	char *folder = g_build_filename(unit_scratch(), name, NULL);

	CU_ASSERT_EQUAL_FATAL(g_mkdir(folder, 0700), 0);
	CU_ASSERT_EQUAL_FATAL(chdir(folder), 0);
	return folder;
}

static void put(const char *path, const char *text)
{
	CU_ASSERT_FATAL(g_file_set_contents(path, text, -1, NULL));
}

static bool has(const char *path, const char *want)
{
	char *text = NULL;
	bool same = g_file_get_contents(path, &text, NULL, NULL) && strcmp(text, want) == 0;

	g_free(text);
	return same;
}

static unsigned count_files(void)
{
	GDir *dir = g_dir_open(".", 0, NULL);
	unsigned count = 0;

	while (g_dir_read_name(dir) != NULL) {
		count++;
	}
	g_dir_close(dir);
	return count;
}

static struct namedfile *write_new(const char *path, unsigned flags)
{
	struct namedfile *file = NULL;
	struct err err;
	int fd = -1;

	CU_ASSERT_EQUAL_FATAL(namedfile_open(&file, path, flags, &fd, &err), ST_OK);
	CU_ASSERT_EQUAL(write(fd, "new", 3), 3);
	close(fd);
	return file;
}

static void keep(struct namedfile *file)
{
	struct err err;

	CU_ASSERT_EQUAL(namedfile_keep(file, &err), ST_OK);
}

static void test_new(void)
{
	char *folder = enter("new");
	struct namedfile *file = write_new("a", 0);

	CU_ASSERT(has("a", "new"));
	keep(file);
	CU_ASSERT(has("a", "new"));
	namedfile_leave(write_new("b", NAMEDFILE_OVERWRITE));
	CU_ASSERT(has("b", "new"));
	namedfile_drop(write_new("c", 0));
	CU_ASSERT_EQUAL(count_files(), 2);
	keep(NULL);
	namedfile_leave(NULL);
	namedfile_drop(NULL);
	g_free(folder);
}

static void test_new_whole(void)
{
	char *folder = enter("whole");
	struct namedfile *file = write_new("a", NAMEDFILE_WHOLE);

	CU_ASSERT(!g_file_test("a", G_FILE_TEST_EXISTS));
	keep(file);
	CU_ASSERT(has("a", "new"));
	namedfile_leave(write_new("b", NAMEDFILE_WHOLE));
	namedfile_drop(write_new("b", NAMEDFILE_WHOLE));
	CU_ASSERT_EQUAL(count_files(), 1);
	g_free(folder);
}

static void replace_in_folder(void)
{
	struct namedfile *file;
	struct stat st;

	put("a", "old");
	g_chmod("a", 0640);
	file = write_new("a", NAMEDFILE_OVERWRITE);
	CU_ASSERT(has("a", "old"));
	keep(file);
	CU_ASSERT(has("a", "new"));
	CU_ASSERT_EQUAL(g_stat("a", &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0640);
	put("a", "old");
	namedfile_leave(write_new("a", NAMEDFILE_OVERWRITE));
	namedfile_drop(write_new("a", NAMEDFILE_OVERWRITE | NAMEDFILE_WHOLE));
	CU_ASSERT(has("a", "old"));
	CU_ASSERT_EQUAL(count_files(), 1);
}

static void test_replace(void)
{
	char *folder = enter("replace");

	replace_in_folder();
	g_free(folder);
}

/* The hidden name that it has for a moment must not be too long. */
static void test_longest_name(void)
{
	char *folder = enter("longest");
	char name[NAME_MAX + 1];

	memset(name, 'n', NAME_MAX);
	name[NAME_MAX] = '\0';
	g_close(g_open(name, O_WRONLY | O_CREAT, 0600), NULL); /* put() needs a longer one */
	keep(write_new(name, NAMEDFILE_OVERWRITE));
	CU_ASSERT(has(name, "new"));
	CU_ASSERT_EQUAL(count_files(), 1);
	g_free(folder);
}

static void test_exists(void)
{
	char *folder = enter("exists");
	struct namedfile *file = NULL;
	struct err err;
	int fd = -1;

	put("a", "old");
	CU_ASSERT_EQUAL(namedfile_open(&file, "a", 0, &fd, &err), ST_EEXIST);
	CU_ASSERT_STRING_EQUAL(err.text, "a: file exists");
	CU_ASSERT_EQUAL(namedfile_open(&file, "a", NAMEDFILE_WHOLE, &fd, &err), ST_EEXIST);
	CU_ASSERT(has("a", "old"));
	CU_ASSERT_EQUAL(namedfile_open(&file, "nosuch/a", 0, &fd, &err), ST_EIO);
	CU_ASSERT_EQUAL(namedfile_open(&file, "nosuch/a", NAMEDFILE_WHOLE, &fd, &err), ST_EIO);
	CU_ASSERT_EQUAL(namedfile_open(&file, ".", NAMEDFILE_OVERWRITE, &fd, &err), ST_EIO);
	CU_ASSERT_PTR_NULL(file);
	g_free(folder);
}

static void test_links(void)
{
	char *folder = enter("links");

	g_mkdir("far", 0700);
	put("far/a", "old");
	CU_ASSERT_EQUAL(symlink("far/a", "link"), 0);
	CU_ASSERT_EQUAL(symlink("far/b", "leads-nowhere"), 0);
	keep(write_new("link", NAMEDFILE_OVERWRITE));
	CU_ASSERT(has("far/a", "new"));
	CU_ASSERT(g_file_test("link", G_FILE_TEST_IS_SYMLINK));
	keep(write_new("leads-nowhere", NAMEDFILE_OVERWRITE | NAMEDFILE_WHOLE));
	CU_ASSERT(has("far/b", "new"));
	CU_ASSERT_EQUAL(link("far/a", "second"), 0);
	put("text", "old");
	CU_ASSERT_EQUAL(g_unlink("far/a") | g_rename("text", "far/a"), 0);
	keep(write_new("far/a", NAMEDFILE_OVERWRITE));
	CU_ASSERT(has("second", "new"));
	g_free(folder);
}

static void test_device(void)
{
	keep(write_new("/dev/null", 0));
	keep(write_new("/dev/null", NAMEDFILE_WHOLE));
	namedfile_drop(write_new("/dev/null", NAMEDFILE_OVERWRITE));
	CU_ASSERT(g_file_test("/dev/null", G_FILE_TEST_EXISTS));
}

static void test_descriptor(void)
{
	char *folder = enter("descriptor");
	struct stat before, after;
	int fd;

	put("a", "old");
	fd = open("a", O_RDWR | O_APPEND);
	CU_ASSERT_EQUAL(dup2(fd, 9), 9);
	CU_ASSERT_EQUAL(fstat(fd, &before), 0);
	keep(write_new("/dev/fd/9", NAMEDFILE_OVERWRITE | NAMEDFILE_WHOLE));
	CU_ASSERT_EQUAL(write(fd, "er", 2), 2);
	CU_ASSERT(has("a", "newer"));
	CU_ASSERT_EQUAL(g_stat("a", &after), 0);
	CU_ASSERT_EQUAL(before.st_ino, after.st_ino);
	close(fd);
	close(9);
	g_free(folder);
}

/* In a process of its own. How it ends is seen by its status: how many assertions failed. */
static void run_apart(void (*act)(void))
{
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		unsigned before = CU_get_number_of_failures();

		act();
		exit((int)(CU_get_number_of_failures() - before));
	}
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT(WIFEXITED(status));
	CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
}

static void end_in_the_middle(void)
{
	write_new("a", NAMEDFILE_OVERWRITE);
	write_new("b", NAMEDFILE_WHOLE);
}

static void test_program_ends(void)
{
	char *folder = enter("ends");

	put("a", "old");
	run_apart(end_in_the_middle);
	CU_ASSERT(has("a", "old"));
	CU_ASSERT_EQUAL(count_files(), 1);
	g_free(folder);
}

/* As another user, in a folder like /tmp: the file may be written to, and nothing else. */
static void replace_of_other(void)
{
	struct namedfile *file;

	if (setgid(65534) != 0 || setuid(65534) != 0) {
		return;
	}
	file = write_new("a", NAMEDFILE_OVERWRITE);
	CU_ASSERT(has("a", "old"));
	keep(file);
	CU_ASSERT(has("a", "new"));
	CU_ASSERT_EQUAL(count_files(), 1);
}

static void test_sticky(void)
{
	char *folder = enter("sticky");

	put("a", "old");
	CU_ASSERT_EQUAL(g_chmod("a", 0666) | g_chmod(".", 01777), 0);
	CU_ASSERT_EQUAL(g_chmod("..", 0755), 0);
	run_apart(replace_of_other);
	g_free(folder);
}

/* As another user, where no file can be made: it is written in another folder. */
static void replace_in_closed_folder(void)
{
	struct namedfile *file = NULL;
	struct err err;
	int fd;

	if (setgid(65534) != 0 || setuid(65534) != 0) {
		return;
	}
	file = write_new("a", NAMEDFILE_OVERWRITE);
	CU_ASSERT(has("a", "old text"));
	namedfile_leave(write_new("a", NAMEDFILE_OVERWRITE | NAMEDFILE_WHOLE));
	CU_ASSERT(has("a", "old text"));
	keep(file);
	CU_ASSERT(has("a", "new"));
	CU_ASSERT_EQUAL(
		namedfile_open(&file, "b", NAMEDFILE_OVERWRITE | NAMEDFILE_WHOLE, &fd, &err),
		ST_EIO);
	CU_ASSERT_EQUAL(count_files(), 1);
}

static void test_closed_folder(void)
{
	char *folder = enter("closed");

	put("a", "old text");
	CU_ASSERT_EQUAL(g_chmod("a", 0666) | g_chmod(".", 0755), 0);
	CU_ASSERT_EQUAL(g_chmod("..", 0755), 0);
	run_apart(replace_in_closed_folder);
	g_free(folder);
}

/* Another file has got the name while ours was written. */
static void test_not_replaced(void)
{
	char *folder = enter("meanwhile");
	struct namedfile *file = write_new("a", NAMEDFILE_WHOLE);
	struct err err;

	put("a", "other");
	CU_ASSERT_EQUAL(namedfile_keep(file, &err), ST_EEXIST);
	CU_ASSERT(has("a", "other"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "a: file exists; what was to be in it is in '"));
	CU_ASSERT_EQUAL(count_files(), 2);
	file = write_new("a", NAMEDFILE_WHOLE | NAMEDFILE_OVERWRITE);
	keep(file);
	CU_ASSERT(has("a", "new"));
	g_free(folder);
}

static void test_copy(void)
{
	char *folder = enter("copy");
	struct stat st;
	struct err err;

	put("a", "short");
	put("b", "longer");
	CU_ASSERT_EQUAL(g_chmod("a", 0640), 0);
	CU_ASSERT_EQUAL(namedfile_copy("a", "b", &err) | namedfile_copy("a", "c", &err), ST_OK);
	CU_ASSERT(has("a", "short") && has("b", "short") && has("c", "short"));
	CU_ASSERT_EQUAL(g_stat("c", &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0640);
	CU_ASSERT_EQUAL(namedfile_copy("nosuch", "b", &err), ST_EIO);
	CU_ASSERT_EQUAL(namedfile_copy("a", "nosuch/b", &err), ST_EIO);
	CU_ASSERT(has("b", "short"));
	CU_ASSERT_EQUAL(count_files(), 3);
	g_free(folder);
}

/* Without /proc a file cannot get a name later, as with file systems that have no nameless files. */
static void test_hidden(void)
{
	char *folder = enter("hidden");

	if (chroot(".") != 0) {
		g_free(folder);
		return;
	}
	replace_in_folder();
	run_apart(end_in_the_middle);
	CU_ASSERT(has("a", "old"));
	CU_ASSERT_EQUAL(count_files(), 1);
	g_free(folder);
}

static void test_hidden_apart(void)
{
	run_apart(test_hidden);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "a new file", test_new },
		{ "a new file that must be whole", test_new_whole },
		{ "a file is replaced", test_replace },
		{ "the longest name", test_longest_name },
		{ "what may not be written to", test_exists },
		{ "links", test_links },
		{ "devices", test_device },
		{ "descriptors", test_descriptor },
		{ "a program that ends in the middle", test_program_ends },
		{ "without nameless files", test_hidden_apart },
		{ "a file that cannot be replaced", test_sticky },
		{ "a folder that takes no new file", test_closed_folder },
		{ "a file that came meanwhile", test_not_replaced },
		{ "copies", test_copy },
		{ NULL, NULL },
	};

	return unit_run("namedfile", cases);
}
