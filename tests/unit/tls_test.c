/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/tls.h"

#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/pki.h"
#include "tests/unit/unit.h"

struct pair {
	struct tls_context *contexts[2]; /* server, client */
	struct tls_conn *conns[2];
	int fds[2];
	struct err errs[2];
	int results[2];
};

enum { SERVER, CLIENT };

static void pair_open(struct pair *pair, const struct tls_opts *server,
		      const struct tls_opts *client, const char *name)
{
	struct err err;

	*pair = (struct pair){ 0 };
	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair->fds), 0);
	CU_ASSERT_EQUAL_FATAL(tls_context_new(&pair->contexts[SERVER], server, true, &err), ST_OK);
	CU_ASSERT_EQUAL_FATAL(tls_context_new(&pair->contexts[CLIENT], client, false, &err), ST_OK);
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL_FATAL(tls_conn_new(&pair->conns[i], pair->contexts[i], pair->fds[i],
						   i == CLIENT ? name : NULL, &err),
				      ST_OK);
	}
}

static void pair_close(struct pair *pair)
{
	for (int i = 0; i < 2; i++) {
		tls_conn_free(pair->conns[i]);
		tls_context_free(pair->contexts[i]);
		if (pair->fds[i] >= 0) {
			close(pair->fds[i]);
		}
	}
}

/* Both handshakes by turns; then the client reads once, to learn of a late refusal. */
static void pair_shake(struct pair *pair)
{
	pair->results[0] = pair->results[1] = ST_EAGAIN;
	for (int turn = 0; turn < 20; turn++) {
		for (int i = 0; i < 2; i++) {
			if (pair->results[i] == ST_EAGAIN) {
				pair->results[i] =
					tls_conn_handshake(pair->conns[i], &pair->errs[i]);
			}
		}
	}
	if (pair->results[CLIENT] == ST_OK) {
		char byte;
		size_t done;
		int rc = tls_conn_read(pair->conns[CLIENT], &byte, 1, &done, &pair->errs[CLIENT]);

		pair->results[CLIENT] = rc == ST_EAGAIN ? ST_OK : rc;
	}
}

