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

static int read_all(struct sort *sort, const struct sort_opts *opts, struct tool_env *env, int argc,
		    char **argv)
{
	struct source *source = source_new(env, &opts->source, argc, argv);

	sort->labelling = labelling_new(sort->ext, env, &opts->site);
	source_set_site(source, tool_site(env, &opts->site, false));
	source_on_open(source, copy_entries, sort);
	recordread_run(&(struct recordread){
		.source = source,
		.sort = sort->sorter,
		.threads = threads_wanted(&opts->threads),
		.arg = sort,
		.want = want_elements,
	});
	return source_close(source);
}

static int write_records(void *arg, const uint8_t *encoded, size_t count, struct err *err)
{
	return stream_write_encoded_rows(arg, encoded, count, err);
}

static void write_file(struct sort *sort, struct recordout *out, struct tool_env *env)
{
	struct err err;

	recordout_begin(out, env, &sort->entries);
	if (recordsort_drain_encoded(sort->sorter, write_records, recordout_stream(out), &err) !=
		    ST_OK ||
	    recordout_close(out, &err) != ST_OK) {
		tool_die_err(&err);
	}
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
	struct recordout *out;
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
	out = recordout_open(opts->output_path, &opts->sink);
	exit_status = read_all(&sort, opts, env, argc, argv);
	if (exit_status == TOOL_EXIT_OK) {
		write_file(&sort, out, env);
	} else {
		recordout_leave_empty(out);
	}
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
