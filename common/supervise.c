/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib.h>

#include "common/log.h"
#include "common/timestamp.h"

#define SUPERVISE_SOCKETS_MAX 256
#define SUPERVISE_LINE_MAX    512

struct supervise {
	struct sockaddr_un address;
	socklen_t address_len; /* 0: nobody listens */
	int64_t watchdog_ns;
	int64_t alive_ns; /* when it was said last */
	unsigned count;
	int fds[SUPERVISE_SOCKETS_MAX]; /* -1: taken */
};

static void supervise_find_manager(struct supervise *supervise, const char *notify_socket)
{
	size_t len = notify_socket ? strlen(notify_socket) : 0;

	if (len < 2 || len >= sizeof(supervise->address.sun_path) ||
	    !strchr("/@", notify_socket[0])) {
		return;
	}
	supervise->address.sun_family = AF_UNIX;
	memcpy(supervise->address.sun_path, notify_socket, len);
	if (notify_socket[0] == '@') {
		supervise->address.sun_path[0] = '\0'; /* abstract name: no NUL at its end */
	}
	supervise->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static uint64_t supervise_number(const char *text)
{
	uint64_t number = 0;

	return text && g_ascii_string_to_unsigned(text, 10, 0, INT64_MAX / NS_PER_US, &number, NULL)
		       ? number
		       : 0;
}

static void supervise_adopt(struct supervise *supervise, uint64_t count)
{
	supervise->count = (unsigned)MIN(count, SUPERVISE_SOCKETS_MAX);
	for (unsigned i = 0; i < supervise->count; i++) {
		int fd = SUPERVISE_FIRST_FD + (int)i;
		int flags = fcntl(fd, F_GETFD);

		supervise->fds[i] = flags < 0 ? -1 : fd;
		if (flags >= 0) {
			fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
		}
	}
}

struct supervise *supervise_new(const struct supervise_env *env, pid_t pid)
{
	struct supervise *supervise = g_new0(struct supervise, 1);
	uint64_t watched = supervise_number(env->watchdog_pid);

	supervise_find_manager(supervise, env->notify_socket);
	if (!env->watchdog_pid || watched == (uint64_t)pid) {
		supervise->watchdog_ns = (int64_t)supervise_number(env->watchdog_usec) * NS_PER_US;
	}
	if (supervise_number(env->listen_pid) == (uint64_t)pid) {
		supervise_adopt(supervise, supervise_number(env->listen_fds));
	}
	return supervise;
}

void supervise_free(struct supervise *supervise)
{
	for (unsigned i = 0; supervise && i < supervise->count; i++) {
		if (supervise->fds[i] >= 0) {
			close(supervise->fds[i]);
		}
	}
	g_free(supervise);
}

/* Addresses and ports alone: flow labels and the like are none of a listener's business. */
static bool supervise_same_address(const struct sockaddr_storage *bound,
				   const struct sockaddr *want, socklen_t len)
{
	struct sockaddr_in four[2];
	struct sockaddr_in6 six[2];

	if (bound->ss_family != want->sa_family) {
		return false;
	}
	if (want->sa_family == AF_INET && len >= sizeof(four[0])) {
		memcpy(&four[0], bound, sizeof(four[0]));
		memcpy(&four[1], want, sizeof(four[1]));
		return four[0].sin_port == four[1].sin_port &&
		       four[0].sin_addr.s_addr == four[1].sin_addr.s_addr;
	}
	if (want->sa_family == AF_INET6 && len >= sizeof(six[0])) {
		memcpy(&six[0], bound, sizeof(six[0]));
		memcpy(&six[1], want, sizeof(six[1]));
		return six[0].sin6_port == six[1].sin6_port &&
		       IN6_ARE_ADDR_EQUAL(&six[0].sin6_addr, &six[1].sin6_addr);
	}
	return false;
}

static bool supervise_fits(int fd, int type, const struct sockaddr *address, socklen_t len)
{
	struct sockaddr_storage bound = { 0 };
	socklen_t bound_len = sizeof(bound);
	int bound_type = 0;
	socklen_t type_len = sizeof(bound_type);

	return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_TYPE, &bound_type, &type_len) == 0 &&
	       bound_type == type && getsockname(fd, (struct sockaddr *)&bound, &bound_len) == 0 &&
	       supervise_same_address(&bound, address, len);
}

int supervise_take_socket(struct supervise *supervise, int type, const struct sockaddr *address,
			  socklen_t len)
{
	for (unsigned i = 0; i < supervise->count; i++) {
		int fd = supervise->fds[i];

		if (supervise_fits(fd, type, address, len)) {
			supervise->fds[i] = -1;
			fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
			return fd;
		}
	}
	return -1;
}

unsigned supervise_untaken(const struct supervise *supervise)
{
	unsigned left = 0;

	for (unsigned i = 0; i < supervise->count; i++) {
		left += supervise->fds[i] >= 0;
	}
	return left;
}

static void supervise_send(struct supervise *supervise, const char *text)
{
	int fd;

	if (supervise->address_len == 0) {
		return;
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* The manager's absence is no error of ours. */
	if (fd < 0 ||
	    sendto(fd, text, strlen(text), MSG_NOSIGNAL,
		   (const struct sockaddr *)&supervise->address, supervise->address_len) < 0) {
		log_msg(LOG_LEVEL_DEBUG, "cannot tell the service manager '%s': %s", text,
			g_strerror(errno));
	}
	if (fd >= 0) {
		close(fd);
	}
}

void supervise_ready(struct supervise *supervise)
{
	supervise_send(supervise, "READY=1");
}

void supervise_status(struct supervise *supervise, const char *fmt, ...)
{
	char text[SUPERVISE_LINE_MAX] = "STATUS=";
	size_t head = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + head, sizeof(text) - head, fmt, ap);
	va_end(ap);
	for (char *at = text; *at; at++) {
		*at = g_ascii_iscntrl(*at) ? ' ' : *at;
	}
	supervise_send(supervise, text);
}

void supervise_reloading(struct supervise *supervise, int64_t now_ns)
{
	char text[SUPERVISE_LINE_MAX];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64, now_ns / NS_PER_US);
	supervise_send(supervise, text);
}

void supervise_stopping(struct supervise *supervise)
{
	supervise_send(supervise, "STOPPING=1");
}

int64_t supervise_watchdog_ns(const struct supervise *supervise)
{
	return supervise->watchdog_ns;
}

void supervise_alive(struct supervise *supervise, int64_t now_ns)
{
	if (supervise->watchdog_ns > 0 &&
	    now_ns - supervise->alive_ns >= supervise->watchdog_ns / 3) {
		supervise->alive_ns = now_ns;
		supervise_send(supervise, "WATCHDOG=1");
	}
}
