/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages of IPFIX in a stream of bytes: where one ends. What is in them is the decoder's
 * (packer/decoder.h).
 *
 *	rc = ipfix_message_length(bytes, len, &message_len, err);
 */
#ifndef TUSSAH_PACKER_IPFIX_H
#define TUSSAH_PACKER_IPFIX_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"

/* As many bytes must be there before a message's length can be told. */
#define IPFIX_LENGTH_BYTES 4
#define IPFIX_HEADER_BYTES 16

/* Length of the message at bytes once its first 4 bytes are here: 16..65535, or ST_EFORMAT. */
int ipfix_message_length(const uint8_t *bytes, size_t len, size_t *message_len, struct err *err);
/*
 * Read the next message of a file into bytes, of UINT16_MAX bytes. ST_OK; ST_END at a clean end;
 * ST_EFORMAT; ST_ETRUNC: the file ends in the middle of one.
 */
int ipfix_read_message(FILE *file, uint8_t *bytes, size_t *len, struct err *err);

#endif
