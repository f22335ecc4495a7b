/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of blocks into batches: chunks are opened when they are needed, columns of one value are
 * filled in without. */
#include "storage/blockfileparts.h"

#include <assert.h>
#include <string.h>

enum column_state {
	STATE_UNKNOWN,
	STATE_CONSTANT, /* the directory tells all */
	STATE_OPEN,
};

/* An extension column that the batch wants. */
struct wanted {
	struct chunk *chunk;
	size_t n;  /* column of the directory; when open */
	bool open; /* else the block does not have it */
};

struct blockfile_cursor {
	const struct blockfile *file;
	size_t block;
	struct blockfile_scratch *scratch;
	struct chunk *chunks[COLUMN_COUNT]; /* made when first needed */
	uint8_t states[COLUMN_COUNT];       /* enum column_state, of this block */
	bool begun;                         /* the scratch space knows of this block */
	uint32_t row;                       /* of the frame */
	struct wanted *wanted;              /* as many as the batch ever wanted */
	size_t wanted_count;
	bool extensions_open; /* of this block */
	struct encode_bytes strings[FRAME_ROWS];
};

struct blockfile_cursor *blockfile_cursor_new(void)
{
	struct blockfile_cursor *cursor = g_new0(struct blockfile_cursor, 1);

	cursor->scratch = blockfile_scratch_new();
	return cursor;
}

void blockfile_cursor_free(struct blockfile_cursor *cursor)
{
	if (cursor == NULL) {
		return;
	}
	for (enum column core = 0; core < COLUMN_COUNT; core++) {
		chunk_free(cursor->chunks[core]);
	}
	for (size_t i = 0; i < cursor->wanted_count; i++) {
		chunk_free(cursor->wanted[i].chunk);
	}
	g_free(cursor->wanted);
	blockfile_scratch_free(cursor->scratch);
	g_free(cursor);
}

void blockfile_cursor_set(struct blockfile_cursor *cursor, const struct blockfile *file, size_t i)
{
	cursor->file = file;
	cursor->block = i;
	cursor->begun = false;
	cursor->extensions_open = false;
	cursor->row = 0;
	memset(cursor->states, STATE_UNKNOWN, sizeof(cursor->states));
}

uint32_t blockfile_cursor_frame(struct blockfile_cursor *cursor, uint32_t row, struct batch *batch)
{
	const struct flowblock *block = blockfile_block(cursor->file, cursor->block);

	assert(row % FRAME_ROWS == 0);
	batch_clear(batch, 0);
	if (row >= block->rows) {
		return 0;
	}
	cursor->row = row;
	batch->rows = MIN(block->rows - row, FRAME_ROWS);
	batch_select_all(batch);
	return batch->rows;
}

static void begin(struct blockfile_cursor *cursor)
{
	if (!cursor->begun) {
		blockfile_scratch_begin(cursor->scratch, cursor->file, cursor->block);
		cursor->begun = true;
	}
}

int blockfile_cursor_chunk(struct blockfile_cursor *cursor, enum column column,
			   struct chunk **chunk, struct err *err)
{
	int rc;

	if (cursor->states[column] == STATE_OPEN) {
		*chunk = cursor->chunks[column];
		return ST_OK;
	}
	begin(cursor);
	if (cursor->chunks[column] == NULL) {
		cursor->chunks[column] = chunk_new();
	}
	rc = blockfile_chunk(cursor->file, cursor->block, column, cursor->chunks[column],
			     cursor->scratch, err);
	if (rc == ST_OK) {
		cursor->states[column] = STATE_OPEN;
		*chunk = cursor->chunks[column];
	}
	return rc;
}

/* Does the directory say that all rows have one value? */
static bool is_constant(const struct summary *summary, enum column column)
{
	const struct summary_range *range = &summary->range[column];

	if (!(summary->ranged & COLUMN_BIT(column))) {
		return false;
	}
	if (column_form(column_core(column)->type) == COLUMN_FORM_ADDRESS) {
		return ip_equal(range->min_ip, range->max_ip);
	}
	return range->min == range->max;
}

static void fill_constant(struct batch *batch, enum column column,
			  const struct summary_range *range)
{
	switch (column) {
#define X(upper, member, type)                                                                     \
	case COLUMN_##upper:                                                                       \
		for (uint32_t i = 0; i < batch->rows; i++) {                                       \
			batch->member[i] = _Generic(batch->member[i], struct ip                    \
						    : range->min_ip, default                       \
						    : range->min);                                 \
		}                                                                                  \
		break;
		RECORD_COLUMNS(X)
#undef X
	case COLUMN_COUNT:
		break;
	}
}

static int read_chunk(struct chunk *chunk, enum column column, uint32_t row, struct batch *batch,
		      struct err *err)
{
	switch (column) {
#define X(upper, member, type)                                                                     \
	case COLUMN_##upper:                                                                       \
		return _Generic(batch->member[0], struct ip                                        \
				: chunk_read_ip, int64_t                                           \
				: chunk_read_i64, uint64_t                                         \
				: chunk_read_u64, uint32_t                                         \
				: chunk_read_u32, uint16_t                                         \
				: chunk_read_u16, uint8_t                                          \
				: chunk_read_u8)(chunk, row, batch->rows, batch->member, err);
		RECORD_COLUMNS(X)
#undef X
	case COLUMN_COUNT:
		break;
	}
	return ST_OK;
}

static int load_column(struct blockfile_cursor *cursor, struct batch *batch, enum column column,
		       struct err *err)
{
	const struct flowblock *block = blockfile_block(cursor->file, cursor->block);
	struct chunk *chunk = NULL;
	int rc;

