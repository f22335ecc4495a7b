/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/metricsd.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib.h>

#include "common/numlist.h"

#define METRICSD_CONNECTIONS      16
#define METRICSD_TIMEOUT_S        10
#define METRICSD_CONNECTION_BYTES (16 << 10) /* of request headers and the like */
#define METRICSD_BACKLOG          16
#define METRICSD_CONTENT_TYPE     "text/plain; version=0.0.4; charset=utf-8"
#define METRICSD_HEALTH_TYPE      "text/plain; charset=utf-8"
#define METRICSD_HOST_PORT_MAX    (NI_MAXHOST + 16)

struct metricsd {
	struct metricsd_sources sources;
	struct MHD_Daemon *daemon;
	char address[METRICSD_HOST_PORT_MAX];
};

/* ---- where ---- */

static int metricsd_split(const char *where, char **host, char **port, struct err *err)
{
	const char *colon = strrchr(where, ':');
	bool bracketed = colon && where[0] == '[' && colon > where && colon[-1] == ']';
	uint64_t number;

	if (!colon || (!bracketed && memchr(where, ':', (size_t)(colon - where))) ||
	    number_parse(colon + 1, 0, UINT16_MAX, &number, NULL) != ST_OK) {
		return err_set(err, ST_EINVAL,
			       "Invalid metrics '%s': not HOST:PORT, [ADDRESS]:PORT or :PORT",
			       where);
	}
	*host = bracketed ? g_strndup(where + 1, (gsize)(colon - where) - 2)
			  : g_strndup(where, (gsize)(colon - where));
	*port = g_strdup(colon + 1);
	return ST_OK;
}

int metricsd_check(const char *where, struct err *err)
{
	char *host = NULL;
	char *port = NULL;
	int st = metricsd_split(where, &host, &port, err);

	g_free(host);
	g_free(port);
	return st;
}

static int metricsd_bind(const struct addrinfo *ai, int *out)
{
	int on = 1;
	int off = 0;
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		return -errno;
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ai->ai_family == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	}
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, METRICSD_BACKLOG) != 0) {
		int failed = errno;

		close(fd);
		return -failed;
	}
	*out = fd;
	return 0;
}

