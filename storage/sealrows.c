/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/sealrows.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

/* One extension column of one block, in memory. */
struct extension {
	struct column_key key;
	uint8_t type;
	uint8_t *present; /* by row */
	union {
		uint64_t *numbers;
		struct ip *addresses;
		struct encode_bytes *strings; /* their bytes are ours */
	};
};

/* The extension columns of a block that rows were taken from. */
struct origin {
	size_t count;
	struct extension *extensions;
	GStringChunk *bytes; /* of strings */
};

/* Where a row is, and where it came from. */
struct place {
	int64_t start_ns;
	uint32_t record; /* in records, which is the order they were taken in */
};

struct source_row {
	uint32_t origin; /* in origins */
	uint32_t row;    /* in its block */
};

struct sealrows {
	GArray *records; /* struct record */
	GArray *sources; /* struct source_row, beside records; only when a block has extensions */
	GArray *places;  /* struct place */
	GPtrArray *origins;
	struct blockfile_cursor *cursor;
	struct blockfile_scratch *scratch;
	struct chunk *chunk;
	struct batch *batch;
};

static void origin_free(void *arg)
{
	struct origin *origin = arg;

	for (size_t i = 0; i < origin->count; i++) {
		g_free(origin->extensions[i].present);
		g_free(origin->extensions[i].numbers);
	}
	g_clear_pointer(&origin->bytes, g_string_chunk_free);
	g_free(origin->extensions);
	g_free(origin);
}

struct sealrows *sealrows_new(void)
{
	struct sealrows *rows = g_new0(struct sealrows, 1);

	rows->records = g_array_new(FALSE, FALSE, sizeof(struct record));
	rows->sources = g_array_new(FALSE, FALSE, sizeof(struct source_row));
	rows->places = g_array_new(FALSE, FALSE, sizeof(struct place));
	rows->origins = g_ptr_array_new_with_free_func(origin_free);
	rows->cursor = blockfile_cursor_new();
	rows->scratch = blockfile_scratch_new();
	rows->chunk = chunk_new();
	rows->batch = batch_new();
	return rows;
}

void sealrows_free(struct sealrows *rows)
{
	if (rows == NULL) {
		return;
	}
	g_array_free(rows->records, TRUE);
	g_array_free(rows->sources, TRUE);
	g_array_free(rows->places, TRUE);
	g_ptr_array_free(rows->origins, TRUE);
	blockfile_cursor_free(rows->cursor);
	blockfile_scratch_free(rows->scratch);
	chunk_free(rows->chunk);
	batch_free(rows->batch);
	g_free(rows);
}

void sealrows_clear(struct sealrows *rows)
{
	g_array_set_size(rows->records, 0);
	g_array_set_size(rows->sources, 0);
	g_array_set_size(rows->places, 0);
	g_ptr_array_set_size(rows->origins, 0);
}

/* ---- extension columns ---- */

/* Values of count rows of the opened chunk, into their places in extension. */
static int read_frame(struct sealrows *rows, struct extension *extension, GStringChunk *bytes,
		      uint32_t row, uint32_t count, struct err *err)
{
	int rc = chunk_read_presence(rows->chunk, row, count, extension->present + row, err);

	if (rc != ST_OK) {
		return rc;
	}
	switch (column_form(extension->type)) {
	case COLUMN_FORM_NUMBER:
		return chunk_read_u64(rows->chunk, row, count, extension->numbers + row, err);
	case COLUMN_FORM_ADDRESS:
		return chunk_read_ip(rows->chunk, row, count, extension->addresses + row, err);
	case COLUMN_FORM_BYTES:
		break;
	}
	rc = chunk_read_strings(rows->chunk, row, count, extension->strings + row, err);
	for (uint32_t i = row; rc == ST_OK && i < row + count; i++) {
		struct encode_bytes *string = &extension->strings[i];

		string->bytes = (const uint8_t *)g_string_chunk_insert_len(
			bytes, (const char *)string->bytes, (gssize)string->len);
	}
	return rc;
}

static size_t value_size(uint8_t type)
{
	static const size_t sizes[] = {
		[COLUMN_FORM_NUMBER] = sizeof(uint64_t),
		[COLUMN_FORM_ADDRESS] = sizeof(struct ip),
		[COLUMN_FORM_BYTES] = sizeof(struct encode_bytes),
	};

	return sizes[column_form(type)];
}

static int read_extension(struct sealrows *rows, const struct blockfile *file, size_t i, size_t n,
			  struct origin *origin, struct err *err)
{
	const struct flowblock *block = blockfile_block(file, i);
	struct extension *extension = &origin->extensions[origin->count++];
	int rc = blockfile_chunk_at(file, i, n, rows->chunk, rows->scratch, err);

