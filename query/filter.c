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
#include "query/filterparts.h"

#include <glib.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

/* A piece goes out when its rows have that many bytes. */
#define PIECE_BYTES (256u << 10)
/* Of those that wait for their turn. */
#define WAITING_BYTES (24u << 20)
/* Files of less are read before a thread could be started. */
#define WORTH_BYTES (1u << 20)

/* Empty pieces that are kept. */
#define SPARES_PER_THREAD 4

struct unit {
	char *path; /* NULL: opened already, or none */
	bool missing;
	bool answered;       /* nothing is to be read */
	uint64_t size_bytes; /* 0: not known */
	uint64_t place;
	uint64_t files; /* that the catalog answered */
	struct scan_totals totals;
	struct scan_file *file;
	size_t part;
};

struct worker {
	struct run *run;
	struct scanner *scanner;
	struct scanturn *turn;
	struct piece *piece;       /* being made; NULL: none */
	struct scan_totals totals; /* that no piece has yet */
	uint64_t place;
	struct frame frame; /* of the batch at hand */
};

static struct piece *current_piece(struct worker *worker)
{
	if (!worker->piece) {
		worker->piece = filter_piece_new(worker->run);
	}
	return worker->piece;
}

static void put_piece(struct worker *worker)
{
	struct piece *piece = worker->piece;

	if (piece) {
		worker->piece = NULL;
		piece->totals = worker->totals;
		piece->place = worker->place;
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

static void on_damage(void *arg, const struct err *err, bool ours)
{
	struct worker *worker = arg;
	struct piece *piece = current_piece(worker);

	piece->failed = true;
	piece->ours = ours;
	piece->err = *err;
	put_piece(worker);
}

/* Entries of the header, for on_open. */
static void tell_opened(struct worker *worker, const struct scan_file *file)
{
	const struct header *header = scan_file_header(file);
	struct piece *piece = current_piece(worker);
	const char *line;
	struct err err;

	piece->opened = true;
	if (header && __atomic_load_n(&worker->run->asks_header, __ATOMIC_RELAXED)) {
		piece->header = g_new(struct header, 1);
		header_init(piece->header);
		header_add_entries(piece->header, header);
		piece->header->big_endian = header->big_endian;
	}
	for (size_t i = 0; (line = scan_file_damage(file, i)) != NULL; i++) {
		err_set(&err, ST_EFORMAT, "%s", line);
		on_damage(worker, &err, true);
	}
}

static bool open_unit(struct worker *worker, struct unit *unit)
{
	struct err err;
	bool ours;

	if (unit->file) {
		return true;
	}
	current_piece(worker)->path = unit->path;
	worker->piece->missing = unit->missing;
	worker->piece->answered = unit->files;
	worker->totals = unit->totals;
	if (unit->missing || unit->answered) {
		return false;
	}
	if (scanner_open(worker->scanner, &unit->file, unit->path, &ours, &err) != ST_OK) {
		on_damage(worker, &err, ours);
		return false;
	}
	tell_opened(worker, unit->file);
	if (scanner_answer(worker->scanner, unit->file, &worker->totals)) {
		return false;
	}
	for (size_t part = 1; part < scan_file_parts(unit->file); part++) {
		struct unit *other = g_new0(struct unit, 1);

		other->file = scan_file_ref(unit->file);
		other->part = part;
		other->place = unit->place;
		scancrew_add(worker->turn, other);
	}
	return true;
}

static bool has_counts(const struct scan_counts *counts)
{
	return counts->records > 0 || counts->packets > 0 || counts->bytes > 0;
}

static void do_unit(void *arg, void *state, void *work, struct scanturn *turn)
{
	struct worker *worker = state;
	struct unit *unit = work;
	const struct scan_taker taker = { .arg = worker, .frame = on_frame, .damage = on_damage };

	worker->turn = turn;
	worker->place = unit->place;
	if (open_unit(worker, unit)) {
		scanner_read(worker->scanner, unit->file, unit->part, &worker->totals, &taker);
	}
	if (has_counts(&worker->totals.total)) {
		current_piece(worker);
	}
	put_piece(worker);
	scan_file_unref(unit->file);
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
	struct run *run = arg;
	struct worker *worker = state;

	pthread_mutex_lock(&run->lock);
	scan_report_add(&run->stats->report, scanner_report(worker->scanner));
	pthread_mutex_unlock(&run->lock);
	scanner_free(worker->scanner);
	g_free(worker);
}

static void *next_unit(void *arg)
{
	struct run *run = arg;
	struct scanlist_step step;
	struct unit *unit;

	if (!scanlist_next(run->filter->list, &run->plan, &step)) {
		return NULL;
	}
	unit = g_new0(struct unit, 1);
	unit->path = g_strdup(step.path);
	unit->missing = step.missing;
	unit->answered = step.answered;
	unit->size_bytes = step.size_bytes;
	unit->place = step.place;
	unit->files = step.files;
	unit->totals = step.totals;
	return unit;
}

static void drop_unit(void *arg, void *work)
{
	struct unit *unit = work;

	scan_file_unref(unit->file);
	g_free(unit->path);
	g_free(unit);
}

/* Of a named file; of pipes nobody knows how much comes. */
static uint64_t look_up_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : WORTH_BYTES;
}

/* Threads pay once more than a little is to be read. */
static bool is_worth_threads(void *arg, void *work)
{
	struct run *run = arg;
	const struct unit *unit = work;

	if (unit->path && !unit->missing && !unit->answered) {
		run->bytes_met += unit->size_bytes ? unit->size_bytes : look_up_size(unit->path);
	}
	return run->filter->threads_asked || run->bytes_met >= WORTH_BYTES;
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
		.extensions = filter->extensions,
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
	run->stats->threads = scancrew_threads(run->crew);
	scancrew_free(run->crew);
	scanspares_release(&run->spares);
	pthread_mutex_destroy(&run->lock);
	return st;
}

int filter_run(const struct filter *filter, struct filter_stats *stats, struct err *err)
{
	struct run run = {
		.filter = filter,
		.stats = stats,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.spares = SCANSPARES_INIT(filter_piece_free),
	};
	const struct scancrew_opts opts = {
		.threads = filter->threads,
		.waiting_bytes = WAITING_BYTES,
		.arg = &run,
		.begin = begin_worker,
		.end = end_worker,
		.next = next_unit,
		.worth = is_worth_threads,
		.work = do_unit,
		.drop = drop_unit,
		.take = filter_take,
	};
	int st;

	make_plan(&run);
	run.spares.max = SPARES_PER_THREAD * filter->threads;
	run.crew = scancrew_new(&opts);
	for (unsigned way = 0; way < FILTER_WAYS; way++) {
		if (filter->destinations[way]) {
			destination_use_crew(filter->destinations[way], run.crew);
		}
	}
	st = scancrew_run(run.crew, err);
	return finish(&run, st == ST_END ? ST_OK : st, err);
}
