/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/ipfixscan.h"

#define IPFIXSCAN_VERSION      10
#define IPFIXSCAN_HEADER_BYTES 16

static uint16_t ipfixscan_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

int ipfix_message_length(const uint8_t *bytes, size_t len, size_t *message_len, struct err *err)
{
	if (len < IPFIXSCAN_LENGTH_BYTES) {
		return err_set(err, ST_EFORMAT, "message of %zu bytes", len);
	}
	if (ipfixscan_u16(bytes) != IPFIXSCAN_VERSION) {
		return err_set(err, ST_EFORMAT, "not IPFIX (version %u)", ipfixscan_u16(bytes));
	}
	*message_len = ipfixscan_u16(bytes + 2);
	if (*message_len < IPFIXSCAN_HEADER_BYTES) {
		return err_set(err, ST_EFORMAT, "message length of %zu bytes", *message_len);
	}
	return ST_OK;
}
