/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A chunk: type, flag, number of rows (two bytes), then the stream. Everything is read that can be;
 * numbers that are read are encoded again and must read as the same.
 */
#include "storage/chunk.h"

#include <stdlib.h>
#include <string.h>

#define HEAD 4 /* bytes before the stream */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static uint8_t *padded(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = calloc(1, len + CHUNK_PADDING);

	if (!copy) {
		abort();
	}
	memcpy(copy, bytes, len);
	return copy;
}

/* Reads in all widths agree where they succeed. */
static int read_numbers(struct chunk *chunk, uint32_t row, uint32_t count, uint64_t *out)
{
	uint8_t u8[FRAME_ROWS];
	uint16_t u16[FRAME_ROWS];
	uint32_t u32[FRAME_ROWS];
	int rc = chunk_read_u64(chunk, row, count, out, NULL);

	if (chunk_read_u8(chunk, row, count, u8, NULL) == ST_OK && rc == ST_OK) {
		for (uint32_t i = 0; i < count; i++) {
			if (u8[i] != out[i]) {
				abort();
			}
		}
	}
	if (chunk_read_u16(chunk, row, count, u16, NULL) == ST_OK && rc == ST_OK) {
		for (uint32_t i = 0; i < count; i++) {
			if (u16[i] != out[i]) {
				abort();
			}
		}
	}
	if (chunk_read_u32(chunk, row, count, u32, NULL) == ST_OK && rc == ST_OK) {
		for (uint32_t i = 0; i < count; i++) {
			if (u32[i] != out[i]) {
				abort();
			}
		}
	}
	return rc;
}

/* Codes are places in the dictionary. */
static void read_codes(struct chunk *chunk, uint32_t row, uint32_t count)
{
	struct chunk_dictionary dictionary;
	uint16_t codes[FRAME_ROWS];

	chunk_dictionary(chunk, &dictionary);
	if (dictionary.count == 0 || chunk_read_codes(chunk, row, count, codes, NULL) != ST_OK) {
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (codes[i] >= dictionary.count) {
			abort();
		}
	}
}

static int read_frame(struct chunk *chunk, uint8_t type, uint32_t row, uint32_t count,
		      uint64_t *numbers)
{
	struct ip ips[FRAME_ROWS];
	struct encode_bytes strings[FRAME_ROWS];
	uint8_t presence[FRAME_ROWS];
	size_t sum = 0;
	int rc;

	chunk_read_presence(chunk, row, count, presence, NULL);
	read_codes(chunk, row, count);
	switch (column_form(type)) {
	case COLUMN_FORM_ADDRESS:
		return chunk_read_ip(chunk, row, count, ips, NULL);
	case COLUMN_FORM_BYTES:
		rc = chunk_read_strings(chunk, row, count, strings, NULL);
		for (uint32_t i = 0; rc == ST_OK && i < count; i++) {
			for (size_t at = 0; at < strings[i].len; at++) {
				sum += strings[i].bytes[at];
			}
		}
		return sum == SIZE_MAX ? ST_EFORMAT : rc;
	default:
		return read_numbers(chunk, row, count, numbers);
	}
}

static void encode_again(const uint64_t *numbers, uint32_t rows)
{
	struct encoder *encoder = encoder_new();
	struct chunk *chunk = chunk_new();
	GByteArray *out = g_byte_array_new();
	uint64_t again[FRAME_ROWS];
	guint len;

	encode_numbers(encoder, numbers, rows, out);
	len = out->len;
	g_byte_array_set_size(out, len + CHUNK_PADDING);
	if (chunk_open(chunk, COLUMN_UNSIGNED64, out->data, len, rows, false, NULL) != ST_OK) {
		abort();
	}
	for (uint32_t row = 0; row < rows; row += FRAME_ROWS) {
		uint32_t count = MIN(rows - row, FRAME_ROWS);

		if (chunk_read_u64(chunk, row, count, again, NULL) != ST_OK ||
		    memcmp(again, numbers + row, count * sizeof(again[0])) != 0) {
			abort();
		}
	}
	g_byte_array_free(out, TRUE);
	chunk_free(chunk);
	encoder_free(encoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	uint8_t *stream;
	struct chunk *chunk;
	uint64_t *numbers;
	uint32_t rows;
	uint8_t type;
	int rc;

	if (size < HEAD) {
		return 0;
	}
	type = bytes[0] % COLUMN_TYPES;
	rows = (bytes[2] | (uint32_t)bytes[3] << 8) + 1;
	stream = padded(bytes + HEAD, size - HEAD);
	chunk = chunk_new();
	numbers = calloc(rows, sizeof(*numbers));
	if (!numbers) {
		abort();
	}
	rc = chunk_open(chunk, type, stream, size - HEAD, rows, bytes[1] & 1, NULL);
	for (uint32_t row = 0; rc == ST_OK && row < rows; row += FRAME_ROWS) {
		rc = read_frame(chunk, type, row, MIN(rows - row, FRAME_ROWS), numbers + row);
	}
	if (rc == ST_OK && column_form(type) == COLUMN_FORM_NUMBER) {
		encode_again(numbers, rows);
	}
	free(numbers);
	chunk_free(chunk);
	free(stream);
	return 0;
}
