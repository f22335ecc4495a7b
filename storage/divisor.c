/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/divisor.h"

#include <glib.h>

#include "common/vectorized.h"

#define DIVIDED_AT_ONCE 64u

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	while (b != 0) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Does the divisor divide all of what the values are above origin? Without a branch in the loop. */
VECTORIZED static bool divides_all(const struct divisor *divisor, const uint64_t *values,
				   size_t count, uint64_t origin)
{
	const struct divisor by = *divisor;
	const uint64_t mask = bitpack_mask(by.zeros);
	uint64_t rest = 0;
	uint64_t most = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t above = values[i] - origin;
		uint64_t quotient = divisor_quotient(&by, above);

		rest |= above & mask;
		most = quotient > most ? quotient : most;
	}
	return rest == 0 && most <= by.quotient_max;
}

/* The greatest divisor of scale (0: any number) and of what the values are above origin. */
static uint64_t reduce(uint64_t scale, const uint64_t *values, size_t count, uint64_t origin)
{
	for (size_t i = 0; i < count; i++) {
		scale = common_divisor(values[i] - origin, scale);
	}
	return scale;
}

uint64_t divisor_common(const uint64_t *values, size_t count, uint64_t origin)
{
	struct divisor scale = { 0 };

	for (size_t i = 0; i < count && scale.number != 1; i += DIVIDED_AT_ONCE) {
		size_t some = MIN(count - i, DIVIDED_AT_ONCE);
		uint64_t number;

		if (scale.number != 0 && divides_all(&scale, values + i, some, origin)) {
			continue;
		}
		number = reduce(scale.number, values + i, some, origin);
		if (number != 0) {
			scale = divisor_of(number);
		}
	}
	return scale.number;
}

VECTORIZED void divisor_quotients(const struct divisor *divisor, const uint64_t *values,
				  size_t count, uint64_t origin, uint64_t *out)
{
	const struct divisor by = *divisor;

	for (size_t i = 0; i < count; i++) {
		out[i] = divisor_quotient(&by, values[i] - origin);
	}
}
