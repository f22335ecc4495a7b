/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/envelope.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct envelope_open open_fields = {
	.flags = ENVELOPE_DATAGRAMS,
	.stream_id = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 },
	.stream = "sensor one",
	.probe = "P0",
	.place = "udp 4739",
	.peer = "[2001:db8::1]:4711",
};

static void test_open(void)
{
	GByteArray *bytes = g_byte_array_new();
	struct envelope back;
	struct err err;

	envelope_print_open(bytes, &open_fields);
	CU_ASSERT_EQUAL(envelope_parse(&back, bytes->data, bytes->len, &err), ST_OK);
	CU_ASSERT_EQUAL(back.kind, ENVELOPE_OPEN);
	CU_ASSERT_EQUAL(back.open.flags, ENVELOPE_DATAGRAMS);
	CU_ASSERT_EQUAL(memcmp(back.open.stream_id, open_fields.stream_id, 16), 0);
	UNIT_ASSERT_STR(back.open.stream, "sensor one");
	UNIT_ASSERT_STR(back.open.probe, "P0");
	UNIT_ASSERT_STR(back.open.place, "udp 4739");
	UNIT_ASSERT_STR(back.open.peer, "[2001:db8::1]:4711");
	/* cut short anywhere, or with more behind it, it is none */
	for (guint len = 0; len < bytes->len; len++) {
		unit_at("%u bytes", len);
		CU_ASSERT_EQUAL(envelope_parse(&back, bytes->data, len, &err), ST_EFORMAT);
	}
	g_byte_array_append(bytes, (const guint8 *)"", 1);
	CU_ASSERT_EQUAL(envelope_parse(&back, bytes->data, bytes->len, &err), ST_EFORMAT);
	g_byte_array_free(bytes, TRUE);
}

static void test_message(void)
{
	uint8_t bytes[ENVELOPE_HEAD_BYTES + 3];
	struct envelope back;

	envelope_head(bytes, &(struct envelope){ .kind = ENVELOPE_MESSAGE,
						 .session = 0x0102030405060708,
						 .position = 77,
						 .arrival_ns = -5 });
	memcpy(bytes + ENVELOPE_HEAD_BYTES, "abc", 3);
	CU_ASSERT_EQUAL(envelope_parse(&back, bytes, sizeof(bytes), NULL), ST_OK);
	CU_ASSERT_EQUAL(back.kind, ENVELOPE_MESSAGE);
	UNIT_ASSERT_U64(back.session, 0x0102030405060708);
	UNIT_ASSERT_U64(back.position, 77);
	CU_ASSERT_EQUAL(back.arrival_ns, -5);
	UNIT_ASSERT_U64(back.len, 3);
	CU_ASSERT_EQUAL(memcmp(back.bytes, "abc", 3), 0);
	bytes[0] = 0;
	CU_ASSERT_EQUAL(envelope_parse(&back, bytes, sizeof(bytes), NULL), ST_EFORMAT);
	bytes[0] = ENVELOPE_STATE;
	CU_ASSERT_EQUAL(envelope_parse(&back, bytes, sizeof(bytes), NULL), ST_OK);
	UNIT_ASSERT_U64(back.len, 3);
	bytes[0] = ENVELOPE_LOSS + 1;
	CU_ASSERT_EQUAL(envelope_parse(&back, bytes, sizeof(bytes), NULL), ST_EFORMAT);
}

static void test_loss(void)
{
	uint8_t bytes[ENVELOPE_HEAD_BYTES + ENVELOPE_LOSS_BYTES];
	struct envelope_loss loss = { 0, 0 };
	struct envelope back;

	envelope_head(bytes, &(struct envelope){ .kind = ENVELOPE_LOSS, .session = 3 });
	envelope_put_loss(bytes + ENVELOPE_HEAD_BYTES,
			  &(struct envelope_loss){ .kernel = 0x0102030405060708, .journal = 9 });
	CU_ASSERT_EQUAL(envelope_parse(&back, bytes, sizeof(bytes), NULL), ST_OK);
	CU_ASSERT_EQUAL(back.kind, ENVELOPE_LOSS);
	CU_ASSERT_EQUAL(envelope_parse_loss(&back, &loss, NULL), ST_OK);
	UNIT_ASSERT_U64(loss.kernel, 0x0102030405060708);
	UNIT_ASSERT_U64(loss.journal, 9);
	CU_ASSERT_EQUAL(envelope_parse(&back, bytes, sizeof(bytes) - 1, NULL), ST_OK);
	CU_ASSERT_EQUAL(envelope_parse_loss(&back, &loss, NULL), ST_EFORMAT);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "a session begins", test_open },
		{ "a message", test_message },
		{ "what was dropped", test_loss },
		{ NULL, NULL },
	};

	return unit_run("envelope", cases);
}
