/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/numbers.h"

#include "storage/varint.h"

#include <assert.h>
#include <string.h>

static void dictionary_size(struct numbers *numbers, uint32_t count)
{
	if (count > numbers->dictionary_room) {
		g_free(numbers->dictionary);
		numbers->dictionary = g_new(uint64_t, count);
		numbers->dictionary_room = count;
	}
	numbers->dictionary_count = count;
}

int numbers_part(const uint8_t **at, const uint8_t *end, const uint8_t **part_end, struct err *err)
{
	uint64_t len = 0;

	if (!varint_get(at, end, &len) || len > (size_t)(end - *at)) {
		return err_set(err, ST_EFORMAT, "a part is longer than its stream");
	}
	*part_end = *at + len;
	return ST_OK;
}

int codes_open(struct frames *frames, const uint8_t *at, const uint8_t *end, uint32_t count,
	       struct err *err)
{
	if (at == end || *at != ENCODING_FRAMES) {
		return err_set(err, ST_EFORMAT, "a dictionary without frames");
	}
	return frames_open(frames, at + 1, end, count, false, err);
}

int codes_read(const struct frames *frames, uint32_t row, uint32_t count, uint32_t limit,
	       uint16_t *out, struct err *err)
{
	int rc = frames_read(frames, row, count, &lanes_u16, out, err);

	if (rc == ST_OK && limit <= UINT16_MAX && lanes_u16.exceeds(out, count, limit - 1)) {
		return err_set(err, ST_EFORMAT, "a place behind the dictionary");
	}
	return rc;
}

static int constant_open(struct numbers *numbers, const uint8_t *at, const uint8_t *end,
			 struct err *err)
{
	dictionary_size(numbers, 1);
	if (!varint_get(&at, end, &numbers->dictionary[0]) || at != end) {
		return err_set(err, ST_EFORMAT, "bad constant");
	}
	return ST_OK;
}

static bool ascends(const uint64_t *values, uint32_t count)
{
	bool ascending = true;

	for (uint32_t i = 1; i < count; i++) {
		ascending &= values[i - 1] < values[i];
	}
	return ascending;
}

static int dictionary_open(struct numbers *numbers, const uint8_t *at, const uint8_t *end,
			   struct err *err)
{
	struct numbers distinct = { 0 };
	const uint8_t *part_end = NULL;
	uint64_t count = 0;
	int rc;

	if (!varint_get(&at, end, &count) || count == 0 || count > ENCODE_ROWS_MAX) {
		return err_set(err, ST_EFORMAT, "bad size of a dictionary");
	}
	rc = numbers_part(&at, end, &part_end, err);
	if (rc == ST_OK) {
		rc = numbers_open(&distinct, at, part_end, (uint32_t)count, false, err);
	}
	if (rc == ST_OK) {
		dictionary_size(numbers, (uint32_t)count);
		rc = numbers_read_all(&distinct, &lanes_u64, numbers->dictionary, err);
	}
	numbers_release(&distinct);
	if (rc != ST_OK) {
		return rc;
	}
	if (!ascends(numbers->dictionary, (uint32_t)count)) {
		return err_set(err, ST_EFORMAT, "a dictionary does not ascend");
	}
	return codes_open(&numbers->frames, part_end, end, numbers->count, err);
}

int numbers_open(struct numbers *numbers, const uint8_t *at, const uint8_t *end, uint32_t count,
		 bool may_be_dictionary, struct err *err)
{
	if (at == end) {
		return err_set(err, ST_EFORMAT, "an empty stream");
	}
	numbers->encoding = *at++;
	numbers->count = count;
	numbers->dictionary_count = 0;
	switch (numbers->encoding) {
	case ENCODING_CONSTANT:
		return constant_open(numbers, at, end, err);
	case ENCODING_FRAMES:
	case ENCODING_DELTA:
		return frames_open(&numbers->frames, at, end, count,
				   numbers->encoding == ENCODING_DELTA, err);
	case ENCODING_DICTIONARY:
		if (may_be_dictionary) {
			return dictionary_open(numbers, at, end, err);
		}
		return err_set(err, ST_EFORMAT, "a dictionary within a stream");
	default:
		return err_set(err, ST_EFORMAT, "unknown encoding %u of numbers",
			       numbers->encoding);
	}
}

void numbers_release(struct numbers *numbers)
{
	g_free(numbers->dictionary);
	*numbers = (struct numbers){ 0 };
}

int numbers_read_codes(const struct numbers *numbers, uint32_t row, uint32_t count, uint16_t *out,
		       struct err *err)
{
	assert(numbers->dictionary_count > 0);
	if (numbers->encoding == ENCODING_CONSTANT) {
		memset(out, 0, count * sizeof(*out));
		return ST_OK;
	}
	return codes_read(&numbers->frames, row, count, numbers->dictionary_count, out, err);
}

int numbers_read(const struct numbers *numbers, uint32_t row, uint32_t count,
		 const struct lanes *lanes, void *out, struct err *err)
{
	uint16_t codes[FRAME_ROWS];
	int rc;

	if (numbers->dictionary_count == 0) {
		return frames_read(&numbers->frames, row, count, lanes, out, err);
	}
	if (numbers->dictionary[numbers->dictionary_count - 1] > lanes->max) {
		return err_set(err, ST_EFORMAT, "a value is too large for its column");
	}
	if (numbers->encoding == ENCODING_CONSTANT) {
		lanes->fill(out, count, numbers->dictionary[0]);
		return ST_OK;
	}
	rc = numbers_read_codes(numbers, row, count, codes, err);
	if (rc == ST_OK) {
		lanes->pick(out, codes, count, numbers->dictionary);
	}
	return rc;
}

int numbers_read_all(const struct numbers *numbers, const struct lanes *lanes, void *out,
		     struct err *err)
{
	uint8_t *to = out;

	for (uint32_t row = 0; row < numbers->count; row += FRAME_ROWS) {
		uint32_t left = numbers->count - row;
		int rc = numbers_read(numbers, row, left < FRAME_ROWS ? left : FRAME_ROWS, lanes,
				      to + (size_t)row * (lanes->bits / 8), err);

		if (rc != ST_OK) {
			return rc;
		}
	}
	return ST_OK;
}
