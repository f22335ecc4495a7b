/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/link.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "common/link_internal.h"
#include "common/timestamp.h"

#define LINK_EVENTS_MAX 16
/* Messages written per link_poll(), so that a capture loop gets its turn. */
#define LINK_WRITE_BURST 256
/* How long a peer that cannot acknowledge gets to refuse our certificate before data flow: under
 * TLS 1.3 the client is done before the server has judged. */
#define LINK_GRACE_NS (500 * NS_PER_MS)

void link_set_spool(struct link *link, struct spool *spool)
{
	link->spool = spool;
	link->relay = spool_is_relay(spool);
	if (link->relay) {
		link->epoch = SPOOL_RELAY_EPOCH;
		link->done_position = spool_position(spool) - 1;
		link->released = link->done_position;
	}
}

void link_add_event(struct link *link, int status, const char *fmt, ...)
{
	struct err *event;
	va_list ap;

	if (link->events_count == LINK_EVENTS_MAX) {
		link->events_first = (link->events_first + 1) % LINK_EVENTS_MAX;
		link->events_count--;
	}
	event = &link->events[(link->events_first + link->events_count) % LINK_EVENTS_MAX];
	link->events_count++;
	event->status = status;
	va_start(ap, fmt);
	vsnprintf(event->text, sizeof(event->text), fmt, ap);
	va_end(ap);
}

bool link_take_event(struct link *link, struct err *out)
{
	if (link->events_count == 0) {
		return false;
	}
	*out = link->events[link->events_first];
	link->events_first = (link->events_first + 1) % LINK_EVENTS_MAX;
	link->events_count--;
	return true;
}

static void link_free_socket(gpointer sock)
{
	linksocket_free(sock);
}

static int link_add_destination(struct link *link, const char *destination,
				const struct tls_opts *tls, struct err *err)
{
	struct linksocket *sock = NULL;
	int rc = linksocket_new(&sock, destination, tls, err);

	if (rc == ST_OK) {
		g_ptr_array_add(link->socks, sock);
	}
	return rc;
}

/* The destination to try next. */
static void link_choose(struct link *link, guint number)
{
	link->current = number % link->socks->len;
	link->sock = g_ptr_array_index(link->socks, link->current);
}

int link_new(struct link **out, const struct link_opts *opts, struct err *err)
{
	struct link *link;
	int rc;

	if (opts->backoff_min_ns <= 0 || opts->backoff_max_ns < opts->backoff_min_ns) {
		return err_set(err, ST_EINVAL, "reconnect delays must be above zero and in order");
	}
	link = g_new0(struct link, 1);
	link->socks = g_ptr_array_new_with_free_func(link_free_socket);
	rc = link_add_destination(link, opts->destination, &opts->tls, err);
	for (size_t i = 0; rc == ST_OK && opts->others != NULL && opts->others[i] != NULL; i++) {
		rc = link_add_destination(link, opts->others[i], &opts->tls, err);
	}
	if (rc != ST_OK) {
		g_ptr_array_unref(link->socks);
		g_free(link);
		return rc;
	}
	link_choose(link, 0);
	link->return_ns = opts->return_ns;
	link->peer_timeout_ns = opts->peer_timeout_ns;
	memcpy(link->stream_id, opts->stream_id, sizeof(link->stream_id));
	link->buffer_bytes = opts->buffer_bytes;
	link->backoff_min_ns = opts->backoff_min_ns;
	link->backoff_max_ns = opts->backoff_max_ns;
	link->backoff_ns = opts->backoff_min_ns;
	link->stall_timeout_ns = opts->stall_timeout_ns;
	link->template_refresh_ns = opts->template_refresh_ns;
	link->next_position = 1;
	link->preamble = g_ptr_array_new_with_free_func(g_free);
	link->events = g_new0(struct err, LINK_EVENTS_MAX);
	link->deadline_ns = INT64_MIN;
	*out = link;
	return ST_OK;
}

