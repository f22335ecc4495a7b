/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/stream.h"

#include "storage/byteorder.h"
#include "storage/streamparts.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool choose_big_endian(enum byte_order order)
{
	return order == BYTE_ORDER_BIG || (order == BYTE_ORDER_NATIVE && HOST_BIG_ENDIAN);
}

void stream_add_entries(struct stream *stream, const struct header *entries)
{
	assert(!stream->header_written);
	header_add_entries(&stream->header, entries);
}

/* The header of a new file. */
static int make_header(struct stream *stream, const struct stream_write_opts *opts, struct err *err)
{
	struct header *header = &stream->header;
	const struct header *entries = opts->entries;
	const struct header *like = opts->like;

	if (like != NULL) {
		header->format = like->format;
		header->record_version = like->record_version;
		header->compression = like->compression;
		stream_add_entries(stream, like);
	} else {
		header->format = opts->format != 0 ? opts->format : FORMAT_RWIPV6ROUTING;
		header->record_version = opts->record_version != 0
						 ? opts->record_version
						 : rowformat_default_version(header->format);
		header->compression = block_compression(opts->compression, stream->sink);
	}
	header->big_endian = choose_big_endian(opts->byte_order);
	header->silk_version = opts->no_silk_version ? 0 : HEADER_SILK_VERSION;
	if (entries != NULL) {
		stream_add_entries(stream, entries);
	}
	if (stream_use_header(stream, err) != ST_OK) {
		return ST_EVERSION;
	}
	header->record_length = stream->format->length;
	return ST_OK;
}

static void start_blocks(struct stream *stream, const struct stream_write_opts *opts)
{
	stream->writer =
		block_writer_new(stream->sink, stream->header.compression, stream->format->length);
	block_writer_use_rows(stream->writer);
	if (opts->crew) {
		block_writer_use_crew(stream->writer);
	}
}

int stream_create_sink(struct stream **out, struct bytesink *sink,
		       const struct stream_write_opts *opts, struct err *err)
{
	struct stream *stream = stream_alloc(bytesink_name(sink));
	int rc;

	stream->sink = sink;
	rc = make_header(stream, opts, err);
	if (rc != ST_OK) {
		stream->failed = true;
		stream_close(stream, NULL);
		return rc;
	}
	start_blocks(stream, opts);
	*out = stream;
	return ST_OK;
}

/* Take format and all from the file's own header; further blocks go to its end. */
static int use_existing(struct stream *stream, const struct stream_write_opts *opts,
			struct err *err)
{
	int fd = bytesink_fd(stream->sink);
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	struct bytesource *src;
	int rc;

	if (copy < 0) {
		return err_errno(err, ST_EIO, errno, "%s", stream->path);
	}
	src = bytesource_open_fd(copy, stream->path);
	rc = header_read(&stream->header, src, NULL, err);
	bytesource_close(src);
	if (rc == ST_OK) {
		rc = stream_use_header(stream, err);
	}
	if (rc != ST_OK) {
		return rc;
	}
	if (stream->header.compression > COMPRESSION_SNAPPY) {
		return err_set(err, ST_ESUPPORT, "%s: compression method %u is not known",
			       stream->path, stream->header.compression);
	}
	if (lseek(fd, 0, SEEK_END) < 0) {
		return err_errno(err, ST_EIO, errno, "%s", stream->path);
	}
	stream->header_written = true;
	start_blocks(stream, opts);
	return ST_OK;
}

static int append_to(struct stream **out, struct bytesink *sink,
		     const struct stream_write_opts *opts, struct err *err)
{
	struct stream *stream;
	struct stat st;
	int rc;

	/* Looked at with the lock held: whoever comes first writes the header. */
	if (fstat(bytesink_fd(sink), &st) != 0 || st.st_size == 0) {
		return stream_create_sink(out, sink, opts, err);
	}
	stream = stream_alloc(bytesink_name(sink));
	stream->sink = sink;
	rc = use_existing(stream, opts, err);
	if (rc != ST_OK) {
		stream->failed = true;
		stream_close(stream, NULL);
		return rc;
	}
	*out = stream;
	return ST_OK;
}

int stream_create(struct stream **out, const char *path, const struct stream_write_opts *opts,
		  struct err *err)
{
	struct bytesink *sink;
	unsigned flags = (opts->append ? BYTESINK_APPEND : 0) | (opts->lock ? BYTESINK_LOCK : 0) |
			 (opts->overwrite ? BYTESINK_OVERWRITE : 0) |
			 (opts->whole ? BYTESINK_WHOLE : 0);
	int rc = bytesink_create(&sink, path, flags, err);

	if (rc != ST_OK) {
		return rc;
	}
	return opts->append && bytesink_fd(sink) >= 0 ? append_to(out, sink, opts, err)
						      : stream_create_sink(out, sink, opts, err);
}

int stream_create_fd(struct stream **out, int fd, const char *name,
		     const struct stream_write_opts *opts, struct err *err)
{
	return stream_create_sink(out, bytesink_open_fd(fd, name), opts, err);
}

bool stream_is_hidden(const struct stream *stream)
{
	return bytesink_is_hidden(stream->sink);
}

static int write_header(struct stream *stream, struct err *err)
{
	if (stream->header_written) {
		return ST_OK;
	}
	stream->header_written = true;
	return header_write(&stream->header, stream->sink, err);
}

