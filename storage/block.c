/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/block.h"

#include "storage/byteorder.h"
#include "storage/compress.h"
#include "storage/header.h"
#include "storage/packcrew.h"

#include <assert.h>
#include <glib.h>
#include <string.h>

/* Blocks that are written before threads are worth it. */
#define CREW_AFTER 4

size_t block_pack_bound(uint8_t compression, size_t len)
{
	return BLOCK_FRAME_BYTES + compress_bound(compression, len);
}

int block_pack(struct compressor *compressor, const uint8_t *plain, size_t len, uint8_t *out,
	       size_t *out_len, struct err *err)
{
	size_t packed = 0;
	int rc = compress_block(compressor, plain, len, out + BLOCK_FRAME_BYTES, &packed, err);

	if (rc == ST_OK) {
		store32_be(out, (uint32_t)packed);
		store32_be(out + 4, (uint32_t)len);
		*out_len = BLOCK_FRAME_BYTES + packed;
	}
	return rc;
}

struct block_writer {
	struct bytesink *sink; /* kept */
	uint8_t compression;
	struct compressor *compressor; /* NULL: none */
	size_t unit;
	size_t row_bytes; /* as compressor_new_rows() */
	size_t size;      /* a full block */
	size_t used;
	uint8_t *plain; /* the current block: own, or a slot of the crew */
	uint8_t *own;
	uint8_t *packed; /* frame and compressed bytes */
	unsigned blocks_to_crew;
	struct packcrew *crew; /* NULL: not asked for, or not begun */
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
	writer->own = g_malloc(writer->size);
	writer->plain = writer->own;
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
	packcrew_free(writer->crew);
	compressor_free(writer->compressor);
	g_free(writer->packed);
	g_free(writer->own);
	g_free(writer);
}

void block_writer_use_rows(struct block_writer *writer)
{
	if (writer->compressor) {
		writer->row_bytes = writer->unit;
		compressor_free(writer->compressor);
		writer->compressor = compressor_new_rows(writer->compression, writer->unit);
	}
}

void block_writer_use_crew(struct block_writer *writer)
{
	writer->blocks_to_crew = writer->compressor != NULL ? CREW_AFTER : 0;
}

/* The crew begins with the block after this one. */
static void count_block(struct block_writer *writer)
{
	if (writer->blocks_to_crew > 0 && --writer->blocks_to_crew == 0) {
		writer->crew = packcrew_new(writer->compression, writer->row_bytes, writer->size);
		writer->plain = writer->crew ? packcrew_room(writer->crew) : writer->own;
	}
}

static int end_block(struct block_writer *writer, struct err *err)
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
	if (writer->crew != NULL) {
		rc = packcrew_pack(writer->crew, len, writer->sink, err);
		writer->plain = packcrew_room(writer->crew);
		return rc;
	}
	rc = block_pack(writer->compressor, writer->plain, len, writer->packed, &packed, err);
	if (rc != ST_OK) {
		return err == NULL ? rc : err_prefix(err, "%s", bytesink_name(writer->sink));
	}
	rc = bytesink_write(writer->sink, writer->packed, packed, err);
	count_block(writer);
	return rc;
}

int block_writer_flush(struct block_writer *writer, struct err *err)
{
	int rc = end_block(writer, err);

	if (rc == ST_OK && writer->crew != NULL) {
		rc = packcrew_drain(writer->crew, writer->sink, err);
	}
	return rc;
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
		int rc = end_block(writer, err);

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

/* Whole blocks that threads fill, too, if there are threads. */
static int fill_by_crew(struct block_writer *writer, uint64_t total, uint64_t *offset,
			block_fill_fn fill, const void *arg, struct err *err)
{
	int rc = ST_OK;

	if (writer->blocks_to_crew > 0 && total > writer->blocks_to_crew * (uint64_t)writer->size) {
		writer->blocks_to_crew = 1;
		count_block(writer);
	}
	while (rc == ST_OK && writer->crew != NULL && *offset < total) {
		size_t len = (size_t)MIN(writer->size, total - *offset);

		rc = packcrew_pack_filled(writer->crew, fill, arg, *offset, len, writer->sink, err);
		writer->plain = packcrew_room(writer->crew);
		*offset += len;
	}
	return rc;
}

int block_writer_fill(struct block_writer *writer, uint64_t total, block_fill_fn fill,
		      const void *arg, struct err *err)
{
	uint64_t offset = 0;
	int rc;

	assert(writer->unit == 1 && writer->used == 0);
	rc = fill_by_crew(writer, total, &offset, fill, arg, err);
	while (rc == ST_OK && offset < total) {
		uint8_t *to = NULL;
		int room = block_writer_room(writer, (uint32_t)MIN(total - offset, BLOCK_BYTES),
					     &to, err);

		rc = MIN(room, ST_OK);
		if (room > 0) {
			fill(arg, offset, to, (size_t)room);
			block_writer_commit(writer, (uint32_t)room);
			offset += (uint64_t)room;
		}
	}
	return rc;
}
