/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwset: sets of the addresses of flow records. */
#include "query/tool.h"

#include "common/handover.h"
#include "common/hugeroom.h"
#include "common/timestamp.h"
#include "query/setsink.h"
#include "query/source.h"
#include "storage/ipset.h"
#include "storage/sightings.h"

#include <glib.h>
#include <pthread.h>

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

	if (header && !job->opts->sink.invocation_strip) {
		header_copy_entries(&job->entries, header, ENTRY_INVOCATION);
	}
	if (header && !job->opts->note_strip) {
		header_copy_entries(&job->entries, header, ENTRY_ANNOTATION);
	}
}

/* --- threads: one for each output, which alone adds to its set --- */

/* Addresses on their way to a thread: so many that handing them over costs nothing. */
#define PARCEL_ADDRESSES  16384
#define PARCELS_OF_A_LANE 3

struct parcel {
	size_t count; /* 0: the last one */
	struct ip ips[PARCEL_ADDRESSES];
	struct sighting_ms {
		int64_t first;
		int64_t last;
	} seen[]; /* as many, with times */
};

struct lane {
	pthread_t thread;
	struct handover *todo; /* struct parcel * */
	struct handover *idle;
	struct parcel *filling;
	struct ipset *set;
	struct sightings *seen; /* instead of the set */
	const struct setsink_opts *sink;
	uint32_t columns;
};

static void *run_lane(void *arg)
{
	const struct lane *lane = arg;
	struct parcel *parcel;

	while ((parcel = handover_pop(lane->todo))->count) {
		if (lane->set) {
			ipset_add_many(lane->set, parcel->ips, parcel->count);
		}
		for (size_t i = 0; lane->seen && i < parcel->count; i++) {
			sightings_add(lane->seen, parcel->ips[i], parcel->seen[i].first,
				      parcel->seen[i].last);
		}
		handover_push(lane->idle, parcel);
	}
	if (lane->set) {
		setsink_finish(lane->set, lane->sink);
	}
	return NULL;
}

static struct parcel *parcel_new(bool with_times)
{
	size_t times = with_times ? PARCEL_ADDRESSES * sizeof(struct sighting_ms) : 0;

	return g_malloc0(sizeof(struct parcel) + times);
}

/* Starts a thread for each output; returns how many. */
static int start_lanes(const struct job *job, struct lane lanes[OUTPUT_COUNT])
{
	int count = 0;

	for (int i = 0; i < OUTPUT_COUNT; i++) {
		struct lane *lane = &lanes[count];

		if (!job->sinks[i]) {
			continue;
		}
		*lane = (struct lane){
			.todo = handover_new(PARCELS_OF_A_LANE),
			.idle = handover_new(PARCELS_OF_A_LANE),
			.filling = parcel_new(job->seen[i]),
			.set = job->sets[i],
			.seen = job->seen[i],
			.sink = &job->opts->sink,
			.columns = output_kinds[i].columns,
		};
		for (int n = 1; n < PARCELS_OF_A_LANE; n++) {
			handover_push(lane->idle, parcel_new(job->seen[i]));
		}
		if (pthread_create(&lane->thread, NULL, run_lane, lane) != 0) {
			tool_die("cannot start a thread");
		}
		count++;
	}
	return count;
}

static void send_parcel(struct lane *lane)
{
	if (lane->filling->count) {
		handover_push(lane->todo, lane->filling);
		lane->filling = handover_pop(lane->idle);
		lane->filling->count = 0;
	}
}

static void end_lane(struct lane *lane)
{
	pthread_join(lane->thread, NULL);
	g_free(lane->filling);
	for (int n = 1; n < PARCELS_OF_A_LANE; n++) {
		g_free(handover_pop(lane->idle));
	}
	handover_free(lane->todo);
	handover_free(lane->idle);
}

/* Times stay the nanoseconds of the record until here. */
static struct sighting_ms sighting_of(const struct batch *batch, uint32_t row)
{
	int64_t end_ns = batch->start_ns[row] + (int64_t)batch->duration_ns[row];

	return (struct sighting_ms){
		.first = timestamp_floor(batch->start_ns[row], NS_PER_MS) / NS_PER_MS,
		.last = timestamp_floor(end_ns, NS_PER_MS) / NS_PER_MS,
	};
}

