/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All of a row at once, for the format in which nearly all records are written by tools: a third of the time
 * that its columns take one after the other. The bytes are those of the layout's codecs.
 */
#include "storage/rowcodec.h"

#include "storage/byteorder.h"

#define INLINE ROWCODEC_INLINE

INLINE uint16_t cap16(uint32_t value)
{
	return value < UINT16_MAX ? (uint16_t)value : UINT16_MAX;
}

/* An address of the record; of IPv4 the last four bytes count. */
INLINE void store_ip(uint8_t *to, struct ip ip, bool v6)
{
	store64_be(to, v6 ? ip.hi : 0);
	store64_be(to + 8, v6 ? ip.lo : IP_V4_PREFIX | ip_to_v4(ip));
}

/* silk-flow-files.md 4.10, version 1. */
INLINE void store_ipv6routing(uint8_t *to, const struct rowview *view, uint16_t row, bool swap)
{
	const uint8_t state = view->state[row];
	const bool v6 = state & RECORD_IPV6;

	store64(to, (uint64_t)rowcodec_start_ms(view->start_ns[row]), swap);
	store32(to + 8, rowcodec_duration_ms(view->duration_ns[row]), swap);
	store16(to + 12, view->sport[row], swap);
	store16(to + 14, view->dport[row], swap);
	to[16] = view->protocol[row];
	to[17] = view->flowtype[row];
	store16(to + 18, view->sensor[row], swap);
	to[20] = view->flags[row];
	to[21] = view->initial_flags[row];
	to[22] = view->session_flags[row];
	to[23] = state & ROWCODEC_STATE_MASK_IPV6;
	store16(to + 24, view->application[row], swap);
	store16(to + 26, view->memo[row], swap);
	store16(to + 28, cap16(view->input[row]), swap);
	store16(to + 30, cap16(view->output[row]), swap);
	store32(to + 32, rowcodec_volume(view->packets[row]), swap);
	store32(to + 36, rowcodec_volume(view->bytes[row]), swap);
	store_ip(to + 40, view->sip[row], v6);
	store_ip(to + 56, view->dip[row], v6);
	store_ip(to + 72, view->nhip[row], v6);
}

void rowcodec_encode_ipv6routing(const struct rowwrite *out, const struct rowview *view,
				 const uint16_t *rows, uint32_t count)
{
	const struct rowview columns = *view; /* cannot be what is written to */
	const size_t stride = out->stride;
	uint8_t *to = out->bytes;

	if (out->swap) {
		for (uint32_t i = 0; i < count; i++, to += stride) {
			store_ipv6routing(to, &columns, rows[i], true);
		}
	} else {
		for (uint32_t i = 0; i < count; i++, to += stride) {
			store_ipv6routing(to, &columns, rows[i], false);
		}
	}
}
