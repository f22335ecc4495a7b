/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One thread for all sockets and peers of a UDP listener. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/timestamp.h"
#include "packer/listen_internal.h"

#define LISTEN_DATAGRAM_MAX 65535
#define LISTEN_BATCH        32

struct listen_udp_session {
	struct listen_peer peer;
	void *session; /* the handler's */
	int64_t last_ns;
};

struct listen_udp {
	struct listener *listener;
	GHashTable *sessions; /* struct listen_udp_session, keyed by its peer's address text */
	int64_t expire_ns;    /* next search for idle ones */
	uint8_t *buf;         /* LISTEN_BATCH datagrams */
	struct mmsghdr headers[LISTEN_BATCH];
	struct iovec vectors[LISTEN_BATCH];
	struct sockaddr_storage from[LISTEN_BATCH];
};

static void listen_udp_close(struct listen_udp *udp, struct listen_udp_session *session,
			     const char *reason)
{
	udp->listener->handler->close(session->session, reason);
	listen_count(udp->listener, LISTEN_OPEN, -1);
	g_free(session);
}

static void listen_udp_expire(struct listen_udp *udp, int64_t now_ns)
{
	int64_t idle_ns = udp->listener->opts.idle_timeout_ns;
	GHashTableIter iter;
	gpointer value;

	if (now_ns < udp->expire_ns) {
		return;
	}
	udp->expire_ns = now_ns + MIN(idle_ns / 4, 10 * NS_PER_S);
	g_hash_table_iter_init(&iter, udp->sessions);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct listen_udp_session *session = value;

		if (now_ns - session->last_ns >= idle_ns) {
			g_hash_table_iter_remove(&iter);
			listen_udp_close(udp, session, "idle");
		}
	}
}

static struct listen_udp_session *listen_udp_open(struct listen_udp *udp,
						  const struct listen_peer *peer)
{
	struct listener *listener = udp->listener;
	struct listen_udp_session *session;
	uint64_t position = 0;
	void *handle = NULL;
	struct err err;

	if (g_hash_table_size(udp->sessions) >= listener->opts.max_connections) {
		listen_count(listener, LISTEN_OVER_LIMIT, 1);
		listen_log(listener, LOG_LEVEL_WARNING,
			   "refused datagram from %s: %u peers are known", peer->address,
			   g_hash_table_size(udp->sessions));
		return NULL;
	}
	err_set(&err, ST_EAUTH, "refused");
	if (listener->handler->open(listener->arg, peer, &handle, &position, &err) != ST_OK) {
		listen_count(listener, LISTEN_REFUSED, 1);
		listen_log(listener, LOG_LEVEL_WARNING, "refused datagram from %s: %s",
			   peer->address, err.text);
		return NULL;
	}
	session = g_new0(struct listen_udp_session, 1);
	session->peer = *peer;
	session->session = handle;
	g_hash_table_insert(udp->sessions, session->peer.address, session);
	listen_count(listener, LISTEN_ACCEPTED, 1);
	listen_count(listener, LISTEN_OPEN, 1);
	return session;
}

static void listen_udp_datagram(struct listen_udp *udp, unsigned i, int64_t now_ns)
{
	struct listener *listener = udp->listener;
	struct listen_peer peer = { 0 };
	struct listen_udp_session *session;
	size_t len = udp->headers[i].msg_len;
	struct err err;

	listen_set_peer(&peer, &udp->from[i]);
	session = g_hash_table_lookup(udp->sessions, peer.address);
	session = session ? session : listen_udp_open(udp, &peer);
	if (!session) {
		return;
	}
	session->last_ns = now_ns;
	listen_count(listener, LISTEN_MESSAGES, 1);
	listen_count(listener, LISTEN_BYTES, (int64_t)len);
	err_set(&err, ST_EFORMAT, "damaged");
	if (listener->handler->message(session->session, udp->vectors[i].iov_base, len, 0, &err) !=
	    ST_OK) {
		listen_count(listener, LISTEN_BROKEN, 1);
		listen_log(listener, LOG_LEVEL_WARNING, "dropped datagram from %s: %s",
			   peer.address, err.text);
	}
}

/* Take what waits in one socket; false: nothing more. */
static bool listen_udp_receive(struct listen_udp *udp, int fd)
{
	int64_t now_ns;
	int n;

	for (unsigned i = 0; i < LISTEN_BATCH; i++) {
		udp->headers[i].msg_hdr.msg_namelen = sizeof(udp->from[i]);
	}
	n = recvmmsg(fd, udp->headers, LISTEN_BATCH, MSG_DONTWAIT, NULL);
	now_ns = listen_now_ns();
	for (int i = 0; i < n; i++) {
		listen_udp_datagram(udp, (unsigned)i, now_ns);
	}
	return n == LISTEN_BATCH;
}

static void listen_udp_init(struct listen_udp *udp, struct listener *listener)
{
	udp->listener = listener;
	udp->sessions = g_hash_table_new(g_str_hash, g_str_equal);
	udp->buf = g_malloc((gsize)LISTEN_BATCH * LISTEN_DATAGRAM_MAX);
	for (size_t i = 0; i < LISTEN_BATCH; i++) {
		udp->vectors[i] =
			(struct iovec){ udp->buf + i * LISTEN_DATAGRAM_MAX, LISTEN_DATAGRAM_MAX };
		udp->headers[i].msg_hdr = (struct msghdr){ .msg_name = &udp->from[i],
							   .msg_iov = &udp->vectors[i],
							   .msg_iovlen = 1 };
	}
}

static void listen_udp_release(struct listen_udp *udp)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, udp->sessions);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		g_hash_table_iter_remove(&iter);
		listen_udp_close(udp, value, "stopped");
	}
	g_hash_table_destroy(udp->sessions);
	g_free(udp->buf);
}

void *listen_udp_main(void *arg)
{
	struct listener *listener = arg;
	struct listen_udp *udp = g_new0(struct listen_udp, 1);
	struct pollfd pfds[LISTEN_SOCKETS_MAX + 1];
	unsigned n = listener->fd_count;
	int64_t drain_until_ns;

	listen_udp_init(udp, listener);
	for (unsigned i = 0; i < n; i++) {
		pfds[i] = (struct pollfd){ .fd = listener->fds[i], .events = POLLIN };
	}
	pfds[n] = (struct pollfd){ .fd = listener->stop_fd, .events = POLLIN };
	while (!listener->stopping) {
		poll(pfds, n + 1, 1000);
		for (unsigned i = 0; i < n; i++) {
			if (pfds[i].revents) {
				listen_udp_receive(udp, pfds[i].fd);
			}
		}
		listen_udp_expire(udp, listen_now_ns());
	}
	/* What the kernel holds already; a peer that never pauses must not keep us. */
	drain_until_ns = listen_now_ns() + 2 * NS_PER_S;
	for (unsigned i = 0; i < n; i++) {
		while (listen_udp_receive(udp, listener->fds[i]) &&
		       listen_now_ns() < drain_until_ns) {
		}
	}
	listen_udp_release(udp);
	g_free(udp);
	return NULL;
}
