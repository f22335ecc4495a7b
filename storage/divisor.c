/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/divisor.h"

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	while (b != 0) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

uint64_t divisor_common(const uint64_t *values, size_t count, uint64_t origin)
{
	struct divisor scale = { 0 };

	for (size_t i = 0; i < count && scale.number != 1; i++) {
		uint64_t above = values[i] - origin;

		if (above != 0 && (scale.number == 0 || !divisor_divides(&scale, above))) {
			scale = divisor_of(common_divisor(above, scale.number));
		}
	}
	return scale.number;
}
