/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file of flow records: header, blocks, rows of any format. Whatever could be read is written
 * again in the same format, and must then be read without an error.
 */
#include "storage/stream.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Read everything, also into out if that is not NULL; the number of rows that went there. */
static uint64_t read_all(struct stream *in, struct stream *out, int *status)
{
	struct batch *batch = batch_new();
	uint64_t refused = 0;
	uint64_t rows = 0;

	while ((*status = stream_read_batch(in, batch, COLUMNS_ALL, NULL)) == ST_OK) {
		rows += batch->rows;
		if (out != NULL) {
			if (stream_write_batch(out, batch, &refused, NULL) != ST_OK) {
				abort();
			}
			rows -= refused;
		}
	}
	batch_free(batch);
	return rows;
}

static struct stream *open_bytes(const uint8_t *bytes, size_t size)
{
	struct stream *in = NULL;
	struct err err;

	stream_open_source(&in, bytesource_memory(bytes, size, "fuzz"), NULL, &err);
	return in;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct stream *in = open_bytes(bytes, size);
	struct bytesink *sink = bytesink_memory("fuzz");
	struct stream_write_opts opts = { .compression = COMPRESSION_SNAPPY };
	struct stream *out = NULL;
	struct stream *again;
	const uint8_t *written;
	uint64_t rows;
	size_t len;
	int status;

	if (in == NULL) {
		bytesink_close(sink, NULL);
		return 0;
	}
	opts.format = stream_header(in)->format;
	opts.record_version = stream_header(in)->record_version;
	opts.entries = stream_header(in);
	if (stream_create_sink(&out, sink, &opts, NULL) != ST_OK) {
		abort();
	}
	rows = read_all(in, out, &status);
	if (stream_flush(out, NULL) != ST_OK) {
		abort();
	}
	written = bytesink_bytes(sink, &len);
	again = open_bytes(written, len);
	if (again == NULL || read_all(again, NULL, &status) != rows || status != ST_END) {
		abort();
	}
	stream_close(again, NULL);
	stream_close(out, NULL);
	stream_close(in, NULL);
	return 0;
}
