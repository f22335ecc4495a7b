/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/fragment.h"

#include <string.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

static const struct fragment_opts opts = { .max_datagrams = 3, .timeout_ns = 30 * NS_PER_S };

/* A UDP datagram 7001 -> 7002 of any length; TCP for test_tcp_header_in_pieces. */
static const uint8_t payload[2048] = { 0x1b, 0x59, 0x1b, 0x5a };

static struct packet make(uint8_t version, uint32_t id, int64_t time_ns, uint16_t offset,
			  uint16_t len, bool more)
{
	return (struct packet){
		.time_ns = time_ns,
		.key = { .sip = ip_from_v4(1),
			 .dip = ip_from_v4(2),
			 .protocol = PROTOCOL_UDP,
			 .version = version },
		.is_fragment = true,
		.fragment_more = more,
		.fragment_offset = offset,
		.fragment_len = len,
		.fragment_captured = len,
		.fragment_id = id,
		.fragment_prefix_bytes = version == 4 ? 20 : 40,
		.fragment_bytes = payload + (offset < sizeof(payload) ? offset : 0),
		.tos = offset == 0 ? 0xb8 : 0,
	};
}

struct step {
	uint8_t version;
	int64_t time_s;
	uint16_t offset, len;
	bool more;
	enum decode_cause cause;
};

struct sequence {
	const char *name;
	struct step steps[5];
	uint32_t bytes;
	uint64_t assembled, expired, refused;
};

#define DONE                                                                                       \
	{                                                                                          \
		0, 0, 0, 0, false, DECODE_OK                                                       \
	}

static const struct sequence sequences[] = {
	{ "in order",
	  { { 4, 0, 0, 800, true, DECODE_HELD },
	    { 4, 0, 800, 800, true, DECODE_HELD },
	    { 4, 1, 1600, 101, false, DECODE_OK },
	    DONE },
	  1721,
	  1,
	  0,
	  0 },
	{ "reversed",
	  { { 4, 0, 1600, 101, false, DECODE_HELD },
	    { 4, 0, 800, 800, true, DECODE_HELD },
	    { 4, 1, 0, 800, true, DECODE_OK },
	    DONE },
	  1721,
	  1,
	  0,
	  0 },
	{ "duplicate and overlap, IPv4",
	  { { 4, 0, 0, 800, true, DECODE_HELD },
	    { 4, 0, 0, 800, true, DECODE_HELD },
	    { 4, 0, 792, 808, true, DECODE_HELD },
	    { 4, 1, 1600, 101, false, DECODE_OK },
	    DONE },
	  1721,
	  1,
	  0,
	  0 },
	{ "duplicate, IPv6",
	  { { 6, 0, 0, 800, true, DECODE_HELD },
	    { 6, 0, 0, 800, true, DECODE_HELD },
	    { 6, 0, 800, 8, false, DECODE_OK },
	    DONE },
	  848,
	  1,
	  0,
	  0 },
	{ "overlap, IPv6",
	  { { 6, 0, 0, 800, true, DECODE_HELD },
	    { 6, 0, 792, 808, true, DECODE_FRAGMENT_OVERLAP },
	    DONE },
	  0,
	  0,
	  0,
	  1 },
	{ "missing middle",
	  { { 4, 0, 0, 800, true, DECODE_HELD }, { 4, 0, 1600, 101, false, DECODE_HELD }, DONE },
	  0,
	  0,
	  1,
	  0 },
	{ "exactly at the timeout",
	  { { 4, 0, 0, 800, true, DECODE_HELD }, { 4, 30, 800, 8, false, DECODE_OK }, DONE },
	  828,
	  1,
	  0,
	  0 },
	{ "past the timeout",
	  { { 4, 0, 0, 800, true, DECODE_HELD }, { 4, 31, 800, 8, false, DECODE_HELD }, DONE },
	  0,
	  0,
	  2,
	  0 },
	{ "bytes behind the end",
	  { { 4, 0, 800, 8, false, DECODE_HELD },
	    { 4, 0, 808, 8, true, DECODE_FRAGMENT_MALFORMED },
	    { 4, 0, 0, 800, true, DECODE_OK },
	    DONE },
	  828,
	  1,
	  0,
	  0 },
	{ "two ends",
	  { { 4, 0, 800, 8, false, DECODE_HELD },
	    { 4, 0, 0, 8, false, DECODE_FRAGMENT_MALFORMED },
	    DONE },
	  0,
	  0,
	  1,
	  0 },
	{ "largest", { { 4, 0, 65528, 7, false, DECODE_HELD }, DONE }, 0, 0, 1, 0 },
};

