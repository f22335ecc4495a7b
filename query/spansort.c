/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/spansort.h"

#include <string.h>

#include <glib.h>

#include "query/flatsort.h"
#include "query/scancrew.h"
#include "query/scanspares.h"
#include "storage/hourfile.h"

/* Rows that are handed over at once; and of those that wait to be taken. */
#define PIECE_BYTES   ((size_t)256 << 10)
#define WAITING_BYTES ((size_t)16 << 20)
/* Rows that are worth threads. */
#define WORTH_BYTES ((size_t)1 << 20)
/* Spans that a thread has at least, if all are as large as the largest. */
#define SPANS_PER_THREAD 2
/* Rows that are fetched into the cache before their turn. */
#define AHEAD 8

struct run {
	const struct spansort *plan;
	const struct inputspans *spans;
	size_t next; /* span */
	size_t row_size;
	size_t encoded_at;
	size_t piece_rows;
	struct scanspares spares;
};

/* Some encoded rows in order, or damage. */
struct piece {
	struct scanpiece head;
	size_t rows;
	const struct err *damage; /* owned, or NULL */
	uint8_t bytes[];
};

struct worker {
	struct batch *batch;
	struct blockfile_cursor *cursor;
	struct flatsort *sort;
	uint8_t *rows;
	size_t room; /* rows */
	size_t count;
};

/* ---- what is worth it ---- */

static bool fits(const struct spansort *plan, const struct inputspans *spans)
{
	const uint64_t row_bytes = recordsort_row_size(plan->sort) + 2 * sizeof(struct sortentry);
	const uint64_t rows = inputspans_rows_max(spans) * plan->threads;

	return rows * SPANS_PER_THREAD <= inputspans_rows(spans) &&
	       rows * row_bytes + WAITING_BYTES <= plan->memory_bytes;
}

struct inputspans *spansort_find(const struct spansort *plan)
{
	struct inputspans *spans = NULL;

	if (recordsort_is_by_start(plan->sort)) {
		spans = inputspans_find(plan->source);
	}
	if (spans && !fits(plan, spans)) {
		g_clear_pointer(&spans, inputspans_free);
	}
	return spans;
}

/* ---- workers ---- */

static void *begin(void *arg)
{
	const struct run *run = arg;
	const struct spansort *plan = run->plan;
	struct worker *worker = g_new0(struct worker, 1);

	worker->batch = batch_new();
	if (plan->want) {
		plan->want(plan->arg, worker->batch);
	}
	worker->cursor = blockfile_cursor_new();
	worker->sort = flatsort_new(recordsort_key_size(plan->sort), run->row_size, plan->reverse);
	return worker;
}

static void end(void *arg, void *state)
{
	struct worker *worker = state;

	batch_free(worker->batch);
	blockfile_cursor_free(worker->cursor);
	flatsort_free(worker->sort);
	g_free(worker->rows);
	g_free(worker);
}

static void put_damage(struct scanturn *turn, const struct err *err)
{
	struct piece *piece = g_new0(struct piece, 1);

	piece->damage = g_memdup2(err, sizeof(*err));
	scancrew_put(turn, &piece->head);
}

/* Rows of a file behind those of the worker: no more than are expected. */
static int read_blocks(const struct run *run, struct worker *worker, struct hourfile_blocks part,
		       struct err *err)
{
	struct batch *batch = worker->batch;
	int status;

	while ((status = hourfile_read_blocks(&part, worker->cursor, batch, COLUMNS_ALL, err)) ==
	       ST_OK) {
		source_accept(run->plan->source, batch);
		recordsort_fill(run->plan->sort, batch,
				worker->rows + worker->count * run->row_size);
		worker->count += batch->selected;
	}
	return status == ST_END ? ST_OK : status;
}

static int read_file(const struct run *run, struct worker *worker, const struct inputfile *file,
		     struct err *err)
{
	struct hourfile_blocks part = { 0 };
	struct hourfile_reader *reader = NULL;
	int status = hourfile_open(&reader, file->name, source_read_opts(run->plan->source), err);

	if (status == ST_OK) {
		part.file = hourfile_blocks(reader);
		part.end = inputspans_blocks(file, part.file);
		status = part.end > 0
				 ? read_blocks(run, worker, part, err)
				 : err_set(err, ST_EFORMAT, "%s: is another file than a moment ago",
					   file->name);
	}
	hourfile_close(reader);
	return status;
}

static int read_span(const struct run *run, struct worker *worker, const struct inputspan *span,
		     struct err *err)
{
	int status = ST_OK;

