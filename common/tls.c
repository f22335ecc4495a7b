/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/tls.h"

#include <errno.h>
#include <glib.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct opt tls_opt_table[] = {
	OPT_STR(struct tls_opts, ca, "tls-ca", 0, "FILE",
		"trust peers certified by the authorities in this PEM file", .flags = OPT_ADDED),
	OPT_STR(struct tls_opts, cert, "tls-cert", 0, "FILE",
		"show the certificate (and chain) in this PEM file", .flags = OPT_ADDED),
	OPT_STR(struct tls_opts, key, "tls-key", 0, "FILE", "use the private key in this PEM file",
		.flags = OPT_ADDED),
	OPT_STR(struct tls_opts, crl, "tls-crl", 0, "FILE",
		"refuse certificates revoked by the lists in this PEM file", .flags = OPT_ADDED),
	OPT_END,
};

struct tls_context {
	pthread_mutex_t lock; /* guards ctx, which a reload replaces */
	SSL_CTX *ctx;
	bool server;
};

struct tls_conn {
	SSL *ssl;
	short wants;        /* poll events after the last ST_EAGAIN */
	bool failed;        /* no further SSL call is allowed, not even a shutdown */
	char *refused_name; /* common name of the certificate that failed verification */
	GPtrArray *names;   /* of the peer's certificate, after the handshake */
	char describe[96];
};

/* ALPN names go on the wire with their length in front. */
static const unsigned char tls_alpn_wire[] = "\x0d" TLS_ALPN_LINK;
#define TLS_ALPN_WIRE_LEN (sizeof(tls_alpn_wire) - 1)
_Static_assert(sizeof(TLS_ALPN_LINK) - 1 == 0x0d, "length byte of the ALPN name");

struct tls_reason {
	long code;
	int status;
	const char *text;
};

/* Why this side did not accept the peer's certificate. */
static const struct tls_reason tls_verify_reasons[] = {
	{ X509_V_ERR_CERT_HAS_EXPIRED, ST_EAUTH, "certificate expired" },
	{ X509_V_ERR_CERT_NOT_YET_VALID, ST_EAUTH, "certificate not valid yet" },
	{ X509_V_ERR_CERT_REVOKED, ST_EAUTH, "certificate revoked" },
	{ X509_V_ERR_CRL_HAS_EXPIRED, ST_EAUTH, "revocation list expired" },
	{ X509_V_ERR_UNABLE_TO_GET_CRL, ST_EAUTH, "no revocation list of its authority" },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, ST_EAUTH, "unknown authority" },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, ST_EAUTH, "unknown authority" },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, ST_EAUTH, "unknown authority" },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, ST_EAUTH, "unknown authority" },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, ST_EAUTH, "unknown authority" },
	{ X509_V_ERR_CERT_SIGNATURE_FAILURE, ST_EAUTH, "unknown authority" },
	{ X509_V_ERR_HOSTNAME_MISMATCH, ST_EAUTH, "name mismatch" },
	{ X509_V_ERR_IP_ADDRESS_MISMATCH, ST_EAUTH, "name mismatch" },
	{ X509_V_ERR_INVALID_PURPOSE, ST_EAUTH, "certificate is for another purpose" },
};

/* Why a handshake or transfer failed otherwise; alerts are the peer's words. */
static const struct tls_reason tls_ssl_reasons[] = {
	{ SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, ST_EAUTH, "no certificate" },
	{ SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, ST_EAUTH, "refused: no certificate" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, ST_EAUTH, "refused: certificate expired" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, ST_EAUTH, "refused: certificate revoked" },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, ST_EAUTH, "refused: certificate not accepted" },
	{ SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, ST_EAUTH, "refused: bad certificate" },
	{ SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, ST_EAUTH,
	  "refused: certificate is for another purpose" },
	{ SSL_R_TLSV1_ALERT_UNKNOWN_CA, ST_EAUTH, "refused: unknown authority" },
	{ SSL_R_TLSV1_ALERT_ACCESS_DENIED, ST_EAUTH, "refused: access denied" },
	{ SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, ST_EAUTH, "refused: handshake failure" },
	{ SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, ST_EAUTH, "refused: TLS version" },
	{ SSL_R_UNSUPPORTED_PROTOCOL, ST_EAUTH, "TLS version below 1.2" },
	{ SSL_R_WRONG_VERSION_NUMBER, ST_EIO, "the peer does not speak TLS" },
	{ SSL_R_HTTP_REQUEST, ST_EIO, "the peer does not speak TLS" },
	{ SSL_R_UNEXPECTED_EOF_WHILE_READING, ST_ETRUNC, "connection cut off" },
};

