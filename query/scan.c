/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scan.h"

#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "query/predicateblock.h"
#include "storage/bloom.h"
#include "storage/hourfile.h"

/* A part of a block file has that many rows, or is one block. */
#define PART_ROWS FLOWBLOCK_ROWS_MAX

struct scan_file {
	int owners; /* atomic */
	struct hourfile_reader *reader;
	const struct blockfile *blocks; /* NULL: a row file */
	size_t *parts; /* first block of each, and the number of blocks; NULL: one part */
	size_t part_count;
};

struct scanner {
	const struct scan_plan *plan;
	uint32_t volumes;       /* columns */
	uint32_t columns;       /* of row files */
	const uint64_t *hashes; /* for address filters */
	size_t hash_count;
	struct batch *batch;
	struct blocktests *tests; /* NULL: no block file so far */
	struct blockfile_cursor *cursor;
	struct blockfile_scratch *scratch; /* of address filters */
	struct scan_report report;
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

void scan_report_add(struct scan_report *report, const struct scan_report *other)
{
	report->files += other->files;
	report->files_answered += other->files_answered;
	report->blocks += other->blocks;
	report->blocks_by_summary += other->blocks_by_summary;
	report->blocks_by_filter += other->blocks_by_filter;
	report->blocks_by_dictionary += other->blocks_by_dictionary;
	report->blocks_read += other->blocks_read;
	report->bytes_read += other->bytes_read;
	report->bytes_on_disk += other->bytes_on_disk;
}

static uint32_t volume_columns(const struct scan_plan *plan)
{
	return plan->count_volumes ? COLUMN_BIT(COLUMN_PACKETS) | COLUMN_BIT(COLUMN_BYTES) : 0;
}

/* All volumes, if they are wanted, are in the summary. */
static bool knows_volumes(const struct scan_plan *plan, const struct summary *summary)
{
	return (summary->summed & volume_columns(plan)) == volume_columns(plan);
}

static void count_summary(const struct scan_plan *plan, struct scan_counts *counts,
			  const struct summary *summary)
{
	counts->records += summary->records;
	if (plan->count_volumes) {
		counts->packets += summary->packets;
		counts->bytes += summary->bytes;
	}
}

bool scan_answer(const struct scan_plan *plan, const struct summary *summary,
		 enum predicates_verdict verdict, struct scan_totals *totals)
{
	bool wanted = plan->columns && (plan->wants_all || verdict == PREDICATES_ALL);

	if (summary->records == 0) {
		return true;
	}
	if (verdict == PREDICATES_SOME || wanted || !knows_volumes(plan, summary)) {
		return false;
	}
	count_summary(plan, &totals->total, summary);
	if (verdict == PREDICATES_ALL) {
		count_summary(plan, &totals->pass, summary);
	}
	return true;
}

/* ---- files ---- */

struct scan_file *scan_file_ref(struct scan_file *file)
{
	__atomic_add_fetch(&file->owners, 1, __ATOMIC_RELAXED);
	return file;
}

void scan_file_unref(struct scan_file *file)
{
	if (file && __atomic_sub_fetch(&file->owners, 1, __ATOMIC_ACQ_REL) == 0) {
		hourfile_close(file->reader);
		g_free(file->parts);
		g_free(file);
	}
}

const struct header *scan_file_header(const struct scan_file *file)
{
	return hourfile_header(file->reader);
}

bool scan_file_is_ours(const struct scan_file *file)
{
	return file->blocks != NULL;
}

const char *scan_file_damage(const struct scan_file *file, size_t i)
{
	return file->blocks ? blockfile_damage(file->blocks, i) : NULL;
}

size_t scan_file_parts(const struct scan_file *file)
{
	return file->part_count;
}

static void divide(struct scan_file *file)
{
	size_t count = blockfile_count(file->blocks);
	uint64_t rows = 0;

	file->part_count = 1;
	if (count < 2) {
		return;
	}
	file->parts = g_new(size_t, count + 1);
	file->parts[0] = 0;
	for (size_t i = 0; i < count; i++) {
		uint32_t more = blockfile_block(file->blocks, i)->rows;

		if (rows > 0 && rows + more > PART_ROWS) {
			file->parts[file->part_count++] = i;
			rows = 0;
		}
		rows += more;
	}
	file->parts[file->part_count] = count;
}

static void find_part(const struct scan_file *file, size_t part, size_t *first, size_t *end)
{
	*first = file->parts ? file->parts[part] : 0;
	*end = file->parts ? file->parts[part + 1] : blockfile_count(file->blocks);
}

/* Of a file that could not be opened as one. */
static bool looks_like_ours(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool ours = fd >= 0 && hourfile_is_blocks(fd);

	if (fd >= 0) {
		close(fd);
	}
	return ours;
}

int scanner_open(struct scanner *scanner, struct scan_file **out, const char *path, bool *ours,
		 struct err *err)
{
	struct hourfile_reader *reader = NULL;
	int st = hourfile_open(&reader, path, &scanner->plan->read_opts, err);

