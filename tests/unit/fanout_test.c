/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/fanout.h"

#include <pthread.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "storage/stream.h"
#include "tests/unit/unit.h"

#define TAKERS 3
/* Some rounds of the ring, and a part of a group. */
#define MANY (400u * BATCH_ROWS + 100)
#define FEW  (2u * BATCH_ROWS)

/* The skeleton's, for the library. */
const struct tool tool = { .name = "fanout_test" };

struct seen {
	uint64_t records;
	uint64_t misplaced;
	useconds_t pause_us; /* after every 64th batch */
	unsigned batches;
	unsigned ends;
	pthread_t thread;
};

/* Records whose bytes are their numbers from 0 on. */
static char *make_file(const char *name, uint32_t records)
{
	const struct stream_write_opts opts = { .compression = COMPRESSION_NONE };
	char *path = g_build_filename(unit_scratch(), name, NULL);
	struct batch *batch = batch_new();
	struct stream *stream = NULL;
	struct record rec;

	record_init(&rec);
	rec.packets = 1;
	g_unlink(path);
	CU_ASSERT_EQUAL_FATAL(stream_create(&stream, path, &opts, NULL), ST_OK);
	for (uint32_t i = 0; i < records;) {
		batch_clear(batch, COLUMNS_ALL);
		for (; i < records && batch->rows < BATCH_ROWS; i++) {
			rec.bytes = i;
			batch_append(batch, &rec);
		}
		CU_ASSERT_EQUAL(stream_write_batch(stream, batch, NULL, NULL), ST_OK);
	}
	CU_ASSERT_EQUAL(stream_close(stream, NULL), ST_OK);
	batch_free(batch);
	return path;
}

static void take(void *arg, const struct batch *batch)
{
	struct seen *seen = arg;

	for (uint32_t i = 0; i < batch->selected; i++) {
		seen->misplaced += batch->bytes[batch->selection[i]] != seen->records++;
	}
	if (++seen->batches % 64 == 0) {
		g_usleep(seen->pause_us);
	}
}

static void end(void *arg)
{
	struct seen *seen = arg;

	seen->ends++;
	seen->thread = pthread_self();
}

static void run(struct seen seen[TAKERS], int argc, char **argv, int exit_status)
{
	const struct source_opts opts = { 0 };
	struct source *source = source_new(NULL, &opts, argc, argv);
	struct fanout_taker takers[TAKERS];

	for (size_t i = 0; i < TAKERS; i++) {
		takers[i] = (struct fanout_taker){ .take = take, .end = end, .arg = &seen[i] };
	}
	fanout_run(source, COLUMN_BIT(COLUMN_BYTES), takers, TAKERS);
	CU_ASSERT_EQUAL(source_close(source), exit_status);
}

static void check(const struct seen *seen, uint64_t records)
{
	CU_ASSERT_EQUAL(seen->records, records);
	CU_ASSERT_EQUAL(seen->misplaced, 0);
	CU_ASSERT_EQUAL(seen->ends, 1);
}

static void test_many(void)
{
	char *path = make_file("many.rw", MANY);

	/* each of them in turn is the one that the others and the reader wait for */
	for (size_t slow = 0; slow < TAKERS; slow++) {
		struct seen seen[TAKERS] = { 0 };

		seen[slow].pause_us = 1000;
		run(seen, 1, &path, TOOL_EXIT_OK);
		for (size_t i = 0; i < TAKERS; i++) {
			check(&seen[i], MANY);
		}
	}
	g_free(path);
}

static void test_few(void)
{
	char *path = make_file("few.rw", FEW);
	struct seen seen[TAKERS] = { 0 };

	run(seen, 1, &path, TOOL_EXIT_OK);
	for (size_t i = 0; i < TAKERS; i++) {
		check(&seen[i], FEW);
		CU_ASSERT(pthread_equal(seen[i].thread, pthread_self()));
	}
	g_free(path);
}

static void test_missing(void)
{
	char *names[] = { make_file("first.rw", MANY),
			  g_build_filename(unit_scratch(), "none", NULL) };
	struct seen seen[TAKERS] = { 0 };

	run(seen, 2, names, TOOL_EXIT_ERROR);
	for (size_t i = 0; i < TAKERS; i++) {
		check(&seen[i], MANY);
	}
	g_free(names[0]);
	g_free(names[1]);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "each takes all batches in order, whoever is slow", test_many },
		{ "little input is taken by the caller's thread", test_few },
		{ "a missing file ends the input, and what came before it is taken", test_missing },
		{ NULL, NULL },
	};

	return unit_run("fanout", cases);
}
