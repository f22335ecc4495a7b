/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwbag: bags that count flow records, packets or bytes by a field of flow records. */
#include "query/tool.h"

#include "common/parallel.h"
#include "common/processors.h"
#include "query/bagsink.h"
#include "query/fanout.h"
#include "query/flowbag.h"
#include "query/mapfile.h"
#include "query/pmapfile.h"
#include "query/source.h"

#include <glib.h>
#include <string.h>

/* A bag that is being made. */
struct output {
	struct flowbag *flowbag;
	char *path;
	struct outfile *file; /* NULL: not made yet, or written */
	bool warned;          /* of a counter that became too large */
	int status;           /* of writing: enum tool_exit */
};

/* What --bag-file and --pmap-file have asked for so far; they are taken in their order. */
struct plan {
	GArray *outputs;          /* struct output */
	GArray *maps;             /* struct pmapfile */
	struct pmap *country_map; /* NULL: not needed yet */
	const char *on_stdout;    /* the output that goes there */
};

struct bag_opts {
	struct plan plan;
	bool legacy_help;
	bool note_strip;
	struct bagsink_opts sink;
	struct source_opts source;
	struct site_opts site;
};

static struct output *output_at(const struct plan *plan, size_t i)
{
	return &g_array_index(plan->outputs, struct output, i);
}

/* --- switches --- */

static const struct mapfile_choice country_choice = { .kind = MAPFILE_COUNTRY_CODES };

static const struct pmap *use_country_map(struct plan *plan)
{
	if (!plan->country_map) {
		plan->country_map = mapfile_read(&country_choice);
	}
	return plan->country_map;
}

static int find_map(const struct plan *plan, const char *name, const struct pmap **out,
		    struct err *err)
{
	for (size_t i = 0; plan->maps && i < plan->maps->len; i++) {
		const struct pmapfile *map = &g_array_index(plan->maps, struct pmapfile, i);

		if (strcmp(map->name, name) == 0) {
			*out = map->pmap;
			return ST_OK;
		}
	}
	return err_set(err, ST_EINVAL, "No prefix map has map-name '%s'", name);
}

/* The map that a key needs: of countries, or the one whose name follows the key. */
static int key_map(struct plan *plan, const struct flowbag_key *key, const char *name,
		   const struct pmap **out, struct err *err)
{
	enum bagtype_kind kind = bagtype_kind(flowbag_key_type(key));
	bool from_pmap = kind == BAGKIND_IP_PMAP || kind == BAGKIND_PORT_PMAP;
	int status = ST_OK;

	*out = NULL;
	if (kind == BAGKIND_COUNTRY) {
		*out = use_country_map(plan);
	} else if (from_pmap && !name) {
		status = err_set(err, ST_EINVAL,
				 "the name of a map loaded by --pmap-file must follow the key as "
				 "%s:NAME",
				 bagtype_name(flowbag_key_type(key)));
	} else if (from_pmap) {
		status = find_map(plan, name, out, err);
		if (status == ST_OK &&
		    (pmap_kind(*out) == PMAP_PROTO_PORT) != (kind == BAGKIND_PORT_PMAP)) {
			status = err_set(err, ST_EINVAL,
					 "prefix map '%s' is not of the kind that %s needs", name,
					 bagtype_name(flowbag_key_type(key)));
		}
	} else if (name) {
		status = err_set(err, ST_EINVAL, "key '%s' takes no map", name);
	}
	return status;
}

static int add_output(struct plan *plan, struct flowbag *flowbag, const char *path, struct err *err)
{
	struct output output = { .flowbag = flowbag };

	if (tool_is_stdout(path)) {
		if (plan->on_stdout) {
			flowbag_free(flowbag);
			return err_set(err, ST_EINVAL, "Only one output may use stdout");
		}
		plan->on_stdout = path;
	}
	if (!plan->outputs) {
		plan->outputs = g_array_new(FALSE, FALSE, sizeof(struct output));
	}
	output.path = g_strdup(path);
	g_array_append_val(plan->outputs, output);
	return ST_OK;
}

/* KEY[:MAP],COUNTER,PATH; the path may hold commas. */
static int parse_bag_file(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct plan *plan = dest;
	char **parts = g_strsplit(text, ",", 3);
	const struct flowbag_key *key = NULL;
	const struct flowbag_counter *counter = NULL;
	const struct pmap *map = NULL;
	char *name = NULL;
	int status = ST_OK;

	if (g_strv_length(parts) < 3 || !parts[2][0]) {
		status = err_set(err, ST_EINVAL, "expected KEY,COUNTER,PATH");
		goto done;
	}
	name = strchr(parts[0], ':');
	if (name) {
		*name++ = '\0';
	}
	status = flowbag_find_key(parts[0], &key, err);
	if (status == ST_OK) {
		status = flowbag_find_counter(parts[1], &counter, err);
	}
	if (status == ST_OK) {
		status = key_map(plan, key, name, &map, err);
	}
	if (status == ST_OK) {
		status = add_output(plan, flowbag_new(key, counter, map), parts[2], err);
	}
done:
	g_strfreev(parts);
	return status;
}

