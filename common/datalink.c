/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/datalink.h"

#include <string.h>

#include "common/bigendian.h"

/* IEEE 802.11, 9.2 and 9.3.2: the two octets of frame control. */
enum {
	CONTROL_TYPE = 0x0c,
	CONTROL_TYPE_DATA = 0x08,
	CONTROL_NO_DATA = 0x40, /* of subtypes of data frames */
	CONTROL_QOS = 0x80,
	FLAG_TO_DS = 0x01, /* to the distribution system */
	FLAG_FROM_DS = 0x02,
	FLAG_PROTECTED = 0x40,
	FLAG_ORDER = 0x80, /* with QoS: a field of HT control */
};

#define ADDRESS_1      4 /* offsets of addresses of 6 bytes */
#define ADDRESS_2      10
#define ADDRESS_3      16
#define SEQUENCE       22
#define ADDRESS_4      24
#define HEADER_BYTES   24 /* without the fourth address */
#define ADDRESS_BYTES  6
#define QOS_BYTES      2
#define QOS_AGGREGATED 0x80
#define HT_BYTES       4
#define LLC_BYTES      8 /* with SNAP and an Ethertype */

static uint32_t header_bytes(const uint8_t *frame)
{
	const uint8_t both = FLAG_TO_DS | FLAG_FROM_DS;
	uint32_t bytes = HEADER_BYTES;

	if ((frame[1] & both) == both) {
		bytes += ADDRESS_BYTES;
	}
	if (frame[0] & CONTROL_QOS) {
		bytes += QOS_BYTES + (frame[1] & FLAG_ORDER ? HT_BYTES : 0);
	}
	return bytes;
}

/* Where the field of QoS is, which stands behind the addresses. */
static bool is_aggregated(const uint8_t *frame, uint32_t header)
{
	uint32_t at = header - QOS_BYTES - (frame[1] & FLAG_ORDER ? HT_BYTES : 0);

	return frame[0] & CONTROL_QOS && frame[at] & QOS_AGGREGATED;
}

/* IEEE 802.11, table 9-30. */
static void find_addresses(const uint8_t *frame, struct datalink *out)
{
	bool to_ds = frame[1] & FLAG_TO_DS;
	bool from_ds = frame[1] & FLAG_FROM_DS;

	out->destination = frame + (to_ds ? ADDRESS_3 : ADDRESS_1);
	out->source = frame + (!from_ds ? ADDRESS_2 : to_ds ? ADDRESS_4 : ADDRESS_3);
}

/* RFC 1042, and IEEE 802.1H for what has no number of its own. */
static bool is_snap(const uint8_t *llc)
{
	static const uint8_t rfc1042[] = { 0xaa, 0xaa, 0x03, 0x00, 0x00, 0x00 };
	static const uint8_t bridge[] = { 0xaa, 0xaa, 0x03, 0x00, 0x00, 0xf8 };

	return memcmp(llc, rfc1042, sizeof(rfc1042)) == 0 ||
	       memcmp(llc, bridge, sizeof(bridge)) == 0;
}

enum decode_cause datalink_80211(const uint8_t *bytes, uint32_t captured, bool padded,
				 struct datalink *out)
{
	uint32_t header;

	if (captured < 2) {
		return DECODE_LINK_SHORT;
	}
	if ((bytes[0] & CONTROL_TYPE) != CONTROL_TYPE_DATA || bytes[0] & CONTROL_NO_DATA ||
	    bytes[1] & FLAG_PROTECTED) {
		return DECODE_LINK_UNSUPPORTED;
	}
	header = header_bytes(bytes);
	if (captured < header) {
		return DECODE_LINK_SHORT;
	}
	/* Fragments other than the first do not begin with a packet, aggregates not at once. */
	if (bytes[SEQUENCE] & 0x0f || is_aggregated(bytes, header)) {
		return DECODE_LINK_UNSUPPORTED;
	}
	find_addresses(bytes, out);
	header = padded ? (header + 3) & ~UINT32_C(3) : header;
	if (captured < header + LLC_BYTES) {
		return DECODE_LINK_SHORT;
	}
	if (!is_snap(bytes + header)) {
		return DECODE_8023;
	}
	out->ethertype = get_be16(bytes + header + LLC_BYTES - 2);
	out->bytes = header + LLC_BYTES;
	return DECODE_OK;
}

