/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/chunk.h"

#include "storage/addresses.h"
#include "storage/numbers.h"
#include "storage/strings.h"

#include <assert.h>
#include <string.h>

struct chunk {
	uint8_t type; /* enum column_type */
	bool has_absent;
	uint32_t rows;
	struct numbers presence; /* if has_absent */
	/* One of these, by the form of the type; the others keep their space. */
	struct numbers numbers;
	struct addresses addresses;
	struct strings strings;
};

struct chunk *chunk_new(void)
{
	return g_new0(struct chunk, 1);
}

void chunk_free(struct chunk *chunk)
{
	if (!chunk) {
		return;
	}
	numbers_release(&chunk->presence);
	numbers_release(&chunk->numbers);
	addresses_release(&chunk->addresses);
	strings_release(&chunk->strings);
	g_free(chunk);
}

int chunk_open(struct chunk *chunk, uint8_t type, const uint8_t *bytes, size_t len, uint32_t rows,
	       bool has_absent, struct err *err)
{
	const uint8_t *end = bytes + len;

	assert(type < COLUMN_TYPES && rows > 0 && rows <= ENCODE_ROWS_MAX);
	chunk->type = type;
	chunk->rows = rows;
	chunk->has_absent = has_absent;
	if (has_absent) {
		const uint8_t *part_end = NULL;
		int rc = numbers_part(&bytes, end, &part_end, err);

		if (rc == ST_OK) {
			rc = numbers_open(&chunk->presence, bytes, part_end, rows, true, err);
		}
		if (rc != ST_OK) {
			return rc;
		}
		bytes = part_end;
	}
	switch (column_form(type)) {
	case COLUMN_FORM_ADDRESS:
		return addresses_open(&chunk->addresses, bytes, end, rows, err);
	case COLUMN_FORM_BYTES:
		return strings_open(&chunk->strings, bytes, end, rows, err);
	default:
		return numbers_open(&chunk->numbers, bytes, end, rows, true, err);
	}
}

static int read_numbers(struct chunk *chunk, uint32_t row, uint32_t count,
			const struct lanes *lanes, void *out, struct err *err)
{
	assert(column_form(chunk->type) == COLUMN_FORM_NUMBER);
	return numbers_read(&chunk->numbers, row, count, lanes, out, err);
}

int chunk_read_u8(struct chunk *chunk, uint32_t row, uint32_t count, uint8_t *out, struct err *err)
{
	return read_numbers(chunk, row, count, &lanes_u8, out, err);
}

int chunk_read_u16(struct chunk *chunk, uint32_t row, uint32_t count, uint16_t *out,
		   struct err *err)
{
	return read_numbers(chunk, row, count, &lanes_u16, out, err);
}

int chunk_read_u32(struct chunk *chunk, uint32_t row, uint32_t count, uint32_t *out,
		   struct err *err)
{
	return read_numbers(chunk, row, count, &lanes_u32, out, err);
}

int chunk_read_u64(struct chunk *chunk, uint32_t row, uint32_t count, uint64_t *out,
		   struct err *err)
{
	return read_numbers(chunk, row, count, &lanes_u64, out, err);
}

int chunk_read_i64(struct chunk *chunk, uint32_t row, uint32_t count, int64_t *out, struct err *err)
{
	uint64_t *numbers = (uint64_t *)out; /* the same type but for its sign */
	int rc = read_numbers(chunk, row, count, &lanes_u64, numbers, err);
	uint64_t sign = column_sign(chunk->type);

	/* Inverting the highest bit is adding it. */
	if (rc == ST_OK && sign != 0) {
		lanes_u64.add(numbers, count, sign);
	}
	return rc;
}

int chunk_read_ip(struct chunk *chunk, uint32_t row, uint32_t count, struct ip *out,
		  struct err *err)
{
	assert(column_form(chunk->type) == COLUMN_FORM_ADDRESS);
	return addresses_read(&chunk->addresses, row, count, out, err);
}

int chunk_read_strings(struct chunk *chunk, uint32_t row, uint32_t count, struct encode_bytes *out,
		       struct err *err)
{
	assert(column_form(chunk->type) == COLUMN_FORM_BYTES);
	return strings_read(&chunk->strings, row, count, out, err);
}

int chunk_read_presence(struct chunk *chunk, uint32_t row, uint32_t count, uint8_t *out,
			struct err *err)
{
	int rc;

	if (!chunk->has_absent) {
		memset(out, 1, count);
		return ST_OK;
	}
	rc = numbers_read(&chunk->presence, row, count, &lanes_u8, out, err);
	if (rc == ST_OK && lanes_u8.exceeds(out, count, 1)) {
		return err_set(err, ST_EFORMAT, "presence is neither 0 nor 1");
	}
	return rc;
}

void chunk_dictionary(const struct chunk *chunk, struct chunk_dictionary *out)
{
	*out = (struct chunk_dictionary){ 0 };
	switch (column_form(chunk->type)) {
	case COLUMN_FORM_ADDRESS:
		out->count = chunk->addresses.dictionary_count;
		out->addresses = chunk->addresses.dictionary;
		break;
	case COLUMN_FORM_NUMBER:
		out->count = chunk->numbers.dictionary_count;
		out->numbers = chunk->numbers.dictionary;
		break;
	case COLUMN_FORM_BYTES:
		break;
	}
}

int chunk_read_codes(struct chunk *chunk, uint32_t row, uint32_t count, uint16_t *out,
		     struct err *err)
{
	if (column_form(chunk->type) == COLUMN_FORM_ADDRESS) {
		return addresses_read_codes(&chunk->addresses, row, count, out, err);
	}
	return numbers_read_codes(&chunk->numbers, row, count, out, err);
}