	if (st != ST_OK) {
		*ours = looks_like_ours(path);
		return st;
	}
	*out = g_new0(struct scan_file, 1);
	(*out)->owners = 1;
	(*out)->reader = reader;
	(*out)->blocks = hourfile_blocks(reader);
	(*out)->part_count = 1;
	*ours = (*out)->blocks != NULL;
	scanner->report.files++;
	if (*ours) {
		divide(*out);
		scanner->report.bytes_on_disk += (uint64_t)blockfile_stat((*out)->blocks)->st_size;
	}
	return ST_OK;
}

/* ---- scanners ---- */

static void want_extensions(struct scanner *scanner)
{
	const struct ie_key *keys = NULL;
	size_t count = predicates_extensions(scanner->plan->tests, &keys);

	if (scanner->plan->extensions) {
		batch_want_every(scanner->batch);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		batch_want(scanner->batch, keys[i]);
	}
}

struct scanner *scanner_new(const struct scan_plan *plan)
{
	struct scanner *scanner = g_new0(struct scanner, 1);

	scanner->plan = plan;
	scanner->volumes = volume_columns(plan);
	scanner->columns = plan->columns | predicates_columns(plan->tests) | scanner->volumes;
	scanner->hash_count = predicates_hashes(plan->tests, &scanner->hashes);
	scanner->batch = batch_new();
	want_extensions(scanner);
	return scanner;
}

void scanner_free(struct scanner *scanner)
{
	if (scanner) {
		blocktests_free(scanner->tests);
		blockfile_cursor_free(scanner->cursor);
		blockfile_scratch_free(scanner->scratch);
		batch_free(scanner->batch);
		g_free(scanner);
	}
}

const struct scan_report *scanner_report(struct scanner *scanner)
{
	if (scanner->tests) {
		scanner->report.bytes_read = blockfile_cursor_bytes(scanner->cursor) +
					     blockfile_scratch_bytes(scanner->scratch);
	}
	return &scanner->report;
}

/* Is the frame, narrowed, for the taker? */
static bool is_wanted(const struct scan_plan *plan, const struct batch *batch)
{
	return plan->columns && (batch->selected > 0 || plan->wants_all);
}

/* ---- row files ---- */

static int filter_rows(struct scanner *scanner, struct scan_totals *totals,
		       const struct scan_taker *taker)
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
	return wanted ? taker->frame(taker->arg, batch) : ST_OK;
}

static int read_rows(struct scanner *scanner, struct scan_file *file, struct scan_totals *totals,
		     const struct scan_taker *taker)
{
	struct err err;
	int st = ST_OK;

	while (st == ST_OK) {
		int read =
			hourfile_read_batch(file->reader, scanner->batch, scanner->columns, &err);

		if (read == ST_END) {
			return ST_OK;
		}
		if (read != ST_OK) {
			taker->damage(taker->arg, &err, false);
			return ST_OK;
		}
		st = filter_rows(scanner, totals, taker);
	}
	return st;
}

/* ---- block files ---- */

/* What the tests leave of a block to be done. */
struct block_work {
	size_t number;
	const struct flowblock *block;
	enum predicates_verdict verdict;
	bool loaded; /* the chunks that the taker needs are there and whole */
	struct scan_totals totals;
};

