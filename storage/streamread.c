/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/stream.h"

#include "storage/streamparts.h"

#include <glib.h>

#define FILE_VERSION_LEGACY_MAX 15

int stream_open_source(struct stream **out, struct bytesource *src,
		       const struct stream_read_opts *opts, struct err *err)
{
	struct stream *stream = stream_alloc(bytesource_name(src));
	int rc;

	stream->src = src;
	stream->keep_icmp_sport = opts != NULL && opts->keep_icmp_sport;
	rc = header_read(&stream->header, src, opts != NULL ? opts->site : NULL, err);
	if (rc == ST_OK) {
		rc = stream_use_header(stream, err);
	}
	if (rc == ST_OK) {
		rc = block_reader_new(&stream->reader, src, stream->header.compression, err);
	}
	if (rc != ST_OK) {
		stream_close(stream, NULL);
		return rc;
	}
	if (opts != NULL && opts->read_ahead) {
		block_reader_read_ahead(stream->reader);
	}
	*out = stream;
	return ST_OK;
}

int stream_open(struct stream **out, const char *path, const struct stream_read_opts *opts,
		struct err *err)
{
	struct bytesource *src;
	int rc = bytesource_open_binary(&src, path, err);

	return rc == ST_OK ? stream_open_source(out, src, opts, err) : rc;
}

int stream_open_fd(struct stream **out, int fd, const char *name,
		   const struct stream_read_opts *opts, struct err *err)
{
	return stream_open_source(out, bytesource_open_fd(fd, name), opts, err);
}

/*
 * Show what whole records there are at *bytes: their number, 1..max; 0 at the end and at damage,
 * with ST_END or the error in *status. Damage is told only after everything before it was shown.
 */
static uint32_t view_rows(struct stream *stream, uint64_t max, const uint8_t **bytes, int *status,
			  struct err *err)
{
	size_t length = stream->format->length;
	size_t have = 0;
	int rc = block_reader_view(stream->reader, length, bytes, &have, err);

	if (have >= length) {
		return (uint32_t)MIN(have / length, max);
	}
	if (rc == ST_OK && have > 0) {
		rc = err_set(err, ST_ETRUNC, "%s: record %" G_GUINT64_FORMAT " is incomplete at %s",
			     stream->path, stream->records + 1, block_reader_place(stream->reader));
	}
	*status = rc == ST_OK ? ST_END : rc;
	return 0;
}

int stream_read_batch(struct stream *stream, struct batch *batch, uint32_t columns, struct err *err)
{
	const uint8_t *bytes = NULL;
	int status = ST_END;
	uint32_t rows = view_rows(stream, BATCH_ROWS, &bytes, &status, err);
	struct rowread in = {
		.bytes = bytes,
		.stride = stream->format->length,
		.rows = rows,
		.swap = stream->swap,
		.hour_ns = stream->hour_ns,
		.sensor = stream->sensor,
		.flowtype = stream->flowtype,
		.keep_icmp_sport = stream->keep_icmp_sport,
		.legacy_header = stream->header.file_version <= FILE_VERSION_LEGACY_MAX,
	};

	if (rows == 0) {
		batch_clear(batch, columns);
		return status;
	}
	batch_clear_extensions(batch);
	rowformat_decode(stream->format, &in, columns, batch);
	block_reader_consume(stream->reader, (size_t)rows * in.stride);
	stream->records += rows;
	return ST_OK;
}

int stream_skip(struct stream *stream, uint64_t count, uint64_t *skipped, struct err *err)
{
	*skipped = 0;
	while (*skipped < count) {
		const uint8_t *bytes;
		int status = ST_END;
		uint32_t rows = view_rows(stream, count - *skipped, &bytes, &status, err);

		if (rows == 0) {
			return status;
		}
		block_reader_consume(stream->reader, (size_t)rows * stream->format->length);
		stream->records += rows;
		*skipped += rows;
	}
	return ST_OK;
}
