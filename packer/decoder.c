/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/decoder.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/bigendian.h"

/* The only list of formats. */
static const struct decoder_format *const decoder_formats[] = {
	&decoder_ipfix,    &decoder_netflow5, &decoder_sflow,
	&decoder_netflow9, &decoder_silk,     &decoder_silkvalues,
};
#define DECODER_FORMATS G_N_ELEMENTS(decoder_formats)

const struct metric decoder_counter_names[DECODER_COUNTERS] = {
	[DECODER_MESSAGES] = { "messages", "messages and datagrams received" },
	[DECODER_BYTES] = { "bytes", "bytes of messages" },
	[DECODER_FORWARD] = { "forward", "records decoded, forward halves" },
	[DECODER_REVERSE] = { "reverse", "records decoded, reverse halves" },
	[DECODER_IGNORED] = { "ignored", "data records that are no flows" },
	[DECODER_BAD] = { "bad", "data records that cannot be true" },
	[DECODER_TEMPLATES] = { "templates", "templates received" },
	[DECODER_OPTIONS] = { "options", "option records received" },
	[DECODER_UNKNOWN_SETS] = { "unknown-sets", "data sets given up without a template" },
	[DECODER_HELD] = { "held", "data sets that waited for their template" },
	[DECODER_MISSING] = { "missing", "records missing by sequence number" },
	[DECODER_MISSING_PACKETS] = { "missing-packets", "datagrams missing by sequence number" },
	[DECODER_OUT_OF_SEQUENCE] = { "out-of-sequence", "messages out of sequence" },
	[DECODER_REBOOTS] = { "reboots", "restarts of exporters" },
	[DECODER_MALFORMED] = { "malformed", "messages refused" },
	[DECODER_UNSUPPORTED] = { "unsupported", "messages of a version that is not decoded" },
	[DECODER_CLOCK_OFF] = { "clock-off", "records stored under their time of arrival" },
	[DECODER_END_FIRST] = { "end-first", "records whose end was before their start" },
	[DECODER_DISCARDS] = { "discards", "packets that exporters dropped" },
	[DECODER_COUNTER_SAMPLES] = { "counter-samples", "samples of interface counters" },
	[DECODER_EXTRAS_LOST] = { "extras-lost", "values of elements that found no room" },
};

struct decoder {
	struct decoder_context context;
	void *states[DECODER_FORMATS]; /* NULL: no message yet */
};

struct decoder *decoder_new(const struct decoder_opts *opts, const struct decoder_sink *sink)
{
	struct decoder *decoder = g_new0(struct decoder, 1);

	decoder->context.opts = *opts;
	decoder->context.sink = *sink;
	decoder->context.budget = (struct budget){ .max = DECODER_BYTES_MAX, .all = opts->budget };
	return decoder;
}

static void decoder_close(struct decoder *decoder)
{
	for (size_t i = 0; i < DECODER_FORMATS; i++) {
		if (decoder->states[i]) {
			decoder_formats[i]->close(decoder->states[i]);
			decoder->states[i] = NULL;
		}
	}
}

void decoder_free(struct decoder *decoder)
{
	if (decoder) {
		decoder_close(decoder);
		g_free(decoder);
	}
}

void decoder_set_mapping(struct decoder *decoder, const struct ipfix_mapping *mapping,
			 unsigned notes)
{
	decoder->context.opts.mapping = *mapping;
	decoder->context.sink.notes = notes;
	for (size_t i = 0; i < DECODER_FORMATS; i++) {
		if (decoder->states[i] && decoder_formats[i]->mapping_changed) {
			decoder_formats[i]->mapping_changed(decoder->states[i]);
		}
	}
}

static void *decoder_state(struct decoder *decoder, size_t format)
{
	if (!decoder->states[format]) {
		decoder->states[format] = decoder_formats[format]->open(&decoder->context);
	}
	return decoder->states[format];
}

static bool decoder_speaks(const struct decoder *decoder, const struct decoder_format *format,
			   unsigned version)
{
	return version < 32 ? format->versions & (1U << version)
			    : decoder->context.opts.from_file && format->magic == version;
}

