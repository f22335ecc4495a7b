/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rows in memory are distributed to buckets, which are sorted one by one, by several threads if
 * there are, and handed out in order.
 */
#include "query/sorter.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>

#include <glib.h>

#include "query/entrysort.h"
#include "query/rowbuckets.h"
#include "query/rowrun.h"
#include "query/rowsort.h"
#include "query/rowstore.h"
#include "query/scancrew.h"
#include "query/scanspares.h"

#define MEMORY_DEFAULT_BYTES (UINT64_C(1) << 30)
/* Beside its bytes a row takes this much when it is sorted. */
#define ENTRY_BYTES (2 * sizeof(struct sortentry))
/* Runs of one level that are merged into one of the next, so that few files are open at once. */
#define FAN_IN 32
/*
 * Descriptors that are left to what is opened later and is no run: the output, a list of names, and
 * inputs, of which each thread has one and one more waits; and runs that a sorter has at least.
 */
#define OTHER_FILES 4
#define RUNS_MIN    2
/* More descriptors than this are as good as any number. */
#define FILES_PLENTY 1024
/* Rows that are handed over by a thread at once. */
#define PIECE_BYTES ((size_t)256 << 10)
/* Of those that wait to be taken: a part of the memory, or so many. */
#define WAITING_PART  8
#define WAITING_BYTES ((size_t)16 << 20)

struct sorter {
	size_t key_size;
	size_t row_size;
	uint64_t memory_bytes;
	const char *temp_dir;
	bool reverse;
	unsigned threads;

	struct rowstore *rows; /* in memory */

	/* for sorter_next() */
	struct rowbuckets *buckets;
	size_t bucket; /* the next one */
	struct rowsort *sort;
	size_t next;  /* row of it to hand out */
	uint8_t *row; /* handed out */

	GArray *runs;           /* struct leveled_run */
	guint runs_max;         /* that may be open, beside one that they are merged into */
	struct rowmerge *merge; /* over all runs, after sorter_finish() */
};

struct leveled_run {
	struct rowrun *run;
	unsigned level;
};

/* Descriptors that this process may have and has not; whoever started it may have left it some. */
static guint free_descriptors(void)
{
	struct rlimit limit;
	guint count = 0;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= FILES_PLENTY) {
		return FILES_PLENTY;
	}
	for (int fd = 0; fd < (int)limit.rlim_cur; fd++) {
		count += fcntl(fd, F_GETFD) < 0;
	}
	return count;
}

/* The sorter's share of the descriptors, less one. */
static guint find_runs_max(unsigned threads, unsigned beside)
{
	const guint others = OTHER_FILES + threads;
	const guint left = free_descriptors();
	const guint share = (MAX(left, others) - others) / (beside + 1);

	return MAX(share, RUNS_MIN + 1) - 1;
}

struct sorter *sorter_new(const struct sorter_opts *opts)
{
	struct sorter *sorter = g_new0(struct sorter, 1);

	sorter->key_size = opts->key_size;
	sorter->row_size = opts->row_size;
	sorter->memory_bytes = opts->memory_bytes ? opts->memory_bytes : MEMORY_DEFAULT_BYTES;
	sorter->temp_dir = opts->temp_dir;
	sorter->reverse = opts->reverse;
	sorter->threads = MAX(opts->threads, 1);
	sorter->rows = rowstore_new(opts->row_size, opts->key_size);
	sorter->row = g_malloc(opts->row_size + ROWFORM_SLACK);
	sorter->runs = g_array_new(FALSE, FALSE, sizeof(struct leveled_run));
	sorter->runs_max = find_runs_max(sorter->threads, opts->beside);
	return sorter;
}

static void free_memory(struct sorter *sorter)
{
	g_clear_pointer(&sorter->sort, rowsort_free);
	g_clear_pointer(&sorter->buckets, rowbuckets_free);
	g_clear_pointer(&sorter->rows, rowstore_free);
}

