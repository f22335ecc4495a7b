/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/strings.h"

#include "storage/column.h"
#include "storage/varint.h"

/* count lengths become the begins of the strings. */
static int lengths_read(struct strings *strings, const uint8_t **at, const uint8_t *end,
			uint32_t count, struct err *err)
{
	const uint8_t *part_end = NULL;
	uint64_t sum = 0;
	int rc = numbers_part(at, end, &part_end, err);

	if (rc == ST_OK) {
		rc = numbers_open(&strings->numbers, *at, part_end, count, false, err);
	}
	if (rc != ST_OK) {
		return rc;
	}
	*at = part_end;
	if (count + 1 > strings->begins_room) {
		g_free(strings->begins);
		strings->begins = g_new(uint32_t, count + 1);
		strings->begins_room = count + 1;
	}
	rc = numbers_read_all(&strings->numbers, &lanes_u32, strings->begins, err);
	if (rc != ST_OK) {
		return rc;
	}
	if (lanes_u32.exceeds(strings->begins, count, COLUMN_BYTES_MAX)) {
		return err_set(err, ST_EFORMAT, "a byte string is too long");
	}
	for (uint32_t i = 0; i < count; i++) {
		uint32_t len = strings->begins[i];

		strings->begins[i] = (uint32_t)sum;
		sum += len;
	}
	strings->begins[count] = (uint32_t)sum;
	if (sum > (size_t)(end - *at)) {
		return err_set(err, ST_EFORMAT, "byte strings are cut off");
	}
	strings->distinct = count;
	strings->bytes = *at;
	*at += sum;
	return ST_OK;
}

static int plain_open(struct strings *strings, const uint8_t *at, const uint8_t *end,
		      struct err *err)
{
	int rc = lengths_read(strings, &at, end, strings->count, err);

	if (rc == ST_OK && at != end) {
		return err_set(err, ST_EFORMAT, "bytes behind the last byte string");
	}
	return rc;
}

static int dictionary_open(struct strings *strings, const uint8_t *at, const uint8_t *end,
			   struct err *err)
{
	uint64_t count = 0;
	int rc;

	if (!varint_get(&at, end, &count) || count == 0 || count > ENCODE_ROWS_MAX) {
		return err_set(err, ST_EFORMAT, "bad size of a dictionary");
	}
	rc = lengths_read(strings, &at, end, (uint32_t)count, err);
	return rc == ST_OK ? codes_open(&strings->frames, at, end, strings->count, err) : rc;
}

int strings_open(struct strings *strings, const uint8_t *at, const uint8_t *end, uint32_t count,
		 struct err *err)
{
	if (at == end) {
		return err_set(err, ST_EFORMAT, "an empty stream");
	}
	strings->encoding = *at++;
	strings->count = count;
	switch (strings->encoding) {
	case ENCODING_STRINGS:
		return plain_open(strings, at, end, err);
	case ENCODING_STRING_DICTIONARY:
		return dictionary_open(strings, at, end, err);
	default:
		return err_set(err, ST_EFORMAT, "unknown encoding %u of byte strings",
			       strings->encoding);
	}
}

void strings_release(struct strings *strings)
{
	numbers_release(&strings->numbers);
	g_free(strings->begins);
	*strings = (struct strings){ 0 };
}

int strings_read(const struct strings *strings, uint32_t row, uint32_t count,
		 struct encode_bytes *out, struct err *err)
{
	const uint32_t *begins = strings->begins;
	uint16_t codes[FRAME_ROWS];
	int rc = ST_OK;

	if (strings->encoding == ENCODING_STRING_DICTIONARY) {
		rc = codes_read(&strings->frames, row, count, strings->distinct, codes, err);
	}
	for (uint32_t i = 0; rc == ST_OK && i < count; i++) {
		uint32_t place = strings->encoding == ENCODING_STRINGS ? row + i : codes[i];

		out[i].bytes = strings->bytes + begins[place];
		out[i].len = begins[place + 1] - begins[place];
	}
	return rc;
}
