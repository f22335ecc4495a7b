/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Both halves of the link against each other, in one process over loopback. */
#include "common/link.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/linkframe.h"
#include "common/timestamp.h"
#include "packer/listen.h"
#include "tests/unit/pki.h"
#include "tests/unit/unit.h"

#define MESSAGE_MAX 2048

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/*
 * The store behind a listener: one stream. A message is its number in bytes 16..19. As a handler
 * must, it ignores what it has already: after a broken connection the old session may still be busy
 * when the new one opens.
 */
struct store {
	pthread_mutex_t lock;
	GArray *numbers;     /* uint32_t of every message kept, in order */
	GArray *positions;   /* and its position */
	uint64_t durable;    /* position */
	guint durable_count; /* of numbers */
	unsigned lag;        /* durable() calls until all is durable */
	unsigned asked;
	unsigned preambles; /* number 0 */
	unsigned sessions;
	bool data_before_preamble;
	const char *refuse;     /* reason of open(), or NULL */
	uint32_t refuse_number; /* message() fails on it */
	char closed[256];       /* last reason */
	char names[128];        /* of the last peer */
	char logged[512];
	bool is_link;
	unsigned slow_ms; /* message() takes that long */
};

struct session {
	struct store *store;
	bool fresh; /* no preamble yet */
};

static void store_init(struct store *store)
{
	*store = (struct store){ 0 };
	pthread_mutex_init(&store->lock, NULL);
	store->numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	store->positions = g_array_new(FALSE, FALSE, sizeof(uint64_t));
}

static void store_release(struct store *store)
{
	g_array_free(store->numbers, TRUE);
	g_array_free(store->positions, TRUE);
	pthread_mutex_destroy(&store->lock);
}

/* What a collector that is killed forgets. */
static void store_crash(struct store *store)
{
	g_array_set_size(store->numbers, store->durable_count);
	g_array_set_size(store->positions, store->durable_count);
}

static int store_open(void *arg, const struct listen_peer *peer, void **session, uint64_t *position,
		      struct err *err)
{
	struct store *store = arg;
	struct session *opened;

	if (store->refuse) {
		return err_set(err, ST_EAUTH, "%s", store->refuse);
	}
	pthread_mutex_lock(&store->lock);
	store->sessions++;
	store->is_link = peer->is_link;
	if (peer->tls) {
		g_strlcpy(store->names, tls_conn_peer_name(peer->tls, 0), sizeof(store->names));
	}
	*position = store->durable;
	opened = g_new0(struct session, 1);
	opened->store = store;
	opened->fresh = true;
	*session = opened;
	pthread_mutex_unlock(&store->lock);
	return ST_OK;
}

static int store_message(void *session, const uint8_t *bytes, size_t len, uint64_t position,
			 struct err *err)
{
	struct session *from = session;
	struct store *store = from->store;
	uint64_t last = 0;
	uint32_t number;
	int rc = ST_OK;

	memcpy(&number, bytes + 16, sizeof(number));
	if (store->slow_ms) {
		poll(NULL, 0, (int)store->slow_ms);
	}
	pthread_mutex_lock(&store->lock);
	if (store->positions->len > 0) {
		last = g_array_index(store->positions, uint64_t, store->positions->len - 1);
	}
	if (number == 0) {
		store->preambles++;
		from->fresh = false;
	} else if (number == store->refuse_number) {
		rc = err_set(err, ST_EFORMAT, "number %" PRIu32, number);
	} else if (position == 0 || position > last) {
		store->data_before_preamble |= from->fresh;
		g_array_append_val(store->numbers, number);
		g_array_append_val(store->positions, position);
		store->asked = 0;
	}
	pthread_mutex_unlock(&store->lock);
	CU_ASSERT(len >= 20);
	return rc;
}

static uint64_t store_durable(void *session)
{
	struct store *store = ((struct session *)session)->store;
	uint64_t durable;

	pthread_mutex_lock(&store->lock);
	if (store->numbers->len > 0 && ++store->asked > store->lag) {
		store->durable_count = store->numbers->len;
		store->durable =
			g_array_index(store->positions, uint64_t, store->positions->len - 1);
	}
	durable = store->durable;
	pthread_mutex_unlock(&store->lock);
	return durable;
}

static void store_close(void *session, const char *reason)
{
	struct store *store = ((struct session *)session)->store;

	pthread_mutex_lock(&store->lock);
	g_strlcpy(store->closed, reason ? reason : "in order", sizeof(store->closed));
	pthread_mutex_unlock(&store->lock);
	g_free(session);
}

