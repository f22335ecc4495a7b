/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IPFIX as a format of packer/decoder.h. */
#include "packer/decoder.h"
#include "packer/ipfix.h"

struct ipfixformat {
	struct decoder_context *context;
	struct ipfix_decoder *decoder;
	struct ipfix_stats seen; /* counted already */
};

static void ipfixformat_ignored(void *arg, const struct record *rec, const char *reason)
{
	const struct ipfixformat *format = arg;

	if (format->context->sink.ignored) {
		format->context->sink.ignored(format->context->sink.arg, rec, reason);
	}
}

static void *ipfixformat_open(struct decoder_context *context)
{
	struct ipfixformat *format = g_new0(struct ipfixformat, 1);

	format->context = context;
	format->decoder = ipfix_decoder_new(&context->opts.limits, &context->opts.mapping);
	ipfix_set_ignored(format->decoder, ipfixformat_ignored, format);
	return format;
}

static void ipfixformat_close(void *state)
{
	struct ipfixformat *format = state;

	ipfix_decoder_free(format->decoder);
	g_free(format);
}

static void ipfixformat_mapping_changed(void *state)
{
	struct ipfixformat *format = state;

	ipfix_set_mapping(format->decoder, &format->context->opts.mapping);
}

static int ipfixformat_record(void *arg, const struct record *rec)
{
	static const struct extras none = { 0 };
	const struct ipfixformat *format = arg;

	return format->context->sink.flow(format->context->sink.arg, rec, &none);
}

/* Messages, bytes and refusals are counted by the decoder. */
static void ipfixformat_count(struct ipfixformat *format)
{
	uint64_t *counts = format->context->counts;
	struct ipfix_stats now;

	ipfix_get_stats(format->decoder, &now);
	counts[DECODER_FORWARD] += now.forward - format->seen.forward;
	counts[DECODER_REVERSE] += now.reverse - format->seen.reverse;
	counts[DECODER_IGNORED] += now.ignored - format->seen.ignored;
	counts[DECODER_TEMPLATES] += now.templates - format->seen.templates;
	counts[DECODER_UNKNOWN_SETS] += now.unknown_sets - format->seen.unknown_sets;
	counts[DECODER_MISSING] += now.missing - format->seen.missing;
	counts[DECODER_OUT_OF_SEQUENCE] += now.out_of_sequence - format->seen.out_of_sequence;
	format->seen = now;
}

static int ipfixformat_take(void *state, const struct decoder_message *message, struct err *err)
{
	struct ipfixformat *format = state;
	int st = ipfix_decode(format->decoder, message->bytes, message->len, ipfixformat_record,
			      format, err);

	ipfixformat_count(format);
	return st;
}

const struct decoder_format decoder_ipfix = {
	.name = "IPFIX",
	.versions = 1U << 10,
	.open = ipfixformat_open,
	.take = ipfixformat_take,
	.mapping_changed = ipfixformat_mapping_changed,
	.close = ipfixformat_close,
};
