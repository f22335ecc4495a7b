/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clocks of the system, in nanoseconds. */
#ifndef TUSSAH_COMMON_CLOCK_H
#define TUSSAH_COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

/* CLOCK_REALTIME: since 1970 (common/timestamp.h); CLOCK_MONOTONIC: for spans, it never jumps. */
static inline int64_t clock_now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

#endif
