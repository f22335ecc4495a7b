/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One TCP or TLS connection: handshake, then messages by their own length, or by the link's frames
 * where the peer speaks them.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/linkframe.h"
#include "common/timestamp.h"
#include "packer/ipfix.h"
#include "packer/listen_internal.h"

#define LISTEN_ACK_INTERVAL_MS 10 /* how often durable() is asked while something is due */
#define LISTEN_IDLE_WAIT_MS    5000
#define LISTEN_DRAIN_NS        (2 * NS_PER_S) /* bound on each part of stopping */
#define LISTEN_LINGER_NS       NS_PER_S
#define LISTEN_MESSAGE_MAX     65535

struct listen_conn {
	struct listener *listener;
	int fd;
	pthread_t thread;
	atomic_bool finished;
	struct listen_peer peer;
	struct tls_conn *tls;
	bool opened;         /* the handler has a session */
	void *session;       /* the handler's */
	int64_t deadline_ns; /* of the handshake; of input, with an idle timeout */

	/* Input: one of the two. */
	struct linkframe_reader reader;
	uint8_t *buf; /* plain: bytes of messages */
	size_t used;

	/* Output: link only; one frame at a time, so a peer that does not read costs no memory. */
	uint8_t out[LINKFRAME_HEADER_BYTES + LINKFRAME_REASON_MAX];
	size_t out_len, out_done;
	short write_wants;
	uint64_t last_position;  /* received */
	uint64_t acked_position; /* told */
	bool said_goodbye;       /* by the peer */
};

#define LISTEN_PLAIN_SIZE (2 * LISTEN_MESSAGE_MAX)

bool listen_conn_finished(const struct listen_conn *conn)
{
	return conn->finished;
}

static int listen_read(struct listen_conn *conn, void *room, size_t size, size_t *done,
		       struct err *err)
{
	ssize_t n;

	if (conn->tls) {
		return tls_conn_read(conn->tls, room, size, done, err);
	}
	n = recv(conn->fd, room, size, 0);
	if (n > 0) {
		*done = (size_t)n;
		return ST_OK;
	}
	if (n == 0) {
		return ST_END;
	}
	return errno == EAGAIN || errno == EINTR ? ST_EAGAIN
						 : err_errno(err, ST_EIO, errno, "read");
}

/* Write what is pending as far as the peer takes it. ST_OK: all of it; only TLS peers get any. */
static int listen_flush(struct listen_conn *conn, struct err *err)
{
	conn->write_wants = 0;
	while (conn->out_done < conn->out_len) {
		size_t done;
		int rc = tls_conn_write(conn->tls, conn->out + conn->out_done,
					conn->out_len - conn->out_done, &done, err);

		if (rc != ST_OK) {
			conn->write_wants = rc == ST_EAGAIN ? tls_conn_wants(conn->tls) : 0;
			return rc;
		}
		conn->out_done += done;
	}
	return ST_OK;
}

/* Is there room for a frame? Then the caller fills conn->out and calls this with its length. */
static int listen_write(struct listen_conn *conn, size_t len, struct err *err)
{
	int rc;

	conn->out_len = len;
	conn->out_done = 0;
	rc = listen_flush(conn, err);
	return rc == ST_EAGAIN ? ST_OK : rc;
}

static int listen_acknowledge(struct listen_conn *conn, struct err *err)
{
	uint64_t durable;
	int rc = listen_flush(conn, err);

	if (rc != ST_OK) {
		return rc == ST_EAGAIN ? ST_OK : rc;
	}
	durable = conn->listener->handler->durable(conn->session);
	durable = MIN(durable, conn->last_position);
	if (durable <= conn->acked_position) {
		return ST_OK;
	}
	conn->acked_position = durable;
	return listen_write(conn, linkframe_put_ack(conn->out, durable), err);
}

/* Wait for the peer or for the order to stop, at most timeout_ms. */
static void listen_wait(struct listen_conn *conn, short events, int64_t timeout_ms)
{
	struct pollfd pfds[2] = {
		{ .fd = conn->fd, .events = events | conn->write_wants },
		{ .fd = conn->listener->stop_fd, .events = POLLIN },
	};

	poll(pfds, conn->listener->stopping ? 1 : 2, (int)MAX(timeout_ms, 0));
}

