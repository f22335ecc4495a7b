/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/daemontool.h"

#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/optmain.h"
#include "common/site.h"

static const struct log_opts *log_opts_of(const struct daemontool *tool, const void *opts)
{
	return (const struct log_opts *)((const char *)opts + tool->log_offset);
}

static const struct daemon_opts *daemon_opts_of(const struct daemontool *tool, const void *opts)
{
	return (const struct daemon_opts *)((const char *)opts + tool->daemon_offset);
}

static void complain_on_stderr(void *arg, const char *text)
{
	const struct daemontool *tool = arg;

	fprintf(stderr, "%s: %s\n", tool->name, text);
}

static int usage_error(const struct daemontool *tool)
{
	fprintf(stderr, "Use '%s --help' for usage\n", tool->name);
	return EXIT_FAILURE;
}

char *daemontool_find_site(const char *site_config_file, const char *root_directory)
{
	const struct site_env env = {
		.config_file_option = site_config_file,
		.root_option = root_directory,
		.config_file = getenv("SILK_CONFIG_FILE"),
		.data_rootdir = getenv("SILK_DATA_ROOTDIR"),
		.silk_path = getenv("SILK_PATH"),
	};
	bool exists;

	return site_find_file(&env, &exists);
}

void daemontool_log_command_line(int argc, char **argv)
{
	GString *line = g_string_new(NULL);

	for (int i = 0; i < argc; i++) {
		g_string_append_printf(line, "%s'%s'", i ? " " : "", argv[i]);
	}
	log_msg(LOG_LEVEL_NOTICE, "%s", line->str);
	g_string_free(line, TRUE);
}

/* The log is open. */
static int work(const struct daemontool *tool, void *opts, struct err *err)
{
	const struct daemon_opts *daemon = daemon_opts_of(tool, opts);
	struct supervise *supervise;
	int st = daemon_start(daemon, tool->name, false, err);

	if (st != ST_OK) {
		return st;
	}
	supervise = daemon_supervise();
	st = tool->keeps_privileges ? ST_OK : daemon_drop_privileges(daemon, err);
	if (st == ST_OK) {
		st = tool->run(opts, supervise, err);
	}
	supervise_free(supervise);
	if (st != ST_OK) {
		log_msg(LOG_LEVEL_ERR, "%s", err->text);
		err->text[0] = '\0'; /* told */
	}
	daemon_finish();
	return st;
}

static int start(const struct daemontool *tool, void *opts, int argc, char **argv)
{
	struct err err = { .status = ST_OK };
	int st = tool->prepare ? tool->prepare(opts, &err) : ST_OK;

	if (st == ST_OK) {
		st = log_open(log_opts_of(tool, opts), tool->name, NULL, &err);
		if (st == ST_OK) {
			daemontool_log_command_line(argc, argv);
			st = work(tool, opts, &err);
			log_close();
		}
	}
	if (st != ST_OK && err.text[0]) {
		fprintf(stderr, "%s: %s\n", tool->name, err.text);
	}
	return st == ST_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int daemontool_main(const struct daemontool *tool, void *opts, int argc, char **argv)
{
	const struct optmain program = {
		.name = tool->name,
		.usage = tool->usage,
		.summary = tool->summary,
		.table = tool->table,
	};
	struct opt_result result = { 0 };
	int status;

	if (!optmain_parse(&program, opts, argc, argv, &result, &status)) {
		return status;
	}
	if (result.nargs > 0) {
		fprintf(stderr, "%s: Too many or unrecognized argument specified '%s'\n",
			tool->name, result.args[0]);
		status = usage_error(tool);
	} else if (tool->check(opts, complain_on_stderr, (void *)tool) > 0) {
		status = usage_error(tool);
	} else {
		status = start(tool, opts, argc, argv);
	}
	g_free(result.args);
	return status;
}

int daemontool_parse_directory(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	if (!g_file_test(text, G_FILE_TEST_IS_DIR)) {
		return err_set(err, ST_EINVAL, "Invalid %s: Nonexistent path '%s'", opt->name,
			       text);
	}
	if (text[0] != '/') {
		return err_set(
			err, ST_EINVAL,
			"Invalid %s: Must use complete path ('%s' does not begin with slash)",
			opt->name, text);
	}
	*(const char **)dest = text; /* borrowed, as all strings of switches */
	return ST_OK;
}

unsigned daemontool_check_required(const struct daemontool_required *required, size_t count,
				   daemontool_complain_fn complain, void *arg)
{
	unsigned missing = 0;

	for (size_t i = 0; i < count; i++) {
		if (!required[i].value) {
			char *text =
				g_strdup_printf("The --%s option is required", required[i].name);

			complain(arg, text);
			g_free(text);
			missing++;
		}
	}
	return missing;
}

void daemontool_log_stop(void)
{
	const char *name = daemon_stop_signal() ? sigabbrev_np(daemon_stop_signal()) : NULL;

	if (name) {
		log_msg(LOG_LEVEL_NOTICE, "Shutting down due to SIG%s signal", name);
	}
	log_msg(LOG_LEVEL_INFO, "Begin shutting down...");
}

void daemontool_stop(struct supervise *supervise)
{
	supervise_stopping(supervise);
	daemontool_log_stop();
}
