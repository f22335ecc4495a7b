/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/linkframe.h"

#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "common/bigendian.h"

static const uint8_t linkframe_magic[4] = { 'T', 'S', 'H', 'L' };

struct linkframe_shape {
	const char *name;
	unsigned senders; /* enum linkframe_sender */
	uint32_t len_min, len_max;
	bool opens; /* may be the first frame */
	bool rises; /* position is above (messages) or not below (acks) the one before */
};

static const struct linkframe_shape linkframe_shapes[] = {
	[LINKFRAME_HELLO] = { "HELLO", LINKFRAME_FROM_EXPORTER, LINKFRAME_HELLO_BYTES,
			      LINKFRAME_HELLO_BYTES, true, false },
	[LINKFRAME_WELCOME] = { "WELCOME", LINKFRAME_FROM_COLLECTOR, LINKFRAME_WELCOME_BYTES,
				LINKFRAME_WELCOME_BYTES, true, false },
	[LINKFRAME_PREAMBLE] = { "PREAMBLE", LINKFRAME_FROM_EXPORTER, LINKFRAME_MESSAGE_MIN,
				 LINKFRAME_MESSAGE_MAX, false, false },
	[LINKFRAME_MESSAGE] = { "MESSAGE", LINKFRAME_FROM_EXPORTER, LINKFRAME_MESSAGE_MIN,
				LINKFRAME_MESSAGE_MAX, false, true },
	[LINKFRAME_ACK] = { "ACK", LINKFRAME_FROM_COLLECTOR, 0, 0, false, true },
	[LINKFRAME_GOODBYE] = { "GOODBYE", LINKFRAME_FROM_EXPORTER | LINKFRAME_FROM_COLLECTOR, 0,
				LINKFRAME_REASON_MAX, false, false },
};

void linkframe_reader_init(struct linkframe_reader *reader, enum linkframe_sender sender)
{
	/* A collector's frames are short; an exporter's hold whole messages, two at a time so that
	 * bytes are seldom moved. */
	size_t size = sender == LINKFRAME_FROM_COLLECTOR
			      ? 4 * (LINKFRAME_HEADER_BYTES + LINKFRAME_REASON_MAX)
			      : 2 * (LINKFRAME_HEADER_BYTES + LINKFRAME_MESSAGE_MAX);

	*reader = (struct linkframe_reader){ .sender = sender, .size = size };
	reader->buf = g_malloc(size);
}

void linkframe_reader_release(struct linkframe_reader *reader)
{
	g_free(reader->buf);
	*reader = (struct linkframe_reader){ 0 };
}

uint8_t *linkframe_reader_room(struct linkframe_reader *reader, size_t *size)
{
	if (reader->start > 0) {
		memmove(reader->buf, reader->buf + reader->start, reader->end - reader->start);
		reader->end -= reader->start;
		reader->start = 0;
	}
	*size = reader->size - reader->end;
	return reader->buf + reader->end;
}

void linkframe_reader_added(struct linkframe_reader *reader, size_t bytes)
{
	g_assert(bytes <= reader->size - reader->end);
	reader->end += bytes;
}

bool linkframe_reader_partial(const struct linkframe_reader *reader)
{
	return reader->end > reader->start;
}

static int linkframe_check_order(const struct linkframe_reader *reader, unsigned type,
				 struct err *err)
{
	const struct linkframe_shape *shape = &linkframe_shapes[type];
	bool refusal = type == LINKFRAME_GOODBYE && reader->sender == LINKFRAME_FROM_COLLECTOR;

	if (reader->finished) {
		return err_set(err, ST_EFORMAT, "%s frame after GOODBYE", shape->name);
	}
	if (!reader->started && !shape->opens && !refusal) {
		return err_set(err, ST_EFORMAT, "%s as the first frame", shape->name);
	}
	if (reader->started && shape->opens) {
		return err_set(err, ST_EFORMAT, "%s frame twice", shape->name);
	}
	return ST_OK;
}

/* The header is complete: may such a frame come now? */
static int linkframe_check_header(const struct linkframe_reader *reader, const uint8_t *header,
				  struct err *err)
{
	unsigned type = header[0];
	uint32_t len = get_be32(header + 4);
	const struct linkframe_shape *shape;

	if (type == 0 || type >= G_N_ELEMENTS(linkframe_shapes) || header[1] || header[2] ||
	    header[3]) {
		return err_set(err, ST_EFORMAT, "not a frame of the link (begins %02x%02x%02x%02x)",
			       header[0], header[1], header[2], header[3]);
	}
	shape = &linkframe_shapes[type];
	if (!(shape->senders & reader->sender)) {
		return err_set(err, ST_EFORMAT, "%s frame from the wrong side", shape->name);
	}
	if (len < shape->len_min || len > shape->len_max) {
		return err_set(err, ST_EFORMAT, "%s frame of %" PRIu32 " bytes", shape->name, len);
	}
	return linkframe_check_order(reader, type, err);
}

/* Fixed bytes of the two opening frames; a newer version may have another shape behind it. */
static int linkframe_check_opening(const struct linkframe *frame, struct err *err)
{
	const uint8_t *p = frame->payload;
	bool relay = false;

	if (frame->type == LINKFRAME_HELLO) {
		if (memcmp(p, linkframe_magic, sizeof(linkframe_magic)) != 0) {
			return err_set(err, ST_EFORMAT, "HELLO frame without its magic");
		}
		p += sizeof(linkframe_magic);
		relay = p[0] == LINKFRAME_VERSION_RELAY;
	}
	if (p[0] != LINKFRAME_VERSION && !relay) {
		return err_set(err, ST_EVERSION, "link version %u is not known", p[0]);
	}
	return ST_OK;
}

