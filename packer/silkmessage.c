/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/silkmessage.h"

#include <string.h>

#include "packer/decoder.h"
#include "packer/statebytes.h"
#include "storage/stream.h"

#define VALUES_HEAD_BYTES 8

static void put_value(GByteArray *out, uint32_t row, const struct flowblock_value *value)
{
	const enum column_form form = column_form(value->type);
	uint8_t address[16];
	const size_t len = form == COLUMN_FORM_NUMBER    ? sizeof(value->number)
			   : form == COLUMN_FORM_ADDRESS ? sizeof(address)
							 : value->bytes.len;

	if (out->len + len > SILKMESSAGE_VALUES_MAX) {
		return;
	}
	statebytes_put(out, row, 2);
	statebytes_put(out, value->key.pen, 4);
	statebytes_put(out, value->key.id, 2);
	statebytes_put(out, value->type, 1);
	statebytes_put(out, len, 2);
	if (form == COLUMN_FORM_NUMBER) {
		statebytes_put(out, value->number, 8);
	} else if (form == COLUMN_FORM_ADDRESS) {
		ip_to_bytes(value->ip, address);
		g_byte_array_append(out, address, sizeof(address));
	} else {
		g_byte_array_append(out, value->bytes.bytes, (guint)len);
	}
}

/* Of the rows from this one on that make a message; returns the row behind them. */
static uint32_t put_values(GByteArray *out, const struct batch *batch, uint32_t first)
{
	const uint32_t end = MIN(batch->rows, first + SILKMESSAGE_RECORDS);
	uint32_t row = first;

	for (; row < end && out->len < SILKMESSAGE_VALUES_BYTES; row++) {
		struct extras extras = { 0 };

		extras_add_row(&extras, batch, row);
		for (size_t i = 0; i < extras.count; i++) {
			put_value(out, row - first, &extras.values[i]);
		}
	}
	return row;
}

static void put_stream(GByteArray *out, const struct batch *batch, uint32_t row, uint32_t end)
{
	const struct stream_write_opts opts = {
		.format = FORMAT_RWIPV6ROUTING,
		.compression = COMPRESSION_NONE,
		.byte_order = BYTE_ORDER_BIG,
	};
	struct bytesink *sink = bytesink_memory("message");
	struct stream *stream = NULL;
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
}

uint32_t silkmessage_put(GByteArray *out, const struct batch *batch, uint32_t row)
{
	GByteArray *values = g_byte_array_new();
	const uint32_t end = put_values(values, batch, row);
	const guint at = out->len;

	if (values->len > 0) {
		statebytes_put(out, SILKMESSAGE_VALUES_MAGIC, 2);
		statebytes_put(out, 0, VALUES_HEAD_BYTES - 2);
	}
	put_stream(out, batch, row, end);
	if (values->len > 0) {
		put_be32(out->data + at + 4, out->len - at - VALUES_HEAD_BYTES);
		g_byte_array_append(out, values->data, values->len);
	}
	g_byte_array_free(values, TRUE);
	return end;
}

/* ---- the format of the decoder ---- */

struct silkmessage {
	struct decoder_context *context;
	struct batch *batch;
	struct extras extras;
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

static int value_damaged(struct err *err)
{
	return err_set(err, ST_EFORMAT, "a value of a record is damaged");
}

/* The next value; ST_END: it is of a later row, or there is none. */
static int next_value(struct template_bytes *values, uint64_t row, struct flowblock_value *out,
		      struct err *err)
{
	struct template_bytes rest = *values;
	uint64_t of_row, pen, id, type, len;
	const uint8_t *bytes;

	if (rest.left == 0) {
		return ST_END;
	}
	if (!statebytes_get(&rest, 2, &of_row) || !statebytes_get(&rest, 4, &pen) ||
	    !statebytes_get(&rest, 2, &id) || !statebytes_get(&rest, 1, &type) ||
	    !statebytes_get(&rest, 2, &len) || !(bytes = template_eat(&rest, len)) ||
	    type >= COLUMN_TYPES) {
		return value_damaged(err);
	}
	if (of_row > row) {
		return ST_END;
	}
	*values = rest;
	*out = (struct flowblock_value){ .key = { (uint32_t)pen, (uint16_t)id },
					 .type = (uint8_t)type };
	if (column_form(out->type) == COLUMN_FORM_BYTES) {
		out->bytes = (struct encode_bytes){ bytes, len };
	} else if (column_form(out->type) == COLUMN_FORM_NUMBER && len == sizeof(out->number)) {
		out->number = get_be64(bytes);
	} else if (column_form(out->type) == COLUMN_FORM_ADDRESS && len == 16) {
		out->ip = ip_from_bytes(bytes);
	} else {
		return value_damaged(err);
	}
	return ST_OK;
}

static int give_row(struct silkmessage *format, uint32_t row, uint64_t number,
		    struct template_bytes *values, struct err *err)
{
	struct decoder_context *context = format->context;
	struct flowblock_value value;
	struct record rec;
	int st;

	extras_clear(&format->extras);
	while ((st = next_value(values, number, &value, err)) == ST_OK) {
		extras_add(&format->extras, value);
	}
	if (st != ST_END) {
		return st;
	}
	batch_get(format->batch, row, &rec);
	context->counts[DECODER_FORWARD]++;
	return context->sink.flow(context->sink.arg, &rec, &format->extras);
}

static int give_stream(struct silkmessage *format, struct template_bytes bytes,
		       struct template_bytes values, struct err *err)
{
	struct stream *stream = NULL;
	uint64_t number = 0;
	int st = stream_open_source(&stream, bytesource_memory(bytes.at, bytes.left, "message"),
				    NULL, err);

	if (st != ST_OK) {
		return ST_EFORMAT;
	}
	while (st == ST_OK &&
	       (st = stream_read_batch(stream, format->batch, COLUMNS_ALL, err)) == ST_OK) {
		for (uint32_t row = 0; st == ST_OK && row < format->batch->rows; row++) {
			st = give_row(format, row, number++, &values, err);
		}
	}
	stream_close(stream, NULL);
	return st == ST_END ? ST_OK : st;
}

static int silkmessage_take(void *state, const struct decoder_message *message, struct err *err)
{
	const struct template_bytes bytes = { message->bytes, message->len };

	return give_stream(state, bytes, (struct template_bytes){ .left = 0 }, err);
}

static int silkvalues_take(void *state, const struct decoder_message *message, struct err *err)
{
	struct template_bytes values = { message->bytes, message->len };
	struct template_bytes bytes;
	uint64_t head, len;

	if (!statebytes_get(&values, 4, &head) || !statebytes_get(&values, 4, &len)) {
		return value_damaged(err);
	}
	bytes = (struct template_bytes){ template_eat(&values, len), len };
	return bytes.at ? give_stream(state, bytes, values, err) : value_damaged(err);
}

const struct decoder_format decoder_silk = {
	.name = "SiLK",
	.magic = SILKMESSAGE_MAGIC,
	.open = silkmessage_open,
	.take = silkmessage_take,
	.close = silkmessage_close,
};

const struct decoder_format decoder_silkvalues = {
	.name = "SiLK with values",
	.magic = SILKMESSAGE_VALUES_MAGIC,
	.open = silkmessage_open,
	.take = silkvalues_take,
	.close = silkmessage_close,
};