static const struct tls_reason *tls_find_reason(const struct tls_reason *table, size_t count,
						long code)
{
	for (size_t i = 0; i < count; i++) {
		if (table[i].code == code) {
			return &table[i];
		}
	}
	return NULL;
}

/* The library's own words for what failed last, for what has no entry above. */
static int tls_set_library_err(struct err *err, int status, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *text = code ? ERR_reason_error_string(code) : NULL;

	return err_set(err, status, "%s: %s", what, text ? text : "unknown TLS error");
}

/* A private key behind a passphrase is an error, not a question on the terminal. */
static int tls_no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf, (void)size, (void)rwflag, (void)arg;
	return 0;
}

static char *tls_common_name(X509 *cert)
{
	X509_NAME *subject = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	unsigned char *utf8 = NULL;
	char *name = NULL;
	int len;

	if (at < 0) {
		return NULL;
	}
	len = ASN1_STRING_to_UTF8(&utf8,
				  X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	/* A NUL inside would let "sensor1\0.evil" pass for "sensor1". */
	if (len > 0 && strlen((const char *)utf8) == (size_t)len) {
		name = g_strdup((const char *)utf8);
	}
	OPENSSL_free(utf8);
	return name;
}

static int tls_verify(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_conn *conn = ssl ? SSL_get_app_data(ssl) : NULL;
	X509 *cert = X509_STORE_CTX_get0_cert(store);

	if (!ok && conn && cert && !conn->refused_name) {
		conn->refused_name = tls_common_name(cert);
	}
	return ok;
}

static int tls_select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
			   const unsigned char *offer, unsigned offer_len, void *arg)
{
	unsigned char *selected;

	(void)ssl, (void)arg;
	if (SSL_select_next_proto(&selected, out_len, tls_alpn_wire, TLS_ALPN_WIRE_LEN, offer,
				  offer_len) != OPENSSL_NPN_NEGOTIATED) {
		return SSL_TLSEXT_ERR_NOACK;
	}
	*out = selected;
	return SSL_TLSEXT_ERR_OK;
}

static int tls_check_readable(const char *name, const char *path, struct err *err)
{
	FILE *file;

	if (!path) {
		return err_set(err, ST_EINVAL, "--%s is needed for TLS", name);
	}
	file = fopen(path, "re");
	if (!file) {
		return err_errno(err, ST_EIO, errno, "--%s: %s", name, path);
	}
	fclose(file);
	return ST_OK;
}

static int tls_check_files(const struct tls_opts *opts, struct err *err)
{
	int rc = tls_check_readable("tls-ca", opts->ca, err);

	rc = rc == ST_OK ? tls_check_readable("tls-cert", opts->cert, err) : rc;
	rc = rc == ST_OK ? tls_check_readable("tls-key", opts->key, err) : rc;
	return rc == ST_OK && opts->crl ? tls_check_readable("tls-crl", opts->crl, err) : rc;
}

static int tls_load_crl(SSL_CTX *ctx, const char *path, struct err *err)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());

	if (!lookup || X509_load_crl_file(lookup, path, X509_FILETYPE_PEM) <= 0) {
		return tls_set_library_err(err, ST_EFORMAT, path);
	}
	X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
	return ST_OK;
}

static int tls_load_files(SSL_CTX *ctx, const struct tls_opts *opts, struct err *err)
{
	if (SSL_CTX_load_verify_file(ctx, opts->ca) != 1) {
		return tls_set_library_err(err, ST_EFORMAT, opts->ca);
	}
	if (SSL_CTX_use_certificate_chain_file(ctx, opts->cert) != 1) {
		return tls_set_library_err(err, ST_EFORMAT, opts->cert);
	}
	if (SSL_CTX_use_PrivateKey_file(ctx, opts->key, SSL_FILETYPE_PEM) != 1) {
		if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH) {
			return err_set(err, ST_EINVAL, "%s: not the key of %s", opts->key,
				       opts->cert);
		}
		return tls_set_library_err(err, ST_EFORMAT, opts->key);
	}
	if (SSL_CTX_check_private_key(ctx) != 1) {
		return err_set(err, ST_EINVAL, "%s: not the key of %s", opts->key, opts->cert);
	}
	return opts->crl ? tls_load_crl(ctx, opts->crl, err) : ST_OK;
}