/* From half to the whole of the delay, so that many sensors do not come back at one instant. */
static int64_t link_jitter(int64_t delay_ns)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random)) {
		return delay_ns;
	}
	return delay_ns / 2 + (int64_t)((double)(delay_ns - delay_ns / 2) * random / UINT32_MAX);
}

/* Close, and be ready to begin again with the first message that is not done. */
static void link_disconnect(struct link *link)
{
	linksocket_close(link->sock);
	if (link->framed) {
		linkframe_reader_release(&link->reader);
	}
	link->framed = false;
	link->out = NULL;
	link->out_len = 0;
	link->writing = NULL;
	link->unsent = link->head;
	link->sent_position = 0;
	link->state = LINK_IDLE;
	link->stats.connected = false;
	link->leaving = false;
}

/* Wait before the next try, longer and longer. */
static void link_back_off(struct link *link, int64_t now_ns)
{
	link->deadline_ns = now_ns + link_jitter(link->backoff_ns);
	link->backoff_ns = MIN(link->backoff_ns * 2, link->backoff_max_ns);
}

/*
 * Which destination is next, and when: the one that was lost once more, then all in order; the wait
 * comes when all of them have failed.
 */
static void link_plan(struct link *link, bool was_open, int64_t now_ns)
{
	const guint count = link->socks->len;

	if (was_open) {
		link->lost = true;
		link->failures = 0;
		link_back_off(link, now_ns);
		return;
	}
	if (link->lost) {
		link->lost = false;
		link_choose(link, link->current == 0 ? 1 : 0);
	} else {
		link_choose(link, link->current + 1);
	}
	link->failures++;
	if (link->failures % count == 0) {
		link_back_off(link, now_ns);
	} else {
		link->deadline_ns = now_ns;
	}
}

/* The destination works. */
static void link_is_good(struct link *link)
{
	link->backoff_ns = link->backoff_min_ns;
	link->failures = 0;
	link->lost = false;
}

static void link_fail(struct link *link, int64_t now_ns, const struct err *why)
{
	static const char *const words[] = {
		[LINK_IDLE] = "cannot connect: ", [LINK_CONNECTING] = "cannot connect: ",
		[LINK_GREETING] = "no welcome: ", [LINK_GRACE] = "lost: ",
		[LINK_OPEN] = "lost: ",
	};
	const bool refused = g_str_has_prefix(why->text, "refused: ");
	const bool was_open = link->state == LINK_OPEN;

	if (!was_open) {
		link->stats.connect_failures++;
	}
	link_add_event(link, why->status, "%s: %s%s", linksocket_destination(link->sock),
		       refused ? "" : words[link->state], why->text);
	link_disconnect(link);
	link_plan(link, was_open, now_ns);
}

static void link_enter_open(struct link *link, int64_t now_ns)
{
	link->state = LINK_OPEN;
	if (link->relay) {
		link_use_opening(link);
	}
	link->preamble_sent = 0;
	link->preamble_opening = link->preamble->len;
	link->refresh_ns = now_ns + link->template_refresh_ns;
	link->home_ns = now_ns + link->return_ns;
	link->stats.connected = true;
	link->stats.connects++;
	link_add_event(link, ST_OK, "connected to %s (%s%s)", linksocket_destination(link->sock),
		       linksocket_describe(link->sock), link->framed ? ", acknowledged" : "");
}

/*
 * The collector's position. The first one that a link without a spool ever hears moves the origin
 * of the count: its messages are all new, whatever the stream held in an earlier life.
 */
static int link_welcome_queue(struct link *link, uint64_t position, struct err *err)
{
	if (!link->welcomed) {
		link->welcomed = true;
		link->next_position += position;
		for (struct link_message *m = link->head; m; m = m->next) {
			m->position += position;
		}
		for (guint i = 0; i < link->preamble->len; i++) {
			struct link_message *m = g_ptr_array_index(link->preamble, i);

			m->position += position;
		}
	}
	if (position >= link->next_position) {
		return err_set(err, ST_EFORMAT,
			       "the collector has position %" PRIu64 ", %" PRIu64 " was the last",
			       position, link->next_position - 1);
	}
	return ST_OK;
}

