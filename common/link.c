/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/link.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "common/linkframe.h"
#include "common/linksocket.h"
#include "common/timestamp.h"

#define LINK_EVENTS_MAX 16
/* Messages written per link_poll(), so that a capture loop gets its turn. */
#define LINK_WRITE_BURST 256
/* How long a peer that cannot acknowledge gets to refuse our certificate before data flow: under
 * TLS 1.3 the client is done before the server has judged. */
#define LINK_GRACE_NS (500 * NS_PER_MS)

struct link_message {
	struct link_message *next;
	uint64_t position; /* preamble: that of the last message queued before it */
	uint32_t records;
	size_t len;
	uint8_t wire[]; /* room for a frame header, then the message */
};

enum link_state {
	LINK_IDLE,       /* no connection; next attempt at deadline_ns */
	LINK_CONNECTING, /* TCP and TLS */
	LINK_GREETING,   /* HELLO out, WELCOME awaited */
	LINK_GRACE,      /* foreign TLS peer: until deadline_ns it may refuse */
	LINK_OPEN,
};

struct link {
	struct linksocket *sock;
	uint8_t stream_id[LINKFRAME_STREAM_ID_BYTES];
	uint64_t buffer_bytes;
	int64_t backoff_min_ns, backoff_max_ns, stall_timeout_ns, template_refresh_ns;

	struct link_message *head, *tail; /* not done yet, in order of position */
	uint64_t next_position;
	GPtrArray *preamble; /* of struct link_message */
	size_t preamble_bytes;

	/* The connection. */
	enum link_state state;
	bool framed;                  /* the peer speaks the link */
	struct link_message *unsent;  /* first of the queue not taken up yet */
	struct link_message *writing; /* of the queue, in part with the kernel */
	guint preamble_sent;          /* how many are taken up */
	guint preamble_opening;       /* so many go out before any data */
	uint64_t sent_position;       /* last message wholly written */
	const uint8_t *out;           /* what is being written */
	size_t out_len;
	uint8_t greeting[LINKFRAME_HEADER_BYTES + LINKFRAME_HELLO_BYTES];
	struct linkframe_reader reader; /* framed only */
	int64_t deadline_ns;            /* of IDLE and GRACE */
	int64_t progress_ns;            /* last time something moved, or nothing had to */
	int64_t refresh_ns;             /* next time the preamble goes out again over UDP */

	bool welcomed; /* a collector has told its position once */
	int64_t backoff_ns;
	struct err *events; /* ring of LINK_EVENTS_MAX */
	unsigned events_first, events_count;
	struct link_stats stats;
};

