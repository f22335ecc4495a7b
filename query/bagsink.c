/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/bagsink.h"

#include "query/tool.h"

const struct opt bagsink_opt_table[] = {
	OPT_FLAG(struct bagsink_opts, invocation_strip, "invocation-strip", 0,
		 "do not record command lines in the output"),
	OPT_GROUP(struct bagsink_opts, sink, sink_opt_table),
	OPT_END,
};

int bagsink_write(struct outfile *out, struct bag *bag, const struct sink_opts *opts,
		  const struct header *entries)
{
	const struct bag_write_opts write = {
		.compression = (uint8_t)sink_compression(opts),
		.no_silk_version = tool_getenv("SILK_HEADER_NOVERSION") != NULL,
		.entries = entries,
	};
	struct err err;
	int status = bag_write_to(bag, outfile_sink(out), &write, &err);

	if (status == ST_OK) {
		status = outfile_close(out, &err);
	} else {
		outfile_drop(out);
	}
	if (status != ST_OK) {
		err_prefix(&err, "error writing bag");
		tool_warn_err(&err);
	}
	return status == ST_OK ? TOOL_EXIT_OK : TOOL_EXIT_ERROR;
}
