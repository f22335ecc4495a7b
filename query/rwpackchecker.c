/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwpackchecker: find records that hint at a damaged file. */
#include "query/tool.h"

#include "query/packtest.h"
#include "query/source.h"
#include "storage/hourfile.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct checker_opts {
	GPtrArray *values;
	GPtrArray *allowed;
	bool print_all;
	int output_format;
	struct source_opts source;
};

static const struct opt checker_opt_table[] = {
	OPT_STRS(struct checker_opts, values, "value", 0, "TEST=VALUE",
		 "set the limit, or the list, of a test; repeatable"),
	OPT_STRS(struct checker_opts, allowed, "allowable-count", 0, "TEST=N",
		 "let so many records fail a test before it counts; repeatable"),
	OPT_FLAG(struct checker_opts, print_all, "print-all", 0,
		 "print all tests of all files, not only those that failed"),
	TEXT_DATA_FORMAT_ROW(struct checker_opts, "print as text, csv or json lines"),
	OPT_GROUP(struct checker_opts, source, source_xargs_opt_table),
	OPT_END,
};

/* The two switches that set up tests; what fails of the setting is said in SiLK's words. */
static const struct checker_setting {
	const char *name; /* of the switch */
	int (*set)(struct packtest *tests, const char *name, const char *text, struct err *err);
	bool prefix; /* the reason goes on the same line */
} checker_settings[] = {
	{ "value", packtest_set_value, false },
	{ "allowable-count", packtest_set_allowed, true },
};

static void set_test(struct packtest *tests, const struct checker_setting *setting,
		     const char *text)
{
	const char *equals = strchr(text, '=');
	char *name;
	struct err err;

	if (!equals) {
		tool_usage("Missing '=' in argument to --%s switch", setting->name);
	}
	name = g_strndup(text, (gsize)(equals - text));
	if (setting->set(tests, name, equals + 1, &err) == ST_OK) {
		g_free(name);
		return;
	}
	if (g_str_has_prefix(err.text, "The test name")) {
		tool_warn_err(&err);
		tool_usage("Invalid threshold name '%s' in --%s switch", name, setting->name);
	}
	if (setting->prefix) {
		tool_usage("Invalid %s for '%s' threshold: %s", setting->name, name, err.text);
	}
	tool_warn_err(&err);
	tool_usage("Invalid %s for '%s' threshold", setting->name, name);
}

static void set_tests(struct packtest *tests, const struct checker_setting *setting,
		      const GPtrArray *texts)
{
	for (guint i = 0; texts && i < texts->len; i++) {
		set_test(tests, setting, g_ptr_array_index(texts, i));
	}
}

struct checker_print {
	bool all;
	struct text *table; /* NULL: text */
};

static void print_result(const struct packtest *tests, const char *name,
			 const struct checker_print *print)
{
	if (print->table) {
		packtest_put(tests, print->all, name, print->table);
	} else {
		printf("%s:\n", name);
		packtest_print(tests, print->all, stdout);
	}
}

/* All that can be read of a file; false: it is unusual, or not all could be. */
static bool check_file(struct packtest *tests, struct batch *batch, const char *name,
		       const struct stream_read_opts *read_opts, const struct checker_print *print)
{
	struct hourfile_reader *in = NULL;
	bool unusual = false;
	bool whole = true;
	struct err err;
	int rc;

	if (hourfile_open(&in, name, read_opts, &err) != ST_OK) {
		tool_warn_err(&err);
		return false;
	}
	packtest_begin_file(tests);
	while ((rc = hourfile_read_batch(in, batch, COLUMNS_ALL, &err)) != ST_END) {
		if (rc == ST_OK) {
			packtest_take(tests, batch);
			continue;
		}
		tool_warn_err(&err);
		whole = false;
		if (!hourfile_goes_on(in)) {
			break;
		}
	}
	hourfile_close(in);
	unusual = packtest_is_unusual(tests);
	if (unusual || print->all) {
		print_result(tests, name, print);
	}
	return whole && !unusual;
}

static int checker_run(struct tool_env *env, void *base, int argc, char **argv)
{
	const struct checker_opts *opts = base;
	const struct checker_print print = {
		opts->print_all,
		text_data_new(STDOUT_FILENO, opts->output_format, false, packtest_columns),
	};
	struct packtest *tests = packtest_new();
	struct err err;
	struct source *source;
	struct batch *batch;
	const char *name;
	int status = TOOL_EXIT_OK;

	set_tests(tests, &checker_settings[0], opts->values);
	set_tests(tests, &checker_settings[1], opts->allowed);
	source = source_new(env, &opts->source, argc, argv);
	batch = batch_new();
	while ((name = source_next_name(source)) != NULL) {
		if (!check_file(tests, batch, name, source_read_opts(source), &print)) {
			status = TOOL_EXIT_ERROR;
		}
	}
	batch_free(batch);
	if (source_close(source) != TOOL_EXIT_OK) {
		status = TOOL_EXIT_ERROR;
	}
	packtest_free(tests);
	if (print.table && text_close(print.table, &err) != ST_OK) {
		tool_die_err(&err);
	}
	return status;
}

const struct tool tool = {
	.name = "rwpackchecker",
	.summary = "find unusual records that hint at a damaged file",
	.usage = "[SWITCHES] [FILES]",
	.opts = checker_opt_table,
	.opts_size = sizeof(struct checker_opts),
	.run = checker_run,
};
