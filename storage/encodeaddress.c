/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/encodeparts.h"

#include "storage/byteorder.h"
#include "storage/putbytes.h"

#include <assert.h>

/* A dictionary is taken that is larger than the other by this part at most: who looks for an
 * address looks at the distinct ones only. */
#define DICTIONARY_BONUS 16

struct address_dictionary {
	size_t count;
	size_t v4_count;
	/* The parts, those that there are, and the space behind them. */
	struct plain v4;
	struct plain hi;
	struct plain lo;
	struct frameplan codes;
	size_t bytes; /* about */
};

static size_t part_plan(struct plain *plain, uint64_t *numbers, size_t count)
{
	plain_plan(plain, numbers, count, numbers);
	return varint_bytes(plain->bytes) + plain->bytes;
}

static void dictionary_plan(struct address_dictionary *dictionary, struct encoder *encoder,
			    const struct ip *values, size_t count)
{
	/* the parts side by side; the high and the low halves of IPv6 addresses need two */
	uint64_t *v4 = encoder->distinct;
	uint64_t *lo;
	uint64_t *hi = encoder->reduced;
	size_t v6_count;

	dictionary->count = ranks_make_ip(encoder->ranks, values, count, encoder->ips,
					  encoder->codes, &dictionary->v4_count);
	v6_count = dictionary->count - dictionary->v4_count;
	lo = v4 + dictionary->v4_count;
	for (size_t i = 0; i < dictionary->v4_count; i++) {
		v4[i] = ip_to_v4(encoder->ips[i]);
	}
	for (size_t i = 0; i < v6_count; i++) {
		hi[i] = encoder->ips[dictionary->v4_count + i].hi;
		lo[i] = encoder->ips[dictionary->v4_count + i].lo;
	}
	frameplan_make(&dictionary->codes, encoder->codes, count, 0, 1, false);
	dictionary->bytes = 1 + varint_bytes(dictionary->v4_count) + varint_bytes(v6_count) +
			    dictionary->codes.bytes;
	if (dictionary->v4_count > 0) {
		dictionary->bytes += part_plan(&dictionary->v4, v4, dictionary->v4_count);
	}
	if (v6_count > 0) {
		dictionary->bytes += part_plan(&dictionary->hi, hi, v6_count);
		dictionary->bytes += part_plan(&dictionary->lo, lo, v6_count);
	}
}

static void dictionary_put(const struct address_dictionary *dictionary, GByteArray *part,
			   GByteArray *out)
{
	put_byte(out, ENCODING_ADDRESS_DICTIONARY);
	put_varint(out, dictionary->v4_count);
	put_varint(out, dictionary->count - dictionary->v4_count);
	if (dictionary->v4_count > 0) {
		plain_put_with_length(&dictionary->v4, part, out);
	}
	if (dictionary->count > dictionary->v4_count) {
		plain_put_with_length(&dictionary->hi, part, out);
		plain_put_with_length(&dictionary->lo, part, out);
	}
	frameplan_put(&dictionary->codes, out);
}

static void put_constant(struct ip value, GByteArray *out)
{
	uint8_t bytes[16];

	store64_be(bytes, value.hi);
	store64_be(bytes + 8, value.lo);
	put_byte(out, ENCODING_ADDRESS_CONSTANT);
	g_byte_array_append(out, bytes, sizeof(bytes));
}

/* IPv4 addresses as numbers; false: there are others. */
static bool encode_quickly(struct encoder *encoder, const struct ip *values, size_t count,
			   GByteArray *out)
{
	struct plain v4;
	bool all = true;

	for (size_t i = 0; i < count; i++) {
		all &= ip_is_mapped(values[i]);
		encoder->numbers[i] = ip_to_v4(values[i]);
	}
	if (!all) {
		return false;
	}
	plain_plan_quick(&v4, encoder->numbers, count, encoder->numbers);
	if (v4.is_constant) {
		put_constant(values[0], out);
	} else {
		put_byte(out, ENCODING_ADDRESS_V4);
		plain_put(&v4, out);
	}
	return true;
}

void encode_addresses(struct encoder *encoder, const struct ip *values, size_t count,
		      GByteArray *out)
{
	struct address_dictionary dictionary;
	struct plain v4;

	assert(count > 0 && count <= ENCODE_ROWS_MAX);
	if (encoder->quick && encode_quickly(encoder, values, count, out)) {
		return;
	}
	dictionary_plan(&dictionary, encoder, values, count);
	if (dictionary.count == 1) {
		put_constant(values[0], out);
		return;
	}
	if (dictionary.count == dictionary.v4_count) {
		for (size_t i = 0; i < count; i++) {
			encoder->numbers[i] = ip_to_v4(values[i]);
		}
		plain_plan(&v4, encoder->numbers, count, encoder->numbers);
		if (v4.bytes + v4.bytes / DICTIONARY_BONUS < dictionary.bytes) {
			put_byte(out, ENCODING_ADDRESS_V4);
			plain_put(&v4, out);
			return;
		}
	}
	dictionary_put(&dictionary, encoder->part, out);
}
