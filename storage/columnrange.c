/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/columnrange.h"

#include "common/vectorized.h"

void columnrange_numbers(const uint64_t *values, const uint64_t *presence, uint32_t rows,
			 struct flowblock_column *out)
{
	out->min = UINT64_MAX;
	out->max = 0;
	for (uint32_t i = 0; i < rows; i++) {
		if (presence == NULL || presence[i]) {
			out->min = values[i] < out->min ? values[i] : out->min;
			out->max = values[i] > out->max ? values[i] : out->max;
		}
	}
	out->flags |= FLOWBLOCK_RANGED;
}

void columnrange_addresses(const struct ip *values, const uint64_t *presence, uint32_t rows,
			   struct flowblock_column *out)
{
	out->min_ip = (struct ip){ UINT64_MAX, UINT64_MAX };
	out->max_ip = (struct ip){ 0, 0 };
	for (uint32_t i = 0; i < rows; i++) {
		if (presence != NULL && !presence[i]) {
			continue;
		}
		if (ip_compare(values[i], out->min_ip) < 0) {
			out->min_ip = values[i];
		}
		if (ip_compare(values[i], out->max_ip) > 0) {
			out->max_ip = values[i];
		}
	}
	out->flags |= FLOWBLOCK_RANGED;
}

/* Halves do not overflow, so that there is no branch in the loop. */
VECTORIZED static void sum_halves(const uint64_t *values, uint32_t rows, uint64_t *low,
				  uint64_t *high)
{
	uint64_t lows = 0;
	uint64_t highs = 0;

	for (uint32_t i = 0; i < rows; i++) {
		lows += values[i] & UINT32_MAX;
		highs += values[i] >> 32;
	}
	*low = lows;
	*high = highs;
}

void columnrange_sum(const uint64_t *values, uint32_t rows, struct flowblock_column *out)
{
	uint64_t low;
	uint64_t high;

	sum_halves(values, rows, &low, &high);
	if (high > UINT32_MAX || __builtin_add_overflow(high << 32, low, &out->sum)) {
		return;
	}
	out->flags |= FLOWBLOCK_SUMMED;
}