static void test_who_is_let_in(void)
{
	static const struct {
		const char *server, *client, *client_ca, *name;
		bool crl;
		const char *server_says, *client_says; /* NULL: ST_OK */
	} cases[] = {
		{ "collector", "sensor", "ca", "localhost", false, NULL, NULL },
		{ "collector", "sensor", "ca", "127.0.0.1", false, NULL, NULL },
		{ "collector", "sensor", "ca", NULL, false, NULL, NULL },
		{ "collector", "sensor", "ca", "localhost", true, NULL, NULL },
		{ "collector", "revoked", "ca", "localhost", false, NULL, NULL },
		{ "collector", "revoked", "ca", "localhost", true, "certificate revoked (revoked)",
		  "refused: certificate revoked" },
		{ "collector", "expired", "ca", "localhost", false, "certificate expired (expired)",
		  "refused: certificate expired" },
		{ "collector", "early", "ca", "localhost", false,
		  "certificate not valid yet (early)", "refused: bad certificate" },
		{ "collector", "stranger", "ca", "localhost", false, "unknown authority (stranger)",
		  "refused: unknown authority" },
		{ "expired", "sensor", "ca", NULL, false, "refused: certificate expired",
		  "certificate expired (expired)" },
		{ "collector", "sensor", "other", "localhost", false, "refused: unknown authority",
		  "unknown authority (collector)" },
		{ "wronghost", "sensor", "ca", "localhost", false, "refused: bad certificate",
		  "name mismatch (wronghost)" },
		{ "collector", "sensor", "ca", "127.0.0.2", false, "refused: bad certificate",
		  "name mismatch (collector)" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct tls_opts server = pki_opts("ca", cases[i].server);
		struct tls_opts client = pki_opts(cases[i].client_ca, cases[i].client);
		struct pair pair;
		char *crl = pki_path("crl", ".pem");

		unit_at("%s / %s by %s, crl %d", cases[i].server, cases[i].client,
			cases[i].client_ca, cases[i].crl);
		server.crl = cases[i].crl ? crl : NULL;
		pair_open(&pair, &server, &client, cases[i].name);
		pair_shake(&pair);
		CU_ASSERT_EQUAL(pair.results[SERVER], cases[i].server_says ? ST_EAUTH : ST_OK);
		CU_ASSERT_EQUAL(pair.results[CLIENT], cases[i].client_says ? ST_EAUTH : ST_OK);
		if (cases[i].server_says) {
			UNIT_ASSERT_STR(pair.errs[SERVER].text, cases[i].server_says);
		}
		if (cases[i].client_says) {
			UNIT_ASSERT_STR(pair.errs[CLIENT].text, cases[i].client_says);
		}
		pair_close(&pair);
		g_free(crl);
	}
}

static void test_names_and_protocol(void)
{
	struct tls_opts server = pki_opts("ca", "collector");
	struct tls_opts client = pki_opts("ca", "sensor");
	struct pair pair;

	pair_open(&pair, &server, &client, "localhost");
	pair_shake(&pair);
	UNIT_ASSERT_STR(tls_conn_peer_name(pair.conns[SERVER], 0), "sensor");
	UNIT_ASSERT_STR(tls_conn_peer_name(pair.conns[SERVER], 1), "sensor.example");
	UNIT_ASSERT_STR(tls_conn_peer_name(pair.conns[SERVER], 2), "probe.example");
	CU_ASSERT_PTR_NULL(tls_conn_peer_name(pair.conns[SERVER], 3));
	CU_ASSERT_TRUE(tls_conn_is_link(pair.conns[SERVER]));
	CU_ASSERT_TRUE(tls_conn_is_link(pair.conns[CLIENT]));
	CU_ASSERT_EQUAL(strncmp(tls_conn_describe(pair.conns[CLIENT]), "TLSv1.3 ", 8), 0);
	pair_close(&pair);
}

/* More than the socket holds, both ways; then the end, in order and not. */
static void test_transfer(void)
{
	struct tls_opts server = pki_opts("ca", "collector");
	struct tls_opts client = pki_opts("ca", "sensor");
	size_t size = 1024 * 1024;
	uint8_t *sent = g_malloc(size);
	uint8_t *got = g_malloc(size);
	struct pair pair;

	for (size_t i = 0; i < size; i++) {
		sent[i] = (uint8_t)(i * 7 + i / 251);
	}
	pair_open(&pair, &server, &client, "localhost");
	pair_shake(&pair);
	for (int from = 0; from < 2; from++) {
		size_t out = 0;
		size_t in = 0;

		memset(got, 0, size);
		for (int stuck = 0; in < size && stuck < 3; stuck++) {
			size_t done;

			while (out < size && tls_conn_write(pair.conns[from], sent + out,
							    size - out, &done, NULL) == ST_OK) {
				out += done;
			}
			while (tls_conn_read(pair.conns[!from], got + in, size - in, &done, NULL) ==
			       ST_OK) {
				in += done;
				stuck = 0;
			}
		}
		UNIT_ASSERT_U64(in, size);
		CU_ASSERT_EQUAL(memcmp(sent, got, size), 0);
	}
	CU_ASSERT_EQUAL(tls_conn_shutdown(pair.conns[CLIENT]), ST_OK);
	CU_ASSERT_EQUAL(tls_conn_read(pair.conns[SERVER], got, 1, &size, NULL), ST_END);
	close(pair.fds[SERVER]);
	pair.fds[SERVER] = -1;
	CU_ASSERT_EQUAL(tls_conn_read(pair.conns[CLIENT], got, 1, &size, &pair.errs[CLIENT]),
			ST_ETRUNC);
	UNIT_ASSERT_STR(pair.errs[CLIENT].text, "connection cut off");
	pair_close(&pair);
	g_free(sent);
	g_free(got);
}

/* A client that shows no certificate, and one that is no client at all. */
static void test_strangers(void)
{
	struct tls_opts opts = pki_opts("ca", "collector");
	struct tls_context *context;
	struct tls_conn *conn;
	struct err err;
	int fds[2];
	int rc;

	CU_ASSERT_EQUAL_FATAL(tls_context_new(&context, &opts, true, &err), ST_OK);
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	CU_ASSERT_EQUAL_FATAL(tls_conn_new(&conn, context, fds[0], NULL, &err), ST_OK);
	CU_ASSERT_EQUAL(tls_conn_handshake(conn, &err), ST_EAGAIN);
	CU_ASSERT_EQUAL(write(fds[1], "GET / HTTP/1.0\r\n\r\n", 18), 18);
	rc = tls_conn_handshake(conn, &err);
	CU_ASSERT_EQUAL(rc, ST_EIO);
	UNIT_ASSERT_STR(err.text, "the peer does not speak TLS");
	tls_conn_free(conn);
	tls_context_free(context);
	close(fds[0]);
	close(fds[1]);
}

static void test_bad_files(void)
{
	struct tls_opts good = pki_opts("ca", "sensor");
	struct tls_opts other = pki_opts("ca", "collector");
	struct tls_context *context;
	struct tls_opts opts;
	struct err err;

	opts = good;
	opts.ca = NULL;
	CU_ASSERT_EQUAL(tls_context_new(&context, &opts, true, &err), ST_EINVAL);
	UNIT_ASSERT_STR(err.text, "--tls-ca is needed for TLS");
	opts = good;
	opts.cert = (char *)"/nonexistent/cert.pem";
	CU_ASSERT_EQUAL(tls_context_new(&context, &opts, true, &err), ST_EIO);
	UNIT_ASSERT_STR(err.text, "--tls-cert: /nonexistent/cert.pem: No such file or directory");
	opts = good;
	opts.ca = good.key;
	CU_ASSERT_EQUAL(tls_context_new(&context, &opts, true, &err), ST_EFORMAT);
	opts = good;
	opts.key = other.key;
	CU_ASSERT_EQUAL(tls_context_new(&context, &opts, true, &err), ST_EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "sensor.pem"));
	opts = good;
	opts.crl = good.cert;
	CU_ASSERT_EQUAL(tls_context_new(&context, &opts, true, &err), ST_EFORMAT);
	tls_context_free(NULL);
	tls_conn_free(NULL);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "who is let in", test_who_is_let_in },
		{ "names and protocol", test_names_and_protocol },
		{ "transfer", test_transfer },
		{ "strangers", test_strangers },
		{ "bad files", test_bad_files },
		{ NULL, NULL },
	};

	signal(SIGPIPE, SIG_IGN);
	pki_make();
	return unit_run("tls", cases);
}
