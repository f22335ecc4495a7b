/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwidsquery: the flows of an alert or a rule of Snort, by rwfilter. */
#include "query/tool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>

#include "query/snort.h"
#include "storage/bytesource.h"

#define INPUT_BYTES_MAX (16u << 20)

enum intype { INTYPE_NONE, INTYPE_FAST, INTYPE_FULL, INTYPE_RULE };
static const char *const intypes[] = { "", "fast", "full", "rule", NULL };

struct idsquery_opts {
	int intype;
	char *output_file;
	char *start_date;
	char *end_date;
	uint64_t year;
	uint64_t tolerance;
	char *config_file;
	char *mask;
	bool dry_run;
	bool verbose;
};

static int parse_intype(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	for (int i = INTYPE_FAST; intypes[i]; i++) {
		if (strcmp(intypes[i], text) == 0) {
			*(int *)dest = i;
			return ST_OK;
		}
	}
	return err_set(err, ST_EINVAL, "it must be fast, full or rule");
}

static const struct opt idsquery_opt_table[] = {
	OPT_CALL(struct idsquery_opts, intype, "intype", 't', "TYPE", parse_intype, 0,
		 "what the input is: fast or full (alerts), or rule"),
	OPT_STR(struct idsquery_opts, output_file, "output-file", 'o', "PATH",
		"write the records here", .default_text = "stdout"),
	OPT_STR(struct idsquery_opts, start_date, "start-date", 's', "DATE",
		"with a rule: look at flows from this hour on"),
	OPT_STR(struct idsquery_opts, end_date, "end-date", 'e', "DATE",
		"with a rule: look at flows up to this hour"),
	OPT_U64(struct idsquery_opts, year, "year", 'y', "YEAR", 1970, 2039,
		"with an alert: its year", .default_text = "this year"),
	OPT_U64(struct idsquery_opts, tolerance, "tolerance", 0, "SECONDS", 0, 31536000,
		"with an alert: how far from it a flow may begin", .default_text = "3600"),
	OPT_STR(struct idsquery_opts, config_file, "config-file", 'c', "FILE",
		"with a rule: take Snort's variables from this configuration"),
	OPT_STR(struct idsquery_opts, mask, "mask", 'm', "LIST",
		"leave these predicates of rwfilter out"),
	OPT_FLAG(struct idsquery_opts, dry_run, "dry-run", 0,
		 "print the rwfilter command, do not run it"),
	OPT_FLAG(struct idsquery_opts, verbose, "verbose", 'v',
		 "print the rwfilter command before it is run"),
	OPT_END,
};

static const struct idsquery_opts idsquery_defaults = { .tolerance = 3600 };

static void check_options(const struct idsquery_opts *opts)
{
	bool is_rule = opts->intype == INTYPE_RULE;

	if (opts->intype == INTYPE_NONE) {
		tool_usage("--intype must be given: fast, full or rule");
	}
	if (is_rule && (!opts->start_date || !opts->end_date)) {
		tool_usage("with a rule --start-date and --end-date must be given");
	}
	if (!is_rule && (opts->start_date || opts->end_date || opts->config_file)) {
		tool_usage("--start-date, --end-date and --config-file go with rules only");
	}
	if (is_rule && opts->year) {
		tool_usage("--year goes with alerts only");
	}
}

/* Returned: g_free(). */
static char *read_input(const char *name)
{
	struct bytesource *src = NULL;
	GString *text = g_string_new(NULL);
	const uint8_t *bytes;
	struct err err;
	size_t len = 0;
	int status = bytesource_open(&src, name, &err);

	while (status == ST_OK) {
		status = bytesource_view(src, 1, &bytes, &len, &err);
		if (status != ST_OK || len == 0 || text->len + len > INPUT_BYTES_MAX) {
			break;
		}
		g_string_append_len(text, (const char *)bytes, (gssize)len);
		bytesource_consume(src, len);
	}
	if (status != ST_OK && status != ST_END) {
		tool_die_err(&err);
	}
	bytesource_close(src);
	return g_string_free(text, FALSE);
}

static int this_year(void)
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	return tm.tm_year + 1900;
}

static int parse_rule(const struct idsquery_opts *opts, const char *text, GPtrArray *predicates,
		      struct err *err)
{
	struct snort_vars *vars = NULL;
	int status = ST_OK;

	if (opts->config_file) {
		status = snort_vars_read(&vars, opts->config_file, err);
	}
	if (status == ST_OK) {
		status = snort_parse_rule(text, vars, predicates, err);
	}
	snort_vars_free(vars);
	return status;
}

