/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/addressline.h"

#include "storage/byteorder.h"

#include <stdint.h>

#define GROUPS 8

/*
 * One to three digits, all at once: their number, and the octet. 0: something else. The digits are
 * moved so that the last one is in the third byte, whatever their number.
 */
static unsigned read_octet(const char *at, unsigned *out)
{
	uint32_t values = load32((const uint8_t *)at, HOST_BIG_ENDIAN) ^ UINT32_C(0x30303030);
	uint32_t others = (((values & UINT32_C(0x7f7f7f7f)) + UINT32_C(0x76767676)) | values) &
			  UINT32_C(0x80808080);
	unsigned count = others ? (unsigned)__builtin_ctz(others) / 8 : 0;

	if (!count) {
		return 0;
	}
	values <<= 8 * (3 - count);
	*out = (values & 0xff) * 100 + (values >> 8 & 0xff) * 10 + (values >> 16 & 0xff);
	return *out <= 255 ? count : 0;
}

size_t addressline_v4(const char *text, struct ip *out)
{
	const char *at = text;
	uint32_t address = 0;

	for (int i = 0; i < 4; i++) {
		unsigned octet = 0;
		unsigned count = read_octet(at, &octet);

		if (!count || at[count] != (i < 3 ? '.' : '\n')) {
			return 0;
		}
		at += count + 1;
		address = address << 8 | octet;
	}
	*out = ip_from_v4(address);
	return (size_t)(at - text);
}

/* 1 + the value of a hexadecimal digit; 0: none. */
static const uint8_t hex_values[UINT8_MAX + 1] = {
	['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
	['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

static unsigned hex_value(char c)
{
	return hex_values[(uint8_t)c];
}

/* One to four digits; NULL: something else. */
static const char *read_group(const char *at, uint16_t *out)
{
	unsigned value = hex_value(at[0]);
	unsigned digit;
	int count = 1;

	if (!value) {
		return NULL;
	}
	value--;
	while (count < 4 && (digit = hex_value(at[count]))) {
		value = value << 4 | (digit - 1);
		count++;
	}
	*out = (uint16_t)value;
	return at + count;
}

static struct ip join_groups(const uint16_t groups[GROUPS], int count, int gap)
{
	uint64_t halves[2] = { 0, 0 };

	for (int i = 0; i < count; i++) {
		int at = gap >= 0 && i >= gap ? GROUPS - count + i : i;

		halves[at / 4] |= (uint64_t)groups[i] << (48 - 16 * (at % 4));
	}
	return (struct ip){ .hi = halves[0], .lo = halves[1] };
}

size_t addressline_v6(const char *text, struct ip *out)
{
	uint16_t groups[GROUPS];
	const char *at = text;
	int count = 0;
	int gap = -1; /* number of groups before "::" */

	if (at[0] == ':') {
		if (at[1] != ':') {
			return 0;
		}
		gap = 0;
		at += 2;
	}
	while (*at != '\n') {
		if (count == GROUPS || !(at = read_group(at, &groups[count]))) {
			return 0;
		}
		count++;
		if (*at == '\n') {
			break;
		}
		if (*at++ != ':' || (*at == '\n')) {
			return 0;
		}
		if (*at == ':') {
			if (gap >= 0) {
				return 0;
			}
			gap = count;
			at++;
		}
	}
	if (gap >= 0 ? count == GROUPS : count != GROUPS) {
		return 0;
	}
	*out = join_groups(groups, count, gap);
	return (size_t)(at + 1 - text);
}
