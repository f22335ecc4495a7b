/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwaggbagbuild: make an aggregate bag from text. */
#include "query/textfile.h"
#include "query/tool.h"

#include "query/aggsink.h"
#include "query/aggtext.h"
#include "query/aggvalue.h"
#include "query/bagsink.h"
#include "query/names.h"
#include "storage/byteline.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

#define LINE_BYTES_MAX 2047 /* with its newline; longer ones are passed over */

struct aggbuild_opts {
	char *fields;
	GPtrArray *constants; /* char *: "FIELD=VALUE" */
	char *separator;
	char *bad_lines;
	bool verbose;
	bool stop_on_error;
	bool no_titles;
	bool help_fields;
	struct bagsink_opts sink;
	struct outfile_opts out;
	struct opt_optstr xargs;
	struct site_opts site;
};

static const struct opt aggbuild_opt_table[] = {
	OPT_STR(struct aggbuild_opts, fields, "fields", 0, "LIST",
		"fields of the columns, in order, separated by commas", .flags = OPT_ONCE),
	OPT_STRS(struct aggbuild_opts, constants, "constant-field", 0, "FIELD=VALUE",
		 "give every row this value of this field; repeatable"),
	OPT_STR(struct aggbuild_opts, separator, "column-separator", 0, "CHAR",
		"this character stands between columns", .default_text = "|"),
	OPT_STR(struct aggbuild_opts, bad_lines, "bad-input-lines", 0, "FILE",
		"copy lines that cannot be understood to this file", .flags = OPT_ONCE),
	OPT_FLAG(struct aggbuild_opts, verbose, "verbose", 0, "tell what is wrong with a line"),
	OPT_FLAG(struct aggbuild_opts, stop_on_error, "stop-on-error", 0,
		 "stop at the first line that is wrong"),
	OPT_FLAG(struct aggbuild_opts, no_titles, "no-titles", 0,
		 "take the first line as values even when it looks like titles"),
	OPT_FLAG(struct aggbuild_opts, help_fields, "help-fields", 0,
		 "print names and meanings of fields, and exit"),
	OPT_GROUP(struct aggbuild_opts, sink, bagsink_opt_table),
	OPT_GROUP(struct aggbuild_opts, out, outfile_path_opt_table),
	OPT_OPTSTR(struct aggbuild_opts, xargs, "xargs", 0, "FILE",
		   "read the names of inputs from this file or standard input", .flags = OPT_ONCE),
	OPT_GROUP(struct aggbuild_opts, site, site_opt_table),
	OPT_END,
};

struct job {
	const struct aggbuild_opts *opts;
	struct aggtext *text;
	struct textfile *bad; /* NULL: none */
	uint64_t bad_count;
	const char *name; /* of the input */
	unsigned line;
};

/* --- lines --- */

/* Keep and tell of a line that is wrong. ST_OK when reading goes on. */
static int refuse_line(struct job *job, const char *line, struct err *err)
{
	job->bad_count++;
	if (job->bad) {
		fprintf(textfile_stream(job->bad), "%s:%u:%s\n", job->name, job->line, line);
	}
	if (job->opts->verbose || job->opts->stop_on_error) {
		err_prefix(err, "%s:%u", job->name, job->line);
	}
	if (job->opts->stop_on_error) {
		return ST_EINVAL;
	}
	if (job->opts->verbose) {
		tool_warn_err(err);
	}
	return ST_OK;
}

/* first: nothing but comments came before it in its file. */
static int take_line(struct job *job, const char *line, bool first, struct err *err)
{
	if (first && !job->opts->fields) {
		int status = aggtext_read_titles(job->text, line, err);

		return status == ST_OK ? status
				       : err_prefix(err,
						    "Unable to guess fields from first line of "
						    "file '%s'",
						    job->name);
	}
	if (first && !job->opts->no_titles && aggtext_is_titles(job->text, line)) {
		return ST_OK;
	}
	if (aggtext_add_row(job->text, line, err) != ST_OK) {
		return refuse_line(job, line, err);
	}
	return ST_OK;
}

static int read_lines(struct job *job, struct bytesource *src, struct err *err)
{
	GString *line = g_string_new(NULL);
	bool first = true;
	int status = ST_OK;

	for (job->line = 1; status == ST_OK; job->line++) {
		status = byteline_read(src, LINE_BYTES_MAX, line, err);
		if (status == ST_ELIMIT) {
			tool_warn("%s:%u: Input line too long. ignored", job->name, job->line);
			status = ST_OK;
		} else if (status == ST_OK) {
			line->str[strcspn(line->str, "#")] = '\0';
			if (line->str[strspn(line->str, " \t\r\v\f")]) {
				status = take_line(job, line->str, first, err);
				first = false;
			}
		}
	}
	g_string_free(line, TRUE);
	return status == ST_END ? ST_OK : status;
}

