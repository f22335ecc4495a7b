/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bounds of the buckets are those of a sample of the rows. Then each thread moves the rows of a part of the
 * store to strips, one for each bucket: chunks of memory of which it has its own supply, the blocks
 * that it has emptied. So a row is read once and written once, both nearly in order, and there are
 * never many more bytes of rows than before. A bucket is its strips of all threads, in their order.
 */
#include "query/rowbuckets.h"

#include "common/parallel.h"
#include "query/keybounds.h"
#include "query/rowstoreparts.h"

/* Rows of fewer bytes are one bucket. */
#define SMALL_BYTES ((size_t)4 << 20)
/* What a bucket should have, if there need not be too many of them. */
#define BUCKET_BYTES ((size_t)256 << 10)
#define BUCKETS_MAX  1024u
/* Rows of the sample for each of them. */
#define SAMPLE 16
/* More threads would need too much room for strips. */
#define THREADS_MAX 8u
#define CHUNK_BYTES ((size_t)8 << 10)
/* Blocks that are made for chunks. */
#define NEW_BLOCK_BYTES ((size_t)1 << 20)
/* Rows are read so far ahead. */
#define FETCH_BYTES 1024
#define LINE_BYTES  64
/* Memory that will be written is fetched so far ahead. */
#define AHEAD_BYTES 128
/* Rows whose buckets are looked for together. */
#define GROUP 64u
/* In front of each row in a chunk: its form. */
#define FORM_BYTES 2

/* Rows that one thread has put together, one behind the other. */
struct chunk {
	uint64_t at; /* as a row of form 0 */
	uint32_t rows;
};

struct strip {
	GArray *chunks;  /* struct chunk */
	uint8_t *to;     /* where the next row goes in the last one */
	size_t left;     /* bytes there */
	uint32_t *count; /* of its rows */
	size_t rows;
};

struct mover {
	struct rowbuckets *buckets;
	guint first_area;
	guint end_area;
	struct strip *strips; /* one for each bucket */
	GArray *free_blocks;  /* guint: numbers of emptied ones */
	uint64_t chunk_at;    /* the next chunk, if any is left of its block */
	size_t chunks_left;
	uint8_t *keys; /* of a group */
};

struct rowbuckets {
	struct rowstore *store;
	struct keybounds *bounds;
	const struct rowword *word; /* the first one of keys */
	size_t behind_word;         /* the byte behind it */
	uint64_t flip;              /* bits of words */
	size_t key_room;            /* of a row of which a key is looked at */
	size_t count;
	size_t *form_sizes; /* by form */
	struct mover *movers;
	unsigned mover_count; /* 0: one bucket, which is the store */
	guint blocks_used;    /* atomic */
};

/* ---- bounds ---- */

static void choose_bounds(struct rowbuckets *buckets)
{
	struct rowstore *store = buckets->store;
	size_t wanted = MIN(store->bytes / BUCKET_BYTES, BUCKETS_MAX);
	size_t step = MAX(store->rows / (wanted * SAMPLE), 1);
	struct rowcursor cursor = { .end = store->areas->len };
	uint8_t *key = g_malloc(buckets->key_room);
	uint64_t row;

	while (rowstore_next(store, &cursor, &row, 1) > 0) {
		rowstore_get(store, row, 0, keybounds_extent(buckets->bounds), key);
		keybounds_sample(buckets->bounds, key);
		rowstore_skip(store, &cursor, step - 1);
	}
	keybounds_choose(buckets->bounds, wanted);
	buckets->count = keybounds_parts(buckets->bounds);
	g_free(key);
}

/* The first words of so many keys; room for them is in keys. */
static void load_words(const struct rowbuckets *buckets, const uint64_t *rows, size_t count,
		       uint8_t *keys, uint64_t *words)
{
	const struct rowword *word = buckets->word;

	/* in two steps, as the processor would wait for what has just been written */
	for (size_t i = 0; i < count; i++) {
		rowstore_get(buckets->store, rows[i], word->begin, word->end,
			     keys + i * buckets->key_room);
	}
	for (size_t i = 0; i < count; i++) {
		words[i] = buckets->flip ^ rowword_load(word, keys + i * buckets->key_room);
	}
}