/*
 * A collector that has more of the stream than was ever durable here: the spool was set back, by a
 * backup perhaps. Under the old id new messages would be taken for those that the collector has.
 */
static int link_welcome_spool(struct link *link, uint64_t position, struct err *err)
{
	struct journal_stats stats;

	spool_get_stats(link->spool, &stats);
	if (position <= stats.last) {
		return ST_OK;
	}
	link->renew = true;
	return err_set(err, ST_EFORMAT,
		       "the collector has position %" PRIu64 ", the spool only %" PRIu64
		       ": going on as a new stream",
		       position, stats.last);
}

static int link_welcome(struct link *link, uint64_t position, int64_t now_ns, struct err *err)
{
	int rc = link->spool != NULL ? link_welcome_spool(link, position, err)
				     : link_welcome_queue(link, position, err);

	if (rc != ST_OK) {
		return rc;
	}
	link_acked_up_to(link, position);
	link->unsent = link->head;
	link->sent_position = position;
	link_is_good(link);
	link_enter_open(link, now_ns);
	return ST_OK;
}

static int link_goodbye(struct link *link, const struct linkframe *frame, struct err *err)
{
	char reason[LINKFRAME_REASON_MAX + 1];

	linkframe_reason(frame, reason);
	if (link->state == LINK_GREETING) {
		return err_set(err, ST_EAUTH, "refused: %s", *reason ? reason : "no reason given");
	}
	return err_set(err, ST_EIO, "the collector went away%s%s", *reason ? ": " : "", reason);
}

static int link_take_frame(struct link *link, const struct linkframe *frame, int64_t now_ns,
			   struct err *err)
{
	if (frame->type == LINKFRAME_WELCOME) {
		return link_welcome(link, frame->position, now_ns, err);
	}
	if (frame->type == LINKFRAME_GOODBYE) {
		return link_goodbye(link, frame, err);
	}
	if (frame->position > link->sent_position) {
		return err_set(err, ST_EFORMAT,
			       "position %" PRIu64 " acknowledged, %" PRIu64 " sent",
			       frame->position, link->sent_position);
	}
	link_acked_up_to(link, frame->position);
	return ST_OK;
}

static int link_take_frames(struct link *link, int64_t now_ns, struct err *err)
{
	struct linkframe frame;
	int rc;

	while ((rc = linkframe_next(&link->reader, &frame, err)) == ST_OK) {
		rc = link_take_frame(link, &frame, now_ns, err);
		if (rc != ST_OK) {
			return rc;
		}
	}
	return rc == ST_EAGAIN ? ST_OK : rc;
}

/* Read what the peer says until there is no more; a peer without the link has nothing to say. */
static int link_read(struct link *link, int64_t now_ns, struct err *err)
{
	uint8_t ignored[512];
	size_t done;
	int rc;

	do {
		size_t size = sizeof(ignored);
		uint8_t *room = ignored;

		if (link->framed) {
			room = linkframe_reader_room(&link->reader, &size);
		}
		rc = linksocket_read(link->sock, room, size, &done, err);
		if (rc == ST_OK && link->framed) {
			linkframe_reader_added(&link->reader, done);
			link->progress_ns = now_ns;
			rc = link_take_frames(link, now_ns, err);
		}
	} while (rc == ST_OK);
	if (rc == ST_END) {
		return err_set(err, ST_EIO, "closed by the peer");
	}
	return rc;
}

static void link_take_up(struct link *link, struct link_message *message, enum linkframe_type type,
			 uint64_t position)
{
	size_t skip = link->framed ? 0 : LINKFRAME_HEADER_BYTES;

	linkframe_put_header(message->wire, type, message->len, position);
	link->out = message->wire + skip;
	link->out_len = LINKFRAME_HEADER_BYTES - skip + message->len;
}

