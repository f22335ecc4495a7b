/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scanflows.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "common/timestamp.h"
#include "query/source.h"

/* The set as a file that has no name; its descriptor, which stands at the beginning. */
static int make_set_file(const struct ipset *set)
{
	const struct ipset_write_opts write = { .record_version = 0 };
	int fd = memfd_create("scanners", MFD_CLOEXEC);
	struct bytesink *sink;
	struct err err;
	int status;

	if (fd < 0) {
		tool_die("cannot make a file in memory: %s", strerror(errno));
	}
	sink = bytesink_open_fd(dup(fd), "the set of scanners");
	status = ipset_write_to(set, sink, &write, &err);
	if (bytesink_close(sink, status == ST_OK ? &err : NULL) != ST_OK || status != ST_OK) {
		tool_die_err(&err);
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void add_switch(GPtrArray *command, const char *name, const char *value)
{
	if (value) {
		g_ptr_array_add(command, g_strdup_printf("--%s=%s", name, value));
	}
}

static void add_hour(GPtrArray *command, const char *name, int64_t ns)
{
	char text[TIMESTAMP_TEXT_MAX];

	timestamp_print(text, ns, TIMESTAMP_DEFAULT);
	text[strlen("YYYY/MM/DDTHH")] = '\0';
	add_switch(command, name, text);
}

/* With a NULL at its end. */
static GPtrArray *make_command(const struct scanflows *flows, const char *path)
{
	const char *program = tool_getenv("RWFILTER");
	GPtrArray *command = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(command, g_strdup(program ? program : "rwfilter"));
	add_hour(command, "start-date", flows->first_ns);
	add_hour(command, "end-date", flows->last_ns);
	add_switch(command, "class", flows->class_name);
	add_switch(command, "type", flows->type);
	add_switch(command, flows->responses ? "dipset" : "sipset", "/dev/stdin");
	add_switch(command, flows->responses ? "saddress" : "daddress", flows->targets);
	add_switch(command, flows->responses ? "sipset" : "dipset", flows->target_set);
	add_switch(command, "pass-destination", path);
	g_ptr_array_add(command, NULL);
	return command;
}

/* Returns when it cannot be run, which was told. */
static void run_command(const GPtrArray *command, int input_fd)
{
	if (dup2(input_fd, STDIN_FILENO) >= 0) {
		execvp(command->pdata[0], (char **)command->pdata);
	}
	tool_warn("cannot run %s: %s", (const char *)command->pdata[0], strerror(errno));
}

void scanflows_become_rwfilter(const struct scanflows *flows, const char *path)
{
	run_command(make_command(flows, path), make_set_file(flows->scanners));
	exit(TOOL_EXIT_ERROR);
}

/* Standard input becomes what rwfilter passes. */
static pid_t start_rwfilter(const GPtrArray *command, int input_fd)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) != 0 || (child = fork()) < 0) {
		tool_die("cannot make a process: %s", strerror(errno));
	}
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		run_command(command, input_fd);
		_exit(TOOL_EXIT_ERROR);
	}
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	close(ends[1]);
	return child;
}

/* Returns an enum tool_exit. */
static int add_sources(struct ipset *set, struct tool_env *env)
{
	const struct source_opts opts = { .ipv6_policy = NULL };
	struct source *source = source_new(env, &opts, 0, NULL);
	struct batch *batch = batch_new();

	while (source_next(source, batch, COLUMN_BIT(COLUMN_SIP))) {
		for (uint32_t i = 0; i < batch->selected; i++) {
			ipset_add(set, batch->sip[batch->selection[i]]);
		}
	}
	batch_free(batch);
	return source_close(source);
}

struct ipset *scanflows_sources(const struct scanflows *flows, struct tool_env *env)
{
	GPtrArray *command = make_command(flows, "stdout");
	int scanners_fd = make_set_file(flows->scanners);
	pid_t child = start_rwfilter(command, scanners_fd);
	struct ipset *set = ipset_new();
	int status = add_sources(set, env);
	int child_status = 0;

	close(scanners_fd);
	ipset_finish(set);
	if (waitpid(child, &child_status, 0) < 0 || child_status != 0 || status != TOOL_EXIT_OK) {
		tool_warn("%s has failed", (const char *)command->pdata[0]);
		g_clear_pointer(&set, ipset_free);
	}
	g_ptr_array_free(command, TRUE);
	return set;
}
