/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/cutcrew.h"

#include <glib.h>

#include "query/textpieces.h"
#include "query/threads.h"

struct run {
	const struct cutcrew *crew;
	struct textpieces pieces;
};

struct worker {
	struct run *run;
	struct field_context ctx;
	struct timestamp_memo times;
	struct text *draft;
};

/* ---- workers ---- */

static void *begin(void *arg)
{
	struct run *run = arg;
	struct worker *worker = g_new0(struct worker, 1);

	worker->run = run;
	worker->ctx = *run->crew->ctx;
	worker->ctx.times = &worker->times;
	worker->draft = text_draft(run->crew->text);
	return worker;
}

static void end(void *arg, void *state)
{
	struct worker *worker = state;

	text_close(worker->draft, NULL);
	g_free(worker);
}

static void hand_over(void *arg, void *state, struct readturn *turn)
{
	struct worker *worker = state;

	if (text_draft_bytes(worker->draft) > 0) {
		readcrew_put(turn, &textpieces_take(&worker->run->pieces, worker->draft)->head);
	}
}

void cutcrew_row(const struct cutcrew *crew, const struct field_context *ctx, struct text *text,
		 const struct batch *batch, uint32_t row)
{
	for (size_t i = 0; i < crew->field_count; i++) {
		const struct field *field = crew->fields[i];
		struct value value;

		field_load(field, batch, row, ctx, &value);
		text_cell_done(text, field->kind->print(text_cell(text), &value, field, ctx));
	}
	text_row_done(text);
}

static void print_batch(void *arg, void *state, struct batch *batch, struct readturn *turn)
{
	const struct run *run = arg;
	struct worker *worker = state;

	run->crew->change(run->crew->arg, batch);
	for (uint32_t i = 0; i < batch->selected; i++) {
		cutcrew_row(run->crew, &worker->ctx, worker->draft, batch, batch->selection[i]);
	}
	if (text_draft_bytes(worker->draft) >= TEXTPIECES_BYTES) {
		hand_over(arg, state, turn);
	}
}

/* ---- the caller ---- */

static void take(void *arg, struct readpiece *piece, bool drained)
{
	struct run *run = arg;

	textpieces_write(&run->pieces, drained ? NULL : run->crew->text, (struct textpiece *)piece);
}

static void want(void *arg, struct batch *batch)
{
	const struct run *run = arg;

	run->crew->want(run->crew->arg, batch);
}

void cutcrew_run(const struct cutcrew *crew, struct source *source)
{
	struct run run = { .crew = crew, .pieces = TEXTPIECES_INIT };
	const struct readcrew reading = {
		.source = source,
		.threads = threads_for_fields(crew->threads, crew->fields, crew->field_count),
		.columns = crew->columns,
		.waiting_bytes = TEXTPIECES_WAITING_BYTES,
		.arg = &run,
		.want = want,
		.begin = begin,
		.batch = print_batch,
		.rest = hand_over,
		.take = take,
		.end = end,
	};

	readcrew_run(&reading);
	textpieces_release(&run.pieces);
}
