/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/positions.h"

#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static const uint8_t id_a[16] = { 0xaa, 1, 2, 3 };
static const uint8_t id_b[16] = { 0xbb };
static const uint8_t journal[16] = { 0xcc };

/* A fresh folder for each test. */
static char *folder(const char *name)
{
	char *path = g_build_filename(unit_scratch(), name, NULL);

	CU_ASSERT_EQUAL(g_mkdir(path, 0755), 0);
	return path;
}

static struct stream_position *get(struct positions *positions, const char *name, const uint8_t *id)
{
	struct stream_position *stream = NULL;
	struct err err;

	if (positions_get(positions, name, id, &stream, &err) != ST_OK) {
		UNIT_ASSERT_STR(err.text, "");
	}
	return stream;
}

static bool take(struct stream_position *stream, uint64_t position)
{
	if (!position_begin(stream, position)) {
		return false;
	}
	position_end(stream, position, true);
	position_pack(stream, position);
	return true;
}

static void test_commit_and_restart(void)
{
	char *path = folder("commit");
	struct positions *positions = positions_new(path);
	struct stream_position *a = get(positions, "sensor one", id_a);
	struct stream_position *b = get(positions, "sensor one", id_b);

	CU_ASSERT_PTR_NOT_EQUAL(a, b);
	CU_ASSERT_PTR_EQUAL(a, get(positions, "sensor one", id_a));
	CU_ASSERT_PTR_NOT_EQUAL(a, get(positions, "another", id_a));
	CU_ASSERT(take(a, 1));
	CU_ASSERT(take(a, 2));
	positions_mark(positions, journal, 10);
	CU_ASSERT(take(a, 3)); /* after the mark: not in this commit */
	UNIT_ASSERT_U64(positions_packed(positions, journal), 0);
	CU_ASSERT_EQUAL(positions_commit(positions, false, 1000, NULL), ST_OK);
	UNIT_ASSERT_U64(positions_packed(positions, journal), 10);
	UNIT_ASSERT_U64(position_taken(a), 3);
	positions_free(positions);

	/* what was not committed comes again */
	positions = positions_new(path);
	a = get(positions, "sensor one", id_a);
	UNIT_ASSERT_U64(position_taken(a), 2);
	UNIT_ASSERT_U64(positions_packed(positions, journal), 10);
	UNIT_ASSERT_U64(positions_packed(positions, id_a), 0);
	CU_ASSERT(!take(a, 1));
	CU_ASSERT(!take(a, 2));
	CU_ASSERT(take(a, 3));
	CU_ASSERT(!take(a, 3));
	UNIT_ASSERT_U64(position_taken(get(positions, "another", id_a)), 0);
	positions_free(positions);
	g_free(path);
}

static void test_failed_message_comes_again(void)
{
	char *path = folder("failed");
	struct positions *positions = positions_new(path);
	struct stream_position *a = get(positions, "s", id_a);

	CU_ASSERT(position_begin(a, 1));
	position_end(a, 1, false);
	CU_ASSERT(take(a, 1));
	CU_ASSERT(take(a, 7)); /* the exporter dropped some */
	UNIT_ASSERT_U64(position_taken(a), 7);
	positions_free(positions);
	g_free(path);
}

static void test_file(void)
{
	char *path = folder("file");
	char *file = g_build_filename(path, POSITIONS_FILE, NULL);
	struct positions *positions = positions_new(path);
	char *text = NULL;
	char *wanted;

	CU_ASSERT(take(get(positions, "s 1", id_a), 9));
	get(positions, "never sent", id_b);
	CU_ASSERT(take(get(positions, "finished", id_b), 3));
	position_finish(get(positions, "finished", id_b));
	positions_mark(positions, journal, 4711);
	CU_ASSERT_EQUAL(positions_commit(positions, false, 77, NULL), ST_OK);
	CU_ASSERT(g_file_get_contents(file, &text, NULL, NULL));
	wanted = g_strdup_printf("tussah-positions 3 0 %s cc000000000000000000000000000000 4711\n"
				 "aa010203000000000000000000000000 9 77 s 1\n",
				 positions_id(positions));
	UNIT_ASSERT_STR(text, wanted);
	positions_free(positions);
	g_free(wanted);
	g_free(text);
	g_free(file);
	g_free(path);
}

