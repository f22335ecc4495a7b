/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/block.h"

#include "storage/byteorder.h"
#include "storage/compress.h"
#include "storage/header.h"

#include <assert.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

#define FRAME_BYTES 8 /* compressed size, plain size */

struct block_reader {
	struct bytesource *src; /* kept */
	uint8_t compression;
	/* Decompressed bytes, unused while there is no compression. */
	uint8_t *plain;
	size_t capacity;
	size_t pos;
	size_t len;
	uint64_t blocks; /* read so far */
	bool ended;
	struct err failure;
	char place[40];
};

int block_reader_new(struct block_reader **out, struct bytesource *src, uint8_t compression,
		     struct err *err)
{
	struct block_reader *reader;

	if (compression > COMPRESSION_SNAPPY) {
		return err_set(err, ST_ESUPPORT, "%s: compression method %u is not known",
			       bytesource_name(src), compression);
	}
	reader = g_new0(struct block_reader, 1);
	reader->src = src;
	reader->compression = compression;
	*out = reader;
	return ST_OK;
}

void block_reader_free(struct block_reader *reader)
{
	if (reader == NULL) {
		return;
	}
	g_free(reader->plain);
	g_free(reader);
}

const char *block_reader_place(struct block_reader *reader)
{
	if (reader->compression == COMPRESSION_NONE) {
		snprintf(reader->place, sizeof(reader->place), "byte %" G_GUINT64_FORMAT,
			 bytesource_offset(reader->src));
	} else {
		snprintf(reader->place, sizeof(reader->place), "block %" G_GUINT64_FORMAT,
			 reader->blocks);
	}
	return reader->place;
}

/* Damage of the block that begins at the current offset. */
static int damaged(struct block_reader *reader, int status, const char *what, struct err *err)
{
	return err_set(err, status,
		       "%s: %s (block %" G_GUINT64_FORMAT " at byte %" G_GUINT64_FORMAT ")",
		       bytesource_name(reader->src), what, reader->blocks + 1,
		       bytesource_offset(reader->src));
}

/* The sizes of the next block. ST_OK, ST_END, or an error; nothing is consumed. */
static int read_frame(struct block_reader *reader, uint32_t *compressed, uint32_t *plain,
		      struct err *err)
{
	const uint8_t *at;
	size_t have;
	int rc = bytesource_view(reader->src, FRAME_BYTES, &at, &have, err);

	if (rc != ST_OK) {
		return rc;
	}
	if (have == 0 || (have >= 4 && load32_be(at) == 0)) {
		return ST_END;
	}
	if (have < FRAME_BYTES) {
		return damaged(reader, ST_ETRUNC, "incomplete block", err);
	}
	*compressed = load32_be(at);
	*plain = load32_be(at + 4);
	if (*compressed > BLOCK_COMPRESSED_MAX || *plain > BLOCK_PLAIN_MAX) {
		return damaged(reader, ST_EFORMAT, "block too large", err);
	}
	return ST_OK;
}

/* Room for more bytes after those not yet consumed, which move to the front. */
static void make_room(struct block_reader *reader, size_t more)
{
	size_t rest = reader->len - reader->pos;

	if (reader->pos > 0) {
		memmove(reader->plain, reader->plain + reader->pos, rest);
	}
	reader->pos = 0;
	reader->len = rest;
	if (reader->plain == NULL || reader->capacity < rest + more) {
		reader->capacity = MAX(rest + more, 2 * (size_t)BLOCK_BYTES);
		reader->plain = g_realloc(reader->plain, reader->capacity);
	}
}