/* Choose what to write next: a preamble that is due, or the first unsent message. */
static bool link_next_out(struct link *link)
{
	if (link->state != LINK_OPEN) {
		return false;
	}
	if (link->preamble_sent < link->preamble->len) {
		struct link_message *m = g_ptr_array_index(link->preamble, link->preamble_sent);

		if (link->preamble_sent < link->preamble_opening || !link->unsent ||
		    m->position < link->unsent->position) {
			link->preamble_sent++;
			link_take_up(link, m, LINKFRAME_PREAMBLE, 0);
			return true;
		}
	}
	if (!link->unsent || link->leaving) {
		return false;
	}
	link->writing = link->unsent;
	link->unsent = link->unsent->next;
	link_take_up(link, link->writing, LINKFRAME_MESSAGE, link->writing->position);
	return true;
}

/* The kernel has all of what was being written. */
static void link_written(struct link *link)
{
	struct link_message *message = link->writing;

	link->writing = NULL;
	if (!message) {
		return;
	}
	link->stats.sent_messages++;
	link->sent_position = message->position;
	if (!link->framed) {
		link_is_good(link);
		link_acked_up_to(link, message->position);
	}
}

/* A datagram that this path can never carry must not block those behind it. */
static int link_too_large(struct link *link, struct err *err)
{
	link_add_event(link, ST_ELIMIT, "%s: dropped a message of %zu bytes: %s",
		       linksocket_destination(link->sock), link->out_len, err->text);
	link->out_len = 0;
	if (link->writing) {
		link->writing = NULL;
		link_drop_oldest(link);
	}
	return ST_OK;
}

static int link_write(struct link *link, int64_t now_ns, struct err *err)
{
	for (int burst = 0; burst < LINK_WRITE_BURST; burst++) {
		size_t done;
		int rc;

		if (link->out_len == 0 && !link_next_out(link)) {
			return ST_EAGAIN;
		}
		rc = linksocket_write(link->sock, link->out, link->out_len, &done, err);
		if (rc == ST_ELIMIT) {
			rc = link_too_large(link, err);
		}
		if (rc != ST_OK) {
			return rc;
		}
		link->progress_ns = now_ns;
		link->out += done;
		link->out_len -= done;
		if (link->out_len == 0) {
			link_written(link);
		}
	}
	return ST_OK;
}

/* The steps return ST_OK (something moved), ST_EAGAIN (wait), or the end of the connection. */

static int link_step_idle(struct link *link, int64_t now_ns, struct err *err)
{
	int rc;

	if (now_ns < link->deadline_ns) {
		return ST_EAGAIN;
	}
	link->progress_ns = now_ns;
	rc = linksocket_connect(link->sock, err);
	if (rc == ST_OK) {
		link->state = LINK_CONNECTING;
	}
	return rc;
}

static int link_step_connecting(struct link *link, int64_t now_ns, struct err *err)
{
	int rc = linksocket_advance(link->sock, err);

	if (rc != ST_OK) {
		return rc;
	}
	link->progress_ns = now_ns;
	linksocket_set_timeout(link->sock, link->peer_timeout_ns);
	if (linksocket_is_link(link->sock)) {
		link->framed = true;
		if (link->renew && spool_renew_id(link->spool, err) != ST_OK) {
			return ST_EIO;
		}
		link->renew = false;
		if (link->spool != NULL) {
			memcpy(link->stream_id, spool_id(link->spool), sizeof(link->stream_id));
		}
		linkframe_reader_init(&link->reader, LINKFRAME_FROM_COLLECTOR);
		link->out = link->greeting;
		link->out_len = linkframe_put_hello(link->greeting, link->stream_id, link->relay);
		link->state = LINK_GREETING;
	} else if (link->relay) {
		return err_set(err, ST_EVERSION, "the collector does not acknowledge");
	} else if (linksocket_is_tls(link->sock)) {
		link->deadline_ns = now_ns + LINK_GRACE_NS;
		link->state = LINK_GRACE;
	} else {
		link_enter_open(link, now_ns);
	}
	return ST_OK;
}

