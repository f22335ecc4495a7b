/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/aggsink.h"

#include "query/tool.h"

int aggsink_write(struct outfile *out, const struct aggbag *bag, const struct sink_opts *opts,
		  const struct header *inputs, const struct header *entries)
{
	const struct aggbag_write_opts write = {
		.compression = (uint8_t)sink_compression(opts),
		.no_silk_version = tool_getenv("SILK_HEADER_NOVERSION") != NULL,
		.inputs = inputs,
		.entries = entries,
	};
	struct err err;
	int status = aggbag_write_to(bag, outfile_sink(out), &write, &err);

	if (status == ST_OK) {
		status = outfile_close(out, &err);
	} else {
		outfile_drop(out);
	}
	if (status != ST_OK) {
		err_prefix(&err, "error writing aggregate bag");
		tool_warn_err(&err);
	}
	return status == ST_OK ? TOOL_EXIT_OK : TOOL_EXIT_ERROR;
}