static int parse_pmap_file(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct plan *plan = dest;
	const struct pmap *same;
	struct pmapfile map;
	int status = pmapfile_read(&map, text, err);

	if (status != ST_OK) {
		return status;
	}
	if (!map.name || !map.name[0]) {
		status = err_set(err, ST_EINVAL,
				 "the map has no name in its file; give one as NAME:PATH");
	} else if (find_map(plan, map.name, &same, NULL) == ST_OK) {
		status = err_set(err, ST_EINVAL, "a map of the name '%s' is loaded already",
				 map.name);
	}
	if (status != ST_OK) {
		pmapfile_release(&map);
		return status;
	}
	if (!plan->maps) {
		plan->maps = g_array_new(FALSE, FALSE, sizeof(struct pmapfile));
	}
	g_array_append_val(plan->maps, map);
	return ST_OK;
}

/* The old switches --KEY-COUNTER; tag is key * 3 + counter. */
static const struct {
	const char *name;
	const char *key;
} legacy_keys[] = {
	{ "sip", "sIPv4" },     { "dip", "dIPv4" },   { "nhip", "nhIPv4" },
	{ "sport", "sPort" },   { "dport", "dPort" }, { "proto", "protocol" },
	{ "sensor", "sensor" }, { "input", "input" }, { "output", "output" },
};
static const struct {
	const char *name;
	const char *counter;
} legacy_counters[] = {
	{ "flows", "records" },
	{ "packets", "sum-packets" },
	{ "bytes", "sum-bytes" },
};
#define LEGACY_COUNTERS 3

static int parse_legacy(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	char *spec = g_strdup_printf("%s,%s,%s", legacy_keys[opt->tag / LEGACY_COUNTERS].key,
				     legacy_counters[opt->tag % LEGACY_COUNTERS].counter, text);
	int status = parse_bag_file(opt, spec, dest, err);

	g_free(spec);
	return status;
}

#define LEGACY_ROW(name_, tag_)                                                                    \
	OPT_CALL(struct bag_opts, plan, name_, 0, "FILE", parse_legacy, OPT_HIDDEN,                \
		 "an old name of --bag-file with this key and counter", .tag = tag_)
#define LEGACY_ROWS(key_, tag_)                                                                    \
	LEGACY_ROW(key_ "-flows", (tag_)*LEGACY_COUNTERS),                                         \
		LEGACY_ROW(key_ "-packets", (tag_)*LEGACY_COUNTERS + 1),                           \
		LEGACY_ROW(key_ "-bytes", (tag_)*LEGACY_COUNTERS + 2)

static const struct opt bag_opt_table[] = {
	OPT_FLAG(struct bag_opts, legacy_help, "legacy-help", 0,
		 "print this list and the old switches, and exit"),
	OPT_CALL(struct bag_opts, plan, "bag-file", 0, "KEY,COUNTER,PATH", parse_bag_file, 0,
		 "write a bag of this key and counter to this file; repeatable"),
	OPT_CALL(struct bag_opts, plan, "pmap-file", 0, "[NAME:]PATH", parse_pmap_file, 0,
		 "load a prefix map for the keys that name it; before them; repeatable"),
	OPT_FLAG(struct bag_opts, note_strip, "note-strip", 0,
		 "do not copy the notes of the inputs to the outputs"),
	OPT_GROUP(struct bag_opts, sink, bagsink_opt_table),
	OPT_GROUP(struct bag_opts, source, source_opt_table),
	OPT_GROUP(struct bag_opts, site, site_opt_table),
	LEGACY_ROWS("sip", 0),
	LEGACY_ROWS("dip", 1),
	LEGACY_ROWS("nhip", 2),
	LEGACY_ROWS("sport", 3),
	LEGACY_ROWS("dport", 4),
	LEGACY_ROWS("proto", 5),
	LEGACY_ROWS("sensor", 6),
	LEGACY_ROWS("input", 7),
	LEGACY_ROWS("output", 8),
	OPT_END,
};

static int print_legacy_help(void)
{
	tool_help(NULL);
	printf("\nOLD SWITCHES:\n");
	for (size_t i = 0; i < G_N_ELEMENTS(legacy_keys); i++) {
		for (size_t j = 0; j < LEGACY_COUNTERS; j++) {
			printf("--%s-%s Req Arg. As --bag-file=%s,%s,PATH\n", legacy_keys[i].name,
			       legacy_counters[j].name, legacy_keys[i].key,
			       legacy_counters[j].counter);
		}
	}
	return TOOL_EXIT_OK;
}