static void store_log(void *arg, enum log_level level, const char *text)
{
	struct store *store = arg;

	(void)level;
	pthread_mutex_lock(&store->lock);
	g_strlcpy(store->logged, text, sizeof(store->logged));
	pthread_mutex_unlock(&store->lock);
}

static const struct listen_handler store_handler = { store_open,  store_message, store_durable,
						     store_close, store_log,     NULL };

/* Message number n: a header with the right length, the number, and some padding. */
static size_t make_message(uint8_t *out, uint32_t number, size_t len)
{
	memset(out, 0xa5, len);
	out[0] = 0;
	out[1] = 10;
	out[2] = (uint8_t)(len >> 8);
	out[3] = (uint8_t)len;
	memcpy(out + 16, &number, sizeof(number));
	return len;
}

struct bench {
	struct store store;
	struct tls_context *context;
	struct listener *listener;
	struct link *link;
	char destination[64];
	struct link_opts opts;
	char event[ERR_TEXT_MAX]; /* last one that was trouble */
	int event_status;
};

static void bench_listen(struct bench *bench, enum listen_transport transport, uint16_t port)
{
	struct listen_opts opts = { .transport = transport,
				    .host = "127.0.0.1",
				    .port = port,
				    .tls = bench->context,
				    .max_connections = 4,
				    .handshake_timeout_ns = NS_PER_S };
	struct err err;

	CU_ASSERT_EQUAL_FATAL(
		listener_start(&bench->listener, &opts, &store_handler, &bench->store, &err),
		ST_OK);
}

static void bench_aim(struct bench *bench, const char *scheme, uint16_t port)
{
	snprintf(bench->destination, sizeof(bench->destination), "%s://127.0.0.1:%u", scheme, port);
	bench->opts = (struct link_opts){
		.destination = bench->destination,
		.tls = pki_opts("ca", "sensor"),
		.stream_id = "stream of tests",
		.buffer_bytes = 1 << 20,
		.backoff_min_ns = NS_PER_MS,
		.backoff_max_ns = 20 * NS_PER_MS,
		.stall_timeout_ns = 5 * NS_PER_S,
	};
}

static void bench_open(struct bench *bench, enum listen_transport transport, const char *scheme)
{
	struct tls_opts tls = pki_opts("ca", "collector");
	struct err err;

	*bench = (struct bench){ 0 };
	store_init(&bench->store);
	CU_ASSERT_EQUAL_FATAL(tls_context_new(&bench->context, &tls, true, &err), ST_OK);
	bench_listen(bench, transport, 0);
	bench_aim(bench, scheme, listener_port(bench->listener));
}

static void bench_link(struct bench *bench, bool preamble)
{
	uint8_t message[MESSAGE_MAX];
	struct err err;

	CU_ASSERT_EQUAL_FATAL(link_new(&bench->link, &bench->opts, &err), ST_OK);
	if (preamble) {
		CU_ASSERT_EQUAL(
			link_add_preamble(bench->link, message, make_message(message, 0, 40), &err),
			ST_OK);
	}
}

static void bench_close(struct bench *bench)
{
	link_free(bench->link);
	listener_stop(bench->listener);
	tls_context_free(bench->context);
	store_release(&bench->store);
}

static void bench_send(struct bench *bench, uint32_t first, uint32_t last)
{
	uint8_t message[MESSAGE_MAX];

	for (uint32_t n = first; n <= last; n++) {
		size_t len = make_message(message, n, 20 + n * 37 % 300);

		CU_ASSERT_EQUAL(link_send(bench->link, message, len, 1, NULL), ST_OK);
	}
}

static void bench_events(struct bench *bench)
{
	struct err event;

	while (link_take_event(bench->link, &event)) {
		if (event.status != ST_OK) {
			g_strlcpy(bench->event, event.text, sizeof(bench->event));
			bench->event_status = event.status;
		}
	}
}

/* Poll until drained or, with until_trouble, until something went wrong. */
static bool bench_run(struct bench *bench, bool until_trouble, int64_t limit_ms)
{
	int64_t until = now_ns() + limit_ms * NS_PER_MS;

	bench->event[0] = '\0';
	while (now_ns() < until) {
		link_poll(bench->link, now_ns(), 10);
		bench_events(bench);
		if (until_trouble ? bench->event[0] != '\0' : link_is_drained(bench->link)) {
			return true;
		}
	}
	return false;
}

static unsigned bench_sessions(struct bench *bench)
{
	unsigned sessions;

	pthread_mutex_lock(&bench->store.lock);
	sessions = bench->store.sessions;
	pthread_mutex_unlock(&bench->store.lock);
	return sessions;
}

