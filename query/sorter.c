/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/sorter.h"

#include <endian.h>
#include <string.h>

#include <glib.h>

#include "common/hugeroom.h"
#include "query/rowrun.h"

#define MEMORY_DEFAULT_BYTES (UINT64_C(1) << 30)
#define CHUNK_BYTES          (2 * HUGEROOM_BYTES)
/* Runs of one level that are merged into one of the next, so that few files are open at once. */
#define FAN_IN 32
/* Rows that are fetched into the cache before their turn, as they lie anywhere in memory. */
#define AHEAD 16
/* Bytes of a key that are sorted by at a time. */
#define WORD 8

/* A row to sort, and eight bytes of its key as a number. */
struct entry {
	uint64_t word;
	const uint8_t *row;
};

/* Which bytes of the key make a word: those from the first on, or, scattered, the ones listed. */
struct word_bytes {
	size_t from[WORD];
	unsigned count;
	bool scattered;
};

struct sorter {
	size_t key_size;
	size_t row_size;
	size_t limit; /* rows in memory */
	const char *temp_dir;
	bool reverse;

	GPtrArray *chunks; /* of rows */
	size_t rows_per_chunk;
	size_t used;      /* rows in memory */
	size_t noted;     /* of which differs tells */
	uint8_t *differs; /* by byte of the key: the bits in which keys in memory differ */
	GArray *words;    /* struct word_bytes, while rows in memory are sorted */
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
	sorter->rows_per_chunk = MAX(MIN(CHUNK_BYTES / opts->row_size, sorter->limit), 1);
	sorter->differs = g_malloc0(opts->key_size);
	sorter->words = g_array_new(FALSE, FALSE, sizeof(struct word_bytes));
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
	g_array_free(sorter->words, TRUE);
	g_ptr_array_free(sorter->chunks, TRUE);
	g_free(sorter->differs);
	g_free(sorter->entries);
	g_free(sorter);
}

static uint8_t *row_at(const struct sorter *sorter, size_t i)
{
	uint8_t *chunk = g_ptr_array_index(sorter->chunks, i / sorter->rows_per_chunk);

	return chunk + i % sorter->rows_per_chunk * sorter->row_size;
}

/* ---- words of keys ---- */

static uint64_t load_word(const uint8_t *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof(word));
	return word;
}

static void note_differences(const struct sorter *sorter, const uint8_t *row, const uint8_t *first)
{
	uint8_t *differs = sorter->differs;
	size_t at = 0;

	for (; at + WORD <= sorter->key_size; at += WORD) {
		uint64_t word =
			load_word(differs + at) | (load_word(row + at) ^ load_word(first + at));

		memcpy(differs + at, &word, sizeof(word));
	}
	for (; at < sorter->key_size; at++) {
		differs[at] |= row[at] ^ first[at];
	}
}

/* Rows handed out so far have been filled: take note while they are in the cache. */
static void note_rows(struct sorter *sorter)
{
	while (sorter->noted < sorter->used) {
		const uint8_t *first = row_at(sorter, 0);
		const uint8_t *row = row_at(sorter, sorter->noted);
		size_t rest = sorter->rows_per_chunk - sorter->noted % sorter->rows_per_chunk;
		size_t rows = MIN(rest, sorter->used - sorter->noted);

		for (size_t i = 0; i < rows; i++, row += sorter->row_size) {
			note_differences(sorter, row, first);
		}
		sorter->noted += rows;
	}
}

/* Only bytes in which keys differ are sorted by; often they fit one word. */
static void choose_words(struct sorter *sorter)
{
	struct word_bytes bytes = { .count = 0 };

	g_array_set_size(sorter->words, 0);
	for (size_t at = 0; at < sorter->key_size; at++) {
		if (sorter->differs[at] != 0) {
			bytes.from[bytes.count++] = at;
		}
		if (bytes.count == 0 || (bytes.count < WORD && at + 1 < sorter->key_size)) {
			continue;
		}
		bytes.scattered = sorter->key_size < WORD ||
				  bytes.from[bytes.count - 1] - bytes.from[0] >= WORD;
		if (!bytes.scattered) {
			bytes.from[0] = MIN(bytes.from[0], sorter->key_size - WORD);
		}
		g_array_append_val(sorter->words, bytes);
		bytes.count = 0;
	}
	memset(sorter->differs, 0, sorter->key_size);
	sorter->noted = 0;
}

static uint64_t gather_word(const struct word_bytes *bytes, const uint8_t *row)
{
	uint64_t word = 0;

	for (unsigned i = 0; i < bytes->count; i++) {
		word = word << 8 | row[bytes->from[i]];
	}
	return word;
}