static int listen_deliver(struct listen_conn *conn, const uint8_t *bytes, size_t len,
			  uint64_t position, struct err *err)
{
	listen_count(conn->listener, LISTEN_MESSAGES, 1);
	listen_count(conn->listener, LISTEN_BYTES, (int64_t)len);
	return conn->listener->handler->message(conn->session, bytes, len, position, err);
}

static int listen_open(struct listen_conn *conn, uint64_t *position, struct err *err)
{
	int rc;

	conn->peer.tls = conn->tls;
	rc = conn->listener->handler->open(conn->listener->arg, &conn->peer, &conn->session,
					   position, err);
	if (rc == ST_OK) {
		int64_t idle_ns = conn->listener->opts.idle_timeout_ns;

		conn->opened = true;
		conn->deadline_ns =
			idle_ns > 0 ? clock_now_ns(CLOCK_MONOTONIC) + idle_ns : INT64_MAX;
		listen_count(conn->listener, LISTEN_ACCEPTED, 1);
		listen_count(conn->listener, LISTEN_OPEN, 1);
	}
	return rc;
}

/* HELLO opens the session; its answer is the last durable position, or the reason of a refusal. */
static int listen_hello(struct listen_conn *conn, const struct linkframe *frame, struct err *err)
{
	uint64_t position = 0;
	int rc;

	memcpy(conn->peer.stream_id, linkframe_stream_id(frame), sizeof(conn->peer.stream_id));
	conn->peer.is_relay = linkframe_is_relay(frame);
	rc = listen_open(conn, &position, err);
	if (rc != ST_OK) {
		listen_write(conn, linkframe_put_goodbye(conn->out, 0, err->text), NULL);
		return rc;
	}
	conn->last_position = position;
	conn->acked_position = position;
	conn->reader.last_position = position;
	return listen_write(conn, linkframe_put_welcome(conn->out, position), err);
}

static int listen_frame(struct listen_conn *conn, const struct linkframe *frame, struct err *err)
{
	int rc;

	if (frame->type == LINKFRAME_HELLO) {
		return listen_hello(conn, frame, err);
	}
	if (frame->type == LINKFRAME_GOODBYE) {
		conn->said_goodbye = true;
		return ST_OK;
	}
	rc = listen_deliver(conn, frame->payload, frame->len, frame->position, err);
	if (rc == ST_OK && frame->position > 0) {
		conn->last_position = frame->position;
	}
	return rc;
}

static int listen_frames(struct listen_conn *conn, struct err *err)
{
	struct linkframe frame;
	int rc;

	while ((rc = linkframe_next(&conn->reader, &frame, err)) == ST_OK) {
		rc = listen_frame(conn, &frame, err);
		if (rc != ST_OK) {
			return rc;
		}
	}
	return rc == ST_EAGAIN ? ST_OK : rc;
}

/* Plain: every whole message in the buffer; the rest moves to its front. */
static int listen_messages(struct listen_conn *conn, struct err *err)
{
	size_t at = 0;
	int rc = ST_OK;

	while (rc == ST_OK && conn->used - at >= IPFIX_LENGTH_BYTES) {
		size_t len;

		rc = ipfix_message_length(conn->buf + at, conn->used - at, &len, err);
		if (rc != ST_OK || conn->used - at < len) {
			break;
		}
		rc = listen_deliver(conn, conn->buf + at, len, 0, err);
		at += len;
	}
	memmove(conn->buf, conn->buf + at, conn->used - at);
	conn->used -= at;
	return rc;
}

/* Read once and hand on what is whole. ST_END: the peer closed in order. */
static int listen_input(struct listen_conn *conn, struct err *err)
{
	uint8_t *room = conn->buf + conn->used;
	size_t size = LISTEN_PLAIN_SIZE - conn->used;
	size_t done;
	bool partial;
	int rc;

	if (conn->peer.is_link) {
		room = linkframe_reader_room(&conn->reader, &size);
	}
	rc = listen_read(conn, room, size, &done, err);
	if (rc == ST_END) {
		partial = conn->peer.is_link ? linkframe_reader_partial(&conn->reader)
					     : conn->used > 0;
		return partial ? err_set(err, ST_ETRUNC, "closed in the middle of a message")
			       : ST_END;
	}
	if (rc != ST_OK) {
		return rc;
	}
	if (conn->listener->opts.idle_timeout_ns > 0 && conn->opened) {
		conn->deadline_ns =
			clock_now_ns(CLOCK_MONOTONIC) + conn->listener->opts.idle_timeout_ns;
	}
	if (conn->peer.is_link) {
		linkframe_reader_added(&conn->reader, done);
		rc = listen_frames(conn, err);
	} else {
		conn->used += done;
		rc = listen_messages(conn, err);
	}
	return rc == ST_EAGAIN ? ST_EFORMAT : rc;
}