static void link_add_event(struct link *link, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void link_add_event(struct link *link, int status, const char *fmt, ...)
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

int link_new(struct link **out, const struct link_opts *opts, struct err *err)
{
	struct linksocket *sock;
	struct link *link;
	int rc;

	if (opts->backoff_min_ns <= 0 || opts->backoff_max_ns < opts->backoff_min_ns) {
		return err_set(err, ST_EINVAL, "reconnect delays must be above zero and in order");
	}
	rc = linksocket_new(&sock, opts->destination, &opts->tls, err);
	if (rc != ST_OK) {
		return rc;
	}
	link = g_new0(struct link, 1);
	link->sock = sock;
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

static struct link_message *link_message_new(const void *bytes, size_t len, uint64_t position,
					     uint32_t records)
{
	struct link_message *message = g_malloc(sizeof(*message) + LINKFRAME_HEADER_BYTES + len);

	*message = (struct link_message){ .position = position, .records = records, .len = len };
	memcpy(message->wire + LINKFRAME_HEADER_BYTES, bytes, len);
	return message;
}

static int link_check_len(size_t len, struct err *err)
{
	if (len < LINKFRAME_MESSAGE_MIN || len > LINKFRAME_MESSAGE_MAX) {
		return err_set(err, ST_EINVAL, "a message of %zu bytes", len);
	}
	return ST_OK;
}

int link_add_preamble(struct link *link, const void *message, size_t len, struct err *err)
{
	int rc = link_check_len(len, err);

	if (rc != ST_OK) {
		return rc;
	}
	if (link->preamble_bytes + len > LINK_PREAMBLE_MAX) {
		return err_set(err, ST_ELIMIT, "more than %d bytes of preamble", LINK_PREAMBLE_MAX);
	}
	link->preamble_bytes += len;
	g_ptr_array_add(link->preamble, link_message_new(message, len, link->next_position - 1, 0));
	return ST_OK;
}

int link_send(struct link *link, const void *message, size_t len, uint32_t records, struct err *err)
{
	struct link_message *added;
	int rc = link_check_len(len, err);

	if (rc != ST_OK) {
		return rc;
	}
	if (link->head && link->stats.queued_bytes + len > link->buffer_bytes) {
		return err_set(err, ST_EAGAIN, "the buffer is full");
	}
	added = link_message_new(message, len, link->next_position++, records);
	if (link->tail) {
		link->tail->next = added;
	} else {
		link->head = added;
	}
	link->tail = added;
	if (!link->unsent) {
		link->unsent = added;
	}
	link->stats.queued_messages++;
	link->stats.queued_bytes += len;
	return ST_OK;
}

/* Take the message after prev (NULL: the first) out of the queue. */
static void link_remove(struct link *link, struct link_message *prev)
{
	struct link_message *gone = prev ? prev->next : link->head;

	if (prev) {
		prev->next = gone->next;
	} else {
		link->head = gone->next;
	}
	if (link->tail == gone) {
		link->tail = prev;
	}
	if (link->unsent == gone) {
		link->unsent = gone->next;
	}
	link->stats.queued_messages--;
	link->stats.queued_bytes -= gone->len;
	g_free(gone);
}

void link_drop_oldest(struct link *link)
{
	struct link_message *prev = link->head == link->writing ? link->head : NULL;
	struct link_message *victim = prev ? prev->next : link->head;

	if (victim) {
		link->stats.dropped_messages++;
		link->stats.dropped_records += victim->records;
		link_remove(link, prev);
	}
}

static void link_acked_up_to(struct link *link, uint64_t position)
{
	while (link->head && link->head != link->writing && link->head->position <= position) {
		link_remove(link, NULL);
		link->stats.acked_messages++;
	}
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
static void link_disconnect(struct link *link, int64_t now_ns)
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
	link->deadline_ns = now_ns + link_jitter(link->backoff_ns);
	link->backoff_ns = MIN(link->backoff_ns * 2, link->backoff_max_ns);
}

static void link_fail(struct link *link, int64_t now_ns, const struct err *why)
{
	static const char *const words[] = {
		[LINK_IDLE] = "cannot connect: ", [LINK_CONNECTING] = "cannot connect: ",
		[LINK_GREETING] = "no welcome: ", [LINK_GRACE] = "lost: ",
		[LINK_OPEN] = "lost: ",
	};
	bool refused = g_str_has_prefix(why->text, "refused: ");

	if (link->state != LINK_OPEN) {
		link->stats.connect_failures++;
	}
	link_add_event(link, why->status, "%s: %s%s", linksocket_destination(link->sock),
		       refused ? "" : words[link->state], why->text);
	link_disconnect(link, now_ns);
}

static void link_enter_open(struct link *link, int64_t now_ns)
{
	link->state = LINK_OPEN;
	link->preamble_sent = 0;
	link->preamble_opening = link->preamble->len;
	link->refresh_ns = now_ns + link->template_refresh_ns;
	link->stats.connected = true;
	link->stats.connects++;
	link_add_event(link, ST_OK, "connected to %s (%s%s)", linksocket_destination(link->sock),
		       linksocket_describe(link->sock), link->framed ? ", acknowledged" : "");
}

/*
 * The collector's position. The first one a link ever hears moves the origin of the count: its
 * messages are all new, whatever the stream held in an earlier life.
 */
static int link_welcome(struct link *link, uint64_t position, int64_t now_ns, struct err *err)
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
	link_acked_up_to(link, position);
	link->unsent = link->head;
	link->sent_position = position;
	link->backoff_ns = link->backoff_min_ns;
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
	if (!link->unsent) {
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
		link->backoff_ns = link->backoff_min_ns;
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
	if (linksocket_is_link(link->sock)) {
		link->framed = true;
		linkframe_reader_init(&link->reader, LINKFRAME_FROM_COLLECTOR);
		link->out = link->greeting;
		link->out_len = linkframe_put_hello(link->greeting, link->stream_id);
		link->state = LINK_GREETING;
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

static int link_check_stall(struct link *link, int64_t now_ns, struct err *err)
{
	if (!link_waits_for_peer(link)) {
		link->progress_ns = now_ns;
	}
	if (link->stall_timeout_ns <= 0 || now_ns - link->progress_ns < link->stall_timeout_ns) {
		return ST_OK;
	}
	link->progress_ns = now_ns;
	if (link->state == LINK_CONNECTING &&
	    linksocket_skip_address(link->sock, err) == ST_EAGAIN) {
		return ST_OK;
	}
	return err_set(err, ST_EIO, "no progress for %.1f s",
		       (double)link->stall_timeout_ns / (double)NS_PER_S);
}

/* Do what can be done without waiting; false: nothing moved. */
static bool link_step(struct link *link, int64_t now_ns)
{
	static int (*const steps[])(struct link *, int64_t, struct err *) = {
		[LINK_IDLE] = link_step_idle,         [LINK_CONNECTING] = link_step_connecting,
		[LINK_GREETING] = link_step_transfer, [LINK_GRACE] = link_step_grace,
		[LINK_OPEN] = link_step_transfer,
	};
	uint64_t sent = link->stats.sent_messages;
	uint64_t acked = link->stats.acked_messages;
	enum link_state before = link->state;
	struct err err = { .status = ST_EIO, .text = "" };
	int rc = steps[link->state](link, now_ns, &err);

	if (rc == ST_OK || rc == ST_EAGAIN) {
		int stalled = link_check_stall(link, now_ns, &err);

		rc = stalled == ST_OK ? rc : stalled;
	}
	if (rc != ST_OK && rc != ST_EAGAIN) {
		err.status = rc;
		link_fail(link, now_ns, &err);
	}
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
	return !link->head && link->out_len == 0;
}

void link_get_stats(const struct link *link, struct link_stats *out)
{
	*out = link->stats;
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

void link_free(struct link *link)
{
	if (!link) {
		return;
	}
	link_say_goodbye(link);
	link_disconnect(link, 0);
	linksocket_free(link->sock);
	while (link->head) {
		link_remove(link, NULL);
	}
	g_ptr_array_free(link->preamble, TRUE);
	g_free(link->events);
	g_free(link);
}