static int tls_make_ctx(SSL_CTX **out, const struct tls_opts *opts, bool server, struct err *err)
{
	SSL_CTX *ctx = NULL;
	int rc = tls_check_files(opts, err);

	if (rc != ST_OK) {
		goto done;
	}
	ERR_clear_error();
	ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	if (!ctx) {
		rc = tls_set_library_err(err, ST_EIO, "TLS");
		goto done;
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx,
			    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
	/* No resumption: every connection shows and checks certificates. */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, tls_verify);
	SSL_CTX_set_default_passwd_cb(ctx, tls_no_passphrase);
	if (server) {
		SSL_CTX_set_alpn_select_cb(ctx, tls_select_alpn, NULL);
	} else {
		SSL_CTX_set_alpn_protos(ctx, tls_alpn_wire, TLS_ALPN_WIRE_LEN);
	}
	rc = tls_load_files(ctx, opts, err);
	if (rc != ST_OK) {
		goto done;
	}
	*out = ctx;
	ctx = NULL;
done:
	SSL_CTX_free(ctx);
	return rc;
}

int tls_context_new(struct tls_context **out, const struct tls_opts *opts, bool server,
		    struct err *err)
{
	SSL_CTX *ctx = NULL;
	int rc = tls_make_ctx(&ctx, opts, server, err);

	if (rc == ST_OK) {
		*out = g_new0(struct tls_context, 1);
		pthread_mutex_init(&(*out)->lock, NULL);
		(*out)->ctx = ctx;
		(*out)->server = server;
	}
	return rc;
}

int tls_context_reload(struct tls_context *context, const struct tls_opts *opts, struct err *err)
{
	SSL_CTX *ctx = NULL;
	SSL_CTX *old;
	int rc = tls_make_ctx(&ctx, opts, context->server, err);

	if (rc == ST_OK) {
		pthread_mutex_lock(&context->lock);
		old = context->ctx;
		context->ctx = ctx;
		pthread_mutex_unlock(&context->lock);
		SSL_CTX_free(old); /* connections hold on to it as long as they need it */
	}
	return rc;
}

void tls_context_free(struct tls_context *context)
{
	if (context) {
		SSL_CTX_free(context->ctx);
		pthread_mutex_destroy(&context->lock);
		g_free(context);
	}
}

static bool tls_expect_name(SSL *ssl, const char *name)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (X509_VERIFY_PARAM_set1_ip_asc(param, name)) {
		return true;
	}
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, name) && SSL_set_tlsext_host_name(ssl, name);
}

int tls_conn_new(struct tls_conn **out, struct tls_context *context, int fd,
		 const char *server_name, struct err *err)
{
	struct tls_conn *conn = g_new0(struct tls_conn, 1);

	ERR_clear_error();
	conn->names = g_ptr_array_new_with_free_func(g_free);
	conn->wants = context->server ? POLLIN : POLLOUT;
	pthread_mutex_lock(&context->lock);
	conn->ssl = SSL_new(context->ctx);
	pthread_mutex_unlock(&context->lock);
	if (!conn->ssl || !SSL_set_fd(conn->ssl, fd) ||
	    (server_name && !tls_expect_name(conn->ssl, server_name))) {
		tls_conn_free(conn);
		return tls_set_library_err(err, ST_EIO, "TLS");
	}
	SSL_set_app_data(conn->ssl, conn);
	if (context->server) {
		SSL_set_accept_state(conn->ssl);
	} else {
		SSL_set_connect_state(conn->ssl);
	}
	*out = conn;
	return ST_OK;
}

void tls_conn_free(struct tls_conn *conn)
{
	if (conn) {
		SSL_free(conn->ssl);
		g_ptr_array_free(conn->names, TRUE);
		g_free(conn->refused_name);
		g_free(conn);
	}
}

static int tls_set_verify_err(struct tls_conn *conn, long result, struct err *err)
{
	const struct tls_reason *reason =
		tls_find_reason(tls_verify_reasons, G_N_ELEMENTS(tls_verify_reasons), result);
	const char *text = reason ? reason->text : X509_verify_cert_error_string(result);

	if (conn->refused_name) {
		return err_set(err, ST_EAUTH, "%s (%s)", text, conn->refused_name);
	}
	return err_set(err, ST_EAUTH, "%s", text);
}

