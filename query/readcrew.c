/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A scancrew whose units are parts of files. What happens to a file as a whole, and damage, goes
 * to the consumer as events between the tool's pieces, so that it is told in order.
 */
#include "query/readcrew.h"

#include <glib.h>
#include <pthread.h>
#include <sys/stat.h>

#include "storage/hourfile.h"

/* A position: the number of the file, that of a frame in it, a row. */
#define FILE_SHIFT   40
#define FRAME_SHIFT  10
#define BLOCK_FRAMES (FLOWBLOCK_ROWS_MAX / FRAME_ROWS)
_Static_assert(1u << FRAME_SHIFT == BATCH_ROWS && BATCH_ROWS == FRAME_ROWS, "rows of a frame");

/* Batches of a row file that a worker reads before it works on them. */
#define ROUND_BATCHES 16

/* An open file. */
struct file {
	int owners; /* atomic */
	struct hourfile_reader *reader;
	const struct blockfile *blocks; /* NULL: a row file */
	uint64_t number;
	uint64_t frames; /* read of a row file */
};

struct unit {
	char *name;        /* of a file to open; NULL: it is open */
	uint64_t number;   /* of the file */
	struct file *file; /* owned */
	size_t first, end; /* blocks of the unit */
};

struct event {
	struct readpiece head; /* first */
	char *name;            /* of a file that was opened; owned. NULL: damage */
	struct header header;  /* of that file, which need not be open any more: many may wait */
	bool at_open;          /* the damage, which keeps the file from being opened */
	bool goes_on;
	struct err err;
};

struct run {
	const struct readcrew *crew;
	uint32_t columns;
	unsigned round; /* batches of a worker */
	uint64_t met_bytes;
	uint64_t files; /* named so far */
	pthread_mutex_t end_lock;
};

struct worker {
	void *state; /* the tool's */
	struct batch **batches;
	uint64_t *positions; /* of them */
	struct blockfile_cursor *cursor;
};

struct readturn {
	struct run *run;
	struct worker *worker;
	struct scanturn *turn;
	uint64_t position;
};

/* ---- files ---- */

static struct file *file_ref(struct file *file)
{
	__atomic_add_fetch(&file->owners, 1, __ATOMIC_RELAXED);
	return file;
}

static void file_unref(struct file *file)
{
	if (file && __atomic_sub_fetch(&file->owners, 1, __ATOMIC_ACQ_REL) == 0) {
		hourfile_close(file->reader);
		g_free(file);
	}
}

static void unit_free(struct unit *unit)
{
	file_unref(unit->file);
	g_free(unit->name);
	g_free(unit);
}

/* ---- events ---- */

static void put_event(struct readturn *turn, const struct event *event)
{
	struct event *copy = g_memdup2(event, sizeof(*event));

	copy->head.is_event = true;
	copy->head.piece.bytes = sizeof(*copy);
	readcrew_put(turn, &copy->head);
}

static void put_damage(struct readturn *turn, const struct err *err, bool at_open, bool goes_on)
{
	put_event(turn, &(struct event){ .at_open = at_open, .goes_on = goes_on, .err = *err });
}

/* name is taken. */
static void put_opened(struct readturn *turn, char *name, const struct header *header)
{
	struct event event = { .name = name, .header = *header };

	event.header.entries = NULL;
	event.header.entry_count = 0;
	header_add_entries(&event.header, header);
	put_event(turn, &event);
}

/* By the consumer. ST_END: the input ends here. */
static int take_event(struct source *source, const struct event *event)
{
	if (event->name) {
		source_opened(source, event->name, &event->header);
		return ST_OK;
	}
	if (event->at_open) {
		return source_unopened(source, &event->err) ? ST_OK : ST_END;
	}
	return source_damaged(source, &event->err, event->goes_on) ? ST_OK : ST_END;
}

static int take(void *arg, struct scanpiece *piece, bool drained, struct err *err)
{
	struct run *run = arg;
	struct event *event = (struct event *)piece;
	int st = ST_OK;

	if (!event->head.is_event) {
		run->crew->take(run->crew->arg, &event->head, drained);
		return ST_OK;
	}
	if (!drained) {
		st = take_event(run->crew->source, event);
	}
	header_release(&event->header);
	g_free(event->name);
	g_free(event);
	return st;
}