	if (cursor->states[column] == STATE_UNKNOWN && is_constant(&block->summary, column)) {
		cursor->states[column] = STATE_CONSTANT;
	}
	if (cursor->states[column] == STATE_CONSTANT) {
		fill_constant(batch, column, &block->summary.range[column]);
		return ST_OK;
	}
	rc = blockfile_cursor_chunk(cursor, column, &chunk, err);
	if (rc != ST_OK) {
		return rc;
	}
	rc = read_chunk(chunk, column, cursor->row, batch, err);
	if (rc != ST_OK && err != NULL) {
		blockfile_prefix(cursor->file, cursor->block, &column_core(column)->key, err);
	}
	return rc;
}

int blockfile_cursor_load(struct blockfile_cursor *cursor, struct batch *batch, uint32_t columns,
			  struct err *err)
{
	uint32_t missing = columns & ~batch->columns;
	int rc = ST_OK;

	while (rc == ST_OK && missing != 0) {
		enum column column = (enum column)__builtin_ctz(missing);

		rc = load_column(cursor, batch, column, err);
		if (rc == ST_OK) {
			batch->columns |= COLUMN_BIT(column);
			missing &= missing - 1;
		}
	}
	return rc;
}

/* ---- extension columns ---- */

/* Of the directory, whose entries ascend. */
static bool find_column(const struct flowblock *block, const struct ie_key *key, size_t *n)
{
	const struct column_key wanted = { .pen = key->pen, .id = key->id };
	size_t low = 0;
	size_t high = block->column_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = column_key_compare(&wanted, &block->columns[middle].key);

		if (order == 0) {
			*n = middle;
			return true;
		}
		if (order < 0) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return false;
}

/* For a batch that wants all there are. */
static void tell_extensions(const struct flowblock *block, struct batch *batch)
{
	struct ie_key *keys = g_new(struct ie_key, block->column_count + 1);
	size_t count = 0;

	for (size_t n = 0; n < block->column_count; n++) {
		const struct column_key *key = &block->columns[n].key;

		if (column_find(key) == COLUMN_COUNT) {
			keys[count++] = (struct ie_key){ .pen = key->pen, .id = key->id };
		}
	}
	batch_set_extensions(batch, keys, count);
	g_free(keys);
}

static void make_wanted(struct blockfile_cursor *cursor, size_t count)
{
	if (count > cursor->wanted_count) {
		cursor->wanted = g_renew(struct wanted, cursor->wanted, count);
		memset(cursor->wanted + cursor->wanted_count, 0,
		       (count - cursor->wanted_count) * sizeof(*cursor->wanted));
		cursor->wanted_count = count;
	}
}

int blockfile_cursor_open_extensions(struct blockfile_cursor *cursor, struct batch *batch,
				     struct err *err)
{
	const struct flowblock *block = blockfile_block(cursor->file, cursor->block);
	int rc = ST_OK;

	if (batch->extensions == NULL || cursor->extensions_open) {
		return ST_OK;
	}
	tell_extensions(block, batch);
	make_wanted(cursor, batch_extension_count(batch));
	begin(cursor);
	for (size_t i = 0; rc == ST_OK && i < batch_extension_count(batch); i++) {
		struct wanted *wanted = &cursor->wanted[i];

		wanted->open = find_column(block, &batch_extension(batch, i)->key, &wanted->n);
		if (!wanted->open) {
			continue;
		}
		if (wanted->chunk == NULL) {
			wanted->chunk = chunk_new();
		}
		rc = blockfile_chunk_at(cursor->file, cursor->block, wanted->n, wanted->chunk,
					cursor->scratch, err);
	}
	cursor->extensions_open = rc == ST_OK;
	return rc;
}

static int read_extension(struct blockfile_cursor *cursor, struct chunk *chunk, uint32_t rows,
			  struct batch_extension *out, struct err *err)
{
	int rc = chunk_read_presence(chunk, cursor->row, rows, out->present, err);

	out->any = rc == ST_OK && memchr(out->present, 1, rows) != NULL;
	if (!out->any) {
		return rc;
	}
	switch (column_form(out->type)) {
	case COLUMN_FORM_NUMBER:
		return chunk_read_u64(chunk, cursor->row, rows, out->numbers, err);
	case COLUMN_FORM_ADDRESS:
		return chunk_read_ip(chunk, cursor->row, rows, out->addresses, err);
	case COLUMN_FORM_BYTES:
		break;
	}
	rc = chunk_read_strings(chunk, cursor->row, rows, cursor->strings, err);
	for (uint32_t i = 0; rc == ST_OK && i < rows; i++) {
		out->strings[i] = (struct batch_bytes){ .bytes = cursor->strings[i].bytes,
							.len = cursor->strings[i].len };
	}
	return rc;
}

int blockfile_cursor_load_extensions(struct blockfile_cursor *cursor, struct batch *batch,
				     struct err *err)
{
	const struct flowblock *block = blockfile_block(cursor->file, cursor->block);
	int rc = blockfile_cursor_open_extensions(cursor, batch, err);

	for (size_t i = 0; rc == ST_OK && i < batch_extension_count(batch); i++) {
		const struct wanted *wanted = &cursor->wanted[i];
		struct batch_extension *out = batch_extension(batch, i);

		out->any = false;
		if (!wanted->open) {
			continue;
		}
		out->type = block->columns[wanted->n].type;
		rc = read_extension(cursor, wanted->chunk, batch->rows, out, err);
		if (rc != ST_OK && err != NULL) {
			blockfile_prefix(cursor->file, cursor->block,
					 &block->columns[wanted->n].key, err);
		}
	}
	return rc;
}

uint64_t blockfile_cursor_bytes(const struct blockfile_cursor *cursor)
{
	return blockfile_scratch_bytes(cursor->scratch);
}
