/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/outputincremental.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/packsite.h"
#include "tests/unit/unit.h"

#define HOUR INT64_C(1709640000000000000)

struct fixture {
	struct site *site;
	char *incremental;
	char *sender;
	struct outputincremental *output;
	struct writer *writer;
};

static char *folder(const char *test, const char *name)
{
	char *path = g_build_filename(unit_scratch(), test, name, NULL);

	CU_ASSERT_EQUAL(g_mkdir_with_parents(path, 0755), 0);
	return path;
}

static void fixture_open(struct fixture *at)
{
	at->output = outputincremental_new(&(struct outputincremental_opts){
		.directory = at->incremental, .sender_directory = at->sender });
	at->writer = writer_new(&(struct writer_opts){
		.root = at->incremental,
		.cache_size = 16,
		.file = { .kind = HOURFILE_SILK },
		.place = outputincremental_place(at->output),
	});
	CU_ASSERT_EQUAL(writer_recover(at->writer, "test", 1, NULL), ST_OK);
}

static void fixture_close(struct fixture *at)
{
	writer_free(at->writer);
	outputincremental_free(at->output);
}

static void fixture_init(struct fixture *at, const char *test, bool sending)
{
	at->site = packsite_load();
	at->incremental = folder(test, "incremental");
	at->sender = sending ? folder(test, "sender") : NULL;
	fixture_open(at);
}

static void fixture_release(struct fixture *at)
{
	fixture_close(at);
	site_free(at->site);
	g_free(at->incremental);
	g_free(at->sender);
}

static void write_records(struct fixture *at, unsigned count)
{
	struct record rec;

	record_init(&rec);
	rec.start_ns = HOUR;
	rec.sensor = 0;
	rec.flowtype = 0;
	rec.packets = 1;
	rec.bytes = 40;
	for (unsigned i = 0; i < count; i++) {
		CU_ASSERT_EQUAL(writer_write(at->writer, at->site, &rec, NULL, NULL), ST_OK);
	}
}

/* "N files, N bytes or none, dots": what is in a folder. */
static char *look(const char *path, unsigned *whole, unsigned *empty, unsigned *dots)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	char *last = NULL;
	const char *name;

	*whole = *empty = *dots = 0;
	while (dir && (name = g_dir_read_name(dir))) {
		char *file = g_build_filename(path, name, NULL);
		GStatBuf found;

		if (g_str_has_prefix(name, ".rwflowpack")) {
			g_free(file);
			continue; /* the log of what is appended */
		}

		CU_ASSERT_EQUAL(g_stat(file, &found), 0);
		*dots += name[0] == '.';
		*empty += name[0] != '.' && found.st_size == 0;
		*whole += name[0] != '.' && found.st_size > 0;
		if (name[0] != '.') {
			g_free(last);
			last = g_strdup(name);
		}
		g_free(file);
	}
	if (dir) {
		g_dir_close(dir);
	}
	return last;
}

static void expect(const char *path, unsigned whole, unsigned empty, unsigned dots)
{
	unsigned counted[3];
	char *last = look(path, &counted[0], &counted[1], &counted[2]);

	unit_at("%s: %u whole, %u empty, %u dots", path, counted[0], counted[1], counted[2]);
	CU_ASSERT_EQUAL(counted[0], whole);
	CU_ASSERT_EQUAL(counted[1], empty);
	CU_ASSERT_EQUAL(counted[2], dots);
	g_free(last);
}

