/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What tools that write bag files share: --invocation-strip and the switches of query/sink.h, and
 * the environment that goes with them.
 *
 *	OPT_GROUP(struct build_opts, sink, bagsink_opt_table)
 *	...
 *	status = bagsink_write(out, bag, &opts->sink.sink, &entries);
 */
#ifndef TUSSAH_QUERY_BAGSINK_H
#define TUSSAH_QUERY_BAGSINK_H

#include "query/outfile.h"
#include "query/sink.h"
#include "storage/bag.h"

struct bagsink_opts {
	bool invocation_strip;
	struct sink_opts sink;
};
extern const struct opt bagsink_opt_table[];

/*
 * Write bag to out (taken) with header entries (borrowed), and close. A failure is told, and leaves
 * no file. Returns an enum tool_exit.
 */
int bagsink_write(struct outfile *out, struct bag *bag, const struct sink_opts *opts,
		  const struct header *entries);

#endif