/* An epoch is over when its commit is; the id stays; a file of version 1 gets both. */
static void test_epochs(void)
{
	char *path = folder("epochs");
	char *file = g_build_filename(path, POSITIONS_FILE, NULL);
	char id[POSITIONS_ID_BYTES];
	struct positions *positions;

	CU_ASSERT(g_file_set_contents(file,
				      "tussah-positions 1\n"
				      "aa010203000000000000000000000000 9 77 s 1\n",
				      -1, NULL));
	positions = positions_new(path);
	CU_ASSERT_EQUAL(positions_open(positions, NULL), ST_OK);
	CU_ASSERT_EQUAL(positions_open(positions, NULL), ST_OK);
	UNIT_ASSERT_U64(positions_epoch(positions), 1);
	CU_ASSERT_EQUAL(strlen(positions_id(positions)), POSITIONS_ID_BYTES - 1);
	memcpy(id, positions_id(positions), sizeof(id));
	positions_mark(positions, journal, 0);
	CU_ASSERT_EQUAL(positions_commit(positions, false, 1, NULL), ST_OK);
	UNIT_ASSERT_U64(positions_epoch(positions), 1);
	CU_ASSERT_EQUAL(positions_commit(positions, true, 1, NULL), ST_OK);
	UNIT_ASSERT_U64(positions_epoch(positions), 2);
	positions_free(positions);

	positions = positions_new(path);
	CU_ASSERT_EQUAL(positions_open(positions, NULL), ST_OK);
	UNIT_ASSERT_STR(positions_id(positions), id);
	UNIT_ASSERT_U64(positions_epoch(positions), 2);
	CU_ASSERT(!take(get(positions, "s 1", id_a), 9));
	positions_free(positions);
	g_free(file);
	g_free(path);
}

static void test_damaged_files(void)
{
	static const char *const cases[] = {
		"",
		"tussah-positions 2\n",
		"tussah-positions 2 5\n",
		"tussah-positions 2 5 aa01020300000000000000000000000\n",
		"tussah-positions 2 5 aa010203000000000000000000000000 x\n",
		"tussah-positions 3 5 aa010203000000000000000000000000\n",
		"tussah-positions 3 5 aa010203000000000000000000000000 "
		"cc000000000000000000000000000000\n",
		"tussah-positions 4 5 aa010203000000000000000000000000 "
		"cc000000000000000000000000000000 1\n",
		"tussah-positions 1\nxyz 1 2 n\n",
		"tussah-positions 1\naa010203000000000000000000000000 9 77\n",
		"tussah-positions 1\naa0102030000000000000000000000 9 77 n\n",
		"tussah-positions 1\naa010203000000000000000000000000 -x 77 n\n",
	};
	char *path = folder("damaged");
	char *file = g_build_filename(path, POSITIONS_FILE, NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct positions *positions = positions_new(path);
		struct stream_position *stream = NULL;

		unit_at("%s", cases[i]);
		CU_ASSERT(g_file_set_contents(file, cases[i], -1, NULL));
		CU_ASSERT_EQUAL(positions_get(positions, "s", id_a, &stream, NULL), ST_EFORMAT);
		positions_free(positions);
	}
	g_free(file);
	g_free(path);
}