static void test_publish(void)
{
	struct fixture at;
	unsigned ignored;
	char *name;

	fixture_init(&at, "publish", false);
	write_records(&at, 3);
	expect(at.incremental, 0, 1, 0);
	CU_ASSERT_EQUAL(writer_flush(at.writer, 0, 0, NULL), ST_OK);
	expect(at.incremental, 0, 1, 1);
	outputincremental_publish(at.output); /* it is not closed */
	expect(at.incremental, 0, 1, 1);
	write_records(&at, 2);
	CU_ASSERT_EQUAL(writer_flush(at.writer, WRITER_CLOSE, 0, NULL), ST_OK);
	outputincremental_publish(at.output);
	expect(at.incremental, 1, 0, 0);
	name = look(at.incremental, &ignored, &ignored, &ignored);
	CU_ASSERT(name && g_str_has_prefix(name, "in-S0_20240305.12."));
	CU_ASSERT(name && strlen(name) == strlen("in-S0_20240305.12.") + 6);
	g_free(name);
	write_records(&at, 1);
	CU_ASSERT_EQUAL(writer_flush(at.writer, WRITER_CLOSE, 0, NULL), ST_OK);
	outputincremental_publish(at.output);
	expect(at.incremental, 2, 0, 0);
	fixture_release(&at);
}

static void test_recover(void)
{
	struct fixture at;

	fixture_init(&at, "recover", false);
	write_records(&at, 3);
	CU_ASSERT_EQUAL(writer_flush(at.writer, 0, 0, NULL), ST_OK);
	fixture_close(&at); /* and is gone */
	expect(at.incremental, 0, 1, 1);
	fixture_open(&at);
	expect(at.incremental, 1, 0, 0);
	write_records(&at, 1); /* and is gone before anything was committed */
	fixture_close(&at);
	expect(at.incremental, 1, 1, 0);
	fixture_open(&at);
	expect(at.incremental, 1, 0, 0);
	fixture_release(&at);
}

static void put(const char *directory, const char *name, const char *text)
{
	char *path = g_build_filename(directory, name, NULL);

	CU_ASSERT(g_file_set_contents(path, text, -1, NULL));
	g_free(path);
}

static bool has(const char *directory, const char *name)
{
	char *path = g_build_filename(directory, name, NULL);
	bool found = g_file_test(path, G_FILE_TEST_EXISTS);

	g_free(path);
	return found;
}

static void test_sending(void)
{
	struct fixture at;

	fixture_init(&at, "sending", true);
	write_records(&at, 3);
	CU_ASSERT_EQUAL(writer_flush(at.writer, WRITER_CLOSE, 0, NULL), ST_OK);
	outputincremental_publish(at.output);
	expect(at.incremental, 0, 0, 0);
	expect(at.sender, 1, 0, 0);
	fixture_close(&at);

	/* The name is taken by another's file: ours gets another. */
	put(at.incremental, "in-S0_20240305.12.AAAAAA", "");
	put(at.incremental, ".in-S0_20240305.12.AAAAAA", "ours");
	put(at.sender, "in-S0_20240305.12.AAAAAA", "another's");
	/* Copied to the other file system, and killed before it was renamed. */
	put(at.incremental, "in-S0_20240305.12.BBBBBB", "");
	put(at.sender, ".in-S0_20240305.12.BBBBBB", "copied");
	/* Killed while it was copied. */
	put(at.incremental, "in-S0_20240305.12.CCCCCC", "");
	put(at.incremental, ".in-S0_20240305.12.CCCCCC", "all of it");
	put(at.sender, ".in-S0_20240305.12.CCCCCC", "all");
	/* Nobody's. */
	put(at.incremental, "in-S0_20240305.12.DDDDDD", "not empty");
	put(at.incremental, "other", "");
	put(at.incremental, ".other", "x");
	fixture_open(&at);
	expect(at.sender, 5, 0, 1); /* the copy that was cut short */
	CU_ASSERT(has(at.sender, "in-S0_20240305.12.BBBBBB"));
	CU_ASSERT(has(at.sender, "in-S0_20240305.12.CCCCCC"));
	expect(at.incremental, 1, 1, 1);
	CU_ASSERT(has(at.incremental, "in-S0_20240305.12.DDDDDD"));
	CU_ASSERT(has(at.incremental, "other"));
	fixture_release(&at);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "files are published when they are closed", test_publish },
		{ "what was left is published", test_recover },
		{ "sending", test_sending },
		{ NULL, NULL },
	};

	return unit_run("outputincremental", cases);
}
