/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The encodings that pack several columns into words: Enc-A to Enc-D of silk-flow-files.md 4.1.
 * Each has one function that unpacks all of its columns. Decoding runs one loop per wanted column
 * and lets the compiler drop what that loop does not use, so a column costs what it must.
 */
#include "storage/rowcodec.h"

#include "common/timestamp.h"
#include "storage/byteorder.h"

#define INLINE ROWCODEC_INLINE

struct packed {
	uint32_t start_ms; /* from the hour of the file */
	uint32_t duration_ms;
	struct rowcodec_bpp volume;
	uint8_t pf;
	bool bit;     /* is_tcp; web formats: from the server */
	uint8_t code; /* of the web port */
};

typedef struct packed (*unpack_fn)(const uint8_t *p, bool swap);
typedef void (*pack_fn)(uint8_t *p, struct packed v, bool swap);

INLINE struct packed unpack_a(const uint8_t *p, bool swap)
{
	uint32_t pe = load32(p, swap), sb = load32(p + 4, swap);

	return (struct packed){
		.start_ms = (sb >> 20) * 1000,
		.duration_ms = (pe >> 1 & 0x7ff) * 1000,
		.volume = { pe >> 12, pe & 1, sb & 0xfffff },
	};
}

INLINE void pack_a(uint8_t *p, struct packed v, bool swap)
{
	store32(p, v.volume.packets << 12 | v.duration_ms / 1000 << 1 | v.volume.scaled, swap);
	store32(p + 4, v.start_ms / 1000 << 20 | v.volume.bpp, swap);
}

INLINE struct packed unpack_b(const uint8_t *p, bool swap)
{
	uint32_t ps = load32(p, swap), be = load32(p + 4, swap), mf = load32(p + 8, swap);

	return (struct packed){
		.start_ms = (ps & 0xfff) * 1000 + (mf >> 22),
		.duration_ms = (be & 0xfff) * 1000 + (mf >> 12 & 0x3ff),
		.volume = { ps >> 12, mf >> 11 & 1, be >> 12 },
		.pf = (uint8_t)mf,
		.bit = mf >> 10 & 1,
		.code = mf >> 8 & 3,
	};
}

INLINE void pack_b(uint8_t *p, struct packed v, bool swap)
{
	store32(p, v.volume.packets << 12 | v.start_ms / 1000, swap);
	store32(p + 4, v.volume.bpp << 12 | v.duration_ms / 1000, swap);
	store32(p + 8,
		v.start_ms % 1000 << 22 | v.duration_ms % 1000 << 12 |
			(uint32_t)v.volume.scaled << 11 | (uint32_t)v.bit << 10 |
			(uint32_t)v.code << 8 | v.pf,
		swap);
}

INLINE struct packed unpack_c(const uint8_t *p, bool swap)
{
	uint32_t c0 = load32(p, swap), c1 = load32(p + 4, swap), c2 = load32(p + 8, swap);

	return (struct packed){
		.start_ms = c0 >> 10,
		.duration_ms = c1 & 0x3fffff,
		.volume = { c2 & 0xfffff, c2 >> 23 & 1, (c0 & 0x3ff) << 10 | c1 >> 22 },
		.pf = (uint8_t)(c2 >> 24),
		.bit = c2 >> 22 & 1,
		.code = c2 >> 20 & 3,
	};
}

INLINE void pack_c(uint8_t *p, struct packed v, bool swap)
{
	store32(p, v.start_ms << 10 | v.volume.bpp >> 10, swap);
	store32(p + 4, v.volume.bpp << 22 | v.duration_ms, swap);
	store32(p + 8,
		(uint32_t)v.pf << 24 | (uint32_t)v.volume.scaled << 23 | (uint32_t)v.bit << 22 |
			(uint32_t)v.code << 20 | v.volume.packets,
		swap);
}

/* ---- times and volumes ---- */

