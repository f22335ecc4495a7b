/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "common/batch.h"
#include "common/text.h"
#include "query/textfile.h"
#include "storage/compressionopt.h"

struct tool_env {
	int argc;
	char **argv; /* the process's, put in order by opt_parse() */
	struct site *site;
	bool site_faulty; /* its file was, what could be understood is there */
	char *rootdir;
	struct textfile *output; /* what tool_output() opened, or NULL */
	FILE *pager_pipe;        /* the running pager, or NULL */
};

int tool_argc(const struct tool_env *env)
{
	return env->argc;
}

char *const *tool_argv(const struct tool_env *env)
{
	return env->argv;
}

bool tool_is_stdout(const char *path)
{
	return path && (strcmp(path, "-") == 0 || strcmp(path, "stdout") == 0);
}

static void warn_text(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
static void warn_text(const char *fmt, va_list ap)
{
	fflush(stdout);
	fprintf(stderr, "%s: ", tool.name);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void tool_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	warn_text(fmt, ap);
	va_end(ap);
}

void tool_warn_err(const struct err *err)
{
	tool_warn("%s", err->text);
}

void tool_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	warn_text(fmt, ap);
	va_end(ap);
	exit(TOOL_EXIT_ERROR);
}

void tool_die_err(const struct err *err)
{
	tool_die("%s", err->text);
}

void tool_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	warn_text(fmt, ap);
	va_end(ap);
	fprintf(stderr, "Use '%s --help' for usage\n", tool.name);
	exit(tool.usage_status ? tool.usage_status : TOOL_EXIT_ERROR);
}

/* The first counts. */
static int parse_site_file(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	if (*(const char **)dest) {
		tool_warn("only the first --%s is read", opt->name);
		return ST_OK;
	}
	if (access(text, F_OK) != 0) {
		return err_set(err, ST_ENOENT, "%s", strerror(errno));
	}
	*(const char **)dest = text;
	return ST_OK;
}

const struct opt site_opt_table[] = {
	OPT_CALL(struct site_opts, config_file, "site-config-file", 0, "FILE", parse_site_file, 0,
		 "read the site configuration from this file"),
	OPT_END,
};

static struct site_env site_environment(const struct site_opts *opts)
{
	return (struct site_env){
		.config_file_option = opts->config_file,
		.root_option = opts->rootdir,
		.config_file = tool_getenv("SILK_CONFIG_FILE"),
		.data_rootdir = tool_getenv("SILK_DATA_ROOTDIR"),
		.silk_path = tool_getenv("SILK_PATH"),
		.install_prefix = TUSSAH_PREFIX,
	};
}

/* In the words of SiLK; line 0 is about the file as a whole. */
static void site_error(void *arg, const char *file, int line, const char *message)
{
	bool *told = arg;

	*told = true;
	if (line) {
		tool_warn("Error while parsing site configuration file at %s:%d:\n\t%s", file, line,
			  message);
	} else {
		tool_warn("Error while parsing site configuration file:\n\t%s", message);
	}
}

static void load_site(struct tool_env *env, const char *path)
{
	struct err err;
	bool told = false;
	int status = site_load_all(&env->site, path, site_error, &told, &err);

	if (status != ST_OK && !told) {
		tool_die_err(&err);
	}
	env->site_faulty = status != ST_OK;
}

const struct site *tool_site(struct tool_env *env, const struct site_opts *opts, bool needed)
{
	struct site_env where = site_environment(opts);
	bool exists = false;
	char *path = NULL;

	if (!env->site) {
		path = site_find_file(&where, &exists);
	}
	if (exists) {
		load_site(env, path);
	} else if (!env->site && (needed || opts->config_file)) {
		tool_die("cannot find a site configuration file%s%s", path ? ": tried " : "",
			 path ? path : "");
	} else if (!env->site) {
		env->site = site_empty();
	}
	g_free(path);
	if (needed && env->site_faulty) {
		exit(TOOL_EXIT_ERROR);
	}
	return env->site;
}

int tool_parse_rootdir(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	if (!g_file_test(text, G_FILE_TEST_IS_DIR)) {
		return err_set(err, ST_EINVAL, "Root data directory '%s' does not exist", text);
	}
	*(const char **)dest = text;
	return ST_OK;
}

const char *tool_rootdir(struct tool_env *env, const struct site_opts *opts)
{
	if (!env->rootdir) {
		struct site_env where = site_environment(opts);

		env->rootdir = site_find_root(&where);
	}
	return env->rootdir;
}

const struct opt output_opt_table[] = {
	OPT_STR(struct output_opts, output_path, "output-path", 0, "PATH",
		"write the output to this file, \"stdout\" or \"stderr\"", .flags = OPT_ONCE),
	OPT_STR(struct output_opts, pager, "pager", 0, "PROGRAM",
		"page the output through this program when it goes to a terminal"),
	OPT_END,
};

