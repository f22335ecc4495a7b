/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/blockbody.h"

#include "storage/compress.h"

#include <xxhash.h>

#define PLAIN_MAX     268435456u
#define COMPRESS_MIN  64u /* bytes that are worth trying */
#define COMPRESS_GAIN 8u  /* the part that must be saved: one of so many */

void blockbody_init(struct blockbody *body, uint8_t compression)
{
	*body = (struct blockbody){ .bytes = g_byte_array_new(), .compression = compression };
}

void blockbody_trim(struct blockbody *body)
{
	if (body->compressor) {
		compressor_free(body->compressor);
		g_byte_array_unref(body->plain);
		g_byte_array_unref(body->compressed);
		body->compressor = NULL;
		body->plain = NULL;
		body->compressed = NULL;
	}
}

void blockbody_release(struct blockbody *body)
{
	blockbody_trim(body);
	g_clear_pointer(&body->bytes, g_byte_array_unref);
}

void blockbody_clear(struct blockbody *body)
{
	g_byte_array_set_size(body->bytes, 0);
}

GByteArray *blockbody_begin(struct blockbody *body)
{
	if (body->compression == CHUNK_PLAIN) {
		body->stream = body->bytes;
		body->chunk_at = body->bytes->len;
		return body->stream;
	}
	if (!body->compressor) {
		body->compressor = compressor_new(body->compression);
		body->plain = g_byte_array_new();
		body->compressed = g_byte_array_new();
	}
	body->stream = body->plain;
	body->chunk_at = 0;
	g_byte_array_set_size(body->stream, 0);
	return body->stream;
}

/* The chunk is in the body; compressed, where that makes it smaller by enough. */
static int store_chunk(struct blockbody *body, struct flowblock_column *column, struct err *err)
{
	const GByteArray *chunk = body->plain;
	size_t plain_len = body->plain->len;
	size_t len = 0;

	if (plain_len >= COMPRESS_MIN) {
		g_byte_array_set_size(body->compressed,
				      (guint)compress_bound(body->compression, plain_len));
		if (compress_block(body->compressor, body->plain->data, plain_len,
				   body->compressed->data, &len, err) != ST_OK) {
			return ST_EIO;
		}
		if (len < plain_len - plain_len / COMPRESS_GAIN) {
			g_byte_array_set_size(body->compressed, (guint)len);
			chunk = body->compressed;
			column->compression = body->compression;
		}
	}
	body->chunk_at = body->bytes->len;
	g_byte_array_append(body->bytes, chunk->data, chunk->len);
	return ST_OK;
}

int blockbody_end(struct blockbody *body, struct flowblock_column *column, struct err *err)
{
	size_t plain_len = body->stream->len - body->chunk_at;
	int rc = ST_OK;

	if (plain_len > PLAIN_MAX) {
		return err_set(err, ST_ELIMIT, "a column of %zu bytes", plain_len);
	}
	column->compression = CHUNK_PLAIN;
	column->plain_len = (uint32_t)plain_len;
	if (body->stream != body->bytes) {
		rc = store_chunk(body, column, err);
	}
	if (rc == ST_OK && body->bytes->len > FLOWBLOCK_BODY_MAX) {
		rc = err_set(err, ST_ELIMIT, "a block of more than %u bytes", FLOWBLOCK_BODY_MAX);
	}
	if (rc == ST_OK) {
		column->stored_len = body->bytes->len - body->chunk_at;
		column->checksum = XXH64(body->bytes->data + body->chunk_at, column->stored_len, 0);
	}
	return rc;
}
