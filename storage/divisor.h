/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Division by a number that stays the same, without a division: numbers that are odd * 2^zeros are
 * told, and divided by it, since the product with the inverse of odd modulo 2^64 is the quotient,
 * and is no larger than the quotients can be only if there is no remainder.
 *
 *	struct divisor divisor = divisor_of(1000000);
 *	if (divisor_divides(&divisor, number)) {
 *		quotient = divisor_quotient(&divisor, number);
 *	}
 */
#ifndef TUSSAH_STORAGE_DIVISOR_H
#define TUSSAH_STORAGE_DIVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/bitpack.h"

struct divisor {
	uint64_t number;
	unsigned zeros;
	uint64_t inverse;
	uint64_t quotient_max;
};

/* number is not 0. */
static inline struct divisor divisor_of(uint64_t number)
{
	struct divisor divisor = { .number = number, .zeros = (unsigned)__builtin_ctzll(number) };
	uint64_t odd = number >> divisor.zeros;

	divisor.inverse = odd; /* right in the low three bits; Newton doubles them */
	for (unsigned i = 0; i < 5; i++) {
		divisor.inverse *= 2 - odd * divisor.inverse;
	}
	divisor.quotient_max = UINT64_MAX / odd;
	return divisor;
}

/* The divisor divides number. */
static inline uint64_t divisor_quotient(const struct divisor *divisor, uint64_t number)
{
	return (number >> divisor->zeros) * divisor->inverse;
}

static inline bool divisor_divides(const struct divisor *divisor, uint64_t number)
{
	return (number & bitpack_mask(divisor->zeros)) == 0 &&
	       divisor_quotient(divisor, number) <= divisor->quotient_max;
}

/* Of what each value is above origin, which the divisor divides. */
void divisor_quotients(const struct divisor *divisor, const uint64_t *values, size_t count,
		       uint64_t origin, uint64_t *out);

/* The greatest number that divides what all values (not all of which are equal) are above origin,
 * the least of them. */
uint64_t divisor_common(const uint64_t *values, size_t count, uint64_t origin);

#endif
