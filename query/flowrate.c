/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/flowrate.h"

#include <endian.h>

#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
/* In the place of the IP version, whatever that is, as SiLK has it. */
#define KEY_VERSION 4u

/* The shortest headers of a packet, by the family of addresses. */
static uint64_t header_bytes(uint8_t protocol, bool is_ipv6)
{
	uint64_t bytes = is_ipv6 ? 40 : 20;

	if (protocol == PROTOCOL_TCP) {
		return bytes + 20;
	}
	return protocol == PROTOCOL_UDP ? bytes + 8 : bytes;
}

uint64_t flow_payload(const struct batch *batch, uint32_t row)
{
	uint64_t headers;
	bool over = __builtin_mul_overflow(
		batch->packets[row],
		header_bytes(batch->protocol[row], batch->state[row] & RECORD_IPV6), &headers);

	return over || headers > batch->bytes[row] ? 0 : batch->bytes[row] - headers;
}

/* The words of an address as a little-endian machine reads them, combined. */
static uint32_t fold(struct ip ip)
{
	uint64_t both = ip.hi ^ ip.lo;

	return __builtin_bswap32((uint32_t)(both >> 32) ^ (uint32_t)both);
}

uint32_t flow_key_hash(const struct batch *batch, uint32_t row)
{
	bool is_ipv6 = batch->state[row] & RECORD_IPV6;
	uint32_t hash = (uint32_t)batch->sport[row] << 16 ^ batch->dport[row] ^
			(uint32_t)batch->protocol[row] << 12 ^ KEY_VERSION << 4 ^
			batch->input[row] << 20;

	if (is_ipv6) {
		return hash ^ fold(batch->sip[row]) ^ fold(batch->dip[row]);
	}
	return hash ^ ip_to_v4(batch->sip[row]) ^ ip_to_v4(batch->dip[row]);
}