#define VOLUME_COLUMNS                                                                             \
	(COLUMN_BIT(COLUMN_START) | COLUMN_BIT(COLUMN_DURATION) | COLUMN_BIT(COLUMN_PACKETS) |     \
	 COLUMN_BIT(COLUMN_BYTES))

INLINE void volumes_decode(const struct rowread *in, const struct rowfield *field, uint32_t wanted,
			   struct batch *out, unpack_fn unpack, bool swap)
{
	const uint8_t *p = in->bytes + field->offset;

	if (wanted & COLUMN_BIT(COLUMN_START)) {
		for (uint32_t i = 0; i < in->rows; i++) {
			out->start_ns[i] =
				in->hour_ns + unpack(p + i * in->stride, swap).start_ms * NS_PER_MS;
		}
	}
	if (wanted & COLUMN_BIT(COLUMN_DURATION)) {
		for (uint32_t i = 0; i < in->rows; i++) {
			out->duration_ns[i] =
				unpack(p + i * in->stride, swap).duration_ms * (uint64_t)NS_PER_MS;
		}
	}
	if (wanted & COLUMN_BIT(COLUMN_PACKETS)) {
		for (uint32_t i = 0; i < in->rows; i++) {
			out->packets[i] =
				rowcodec_bpp_packets(unpack(p + i * in->stride, swap).volume);
		}
	}
	if (wanted & COLUMN_BIT(COLUMN_BYTES)) {
		for (uint32_t i = 0; i < in->rows; i++) {
			out->bytes[i] = rowcodec_bpp_bytes(unpack(p + i * in->stride, swap).volume);
		}
	}
}

INLINE struct packed volumes_gather(const struct rowview *view, uint32_t row, int64_t hour_ns)
{
	return (struct packed){
		.start_ms = (uint32_t)(rowcodec_start_ms(view->start_ns[row]) -
				       rowcodec_start_ms(hour_ns)),
		.duration_ms = rowcodec_duration_ms(view->duration_ns[row]),
		.volume = rowcodec_bpp_pack(view->packets[row], view->bytes[row]),
	};
}

/* ---- protocol and flags beside them ---- */

enum variety {
	PLAIN, /* no state byte: initial and session flags are lost */
	WEB,   /* the same, TCP understood */
	STATE, /* state byte and rest of flags at field->second */
	WEB_STATE,
};

INLINE bool is_web(enum variety variety)
{
	return variety == WEB || variety == WEB_STATE;
}

INLINE bool has_state(enum variety variety)
{
	return variety == STATE || variety == WEB_STATE;
}

INLINE void flags_decode(const struct rowread *in, const struct rowfield *field, struct batch *out,
			 unpack_fn unpack, bool swap, enum variety variety, bool keep_rf)
{
	const uint8_t *p = in->bytes;

	for (uint32_t i = 0; i < in->rows; i++, p += in->stride) {
		struct packed v = unpack(p + field->offset, swap);
		uint8_t state = 0, rf = 0;

		if (has_state(variety)) {
			state = p[field->second] & ROWCODEC_STATE_MASK;
			rf = p[field->second + 1];
		}
		rowcodec_tcp_put(
			out, i,
			rowcodec_tcp_unpack(is_web(variety) || v.bit, v.pf, rf, state, keep_rf));
	}
}

INLINE void decode_as(const struct rowread *in, const struct rowfield *field, uint32_t wanted,
		      struct batch *out, unpack_fn unpack, enum variety variety, bool keep_rf)
{
	if (in->swap) {
		volumes_decode(in, field, wanted, out, unpack, true);
	} else {
		volumes_decode(in, field, wanted, out, unpack, false);
	}
	if (wanted & ROWCODEC_TCP_COLUMNS) {
		if (in->swap) {
			flags_decode(in, field, out, unpack, true, variety, keep_rf);
		} else {
			flags_decode(in, field, out, unpack, false, variety, keep_rf);
		}
	}
}

