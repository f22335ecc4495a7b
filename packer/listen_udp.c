/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One thread for all sockets and peers of a UDP listener. */
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/clock.h"
#include "common/processors.h"
#include "common/timestamp.h"
#include "packer/listen_internal.h"

#define LISTEN_DATAGRAM_MAX 65535
#define LISTEN_BATCH        64
#define LISTEN_BATCHES_MAX  32   /* of one socket before the others have their turn */
#define LISTEN_NICE         (-5) /* a socket's buffer waits for nobody */
/* A pause while datagrams come, so that one wake takes many: as long as it takes to fill a part of
 * the receive buffer at a rate that few networks have. */
#define LISTEN_GATHER_MIN_NS   1000000
#define LISTEN_GATHER_MAX_NS   5000000
#define LISTEN_GATHER_BYTES_NS 8 /* of the buffer, as the kernel counts */
/* When there is no room for another peer: of the idle timeout that one has then, and how often such
 * are looked for. */
#define LISTEN_CROWDED_PART 16
#define LISTEN_CROWDED_NS   NS_PER_S

/* A peer as the kernel names it, in bytes that can be compared: no text is made per datagram. */
struct listen_udp_key {
	uint16_t family;
	uint16_t port;
	uint32_t scope;
	uint8_t address[16];
};

struct listen_udp_session {
	struct listen_udp_key key;
	struct listen_peer peer;
	void *session; /* the handler's */
	int64_t last_ns;
};

/* Room for what the kernel says of a bundle. */
union listen_udp_control {
	struct cmsghdr header;
	uint8_t bytes[CMSG_SPACE(sizeof(int))];
};

struct listen_udp {
	struct listener *listener;
	GHashTable *sessions;            /* struct listen_udp_session, keyed by its key */
	struct listen_udp_session *last; /* who sent the last datagram; often the next one too */
	int64_t expire_ns;               /* next search for idle ones */
	int64_t crowded_ns;              /* the same when there is no room */
	uint8_t *buf;                    /* LISTEN_BATCH datagrams */
	struct mmsghdr headers[LISTEN_BATCH];
	struct iovec vectors[LISTEN_BATCH];
	struct sockaddr_storage from[LISTEN_BATCH];
	union listen_udp_control controls[LISTEN_BATCH];
	uint32_t drops[LISTEN_SOCKETS_MAX]; /* of each socket so far */
};

static guint listen_udp_key_hash(gconstpointer pointer)
{
	return (guint)XXH3_64bits(pointer, sizeof(struct listen_udp_key));
}

static gboolean listen_udp_key_equal(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, sizeof(struct listen_udp_key)) == 0;
}

static struct listen_udp_key listen_udp_key(const struct sockaddr_storage *from)
{
	struct listen_udp_key key = { .family = from->ss_family };
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	if (from->ss_family == AF_INET) {
		memcpy(&four, from, sizeof(four));
		key.port = four.sin_port;
		memcpy(key.address, &four.sin_addr, sizeof(four.sin_addr));
	} else {
		memcpy(&six, from, sizeof(six));
		key.port = six.sin6_port;
		key.scope = six.sin6_scope_id;
		memcpy(key.address, &six.sin6_addr, sizeof(six.sin6_addr));
	}
	return key;
}

static void listen_udp_close(struct listen_udp *udp, struct listen_udp_session *session,
			     const char *reason)
{
	udp->listener->handler->close(session->session, reason);
	listen_count(udp->listener, LISTEN_OPEN, -1);
	udp->last = udp->last == session ? NULL : udp->last;
	g_free(session);
}

static void listen_udp_close_idle(struct listen_udp *udp, int64_t now_ns, int64_t idle_ns)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, udp->sessions);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct listen_udp_session *session = value;

		if (now_ns - session->last_ns >= idle_ns) {
			g_hash_table_iter_remove(&iter);
			listen_udp_close(udp, session, "idle");
		}
	}
}

static void listen_udp_expire(struct listen_udp *udp, int64_t now_ns)
{
	int64_t idle_ns = udp->listener->opts.idle_timeout_ns;

	if (now_ns >= udp->expire_ns) {
		udp->expire_ns = now_ns + MIN(idle_ns / 4, 10 * NS_PER_S);
		listen_udp_close_idle(udp, now_ns, idle_ns);
	}
}

/* Is there room for one more? Strangers who sent once must not keep exporters out for long. */
static bool listen_udp_has_room(struct listen_udp *udp, int64_t now_ns)
{
	const struct listen_opts *opts = &udp->listener->opts;

	if (g_hash_table_size(udp->sessions) >= opts->max_connections &&
	    now_ns >= udp->crowded_ns) {
		udp->crowded_ns = now_ns + LISTEN_CROWDED_NS;
		listen_udp_close_idle(udp, now_ns, opts->idle_timeout_ns / LISTEN_CROWDED_PART);
	}
	return g_hash_table_size(udp->sessions) < opts->max_connections;
}

