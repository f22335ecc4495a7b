/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwstats --overall-stats and --detail-proto-stats: how bytes, packets and bytes per packet are
 * distributed, over all records and for single protocols. */
#ifndef TUSSAH_QUERY_PROTOSTATS_H
#define TUSSAH_QUERY_PROTOSTATS_H

#include "query/bins.h"

/* protocols: a list as in "6,17,1-3", or NULL. Returns an enum tool_exit. */
int protostats_run(const struct bins_start_opts *opts, const char *protocols, int argc,
		   char **argv);

#endif
