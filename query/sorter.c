/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/sorter.h"

#include <endian.h>
#include <string.h>

#include <glib.h>

#include "query/entrysort.h"
#include "query/rowrun.h"
#include "query/rowstore.h"

#define MEMORY_DEFAULT_BYTES (UINT64_C(1) << 30)
/* Beside its bytes a row takes this much when it is sorted. */
#define ENTRY_BYTES (2 * sizeof(struct sortentry))
/* Runs of one level that are merged into one of the next, so that few files are open at once. */
#define FAN_IN 32
/* Rows that are fetched into the cache before their turn, as they lie anywhere in memory. */
#define AHEAD 16
/* Bytes of a key that are sorted by at a time. */
#define WORD 8

/* Which bytes of the key make a word: those from the first on, or, scattered, the ones listed. */
struct word_bytes {
	size_t from[WORD];
	unsigned count;
	bool scattered;
};

struct sorter {
	size_t key_size;
	size_t row_size;
	uint64_t memory_bytes;
	const char *temp_dir;
	bool reverse;

	struct rowstore *rows; /* in memory */
	uint8_t *first;        /* a key that others are compared with */
	uint8_t *differs;      /* by byte of the key: the bits in which they differ */
	uint64_t count;
	struct sortentry *entries; /* sorted, after sorter_finish() or while a run is written */
	size_t used;               /* how many */
	size_t next;               /* entry to hand out */
	uint8_t *row;              /* handed out */

	GArray *runs;           /* struct leveled_run */
	struct rowmerge *merge; /* over all runs, after sorter_finish() */
};

struct leveled_run {
	struct rowrun *run;
	unsigned level;
};

struct sorter *sorter_new(const struct sorter_opts *opts)
{
	struct sorter *sorter = g_new0(struct sorter, 1);

	sorter->key_size = opts->key_size;
	sorter->row_size = opts->row_size;
	sorter->memory_bytes = opts->memory_bytes ? opts->memory_bytes : MEMORY_DEFAULT_BYTES;
	sorter->temp_dir = opts->temp_dir;
	sorter->reverse = opts->reverse;
	sorter->rows = rowstore_new(opts->row_size);
	sorter->first = g_malloc(opts->key_size + ROWFORM_SLACK);
	sorter->differs = g_malloc0(opts->key_size);
	sorter->row = g_malloc(opts->row_size + ROWFORM_SLACK);
	sorter->runs = g_array_new(FALSE, FALSE, sizeof(struct leveled_run));
	return sorter;
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
	rowstore_free(sorter->rows);
	g_free(sorter->first);
	g_free(sorter->differs);
	g_free(sorter->entries);
	g_free(sorter->row);
	g_free(sorter);
}

/* ---- words of keys ---- */

static uint64_t load_word(const uint8_t *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof(word));
	return word;
}

/* From byte number from of the key on. */
static void note_differences(const struct sorter *sorter, const uint8_t *row, size_t from)
{
	const uint8_t *first = sorter->first;
	uint8_t *differs = sorter->differs;
	size_t at = from;

	for (; at + WORD <= sorter->key_size; at += WORD) {
		uint64_t word =
			load_word(differs + at) | (load_word(row + at) ^ load_word(first + at));

		memcpy(differs + at, &word, sizeof(word));
	}
	for (; at < sorter->key_size; at++) {
		differs[at] |= row[at] ^ first[at];
	}
}

/* Of the key of an entry, in sorter->row; rows lie anywhere in memory. */
static void get_key(const struct sorter *sorter, const struct sortentry *entries, size_t count,
		    size_t i, size_t begin, size_t end)
{
	if (i + AHEAD < count) {
		rowstore_fetch(sorter->rows, entries[i + AHEAD].row);
	}
	rowstore_get(sorter->rows, entries[i].row, begin, end, sorter->row);
}

/*
 * The first bytes in which the keys of these entries differ, from byte number from on; often few
 * do. Returns the number of the byte behind them.
 */