/* Is time up? What for differs before and after the session is open. */
static int listen_check_deadline(const struct listen_conn *conn, int64_t now_ns, struct err *err)
{
	if (now_ns < conn->deadline_ns) {
		return ST_OK;
	}
	return err_set(err, ST_EIO, conn->opened ? "idle for too long" : "silent in the handshake");
}

static int listen_handshake(struct listen_conn *conn, struct err *err)
{
	int rc = tls_conn_new(&conn->tls, conn->listener->opts.tls, conn->fd, NULL, err);

	while (rc == ST_OK || rc == ST_EAGAIN) {
		int64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);

		rc = tls_conn_handshake(conn->tls, err);
		if (rc != ST_EAGAIN) {
			return rc;
		}
		if (conn->listener->stopping) {
			return err_set(err, ST_EIO, "stopped");
		}
		rc = listen_check_deadline(conn, now_ns, err);
		if (rc == ST_OK) {
			listen_wait(conn, tls_conn_wants(conn->tls),
				    (conn->deadline_ns - now_ns) / NS_PER_MS + 1);
		}
	}
	return rc;
}

static int64_t listen_wait_ms(const struct listen_conn *conn, int64_t now_ns)
{
	int64_t wait_ms = LISTEN_IDLE_WAIT_MS;

	if (conn->deadline_ns != INT64_MAX) {
		wait_ms = MIN(wait_ms, (conn->deadline_ns - now_ns) / NS_PER_MS + 1);
	}
	return conn->acked_position < conn->last_position ? MIN(wait_ms, LISTEN_ACK_INTERVAL_MS)
							  : wait_ms;
}

/* Until the connection ends or the listener stops, with everything received by then taken in. */
static int listen_transfer(struct listen_conn *conn, struct err *err)
{
	int64_t drain_until_ns = INT64_MAX;

	while (!conn->said_goodbye) {
		int64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);
		bool stopping = conn->listener->stopping;
		int rc = listen_input(conn, err);

		if (rc != ST_OK && rc != ST_EAGAIN) {
			return rc;
		}
		if (conn->opened && conn->peer.is_link &&
		    (listen_acknowledge(conn, err)) != ST_OK) {
			return ST_EIO;
		}
		if (stopping && drain_until_ns == INT64_MAX) {
			drain_until_ns = now_ns + LISTEN_DRAIN_NS;
		}
		if (now_ns >= drain_until_ns || (stopping && rc == ST_EAGAIN)) {
			return err_set(err, ST_OK, "stopped");
		}
		if (rc == ST_EAGAIN) {
			rc = listen_check_deadline(conn, now_ns, err);
			if (rc != ST_OK) {
				return rc;
			}
			listen_wait(conn, POLLIN, listen_wait_ms(conn, now_ns));
		}
	}
	return ST_END;
}

/* The last position, once what was received is durable, and the end. */
static void listen_farewell(struct listen_conn *conn, const char *reason)
{
	int64_t until_ns = clock_now_ns(CLOCK_MONOTONIC) + LISTEN_DRAIN_NS;

	while (listen_acknowledge(conn, NULL) == ST_OK &&
	       clock_now_ns(CLOCK_MONOTONIC) < until_ns &&
	       (conn->acked_position < conn->last_position || conn->out_done < conn->out_len)) {
		poll(NULL, 0, 5);
	}
	if (conn->out_done == conn->out_len) {
		listen_write(conn, linkframe_put_goodbye(conn->out, conn->acked_position, reason),
			     NULL);
	}
}

/*
 * Close so that the peer can still read our last words: bytes of its own that are under way would
 * make the kernel reset the connection and throw them away.
 */
static void listen_linger(struct listen_conn *conn)
{
	int64_t until_ns = clock_now_ns(CLOCK_MONOTONIC) + LISTEN_LINGER_NS;
	uint8_t ignored[4096];
	ssize_t n;

	if (conn->tls) {
		tls_conn_shutdown(conn->tls);
	}
	shutdown(conn->fd, SHUT_WR);
	conn->write_wants = 0;
	do {
		n = recv(conn->fd, ignored, sizeof(ignored), 0);
		if (n < 0 && errno == EAGAIN) {
			struct pollfd pfd = { .fd = conn->fd, .events = POLLIN };

			poll(&pfd, 1, 50);
		}
	} while ((n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR))) &&
		 clock_now_ns(CLOCK_MONOTONIC) < until_ns);
}

