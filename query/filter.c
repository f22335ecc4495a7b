/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/filter.h"

#include <string.h>

#include "storage/hourfile.h"

/* Rows of a batch, ascending. */
struct rows {
	uint16_t row[BATCH_ROWS];
	uint32_t count;
};

static void take_rows(struct rows *to, const struct batch *batch)
{
	memcpy(to->row, batch->selection, batch->selected * sizeof(to->row[0]));
	to->count = batch->selected;
}

static void select_rows(struct batch *batch, const struct rows *rows, uint32_t count)
{
	memcpy(batch->selection, rows->row, count * sizeof(rows->row[0]));
	batch->selected = count;
}

/* What is in all and not in some; both ascend, and some is part of all. */
static void subtract_rows(struct rows *to, const struct rows *all, const struct rows *some)
{
	uint32_t k = 0;

	to->count = 0;
	for (uint32_t i = 0; i < all->count; i++) {
		if (k < some->count && some->row[k] == all->row[i]) {
			k++;
		} else {
			to->row[to->count++] = all->row[i];
		}
	}
}

static void cut_rows(struct rows *rows, uint16_t last)
{
	while (rows->count > 0 && rows->row[rows->count - 1] > last) {
		rows->count--;
	}
}

/*
 * Will this batch give every destination all it wants? Then *last is the row that does so, and
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

static void add_counts(struct filter_counts *counts, const struct filter *filter,
		       const struct batch *batch, const struct rows *rows)
{
	counts->records += rows->count;
	if (!filter->count_volumes) {
		return;
	}
	for (uint32_t i = 0; i < rows->count; i++) {
		counts->packets += batch->packets[rows->row[i]];
		counts->bytes += batch->bytes[rows->row[i]];
	}
}

static int write_rows(const struct filter *filter, struct batch *batch,
		      const struct rows rows[FILTER_WAYS], struct err *err)
{
	for (unsigned way = 0; way < FILTER_WAYS; way++) {
		struct destination *destination = filter->destinations[way];
		uint64_t room = destination ? destination_room(destination) : 0;

		if (room == 0 || rows[way].count == 0) {
			continue;
		}
		select_rows(batch, &rows[way],
			    room < rows[way].count ? (uint32_t)room : rows[way].count);
		if (destination_write(destination, batch, err) != ST_OK) {
			return ST_ERANGE;
		}
	}
	return ST_OK;
}

static int filter_batch(const struct filter *filter, struct batch *batch,
			struct filter_stats *stats, struct err *err)
{
	struct rows rows[FILTER_WAYS];
	bool done;
	uint16_t last;
	int st;

	take_rows(&rows[FILTER_ALL], batch);
	predicates_narrow(filter->tests, batch);
	take_rows(&rows[FILTER_PASS], batch);
	subtract_rows(&rows[FILTER_FAIL], &rows[FILTER_ALL], &rows[FILTER_PASS]);
	done = last_row(filter, rows, &last);
	for (unsigned way = 0; done && way < FILTER_WAYS; way++) {
		cut_rows(&rows[way], last);
	}
	add_counts(&stats->total, filter, batch, &rows[FILTER_ALL]);
	add_counts(&stats->pass, filter, batch, &rows[FILTER_PASS]);
	st = write_rows(filter, batch, rows, err);
	return st == ST_OK && done ? ST_END : st;
}

static uint32_t needed_columns(const struct filter *filter)
{
	uint32_t columns = predicates_columns(filter->tests);

	if (filter->count_volumes) {
		columns |= COLUMN_BIT(COLUMN_PACKETS) | COLUMN_BIT(COLUMN_BYTES);
	}
	for (unsigned way = 0; way < FILTER_WAYS; way++) {
		if (filter->destinations[way]) {
			columns = COLUMNS_ALL;
		}
	}
	return columns;
}

int filter_file(const struct filter *filter, const char *path, struct batch *batch,
		struct filter_stats *stats, struct err *err)
{
	struct hourfile_reader *reader = NULL;
	uint32_t columns = needed_columns(filter);
	bool done = false;
	int st = hourfile_open(&reader, path, &filter->read_opts, err);

	if (st != ST_OK) {
		return st;
	}
	stats->files++;
	if (filter->on_open) {
		filter->on_open(filter->on_open_arg, hourfile_header(reader));
	}
	while (st == ST_OK && !done) {
		st = hourfile_read_batch(reader, batch, columns, err);
		if (st == ST_OK) {
			st = filter_batch(filter, batch, stats, err);
			done = st == ST_END;
		}
	}
	hourfile_close(reader);
	return st == ST_END && !done ? ST_OK : st;
}