static unsigned bench_preambles(struct bench *bench)
{
	unsigned preambles;

	pthread_mutex_lock(&bench->store.lock);
	preambles = bench->store.preambles;
	pthread_mutex_unlock(&bench->store.lock);
	return preambles;
}

/* Wait for the store to have count messages: plain transports are not acknowledged. */
static bool bench_wait_count(struct bench *bench, guint count)
{
	for (int i = 0; i < 500; i++) {
		guint have;

		pthread_mutex_lock(&bench->store.lock);
		have = bench->store.numbers->len;
		pthread_mutex_unlock(&bench->store.lock);
		if (have >= count) {
			return true;
		}
		link_poll(bench->link, now_ns(), 10);
	}
	return false;
}

/* Exactly first..last, once each, in order. */
static void check_numbers(struct store *store, uint32_t first, uint32_t last)
{
	pthread_mutex_lock(&store->lock);
	UNIT_ASSERT_U64(store->numbers->len, last - first + 1);
	for (guint i = 0; i < store->numbers->len; i++) {
		if (g_array_index(store->numbers, uint32_t, i) != first + i) {
			UNIT_ASSERT_U64(g_array_index(store->numbers, uint32_t, i), first + i);
			break;
		}
	}
	CU_ASSERT_FALSE(store->data_before_preamble);
	pthread_mutex_unlock(&store->lock);
}

static void test_acknowledged(void)
{
	struct link_stats stats;
	struct bench bench;

	bench_open(&bench, LISTEN_TLS, "tls");
	bench.store.lag = 3;
	bench_link(&bench, true);
	bench_send(&bench, 1, 500);
	CU_ASSERT_TRUE(bench_run(&bench, false, 5000));
	check_numbers(&bench.store, 1, 500);
	link_get_stats(bench.link, &stats);
	UNIT_ASSERT_U64(stats.acked_messages, 500);
	UNIT_ASSERT_U64(stats.queued_messages, 0);
	UNIT_ASSERT_U64(stats.queued_bytes, 0);
	UNIT_ASSERT_U64(bench.store.preambles, 1);
	CU_ASSERT_TRUE(bench.store.is_link);
	UNIT_ASSERT_STR(bench.store.names, "sensor");
	/* A second life of the stream with an empty memory counts on. */
	link_free(bench.link);
	bench_link(&bench, true);
	bench_send(&bench, 501, 510);
	CU_ASSERT_TRUE(bench_run(&bench, false, 5000));
	check_numbers(&bench.store, 1, 510);
	UNIT_ASSERT_U64(bench.store.durable, 510);
	UNIT_ASSERT_STR(bench.store.closed, "in order");
	bench_close(&bench);
}

static void test_plain_transports(void)
{
	static const struct {
		enum listen_transport transport;
		const char *scheme;
	} cases[] = { { LISTEN_TCP, "tcp" }, { LISTEN_UDP, "udp" } };

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct listener_stats stats;
		struct bench bench;

		unit_at("%s", cases[i].scheme);
		bench_open(&bench, cases[i].transport, cases[i].scheme);
		bench_link(&bench, true);
		bench_send(&bench, 1, 100);
		CU_ASSERT_TRUE(bench_run(&bench, false, 5000));
		CU_ASSERT_TRUE(bench_wait_count(&bench, 100));
		check_numbers(&bench.store, 1, 100);
		UNIT_ASSERT_U64(bench.store.preambles, 1);
		listener_get_stats(bench.listener, &stats);
		UNIT_ASSERT_U64(stats.accepted, 1);
		UNIT_ASSERT_U64(stats.messages, 101);
		bench_close(&bench);
	}
}

static void test_udp_repeats_preamble(void)
{
	struct bench bench;

	bench_open(&bench, LISTEN_UDP, "udp");
	bench.opts.template_refresh_ns = 20 * NS_PER_MS;
	bench_link(&bench, true);
	bench_send(&bench, 1, 1);
	for (int i = 0; i < 500 && bench_preambles(&bench) < 3; i++) {
		link_poll(bench.link, now_ns(), 10);
	}
	link_free(bench.link);
	bench.link = NULL;
	listener_stop(bench.listener);
	bench.listener = NULL;
	CU_ASSERT(bench.store.preambles >= 3);
	check_numbers(&bench.store, 1, 1);
	bench_close(&bench);
}

