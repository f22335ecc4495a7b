/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Datagrams that find a full receive buffer are counted, every one; what the kernel has put together
 * is taken apart.
 */
#include <arpa/inet.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "common/timestamp.h"
#include "packer/listen.h"
#include "tests/unit/unit.h"

#define DATAGRAMS 5000
#define EACH      100 /* bytes of a datagram in a bundle */
#define BUNDLE    40  /* datagrams, and a shorter one */
#define SHORT     7

struct collector {
	pthread_mutex_t gate; /* closed while the test sends */
	_Atomic uint64_t messages;
	_Atomic uint64_t wrong; /* not the bytes that such a message has */
	_Atomic uint64_t dropped;
};

static int open_session(void *arg, const struct listen_peer *peer, void **session,
			uint64_t *position, struct err *err)
{
	(void)peer;
	(void)err;
	*session = arg;
	*position = 0;
	return ST_OK;
}

static int take_message(void *session, const uint8_t *bytes, size_t len, uint64_t position,
			struct err *err)
{
	struct collector *collector = session;

	(void)position;
	(void)err;
	for (size_t i = 0; i < len; i++) {
		collector->wrong += bytes[i] != (uint8_t)(len == 1400 ? 0 : collector->messages);
	}
	collector->wrong += len != 1400 && len != EACH && len != SHORT;
	pthread_mutex_lock(&collector->gate);
	pthread_mutex_unlock(&collector->gate);
	collector->messages++;
	return ST_OK;
}

static void take_dropped(void *arg, uint64_t datagrams)
{
	((struct collector *)arg)->dropped += datagrams;
}

static uint64_t taken(struct collector *collector)
{
	return collector->messages + collector->dropped;
}

static void close_session(void *session, const char *reason)
{
	(void)session;
	(void)reason;
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void test_drops(void)
{
	static const struct listen_handler handler = {
		.open = open_session,
		.message = take_message,
		.close = close_session,
		.dropped = take_dropped,
	};
	const struct listen_opts opts = { .transport = LISTEN_UDP,
					  .host = "127.0.0.1",
					  .udp_receive_buffer = 65536 };
	struct collector collector = { .gate = PTHREAD_MUTEX_INITIALIZER };
	struct listener *listener = NULL;
	struct listener_stats stats;
	uint8_t bytes[1400] = { 0 };
	struct err err;
	uint64_t sent = 0;
	int fd;

	CU_ASSERT_EQUAL_FATAL(listener_start(&listener, &opts, &handler, &collector, &err), ST_OK);
	fd = connect_to(listener_port(listener));
	pthread_mutex_lock(&collector.gate);
	for (int i = 0; i < DATAGRAMS; i++) {
		sent += send(fd, bytes, sizeof(bytes), 0) == sizeof(bytes);
	}
	pthread_mutex_unlock(&collector.gate);
	close(fd);
	/* told although no datagram follows */
	for (int i = 0; i < 3000 && taken(&collector) < sent; i++) {
		usleep(10000);
	}
	listener_get_stats(listener, &stats);
	listener_stop(listener);
	CU_ASSERT_TRUE(collector.dropped > 0);
	UNIT_ASSERT_U64(taken(&collector), sent);
	UNIT_ASSERT_U64(stats.dropped, collector.dropped);
}

/* Give the kernel what is to be cut into datagrams of EACH bytes. */
static void send_bundle(int fd, uint8_t *bytes, size_t len)
{
	union {
		struct cmsghdr header;
		uint8_t bytes[CMSG_SPACE(sizeof(uint16_t))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(uint16_t)),
				  .cmsg_level = SOL_UDP,
				  .cmsg_type = UDP_SEGMENT } };
	struct iovec part = { bytes, len };
	const struct msghdr message = { .msg_iov = &part,
					.msg_iovlen = 1,
					.msg_control = &control,
					.msg_controllen = sizeof(control) };
	const uint16_t each = EACH;

	memcpy(CMSG_DATA(&control.header), &each, sizeof(each));
	CU_ASSERT_EQUAL(sendmsg(fd, &message, 0), (ssize_t)len);
}

static void test_bundle(void)
{
	static const struct listen_handler handler = {
		.open = open_session,
		.message = take_message,
		.close = close_session,
	};
	const struct listen_opts opts = { .transport = LISTEN_UDP, .host = "127.0.0.1" };
	struct collector collector = { .gate = PTHREAD_MUTEX_INITIALIZER };
	struct listener *listener = NULL;
	struct listener_stats stats;
	uint8_t bytes[BUNDLE * EACH + SHORT];
	struct err err;
	int fd;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)(i / EACH);
	}
	CU_ASSERT_EQUAL_FATAL(listener_start(&listener, &opts, &handler, &collector, &err), ST_OK);
	fd = connect_to(listener_port(listener));
	send_bundle(fd, bytes, sizeof(bytes));
	memset(bytes, BUNDLE + 1, EACH);
	CU_ASSERT_EQUAL(send(fd, bytes, EACH, 0), EACH);
	close(fd);
	for (int i = 0; i < 3000 && collector.messages < BUNDLE + 2; i++) {
		usleep(10000);
	}
	listener_get_stats(listener, &stats);
	listener_stop(listener);
	UNIT_ASSERT_U64(collector.messages, BUNDLE + 2);
	UNIT_ASSERT_U64(collector.wrong, 0);
	UNIT_ASSERT_U64(stats.messages, BUNDLE + 2);
	UNIT_ASSERT_U64(stats.bytes, (BUNDLE + 1) * EACH + SHORT);
}

/* Whoever was silent for long makes room for another, whoever is not stays. */
static void test_crowded(void)
{
	static const struct listen_handler handler = {
		.open = open_session,
		.message = take_message,
		.close = close_session,
	};
	const struct listen_opts opts = { .transport = LISTEN_UDP,
					  .host = "127.0.0.1",
					  .max_connections = 2,
					  .idle_timeout_ns = 16 * NS_PER_S };
	struct collector collector = { .gate = PTHREAD_MUTEX_INITIALIZER };
	struct listener *listener = NULL;
	struct listener_stats stats = { 0 };
	uint8_t bytes[EACH] = { 0 };
	int fds[3];
	struct err err;

	CU_ASSERT_EQUAL_FATAL(listener_start(&listener, &opts, &handler, &collector, &err), ST_OK);
	for (int i = 0; i < 3; i++) {
		fds[i] = connect_to(listener_port(listener));
		CU_ASSERT_EQUAL(send(fds[i], bytes, EACH, 0), EACH);
	}
	/* the first goes on sending, and so does the third, who finds no room until the second has
	 * been silent for a second */
	for (int i = 0; i < 300 && stats.accepted < 3; i++) {
		usleep(20000);
		send(fds[0], bytes, EACH, 0);
		send(fds[2], bytes, EACH, 0);
		listener_get_stats(listener, &stats);
	}
	listener_get_stats(listener, &stats);
	UNIT_ASSERT_U64(stats.accepted, 3);
	UNIT_ASSERT_U64(stats.open, 2);
	CU_ASSERT(stats.over_limit > 0);
	for (int i = 0; i < 3; i++) {
		close(fds[i]);
	}
	listener_stop(listener);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "dropped by the kernel", test_drops },
		{ "put together by the kernel", test_bundle },
		{ "too many peers", test_crowded },
		{ NULL, NULL },
	};

	return unit_run("listenudp", cases);
}
