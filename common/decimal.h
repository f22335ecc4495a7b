/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decimal digits, written fast, two at a time from a table, and read fast, eight at a time. No NUL is
 * written. */
#ifndef TUSSAH_COMMON_DECIMAL_H
#define TUSSAH_COMMON_DECIMAL_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DECIMAL_U64_MAX 20 /* digits of UINT64_MAX */

/* Without leading zeros; out holds DECIMAL_U64_MAX bytes. Returns how many were written. */
size_t decimal_print(char *out, uint64_t number);

/* With two digits behind the point, as "%.2f" prints it: the nearest of them, the even one of two. */
#define DECIMAL_HUNDREDTHS_END ((double)(UINT64_C(1) << 52))
/* number is at least 0 and less than DECIMAL_HUNDREDTHS_END; out holds DECIMAL_U64_MAX bytes. */
size_t decimal_print_hundredths(char *out, double number);

/* Exactly digits digits, zeros in front; number must fit. */
void decimal_print_padded(char *out, uint32_t number, unsigned digits);

/* Of so many digits; more must be there to be read, up to DECIMAL_SCAN_MAX. */
#define DECIMAL_SCAN_MAX 8
/*
 * The number that 1..DECIMAL_SCAN_MAX digits are; false: some are none, or there are more or fewer
 * of them.
 */
static inline bool decimal_scan(const char *text, size_t digits, uint32_t *number)
{
	uint64_t word;

	if (digits - 1 >= DECIMAL_SCAN_MAX) {
		return false;
	}
	memcpy(&word, text, sizeof(word));
	/* the digits in the last bytes, zeros before them: as numbers, then pairs of them, and so on */
	word = (le64toh(word) - UINT64_C(0x3030303030303030)) << (64 - 8 * digits);
	if ((word | (word + UINT64_C(0x7676767676767676))) & UINT64_C(0x8080808080808080)) {
		return false;
	}
	word = word * 10 + (word >> 8);
	word = ((word & UINT64_C(0x000000ff000000ff)) * (100 + (UINT64_C(1000000) << 32)) +
		(word >> 16 & UINT64_C(0x000000ff000000ff)) * (1 + (UINT64_C(10000) << 32))) >>
	       32;
	*number = (uint32_t)word;
	return true;
}

#endif