/* The addresses of one column, without times. */
static void fill_from_one(struct lane *lane, const struct ip *from, const struct batch *batch)
{
	uint32_t done = 0;

	while (done < batch->selected) {
		const uint16_t *rows = batch->selection + done;
		struct ip *to = lane->filling->ips + lane->filling->count;
		uint32_t room = (uint32_t)(PARCEL_ADDRESSES - lane->filling->count);
		uint32_t count = MIN(room, batch->selected - done);

		for (uint32_t i = 0; i < count; i++) {
			to[i] = from[rows[i]];
		}
		lane->filling->count += count;
		done += count;
		if (lane->filling->count == PARCEL_ADDRESSES) {
			send_parcel(lane);
		}
	}
}

/* The same of some columns, whose addresses go in in their order, and with times if they are wanted. */
static void fill_from_all(struct lane *lane, const struct ip *const from[], size_t count,
			  const struct batch *batch)
{
	for (uint32_t i = 0; i < batch->selected; i++) {
		uint32_t row = batch->selection[i];

		if (lane->filling->count + count > PARCEL_ADDRESSES) {
			send_parcel(lane);
		}
		for (size_t column = 0; column < count; column++) {
			size_t at = lane->filling->count++;

			lane->filling->ips[at] = from[column][row];
			if (lane->seen) {
				lane->filling->seen[at] = sighting_of(batch, row);
			}
		}
	}
}

static void fill_lane(struct lane *lane, const struct batch *batch)
{
	/* source before destination */
	const struct address_column {
		uint32_t bit;
		const struct ip *ips;
	} columns[] = {
		{ COLUMN_BIT(COLUMN_SIP), batch->sip },
		{ COLUMN_BIT(COLUMN_DIP), batch->dip },
		{ COLUMN_BIT(COLUMN_NHIP), batch->nhip },
	};
	const struct ip *from[G_N_ELEMENTS(columns)];
	size_t count = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(columns); i++) {
		if (lane->columns & columns[i].bit) {
			from[count++] = columns[i].ips;
		}
	}
	if (count == 1 && !lane->seen) {
		fill_from_one(lane, from[0], batch);
	} else {
		fill_from_all(lane, from, count, batch);
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
	struct lane lanes[OUTPUT_COUNT];
	uint32_t columns = wanted_columns(job->opts);
	struct batch *batch = batch_new();
	int count = start_lanes(job, lanes);

	while (source_next(source, batch, columns)) {
		for (int i = 0; i < count; i++) {
			fill_lane(&lanes[i], batch);
		}
	}
	for (int i = 0; i < count; i++) {
		send_parcel(&lanes[i]);
		handover_push(lanes[i].todo, lanes[i].filling); /* empty: the last one */
	}
	for (int i = 0; i < count; i++) {
		end_lane(&lanes[i]);
	}
	batch_free(batch);
}

/* Into the file of output i, which is closed. */
static int write_one(struct job *job, int i)
{
	char *what = g_strconcat("Error writing ", output_kinds[i].name, " IPset", NULL);
	int status;

	if (job->opts->with_times) {
		sightings_finish(job->seen[i]);
		status = setsink_write_seen(job->sinks[i], job->seen[i], &job->opts->sink,
					    &job->entries, what);
	} else {
		status = setsink_write(job->sinks[i], job->sets[i], &job->opts->sink, &job->entries,
				       what);
	}
	job->sinks[i] = NULL;
	g_free(what);
	return status;
}

/* One file that is written beside the others. */
struct written {
	struct job *job;
	int output;
	pthread_t thread;
	bool on_thread;
	int status;
};

static void *run_written(void *arg)
{
	struct written *written = arg;

	written->status = write_one(written->job, written->output);
	return NULL;
}

static int write_sets(struct job *job, struct tool_env *env)
{
	struct written written[OUTPUT_COUNT];
	int status = TOOL_EXIT_OK;

	if (!job->opts->sink.invocation_strip) {
		header_add_invocation(&job->entries, tool_argc(env), tool_argv(env));
	}
	sink_add_notes(&job->opts->sink.sink, &job->entries);
	for (int i = 0; i < OUTPUT_COUNT; i++) {
		written[i] = (struct written){ .job = job, .output = i };
		if (!job->sinks[i]) {
			continue;
		}
		written[i].on_thread =
			pthread_create(&written[i].thread, NULL, run_written, &written[i]) == 0;
		if (!written[i].on_thread) {
			run_written(&written[i]);
		}
	}
	for (int i = 0; i < OUTPUT_COUNT; i++) {
		if (written[i].on_thread) {
			pthread_join(written[i].thread, NULL);
		}
		if (written[i].status != TOOL_EXIT_OK) {
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
