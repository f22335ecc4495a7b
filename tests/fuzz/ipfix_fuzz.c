/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * IPFIX messages through one decoder. The first octet of the input holds quirks and the mapping;
 * then messages follow, each preceded by two octets of length, its version and length made right
 * unless the length is odd.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "packer/ipfix.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int take_record(void *arg, const struct record *rec)
{
	*(uint64_t *)arg += rec->packets;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct ipfix_limits limits = { 16, 64, 4 };
	struct ipfix_mapping mapping = { 0 };
	struct ipfix_decoder *decoder;
	uint64_t packets = 0;

	if (size < 1) {
		return 0;
	}
	mapping.vlan_interfaces = bytes[0] & 0x80;
	mapping.quirks = bytes[0] & 0x1f;
	decoder = ipfix_decoder_new(&limits, &mapping);
	for (size_t at = 1; size - at > 2;) {
		size_t len = (size_t)bytes[at] << 8 | bytes[at + 1];
		uint8_t *copy;

		at += 2;
		len = len < size - at ? len : size - at;
		copy = malloc(len > 0 ? len : 1);
		memcpy(copy, bytes + at, len);
		if (len >= 4 && len % 2 == 0) {
			copy[0] = 0;
			copy[1] = 10;
			copy[2] = (uint8_t)(len >> 8);
			copy[3] = (uint8_t)len;
		}
		ipfix_decode(decoder, copy, len, take_record, &packets, NULL);
		free(copy);
		at += len;
	}
	ipfix_decoder_free(decoder);
	return 0;
}
