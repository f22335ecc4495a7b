/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwtuc: text to flow records. */
#include "query/textfile.h"
#include "query/tool.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "query/destination.h"
#include "query/names.h"
#include "query/outfile.h"
#include "query/sink.h"
#include "query/threads.h"
#include "query/tuc.h"
#include "query/tuccrew.h"
#include "query/tuclines.h"
#include "storage/byteline.h"

struct rwtuc_opts {
	char *fields;
	char *column_separator;
	char *output_path;
	char *bad_input_lines;
	bool verbose;
	bool stop_on_error;
	bool no_titles;
	struct sink_opts sink;
	struct threads_opts threads;
	struct site_opts site;
	struct opt_optstr xargs;
	char *fixed[TUC_FIELD_COUNT];
	char *fixed_msec[TUC_FIELD_COUNT]; /* by the +msec forms */
};

#define FIXED(field, name, arg)                                                                    \
	OPT_STR(struct rwtuc_opts, fixed[field], name, 0, arg,                                     \
		"give every record this value, whatever its line says")
#define FIXED_MSEC(field, name, arg)                                                               \
	OPT_STR(struct rwtuc_opts, fixed_msec[field], name, 0, arg,                                \
		"give every record this value unless its line has one", .flags = OPT_HIDDEN)

static const struct opt rwtuc_opt_table[] = {
	OPT_STR(struct rwtuc_opts, fields, "fields", 0, "LIST",
		"columns of the input: names, numbers and ranges of numbers", .flags = OPT_ONCE),
	OPT_STR(struct rwtuc_opts, column_separator, "column-separator", 0, "CHAR",
		"character between columns", .default_text = "|"),
	OPT_STR(struct rwtuc_opts, output_path, "output-path", 0, "PATH",
		"write the records to this file or pipe instead of standard output",
		.flags = OPT_ONCE),
	OPT_STR(struct rwtuc_opts, bad_input_lines, "bad-input-lines", 0, "PATH",
		"write lines that cannot be parsed to this file, with their file and number",
		.flags = OPT_ONCE),
	OPT_FLAG(struct rwtuc_opts, verbose, "verbose", 0, "report lines that cannot be parsed"),
	OPT_FLAG(struct rwtuc_opts, stop_on_error, "stop-on-error", 0,
		 "report the first line that cannot be parsed and stop"),
	OPT_FLAG(struct rwtuc_opts, no_titles, "no-titles", 0,
		 "take the first line as values; needs --fields"),
	OPT_GROUP(struct rwtuc_opts, sink, sink_opt_table),
	OPT_GROUP(struct rwtuc_opts, threads, threads_opt_table),
	OPT_GROUP(struct rwtuc_opts, site, site_opt_table),
	OPT_OPTSTR(struct rwtuc_opts, xargs, "xargs", 0, "FILE",
		   "read the names of input files from this file, or from standard input",
		   .flags = OPT_ONCE),
	FIXED(TUC_SIP, "saddress", "ADDRESS"),
	FIXED(TUC_DIP, "daddress", "ADDRESS"),
	FIXED(TUC_SPORT, "sport", "PORT"),
	FIXED(TUC_DPORT, "dport", "PORT"),
	FIXED(TUC_PROTOCOL, "protocol", "NUMBER"),
	FIXED(TUC_PACKETS, "packets", "COUNT"),
	FIXED(TUC_BYTES, "bytes", "COUNT"),
	FIXED(TUC_FLAGS, "flags-all", "FLAGS"),
	FIXED(TUC_STIME, "stime", "TIME"),
	FIXED(TUC_DURATION, "duration", "SECONDS"),
	FIXED(TUC_ETIME, "etime", "TIME"),
	FIXED(TUC_SENSOR, "sensor", "SENSOR"),
	FIXED(TUC_IN, "input-index", "INDEX"),
	FIXED(TUC_OUT, "output-index", "INDEX"),
	FIXED(TUC_NHIP, "next-hop-ip", "ADDRESS"),
	FIXED(TUC_INITIAL_FLAGS, "flags-initial", "FLAGS"),
	FIXED(TUC_SESSION_FLAGS, "flags-session", "FLAGS"),
	FIXED(TUC_ATTRIBUTES, "attributes", "LETTERS"),
	FIXED(TUC_APPLICATION, "application", "LABEL"),
	FIXED(TUC_CLASS, "class", "NAME"),
	FIXED(TUC_TYPE, "type", "NAME"),
	FIXED_MSEC(TUC_STIME, "stime+msec", "TIME"),
	FIXED_MSEC(TUC_ETIME, "etime+msec", "TIME"),
	FIXED_MSEC(TUC_DURATION, "duration+msec", "SECONDS"),
	FIXED(TUC_ICMP_TYPE, "icmp-type", "NUMBER"),
	FIXED(TUC_ICMP_CODE, "icmp-code", "NUMBER"),
	OPT_END,
};

