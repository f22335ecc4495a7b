/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Values below 65,536 are marked in a table and counted. Others are sorted with their rows, byte by
 * byte from the lowest on, by counting; bytes that all values share are left out.
 */
#include "storage/ranks.h"

#include "storage/encode.h"

#include <assert.h>
#include <string.h>

#define SMALL 65536u /* values below it have a table */

struct sort_key {
	uint64_t value;
	uint32_t row;
};

struct ranks {
	struct sort_key *keys; /* ENCODE_ROWS_MAX of each */
	struct sort_key *sorted;
	uint16_t places[SMALL]; /* of small values */
	uint64_t marks[SMALL / 64];
};

struct ranks *ranks_new(void)
{
	struct ranks *ranks = g_new0(struct ranks, 1);

	ranks->keys = g_new(struct sort_key, ENCODE_ROWS_MAX);
	ranks->sorted = g_new(struct sort_key, ENCODE_ROWS_MAX);
	return ranks;
}

void ranks_free(struct ranks *ranks)
{
	if (ranks) {
		g_free(ranks->keys);
		g_free(ranks->sorted);
		g_free(ranks);
	}
}

static size_t rank_small(struct ranks *ranks, const uint64_t *values, size_t count, uint64_t max,
			 uint64_t *distinct, uint64_t *codes)
{
	const size_t words = max / 64 + 1;
	size_t found = 0;

	memset(ranks->marks, 0, words * sizeof(ranks->marks[0]));
	for (size_t i = 0; i < count; i++) {
		ranks->marks[values[i] / 64] |= UINT64_C(1) << values[i] % 64;
	}
	for (size_t i = 0; i < words; i++) {
		for (uint64_t left = ranks->marks[i]; left != 0; left &= left - 1) {
			uint64_t value = i * 64 + (unsigned)__builtin_ctzll(left);

			ranks->places[value] = (uint16_t)found;
			distinct[found++] = value;
		}
	}
	for (size_t i = 0; i < count; i++) {
		codes[i] = ranks->places[values[i]];
	}
	return found;
}

/* Stable: by one byte of the values, from ranks->keys to ranks->sorted; then the two change names.
 */
static void sort_by_byte(struct ranks *ranks, size_t count, unsigned shift)
{
	struct sort_key *keys = ranks->keys;
	struct sort_key *sorted = ranks->sorted;
	uint32_t begins[256] = { 0 };
	uint32_t sum = 0;

	for (size_t i = 0; i < count; i++) {
		begins[(uint8_t)(keys[i].value >> shift)]++;
	}
	for (size_t i = 0; i < 256; i++) {
		uint32_t here = begins[i];

		begins[i] = sum;
		sum += here;
	}
	for (size_t i = 0; i < count; i++) {
		sorted[begins[(uint8_t)(keys[i].value >> shift)]++] = keys[i];
	}
	ranks->keys = sorted;
	ranks->sorted = keys;
}

static void sort_keys(struct ranks *ranks, size_t count)
{
	uint64_t differ = 0;

	for (size_t i = 1; i < count; i++) {
		differ |= ranks->keys[i].value ^ ranks->keys[0].value;
	}
	for (unsigned shift = 0; shift < 64; shift += 8) {
		if ((uint8_t)(differ >> shift) != 0) {
			sort_by_byte(ranks, count, shift);
		}
	}
}

size_t ranks_make(struct ranks *ranks, const uint64_t *values, size_t count, uint64_t *distinct,
		  uint64_t *codes)
{
	uint64_t max = 0;
	size_t found = 0;

	assert(count > 0 && count <= ENCODE_ROWS_MAX);
	for (size_t i = 0; i < count; i++) {
		max |= values[i];
	}
	if (max < SMALL) {
		return rank_small(ranks, values, count, max, distinct, codes);
	}
	for (size_t i = 0; i < count; i++) {
		ranks->keys[i] = (struct sort_key){ values[i], (uint32_t)i };
	}
	sort_keys(ranks, count);
	for (size_t i = 0; i < count; i++) {
		uint64_t value = ranks->keys[i].value;

		if (found == 0 || distinct[found - 1] != value) {
			distinct[found++] = value;
		}
		codes[ranks->keys[i].row] = found - 1;
	}
	return found;
}

/* From the sorted keys on; found distinct ones are there already. */
static size_t collect_ip(struct ranks *ranks, const struct ip *values, size_t count, size_t found,
			 struct ip *distinct, uint64_t *codes)
{
	const size_t before = found;

	for (size_t i = 0; i < count; i++) {
		uint32_t row = ranks->keys[i].row;

		if (found == before || !ip_equal(distinct[found - 1], values[row])) {
			distinct[found++] = values[row];
		}
		codes[row] = found - 1;
	}
	return found;
}

size_t ranks_make_ip(struct ranks *ranks, const struct ip *values, size_t count,
		     struct ip *distinct, uint64_t *codes, size_t *v4)
{
	size_t keys = 0;

	assert(count > 0 && count <= ENCODE_ROWS_MAX);
	for (size_t i = 0; i < count; i++) {
		ranks->keys[keys] = (struct sort_key){ values[i].lo, (uint32_t)i };
		keys += ip_is_mapped(values[i]);
	}
	sort_keys(ranks, keys);
	*v4 = collect_ip(ranks, values, keys, 0, distinct, codes);
	if (keys == count) {
		return *v4;
	}
	keys = 0;
	for (size_t i = 0; i < count; i++) {
		ranks->keys[keys] = (struct sort_key){ values[i].lo, (uint32_t)i };
		keys += !ip_is_mapped(values[i]);
	}
	sort_keys(ranks, keys);
	for (size_t i = 0; i < keys; i++) {
		ranks->keys[i].value = values[ranks->keys[i].row].hi;
	}
	sort_keys(ranks, keys);
	return collect_ip(ranks, values, keys, *v4, distinct, codes);
}
