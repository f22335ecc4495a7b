/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fuzz/messages.h"

#include <stdlib.h>
#include <string.h>

#include "packer/decoder.h"

static int take_flow(void *arg, struct record *rec, const struct extras *extras)
{
	uint64_t *sum = arg;

	*sum += rec->packets;
	for (size_t i = 0; i < extras->count; i++) {
		const struct flowblock_value *value = &extras->values[i];

		if (column_form(value->type) == COLUMN_FORM_BYTES) {
			for (size_t at = 0; at < value->bytes.len; at++) {
				*sum += value->bytes.bytes[at];
			}
		}
	}
	return 0;
}

static void take_note(void *arg, enum decoder_note note, const char *text)
{
	*(uint64_t *)arg += (uint64_t)note + strlen(text);
}

static void take_counters(void *arg, const struct ifcounters *counters)
{
	*(uint64_t *)arg += counters->values[IFCOUNTER_IN_BYTES];
}

static struct decoder *reload(struct decoder *old, const struct decoder_opts *opts,
			      const struct decoder_sink *sink)
{
	GByteArray *saved = g_byte_array_new();
	struct decoder *decoder = decoder_new(opts, sink);

	decoder_save(old, saved);
	decoder_free(old);
	if (decoder_load(decoder, saved->data, saved->len, NULL) != 0) {
		abort(); /* what was saved must load */
	}
	g_byte_array_free(saved, TRUE);
	return decoder;
}

void fuzz_messages(const uint8_t *bytes, size_t size, const uint8_t *versions, size_t count)
{
	uint64_t sum = 0;
	const struct decoder_sink sink = {
		.flow = take_flow,
		.note = take_note,
		.arg = &sum,
		.notes = ~0U,
		.counters = take_counters,
	};
	struct decoder_opts opts = { .limits = { 16, 64, 4 } };
	struct decoder *decoder;
	bool reloaded = false;

	if (size < 1) {
		return;
	}
	opts.mapping.vlan_interfaces = bytes[0] & 0x80;
	opts.mapping.quirks = bytes[0] & 0x1f;
	decoder = decoder_new(&opts, &sink);
	for (size_t at = 1; size - at > 2;) {
		size_t len = (size_t)bytes[at] << 8 | bytes[at + 1];
		uint8_t *copy;

		at += 2;
		len = len < size - at ? len : size - at;
		copy = malloc(len > 0 ? len : 1);
		memcpy(copy, bytes + at, len);
		if (len >= 2) {
			copy[1] = versions[copy[1] % count];
			copy[0] = 0;
		}
		decoder_take(decoder, &(struct decoder_message){ copy, len, INT64_C(1) << 60 },
			     NULL);
		free(copy);
		at += len;
		if (!reloaded && at > size / 2) {
			reloaded = true;
			decoder = reload(decoder, &opts, &sink);
		}
	}
	decoder_free(decoder);
}
