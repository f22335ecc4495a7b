/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Link headers that take more than a look at a fixed place: wireless networks (IEEE 802.11, with or
 * without a radiotap header before it) and NFLOG of Linux.
 *
 *	cause = datalink_80211(bytes, captured, false, &header);
 *	if (cause == DECODE_OK) {
 *		... bytes + header.bytes, of header.ethertype ...
 *	}
 *
 * Pure; every read is bounded by the captured length. DECODE_LINK_SHORT: cut off;
 * DECODE_LINK_UNSUPPORTED: no packet that can be read, as in frames of management, encrypted or
 * aggregated ones; DECODE_8023: a packet of neither IP nor another Ethertype.
 */
#ifndef TUSSAH_COMMON_DATALINK_H
#define TUSSAH_COMMON_DATALINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/decode.h"

struct datalink {
	uint32_t bytes;                      /* how long it is */
	uint16_t ethertype;                  /* of what follows */
	const uint8_t *source, *destination; /* hardware addresses of 6 bytes; borrowed */
};

/* padded: the header in front of the payload is filled up to a multiple of 4. */
enum decode_cause datalink_80211(const uint8_t *bytes, uint32_t captured, bool padded,
				 struct datalink *out);

/* *len: of the radiotap header, behind which the one of 802.11 follows, padded or not. */
enum decode_cause datalink_radiotap(const uint8_t *bytes, uint32_t captured, uint32_t *len,
				    bool *padded);

/* *at: where the IP packet begins, which is *len bytes long, some of which may be cut. */
enum decode_cause datalink_nflog(const uint8_t *bytes, uint32_t captured, uint32_t *at,
				 uint32_t *len);

#endif
