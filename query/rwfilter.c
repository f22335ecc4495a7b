/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwfilter: choose flow records, from the repository or from files. */
#include "query/textfile.h"
#include "query/tool.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/processors.h"
#include "common/text.h"
#include "common/timestamp.h"
#include "query/filterreport.h"
#include "query/labelling.h"
#include "query/logstats.h"
#include "query/madefields.h"
#include "query/maptest.h"
#include "query/names.h"
#include "query/scanprogress.h"
#include "query/selection.h"
#include "query/sink.h"
#include "query/tuple.h"
#include "query/where.h"

#define THREADS_MAX       1024
#define PROGRESS_DELAY_NS (2 * NS_PER_S)

/* Beside enum flowfield_plugin. */
#define PLUGIN_MISMATCH (1u << 16)

struct rwfilter_opts {
	GPtrArray *destinations[FILTER_WAYS];
	struct opt_optstr statistics;
	struct opt_optstr volume_statistics;
	uint64_t limits[FILTER_WAYS]; /* of pass and fail; 0: none */
	bool dry_run;
	bool print_filenames;
	uint64_t threads;  /* 0: not given */
	int file_format;   /* of the destinations */
	int output_format; /* of the statistics */
	char *input_pipe;
	struct opt_optstr xargs;
	struct sink_opts sink;
	struct selection_opts selection;
	struct predicate_opts predicates;
	struct tuple_opts tuples;
	struct maptest_opts maps;
	GPtrArray *where; /* expressions; NULL: none */
	unsigned plugins;
	bool app_mismatch;
	bool conficker[CONFICKER_ANY + 1]; /* by ends */
	struct conficker_seed conficker_seed;
	uint64_t zero_duration_us; /* 0: not given */
	bool explain;
	bool progress;
	bool no_progress;
	bool no_catalog;
	bool no_loss_warning;
};

/* app-mismatch.so tests by being there. */
static int parse_plugin(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	int st = madefields_parse_plugin(text, dest, err);

	if (st == ST_OK && g_str_has_suffix(text, "app-mismatch.so")) {
		*(unsigned *)dest |= PLUGIN_MISMATCH;
	}
	return st;
}

static const char *const file_formats[] = { "silk", "block", NULL };
enum { FILE_FORMAT_SILK, FILE_FORMAT_BLOCK };

