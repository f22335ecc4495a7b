/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The link: IPFIX messages from an exporter to a collector with nothing lost (DESIGN 5).
 *
 * Over TLS with ALPN "tussah-link/1" both ends speak frames (linkframe.h has every byte): the
 * exporter opens with its stream id, the collector answers with the last durable position of that
 * stream, the exporter goes on after it, and the collector returns positions as they become
 * durable. Positions count messages of a stream from 1. Preamble messages (templates) are sent
 * again on every connection and have no position. Over plain TCP, UDP, and TLS with a foreign
 * peer it is IPFIX as RFC 7011 has it, and a message counts as done when the kernel took it.
 *
 * After a connection is lost everything not yet done is sent again, in order, on the next one; over
 * the link the collector's position says what that is, so nothing is stored twice. A message that
 * went out in part over TCP or foreign TLS is sent again whole.
 *
 * Several destinations are several collectors of one stream, each with a durable position of its
 * own. The link is with one of them at a time: the first that can be reached. After a loss the same
 * one is tried once more, then all in order; from a later one the link goes back to the first ones
 * now and then, when nothing is under way. What any of them has acknowledged is never sent again,
 * not even to one that knows less. What was sent and not acknowledged when a connection was lost
 * goes to the next collector too, and may be stored by both: no one can know.
 *
 * With a spool the messages come from there (link_send() and link_add_preamble() are not used):
 * also those of earlier lives, with their id, positions and templates. Messages of different lives
 * go over different connections, since their templates and sequence numbers are different ones.
 * With the spool of a relay (spool_attach()) every connection is opened with what the spool says,
 * and a peer that does not speak the link is none.
 *
 * This header is the exporter's half; packer/listen.h has the collector's, on the shared framing
 * of common/linkframe.h.
 *
 *	link_new(&link, &opts, err);
 *	link_add_preamble(link, templates, templates_len, err);
 *	while (have message) {
 *		while (link_send(link, message, len, records, err) == ST_EAGAIN) {
 *			link_poll(link, now(), 100);
 *		}
 *		link_poll(link, now(), 0);
 *		while (link_take_event(link, &event)) { log(event.text); }
 *	}
 *	while (!link_is_drained(link)) { link_poll(link, now(), 100); }
 *	link_free(link);
 */
#ifndef TUSSAH_COMMON_LINK_H
#define TUSSAH_COMMON_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/spool.h"
#include "common/tls.h"

struct link; /* one destination; one thread */

/* The bytes of a spool to have under way: a peer acknowledges ten times a second, or when it has
 * some MiB. */
#define LINK_SPOOL_BUFFER (UINT64_C(64) << 20)

struct link_opts {
	const char *destination; /* "tls://host:port", "tcp://host:port", "udp://host:port"; IPv6 in
				    brackets; default port 4739, TLS 4740 */
	const char *const *others; /* further destinations, tried in order when the first one is
				      away; NULL at the end; may be NULL */
	int64_t return_ns; /* with another than the first one: try the first ones again this often;
			      0: only when the connection is lost */
	struct tls_opts tls;    /* for tls:// */
	uint8_t stream_id[16];  /* UUID of this stream */
	uint64_t buffer_bytes;  /* bound on messages kept for sending or acknowledgement */
	int64_t backoff_min_ns; /* reconnect delay: doubles from min to max, with jitter */
	int64_t backoff_max_ns;
	int64_t stall_timeout_ns; /* a connection without progress for this long, with something to
				     send or unacknowledged, is dropped; 0: never */
	int64_t peer_timeout_ns;  /* a host that does not answer for this long is away: connecting
				     gives up, connections are dropped; 0: the system's hours */
	int64_t template_refresh_ns; /* UDP: send the preamble again this often; 0: never */
};

struct link_stats {
	bool connected;
	uint64_t connects; /* connections made */
	uint64_t connect_failures;
	uint64_t sent_messages; /* including repeats */
	uint64_t acked_messages;
	uint64_t queued_messages; /* not yet acknowledged */
	uint64_t queued_bytes;
	uint64_t dropped_messages; /* pushed out of the full buffer */
	uint64_t dropped_records;
};

/*
 * Check the options and load certificates; connects at the first link_poll(). Options are copied.
 * Returns ST_OK, ST_EINVAL, ST_EIO or ST_EFORMAT (certificate files).
 */
int link_new(struct link **out, const struct link_opts *opts, struct err *err);
/* Says goodbye if connected. What is still queued is lost. */
void link_free(struct link *link);

/*
 * Messages, id and positions are those of the spool from now on, which is kept; what is
 * acknowledged is released, at most buffer_bytes are under way. Before the first link_poll().
 */
void link_set_spool(struct link *link, struct spool *spool);

/*
 * Append to the messages that open every connection (templates); copied. Sent at once, in order
 * with data, when connected. ST_EINVAL: not 16 to 65535 bytes; ST_ELIMIT: more than
 * LINK_PREAMBLE_MAX bytes in all.
 */
#define LINK_PREAMBLE_MAX (1024 * 1024)
int link_add_preamble(struct link *link, const void *message, size_t len, struct err *err);

/*
 * Queue one data message; copied. records: how many records it holds, for counting. When the buffer
 * is full: ST_EAGAIN and nothing queued; the caller waits (a file) or calls link_drop_oldest().
 * ST_EINVAL: not 16 to 65535 bytes.
 */
int link_send(struct link *link, const void *message, size_t len, uint32_t records,
	      struct err *err);
/* Drop the oldest message (not one that is half written) and count it. */
void link_drop_oldest(struct link *link);

/*
 * Connect, send, receive acknowledgements; waits at most timeout_ms for something to do. Returns
 * ST_OK; trouble with the peer is not an error here: it is retried, and the reason is kept for
 * link_take_event().
 */
int link_poll(struct link *link, int64_t now_ns, int timeout_ms);

/* One line about what happened since (connected to ..., refused: ..., lost: ...); false: nothing.
 */
bool link_take_event(struct link *link, struct err *out);

bool link_is_drained(const struct link *link); /* nothing queued, everything acknowledged */
void link_get_stats(const struct link *link, struct link_stats *out);

#endif
