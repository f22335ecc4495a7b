/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwsort: sort records by a key of fields. */
#include <string.h>

#include <glib.h>

#include "common/extfield.h"
#include "query/bins.h"
#include "query/format.h"
#include "query/labelling.h"
#include "query/madefields.h"
#include "query/recordout.h"
#include "query/recordread.h"
#include "query/recordsort.h"
#include "query/sink.h"
#include "query/source.h"
#include "query/spansort.h"
#include "query/threads.h"
#include "query/tool.h"

#define BUFFER_MIN_BYTES     360000
#define BUFFER_DEFAULT_BYTES (UINT64_C(1920) << 20)

struct sort_opts {
	char *fields;
	bool help_fields;
	bool reverse;
	bool presorted_input;
	uint64_t sort_buffer_size;
	char *temp_directory;
	char *output_path;
	char *input_pipe;
	struct madefield_opts made;
	struct sink_opts sink;
	struct source_opts source;
	struct threads_opts threads;
	struct site_opts site;
};

static const struct opt sort_opt_table[] = {
	OPT_STR(struct sort_opts, fields, "fields", 'f', "LIST", "sort by these fields",
		.flags = OPT_ONCE),
	OPT_FLAG(struct sort_opts, help_fields, "help-fields", 0, "describe each field and exit"),
	OPT_FLAG(struct sort_opts, reverse, "reverse", 0, "greatest key first"),
	OPT_FLAG(struct sort_opts, presorted_input, "presorted-input", 0,
		 "each input is sorted already by the same --fields"),
	OPT_SIZE(struct sort_opts, sort_buffer_size, "sort-buffer-size", 0, "SIZE",
		 BUFFER_MIN_BYTES, UINT64_MAX, "sort in this much memory", .default_text = "1920m"),
	OPT_SIZE(struct sort_opts, sort_buffer_size, "memory", 0, "SIZE", BUFFER_MIN_BYTES,
		 UINT64_MAX, "as --sort-buffer-size", .flags = OPT_ADDED),
	OPT_STR(struct sort_opts, temp_directory, "temp-directory", 0, "DIR",
		"write temporary files here"),
	OPT_STR(struct sort_opts, output_path, "output-path", 0, "PATH",
		"write the records to this file, pipe or stdout", .flags = OPT_ONCE),
	OPT_STR(struct sort_opts, input_pipe, "input-pipe", 0, "PATH",
		"read this pipe or stdin when no file is named", .flags = OPT_ONCE),
	OPT_GROUP(struct sort_opts, source, source_names_opt_table),
	OPT_GROUP(struct sort_opts, made, madefield_opt_table),
	OPT_GROUP(struct sort_opts, sink, sink_opt_table),
	OPT_GROUP(struct sort_opts, threads, threads_opt_table),
	OPT_GROUP(struct sort_opts, site, site_opt_table),
	OPT_END,
};

static const struct sort_opts sort_defaults = {
	.sort_buffer_size = BUFFER_DEFAULT_BYTES,
	.source = { .own_policy = "mix" },
};

struct sort {
	struct extfields *ext;
	struct madefields *made;
	struct labelling *labelling;
	const struct field **fields;
	size_t field_count;
	struct rowkey key;
	struct recordsort *sorter;
	struct header entries;
	struct recordout *out;
};

/* Command lines and notes of the inputs go on into the output. */
static void copy_entries(void *arg, const char *path, const struct header *header)
{
	struct sort *sort = arg;

	if (header) {
		header_copy_entries(&sort->entries, header, ENTRY_INVOCATION);
		header_copy_entries(&sort->entries, header, ENTRY_ANNOTATION);
	}
}

static void want_elements(void *arg, struct batch *batch)
{
	const struct sort *sort = arg;

	extfields_want(sort->ext, batch);
}

static int write_records(void *arg, const uint8_t *encoded, size_t count, struct err *err)
{
	struct sort *sort = arg;

	return stream_write_encoded_rows(recordout_stream(sort->out), encoded, count, err);
}

static struct source *open_source(struct sort *sort, const struct sort_opts *opts,
				  struct tool_env *env, int argc, char **argv)
{
	struct source *source = source_new(env, &opts->source, argc, argv);

	sort->labelling = labelling_new(sort->ext, env, &opts->site);
	source_set_site(source, tool_site(env, &opts->site, false));
	source_on_open(source, copy_entries, sort);
	return source;
}

/* Everything is read before anything is written. Closes the source; returns the exit status. */
static int sort_all(struct sort *sort, struct source *source, unsigned threads,
		    struct tool_env *env)
{
	struct err err;
	int exit_status;