struct rwtuc {
	const struct rwtuc_opts *opts;
	struct tuc *tuc;
	struct stream *out;
	struct batch *batch;  /* records not yet written */
	struct textfile *bad; /* NULL: none */
	uint64_t bad_count;
	char *line;       /* BYTESOURCE_VIEW_MAX and TUCLINES_SLACK */
	const char *name; /* of the input */
	bool failed;
};

static struct textfile *open_bad(const struct rwtuc_opts *opts)
{
	const char *path = opts->bad_input_lines;

	if (path && tool_is_stdout(path) &&
	    (!opts->output_path || tool_is_stdout(opts->output_path))) {
		tool_die("Cannot use same stream for bad input and records");
	}
	return path ? textfile_open(path) : NULL;
}

/* Without a bad line there is no file of bad lines; a device or pipe stays. */
static void close_bad(struct rwtuc *run)
{
	struct err err;
	int status = run->bad_count == 0 ? textfile_close_empty(run->bad, &err)
					 : textfile_close(run->bad, &err);

	if (status != ST_OK) {
		tool_warn("cannot write %s", err.text);
		run->failed = true;
	}
}

static char parse_separator(const struct rwtuc_opts *opts)
{
	const char *text = opts->column_separator;

	if (!text) {
		return '|';
	}
	if (!*text) {
		tool_usage("Invalid column-separator: May not be the end-of-string character");
	}
	if (*text == '\n') {
		tool_usage("Invalid column-separator: May not be a newline");
	}
	return *text;
}

/* Before the output is open: an empty file is there nevertheless, as in SiLK. */
static _Noreturn void give_up(const struct rwtuc_opts *opts, const struct err *err)
{
	outfile_leave_name(opts->output_path);
	tool_die_err(err);
}

static void set_up_parser(struct rwtuc *run)
{
	const struct rwtuc_opts *opts = run->opts;
	struct err err;
	int st;

	for (unsigned i = 0; i < TUC_FIELD_COUNT; i++) {
		bool msec = !opts->fixed[i];
		const char *text = msec ? opts->fixed_msec[i] : opts->fixed[i];

		if (text && tuc_fix(run->tuc, (enum tuc_field)i, msec, text, &err) != ST_OK) {
			give_up(opts, &err);
		}
	}
	if (tuc_check_fixed(run->tuc, &err) != ST_OK) {
		give_up(opts, &err);
	}
	if (opts->fields) {
		st = tuc_set_columns(run->tuc, opts->fields, &err);
		if (st == ST_ENOENT) {
			give_up(opts, &err);
		} else if (st != ST_OK) {
			tool_usage("Invalid fields: %s", err.text);
		}
	} else if (opts->no_titles) {
		tool_usage("May only use --no-titles when --fields is specified");
	}
}

static struct stream *open_output(struct tool_env *env, const struct rwtuc_opts *opts)
{
	const char *path = opts->output_path ? opts->output_path : "-";
	struct stream *out = NULL;
	struct header entries;
	struct stream_write_opts write = { .entries = &entries };
	struct err err;