static struct listen_udp_session *listen_udp_open(struct listen_udp *udp,
						  const struct listen_udp_key *key,
						  const struct sockaddr_storage *from,
						  int64_t now_ns)
{
	struct listener *listener = udp->listener;
	struct listen_udp_session *session;
	struct listen_peer peer = { 0 };
	uint64_t position = 0;
	void *handle = NULL;
	struct err err;

	listen_set_peer(&peer, from);
	if (!listen_udp_has_room(udp, now_ns)) {
		listen_count(listener, LISTEN_OVER_LIMIT, 1);
		listen_log(listener, LOG_LEVEL_WARNING, "peers",
			   "refused datagram from %s: %u peers are known", peer.address,
			   g_hash_table_size(udp->sessions));
		return NULL;
	}
	err_set(&err, ST_EAUTH, "refused");
	if (listener->handler->open(listener->arg, &peer, &handle, &position, &err) != ST_OK) {
		listen_count(listener, LISTEN_REFUSED, 1);
		listen_log(listener, LOG_LEVEL_WARNING, err.text, "refused datagram from %s: %s",
			   peer.address, err.text);
		return NULL;
	}
	session = g_new0(struct listen_udp_session, 1);
	session->key = *key;
	session->peer = peer;
	session->session = handle;
	g_hash_table_insert(udp->sessions, &session->key, session);
	listen_count(listener, LISTEN_ACCEPTED, 1);
	listen_count(listener, LISTEN_OPEN, 1);
	return session;
}

static struct listen_udp_session *
listen_udp_find(struct listen_udp *udp, const struct sockaddr_storage *from, int64_t now_ns)
{
	struct listen_udp_key key = listen_udp_key(from);
	struct listen_udp_session *session = udp->last;

	if (!session || !listen_udp_key_equal(&session->key, &key)) {
		session = g_hash_table_lookup(udp->sessions, &key);
		session = session ? session : listen_udp_open(udp, &key, from, now_ns);
		udp->last = session;
	}
	return session;
}

static void listen_udp_datagram(struct listen_udp *udp, struct listen_udp_session *session,
				const uint8_t *bytes, size_t len)
{
	struct listener *listener = udp->listener;
	struct err err;

	err.text[0] = '\0';
	if (listener->handler->message(session->session, bytes, len, 0, &err) != ST_OK) {
		listen_count(listener, LISTEN_BROKEN, 1);
		listen_log(listener, LOG_LEVEL_WARNING, err.text, "dropped datagram from %s: %s",
			   session->peer.address, err.text[0] ? err.text : "damaged");
	}
}

/* Bytes of each datagram (the last one may have less) of what was received as one: the kernel puts
 * those of a burst together (udp(7), UDP_GRO). */
static size_t listen_udp_each(struct msghdr *header, size_t len)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(header);
	int each = 0;

	if (control && control->cmsg_level == SOL_UDP && control->cmsg_type == UDP_GRO) {
		memcpy(&each, CMSG_DATA(control), sizeof(each));
	}
	return each > 0 ? (size_t)each : len;
}

/* Returns how many datagrams it was. */
static unsigned listen_udp_bundle(struct listen_udp *udp, unsigned i, int64_t now_ns)
{
	struct listen_udp_session *session = listen_udp_find(udp, &udp->from[i], now_ns);
	const uint8_t *bytes = udp->vectors[i].iov_base;
	size_t left = udp->headers[i].msg_len;
	const size_t each = listen_udp_each(&udp->headers[i].msg_hdr, left);
	unsigned count = 0;

	if (session) {
		session->last_ns = now_ns;
	}
	do {
		const size_t len = MIN(left, each);

		if (session) {
			listen_udp_datagram(udp, session, bytes, len);
		}
		bytes += len;
		left -= len;
		count++;
	} while (left > 0);
	return count;
}

/* What the kernel has dropped of a socket for want of room since it was last asked. */
static void listen_udp_note_drops(struct listen_udp *udp, unsigned socket)
{
	struct listener *listener = udp->listener;
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);
	uint32_t since;

	if (getsockopt(listener->fds[socket], SOL_SOCKET, SO_MEMINFO, info, &len) != 0) {
		return;
	}
	since = info[SK_MEMINFO_DROPS] - udp->drops[socket];
	udp->drops[socket] = info[SK_MEMINFO_DROPS];
	if (since > 0) {
		listen_count(listener, LISTEN_DROPPED, since);
		if (listener->handler->dropped) {
			listener->handler->dropped(listener->arg, since);
		}
	}
}

/* Take one batch of what waits in a socket; returns how many. */
static int listen_udp_receive(struct listen_udp *udp, unsigned socket)
{
	int fd = udp->listener->fds[socket];
	int64_t datagrams = 0;
	int64_t bytes = 0;
	int64_t now_ns;
	int n;

	for (unsigned i = 0; i < LISTEN_BATCH; i++) {
		udp->headers[i].msg_hdr.msg_namelen = sizeof(udp->from[i]);
		udp->headers[i].msg_hdr.msg_controllen = sizeof(udp->controls[i]);
	}
	n = recvmmsg(fd, udp->headers, LISTEN_BATCH, MSG_DONTWAIT, NULL);
	now_ns = clock_now_ns(CLOCK_MONOTONIC);
	for (int i = 0; i < n; i++) {
		bytes += udp->headers[i].msg_len;
		datagrams += listen_udp_bundle(udp, (unsigned)i, now_ns);
	}
	if (n > 0) {
		listen_count(udp->listener, LISTEN_MESSAGES, datagrams);
		listen_count(udp->listener, LISTEN_BYTES, bytes);
	}
	return n;
}

