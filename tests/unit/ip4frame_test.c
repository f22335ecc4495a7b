/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/ip4frame.h"

#include <string.h>

#include "tests/unit/unit.h"

/* An Ethernet frame with a TCP packet of 40 bytes from 10.0.0.1:1025 to 10.0.0.2:80, SYN. */
static const uint8_t tcp_frame[] = {
	2,    0,  0, 0,  0, 2, 2, 0, 0,  0, 0,    1, 8,  0, /* Ethernet */
	0x45, 0,  0, 40, 0, 1, 0, 0, 64, 6, 0,    0, 10, 0, 0, 1, 10, 0, 0,    2,    4, 1,
	0,    80, 0, 0,  0, 1, 0, 0, 0,  0, 0x50, 2, 0,  0, 0, 0, 0,  0, 0xee, 0xee, /* padding */
};

static void test_tcp(void)
{
	struct ip4frame frame;

	UNIT_ASSERT_U64(ip4frame_parse(tcp_frame, sizeof(tcp_frame), &frame), IP4FRAME_OK);
	UNIT_ASSERT_U64(frame.sip, 0x0a000001);
	UNIT_ASSERT_U64(frame.dip, 0x0a000002);
	UNIT_ASSERT_U64(frame.protocol, 6);
	UNIT_ASSERT_U64(frame.bytes, 40);
	UNIT_ASSERT_U64(frame.sport, 1025);
	UNIT_ASSERT_U64(frame.dport, 80);
	UNIT_ASSERT_U64(frame.tcp_flags, 2);
	CU_ASSERT(frame.is_first && frame.is_complete && !frame.is_fragment);
	CU_ASSERT_PTR_EQUAL(frame.payload, tcp_frame + 34);
}

/* Every length: nothing is read behind it. */
static void test_cut(void)
{
	for (size_t len = 0; len <= sizeof(tcp_frame); len++) {
		uint8_t copy[sizeof(tcp_frame)];
		struct ip4frame frame;
		enum ip4frame_cause cause;

		memset(copy, 0xff, sizeof(copy));
		memcpy(copy, tcp_frame, len);
		cause = ip4frame_parse(copy, len, &frame);
		UNIT_ASSERT_U64(cause, len < 34 ? IP4FRAME_SHORT : IP4FRAME_OK);
		UNIT_ASSERT_U64(frame.is_complete, len < 34 || len >= 48);
		UNIT_ASSERT_U64(frame.sport, len >= 38 ? 1025 : 0);
		UNIT_ASSERT_U64(frame.tcp_flags, len >= 48 ? 2 : 0);
		UNIT_ASSERT_U64(frame.has_ports, len >= 38);
		UNIT_ASSERT_U64(frame.has_flags, len >= 48);
	}
}

static void test_fragments(void)
{
	uint8_t bytes[sizeof(tcp_frame)];
	struct ip4frame frame;

	memcpy(bytes, tcp_frame, sizeof(bytes));
	bytes[20] = 0x20; /* more come */
	ip4frame_parse(bytes, sizeof(bytes), &frame);
	CU_ASSERT(frame.is_fragment && frame.is_first && frame.sport == 1025);
	bytes[20] = 0;
	bytes[21] = 5; /* at byte 40 */
	ip4frame_parse(bytes, sizeof(bytes), &frame);
	CU_ASSERT(frame.is_fragment && !frame.is_first && frame.is_complete);
	CU_ASSERT(frame.sport == 0 && frame.tcp_flags == 0);
}

static void test_others(void)
{
	uint8_t bytes[sizeof(tcp_frame)];
	struct ip4frame frame;

	memcpy(bytes, tcp_frame, sizeof(bytes));
	bytes[12] = 0x86;
	bytes[13] = 0xdd;
	UNIT_ASSERT_U64(ip4frame_parse(bytes, sizeof(bytes), &frame), IP4FRAME_OTHER);
	memcpy(bytes, tcp_frame, sizeof(bytes));
	bytes[14] = 0x65;
	UNIT_ASSERT_U64(ip4frame_parse(bytes, sizeof(bytes), &frame), IP4FRAME_OTHER);
	memcpy(bytes, tcp_frame, sizeof(bytes));
	bytes[23] = 1; /* ICMP */
	ip4frame_parse(bytes, sizeof(bytes), &frame);
	UNIT_ASSERT_U64(frame.sport, 0);
	UNIT_ASSERT_U64(frame.dport, 4 * 256 + 1);
	bytes[14] = 0x4f; /* a header longer than the packet */
	ip4frame_parse(bytes, sizeof(bytes), &frame);
	CU_ASSERT(!frame.payload && !frame.is_complete);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "TCP", test_tcp },
		{ "cut short", test_cut },
		{ "fragments", test_fragments },
		{ "other packets", test_others },
		{ NULL, NULL },
	};

	return unit_run("ip4frame", cases);
}
