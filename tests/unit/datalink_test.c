/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/datalink.h"

#include <glib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* The first octet of each address, of sequence control and of what follows tells which it is. */
static const uint8_t frame[] = {
	0x08, 0, 0, 0, 0xa1, 0, 0, 0, 0, 0, 0xa2, 0, 0, 0, 0, 0, 0xa3, 0, 0, 0, 0,
	0,    0, 0, 0, 0,    0, 0, 0, 0, 0, 0,    0, 0, 0, 0, 0, 0,    0, 0, 0, 0,
};

static void put_snap(uint8_t *at)
{
	static const uint8_t snap[] = { 0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00 };

	memcpy(at, snap, sizeof(snap));
}

static void test_addresses(void)
{
	static const struct {
		uint8_t flags; /* to and from the distribution system */
		uint32_t header;
		uint8_t source, destination;
	} rows[] = {
		{ 0, 24, 0xa2, 0xa1 },
		{ 1, 24, 0xa2, 0xa3 },
		{ 2, 24, 0xa3, 0xa1 },
		{ 3, 30, 0xa4, 0xa3 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		uint8_t bytes[sizeof(frame)];
		struct datalink link;

		unit_at("flags %u", rows[i].flags);
		memcpy(bytes, frame, sizeof(frame));
		bytes[1] = rows[i].flags;
		bytes[24] = 0xa4;
		put_snap(bytes + rows[i].header);
		CU_ASSERT_EQUAL_FATAL(datalink_80211(bytes, sizeof(bytes), false, &link),
				      DECODE_OK);
		UNIT_ASSERT_U64(link.bytes, rows[i].header + 8);
		UNIT_ASSERT_U64(link.ethertype, 0x0800);
		UNIT_ASSERT_U64(link.source[0], rows[i].source);
		UNIT_ASSERT_U64(link.destination[0], rows[i].destination);
	}
}

static void test_padding(void)
{
	uint8_t bytes[sizeof(frame)];
	struct datalink link;

	memcpy(bytes, frame, sizeof(frame));
	bytes[0] = 0x88; /* 26 bytes */
	put_snap(bytes + 28);
	CU_ASSERT_EQUAL(datalink_80211(bytes, sizeof(bytes), true, &link), DECODE_OK);
	UNIT_ASSERT_U64(link.bytes, 36);
	CU_ASSERT_EQUAL(datalink_80211(bytes, sizeof(bytes), false, &link), DECODE_8023);
	CU_ASSERT_EQUAL(datalink_80211(bytes, 35, true, &link), DECODE_LINK_SHORT);
}

static void test_radiotap(void)
{
	static const struct {
		const char *name;
		uint8_t bytes[16];
		enum decode_cause cause;
		uint32_t len;
		bool padded;
	} rows[] = {
		{ "nothing said", { 0, 0, 8, 0 }, DECODE_OK, 8, false },
		{ "flags", { 0, 0, 9, 0, 2, 0, 0, 0, 0x20 }, DECODE_OK, 9, true },
		{ "other flags", { 0, 0, 9, 0, 2, 0, 0, 0, 0x10 }, DECODE_OK, 9, false },
		{ "no flags", { 0, 0, 9, 0, 4, 0, 0, 0, 0x20 }, DECODE_OK, 9, false },
		{ "flags are cut", { 0, 0, 8, 0, 2, 0, 0, 0, 0x20 }, DECODE_OK, 8, false },
		{ "words without end",
		  { 0, 0, 16, 0, 2, 0, 0, 0x80, 0, 0, 0, 0x80, 0, 0, 0, 0x80 },
		  DECODE_OK,
		  16,
		  false },
		{ "longer than the packet", { 0, 0, 17, 0 }, DECODE_LINK_SHORT, 17, false },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		uint32_t len = 0;
		bool padded = false;

		unit_at("%s", rows[i].name);
		CU_ASSERT_EQUAL(datalink_radiotap(rows[i].bytes, 16, &len, &padded), rows[i].cause);
		UNIT_ASSERT_U64(len, rows[i].len);
		CU_ASSERT_EQUAL(padded, rows[i].padded);
	}
}

static void add_attribute(uint8_t *at, uint16_t len, uint16_t type)
{
	memcpy(at, &len, sizeof(len));
	memcpy(at + 2, &type, sizeof(type));
}

static void test_nflog(void)
{
	uint8_t bytes[32] = { 2 };
	uint32_t at = 0;
	uint32_t len = 0;

	add_attribute(bytes + 4, 5, 10); /* filled up to 8 */
	add_attribute(bytes + 12, 60, 9);
	CU_ASSERT_EQUAL(datalink_nflog(bytes, sizeof(bytes), &at, &len), DECODE_OK);
	UNIT_ASSERT_U64(at, 16);
	UNIT_ASSERT_U64(len, 56);
	CU_ASSERT_EQUAL(datalink_nflog(bytes, 15, &at, &len), DECODE_LINK_SHORT);
	add_attribute(bytes + 4, 65535, 10);
	CU_ASSERT_EQUAL(datalink_nflog(bytes, sizeof(bytes), &at, &len), DECODE_LINK_SHORT);
	add_attribute(bytes + 4, 3, 10);
	CU_ASSERT_EQUAL(datalink_nflog(bytes, sizeof(bytes), &at, &len), DECODE_LINK_UNSUPPORTED);
	bytes[1] = 1;
	CU_ASSERT_EQUAL(datalink_nflog(bytes, sizeof(bytes), &at, &len), DECODE_LINK_UNSUPPORTED);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "addresses", test_addresses },
		{ "padding", test_padding },
		{ "radiotap", test_radiotap },
		{ "NFLOG", test_nflog },
		{ NULL, NULL },
	};

	return unit_run("datalink", cases);
}
