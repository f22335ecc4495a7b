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

static void put_pair(char *out, uint64_t number)
{
	memcpy(out, decimal_pairs + 2 * number, 2);
}

/* Most numbers are short: their digits are put where they belong at once. */
static size_t print_short(char *out, uint64_t number)
{
	if (number < 10) {
		out[0] = (char)('0' + number);
		return 1;
	}
	if (number < 100) {
		put_pair(out, number);
		return 2;
	}
	if (number < 1000) {
		out[0] = (char)('0' + number / 100);
		put_pair(out + 1, number % 100);
		return 3;
	}
	put_pair(out, number / 100);
	put_pair(out + 2, number % 100);
	return 4;
}

size_t decimal_print(char *out, uint64_t number)
{
	size_t len;

	if (number < 10000) {
		return print_short(out, number);
	}
	len = decimal_print(out, number / 10000);
	number %= 10000;
	put_pair(out + len, number / 100);
	put_pair(out + len + 2, number % 100);
	return len + 4;
}

/*
 * A number is m / 2^k, m less than 2^53: k is more than 0, and from 62 on the number is less than half
 * a hundredth. So a hundred times what is behind the point of m fits 64 bits, and nothing is lost.
 */
size_t decimal_print_hundredths(char *out, double number)
{
	const uint64_t one = UINT64_C(1) << 52;
	uint64_t bits, m, whole, rest, half, hundredths;
	unsigned k;
	size_t len;

	memcpy(&bits, &number, sizeof(bits));
	m = (bits & (one - 1)) | one;
	k = 1075 - (unsigned)(bits >> 52);
	if (k > 62) {
		memcpy(out, "0.00", 4);
		return 4;
	}
	whole = m >> k;
	rest = (m & ((UINT64_C(1) << k) - 1)) * 100;
	hundredths = rest >> k;
	rest &= (UINT64_C(1) << k) - 1;
	half = UINT64_C(1) << (k - 1);
	hundredths += rest > half || (rest == half && hundredths % 2 == 1);
	len = decimal_print(out, whole + hundredths / 100);
	out[len] = '.';
	put_pair(out + len + 1, hundredths % 100);
	return len + 3;
}

void decimal_print_padded(char *out, uint32_t number, unsigned digits)
{
	while (digits >= 2) {
		digits -= 2;
		put_pair(out + digits, number % 100);
		number /= 100;
	}
	if (digits == 1) {
		out[0] = (char)('0' + number % 10);
	}
}
