/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the small daemons of the packer share: switches read and checked while a person watches, the
 * log opened, the daemon made, its work run until it is told to stop.
 *
 *	static const struct daemontool tool = { .name = "rwpollexec", .summary = "...",
 *		.table = table, .log_offset = offsetof(struct opts, log), ... };
 *	int main(int argc, char **argv)
 *	{
 *		struct opts opts = { .interval_s = 15 };
 *
 *		return daemontool_main(&tool, &opts, argc, argv);
 *	}
 */
#ifndef TUSSAH_PACKER_DAEMONTOOL_H
#define TUSSAH_PACKER_DAEMONTOOL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/daemon.h"
#include "common/log.h"
#include "common/opt.h"
#include "common/supervise.h"

/* One complaint about the switches, without the program's name. */
typedef void (*daemontool_complain_fn)(void *arg, const char *text);

struct daemontool {
	const char *name;
	const char *usage;   /* behind the name, for --help */
	const char *summary; /* one line */
	const struct opt *table;
	size_t log_offset; /* of struct log_opts in the options */
	size_t daemon_offset;
	/* What one switch alone cannot know; returns how many complaints there were. */
	unsigned (*check)(const void *opts, daemontool_complain_fn complain, void *arg);
	/* Before the daemon is made: read configuration. May be NULL. Errors go to stderr. */
	int (*prepare)(void *opts, struct err *err);
	/* run opens what needs privileges, and then gives them up itself. */
	bool keeps_privileges;
	/* The work, in the daemon; returns when daemon_stopping(). It says supervise_ready() when
	 * it has begun. Errors go to the log. */
	int (*run)(void *opts, struct supervise *supervise, struct err *err);
};

/* Returns the exit status. opts is defaulted by the caller. */
int daemontool_main(const struct daemontool *tool, void *opts, int argc, char **argv);

/* OPT_CALL parser of a directory's absolute path into a const char *, worded as SiLK does. */
int daemontool_parse_directory(const struct opt *opt, const char *text, void *dest,
			       struct err *err);
/* Complain of each of these switches that was not given; returns how many. */
struct daemontool_required {
	const char *name;
	const char *value;
};
unsigned daemontool_check_required(const struct daemontool_required *required, size_t count,
				   daemontool_complain_fn complain, void *arg);

/* The file that configures the site: by the switches --site-config-file and --root-directory (each
 * may be NULL) and the environment. Returned, free with g_free(); it need not be there. */
char *daemontool_find_site(const char *site_config_file, const char *root_directory);

/* Log the command line, each argument in quotes. */
void daemontool_log_command_line(int argc, char **argv);
/* Log the signal that stopped us, and that the end begins. */
void daemontool_log_stop(void);
/* The same of a daemontool, to the service manager, too. */
void daemontool_stop(struct supervise *supervise);

#endif