/* What sockets had; the greatest counts. */
enum listen_udp_load {
	LISTEN_IDLE,
	LISTEN_BUSY,
	LISTEN_BEHIND, /* more waits than was taken */
};

/* All that waits in one socket, or as much as is fair to the others. */
static enum listen_udp_load listen_udp_drain(struct listen_udp *udp, unsigned socket)
{
	int n = LISTEN_BATCH;
	unsigned i;

	for (i = 0; i < LISTEN_BATCHES_MAX && n == LISTEN_BATCH; i++) {
		n = listen_udp_receive(udp, socket);
	}
	if (n == LISTEN_BATCH) {
		return LISTEN_BEHIND;
	}
	return i > 1 || n > 0 ? LISTEN_BUSY : LISTEN_IDLE;
}

/* The pause that the least of the receive buffers allows. */
static int64_t listen_udp_gather_ns(const struct listener *listener)
{
	int64_t gather_ns = LISTEN_GATHER_MAX_NS;

	for (unsigned i = 0; i < listener->fd_count; i++) {
		socklen_t len = sizeof(int);
		int bytes = 0;

		if (getsockopt(listener->fds[i], SOL_SOCKET, SO_RCVBUF, &bytes, &len) == 0) {
			gather_ns = MIN(gather_ns, bytes / LISTEN_GATHER_BYTES_NS);
		}
	}
	return MAX(gather_ns, LISTEN_GATHER_MIN_NS);
}

/* Wait for datagrams; where there were some, more are on the way: let them gather. */
static bool listen_udp_wait(struct pollfd *pfds, unsigned n, int64_t gather_ns,
			    enum listen_udp_load load)
{
	const struct timespec moment = { .tv_nsec = gather_ns };

	if (load == LISTEN_BUSY) {
		nanosleep(&moment, NULL);
	}
	return poll(pfds, n + 1, load == LISTEN_IDLE ? 1000 : 0) > 0;
}

/* One round of all sockets. */
static enum listen_udp_load listen_udp_serve(struct listen_udp *udp, const struct pollfd *pfds,
					     bool ready)
{
	enum listen_udp_load load = LISTEN_IDLE;

	for (unsigned i = 0; i < udp->listener->fd_count; i++) {
		if (ready && pfds[i].revents) {
			enum listen_udp_load one = listen_udp_drain(udp, i);

			load = MAX(load, one);
		}
		listen_udp_note_drops(udp, i);
	}
	return load;
}

static void listen_udp_init(struct listen_udp *udp, struct listener *listener)
{
	udp->listener = listener;
	udp->sessions = g_hash_table_new(listen_udp_key_hash, listen_udp_key_equal);
	udp->buf = g_malloc((gsize)LISTEN_BATCH * LISTEN_DATAGRAM_MAX);
	for (size_t i = 0; i < LISTEN_BATCH; i++) {
		udp->vectors[i] =
			(struct iovec){ udp->buf + i * LISTEN_DATAGRAM_MAX, LISTEN_DATAGRAM_MAX };
		udp->headers[i].msg_hdr = (struct msghdr){ .msg_name = &udp->from[i],
							   .msg_iov = &udp->vectors[i],
							   .msg_iovlen = 1,
							   .msg_control = &udp->controls[i] };
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
	const int64_t gather_ns = listen_udp_gather_ns(listener);
	int64_t drain_until_ns;
	enum listen_udp_load load = LISTEN_IDLE;

	processors_be_nicer(LISTEN_NICE);
	listen_udp_init(udp, listener);
	for (unsigned i = 0; i < n; i++) {
		pfds[i] = (struct pollfd){ .fd = listener->fds[i], .events = POLLIN };
	}
	pfds[n] = (struct pollfd){ .fd = listener->stop_fd, .events = POLLIN };
	while (!listener->stopping) {
		bool ready = listen_udp_wait(pfds, n, gather_ns, load);

		load = listen_udp_serve(udp, pfds, ready);
		listen_udp_expire(udp, clock_now_ns(CLOCK_MONOTONIC));
	}
	/* What the kernel holds already; a peer that never pauses must not keep us. */
	drain_until_ns = clock_now_ns(CLOCK_MONOTONIC) + 2 * NS_PER_S;
	for (unsigned i = 0; i < n; i++) {
		while (listen_udp_receive(udp, i) == LISTEN_BATCH &&
		       clock_now_ns(CLOCK_MONOTONIC) < drain_until_ns) {
		}
		listen_udp_note_drops(udp, i);
	}
	listen_udp_release(udp);
	g_free(udp);
	return NULL;
}
