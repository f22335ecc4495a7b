/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Listeners: sockets in, IPFIX messages out. Knows sockets, TLS and the link's framing, not what
 * is in a message. A thread per listener accepts; each TCP or TLS connection has a thread of its
 * own (bounded by max_connections), each UDP socket one for all its peers.
 *
 * A session is one TCP or TLS connection, or one (peer, port) of a UDP socket. Its callbacks come
 * from one thread at a time.
 */
#ifndef TUSSAH_PACKER_LISTEN_H
#define TUSSAH_PACKER_LISTEN_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/tls.h"

enum listen_transport { LISTEN_TLS, LISTEN_TCP, LISTEN_UDP };

struct listen_peer {
	char address[64]; /* "192.0.2.1:4711" for messages */
	struct sockaddr_storage sockaddr;
	const struct tls_conn *tls; /* NULL without TLS: certificate names */
	bool is_link;               /* our own exporter, acknowledged */
	uint8_t stream_id[16];      /* of our own exporter */
};

struct listen_handler {
	/*
	 * A peer is there (after the handshake). *session is the handler's own. ST_EAUTH refuses
	 * it, with the reason. For link peers *position is to be set to the last durable position.
	 */
	int (*open)(void *arg, const struct listen_peer *peer, void **session, uint64_t *position,
		    struct err *err);
	/*
	 * One whole message; position 0 for preamble and for peers without acknowledgement. An
	 * error closes the session (TCP, TLS) or drops the datagram (UDP); the listener logs it
	 * once.
	 */
	int (*message)(void *session, const uint8_t *bytes, size_t len, uint64_t position,
		       struct err *err);
	/* The position up to which this session's messages are durable; sent to the peer. */
	uint64_t (*durable)(void *session);
	/* reason: NULL when the peer closed in order. */
	void (*close)(void *session, const char *reason);
};

struct listen_opts {
	enum listen_transport transport;
	const char *host; /* NULL: all addresses, IPv4 and IPv6 */
	uint16_t port;
	struct tls_context *tls;
	unsigned max_connections; /* further ones are refused and counted */
	int64_t handshake_timeout_ns;
	int64_t idle_timeout_ns; /* 0: none */
	int udp_receive_buffer;  /* bytes; 0: the system's */
};

struct listener;

/* Bind, listen and start the accepting thread. Several may share handler and arg. */
int listener_start(struct listener **out, const struct listen_opts *opts,
		   const struct listen_handler *handler, void *arg, struct err *err);
/* The port bound to (port 0 asks for any). */
uint16_t listener_port(const struct listener *listener);
/*
 * Stop accepting, take in what has been received already, send the last positions, close every
 * session, join all threads, free.
 */
void listener_stop(struct listener *listener);

#endif
