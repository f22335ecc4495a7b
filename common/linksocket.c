/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/linksocket.h"

#include <errno.h>
#include <glib.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct linksocket_scheme {
	const char *prefix;
	int socktype;
	bool tls;
	const char *default_port;
};

static const struct linksocket_scheme linksocket_schemes[] = {
	{ "tls://", SOCK_STREAM, true, "4740" },
	{ "tcp://", SOCK_STREAM, false, "4739" },
	{ "udp://", SOCK_DGRAM, false, "4739" },
};

struct linksocket {
	const struct linksocket_scheme *scheme;
	char *destination;
	char *host;
	char *port;
	struct tls_context *context;
	struct addrinfo *addresses;
	struct addrinfo *address; /* being tried or connected */
	int fd;
	bool connected; /* TCP is up */
	struct tls_conn *tls;
	short write_wants; /* poll events of a write that got ST_EAGAIN */
	char numeric[NI_MAXHOST + NI_MAXSERV + 4];
	char describe[NI_MAXHOST + NI_MAXSERV + 128];
};

static int linksocket_parse_port(const char *text, struct err *err)
{
	guint64 port;

	if (!g_ascii_string_to_unsigned(text, 10, 1, 65535, &port, NULL)) {
		return err_set(err, ST_EINVAL, "port '%s' is not a number from 1 to 65535", text);
	}
	return ST_OK;
}

/* "host", "host:port", "[v6]", "[v6]:port" */
static int linksocket_parse_host(struct linksocket *sock, const char *text, struct err *err)
{
	const char *host = text;
	const char *host_end;
	const char *port = NULL;

	if (*text == '[') {
		host++;
		host_end = strchr(host, ']');
		if (!host_end || (host_end[1] && host_end[1] != ':')) {
			return err_set(err, ST_EINVAL, "no closing bracket before the port");
		}
		port = host_end[1] ? host_end + 2 : NULL;
	} else {
		host_end = host + strcspn(host, ":");
		port = *host_end ? host_end + 1 : NULL;
	}
	if (host_end == host) {
		return err_set(err, ST_EINVAL, "no host");
	}
	if (port && linksocket_parse_port(port, err) != ST_OK) {
		return ST_EINVAL;
	}
	sock->host = g_strndup(host, (gsize)(host_end - host));
	sock->port = g_strdup(port ? port : sock->scheme->default_port);
	return ST_OK;
}

static int linksocket_parse(struct linksocket *sock, const char *destination, struct err *err)
{
	for (size_t i = 0; i < G_N_ELEMENTS(linksocket_schemes); i++) {
		if (g_str_has_prefix(destination, linksocket_schemes[i].prefix)) {
			sock->scheme = &linksocket_schemes[i];
		}
	}
	if (!sock->scheme) {
		return err_set(err, ST_EINVAL, "%s: does not begin with tls://, tcp:// or udp://",
			       destination);
	}
	if (linksocket_parse_host(sock, destination + strlen(sock->scheme->prefix), err) != ST_OK) {
		return err_prefix(err, "%s", destination);
	}
	return ST_OK;
}

int linksocket_new(struct linksocket **out, const char *destination, const struct tls_opts *tls,
		   struct err *err)
{
	struct linksocket *sock = g_new0(struct linksocket, 1);
	int rc;

	sock->fd = -1;
	sock->destination = g_strdup(destination);
	rc = linksocket_parse(sock, destination, err);
	if (rc == ST_OK && sock->scheme->tls) {
		rc = tls_context_new(&sock->context, tls, false, err);
	}
	if (rc != ST_OK) {
		linksocket_free(sock);
		return rc;
	}
	*out = sock;
	return ST_OK;
}

static void linksocket_drop(struct linksocket *sock)
{
	tls_conn_free(sock->tls);
	sock->tls = NULL;
	if (sock->fd >= 0) {
		close(sock->fd);
	}
	sock->fd = -1;
	sock->connected = false;
	sock->write_wants = 0;
	sock->describe[0] = '\0';
}

