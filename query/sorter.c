/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/sorter.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "query/rowrun.h"

#define MEMORY_DEFAULT_BYTES (UINT64_C(1) << 30)
#define CHUNK_BYTES          (1u << 20)
/* Runs of one level that are merged into one of the next, so that few files are open at once. */
#define FAN_IN 32
/* Rows that are fetched into the cache before their turn, as they lie anywhere in memory. */
#define AHEAD 8

/* A row to sort, and eight bytes of its key as a number. */
struct entry {
	uint64_t word;
	const uint8_t *row;
};

struct sorter {
	size_t key_size;
	size_t row_size;
	size_t limit; /* rows in memory */
	const char *temp_dir;
	bool reverse;

	GPtrArray *chunks; /* of rows */
	size_t rows_per_chunk;
	size_t used; /* rows in memory */
	uint64_t count;
	struct entry *entries; /* sorted, after sorter_finish() or while a run is written */
	size_t next;           /* entry to hand out */

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
	uint64_t memory = opts->memory_bytes ? opts->memory_bytes : MEMORY_DEFAULT_BYTES;

	sorter->key_size = opts->key_size;
	sorter->row_size = opts->row_size;
	sorter->limit = MAX(memory / (opts->row_size + sizeof(struct entry)), 2);
	sorter->temp_dir = opts->temp_dir;
	sorter->reverse = opts->reverse;
	sorter->chunks = g_ptr_array_new_with_free_func(g_free);
	sorter->rows_per_chunk = MAX(CHUNK_BYTES / opts->row_size, 1);
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
	g_ptr_array_free(sorter->chunks, TRUE);
	g_free(sorter->entries);
	g_free(sorter);
}

static uint8_t *row_at(const struct sorter *sorter, size_t i)
{
	uint8_t *chunk = g_ptr_array_index(sorter->chunks, i / sorter->rows_per_chunk);

	return chunk + i % sorter->rows_per_chunk * sorter->row_size;
}

/* ---- sorting in memory ---- */

/*
 * Eight bytes of all keys at a time, as numbers: a stable sort by those, then each run of equal
 * numbers by the next eight bytes. So keys are never compared through their rows, which lie
 * anywhere in memory.
 */
#define WORD 8
/* Fewer entries than this are merged, more are distributed. */
#define RADIX_MIN 512
/* Merging starts from runs of this length made by insertion. */
#define RUN 12

static uint64_t key_word(const struct sorter *sorter, const uint8_t *row, size_t offset)
{
	uint64_t word = 0;

	memcpy(&word, row + offset, MIN(sorter->key_size - offset, WORD));
	return sorter->reverse ? ~be64toh(word) : be64toh(word);
}

static void insertion_sort(struct entry *entries, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct entry entry = entries[i];
		size_t at = i;

		while (at > 0 && entries[at - 1].word > entry.word) {
			entries[at] = entries[at - 1];
			at--;
		}
		entries[at] = entry;
	}
}

static void merge_entries(const struct entry *left, const struct entry *middle,
			  const struct entry *end, struct entry *out)
{
	const struct entry *right = middle;

	while (left < middle && right < end) {
		*out++ = left->word <= right->word ? *left++ : *right++;
	}
	memcpy(out, left, (size_t)(middle - left) * sizeof(*out));
	memcpy(out + (middle - left), right, (size_t)(end - right) * sizeof(*out));
}

/* Returns the array that holds the result, one of the two. */
static struct entry *merge_sort(struct entry *from, struct entry *to, size_t count)
{
	for (size_t i = 0; i < count; i += RUN) {
		insertion_sort(from + i, MIN(RUN, count - i));
	}
	for (size_t width = RUN; width < count; width *= 2) {
		struct entry *swap = from;

		for (size_t i = 0; i < count; i += 2 * width) {
			size_t middle = MIN(i + width, count);
			size_t end = MIN(i + 2 * width, count);

			merge_entries(from + i, from + middle, from + end, to + i);
		}
		from = to;
		to = swap;
	}
	return from;
}