/* Decompress the next block behind what is left. ST_OK, ST_END or an error. */
static int read_block(struct block_reader *reader, struct err *err)
{
	uint32_t compressed = 0, plain = 0;
	const uint8_t *at;
	struct err why;
	size_t have;
	int rc = read_frame(reader, &compressed, &plain, err);

	if (rc != ST_OK) {
		return rc;
	}
	rc = bytesource_view(reader->src, FRAME_BYTES + compressed, &at, &have, err);
	if (rc != ST_OK) {
		return rc;
	}
	if (have < FRAME_BYTES + compressed) {
		return damaged(reader, ST_ETRUNC, "incomplete block", err);
	}
	make_room(reader, plain);
	rc = decompress_block(reader->compression, at + FRAME_BYTES, compressed,
			      reader->plain + reader->len, plain, &why);
	if (rc != ST_OK) {
		return damaged(reader, rc, why.text, err);
	}
	reader->len += plain;
	reader->blocks++;
	bytesource_consume(reader->src, FRAME_BYTES + compressed);
	return ST_OK;
}

int block_reader_view(struct block_reader *reader, size_t want, const uint8_t **bytes, size_t *len,
		      struct err *err)
{
	assert(want <= BLOCK_BYTES);
	if (reader->compression == COMPRESSION_NONE) {
		return bytesource_view(reader->src, want, bytes, len, err);
	}
	while (reader->len - reader->pos < want && !reader->ended) {
		int rc = read_block(reader, &reader->failure);

		reader->ended = rc != ST_OK;
	}
	*bytes = reader->plain == NULL ? NULL : reader->plain + reader->pos;
	*len = reader->len - reader->pos;
	if (*len < want && reader->failure.status != ST_OK) {
		return err_set(err, reader->failure.status, "%s", reader->failure.text);
	}
	return ST_OK;
}

void block_reader_consume(struct block_reader *reader, size_t len)
{
	if (reader->compression == COMPRESSION_NONE) {
		bytesource_consume(reader->src, len);
		return;
	}
	assert(len <= reader->len - reader->pos);
	reader->pos += len;
}

int block_reader_measure(struct block_reader *reader, uint64_t *bytes, struct err *err)
{
	uint32_t compressed = 0, plain = 0;
	uint64_t skipped;
	int rc;

	if (reader->compression == COMPRESSION_NONE) {
		return bytesource_skip(reader->src, UINT64_MAX, bytes, err);
	}
	*bytes = reader->len - reader->pos;
	while ((rc = read_frame(reader, &compressed, &plain, err)) == ST_OK) {
		rc = bytesource_skip(reader->src, FRAME_BYTES + compressed, &skipped, err);
		if (rc == ST_OK && skipped < FRAME_BYTES + compressed) {
			rc = damaged(reader, ST_ETRUNC, "incomplete block", err);
		}
		if (rc != ST_OK) {
			return rc;
		}
		reader->blocks++;
		*bytes += plain;
	}
	return rc == ST_END ? ST_OK : rc;
}

int block_reader_read(struct block_reader *reader, void *to, size_t len, struct err *err)
{
	uint8_t *out = to;

	while (len > 0) {
		const uint8_t *bytes;
		size_t have;
		int rc = block_reader_view(reader, 1, &bytes, &have, err);

		if (rc != ST_OK) {
			return rc;
		}
		if (have == 0) {
			return err_set(err, ST_ETRUNC, "%s: unexpected end of data at %s",
				       bytesource_name(reader->src), block_reader_place(reader));
		}
		have = MIN(have, len);
		memcpy(out, bytes, have);
		block_reader_consume(reader, have);
		out += have;
		len -= have;
	}
	return ST_OK;
}

size_t block_pack_bound(uint8_t compression, size_t len)
{
	return FRAME_BYTES + compress_bound(compression, len);
}

int block_pack(struct compressor *compressor, const uint8_t *plain, size_t len, uint8_t *out,
	       size_t *out_len, struct err *err)
{
	size_t packed = 0;
	int rc = compress_block(compressor, plain, len, out + FRAME_BYTES, &packed, err);

	if (rc == ST_OK) {
		store32_be(out, (uint32_t)packed);
		store32_be(out + 4, (uint32_t)len);
		*out_len = FRAME_BYTES + packed;
	}
	return rc;
}

