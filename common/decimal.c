/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/decimal.h"

#include <string.h>

static const char decimal_pairs[] = "00010203040506070809"
				    "10111213141516171819"
				    "20212223242526272829"
				    "30313233343536373839"
				    "40414243444546474849"
				    "50515253545556575859"
				    "60616263646566676869"
				    "70717273747576777879"
				    "80818283848586878889"
				    "90919293949596979899";

size_t decimal_print(char *out, uint64_t number)
{
	char text[DECIMAL_U64_MAX];
	char *p = text + sizeof(text);
	size_t len;

	while (number >= 100) {
		p -= 2;
		memcpy(p, decimal_pairs + 2 * (number % 100), 2);
		number /= 100;
	}
	if (number >= 10) {
		p -= 2;
		memcpy(p, decimal_pairs + 2 * number, 2);
	} else {
		*--p = (char)('0' + number);
	}
	len = (size_t)(text + sizeof(text) - p);
	memcpy(out, p, len);
	return len;
}

void decimal_print_padded(char *out, uint32_t number, unsigned digits)
{
	while (digits >= 2) {
		digits -= 2;
		memcpy(out + digits, decimal_pairs + 2 * (number % 100), 2);
		number /= 100;
	}
	if (digits == 1) {
		out[0] = (char)('0' + number % 10);
	}
}