static int link_step_grace(struct link *link, int64_t now_ns, struct err *err)
{
	int rc = link_read(link, now_ns, err);

	if (rc == ST_EAGAIN && now_ns >= link->deadline_ns) {
		link_enter_open(link, now_ns);
		return ST_OK;
	}
	return rc;
}

/* Greeting and open: hear first, so that a peer that has closed is not written to. */
static int link_step_transfer(struct link *link, int64_t now_ns, struct err *err)
{
	int heard = link_read(link, now_ns, err);
	int wrote;

	if (heard != ST_EAGAIN) {
		return heard;
	}
	if (linksocket_is_datagram(link->sock) && link->template_refresh_ns > 0 &&
	    now_ns >= link->refresh_ns) {
		link->preamble_sent = 0;
		link->preamble_opening = link->preamble->len;
		link->refresh_ns = now_ns + link->template_refresh_ns;
	}
	wrote = link_write(link, now_ns, err);
	if (wrote != ST_OK && wrote != ST_EAGAIN) {
		struct err refusal;

		/* A peer that refuses us closes at once: its reason may have come in meanwhile. */
		if (link_read(link, now_ns, &refusal) == ST_EAUTH) {
			return err_set(err, ST_EAUTH, "%s", refusal.text);
		}
	}
	return wrote;
}

static bool link_waits_for_peer(const struct link *link)
{
	return link->state == LINK_CONNECTING || link->state == LINK_GREETING ||
	       link->out_len > 0 || (link->state == LINK_OPEN && link->head);
}

/* How long a silence may be: while connecting, no longer than for any answer of the host. */
static int64_t link_patience(const struct link *link)
{
	const bool connecting = link->state == LINK_CONNECTING || link->state == LINK_GREETING;

	if (connecting && link->peer_timeout_ns > 0 &&
	    (link->stall_timeout_ns <= 0 || link->peer_timeout_ns < link->stall_timeout_ns)) {
		return link->peer_timeout_ns;
	}
	return link->stall_timeout_ns;
}

static int link_check_stall(struct link *link, int64_t now_ns, struct err *err)
{
	const int64_t patience_ns = link_patience(link);

	if (!link_waits_for_peer(link)) {
		link->progress_ns = now_ns;
	}
	if (patience_ns <= 0 || now_ns - link->progress_ns < patience_ns) {
		return ST_OK;
	}
	link->progress_ns = now_ns;
	if (link->state == LINK_CONNECTING &&
	    linksocket_skip_address(link->sock, err) == ST_EAGAIN) {
		return ST_OK;
	}
	return err_set(err, ST_EIO, "no progress for %.1f s",
		       (double)patience_ns / (double)NS_PER_S);
}

static void link_say_goodbye(struct link *link)
{
	uint8_t bytes[LINKFRAME_HEADER_BYTES + LINKFRAME_REASON_MAX];
	size_t len = linkframe_put_goodbye(bytes, link->sent_position, NULL);
	size_t done;

	if (link->state == LINK_OPEN && link->framed && link->out_len == 0) {
		linksocket_write(link->sock, bytes, len, &done, NULL);
	}
}

/* Begin again at once, with this destination. */
static void link_restart(struct link *link, guint destination, int64_t now_ns)
{
	link_say_goodbye(link);
	link_disconnect(link);
	link_choose(link, destination);
	link->failures = 0;
	link->lost = false;
	link->deadline_ns = now_ns;
}

/* Leave a later destination for the first ones, when nothing is under way. */
static void link_check_return(struct link *link, int64_t now_ns)
{
	if (link->current == 0 || link->state != LINK_OPEN || link->return_ns <= 0) {
		return;
	}
	link->leaving |= now_ns >= link->home_ns;
	if (link->leaving && link->out_len == 0 && link->head == link->unsent) {
		link_add_event(link, ST_OK, "leaving %s to look for the first collector",
			       linksocket_destination(link->sock));
		link_restart(link, 0, now_ns);
	}
}