void sorter_free(struct sorter *sorter)
{
	if (!sorter) {
		return;
	}
	rowmerge_free(sorter->merge);
	for (guint i = 0; i < sorter->runs->len; i++) {
		rowrun_free(g_array_index(sorter->runs, struct leveled_run, i).run);
	}
	g_array_free(sorter->runs, TRUE);
	free_memory(sorter);
	g_free(sorter->row);
	g_free(sorter);
}

/* ---- sorting in memory ---- */

static struct rowsort *new_sort(const struct sorter *sorter)
{
	return rowsort_new(sorter->rows, sorter->row_size, sorter->key_size, sorter->reverse);
}

/* ---- by several threads ---- */

/* Some rows in order. */
struct piece {
	struct scanpiece head;
	size_t rows;
	uint8_t bytes[]; /* of them, without those in front that are not wanted */
};

struct drain {
	const struct sorter *sorter;
	const struct rowbuckets *buckets;
	size_t from; /* bytes of rows that are not wanted */
	size_t next; /* bucket */
	size_t piece_rows;
	sorter_take_fn take;
	void *arg;
	struct scanspares spares;
};

static void *begin_sort(void *arg)
{
	const struct drain *drain = arg;

	return new_sort(drain->sorter);
}

static void end_sort(void *arg, void *worker)
{
	rowsort_free(worker);
}

/* Units are buckets, their numbers and 1. */
static void *next_bucket(void *arg)
{
	struct drain *drain = arg;

	return drain->next < rowbuckets_count(drain->buckets) ? GSIZE_TO_POINTER(++drain->next)
							      : NULL;
}

static bool is_worth_threads(void *arg, void *unit)
{
	const struct drain *drain = arg;

	return rowbuckets_count(drain->buckets) > 1;
}

static void free_piece(struct scanpiece *piece)
{
	g_free(piece);
}

static struct piece *new_piece(struct drain *drain)
{
	size_t bytes = drain->piece_rows * (drain->sorter->row_size - drain->from);
	struct piece *piece = (struct piece *)scanspares_take(&drain->spares);

	if (!piece) {
		piece = g_malloc(sizeof(*piece) + bytes + ROWFORM_SLACK);
		piece->head.bytes = bytes;
	}
	return piece;
}

static void hand_over_bucket(void *arg, void *worker, void *unit, struct scanturn *turn)
{
	struct drain *drain = arg;
	struct rowsort *sort = worker;
	size_t size = drain->sorter->row_size - drain->from;
	size_t at = 0;

	rowsort_run(sort, drain->buckets, GPOINTER_TO_SIZE(unit) - 1);
	while (at < rowsort_count(sort) && !scancrew_stopped(turn)) {
		struct piece *piece = new_piece(drain);
		uint8_t *to = piece->bytes;

		piece->rows = MIN(rowsort_count(sort) - at, drain->piece_rows);
		for (size_t i = 0; i < piece->rows; i++, to += size) {
			rowsort_get(sort, at++, drain->from, to);
		}
		scancrew_put(turn, &piece->head);
	}
}

static int take_piece(void *arg, struct scanpiece *taken, bool drained, struct err *err)
{
	struct drain *drain = arg;
	struct piece *piece = (struct piece *)taken;
	int status = ST_OK;

	if (!drained) {
		status = drain->take(drain->arg, piece->bytes, piece->rows, err);
	}
	scanspares_keep(&drain->spares, taken);
	return status;
}

/* Hand out the rows in memory in order, without the first bytes of each. */
static int drain_memory(struct sorter *sorter, size_t from, sorter_take_fn take, void *arg,
			struct err *err)
{
	struct rowbuckets *buckets = rowbuckets_new(sorter->rows, sorter->reverse, sorter->threads);
	struct drain drain = {
		.sorter = sorter,
		.buckets = buckets,
		.from = from,
		.piece_rows = MAX(PIECE_BYTES / sorter->row_size, 1),
		.take = take,
		.arg = arg,
		.spares = SCANSPARES_INIT(free_piece),
	};
	struct scancrew *crew = scancrew_new(&(struct scancrew_opts){
		.threads = sorter->threads,
		.waiting_bytes =
			CLAMP(sorter->memory_bytes / WAITING_PART, PIECE_BYTES, WAITING_BYTES),
		.arg = &drain,
		.begin = begin_sort,
		.end = end_sort,
		.next = next_bucket,
		.worth = is_worth_threads,
		.work = hand_over_bucket,
		.take = take_piece,
	});
	int status = scancrew_run(crew, err);