static void test_refusals(void)
{
	static const struct {
		const char *client, *client_ca, *refuse;
		const char *client_says, *collector_logs;
	} cases[] = {
		{ "expired", "ca", NULL, "refused: certificate expired",
		  "certificate expired (expired)" },
		{ "stranger", "ca", NULL, "refused: unknown authority",
		  "unknown authority (stranger)" },
		{ "sensor", "other", NULL, "cannot connect: unknown authority (collector)",
		  "refused: unknown authority" },
		{ "sensor", "ca", "no probe for sensor", "refused: no probe for sensor",
		  "no probe for sensor" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct link_stats stats;
		struct bench bench;

		unit_at("%s by %s", cases[i].client, cases[i].client_ca);
		bench_open(&bench, LISTEN_TLS, "tls");
		bench.store.refuse = cases[i].refuse;
		bench.opts.tls = pki_opts(cases[i].client_ca, cases[i].client);
		bench_link(&bench, true);
		bench_send(&bench, 1, 3);
		CU_ASSERT_TRUE(bench_run(&bench, true, 5000));
		CU_ASSERT_EQUAL(bench.event_status, ST_EAUTH);
		CU_ASSERT_PTR_NOT_NULL(strstr(bench.event, cases[i].client_says));
		if (!strstr(bench.event, cases[i].client_says)) {
			printf("# %s\n", bench.event);
		}
		link_get_stats(bench.link, &stats);
		UNIT_ASSERT_U64(stats.connects, 0);
		UNIT_ASSERT_U64(stats.queued_messages, 3);
		link_free(bench.link);
		bench.link = NULL;
		listener_stop(bench.listener);
		bench.listener = NULL;
		CU_ASSERT_PTR_NOT_NULL(strstr(bench.store.logged, "refused connection from 127."));
		CU_ASSERT_PTR_NOT_NULL(strstr(bench.store.logged, cases[i].collector_logs));
		if (!strstr(bench.store.logged, cases[i].collector_logs)) {
			printf("# %s\n", bench.store.logged);
		}
		UNIT_ASSERT_U64(bench.store.sessions, 0);
		bench_close(&bench);
	}
}

/* The collector goes and comes back: what it had not made durable is sent again. */
static void test_restart(void)
{
	struct bench bench;
	uint16_t port;

	bench_open(&bench, LISTEN_TLS, "tls");
	port = listener_port(bench.listener);
	bench_link(&bench, true);
	bench_send(&bench, 1, 50);
	CU_ASSERT_TRUE(bench_run(&bench, false, 5000));
	pthread_mutex_lock(&bench.store.lock);
	bench.store.lag = 1000000; /* nothing more becomes durable */
	pthread_mutex_unlock(&bench.store.lock);
	bench_send(&bench, 51, 80);
	bench_run(&bench, false, 100);
	CU_ASSERT_FALSE(link_is_drained(bench.link));
	listener_stop(bench.listener);
	store_crash(&bench.store);
	bench_send(&bench, 81, 100);
	CU_ASSERT_TRUE(bench_run(&bench, true, 5000));
	bench.store.lag = 0;
	bench_listen(&bench, LISTEN_TLS, port);
	CU_ASSERT_TRUE(bench_run(&bench, false, 5000));
	check_numbers(&bench.store, 1, 100);
	CU_ASSERT(bench.store.sessions >= 2);
	CU_ASSERT(bench.store.preambles >= 2);
	bench_close(&bench);
}

/* Stopping takes in what has arrived, and the exporter hears of it. */
static void test_stop_drains(void)
{
	struct bench bench;

	bench_open(&bench, LISTEN_TLS, "tls");
	bench.store.slow_ms = 2;
	bench.store.lag = 5;
	bench_link(&bench, true);
	bench_send(&bench, 1, 100);
	for (int i = 0; i < 200 && !bench_sessions(&bench); i++) {
		link_poll(bench.link, now_ns(), 5);
	}
	for (int i = 0; i < 50; i++) {
		link_poll(bench.link, now_ns(), 1);
	}
	listener_stop(bench.listener);
	bench.listener = NULL;
	check_numbers(&bench.store, 1, 100);
	CU_ASSERT_TRUE(bench_run(&bench, false, 2000));
	UNIT_ASSERT_STR(bench.store.closed, "stopped");
	bench_close(&bench);
}

static void test_full_buffer(void)
{
	struct link_stats stats;
	uint8_t message[MESSAGE_MAX];
	struct bench bench;
	uint32_t n = 0;

	bench_open(&bench, LISTEN_TLS, "tls");
	bench.opts.buffer_bytes = 5000;
	bench_link(&bench, false);
	while (link_send(bench.link, message, make_message(message, n + 1, 1000), 7, NULL) ==
	       ST_OK) {
		n++;
	}
	UNIT_ASSERT_U64(n, 5);
	link_drop_oldest(bench.link);
	link_drop_oldest(bench.link);
	bench_send(&bench, 6, 7);
	link_get_stats(bench.link, &stats);
	UNIT_ASSERT_U64(stats.dropped_messages, 2);
	UNIT_ASSERT_U64(stats.dropped_records, 14);
	UNIT_ASSERT_U64(stats.queued_messages, 5);
	CU_ASSERT_TRUE(bench_run(&bench, false, 5000));
	bench.store.data_before_preamble = false;
	check_numbers(&bench.store, 3, 7);
	UNIT_ASSERT_U64(bench.store.durable, 7);
	CU_ASSERT_EQUAL(link_send(bench.link, message, 15, 1, NULL), ST_EINVAL);
	bench_close(&bench);
	/* Nothing there to drop, and a message larger than the buffer. */
	bench_open(&bench, LISTEN_TLS, "tls");
	bench.opts.buffer_bytes = 1;
	bench_link(&bench, false);
	link_drop_oldest(bench.link);
	CU_ASSERT_EQUAL(link_send(bench.link, message, make_message(message, 1, 1000), 7, NULL),
			ST_OK);
	bench_close(&bench);
}

/* A relay that cuts both sides off after so many bytes, then relays without a limit. */
struct relay {
	int listen_fd;
	uint16_t port, upstream_port;
	atomic_long budget;
	atomic_bool stop;
	int64_t hold_ms; /* out of budget: stall for so long before cutting */
	pthread_t thread;
};

static int dial(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool relay_move(struct relay *relay, int from, int to)
{
	uint8_t bytes[4096];
	long budget = relay->budget;
	ssize_t n;

	if (budget == 0) {
		poll(NULL, 0, (int)relay->hold_ms);
		return false;
	}
	n = recv(from, bytes, budget >= 0 ? (size_t)MIN(budget, 4096) : sizeof(bytes), 0);
	if (n <= 0 || send(to, bytes, (size_t)n, MSG_NOSIGNAL) != n) {
		return false;
	}
	if (budget < 0) {
		return true;
	}
	relay->budget -= n;
	return relay->hold_ms || relay->budget > 0;
}

static void relay_pair(struct relay *relay, int down)
{
	int up = dial(relay->upstream_port);
	struct pollfd pfds[2] = { { .fd = down, .events = POLLIN },
				  { .fd = up, .events = POLLIN } };
	bool open = up >= 0;

	while (open && !relay->stop) {
		poll(pfds, 2, 20);
		for (int i = 0; i < 2 && open; i++) {
			if (pfds[i].revents) {
				open = relay_move(relay, pfds[i].fd, pfds[!i].fd);
			}
		}
	}
	if (up >= 0) {
		close(up);
	}
	close(down);
	relay->budget = -1;
	relay->hold_ms = 0;
}

static void *relay_main(void *arg)
{
	struct relay *relay = arg;

	while (!relay->stop) {
		struct pollfd pfd = { .fd = relay->listen_fd, .events = POLLIN };
		int fd;

		if (poll(&pfd, 1, 20) > 0 && (fd = accept(relay->listen_fd, NULL, NULL)) >= 0) {
			relay_pair(relay, fd);
		}
	}
	return NULL;
}

/* A listening socket on any port. */
static int serve(uint16_t *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	listen(fd, 8);
	getsockname(fd, (struct sockaddr *)&addr, &len);
	*port = ntohs(addr.sin_port);
	return fd;
}

static void relay_start(struct relay *relay, uint16_t upstream_port)
{
	relay->upstream_port = upstream_port;
	relay->stop = false;
	relay->listen_fd = serve(&relay->port);
	pthread_create(&relay->thread, NULL, relay_main, relay);
}

static void relay_stop(struct relay *relay)
{
	relay->stop = true;
	pthread_join(relay->thread, NULL);
	close(relay->listen_fd);
}

/* Handshakes, greeting, preamble, data, acknowledgements: cut off everywhere. */
static void test_cut_anywhere(void)
{
	struct relay relay = { 0 };
	long step =
		g_getenv("TUSSAH_CUT_STEP") ? strtol(g_getenv("TUSSAH_CUT_STEP"), NULL, 10) : 149;

	for (long cut = 1; cut < 9000; cut += step) {
		struct bench bench;

		unit_at("cut after %ld bytes", cut);
		bench_open(&bench, LISTEN_TLS, "tls");
		bench.store.lag = (unsigned)cut % 2;
		relay.budget = cut;
		relay_start(&relay, listener_port(bench.listener));
		bench_aim(&bench, "tls", relay.port);
		bench_link(&bench, true);
		for (uint32_t n = 1; n <= 12; n += 4) {
			bench_send(&bench, n, n + 3);
			link_poll(bench.link, now_ns(), 5);
		}
		CU_ASSERT_TRUE(bench_run(&bench, false, 10000));
		check_numbers(&bench.store, 1, 12);
		link_free(bench.link);
		bench.link = NULL;
		relay_stop(&relay);
		bench_close(&bench);
	}
}

/* Plain TCP: a message cut in two is sent again whole; none is lost before the cut was known. */
static void test_tcp_cut(void)
{
	struct relay relay = { 0 };

	for (long cut = 1; cut < 600; cut += 23) {
		struct bench bench;
		uint32_t n = 1;

		unit_at("cut after %ld bytes", cut);
		bench_open(&bench, LISTEN_TCP, "tcp");
		relay.budget = cut;
		relay_start(&relay, listener_port(bench.listener));
		bench_aim(&bench, "tcp", relay.port);
		bench_link(&bench, true);
		for (; n <= 200 && bench_sessions(&bench) < 2; n++) {
			bench_send(&bench, n, n);
			CU_ASSERT_TRUE(bench_run(&bench, false, 5000));
			poll(NULL, 0, 1);
		}
		bench_send(&bench, n, n);
		CU_ASSERT_TRUE(bench_run(&bench, false, 5000));
		CU_ASSERT_TRUE(bench_wait_count(&bench, 2));
		CU_ASSERT(bench_preambles(&bench) >= 1);
		link_free(bench.link);
		bench.link = NULL;
		relay_stop(&relay);
		listener_stop(bench.listener);
		bench.listener = NULL;
		CU_ASSERT_FALSE(bench.store.data_before_preamble);
		bench_close(&bench);
	}
}

static void test_stall_is_dropped(void)
{
	struct relay relay = { .hold_ms = 500, .budget = 5000 };
	struct bench bench;

	bench_open(&bench, LISTEN_TLS, "tls");
	relay_start(&relay, listener_port(bench.listener));
	bench_aim(&bench, "tls", relay.port);
	bench.opts.stall_timeout_ns = 200 * NS_PER_MS;
	bench_link(&bench, true);
	bench_send(&bench, 1, 100);
	CU_ASSERT_TRUE(bench_run(&bench, true, 5000));
	CU_ASSERT_PTR_NOT_NULL(strstr(bench.event, "no progress for 0.2 s"));
	CU_ASSERT_TRUE(bench_run(&bench, false, 10000));
	check_numbers(&bench.store, 1, 100);
	link_free(bench.link);
	bench.link = NULL;
	relay_stop(&relay);
	bench_close(&bench);
}

static void test_bad_message_ends_session(void)
{
	struct bench bench;

	bench_open(&bench, LISTEN_TLS, "tls");
	bench.store.refuse_number = 4;
	bench_link(&bench, true);
	bench_send(&bench, 1, 6);
	CU_ASSERT_TRUE(bench_run(&bench, true, 5000));
	CU_ASSERT_PTR_NOT_NULL(strstr(bench.event, "went away: number 4"));
	check_numbers(&bench.store, 1, 3);
	pthread_mutex_lock(&bench.store.lock);
	bench.store.refuse_number = 0;
	pthread_mutex_unlock(&bench.store.lock);
	CU_ASSERT_TRUE(bench_run(&bench, false, 5000));
	check_numbers(&bench.store, 1, 6);
	bench_close(&bench);
}

static void wait_closed(struct bench *bench, const char *reason)
{
	for (int i = 0; i < 500; i++) {
		pthread_mutex_lock(&bench->store.lock);
		if (bench->store.closed[0]) {
			i = 500;
		}
		pthread_mutex_unlock(&bench->store.lock);
		poll(NULL, 0, 10);
	}
	pthread_mutex_lock(&bench->store.lock);
	UNIT_ASSERT_STR(bench->store.closed, reason);
	pthread_mutex_unlock(&bench->store.lock);
}

static void test_garbage_over_tcp(void)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *reason;
	} cases[] = {
		{ "", 0, "in order" },
		{ "\0\x0a", 2, "closed in the middle of a message" },
		{ "\0\x0a\0\x14", 4, "closed in the middle of a message" },
		{ "\0\x09\0\x14", 4, "not IPFIX (version 9)" },
		{ "\0\x0a\0\x0f", 4, "message length of 15 bytes" },
		{ "GET / HTTP/1.0\r\n\r\n", 18, "not IPFIX (version 18245)" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct bench bench;
		int fd;

		unit_at("%zu", i);
		bench_open(&bench, LISTEN_TCP, "tcp");
		fd = dial(listener_port(bench.listener));
		CU_ASSERT_EQUAL(send(fd, cases[i].bytes, cases[i].len, 0), (ssize_t)cases[i].len);
		shutdown(fd, SHUT_WR);
		wait_closed(&bench, cases[i].reason);
		close(fd);
		bench_close(&bench);
	}
}

static void test_half_messages_over_tcp(void)
{
	uint8_t bytes[3 * 64];
	struct bench bench;

	for (uint32_t n = 1; n <= 3; n++) {
		make_message(bytes + (n - 1) * 64, n, 64);
	}
	bench_open(&bench, LISTEN_TCP, "tcp");
	for (size_t cut = 1; cut < sizeof(bytes); cut += 7) {
		int fd = dial(listener_port(bench.listener));

		unit_at("cut at %zu", cut);
		g_array_set_size(bench.store.numbers, 0);
		pthread_mutex_lock(&bench.store.lock);
		bench.store.closed[0] = '\0';
		pthread_mutex_unlock(&bench.store.lock);
		send(fd, bytes, cut, 0);
		poll(NULL, 0, 2);
		send(fd, bytes + cut, sizeof(bytes) - cut, 0);
		shutdown(fd, SHUT_WR);
		wait_closed(&bench, "in order");
		bench.store.data_before_preamble = false;
		check_numbers(&bench.store, 1, 3);
		close(fd);
	}
	bench_close(&bench);
}

static void test_too_many_and_silent(void)
{
	struct listener_stats stats;
	struct bench bench;
	int fds[6];

	bench_open(&bench, LISTEN_TLS, "tls");
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		fds[i] = dial(listener_port(bench.listener));
	}
	for (int i = 0; i < 500; i++) {
		listener_get_stats(bench.listener, &stats);
		if (stats.over_limit == 2 && stats.refused == 4) {
			break;
		}
		poll(NULL, 0, 10);
	}
	UNIT_ASSERT_U64(stats.over_limit, 2);
	UNIT_ASSERT_U64(stats.refused, 4);
	UNIT_ASSERT_STR(strrchr(bench.store.logged, ':') + 1, " silent in the handshake");
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		close(fds[i]);
	}
	bench_close(&bench);
}

