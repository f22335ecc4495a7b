/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/encode.h"

#include "storage/encodeparts.h"
#include "storage/putbytes.h"

#include <assert.h>
#include <string.h>

struct encoder *encoder_new(void)
{
	struct encoder *encoder = g_new0(struct encoder, 1);

	encoder->ranks = ranks_new();
	encoder->reduced = g_new(uint64_t, ENCODE_ROWS_MAX);
	encoder->distinct = g_new(uint64_t, ENCODE_ROWS_MAX);
	encoder->codes = g_new(uint64_t, ENCODE_ROWS_MAX);
	encoder->numbers = g_new(uint64_t, ENCODE_ROWS_MAX);
	encoder->ips = g_new(struct ip, ENCODE_ROWS_MAX);
	encoder->part = g_byte_array_new();
	return encoder;
}

void encoder_free(struct encoder *encoder)
{
	if (encoder) {
		ranks_free(encoder->ranks);
		g_free(encoder->reduced);
		g_free(encoder->distinct);
		g_free(encoder->codes);
		g_free(encoder->numbers);
		g_free(encoder->ips);
		g_byte_array_free(encoder->part, TRUE);
		g_free(encoder);
	}
}

void encoder_set_quick(struct encoder *encoder, bool quick)
{
	encoder->quick = quick;
}

struct dictionary {
	size_t count;
	struct plain values;
	struct frameplan codes;
	size_t bytes; /* about */
};

/* Of the values that plain, which is not constant, stands for. */
static void dictionary_plan(struct dictionary *dictionary, struct encoder *encoder,
			    const struct frameplan *plain)
{
	dictionary->count = ranks_make(encoder->ranks, plain->numbers, plain->count,
				       encoder->distinct, encoder->codes);
	plain_plan_reduced(&dictionary->values, encoder->distinct, dictionary->count, plain->origin,
			   plain->scale);
	frameplan_make(&dictionary->codes, encoder->codes, plain->count, 0, 1, false);
	dictionary->bytes = 1 + varint_bytes(dictionary->count) +
			    varint_bytes(dictionary->values.bytes) + dictionary->values.bytes +
			    dictionary->codes.bytes;
}

static void dictionary_put(const struct dictionary *dictionary, GByteArray *part, GByteArray *out)
{
	put_byte(out, ENCODING_DICTIONARY);
	put_varint(out, dictionary->count);
	plain_put_with_length(&dictionary->values, part, out);
	frameplan_put(&dictionary->codes, out);
}

/* Are so few of some of the values distinct that a dictionary may be worth trying? */
#define SAMPLE 1024
static bool is_dictionary_promising(struct encoder *encoder, const struct frameplan *plain)
{
	uint64_t sample[SAMPLE];
	const size_t stride = plain->count / SAMPLE;

	if (stride < 2) {
		return true;
	}
	for (size_t i = 0; i < SAMPLE; i++) {
		sample[i] = plain->numbers[i * stride];
	}
	return ranks_make(encoder->ranks, sample, SAMPLE, encoder->distinct, encoder->codes) <
	       SAMPLE * 3 / 4;
}

void encode_numbers(struct encoder *encoder, const uint64_t *values, size_t count, GByteArray *out)
{
	struct plain plain;
	struct dictionary dictionary;

	assert(count > 0 && count <= ENCODE_ROWS_MAX);
	if (encoder->quick) {
		plain_plan_quick(&plain, values, count, encoder->reduced);
		plain_put(&plain, out);
		return;
	}
	plain_plan(&plain, values, count, encoder->reduced);
	if (!plain.is_constant && is_dictionary_promising(encoder, &plain.frames)) {
		dictionary_plan(&dictionary, encoder, &plain.frames);
		if (dictionary.bytes < plain.bytes) {
			dictionary_put(&dictionary, encoder->part, out);
			return;
		}
	}
	plain_put(&plain, out);
}

bool encode_numbers_as(struct encoder *encoder, enum encoding encoding, const uint64_t *values,
		       size_t count, GByteArray *out)
{
	struct plain plain;
	struct dictionary dictionary;
	struct frameplan frames;

	assert(count > 0 && count <= ENCODE_ROWS_MAX);
	plain_plan(&plain, values, count, encoder->reduced);
	if (encoding == ENCODING_CONSTANT) {
		if (plain.is_constant) {
			plain_put(&plain, out);
		}
		return plain.is_constant;
	}
	if (plain.is_constant) {
		memset(encoder->reduced, 0, count * sizeof(values[0]));
		frameplan_make(&plain.frames, encoder->reduced, count, values[0], 1, false);
	}
	switch (encoding) {
	case ENCODING_FRAMES:
	case ENCODING_DELTA:
		frameplan_make(&frames, encoder->reduced, count, plain.frames.origin,
			       plain.frames.scale, encoding == ENCODING_DELTA);
		frameplan_put(&frames, out);
		return true;
	case ENCODING_DICTIONARY:
		dictionary_plan(&dictionary, encoder, &plain.frames);
		dictionary_put(&dictionary, encoder->part, out);
		return true;
	default:
		return false;
	}
}
