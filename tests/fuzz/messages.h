/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What fuzz targets of datagram formats share: a fuzzer's bytes as messages to one decoder. */
#ifndef TUSSAH_TESTS_FUZZ_MESSAGES_H
#define TUSSAH_TESTS_FUZZ_MESSAGES_H

#include <stddef.h>
#include <stdint.h>

/*
 * The first byte holds quirks and the mapping; then messages follow, each preceded by two bytes of
 * length. The first two bytes of a message are made versions[byte 0 % count]. Half way the decoder
 * is replaced by one that loads its state.
 */
void fuzz_messages(const uint8_t *bytes, size_t size, const uint8_t *versions, size_t count);

#endif
