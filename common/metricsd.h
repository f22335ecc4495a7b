/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Metrics over HTTP: GET /metrics answers with what the sources give at that moment, GET /health
 * with "ok" or why not (503). Nothing else is served and nothing a client sends is used. Bounded: a
 * few connections at a time, seconds for each. The only file that knows libmicrohttpd.
 *
 *	struct metricsd *metricsd;
 *	st = metricsd_start(&metricsd, "127.0.0.1:9100", &sources, err);	// or "[::1]:9100"
 *	...
 *	metricsd_stop(metricsd);	// then the sources may go
 */
#ifndef TUSSAH_COMMON_METRICSD_H
#define TUSSAH_COMMON_METRICSD_H

#include <stdbool.h>

#include "common/err.h"
#include "common/metrictext.h"

struct metricsd_sources {
	/* Add all samples; called from the server's own thread, one call at a time. */
	void (*collect)(void *arg, struct metrictext *text);
	/* Is all well? Else *err says what is not. From the same thread; NULL: always. */
	bool (*is_healthy)(void *arg, struct err *err);
	void *arg;
};

struct metricsd;

/*
 * "HOST:PORT", "[HOST]:PORT", or ":PORT" for every address; port 0 is any. sources is copied.
 * Returns ST_OK, ST_EINVAL (no such address), ST_EIO (cannot listen there).
 */
int metricsd_start(struct metricsd **out, const char *where, const struct metricsd_sources *sources,
		   struct err *err);
/* ST_OK or ST_EINVAL: can where be read at all? No names are looked up. */
int metricsd_check(const char *where, struct err *err);
/* "127.0.0.1:9100", with the port that it is; borrowed. */
const char *metricsd_address(const struct metricsd *metricsd);
/* NULL: nothing. */
void metricsd_stop(struct metricsd *metricsd);

#endif
