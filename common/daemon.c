/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <glib.h>

#include "common/log.h"
#include "common/supervise.h"

/* What signals set; the one mutable state of this file. */
static struct {
	atomic_int stop_signal; /* the number, or -1 for daemon_request_stop() */
	atomic_bool hurried;
	atomic_bool reload;
	atomic_bool report;
	bool reload_on_hup;
	int wake_fd;
	char *pidfile; /* written by us; removed at the end */
	int pidfile_fd;
} state = { .wake_fd = -1, .pidfile_fd = -1 };

const struct opt daemon_opt_table[] = {
	OPT_FLAG(struct daemon_opts, no_daemon, "no-daemon", 0, "stay in the foreground"),
	OPT_FLAG(struct daemon_opts, no_chdir, "no-chdir", 0,
		 "do not change to the root folder when becoming a daemon"),
	OPT_STR(struct daemon_opts, pidfile, "pidfile", 0, "FILE",
		"write the process id to this file, a complete path"),
	OPT_STR(struct daemon_opts, user, "user", 0, "USER",
		"become this user once everything that needs privileges is open"),
	OPT_STR(struct daemon_opts, group, "group", 0, "GROUP",
		"become this group (default: that of --user)"),
	OPT_END,
};

static void wake(void)
{
	const uint64_t one = 1;
	ssize_t done = write(state.wake_fd, &one, sizeof(one));

	(void)done; /* full: it is readable already */
}

/* Only atomics and write(2): safe in a signal handler. */
static void on_signal(int number)
{
	int saved_errno = errno;
	int none = 0;

	if (number == SIGUSR1) {
		atomic_store(&state.report, true);
	} else if (number == SIGHUP && state.reload_on_hup) {
		atomic_store(&state.reload, true);
	} else if (!atomic_compare_exchange_strong(&state.stop_signal, &none, number)) {
		atomic_store(&state.hurried, true);
	}
	wake();
	errno = saved_errno;
}

static void install_handlers(void)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGQUIT, SIGPWR, SIGHUP, SIGUSR1 };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
		sigaction(numbers[i], &action, NULL);
	}
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

/*
 * The file is locked as long as we live. One that is another's stays as it is: whoever starts a second
 * daemon by mistake must not take the first one's away.
 */
static int write_pidfile(const char *path, struct err *err)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
		log_msg(LOG_LEVEL_WARNING, "PID file '%s' is that of a running process: left alone",
			path);
		close(fd);
		return ST_OK;
	}
	if (fd < 0 || ftruncate(fd, 0) != 0 || write(fd, text, (size_t)len) != len) {
		err_errno(err, ST_EIO, errno, "Unable to write PID file '%s'", path);
		if (fd >= 0) {
			close(fd);
		}
		return ST_EIO;
	}
	state.pidfile = g_strdup(path);
	state.pidfile_fd = fd;
	return ST_OK;
}

/* Where --pidfile says, or beside the log files if they have a folder (silk-packing.md 4.3). */
static int write_default_pidfile(const struct daemon_opts *opts, const char *program,
				 struct err *err)
{
	const char *directory = log_directory();
	char *path = NULL;
	int st = ST_OK;

	if (opts->pidfile) {
		path = g_strdup(opts->pidfile);
	} else if (directory) {
		path = g_strdup_printf("%s/%s.pid", directory, program);
	}
	if (path) {
		st = write_pidfile(path, err);
	}
	g_free(path);
	return st;
}

/* Standard streams go to the log, or nowhere. */
static void redirect_streams(void)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int out_fd = log_fd() > STDERR_FILENO ? log_fd() : null_fd;

	dup2(null_fd, STDIN_FILENO);
	dup2(out_fd, STDOUT_FILENO);
	dup2(out_fd, STDERR_FILENO);
	if (null_fd > STDERR_FILENO) {
		close(null_fd);
	}
}

static int detach(const struct daemon_opts *opts, struct err *err)
{
	pid_t child;

	if (!opts->no_chdir && chdir("/") != 0) {
		return err_errno(err, ST_EIO, errno, "Unable to change directory to '/'");
	}
	child = fork();
	if (child < 0) {
		return err_errno(err, ST_EIO, errno, "Unable to fork for daemon");
	}
	if (child > 0) {
		log_msg(LOG_LEVEL_INFO, "Forked child %ld.  Parent exiting", (long)child);
		_exit(0);
	}
	setsid();
	redirect_streams();
	umask(022);
	return ST_OK;
}

int daemon_start(const struct daemon_opts *opts, const char *program, bool reload_on_hup,
		 struct err *err)
{
	int st = ST_OK;

	if (opts->pidfile && opts->pidfile[0] != '/') {
		return err_set(err, ST_EINVAL,
			       "Invalid pidfile: Must use complete path ('%s' does not begin with "
			       "slash)",
			       opts->pidfile);
	}
	state.reload_on_hup = reload_on_hup;
	state.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (state.wake_fd < 0) {
		return err_errno(err, ST_EIO, errno, "%s: Unable to make an event descriptor",
				 program);
	}
	if (!opts->no_daemon) {
		st = detach(opts, err);
	}
	if (st == ST_OK) {
		/* before the pid file: who reads it may send a signal at once */
		install_handlers();
		if (!opts->no_daemon) {
			st = write_default_pidfile(opts, program, err);
		}
	}
	return st;
}

