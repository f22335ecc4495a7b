/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Workers read files and make pieces of what they find: counts, and the rows of each destination,
 * encoded. The consumer takes the pieces in order. When destinations have limits, a piece has at
 * most one frame and says which rows its records are, so that the consumer can tell at which row
 * the last destination is full; what is behind counts as never read.
 *
 * Where consumer and worker are one thread, rows go from the batch to the streams, encoded once,
 * where they will be written.
 */
#include "query/filter.h"

#include <glib.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

/* A piece goes out when its rows have that many bytes. */
#define PIECE_BYTES (256u << 10)
/* Files of less are read before a thread could be started. */
#define WORTH_BYTES (1u << 20)
/* Empty pieces that are kept. */
#define SPARES_PER_THREAD 4

/* Rows of a frame, ascending. */
struct rows {
	uint16_t row[BATCH_ROWS];
	uint32_t count;
};

struct frame {
	struct rows rows[FILTER_WAYS];
	struct batch *batch; /* the frame itself, borrowed; NULL: encoded in the piece */
	uint64_t packets[BATCH_ROWS];
	uint64_t bytes[BATCH_ROWS];
};

struct encoded {
	uint8_t *bytes;
	size_t capacity;
	uint64_t rows;
};

struct piece {
	struct scanpiece piece; /* first */
	char *path;             /* of a file that begins */
	bool missing;           /* it is not there */
	bool opened;
	struct header *header; /* its entries; NULL: none, or nobody asks */
	bool failed;
	struct err err;
	struct scan_totals totals;
	struct frame *frame; /* only where every row must be told */
	struct encoded encoded[FILTER_WAYS];
};

struct unit {
	char *path; /* NULL: opened already */
	bool missing;
	struct scan_file *file;
	size_t part;
};

/* The run, shared by all threads. */
struct run {
	const struct filter *filter;
	struct filter_stats *stats;
	struct scan_plan plan;
	bool limited;         /* some destination is */
	bool any_destination; /* there is one */
	bool asks_header;     /* atomic: on_open is still wanted */
	bool worth_threads;
	uint64_t bytes_met; /* of files, before there are threads */
	struct scancrew *crew;
	pthread_mutex_t spare_lock;
	struct piece *spares;
	unsigned spare_count;
};

struct worker {
	struct run *run;
	struct scanner *scanner;
	struct scanturn *turn;
	struct piece *piece;       /* being made; NULL: none */
	struct scan_totals totals; /* that no piece has yet */
	struct frame frame;        /* of the batch at hand */
};

/* ---- pieces ---- */

static struct piece *take_spare(struct run *run)
{
	struct piece *piece;

	pthread_mutex_lock(&run->spare_lock);
	piece = run->spares;
	if (piece) {
		run->spares = (struct piece *)piece->piece.next;
		run->spare_count--;
	}
	pthread_mutex_unlock(&run->spare_lock);
	return piece;
}

static void piece_free(struct piece *piece)
{
	for (unsigned way = 0; way < FILTER_WAYS; way++) {
		g_free(piece->encoded[way].bytes);
	}
	g_free(piece);
}

/* Forget what the piece holds but its room, and keep it for later. */
static void piece_done(struct run *run, struct piece *piece)
{
	bool keep = true;

	if (piece->header) {
		header_release(piece->header);
		g_free(piece->header);
	}
	if (piece->frame && !piece->frame->batch) {
		g_free(piece->frame);
	}
	g_free(piece->path);
	piece->header = NULL;
	piece->frame = NULL;
	piece->path = NULL;
	piece->missing = piece->opened = piece->failed = false;
	piece->totals = (struct scan_totals){ 0 };
	piece->piece.bytes = 0;
	for (unsigned way = 0; way < FILTER_WAYS; way++) {
		piece->encoded[way].rows = 0;
	}
	pthread_mutex_lock(&run->spare_lock);
	if (run->spare_count < SPARES_PER_THREAD * run->filter->threads) {
		piece->piece.next = (struct scanpiece *)run->spares;
		run->spares = piece;
		run->spare_count++;
	} else {
		keep = false;
	}
	pthread_mutex_unlock(&run->spare_lock);
	if (!keep) {
		piece_free(piece);
	}
}

static struct piece *current_piece(struct worker *worker)
{
	if (!worker->piece) {
		worker->piece = take_spare(worker->run);
	}
	if (!worker->piece) {
		worker->piece = g_new0(struct piece, 1);
	}
	return worker->piece;
}

static void put_piece(struct worker *worker)
{
	struct piece *piece = worker->piece;

	if (piece) {
		worker->piece = NULL;
		piece->totals = worker->totals;
		worker->totals = (struct scan_totals){ 0 };
		piece->piece.bytes += sizeof(*piece);
		scancrew_put(worker->turn, &piece->piece);
	}
}

