/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwsilk2ipfix: flow records as IPFIX messages. */
#include "query/tool.h"

#include <inttypes.h>

#include "query/ipfixexport.h"
#include "query/outfile.h"
#include "query/source.h"

struct silk2ipfix_opts {
	char *ipfix_output;
	bool no_site_names;
	bool print_statistics;
	bool single_template;
	struct source_opts source;
	struct site_opts site;
};

static const struct opt silk2ipfix_opt_table[] = {
	OPT_STR(struct silk2ipfix_opts, ipfix_output, "ipfix-output", 0, "PATH",
		"write the messages to this file or pipe, \"stdout\" or \"stderr\"",
		.flags = OPT_ONCE, .default_text = "stdout"),
	OPT_FLAG(struct silk2ipfix_opts, no_site_names, "no-site-name-elements", 0,
		 "leave the names of flowtypes, classes, types and sensors out"),
	OPT_FLAG(struct silk2ipfix_opts, print_statistics, "print-statistics", 0,
		 "print how many records were written"),
	OPT_FLAG(struct silk2ipfix_opts, single_template, "single-template", 0,
		 "write all records by one template"),
	OPT_GROUP(struct silk2ipfix_opts, source, source_xargs_opt_table),
	OPT_GROUP(struct silk2ipfix_opts, site, site_opt_table),
	OPT_END,
};

static const struct silk2ipfix_opts silk2ipfix_defaults = {
	.source = { .own_policy = "mix" },
};

/* *records: how many were written. */
static int write_records(struct source *source, struct ipfixexport *export, uint64_t *records,
			 struct err *err)
{
	struct batch *batch = batch_new();
	int status = ST_OK;

	batch_want_every(batch);
	while (status == ST_OK && source_next(source, batch, COLUMNS_ALL)) {
		status = ipfixexport_write(export, batch, err);
		*records += batch->selected;
	}
	if (status == ST_OK) {
		status = ipfixexport_finish(export, err);
	}
	if (ipfixexport_left_out(export) > 0) {
		tool_warn("%" PRIu64 " records written without their information elements: "
			  "too many combinations of them",
			  ipfixexport_left_out(export));
	}
	batch_free(batch);
	return status;
}

static int silk2ipfix_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct silk2ipfix_opts *opts = base;
	const struct site *site = tool_site(env, &opts->site, false);
	const char *path = opts->ipfix_output ? opts->ipfix_output : "stdout";
	const struct ipfixexport_opts export_opts = {
		.single_template = opts->single_template,
		.names = opts->no_site_names || !site_file(site) ? NULL : site,
	};
	struct source *source = source_new(env, &opts->source, argc, argv);
	struct outfile *out = outfile_create(path);
	struct ipfixexport *export = NULL;
	uint64_t records = 0;
	struct err err;
	int status;

	source_set_site(source, site);
	source_set_damage(source, SOURCE_DAMAGE_FORGIVEN);
	status = ipfixexport_new(&export, &export_opts, outfile_sink(out), &err);
	if (status == ST_OK) {
		status = write_records(source, export, &records, &err);
	}
	ipfixexport_free(export);
	/* An input that is not there ends the run, but decides no exit status: so SiLK has it. */
	source_close(source);
	if (status != ST_OK) {
		outfile_drop(out);
	} else {
		status = outfile_close(out, &err);
	}
	if (status != ST_OK) {
		tool_die_err(&err);
	}
	if (opts->print_statistics) {
		tool_warn("Wrote %" PRIu64 " IPFIX records to '%s'", records,
			  opts->ipfix_output ? path : "-");
	}
	return TOOL_EXIT_OK;
}

const struct tool tool = {
	.name = "rwsilk2ipfix",
	.summary = "Convert flow records to IPFIX",
	.usage = "[SWITCHES] [FILES]",
	.opts = silk2ipfix_opt_table,
	.opts_size = sizeof(struct silk2ipfix_opts),
	.opts_default = &silk2ipfix_defaults,
	.run = silk2ipfix_run,
};
