/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the listener share: listen.c, listen_stream.c, listen_udp.c. */
#ifndef TUSSAH_PACKER_LISTEN_INTERNAL_H
#define TUSSAH_PACKER_LISTEN_INTERNAL_H

#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>

#include "packer/listen.h"

#define LISTEN_SOCKETS_MAX 8

enum listen_counter {
	LISTEN_ACCEPTED,
	LISTEN_OPEN,
	LISTEN_REFUSED,
	LISTEN_OVER_LIMIT,
	LISTEN_MESSAGES,
	LISTEN_BYTES,
	LISTEN_BROKEN,
	LISTEN_DROPPED,
	LISTEN_COUNTERS,
};

struct listener {
	struct listen_opts opts; /* host and defaults resolved */
	const struct listen_handler *handler;
	void *arg;
	int fds[LISTEN_SOCKETS_MAX];
	unsigned fd_count;
	uint16_t port;
	int stop_fd; /* readable for ever once stopping */
	atomic_bool stopping;
	pthread_t thread;
	GPtrArray *conns; /* of struct listen_conn; the accepting thread's own until it has ended */
	struct loglimits *log_limits; /* by what they are about */
	_Atomic uint64_t counters[LISTEN_COUNTERS];
};

void listen_count(struct listener *listener, enum listen_counter counter, int64_t n);
/* What strangers can cause: of lines about the same, about, not too many. */
void listen_log(struct listener *listener, enum log_level level, const char *about, const char *fmt,
		...) __attribute__((format(printf, 4, 5)));
/* Fill address and sockaddr; IPv4 in IPv6 is unwrapped. */
void listen_set_peer(struct listen_peer *peer, const struct sockaddr_storage *from);

/* One TCP or TLS connection in a thread of its own. fd: taken. NULL: no thread could be made. */
struct listen_conn;
struct listen_conn *listen_conn_start(struct listener *listener, int fd,
				      const struct sockaddr_storage *from);
bool listen_conn_finished(const struct listen_conn *conn);
/* Wait for its thread and free. */
void listen_conn_join(struct listen_conn *conn);

/* The whole life of a UDP listener; a thread's start routine, arg: struct listener. */
void *listen_udp_main(void *arg);

#endif
