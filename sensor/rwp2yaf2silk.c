/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rwp2yaf2silk: a capture file through a flow meter and rwipfix2silk. The meter is rwsensor, or the
 * yaf that the user names.
 */
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/optmain.h"

#define PROGRAM "rwp2yaf2silk"
#define METER   "rwsensor"

/* The shell's statuses for what cannot be run. */
#define EXIT_NOT_FOUND 127

struct p2silk_opts {
	char *in;
	char *out;
	bool dry_run;
	char *yaf_program;
	char *yaf_args;
	char *rwipfix2silk_program;
	char *rwipfix2silk_args;
	bool man;
};

static const struct opt p2silk_table[] = {
	OPT_STR(struct p2silk_opts, in, "in", 0, "FILE", "read packets from this file or \"stdin\"",
		.flags = OPT_ONCE),
	OPT_STR(struct p2silk_opts, out, "out", 0, "FILE",
		"write records to this file or \"stdout\"", .flags = OPT_ONCE),
	OPT_FLAG(struct p2silk_opts, dry_run, "dry-run", 0, "print the commands, run nothing"),
	OPT_STR(struct p2silk_opts, yaf_program, "yaf-program", 0, "PROGRAM",
		"meter flows with this yaf", .default_text = "rwsensor"),
	OPT_STR(struct p2silk_opts, yaf_args, "yaf-args", 0, "ARGS", "hand these on to the meter"),
	OPT_STR(struct p2silk_opts, rwipfix2silk_program, "rwipfix2silk-program", 0, "PROGRAM",
		"make records with this program", .default_text = "rwipfix2silk"),
	OPT_STR(struct p2silk_opts, rwipfix2silk_args, "rwipfix2silk-args", 0, "ARGS",
		"hand these on to rwipfix2silk"),
	OPT_FLAG(struct p2silk_opts, man, "man", 0, "show the manual page"),
	OPT_END,
};

static const struct optmain program = {
	.name = PROGRAM,
	.usage = "--in=FILE --out=FILE [SWITCHES]",
	.summary = "Make flow records of the packets in a capture file",
	.table = p2silk_table,
	.usage_status = 2,
};

static void add(GPtrArray *command, const char *word)
{
	g_ptr_array_add(command, g_strdup(word));
}

static bool add_args(GPtrArray *command, const char *args, struct err *err)
{
	GError *error = NULL;
	char **words = NULL;
	int count = 0;

	if (!args || !args[strspn(args, " \t\n")]) {
		return true;
	}
	if (!g_shell_parse_argv(args, &count, &words, &error)) {
		err_set(err, ST_EINVAL, "'%s': %s", args, error->message);
		g_error_free(error);
		return false;
	}
	for (int i = 0; i < count; i++) {
		add(command, words[i]);
	}
	g_strfreev(words);
	return true;
}

/* yaf has the input behind a switch, and a list of inputs with --caplist; the sensor's switch for
 * that takes the list itself. */
static bool take_caplist(GPtrArray *command)
{
	for (guint i = 0; i < command->len; i++) {
		if (strcmp(g_ptr_array_index(command, i), "--caplist") == 0) {
			g_ptr_array_remove_index(command, i);
			return true;
		}
	}
	return false;
}

static bool meter_command(const struct p2silk_opts *opts, GPtrArray *command, struct err *err)
{
	bool is_stdin = strcmp(opts->in, "-") == 0 || strcmp(opts->in, "stdin") == 0;
	const char *in = is_stdin ? "-" : opts->in;

	add(command, opts->yaf_program ? opts->yaf_program : METER);
	add(command, "--silk");
	add(command, "--uniflow");
	if (opts->yaf_program) {
		add(command, "--out");
		add(command, "-");
	} else {
		add(command, "--export=-");
		add(command, "--log-destination=stderr");
		add(command, "--log-level=err");
	}
	if (!add_args(command, opts->yaf_args, err)) {
		return false;
	}
	if (opts->yaf_program) {
		add(command, "--in");
	} else if (take_caplist(command)) {
		add(command, "--read-list");
	} else {
		add(command, "--");
	}
	add(command, in);
	g_ptr_array_add(command, NULL);
	return true;
}