static int listen_session(struct listen_conn *conn, struct err *err)
{
	struct listener *listener = conn->listener;
	int rc = ST_OK;

	conn->deadline_ns = clock_now_ns(CLOCK_MONOTONIC) + listener->opts.handshake_timeout_ns;
	if (listener->opts.transport == LISTEN_TLS) {
		rc = listen_handshake(conn, err);
	}
	if (rc == ST_OK) {
		conn->peer.is_link = conn->tls && tls_conn_is_link(conn->tls);
		if (conn->peer.is_link) {
			linkframe_reader_init(&conn->reader, LINKFRAME_FROM_EXPORTER);
		} else {
			uint64_t ignored = 0;

			conn->buf = g_malloc(LISTEN_PLAIN_SIZE);
			rc = listen_open(conn, &ignored, err);
		}
	}
	return rc == ST_OK ? listen_transfer(conn, err) : rc;
}

/* Was the end what the peer sent? */
static bool listen_is_broken(int rc)
{
	return rc == ST_EFORMAT || rc == ST_ELIMIT;
}

/* To a peer of the link: why it ends, or what is stored. */
static void listen_say_end(struct listen_conn *conn, int rc, const struct err *why)
{
	if (rc == ST_OK || listen_is_broken(rc)) {
		listen_farewell(conn, why->text);
	} else if (conn->said_goodbye) {
		listen_acknowledge(conn, NULL);
	}
}

/* Say the end to the peer, the handler and the log. */
static void listen_finish(struct listen_conn *conn, int rc, const struct err *why)
{
	struct listener *listener = conn->listener;
	bool stopped = rc == ST_OK;

	if (conn->opened && conn->peer.is_link) {
		listen_say_end(conn, rc, why);
	}
	if (conn->opened) {
		if (listen_is_broken(rc)) {
			listen_count(listener, LISTEN_BROKEN, 1);
		}
		listener->handler->close(conn->session, rc == ST_END ? NULL : why->text);
		listen_count(listener, LISTEN_OPEN, -1);
	} else if (rc != ST_END && !stopped) {
		listen_count(listener, LISTEN_REFUSED, 1);
		listen_log(listener, LOG_LEVEL_WARNING, why->text, "refused connection from %s: %s",
			   conn->peer.address, why->text);
	}
	if (rc != ST_END) {
		listen_linger(conn);
	} else if (conn->tls) {
		tls_conn_shutdown(conn->tls);
	}
}

static void *listen_conn_main(void *arg)
{
	struct listen_conn *conn = arg;
	struct err err = { .text = "refused" };
	int rc = listen_session(conn, &err);

	listen_finish(conn, rc, &err);
	tls_conn_free(conn->tls);
	conn->tls = NULL;
	close(conn->fd);
	linkframe_reader_release(&conn->reader);
	g_free(conn->buf);
	conn->finished = true;
	return NULL;
}

/* Acknowledgements at once; a peer that vanished is noticed in twenty seconds. */
static void listen_tune(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 10 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 5 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 2 },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, 20000 }, /* ms, for what is not acknowledged */
	};

	/* Failure of any costs speed or patience only. */
	for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
		setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			   sizeof(options[i].value));
	}
}

struct listen_conn *listen_conn_start(struct listener *listener, int fd,
				      const struct sockaddr_storage *from)
{
	struct listen_conn *conn = g_new0(struct listen_conn, 1);
	int failed;

	conn->listener = listener;
	conn->fd = fd;
	listen_set_peer(&conn->peer, from);
	listen_tune(fd);
	failed = pthread_create(&conn->thread, NULL, listen_conn_main, conn);
	if (failed) {
		listen_log(listener, LOG_LEVEL_ERR, "thread", "cannot start a thread for %s: %s",
			   conn->peer.address, g_strerror(failed));
		close(fd);
		g_free(conn);
		return NULL;
	}
	return conn;
}

void listen_conn_join(struct listen_conn *conn)
{
	pthread_join(conn->thread, NULL);
	g_free(conn);
}
