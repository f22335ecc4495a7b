/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/supervise.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib.h>

#include "tests/unit/unit.h"

#define ME 4711

/* A manager's socket; name: path or @abstract. */
static int manager_open(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, name, strlen(name));
	if (name[0] == '@') {
		address.sun_path[0] = '\0';
	}
	CU_ASSERT_EQUAL_FATAL(
		bind(fd, (struct sockaddr *)&address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
		0);
	return fd;
}

/* What was said next; "" for nothing. */
static const char *manager_hears(int fd, char text[256])
{
	ssize_t len = recv(fd, text, 255, MSG_DONTWAIT);

	text[len < 0 ? 0 : len] = '\0';
	return text;
}

static void test_lines(void)
{
	char *path = g_strdup_printf("%s/notify", unit_scratch());
	const char *names[] = { path, "@tussah-supervise-test" };
	char text[256];

	for (size_t i = 0; i < 2; i++) {
		const struct supervise_env env = { .notify_socket = names[i] };
		struct supervise *supervise = supervise_new(&env, ME);
		int fd = manager_open(names[i]);

		supervise_ready(supervise);
		UNIT_ASSERT_STR(manager_hears(fd, text), "READY=1");
		supervise_status(supervise, "%d sessions\nX=1", 3);
		UNIT_ASSERT_STR(manager_hears(fd, text), "STATUS=3 sessions X=1");
		supervise_reloading(supervise, 5000000);
		UNIT_ASSERT_STR(manager_hears(fd, text), "RELOADING=1\nMONOTONIC_USEC=5000");
		supervise_stopping(supervise);
		UNIT_ASSERT_STR(manager_hears(fd, text), "STOPPING=1");
		supervise_alive(supervise, 1);
		UNIT_ASSERT_STR(manager_hears(fd, text), "");
		supervise_free(supervise);
		close(fd);
	}
	g_free(path);
}

static void test_nobody_there(void)
{
	static const char *const names[] = { NULL, "", "/", "relative", "/nonexistent/notify" };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		const struct supervise_env env = { .notify_socket = names[i] };
		struct supervise *supervise = supervise_new(&env, ME);

		supervise_ready(supervise);
		CU_ASSERT_EQUAL(supervise_watchdog_ns(supervise), 0);
		CU_ASSERT_EQUAL(supervise_untaken(supervise), 0);
		supervise_free(supervise);
	}
	supervise_free(NULL);
}

static void test_watchdog(void)
{
	static const struct {
		const char *usec, *pid;
		int64_t ns;
	} cases[] = {
		{ "3000000", NULL, INT64_C(3000000000) },
		{ "3000000", "4711", INT64_C(3000000000) },
		{ "3000000", "4712", 0 },
		{ "3000000", "x", 0 },
		{ "-3", NULL, 0 },
		{ "99999999999999999999", NULL, 0 },
		{ NULL, NULL, 0 },
	};
	struct supervise *supervise;
	char text[256];
	int fd = manager_open("@tussah-watchdog-test");

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct supervise_env env = { .notify_socket = "@tussah-watchdog-test",
						   .watchdog_usec = cases[i].usec,
						   .watchdog_pid = cases[i].pid };

		supervise = supervise_new(&env, ME);
		CU_ASSERT_EQUAL(supervise_watchdog_ns(supervise), cases[i].ns);
		supervise_alive(supervise, INT64_C(10000000000));
		supervise_alive(supervise, INT64_C(10999999999)); /* too soon */
		UNIT_ASSERT_STR(manager_hears(fd, text), cases[i].ns ? "WATCHDOG=1" : "");
		UNIT_ASSERT_STR(manager_hears(fd, text), "");
		supervise_alive(supervise, INT64_C(11000000000));
		UNIT_ASSERT_STR(manager_hears(fd, text), cases[i].ns ? "WATCHDOG=1" : "");
		supervise_free(supervise);
	}
	close(fd);
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = port,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* The sockets must have the numbers from 3 on, so what is there is put aside in a child's way. */
static void pass_sockets(uint16_t ports[2])
{
	static const int types[] = { SOCK_DGRAM, SOCK_STREAM };

	for (int i = 0; i < 2; i++) {
		struct sockaddr_in address = loopback(0);
		socklen_t len = sizeof(address);
		int fd = socket(AF_INET, types[i], 0);

		CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&address, len), 0);
		getsockname(fd, (struct sockaddr *)&address, &len);
		ports[i] = address.sin_port;
		if (fd != SUPERVISE_FIRST_FD + i) {
			CU_ASSERT_EQUAL_FATAL(dup2(fd, SUPERVISE_FIRST_FD + i),
					      SUPERVISE_FIRST_FD + i);
			close(fd);
		}
	}
}

static void test_sockets(void)
{
	const struct supervise_env env = { .listen_pid = "4711", .listen_fds = "2" };
	int kept[2] = { fcntl(SUPERVISE_FIRST_FD, F_DUPFD, 20),
			fcntl(SUPERVISE_FIRST_FD + 1, F_DUPFD, 20) };
	struct supervise *supervise;
	struct sockaddr_in address;
	uint16_t ports[2];
	int fd;

	pass_sockets(ports);
	/* meant for somebody else */
	supervise = supervise_new(&env, ME + 1);
	CU_ASSERT_EQUAL(supervise_untaken(supervise), 0);
	supervise_free(supervise);
	CU_ASSERT_TRUE(fcntl(SUPERVISE_FIRST_FD, F_GETFD) >= 0);

	supervise = supervise_new(&env, ME);
	CU_ASSERT_EQUAL(supervise_untaken(supervise), 2);
	address = loopback(ports[0]);
	CU_ASSERT_EQUAL(supervise_take_socket(supervise, SOCK_STREAM, (struct sockaddr *)&address,
					      sizeof(address)),
			-1);
	address.sin_addr.s_addr = 0;
	CU_ASSERT_EQUAL(supervise_take_socket(supervise, SOCK_DGRAM, (struct sockaddr *)&address,
					      sizeof(address)),
			-1);
	address = loopback(ports[0]);
	fd = supervise_take_socket(supervise, SOCK_DGRAM, (struct sockaddr *)&address,
				   sizeof(address));
	CU_ASSERT_EQUAL(fd, SUPERVISE_FIRST_FD);
	CU_ASSERT_TRUE(fcntl(fd, F_GETFL) & O_NONBLOCK);
	CU_ASSERT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CU_ASSERT_EQUAL(supervise_take_socket(supervise, SOCK_DGRAM, (struct sockaddr *)&address,
					      sizeof(address)),
			-1);
	CU_ASSERT_EQUAL(supervise_untaken(supervise), 1);
	supervise_free(supervise);
	/* ours stays, what nobody took is closed */
	CU_ASSERT_TRUE(fcntl(fd, F_GETFD) >= 0);
	CU_ASSERT_TRUE(fcntl(SUPERVISE_FIRST_FD + 1, F_GETFD) < 0);
	close(fd);
	for (int i = 0; i < 2; i++) {
		if (kept[i] >= 0) {
			dup2(kept[i], SUPERVISE_FIRST_FD + i);
			close(kept[i]);
		}
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "lines to the manager", test_lines },
		{ "no manager", test_nobody_there },
		{ "watchdog", test_watchdog },
		{ "passed sockets", test_sockets },
		{ NULL, NULL },
	};

	return unit_run("supervise", cases);
}
