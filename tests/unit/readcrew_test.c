/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/readcrew.h"

#include <string.h>

#include <glib.h>
#include <glib/gstdio.h>

#include "storage/stream.h"
#include "tests/unit/unit.h"

#define FILES        5
#define FILE_RECORDS 40000
#define RECORDS      (FILES * FILE_RECORDS)

/* The skeleton's, for the library. */
const struct tool tool = { .name = "readcrew_test" };

struct piece {
	struct readpiece head;
	uint64_t first; /* bytes of its records, which are numbered */
	uint64_t count;
};

struct run {
	uint64_t next;      /* number of the record that comes now */
	uint64_t misplaced; /* pieces */
	uint64_t workers;   /* atomic */
	uint64_t records;   /* of all workers */
};

struct worker {
	struct piece *piece; /* being made */
	uint64_t records;
};

static char *make_file(unsigned number)
{
	const struct stream_write_opts opts = { .compression = COMPRESSION_NONE };
	char *path = g_strdup_printf("%s/%u.rw", unit_scratch(), number);
	struct batch *batch = batch_new();
	struct stream *stream = NULL;
	struct record rec;

	record_init(&rec);
	g_unlink(path);
	CU_ASSERT_EQUAL_FATAL(stream_create(&stream, path, &opts, NULL), ST_OK);
	for (uint64_t i = 0; i < FILE_RECORDS;) {
		batch_clear(batch, COLUMNS_ALL);
		for (; i < FILE_RECORDS && batch->rows < BATCH_ROWS; i++) {
			rec.bytes = number * FILE_RECORDS + i;
			rec.packets = 1;
			batch_append(batch, &rec);
		}
		CU_ASSERT_EQUAL(stream_write_batch(stream, batch, NULL, NULL), ST_OK);
	}
	CU_ASSERT_EQUAL(stream_close(stream, NULL), ST_OK);
	batch_free(batch);
	return path;
}

static void *begin(void *arg)
{
	struct run *run = arg;

	__atomic_add_fetch(&run->workers, 1, __ATOMIC_SEQ_CST);
	return g_new0(struct worker, 1);
}

static void on_batch(void *arg, void *state, struct batch *batch, struct readturn *turn)
{
	struct worker *worker = state;

	worker->records += batch->selected;
	if (!worker->piece) {
		worker->piece = g_new0(struct piece, 1);
		worker->piece->head.piece.bytes = sizeof(struct piece);
		worker->piece->first = batch->bytes[0];
	}
	worker->piece->count += batch->selected;
}

static void rest(void *arg, void *state, struct readturn *turn)
{
	struct worker *worker = state;

	if (worker->piece) {
		readcrew_put(turn, &g_steal_pointer(&worker->piece)->head);
	}
}

static void take(void *arg, struct readpiece *head, bool drained)
{
	struct piece *piece = (struct piece *)head;
	struct run *run = arg;

	if (!drained) {
		run->misplaced += piece->first != run->next;
		run->next += piece->count;
	}
	g_free(piece);
}

static void end(void *arg, void *state)
{
	struct worker *worker = state;
	struct run *run = arg;

	run->records += worker->records;
	g_free(worker);
}

static int read_all(struct run *run, unsigned threads, int argc, char **argv)
{
	const struct source_opts opts = { 0 };
	struct source *source = source_new(NULL, &opts, argc, argv);
	const struct readcrew crew = {
		.source = source,
		.threads = threads,
		.columns = COLUMN_BIT(COLUMN_BYTES),
		.arg = run,
		.begin = begin,
		.batch = on_batch,
		.rest = rest,
		.take = take,
		.end = end,
	};
	readcrew_run(&crew);
	CU_ASSERT(source_read_count(source) <= RECORDS);
	return source_close(source);
}

static void test_order(void)
{
	char *names[FILES];

	for (unsigned i = 0; i < FILES; i++) {
		names[i] = make_file(i);
	}
	for (unsigned threads = 1; threads <= 4; threads++) {
		struct run run = { 0 };

		CU_ASSERT_EQUAL(read_all(&run, threads, FILES, names), TOOL_EXIT_OK);
		CU_ASSERT_EQUAL(run.next, RECORDS);
		CU_ASSERT_EQUAL(run.misplaced, 0);
		CU_ASSERT_EQUAL(run.records, RECORDS);
		/* one begins in the caller's thread, if it is worth no others at first */
		CU_ASSERT(run.workers >= 1 && run.workers <= threads + 1);
	}
	for (unsigned i = 0; i < FILES; i++) {
		g_free(names[i]);
	}
}

static void test_missing(void)
{
	char *names[] = { make_file(0), g_build_filename(unit_scratch(), "none", NULL),
			  make_file(1) };

	for (unsigned threads = 1; threads <= 4; threads++) {
		struct run run = { 0 };

		CU_ASSERT_EQUAL(read_all(&run, threads, 3, names), TOOL_EXIT_ERROR);
		CU_ASSERT_EQUAL(run.next, FILE_RECORDS);
		CU_ASSERT_EQUAL(run.misplaced, 0);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_free(names[i]);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "pieces come in the order of the input, with any number of threads", test_order },
		{ "a missing file ends the input", test_missing },
		{ NULL, NULL },
	};

	return unit_run("readcrew", cases);
}