static int read_file(struct job *job, const char *name, struct err *err)
{
	struct bytesource *src = NULL;
	int status = bytesource_open(&src, name, err);

	job->name = name;
	if (status == ST_OK) {
		status = read_lines(job, src, err);
		bytesource_close(src);
	}
	return status;
}

/* --- the run --- */

static void add_constants(struct job *job)
{
	const GPtrArray *constants = job->opts->constants;
	struct err err;

	for (guint i = 0; constants && i < constants->len; i++) {
		const char *constant = g_ptr_array_index(constants, i);

		if (aggtext_add_constant(job->text, constant, &err) != ST_OK) {
			tool_usage("Invalid constant-field '%s': %s", constant, err.text);
		}
	}
}

static void set_up(struct job *job, struct tool_env *env)
{
	const struct aggbuild_opts *opts = job->opts;
	char separator = opts->separator ? opts->separator[0] : '|';
	struct err err;

	if (opts->no_titles && !opts->fields) {
		tool_usage("May only use --no-titles when --fields is specified");
	}
	job->text = aggtext_new(tool_site(env, &opts->site, false), separator);
	add_constants(job);
	if (opts->fields && aggtext_set_fields(job->text, opts->fields, &err) != ST_OK) {
		tool_die("Invalid fields: %s", err.text);
	}
}

static void open_bad_lines(struct job *job)
{
	const char *path = job->opts->bad_lines;

	job->bad = path ? textfile_open(path) : NULL;
}

/* A file without bad lines is taken away again. */
static void close_bad_lines(struct job *job)
{
	struct err err;
	int status = job->bad_count ? textfile_close(job->bad, &err)
				    : textfile_close_empty(job->bad, &err);

	if (status != ST_OK) {
		tool_warn("cannot write %s", err.text);
	}
}

static void tell_bad_lines(const struct job *job)
{
	const char *plural = job->bad_count == 1 ? "" : "s";

	if (!job->bad_count) {
		return;
	}
	if (job->opts->bad_lines) {
		tool_warn("Could not parse %" G_GUINT64_FORMAT
			  " line%s; invalid input written to '%s'",
			  job->bad_count, plural, job->opts->bad_lines);
	} else if (!job->opts->verbose) {
		tool_warn("Could not parse %" G_GUINT64_FORMAT
			  " line%s; try again with --stop-on-error or --verbose for details",
			  job->bad_count, plural);
	}
}

static int write_bag(const struct job *job, struct tool_env *env, struct outfile *out)
{
	const struct bagsink_opts *sink = &job->opts->sink;
	struct header own;
	int status;

	header_init(&own);
	if (!sink->invocation_strip) {
		header_add_invocation(&own, tool_argc(env), tool_argv(env));
	}
	sink_add_notes(&sink->sink, &own);
	status = aggsink_write(out, aggtext_bag(job->text), &sink->sink, NULL, &own);
	header_release(&own);
	return status;
}

static int read_all(struct job *job, struct names *names, struct err *err)
{
	const char *name;
	int status = ST_OK;

	while (status == ST_OK && (name = names_next(names))) {
		status = read_file(job, name, err);
	}
	if (status == ST_OK && !aggtext_started(job->text)) {
		status = err_set(err, ST_EINVAL,
				 "no input has a line of titles, and --fields is "
				 "not given");
	}
	return status;
}

static int aggbuild_run(struct tool_env *env, void *base, int argc, char **argv)
{
	struct job job = { .opts = base };
	struct names *names;
	struct outfile *out;
	struct err err;
	int status;

	if (job.opts->help_fields) {
		aggvalue_help(AGGFIELD_ANY);
		return TOOL_EXIT_OK;
	}
	set_up(&job, env);
	names = names_new(&job.opts->xargs, true, argc, argv);
	out = outfile_open(&job.opts->out);
	open_bad_lines(&job);
	status = read_all(&job, names, &err);
	close_bad_lines(&job);
	if (status != ST_OK) {
		tool_warn_err(&err);
		outfile_leave_empty(out);
		status = TOOL_EXIT_ERROR;
	} else {
		tell_bad_lines(&job);
		status = write_bag(&job, env, out);
	}
	if (!names_free(names)) {
		status = TOOL_EXIT_ERROR;
	}
	aggtext_free(job.text);
	return status;
}

const struct tool tool = {
	.name = "rwaggbagbuild",
	.summary = "Make an aggregate bag from text",
	.usage = "[SWITCHES] [TEXT_FILES]",
	.opts = aggbuild_opt_table,
	.opts_size = sizeof(struct aggbuild_opts),
	.run = aggbuild_run,
};