/* A name, or a number for which there is no name. */
static int find_user(const char *text, uid_t *uid, gid_t *gid, struct err *err)
{
	const struct passwd *user = getpwnam(text);

	if (!user) {
		return err_set(err, ST_ENOENT, "Invalid user '%s': No such user", text);
	}
	*uid = user->pw_uid;
	*gid = user->pw_gid;
	return ST_OK;
}

/* Whom the switches name; ourselves where they name nobody. */
static int find_identity(const struct daemon_opts *opts, uid_t *uid, gid_t *gid, struct err *err)
{
	const struct group *group;
	int st;

	*uid = getuid();
	*gid = getgid();
	if (opts->user && (st = find_user(opts->user, uid, gid, err)) != ST_OK) {
		return st;
	}
	if (opts->group) {
		group = getgrnam(opts->group);
		if (!group) {
			return err_set(err, ST_ENOENT, "Invalid group '%s': No such group",
				       opts->group);
		}
		*gid = group->gr_gid;
	}
	return ST_OK;
}

/* The groups that the user is a member of count, too. */
static int join_groups(const struct daemon_opts *opts, gid_t gid)
{
	return opts->user ? initgroups(opts->user, gid) : setgroups(1, &gid);
}

typedef int (*become_fn)(uid_t uid, gid_t gid, struct err *err);

/* Whom the switches name, if anybody. */
static int become_named(const struct daemon_opts *opts, become_fn become, struct err *err)
{
	uid_t uid;
	gid_t gid;
	int st;

	if (!opts->user && !opts->group) {
		return ST_OK;
	}
	st = find_identity(opts, &uid, &gid, err);
	if (st != ST_OK) {
		return st;
	}
	if (join_groups(opts, gid) != 0) {
		return err_errno(err, ST_EAUTH, errno, "Unable to drop privileges");
	}
	return become(uid, gid, err);
}

static int become_for_files(uid_t uid, gid_t gid, struct err *err)
{
	setfsgid(gid);
	setfsuid(uid);
	/* They return the identity before, whether they failed or not. */
	if ((gid_t)setfsgid((gid_t)-1) != gid || (uid_t)setfsuid((uid_t)-1) != uid) {
		return err_set(err, ST_EAUTH, "Unable to use files as another user");
	}
	return ST_OK;
}

int daemon_file_identity(const struct daemon_opts *opts, struct err *err)
{
	return become_named(opts, become_for_files, err);
}

static int become_for_good(uid_t uid, gid_t gid, struct err *err)
{
	if (setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) {
		return err_errno(err, ST_EAUTH, errno, "Unable to drop privileges");
	}
	/* Getting them back must fail now. */
	if (uid != 0 && setuid(0) == 0) {
		return err_set(err, ST_EAUTH, "Unable to drop privileges for good");
	}
	return ST_OK;
}

int daemon_drop_privileges(const struct daemon_opts *opts, struct err *err)
{
	return become_named(opts, become_for_good, err);
}

bool daemon_stopping(void)
{
	return atomic_load_explicit(&state.stop_signal, memory_order_relaxed) != 0;
}

bool daemon_is_hurried(void)
{
	return atomic_load_explicit(&state.hurried, memory_order_relaxed);
}

int daemon_stop_signal(void)
{
	int number = atomic_load(&state.stop_signal);

	return number > 0 ? number : 0;
}

/* The event is consumed with the flag; the stop flag stays, and stays readable. */
static bool take(atomic_bool *flag)
{
	uint64_t count;

	if (!atomic_load_explicit(flag, memory_order_relaxed)) {
		return false;
	}
	if (read(state.wake_fd, &count, sizeof(count)) < 0) {
		count = 0;
	}
	atomic_store(flag, false);
	if (daemon_stopping() || atomic_load(&state.reload) || atomic_load(&state.report)) {
		wake();
	}
	return true;
}

bool daemon_take_reload(void)
{
	return take(&state.reload);
}

bool daemon_take_report(void)
{
	return take(&state.report);
}

void daemon_request_stop(void)
{
	int none = 0;

	atomic_compare_exchange_strong(&state.stop_signal, &none, -1);
	wake();
}

int daemon_wake_fd(void)
{
	return state.wake_fd;
}

void daemon_finish(void)
{
	if (state.pidfile) {
		unlink(state.pidfile);
		g_clear_pointer(&state.pidfile, g_free);
		close(state.pidfile_fd);
	}
}

struct supervise *daemon_supervise(void)
{
	const struct supervise_env env = {
		.notify_socket = getenv("NOTIFY_SOCKET"),
		.watchdog_usec = getenv("WATCHDOG_USEC"),
		.watchdog_pid = getenv("WATCHDOG_PID"),
		.listen_pid = getenv("LISTEN_PID"),
		.listen_fds = getenv("LISTEN_FDS"),
	};

	return supervise_new(&env, getpid());
}