	recordread_run(&(struct recordread){
		.source = source,
		.sort = sort->sorter,
		.threads = threads,
		.arg = sort,
		.want = want_elements,
	});
	exit_status = source_close(source);
	if (exit_status == TOOL_EXIT_OK) {
		recordout_begin(sort->out, env, &sort->entries);
		if (recordsort_drain_encoded(sort->sorter, write_records, sort, &err) != ST_OK) {
			tool_die_err(&err);
		}
	}
	return exit_status;
}

/* The same span by span, where nobody sees what is written until all is well. */
static int sort_spans(struct sort *sort, const struct spansort *plan,
		      const struct inputspans *spans, struct tool_env *env)
{
	struct err err;

	inputspans_tell_opened(spans, plan->source);
	recordout_begin(sort->out, env, &sort->entries);
	if (spansort_run(plan, spans, &err) != ST_OK && !source_failed(plan->source)) {
		tool_die_err(&err);
	}
	return source_close(plan->source);
}

static int sort_source(struct sort *sort, struct source *source, const struct sort_opts *opts,
		       struct tool_env *env)
{
	const struct spansort plan = {
		.source = source,
		.sort = sort->sorter,
		.reverse = opts->reverse,
		.memory_bytes = opts->sort_buffer_size,
		.threads = threads_wanted(&opts->threads),
		.arg = sort,
		.want = want_elements,
		.take = write_records,
	};
	struct inputspans *spans = recordout_is_hidden(sort->out) ? spansort_find(&plan) : NULL;
	int exit_status = spans ? sort_spans(sort, &plan, spans, env)
				: sort_all(sort, source, plan.threads, env);

	inputspans_free(spans);
	return exit_status;
}

static void prepare(struct sort *sort, const struct sort_opts *opts, struct tool_env *env)
{
	struct err err;

	sort->ext = extfields_new();
	sort->made = madefields_new(&opts->made, env, &opts->site, sort->ext);
	if (extfields_parse_list(sort->ext, opts->fields, 0, &sort->fields, &sort->field_count,
				 &err) != ST_OK) {
		tool_usage("invalid fields: %s", err.text);
	}
	if (sort->field_count == 0) {
		tool_usage("invalid fields: no field is named");
	}
	rowkey_init(&sort->key, sort->fields, sort->field_count);
	sort->sorter =
		recordsort_new(&sort->key, &(struct recordsort_plan){
						   .memory_bytes = opts->sort_buffer_size,
						   .temp_dir = bins_temp_dir(opts->temp_directory),
						   .reverse = opts->reverse,
						   .threads = threads_wanted(&opts->threads),
					   });
	header_init(&sort->entries);
}

static void close_output(struct sort *sort, int exit_status)
{
	struct err err;

	if (exit_status != TOOL_EXIT_OK) {
		recordout_leave_empty(sort->out);
	} else if (recordout_close(sort->out, &err) != ST_OK) {
		tool_die_err(&err);
	}
}

static void release(struct sort *sort)
{
	recordsort_free(sort->sorter);
	header_release(&sort->entries);
	g_free(sort->fields);
	extfields_free(sort->ext);
	madefields_free(sort->made);
	labelling_free(sort->labelling);
}

static int sort_run(struct tool_env *env, void *options, int argc, char **argv)
{
	struct sort_opts *opts = options;
	struct sort sort = { 0 };
	struct source *source;
	int exit_status;

	if (opts->help_fields) {
		format_help_fields(0);
		return TOOL_EXIT_OK;
	}
	if (!opts->fields) {
		tool_usage("--fields is needed");
	}
	if (opts->input_pipe && argc > 0) {
		tool_usage("may not give file names on the command line with --input-pipe");
	}
	if (opts->input_pipe) {
		argv = &opts->input_pipe;
		argc = 1;
	}
	opts->sink.one_thread = threads_wanted(&opts->threads) == 1;
	prepare(&sort, opts, env);
	sort.out = recordout_open(opts->output_path, &opts->sink);
	source = open_source(&sort, opts, env, argc, argv);
	exit_status = sort_source(&sort, source, opts, env);
	close_output(&sort, exit_status);
	release(&sort);
	return exit_status;
}

const struct tool tool = {
	.name = "rwsort",
	.summary = "sort records by a key of fields",
	.usage = "--fields=LIST [SWITCHES] [FILES]",
	.opts = sort_opt_table,
	.opts_size = sizeof(struct sort_opts),
	.opts_default = &sort_defaults,
	.run = sort_run,
};