static const struct opt rwfilter_opt_table[] = {
	OPT_FLAG(struct rwfilter_opts, dry_run, "dry-run", 0,
		 "check the switches and print the names of the input files, but read no record"),
	OPT_U64(struct rwfilter_opts, threads, "threads", 0, "N", 1, THREADS_MAX,
		"read files with this many threads", .default_text = "processors"),
	OPT_U64(struct rwfilter_opts, limits[FILTER_PASS], "max-pass-records", 0, "N", 0,
		UINT64_MAX, "write no more than this many records that pass"),
	OPT_U64(struct rwfilter_opts, limits[FILTER_FAIL], "max-fail-records", 0, "N", 0,
		UINT64_MAX, "write no more than this many records that fail"),
	OPT_FLAG(struct rwfilter_opts, print_filenames, "print-filenames", 0,
		 "print the name of each input file when it is read"),
	OPT_CALL(struct rwfilter_opts, plugins, "plugin", 0, "FILE", parse_plugin, 0,
		 "accepted for SiLK's plug-ins, whose switches are built in; may be repeated"),
	OPT_CHOICE(struct rwfilter_opts, file_format, "file-format", 0, "KIND", file_formats,
		   "write records so: silk, or block, which keeps extension columns",
		   .default_text = "silk", .flags = OPT_ADDED),
	OPT_GROUP(struct rwfilter_opts, sink, sink_opt_table),
	OPT_STR(struct rwfilter_opts, input_pipe, "input-pipe", 0, "PATH",
		"read records from this named pipe or from standard input", .flags = OPT_ONCE),
	OPT_OPTSTR(struct rwfilter_opts, xargs, "xargs", 0, "FILE",
		   "read the names of input files from this file, or from standard input",
		   .flags = OPT_ONCE),
	OPT_STRS(struct rwfilter_opts, destinations[FILTER_PASS], "pass-destination", 0, "PATH",
		 "write records that pass all tests here; may be repeated"),
	OPT_STRS(struct rwfilter_opts, destinations[FILTER_FAIL], "fail-destination", 0, "PATH",
		 "write records that fail a test here; may be repeated"),
	OPT_STRS(struct rwfilter_opts, destinations[FILTER_ALL], "all-destination", 0, "PATH",
		 "write all records here; may be repeated"),
	OPT_OPTSTR(struct rwfilter_opts, statistics, "print-statistics", 0, "PATH",
		   "print how many records were read, passed and failed", .flags = OPT_ONCE),
	OPT_OPTSTR(struct rwfilter_opts, volume_statistics, "print-volume-statistics", 0, "PATH",
		   "print how many records, packets and bytes were read, passed and failed",
		   .flags = OPT_ONCE),
	TEXT_DATA_FORMAT_ROW(struct rwfilter_opts, "print statistics so"),
	OPT_FLAG(struct rwfilter_opts, explain, "explain", 0,
		 "print what was read, and what was not and why", .flags = OPT_ADDED),
	OPT_FLAG(struct rwfilter_opts, progress, "progress", 0,
		 "show how far the scan is, also when standard error is no terminal",
		 .flags = OPT_ADDED),
	OPT_FLAG(struct rwfilter_opts, no_progress, "no-progress", 0,
		 "do not show how far the scan is", .flags = OPT_ADDED),
	OPT_FLAG(struct rwfilter_opts, no_catalog, "no-catalog", 0,
		 "ask the files themselves and not the catalog of the repository",
		 .flags = OPT_ADDED),
	OPT_FLAG(struct rwfilter_opts, no_loss_warning, "no-loss-warning", 0,
		 "do not tell when records are known to be missing from the hours that are read",
		 .flags = OPT_ADDED),
	OPT_GROUP(struct rwfilter_opts, selection, selection_opt_table),
	OPT_GROUP(struct rwfilter_opts, predicates, predicate_opt_table),
	OPT_GROUP(struct rwfilter_opts, tuples, tuple_opt_table),
	OPT_GROUP(struct rwfilter_opts, maps, maptest_opt_table),
	OPT_STRS(struct rwfilter_opts, where, "where", 0, "EXPR",
		 "pass flows for which this expression over the fields is true; may be repeated",
		 .flags = OPT_ADDED),
	OPT_FLAG(struct rwfilter_opts, app_mismatch, "app-mismatch", 0,
		 "pass TCP and UDP flows whose application is known and neither of the ports",
		 .flags = OPT_ADDED),
	OPT_U64(struct rwfilter_opts, zero_duration_us, "flowrate-zero-duration", 0, "MICROSECONDS",
		1, UINT32_MAX, "take this as the duration of 0 in rates", .default_text = "400",
		.flags = OPT_ADDED),
	OPT_FLAG(struct rwfilter_opts, conficker[CONFICKER_SOURCE], "s-conficker", 0,
		 "pass flows whose source is where Conficker.C looks for itself",
		 .flags = OPT_ADDED),
	OPT_FLAG(struct rwfilter_opts, conficker[CONFICKER_DESTINATION], "d-conficker", 0,
		 "pass flows whose destination is where Conficker.C looks for itself",
		 .flags = OPT_ADDED),
	OPT_FLAG(struct rwfilter_opts, conficker[CONFICKER_ANY], "a-conficker", 0,
		 "pass flows one of whose ends is where Conficker.C looks for itself",
		 .flags = OPT_ADDED),
	OPT_GROUP(struct rwfilter_opts, conficker_seed, conficker_opt_table),
	{ .kind = OPT_KIND_GROUP, .group = madefield_python_opt_table },
	OPT_END,
};

static const char *const way_names[FILTER_WAYS] = {
	[FILTER_PASS] = "pass-destination",
	[FILTER_FAIL] = "fail-destination",
	[FILTER_ALL] = "all-destination",
};

/* Where the records come from. */
enum input { INPUT_NONE, INPUT_FILES, INPUT_REPOSITORY };

struct rwfilter {
	struct tool_env *env;
	struct rwfilter_opts *opts;
	struct filter filter;
	struct filter_stats stats;
	struct selection *selection; /* NULL: the files are named */
	struct names *names;
	struct extfields *ext; /* of expressions; NULL: there are none */
	struct labelling *labelling;
	struct madefields *made;
	struct scanprogress progress;
	struct textfile *statistics; /* NULL: none */
	int64_t start_s;             /* since the epoch */
	int exit_status;
	bool copy_entries; /* the first input's entries are still wanted */
};

static enum input find_input(const struct rwfilter_opts *opts, int argc)
{
	int repository = selection_reads_repository(&opts->selection, true);
	int others = (opts->input_pipe != NULL) + opts->xargs.given + (argc > 0);