/* --- the run --- */

struct job {
	const struct bag_opts *opts;
	struct header entries;
};

/* The history of the inputs goes into every output. */
static void copy_entries(void *arg, const char *path, const struct header *header)
{
	struct job *job = arg;

	sink_copy_history(&job->entries, header, job->opts->sink.invocation_strip,
			  job->opts->note_strip);
}

/* By the thread of the bag. */
static void take_batch(void *arg, const struct batch *batch)
{
	struct output *output = arg;

	if (!flowbag_add(output->flowbag, batch) && !output->warned) {
		tool_warn("**WARNING** Counter overflow for Bag being written to '%s'",
			  outfile_path(output->file));
		output->warned = true;
	}
}

static void read_records(const struct plan *plan, struct source *source)
{
	size_t count = plan->outputs->len;
	struct fanout_taker *takers = g_new0(struct fanout_taker, count);
	uint32_t columns = 0;

	for (size_t i = 0; i < count; i++) {
		columns |= flowbag_columns(output_at(plan, i)->flowbag);
		takers[i] = (struct fanout_taker){
			.take = take_batch,
			.arg = output_at(plan, i),
		};
	}
	fanout_run(source, columns, takers, count);
	g_free(takers);
}

static void write_one(void *arg, unsigned thread, size_t i)
{
	struct job *job = arg;
	struct output *output = output_at(&job->opts->plan, i);

	output->status = bagsink_write(output->file, flowbag_bag(output->flowbag),
				       &job->opts->sink.sink, &job->entries);
	output->file = NULL;
}

static int write_bags(struct job *job, const struct plan *plan, struct tool_env *env)
{
	const struct bagsink_opts *sink = &job->opts->sink;
	int status = TOOL_EXIT_OK;

	if (!sink->invocation_strip) {
		header_add_invocation(&job->entries, tool_argc(env), tool_argv(env));
	}
	sink_add_notes(&sink->sink, &job->entries);
	parallel_run(processors_count(), plan->outputs->len, write_one, job);
	for (size_t i = 0; i < plan->outputs->len; i++) {
		if (output_at(plan, i)->status != TOOL_EXIT_OK) {
			status = TOOL_EXIT_ERROR;
		}
	}
	return status;
}

static void release_plan(const struct plan *plan)
{
	for (size_t i = 0; i < plan->outputs->len; i++) {
		if (output_at(plan, i)->file) {
			outfile_leave_empty(output_at(plan, i)->file);
		}
		flowbag_free(output_at(plan, i)->flowbag);
		g_free(output_at(plan, i)->path);
	}
	g_array_unref(plan->outputs);
	for (size_t i = 0; plan->maps && i < plan->maps->len; i++) {
		pmapfile_release(&g_array_index(plan->maps, struct pmapfile, i));
	}
	if (plan->maps) {
		g_array_unref(plan->maps);
	}
	pmap_free(plan->country_map);
}

/* Before the work is done. */
static void open_outputs(const struct plan *plan)
{
	size_t count = plan->outputs->len;
	struct outfile **files = g_new(struct outfile *, count);
	char **paths = g_new(char *, count);

	for (size_t i = 0; i < count; i++) {
		paths[i] = output_at(plan, i)->path;
	}
	outfile_create_all(files, paths, count);
	for (size_t i = 0; i < count; i++) {
		output_at(plan, i)->file = files[i];
	}
	g_free(paths);
	g_free(files);
}

static int bag_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct bag_opts *opts = base;
	const struct plan *plan = &opts->plan;
	struct job job = { .opts = opts };
	struct source *source;
	int status;

	if (opts->legacy_help) {
		return print_legacy_help();
	}
	if (!plan->outputs) {
		tool_usage("The --bag-file switch (or a legacy equivalent) is required");
	}
	if (plan->on_stdout && tool_is_stdout(opts->source.copy_input)) {
		tool_usage("--copy-input and a bag may not both use standard output");
	}
	open_outputs(plan);
	source = source_new(env, &opts->source, argc, argv);
	source_set_site(source, tool_site(env, &opts->site, false));
	header_init(&job.entries);
	source_on_open(source, copy_entries, &job);
	read_records(plan, source);
	status = source_close(source);
	if (status == TOOL_EXIT_OK) {
		status = write_bags(&job, plan, env);
	}
	header_release(&job.entries);
	release_plan(plan);
	return status;
}

const struct tool tool = {
	.name = "rwbag",
	.summary = "Make bags: volumes of flow records by one of their fields",
	.usage = "--bag-file=KEY,COUNTER,PATH [--bag-file=...] [SWITCHES] [FILES]",
	.opts = bag_opt_table,
	.opts_size = sizeof(struct bag_opts),
	.run = bag_run,
};
