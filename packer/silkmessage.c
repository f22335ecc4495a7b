/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/silkmessage.h"

#include "packer/decoder.h"
#include "storage/stream.h"

uint32_t silkmessage_put(GByteArray *out, const struct batch *batch, uint32_t row)
{
	const struct stream_write_opts opts = {
		.format = FORMAT_RWIPV6ROUTING,
		.compression = COMPRESSION_NONE,
		.byte_order = BYTE_ORDER_BIG,
	};
	struct bytesink *sink = bytesink_memory("message");
	struct stream *stream = NULL;
	uint32_t end = MIN(batch->rows, row + SILKMESSAGE_RECORDS);
	const uint8_t *bytes;
	size_t len;

	/* nothing of this can fail: it is memory, and the format holds every record */
	if (stream_create_sink(&stream, sink, &opts, NULL) == ST_OK) {
		for (; row < end; row++) {
			struct record rec;

			batch_get(batch, row, &rec);
			stream_write(stream, &rec, NULL);
		}
		stream_flush(stream, NULL);
		bytes = bytesink_bytes(sink, &len);
		g_byte_array_append(out, bytes, (guint)len);
	}
	stream_close(stream, NULL);
	return end;
}

/* ---- the format of the decoder ---- */

struct silkmessage {
	struct decoder_context *context;
	struct batch *batch;
};

static void *silkmessage_open(struct decoder_context *context)
{
	struct silkmessage *format = g_new0(struct silkmessage, 1);

	format->context = context;
	format->batch = batch_new();
	return format;
}

static void silkmessage_close(void *state)
{
	struct silkmessage *format = state;

	batch_free(format->batch);
	g_free(format);
}

static int silkmessage_take(void *state, const struct decoder_message *message, struct err *err)
{
	struct silkmessage *format = state;
	struct decoder_context *context = format->context;
	struct stream *stream = NULL;
	int st = stream_open_source(
		&stream, bytesource_memory(message->bytes, message->len, "message"), NULL, err);

	if (st != ST_OK) {
		return ST_EFORMAT;
	}
	while ((st = stream_read_batch(stream, format->batch, COLUMNS_ALL, err)) == ST_OK) {
		for (uint32_t row = 0; st == ST_OK && row < format->batch->rows; row++) {
			struct record rec;

			batch_get(format->batch, row, &rec);
			context->counts[DECODER_FORWARD]++;
			st = context->sink.flow(context->sink.arg, &rec, NULL);
		}
		if (st != ST_OK) {
			break;
		}
	}
	stream_close(stream, NULL);
	return st == ST_END ? ST_OK : st;
}

const struct decoder_format decoder_silk = {
	.name = "SiLK",
	.magic = SILKMESSAGE_MAGIC,
	.open = silkmessage_open,
	.take = silkmessage_take,
	.close = silkmessage_close,
};
