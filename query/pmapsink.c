/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/pmapsink.h"

const struct opt pmapsink_opt_table[] = {
	OPT_STR(struct pmapsink_opts, output_path, "output-path", 0, "PATH",
		"write the map to this file", .flags = OPT_ONCE, .default_text = "stdout"),
	OPT_STR(struct pmapsink_opts, output_path, "output-file", 0, "PATH",
		"the same as --output-path", .flags = OPT_ONCE | OPT_HIDDEN),
	OPT_FLAG(struct pmapsink_opts, dry_run, "dry-run", 0, "check the input and write nothing"),
	OPT_FLAG(struct pmapsink_opts, invocation_strip, "invocation-strip", 0,
		 "do not record the command line in the output"),
	OPT_GROUP(struct pmapsink_opts, sink, sink_note_opt_table),
	OPT_END,
};

int pmapsink_write(const struct tool_env *env, const struct pmap *pmap,
		   const struct pmapsink_opts *opts)
{
	struct header entries;
	struct pmap_write_opts write = {
		.no_silk_version = tool_getenv("SILK_HEADER_NOVERSION") != NULL,
		.overwrite = tool_clobbers(),
		.entries = &entries,
	};
	struct err err;
	int status;

	if (opts->output_path && !*opts->output_path) {
		tool_warn("the output path is empty");
		return TOOL_EXIT_ERROR;
	}
	if (opts->dry_run) {
		return TOOL_EXIT_OK;
	}
	header_init(&entries);
	if (!opts->invocation_strip) {
		header_add_invocation(&entries, tool_argc(env), tool_argv(env));
	}
	sink_add_notes(&opts->sink, &entries);
	status = pmap_write(pmap, opts->output_path ? opts->output_path : "stdout", &write, &err);
	header_release(&entries);
	if (status != ST_OK) {
		tool_warn_err(&err);
		return TOOL_EXIT_ERROR;
	}
	return TOOL_EXIT_OK;
}
