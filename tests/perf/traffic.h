/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the hosts do: web, names, time, mail, scans, beacons, long flows and the rest, more by day
 * than by night.
 *
 *	struct traffic *traffic = traffic_new(&opts);
 *	for (uint32_t hour = 0; hour < opts.hours; hour++) {
 *		GArray *records = traffic_hour(traffic, hour);
 *		...
 *		g_array_unref(records);
 *	}
 *	traffic_free(traffic);
 *
 * The same options give the same records.
 */
#ifndef TUSSAH_TESTS_PERF_TRAFFIC_H
#define TUSSAH_TESTS_PERF_TRAFFIC_H

#include <glib.h>

#include "common/record.h"

struct traffic_opts {
	uint64_t seed;
	uint64_t records; /* in all hours together, exactly */
	int64_t first_hour_ms;
	uint32_t hours;
	bool with_routes;  /* next hops and interfaces */
	bool one_flowtype; /* everything is "in": as many files as sensors and hours */
};

struct traffic;

struct traffic *traffic_new(const struct traffic_opts *opts);
void traffic_free(struct traffic *traffic);
/* Hours must be asked for in order. Returned: struct record, in the order in which they end. */
GArray *traffic_hour(struct traffic *traffic, uint32_t hour);

#endif
