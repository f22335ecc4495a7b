/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Binding, accepting and stopping; the sessions are in listen_stream.c and listen_udp.c. */
#include "packer/listen.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/timestamp.h"
#include "packer/listen_internal.h"
#include "packer/loglimits.h"

#define LISTEN_BACKLOG             128
#define LISTEN_CONNECTIONS_DEFAULT 1024

/* Of lines about the same: a few to see who it is, then one a minute. */
static const struct log_rate listen_log_rate = { .burst = 10, .per_minute = 1 };
#define LISTEN_LOG_REASONS_MAX 64

void listen_count(struct listener *listener, enum listen_counter counter, int64_t n)
{
	atomic_fetch_add_explicit(&listener->counters[counter], (uint64_t)n, memory_order_relaxed);
}

void listener_get_stats(const struct listener *listener, struct listener_stats *out)
{
	const _Atomic uint64_t *c = listener->counters;

	*out = (struct listener_stats){
		.accepted = c[LISTEN_ACCEPTED],
		.open = c[LISTEN_OPEN],
		.refused = c[LISTEN_REFUSED],
		.over_limit = c[LISTEN_OVER_LIMIT],
		.messages = c[LISTEN_MESSAGES],
		.bytes = c[LISTEN_BYTES],
		.broken = c[LISTEN_BROKEN],
		.dropped = c[LISTEN_DROPPED],
	};
}

static void listen_emit(struct listener *listener, enum log_level level, const char *text)
{
	if (listener->handler->log) {
		listener->handler->log(listener->arg, level, text);
	} else {
		log_msg(level, "%s", text);
	}
}

void listen_log(struct listener *listener, enum log_level level, const char *about, const char *fmt,
		...)
{
	char text[ERR_TEXT_MAX + 128];
	char more[LOG_HELD_BACK_MAX];
	uint64_t held_back;
	size_t len;
	va_list ap;

	if (!loglimits_ok(listener->log_limits, about, 0, &held_back)) {
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	len = strlen(text);
	snprintf(text + len, sizeof(text) - len, "%s", log_held_back(held_back, more));
	listen_emit(listener, level, text);
}

static void listen_unwrap_v4(struct sockaddr_storage *addr)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four = { .sin_family = AF_INET };

	memcpy(&six, addr, sizeof(six));
	if (addr->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
		return;
	}
	four.sin_port = six.sin6_port;
	memcpy(&four.sin_addr, six.sin6_addr.s6_addr + 12, sizeof(four.sin_addr));
	memset(addr, 0, sizeof(*addr));
	memcpy(addr, &four, sizeof(four));
}

void listen_set_peer(struct listen_peer *peer, const struct sockaddr_storage *from)
{
	char host[INET6_ADDRSTRLEN + 16] = "?";
	char port[8] = "?";
	socklen_t len;

	peer->sockaddr = *from;
	listen_unwrap_v4(&peer->sockaddr);
	len = peer->sockaddr.ss_family == AF_INET ? sizeof(struct sockaddr_in)
						  : sizeof(struct sockaddr_in6);
	getnameinfo((struct sockaddr *)&peer->sockaddr, len, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	if (peer->sockaddr.ss_family == AF_INET) {
		snprintf(peer->address, sizeof(peer->address), "%s:%s", host, port);
	} else {
		snprintf(peer->address, sizeof(peer->address), "[%s]:%s", host, port);
	}
}

static uint16_t listen_bound_port(int fd)
{
	struct sockaddr_storage addr;
	struct sockaddr_in four;
	socklen_t len = sizeof(addr);

	if (getsockname(fd, (struct sockaddr *)&addr, &len) != 0) {
		return 0;
	}
	/* The port lies at the same place in both families. */
	memcpy(&four, &addr, sizeof(four));
	return ntohs(four.sin_port);
}

/* Let the kernel put together what comes in one burst from one peer, where it can (listen_udp.c
 * takes it apart): a call for each datagram is most of what receiving costs. */
static void listen_bundle(int fd)
{
	const int on = 1;

	setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on));
}

/*
 * As large as asked for: what the system allows, or more if we may have more. A burst that finds no
 * room is lost, so say when it is less.
 */
static void listen_widen(struct listener *listener, int fd)
{
	int want = listener->opts.udp_receive_buffer;
	int got = 0;
	socklen_t len = sizeof(got);

	if (want <= 0) {
		return;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &want, sizeof(want)) != 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &want, sizeof(want));
	}
	/* the kernel doubles what is asked for, for its own needs */
	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &len) == 0 && got / 2 < want) {
		listen_log(listener, LOG_LEVEL_NOTICE, "buffer",
			   "port %u: the receive buffer is %d bytes instead of %d (raise "
			   "net.core.rmem_max, or give CAP_NET_ADMIN)",
			   listener->port, got / 2, want);
	}
}