/* ---- moving ---- */

/* Chunks in a block that was emptied, or in one more. */
static void take_block(struct mover *mover)
{
	struct rowstore *store = mover->buckets->store;
	GArray *free_blocks = mover->free_blocks;
	size_t bytes = NEW_BLOCK_BYTES;
	guint number;

	if (free_blocks->len > 0) {
		number = g_array_index(free_blocks, guint, free_blocks->len - 1);
		bytes = ((struct rowarea *)g_ptr_array_index(store->areas, number))->size;
		g_array_set_size(free_blocks, free_blocks->len - 1);
	} else {
		number = __atomic_fetch_add(&mover->buckets->blocks_used, 1, __ATOMIC_RELAXED);
		store->blocks->pdata[number] = g_malloc(NEW_BLOCK_BYTES);
	}
	mover->chunk_at = (uint64_t)number << BLOCK_SHIFT;
	mover->chunks_left = bytes / CHUNK_BYTES;
}

static void begin_chunk(struct mover *mover, struct strip *strip)
{
	struct chunk chunk;

	while (mover->chunks_left == 0) {
		take_block(mover);
	}
	chunk = (struct chunk){ .at = mover->chunk_at };
	g_array_append_val(strip->chunks, chunk);
	strip->count = &g_array_index(strip->chunks, struct chunk, strip->chunks->len - 1).rows;
	strip->to = rowstore_at(mover->buckets->store, chunk.at);
	strip->left = CHUNK_BYTES;
	mover->chunk_at += CHUNK_BYTES;
	mover->chunks_left--;
}

/* Up to ROWFORM_SLACK bytes more than size are read, and written. */
static void copy_row(uint8_t *to, const uint8_t *from, size_t size)
{
	for (size_t i = 0; i < size; i += ROWFORM_SLACK) {
		memcpy(to + i, from + i, ROWFORM_SLACK);
	}
}

static void move_row(struct mover *mover, uint64_t row, struct strip *strip)
{
	const struct rowbuckets *buckets = mover->buckets;
	uint16_t form = (uint16_t)(row >> FORM_SHIFT);
	size_t size = buckets->form_sizes[form];

	if (strip->left < FORM_BYTES + size + ROWFORM_SLACK) {
		begin_chunk(mover, strip);
	}
	memcpy(strip->to, &form, sizeof(form));
	copy_row(strip->to + FORM_BYTES, rowstore_at(buckets->store, row), size);
	strip->to += FORM_BYTES + size;
	strip->left -= FORM_BYTES + size;
	/* where the next rows go is nowhere in the cache */
	__builtin_prefetch(strip->to + AHEAD_BYTES, 1);
	strip->rows++;
	++*strip->count;
}

static size_t find_further(struct mover *mover, uint64_t row)
{
	const struct keybounds *bounds = mover->buckets->bounds;

	rowstore_get(mover->buckets->store, row, 0, keybounds_extent(bounds), mover->keys);
	return keybounds_find_further(bounds, mover->keys);
}

static void move_group(struct mover *mover, const uint64_t *rows, size_t count)
{
	const struct rowbuckets *buckets = mover->buckets;
	uint64_t words[GROUP];
	uint32_t parts[GROUP];

	for (size_t i = 0; i < count; i++) {
		__builtin_prefetch(rowstore_at(buckets->store, rows[i]) + FETCH_BYTES);
	}
	load_words(buckets, rows, count, mover->keys, words);
	keybounds_find(buckets->bounds, words, count, parts);
	for (size_t i = 0; i < count; i++) {
		size_t part =
			parts[i] == KEYBOUNDS_FURTHER ? find_further(mover, rows[i]) : parts[i];

		move_row(mover, rows[i], &mover->strips[part]);
	}
}

