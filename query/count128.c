/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/count128.h"

#include <string.h>

static const char all_addresses[] = "340282366920938463463374607431768211456";

size_t count128_print(char *out, unsigned __int128 count, int wrapped)
{
	char digits[COUNT128_TEXT_MAX];
	size_t at = sizeof(digits);

	if (wrapped && count == 0) {
		memcpy(out, all_addresses, sizeof(all_addresses));
		return sizeof(all_addresses) - 1;
	}
	digits[--at] = '\0';
	do {
		digits[--at] = (char)('0' + (int)(count % 10));
		count /= 10;
	} while (count);
	memcpy(out, digits + at, sizeof(digits) - at);
	return sizeof(digits) - at - 1;
}
