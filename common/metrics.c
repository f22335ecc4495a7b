/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/metrics.h"

#include <inttypes.h>
#include <stdio.h>

size_t metrics_format(char *out, size_t size, const struct metric *table,
		      const _Atomic uint64_t *values, size_t count, int skip_zero)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		uint64_t value = metric_get(&values[i]);
		int n;

		if (skip_zero && value == 0) {
			continue;
		}
		n = snprintf(out + len, size - len, "%s%s %" PRIu64, len ? ", " : "", table[i].name,
			     value);
		if (n < 0 || (size_t)n >= size - len) {
			out[len] = '\0'; /* cut between counters, not inside one */
			break;
		}
		len += (size_t)n;
	}
	return len;
}
