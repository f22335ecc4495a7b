/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The records of an hour as NetFlow v9 export packets (RFC 3954), one exporter for each sensor, in
 * a file: each packet with its length in front, two bytes in network order. What nfcapd reads off
 * the wire, so that nfdump can be measured on the same records.
 */
#ifndef TUSSAH_TESTS_PERF_NETFLOW9_H
#define TUSSAH_TESTS_PERF_NETFLOW9_H

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

#include "common/record.h"

/* Write the hour's records (struct record), which all start in it; next hops and interfaces
 * only with_routes. Errors are those of out. */
void netflow9_write(FILE *out, int64_t hour_ms, const GArray *records, bool with_routes);

#endif