	scancrew_free(crew);
	scanspares_release(&drain.spares);
	rowbuckets_free(buckets);
	return status;
}

/* ---- runs on disk ---- */

static struct rowmerge *merge_runs(const struct sorter *sorter, guint first)
{
	struct rowmerge *merge = rowmerge_new(sorter->key_size, sorter->row_size, sorter->reverse);

	for (guint i = first; i < sorter->runs->len; i++) {
		rowmerge_add(merge, g_array_index(sorter->runs, struct leveled_run, i).run);
	}
	return merge;
}

static void append_run(struct sorter *sorter, struct rowrun *run, unsigned level)
{
	const struct leveled_run leveled = { run, level };

	g_array_append_val(sorter->runs, leveled);
}

static unsigned run_level(const struct sorter *sorter, guint i)
{
	return g_array_index(sorter->runs, struct leveled_run, i).level;
}

/* The runs from this one on become one of the level above its. */
static int combine_from(struct sorter *sorter, guint first, struct err *err)
{
	unsigned level = run_level(sorter, first);
	struct rowrun *combined = NULL;
	struct rowmerge *merge;
	const uint8_t *row;
	int status = rowrun_new(&combined, sorter->temp_dir, sorter->row_size, err);

	if (status != ST_OK) {
		return status;
	}
	merge = merge_runs(sorter, first);
	while ((status = rowmerge_next(merge, &row, err)) == ST_OK) {
		status = rowrun_write(combined, row, err);
		if (status != ST_OK) {
			break;
		}
	}
	status = status == ST_END ? rowrun_finish(combined, err) : status;
	rowmerge_free(merge);
	for (guint i = first; i < sorter->runs->len; i++) {
		rowrun_free(g_array_index(sorter->runs, struct leveled_run, i).run);
	}
	g_array_set_size(sorter->runs, first);
	append_run(sorter, combined, level + 1);
	return status;
}

/*
 * The last FAN_IN runs, when they are of one level, become one of the next level; and so on. All of
 * them become one when no more may be open.
 */
static int combine_runs(struct sorter *sorter, struct err *err)
{
	int status = ST_OK;

	while (status == ST_OK && sorter->runs->len >= FAN_IN) {
		guint first = sorter->runs->len - FAN_IN;

		if (run_level(sorter, first) != run_level(sorter, sorter->runs->len - 1)) {
			break;
		}
		status = combine_from(sorter, first, err);
	}
	if (status == ST_OK && sorter->runs->len >= sorter->runs_max) {
		status = combine_from(sorter, 0, err);
	}
	return status;
}

static int write_rows(void *arg, const uint8_t *rows, size_t count, struct err *err)
{
	struct rowrun *run = arg;

	return rowrun_write_rows(run, rows, count, err);
}

/* Memory is full: write it out as a run. */
static int spill(struct sorter *sorter, struct err *err)
{
	struct rowrun *run = NULL;
	int status = rowrun_new(&run, sorter->temp_dir, sorter->row_size, err);

	if (status != ST_OK) {
		return status;
	}
	status = drain_memory(sorter, 0, write_rows, run, err);
	if (status == ST_OK) {
		status = rowrun_finish(run, err);
	}
	append_run(sorter, run, 0);
	rowstore_clear(sorter->rows);
	return status == ST_OK ? combine_runs(sorter, err) : status;
}

/* ---- in and out ---- */

struct rowpack *sorter_new_pack(const struct sorter *sorter)
{
	uint64_t rows = sorter->memory_bytes / (sorter->row_size + ENTRY_BYTES);

	return rowpack_new(sorter->row_size, sorter->key_size, (size_t)MAX(rows, 2));
}

