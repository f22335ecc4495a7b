/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a stream, shared by stream.c, streamread.c and streamwrite.c alone. */
#ifndef TUSSAH_STORAGE_STREAMPARTS_H
#define TUSSAH_STORAGE_STREAMPARTS_H

#include "storage/block.h"
#include "storage/rowformat.h"
#include "storage/stream.h"

struct stream {
	char *path;
	struct header header;
	const struct rowformat *format;
	bool swap; /* the file has the byte order that the machine has not */
	int64_t hour_ns;
	uint16_t sensor;
	uint8_t flowtype;
	uint64_t records;
	/* Reading. */
	struct bytesource *src; /* NULL: writing */
	struct block_reader *reader;
	bool keep_icmp_sport;
	/* Writing. */
	struct bytesink *sink;
	struct block_writer *writer;
	bool header_written;
	bool failed; /* nothing more is written */
};

/* A stream named path, nothing else set. */
struct stream *stream_alloc(const char *path);
/* Format, byte order and what the packed-file entry says, from stream->header. */
int stream_use_header(struct stream *stream, struct err *err);
/* Header and last block, then close the sink. */
int stream_finish_writing(struct stream *stream, struct err *err);

#endif