static void metricsd_describe(struct metricsd *metricsd, int fd)
{
	struct sockaddr_storage bound = { 0 };
	socklen_t len = sizeof(bound);
	char host[NI_MAXHOST] = "?";
	char port[8] = "?";

	getsockname(fd, (struct sockaddr *)&bound, &len);
	getnameinfo((struct sockaddr *)&bound, len, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(metricsd->address, sizeof(metricsd->address),
		 bound.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

/* The first address of the host that can be bound. */
static int metricsd_listen(const char *where, int *out, struct err *err)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
				  .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	char *host = NULL;
	char *port = NULL;
	int failed = -EADDRNOTAVAIL;
	int st = metricsd_split(where, &host, &port, err);

	if (st == ST_OK) {
		int rc = getaddrinfo(*host ? host : NULL, port, &hints, &list);

		st = rc == 0 ? ST_OK
			     : err_set(err, ST_EINVAL, "Invalid metrics '%s': %s", where,
				       gai_strerror(rc));
	}
	/* IPv6 first for every address: one socket then serves both families */
	for (int pass = 0; st == ST_OK && failed != 0 && pass < 2; pass++) {
		for (struct addrinfo *ai = list; ai && failed != 0; ai = ai->ai_next) {
			if ((pass == 0) == (*host || ai->ai_family == AF_INET6)) {
				failed = metricsd_bind(ai, out);
			}
		}
	}
	if (st == ST_OK && failed != 0) {
		st = err_errno(err, ST_EIO, -failed, "cannot serve metrics at %s", where);
	}
	if (list) {
		freeaddrinfo(list);
	}
	g_free(host);
	g_free(port);
	return st;
}

/* ---- answers ---- */

/* body: taken. */
static enum MHD_Result metricsd_reply(struct MHD_Connection *connection, unsigned status,
				      const char *type, char *body, size_t len)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer_with_free_callback(len, body, g_free);
	enum MHD_Result result;

	if (!response) {
		g_free(body);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	}
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result metricsd_metrics(struct metricsd *metricsd,
					struct MHD_Connection *connection)
{
	struct metrictext *text = metrictext_new(METRICTEXT_BYTES_MAX);
	size_t len = 0;
	char *body;

	metricsd->sources.collect(metricsd->sources.arg, text);
	body = metrictext_finish(text, &len);
	return metricsd_reply(connection, MHD_HTTP_OK, METRICSD_CONTENT_TYPE, body, len);
}

static enum MHD_Result metricsd_line(struct MHD_Connection *connection, unsigned status,
				     const char *line)
{
	char *body = g_strdup_printf("%s\n", line);

	return metricsd_reply(connection, status, METRICSD_HEALTH_TYPE, body, strlen(body));
}

static enum MHD_Result metricsd_health(struct metricsd *metricsd, struct MHD_Connection *connection)
{
	struct err err = { .text = "not well" };
	bool ok = !metricsd->sources.is_healthy ||
		  metricsd->sources.is_healthy(metricsd->sources.arg, &err);

	return ok ? metricsd_line(connection, MHD_HTTP_OK, "ok")
		  : metricsd_line(connection, MHD_HTTP_SERVICE_UNAVAILABLE, err.text);
}

static const struct metricsd_page {
	const char *path;
	enum MHD_Result (*answer)(struct metricsd *metricsd, struct MHD_Connection *connection);
} metricsd_pages[] = {
	{ "/metrics", metricsd_metrics },
	{ "/health", metricsd_health },
};

static enum MHD_Result metricsd_answer(void *arg, struct MHD_Connection *connection,
				       const char *path, const char *method, const char *version,
				       const char *upload, size_t *upload_size, void **state)
{
	(void)version;
	(void)upload;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
		/* Of a body the first piece is enough to know: it is not for us. */
		*upload_size = 0;
		return metricsd_line(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET");
	}
	if (!*state) {
		*state = arg; /* the first call is for the headers alone */
		return MHD_YES;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(metricsd_pages); i++) {
		if (strcmp(path, metricsd_pages[i].path) == 0) {
			return metricsd_pages[i].answer(arg, connection);
		}
	}
	return metricsd_line(connection, MHD_HTTP_NOT_FOUND, "only /metrics and /health");
}

/* The library would print to standard error; a stranger's nonsense is not worth a line. */
static void metricsd_ignore_log(void *arg, const char *fmt, va_list ap)
{
	(void)arg;
	(void)fmt;
	(void)ap;
}

int metricsd_start(struct metricsd **out, const char *where, const struct metricsd_sources *sources,
		   struct err *err)
{
	struct metricsd *metricsd;
	int fd = -1;
	int st = metricsd_listen(where, &fd, err);

	if (st != ST_OK) {
		return st;
	}
	metricsd = g_new0(struct metricsd, 1);
	metricsd->sources = *sources;
	metricsd_describe(metricsd, fd);
	metricsd->daemon = MHD_start_daemon(
		MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, metricsd_answer,
		metricsd, MHD_OPTION_EXTERNAL_LOGGER, metricsd_ignore_log, NULL,
		MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)METRICSD_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)METRICSD_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)METRICSD_CONNECTION_BYTES, MHD_OPTION_END);
	if (!metricsd->daemon) {
		st = err_set(err, ST_EIO, "cannot serve metrics at %s", where);
		close(fd);
		g_free(metricsd);
		return st;
	}
	*out = metricsd;
	return ST_OK;
}

const char *metricsd_address(const struct metricsd *metricsd)
{
	return metricsd->address;
}

void metricsd_stop(struct metricsd *metricsd)
{
	if (metricsd) {
		MHD_stop_daemon(metricsd->daemon);
		g_free(metricsd);
	}
}
