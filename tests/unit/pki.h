/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A public key infrastructure for tests, made anew in unit_scratch(): two authorities, "ca" and
 * "other", and certificates NAME.pem with NAME.key:
 *
 *	collector	by ca, for "localhost" and 127.0.0.1
 *	wronghost	by ca, for "elsewhere.example"
 *	sensor		by ca, common name "sensor", DNS names "sensor.example", "probe.example"
 *	expired		by ca, until yesterday
 *	early		by ca, from tomorrow
 *	revoked		by ca, listed in crl.pem
 *	stranger	by other
 */
#ifndef TUSSAH_TESTS_PKI_H
#define TUSSAH_TESTS_PKI_H

#include <stdbool.h>

#include "common/tls.h"

struct ssl_st;

/* Make all files, once per process. */
void pki_make(void);
/* Options with the certificate of name, trusting ca ("ca", "other"); static strings, freed never.
 */
struct tls_opts pki_opts(const char *ca, const char *name);
/*
 * A foreign TLS end on a blocking socket: no ALPN; the certificate of name, or none (NULL); any
 * certificate is good enough for it unless it is a server, which wants one of ca. Handshaken; NULL
 * when that failed. Free with SSL_free().
 */
struct ssl_st *pki_foreign(int fd, bool server, const char *name);
/* "SCRATCH/name" */
char *pki_path(const char *name, const char *suffix);

#endif