int sorter_append(struct sorter *sorter, struct rowarea *area, struct err *err)
{
	uint64_t rows = rowstore_count(sorter->rows) + area->rows;
	uint64_t bytes = rowstore_bytes(sorter->rows) + area->size + rows * ENTRY_BYTES;
	int status = ST_OK;

	if (rows > area->rows && (bytes > sorter->memory_bytes || rowstore_is_full(sorter->rows))) {
		status = spill(sorter, err);
	}
	if (status != ST_OK) {
		rowarea_free(area);
		return status;
	}
	rowstore_append(sorter->rows, area);
	return ST_OK;
}

/* Rows for which there is memory. */
static uint64_t rows_left(const struct sorter *sorter)
{
	uint64_t bytes = rowstore_bytes(sorter->rows) + rowstore_count(sorter->rows) * ENTRY_BYTES;

	if (bytes >= sorter->memory_bytes || rowstore_is_full(sorter->rows)) {
		return 0;
	}
	return (sorter->memory_bytes - bytes) / (sorter->row_size + ENTRY_BYTES);
}

uint8_t *sorter_add_rows(struct sorter *sorter, uint32_t want, uint32_t *count, struct err *err)
{
	uint64_t left = rows_left(sorter);
	uint8_t *place;
	size_t rows;

	if (left == 0 && rowstore_count(sorter->rows) >= 2) {
		if (spill(sorter, err) != ST_OK) {
			return NULL;
		}
		left = rows_left(sorter);
	}
	place = rowstore_place(sorter->rows, MIN(want, MAX(left, 1)), &rows);
	*count = (uint32_t)rows;
	return place;
}

int sorter_add_batch(struct sorter *sorter, struct batch *batch, sorter_fill_fn fill,
		     const void *arg, struct err *err)
{
	uint32_t left = batch->selected;

	while (left > 0) {
		uint32_t count = 0;
		uint8_t *rows = sorter_add_rows(sorter, left, &count, err);

		if (!rows) {
			return ST_EIO;
		}
		batch->selected = count;
		fill(arg, batch, rows);
		left -= count;
		memmove(batch->selection, batch->selection + count,
			left * sizeof(batch->selection[0]));
	}
	return ST_OK;
}

uint8_t *sorter_add(struct sorter *sorter, struct err *err)
{
	uint32_t count;

	return sorter_add_rows(sorter, 1, &count, err);
}

/* What was written out, and what is left in memory, becomes one merge of runs. */
static int start_merge(struct sorter *sorter, struct err *err)
{
	int status = ST_OK;

	if (rowstore_count(sorter->rows) > 0) {
		status = spill(sorter, err);
	}
	free_memory(sorter);
	sorter->merge = merge_runs(sorter, 0);
	return status;
}

int sorter_finish(struct sorter *sorter, struct err *err)
{
	if (sorter->runs->len > 0) {
		return start_merge(sorter, err);
	}
	sorter->buckets = rowbuckets_new(sorter->rows, sorter->reverse, sorter->threads);
	sorter->sort = new_sort(sorter);
	return ST_OK;
}

int sorter_next(struct sorter *sorter, const uint8_t **row, struct err *err)
{
	if (sorter->merge) {
		return rowmerge_next(sorter->merge, row, err);
	}
	while (sorter->next == rowsort_count(sorter->sort)) {
		if (sorter->bucket == rowbuckets_count(sorter->buckets)) {
			return ST_END;
		}
		rowsort_run(sorter->sort, sorter->buckets, sorter->bucket++);
		sorter->next = 0;
	}
	rowsort_get(sorter->sort, sorter->next++, 0, sorter->row);
	*row = sorter->row;
	return ST_OK;
}

int sorter_drain(struct sorter *sorter, size_t from, sorter_take_fn take, void *arg,
		 struct err *err)
{
	int status;

	if (sorter->runs->len == 0) {
		return drain_memory(sorter, from, take, arg, err);
	}
	status = start_merge(sorter, err);
	while (status == ST_OK) {
		const uint8_t *row;

		status = rowmerge_next(sorter->merge, &row, err);
		if (status == ST_OK) {
			status = take(arg, row + from, 1, err);
		}
	}
	return status == ST_END ? ST_OK : status;
}