	if (others == 0 && selection_reads_repository(&opts->selection, false)) {
		return INPUT_REPOSITORY;
	}
	if (repository + others > 1) {
		tool_usage("Multiple input sources were specified: input must come from only one "
			   "of --input-pipe, --xargs, file names on the command line, or the file "
			   "selection switches");
	}
	return others == 1 ? INPUT_FILES : INPUT_NONE;
}

static void check_input_pipe(const char *path)
{
	struct stat st;

	if (!path || tool_is_stdout(path) || strcmp(path, "stdin") == 0) {
		return;
	}
	if (stat(path, &st) != 0) {
		tool_die("Invalid input-pipe '%s': %s", path, strerror(errno));
	}
	if (!S_ISFIFO(st.st_mode)) {
		tool_die("Invalid input-pipe '%s': File is not named pipe", path);
	}
}

static void check_outputs(const struct rwfilter_opts *opts)
{
	bool statistics = opts->statistics.given || opts->volume_statistics.given;
	bool tests = predicates_count(opts->predicates.tests) > 0;

	if (opts->statistics.given && opts->volume_statistics.given) {
		tool_usage("May only specify one of --print-statistics or "
			   "--print-volume-statistics");
	}
	for (unsigned way = 0; way < FILTER_WAYS; way++) {
		if (way != FILTER_ALL && opts->destinations[way] && !tests) {
			tool_usage("Must specify partitioning rules when using --%s",
				   way_names[way]);
		}
		statistics |= opts->destinations[way] != NULL;
	}
	if (!statistics) {
		tool_usage("No output(s) specified");
	}
	if (!tests && !opts->destinations[FILTER_ALL]) {
		tool_usage("Must specify partitioning rules when using --print-%sstatistics "
			   "without --all-destination",
			   opts->volume_statistics.given ? "volume-" : "");
	}
}

static void add_tuples(struct rwfilter_opts *opts)
{
	struct tuples *tuples = NULL;
	struct err err;

	if (!opts->tuples.path) {
		return;
	}
	if (tuples_read(&tuples, &opts->tuples, &err) != ST_OK) {
		tool_die_err(&err);
	}
	predicates_add_tuples(&opts->predicates.tests, tuples);
}

/* Every expression must hold. */
static void add_where(struct rwfilter *run)
{
	struct rwfilter_opts *opts = run->opts;
	const struct madefield_opts made = {
		.pmap_files = (GPtrArray *)(uintptr_t)maptest_files(&opts->maps),
		.zero_duration_us = opts->zero_duration_us,
	};
	struct where_scope scope = { 0 };
	struct err err;

	if (!opts->where) {
		return;
	}
	run->ext = extfields_new();
	run->made = madefields_new(&made, run->env, &opts->selection.site, run->ext);
	scope.ext = run->ext;
	scope.site = tool_site(run->env, &opts->selection.site, false);
	for (guint i = 0; i < opts->where->len; i++) {
		if (where_compile(&opts->predicates.tests, g_ptr_array_index(opts->where, i),
				  &scope, &err) != ST_OK) {
			tool_die("Invalid where: %s", err.text);
		}
	}
	run->labelling = labelling_new(run->ext, run->env, &opts->selection.site);
}

/* Tests that are more than one switch. */
static void add_tests(struct rwfilter *run)
{
	struct rwfilter_opts *opts = run->opts;

	add_tuples(opts);
	add_where(run);
	maptest_add(&opts->maps, &opts->predicates.tests);
	if (opts->app_mismatch || opts->plugins & PLUGIN_MISMATCH) {
		predicates_add_mismatch(&opts->predicates.tests);
	}
	for (unsigned ends = 0; ends < G_N_ELEMENTS(opts->conficker); ends++) {
		if (opts->conficker[ends]) {
			predicates_add_conficker(&opts->predicates.tests, ends,
						 &opts->conficker_seed);
		}
	}
	if (opts->zero_duration_us) {
		predicates_set_zero_ns(opts->predicates.tests,
				       opts->zero_duration_us * (uint64_t)NS_PER_US);
	}
}

/* Standard output takes one stream. */
static void claim_stdout(bool *taken, const char *name, const char *path)
{
	if (!tool_is_stdout(path)) {
		return;
	}
	if (*taken) {
		tool_die("Invalid %s '%s': The standard output is already allocated", name, path);
	}
	*taken = true;
}

