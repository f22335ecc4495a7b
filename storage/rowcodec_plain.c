/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Codecs of one column each: a strided loop, built for both byte orders from one expression per
 * direction. x is the value as stored (when decoding) or as held in the record (when encoding).
 */
#include "storage/rowcodec.h"

#include "common/timestamp.h"
#include "storage/byteorder.h"

#define INLINE ROWCODEC_INLINE

/* Absolute times beyond this are capped, so that adding a duration cannot overflow. */
#define START_MS_MAX INT64_C(9000000000000)

#define PLAIN(name, upper, member, bits, assign, decoded, encoded)                                 \
	INLINE void name##_loop(const struct rowread *in, const uint8_t *p, struct batch *out,     \
				bool swap)                                                         \
	{                                                                                          \
		for (uint32_t i = 0; i < in->rows; i++, p += in->stride) {                         \
			uint##bits##_t x = load##bits(p, swap);                                    \
			out->member[i] assign(decoded);                                            \
		}                                                                                  \
	}                                                                                          \
	static void name##_decode(const struct rowread *in, const struct rowfield *field,          \
				  uint32_t wanted, struct batch *out)                              \
	{                                                                                          \
		if (in->swap) {                                                                    \
			name##_loop(in, in->bytes + field->offset, out, true);                     \
		} else {                                                                           \
			name##_loop(in, in->bytes + field->offset, out, false);                    \
		}                                                                                  \
	}                                                                                          \
	static void name##_encode(const struct rowwrite *out, const struct rowfield *field,        \
				  const struct rowview *view, const uint16_t *rows,                \
				  uint32_t count)                                                  \
	{                                                                                          \
		uint8_t *p = out->bytes + field->offset;                                           \
                                                                                                   \
		for (uint32_t i = 0; i < count; i++, p += out->stride) {                           \
			__auto_type x = view->member[rows[i]];                                     \
			store##bits(p, (uint##bits##_t)(encoded), out->swap);                      \
		}                                                                                  \
	}                                                                                          \
	const struct rowcodec rowcodec_##name = { COLUMN_BIT(COLUMN_##upper), name##_decode,       \
						  name##_encode };

INLINE int64_t start_from_ms(uint64_t stored)
{
	int64_t ms = (int64_t)stored;

	ms = ms > START_MS_MAX ? START_MS_MAX : ms;
	ms = ms < -START_MS_MAX ? -START_MS_MAX : ms;
	return ms * NS_PER_MS;
}

INLINE int64_t start_s(int64_t start_ns)
{
	return rowcodec_start_ms(start_ns) / 1000;
}

INLINE uint32_t min_u32(uint64_t x, uint32_t max)
{
	return x < max ? (uint32_t)x : max;
}

PLAIN(start_ms64, START, start_ns, 64, =, start_from_ms(x), rowcodec_start_ms(x))
PLAIN(start_s32, START, start_ns, 32, =, x *NS_PER_S, start_s(x))
PLAIN(start_ms16, START, start_ns, 16, +=, x *NS_PER_MS, rowcodec_start_ms(x) % 1000)
PLAIN(duration_ms32, DURATION, duration_ns, 32, =, x *(uint64_t)NS_PER_MS, rowcodec_duration_ms(x))
PLAIN(duration_s32, DURATION, duration_ns, 32, =, x *(uint64_t)NS_PER_S,
      rowcodec_duration_ms(x) / 1000)
PLAIN(duration_s16, DURATION, duration_ns, 16, =, x *(uint64_t)NS_PER_S,
      min_u32(rowcodec_duration_ms(x) / 1000, UINT16_MAX))
PLAIN(duration_ms16, DURATION, duration_ns, 16, +=, x *(uint64_t)NS_PER_MS,
      rowcodec_duration_ms(x) % 1000)
