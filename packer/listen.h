/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Listeners: sockets in, IPFIX messages out. Knows sockets, TLS and the link's framing, not what
 * is in a message. A thread per listener accepts; each TCP or TLS connection has a thread of its
 * own (bounded by max_connections), each UDP socket one for all its peers.
 *
 * A session is one TCP or TLS connection, or one (peer, port) of a UDP socket. Its callbacks come
 * from one thread at a time; those of different sessions run side by side.
 *
 *	static const struct listen_handler handler = { open, message, durable, close, NULL, NULL };
 *	struct listen_opts opts = { .transport = LISTEN_TLS, .port = 4740, .tls = context,
 *				    .max_connections = 1000,
 *				    .handshake_timeout_ns = 10 * NS_PER_S };
 *	listener_start(&listener, &opts, &handler, arg, err);
 *	...
 *	listener_stop(listener);
 */
#ifndef TUSSAH_PACKER_LISTEN_H
#define TUSSAH_PACKER_LISTEN_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/ip.h"
#include "common/log.h"
#include "common/tls.h"

enum listen_transport { LISTEN_TLS, LISTEN_TCP, LISTEN_UDP };

struct listen_peer {
	char address[80];                 /* "192.0.2.1:4711", "[2001:db8::1]:4711" for messages */
	struct sockaddr_storage sockaddr; /* IPv4 is AF_INET, also from a socket for both */
	const struct tls_conn *tls;       /* NULL without TLS: certificate names */
	bool is_link;                     /* our own exporter, acknowledged */
	bool is_relay;                    /* likewise, with envelopes for messages */
	uint8_t stream_id[16];            /* of our own exporter */
};

struct ip listen_peer_ip(const struct listen_peer *peer);
/* The names that the peer's certificate carries, NULL behind the last. Returned: g_strfreev(). */
char **listen_peer_names(const struct listen_peer *peer);

struct listen_handler {
	/*
	 * A peer is there (after the handshake). *session is the handler's own. Any error, as
	 * ST_EAUTH, refuses it: the listener logs the reason, a link peer is told it. For link
	 * peers *position is to be set to the last durable position. peer is borrowed; peer->tls
	 * lives as long as the session.
	 */
	int (*open)(void *arg, const struct listen_peer *peer, void **session, uint64_t *position,
		    struct err *err);
	/*
	 * One whole message (TCP, TLS) or datagram (UDP); position 0 for preamble and for peers
	 * without acknowledgement. An error closes the session (TCP, TLS; the reason goes to
	 * close()) or drops the datagram (UDP; the listener logs it). bytes are borrowed.
	 */
	int (*message)(void *session, const uint8_t *bytes, size_t len, uint64_t position,
		       struct err *err);
	/* The position up to which this session's messages are durable; sent to the peer. Called
	 * for link peers only, several times a second. */
	uint64_t (*durable)(void *session);
	/* The session is over. reason (borrowed): NULL when the peer closed in order. */
	void (*close)(void *session, const char *reason);
	/* A line for the log, rate-limited already; from any thread. NULL: log_msg(). */
	void (*log)(void *arg, enum log_level level, const char *text);
	/* So many datagrams (or more, see listener_stats) were dropped by the kernel (UDP). From
	 * the listener's thread. NULL: not wanted. */
	void (*dropped)(void *arg, uint64_t datagrams);
};

struct listen_opts {
	enum listen_transport transport;
	const char *host; /* copied; NULL: all addresses, IPv4 and IPv6 */
	uint16_t port;
	struct tls_context *tls;      /* kept until listener_stop(); LISTEN_TLS only */
	unsigned max_connections;     /* or UDP peers; further ones are refused and counted;
					 0: 1024 */
	int64_t handshake_timeout_ns; /* TLS and HELLO; 0: 10 s */
	int64_t idle_timeout_ns;      /* 0: none; UDP: 30 min */
	int udp_receive_buffer;       /* bytes; 0: the system's */
	/*
	 * Asked before binding: a socket of the type that is bound to the address already, the
	 * listener's from then on; or -1. May be NULL. Called by listener_start() alone.
	 */
	int (*bound_socket)(void *arg, int type, const struct sockaddr *address, socklen_t len);
	void *bound_socket_arg;
};

struct listener_stats {
	uint64_t accepted;   /* sessions opened */
	uint64_t open;       /* sessions now */
	uint64_t refused;    /* by TLS, by the handler's open(), by silence in the handshake */
	uint64_t over_limit; /* refused because of max_connections */
	uint64_t messages;
	uint64_t bytes;   /* of messages */
	uint64_t broken;  /* sessions closed, datagrams dropped, for what they sent */
	uint64_t dropped; /* datagrams that the kernel dropped: the receive buffer was full; those
			     that it had put together count as one */
};

struct listener;

/*
 * Bind, listen and start the accepting thread. Several may share handler and arg (kept).
 * Returns ST_OK, ST_EINVAL (the host is not known), ST_EIO.
 */
int listener_start(struct listener **out, const struct listen_opts *opts,
		   const struct listen_handler *handler, void *arg, struct err *err);
/* The port bound to (port 0 asks for any). */
uint16_t listener_port(const struct listener *listener);
void listener_get_stats(const struct listener *listener, struct listener_stats *out);
/*
 * Stop accepting, take in what has been received already, send the last positions (waiting up to
 * two seconds for durable() to reach what was received), close every session, join all threads,
 * free.
 */
void listener_stop(struct listener *listener);

#endif
