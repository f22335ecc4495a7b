/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * exporter: made-up records to a collector at an even rate, as NetFlow v5, v9 or IPFIX over UDP.
 * Prints what it sent: "records datagrams seconds". For measuring.
 */
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>

#include "common/opt.h"
#include "tests/perf/datagrams.h"
#include "tests/perf/traffic.h"

enum {
	POOL_RECORDS = 120000,
	BATCH_MAX = 16,
	MAKE_RECORDS = 2 * POOL_RECORDS, /* some of them IPv6 */
};
#define NS_PER_S    INT64_C(1000000000)
#define PATIENCE_NS (NS_PER_S / 200)   /* what was not sent for so long is not made up for */
#define SPIN_NS     (NS_PER_S / 10000) /* shorter pauses are not slept through */
#define RENEW_NS    (60 * NS_PER_S)    /* the time of export moves on by so much at once */

struct exporter_opts {
	char *host;
	uint64_t port;
	int format; /* enum datagrams_format */
	uint64_t rate;
	uint64_t records;
	uint64_t seed;
	bool bundle;
	uint64_t clock_speed;
	uint64_t clock_behind;
};

static const struct opt exporter_opt_table[] = {
	OPT_STR(struct exporter_opts, host, "host", 0, "ADDRESS", "send to this address",
		.default_text = "127.0.0.1"),
	OPT_U64(struct exporter_opts, port, "port", 0, "N", 1, 65535, "send to this UDP port"),
	OPT_CHOICE(struct exporter_opts, format, "format", 0, "FORMAT", datagrams_format_names,
		   "version of the datagrams: v5, v9 or ipfix", .default_text = "v5"),
	OPT_U64(struct exporter_opts, rate, "rate", 0, "N", 0, UINT64_C(1000000000),
		"records per second; 0: no pause", .default_text = "100000"),
	OPT_U64(struct exporter_opts, records, "records", 'n', "N", 1, UINT64_C(100000000000),
		"stop after so many records, rounded up to a datagram", .default_text = "1000000"),
	OPT_U64(struct exporter_opts, seed, "seed", 0, "N", 0, UINT32_MAX,
		"make other records with another seed", .default_text = "1"),
	OPT_FLAG(struct exporter_opts, bundle, "bundle", 0,
		 "let datagrams of one length reach the receiver's kernel as one, as network cards "
		 "put them together that do"),
	OPT_U64(struct exporter_opts, clock_speed, "clock-speed", 0, "N", 1, 3600,
		"let the clock of the datagrams go so much faster", .default_text = "1"),
	OPT_U64(struct exporter_opts, clock_behind, "clock-behind", 0, "SECONDS", 0,
		UINT64_C(100000000), "let it begin so long ago", .default_text = "0"),
	OPT_END,
};

static int64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static GArray *make_records(uint64_t seed)
{
	const struct traffic_opts opts = {
		.seed = seed,
		.records = MAKE_RECORDS,
		.first_hour_ms = INT64_C(1772409600000),
		.hours = 1,
		.with_routes = true,
	};
	struct traffic *traffic = traffic_new(&opts);
	GArray *all = traffic_hour(traffic, 0);
	GArray *some = g_array_new(FALSE, FALSE, sizeof(struct record));

	for (guint i = 0; i < all->len && some->len < POOL_RECORDS; i++) {
		if (!record_is_ipv6(&g_array_index(all, struct record, i))) {
			g_array_append_val(some, g_array_index(all, struct record, i));
		}
	}
	g_array_unref(all);
	traffic_free(traffic);
	return some;
}

static int connect_to(const struct exporter_opts *opts, int *out, struct err *err)
{
	const char *host = opts->host ? opts->host : "127.0.0.1";
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM };
	struct addrinfo *list = NULL;
	char port[8];
	int fd = -1;
	int rc;

	snprintf(port, sizeof(port), "%u", (unsigned)opts->port);
	rc = getaddrinfo(host, port, &hints, &list);
	if (rc != 0) {
		return err_set(err, ST_EINVAL, "%s: %s", host, gai_strerror(rc));
	}
	fd = socket(list->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, list->ai_addr, list->ai_addrlen) != 0) {
		rc = err_errno(err, ST_EIO, errno, "%s port %s", host, port);
	}
	freeaddrinfo(list);
	*out = fd;
	return rc;
}

/* What the kernel is told of a bundle. */
union segment_control {
	struct cmsghdr header;
	uint8_t bytes[CMSG_SPACE(sizeof(uint16_t))];
};

struct sending {
	int fd;
	bool bundle;
	GArray *made; /* the records */
	struct datagrams *pool;
	uint64_t records;
	uint64_t datagrams;
	struct mmsghdr headers[BATCH_MAX];
	struct iovec vectors[BATCH_MAX];
	union segment_control controls[BATCH_MAX];
};

/* How many of the datagrams can go as one: all have the same length, but for a shorter last one. */
static unsigned count_bundle(const struct iovec *vectors, unsigned n)
{
	unsigned count = 1;

	while (count < n && vectors[count - 1].iov_len == vectors[0].iov_len &&
	       vectors[count].iov_len <= vectors[0].iov_len) {
		count++;
	}
	return count;
}

static void tell_segments(struct msghdr *message, union segment_control *control, uint16_t len)
{
	control->header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(len)),
					    .cmsg_level = SOL_UDP,
					    .cmsg_type = UDP_SEGMENT };
	memcpy(CMSG_DATA(&control->header), &len, sizeof(len));
	message->msg_control = control;
	message->msg_controllen = sizeof(*control);
}

