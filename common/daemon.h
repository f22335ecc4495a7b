/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Becoming a daemon, and being told to stop or reload.
 *
 *	if (daemon_start(&opts.daemon, "prog", true, err) != ST_OK) {	// forks unless --no-daemon
 *		...
 *	}
 *	while (!daemon_stopping()) {
 *		poll(fds, count, timeout);	// daemon_wake_fd() among fds
 *		if (daemon_take_reload()) {
 *			...
 *		}
 *	}
 *	daemon_finish();
 */
#ifndef TUSSAH_COMMON_DAEMON_H
#define TUSSAH_COMMON_DAEMON_H

#include <stdbool.h>

#include "common/err.h"
#include "common/opt.h"

struct daemon_opts {
	bool no_daemon;
	bool no_chdir;
	char *pidfile;
	char *user;  /* drop to this user ... */
	char *group; /* ... and group, after what needs privileges is open */
};
extern const struct opt daemon_opt_table[]; /* --no-daemon --no-chdir --pidfile --user --group */

/*
 * Check paths; unless no_daemon fork, detach (silk-packing.md 4.3) and write the pid file, which is
 * PROGRAM.pid beside the files of --log-directory when --pidfile does not say; the parent exits.
 * The log must be open. Install signal handlers: TERM INT QUIT PWR set the stop flag, HUP the
 * reload flag, USR1 the report flag, PIPE is ignored. reload_on_hup false: HUP stops as in SiLK.
 */
int daemon_start(const struct daemon_opts *opts, const char *program, bool reload_on_hup,
		 struct err *err);

/*
 * Use files as --user and --group if given, in this thread and those that it makes, so that what is
 * made now can be written to later; sockets and devices can still be opened as before.
 */
int daemon_file_identity(const struct daemon_opts *opts, struct err *err);

/* Change to --user and --group if given; fails rather than staying privileged. */
int daemon_drop_privileges(const struct daemon_opts *opts, struct err *err);

bool daemon_stopping(void);
int daemon_stop_signal(void);  /* 0 or the number that stopped us */
bool daemon_is_hurried(void);  /* a second such signal came: wait for nobody any more */
bool daemon_take_reload(void); /* true once per HUP */
bool daemon_take_report(void); /* true once per USR1 */
/* Stop from within (a broken output, a fatal error). */
void daemon_request_stop(void);

/* Readable when any of the flags above was set; poll it, never read it: the take calls drain it. */
int daemon_wake_fd(void);

/* Who supervises this process, by its environment; returned: supervise_free(). */
struct supervise;
struct supervise *daemon_supervise(void);

/* Remove the pid file. */
void daemon_finish(void);

#endif