static int open_destination(struct rwfilter *run, unsigned way, const char *path,
			    const struct stream_write_opts *write, struct err *err)
{
	struct destination *destination = run->filter.destinations[way];

	return run->opts->file_format == FILE_FORMAT_BLOCK
		       ? destination_add_blocks(destination, path, write, err)
		       : destination_add(destination, path, write, err);
}

static void open_destinations(struct rwfilter *run, bool *stdout_taken)
{
	struct stream_write_opts write = { 0 };
	struct err err;

	sink_write_opts(&run->opts->sink, &write);
	write.crew = false; /* destinations have the scan's threads */
	for (unsigned way = 0; way < FILTER_WAYS; way++) {
		const GPtrArray *paths = run->opts->destinations[way];

		if (!paths) {
			continue;
		}
		run->filter.destinations[way] = destination_new(run->opts->limits[way]);
		for (guint i = 0; i < paths->len; i++) {
			const char *path = g_ptr_array_index(paths, i);

			claim_stdout(stdout_taken, way_names[way], path);
			if (strcmp(path, "stderr") == 0) {
				tool_die("Invalid %s '%s': Will not write binary data to the "
					 "standard error",
					 way_names[way], path);
			}
			if (open_destination(run, way, path, &write, &err) != ST_OK) {
				tool_die_err(&err);
			}
		}
	}
}

static void open_statistics(struct rwfilter *run, bool *stdout_taken)
{
	bool volume = run->opts->volume_statistics.given;
	const char *name = volume ? "print-volume-statistics" : "print-statistics";
	const char *path = volume ? run->opts->volume_statistics.text : run->opts->statistics.text;

	run->filter.count_volumes = volume;
	if (!volume && !run->opts->statistics.given) {
		return;
	}
	path = path ? path : "stderr";
	if (strcmp(path, "stderr") != 0) {
		claim_stdout(stdout_taken, name, path);
	}
	run->statistics = textfile_open(path);
}

/*
 * The history of the output: what the first input says of itself, this command line, the notes.
 * Called with the first input's header, or with NULL when there is no such header.
 */
static void write_entries(struct rwfilter *run, const struct header *first)
{
	struct header entries;

	run->copy_entries = false;
	header_init(&entries);
	if (first) {
		header_copy_entries(&entries, first, ENTRY_INVOCATION);
		header_copy_entries(&entries, first, ENTRY_ANNOTATION);
	}
	header_add_invocation(&entries, tool_argc(run->env), tool_argv(run->env));
	sink_add_notes(&run->opts->sink, &entries);
	for (unsigned way = 0; way < FILTER_WAYS; way++) {
		if (run->filter.destinations[way]) {
			destination_add_entries(run->filter.destinations[way], &entries);
		}
	}
	header_release(&entries);
}

static bool on_open(void *arg, const struct header *header)
{
	struct rwfilter *run = arg;

	if (run->copy_entries) {
		write_entries(run, header);
	}
	return false;
}

/* What the user asks for; 0: nothing was asked. */
static unsigned asked_threads(const struct rwfilter_opts *opts)
{
	const char *text = tool_getenv("SILK_RWFILTER_THREADS");
	uint64_t threads = opts->threads;

	if (threads == 0 && text && number_parse(text, 1, THREADS_MAX, &threads, NULL) != ST_OK) {
		threads = 0;
	}
	return (unsigned)threads;
}

static void on_file(void *arg, const char *path, bool missing)
{
	const struct rwfilter *run = arg;

	if (missing) {
		fprintf(stderr, "Missing %s\n", path);
	} else if (run->opts->print_filenames) {
		fprintf(stderr, "%s\n", path);
	}
}

/*
 * A file that cannot be read does not end the tool, and as in SiLK nor does the exit status tell;
 * but of a block file what is damaged is passed over, and that must not go unseen.
 */
static void on_error(void *arg, const struct err *err, bool ours)
{
	struct rwfilter *run = arg;

	tool_warn_err(err);
	if (ours) {
		run->exit_status = TOOL_EXIT_ERROR;
	}
}

static void on_progress(void *arg, uint64_t place, uint64_t records)
{
	struct rwfilter *run = arg;

	scanprogress_show(&run->progress, clock_now_ns(CLOCK_MONOTONIC), place,
			  scanlist_names(run->filter.list), records);
}