int decoder_take(struct decoder *decoder, const struct decoder_message *message, struct err *err)
{
	uint64_t *counts = decoder->context.counts;
	unsigned version = 0;
	int st;

	counts[DECODER_MESSAGES]++;
	counts[DECODER_BYTES] += message->len;
	if (message->len < 4) {
		counts[DECODER_MALFORMED]++;
		return err_set(err, ST_EFORMAT, "%zu bytes are no message", message->len);
	}
	version = get_be16(message->bytes);
	for (size_t i = 0; i < DECODER_FORMATS; i++) {
		if (decoder_speaks(decoder, decoder_formats[i], version)) {
			st = decoder_formats[i]->take(decoder_state(decoder, i), message, err);
			counts[DECODER_MALFORMED] += st == ST_EFORMAT || st == ST_ELIMIT;
			return st;
		}
	}
	counts[DECODER_MALFORMED]++;
	return err_set(err, ST_EFORMAT, "version %u is no export format known here", version);
}

/*
 * Saved form: for each format that has state, its place in the table (1 byte), the length (4 bytes,
 * big-endian), the bytes. Only ever read by the program that wrote it or its successor: a format is
 * added at the end of the table.
 */
void decoder_save(const struct decoder *decoder, GByteArray *out)
{
	for (size_t i = 0; i < DECODER_FORMATS; i++) {
		uint8_t head[5] = { (uint8_t)i };
		guint at = out->len;

		if (!decoder->states[i] || !decoder_formats[i]->save) {
			continue;
		}
		g_byte_array_append(out, head, sizeof(head));
		decoder_formats[i]->save(decoder->states[i], out);
		put_be32(out->data + at + 1, out->len - at - (guint)sizeof(head));
	}
}

static int decoder_load_next(struct decoder *decoder, const uint8_t **bytes, size_t *left,
			     struct err *err)
{
	const uint8_t *at = *bytes;
	size_t len;

	if (*left < 5 || at[0] >= DECODER_FORMATS || !decoder_formats[at[0]]->load) {
		return err_set(err, ST_EFORMAT, "the saved state of a decoder is damaged");
	}
	len = get_be32(at + 1);
	if (len > *left - 5) {
		return err_set(err, ST_EFORMAT, "the saved state of a decoder is cut short");
	}
	*bytes += 5 + len;
	*left -= 5 + len;
	return decoder_formats[at[0]]->load(decoder_state(decoder, at[0]), at + 5, len, err);
}

int decoder_load(struct decoder *decoder, const uint8_t *bytes, size_t len, struct err *err)
{
	int st = ST_OK;

	while (st == ST_OK && len > 0) {
		st = decoder_load_next(decoder, &bytes, &len, err);
	}
	if (st != ST_OK) {
		decoder_close(decoder);
	}
	return st;
}

void decoder_each_name(const struct decoder *decoder, decoder_name_fn fn, void *arg)
{
	for (size_t i = 0; i < DECODER_FORMATS; i++) {
		if (decoder->states[i] && decoder_formats[i]->each_name) {
			decoder_formats[i]->each_name(decoder->states[i], fn, arg);
		}
	}
}

void decoder_get_counts(const struct decoder *decoder, uint64_t out[DECODER_COUNTERS])
{
	memcpy(out, decoder->context.counts, sizeof(decoder->context.counts));
}

void decoder_note(struct decoder_context *context, enum decoder_note note, const char *fmt, ...)
{
	char text[512];
	va_list args;

	if (!decoder_wants(context, note)) {
		return;
	}
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	context->sink.note(context->sink.arg, note, text);
}

int decoder_deliver_each(const struct decoder_sink *sink, struct rowqueue *queue, size_t first)
{
	const size_t end = queue->count;
	struct extras extras;
	int rc = ST_OK;

	rowqueue_cut(queue, first);
	for (size_t i = first; rc == ST_OK && i < end; i++) {
		struct flowblock_row *row = &queue->rows[i];

		extras_clear(&extras);
		for (size_t j = 0; j < row->value_count; j++) {
			extras_add(&extras, row->values[j]);
		}
		rc = sink->flow(sink->arg, &row->rec, &extras);
	}
	return rc;
}

int decoder_deliver(const struct decoder_sink *sink, struct rowqueue *queue, size_t first)
{
	if (queue->count == first) {
		return ST_OK;
	}
	return sink->queued ? sink->queued(sink->arg, first)
			    : decoder_deliver_each(sink, queue, first);
}
