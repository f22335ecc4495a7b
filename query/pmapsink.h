/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What tools that write prefix map files share: --output-path, --dry-run, --invocation-strip, the
 * notes of query/sink.h, and the environment that goes with them.
 *
 *	OPT_GROUP(struct build_opts, sink, pmapsink_opt_table)
 *	...
 *	status = pmapsink_write(env, pmap, &opts->sink);
 */
#ifndef TUSSAH_QUERY_PMAPSINK_H
#define TUSSAH_QUERY_PMAPSINK_H

#include "query/sink.h"
#include "query/tool.h"
#include "storage/pmap.h"

struct pmapsink_opts {
	char *output_path;
	bool dry_run;
	bool invocation_strip;
	struct sink_opts sink;
};
extern const struct opt pmapsink_opt_table[];

/*
 * Write the map to --output-path or standard output, nothing with --dry-run. The file is made only
 * now, so that one that is there survives an input that is wrong. Returns an enum tool_exit; errors
 * have been told.
 */
int pmapsink_write(const struct tool_env *env, const struct pmap *pmap,
		   const struct pmapsink_opts *opts);

#endif