static size_t choose_word(const struct sorter *sorter, const struct sortentry *entries,
			  size_t count, size_t from, struct word_bytes *bytes)
{
	size_t at = from;

	memset(sorter->differs + from, 0, sorter->key_size - from);
	rowstore_get(sorter->rows, entries[0].row, from, sorter->key_size, sorter->first);
	for (size_t i = 1; i < count; i++) {
		get_key(sorter, entries, count, i, from, sorter->key_size);
		note_differences(sorter, sorter->row, from);
	}
	bytes->count = 0;
	for (; at < sorter->key_size && (bytes->count < WORD || sorter->differs[at] == 0); at++) {
		if (sorter->differs[at] != 0) {
			bytes->from[bytes->count++] = at;
		}
	}
	if (bytes->count > 0) {
		bytes->scattered = sorter->key_size < WORD ||
				   bytes->from[bytes->count - 1] - bytes->from[0] >= WORD;
	}
	if (bytes->count > 0 && !bytes->scattered) {
		bytes->from[0] = MIN(bytes->from[0], sorter->key_size - WORD);
	}
	return at;
}

static uint64_t gather_word(const struct word_bytes *bytes, const uint8_t *row)
{
	uint64_t word = 0;

	for (unsigned i = 0; i < bytes->count; i++) {
		word = word << 8 | row[bytes->from[i]];
	}
	return word;
}

/* Fill in the words of all entries. */
static void fill_words(const struct sorter *sorter, struct sortentry *entries, size_t count,
		       const struct word_bytes *bytes)
{
	uint64_t flip = sorter->reverse ? UINT64_MAX : 0;
	size_t begin = bytes->from[0];
	size_t end = bytes->scattered ? bytes->from[bytes->count - 1] + 1 : begin + WORD;

	for (size_t i = 0; i < count; i++) {
		get_key(sorter, entries, count, i, begin, end);
		entries[i].word =
			flip ^ (bytes->scattered ? gather_word(bytes, sorter->row)
						 : be64toh(load_word(sorter->row + begin)));
	}
}

/* ---- sorting in memory ---- */

/* Entries that will be compared further, as they are next to one with the same word. */
static void fetch_equal(const struct sorter *sorter, const struct sortentry *sorted, size_t count,
			size_t i)
{
	if (i < count && sorted[i].word == sorted[i - 1].word) {
		rowstore_fetch(sorter->rows, sorted[i].row);
	}
}

/*
 * A word of all keys at a time: a stable sort by those, then each run of equal words by the next
 * word. So keys are seldom compared through their rows, which lie anywhere in memory. From byte
 * number from of the keys on. Returns the array that holds the result, one of the two.
 */
static struct sortentry *sort_entries(const struct sorter *sorter, struct sortentry *entries,
				      struct sortentry *spare, size_t count, size_t from)
{
	struct word_bytes bytes;
	size_t next = choose_word(sorter, entries, count, from, &bytes);
	struct sortentry *sorted, *other;
	size_t start = 0;

	if (bytes.count == 0) {
		return entries;
	}
	fill_words(sorter, entries, count, &bytes);
	sorted = entrysort(entries, spare, count);
	other = sorted == entries ? spare : entries;
	if (next == sorter->key_size) {
		return sorted;
	}
	for (size_t i = 1; i <= count; i++) {
		struct sortentry *run = sorted + start;

		fetch_equal(sorter, sorted, count, i + AHEAD);
		if (i < count && sorted[i].word == run->word) {
			continue;
		}
		if (i - start > 1 &&
		    sort_entries(sorter, run, other + start, i - start, next) != run) {
			memcpy(run, other + start, (i - start) * sizeof(*run));
		}
		start = i;
	}
	return sorted;
}

static void list_row(void *arg, uint64_t row)
{
	struct sorter *sorter = arg;

	sorter->entries[sorter->used++].row = row;
}

