/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/daemon.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/metrics.h"
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
	raise(SIGINT);
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

static void test_notify(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char text[64] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", unit_scratch());
	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	daemon_notify(address.sun_path, "READY=1");
	CU_ASSERT_EQUAL(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 7);
	UNIT_ASSERT_STR(text, "READY=1");
	daemon_notify(NULL, "READY=1");
	daemon_notify("relative", "READY=1");
	CU_ASSERT_EQUAL(recv(fd, text, sizeof(text), MSG_DONTWAIT), -1);
	close(fd);
}

static void test_metrics(void)
{
	static const struct metric table[] = { { "records", "records read" },
					       { "bytes", "bytes read" } };
	_Atomic uint64_t values[2] = { 0, 0 };
	char text[32];

	metric_add(&values[1], 12);
	UNIT_ASSERT_U64(metrics_format(text, sizeof(text), table, values, 2, 0), 19);
	UNIT_ASSERT_STR(text, "records 0, bytes 12");
	metrics_format(text, sizeof(text), table, values, 2, 1);
	UNIT_ASSERT_STR(text, "bytes 12");
	metrics_format(text, 12, table, values, 2, 0);
	UNIT_ASSERT_STR(text, "records 0");
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "bad switches", test_bad_switches },
		{ "signals", test_signals },
		{ "notify", test_notify },
		{ "metrics", test_metrics },
		{ NULL, NULL },
	};

	return unit_run("daemon", cases);
}
