/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/addressline.h"

#include <stdint.h>

#define GROUPS 8

size_t addressline_v4(const char *text, struct ip *out)
{
	const char *at = text;
	uint32_t address = 0;

	for (int i = 0; i < 4; i++) {
		unsigned octet = (unsigned)(*at++ - '0');
		unsigned digit;

		if (octet > 9) {
			return 0;
		}
		for (int more = 0; more < 2 && (digit = (unsigned)(*at - '0')) <= 9; more++) {
			octet = octet * 10 + digit;
			at++;
		}
		if (octet > 255 || *at++ != (i < 3 ? '.' : '\n')) {
			return 0;
		}
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
