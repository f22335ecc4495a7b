/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * IPFIX and NetFlow v9 messages through one decoder, which is saved and loaded in between. The
 * first octet of the input holds quirks and the mapping; then messages follow, each preceded by two
 * octets of length, their version (and length, if IPFIX) made right unless the length is odd. A
 * message of no octets stands for a restart: a new decoder takes over the state.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "packer/decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int take_flow(void *arg, struct record *rec, const struct extras *extras)
{
	uint64_t *sum = arg;

	*sum += rec->packets;
	for (size_t i = 0; i < extras->count; i++) {
		const struct flowblock_value *value = &extras->values[i];

		if (column_form(value->type) == COLUMN_FORM_BYTES) {
			for (size_t k = 0; k < value->bytes.len; k++) {
				*sum += value->bytes.bytes[k];
			}
		} else {
			*sum += value->number;
		}
	}
	return 0;
}

static void take_ignored(void *arg, const struct record *rec, const char *reason)
{
	*(uint64_t *)arg += rec->bytes + strlen(reason);
}

static void take_note(void *arg, enum decoder_note note, const char *text)
{
	*(uint64_t *)arg += note + strlen(text);
}

static void restart(struct decoder **decoder, const struct decoder_opts *opts,
		    const struct decoder_sink *sink)
{
	GByteArray *state = g_byte_array_new();

	decoder_save(*decoder, state);
	decoder_free(*decoder);
	*decoder = decoder_new(opts, sink);
	if (decoder_load(*decoder, state->data, state->len, NULL) != ST_OK) {
		abort();
	}
	g_byte_array_free(state, TRUE);
}

/* In memory of its own, so that what is read beyond it is seen. */
static void take(struct decoder *decoder, const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len);

	memcpy(copy, bytes, len);
	if (len >= 4 && len % 2 == 0) {
		copy[0] = 0;
		if (copy[1] != 9) {
			copy[1] = 10;
			copy[2] = (uint8_t)(len >> 8);
			copy[3] = (uint8_t)len;
		}
	}
	decoder_take(decoder,
		     &(struct decoder_message){ copy, len, INT64_C(1700000000) * 1000000000 },
		     NULL);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct iemodel *model; /* to make one takes longer than all the rest */
	struct decoder_opts opts = { .limits = { 16, 64, 4 } };
	uint64_t sum = 0;
	const struct decoder_sink sink = { .flow = take_flow,
					   .ignored = take_ignored,
					   .note = take_note,
					   .arg = &sum,
					   .notes = ~0U };
	struct decoder *decoder;

	if (size < 1) {
		return 0;
	}
	if (!model) {
		model = iemodel_new();
	}
	opts.model = model;
	opts.mapping.vlan_interfaces = bytes[0] & 0x80;
	opts.mapping.clock_limit_ns = bytes[0] & 0x40 ? INT64_C(3600000000000) : 0;
	opts.mapping.quirks = bytes[0] & 0x1f;
	decoder = decoder_new(&opts, &sink);
	for (size_t at = 1; size - at > 2;) {
		size_t len = (size_t)bytes[at] << 8 | bytes[at + 1];

		at += 2;
		len = len < size - at ? len : size - at;
		if (len > 0) {
			take(decoder, bytes + at, len);
		} else {
			restart(&decoder, &opts, &sink);
		}
		at += len;
	}
	decoder_free(decoder);
	return 0;
}