static bool records_command(const struct p2silk_opts *opts, GPtrArray *command, struct err *err)
{
	add(command, opts->rwipfix2silk_program ? opts->rwipfix2silk_program : "rwipfix2silk");
	g_ptr_array_add(command, g_strdup_printf("--silk-output=%s", opts->out));
	if (!add_args(command, opts->rwipfix2silk_args, err)) {
		return false;
	}
	g_ptr_array_add(command, NULL);
	return true;
}

static void print_command(const GPtrArray *command, const char *end)
{
	for (guint i = 0; i + 1 < command->len; i++) {
		char *quoted = g_shell_quote(g_ptr_array_index(command, i));

		printf("%s%s", i > 0 ? " " : "", quoted);
		g_free(quoted);
	}
	fputs(end, stdout);
}

/* In the child: does not return. */
static _Noreturn void run_command(const GPtrArray *command)
{
	char *const *words = (char *const *)command->pdata;

	execvp(words[0], words);
	if (errno == ENOENT && strcmp(words[0], METER) == 0) {
		execv(TUSSAH_SBINDIR "/" METER, words);
	}
	fprintf(stderr, PROGRAM ": cannot run %s: %s\n", words[0], strerror(errno));
	_exit(EXIT_NOT_FOUND);
}

/* Start a command whose stream number to (0 or 1) is the pipe's end of that number. */
static pid_t start(const GPtrArray *command, const int ends[2], int to)
{
	pid_t child = fork();

	if (child == 0) {
		dup2(ends[to], to);
		close(ends[0]);
		close(ends[1]);
		run_command(command);
	}
	return child;
}

static int await(pid_t child, const char *name)
{
	int status = 0;

	if (child < 0 || waitpid(child, &status, 0) < 0) {
		fprintf(stderr, PROGRAM ": %s: %s\n", name, strerror(errno));
		return EXIT_FAILURE;
	}
	if (WIFSIGNALED(status)) {
		fprintf(stderr, PROGRAM ": %s: killed by signal %d\n", name, WTERMSIG(status));
		return EXIT_FAILURE;
	}
	return WEXITSTATUS(status);
}

static int run_pipe(const GPtrArray *meter, const GPtrArray *records)
{
	int ends[2];
	pid_t writer;
	pid_t reader;
	int written;
	int read;

	if (pipe(ends) != 0) {
		fprintf(stderr, PROGRAM ": %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	writer = start(meter, ends, STDOUT_FILENO);
	reader = start(records, ends, STDIN_FILENO);
	close(ends[0]);
	close(ends[1]);
	read = await(reader, g_ptr_array_index(records, 0));
	written = await(writer, g_ptr_array_index(meter, 0));
	return read != EXIT_SUCCESS ? read : written;
}

static int run(const struct p2silk_opts *opts)
{
	GPtrArray *meter = g_ptr_array_new_with_free_func(g_free);
	GPtrArray *records = g_ptr_array_new_with_free_func(g_free);
	struct err err;
	int status;

	if (!meter_command(opts, meter, &err) || !records_command(opts, records, &err)) {
		status = optmain_usage(&program, err.text);
	} else if (opts->dry_run) {
		print_command(meter, " | \\\n    ");
		print_command(records, "\n");
		status = fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	} else {
		status = run_pipe(meter, records);
	}
	g_ptr_array_free(meter, TRUE);
	g_ptr_array_free(records, TRUE);
	return status;
}

int main(int argc, char **argv)
{
	struct p2silk_opts opts = { 0 };
	struct opt_result result = { 0 };
	int status;

	if (!optmain_parse(&program, &opts, argc, argv, &result, &status)) {
		return status;
	}
	if (opts.man) {
		execlp("man", "man", PROGRAM, (char *)NULL);
		fprintf(stderr, PROGRAM ": cannot run man: %s\n", strerror(errno));
		return EXIT_NOT_FOUND;
	}
	if (result.nargs > 0) {
		status = optmain_usage(&program, "too many arguments");
	} else if (!opts.in || !opts.out) {
		status = optmain_usage(&program, "--in and --out must be given");
	} else {
		status = run(&opts);
	}
	g_free(result.args);
	return status;
}