/* A new socket, bound. */
static int listen_new_socket(const struct listener *listener, const struct addrinfo *ai, int *out,
			     struct err *err)
{
	int on = 1;
	/* One socket serves both families, unless an address was asked for. */
	int only_v6 = listener->opts.host != NULL;
	int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		return err_errno(err, ST_EIO, errno, "socket");
	}
	if (ai->ai_socktype == SOCK_STREAM) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	}
	if (ai->ai_family == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof(only_v6));
	}
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 ||
	    (ai->ai_socktype == SOCK_STREAM && listen(fd, LISTEN_BACKLOG) != 0)) {
		err_errno(err, ST_EIO, errno, "cannot listen on %s port %u",
			  listener->opts.host ? listener->opts.host : "any address",
			  listener->port);
		close(fd);
		return ST_EIO;
	}
	*out = fd;
	return ST_OK;
}

static int listen_bind(struct listener *listener, const struct addrinfo *ai, struct err *err)
{
	const struct listen_opts *opts = &listener->opts;
	int fd = -1;
	int rc;

	if (opts->bound_socket) {
		fd = opts->bound_socket(opts->bound_socket_arg, ai->ai_socktype, ai->ai_addr,
					ai->ai_addrlen);
	}
	if (fd < 0) {
		rc = listen_new_socket(listener, ai, &fd, err);
		if (rc != ST_OK) {
			return rc;
		}
	}
	if (opts->transport == LISTEN_UDP) {
		listen_widen(listener, fd);
		listen_bundle(fd);
	}
	listener->port = listen_bound_port(fd);
	listener->fds[listener->fd_count++] = fd;
	return ST_OK;
}

static void listen_set_port(struct addrinfo *ai, uint16_t port)
{
	uint16_t wire = htons(port);

	memcpy((uint8_t *)ai->ai_addr + offsetof(struct sockaddr_in, sin_port), &wire,
	       sizeof(wire));
}

/* Every address of the host, all on one port. */
static int listen_bind_all(struct listener *listener, struct err *err)
{
	const struct listen_opts *opts = &listener->opts;
	struct addrinfo hints = { .ai_flags = AI_PASSIVE,
				  .ai_family = opts->host ? AF_UNSPEC : AF_INET6,
				  .ai_socktype = opts->transport == LISTEN_UDP ? SOCK_DGRAM
									       : SOCK_STREAM };
	struct addrinfo *list = NULL;
	int rc = getaddrinfo(opts->host, "0", &hints, &list);

	if (rc != 0) {
		return err_set(err, ST_EINVAL, "%s: %s", opts->host ? opts->host : "any address",
			       gai_strerror(rc));
	}
	listener->port = opts->port;
	rc = ST_EIO;
	for (struct addrinfo *ai = list; ai && listener->fd_count < LISTEN_SOCKETS_MAX;
	     ai = ai->ai_next) {
		listen_set_port(ai, listener->port);
		rc = listen_bind(listener, ai, err);
		if (rc != ST_OK && opts->host) {
			break;
		}
	}
	freeaddrinfo(list);
	if (rc != ST_OK && !opts->host) {
		/* A kernel without IPv6. */
		struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(opts->port) };
		struct addrinfo four = { .ai_family = AF_INET,
					 .ai_socktype = hints.ai_socktype,
					 .ai_addr = (struct sockaddr *)&any,
					 .ai_addrlen = sizeof(any) };

		rc = listen_bind(listener, &four, err);
	}
	return rc;
}

static void listen_reap(struct listener *listener, bool all)
{
	for (guint i = listener->conns->len; i-- > 0;) {
		struct listen_conn *conn = g_ptr_array_index(listener->conns, i);

		if (all || listen_conn_finished(conn)) {
			listen_conn_join(conn);
			g_ptr_array_remove_index_fast(listener->conns, i);
		}
	}
}

static void listen_accept(struct listener *listener, int listen_fd)
{
	struct sockaddr_storage from = { 0 };
	socklen_t len = sizeof(from);
	int fd = accept4(listen_fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct listen_conn *conn;
	struct listen_peer peer;

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			listen_log(listener, LOG_LEVEL_ERR, "accept",
				   "cannot accept a connection: %s", g_strerror(errno));
			poll(NULL, 0, 100);
		}
		return;
	}
	listen_reap(listener, false);
	if (listener->conns->len >= listener->opts.max_connections) {
		listen_set_peer(&peer, &from);
		listen_count(listener, LISTEN_OVER_LIMIT, 1);
		listen_log(listener, LOG_LEVEL_WARNING, "connections",
			   "refused connection from %s: %u connections are open", peer.address,
			   listener->conns->len);
		close(fd);
		return;
	}
	conn = listen_conn_start(listener, fd, &from);
	if (conn) {
		g_ptr_array_add(listener->conns, conn);
	}
}

