/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/dirpoll.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "packer/disposal.h"
#include "tests/unit/unit.h"

static char *put(const char *directory, const char *name, const char *text)
{
	char *path = g_build_filename(directory, name, NULL);

	CU_ASSERT(g_file_set_contents(path, text, -1, NULL));
	return path;
}

static int note(void *arg, const char *path, const char *name)
{
	g_string_append_printf(arg, "%s ", name);
	CU_ASSERT(g_file_test(path, G_FILE_TEST_IS_REGULAR));
	return ST_OK;
}

static int refuse(void *arg, const char *path, const char *name)
{
	(void)arg, (void)path, (void)name;
	return ST_EAGAIN;
}

static void expect(struct dirpoll *poll, const char *names)
{
	GString *seen = g_string_new(NULL);

	CU_ASSERT_EQUAL(dirpoll_scan(poll, note, seen, NULL), ST_OK);
	UNIT_ASSERT_STR(seen->str, names);
	g_string_free(seen, TRUE);
}

static void test_scan(void)
{
	char *directory = g_build_filename(unit_scratch(), "in", NULL);
	struct dirpoll *poll = dirpoll_new(directory);
	char *a;

	CU_ASSERT_EQUAL(dirpoll_scan(poll, note, NULL, NULL), ST_EIO);
	CU_ASSERT_EQUAL(g_mkdir(directory, 0755), 0);
	expect(poll, "");
	a = put(directory, "a", "12");
	g_free(put(directory, ".hidden", "12"));
	g_free(put(directory, "empty", ""));
	expect(poll, "");
	g_free(put(directory, "a", "123")); /* still growing */
	expect(poll, "");
	CU_ASSERT_EQUAL(dirpoll_scan(poll, refuse, NULL, NULL), ST_EAGAIN);
	expect(poll, "a ");
	expect(poll, ""); /* once */
	CU_ASSERT_EQUAL(g_unlink(a), 0);
	expect(poll, "");
	g_free(put(directory, "a", "123")); /* another of that name */
	expect(poll, "");
	expect(poll, "a ");
	dirpoll_free(poll);
	g_free(a);
	g_free(directory);
}

static void test_disposal(void)
{
	char *in = g_build_filename(unit_scratch(), "spool", NULL);
	char *archive = g_build_filename(unit_scratch(), "archive", NULL);
	char *bad = g_build_filename(unit_scratch(), "bad", NULL);
	char *done = g_build_filename(unit_scratch(), "ran", NULL);
	char *command = g_strdup_printf("test -s %%s && echo 100%%%% > %s", done);
	struct disposal_opts opts = { .archive_directory = archive };
	struct disposal_opts none = { NULL };
	char *path;
	char *moved;

	CU_ASSERT_EQUAL(g_mkdir(in, 0755), 0);
	path = put(in, "f", "x");
	CU_ASSERT_EQUAL(disposal_good(&opts, path, 1234396800 + 3599, NULL), ST_OK);
	moved = g_build_filename(archive, "2009/02/12/00/f", NULL);
	CU_ASSERT(g_file_test(moved, G_FILE_TEST_EXISTS));
	CU_ASSERT(!g_file_test(path, G_FILE_TEST_EXISTS));
	g_free(moved);

	g_free(put(in, "f", "x"));
	opts.flat_archive = true;
	opts.post_archive_command = command;
	CU_ASSERT_EQUAL(disposal_good(&opts, path, 0, NULL), ST_OK);
	moved = g_build_filename(archive, "f", NULL);
	CU_ASSERT(g_file_test(moved, G_FILE_TEST_EXISTS));
	for (int i = 0; i < 500 && !g_file_test(done, G_FILE_TEST_EXISTS); i++) {
		usleep(10000);
	}
	CU_ASSERT(g_file_test(done, G_FILE_TEST_EXISTS));
	g_free(moved);

	g_free(put(in, "f", "x"));
	CU_ASSERT_EQUAL(disposal_good(&none, path, 0, NULL), ST_OK);
	CU_ASSERT(!g_file_test(path, G_FILE_TEST_EXISTS));

	g_free(put(in, "f", "x"));
	CU_ASSERT_EQUAL(disposal_bad(&none, path, NULL), ST_ENOENT);
	CU_ASSERT(g_file_test(path, G_FILE_TEST_EXISTS));
	none.error_directory = bad;
	CU_ASSERT_EQUAL(disposal_bad(&none, path, NULL), ST_OK);
	moved = g_build_filename(bad, "f", NULL);
	CU_ASSERT(g_file_test(moved, G_FILE_TEST_EXISTS));
	g_free(moved);
	g_free(path);
	g_free(command);
	g_free(done);
	g_free(bad);
	g_free(archive);
	g_free(in);
}

static void test_command(void)
{
	static const struct {
		const char *command;
		const char *expected; /* NULL: an error */
	} cases[] = {
		{ "", "" },
		{ "a b", "a b" },
		{ "gzip %s", "gzip /x y" },
		{ "%s%s", "/x y/x y" },
		{ "100%%s", "100%s" },
		{ "%x", NULL },
		{ "%", NULL },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *out = NULL;
		int st = disposal_command(cases[i].command, "/x y", &out, NULL);

		unit_at("%s", cases[i].command);
		CU_ASSERT_EQUAL(st, cases[i].expected ? ST_OK : ST_EINVAL);
		if (cases[i].expected) {
			UNIT_ASSERT_STR(out, cases[i].expected);
		}
		g_free(out);
	}
}

static void test_script(void)
{
	static const struct {
		const char *command;
		const char *expected; /* of a shell, for the path /a b;echo $HOME'`\"x */
	} cases[] = {
		{ "printf '<%%s>' %s", "</a b;echo $HOME'`\"x>" },
		{ "printf '<%%s>' \"%s\" z", "</a b;echo $HOME'`\"x><z>" },
		{ "printf '<%%s>' '%s'", "</a b;echo $HOME'`\"x>" },
		{ "printf '<%%s>' 'y'\\''%s'", "<y'/a b;echo $HOME'`\"x>" },
		{ "printf '<%%s>' y%s.z", "<y/a b;echo $HOME'`\"x.z>" },
		{ "printf '<%%s>' \\%s", "</a b;echo $HOME'`\"x>" },
		{ "printf '<%%s>' \"\\%s\"", "<\\/a b;echo $HOME'`\"x>" },
		{ "printf '<%%s>' \"\\\"%s\"", "<\"/a b;echo $HOME'`\"x>" },
		/* within a command within quotes words are split, still no command is seen */
		{ "printf '<%%s>' \"$(printf %%s \"%s\")\"", "</ab;echo$HOME'`\"x>" },
		{ "printf '<%%s>' \"$(printf %%s %s)\"", "</ab;echo$HOME'`\"x>" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *script = disposal_script(cases[i].command);
		char *argv[] = { (char *)"/bin/sh", (char *)"-c", script, NULL };
		char *environment[] = { (char *)"TUSSAH_FILE=/a b;echo $HOME'`\"x",
					(char *)"HOME=/h", NULL };
		char *out = NULL;

		unit_at("%s", cases[i].command);
		CU_ASSERT_TRUE(g_spawn_sync(NULL, argv, environment, 0, NULL, NULL, &out, NULL,
					    NULL, NULL));
		UNIT_ASSERT_STR(out, cases[i].expected);
		g_free(out);
		g_free(script);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "scan", test_scan },
		{ "disposal", test_disposal },
		{ "commands", test_command },
		{ "scripts", test_script },
		{ NULL, NULL },
	};

	return unit_run("dirpoll", cases);
}
