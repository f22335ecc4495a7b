/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The framing of the link, shared by both ends; no sockets here. common/link.h tells the story.
 *
 * Every frame is a header of 16 bytes and a payload; numbers are unsigned and big-endian:
 *
 *	offset	bytes
 *	0	1	type, below
 *	1	3	zero
 *	4	4	length of the payload
 *	8	8	position
 *	16	length	payload
 *
 * type		from		payload			position
 * 1 HELLO	exporter	24 bytes, below		0
 * 2 WELCOME	collector	4 bytes, below		last durable position of the stream, 0: none
 * 3 PREAMBLE	exporter	an IPFIX message	0
 * 4 MESSAGE	exporter	an IPFIX message	of this message, counted from 1
 * 5 ACK	collector	none			all up to this position are durable
 * 6 GOODBYE	both		0..255 bytes UTF-8:	last sent (exporter), last durable
 *(collector) why, for a person
 *
 * HELLO payload:   "TSHL" (4), version 1 or 2 (1), zero (3), stream id (16).
 * WELCOME payload: version 1 (1), zero (3).
 * An IPFIX message has 16 to 65535 bytes. Positions stay below 2^63.
 *
 * Version 2 is that of a relay (flowcap): its messages are not IPFIX but envelopes around what many
 * exporters sent (packer/envelope.h), 32 bytes longer at most. Who does not know of relays refuses
 * it.
 *
 * Order. The exporter's first frame is HELLO, the collector's first is WELCOME or GOODBYE (a
 * refusal, with the reason). The exporter sends nothing else before WELCOME. Then PREAMBLE and
 * MESSAGE in any mixture; positions of messages rise, the first is above WELCOME's; a gap is what
 * the exporter dropped. ACK positions rise. After GOODBYE its sender sends nothing but TLS's end;
 * the other side answers what is still due (ACK) and closes.
 *
 * A stream that is new to the exporter but known to the collector (an exporter that lost its
 * memory, not its id) counts on from WELCOME's position.
 *
 *	linkframe_reader_init(&reader, LINKFRAME_FROM_EXPORTER);
 *	room = linkframe_reader_room(&reader, &size);
 *	linkframe_reader_added(&reader, recv(fd, room, size, 0));
 *	while ((rc = linkframe_next(&reader, &frame, err)) == ST_OK) { use(&frame); }
 *	linkframe_reader_release(&reader);
 */
#ifndef TUSSAH_COMMON_LINKFRAME_H
#define TUSSAH_COMMON_LINKFRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define LINKFRAME_VERSION         1
#define LINKFRAME_VERSION_RELAY   2
#define LINKFRAME_HEADER_BYTES    16
#define LINKFRAME_HELLO_BYTES     24
#define LINKFRAME_WELCOME_BYTES   4
#define LINKFRAME_STREAM_ID_BYTES 16
#define LINKFRAME_REASON_MAX      255
#define LINKFRAME_MESSAGE_MIN     16
#define LINKFRAME_MESSAGE_MAX     (65535 + 32)
#define LINKFRAME_POSITION_MAX    (UINT64_MAX / 2)

enum linkframe_type {
	LINKFRAME_HELLO = 1,
	LINKFRAME_WELCOME = 2,
	LINKFRAME_PREAMBLE = 3,
	LINKFRAME_MESSAGE = 4,
	LINKFRAME_ACK = 5,
	LINKFRAME_GOODBYE = 6,
};

enum linkframe_sender {
	LINKFRAME_FROM_EXPORTER = 1 << 0,
	LINKFRAME_FROM_COLLECTOR = 1 << 1,
};

struct linkframe {
	enum linkframe_type type;
	uint64_t position;
	const uint8_t *payload; /* borrowed from the reader until its next call */
	size_t len;
};

/* Bytes in, frames out; fixed memory. One thread. */
struct linkframe_reader {
	enum linkframe_sender sender;
	bool started;           /* HELLO or its answer has come */
	bool finished;          /* GOODBYE has come */
	uint64_t last_position; /* of MESSAGE or ACK; they must rise. A collector sets it to the
				   position of its WELCOME. */
	uint8_t *buf;
	size_t size;
	size_t start; /* first unread byte */
	size_t end;
};

/* sender: whose frames are read. */
void linkframe_reader_init(struct linkframe_reader *reader, enum linkframe_sender sender);
void linkframe_reader_release(struct linkframe_reader *reader);
/* Where to put the next bytes; *size is at least 1 once linkframe_next() has said ST_EAGAIN. */
uint8_t *linkframe_reader_room(struct linkframe_reader *reader, size_t *size);
void linkframe_reader_added(struct linkframe_reader *reader, size_t bytes);
/* Is part of a frame waiting for the rest? */
bool linkframe_reader_partial(const struct linkframe_reader *reader);

/*
 * The next whole frame. Type, sender, length, order, fixed fields and rising positions have been
 * checked. Returns ST_OK, ST_EAGAIN (more bytes are needed), ST_EVERSION (a newer HELLO or
 * WELCOME), ST_EFORMAT; after the last two the reader can only be released.
 */
int linkframe_next(struct linkframe_reader *reader, struct linkframe *frame, struct err *err);

/* The stream id in a HELLO frame. Borrowed from the frame. */
const uint8_t *linkframe_stream_id(const struct linkframe *hello);
/* Is it a relay's? */
bool linkframe_is_relay(const struct linkframe *hello);
/* The reason in a GOODBYE, as printable text: what is not ASCII print becomes '?'. */
void linkframe_reason(const struct linkframe *goodbye, char out[LINKFRAME_REASON_MAX + 1]);

/* Write frames; each returns the bytes written. The payload of a message follows its header. */
size_t linkframe_put_header(uint8_t out[LINKFRAME_HEADER_BYTES], enum linkframe_type type,
			    size_t len, uint64_t position);
size_t linkframe_put_hello(uint8_t out[LINKFRAME_HEADER_BYTES + LINKFRAME_HELLO_BYTES],
			   const uint8_t stream_id[LINKFRAME_STREAM_ID_BYTES], bool relay);
size_t linkframe_put_welcome(uint8_t out[LINKFRAME_HEADER_BYTES + LINKFRAME_WELCOME_BYTES],
			     uint64_t durable_position);
size_t linkframe_put_ack(uint8_t out[LINKFRAME_HEADER_BYTES], uint64_t durable_position);
/* reason (may be NULL) is cut to what fits. */
size_t linkframe_put_goodbye(uint8_t out[LINKFRAME_HEADER_BYTES + LINKFRAME_REASON_MAX],
			     uint64_t position, const char *reason);

#endif
