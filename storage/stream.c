/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/stream.h"

#include "storage/byteorder.h"
#include "storage/streamparts.h"

#include <glib.h>

struct stream *stream_alloc(const char *path)
{
	struct stream *stream = g_new0(struct stream, 1);

	stream->path = g_strdup(path);
	header_init(&stream->header);
	stream->sensor = RECORD_NO_SENSOR;
	stream->flowtype = RECORD_NO_FLOWTYPE;
	return stream;
}

int stream_use_header(struct stream *stream, struct err *err)
{
	const struct header *header = &stream->header;

	if (!header_is_flow(header->format)) {
		const char *name = header_format_name(header->format);

		return err_set(err, ST_EFORMAT, "%s: holds no flow records but %s(0x%02x)",
			       stream->path, name != NULL ? name : "format ", header->format);
	}
	stream->format = rowformat_find(header->format, header->record_version);
	if (stream->format == NULL) {
		return err_set(err, ST_EVERSION, "%s: record version %u of %s is not known",
			       stream->path, header->record_version,
			       header_format_name(header->format));
	}
	if (header->record_length != 0 && header->record_length != stream->format->length) {
		return err_set(err, ST_EFORMAT, "%s: record length %u where %s version %u has %u",
			       stream->path, header->record_length,
			       header_format_name(header->format), header->record_version,
			       stream->format->length);
	}
	stream->swap = header->big_endian != HOST_BIG_ENDIAN;
	header_packed_file(header, &stream->hour_ns, &stream->flowtype, &stream->sensor);
	return ST_OK;
}

const struct header *stream_header(const struct stream *stream)
{
	return &stream->header;
}

uint64_t stream_records(const struct stream *stream)
{
	return stream->records;
}

int stream_close(struct stream *stream, struct err *err)
{
	int rc = ST_OK;

	if (stream == NULL) {
		return ST_OK;
	}
	if (stream->sink != NULL) {
		rc = stream_finish_writing(stream, err);
	}
	block_writer_free(stream->writer);
	block_reader_free(stream->reader);
	bytesource_close(stream->src);
	header_release(&stream->header);
	g_free(stream->path);
	g_free(stream);
	return rc;
}

void stream_abandon(struct stream *stream)
{
	if (stream != NULL) {
		stream->failed = true;
		stream_close(stream, NULL);
	}
}