static void sort_memory(struct sorter *sorter)
{
	size_t bytes = rowstore_count(sorter->rows) * sizeof(struct sortentry);

	g_free(sorter->entries);
	sorter->entries = g_malloc(bytes);
	sorter->used = 0;
	sorter->next = 0;
	rowstore_list(sorter->rows, list_row, sorter);
	if (sorter->used > 1) {
		struct sortentry *entries = sorter->entries;
		struct sortentry *spare = g_malloc(bytes);

		sorter->entries = sort_entries(sorter, entries, spare, sorter->used, 0);
		g_free(sorter->entries == entries ? spare : entries);
	}
}

/* The row of an entry, in sorter->row. */
static void get_row(const struct sorter *sorter, size_t i)
{
	if (i + AHEAD < sorter->used) {
		rowstore_fetch(sorter->rows, sorter->entries[i + AHEAD].row);
	}
	rowstore_get(sorter->rows, sorter->entries[i].row, 0, sorter->row_size, sorter->row);
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

/* The last FAN_IN runs, when they are of one level, become one of the next level; and so on. */
static int combine_runs(struct sorter *sorter, struct err *err)
{
	int status = ST_OK;

	while (status == ST_OK && sorter->runs->len >= FAN_IN) {
		guint first = sorter->runs->len - FAN_IN;
		unsigned level = g_array_index(sorter->runs, struct leveled_run, first).level;
		struct rowmerge *merge;
		struct rowrun *combined = NULL;
		const uint8_t *row;

		if (level !=
		    g_array_index(sorter->runs, struct leveled_run, sorter->runs->len - 1).level) {
			break;
		}
		status = rowrun_new(&combined, sorter->temp_dir, sorter->row_size, err);
		if (status != ST_OK) {
			break;
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
	}
	return status;
}

/* Memory is full: write it out as a run. */
static int spill(struct sorter *sorter, struct err *err)
{
	struct rowrun *run = NULL;
	int status = rowrun_new(&run, sorter->temp_dir, sorter->row_size, err);

	if (status != ST_OK) {
		return status;
	}
	sort_memory(sorter);
	for (size_t i = 0; i < sorter->used && status == ST_OK; i++) {
		get_row(sorter, i);
		status = rowrun_write(run, sorter->row, err);
	}
	if (status == ST_OK) {
		status = rowrun_finish(run, err);
	}
	append_run(sorter, run, 0);
	sorter->used = 0;
	rowstore_clear(sorter->rows);
	return status == ST_OK ? combine_runs(sorter, err) : status;
}

/* ---- in and out ---- */

/* Rows for which there is memory. */
static uint64_t rows_left(const struct sorter *sorter)
{
	uint64_t bytes = rowstore_bytes(sorter->rows) + rowstore_count(sorter->rows) * ENTRY_BYTES;

	if (bytes >= sorter->memory_bytes) {
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
	sorter->count += rows;
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

int sorter_finish(struct sorter *sorter, struct err *err)
{
	if (sorter->runs->len == 0) {
		sort_memory(sorter);
		return ST_OK;
	}
	if (rowstore_count(sorter->rows) > 0) {
		int status = spill(sorter, err);

		if (status != ST_OK) {
			return status;
		}
	}
	rowstore_free(sorter->rows);
	sorter->rows = NULL;
	g_free(sorter->entries);
	sorter->entries = NULL;
	sorter->merge = merge_runs(sorter, 0);
	return ST_OK;
}

int sorter_next(struct sorter *sorter, const uint8_t **row, struct err *err)
{
	if (sorter->merge) {
		return rowmerge_next(sorter->merge, row, err);
	}
	if (sorter->next == sorter->used) {
		return ST_END;
	}
	get_row(sorter, sorter->next++);
	*row = sorter->row;
	return ST_OK;
}

uint64_t sorter_count(const struct sorter *sorter)
{
	return sorter->count;
}