/* ---- the worker ---- */

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

static void split_rows(const struct run *run, struct frame *frame, const struct batch *batch)
{
	struct rows *rows = frame->rows;

	memcpy(rows[FILTER_PASS].row, batch->selection,
	       batch->selected * sizeof(batch->selection[0]));
	rows[FILTER_PASS].count = batch->selected;
	if (!run->plan.wants_all && !run->limited) {
		return;
	}
	for (uint32_t i = 0; i < batch->rows; i++) {
		rows[FILTER_ALL].row[i] = (uint16_t)i;
	}
	rows[FILTER_ALL].count = batch->rows;
	subtract_rows(&rows[FILTER_FAIL], &rows[FILTER_ALL], &rows[FILTER_PASS]);
}

static void encode_rows(struct encoded *to, const struct batch *batch, const struct rows *rows)
{
	const struct rowformat *format = destination_format();
	struct rowview view = rowview_of_batch(batch);
	size_t needed = (size_t)(to->rows + rows->count) * format->length;
	struct rowwrite out = { .stride = format->length };

	if (needed > to->capacity) {
		to->capacity = MAX(needed, 2 * to->capacity);
		to->bytes = g_realloc(to->bytes, to->capacity);
	}
	out.bytes = to->bytes + to->rows * format->length;
	rowformat_encode(format, &out, &view, rows->row, rows->count);
	to->rows += rows->count;
}

static void encode_frame(struct worker *worker, const struct batch *batch)
{
	const struct filter *filter = worker->run->filter;
	struct piece *piece = current_piece(worker);

	for (unsigned way = 0; way < FILTER_WAYS; way++) {
		const struct rows *rows = &worker->frame.rows[way];

		if (filter->destinations[way]) {
			encode_rows(&piece->encoded[way], batch, rows);
			piece->piece.bytes += rows->count * (size_t)destination_format()->length;
		}
	}
	if (worker->run->limited) {
		piece->frame = g_new(struct frame, 1);
		memcpy(piece->frame->rows, worker->frame.rows, sizeof(worker->frame.rows));
		piece->frame->batch = NULL;
		memcpy(piece->frame->packets, batch->packets, sizeof(batch->packets));
		memcpy(piece->frame->bytes, batch->bytes, sizeof(batch->bytes));
		piece->piece.bytes += sizeof(struct frame);
	}
	if (worker->run->limited || piece->piece.bytes >= PIECE_BYTES) {
		put_piece(worker);
	}
}

static int on_frame(void *arg, struct batch *batch)
{
	struct worker *worker = arg;

	split_rows(worker->run, &worker->frame, batch);
	if (scancrew_is_inline(worker->turn)) {
		worker->frame.batch = batch;
		current_piece(worker)->frame = &worker->frame;
		put_piece(worker);
	} else {
		encode_frame(worker, batch);
	}
	return scancrew_stopped(worker->turn) ? ST_END : ST_OK;
}

static void tell_failure(struct worker *worker, const struct err *err)
{
	struct piece *piece = current_piece(worker);

	piece->failed = true;
	piece->err = *err;
	put_piece(worker);
}

/* Entries of the header, for on_open. */
static void tell_opened(struct worker *worker, const struct scan_file *file)
{
	const struct header *header = scan_file_header(file);
	struct piece *piece = current_piece(worker);

	piece->opened = true;
	if (header && __atomic_load_n(&worker->run->asks_header, __ATOMIC_RELAXED)) {
		piece->header = g_new(struct header, 1);
		header_init(piece->header);
		header_add_entries(piece->header, header);
		piece->header->big_endian = header->big_endian;
	}
}

static bool open_unit(struct worker *worker, struct unit *unit)
{
	const struct filter *filter = worker->run->filter;
	struct err err;

	if (!unit->path) {
		return true;
	}
	current_piece(worker)->path = unit->path;
	if (unit->missing) {
		worker->piece->missing = true;
		put_piece(worker);
		return false;
	}
	if (scan_file_open(&unit->file, unit->path, &filter->read_opts, &err) != ST_OK) {
		tell_failure(worker, &err);
		return false;
	}
	tell_opened(worker, unit->file);
	for (size_t part = 1; part < scan_file_parts(unit->file); part++) {
		struct unit *other = g_new0(struct unit, 1);

		other->file = scan_file_ref(unit->file);
		other->part = part;
		scancrew_add(worker->turn, other);
	}
	return true;
}

