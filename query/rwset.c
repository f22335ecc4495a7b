/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwset: sets of the addresses of flow records. */
#include "query/tool.h"

#include "common/hugeroom.h"
#include "common/parallel.h"
#include "common/processors.h"
#include "common/timestamp.h"
#include "query/fanout.h"
#include "query/setsink.h"
#include "query/source.h"
#include "storage/ipset.h"
#include "storage/sightings.h"

#include <glib.h>

enum output { OUTPUT_SIP, OUTPUT_DIP, OUTPUT_NHIP, OUTPUT_ANY, OUTPUT_COUNT };

struct set_opts {
	char *paths[OUTPUT_COUNT];
	bool note_strip;
	bool with_times;
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
	OPT_FLAG(struct set_opts, with_times, "with-times", 0,
		 "write when each address was first and last seen, too", .flags = OPT_ADDED),
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
	struct outfile *sinks[OUTPUT_COUNT]; /* NULL: not asked for */
	struct ipset *sets[OUTPUT_COUNT];
	struct sightings *seen[OUTPUT_COUNT]; /* instead of the sets, with times */
	int status[OUTPUT_COUNT];             /* of writing: enum tool_exit */
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
	if (opts->with_times && opts->sink.version.given) {
		tool_usage("Cannot combine the --with-times and --record-version switches");
	}
	if (on_stdout && tool_is_stdout(opts->source.copy_input)) {
		tool_usage("May not use stdout for multiple output streams");
	}
}

/* The history of the inputs goes into every output. */
static void copy_entries(void *arg, const char *path, const struct header *header)
{
	struct job *job = arg;

	sink_copy_history(&job->entries, header, job->opts->sink.invocation_strip,
			  job->opts->note_strip);
}

/* --- adding: each set on a thread of its own --- */

/* A set that is being made. */
struct making {
	const struct setsink_opts *sink;
	uint32_t columns;
	struct ipset *set;
	struct sightings *seen; /* instead of the set */
};

/* The address columns that go into the set, source before destination; returns how many. */
static size_t address_columns(const struct making *making, const struct batch *batch,
			      const struct ip *from[OUTPUT_COUNT])
{
	const struct {
		uint32_t bit;
		const struct ip *ips;
	} columns[] = {
		{ COLUMN_BIT(COLUMN_SIP), batch->sip },
		{ COLUMN_BIT(COLUMN_DIP), batch->dip },
		{ COLUMN_BIT(COLUMN_NHIP), batch->nhip },
	};
	size_t count = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(columns); i++) {
		if (making->columns & columns[i].bit) {
			from[count++] = columns[i].ips;
		}
	}
	return count;
}

static void take_addresses(void *arg, const struct batch *batch)
{
	const struct making *making = arg;
	const struct ip *from[OUTPUT_COUNT];
	size_t columns = address_columns(making, batch, from);
	struct ip ips[OUTPUT_COUNT * BATCH_ROWS];
	size_t count = 0;

	if (columns == 1 && batch->selected == batch->rows) {
		ipset_add_many(making->set, from[0], batch->rows);
		return;
	}
	for (uint32_t i = 0; i < batch->selected; i++) {
		for (size_t column = 0; column < columns; column++) {
			ips[count++] = from[column][batch->selection[i]];
		}
	}
	ipset_add_many(making->set, ips, count);
}

/* Times stay the nanoseconds of the record until here. */
static void take_sightings(void *arg, const struct batch *batch)
{
	const struct making *making = arg;
	const struct ip *from[OUTPUT_COUNT];
	size_t columns = address_columns(making, batch, from);

	for (uint32_t i = 0; i < batch->selected; i++) {
		uint32_t row = batch->selection[i];
		int64_t start_ns = batch->start_ns[row];
		int64_t end_ns = start_ns + (int64_t)batch->duration_ns[row];

		for (size_t column = 0; column < columns; column++) {
			sightings_add(making->seen, from[column][row],
				      timestamp_floor(start_ns, NS_PER_MS) / NS_PER_MS,
				      timestamp_floor(end_ns, NS_PER_MS) / NS_PER_MS);
		}
	}
}

