/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rwpollexec: run a command on each file that comes into a directory (silk-packing.md section 8).
 */
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/timestamp.h"
#include "packer/daemontool.h"
#include "packer/dirpoll.h"
#include "packer/disposal.h"
#include "packer/execcrew.h"

#define RWPOLLEXEC_TIMEOUTS_MAX 32

struct rwpollexec_opts {
	const char *command;
	const char *incoming_directory;
	uint64_t simultaneous;
	uint64_t polling_interval_s;
	struct exectimeout timeouts[RWPOLLEXEC_TIMEOUTS_MAX];
	size_t timeout_count;
	struct disposal_opts disposal;
	struct log_opts log;
	struct daemon_opts daemon;
};

static int parse_timeout(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct rwpollexec_opts *opts = dest;

	(void)opt;
	if (opts->timeout_count == RWPOLLEXEC_TIMEOUTS_MAX) {
		return err_set(err, ST_EINVAL, "Too many timeouts");
	}
	if (exectimeout_parse(text, &opts->timeouts[opts->timeout_count], err) != ST_OK) {
		return ST_EINVAL;
	}
	opts->timeout_count++;
	return ST_OK;
}

static int parse_command(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	char *line = NULL;
	int st;

	if (!text[0]) {
		return err_set(err, ST_EINVAL, "Invalid %s: Empty string", opt->name);
	}
	st = disposal_command(text, "", &line, err);
	g_free(line);
	if (st != ST_OK) {
		return err_prefix(err, "Invalid %s '%s'", opt->name, text);
	}
	*(const char **)dest = text;
	return ST_OK;
}

#define RWPOLLEXEC_DIRECTORY(member, name, help, ...)                                              \
	OPT_CALL(struct rwpollexec_opts, member, name, 0, "DIR", daemontool_parse_directory,       \
		 OPT_OWN_ERROR, help, __VA_ARGS__)

static const struct opt rwpollexec_table[] = {
	OPT_CALL(struct rwpollexec_opts, command, "command", 0, "CMD", parse_command, OPT_OWN_ERROR,
		 "run this for each file; %s is its path, %% a percent sign"),
	RWPOLLEXEC_DIRECTORY(incoming_directory, "incoming-directory", "watch this directory"),
	RWPOLLEXEC_DIRECTORY(disposal.error_directory, "error-directory",
			     "move files here whose command failed"),
	RWPOLLEXEC_DIRECTORY(disposal.archive_directory, "archive-directory",
			     "move files here whose command succeeded",
			     .default_text = "they are deleted"),
	OPT_FLAG(struct rwpollexec_opts, disposal.flat_archive, "flat-archive", 0,
		 "archive without subdirectories for date and hour"),
	OPT_U64(struct rwpollexec_opts, simultaneous, "simultaneous", 0, "N", 1, 50,
		"run so many commands at a time", .default_text = "1"),
	{ .kind = OPT_KIND_CALL,
	  .name = "timeout",
	  .arg = "SIGNAL,SECONDS",
	  .parse = parse_timeout,
	  .help = "send this signal to a command that has run for so long; repeatable" },
	OPT_U64(struct rwpollexec_opts, polling_interval_s, "polling-interval", 0, "SECONDS", 1,
		86400, "how often the directory is looked at", .default_text = "15"),
	OPT_GROUP(struct rwpollexec_opts, log, log_opt_table),
	OPT_GROUP(struct rwpollexec_opts, daemon, daemon_opt_table),
	OPT_END,
};

static unsigned rwpollexec_check(const void *arg, daemontool_complain_fn complain,
				 void *complain_arg)
{
	const struct rwpollexec_opts *opts = arg;
	const struct daemontool_required required[] = {
		{ "command", opts->command },
		{ "incoming-directory", opts->incoming_directory },
		{ "error-directory", opts->disposal.error_directory },
	};

	return daemontool_check_required(required, G_N_ELEMENTS(required), complain, complain_arg);
}

/* ---- running ---- */

struct rwpollexec {
	const struct rwpollexec_opts *opts;
	struct execcrew *crew;
	struct dirpoll *directory;
	struct supervise *supervise;
	struct err *err;
	bool broken; /* a file cannot be put where it belongs: running on would do it again */
};

static void command_done(void *arg, const char *path, bool well)
{
	struct rwpollexec *self = arg;
	int st = well ? disposal_good(&self->opts->disposal, path, (int64_t)time(NULL), self->err)
		      : disposal_bad(&self->opts->disposal, path, self->err);

	/* the command may have taken the file away itself */
	if (st != ST_OK && g_file_test(path, G_FILE_TEST_EXISTS)) {
		self->broken = true;
		daemon_request_stop();
	}
}

static int file_found(void *arg, const char *path, const char *name)
{
	struct rwpollexec *self = arg;

	(void)name;
	execcrew_add(self->crew, path);
	return ST_OK;
}

static void watch(struct rwpollexec *self)
{
	int64_t next_ns = 0;

	supervise_ready(self->supervise);
	while (!daemon_stopping()) {
		int64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);

		if (now_ns >= next_ns) {
			struct err err;

			next_ns = now_ns + (int64_t)self->opts->polling_interval_s * NS_PER_S;
			if (dirpoll_scan(self->directory, file_found, self, &err) != ST_OK) {
				log_msg(LOG_LEVEL_ERR, "%s", err.text);
			}
		}
		execcrew_poll(self->crew, daemon_wake_fd(),
			      (int)MIN((next_ns - now_ns) / NS_PER_MS + 1, 1000));
		supervise_alive(self->supervise, clock_now_ns(CLOCK_MONOTONIC));
		log_tick(clock_now_ns(CLOCK_REALTIME));
		daemon_take_report();
	}
}

static int rwpollexec_run(void *arg, struct supervise *supervise, struct err *err)
{
	struct rwpollexec_opts *opts = arg;
	struct rwpollexec self = { .opts = opts, .supervise = supervise, .err = err };
	const char *shell = getenv("SILK_RWPOLLEXEC_SHELL");
	const struct execcrew_opts crew = {
		.shell = shell && *shell ? shell : "/bin/sh",
		.command = opts->command,
		.timeouts = opts->timeouts,
		.timeout_count = opts->timeout_count,
		.simultaneous = (unsigned)opts->simultaneous,
		.done = command_done,
		.arg = &self,
	};

	opts->disposal.local_time = true;
	self.crew = execcrew_new(&crew);
	self.directory = dirpoll_new(opts->incoming_directory);
	watch(&self);
	daemontool_stop(supervise);
	log_msg(LOG_LEVEL_INFO, "Waiting for running commands to terminate...");
	execcrew_finish(self.crew);
	log_msg(LOG_LEVEL_INFO, "Running commands have ended.");
	log_msg(LOG_LEVEL_INFO, "Finished shutting down.");
	dirpoll_free(self.directory);
	execcrew_free(self.crew);
	return self.broken ? ST_EIO : ST_OK;
}

static const struct daemontool rwpollexec_tool = {
	.name = "rwpollexec",
	.usage = "--command=CMD --incoming-directory=DIR --error-directory=DIR [SWITCHES]",
	.summary = "run a command on each file that comes into a directory",
	.table = rwpollexec_table,
	.log_offset = offsetof(struct rwpollexec_opts, log),
	.daemon_offset = offsetof(struct rwpollexec_opts, daemon),
	.check = rwpollexec_check,
	.run = rwpollexec_run,
};

int main(int argc, char **argv)
{
	struct rwpollexec_opts opts = { .simultaneous = 1, .polling_interval_s = 15 };

	return daemontool_main(&rwpollexec_tool, &opts, argc, argv);
}
