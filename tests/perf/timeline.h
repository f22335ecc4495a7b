/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records by the hour in which they start. Traffic is made hour by hour, so what is kept for later
 * hours is little: the rest of long flows, and what runs over the end of an hour.
 */
#ifndef TUSSAH_TESTS_PERF_TIMELINE_H
#define TUSSAH_TESTS_PERF_TIMELINE_H

#include <glib.h>

#include "common/record.h"

#define HOUR_MS INT64_C(3600000)

struct timeline;

struct timeline *timeline_new(int64_t first_hour_ms, uint32_t hours);
void timeline_free(struct timeline *timeline);

/* Keep a record for its hour; one that starts outside the timeline is forgotten. */
void timeline_add(struct timeline *timeline, const struct record *rec);
/* How many records the hour has so far. */
size_t timeline_count(const struct timeline *timeline, uint32_t hour);
/* At most max records of the hour in the order in which they end. Returned: g_array_unref(). */
GArray *timeline_take(struct timeline *timeline, uint32_t hour, size_t max);

#endif