static int start_writing(struct stream *stream, struct err *err)
{
	if (stream->failed) {
		return err_set(err, ST_EIO, "%s: an earlier write failed", stream->path);
	}
	return write_header(stream, err);
}

/* Encode rows that fit the format, block by block. */
static int write_rows(struct stream *stream, const struct rowview *view, const uint16_t *rows,
		      uint32_t count, struct err *err)
{
	struct rowwrite out = {
		.stride = stream->format->length,
		.swap = stream->swap,
		.hour_ns = stream->hour_ns,
	};
	int rc = start_writing(stream, err);

	while (rc == ST_OK && count > 0) {
		int room = block_writer_room(stream->writer, count, &out.bytes, err);

		if (room < 0) {
			rc = room;
			break;
		}
		rowformat_encode(stream->format, &out, view, rows, (uint32_t)room);
		block_writer_commit(stream->writer, (uint32_t)room);
		stream->records += (uint32_t)room;
		rows += room;
		count -= (uint32_t)room;
	}
	stream->failed = rc != ST_OK;
	return rc;
}

int stream_write(struct stream *stream, const struct record *rec, struct err *err)
{
	struct record whole = *rec;
	struct rowview view = rowview_of_record(&whole);
	uint16_t row = 0;

	record_cut_ms(&whole);

	if (rowformat_check(stream->format, &view, 0, stream->hour_ns, err) != ST_OK) {
		return err == NULL ? ST_ERANGE : err_prefix(err, "%s", stream->path);
	}
	return write_rows(stream, &view, &row, 1, err);
}

/* Without compression blocks are nothing, and many records need not be put together. */
static int write_plain(struct stream *stream, const uint8_t *bytes, uint64_t count, struct err *err)
{
	int rc = block_writer_flush(stream->writer, err);

	if (rc == ST_OK) {
		rc = bytesink_write(stream->sink, bytes, count * stream->format->length, err);
	}
	stream->records += rc == ST_OK ? count : 0;
	return rc;
}

int stream_write_encoded_rows(struct stream *stream, const uint8_t *bytes, uint64_t count,
			      struct err *err)
{
	size_t length = stream->format->length;
	int rc = start_writing(stream, err);

	if (rc == ST_OK && stream->header.compression == COMPRESSION_NONE &&
	    count * length >= BLOCK_BYTES) {
		rc = write_plain(stream, bytes, count, err);
		count = 0;
	}
	while (rc == ST_OK && count > 0) {
		uint8_t *to = NULL;
		uint32_t wanted = (uint32_t)MIN(count, BLOCK_BYTES);
		int room = block_writer_room(stream->writer, wanted, &to, err);

		if (room < 0) {
			rc = room;
			break;
		}
		memcpy(to, bytes, (size_t)room * length);
		block_writer_commit(stream->writer, (uint32_t)room);
		stream->records += (uint32_t)room;
		bytes += (size_t)room * length;
		count -= (uint32_t)room;
	}
	stream->failed = rc != ST_OK;
	return rc;
}

int stream_write_encoded(struct stream *stream, const uint8_t *bytes, struct err *err)
{
	return stream_write_encoded_rows(stream, bytes, 1, err);
}

uint32_t stream_block_left(const struct stream *stream)
{
	return block_writer_left(stream->writer);
}

int stream_write_packed(struct stream *stream, const uint8_t *packed, size_t len, uint32_t rows,
			struct err *err)
{
	int rc = start_writing(stream, err);

	if (rc == ST_OK) {
		rc = block_writer_put_packed(stream->writer, packed, len, err);
	}
	stream->records += rc == ST_OK ? rows : 0;
	stream->failed = rc != ST_OK;
	return rc;
}

int stream_write_batch(struct stream *stream, const struct batch *batch, uint64_t *refused,
		       struct err *err)
{
	struct rowview view = rowview_of_batch(batch);
	uint16_t accepted[BATCH_ROWS];
	uint32_t count = 0;
	uint64_t bad = 0;
	struct err why;

	for (uint32_t i = 0; i < batch->selected; i++) {
		uint16_t row = batch->selection[i];

		if (rowformat_check(stream->format, &view, row, stream->hour_ns,
				    bad == 0 ? &why : NULL) == ST_OK) {
			accepted[count++] = row;
		} else {
			bad++;
		}
	}
	if (bad > 0) {
		err_set(err, ST_ERANGE, "%s: %s", stream->path, why.text);
	}
	if (refused != NULL) {
		*refused = bad;
	}
	return write_rows(stream, &view, accepted, count, err);
}

int stream_flush(struct stream *stream, struct err *err)
{
	int rc = start_writing(stream, err);

	if (rc == ST_OK) {
		rc = block_writer_flush(stream->writer, err);
	}
	if (rc == ST_OK) {
		rc = bytesink_flush(stream->sink, false, err);
	}
	stream->failed = rc != ST_OK;
	return rc;
}

int stream_sync(struct stream *stream, struct err *err)
{
	int rc = stream_flush(stream, err);

	return rc == ST_OK ? bytesink_flush(stream->sink, true, err) : rc;
}

int stream_finish_writing(struct stream *stream, struct err *err)
{
	/* Once failed, the failure has been reported; a stream cut there holds whole blocks only.
	 */
	int rc = stream->failed ? ST_OK : stream_flush(stream, err);

	if (stream->failed) {
		bytesink_abandon(stream->sink);
	} else {
		rc = bytesink_close(stream->sink, err);
	}
	stream->sink = NULL;
	return rc;
}