/* Do what can be done without waiting; false: nothing moved. */
static bool link_step(struct link *link, int64_t now_ns)
{
	static int (*const steps[])(struct link *, int64_t, struct err *) = {
		[LINK_IDLE] = link_step_idle,         [LINK_CONNECTING] = link_step_connecting,
		[LINK_GREETING] = link_step_transfer, [LINK_GRACE] = link_step_grace,
		[LINK_OPEN] = link_step_transfer,
	};
	const uint64_t sent = link->stats.sent_messages;
	const uint64_t acked = link->stats.acked_messages;
	enum link_state before;
	struct err err = { .status = ST_EIO, .text = "" };
	int rc;

	if (link_refill(link)) {
		link_restart(link, link->current, now_ns);
	}
	link_check_return(link, now_ns);
	before = link->state;
	rc = steps[link->state](link, now_ns, &err);
	if (rc == ST_OK || rc == ST_EAGAIN) {
		int stalled = link_check_stall(link, now_ns, &err);

		rc = stalled == ST_OK ? rc : stalled;
	}
	if (rc != ST_OK && rc != ST_EAGAIN) {
		err.status = rc;
		link_fail(link, now_ns, &err);
	}
	link_settle(link);
	return rc != ST_EAGAIN || link->state != before || link->stats.sent_messages != sent ||
	       link->stats.acked_messages != acked;
}

/* How long poll(2) may sleep, in milliseconds. */
static int link_wait_ms(const struct link *link, int64_t now_ns, int timeout_ms)
{
	int64_t until_ns = INT64_MAX;
	int64_t left_ms;

	if (link->state == LINK_IDLE || link->state == LINK_GRACE) {
		until_ns = link->deadline_ns;
	} else if (link->state == LINK_OPEN && link->template_refresh_ns > 0 &&
		   linksocket_is_datagram(link->sock)) {
		until_ns = link->refresh_ns;
	}
	if (until_ns == INT64_MAX) {
		return timeout_ms;
	}
	left_ms = until_ns > now_ns ? (until_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS : 0;
	return (int)MIN(left_ms, timeout_ms);
}

int link_poll(struct link *link, int64_t now_ns, int timeout_ms)
{
	struct pollfd pfd;
	int wait_ms;

	if (link_step(link, now_ns) || timeout_ms <= 0) {
		return ST_OK;
	}
	wait_ms = link_wait_ms(link, now_ns, timeout_ms);
	pfd.fd = linksocket_fd(link->sock);
	pfd.events = pfd.fd >= 0 ? linksocket_events(link->sock) : 0;
	if (poll(&pfd, 1, wait_ms) != 0) {
		link_step(link, now_ns);
	}
	return ST_OK;
}

bool link_is_drained(const struct link *link)
{
	return !link->head && link->out_len == 0 &&
	       (link->spool == NULL || spool_is_empty(link->spool));
}

void link_get_stats(const struct link *link, struct link_stats *out)
{
	struct journal_stats spool;

	*out = link->stats;
	if (link->spool != NULL) {
		spool_get_stats(link->spool, &spool);
		out->queued_messages = spool.last + 1 - MIN(spool.first, spool.last + 1);
		out->queued_bytes = spool.bytes;
		out->dropped_messages = spool.dropped_entries;
		out->dropped_records = spool.dropped_records;
	}
}

void link_free(struct link *link)
{
	if (!link) {
		return;
	}
	link_say_goodbye(link);
	link_disconnect(link);
	link_settle(link);
	link_clear_queue(link);
	g_ptr_array_unref(link->socks);
	g_ptr_array_free(link->preamble, TRUE);
	g_free(link->events);
	g_free(link);
}