	header_init(&entries);
	sink_add_notes(&opts->sink, &entries);
	header_add_invocation(&entries, tool_argc(env), tool_argv(env));
	sink_write_opts(&opts->sink, &write);
	if (stream_create(&out, path, &write, &err) != ST_OK) {
		tool_die_err(&err);
	}
	header_release(&entries);
	return out;
}

/* false: stop here. */
static bool bad_line(struct rwtuc *run, const char *name, uint64_t number, const char *bytes,
		     size_t len, const char *why)
{
	run->bad_count++;
	if (run->bad) {
		fprintf(textfile_stream(run->bad), "%s:%llu:%.*s\n", name,
			(unsigned long long)number, (int)len, bytes);
	}
	if (run->opts->verbose || run->opts->stop_on_error) {
		tool_warn("%s:%llu:%s", name, (unsigned long long)number, why);
	}
	run->failed |= run->opts->stop_on_error;
	return !run->opts->stop_on_error;
}

/* The first line of a file: titles, which may also tell the columns. *was_title: not a record. */
static bool take_first_line(struct rwtuc *run, const char *name, bool *was_title)
{
	struct err err;
	int st;

	*was_title = true;
	if (run->opts->no_titles) {
		*was_title = false;
		return true;
	}
	if (run->opts->fields) {
		*was_title = tuc_is_title(run->tuc, run->line);
		return true;
	}
	st = tuc_read_titles(run->tuc, run->line, &err);
	if (st == ST_OK) {
		return true;
	}
	if (st != ST_ENOENT) {
		err_prefix(&err, "Unable to determine fields from first line of stream '%s'", name);
	}
	tool_warn_err(&err);
	run->failed = true;
	return false;
}

static void write_batch(struct rwtuc *run)
{
	struct err err;

	if (run->batch->rows > 0 && stream_write_batch(run->out, run->batch, NULL, &err) != ST_OK) {
		tool_die_err(&err);
	}
	batch_clear(run->batch, COLUMNS_ALL);
}

static void add_record(struct rwtuc *run, const struct record *rec)
{
	batch_append(run->batch, rec);
	if (run->batch->rows == BATCH_ROWS) {
		write_batch(run);
	}
}

/* What came before them is written first. */
static void take_rows(void *arg, const uint8_t *rows, size_t count)
{
	struct rwtuc *run = arg;
	struct err err;

	write_batch(run);
	if (stream_write_encoded_rows(run->out, rows, count, &err) != ST_OK) {
		tool_die_err(&err);
	}
}

static bool take_bad_line(void *arg, const struct tuccrew_bad *bad)
{
	struct rwtuc *run = arg;

	return bad_line(run, run->name, bad->number, bad->bytes, bad->len, bad->why);
}

/* The first line, of len bytes without its newline; false: stop. */
static bool take_line(struct rwtuc *run, uint64_t number, const char *bytes, size_t len)
{
	struct tuclines *lines;
	bool was_title;
	struct tuc_line line;
	struct err err;
	int st;

	memcpy(run->line, bytes, len);
	run->line[len] = '\0';
	if (!take_first_line(run, run->name, &was_title)) {
		return false;
	}
	if (was_title) {
		return true;
	}
	lines = tuclines_new(run->tuc);
	tuclines_begin(lines, run->line, len);
	st = tuclines_next(lines, tuc_wants_now(run->tuc) ? clock_now_ns(CLOCK_REALTIME) : 0, &line,
			   &err);
	tuclines_free(lines);
	if (st != ST_OK) {
		return bad_line(run, run->name, number, bytes, len, err.text);
	}
	add_record(run, &line.rec);
	return true;
}