/* Distribute by each byte of the word, the last one first; bytes that are all equal are skipped. */
static struct entry *radix_sort(struct entry *from, struct entry *to, size_t count)
{
	size_t counts[WORD][256] = { 0 };

	for (size_t i = 0; i < count; i++) {
		for (unsigned byte = 0; byte < WORD; byte++) {
			counts[byte][from[i].word >> (8 * byte) & 0xff]++;
		}
	}
	for (unsigned byte = 0; byte < WORD; byte++) {
		struct entry *swap = from;
		size_t at = 0;

		if (counts[byte][from[0].word >> (8 * byte) & 0xff] == count) {
			continue;
		}
		for (unsigned value = 0; value < 256; value++) {
			size_t n = counts[byte][value];

			counts[byte][value] = at;
			at += n;
		}
		for (size_t i = 0; i < count; i++) {
			to[counts[byte][from[i].word >> (8 * byte) & 0xff]++] = from[i];
		}
		from = to;
		to = swap;
	}
	return from;
}

static void sort_entries(const struct sorter *sorter, struct entry *entries, struct entry *spare,
			 size_t count, size_t offset)
{
	struct entry *sorted;
	size_t start = 0;

	for (size_t i = 0; i < count; i++) {
		entries[i].word = key_word(sorter, entries[i].row, offset);
	}
	sorted = count < RADIX_MIN ? merge_sort(entries, spare, count)
				   : radix_sort(entries, spare, count);
	if (sorted != entries) {
		memcpy(entries, sorted, count * sizeof(*entries));
	}
	if (offset + WORD >= sorter->key_size) {
		return;
	}
	for (size_t i = 1; i <= count; i++) {
		if (i < count && entries[i].word == entries[start].word) {
			continue;
		}
		if (i - start > 1) {
			sort_entries(sorter, entries + start, spare + start, i - start,
				     offset + WORD);
		}
		start = i;
	}
}

static void sort_memory(struct sorter *sorter)
{
	struct entry *spare = g_new(struct entry, sorter->used);

	g_free(sorter->entries);
	sorter->entries = g_new(struct entry, sorter->used);
	for (size_t i = 0; i < sorter->used; i++) {
		sorter->entries[i].row = row_at(sorter, i);
	}
	if (sorter->key_size > 0) {
		sort_entries(sorter, sorter->entries, spare, sorter->used, 0);
	}
	g_free(spare);
	sorter->next = 0;
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
		status = rowrun_write(run, sorter->entries[i].row, err);
	}
	if (status == ST_OK) {
		status = rowrun_finish(run, err);
	}
	append_run(sorter, run, 0);
	sorter->used = 0;
	return status == ST_OK ? combine_runs(sorter, err) : status;
}

/* ---- in and out ---- */

uint8_t *sorter_add(struct sorter *sorter, struct err *err)
{
	if (sorter->used == sorter->limit && spill(sorter, err) != ST_OK) {
		return NULL;
	}
	if (sorter->used / sorter->rows_per_chunk == sorter->chunks->len) {
		g_ptr_array_add(sorter->chunks,
				g_malloc(sorter->rows_per_chunk * sorter->row_size));
	}
	sorter->count++;
	return row_at(sorter, sorter->used++);
}

int sorter_finish(struct sorter *sorter, struct err *err)
{
	if (sorter->runs->len == 0) {
		sort_memory(sorter);
		return ST_OK;
	}
	if (sorter->used > 0) {
		int status = spill(sorter, err);

		if (status != ST_OK) {
			return status;
		}
	}
	g_ptr_array_set_size(sorter->chunks, 0);
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
	if (sorter->next + AHEAD < sorter->used) {
		const uint8_t *later = sorter->entries[sorter->next + AHEAD].row;

		for (size_t at = 0; at < sorter->row_size; at += 64) {
			__builtin_prefetch(later + at);
		}
	}
	*row = sorter->entries[sorter->next++].row;
	return ST_OK;
}

uint64_t sorter_count(const struct sorter *sorter)
{
	return sorter->count;
}