bool scanner_answer(struct scanner *scanner, const struct scan_file *file,
		    struct scan_totals *totals)
{
	const struct summary *summary;
	bool answered;

	if (!file->blocks || scan_file_damage(file, 0)) {
		return false;
	}
	summary = blockfile_summary(file->blocks);
	answered = scan_answer(scanner->plan, summary,
			       predicates_judge(scanner->plan->tests, summary), totals);
	scanner->report.files_answered += answered;
	return answered;
}

static bool filter_lacks(struct scanner *scanner, const uint8_t *filter, size_t size)
{
	for (size_t i = 0; i < scanner->hash_count; i++) {
		if (bloom_may_hold(filter, size, scanner->hashes[i])) {
			return false;
		}
	}
	return true;
}

/* A filter that is damaged is like none: the records are looked at. */
static bool is_filtered(struct scanner *scanner, const struct blockfile *blocks, size_t i)
{
	const uint8_t *filter = NULL;
	size_t size = 0;

	if (scanner->hash_count == 0 || blockfile_block(blocks, i)->filter_len == 0) {
		return false;
	}
	return blockfile_filter(blocks, i, &filter, &size, scanner->scratch, NULL) == ST_OK &&
	       filter && filter_lacks(scanner, filter, size);
}

static void make_block_parts(struct scanner *scanner)
{
	if (!scanner->tests) {
		scanner->tests = blocktests_new(scanner->plan->tests);
		scanner->cursor = blockfile_cursor_new();
		scanner->scratch = blockfile_scratch_new();
	}
}

/* The verdict on a block, by all means but looking at rows. */
static int judge_block(struct scanner *scanner, const struct blockfile *blocks,
		       struct block_work *work, struct err *err)
{
	const struct summary *summary = &work->block->summary;
	struct scan_report *report = &scanner->report;
	int st;

	work->verdict = predicates_judge(scanner->plan->tests, summary);
	if (work->verdict == PREDICATES_SOME && is_filtered(scanner, blocks, work->number)) {
		work->verdict = PREDICATES_NONE;
		report->blocks_by_filter++;
	} else if (work->verdict != PREDICATES_SOME) {
		report->blocks_by_summary++;
	}
	blockfile_cursor_set(scanner->cursor, blocks, work->number);
	if (work->verdict != PREDICATES_SOME) {
		return ST_OK;
	}
	st = blocktests_set(scanner->tests, scanner->cursor, summary, &work->verdict, err);
	report->blocks_by_dictionary += st == ST_OK && work->verdict != PREDICATES_SOME;
	return st;
}

/* Open the chunks of columns, so that no damage comes to light after rows were handed over. */
static int open_chunks(struct scanner *scanner, uint32_t columns, struct err *err)
{
	int st = ST_OK;

	for (enum column column = 0; st == ST_OK && column < COLUMN_COUNT; column++) {
		struct chunk *chunk;

		if (columns & COLUMN_BIT(column)) {
			st = blockfile_cursor_chunk(scanner->cursor, column, &chunk, err);
			st = st == ST_END ? ST_OK : st;
		}
	}
	return st;
}

static int load(struct scanner *scanner, struct block_work *work, uint32_t columns, struct err *err)
{
	int st = ST_OK;

	if (!work->loaded) {
		st = open_chunks(scanner, scanner->plan->columns | scanner->volumes, err);
		if (st == ST_OK) {
			st = blockfile_cursor_open_extensions(scanner->cursor, scanner->batch, err);
		}
		work->loaded = st == ST_OK;
	}
	return st == ST_OK ? blockfile_cursor_load(scanner->cursor, scanner->batch, columns, err)
			   : st;
}

/* every: with the volumes of all rows, which the summary does not tell. */
static void count_frame(const struct scanner *scanner, struct block_work *work, bool every)
{
	const struct batch *batch = scanner->batch;
	struct scan_totals *totals = &work->totals;

	scan_counts_add_rows(&totals->pass, batch, batch->selection, batch->selected,
			     scanner->volumes != 0);
	totals->total.records += batch->rows;
	for (uint32_t i = 0; every && i < batch->rows; i++) {
		totals->total.packets += batch->packets[i];
		totals->total.bytes += batch->bytes[i];
	}
}

