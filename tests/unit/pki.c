/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/pki.h"

#include <glib.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

#define DAY 86400L

struct pki_cert {
	const char *name;
	const char *issuer; /* NULL: an authority, by itself */
	long from_s, until_s;
	const char *alternatives;
};

static const struct pki_cert pki_certs[] = {
	{ "ca", NULL, -10 * DAY, 10 * DAY, NULL },
	{ "other", NULL, -10 * DAY, 10 * DAY, NULL },
	{ "collector", "ca", -DAY, DAY, "DNS:localhost,IP:127.0.0.1" },
	{ "wronghost", "ca", -DAY, DAY, "DNS:elsewhere.example" },
	{ "sensor", "ca", -DAY, DAY, "DNS:sensor.example,DNS:probe.example" },
	{ "expired", "ca", -2 * DAY, -DAY, NULL },
	{ "early", "ca", DAY, 2 * DAY, NULL },
	{ "revoked", "ca", -DAY, DAY, NULL },
	{ "stranger", "other", -DAY, DAY, NULL },
};
#define PKI_COUNT G_N_ELEMENTS(pki_certs)

struct pki_made {
	X509 *cert;
	EVP_PKEY *key;
};

/* The environment is broken, not the code under test. */
static void pki_check(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "pki: %s failed\n", what);
		exit(99);
	}
}

char *pki_path(const char *name, const char *suffix)
{
	return g_strdup_printf("%s/%s%s", unit_scratch(), name, suffix);
}

static void pki_add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	pki_check(extension && X509_add_ext(cert, extension, -1), "X509_add_ext");
	X509_EXTENSION_free(extension);
}

static size_t pki_find(const char *name)
{
	for (size_t i = 0; i < PKI_COUNT; i++) {
		if (g_str_equal(pki_certs[i].name, name)) {
			return i;
		}
	}
	pki_check(false, name);
	return 0;
}

static void pki_make_one(struct pki_made *made, size_t i)
{
	const struct pki_cert *spec = &pki_certs[i];
	size_t issuer = spec->issuer ? pki_find(spec->issuer) : i;
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	made[i].cert = cert;
	made[i].key = EVP_EC_gen("P-256");
	pki_check(made[i].key != NULL, "EVP_EC_gen");
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), (long)i + 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), spec->from_s);
	X509_gmtime_adj(X509_getm_notAfter(cert), spec->until_s);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)spec->name, -1,
				   -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(made[issuer].cert));
	X509_set_pubkey(cert, made[i].key);
	if (!spec->issuer) {
		pki_add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
	}
	if (spec->alternatives) {
		pki_add_extension(cert, made[issuer].cert, NID_subject_alt_name,
				  spec->alternatives);
	}
	pki_check(X509_sign(cert, made[issuer].key, EVP_sha256()) > 0, "X509_sign");
}

static void pki_write(const struct pki_made *made, const char *name)
{
	char *cert_path = pki_path(name, ".pem");
	char *key_path = pki_path(name, ".key");
	FILE *cert = fopen(cert_path, "w");
	FILE *key = fopen(key_path, "w");

	pki_check(cert && key && PEM_write_X509(cert, made->cert) &&
			  PEM_write_PrivateKey(key, made->key, NULL, NULL, 0, NULL, NULL),
		  "writing a certificate");
	fclose(cert);
	fclose(key);
	g_free(cert_path);
	g_free(key_path);
}

static void pki_write_crl(const struct pki_made *ca, X509 *revoked)
{
	char *path = pki_path("crl", ".pem");
	FILE *file = fopen(path, "w");
	X509_CRL *crl = X509_CRL_new();
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_TIME *now = X509_gmtime_adj(NULL, -DAY);
	ASN1_TIME *next = X509_gmtime_adj(NULL, DAY);

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->cert));
	X509_CRL_set1_lastUpdate(crl, now);
	X509_CRL_set1_nextUpdate(crl, next);
	X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked));
	X509_REVOKED_set_revocationDate(entry, now);
	X509_CRL_add0_revoked(crl, entry);
	pki_check(file && X509_CRL_sign(crl, ca->key, EVP_sha256()) > 0 &&
			  PEM_write_X509_CRL(file, crl),
		  "writing the revocation list");
	fclose(file);
	ASN1_TIME_free(now);
	ASN1_TIME_free(next);
	X509_CRL_free(crl);
	g_free(path);
}

void pki_make(void)
{
	struct pki_made made[PKI_COUNT];
	char *done = pki_path("crl", ".pem");

	if (!g_file_test(done, G_FILE_TEST_EXISTS)) {
		for (size_t i = 0; i < PKI_COUNT; i++) {
			pki_make_one(made, i);
			pki_write(&made[i], pki_certs[i].name);
		}
		pki_write_crl(&made[pki_find("ca")], made[pki_find("revoked")].cert);
		for (size_t i = 0; i < PKI_COUNT; i++) {
			X509_free(made[i].cert);
			EVP_PKEY_free(made[i].key);
		}
	}
	g_free(done);
}

struct tls_opts pki_opts(const char *ca, const char *name)
{
	char *paths[3] = { pki_path(ca, ".pem"), pki_path(name, ".pem"), pki_path(name, ".key") };
	struct tls_opts opts = { 0 };
	char **members[3] = { &opts.ca, &opts.cert, &opts.key };

	for (size_t i = 0; i < 3; i++) {
		*members[i] = (char *)g_intern_string(paths[i]);
		g_free(paths[i]);
	}
	return opts;
}

struct ssl_st *pki_foreign(int fd, bool server, const char *name)
{
	struct tls_opts opts = pki_opts("ca", name ? name : "ca");
	SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	SSL *ssl;
	int ok;

	if (name) {
		pki_check(SSL_CTX_use_certificate_chain_file(ctx, opts.cert) == 1 &&
				  SSL_CTX_use_PrivateKey_file(ctx, opts.key, SSL_FILETYPE_PEM) == 1,
			  "loading a certificate");
	}
	if (server) {
		pki_check(SSL_CTX_load_verify_file(ctx, opts.ca) == 1, "loading the authority");
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
	ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_fd(ssl, fd);
	ok = server ? SSL_accept(ssl) : SSL_connect(ssl);
	if (ok != 1) {
		SSL_free(ssl);
		return NULL;
	}
	return ssl;
}
