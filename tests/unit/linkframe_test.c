/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/linkframe.h"

#include <glib.h>
#include <string.h>

#include "tests/unit/unit.h"

static const uint8_t stream_id[16] = "0123456789abcdef";

/* A whole exporter's side: HELLO, PREAMBLE, MESSAGE 5, MESSAGE 9, GOODBYE. */
static GByteArray *exporter_bytes(void)
{
	GByteArray *bytes = g_byte_array_new();
	uint8_t frame[LINKFRAME_HEADER_BYTES + LINKFRAME_REASON_MAX];
	uint8_t message[300];

	memset(message, 'm', sizeof(message));
	g_byte_array_append(bytes, frame, (guint)linkframe_put_hello(frame, stream_id, false));
	g_byte_array_append(bytes, frame,
			    (guint)linkframe_put_header(frame, LINKFRAME_PREAMBLE, 16, 0));
	g_byte_array_append(bytes, message, 16);
	g_byte_array_append(bytes, frame,
			    (guint)linkframe_put_header(frame, LINKFRAME_MESSAGE, 300, 5));
	g_byte_array_append(bytes, message, 300);
	g_byte_array_append(bytes, frame,
			    (guint)linkframe_put_header(frame, LINKFRAME_MESSAGE, 20, 9));
	g_byte_array_append(bytes, message, 20);
	g_byte_array_append(bytes, frame, (guint)linkframe_put_goodbye(frame, 9, "done\n"));
	return bytes;
}

/* Feed in pieces of at most step bytes, with one cut at cut. */
static unsigned feed(const uint8_t *bytes, size_t len, size_t cut, size_t step,
		     struct linkframe *frames, int *last)
{
	struct linkframe_reader reader;
	unsigned count = 0;
	size_t at = 0;

	linkframe_reader_init(&reader, LINKFRAME_FROM_EXPORTER);
	*last = ST_EAGAIN;
	while (at < len && *last == ST_EAGAIN) {
		size_t room;
		uint8_t *to = linkframe_reader_room(&reader, &room);
		size_t n = MIN(MIN(room, step), (at < cut ? cut : len) - at);
		struct linkframe frame;

		memcpy(to, bytes + at, n);
		linkframe_reader_added(&reader, n);
		at += n;
		while ((*last = linkframe_next(&reader, &frame, NULL)) == ST_OK) {
			if (count < 8) {
				frames[count] = frame;
			}
			if (frame.type == LINKFRAME_HELLO) {
				CU_ASSERT_EQUAL(memcmp(linkframe_stream_id(&frame), stream_id, 16),
						0);
			}
			if (frame.type == LINKFRAME_GOODBYE) {
				char reason[LINKFRAME_REASON_MAX + 1];

				linkframe_reason(&frame, reason);
				UNIT_ASSERT_STR(reason, "done?");
			}
			count++;
		}
	}
	linkframe_reader_release(&reader);
	return count;
}

static void test_half_frames_at_every_byte(void)
{
	static const struct {
		enum linkframe_type type;
		uint64_t position;
		size_t len;
	} expected[] = {
		{ LINKFRAME_HELLO, 0, 24 },    { LINKFRAME_PREAMBLE, 0, 16 },
		{ LINKFRAME_MESSAGE, 5, 300 }, { LINKFRAME_MESSAGE, 9, 20 },
		{ LINKFRAME_GOODBYE, 9, 5 },
	};
	GByteArray *bytes = exporter_bytes();

	for (size_t step = 1; step < 400; step += step < 4 ? 1 : 99) {
		for (size_t cut = 0; cut <= bytes->len; cut++) {
			struct linkframe frames[8];
			int last;
			unsigned count = feed(bytes->data, bytes->len, cut, step, frames, &last);

			unit_at("cut %zu step %zu", cut, step);
			UNIT_ASSERT_U64(count, G_N_ELEMENTS(expected));
			CU_ASSERT_EQUAL(last, ST_EAGAIN);
			for (unsigned i = 0; i < count && i < G_N_ELEMENTS(expected); i++) {
				CU_ASSERT_EQUAL(frames[i].type, expected[i].type);
				UNIT_ASSERT_U64(frames[i].position, expected[i].position);
				UNIT_ASSERT_U64(frames[i].len, expected[i].len);
			}
		}
	}
	g_byte_array_free(bytes, TRUE);
}