void linksocket_close(struct linksocket *sock)
{
	if (sock->tls) {
		tls_conn_shutdown(sock->tls);
	}
	linksocket_drop(sock);
	if (sock->addresses) {
		freeaddrinfo(sock->addresses);
	}
	sock->addresses = NULL;
	sock->address = NULL;
}

void linksocket_free(struct linksocket *sock)
{
	if (sock) {
		linksocket_close(sock);
		tls_context_free(sock->context);
		g_free(sock->destination);
		g_free(sock->host);
		g_free(sock->port);
		g_free(sock);
	}
}

static void linksocket_name_address(struct linksocket *sock)
{
	char host[NI_MAXHOST];
	char port[NI_MAXSERV];

	if (getnameinfo(sock->address->ai_addr, sock->address->ai_addrlen, host, sizeof(host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
		g_strlcpy(sock->numeric, sock->destination, sizeof(sock->numeric));
		return;
	}
	if (strchr(host, ':')) {
		snprintf(sock->numeric, sizeof(sock->numeric), "[%s]:%s", host, port);
	} else {
		snprintf(sock->numeric, sizeof(sock->numeric), "%s:%s", host, port);
	}
}

/* Open a socket for sock->address and start to connect it. */
static int linksocket_start(struct linksocket *sock, struct err *err)
{
	const struct addrinfo *ai = sock->address;
	int one = 1;

	linksocket_name_address(sock);
	sock->fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
			  ai->ai_protocol);
	if (sock->fd < 0) {
		return err_errno(err, ST_EIO, errno, "%s", sock->numeric);
	}
	if (ai->ai_socktype == SOCK_STREAM) {
		/* Failure of either costs speed only. */
		setsockopt(sock->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
		setsockopt(sock->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	}
	if (connect(sock->fd, ai->ai_addr, ai->ai_addrlen) == 0) {
		sock->connected = true;
	} else if (errno != EINPROGRESS) {
		return err_errno(err, ST_EIO, errno, "%s", sock->numeric);
	}
	return ST_OK;
}

/* Start with sock->address or, where that fails at once, those behind it. */
static int linksocket_start_any(struct linksocket *sock, struct err *err)
{
	int rc = ST_EIO;

	for (; sock->address; sock->address = sock->address->ai_next) {
		rc = linksocket_start(sock, err);
		if (rc == ST_OK) {
			return ST_OK;
		}
		linksocket_drop(sock);
	}
	return rc;
}

int linksocket_connect(struct linksocket *sock, struct err *err)
{
	struct addrinfo hints = { .ai_socktype = sock->scheme->socktype,
				  .ai_flags = AI_NUMERICSERV };
	int rc;

	linksocket_close(sock);
	rc = getaddrinfo(sock->host, sock->port, &hints, &sock->addresses);
	if (rc != 0) {
		sock->addresses = NULL;
		return err_set(err, ST_EIO, "%s: %s", sock->host, gai_strerror(rc));
	}
	sock->address = sock->addresses;
	return linksocket_start_any(sock, err);
}

int linksocket_skip_address(struct linksocket *sock, struct err *err)
{
	if (!sock->address || !sock->address->ai_next) {
		return err_errno(err, ST_EIO, ETIMEDOUT, "%s", sock->numeric);
	}
	linksocket_drop(sock);
	sock->address = sock->address->ai_next;
	return linksocket_start_any(sock, err) == ST_OK ? ST_EAGAIN : ST_EIO;
}

/* Has TCP come up? On failure the next address is tried. */
static int linksocket_finish_connect(struct linksocket *sock, struct err *err)
{
	struct pollfd pfd = { .fd = sock->fd, .events = POLLOUT };
	int failure = 0;
	socklen_t len = sizeof(failure);

	if (poll(&pfd, 1, 0) == 0) {
		return ST_EAGAIN;
	}
	if (getsockopt(sock->fd, SOL_SOCKET, SO_ERROR, &failure, &len) != 0) {
		failure = errno;
	}
	if (failure == 0) {
		sock->connected = true;
		return ST_OK;
	}
	err_errno(err, ST_EIO, failure, "%s", sock->numeric);
	linksocket_drop(sock);
	sock->address = sock->address->ai_next;
	return sock->address && linksocket_start_any(sock, err) == ST_OK ? ST_EAGAIN : ST_EIO;
}

int linksocket_advance(struct linksocket *sock, struct err *err)
{
	int rc = sock->connected ? ST_OK : linksocket_finish_connect(sock, err);

	if (rc == ST_OK && sock->scheme->tls && !sock->tls) {
		rc = tls_conn_new(&sock->tls, sock->context, sock->fd, sock->host, err);
	}
	if (rc == ST_OK && sock->tls) {
		rc = tls_conn_handshake(sock->tls, err);
	}
	if (rc == ST_OK) {
		snprintf(sock->describe, sizeof(sock->describe), "%s%s%s", sock->numeric,
			 sock->tls ? ", " : "", sock->tls ? tls_conn_describe(sock->tls) : "");
	}
	return rc;
}

void linksocket_set_timeout(struct linksocket *sock, int64_t timeout_ns)
{
	const int timeout_ms = (int)MIN(timeout_ns / 1000000, INT_MAX);
	const int third_s = MAX(timeout_ms / 3000, 1);
	const int probes = 2;

	if (timeout_ns <= 0 || linksocket_is_datagram(sock)) {
		return;
	}
	/* Where one fails, a dead peer is noticed later. */
	setsockopt(sock->fd, IPPROTO_TCP, TCP_KEEPIDLE, &third_s, sizeof(third_s));
	setsockopt(sock->fd, IPPROTO_TCP, TCP_KEEPINTVL, &third_s, sizeof(third_s));
	setsockopt(sock->fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
	/* A foreign peer that reads nothing for a while must not lose its connection: what is sent
	 * again would be there twice. */
	if (linksocket_is_link(sock)) {
		setsockopt(sock->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
			   sizeof(timeout_ms));
	}
}

int linksocket_read(struct linksocket *sock, void *out, size_t size, size_t *done, struct err *err)
{
	ssize_t n;

	if (sock->tls) {
		return tls_conn_read(sock->tls, out, size, done, err);
	}
	*done = 0;
	n = recv(sock->fd, out, size, 0);
	if (n < 0) {
		return errno == EAGAIN || errno == EINTR
			       ? ST_EAGAIN
			       : err_errno(err, ST_EIO, errno, "%s", sock->numeric);
	}
	if (n == 0) {
		return sock->scheme->socktype == SOCK_DGRAM ? ST_EAGAIN : ST_END;
	}
	*done = (size_t)n;
	return ST_OK;
}

int linksocket_write(struct linksocket *sock, const void *bytes, size_t size, size_t *done,
		     struct err *err)
{
	ssize_t n;
	int rc;

	sock->write_wants = 0;
	if (sock->tls) {
		rc = tls_conn_write(sock->tls, bytes, size, done, err);
		sock->write_wants = rc == ST_EAGAIN ? tls_conn_wants(sock->tls) : 0;
		return rc;
	}
	*done = 0;
	n = send(sock->fd, bytes, size, MSG_NOSIGNAL);
	if (n >= 0) {
		*done = (size_t)n;
		return ST_OK;
	}
	if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) {
		sock->write_wants = POLLOUT;
		return ST_EAGAIN;
	}
	return err_errno(err, errno == EMSGSIZE ? ST_ELIMIT : ST_EIO, errno, "%s", sock->numeric);
}

int linksocket_fd(const struct linksocket *sock)
{
	return sock->fd;
}

short linksocket_events(const struct linksocket *sock)
{
	if (!sock->connected) {
		return POLLOUT;
	}
	if (sock->tls && !*sock->describe) {
		return tls_conn_wants(sock->tls);
	}
	return POLLIN | sock->write_wants;
}

bool linksocket_is_datagram(const struct linksocket *sock)
{
	return sock->scheme->socktype == SOCK_DGRAM;
}

bool linksocket_is_tls(const struct linksocket *sock)
{
	return sock->scheme->tls;
}

bool linksocket_is_link(const struct linksocket *sock)
{
	return sock->tls && tls_conn_is_link(sock->tls);
}

const char *linksocket_destination(const struct linksocket *sock)
{
	return sock->destination;
}

const char *linksocket_describe(const struct linksocket *sock)
{
	return sock->describe;
}
