/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/recordread.h"

#include <string.h>

#include <glib.h>

/* Of pieces that wait for their turn. */
#define WAITING_BYTES ((size_t)16 << 20)
/* Records that are not sorted and are handed over at once. */
#define OTHERS_BYTES ((size_t)256 << 10)

struct piece {
	struct readpiece head; /* first */
	struct rowarea *area;  /* or NULL */
	GByteArray *others;    /* encoded, or NULL */
};

struct worker {
	struct rowpack *pack;
	GByteArray *others; /* NULL: there are none yet */
};

static void want(void *arg, struct batch *batch)
{
	const struct recordread *read = arg;

	if (read->want) {
		read->want(read->arg, batch);
	}
}

/* ---- workers ---- */

static void *begin(void *arg)
{
	const struct recordread *read = arg;
	struct worker *worker = g_new0(struct worker, 1);

	worker->pack = recordsort_new_pack(read->sort);
	return worker;
}

static void end(void *arg, void *state)
{
	struct worker *worker = state;

	rowpack_free(worker->pack);
	if (worker->others) {
		g_byte_array_free(worker->others, TRUE);
	}
	g_free(worker);
}

/* area and others are taken; NULL: there are none. */
static void put(struct readturn *turn, struct rowarea *area, GByteArray *others)
{
	struct piece *piece;

	if (area || others) {
		piece = g_new0(struct piece, 1);
		piece->area = area;
		piece->others = others;
		piece->head.piece.bytes = (area ? area->size : 0) + (others ? others->len : 0);
		readcrew_put(turn, &piece->head);
	}
}

static void hand_over(void *arg, void *state, struct readturn *turn)
{
	struct worker *worker = state;

	put(turn, rowpack_take(worker->pack), g_steal_pointer(&worker->others));
}

static void add_others(const struct recordread *read, struct worker *worker,
		       const struct batch *batch)
{
	const struct rowview view = rowview_of_batch(batch);
	const struct rowformat *format = recordsort_format(read->sort);
	struct rowwrite out = { .stride = format->length };
	guint from;

	if (!worker->others) {
		worker->others = g_byte_array_sized_new(OTHERS_BYTES);
	}
	from = worker->others->len;
	g_byte_array_set_size(worker->others, from + batch->selected * (guint)format->length);
	out.bytes = worker->others->data + from;
	rowformat_encode(format, &out, &view, batch->selection, batch->selected);
}

/* What stays selected is to be sorted. */
static void take_others(const struct recordread *read, struct worker *worker, struct batch *batch)
{
	uint16_t sorted[BATCH_ROWS];
	uint32_t count = 0;
	uint32_t others = 0;

	for (uint32_t i = 0; i < batch->selected; i++) {
		const uint16_t row = batch->selection[i];
		const bool sorts = read->sorts(batch, row);

		sorted[count] = row;
		batch->selection[others] = row;
		count += sorts;
		others += !sorts;
	}
	batch->selected = others;
	if (others > 0) {
		add_others(read, worker, batch);
	}
	memcpy(batch->selection, sorted, count * sizeof(sorted[0]));
	batch->selected = count;
}

static void pack_batch(void *arg, void *state, struct batch *batch, struct readturn *turn)
{
	const struct recordread *read = arg;
	const size_t most = BATCH_ROWS * recordsort_format(read->sort)->length;
	struct worker *worker = state;

	if (read->sorts) {
		take_others(read, worker, batch);
	}
	while (recordsort_pack(read->sort, worker->pack, batch) > 0) {
		hand_over(arg, worker, turn);
	}
	/* before there is no room for one more batch */
	if (worker->others && worker->others->len + most > OTHERS_BYTES) {
		put(turn, NULL, g_steal_pointer(&worker->others));
	}
}

/* ---- the caller ---- */

static void append(const struct recordread *read, struct rowarea *area)
{
	struct err err;

	if (recordsort_append(read->sort, area, &err) != ST_OK) {
		tool_die_err(&err);
	}
}

static void take(void *arg, struct readpiece *head, bool drained)
{
	const struct recordread *read = arg;
	struct piece *piece = (struct piece *)head;

	if (piece->others && !drained) {
		read->others(read->arg, piece->others->data,
			     piece->others->len / recordsort_format(read->sort)->length);
	}
	if (piece->area && !drained) {
		append(read, g_steal_pointer(&piece->area));
	}
	rowarea_free(piece->area);
	if (piece->others) {
		g_byte_array_free(piece->others, TRUE);
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