	if (span->rows > worker->room) {
		g_free(worker->rows);
		worker->rows = g_malloc(span->rows * run->row_size + FLATSORT_SLACK);
		worker->room = span->rows;
	}
	worker->count = 0;
	for (size_t i = 0; i < span->count && status == ST_OK; i++) {
		status = read_file(run, worker, &span->files[i], err);
	}
	return status;
}

static void free_piece(struct scanpiece *head)
{
	g_free((void *)((struct piece *)head)->damage);
	g_free(head);
}

static struct piece *new_piece(struct run *run)
{
	struct piece *piece = (struct piece *)scanspares_take(&run->spares);

	if (!piece) {
		piece = g_malloc(sizeof(*piece) + PIECE_BYTES);
		piece->damage = NULL;
		piece->head.bytes = PIECE_BYTES;
	}
	return piece;
}

static void copy_rows(const struct run *run, const struct worker *worker,
		      const struct sortentry *order, size_t at, struct piece *piece)
{
	const size_t encoded = run->row_size - run->encoded_at;
	const uint8_t *from = worker->rows + run->encoded_at;
	uint8_t *to = piece->bytes;

	for (size_t i = at; i < at + piece->rows; i++, to += encoded) {
		const size_t soon = order[MIN(i + AHEAD, worker->count - 1)].row;

		__builtin_prefetch(from + soon * run->row_size);
		__builtin_prefetch(from + soon * run->row_size + encoded / 2);
		memcpy(to, from + order[i].row * run->row_size, encoded);
	}
}

static void work(void *arg, void *state, void *unit, struct scanturn *turn)
{
	struct run *run = arg;
	struct worker *worker = state;
	const struct inputspan span = inputspans_get(run->spans, GPOINTER_TO_SIZE(unit) - 1);
	const struct sortentry *order;
	struct err err;

	if (read_span(run, worker, &span, &err) != ST_OK) {
		put_damage(turn, &err);
		return;
	}
	order = flatsort_run(worker->sort, worker->rows, worker->count);
	for (size_t at = 0; at < worker->count && !scancrew_stopped(turn);) {
		struct piece *piece = new_piece(run);

		piece->rows = MIN(worker->count - at, run->piece_rows);
		copy_rows(run, worker, order, at, piece);
		at += piece->rows;
		scancrew_put(turn, &piece->head);
	}
}

/* Units are spans, their numbers and 1; the latest comes first in reverse. */
static void *next(void *arg)
{
	struct run *run = arg;
	const size_t count = inputspans_count(run->spans);

	if (run->next == count) {
		return NULL;
	}
	run->next++;
	return GSIZE_TO_POINTER(run->plan->reverse ? count - run->next + 1 : run->next);
}

static bool is_worth_threads(void *arg, void *unit)
{
	const struct run *run = arg;

	return inputspans_rows(run->spans) * run->row_size > WORTH_BYTES;
}

static int take(void *arg, struct scanpiece *head, bool drained, struct err *err)
{
	struct run *run = arg;
	struct piece *piece = (struct piece *)head;
	int status = ST_OK;

	if (piece->damage) {
		if (!drained) {
			source_damaged(run->plan->source, piece->damage, false);
			status = err_set(err, ST_EFORMAT, "%s", piece->damage->text);
		}
		free_piece(head);
		return status;
	}
	if (!drained) {
		status = run->plan->take(run->plan->arg, piece->bytes, piece->rows, err);
	}
	scanspares_keep(&run->spares, head);
	return status;
}

int spansort_run(const struct spansort *plan, const struct inputspans *spans, struct err *err)
{
	const size_t row_size = recordsort_row_size(plan->sort);
	const size_t encoded_at = recordsort_encoded_at(plan->sort);
	struct run run = {
		.plan = plan,
		.spans = spans,
		.row_size = row_size,
		.encoded_at = encoded_at,
		.piece_rows = PIECE_BYTES / (row_size - encoded_at),
		.spares = SCANSPARES_INIT(free_piece),
	};
	struct scancrew *crew = scancrew_new(&(struct scancrew_opts){
		.threads = recordsort_threads(plan->sort, plan->threads),
		.waiting_bytes = WAITING_BYTES,
		.arg = &run,
		.begin = begin,
		.end = end,
		.next = next,
		.worth = is_worth_threads,
		.work = work,
		.take = take,
	});
	int status = scancrew_run(crew, err);

	scancrew_free(crew);
	scanspares_release(&run.spares);
	return status;
}