/* YAF and routers: TLS with a certificate, but not our protocol. */
static void test_foreign_exporter(void)
{
	static const struct {
		const char *client; /* NULL: no certificate */
		const char *logged; /* NULL: let in */
	} cases[] = {
		{ "sensor", NULL },
		{ "expired", "certificate expired (expired)" },
		{ NULL, ": no certificate" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		uint8_t message[MESSAGE_MAX];
		struct bench bench;
		SSL *ssl;
		int fd;

		unit_at("%s", cases[i].client ? cases[i].client : "no certificate");
		bench_open(&bench, LISTEN_TLS, "tls");
		fd = dial(listener_port(bench.listener));
		ssl = pki_foreign(fd, false, cases[i].client);
		CU_ASSERT_PTR_NOT_NULL_FATAL(ssl);
		for (uint32_t n = 1; n <= 50; n++) {
			SSL_write(ssl, message, (int)make_message(message, n, 20 + 31 * n));
		}
		SSL_shutdown(ssl);
		if (!cases[i].logged) {
			wait_closed(&bench, "in order");
			bench.store.data_before_preamble = false;
			check_numbers(&bench.store, 1, 50);
			UNIT_ASSERT_STR(bench.store.names, "sensor");
			CU_ASSERT_FALSE(bench.store.is_link);
		}
		SSL_free(ssl);
		close(fd);
		listener_stop(bench.listener);
		bench.listener = NULL;
		if (cases[i].logged) {
			CU_ASSERT_PTR_NOT_NULL(strstr(bench.store.logged, cases[i].logged));
			UNIT_ASSERT_U64(bench.store.sessions, 0);
		}
		bench_close(&bench);
	}
}

/* A TLS collector that is not ours: reads messages until the end, or refuses the certificate. */
struct foreign_collector {
	int listen_fd;
	uint8_t bytes[65536];
	size_t len;
	bool shaken;
};

static void *foreign_collector_main(void *arg)
{
	struct foreign_collector *collector = arg;
	int fd = accept(collector->listen_fd, NULL, NULL);
	SSL *ssl = pki_foreign(fd, true, "collector");
	int n = 1;

	collector->shaken = ssl != NULL;
	while (ssl && n > 0) {
		n = SSL_read(ssl, collector->bytes + collector->len,
			     (int)(sizeof(collector->bytes) - collector->len));
		collector->len += n > 0 ? (size_t)n : 0;
	}
	if (!ssl) {
		/* Let the refusal be read before the connection is reset. */
		shutdown(fd, SHUT_WR);
		poll(NULL, 0, 200);
	}
	SSL_free(ssl);
	close(fd);
	return NULL;
}

static void test_foreign_collector(void)
{
	static const struct {
		const char *client;
		const char *event; /* NULL: let in */
	} cases[] = { { "sensor", NULL },
		      { "expired", "refused: certificate expired" },
		      { "stranger", "refused: unknown authority" } };

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct foreign_collector *collector = g_new0(struct foreign_collector, 1);
		struct bench bench = { 0 };
		struct link_stats stats;
		pthread_t thread;
		uint16_t port;

		unit_at("%s", cases[i].client);
		store_init(&bench.store);
		collector->listen_fd = serve(&port);
		pthread_create(&thread, NULL, foreign_collector_main, collector);
		bench_aim(&bench, "tls", port);
		bench.opts.tls = pki_opts("ca", cases[i].client);
		bench.opts.backoff_min_ns = bench.opts.backoff_max_ns = 60 * NS_PER_S;
		bench_link(&bench, true);
		bench_send(&bench, 1, 20);
		CU_ASSERT_TRUE(bench_run(&bench, cases[i].event != NULL, 5000));
		link_get_stats(bench.link, &stats);
		UNIT_ASSERT_U64(stats.queued_messages, cases[i].event ? 20 : 0);
		UNIT_ASSERT_U64(stats.connects, cases[i].event ? 0 : 1);
		CU_ASSERT(!cases[i].event || strstr(bench.event, cases[i].event));
		link_free(bench.link);
		bench.link = NULL;
		pthread_join(thread, NULL);
		CU_ASSERT_EQUAL(collector->shaken, !cases[i].event);
		/* The preamble of 40 bytes, then 20 + n * 37 % 300 for each n. */
		UNIT_ASSERT_U64(collector->len, cases[i].event ? 0 : 40 + 20 * 20 + 2970);
		close(collector->listen_fd);
		g_free(collector);
		bench_close(&bench);
	}
}

