/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a service manager and a daemon tell each other: readiness, a status line, signs of life, and
 * sockets that were opened before the daemon ran (systemd's notification and socket activation).
 *
 * Written here, not taken from libsystemd: both protocols are a datagram of KEY=VALUE lines and
 * three variables, promised to stay; the library would bring liblzma, liblz4, libzstd, libcap and
 * libgcrypt into daemons that read hostile bytes. The environment is the caller's to read.
 *
 *	const struct supervise_env env = { .notify_socket = getenv("NOTIFY_SOCKET"), ... };
 *	struct supervise *supervise = supervise_new(&env, getpid());
 *	fd = supervise_take_socket(supervise, SOCK_DGRAM, address, address_len);
 *	supervise_ready(supervise);
 *	while (...) {
 *		supervise_alive(supervise, now_ns);	// while work makes progress
 *		supervise_status(supervise, "%u sessions", sessions);
 *	}
 *	supervise_stopping(supervise);
 *	supervise_free(supervise);
 *
 * One thread.
 */
#ifndef TUSSAH_COMMON_SUPERVISE_H
#define TUSSAH_COMMON_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* The variables of that name in capitals; all borrowed during supervise_new(), any may be NULL. */
struct supervise_env {
	const char *notify_socket;
	const char *watchdog_usec;
	const char *watchdog_pid;
	const char *listen_pid;
	const char *listen_fds;
};

/* The first descriptor that is passed; those that follow have the next numbers. */
#define SUPERVISE_FIRST_FD 3

struct supervise;

/*
 * pid: who we are; what was meant for another process is not taken. Passed sockets are kept and
 * closed on exec from now on. Never fails: without a manager every call does nothing.
 */
struct supervise *supervise_new(const struct supervise_env *env, pid_t pid);
/* Closes the sockets that nobody took. */
void supervise_free(struct supervise *supervise);

/*
 * A socket that was passed and is bound to exactly this address; returned: the caller's to close,
 * not blocking. -1: none. type: SOCK_DGRAM or SOCK_STREAM (which listens already).
 */
int supervise_take_socket(struct supervise *supervise, int type, const struct sockaddr *address,
			  socklen_t len);
/* How many were passed and not taken. */
unsigned supervise_untaken(const struct supervise *supervise);

void supervise_ready(struct supervise *supervise);
/* One line for people; control characters become spaces. */
void supervise_status(struct supervise *supervise, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* supervise_ready() says that it is over. now_ns: CLOCK_MONOTONIC. */
void supervise_reloading(struct supervise *supervise, int64_t now_ns);
void supervise_stopping(struct supervise *supervise);

/* How often the manager wants a sign of life; 0: it does not watch. */
int64_t supervise_watchdog_ns(const struct supervise *supervise);
/* A sign of life; sent at most three times as often as wanted, so call it freely. */
void supervise_alive(struct supervise *supervise, int64_t now_ns);

#endif