static GPtrArray *parse_input(const struct idsquery_opts *opts, const char *name)
{
	const struct snort_when when = {
		.year = opts->year ? (int)opts->year : this_year(),
		.tolerance_s = (int64_t)opts->tolerance,
	};
	GPtrArray *predicates = snort_predicates_new();
	char *text = read_input(name);
	struct err err;
	int status;

	switch ((enum intype)opts->intype) {
	case INTYPE_FAST:
		status = snort_parse_fast(text, &when, predicates, &err);
		break;
	case INTYPE_FULL:
		status = snort_parse_full(text, &when, predicates, &err);
		break;
	default:
		status = parse_rule(opts, text, predicates, &err);
		break;
	}
	g_free(text);
	if (status != ST_OK) {
		tool_die("%s: %s", name, err.text);
	}
	return predicates;
}

static bool is_masked(const struct idsquery_opts *opts, const char *name)
{
	char **names = g_strsplit(opts->mask ? opts->mask : "", ",", -1);
	bool masked = g_strv_contains((const char *const *)names, name);

	g_strfreev(names);
	return masked;
}

/* Do the words for rwfilter say it themselves, by a name that may be cut? */
static bool is_given(const char *name, int extra, char **extras)
{
	for (int i = 0; i < extra; i++) {
		size_t len = strcspn(extras[i], "=");

		if (len > 2 && g_str_has_prefix(extras[i], "--") &&
		    strncmp(extras[i] + 2, name, len - 2) == 0) {
			return true;
		}
	}
	return false;
}

/* value is borrowed. */
static void add_switch(GPtrArray *command, const struct idsquery_opts *opts, const char *name,
		       const char *value)
{
	if (!is_masked(opts, name)) {
		g_ptr_array_add(command, g_strdup_printf("--%s=%s", name, value));
	}
}

/* With a NULL at its end. */
static GPtrArray *make_command(const struct idsquery_opts *opts, const GPtrArray *predicates,
			       int extra, char **extras)
{
	GPtrArray *command = g_ptr_array_new_with_free_func(g_free);
	const char *program = tool_getenv("RWFILTER");

	g_ptr_array_add(command, g_strdup(program ? program : "rwfilter"));
	if (opts->intype == INTYPE_RULE) {
		char *range = g_strdup_printf("%s-%s", opts->start_date, opts->end_date);

		add_switch(command, opts, "start-date", opts->start_date);
		add_switch(command, opts, "end-date", opts->end_date);
		add_switch(command, opts, "stime", range);
		g_free(range);
	}
	for (guint i = 0; i < predicates->len; i++) {
		const struct snort_predicate *predicate = g_ptr_array_index(predicates, i);

		if (!is_given(predicate->name, extra, extras)) {
			add_switch(command, opts, predicate->name, predicate->value);
		}
	}
	for (int i = 0; i < extra; i++) {
		g_ptr_array_add(command, g_strdup(extras[i]));
	}
	g_ptr_array_add(command, g_strdup_printf("--pass=%s",
						 opts->output_file ? opts->output_file : "stdout"));
	g_ptr_array_add(command, NULL);
	return command;
}

static int run_command(const struct idsquery_opts *opts, GPtrArray *command)
{
	char *line = g_strjoinv(" ", (char **)command->pdata);

	if (opts->dry_run || opts->verbose) {
		fprintf(stderr, "%s\n", line);
	}
	g_free(line);
	if (opts->dry_run) {
		return TOOL_EXIT_OK;
	}
	execvp(command->pdata[0], (char **)command->pdata);
	tool_die("cannot run %s: %s", (const char *)command->pdata[0], strerror(errno));
}

/* Is there a "--"? */
static bool has_end_of_switches(const struct tool_env *env)
{
	for (int i = 1; i < tool_argc(env); i++) {
		if (strcmp(tool_argv(env)[i], "--") == 0) {
			return true;
		}
	}
	return false;
}

static int idsquery_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct idsquery_opts *opts = base;
	/* What is for rwfilter comes behind the name, or alone. */
	bool named = argc > 0 && (argv[0][0] != '-' || argv[0][1] == '\0');
	GPtrArray *predicates;
	GPtrArray *command;
	int status;

	check_options(opts);
	if (!named && isatty(STDIN_FILENO)) {
		tool_usage("no input file given and standard input is a terminal");
	}
	if (argc > named && !has_end_of_switches(env)) {
		tool_usage("too many arguments: '%s'", argv[named]);
	}
	predicates = parse_input(opts, named ? argv[0] : "-");
	command = make_command(opts, predicates, argc - named, argv + named);
	status = run_command(opts, command);
	g_ptr_array_free(command, TRUE);
	g_ptr_array_free(predicates, TRUE);
	return status;
}

const struct tool tool = {
	.name = "rwidsquery",
	.summary = "Find the flow records of an alert or a rule of Snort",
	.usage = "--intype={fast | full | rule} [SWITCHES] [FILE] [-- RWFILTER-SWITCHES]",
	.opts = idsquery_opt_table,
	.opts_size = sizeof(struct idsquery_opts),
	.opts_default = &idsquery_defaults,
	.usage_status = 2,
	.run = idsquery_run,
};