static void move_areas(void *arg, unsigned thread, size_t number)
{
	struct mover *mover = &((struct rowbuckets *)arg)->movers[number];
	const struct rowstore *store = mover->buckets->store;

	for (guint i = mover->first_area; i < mover->end_area; i++) {
		struct rowcursor cursor = { .area = i, .end = i + 1 };
		uint64_t rows[GROUP];
		size_t count;

		while ((count = rowstore_next(store, &cursor, rows, GROUP)) > 0) {
			move_group(mover, rows, count);
		}
		g_array_append_val(mover->free_blocks, i);
	}
}

/* Areas first..end-1. */
static void mover_init(struct mover *mover, struct rowbuckets *buckets, guint first, guint end)
{
	mover->buckets = buckets;
	mover->first_area = first;
	mover->end_area = end;
	mover->strips = g_new0(struct strip, buckets->count);
	for (size_t i = 0; i < buckets->count; i++) {
		mover->strips[i].chunks = g_array_new(FALSE, FALSE, sizeof(struct chunk));
	}
	mover->free_blocks = g_array_new(FALSE, FALSE, sizeof(guint));
	mover->keys = g_malloc(GROUP * buckets->key_room);
}

static void mover_release(struct mover *mover, size_t strips)
{
	for (size_t i = 0; i < strips; i++) {
		g_array_free(mover->strips[i].chunks, TRUE);
	}
	g_free(mover->strips);
	g_array_free(mover->free_blocks, TRUE);
	g_free(mover->keys);
}

/* The store's list of blocks cannot grow while several threads look at it: room for the most. */
static void make_room(struct rowbuckets *buckets)
{
	struct rowstore *store = buckets->store;
	/* at the end of a chunk a quarter may be left, for want of room for a row */
	size_t bytes = (store->bytes + store->rows * FORM_BYTES) / 3 * 4 +
		       buckets->mover_count * (buckets->count * CHUNK_BYTES + NEW_BLOCK_BYTES);

	buckets->blocks_used = store->blocks->len;
	g_ptr_array_set_size(store->blocks,
			     (gint)(store->blocks->len + bytes / NEW_BLOCK_BYTES + 1));
}

static void move_all(struct rowbuckets *buckets, unsigned threads)
{
	struct rowstore *store = buckets->store;
	guint areas = store->areas->len;

	buckets->mover_count = CLAMP(threads, 1, MIN(THREADS_MAX, areas));
	buckets->movers = g_new0(struct mover, buckets->mover_count);
	for (unsigned i = 0; i < buckets->mover_count; i++) {
		mover_init(&buckets->movers[i], buckets, areas * i / buckets->mover_count,
			   areas * (i + 1) / buckets->mover_count);
	}
	make_room(buckets);
	parallel_run(threads, buckets->mover_count, move_areas, buckets);
	g_ptr_array_set_size(store->blocks, (gint)buckets->blocks_used);
}

/* ---- all together ---- */

static void note_form_sizes(struct rowbuckets *buckets)
{
	const GPtrArray *forms = buckets->store->forms;

	buckets->form_sizes = g_new(size_t, forms->len + 1);
	buckets->form_sizes[0] = buckets->store->row_size;
	for (guint i = 0; i < forms->len; i++) {
		buckets->form_sizes[i + 1] = rowform_size(g_ptr_array_index(forms, i));
	}
}

struct rowbuckets *rowbuckets_new(struct rowstore *store, bool reverse, unsigned threads)
{
	struct rowbuckets *buckets = g_new0(struct rowbuckets, 1);

