/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwaggbag: aggregate bags of flow records. */
#include "query/tool.h"

#include "query/aggsink.h"
#include "query/aggvalue.h"
#include "query/bagsink.h"
#include "query/flowagg.h"
#include "query/mapfile.h"
#include "query/source.h"

#include <glib.h>

struct aggbag_opts {
	char *keys;
	char *counters;
	bool help_fields;
	bool note_strip;
	struct outfile_opts out;
	struct bagsink_opts sink;
	struct source_opts source;
	struct site_opts site;
};

static const struct opt aggbag_opt_table[] = {
	OPT_STR(struct aggbag_opts, keys, "keys", 0, "LIST",
		"fields that make up the key, separated by commas", .flags = OPT_ONCE),
	OPT_STR(struct aggbag_opts, counters, "counters", 0, "LIST",
		"what is counted for each key, separated by commas", .flags = OPT_ONCE),
	OPT_FLAG(struct aggbag_opts, help_fields, "help-fields", 0,
		 "print names and meanings of keys and counters, and exit"),
	OPT_FLAG(struct aggbag_opts, note_strip, "note-strip", 0,
		 "do not copy the notes of the inputs to the output"),
	OPT_GROUP(struct aggbag_opts, out, outfile_path_opt_table),
	OPT_GROUP(struct aggbag_opts, sink, bagsink_opt_table),
	OPT_GROUP(struct aggbag_opts, source, source_opt_table),
	OPT_GROUP(struct aggbag_opts, site, site_opt_table),
	OPT_END,
};

static void parse_fields(const char *name, const char *text, unsigned which,
			 struct agglayout *layout)
{
	const size_t count = layout->count;
	struct err err;

	if (!text || !*text) {
		tool_usage("The --%s switch is required", name);
	}
	if (aggvalue_parse_list(text, which | AGGFIELD_FLOW, layout, NULL, &err) != ST_OK) {
		tool_die("Invalid %s: %s", name, err.text);
	}
	if (layout->count == count) {
		tool_die("Invalid %s: Field list is empty", name);
	}
}

struct job {
	const struct aggbag_opts *opts;
	struct header inputs; /* entries that are copied */
};

static void copy_entries(void *arg, const char *path, const struct header *header)
{
	struct job *job = arg;

	sink_copy_history(&job->inputs, header, job->opts->sink.invocation_strip,
			  job->opts->note_strip);
}

static int read_records(struct job *job, struct source *source, struct flowagg *agg)
{
	struct batch *batch = batch_new();

	source_on_open(source, copy_entries, job);
	while (source_next(source, batch, flowagg_columns(agg))) {
		flowagg_add(agg, batch);
	}
	batch_free(batch);
	return source_close(source);
}

static int write_bag(const struct job *job, struct tool_env *env, struct outfile *out,
		     struct flowagg *agg)
{
	const struct bagsink_opts *sink = &job->opts->sink;
	struct header own;
	int status;

	header_init(&own);
	if (!sink->invocation_strip) {
		header_add_invocation(&own, tool_argc(env), tool_argv(env));
	}
	sink_add_notes(&sink->sink, &own);
	status = aggsink_write(out, flowagg_bag(agg), &sink->sink, &job->inputs, &own);
	header_release(&own);
	return status;
}

static int aggbag_run(struct tool_env *env, void *base, int argc, char **argv)
{
	static const struct mapfile_choice countries = { .kind = MAPFILE_COUNTRY_CODES };
	const struct aggbag_opts *opts = base;
	struct job job = { .opts = opts };
	struct agglayout layout = { 0 };
	struct pmap *country_map = NULL;
	const struct site *site;
	struct source *source;
	struct outfile *out;
	struct flowagg *agg;
	int status;

	if (opts->help_fields) {
		aggvalue_help(AGGFIELD_FLOW | AGGFIELD_KEYS | AGGFIELD_COUNTERS);
		return TOOL_EXIT_OK;
	}
	parse_fields("keys", opts->keys, AGGFIELD_KEYS, &layout);
	parse_fields("counters", opts->counters, AGGFIELD_COUNTERS, &layout);
	source_check_copy(&opts->source, opts->out.output_path);
	source = source_new(env, &opts->source, argc, argv);
	site = tool_site(env, &opts->site, false);
	source_set_site(source, site);
	if (flowagg_needs_countries(&layout)) {
		country_map = mapfile_read(&countries);
	}
	out = outfile_open(&opts->out);
	agg = flowagg_new(&layout, site, country_map);
	header_init(&job.inputs);
	status = read_records(&job, source, agg);
	if (status == TOOL_EXIT_OK) {
		status = write_bag(&job, env, out, agg);
	} else {
		outfile_leave_empty(out);
	}
	header_release(&job.inputs);
	flowagg_free(agg);
	pmap_free(country_map);
	return status;
}

const struct tool tool = {
	.name = "rwaggbag",
	.summary = "Make an aggregate bag: volumes of flow records by several of their fields",
	.usage = "--keys=LIST --counters=LIST [SWITCHES] [FILES]",
	.opts = aggbag_opt_table,
	.opts_size = sizeof(struct aggbag_opts),
	.run = aggbag_run,
};