/* Nothing that is not a frame gets through, and no single changed byte crashes. */
static void test_damage(void)
{
	GByteArray *bytes = exporter_bytes();

	for (size_t at = 0; at < bytes->len; at++) {
		for (int bit = 0; bit < 8; bit++) {
			struct linkframe frames[8];
			int last;

			unit_at("bit %d of byte %zu", bit, at);
			bytes->data[at] ^= (uint8_t)(1 << bit);
			if (at == 0 || (at > 0 && at < 8) || (at >= 16 && at < 21)) {
				/* HELLO's type, length and fixed bytes. */
				CU_ASSERT_EQUAL(
					feed(bytes->data, MIN(at + 24, 40), 0, 7, frames, &last),
					0);
				CU_ASSERT(last == ST_EFORMAT || last == ST_EVERSION);
			}
			bytes->data[at] ^= (uint8_t)(1 << bit);
		}
	}
	g_byte_array_free(bytes, TRUE);
}

struct sent {
	enum linkframe_type type;
	size_t len;
	uint64_t position;
};

static int read_frames(enum linkframe_sender sender, const struct sent *sent, struct err *err)
{
	struct linkframe_reader reader;
	struct linkframe frame;
	int rc = ST_EAGAIN;

	linkframe_reader_init(&reader, sender);
	for (; sent->type && rc == ST_EAGAIN; sent++) {
		size_t room;
		uint8_t *to = linkframe_reader_room(&reader, &room);
		size_t n;

		memset(to, 0, room);
		if (sent->type == LINKFRAME_HELLO) {
			n = linkframe_put_hello(to, stream_id, false);
		} else if (sent->type == LINKFRAME_WELCOME) {
			n = linkframe_put_welcome(to, sent->position);
		} else {
			n = linkframe_put_header(to, sent->type, sent->len, sent->position);
			n += MIN(sent->len, 1000);
		}
		linkframe_reader_added(&reader, n);
		while ((rc = linkframe_next(&reader, &frame, err)) == ST_OK) {
		}
	}
	linkframe_reader_release(&reader);
	return rc;
}