/* The first line that is not empty; *number: of lines read. ST_OK: the rest may follow. */
static int take_beginning(struct rwtuc *run, struct bytesource *src, uint64_t *number, bool *go_on,
			  struct err *err)
{
	GString *line = g_string_new(NULL);
	int st;

	do {
		st = byteline_read(src, BYTESOURCE_VIEW_MAX, line, err);
		++*number;
	} while (st == ST_OK && tuclines_is_empty(line->str, line->len));
	if (st == ST_OK) {
		*go_on = take_line(run, *number, line->str, line->len);
	}
	g_string_free(line, TRUE);
	return st;
}

/* Read one input to its end; false: stop. */
static bool take_input(struct rwtuc *run, const char *name)
{
	const struct tuccrew crew = {
		.tuc = run->tuc,
		.format = destination_format(),
		.threads = threads_wanted(&run->opts->threads),
		.arg = run,
		.rows = take_rows,
		.bad = take_bad_line,
	};
	struct bytesource *src = NULL;
	struct err err;
	uint64_t number = 0;
	bool go_on = true;
	int st = bytesource_open(&src, name, &err);

	run->name = name;
	if (st == ST_OK) {
		st = take_beginning(run, src, &number, &go_on, &err);
	}
	if (st == ST_OK && go_on) {
		st = tuccrew_run(&crew, src, number, &err);
		go_on = st != ST_OK;
	}
	if (st != ST_OK && st != ST_END) {
		tool_warn_err(&err);
	}
	if (!src || (st != ST_OK && st != ST_END && st != ST_EIO)) {
		run->failed = true;
		go_on = false;
	}
	bytesource_close(src);
	return go_on;
}

/* After a failure before the first record nothing is written, not even a header. */
static void close_output(struct rwtuc *run)
{
	struct err err;

	write_batch(run);
	batch_free(run->batch);
	if (run->failed && stream_records(run->out) == 0) {
		return;
	}
	if (stream_close(run->out, &err) != ST_OK) {
		tool_warn_err(&err);
		run->failed = true;
	}
}

static void tell_bad_count(const struct rwtuc *run)
{
	const unsigned long long count = run->bad_count;
	const char *lines = count == 1 ? "line" : "lines";

	if (run->opts->bad_input_lines) {
		tool_warn("Could not parse %llu %s, which went to '%s'", count, lines,
			  run->opts->bad_input_lines);
	} else {
		tool_warn("Could not parse %llu %s; try again with --stop-on-error or --verbose "
			  "for details",
			  count, lines);
	}
}

static int rwtuc_run(struct tool_env *env, void *base, int argc, char **argv)
{
	struct rwtuc_opts *opts = base;
	struct rwtuc run = { .opts = opts };
	struct names *names;
	const char *name;

	run.tuc = tuc_new(tool_site(env, &run.opts->site, false), parse_separator(opts));
	set_up_parser(&run);
	names = names_new(&run.opts->xargs, true, argc, argv);
	run.bad = open_bad(opts);
	opts->sink.one_thread = threads_wanted(&opts->threads) == 1;
	run.out = open_output(env, opts);
	run.line = g_malloc(BYTESOURCE_VIEW_MAX + TUCLINES_SLACK);
	run.batch = batch_new();
	batch_clear(run.batch, COLUMNS_ALL);
	do {
		name = names_next(names);
	} while (name && take_input(&run, name));
	close_output(&run);
	close_bad(&run);
	if (run.bad_count > 0 && !run.opts->verbose && !run.opts->stop_on_error) {
		tell_bad_count(&run);
	}
	run.failed |= !names_free(names);
	tuc_free(run.tuc);
	g_free(run.line);
	return run.failed ? TOOL_EXIT_ERROR : TOOL_EXIT_OK;
}

const struct tool tool = {
	.name = "rwtuc",
	.summary = "turn text into flow records",
	.usage = "[SWITCHES] [FILES]",
	.opts = rwtuc_opt_table,
	.opts_size = sizeof(struct rwtuc_opts),
	.run = rwtuc_run,
};
