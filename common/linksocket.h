/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The exporter's socket: resolve a destination, try its addresses in turn, shake hands, read and
 * write, all without blocking but for the name look-up. Knows nothing of messages or frames.
 */
#ifndef TUSSAH_COMMON_LINKSOCKET_H
#define TUSSAH_COMMON_LINKSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/tls.h"

struct linksocket; /* one thread */

/*
 * Check destination ("tls://host:port" and so on, see common/link.h) and load the certificates if
 * it is tls. Both borrowed. Returns ST_OK, ST_EINVAL, or what tls_context_new() says.
 */
int linksocket_new(struct linksocket **out, const char *destination, const struct tls_opts *tls,
		   struct err *err);
void linksocket_free(struct linksocket *sock);

/* Look up and start; then call linksocket_advance(). ST_OK or ST_EIO. */
int linksocket_connect(struct linksocket *sock, struct err *err);
/* ST_OK: ready for data; ST_EAGAIN; ST_EAUTH, ST_EIO: no address is left or the handshake failed.
 */
int linksocket_advance(struct linksocket *sock, struct err *err);
/* Give up the address that is being tried; as linksocket_advance(). */
int linksocket_skip_address(struct linksocket *sock, struct err *err);
/*
 * A connected host that does not answer for so long is away: noticed by keepalives in silence, and
 * over TLS to a peer that speaks the link also while it owes the receipt of data. 0: as the system
 * has it.
 */
void linksocket_set_timeout(struct linksocket *sock, int64_t timeout_ns);
/* Drop the connection, with TLS's end if it can be said at once. */
void linksocket_close(struct linksocket *sock);

/* As tls_conn_read(), tls_conn_write(). A datagram is written whole or not at all. */
int linksocket_read(struct linksocket *sock, void *out, size_t size, size_t *done, struct err *err);
int linksocket_write(struct linksocket *sock, const void *bytes, size_t size, size_t *done,
		     struct err *err);

/* For poll(2): -1 when there is no socket. Always asks for input; for output after ST_EAGAIN. */
int linksocket_fd(const struct linksocket *sock);
short linksocket_events(const struct linksocket *sock);

bool linksocket_is_datagram(const struct linksocket *sock);
bool linksocket_is_tls(const struct linksocket *sock);
/* Has the peer agreed to the link's framing? */
bool linksocket_is_link(const struct linksocket *sock);
const char *linksocket_destination(const struct linksocket *sock); /* borrowed */
/* "192.0.2.1:4740, TLSv1.3 ..." of the connection; borrowed until it is closed. */
const char *linksocket_describe(const struct linksocket *sock);

#endif