static void test_order(void)
{
	static const struct {
		enum linkframe_sender sender;
		struct sent sent[5];
		const char *text; /* NULL: accepted */
	} cases[] = {
		{ LINKFRAME_FROM_EXPORTER, { { LINKFRAME_HELLO, 0, 0 } }, NULL },
		{ LINKFRAME_FROM_EXPORTER,
		  { { LINKFRAME_HELLO, 0, 0 },
		    { LINKFRAME_MESSAGE, 16, 1 },
		    { LINKFRAME_PREAMBLE, 16, 0 },
		    { LINKFRAME_MESSAGE, 16, 2 } },
		  NULL },
		{ LINKFRAME_FROM_EXPORTER,
		  { { LINKFRAME_MESSAGE, 16, 1 } },
		  "MESSAGE as the first frame" },
		{ LINKFRAME_FROM_EXPORTER,
		  { { LINKFRAME_GOODBYE, 0, 0 } },
		  "GOODBYE as the first frame" },
		{ LINKFRAME_FROM_EXPORTER,
		  { { LINKFRAME_HELLO, 0, 0 }, { LINKFRAME_HELLO, 0, 0 } },
		  "HELLO frame twice" },
		{ LINKFRAME_FROM_EXPORTER,
		  { { LINKFRAME_ACK, 0, 1 } },
		  "ACK frame from the wrong side" },
		{ LINKFRAME_FROM_EXPORTER,
		  { { LINKFRAME_HELLO, 0, 0 }, { LINKFRAME_MESSAGE, 15, 1 } },
		  "MESSAGE frame of 15 bytes" },
		{ LINKFRAME_FROM_EXPORTER,
		  { { LINKFRAME_HELLO, 0, 0 }, { LINKFRAME_MESSAGE, 65568, 1 } },
		  "MESSAGE frame of 65568 bytes" },
		{ LINKFRAME_FROM_EXPORTER,
		  { { LINKFRAME_HELLO, 0, 0 }, { LINKFRAME_MESSAGE, 16, 0 } },
		  "position 0 after 0" },
		{ LINKFRAME_FROM_EXPORTER,
		  { { LINKFRAME_HELLO, 0, 0 },
		    { LINKFRAME_MESSAGE, 16, 7 },
		    { LINKFRAME_MESSAGE, 16, 7 } },
		  "position 7 after 7" },
		{ LINKFRAME_FROM_EXPORTER,
		  { { LINKFRAME_HELLO, 0, 0 }, { LINKFRAME_MESSAGE, 16, UINT64_MAX } },
		  "position 18446744073709551615 is too large" },
		{ LINKFRAME_FROM_EXPORTER,
		  { { LINKFRAME_HELLO, 0, 0 }, { LINKFRAME_PREAMBLE, 16, 1 } },
		  "PREAMBLE frame with a position" },
		{ LINKFRAME_FROM_EXPORTER,
		  { { LINKFRAME_HELLO, 0, 0 },
		    { LINKFRAME_GOODBYE, 0, 0 },
		    { LINKFRAME_MESSAGE, 16, 1 } },
		  "MESSAGE frame after GOODBYE" },
		{ LINKFRAME_FROM_COLLECTOR,
		  { { LINKFRAME_WELCOME, 0, 4 }, { LINKFRAME_ACK, 0, 4 }, { LINKFRAME_ACK, 0, 6 } },
		  NULL },
		{ LINKFRAME_FROM_COLLECTOR, { { LINKFRAME_GOODBYE, 3, 0 } }, NULL },
		{ LINKFRAME_FROM_COLLECTOR,
		  { { LINKFRAME_WELCOME, 0, 4 }, { LINKFRAME_ACK, 0, 3 } },
		  "position 3 after 4" },
		{ LINKFRAME_FROM_COLLECTOR,
		  { { LINKFRAME_HELLO, 0, 0 } },
		  "HELLO frame from the wrong side" },
		{ LINKFRAME_FROM_COLLECTOR,
		  { { LINKFRAME_WELCOME, 0, UINT64_MAX } },
		  "position 18446744073709551615 is too large" },
		{ LINKFRAME_FROM_EXPORTER,
		  { { 7, 0, 0 } },
		  "not a frame of the link (begins 07000000)" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct err err = { 0 };
		int rc = read_frames(cases[i].sender, cases[i].sent, &err);

		unit_at("%zu", i);
		CU_ASSERT_EQUAL(rc, cases[i].text ? ST_EFORMAT : ST_EAGAIN);
		if (cases[i].text) {
			UNIT_ASSERT_STR(err.text, cases[i].text);
		}
	}
}

static void test_newer_version(void)
{
	struct linkframe_reader reader;
	struct linkframe frame;
	struct err err;
	size_t room;
	uint8_t *to;

	linkframe_reader_init(&reader, LINKFRAME_FROM_EXPORTER);
	to = linkframe_reader_room(&reader, &room);
	linkframe_reader_added(&reader, linkframe_put_hello(to, stream_id, false));
	to[20] = 3;
	CU_ASSERT_EQUAL(linkframe_next(&reader, &frame, &err), ST_EVERSION);
	UNIT_ASSERT_STR(err.text, "link version 3 is not known");
	linkframe_reader_release(&reader);
}

static void test_long_reason_is_cut(void)
{
	uint8_t bytes[LINKFRAME_HEADER_BYTES + LINKFRAME_REASON_MAX];
	char reason[1000];

	memset(reason, 'r', sizeof(reason));
	reason[sizeof(reason) - 1] = '\0';
	UNIT_ASSERT_U64(linkframe_put_goodbye(bytes, 1, reason), sizeof(bytes));
	UNIT_ASSERT_U64(linkframe_put_goodbye(bytes, 1, NULL), LINKFRAME_HEADER_BYTES);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "half frames at every byte", test_half_frames_at_every_byte },
		{ "damage", test_damage },
		{ "order", test_order },
		{ "newer version", test_newer_version },
		{ "long reason is cut", test_long_reason_is_cut },
		{ NULL, NULL },
	};

	return unit_run("linkframe", cases);
}
