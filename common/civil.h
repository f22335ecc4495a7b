/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Dates and times of day of the calendar, in UTC or in the local zone, against seconds since
 * 1970-01-01 UTC.
 *
 *	struct civil civil;
 *	civil_from_seconds(1234396800, false, &civil);		// 2009-02-12 00:00:00
 *	seconds = civil_to_seconds(&civil, false);
 */
#ifndef TUSSAH_COMMON_CIVIL_H
#define TUSSAH_COMMON_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

enum { SECONDS_PER_MINUTE = 60, SECONDS_PER_DAY = 86400 };

struct civil {
	int64_t year;
	unsigned month; /* 1..12 */
	unsigned day;   /* 1..31 */
	unsigned hour, minute, second;
};

/* The greatest whole number at or below a / b; b is positive. */
static inline int64_t civil_floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* month: 1..12. */
unsigned civil_days_in_month(uint64_t year, unsigned month);

/* local: of the zone of TZ; years that the C library cannot tell are in UTC. */
void civil_from_seconds(int64_t seconds, bool local, struct civil *out);
/* The parts must be within their bounds. In a local zone the hour that there is twice is the one
 * that the C library chooses. */
int64_t civil_to_seconds(const struct civil *civil, bool local);

#endif