INLINE void encode_as(const struct rowwrite *out, const struct rowfield *field,
		      const struct rowview *view, const uint16_t *rows, uint32_t count,
		      pack_fn pack, enum variety variety)
{
	uint8_t *p = out->bytes;

	for (uint32_t i = 0; i < count; i++, p += out->stride) {
		uint32_t row = rows[i];
		struct packed v = volumes_gather(view, row, out->hour_ns);

		if (has_state(variety)) {
			v.pf = rowcodec_pf(view, row);
			p[field->second] = view->state[row] & ROWCODEC_STATE_MASK;
			p[field->second + 1] = rowcodec_rf(view, row);
		} else {
			v.pf = view->protocol[row] == ROWCODEC_PROTOCOL_TCP ? view->flags[row]
									    : view->protocol[row];
		}
		v.bit = view->protocol[row] == ROWCODEC_PROTOCOL_TCP;
		if (is_web(variety)) {
			struct rowcodec_web web =
				rowcodec_web_pack(view->sport[row], view->dport[row]);

			v.bit = web.from_server;
			v.code = web.code;
		}
		pack(p + field->offset, v, out->swap);
	}
}

#define PACKED(name, unpack, pack, variety, keep_rf)                                               \
	static void name##_decode(const struct rowread *in, const struct rowfield *field,          \
				  uint32_t wanted, struct batch *out)                              \
	{                                                                                          \
		decode_as(in, field, wanted, out, unpack, variety, keep_rf);                       \
	}                                                                                          \
	static void name##_encode(const struct rowwrite *out, const struct rowfield *field,        \
				  const struct rowview *view, const uint16_t *rows,                \
				  uint32_t count)                                                  \
	{                                                                                          \
		encode_as(out, field, view, rows, count, pack, variety);                           \
	}                                                                                          \
	const struct rowcodec rowcodec_##name = { VOLUME_COLUMNS | ROWCODEC_TCP_COLUMNS,           \
						  name##_decode, name##_encode };

PACKED(enc_b, unpack_b, pack_b, PLAIN, false)
PACKED(enc_b_web, unpack_b, pack_b, WEB, false)
PACKED(enc_b_state, unpack_b, pack_b, STATE, false)
PACKED(enc_b_web_state, unpack_b, pack_b, WEB_STATE, false)
PACKED(enc_c, unpack_c, pack_c, PLAIN, false)
PACKED(enc_c_web, unpack_c, pack_c, WEB, false)
PACKED(enc_c_state, unpack_c, pack_c, STATE, true)
PACKED(enc_c_web_state, unpack_c, pack_c, WEB_STATE, true)

/* Enc-A knows nothing of protocol and flags. */
static void enc_a_decode(const struct rowread *in, const struct rowfield *field, uint32_t wanted,
			 struct batch *out)
{
	volumes_decode(in, field, wanted, out, unpack_a, in->swap);
}

static void enc_a_encode(const struct rowwrite *out, const struct rowfield *field,
			 const struct rowview *view, const uint16_t *rows, uint32_t count)
{
	uint8_t *p = out->bytes + field->offset;

	for (uint32_t i = 0; i < count; i++, p += out->stride) {
		pack_a(p, volumes_gather(view, rows[i], out->hour_ns), out->swap);
	}
}

const struct rowcodec rowcodec_enc_a = { VOLUME_COLUMNS, enc_a_decode, enc_a_encode };

/* ---- Enc-D: start, protocol, flags and state; volumes are plain elsewhere ---- */

#define D_START_MS    0x3fffff
#define D_FROM_SERVER (UINT32_C(1) << 22)
#define D_IS_TCP      (UINT32_C(1) << 23)
#define D_PI          4 /* places from the word on */
#define D_STATE       5

INLINE void enc_d_decode_as(const struct rowread *in, const struct rowfield *field, uint32_t wanted,
			    struct batch *out, uint8_t mask)
{
	const uint8_t *p = in->bytes + field->offset;

