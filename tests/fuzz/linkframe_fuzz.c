/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The byte stream of one side of the link, in pieces. The first octet of the input chooses the
 * side and how long the pieces are.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/linkframe.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void use_frame(const struct linkframe *frame)
{
	char reason[LINKFRAME_REASON_MAX + 1];
	volatile uint8_t sum = 0;

	for (size_t i = 0; i < frame->len; i++) {
		sum ^= frame->payload[i];
	}
	if (frame->type == LINKFRAME_GOODBYE) {
		linkframe_reason(frame, reason);
	} else if (frame->type == LINKFRAME_HELLO) {
		sum ^= linkframe_stream_id(frame)[15];
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct linkframe_reader reader;
	struct linkframe frame;
	int rc = ST_EAGAIN;
	size_t piece;

	if (size < 1) {
		return 0;
	}
	piece = 1 + (bytes[0] >> 1);
	linkframe_reader_init(&reader,
			      bytes[0] & 1 ? LINKFRAME_FROM_EXPORTER : LINKFRAME_FROM_COLLECTOR);
	for (size_t at = 1; at < size && rc == ST_EAGAIN;) {
		size_t room;
		uint8_t *to = linkframe_reader_room(&reader, &room);
		size_t n = piece < size - at ? piece : size - at;

		n = n < room ? n : room;
		if (n == 0) {
			abort();
		}
		memcpy(to, bytes + at, n);
		linkframe_reader_added(&reader, n);
		at += n;
		while ((rc = linkframe_next(&reader, &frame, NULL)) == ST_OK) {
			use_frame(&frame);
		}
	}
	linkframe_reader_release(&reader);
	return 0;
}
