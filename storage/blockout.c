/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/blockout.h"

#include <glib.h>
#include <string.h>

#include "storage/blockheader.h"
#include "storage/bytesink.h"
#include "storage/compress.h"
#include "storage/flowblockbuild.h"

struct blockout {
	struct bytesink *sink;
	struct blockfile_header header;
	bool begun; /* the header is written */
	bool failed;
	struct flowblock_builder *builder;
	GArray *types; /* struct typed_column, of the columns that the block being made has */
};

struct typed_column {
	struct column_key key;
	uint8_t type;
};

static uint8_t chunk_method(uint8_t compression)
{
	switch (compression) {
	case COMPRESSION_NONE:
		return CHUNK_PLAIN;
	case COMPRESSION_ZLIB:
	case COMPRESSION_BEST:
		return CHUNK_ZSTD;
	default:
		return CHUNK_LZO1X;
	}
}

int blockout_create(struct blockout **out, const char *path, unsigned flags, uint8_t compression,
		    struct err *err)
{
	const struct flowblock_opts opts = { .compression = chunk_method(compression),
					     .no_filter = true,
					     .sensor = RECORD_NO_SENSOR,
					     .flowtype = RECORD_NO_FLOWTYPE };
	struct bytesink *sink = NULL;
	int rc = bytesink_create(&sink, path, flags, err);

	if (rc != ST_OK) {
		return rc;
	}
	*out = g_new0(struct blockout, 1);
	(*out)->sink = sink;
	(*out)->header = (struct blockfile_header){ .hour_ns = INT64_MIN,
						    .sensor = RECORD_NO_SENSOR,
						    .flowtype = RECORD_NO_FLOWTYPE };
	(*out)->builder = flowblock_builder_new(&opts);
	(*out)->types = g_array_new(FALSE, FALSE, sizeof(struct typed_column));
	return ST_OK;
}

void blockout_add_entries(struct blockout *out, const struct header *entries)
{
	static const struct {
		uint32_t id;
		enum blockfile_property_type type;
	} kept[] = { { ENTRY_ANNOTATION, BLOCKFILE_ANNOTATION },
		     { ENTRY_INVOCATION, BLOCKFILE_INVOCATION } };

	for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
		const struct header_entry *entry;
		size_t pos = 0;

		while ((entry = header_next(entries, kept[i].id, &pos)) != NULL) {
			const char *text = (const char *)entry->payload;

			blockheader_add(&out->header, kept[i].type, text,
					strnlen(text, entry->len));
		}
	}
}

static int fail(struct blockout *out, int rc, struct err *err)
{
	out->failed = true;
	return err == NULL ? rc : err_prefix(err, "%s", bytesink_name(out->sink));
}

static int write_header(struct blockout *out, struct err *err)
{
	GByteArray *bytes = g_byte_array_new();
	int rc = blockheader_put(&out->header, bytes, err);

	if (rc == ST_OK) {
		rc = bytesink_write(out->sink, bytes->data, bytes->len, err);
	} else {
		fail(out, rc, err);
	}
	g_byte_array_unref(bytes);
	out->begun = true;
	out->failed = rc != ST_OK;
	return rc;
}

int blockout_end_block(struct blockout *out, struct err *err)
{
	const uint8_t *bytes = NULL;
	size_t len = 0;
	int rc = out->begun ? ST_OK : write_header(out, err);

	g_array_set_size(out->types, 0);
	if (rc != ST_OK || flowblock_rows(out->builder) == 0) {
		return rc;
	}
	rc = flowblock_build(out->builder, &bytes, &len, err);
	if (rc != ST_OK) {
		return fail(out, rc, err);
	}
	rc = bytesink_write(out->sink, bytes, len, err);
	out->failed = rc != ST_OK;
	return rc;
}

int blockout_write(struct blockout *out, const struct record *rec, struct err *err)
{
	int rc = ST_OK;

	if (flowblock_is_full(out->builder)) {
		rc = blockout_end_block(out, err);
	}
	if (rc == ST_OK) {
		flowblock_add(out->builder, rec);
	}
	return rc;
}

int blockout_set(struct blockout *out, const struct flowblock_value *value, struct err *err)
{
	return flowblock_set(out->builder, value, err);
}

struct flowblock_value blockout_value(const struct batch_extension *column, uint32_t row)
{
	struct flowblock_value value = { .key = { column->key.pen, column->key.id },
					 .type = column->type };

	switch (column_form(column->type)) {
	case COLUMN_FORM_NUMBER:
		value.number = column->numbers[row];
		break;
	case COLUMN_FORM_ADDRESS:
		value.ip = column->addresses[row];
		break;
	case COLUMN_FORM_BYTES:
		value.bytes = (struct encode_bytes){ .bytes = column->strings[row].bytes,
						     .len = column->strings[row].len };
		break;
	}
	return value;
}

/* Has the block being made another type for the column? Else it has this one from now on. */
static bool differs(struct blockout *out, const struct batch_extension *column)
{
	const struct typed_column wanted = { .key = { column->key.pen, column->key.id },
					     .type = column->type };

	for (guint i = 0; i < out->types->len; i++) {
		const struct typed_column *at = &g_array_index(out->types, struct typed_column, i);

		if (column_key_compare(&at->key, &wanted.key) == 0) {
			return at->type != wanted.type;
		}
	}
	g_array_append_val(out->types, wanted);
	return false;
}

/* Types are those of the file a batch came from: inputs may differ. */
static int agree_on_types(struct blockout *out, const struct batch *batch, struct err *err)
{
	bool other = false;
	int rc = ST_OK;

	for (size_t i = 0; i < batch_extension_count(batch); i++) {
		const struct batch_extension *column = batch_extension(batch, i);

		other = (column->any && differs(out, column)) || other;
	}
	if (other) {
		rc = blockout_end_block(out, err);
		for (size_t i = 0; i < batch_extension_count(batch); i++) {
			const struct batch_extension *column = batch_extension(batch, i);

			if (column->any) {
				differs(out, column);
			}
		}
	}
	return rc;
}

static int write_row(struct blockout *out, const struct batch *batch, uint32_t row, struct err *err)
{
	struct record rec;
	int rc;

	batch_get(batch, row, &rec);
	rc = blockout_write(out, &rec, err);
	for (size_t i = 0; rc == ST_OK && i < batch_extension_count(batch); i++) {
		const struct batch_extension *column = batch_extension(batch, i);

		if (column->any && column->present[row]) {
			const struct flowblock_value value = blockout_value(column, row);

			rc = blockout_set(out, &value, err);
		}
	}
	return rc;
}

int blockout_write_batch(struct blockout *out, const struct batch *batch, struct err *err)
{
	int rc = agree_on_types(out, batch, err);

	for (uint32_t i = 0; rc == ST_OK && i < batch->selected; i++) {
		rc = write_row(out, batch, batch->selection[i], err);
	}
	out->failed |= rc != ST_OK;
	return rc;
}

int blockout_close(struct blockout *out, struct err *err)
{
	int rc = ST_OK;

	if (out == NULL) {
		return ST_OK;
	}
	if (!out->failed) {
		rc = blockout_end_block(out, err);
	}
	if (out->failed) {
		bytesink_discard(out->sink);
	} else {
		rc = bytesink_close(out->sink, err);
	}
	blockheader_release(&out->header);
	flowblock_builder_free(out->builder);
	g_array_unref(out->types);
	g_free(out);
	return rc;
}
