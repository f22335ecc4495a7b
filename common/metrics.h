/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counters that threads add to and a reporter reads. A set is a table of names and an array of
 * atomic values; nothing is dropped anywhere without one of these being raised.
 *
 *	enum { M_PACKETS, M_BYTES, M_COUNT };
 *	static const struct metric names[M_COUNT] = { [M_PACKETS] = { "packets", "packets read" },
 *...}; _Atomic uint64_t values[M_COUNT]; metric_add(&values[M_PACKETS], 1);
 */
#ifndef TUSSAH_COMMON_METRICS_H
#define TUSSAH_COMMON_METRICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct metric {
	const char *name; /* lower case, words joined by hyphens */
	const char *help;
};

static inline void metric_add(_Atomic uint64_t *value, uint64_t n)
{
	atomic_fetch_add_explicit(value, n, memory_order_relaxed);
}

static inline uint64_t metric_get(const _Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

/*
 * "name value, name value" of all counters, those that are zero left out when skip_zero; cut at
 * size. Returns the length.
 */
size_t metrics_format(char *out, size_t size, const struct metric *table,
		      const _Atomic uint64_t *values, size_t count, int skip_zero);

#endif