	for (uint32_t i = 0; i < in->rows; i++, p += in->stride) {
		uint32_t d0 = load32(p, in->swap);

		out->start_ns[i] = in->hour_ns + (d0 & D_START_MS) * NS_PER_MS;
		if (wanted & ROWCODEC_TCP_COLUMNS) {
			bool is_tcp = d0 & D_IS_TCP;
			uint8_t session = is_tcp ? (uint8_t)(d0 >> 24) : 0;

			rowcodec_tcp_put(out, i,
					 rowcodec_tcp_unpack(is_tcp, p[D_PI], session,
							     p[D_STATE] & mask, false));
		}
	}
}

static void enc_d_encode(const struct rowwrite *out, const struct rowfield *field,
			 const struct rowview *view, const uint16_t *rows, uint32_t count)
{
	uint8_t *p = out->bytes + field->offset;

	for (uint32_t i = 0; i < count; i++, p += out->stride) {
		uint32_t row = rows[i];
		uint32_t d0 = (uint32_t)(rowcodec_start_ms(view->start_ns[row]) -
					 rowcodec_start_ms(out->hour_ns));

		if (view->protocol[row] == ROWCODEC_PROTOCOL_TCP) {
			d0 |= D_IS_TCP;
		}
		if (rowcodec_is_expanded(view, row)) {
			d0 |= (uint32_t)view->session_flags[row] << 24;
		}
		store32(p, d0, out->swap);
		p[D_PI] = rowcodec_pf(view, row);
		p[D_STATE] = view->state[row] & ROWCODEC_STATE_MASK_IPV6;
	}
}

static void enc_d_decode(const struct rowread *in, const struct rowfield *field, uint32_t wanted,
			 struct batch *out)
{
	enc_d_decode_as(in, field, wanted, out, ROWCODEC_STATE_MASK);
}

static void enc_d_ipv6_decode(const struct rowread *in, const struct rowfield *field,
			      uint32_t wanted, struct batch *out)
{
	enc_d_decode_as(in, field, wanted, out, ROWCODEC_STATE_MASK_IPV6);
}

#define D_COLUMNS (COLUMN_BIT(COLUMN_START) | ROWCODEC_TCP_COLUMNS)

const struct rowcodec rowcodec_enc_d = { D_COLUMNS, enc_d_decode, enc_d_encode };
const struct rowcodec rowcodec_enc_d_ipv6 = { D_COLUMNS, enc_d_ipv6_decode, enc_d_encode };

/* AUGWEB v5: the direction is in D0, the code of the port shares a word with the duration. */
static void enc_d_web_decode(const struct rowread *in, const struct rowfield *field,
			     uint32_t wanted, struct batch *out)
{
	const uint8_t *p = in->bytes + field->second;

	enc_d_decode_as(in, field, wanted, out, ROWCODEC_STATE_MASK);
	for (uint32_t i = 0; i < in->rows; i++, p += in->stride) {
		out->duration_ns[i] = (load32(p, in->swap) & 0x3fffffff) * (uint64_t)NS_PER_MS;
	}
}

static void enc_d_web_encode(const struct rowwrite *out, const struct rowfield *field,
			     const struct rowview *view, const uint16_t *rows, uint32_t count)
{
	uint8_t *p = out->bytes;

	enc_d_encode(out, field, view, rows, count);
	for (uint32_t i = 0; i < count; i++, p += out->stride) {
		uint32_t row = rows[i];
		struct rowcodec_web web = rowcodec_web_pack(view->sport[row], view->dport[row]);
		uint8_t *word = p + field->offset;

		if (web.from_server) {
			store32(word, load32(word, out->swap) | D_FROM_SERVER, out->swap);
		}
		store32(p + field->second,
			(uint32_t)web.code << 30 | rowcodec_duration_ms(view->duration_ns[row]),
			out->swap);
	}
}

const struct rowcodec rowcodec_enc_d_web = { D_COLUMNS | COLUMN_BIT(COLUMN_DURATION),
					     enc_d_web_decode, enc_d_web_encode };
