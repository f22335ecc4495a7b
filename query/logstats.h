/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * $SILK_LOGSTATS: a site's program that is told of each run of rwfilter, to keep a log of queries.
 *
 *	struct logstats stats = { .start_s = now };
 *	...
 *	logstats_tell(&stats, tool_argv(env));
 */
#ifndef TUSSAH_QUERY_LOGSTATS_H
#define TUSSAH_QUERY_LOGSTATS_H

#include <stdint.h>

struct logstats {
	int64_t start_s; /* of the run, since the epoch */
	uint64_t files;  /* opened */
	uint64_t records_read;
	uint64_t records_written; /* to all outputs */
};

/*
 * Start the program that $SILK_LOGSTATS_RWFILTER or else $SILK_LOGSTATS names, if it names one by a
 * path, and do not wait for it. argv ends with NULL. A name that is no program is passed over;
 * $SILK_LOGSTATS_DEBUG has it told on stderr.
 */
void logstats_tell(const struct logstats *stats, char *const *argv);

#endif