static void test_errors(void)
{
	char *path = folder("errors");
	struct positions *first = positions_new(path);
	struct positions *second = positions_new(path);
	struct positions *nowhere = positions_new("/nonexistent/folder");
	struct stream_position *stream = NULL;
	struct err err;

	CU_ASSERT_EQUAL(positions_get(first, "", id_a, &stream, NULL), ST_EINVAL);
	CU_ASSERT_EQUAL(positions_get(first, "a\nb", id_a, &stream, NULL), ST_EINVAL);
	CU_ASSERT_EQUAL(positions_get(nowhere, "a", id_a, &stream, NULL), ST_EIO);
	get(first, "a", id_a);
	CU_ASSERT_EQUAL(positions_get(second, "a", id_a, &stream, &err), ST_EAGAIN);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "is in use by another packer"));
	positions_free(nowhere);
	positions_free(second);
	positions_free(first);
	g_free(path);
}

/* A file that is done with is not remembered, once nobody has it. */
static void test_finished(void)
{
	char *path = folder("finished");
	struct positions *positions = positions_new(path);
	struct stream_position *file = get(positions, "file", id_a);

	CU_ASSERT(take(file, 3));
	position_finish(file);
	positions_mark(positions, journal, 1);
	CU_ASSERT_EQUAL(positions_commit(positions, false, 1, NULL), ST_OK);
	CU_ASSERT(!take(get(positions, "file", id_a), 3));
	positions_put(positions, file);
	positions_put(positions, file);
	CU_ASSERT_EQUAL(positions_commit(positions, false, 1, NULL), ST_OK);
	CU_ASSERT(take(get(positions, "file", id_a), 3));
	positions_free(positions);
	g_free(path);
}

/* Streams of sensors that are gone make room, those of open sessions stay. */
static void test_forgets(void)
{
	char *path = folder("many");
	struct positions *positions = positions_new(path);
	struct stream_position *open = get(positions, "open", id_a);
	struct stream_position *ahead = get(positions, "ahead", id_a);

	CU_ASSERT(take(open, 5));
	positions_mark(positions, journal, 1);
	CU_ASSERT_EQUAL(positions_commit(positions, false, 1, NULL), ST_OK);
	CU_ASSERT(take(ahead, 6));
	positions_put(positions, ahead);
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < POSITIONS_STREAMS_MAX; i++) {
			uint8_t id[16] = { 1, (uint8_t)round, (uint8_t)(i >> 8), (uint8_t)i };
			struct stream_position *stream = get(positions, "s", id);

			if (!stream) {
				break;
			}
			positions_put(positions, stream);
		}
		CU_ASSERT_EQUAL(positions_commit(positions, false, 2 + round, NULL), ST_OK);
	}
	CU_ASSERT_PTR_EQUAL(get(positions, "open", id_a), open);
	UNIT_ASSERT_U64(position_taken(open), 5);
	CU_ASSERT(!take(get(positions, "ahead", id_a), 6));
	positions_free(positions);
	g_free(path);
}

static void test_commit_fails(void)
{
	char *path = folder("gone");
	char *temp = g_build_filename(path, POSITIONS_FILE ".new", NULL);
	struct positions *positions = positions_new(path);
	struct stream_position *a = get(positions, "s", id_a);

	CU_ASSERT_EQUAL(g_mkdir(temp, 0755), 0); /* stands in the way */
	CU_ASSERT(take(a, 1));
	positions_mark(positions, journal, 1);
	CU_ASSERT_EQUAL(positions_commit(positions, false, 1, NULL), ST_EIO);
	UNIT_ASSERT_U64(positions_packed(positions, journal), 0);
	CU_ASSERT_EQUAL(g_rmdir(temp), 0);
	CU_ASSERT_EQUAL(positions_commit(positions, false, 1, NULL), ST_OK);
	UNIT_ASSERT_U64(positions_packed(positions, journal), 1);
	positions_free(positions);
	g_free(temp);
	g_free(path);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "commit and restart", test_commit_and_restart },
		{ "a failed message comes again", test_failed_message_comes_again },
		{ "text of the file", test_file },
		{ "epochs", test_epochs },
		{ "damaged files", test_damaged_files },
		{ "errors", test_errors },
		{ "a stream that is done with", test_finished },
		{ "streams are forgotten", test_forgets },
		{ "a commit that fails", test_commit_fails },
		{ NULL, NULL },
	};

	return unit_run("positions", cases);
}