PLAIN(sport, SPORT, sport, 16, =, x, x)
PLAIN(dport, DPORT, dport, 16, =, x, x)
PLAIN(application, APPLICATION, application, 16, =, x, x)
PLAIN(application_lost, APPLICATION, application, 16, =, x * 0, x)
PLAIN(sensor16, SENSOR, sensor, 16, =, x, x)
PLAIN(sensor8, SENSOR, sensor, 8, =, x, x)
PLAIN(memo, MEMO, memo, 16, =, x, x)
PLAIN(input8, INPUT, input, 8, =, x, x)
PLAIN(input16, INPUT, input, 16, =, x, min_u32(x, UINT16_MAX))
PLAIN(input32, INPUT, input, 32, =, min_u32(x, UINT16_MAX), x)
PLAIN(output8, OUTPUT, output, 8, =, x, x)
PLAIN(output16, OUTPUT, output, 16, =, x, min_u32(x, UINT16_MAX))
PLAIN(output32, OUTPUT, output, 32, =, min_u32(x, UINT16_MAX), x)
PLAIN(protocol, PROTOCOL, protocol, 8, =, x, x)
PLAIN(flowtype, FLOWTYPE, flowtype, 8, =, x, x)
PLAIN(flags, FLAGS, flags, 8, =, x, x)
PLAIN(packets32, PACKETS, packets, 32, =, x, rowcodec_volume(x))
PLAIN(packets64, PACKETS, packets, 64, =, rowcodec_volume(x), x)
PLAIN(bytes32, BYTES, bytes, 32, =, x, rowcodec_volume(x))
PLAIN(bytes64, BYTES, bytes, 64, =, rowcodec_volume(x), x)
PLAIN(sip4, SIP, sip, 32, =, ip_from_v4(x), ip_to_v4(x))
PLAIN(dip4, DIP, dip, 32, =, ip_from_v4(x), ip_to_v4(x))
PLAIN(nhip4, NHIP, nhip, 32, =, ip_from_v4(x), ip_to_v4(x))

/* ---- bytes that mean nothing ---- */

static void zero_decode(const struct rowread *in, const struct rowfield *field, uint32_t wanted,
			struct batch *out)
{
}

INLINE void zero_encode(const struct rowwrite *out, const struct rowfield *field, uint32_t count,
			size_t len)
{
	uint8_t *p = out->bytes + field->offset;

	for (uint32_t i = 0; i < count; i++, p += out->stride) {
		memset(p, 0, len);
	}
}

#define ZERO(bits)                                                                                 \
	static void zero##bits##_encode(const struct rowwrite *out, const struct rowfield *field,  \
					const struct rowview *view, const uint16_t *rows,          \
					uint32_t count)                                            \
	{                                                                                          \
		zero_encode(out, field, count, (bits) / 8);                                        \
	}                                                                                          \
	const struct rowcodec rowcodec_zero##bits = { 0, zero_decode, zero##bits##_encode };

ZERO(8)
ZERO(16)
ZERO(32)

/* ---- addresses of either family ---- */

/* Of an IPv4 record the last four bytes count, whatever is before them. */
INLINE void ip16_decode(const struct rowread *in, const struct rowfield *field, struct ip *out)
{
	const uint8_t *p = in->bytes + field->offset;
	const uint8_t *state = in->bytes + field->second;

	for (uint32_t i = 0; i < in->rows; i++, p += in->stride, state += in->stride) {
		uint64_t v6 = (*state & RECORD_IPV6) ? UINT64_MAX : 0;
		uint64_t lo = load64_be(p + 8);

		out[i].hi = load64_be(p) & v6;
		out[i].lo = (lo & v6) | ((IP_V4_PREFIX | (uint32_t)lo) & ~v6);
	}
}

INLINE void ip16_encode(const struct rowwrite *out, const struct rowfield *field,
			const struct ip *from, const uint8_t *state, const uint16_t *rows,
			uint32_t count)
{
	uint8_t *p = out->bytes + field->offset;

	for (uint32_t i = 0; i < count; i++, p += out->stride) {
		struct ip ip = from[rows[i]];

		if (!(state[rows[i]] & RECORD_IPV6)) {
			ip = ip_from_v4(ip_to_v4(ip));
		}
		store64_be(p, ip.hi);
		store64_be(p + 8, ip.lo);
	}
}

#define IP16(name, upper, member)                                                                  \
	static void name##_decode(const struct rowread *in, const struct rowfield *field,          \
				  uint32_t wanted, struct batch *out)                              \
	{                                                                                          \
		ip16_decode(in, field, out->member);                                               \
	}                                                                                          \
	static void name##_encode(const struct rowwrite *out, const struct rowfield *field,        \
				  const struct rowview *view, const uint16_t *rows,                \
				  uint32_t count)                                                  \
	{                                                                                          \
		ip16_encode(out, field, view->member, view->state, rows, count);                   \
	}                                                                                          \
	const struct rowcodec rowcodec_##name = { COLUMN_BIT(COLUMN_##upper), name##_decode,       \
						  name##_encode };

