/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rows of all bins, made by a crew of threads: each unit is a range of them. */
#include "query/bins.h"

#include <string.h>

#include "query/scancrew.h"
#include "query/textpieces.h"

/* Bins of a unit. */
#define UNIT_BINS 4096
/* How many bins are worth threads. */
#define WORTH_BINS (4 * UNIT_BINS)

struct unit {
	uint64_t first, end; /* bins */
};

struct run {
	struct bins *bins;
	uint64_t next; /* bin that is in no unit yet */
	uint64_t count;
	struct textpieces pieces;
};

/* The same bins, with a draft for text. */
struct worker {
	struct bins bins;
	uint8_t *room; /* for a key */
};

static void print_bin(struct bins *bins, const struct group_bin *bin)
{
	if (bins_passes(bins, bin)) {
		bins_print_key(bins, bin);
		bins_print_values(bins, bin);
		text_row_done(bins->text);
	}
}

/* From temporary files they come one after the other. */
static int print_spilled(struct bins *bins, struct err *err)
{
	struct group_bin bin;
	int status;

	while ((status = group_next(bins->group, &bin, err)) == ST_OK) {
		print_bin(bins, &bin);
	}
	return status == ST_END ? ST_OK : status;
}

/* ---- workers ---- */

static void *begin(void *arg)
{
	const struct run *run = arg;
	struct worker *worker = g_new0(struct worker, 1);

	worker->bins = *run->bins;
	worker->bins.text = text_draft(run->bins->text);
	worker->room = g_malloc0(group_key_size(run->bins->group) + 1);
	return worker;
}

static void end(void *arg, void *state)
{
	struct worker *worker = state;

	text_close(worker->bins.text, NULL);
	g_free(worker->room);
	g_free(worker);
}

static void work(void *arg, void *state, void *what, struct scanturn *turn)
{
	struct run *run = arg;
	struct worker *worker = state;
	struct unit *unit = what;

	for (uint64_t i = unit->first; i < unit->end; i++) {
		struct group_bin bin;

		group_get(worker->bins.group, i, worker->room, &bin);
		print_bin(&worker->bins, &bin);
	}
	g_free(unit);
	if (text_draft_bytes(worker->bins.text) > 0) {
		struct textpiece *piece = textpieces_take(&run->pieces, worker->bins.text);

		scancrew_put(turn, &piece->head.piece);
	}
}

/* ---- the caller ---- */

static void *next(void *arg)
{
	struct run *run = arg;
	struct unit *unit;

	if (run->next == run->count) {
		return NULL;
	}
	unit = g_new(struct unit, 1);
	unit->first = run->next;
	unit->end = MIN(run->next + UNIT_BINS, run->count);
	run->next = unit->end;
	return unit;
}

static int take(void *arg, struct scanpiece *piece, bool drained, struct err *err)
{
	struct run *run = arg;

	textpieces_write(&run->pieces, drained ? NULL : run->bins->text, (struct textpiece *)piece);
	return ST_OK;
}

static int print_all(struct bins *bins, struct err *err)
{
	struct run run = {
		.bins = bins,
		.count = group_count(bins->group),
		.pieces = TEXTPIECES_INIT,
	};
	const struct scancrew_opts opts = {
		.threads = run.count >= WORTH_BINS ? bins->threads : 1,
		.waiting_bytes = TEXTPIECES_WAITING_BYTES,
		.arg = &run,
		.begin = begin,
		.end = end,
		.next = next,
		.work = work,
		.take = take,
	};
	struct scancrew *crew = scancrew_new(&opts);
	int status = scancrew_run(crew, err);

	scancrew_free(crew);
	textpieces_release(&run.pieces);
	return status;
}

int bins_print(struct bins *bins, bool sorted, struct err *err)
{
	int status = group_finish(bins->group, sorted, err);

	if (status != ST_OK) {
		return status;
	}
	text_titles(bins->text);
	return group_count(bins->group) > 0 ? print_all(bins, err) : print_spilled(bins, err);
}