void readcrew_put(struct readturn *turn, struct readpiece *piece)
{
	scancrew_put(turn->turn, &piece->piece);
}

bool readcrew_stopped(const struct readturn *turn)
{
	return scancrew_stopped(turn->turn);
}

/* ---- workers ---- */

uint64_t readcrew_position(const struct readturn *turn)
{
	return turn->position;
}

static uint64_t position_of(const struct file *file, uint64_t frame)
{
	return file->number << FILE_SHIFT | frame << FRAME_SHIFT;
}

/* Batch number i of the worker. */
static void work_on_batch(struct readturn *turn, unsigned i)
{
	const struct readcrew *crew = turn->run->crew;
	struct batch *batch = turn->worker->batches[i];

	turn->position = turn->worker->positions[i];
	source_accept(crew->source, batch);
	if (batch->selected > 0) {
		crew->batch(crew->arg, turn->worker->state, batch, turn);
	}
}

static void end_unit(struct readturn *turn)
{
	const struct readcrew *crew = turn->run->crew;

	if (crew->rest) {
		crew->rest(crew->arg, turn->worker->state, turn);
	}
}

static void read_blocks(struct readturn *turn, const struct unit *unit)
{
	struct worker *worker = turn->worker;
	struct hourfile_blocks part = { .file = unit->file->blocks,
					.block = unit->first,
					.end = unit->end };
	struct err err;
	int st = ST_OK;

	if (!worker->cursor) {
		worker->cursor = blockfile_cursor_new();
	}
	while (st != ST_END && !readcrew_stopped(turn)) {
		/* behind the last frame of a block it is the end of the block, which is as good */
		worker->positions[0] =
			position_of(unit->file, part.block * BLOCK_FRAMES + part.row / FRAME_ROWS);
		st = hourfile_read_blocks(&part, worker->cursor, worker->batches[0],
					  turn->run->columns, &err);
		if (st == ST_OK) {
			work_on_batch(turn, 0);
		} else if (st != ST_END) {
			end_unit(turn);
			put_damage(turn, &err, false, true);
		}
	}
}

static void add_unit(struct readturn *turn, struct file *file, size_t first, size_t end)
{
	struct unit *unit = g_new0(struct unit, 1);

	unit->file = file_ref(file);
	unit->first = first;
	unit->end = end;
	scancrew_add(turn->turn, unit);
}

/* A round of batches; what is behind them becomes a unit that may be begun at once. */
static void read_rows(struct readturn *turn, const struct unit *unit)
{
	struct batch **batches = turn->worker->batches;
	struct err err;
	unsigned count = 0;
	int st = ST_OK;

	while (st == ST_OK && count < turn->run->round) {
		st = hourfile_read_batch(unit->file->reader, batches[count], turn->run->columns,
					 &err);
		turn->worker->positions[count] = position_of(unit->file, unit->file->frames);
		count += st == ST_OK;
		unit->file->frames++;
	}
	if (st == ST_OK) {
		add_unit(turn, unit->file, 0, 0);
	}
	for (unsigned i = 0; i < count && !readcrew_stopped(turn); i++) {
		work_on_batch(turn, i);
	}
	if (st != ST_OK && st != ST_END) {
		end_unit(turn);
		put_damage(turn, &err, false, false);
	}
}

/* The blocks of a file, as units of similar size: the first one is this unit. */
static void divide(struct readturn *turn, struct unit *unit)
{
	const struct blockfile *blocks = unit->file->blocks;
	size_t count = blockfile_count(blocks);
	size_t first = 0;
	uint64_t rows = 0;

	unit->end = count;
	for (size_t i = 0; i < count; i++) {
		rows += blockfile_block(blocks, i)->rows;
		if (rows < FLOWBLOCK_ROWS_MAX && i + 1 < count) {
			continue;
		}
		if (first == 0) {
			unit->end = i + 1;
		} else {
			add_unit(turn, unit->file, first, i + 1);
		}
		first = i + 1;
		rows = 0;
	}
}