/* Must the volumes of every row be looked at? */
static bool needs_every_volume(const struct scanner *scanner, const struct block_work *work)
{
	return scanner->volumes &&
	       (scanner->plan->uncounted || !knows_volumes(scanner->plan, &work->block->summary));
}

static void hand_in_totals(struct block_work *work, struct scan_totals *totals)
{
	scan_counts_add(&totals->total, &work->totals.total);
	scan_counts_add(&totals->pass, &work->totals.pass);
	work->totals = (struct scan_totals){ 0 };
}

/* Narrow a frame and load what is needed of it; counts it, unless the taker does. */
static int read_frame(struct scanner *scanner, struct block_work *work, uint32_t row, bool *wanted,
		      struct err *err)
{
	const struct scan_plan *plan = scanner->plan;
	struct batch *batch = scanner->batch;
	bool every = needs_every_volume(scanner, work);
	int st = ST_OK;

	blockfile_cursor_frame(scanner->cursor, row, batch);
	if (work->verdict == PREDICATES_SOME) {
		st = blocktests_narrow(scanner->tests, row, batch, err);
	} else if (work->verdict == PREDICATES_NONE) {
		batch->selected = 0;
	}
	*wanted = is_wanted(plan, batch);
	if (st == ST_OK && (*wanted || every || (scanner->volumes && batch->selected > 0))) {
		st = load(scanner, work, (*wanted ? plan->columns : 0) | scanner->volumes, err);
	}
	if (st == ST_OK && *wanted && plan->extensions) {
		st = blockfile_cursor_load_extensions(scanner->cursor, batch, err);
	}
	if (st == ST_OK && (!*wanted || !plan->uncounted)) {
		count_frame(scanner, work, every);
	}
	return st;
}

/*
 * Read the rows of a block. Damage comes to light before any row is handed over, because then all
 * chunks are open; the block counts as not read then. *taken: what the taker returned.
 */
static int read_frames(struct scanner *scanner, struct block_work *work, struct scan_totals *totals,
		       const struct scan_taker *taker, int *taken, struct err *err)
{
	const struct summary *summary = &work->block->summary;
	int st = ST_OK;

	for (uint32_t row = 0; st == ST_OK && *taken == ST_OK && row < work->block->rows;
	     row += FRAME_ROWS) {
		bool wanted = false;

		st = read_frame(scanner, work, row, &wanted, err);
		if (st == ST_OK && wanted) {
			hand_in_totals(work, totals);
			*taken = taker->frame(taker->arg, scanner->batch);
		}
	}
	if (st == ST_OK) {
		if (scanner->volumes && !needs_every_volume(scanner, work)) {
			work->totals.total.packets += summary->packets;
			work->totals.total.bytes += summary->bytes;
		}
		hand_in_totals(work, totals);
	}
	return st;
}

static int read_block(struct scanner *scanner, const struct blockfile *blocks, size_t i,
		      struct scan_totals *totals, const struct scan_taker *taker)
{
	struct block_work work = { .number = i, .block = blockfile_block(blocks, i) };
	struct err err;
	int taken = ST_OK;
	int st;

	scanner->report.blocks++;
	st = judge_block(scanner, blocks, &work, &err);
	if (st == ST_OK && scan_answer(scanner->plan, &work.block->summary, work.verdict, totals)) {
		return ST_OK;
	}
	if (st == ST_OK) {
		scanner->report.blocks_read++;
		st = read_frames(scanner, &work, totals, taker, &taken, &err);
	}
	if (st != ST_OK) {
		taker->damage(taker->arg, &err, true);
	}
	return taken;
}

int scanner_read(struct scanner *scanner, struct scan_file *file, size_t part,
		 struct scan_totals *totals, const struct scan_taker *taker)
{
	size_t first;
	size_t end;
	int st = ST_OK;

	if (!file->blocks) {
		return read_rows(scanner, file, totals, taker);
	}
	make_block_parts(scanner);
	find_part(file, part, &first, &end);
	for (size_t i = first; st == ST_OK && i < end; i++) {
		st = read_block(scanner, file->blocks, i, totals, taker);
	}
	return st;
}