static void test_destinations(void)
{
	static const struct {
		const char *destination;
		const char *text; /* NULL: good */
	} cases[] = {
		{ "tcp://localhost", NULL },
		{ "udp://[::1]:4739", NULL },
		{ "tcp://[::1]", NULL },
		{ "tcp://localhost:65535", NULL },
		{ "http://localhost",
		  "http://localhost: does not begin with tls://, tcp:// or udp://" },
		{ "tcp://", "tcp://: no host" },
		{ "tcp://:4739", "tcp://:4739: no host" },
		{ "tcp://h:0", "tcp://h:0: port '0' is not a number from 1 to 65535" },
		{ "tcp://h:65536", "tcp://h:65536: port '65536' is not a number from 1 to 65535" },
		{ "tcp://h:", "tcp://h:: port '' is not a number from 1 to 65535" },
		{ "tcp://[::1", "tcp://[::1: no closing bracket before the port" },
		{ "tcp://[::1]x", "tcp://[::1]x: no closing bracket before the port" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct link_opts opts = { .destination = cases[i].destination,
					  .backoff_min_ns = 1,
					  .backoff_max_ns = 1 };
		struct link *link = NULL;
		struct err err = { 0 };
		int rc = link_new(&link, &opts, &err);

		unit_at("%s", cases[i].destination);
		CU_ASSERT_EQUAL(rc, cases[i].text ? ST_EINVAL : ST_OK);
		if (cases[i].text) {
			UNIT_ASSERT_STR(err.text, cases[i].text);
		}
		link_free(link);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "destinations", test_destinations },
		{ "acknowledged", test_acknowledged },
		{ "plain transports", test_plain_transports },
		{ "udp repeats the preamble", test_udp_repeats_preamble },
		{ "refusals", test_refusals },
		{ "restart", test_restart },
		{ "stop drains", test_stop_drains },
		{ "full buffer", test_full_buffer },
		{ "cut anywhere", test_cut_anywhere },
		{ "tcp cut", test_tcp_cut },
		{ "stall is dropped", test_stall_is_dropped },
		{ "bad message ends the session", test_bad_message_ends_session },
		{ "garbage over tcp", test_garbage_over_tcp },
		{ "half messages over tcp", test_half_messages_over_tcp },
		{ "too many and silent", test_too_many_and_silent },
		{ "foreign exporter", test_foreign_exporter },
		{ "foreign collector", test_foreign_collector },
		{ NULL, NULL },
	};

	signal(SIGPIPE, SIG_IGN);
	pki_make();
	return unit_run("link", cases);
}