static void end_making(void *arg)
{
	const struct making *making = arg;

	if (making->set) {
		setsink_finish(making->set, making->sink);
	} else {
		sightings_finish(making->seen);
	}
}

static uint32_t wanted_columns(const struct set_opts *opts)
{
	uint32_t columns = 0;

	if (opts->with_times) {
		columns |= COLUMN_BIT(COLUMN_START) | COLUMN_BIT(COLUMN_DURATION);
	}
	for (int i = 0; i < OUTPUT_COUNT; i++) {
		columns |= opts->paths[i] ? output_kinds[i].columns : 0;
	}
	return columns;
}

static void read_records(struct job *job, struct source *source)
{
	struct making making[OUTPUT_COUNT];
	struct fanout_taker takers[OUTPUT_COUNT];
	size_t count = 0;

	for (int i = 0; i < OUTPUT_COUNT; i++) {
		if (!job->sinks[i]) {
			continue;
		}
		making[count] = (struct making){
			.sink = &job->opts->sink,
			.columns = output_kinds[i].columns,
			.set = job->sets[i],
			.seen = job->seen[i],
		};
		takers[count] = (struct fanout_taker){
			.take = job->seen[i] ? take_sightings : take_addresses,
			.end = end_making,
			.arg = &making[count],
		};
		count++;
	}
	fanout_run(source, wanted_columns(job->opts), takers, count);
}

/* --- writing, the files side by side --- */

/* Into the file of output i, which is closed. */
static void write_one(void *arg, unsigned thread, size_t i)
{
	struct job *job = arg;
	const struct setsink_opts *sink = &job->opts->sink;
	char *what = g_strconcat("Error writing ", output_kinds[i].name, " IPset", NULL);

	if (job->seen[i]) {
		job->status[i] =
			setsink_write_seen(job->sinks[i], job->seen[i], sink, &job->entries, what);
	} else if (job->sets[i]) {
		job->status[i] =
			setsink_write(job->sinks[i], job->sets[i], sink, &job->entries, what);
	}
	job->sinks[i] = NULL;
	g_free(what);
}

static int write_sets(struct job *job, struct tool_env *env)
{
	int status = TOOL_EXIT_OK;

	if (!job->opts->sink.invocation_strip) {
		header_add_invocation(&job->entries, tool_argc(env), tool_argv(env));
	}
	sink_add_notes(&job->opts->sink.sink, &job->entries);
	parallel_run(processors_count(), OUTPUT_COUNT, write_one, job);
	for (int i = 0; i < OUTPUT_COUNT; i++) {
		if (job->status[i] != TOOL_EXIT_OK) {
			status = TOOL_EXIT_ERROR;
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
	hugeroom_return_freed();
	source = source_new(env, &opts->source, argc, argv);
	source_set_site(source, tool_site(env, &opts->site, false));
	header_init(&job.entries);
	source_on_open(source, copy_entries, &job);
	outfile_create_all(job.sinks, opts->paths, OUTPUT_COUNT);
	for (int i = 0; i < OUTPUT_COUNT; i++) {
		if (opts->paths[i]) {
			job.sets[i] = opts->with_times ? NULL : ipset_new();
			job.seen[i] = opts->with_times ? sightings_new() : NULL;
		}
	}
	read_records(&job, source);
	status = source_close(source);
	if (status == TOOL_EXIT_OK) {
		status = write_sets(&job, env);
	}
	for (int i = 0; i < OUTPUT_COUNT; i++) {
		if (job.sinks[i]) {
			outfile_leave_empty(job.sinks[i]);
		}
		ipset_free(job.sets[i]);
		sightings_free(job.seen[i]);
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