static bool open_unit(struct readturn *turn, struct unit *unit)
{
	const struct source *source = turn->run->crew->source;
	struct hourfile_reader *reader = NULL;
	const char *damage;
	struct err err;

	if (unit->file) {
		return true;
	}
	if (hourfile_open(&reader, unit->name, source_read_opts(source), &err) != ST_OK) {
		put_damage(turn, &err, true, false);
		return false;
	}
	unit->file = g_new0(struct file, 1);
	unit->file->owners = 1;
	unit->file->number = unit->number;
	unit->file->reader = reader;
	unit->file->blocks = hourfile_blocks(reader);
	put_opened(turn, g_steal_pointer(&unit->name), hourfile_header(reader));
	if (unit->file->blocks) {
		for (size_t i = 0; (damage = blockfile_damage(unit->file->blocks, i)); i++) {
			err_set(&err, ST_EFORMAT, "%s", damage);
			put_damage(turn, &err, false, true);
		}
		divide(turn, unit);
	}
	return true;
}

static void work(void *arg, void *state, void *work, struct scanturn *scanturn)
{
	struct readturn turn = { .run = arg, .worker = state, .turn = scanturn };
	struct unit *unit = work;

	if (open_unit(&turn, unit) && !readcrew_stopped(&turn)) {
		if (unit->file->blocks) {
			read_blocks(&turn, unit);
		} else {
			read_rows(&turn, unit);
		}
		end_unit(&turn);
	}
	unit_free(unit);
}

static void *begin(void *arg)
{
	const struct run *run = arg;
	const struct readcrew *crew = run->crew;
	struct worker *worker = g_new0(struct worker, 1);

	worker->state = crew->begin(crew->arg);
	worker->batches = g_new(struct batch *, run->round);
	worker->positions = g_new0(uint64_t, run->round);
	for (unsigned i = 0; i < run->round; i++) {
		worker->batches[i] = batch_new();
		if (crew->want) {
			crew->want(crew->arg, worker->batches[i]);
		}
	}
	return worker;
}

static void end(void *arg, void *state)
{
	struct run *run = arg;
	struct worker *worker = state;

	pthread_mutex_lock(&run->end_lock);
	run->crew->end(run->crew->arg, worker->state);
	pthread_mutex_unlock(&run->end_lock);
	for (unsigned i = 0; i < run->round; i++) {
		batch_free(worker->batches[i]);
	}
	g_free(worker->batches);
	g_free(worker->positions);
	blockfile_cursor_free(worker->cursor);
	g_free(worker);
}

/* ---- the list of files ---- */

static void *next(void *arg)
{
	struct run *run = arg;
	const char *name = source_next_name(run->crew->source);
	struct unit *unit;

	if (!name) {
		return NULL;
	}
	unit = g_new0(struct unit, 1);
	unit->name = g_strdup(name);
	unit->number = run->files++;
	return unit;
}

static void drop(void *arg, void *work)
{
	unit_free(work);
}

/* Of a pipe nobody knows what comes: one that goes on behind its first round is worth threads. */
static bool is_worth(void *arg, void *work)
{
	struct run *run = arg;
	const struct unit *unit = work;
	struct stat st;

	if (!unit->name) {
		return true;
	}
	if (stat(unit->name, &st) == 0 && S_ISREG(st.st_mode)) {
		run->met_bytes += (uint64_t)st.st_size;
	}
	return run->met_bytes >= READCREW_WORTH_BYTES;
}

void readcrew_run(const struct readcrew *crew)
{
	struct run run = {
		.crew = crew,
		.columns = source_needed(crew->source, crew->columns),
	};
	const struct scancrew_opts opts = {
		.threads = source_copies(crew->source) ? 1 : crew->threads,
		.waiting_bytes = crew->waiting_bytes,
		.arg = &run,
		.begin = begin,
		.end = end,
		.next = next,
		.worth = is_worth,
		.work = work,
		.drop = drop,
		.take = take,
	};
	struct scancrew *scancrew = scancrew_new(&opts);

	run.round = opts.threads > 1 ? ROUND_BATCHES : 1;
	pthread_mutex_init(&run.end_lock, NULL);
	scancrew_run(scancrew, NULL);
	scancrew_free(scancrew);
	pthread_mutex_destroy(&run.end_lock);
}
