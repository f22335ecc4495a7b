/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scan.h"

#include <glib.h>

struct scan_file {
	int owners; /* atomic */
	struct stream *stream;
};

struct scanner {
	const struct scan_plan *plan;
	uint32_t columns; /* of row files */
	struct batch *batch;
};

void scan_counts_add(struct scan_counts *counts, const struct scan_counts *other)
{
	counts->records += other->records;
	counts->packets += other->packets;
	counts->bytes += other->bytes;
}

void scan_counts_add_rows(struct scan_counts *counts, const struct batch *batch,
			  const uint16_t *rows, uint32_t count, bool volumes)
{
	counts->records += count;
	for (uint32_t i = 0; volumes && i < count; i++) {
		counts->packets += batch->packets[rows[i]];
		counts->bytes += batch->bytes[rows[i]];
	}
}

int scan_file_open(struct scan_file **out, const char *path, const struct stream_read_opts *opts,
		   struct err *err)
{
	struct stream *stream = NULL;
	int st = stream_open(&stream, path, opts, err);

	if (st != ST_OK) {
		return st;
	}
	*out = g_new0(struct scan_file, 1);
	(*out)->owners = 1;
	(*out)->stream = stream;
	return ST_OK;
}

struct scan_file *scan_file_ref(struct scan_file *file)
{
	__atomic_add_fetch(&file->owners, 1, __ATOMIC_RELAXED);
	return file;
}

void scan_file_unref(struct scan_file *file)
{
	if (file && __atomic_sub_fetch(&file->owners, 1, __ATOMIC_ACQ_REL) == 0) {
		stream_close(file->stream, NULL);
		g_free(file);
	}
}

const struct header *scan_file_header(const struct scan_file *file)
{
	return stream_header(file->stream);
}

size_t scan_file_parts(const struct scan_file *file)
{
	return 1;
}

static uint32_t volume_columns(const struct scan_plan *plan)
{
	return plan->count_volumes ? COLUMN_BIT(COLUMN_PACKETS) | COLUMN_BIT(COLUMN_BYTES) : 0;
}

struct scanner *scanner_new(const struct scan_plan *plan)
{
	struct scanner *scanner = g_new0(struct scanner, 1);

	scanner->plan = plan;
	scanner->columns = plan->columns | predicates_columns(plan->tests) | volume_columns(plan);
	scanner->batch = batch_new();
	return scanner;
}

void scanner_free(struct scanner *scanner)
{
	if (scanner) {
		batch_free(scanner->batch);
		g_free(scanner);
	}
}

/* Is the frame, narrowed, for the taker? */
static bool is_wanted(const struct scan_plan *plan, const struct batch *batch)
{
	return plan->columns && (batch->selected > 0 || plan->wants_all);
}

static int filter_rows(struct scanner *scanner, struct scan_totals *totals, scan_frame_fn fn,
		       void *arg)
{
	const struct scan_plan *plan = scanner->plan;
	struct batch *batch = scanner->batch;
	struct scan_counts all = { 0 };
	struct scan_counts pass = { 0 };
	bool wanted;

	scan_counts_add_rows(&all, batch, batch->selection, batch->selected, plan->count_volumes);
	predicates_narrow(plan->tests, batch);
	wanted = is_wanted(plan, batch);
	if (!wanted || !plan->uncounted) {
		scan_counts_add_rows(&pass, batch, batch->selection, batch->selected,
				     plan->count_volumes);
		scan_counts_add(&totals->total, &all);
		scan_counts_add(&totals->pass, &pass);
	}
	return wanted ? fn(arg, batch) : ST_OK;
}

int scanner_read(struct scanner *scanner, struct scan_file *file, size_t part,
		 struct scan_totals *totals, scan_frame_fn fn, void *arg, struct err *err)
{
	int st = ST_OK;

	while (st == ST_OK) {
		st = stream_read_batch(file->stream, scanner->batch, scanner->columns, err);
		if (st == ST_END) {
			return ST_OK;
		}
		if (st == ST_OK) {
			st = filter_rows(scanner, totals, fn, arg);
		}
	}
	return st;
}