/* --- radiotap.org: its fields stand in the order of their bits, each at a multiple of its size --- */

#define RADIOTAP_BYTES     8
#define RADIOTAP_LEN       2
#define RADIOTAP_TIME      UINT32_C(0x01) /* 8 bytes */
#define RADIOTAP_FLAGS     UINT32_C(0x02) /* 1 byte */
#define RADIOTAP_MORE      UINT32_C(0x80000000)
#define RADIOTAP_HAS_PAD   0x20
#define RADIOTAP_TIME_SIZE 8

static uint32_t get_le32(const uint8_t *from)
{
	return __builtin_bswap32(get_be32(from));
}

/* Is there padding? The flags follow the words of bits and the time. */
static bool read_flags(const uint8_t *bytes, uint32_t len)
{
	const uint32_t present = get_le32(bytes + 4);
	uint32_t at = RADIOTAP_BYTES;

	for (uint32_t word = present; word & RADIOTAP_MORE && at + 4 <= len; at += 4) {
		word = get_le32(bytes + at);
	}
	if (present & RADIOTAP_TIME) {
		at = ((at + RADIOTAP_TIME_SIZE - 1) & ~UINT32_C(7)) + RADIOTAP_TIME_SIZE;
	}
	return present & RADIOTAP_FLAGS && at < len && bytes[at] & RADIOTAP_HAS_PAD;
}

enum decode_cause datalink_radiotap(const uint8_t *bytes, uint32_t captured, uint32_t *len,
				    bool *padded)
{
	if (captured < RADIOTAP_BYTES) {
		return DECODE_LINK_SHORT;
	}
	*len = (uint32_t)bytes[RADIOTAP_LEN] | (uint32_t)bytes[RADIOTAP_LEN + 1] << 8;
	if (bytes[0] != 0 || *len < RADIOTAP_BYTES) {
		return DECODE_LINK_UNSUPPORTED;
	}
	if (captured < *len) {
		return DECODE_LINK_SHORT;
	}
	*padded = read_flags(bytes, *len);
	return DECODE_OK;
}

/* --- NFLOG: a header, and attributes whose numbers are in the byte order of the machine --- */

#define NFLOG_BYTES      4
#define NFLOG_ATTRIBUTE  4 /* bytes of length and type */
#define NFLOG_PAYLOAD    9
#define NFLOG_TYPE(type) ((type)&0x7fff)

enum decode_cause datalink_nflog(const uint8_t *bytes, uint32_t captured, uint32_t *at,
				 uint32_t *len)
{
	if (captured < NFLOG_BYTES) {
		return DECODE_LINK_SHORT;
	}
	if (bytes[1] != 0) {
		return DECODE_LINK_UNSUPPORTED;
	}
	for (uint32_t next = NFLOG_BYTES; next + NFLOG_ATTRIBUTE <= captured;) {
		uint16_t attribute[2];

		memcpy(attribute, bytes + next, sizeof(attribute));
		if (attribute[0] < NFLOG_ATTRIBUTE) {
			return DECODE_LINK_UNSUPPORTED;
		}
		if (NFLOG_TYPE(attribute[1]) == NFLOG_PAYLOAD) {
			*at = next + NFLOG_ATTRIBUTE;
			*len = attribute[0] - (uint32_t)NFLOG_ATTRIBUTE;
			return DECODE_OK;
		}
		next += (attribute[0] + UINT32_C(3)) & ~UINT32_C(3);
	}
	return DECODE_LINK_SHORT;
}