static void start_progress(struct rwfilter *run)
{
	const struct rwfilter_opts *opts = run->opts;

	if (opts->no_progress || (!opts->progress && !isatty(STDERR_FILENO))) {
		return;
	}
	run->progress.out = stderr;
	run->progress.start_ns = clock_now_ns(CLOCK_MONOTONIC);
	run->progress.delay_ns = opts->progress ? 0 : PROGRESS_DELAY_NS;
	run->filter.on_progress = on_progress;
}

static void read_nothing(struct rwfilter *run)
{
	const struct scan_plan plan = { .columns = COLUMNS_ALL, .wants_all = true };
	struct scanlist_step step;

	while (scanlist_next(run->filter.list, &plan, &step)) {
		if (step.missing) {
			on_file(run, step.path, true);
		} else {
			printf("%s\n", step.path);
		}
	}
}

static void read_all(struct rwfilter *run)
{
	struct err err;
	int st;

	start_progress(run);
	st = filter_run(&run->filter, &run->stats, &err);
	scanprogress_end(&run->progress);
	if (st == ST_EPIPE) {
		exit(TOOL_EXIT_ERROR); /* nobody is there to be told */
	}
	if (st != ST_OK) {
		tool_die_err(&err);
	}
}

/* A list of names that cannot be read is like a file that cannot be read: told, and left out. */
static bool has_readable_names(const struct rwfilter_opts *opts)
{
	const char *path = opts->xargs.text;

	if (path && !tool_is_stdout(path) && strcmp(path, "stdin") != 0 &&
	    access(path, R_OK) != 0) {
		tool_warn("unable to open xargs file '%s': %s", path, strerror(errno));
		return false;
	}
	return true;
}

static void warn_of_losses(const struct rwfilter *run)
{
	char *losses = run->selection && !run->opts->no_loss_warning
			       ? selection_losses(run->selection)
			       : NULL;

	if (losses) {
		tool_warn("%s", losses);
		g_free(losses);
	}
}

static struct names *find_names(const struct rwfilter_opts *opts, int argc, char **argv)
{
	if (!has_readable_names(opts)) {
		return NULL;
	}
	return opts->input_pipe ? names_new(NULL, false, 1, (char **)&opts->input_pipe)
				: names_new(&opts->xargs, false, argc, argv);
}

/* false: they could not be written, which is told. */
static bool print_statistics(const struct rwfilter *run)
{
	FILE *out = textfile_stream(run->statistics);
	const int format = run->opts->output_format;
	struct err err;
	int status = ST_OK;

	if (format > 0) {
		status = filter_print_data(out, format, &run->filter, &run->stats, &err);
	} else {
		filter_print_statistics(out, &run->filter, &run->stats);
	}
	if (status == ST_OK) {
		status = textfile_close(run->statistics, &err);
	}
	if (status != ST_OK) {
		tool_warn("cannot write statistics: %s", err.text);
	}
	return status == ST_OK;
}

/* How many records its outputs of that way got. */
static uint64_t written(const struct rwfilter *run, enum filter_way way)
{
	const struct scan_totals *records = &run->stats.records;
	const uint64_t counts[FILTER_WAYS] = {
		[FILTER_PASS] = records->pass.records,
		[FILTER_FAIL] = records->total.records - records->pass.records,
		[FILTER_ALL] = records->total.records,
	};
	const uint64_t limit = run->filter.limits[way];

	if (!run->opts->destinations[way]) {
		return 0;
	}
	return limit > 0 ? MIN(limit, counts[way]) : counts[way];
}

static void tell_logstats(const struct rwfilter *run)
{
	struct logstats stats = {
		.start_s = run->start_s,
		.files = run->stats.files,
		.records_read = run->stats.records.total.records,
	};

	for (unsigned way = 0; way < FILTER_WAYS; way++) {
		stats.records_written += written(run, (enum filter_way)way);
	}
	logstats_tell(&stats, tool_argv(run->env));
}

/* That nobody reads an output is an error only when there is no other. */
static int close_destinations(struct rwfilter *run)
{
	int exit_status = run->exit_status;
	unsigned written = 0;
	unsigned abandoned = 0;
	struct err err;

	for (unsigned way = 0; way < FILTER_WAYS; way++) {
		struct destination *destination = run->filter.destinations[way];
		int st = destination_close(destination, &err);

		abandoned += st == ST_EPIPE;
		written += destination && st == ST_OK;
		if (st != ST_OK && st != ST_EPIPE) {
			tool_warn_err(&err);
			exit_status = TOOL_EXIT_ERROR;
		}
	}
	return abandoned > 0 && written == 0 ? TOOL_EXIT_ERROR : exit_status;
}

