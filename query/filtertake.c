/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is done with the pieces, in order, by the caller's thread: limits, writing, counting. */
#include "query/filterparts.h"

#include <glib.h>
#include <string.h>

static void cut_rows(struct rows *rows, uint16_t last)
{
	while (rows->count > 0 && rows->row[rows->count - 1] > last) {
		rows->count--;
	}
}

/*
 * Will this frame give every destination all it wants? Then *last is the row that does so, and
 * records behind it count as never read. Without destinations everything is read.
 */
static bool last_row(const struct filter *filter, const struct rows rows[FILTER_WAYS],
		     uint16_t *last)
{
	bool any = false;

	*last = 0;
	for (unsigned way = 0; way < FILTER_WAYS; way++) {
		const struct destination *destination = filter->destinations[way];
		uint64_t room;

		if (!destination) {
			continue;
		}
		any = true;
		room = destination_room(destination);
		if (room > rows[way].count) {
			return false;
		}
		if (room > 0 && rows[way].row[room - 1] > *last) {
			*last = rows[way].row[room - 1];
		}
	}
	return any;
}

static void count_frame(struct scan_counts *counts, const struct frame *frame,
			const struct rows *rows, bool volumes)
{
	const uint64_t *packets = frame->batch ? frame->batch->packets : frame->packets;
	const uint64_t *bytes = frame->batch ? frame->batch->bytes : frame->bytes;

	counts->records += rows->count;
	for (uint32_t i = 0; volumes && i < rows->count; i++) {
		counts->packets += packets[rows->row[i]];
		counts->bytes += bytes[rows->row[i]];
	}
}

static int write_batch(struct destination *destination, struct batch *batch,
		       const struct rows *rows, uint32_t count, struct err *err)
{
	memcpy(batch->selection, rows->row, count * sizeof(rows->row[0]));
	batch->selected = count;
	return destination_write(destination, batch, err);
}

static int write_piece(const struct filter *filter, const struct piece *piece, struct err *err)
{
	int st = ST_OK;

	for (unsigned way = 0; st == ST_OK && way < FILTER_WAYS; way++) {
		struct destination *destination = filter->destinations[way];
		const struct encoded *encoded = &piece->encoded[way];
		const struct rows *rows = piece->frame ? &piece->frame->rows[way] : NULL;
		uint64_t count = rows ? rows->count : encoded->rows;
		uint64_t room = destination ? destination_room(destination) : 0;

		count = MIN(count, room);
		if (count == 0) {
			continue;
		}
		if (rows && piece->frame->batch) {
			st = write_batch(destination, piece->frame->batch, rows, (uint32_t)count,
					 err);
		} else {
			st = destination_write_rows(destination, encoded->bytes, count, err);
		}
	}
	return st;
}

/* There are destinations, and nobody reads any of them. */
static bool all_abandoned(const struct filter *filter)
{
	unsigned abandoned = 0;

	for (unsigned way = 0; way < FILTER_WAYS; way++) {
		const struct destination *destination = filter->destinations[way];

		if (destination && !destination_is_abandoned(destination)) {
			return false;
		}
		abandoned += destination != NULL;
	}
	return abandoned > 0;
}

/* The rows of a piece. ST_END: every destination has all it wanted. */
static int take_rows(struct run *run, struct piece *piece, struct err *err)
{
	const struct filter *filter = run->filter;
	struct scan_totals *records = &run->stats->records;
	struct frame *frame = piece->frame;
	bool full = false;
	uint16_t last = 0;
	int st;

	if (frame && run->limited) {
		full = last_row(filter, frame->rows, &last);
		for (unsigned way = 0; full && way < FILTER_WAYS; way++) {
			cut_rows(&frame->rows[way], last);
		}
		count_frame(&records->total, frame, &frame->rows[FILTER_ALL],
			    filter->count_volumes);
		count_frame(&records->pass, frame, &frame->rows[FILTER_PASS],
			    filter->count_volumes);
	}
	st = write_piece(filter, piece, err);
	if (st == ST_OK && all_abandoned(filter)) {
		return ST_EPIPE;
	}
	return st == ST_OK && full ? ST_END : st;
}

static void announce(struct run *run, const struct piece *piece)
{
	const struct filter *filter = run->filter;

	if (piece->path && filter->on_file) {
		filter->on_file(filter->arg, piece->path, piece->missing);
	}
	run->stats->files += piece->answered + piece->opened;
	if (piece->opened && filter->on_open && run->asks_header &&
	    !filter->on_open(filter->arg, piece->header)) {
		__atomic_store_n(&run->asks_header, false, __ATOMIC_RELAXED);
	}
}

int filter_take(void *arg, struct scanpiece *taken, bool drained, struct err *err)
{
	struct run *run = arg;
	struct piece *piece = (struct piece *)taken;
	int st = ST_OK;

	if (!drained) {
		announce(run, piece);
		scan_counts_add(&run->stats->records.total, &piece->totals.total);
		scan_counts_add(&run->stats->records.pass, &piece->totals.pass);
		st = take_rows(run, piece, err);
		if (piece->failed && st == ST_OK) {
			run->filter->on_error(run->filter->arg, &piece->err, piece->ours);
		}
		if (run->filter->on_progress) {
			run->filter->on_progress(run->filter->arg, piece->place,
						 run->stats->records.total.records);
		}
	}
	filter_piece_done(run, piece);
	return st;
}