static int linkframe_check_position(struct linkframe_reader *reader, const struct linkframe *frame,
				    struct err *err)
{
	uint64_t lowest = reader->last_position + (frame->type == LINKFRAME_MESSAGE);

	if (frame->position > LINKFRAME_POSITION_MAX) {
		return err_set(err, ST_EFORMAT, "position %" PRIu64 " is too large",
			       frame->position);
	}
	if (frame->type == LINKFRAME_PREAMBLE && frame->position != 0) {
		return err_set(err, ST_EFORMAT, "PREAMBLE frame with a position");
	}
	if (!linkframe_shapes[frame->type].rises) {
		return ST_OK;
	}
	if (frame->position < lowest) {
		return err_set(err, ST_EFORMAT, "position %" PRIu64 " after %" PRIu64,
			       frame->position, reader->last_position);
	}
	reader->last_position = frame->position;
	return ST_OK;
}

int linkframe_next(struct linkframe_reader *reader, struct linkframe *frame, struct err *err)
{
	const uint8_t *header = reader->buf + reader->start;
	size_t have = reader->end - reader->start;
	int rc;

	if (have < LINKFRAME_HEADER_BYTES) {
		return ST_EAGAIN;
	}
	rc = linkframe_check_header(reader, header, err);
	if (rc != ST_OK) {
		return rc;
	}
	*frame = (struct linkframe){
		.type = (enum linkframe_type)header[0],
		.len = get_be32(header + 4),
		.position = get_be64(header + 8),
		.payload = header + LINKFRAME_HEADER_BYTES,
	};
	if (have < LINKFRAME_HEADER_BYTES + frame->len) {
		return ST_EAGAIN;
	}
	rc = linkframe_shapes[frame->type].opens ? linkframe_check_opening(frame, err) : ST_OK;
	rc = rc == ST_OK ? linkframe_check_position(reader, frame, err) : rc;
	if (rc != ST_OK) {
		return rc;
	}
	if (frame->type == LINKFRAME_WELCOME) {
		reader->last_position = frame->position;
	}
	reader->started = true;
	reader->finished = frame->type == LINKFRAME_GOODBYE;
	reader->start += LINKFRAME_HEADER_BYTES + frame->len;
	return ST_OK;
}

const uint8_t *linkframe_stream_id(const struct linkframe *hello)
{
	return hello->payload + LINKFRAME_HELLO_BYTES - LINKFRAME_STREAM_ID_BYTES;
}

bool linkframe_is_relay(const struct linkframe *hello)
{
	return hello->payload[sizeof(linkframe_magic)] == LINKFRAME_VERSION_RELAY;
}

void linkframe_reason(const struct linkframe *goodbye, char out[LINKFRAME_REASON_MAX + 1])
{
	for (size_t i = 0; i < goodbye->len; i++) {
		out[i] = g_ascii_isprint((char)goodbye->payload[i]) ? (char)goodbye->payload[i]
								    : '?';
	}
	out[goodbye->len] = '\0';
}

size_t linkframe_put_header(uint8_t out[LINKFRAME_HEADER_BYTES], enum linkframe_type type,
			    size_t len, uint64_t position)
{
	memset(out, 0, LINKFRAME_HEADER_BYTES);
	out[0] = (uint8_t)type;
	put_be32(out + 4, (uint32_t)len);
	put_be64(out + 8, position);
	return LINKFRAME_HEADER_BYTES;
}

size_t linkframe_put_hello(uint8_t out[LINKFRAME_HEADER_BYTES + LINKFRAME_HELLO_BYTES],
			   const uint8_t stream_id[LINKFRAME_STREAM_ID_BYTES], bool relay)
{
	uint8_t *p = out + linkframe_put_header(out, LINKFRAME_HELLO, LINKFRAME_HELLO_BYTES, 0);

	memcpy(p, linkframe_magic, sizeof(linkframe_magic));
	p[4] = relay ? LINKFRAME_VERSION_RELAY : LINKFRAME_VERSION;
	memset(p + 5, 0, 3);
	memcpy(p + 8, stream_id, LINKFRAME_STREAM_ID_BYTES);
	return LINKFRAME_HEADER_BYTES + LINKFRAME_HELLO_BYTES;
}

size_t linkframe_put_welcome(uint8_t out[LINKFRAME_HEADER_BYTES + LINKFRAME_WELCOME_BYTES],
			     uint64_t durable_position)
{
	uint8_t *p = out + linkframe_put_header(out, LINKFRAME_WELCOME, LINKFRAME_WELCOME_BYTES,
						durable_position);

	memset(p, 0, LINKFRAME_WELCOME_BYTES);
	p[0] = LINKFRAME_VERSION;
	return LINKFRAME_HEADER_BYTES + LINKFRAME_WELCOME_BYTES;
}

size_t linkframe_put_ack(uint8_t out[LINKFRAME_HEADER_BYTES], uint64_t durable_position)
{
	return linkframe_put_header(out, LINKFRAME_ACK, 0, durable_position);
}

size_t linkframe_put_goodbye(uint8_t out[LINKFRAME_HEADER_BYTES + LINKFRAME_REASON_MAX],
			     uint64_t position, const char *reason)
{
	size_t len = reason ? strnlen(reason, LINKFRAME_REASON_MAX) : 0;
	size_t header = linkframe_put_header(out, LINKFRAME_GOODBYE, len, position);

	memcpy(out + header, reason ? reason : "", len);
	return header + len;
}