IP16(sip16, SIP, sip)
IP16(dip16, DIP, dip)
IP16(nhip16, NHIP, nhip)

static void nhip_none_decode(const struct rowread *in, const struct rowfield *field,
			     uint32_t wanted, struct batch *out)
{
	const uint8_t *state = in->bytes + field->second;

	for (uint32_t i = 0; i < in->rows; i++, state += in->stride) {
		out->nhip[i].hi = 0;
		out->nhip[i].lo = (*state & RECORD_IPV6) ? 0 : IP_V4_PREFIX;
	}
}

static void nhip_none_encode(const struct rowwrite *out, const struct rowfield *field,
			     const struct rowview *view, const uint16_t *rows, uint32_t count)
{
}

const struct rowcodec rowcodec_nhip_none = { COLUMN_BIT(COLUMN_NHIP), nhip_none_decode,
					     nhip_none_encode };

/* ---- flags, initial flags, session flags, state ---- */

struct tcpstate {
	uint8_t flags, initial, session, state;
};

/* 4.0, "repair on read": expanded flags of what is not TCP, or without any flag, are none. */
INLINE struct tcpstate tcpstate_load(const uint8_t *p, const uint8_t *protocol, uint8_t mask,
				     bool repair)
{
	struct tcpstate s = { p[0], p[1], p[2], p[3] & mask };

	if (repair && (s.state & RECORD_EXPANDED) &&
	    (*protocol != ROWCODEC_PROTOCOL_TCP || (s.initial | s.session) == 0)) {
		s.state &= (uint8_t)~RECORD_EXPANDED;
		s.initial = 0;
		s.session = 0;
	}
	return s;
}

#define TCPSTATE_COLUMNS                                                                           \
	(COLUMN_BIT(COLUMN_FLAGS) | COLUMN_BIT(COLUMN_INITIAL_FLAGS) |                             \
	 COLUMN_BIT(COLUMN_SESSION_FLAGS) | COLUMN_BIT(COLUMN_STATE))

INLINE void tcpstate_decode_as(const struct rowread *in, const struct rowfield *field,
			       uint32_t wanted, struct batch *out, uint8_t mask, bool repair)
{
	const uint8_t *p = in->bytes + field->offset;
	const uint8_t *protocol = in->bytes + field->second;

	for (uint32_t i = 0; i < in->rows; i++, p += in->stride, protocol += in->stride) {
		struct tcpstate s = tcpstate_load(p, protocol, mask, repair);

		out->flags[i] = s.flags;
		out->initial_flags[i] = s.initial;
		out->session_flags[i] = s.session;
		out->state[i] = s.state;
	}
}

static void tcpstate_encode(const struct rowwrite *out, const struct rowfield *field,
			    const struct rowview *view, const uint16_t *rows, uint32_t count)
{
	uint8_t *p = out->bytes + field->offset;

	for (uint32_t i = 0; i < count; i++, p += out->stride) {
		p[0] = view->flags[rows[i]];
		p[1] = view->initial_flags[rows[i]];
		p[2] = view->session_flags[rows[i]];
		p[3] = view->state[rows[i]] & ROWCODEC_STATE_MASK_IPV6;
	}
}

#define TCPSTATE(name, mask, repair)                                                               \
	static void name##_decode(const struct rowread *in, const struct rowfield *field,          \
				  uint32_t wanted, struct batch *out)                              \
	{                                                                                          \
		tcpstate_decode_as(in, field, wanted, out, mask, repair);                          \
	}                                                                                          \
	const struct rowcodec rowcodec_##name = { TCPSTATE_COLUMNS, name##_decode,                 \
						  tcpstate_encode };

TCPSTATE(tcpstate, ROWCODEC_STATE_MASK, true)
TCPSTATE(tcpstate_ipv6, ROWCODEC_STATE_MASK_IPV6, true)
TCPSTATE(tcpstate_ipv6_asis, ROWCODEC_STATE_MASK_IPV6, false)
