/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/metricsd.h"

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static void collect(void *arg, struct metrictext *text)
{
	static const struct metricfamily family = { "tussah_asked", "how often", METRIC_COUNTER };

	metrictext_add(text, &family, NULL, ++*(uint64_t *)arg);
}

static bool is_healthy(void *arg, struct err *err)
{
	if (*(uint64_t *)arg > 1) {
		err_set(err, ST_EIO, "asked too often");
		return false;
	}
	return true;
}

static int dial(const char *address)
{
	const char *colon = strrchr(address, ':');
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)atoi(colon + 1)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* The whole answer to a request. Returned: g_free(). */
static char *ask(const char *address, const char *request)
{
	GString *answer = g_string_new(NULL);
	int fd = dial(address);
	char piece[4096];
	ssize_t n;

	CU_ASSERT_EQUAL(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
	while ((n = recv(fd, piece, sizeof(piece), 0)) > 0) {
		g_string_append_len(answer, piece, n);
	}
	close(fd);
	return g_string_free(answer, FALSE);
}

static void expect(const char *address, const char *request, const char *status, const char *text)
{
	char *answer = ask(address, request);

	CU_ASSERT_TRUE(g_str_has_prefix(answer, status));
	CU_ASSERT_PTR_NOT_NULL(strstr(answer, text));
	g_free(answer);
}

#define HEADERS " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static void test_pages(void)
{
	uint64_t asked = 0;
	const struct metricsd_sources sources = { collect, is_healthy, &asked };
	struct metricsd *metricsd = NULL;
	struct err err;
	const char *at;

	CU_ASSERT_EQUAL_FATAL(metricsd_start(&metricsd, "127.0.0.1:0", &sources, &err), ST_OK);
	at = metricsd_address(metricsd);
	CU_ASSERT_TRUE(g_str_has_prefix(at, "127.0.0.1:"));
	expect(at, "GET /health" HEADERS, "HTTP/1.1 200", "\r\n\r\nok\n");
	expect(at, "GET /metrics" HEADERS, "HTTP/1.1 200", "\ntussah_asked_total 1\n");
	expect(at, "GET /metrics?x=y" HEADERS, "HTTP/1.1 200",
	       "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
	CU_ASSERT_EQUAL(asked, 2);
	expect(at, "GET /health" HEADERS, "HTTP/1.1 503", "\r\n\r\nasked too often\n");
	expect(at, "GET /" HEADERS, "HTTP/1.1 404", "only /metrics");
	expect(at, "GET /../metrics" HEADERS, "HTTP/1.1 404", "only /metrics");
	expect(at, "DELETE /metrics" HEADERS, "HTTP/1.1 405", "Allow: GET");
	expect(at,
	       "POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
	       "HTTP/1.1 405", "Allow: GET");
	CU_ASSERT_EQUAL(asked, 2);
	metricsd_stop(metricsd);
}

/* Those who hang on get no more than their number of places, and stopping does not wait for them.
 */
static void test_crowd(void)
{
	uint64_t asked = 0;
	const struct metricsd_sources sources = { .collect = collect, .arg = &asked };
	struct metricsd *metricsd = NULL;
	int fds[40];
	struct err err;

	CU_ASSERT_EQUAL_FATAL(metricsd_start(&metricsd, "127.0.0.1:0", &sources, &err), ST_OK);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		fds[i] = dial(metricsd_address(metricsd));
		CU_ASSERT_EQUAL(send(fds[i], "GET", 3, MSG_NOSIGNAL), 3);
	}
	metricsd_stop(metricsd);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		close(fds[i]);
	}
	CU_ASSERT_EQUAL(asked, 0);
	metricsd_stop(NULL);
}

static void test_addresses(void)
{
	static const char *const bad[] = { "", "9100", "::1:9100", "host:", "host:x", "a:70000" };
	static const char *const good[] = { ":9100", "127.0.0.1:0", "[::1]:9100", "a.example:1" };
	uint64_t asked = 0;
	const struct metricsd_sources sources = { .collect = collect, .arg = &asked };
	struct metricsd *first = NULL;
	struct metricsd *second = NULL;
	struct err err;

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		CU_ASSERT_EQUAL(metricsd_check(bad[i], &err), ST_EINVAL);
		CU_ASSERT_EQUAL(metricsd_start(&first, bad[i], &sources, &err), ST_EINVAL);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		CU_ASSERT_EQUAL(metricsd_check(good[i], &err), ST_OK);
	}
	CU_ASSERT_EQUAL_FATAL(metricsd_start(&first, ":0", &sources, &err), ST_OK);
	expect(metricsd_address(first), "GET /metrics" HEADERS, "HTTP/1.1 200",
	       "tussah_asked_total");
	metricsd_stop(first);
	CU_ASSERT_EQUAL_FATAL(metricsd_start(&first, "127.0.0.1:0", &sources, &err), ST_OK);
	CU_ASSERT_EQUAL(metricsd_start(&second, metricsd_address(first), &sources, &err), ST_EIO);
	CU_ASSERT_TRUE(g_str_has_prefix(err.text, "cannot serve metrics at 127.0.0.1:"));
	metricsd_stop(first);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "pages", test_pages },
		{ "crowd", test_crowd },
		{ "addresses", test_addresses },
		{ NULL, NULL },
	};

	return unit_run("metricsd", cases);
}
