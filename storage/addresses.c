/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/addresses.h"

#include "storage/byteorder.h"
#include "storage/varint.h"

#include <assert.h>
#include <string.h>

static void dictionary_size(struct addresses *addresses, uint32_t count)
{
	if (count > addresses->dictionary_room) {
		g_free(addresses->dictionary);
		addresses->dictionary = g_new(struct ip, count);
		addresses->dictionary_room = count;
	}
	addresses->dictionary_count = count;
}

static int constant_open(struct addresses *addresses, const uint8_t *at, const uint8_t *end,
			 struct err *err)
{
	if (end - at != 16) {
		return err_set(err, ST_EFORMAT, "bad constant address");
	}
	dictionary_size(addresses, 1);
	addresses->dictionary[0] = (struct ip){ load64_be(at), load64_be(at + 8) };
	return ST_OK;
}

/* The next part of a dictionary: count numbers, a frame at a time into one half of the addresses.
 */
static int part_read(struct addresses *addresses, const uint8_t **at, const uint8_t *end,
		     uint32_t first, uint32_t count, bool is_hi, struct err *err)
{
	struct ip *out = addresses->dictionary + first;
	const uint8_t *part_end = NULL;
	uint64_t numbers[FRAME_ROWS];
	int rc = numbers_part(at, end, &part_end, err);

	if (rc == ST_OK) {
		rc = numbers_open(&addresses->numbers, *at, part_end, count, false, err);
	}
	*at = part_end;
	for (uint32_t row = 0; rc == ST_OK && row < count; row += FRAME_ROWS) {
		uint32_t rows = MIN(count - row, FRAME_ROWS);

		rc = numbers_read(&addresses->numbers, row, rows, &lanes_u64, numbers, err);
		for (uint32_t i = 0; rc == ST_OK && i < rows; i++) {
			*(is_hi ? &out[row + i].hi : &out[row + i].lo) = numbers[i];
		}
	}
	return rc;
}

/* IPv4 numbers become addresses; both kinds must ascend, each for itself. */
static int dictionary_check(struct addresses *addresses, uint32_t v4_count, struct err *err)
{
	struct ip *ips = addresses->dictionary;
	uint64_t high = 0;
	bool ascending = true;

	for (uint32_t i = 0; i < v4_count; i++) {
		high |= ips[i].lo >> 32;
		ips[i] = ip_from_v4((uint32_t)ips[i].lo);
	}
	if (high != 0) {
		return err_set(err, ST_EFORMAT, "an IPv4 address of more than 32 bits");
	}
	for (uint32_t i = 1; i < addresses->dictionary_count; i++) {
		ascending &= i == v4_count || ip_number(ips[i - 1]) < ip_number(ips[i]);
	}
	return ascending ? ST_OK : err_set(err, ST_EFORMAT, "a dictionary does not ascend");
}

static int dictionary_open(struct addresses *addresses, const uint8_t *at, const uint8_t *end,
			   struct err *err)
{
	uint64_t v4 = 0;
	uint64_t v6 = 0;
	int rc = ST_OK;

	if (!varint_get(&at, end, &v4) || !varint_get(&at, end, &v6) || v4 > ENCODE_ROWS_MAX ||
	    v6 > ENCODE_ROWS_MAX - v4 || v4 + v6 == 0) {
		return err_set(err, ST_EFORMAT, "bad size of a dictionary");
	}
	dictionary_size(addresses, (uint32_t)(v4 + v6));
	if (v4 > 0) {
		rc = part_read(addresses, &at, end, 0, (uint32_t)v4, false, err);
	}
	if (rc == ST_OK && v6 > 0) {
		rc = part_read(addresses, &at, end, (uint32_t)v4, (uint32_t)v6, true, err);
	}
	if (rc == ST_OK && v6 > 0) {
		rc = part_read(addresses, &at, end, (uint32_t)v4, (uint32_t)v6, false, err);
	}
	if (rc == ST_OK) {
		rc = dictionary_check(addresses, (uint32_t)v4, err);
	}
	return rc == ST_OK ? codes_open(&addresses->frames, at, end, addresses->count, err) : rc;
}

int addresses_open(struct addresses *addresses, const uint8_t *at, const uint8_t *end,
		   uint32_t count, struct err *err)
{
	if (at == end) {
		return err_set(err, ST_EFORMAT, "an empty stream");
	}
	addresses->encoding = *at++;
	addresses->count = count;
	addresses->dictionary_count = 0;
	switch (addresses->encoding) {
	case ENCODING_ADDRESS_CONSTANT:
		return constant_open(addresses, at, end, err);
	case ENCODING_ADDRESS_V4:
		return numbers_open(&addresses->numbers, at, end, count, false, err);
	case ENCODING_ADDRESS_DICTIONARY:
		return dictionary_open(addresses, at, end, err);
	default:
		return err_set(err, ST_EFORMAT, "unknown encoding %u of addresses",
			       addresses->encoding);
	}
}

void addresses_release(struct addresses *addresses)
{
	numbers_release(&addresses->numbers);
	g_free(addresses->dictionary);
	*addresses = (struct addresses){ 0 };
}

static int read_v4(const struct addresses *addresses, uint32_t row, uint32_t count, struct ip *out,
		   struct err *err)
{
	uint32_t v4[FRAME_ROWS];
	int rc = numbers_read(&addresses->numbers, row, count, &lanes_u32, v4, err);

	if (rc != ST_OK) {
		return rc;
	}
	for (uint32_t i = 0; i < count; i++) {
		out[i] = ip_from_v4(v4[i]);
	}
	return ST_OK;
}

int addresses_read(const struct addresses *addresses, uint32_t row, uint32_t count, struct ip *out,
		   struct err *err)
{
	const struct ip *dictionary = addresses->dictionary;
	uint16_t codes[FRAME_ROWS];
	int rc;

	if (addresses->dictionary_count == 0) {
		return read_v4(addresses, row, count, out, err);
	}
	rc = addresses_read_codes(addresses, row, count, codes, err);
	if (rc != ST_OK) {
		return rc;
	}
	for (uint32_t i = 0; i < count; i++) {
		out[i] = dictionary[codes[i]];
	}
	return ST_OK;
}

int addresses_read_codes(const struct addresses *addresses, uint32_t row, uint32_t count,
			 uint16_t *out, struct err *err)
{
	assert(addresses->dictionary_count > 0);
	if (addresses->encoding == ENCODING_ADDRESS_CONSTANT) {
		memset(out, 0, count * sizeof(*out));
		return ST_OK;
	}
	return codes_read(&addresses->frames, row, count, addresses->dictionary_count, out, err);
}
