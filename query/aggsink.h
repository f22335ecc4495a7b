/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How tools write aggregate bags:
 *
 *	status = aggsink_write(out, bag, &opts->sink.sink, &inputs, &entries);
 */
#ifndef TUSSAH_QUERY_AGGSINK_H
#define TUSSAH_QUERY_AGGSINK_H

#include "query/outfile.h"
#include "query/sink.h"
#include "storage/aggbag.h"

/*
 * Write bag to out (taken) with header entries of the inputs and, behind the one of the fields, our
 * own (both borrowed, may be NULL), and close. A failure is told, and leaves no file. Returns an
 * enum tool_exit.
 */
int aggsink_write(struct outfile *out, const struct aggbag *bag, const struct sink_opts *opts,
		  const struct header *inputs, const struct header *entries);

#endif
