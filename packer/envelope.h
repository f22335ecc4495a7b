/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the packer's journal holds (DESIGN 5): each entry is an envelope around what an exporter
 * sent, or says that a session of one begins or ends.
 *
 *	struct envelope open = { .kind = ENVELOPE_OPEN, .open = { .probe = "P0", ... } };
 *	envelope_print(&open, bytes);
 *	journal_append(journal, &(struct iovec){ bytes->data, bytes->len }, 1, 0, &session, err);
 *
 *	envelope_head(head, &(struct envelope){ .kind = ENVELOPE_MESSAGE, .session = session,
 *						.arrival_ns = now });
 *	journal_append(journal, head and message, 2, 1, &position, err);
 *
 *	envelope_parse(&envelope, entry.bytes, entry.len, err);		// on the other side
 *
 * On disk, numbers big-endian: kind (1), flags (1), zero (6), session (8), position in the
 * exporter's stream (8), nanosecond of arrival since the epoch (8); then the bytes. Those of an
 * ENVELOPE_OPEN are its stream id (16) and four texts, each with its NUL.
 *
 * A relay (packer/relay.h) sends its journal's envelopes on as they are: there the session is that
 * of the relay's journal, and an ENVELOPE_OPEN has it too when it opens a connection.
 */
#ifndef TUSSAH_PACKER_ENVELOPE_H
#define TUSSAH_PACKER_ENVELOPE_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define ENVELOPE_HEAD_BYTES 32

enum envelope_kind {
	ENVELOPE_OPEN = 1, /* a session begins; the position of this entry names it */
	ENVELOPE_MESSAGE,  /* as it came: one message or datagram */
	ENVELOPE_CLOSE,    /* the session is over */
	ENVELOPE_STATE, /* what a relay's decoder knows of the session by now (decoder_save()); in
			   pieces, position: of so many bytes that follow in others */
	ENVELOPE_LOSS,  /* of datagrams that a relay dropped; its session has nothing else */
};

enum envelope_flags {
	ENVELOPE_DATAGRAMS = 1 << 0, /* UDP: what was learned outlives the session */
	ENVELOPE_FILE = 1 << 1,      /* likewise until it is closed; its clock is not compared with
					the arrival */
	ENVELOPE_RELAYED = 1 << 2,   /* through a relay, which waits when there is no room */
};

/* Who sends: all texts are borrowed and never NULL. */
struct envelope_open {
	unsigned flags; /* enum envelope_flags */
	uint8_t stream_id[16];
	const char *stream; /* name of the stream (packer/positions.h); "": not counted */
	const char *probe;
	const char *place; /* door that it came in by */
	const char *peer;  /* address and port, or path */
};

struct envelope {
	enum envelope_kind kind;
	uint64_t session;  /* position of its ENVELOPE_OPEN in the journal */
	uint64_t position; /* in the stream; 0: none */
	int64_t arrival_ns;
	const uint8_t *bytes; /* of all kinds but ENVELOPE_OPEN and ENVELOPE_CLOSE; borrowed */
	size_t len;
	struct envelope_open open; /* of an ENVELOPE_OPEN */
};

/* The bytes of an ENVELOPE_LOSS: how many datagrams, 8 bytes each. */
struct envelope_loss {
	uint64_t kernel;  /* found the socket's buffer full */
	uint64_t journal; /* found the journal full */
};

#define ENVELOPE_LOSS_BYTES 16

void envelope_put_loss(uint8_t out[ENVELOPE_LOSS_BYTES], const struct envelope_loss *loss);
/* ST_OK, ST_EFORMAT. */
int envelope_parse_loss(const struct envelope *envelope, struct envelope_loss *out,
			struct err *err);

/* What comes before the bytes. */
void envelope_head(uint8_t out[ENVELOPE_HEAD_BYTES], const struct envelope *envelope);
/* Append all of an ENVELOPE_OPEN. */
void envelope_print_open(GByteArray *out, const struct envelope_open *open);
/* Everything in *out that points somewhere points into bytes. ST_OK, ST_EFORMAT. */
int envelope_parse(struct envelope *out, const uint8_t *bytes, size_t len, struct err *err);

#endif