	rowstore_pack(store);
	buckets->store = store;
	buckets->count = 1;
	buckets->bounds = keybounds_new(store->differs, store->key_size, reverse);
	buckets->word = keybounds_word(buckets->bounds, &buckets->behind_word);
	buckets->flip = reverse ? UINT64_MAX : 0;
	buckets->key_room = store->row_size + ROWFORM_SLACK;
	note_form_sizes(buckets);
	if (store->bytes >= SMALL_BYTES &&
	    FORM_BYTES + store->row_size + ROWFORM_SLACK <= CHUNK_BYTES / 4) {
		choose_bounds(buckets);
	}
	if (buckets->count > 1) {
		move_all(buckets, threads);
	}
	return buckets;
}

void rowbuckets_free(struct rowbuckets *buckets)
{
	if (buckets) {
		for (unsigned i = 0; i < buckets->mover_count; i++) {
			mover_release(&buckets->movers[i], buckets->count);
		}
		g_free(buckets->movers);
		keybounds_free(buckets->bounds);
		g_free(buckets->form_sizes);
		g_free(buckets);
	}
}

size_t rowbuckets_count(const struct rowbuckets *buckets)
{
	return buckets->count;
}

size_t rowbuckets_rows(const struct rowbuckets *buckets, size_t i)
{
	size_t rows = 0;

	if (buckets->mover_count == 0) {
		return rowstore_count(buckets->store);
	}
	for (unsigned m = 0; m < buckets->mover_count; m++) {
		rows += buckets->movers[m].strips[i].rows;
	}
	return rows;
}

static size_t list_chunk(const struct rowbuckets *buckets, const struct chunk *chunk,
			 struct sortentry *entries)
{
	uint64_t at = chunk->at;

	for (uint32_t i = 0; i < chunk->rows; i++) {
		uint16_t form;

		memcpy(&form, rowstore_at(buckets->store, at), sizeof(form));
		at += FORM_BYTES;
		entries[i].row = at | (uint64_t)form << FORM_SHIFT;
		at += buckets->form_sizes[form];
	}
	return chunk->rows;
}

/* A chunk begins anywhere, which the processor cannot foresee. */
static void fetch_chunk(const struct rowbuckets *buckets, const GArray *chunks, guint c)
{
	if (c < chunks->len) {
		const uint8_t *at =
			rowstore_at(buckets->store, g_array_index(chunks, struct chunk, c).at);

		for (size_t i = 0; i < FETCH_BYTES; i += LINE_BYTES) {
			__builtin_prefetch(at + i);
		}
	}
}

static void list_strips(const struct rowbuckets *buckets, size_t i, struct sortentry *entries)
{
	for (unsigned m = 0; m < buckets->mover_count; m++) {
		const GArray *chunks = buckets->movers[m].strips[i].chunks;

		for (guint c = 0; c < chunks->len; c++) {
			fetch_chunk(buckets, chunks, c + 1);
			entries += list_chunk(buckets, &g_array_index(chunks, struct chunk, c),
					      entries);
		}
	}
}

static void list_store(const struct rowbuckets *buckets, struct sortentry *entries)
{
	struct rowcursor cursor = { .end = buckets->store->areas->len };
	uint64_t row;

	while (rowstore_next(buckets->store, &cursor, &row, 1) > 0) {
		(entries++)->row = row;
	}
}

void rowbuckets_list(const struct rowbuckets *buckets, size_t i, struct sortentry *entries)
{
	const size_t count = rowbuckets_rows(buckets, i);
	uint8_t *keys = g_malloc(GROUP * buckets->key_room);

	if (buckets->mover_count > 0) {
		list_strips(buckets, i, entries);
	} else {
		list_store(buckets, entries);
	}
	for (size_t from = 0; from < count; from += GROUP) {
		uint64_t rows[GROUP], words[GROUP];
		size_t part = MIN(count - from, GROUP);

		for (size_t k = 0; k < part; k++) {
			rows[k] = entries[from + k].row;
		}
		load_words(buckets, rows, part, keys, words);
		for (size_t k = 0; k < part; k++) {
			entries[from + k].word = words[k];
		}
	}
	g_free(keys);
}

size_t rowbuckets_behind_word(const struct rowbuckets *buckets)
{
	return buckets->behind_word;
}