static void do_unit(void *arg, void *state, void *work, struct scanturn *turn)
{
	struct worker *worker = state;
	struct unit *unit = work;
	struct err err;
	int st;

	worker->turn = turn;
	if (open_unit(worker, unit)) {
		st = scanner_read(worker->scanner, unit->file, unit->part, &worker->totals,
				  on_frame, worker, &err);
		current_piece(worker);
		if (st != ST_OK && st != ST_END) {
			tell_failure(worker, &err);
		}
		put_piece(worker);
		scan_file_unref(unit->file);
	}
	g_free(unit);
}

static void *begin_worker(void *arg)
{
	struct run *run = arg;
	struct worker *worker = g_new0(struct worker, 1);

	worker->run = run;
	worker->scanner = scanner_new(&run->plan);
	return worker;
}

static void end_worker(void *arg, void *state)
{
	struct worker *worker = state;

	scanner_free(worker->scanner);
	g_free(worker);
}

static void *next_unit(void *arg)
{
	struct run *run = arg;
	bool missing = false;
	const char *path = run->filter->next_path(run->filter->arg, &missing);
	struct unit *unit;

	if (!path) {
		return NULL;
	}
	unit = g_new0(struct unit, 1);
	unit->path = g_strdup(path);
	unit->missing = missing;
	return unit;
}

static void drop_unit(void *arg, void *work)
{
	struct unit *unit = work;

	scan_file_unref(unit->file);
	g_free(unit->path);
	g_free(unit);
}

/* Threads pay once more than a little was read. Of pipes nobody knows how much comes. */
static bool is_worth_threads(void *arg, void *work)
{
	struct run *run = arg;
	const struct unit *unit = work;
	struct stat st;

	if (unit->path && !unit->missing) {
		bool known = stat(unit->path, &st) == 0 && S_ISREG(st.st_mode);

		run->bytes_met += known ? (uint64_t)st.st_size : WORTH_BYTES;
	}
	return run->filter->threads_asked || run->bytes_met >= WORTH_BYTES;
}

/* ---- the consumer ---- */

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
	return st == ST_OK && full ? ST_END : st;
}

static void announce(struct run *run, const struct piece *piece)
{
	const struct filter *filter = run->filter;

	if (piece->path && filter->on_file) {
		filter->on_file(filter->arg, piece->path, piece->missing);
	}
	if (!piece->opened) {
		return;
	}
	run->stats->files++;
	if (filter->on_open && run->asks_header && !filter->on_open(filter->arg, piece->header)) {
		__atomic_store_n(&run->asks_header, false, __ATOMIC_RELAXED);
	}
}

static int take_piece(void *arg, struct scanpiece *taken, bool drained, struct err *err)
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
			run->filter->on_error(run->filter->arg, &piece->err);
		}
	}
	piece_done(run, piece);
	return st;
}

/* ---- the run ---- */

static void make_plan(struct run *run)
{
	const struct filter *filter = run->filter;

	run->asks_header = filter->on_open != NULL;
	for (unsigned way = 0; way < FILTER_WAYS; way++) {
		run->limited |= filter->limits[way] > 0 && filter->destinations[way];
		run->any_destination |= filter->destinations[way] != NULL;
	}
	run->plan = (struct scan_plan){
		.tests = filter->tests,
		.columns = run->any_destination ? COLUMNS_ALL : 0,
		.wants_all = filter->destinations[FILTER_FAIL] || filter->destinations[FILTER_ALL],
		.count_volumes = filter->count_volumes,
		.uncounted = run->limited,
		.read_opts = filter->read_opts,
	};
}

static int finish(struct run *run, int st, struct err *err)
{
	for (unsigned way = 0; way < FILTER_WAYS; way++) {
		int one =
			destination_drain(run->filter->destinations[way], st == ST_OK ? err : NULL);

		st = st == ST_OK ? one : st;
	}
	scancrew_free(run->crew);
	while (run->spares) {
		piece_free(take_spare(run));
	}
	pthread_mutex_destroy(&run->spare_lock);
	return st;
}

int filter_run(const struct filter *filter, struct filter_stats *stats, struct err *err)
{
	struct run run = { .filter = filter, .stats = stats };
	const struct scancrew_opts opts = {
		.threads = filter->threads,
		.arg = &run,
		.begin = begin_worker,
		.end = end_worker,
		.next = next_unit,
		.worth = is_worth_threads,
		.work = do_unit,
		.drop = drop_unit,
		.take = take_piece,
	};
	int st;

	make_plan(&run);
	pthread_mutex_init(&run.spare_lock, NULL);
	run.crew = scancrew_new(&opts);
	for (unsigned way = 0; way < FILTER_WAYS; way++) {
		if (filter->destinations[way]) {
			destination_use_crew(filter->destinations[way], run.crew);
		}
	}
	st = scancrew_run(run.crew, err);
	return finish(&run, st == ST_END ? ST_OK : st, err);
}
