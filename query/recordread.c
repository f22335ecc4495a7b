/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/recordread.h"

#include <glib.h>

/* Of areas that wait for their turn. */
#define WAITING_BYTES ((size_t)16 << 20)

struct piece {
	struct readpiece head; /* first */
	struct rowarea *area;
};

static void want(void *arg, struct batch *batch)
{
	const struct recordread *read = arg;

	if (read->want) {
		read->want(read->arg, batch);
	}
}

/* ---- workers: a rowpack each ---- */

static void *begin(void *arg)
{
	const struct recordread *read = arg;

	return recordsort_new_pack(read->sort);
}

static void end(void *arg, void *worker)
{
	rowpack_free(worker);
}

static void hand_over(void *arg, void *worker, struct readturn *turn)
{
	struct rowarea *area = rowpack_take(worker);
	struct piece *piece;

	if (area) {
		piece = g_new0(struct piece, 1);
		piece->area = area;
		piece->head.piece.bytes = area->size;
		readcrew_put(turn, &piece->head);
	}
}

static void pack_batch(void *arg, void *worker, struct batch *batch, struct readturn *turn)
{
	const struct recordread *read = arg;

	while (recordsort_pack(read->sort, worker, batch) > 0) {
		hand_over(arg, worker, turn);
	}
}

/* ---- the caller ---- */

static void take(void *arg, struct readpiece *head, bool drained)
{
	const struct recordread *read = arg;
	struct piece *piece = (struct piece *)head;
	struct err err;

	if (drained) {
		rowarea_free(piece->area);
	} else if (recordsort_append(read->sort, piece->area, &err) != ST_OK) {
		tool_die_err(&err);
	}
	g_free(piece);
}

void recordread_run(const struct recordread *read)
{
	struct recordread copy = *read;
	const struct readcrew crew = {
		.source = read->source,
		.threads = recordsort_threads(read->sort, read->threads),
		.columns = COLUMNS_ALL,
		.waiting_bytes = WAITING_BYTES,
		.arg = &copy,
		.want = want,
		.begin = begin,
		.batch = pack_batch,
		.rest = hand_over,
		.take = take,
		.end = end,
	};

	readcrew_run(&crew);
}
