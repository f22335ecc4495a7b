/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/encodeparts.h"
#include "storage/putbytes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	const struct encode_bytes *x = *(const struct encode_bytes *const *)a;
	const struct encode_bytes *y = *(const struct encode_bytes *const *)b;
	size_t shorter = MIN(x->len, y->len);
	int order = shorter == 0 ? 0 : memcmp(x->bytes, y->bytes, shorter);

	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* Values in order, each once, at the front of sorted; codes are their places. Returns how many. */
static size_t rank_strings(const struct encode_bytes *values, size_t count,
			   const struct encode_bytes **sorted, uint64_t *codes)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		sorted[i] = &values[i];
	}
	qsort(sorted, count, sizeof(sorted[0]), compare);
	for (size_t i = 0; i < count; i++) {
		const struct encode_bytes *value = sorted[i];

		if (found == 0 || compare(&sorted[found - 1], &value) != 0) {
			sorted[found++] = value;
		}
		codes[value - values] = found - 1;
	}
	return found;
}

static void append(GByteArray *out, const struct encode_bytes *value)
{
	if (value->len > 0) {
		g_byte_array_append(out, value->bytes, (guint)value->len);
	}
}

/* Returns about how many bytes the lengths and the strings take. */
static size_t lengths_plan(struct plain *plain, uint64_t *lengths, size_t count)
{
	size_t sum = 0;

	for (size_t i = 0; i < count; i++) {
		sum += lengths[i];
	}
	plain_plan(plain, lengths, count, lengths);
	return varint_bytes(plain->bytes) + plain->bytes + sum;
}

void encode_strings(struct encoder *encoder, const struct encode_bytes *values, size_t count,
		    GByteArray *out)
{
	const struct encode_bytes **sorted = g_new(const struct encode_bytes *, count);
	struct plain lengths;
	struct plain distinct_lengths;
	struct frameplan codes;
	size_t distinct;

	assert(count > 0 && count <= ENCODE_ROWS_MAX);
	distinct = rank_strings(values, count, sorted, encoder->codes);
	for (size_t i = 0; i < count; i++) {
		encoder->numbers[i] = values[i].len;
	}
	for (size_t i = 0; i < distinct; i++) {
		encoder->distinct[i] = sorted[i]->len;
	}
	frameplan_make(&codes, encoder->codes, count, 0, 1, false);
	if (lengths_plan(&lengths, encoder->numbers, count) <=
	    lengths_plan(&distinct_lengths, encoder->distinct, distinct) + codes.bytes) {
		put_byte(out, ENCODING_STRINGS);
		plain_put_with_length(&lengths, encoder->part, out);
		for (size_t i = 0; i < count; i++) {
			append(out, &values[i]);
		}
	} else {
		put_byte(out, ENCODING_STRING_DICTIONARY);
		put_varint(out, distinct);
		plain_put_with_length(&distinct_lengths, encoder->part, out);
		for (size_t i = 0; i < distinct; i++) {
			append(out, sorted[i]);
		}
		frameplan_put(&codes, out);
	}
	g_free(sorted);
}