/* Fill in the words of all entries; returns the bits in which they differ. */
static uint64_t fill_words(struct entry *entries, size_t count, const struct word_bytes *bytes,
			   bool reverse)
{
	uint64_t flip = reverse ? UINT64_MAX : 0;
	uint64_t differs = 0;

	for (size_t i = 0; i < count; i++) {
		const uint8_t *row = entries[i].row;

		if (i + AHEAD < count) {
			__builtin_prefetch(entries[i + AHEAD].row + bytes->from[0]);
		}
		entries[i].word =
			flip ^ (bytes->scattered ? gather_word(bytes, row)
						 : be64toh(load_word(row + bytes->from[0])));
		differs |= entries[i].word ^ entries[0].word;
	}
	return differs;
}

/* ---- sorting in memory ---- */

/*
 * A word of all keys at a time: a stable sort by those, then each run of equal words by the next
 * word. So keys are never compared through their rows, which lie anywhere in memory.
 */

/* Fewer entries than this are merged, more are distributed. */
#define RADIX_MIN 512
/* By so many bits at a time. */
#define DIGIT_BITS   8
#define DIGIT_VALUES (1u << DIGIT_BITS)
/* Merging starts from runs of this length made by insertion. */
#define RUN 12

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

static void distribute(const struct entry *from, struct entry *to, size_t count, unsigned shift)
{
	size_t places[DIGIT_VALUES] = { 0 };
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		places[from[i].word >> shift & (DIGIT_VALUES - 1)]++;
	}
	for (unsigned value = 0; value < DIGIT_VALUES; value++) {
		size_t n = places[value];

		places[value] = at;
		at += n;
	}
	for (size_t i = 0; i < count; i++) {
		to[places[from[i].word >> shift & (DIGIT_VALUES - 1)]++] = from[i];
	}
}

/* By each digit in which words differ, the last one first. */
static struct entry *radix_sort(struct entry *from, struct entry *to, size_t count,
				uint64_t differs)
{
	unsigned shift = 0;

	while (differs >> shift != 0) {
		struct entry *swap = from;

		shift += (unsigned)__builtin_ctzll(differs >> shift);
		distribute(from, to, count, shift);
		from = to;
		to = swap;
		shift += DIGIT_BITS;
		if (shift >= 64) {
			break;
		}
	}
	return from;
}

/* From word number n of the keys on. Returns the array that holds the result, one of the two. */
static struct entry *sort_entries(const struct sorter *sorter, struct entry *entries,
				  struct entry *spare, size_t count, guint n)
{
	const struct word_bytes *bytes = &g_array_index(sorter->words, struct word_bytes, n);
	uint64_t differs = fill_words(entries, count, bytes, sorter->reverse);
	struct entry *sorted = count < RADIX_MIN ? merge_sort(entries, spare, count)
						 : radix_sort(entries, spare, count, differs);
	struct entry *other = sorted == entries ? spare : entries;
	size_t start = 0;

	if (n + 1 == sorter->words->len) {
		return sorted;
	}
	for (size_t i = 1; i <= count; i++) {
		struct entry *run = sorted + start;

		if (i < count && sorted[i].word == run->word) {
			continue;
		}
		if (i - start > 1 &&
		    sort_entries(sorter, run, other + start, i - start, n + 1) != run) {
			memcpy(run, other + start, (i - start) * sizeof(*run));
		}
		start = i;
	}
	return sorted;
}

static void list_rows(const struct sorter *sorter, struct entry *entries)
{
	for (size_t i = 0; i < sorter->used;) {
		const uint8_t *row = row_at(sorter, i);
		size_t end = MIN(i + sorter->rows_per_chunk, sorter->used);

		for (; i < end; i++, row += sorter->row_size) {
			entries[i].row = row;
		}
	}
}

static void sort_memory(struct sorter *sorter)
{
	struct entry *entries = hugeroom_new(sorter->used * sizeof(struct entry));

	g_free(sorter->entries);
	sorter->entries = entries;
	sorter->next = 0;
	list_rows(sorter, entries);
	note_rows(sorter);
	choose_words(sorter);
	if (sorter->used > 1 && sorter->words->len > 0) {
		struct entry *spare = hugeroom_new(sorter->used * sizeof(struct entry));

		sorter->entries = sort_entries(sorter, entries, spare, sorter->used, 0);
		g_free(sorter->entries == entries ? spare : entries);
	}
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

uint8_t *sorter_add_rows(struct sorter *sorter, uint32_t want, uint32_t *count, struct err *err)
{
	size_t in_chunk, rows;

	if (sorter->used == sorter->limit && spill(sorter, err) != ST_OK) {
		return NULL;
	}
	note_rows(sorter);
	in_chunk = sorter->used % sorter->rows_per_chunk;
	if (sorter->used / sorter->rows_per_chunk == sorter->chunks->len) {
		g_ptr_array_add(sorter->chunks,
				hugeroom_new(sorter->rows_per_chunk * sorter->row_size));
	}
	rows = MIN(want, sorter->rows_per_chunk - in_chunk);
	rows = MIN(rows, sorter->limit - sorter->used);
	sorter->used += rows;
	sorter->count += rows;
	*count = (uint32_t)rows;
	return row_at(sorter, sorter->used - rows);
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
