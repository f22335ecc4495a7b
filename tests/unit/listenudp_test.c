/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Datagrams that find a full receive buffer are counted, every one. */
#include <arpa/inet.h>
#include <pthread.h>
#include <unistd.h>

#include "common/timestamp.h"
#include "packer/listen.h"
#include "tests/unit/unit.h"

#define DATAGRAMS 5000

struct collector {
	pthread_mutex_t gate; /* closed while the test sends */
	_Atomic uint64_t messages;
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

	(void)bytes;
	(void)len;
	(void)position;
	(void)err;
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

int main(void)
{
	static const struct unit_case cases[] = {
		{ "dropped by the kernel", test_drops },
		{ NULL, NULL },
	};

	return unit_run("listenudp", cases);
}