/* Returns the exit status. */
static int finish(struct rwfilter *run)
{
	int exit_status;

	if (run->copy_entries) {
		write_entries(run, NULL);
	}
	exit_status = close_destinations(run);
	if (run->statistics && !print_statistics(run)) {
		exit_status = TOOL_EXIT_ERROR;
	}
	predicates_free(run->opts->predicates.tests);
	maptest_release(&run->opts->maps);
	labelling_free(run->labelling);
	extfields_free(run->ext);
	madefields_free(run->made);
	tell_logstats(run);
	return exit_status;
}

static void open_outputs(struct rwfilter *run)
{
	bool stdout_taken = false;

	open_destinations(run, &stdout_taken);
	open_statistics(run, &stdout_taken);
	run->copy_entries = true;
	/* SiLK keeps no history of its input when several threads read; nor do we when asked to */
	if (asked_threads(run->opts) > 1) {
		write_entries(run, NULL);
	}
}

static void make_list(struct rwfilter *run, int argc, char **argv)
{
	const struct rwfilter_opts *opts = run->opts;

	if (run->selection) {
		run->filter.list = scanlist_of_selection(
			run->selection, !opts->no_catalog && !opts->dry_run, opts->print_filenames);
		return;
	}
	run->names = find_names(opts, argc, argv);
	run->filter.list = scanlist_of_names(run->names, (uint64_t)argc);
}

static void make_filter(struct rwfilter *run)
{
	unsigned threads = asked_threads(run->opts);
	struct filter *filter = &run->filter;

	filter->tests = run->opts->predicates.tests;
	filter->threads = threads > 0 ? threads : processors_count();
	memcpy(filter->limits, run->opts->limits, sizeof(filter->limits));
	filter->threads_asked = threads > 1;
	/* blocks are made out of the rows themselves, by the thread that writes them */
	if (run->opts->file_format == FILE_FORMAT_BLOCK) {
		filter->extensions = true;
		filter->threads = 1;
		filter->threads_asked = false;
	}
	filter->arg = run;
	filter->on_file = on_file;
	filter->on_open = on_open;
	filter->on_error = on_error;
}

static int rwfilter_run(struct tool_env *env, void *arg, int argc, char **argv)
{
	struct rwfilter_opts *opts = arg;
	struct rwfilter run = {
		.env = env,
		.opts = opts,
		.start_s = g_get_real_time() / G_USEC_PER_SEC,
	};
	const char *icmp_handler = tool_getenv("SILK_ICMP_SPORT_HANDLER");
	enum input input = find_input(opts, argc);
	struct err err;

	if (input == INPUT_NONE) {
		tool_usage("No input was specified: no file selection switches were given, neither "
			   "--input-pipe nor --xargs was specified, and no files are present on "
			   "the command line");
	}
	check_input_pipe(opts->input_pipe);
	add_tests(&run);
	if (input == INPUT_FILES) {
		selection_add_tests(&opts->selection, env, &opts->predicates.tests);
	}
	check_outputs(opts);
	if (predicates_finish(opts->predicates.tests, &err) != ST_OK) {
		tool_usage("%s", err.text);
	}
	make_filter(&run);
	run.filter.read_opts.keep_icmp_sport =
		icmp_handler && strcasecmp(icmp_handler, "none") == 0;
	run.filter.read_opts.site =
		tool_site(env, &opts->selection.site, input == INPUT_REPOSITORY);
	if (input == INPUT_REPOSITORY) {
		run.selection = selection_new(&opts->selection, env);
	}
	if (!opts->dry_run) {
		open_outputs(&run);
	}
	make_list(&run, argc, argv);
	if (opts->dry_run) {
		read_nothing(&run);
	} else {
		read_all(&run);
		warn_of_losses(&run);
	}
	if (opts->explain && !opts->dry_run) {
		/* not to standard output, which may have records */
		filter_explain(stderr, &run.filter, &run.stats);
	}
	scanlist_free(run.filter.list);
	names_free(run.names);
	selection_free(run.selection);
	return finish(&run);
}

const struct tool tool = {
	.name = "rwfilter",
	.summary = "choose which flow records to process",
	.usage = "[SWITCHES] [FILES]",
	.opts = rwfilter_opt_table,
	.opts_size = sizeof(struct rwfilter_opts),
	.outlives_readers = true,
	.run = rwfilter_run,
};
