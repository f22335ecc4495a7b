/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLS contexts and non-blocking connections; the only file that knows OpenSSL, besides tls.c.
 * TLS 1.2 at least; both sides show a certificate that chains to the configured authority.
 *
 *	tls_context_new(&context, &opts, false, err);
 *	tls_conn_new(&conn, context, fd, "collector.example", err);
 *	while ((rc = tls_conn_handshake(conn, err)) == ST_EAGAIN) {
 *		poll(fd, tls_conn_wants(conn));
 *	}
 *
 * The process must ignore SIGPIPE (daemon_start() does): OpenSSL writes with write(2).
 *
 * Reasons of ST_EAUTH read "certificate expired (NAME)", "no certificate", "unknown authority",
 * "name mismatch" when this side refused, and "refused: certificate expired" and so on when the
 * peer did. Under TLS 1.3 a client's handshake is over before the server has judged its
 * certificate: the refusal then comes out of the first tls_conn_read() or tls_conn_write().
 */
#ifndef TUSSAH_COMMON_TLS_H
#define TUSSAH_COMMON_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/opt.h"

struct tls_opts {
	char *ca;   /* PEM file of authorities */
	char *cert; /* PEM chain */
	char *key;  /* PEM key */
	char *crl;  /* PEM revocation lists, optional; then every issuer of a peer needs one */
};
extern const struct opt tls_opt_table[]; /* --tls-ca --tls-cert --tls-key --tls-crl */

struct tls_context; /* shared by connections; thread-safe after creation */
struct tls_conn;    /* one thread at a time */

/* Our own application protocol (DESIGN 5); a peer without it speaks plain IPFIX. */
#define TLS_ALPN_LINK "tussah-link/1"

/*
 * server: ask for and require a client certificate. Returns ST_OK, ST_EINVAL (an option is missing,
 * key and certificate do not belong together), ST_EIO or ST_EFORMAT (a file cannot be read); the
 * text names the file and the reason. Options are borrowed for the call.
 */
int tls_context_new(struct tls_context **out, const struct tls_opts *opts, bool server,
		    struct err *err);
/*
 * Read the files again, for connections from now on; those that are open keep what they have. As
 * tls_context_new(); on failure all stays as it was. From any thread.
 */
int tls_context_reload(struct tls_context *context, const struct tls_opts *opts, struct err *err);
/* Connections made from it live on. */
void tls_context_free(struct tls_context *context);

/*
 * Wrap a connected non-blocking socket, which stays the caller's. server_name (clients, may be
 * NULL; copied): the host name or address that the peer's certificate must carry.
 */
int tls_conn_new(struct tls_conn **out, struct tls_context *context, int fd,
		 const char *server_name, struct err *err);
void tls_conn_free(struct tls_conn *conn);

/* ST_OK done; ST_EAGAIN: poll for tls_conn_wants(); ST_EAUTH: refused, with the reason (expired,
 * no certificate, unknown authority); ST_EIO. */
int tls_conn_handshake(struct tls_conn *conn, struct err *err);
/* poll(2) events to wait for after ST_EAGAIN. */
short tls_conn_wants(const struct tls_conn *conn);
/* ST_OK with *done > 0; ST_EAGAIN; ST_END: closed by the peer in order; ST_EAUTH: the peer refused
 * us; ST_ETRUNC: the connection ended without TLS's own end; ST_EIO. */
int tls_conn_read(struct tls_conn *conn, void *out, size_t size, size_t *done, struct err *err);
/* As tls_conn_read(). After ST_EAGAIN the next call must offer the same bytes, wherever they lie.
 */
int tls_conn_write(struct tls_conn *conn, const void *bytes, size_t size, size_t *done,
		   struct err *err);
/* Say the end; ST_OK: said, ST_EAGAIN, ST_EIO. */
int tls_conn_shutdown(struct tls_conn *conn);
/* Was TLS_ALPN_LINK agreed? */
bool tls_conn_is_link(const struct tls_conn *conn);
/* Names the peer's certificate carries: the common name and DNS alternative names; index from 0,
 * NULL after the last. Borrowed. */
const char *tls_conn_peer_name(const struct tls_conn *conn, size_t index);
/* "TLSv1.3 TLS_AES_256_GCM_SHA384"; borrowed. */
const char *tls_conn_describe(const struct tls_conn *conn);

#endif