/* Turn what SSL_get_error() says after a call that returned n <= 0 into a status. */
static int tls_conn_result(struct tls_conn *conn, int n, int saved_errno, struct err *err)
{
	int kind = SSL_get_error(conn->ssl, n);
	unsigned long code = ERR_peek_error();
	const struct tls_reason *reason;
	long verified;

	if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) {
		conn->wants = kind == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
		return ST_EAGAIN;
	}
	if (kind == SSL_ERROR_ZERO_RETURN) {
		return ST_END;
	}
	conn->failed = true;
	if (kind == SSL_ERROR_SYSCALL && saved_errno != 0) {
		return err_errno(err, ST_EIO, saved_errno, "TLS");
	}
	if (kind == SSL_ERROR_SYSCALL) {
		return err_set(err, ST_ETRUNC, "connection cut off");
	}
	verified = SSL_get_verify_result(conn->ssl);
	if (verified != X509_V_OK && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
		return tls_set_verify_err(conn, verified, err);
	}
	reason = tls_find_reason(tls_ssl_reasons, G_N_ELEMENTS(tls_ssl_reasons),
				 ERR_GET_REASON(code));
	if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason) {
		return err_set(err, reason->status, "%s", reason->text);
	}
	return tls_set_library_err(err, ST_EIO, "TLS");
}

static void tls_conn_collect_names(struct tls_conn *conn)
{
	X509 *cert = SSL_get0_peer_certificate(conn->ssl);
	GENERAL_NAMES *alternatives;
	char *common_name;

	if (!cert) {
		return;
	}
	common_name = tls_common_name(cert);
	if (common_name) {
		g_ptr_array_add(conn->names, common_name);
	}
	alternatives = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(alternatives, i);
		const char *text;
		size_t len;

		if (name->type != GEN_DNS) {
			continue;
		}
		text = (const char *)ASN1_STRING_get0_data(name->d.dNSName);
		len = (size_t)ASN1_STRING_length(name->d.dNSName);
		if (len > 0 && !memchr(text, '\0', len)) {
			g_ptr_array_add(conn->names, g_strndup(text, len));
		}
	}
	GENERAL_NAMES_free(alternatives);
}

int tls_conn_handshake(struct tls_conn *conn, struct err *err)
{
	int n;
	int rc;

	ERR_clear_error();
	errno = 0;
	n = SSL_do_handshake(conn->ssl);
	if (n != 1) {
		rc = tls_conn_result(conn, n, errno, err);
		return rc == ST_END ? err_set(err, ST_ETRUNC, "connection closed in the handshake")
				    : rc;
	}
	tls_conn_collect_names(conn);
	snprintf(conn->describe, sizeof(conn->describe), "%s %s", SSL_get_version(conn->ssl),
		 SSL_get_cipher_name(conn->ssl));
	conn->wants = POLLIN;
	return ST_OK;
}

short tls_conn_wants(const struct tls_conn *conn)
{
	return conn->wants;
}

int tls_conn_read(struct tls_conn *conn, void *out, size_t size, size_t *done, struct err *err)
{
	int n;

	*done = 0;
	ERR_clear_error();
	errno = 0;
	n = SSL_read(conn->ssl, out, (int)MIN(size, (size_t)INT32_MAX));
	if (n <= 0) {
		return tls_conn_result(conn, n, errno, err);
	}
	*done = (size_t)n;
	return ST_OK;
}

int tls_conn_write(struct tls_conn *conn, const void *bytes, size_t size, size_t *done,
		   struct err *err)
{
	int n;

	*done = 0;
	ERR_clear_error();
	errno = 0;
	n = SSL_write(conn->ssl, bytes, (int)MIN(size, (size_t)INT32_MAX));
	if (n <= 0) {
		return tls_conn_result(conn, n, errno, err);
	}
	*done = (size_t)n;
	return ST_OK;
}

int tls_conn_shutdown(struct tls_conn *conn)
{
	int n;

	if (conn->failed || !SSL_is_init_finished(conn->ssl)) {
		return ST_EIO;
	}
	ERR_clear_error();
	errno = 0;
	n = SSL_shutdown(conn->ssl);
	if (n >= 0) {
		return ST_OK;
	}
	return tls_conn_result(conn, n, errno, NULL) == ST_EAGAIN ? ST_EAGAIN : ST_EIO;
}

bool tls_conn_is_link(const struct tls_conn *conn)
{
	const unsigned char *name;
	unsigned len;

	SSL_get0_alpn_selected(conn->ssl, &name, &len);
	return len == sizeof(TLS_ALPN_LINK) - 1 && memcmp(name, TLS_ALPN_LINK, len) == 0;
}

const char *tls_conn_peer_name(const struct tls_conn *conn, size_t index)
{
	return index < conn->names->len ? g_ptr_array_index(conn->names, index) : NULL;
}

const char *tls_conn_describe(const struct tls_conn *conn)
{
	return conn->describe;
}
