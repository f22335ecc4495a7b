/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/daemon.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <glib.h>

#include "common/log.h"
#include "tests/unit/unit.h"

static bool wake_readable(void)
{
	struct pollfd fd = { .fd = daemon_wake_fd(), .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

static void test_signals(void)
{
	const struct daemon_opts opts = { .no_daemon = true };
	struct err err;

	CU_ASSERT_EQUAL_FATAL(daemon_start(&opts, "prog", true, &err), ST_OK);
	CU_ASSERT_FALSE(wake_readable());
	raise(SIGHUP);
	raise(SIGUSR1);
	CU_ASSERT_TRUE(wake_readable());
	CU_ASSERT_TRUE(daemon_take_reload());
	CU_ASSERT_FALSE(daemon_take_reload());
	CU_ASSERT_TRUE(wake_readable());
	CU_ASSERT_TRUE(daemon_take_report());
	CU_ASSERT_FALSE(wake_readable());
	CU_ASSERT_FALSE(daemon_stopping());
	raise(SIGPIPE);
	raise(SIGTERM);
	CU_ASSERT_FALSE(daemon_is_hurried());
	raise(SIGINT);
	CU_ASSERT_TRUE(daemon_is_hurried());
	CU_ASSERT_TRUE(daemon_stopping());
	CU_ASSERT_EQUAL(daemon_stop_signal(), SIGTERM);
	CU_ASSERT_TRUE(wake_readable());
	daemon_finish();
}

static void test_bad_switches(void)
{
	const struct daemon_opts opts = { .no_daemon = true, .pidfile = (char *)"x.pid" };
	const struct daemon_opts nobody = { .user = (char *)"no-such-user-here" };
	struct err err;

	CU_ASSERT_EQUAL(daemon_start(&opts, "prog", true, &err), ST_EINVAL);
	UNIT_ASSERT_STR(
		err.text,
		"Invalid pidfile: Must use complete path ('x.pid' does not begin with slash)");
	CU_ASSERT_EQUAL(daemon_drop_privileges(&nobody, &err), ST_ENOENT);
	UNIT_ASSERT_STR(err.text, "Invalid user 'no-such-user-here': No such user");
}

/* What the daemon does in its own process; ends it. */
_Noreturn static void be_daemon(const struct log_opts *log, const struct daemon_opts *opts)
{
	char folder[256];
	struct err err;
	struct pollfd fd = { .events = POLLIN };

	if (log_open(log, "prog", NULL, &err) != ST_OK ||
	    daemon_start(opts, "prog", false, &err) != ST_OK || !getcwd(folder, sizeof(folder))) {
		_exit(1);
	}
	log_msg(LOG_LEVEL_INFO, "in %s", folder);
	fprintf(stderr, "stray line\n");
	fd.fd = daemon_wake_fd();
	while (!daemon_stopping()) {
		poll(&fd, 1, 10000);
	}
	log_msg(LOG_LEVEL_INFO, "signal %d", daemon_stop_signal());
	daemon_finish();
	log_close();
	_exit(0);
}

/* Wait until the file is there with content, or is gone; ten seconds at most. */
static bool wait_file(const char *path, bool there)
{
	for (int i = 0; i < 1000; i++) {
		struct stat st;

		if ((stat(path, &st) == 0 && st.st_size > 0) == there) {
			return true;
		}
		usleep(10000);
	}
	return false;
}

static void test_detach(void)
{
	char *folder = g_strdup(unit_scratch());
	char *log_path = g_build_filename(folder, "prog.log", NULL);
	char *pidfile = g_build_filename(folder, "x.pid", NULL);
	char *default_pidfile = g_build_filename(folder, "prog.pid", NULL);
	const struct log_opts to_file = { .pathname = log_path };
	const struct log_opts to_folder = { .directory = folder };
	const struct daemon_opts named = { .pidfile = pidfile };
	const struct daemon_opts unnamed = { .pidfile = NULL };

	for (int round = 0; round < 2; round++) {
		const char *path = round == 0 ? pidfile : default_pidfile;
		char *text = NULL;
		int status = -1;
		pid_t child = fork();

		if (child == 0) {
			be_daemon(round == 0 ? &to_file : &to_folder,
				  round == 0 ? &named : &unnamed);
		}
		unit_at("%s", path);
		CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
		CU_ASSERT_EQUAL(status, 0);
		CU_ASSERT_TRUE_FATAL(wait_file(path, true));
		CU_ASSERT(g_file_get_contents(path, &text, NULL, NULL));
		CU_ASSERT_EQUAL(kill((pid_t)g_ascii_strtoll(text, NULL, 10), SIGHUP), 0);
		CU_ASSERT(wait_file(path, false));
		g_free(text);
	}
	{
		char *text = NULL;

		CU_ASSERT(g_file_get_contents(log_path, &text, NULL, NULL));
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "Forked child "));
		CU_ASSERT_PTR_NOT_NULL(strstr(text, ".  Parent exiting\n"));
		CU_ASSERT_PTR_NOT_NULL(strstr(text, ": in /\n"));
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "stray line\n"));
		CU_ASSERT_PTR_NOT_NULL(strstr(text, ": signal 1\n"));
		g_free(text);
	}
	g_free(folder);
	g_free(log_path);
	g_free(pidfile);
	g_free(default_pidfile);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "detach", test_detach },
		{ "bad switches", test_bad_switches },
		{ "signals", test_signals },
		{ NULL, NULL },
	};

	return unit_run("daemon", cases);
}