	extension->key = block->columns[n].key;
	extension->type = block->columns[n].type;
	extension->present = g_malloc(block->rows);
	extension->numbers = g_malloc_n(block->rows, value_size(extension->type));
	for (uint32_t row = 0; rc == ST_OK && row < block->rows; row += FRAME_ROWS) {
		uint32_t count = MIN(FRAME_ROWS, block->rows - row);

		rc = read_frame(rows, extension, origin->bytes, row, count, err);
		if (rc != ST_OK) {
			char name[COLUMN_NAME_MAX];

			err_prefix(err, "block %zu: column %s", blockfile_number(file, i),
				   column_name(&extension->key, name));
		}
	}
	return rc;
}

static int take_origin(struct sealrows *rows, const struct blockfile *file, size_t i,
		       struct err *err)
{
	const struct flowblock *block = blockfile_block(file, i);
	struct origin *origin = g_new0(struct origin, 1);
	int rc = ST_OK;

	g_ptr_array_add(rows->origins, origin);
	origin->extensions = g_new0(struct extension, block->column_count);
	origin->bytes = g_string_chunk_new(4096);
	for (size_t n = 0; rc == ST_OK && n < block->column_count; n++) {
		if (column_find(&block->columns[n].key) == COLUMN_COUNT) {
			rc = read_extension(rows, file, i, n, origin, err);
		}
	}
	return rc;
}

static bool has_extensions(const struct flowblock *block)
{
	size_t core = 0;

	for (unsigned column = 0; column < COLUMN_COUNT; column++) {
		core += block->core[column] >= 0;
	}
	return block->column_count > core;
}

/* ---- rows ---- */

static void take_row(struct sealrows *rows, uint32_t in_batch, uint32_t in_block)
{
	struct source_row source = { .origin = rows->origins->len - 1, .row = in_block };
	struct place place = { .record = rows->records->len };
	struct record rec;

	batch_get(rows->batch, in_batch, &rec);
	place.start_ns = rec.start_ns;
	g_array_append_val(rows->records, rec);
	g_array_append_val(rows->places, place);
	g_array_append_val(rows->sources, source);
}

int sealrows_take(struct sealrows *rows, const struct blockfile *file, size_t i, int64_t first_ns,
		  int64_t last_ns, struct err *err)
{
	const struct flowblock *block = blockfile_block(file, i);
	const struct batch *batch = rows->batch;
	int rc;

	if (block->summary.last_start_ns < first_ns || block->summary.first_start_ns > last_ns) {
		return ST_OK;
	}
	if (has_extensions(block)) {
		rc = take_origin(rows, file, i, err);
		if (rc != ST_OK) {
			return rc;
		}
	} else {
		g_ptr_array_add(rows->origins, g_new0(struct origin, 1));
	}
	blockfile_cursor_set(rows->cursor, file, i);
	for (uint32_t row = 0; row < block->rows; row += FRAME_ROWS) {
		blockfile_cursor_frame(rows->cursor, row, rows->batch);
		rc = blockfile_cursor_load(rows->cursor, rows->batch, COLUMNS_ALL, err);
		if (rc != ST_OK) {
			return rc;
		}
		for (uint32_t k = 0; k < batch->rows; k++) {
			if (batch->start_ns[k] >= first_ns && batch->start_ns[k] <= last_ns) {
				take_row(rows, k, row + k);
			}
		}
	}
	return ST_OK;
}

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a;
	const struct place *y = b;

	if (x->start_ns != y->start_ns) {
		return x->start_ns < y->start_ns ? -1 : 1;
	}
	return x->record < y->record ? -1 : x->record > y->record;
}

void sealrows_sort(struct sealrows *rows)
{
	if (rows->places->len > 0) {
		qsort(rows->places->data, rows->places->len, sizeof(struct place), compare_places);
	}
}

size_t sealrows_count(const struct sealrows *rows)
{
	return rows->places->len;
}

static int put_extension(const struct extension *extension, uint32_t row,
			 struct flowblock_builder *builder, struct err *err)
{
	struct flowblock_value value = { .key = extension->key, .type = extension->type };

	if (!extension->present[row]) {
		return ST_OK;
	}
	switch (column_form(extension->type)) {
	case COLUMN_FORM_NUMBER:
		value.number = extension->numbers[row];
		break;
	case COLUMN_FORM_ADDRESS:
		value.ip = extension->addresses[row];
		break;
	case COLUMN_FORM_BYTES:
		value.bytes = extension->strings[row];
		break;
	}
	return flowblock_set(builder, &value, err);
}

int sealrows_put(const struct sealrows *rows, size_t k, struct flowblock_builder *builder,
		 struct err *err)
{
	uint32_t at = g_array_index(rows->places, struct place, k).record;
	struct source_row source = g_array_index(rows->sources, struct source_row, at);
	const struct origin *origin = rows->origins->pdata[source.origin];
	int rc = ST_OK;

	flowblock_add(builder, &g_array_index(rows->records, struct record, at));
	for (size_t i = 0; rc == ST_OK && i < origin->count; i++) {
		rc = put_extension(&origin->extensions[i], source.row, builder, err);
	}
	return rc;
}