/* Make messages of n datagrams; returns how many. */
static unsigned make_messages(struct sending *sending, unsigned n)
{
	unsigned messages = 0;

	for (unsigned i = 0; i < n; messages++) {
		struct iovec *first = &sending->vectors[i];
		const unsigned count = sending->bundle ? count_bundle(first, n - i) : 1;
		struct msghdr *message = &sending->headers[messages].msg_hdr;

		*message = (struct msghdr){ .msg_iov = first, .msg_iovlen = count };
		if (count > 1) {
			tell_segments(message, &sending->controls[messages],
				      (uint16_t)first->iov_len);
		}
		i += count;
	}
	return messages;
}

/* Up to one batch, stopping at the limit of records. */
static int send_batch(struct sending *sending, unsigned count, uint64_t limit, struct err *err)
{
	unsigned n = 0;
	unsigned done = 0;
	unsigned messages;

	while (n < count && sending->records < limit) {
		const struct datagram *next = datagrams_next(sending->pool);

		sending->vectors[n++] = (struct iovec){ (void *)next->bytes, next->len };
		sending->records += next->records;
	}
	messages = make_messages(sending, n);
	while (done < messages) {
		int sent = sendmmsg(sending->fd, sending->headers + done, messages - done, 0);

		if (sent < 0 && errno != EINTR) {
			return err_errno(err, ST_EIO, errno, "send");
		}
		done += sent > 0 ? (unsigned)sent : 0;
	}
	sending->datagrams += n;
	return ST_OK;
}

/* Until it is time, or a little before. */
static void await(int64_t due_ns, int64_t now)
{
	if (due_ns - now > SPIN_NS) {
		const struct timespec pause = { .tv_nsec = due_ns - now - SPIN_NS / 2 };

		nanosleep(&pause, NULL);
	}
}

/* What the clock of the datagrams shows at first. */
static int64_t export_start_ns(const struct exporter_opts *opts)
{
	return now_ns(CLOCK_REALTIME) - (int64_t)opts->clock_behind * NS_PER_S;
}

/* An even stream; a pause that the machine forces on us makes it shorter of breath, not hasty. */
static int send_all(struct sending *sending, const struct exporter_opts *opts, struct err *err)
{
	const int64_t speed = (int64_t)opts->clock_speed;
	const int64_t start_ns = now_ns(CLOCK_MONOTONIC);
	const int64_t clock_ns = export_start_ns(opts);
	int64_t due_ns = start_ns;
	int64_t renew_ns = start_ns + RENEW_NS / speed;
	int rc = ST_OK;

	while (rc == ST_OK && sending->records < opts->records) {
		uint64_t before = sending->records;
		int64_t now = now_ns(CLOCK_MONOTONIC);
		/* small batches at low rates, so that the stream is even */
		unsigned count = opts->rate > 0 && opts->rate < 200000 ? 4 : BATCH_MAX;

		if (opts->rate > 0 && now < due_ns) {
			await(due_ns, now);
			continue;
		}
		if (now >= renew_ns) {
			datagrams_renew(sending->pool, sending->made,
					(clock_ns + (now - start_ns) * speed) / 1000000);
			renew_ns = now + RENEW_NS / speed;
		}
		if (now - due_ns > PATIENCE_NS) {
			due_ns = now;
		}
		rc = send_batch(sending, count, opts->records, err);
		if (opts->rate > 0) {
			due_ns += (int64_t)((sending->records - before) * NS_PER_S / opts->rate);
		}
	}
	return rc;
}

static int run(const struct exporter_opts *opts, struct err *err)
{
	struct sending sending = { .fd = -1, .bundle = opts->bundle };
	int64_t start_ns;
	int rc;

	if (opts->port == 0) {
		return err_set(err, ST_EINVAL, "--port is needed");
	}
	rc = connect_to(opts, &sending.fd, err);
	if (rc != ST_OK) {
		goto done;
	}
	sending.made = make_records(opts->seed);
	sending.pool = datagrams_new((enum datagrams_format)opts->format, sending.made,
				     export_start_ns(opts) / 1000000);
	start_ns = now_ns(CLOCK_MONOTONIC);
	rc = send_all(&sending, opts, err);
	printf("%" PRIu64 " %" PRIu64 " %.6f\n", sending.records, sending.datagrams,
	       (double)(now_ns(CLOCK_MONOTONIC) - start_ns) / NS_PER_S);
done:
	datagrams_free(sending.pool);
	g_clear_pointer(&sending.made, g_array_unref);
	if (sending.fd >= 0) {
		close(sending.fd);
	}
	return rc;
}

int main(int argc, char **argv)
{
	struct exporter_opts opts = {
		.rate = 100000, .records = 1000000, .seed = 1, .clock_speed = 1
	};
	struct opt_result result = { 0 };
	struct err err;
	int rc = opt_parse(exporter_opt_table, &opts, argc, argv, &result, &err);

	if (rc == ST_OK && result.action == OPT_HELP) {
		opt_help(exporter_opt_table, NULL, stdout);
	} else if (rc == ST_OK) {
		rc = run(&opts, &err);
	}
	g_free(result.args);
	if (rc != ST_OK) {
		fprintf(stderr, "exporter: %s\n", err.text);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