struct block_writer {
	struct bytesink *sink; /* kept */
	uint8_t compression;
	struct compressor *compressor; /* NULL: none */
	size_t unit;
	size_t size; /* a full block */
	size_t used;
	uint8_t *plain;
	uint8_t *packed; /* frame and compressed bytes */
};

uint8_t block_compression(uint8_t wanted, const struct bytesink *sink)
{
	if (wanted <= COMPRESSION_SNAPPY) {
		return wanted;
	}
	return bytesink_is_seekable(sink) ? COMPRESSION_LZO1X : COMPRESSION_NONE;
}

struct block_writer *block_writer_new(struct bytesink *sink, uint8_t compression, size_t unit)
{
	struct block_writer *writer = g_new0(struct block_writer, 1);

	assert(unit > 0 && unit <= BLOCK_BYTES);
	writer->sink = sink;
	writer->compression = compression;
	writer->unit = unit;
	writer->size = block_full_bytes(unit);
	writer->plain = g_malloc(writer->size);
	if (compression != COMPRESSION_NONE) {
		writer->compressor = compressor_new(compression);
		writer->packed = g_malloc(block_pack_bound(compression, writer->size));
	}
	return writer;
}

void block_writer_free(struct block_writer *writer)
{
	if (writer == NULL) {
		return;
	}
	compressor_free(writer->compressor);
	g_free(writer->packed);
	g_free(writer->plain);
	g_free(writer);
}

int block_writer_flush(struct block_writer *writer, struct err *err)
{
	size_t len = writer->used;
	size_t packed = 0;
	int rc;

	if (len == 0) {
		return ST_OK;
	}
	writer->used = 0;
	if (writer->compressor == NULL) {
		return bytesink_write(writer->sink, writer->plain, len, err);
	}
	rc = block_pack(writer->compressor, writer->plain, len, writer->packed, &packed, err);
	if (rc != ST_OK) {
		return err == NULL ? rc : err_prefix(err, "%s", bytesink_name(writer->sink));
	}
	return bytesink_write(writer->sink, writer->packed, packed, err);
}

uint32_t block_writer_left(const struct block_writer *writer)
{
	size_t used = writer->used == writer->size ? 0 : writer->used;

	return (uint32_t)((writer->size - used) / writer->unit);
}

int block_writer_put_packed(struct block_writer *writer, const uint8_t *packed, size_t len,
			    struct err *err)
{
	int rc;

	assert(writer->used == 0 || writer->used == writer->size);
	rc = block_writer_flush(writer, err);
	return rc == ST_OK ? bytesink_write(writer->sink, packed, len, err) : rc;
}

int block_writer_room(struct block_writer *writer, uint32_t count, uint8_t **to, struct err *err)
{
	size_t free_units = (writer->size - writer->used) / writer->unit;

	if (free_units == 0) {
		int rc = block_writer_flush(writer, err);

		if (rc != ST_OK) {
			return rc;
		}
		free_units = writer->size / writer->unit;
	}
	*to = writer->plain + writer->used;
	return (int)MIN(free_units, count);
}

void block_writer_commit(struct block_writer *writer, uint32_t count)
{
	writer->used += count * writer->unit;
	assert(writer->used <= writer->size);
}

int block_writer_write(struct block_writer *writer, const void *bytes, size_t len, struct err *err)
{
	const uint8_t *at = bytes;

	assert(writer->unit == 1);
	while (len > 0) {
		uint8_t *to = NULL;
		int room = block_writer_room(writer, (uint32_t)MIN(len, BLOCK_BYTES), &to, err);

		if (room < 0) {
			return room;
		}
		memcpy(to, at, (size_t)room);
		block_writer_commit(writer, (uint32_t)room);
		at += room;
		len -= (size_t)room;
	}
	return ST_OK;
}