static void *listen_main(void *arg)
{
	struct listener *listener = arg;
	struct pollfd pfds[LISTEN_SOCKETS_MAX + 1];
	unsigned n = listener->fd_count;

	for (unsigned i = 0; i < n; i++) {
		pfds[i] = (struct pollfd){ .fd = listener->fds[i], .events = POLLIN };
	}
	pfds[n] = (struct pollfd){ .fd = listener->stop_fd, .events = POLLIN };
	while (!listener->stopping) {
		poll(pfds, n + 1, 1000);
		for (unsigned i = 0; i < n && !listener->stopping; i++) {
			if (pfds[i].revents) {
				listen_accept(listener, pfds[i].fd);
			}
		}
		listen_reap(listener, false);
	}
	listen_reap(listener, true);
	return NULL;
}

static void listener_free(struct listener *listener)
{
	for (unsigned i = 0; i < listener->fd_count; i++) {
		close(listener->fds[i]);
	}
	if (listener->stop_fd >= 0) {
		close(listener->stop_fd);
	}
	g_ptr_array_free(listener->conns, TRUE);
	loglimits_free(listener->log_limits);
	g_free((char *)listener->opts.host);
	g_free(listener);
}

static void listener_set_defaults(struct listen_opts *opts)
{
	opts->host = g_strdup(opts->host);
	if (opts->max_connections == 0) {
		opts->max_connections = LISTEN_CONNECTIONS_DEFAULT;
	}
	if (opts->handshake_timeout_ns <= 0) {
		opts->handshake_timeout_ns = 10 * NS_PER_S;
	}
	if (opts->idle_timeout_ns <= 0 && opts->transport == LISTEN_UDP) {
		opts->idle_timeout_ns = 1800 * NS_PER_S;
	}
}

int listener_start(struct listener **out, const struct listen_opts *opts,
		   const struct listen_handler *handler, void *arg, struct err *err)
{
	struct listener *listener = g_new0(struct listener, 1);
	int failed;
	int rc;

	listener->opts = *opts;
	listener_set_defaults(&listener->opts);
	listener->handler = handler;
	listener->arg = arg;
	listener->conns = g_ptr_array_new();
	listener->log_limits = loglimits_new(&listen_log_rate, 1, LISTEN_LOG_REASONS_MAX);
	listener->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (listener->stop_fd < 0) {
		rc = err_errno(err, ST_EIO, errno, "eventfd");
		goto failed;
	}
	rc = listen_bind_all(listener, err);
	if (rc != ST_OK) {
		goto failed;
	}
	failed = pthread_create(&listener->thread, NULL,
				opts->transport == LISTEN_UDP ? listen_udp_main : listen_main,
				listener);
	if (failed) {
		rc = err_errno(err, ST_EIO, failed, "cannot start a thread");
		goto failed;
	}
	*out = listener;
	return ST_OK;
failed:
	listener_free(listener);
	return rc;
}

uint16_t listener_port(const struct listener *listener)
{
	return listener->port;
}

void listener_stop(struct listener *listener)
{
	uint64_t one = 1;

	if (!listener) {
		return;
	}
	listener->stopping = true;
	if (write(listener->stop_fd, &one, sizeof(one)) < 0) {
		/* The counter of an eventfd that nobody reads is full: readable already. */
		listen_log(listener, LOG_LEVEL_DEBUG, "eventfd", "eventfd: %s", g_strerror(errno));
	}
	pthread_join(listener->thread, NULL);
	listener_free(listener);
}

struct ip listen_peer_ip(const struct listen_peer *peer)
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	if (peer->sockaddr.ss_family == AF_INET) {
		memcpy(&v4, &peer->sockaddr, sizeof(v4));
		return ip_from_v4(ntohl(v4.sin_addr.s_addr));
	}
	memcpy(&v6, &peer->sockaddr, sizeof(v6));
	return ip_from_bytes(v6.sin6_addr.s6_addr);
}

char **listen_peer_names(const struct listen_peer *peer)
{
	GPtrArray *names = g_ptr_array_new();
	const char *name;

	for (size_t i = 0; peer->tls && (name = tls_conn_peer_name(peer->tls, i)); i++) {
		g_ptr_array_add(names, g_strdup(name));
	}
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}