/* $SILK_PAGER, even empty, hides $PAGER: so the raw getenv(). */
static const char *find_pager(const struct output_opts *opts)
{
	const char *pager = opts->pager;

	if (!pager) {
		pager = getenv("SILK_PAGER");
	}
	if (!pager) {
		pager = getenv("PAGER");
	}
	return pager && *pager ? pager : NULL;
}

int tool_output(struct tool_env *env, const struct output_opts *opts)
{
	const char *path = opts->output_path;
	const char *pager;

	if (path) {
		env->output = textfile_open(path);
		return textfile_fd(env->output);
	}
	pager = isatty(STDOUT_FILENO) ? find_pager(opts) : NULL;
	if (pager) {
		env->pager_pipe = popen(pager, "we");
		if (!env->pager_pipe) {
			tool_die("cannot run pager '%s': %s", pager, strerror(errno));
		}
		return fileno(env->pager_pipe);
	}
	return STDOUT_FILENO;
}

void tool_close_text(struct text *text)
{
	struct err err;

	if (text_close(text, &err) != ST_OK) {
		tool_die_err(&err);
	}
}

/* Close what tool_output() opened and standard output; false: an error, which has been told. */
static bool close_output(struct tool_env *env, bool failed)
{
	bool ok = true;
	struct err err;

	if ((failed ? textfile_close_failed : textfile_close)(env->output, &err) != ST_OK) {
		tool_warn("cannot write %s", err.text);
		ok = false;
	}
	env->output = NULL;
	if (env->pager_pipe) {
		pclose(env->pager_pipe);
		env->pager_pipe = NULL;
	}
	if (ferror(stdout) || fclose(stdout) != 0) {
		if (errno != EBADF) {
			fprintf(stderr, "%s: cannot write standard output: %s\n", tool.name,
				strerror(errno));
			ok = false;
		}
	}
	return ok;
}

/* The way out of tool_die(): the pager shows what there is. */
static void close_at_exit(int status, void *arg)
{
	struct tool_env *env = arg;

	if (env->pager_pipe) {
		pclose(env->pager_pipe);
	}
}

void tool_help(const void *opts)
{
	printf("%s %s\n\t%s\n\nSWITCHES:\n", tool.name, tool.usage, tool.summary);
	opt_help(tool.opts, opts, stdout);
}

static void print_version(void)
{
	printf("%s: part of %s\n    * Configured with: %s\n", tool.name, PACKAGE_STRING,
	       *TUSSAH_CONFIGURE_ARGS ? TUSSAH_CONFIGURE_ARGS : "(defaults)");
}

static int check_policy(const char *text, struct err *err)
{
	enum ipv6_policy policy;

	return ipv6_policy_parse(text, &policy, err);
}

/* Those of forms of addresses and times are format.c's. */
static const struct standin policy_standins[] = {
	{ "ipv6-policy", "SILK_IPV6_POLICY", check_policy },
	{ NULL, NULL, NULL },
};

static void warn_of_variable(void *arg, const char *text)
{
	(void)arg;
	tool_warn("%s", text);
}

static void check_variables(void)
{
	standin_check(compressionopt_standins, tool.opts, getenv, warn_of_variable, NULL);
	standin_check(policy_standins, tool.opts, getenv, warn_of_variable, NULL);
}

static int act(struct tool_env *env, enum opt_action action, void *opts,
	       const struct opt_result *result)
{
	switch (action) {
	case OPT_HELP:
		tool_help(opts);
		return TOOL_EXIT_OK;
	case OPT_VERSION:
		print_version();
		return TOOL_EXIT_OK;
	case OPT_DUMP_OPTIONS:
		opt_dump(tool.opts, stdout);
		return TOOL_EXIT_OK;
	case OPT_RUN:
		break;
	}
	check_variables();
	return tool.run(env, opts, result->nargs, result->args);
}

int tool_run(int argc, char **argv)
{
	struct tool_env *env = g_new0(struct tool_env, 1);
	void *opts = g_malloc0(tool.opts_size ? tool.opts_size : 1);
	struct opt_result result = { 0 };
	struct err err;
	int status;

	signal(SIGPIPE, tool.outlives_readers ? SIG_IGN : SIG_DFL);
	on_exit(close_at_exit, env);
	if (tool.opts_default) {
		memcpy(opts, tool.opts_default, tool.opts_size);
	}
	if (opt_parse(tool.opts, opts, argc, argv, &result, &err) != ST_OK) {
		tool_usage("%s", err.text);
	}
	env->argc = argc;
	env->argv = argv;
	status = act(env, result.action, opts, &result);
	if (!close_output(env, status != TOOL_EXIT_OK)) {
		status = TOOL_EXIT_ERROR;
	}
	g_free(env->rootdir);
	env->rootdir = NULL;
	if (env->site) {
		site_free(env->site);
		env->site = NULL;
	}
	g_free(result.args);
	g_free(opts);
	return status;
}
