/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwset: sets of the addresses of flow records. */
#include "query/tool.h"

#include "query/setsink.h"
#include "query/source.h"
#include "storage/ipset.h"

#include <glib.h>

enum output { OUTPUT_SIP, OUTPUT_DIP, OUTPUT_NHIP, OUTPUT_ANY, OUTPUT_COUNT };

struct set_opts {
	char *paths[OUTPUT_COUNT];
	bool note_strip;
	struct setsink_opts sink;
	struct source_opts source;
	struct site_opts site;
};

static const struct opt set_opt_table[] = {
	OPT_STR(struct set_opts, paths[OUTPUT_SIP], "sip-file", 0, "FILE",
		"write the set of source addresses to this file", .flags = OPT_ONCE),
	OPT_STR(struct set_opts, paths[OUTPUT_DIP], "dip-file", 0, "FILE",
		"write the set of destination addresses to this file", .flags = OPT_ONCE),
	OPT_STR(struct set_opts, paths[OUTPUT_NHIP], "nhip-file", 0, "FILE",
		"write the set of next-hop addresses to this file", .flags = OPT_ONCE),
	OPT_STR(struct set_opts, paths[OUTPUT_ANY], "any-file", 0, "FILE",
		"write the set of source and destination addresses to this file",
		.flags = OPT_ONCE),
	OPT_FLAG(struct set_opts, note_strip, "note-strip", 0,
		 "do not copy the notes of the inputs to the outputs"),
	OPT_GROUP(struct set_opts, sink, setsink_opt_table),
	OPT_GROUP(struct set_opts, source, source_opt_table),
	OPT_GROUP(struct set_opts, site, site_opt_table),
	OPT_END,
};

/* One set to be made: which columns go into it. */
static const struct output_kind {
	const char *name;
	uint32_t columns;
} output_kinds[OUTPUT_COUNT] = {
	[OUTPUT_SIP] = { "sip-file", COLUMN_BIT(COLUMN_SIP) },
	[OUTPUT_DIP] = { "dip-file", COLUMN_BIT(COLUMN_DIP) },
	[OUTPUT_NHIP] = { "nhip-file", COLUMN_BIT(COLUMN_NHIP) },
	[OUTPUT_ANY] = { "any-file", COLUMN_BIT(COLUMN_SIP) | COLUMN_BIT(COLUMN_DIP) },
};

struct job {
	const struct set_opts *opts;
	struct setsink *sinks[OUTPUT_COUNT]; /* NULL: not asked for */
	struct ipset *sets[OUTPUT_COUNT];
	struct header entries;
};

static void check_outputs(const struct set_opts *opts)
{
	bool any = false;
	const char *on_stdout = NULL;

	for (int i = 0; i < OUTPUT_COUNT; i++) {
		any = any || opts->paths[i];
		if (tool_is_stdout(opts->paths[i])) {
			if (on_stdout) {
				tool_usage("Multiple outputs are trying to use stdout");
			}
			on_stdout = opts->paths[i];
		}
	}
	if (!any) {
		tool_usage("No output specified; must specify file(s) to create");
	}
	if (on_stdout && tool_is_stdout(opts->source.copy_input)) {
		tool_usage("May not use stdout for multiple output streams");
	}
}

/* The history of the inputs goes into every output. */
static void copy_entries(void *arg, const char *path, const struct header *header)
{
	struct job *job = arg;

	if (header && !job->opts->sink.invocation_strip) {
		header_copy_entries(&job->entries, header, ENTRY_INVOCATION);
	}
	if (header && !job->opts->note_strip) {
		header_copy_entries(&job->entries, header, ENTRY_ANNOTATION);
	}
}

/* Columns in the order in which their addresses go in: source before destination. */
static void add_row(struct ipset *set, const struct batch *batch, uint32_t row, uint32_t columns)
{
	if (columns & COLUMN_BIT(COLUMN_SIP)) {
		ipset_add(set, batch->sip[row]);
	}
	if (columns & COLUMN_BIT(COLUMN_DIP)) {
		ipset_add(set, batch->dip[row]);
	}
	if (columns & COLUMN_BIT(COLUMN_NHIP)) {
		ipset_add(set, batch->nhip[row]);
	}
}

static void read_records(struct job *job, struct source *source)
{
	struct batch *batch = batch_new();
	uint32_t columns = 0;

	for (int i = 0; i < OUTPUT_COUNT; i++) {
		columns |= job->sets[i] ? output_kinds[i].columns : 0;
	}
	while (source_next(source, batch, columns)) {
		for (int i = 0; i < OUTPUT_COUNT; i++) {
			for (uint32_t j = 0; job->sets[i] && j < batch->selected; j++) {
				add_row(job->sets[i], batch, batch->selection[j],
					output_kinds[i].columns);
			}
		}
	}
	batch_free(batch);
}

static int write_sets(struct job *job, struct tool_env *env)
{
	int status = TOOL_EXIT_OK;

	if (!job->opts->sink.invocation_strip) {
		header_add_invocation(&job->entries, tool_argc(env), tool_argv(env));
	}
	sink_add_notes(&job->opts->sink.sink, &job->entries);
	for (int i = 0; i < OUTPUT_COUNT; i++) {
		if (job->sets[i]) {
			char *what =
				g_strconcat("Error writing ", output_kinds[i].name, " IPset", NULL);

			if (setsink_write(job->sinks[i], job->sets[i], &job->opts->sink,
					  &job->entries, what) != TOOL_EXIT_OK) {
				status = TOOL_EXIT_ERROR;
			}
			job->sinks[i] = NULL;
			g_free(what);
		}
	}
	return status;
}

static int set_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct set_opts *opts = base;
	struct job job = { .opts = opts };
	struct source *source;
	int status;

	check_outputs(opts);
	source = source_new(env, &opts->source, argc, argv);
	source_set_site(source, tool_site(env, &opts->site, false));
	header_init(&job.entries);
	source_on_open(source, copy_entries, &job);
	for (int i = 0; i < OUTPUT_COUNT; i++) {
		if (opts->paths[i]) {
			job.sinks[i] = setsink_open(opts->paths[i]);
			job.sets[i] = ipset_new();
		}
	}
	read_records(&job, source);
	status = source_close(source);
	if (status == TOOL_EXIT_OK) {
		status = write_sets(&job, env);
	}
	for (int i = 0; i < OUTPUT_COUNT; i++) {
		setsink_drop(job.sinks[i]);
		ipset_free(job.sets[i]);
	}
	header_release(&job.entries);
	return status;
}

const struct tool tool = {
	.name = "rwset",
	.summary = "Make sets of the addresses in flow records",
	.usage =
		"{--sip-file=FILE | --dip-file=FILE | --nhip-file=FILE | --any-file=FILE} [SWITCHES] "
		"[FILES]",
	.opts = set_opt_table,
	.opts_size = sizeof(struct set_opts),
	.run = set_run,
};
