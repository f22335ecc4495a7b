/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the exporter's half of the link share; nothing here is for others. */
#ifndef TUSSAH_COMMON_LINK_INTERNAL_H
#define TUSSAH_COMMON_LINK_INTERNAL_H

#include <glib.h>

#include "common/link.h"
#include "common/linkframe.h"
#include "common/linksocket.h"

struct link_message {
	struct link_message *next;
	uint64_t position; /* preamble: that of the last message queued before it */
	uint64_t epoch;
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
	GPtrArray *socks; /* of struct linksocket, one a destination, in order of preference */
	guint current;    /* the one in use */
	struct linksocket *sock;
	unsigned failures;         /* destinations that failed since one worked */
	bool lost;                 /* the next try is for the one that was lost */
	bool leaving;              /* for a better one, when nothing is under way */
	int64_t return_ns;         /* how often to do so */
	int64_t home_ns;           /* when next */
	struct spool *spool;       /* NULL: messages come from link_send() */
	uint64_t epoch;            /* whose templates the preamble has */
	bool relay;                /* of the spool */
	struct link_message *held; /* of another epoch: waits until the queue is empty */
	uint64_t done_position;    /* up to here all is acknowledged by some collector ... */
	uint64_t released;         /* ... and the spool knows it */
	bool renew;                /* the spool needs a new id */
	uint8_t stream_id[LINKFRAME_STREAM_ID_BYTES];
	uint64_t buffer_bytes;
	int64_t backoff_min_ns, backoff_max_ns, stall_timeout_ns, template_refresh_ns;
	int64_t peer_timeout_ns;

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

void link_add_event(struct link *link, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* linkqueue.c: the messages that are not done yet. */

/* Take the message after prev (NULL: the first) out of the queue. */
void link_remove(struct link *link, struct link_message *prev);
void link_acked_up_to(struct link *link, uint64_t position);
/* Fetch from the spool what may be under way. True: the connection is to be begun anew. */
bool link_refill(struct link *link);
/* The preamble becomes what a relay opens this connection with. */
void link_use_opening(struct link *link);
/* Tell the spool what is done. */
void link_settle(struct link *link);
void link_clear_queue(struct link *link);

#endif