static void test_sequences(void)
{
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		const struct sequence *sequence = &sequences[i];
		struct fragments *fragments = fragments_new(&opts);
		struct fragment_stats stats;

		for (const struct step *step = sequence->steps; step->version != 0; step++) {
			struct packet packet = make(step->version, 5, step->time_s * NS_PER_S,
						    step->offset, step->len, step->more);

			unit_at("%s, step %d", sequence->name, (int)(step - sequence->steps));
			UNIT_ASSERT_U64(fragments_add(fragments, &packet), step->cause);
			if (step->cause == DECODE_OK) {
				UNIT_ASSERT_U64(packet.bytes, sequence->bytes);
				UNIT_ASSERT_U64(packet.key.sport, 7001);
				UNIT_ASSERT_U64(packet.key.dport, 7002);
				UNIT_ASSERT_U64(packet.tos, 0xb8);
				CU_ASSERT(packet.reassembled && !packet.is_fragment);
				CU_ASSERT_EQUAL(packet.time_ns, step->time_s * NS_PER_S);
			}
		}
		fragments_flush(fragments);
		fragments_get_stats(fragments, &stats);
		UNIT_ASSERT_U64(stats.assembled, sequence->assembled);
		UNIT_ASSERT_U64(stats.expired, sequence->expired);
		UNIT_ASSERT_U64(stats.refused, sequence->refused);
		fragments_free(fragments);
	}
}

static void test_limit(void)
{
	struct fragments *fragments = fragments_new(&opts);
	struct fragment_stats stats;
	struct packet packet;

	/* Four datagrams where three fit: the one with the oldest last fragment goes. */
	for (uint32_t id = 0; id < 3; id++) {
		packet = make(4, id, 0, 0, 800, true);
		CU_ASSERT_EQUAL(fragments_add(fragments, &packet), DECODE_HELD);
	}
	packet = make(4, 0, 0, 800, 800, true);
	CU_ASSERT_EQUAL(fragments_add(fragments, &packet), DECODE_HELD);
	packet = make(4, 3, 0, 0, 800, true);
	CU_ASSERT_EQUAL(fragments_add(fragments, &packet), DECODE_HELD);
	packet = make(4, 0, 0, 1600, 8, false);
	CU_ASSERT_EQUAL(fragments_add(fragments, &packet), DECODE_OK);
	packet = make(4, 1, 0, 800, 8, false);
	CU_ASSERT_EQUAL(fragments_add(fragments, &packet), DECODE_HELD);
	fragments_get_stats(fragments, &stats);
	UNIT_ASSERT_U64(stats.evicted, 1);
	fragments_free(fragments);
	fragments_free(NULL);
}

/* Datagrams are told apart by every part of the key. */
static void test_keys(void)
{
	struct fragments *fragments = fragments_new(
		&(struct fragment_opts){ .max_datagrams = 100, .timeout_ns = 30 * NS_PER_S });
	struct packet first = make(4, 1, 0, 0, 800, true);
	struct packet others[4];

	CU_ASSERT_EQUAL(fragments_add(fragments, &first), DECODE_HELD);
	for (size_t i = 0; i < 4; i++) {
		others[i] = make(4, 1, 0, 800, 8, false);
	}
	others[0].key.sip = ip_from_v4(9);
	others[1].key.dip = ip_from_v4(9);
	others[2].key.protocol = PROTOCOL_TCP;
	others[3].fragment_id = 2;
	for (size_t i = 0; i < 4; i++) {
		unit_at("%zu", i);
		CU_ASSERT_EQUAL(fragments_add(fragments, &others[i]), DECODE_HELD);
	}
	fragments_free(fragments);
}

/* A TCP header in pieces of eight bytes; and one of which the capture has too little. */
static void test_head(void)
{
	static const uint8_t tcp[32] = { 0, 80, 0, 81, 0, 0, 0, 9, 0, 0, 0, 0, 0x60, 0x12 };
	struct fragments *fragments = fragments_new(&opts);
	enum decode_cause cause = DECODE_HELD;
	struct packet packet;

	for (uint16_t offset = 0; offset < sizeof(tcp); offset += 8) {
		packet = make(4, 1, 0, offset, 8, offset + 8u < sizeof(tcp));
		packet.key.protocol = PROTOCOL_TCP;
		packet.fragment_bytes = tcp + offset;
		cause = fragments_add(fragments, &packet);
	}
	CU_ASSERT_EQUAL(cause, DECODE_OK);
	UNIT_ASSERT_U64(packet.key.sport, 80);
	UNIT_ASSERT_U64(packet.tcp_sequence, 9);
	UNIT_ASSERT_U64(packet.tcp_flags, 0x12);
	UNIT_ASSERT_U64(packet.payload_bytes, 8);

	packet = make(4, 1, 0, 0, 800, true);
	packet.fragment_captured = 7;
	CU_ASSERT_EQUAL(fragments_add(fragments, &packet), DECODE_HELD);
	packet = make(4, 1, 0, 800, 8, false);
	CU_ASSERT_EQUAL(fragments_add(fragments, &packet), DECODE_FRAGMENT_HEADER);
	fragments_free(fragments);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "sequences", test_sequences }, { "limit", test_limit }, { "keys", test_keys },
		{ "head", test_head },           { NULL, NULL },
	};

	return unit_run("fragment", cases);
}
