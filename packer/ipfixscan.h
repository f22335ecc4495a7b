/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A look at the bytes of an IPFIX message (RFC 7011) before libfixbuf sees them: every length is
 * checked against the one around it, templates against bounds, data records against their template.
 * No libfixbuf and no allocation beyond the configured bounds.
 */
#ifndef TUSSAH_PACKER_IPFIXSCAN_H
#define TUSSAH_PACKER_IPFIXSCAN_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* As many bytes must be there before a message's length can be told. */
#define IPFIXSCAN_LENGTH_BYTES 4

/* Length of the message at bytes once its first 4 bytes are here: 16..65535, or ST_EFORMAT. */
int ipfix_message_length(const uint8_t *bytes, size_t len, size_t *message_len, struct err *err);

#endif
