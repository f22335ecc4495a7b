/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Codecs of single formats: web ports, FT_RWFILTER, FT_FLOWCAP (silk-flow-files.md 4.6 to 4.10). */
#include "storage/rowcodec.h"

#include "common/timestamp.h"
#include "storage/byteorder.h"

#define INLINE ROWCODEC_INLINE

/* ---- web ports ---- */

#define PORT_COLUMNS (COLUMN_BIT(COLUMN_SPORT) | COLUMN_BIT(COLUMN_DPORT))

INLINE void web_put(struct batch *out, uint32_t i, struct rowcodec_web web)
{
	uint16_t server = rowcodec_web_server(web.code);

	out->sport[i] = web.from_server ? server : web.client;
	out->dport[i] = web.from_server ? web.client : server;
}

/* The bit tells the direction, two bits of the word more_bytes behind it the code. */
INLINE void web_ports_decode_as(const struct rowread *in, const struct rowfield *field,
				struct batch *out, unsigned direction_bit, unsigned code_shift,
				unsigned more_bytes)
{
	const uint8_t *p = in->bytes;

	for (uint32_t i = 0; i < in->rows; i++, p += in->stride) {
		uint32_t word = load32(p + field->offset, in->swap);
		uint32_t code = load32(p + field->offset + more_bytes, in->swap) >> code_shift;

		web_put(out, i,
			(struct rowcodec_web){ word >> direction_bit & 1, code & 3,
					       load16(p + field->second, in->swap) });
	}
}

/* Direction and code share words with other fields, whose codecs write them. */
static void web_ports_encode(const struct rowwrite *out, const struct rowfield *field,
			     const struct rowview *view, const uint16_t *rows, uint32_t count)
{
	uint8_t *p = out->bytes + field->second;

	for (uint32_t i = 0; i < count; i++, p += out->stride) {
		store16(p, rowcodec_web_pack(view->sport[rows[i]], view->dport[rows[i]]).client,
			out->swap);
	}
}

#define WEB_PORTS(name, direction_bit, code_shift, more_bytes)                                     \
	static void name##_decode(const struct rowread *in, const struct rowfield *field,          \
				  uint32_t wanted, struct batch *out)                              \
	{                                                                                          \
		web_ports_decode_as(in, field, out, direction_bit, code_shift, more_bytes);        \
	}                                                                                          \
	const struct rowcodec rowcodec_##name = { PORT_COLUMNS, name##_decode, web_ports_encode };

WEB_PORTS(web_ports_b, 10, 8, 0)
WEB_PORTS(web_ports_c, 22, 20, 0)
WEB_PORTS(web_ports_d, 22, 30, 8)

/* RWWWW v1, v2: direction and six flags in one byte, the code on top of the next. */
static void web_a_decode(const struct rowread *in, const struct rowfield *field, uint32_t wanted,
			 struct batch *out)
{
	const uint8_t *p = in->bytes;

	for (uint32_t i = 0; i < in->rows; i++, p += in->stride) {
		const uint8_t *at = p + field->offset;

		out->protocol[i] = ROWCODEC_PROTOCOL_TCP;
		out->flags[i] = at[0] & 0x3f;
		web_put(out, i,
			(struct rowcodec_web){ at[0] >> 7, at[1] >> 6,
					       load16(p + field->second, in->swap) });
	}
}

static void web_a_encode(const struct rowwrite *out, const struct rowfield *field,
			 const struct rowview *view, const uint16_t *rows, uint32_t count)
{
	uint8_t *p = out->bytes;

	web_ports_encode(out, field, view, rows, count);
	for (uint32_t i = 0; i < count; i++, p += out->stride) {
		struct rowcodec_web web =
			rowcodec_web_pack(view->sport[rows[i]], view->dport[rows[i]]);

		p[field->offset] = (uint8_t)(web.from_server << 7 | (view->flags[rows[i]] & 0x3f));
		p[field->offset + 1] = (uint8_t)(web.code << 6);
	}
}

const struct rowcodec rowcodec_web_a = {
	PORT_COLUMNS | COLUMN_BIT(COLUMN_PROTOCOL) | COLUMN_BIT(COLUMN_FLAGS),
	web_a_decode,
	web_a_encode,
};

/* ---- FT_RWFILTER ---- */

#define VOLUME_COLUMNS (COLUMN_BIT(COLUMN_PACKETS) | COLUMN_BIT(COLUMN_BYTES))

INLINE void volume_put(struct batch *out, uint32_t i, struct rowcodec_bpp volume)
{
	out->packets[i] = rowcodec_bpp_packets(volume);
	out->bytes[i] = rowcodec_bpp_bytes(volume);
}

/* v1, v2: the first word as in Enc-A, the sensor in the second. */
INLINE void filter1_decode_as(const struct rowread *in, const struct rowfield *field,
			      struct batch *out, unsigned sensor_shift, unsigned sensor_mask)
{
	const uint8_t *p = in->bytes + field->offset;

	for (uint32_t i = 0; i < in->rows; i++, p += in->stride) {
		uint32_t pe = load32(p, in->swap), word = load32(p + 4, in->swap);

		volume_put(out, i, (struct rowcodec_bpp){ pe >> 12, pe & 1, word >> 12 });
		out->duration_ns[i] = (pe >> 1 & 0x7ff) * (uint64_t)NS_PER_S;
		out->sensor[i] = word >> sensor_shift & sensor_mask;
	}
}

INLINE void filter1_encode_as(const struct rowwrite *out, const struct rowfield *field,
			      const struct rowview *view, const uint16_t *rows, uint32_t count,
			      unsigned sensor_shift)
{
	uint8_t *p = out->bytes + field->offset;

	for (uint32_t i = 0; i < count; i++, p += out->stride) {
		struct rowcodec_bpp v =
			rowcodec_bpp_pack(view->packets[rows[i]], view->bytes[rows[i]]);
		uint32_t duration_s = rowcodec_duration_ms(view->duration_ns[rows[i]]) / 1000;

		store32(p, v.packets << 12 | duration_s << 1 | v.scaled, out->swap);
		store32(p + 4, v.bpp << 12 | (uint32_t)view->sensor[rows[i]] << sensor_shift,
			out->swap);
	}
}

#define FILTER1(name, sensor_shift, sensor_mask)                                                   \
	static void name##_decode(const struct rowread *in, const struct rowfield *field,          \
				  uint32_t wanted, struct batch *out)                              \
	{                                                                                          \
		filter1_decode_as(in, field, out, sensor_shift, sensor_mask);                      \
	}                                                                                          \
	static void name##_encode(const struct rowwrite *out, const struct rowfield *field,        \
				  const struct rowview *view, const uint16_t *rows,                \
				  uint32_t count)                                                  \
	{                                                                                          \
		filter1_encode_as(out, field, view, rows, count, sensor_shift);                    \
	}                                                                                          \
	const struct rowcodec rowcodec_##name = { VOLUME_COLUMNS | COLUMN_BIT(COLUMN_DURATION) |   \
							  COLUMN_BIT(COLUMN_SENSOR),               \
						  name##_decode, name##_encode };

FILTER1(filter1, 6, 0x3f)
FILTER1(filter2, 0, 0xff)

static void filter3_decode(const struct rowread *in, const struct rowfield *field, uint32_t wanted,
			   struct batch *out)
{
	const uint8_t *p = in->bytes + field->offset;

	for (uint32_t i = 0; i < in->rows; i++, p += in->stride) {
		uint32_t w0 = load32(p, in->swap), w1 = load32(p + 4, in->swap);

		volume_put(out, i, (struct rowcodec_bpp){ w0 >> 12, w0 >> 11 & 1, w1 >> 12 });
		out->flowtype[i] = (uint8_t)w0;
	}
}

static void filter3_encode(const struct rowwrite *out, const struct rowfield *field,
			   const struct rowview *view, const uint16_t *rows, uint32_t count)
{
	uint8_t *p = out->bytes + field->offset;

	for (uint32_t i = 0; i < count; i++, p += out->stride) {
		struct rowcodec_bpp v =
			rowcodec_bpp_pack(view->packets[rows[i]], view->bytes[rows[i]]);

		store32(p, v.packets << 12 | (uint32_t)v.scaled << 11 | view->flowtype[rows[i]],
			out->swap);
		store32(p + 4, v.bpp << 12, out->swap);
	}
}

const struct rowcodec rowcodec_filter3 = { VOLUME_COLUMNS | COLUMN_BIT(COLUMN_FLOWTYPE),
					   filter3_decode, filter3_encode };

/* v4, v5: milliseconds beside the volumes, and bytes of flags behind them. */
#define FILTER5_PF    11 /* places from the first word on */
#define FILTER5_STATE 14
#define FILTER5_RF    15

static void filter5_decode(const struct rowread *in, const struct rowfield *field, uint32_t wanted,
			   struct batch *out)
{
	const uint8_t *p = in->bytes + field->offset;

	for (uint32_t i = 0; i < in->rows; i++, p += in->stride) {
		uint32_t w0 = load32(p, in->swap), w1 = load32(p + 4, in->swap);

		volume_put(out, i, (struct rowcodec_bpp){ w0 >> 12, w0 >> 11 & 1, w1 >> 12 });
		if (wanted & COLUMN_BIT(COLUMN_START)) {
			out->start_ns[i] += (w0 & 0x3ff) * NS_PER_MS;
		}
		if (wanted & COLUMN_BIT(COLUMN_DURATION)) {
			out->duration_ns[i] += (w1 & 0x3ff) * (uint64_t)NS_PER_MS;
		}
		rowcodec_tcp_put(out, i,
				 rowcodec_tcp_unpack(w0 >> 10 & 1, p[FILTER5_PF], p[FILTER5_RF],
						     p[FILTER5_STATE] & ROWCODEC_STATE_MASK,
						     false));
	}
}

static void filter5_encode(const struct rowwrite *out, const struct rowfield *field,
			   const struct rowview *view, const uint16_t *rows, uint32_t count)
{
	uint8_t *p = out->bytes + field->offset;

	for (uint32_t i = 0; i < count; i++, p += out->stride) {
		uint32_t row = rows[i];
		struct rowcodec_bpp v = rowcodec_bpp_pack(view->packets[row], view->bytes[row]);
		uint32_t is_tcp = view->protocol[row] == ROWCODEC_PROTOCOL_TCP;
		uint32_t start_ms = (uint32_t)(rowcodec_start_ms(view->start_ns[row]) % 1000);

		store32(p, v.packets << 12 | (uint32_t)v.scaled << 11 | is_tcp << 10 | start_ms,
			out->swap);
		store32(p + 4, v.bpp << 12 | rowcodec_duration_ms(view->duration_ns[row]) % 1000,
			out->swap);
		p[FILTER5_PF] = rowcodec_pf(view, row);
		p[FILTER5_STATE] = view->state[row] & ROWCODEC_STATE_MASK;
		p[FILTER5_RF] = rowcodec_rf(view, row);
	}
}

const struct rowcodec rowcodec_filter5 = {
	VOLUME_COLUMNS | ROWCODEC_TCP_COLUMNS | COLUMN_BIT(COLUMN_START) |
		COLUMN_BIT(COLUMN_DURATION),
	filter5_decode,
	filter5_encode,
};

/* ---- FT_FLOWCAP ---- */

#define PACKETS24_MAX 0xffffff

INLINE bool is_big(bool swap)
{
	return swap != HOST_BIG_ENDIAN;
}

static void packets24_decode(const struct rowread *in, const struct rowfield *field,
			     uint32_t wanted, struct batch *out)
{
	const uint8_t *p = in->bytes + field->offset;
	unsigned high = is_big(in->swap) ? 0 : 2;

	for (uint32_t i = 0; i < in->rows; i++, p += in->stride) {
		out->packets[i] = (uint32_t)p[high] << 16 | (uint32_t)p[1] << 8 | p[2 - high];
	}
}

static void packets24_encode(const struct rowwrite *out, const struct rowfield *field,
			     const struct rowview *view, const uint16_t *rows, uint32_t count)
{
	uint8_t *p = out->bytes + field->offset;
	unsigned high = is_big(out->swap) ? 0 : 2;

	for (uint32_t i = 0; i < count; i++, p += out->stride) {
		uint64_t packets = view->packets[rows[i]];
		uint32_t stored = packets < PACKETS24_MAX ? (uint32_t)packets : PACKETS24_MAX;

		p[high] = (uint8_t)(stored >> 16);
		p[1] = (uint8_t)(stored >> 8);
		p[2 - high] = (uint8_t)stored;
	}
}

const struct rowcodec rowcodec_packets24 = { COLUMN_BIT(COLUMN_PACKETS), packets24_decode,
					     packets24_encode };

/* Session flags, or all flags of records that do not tell initial from session flags. */
INLINE uint8_t flowcap_rest(const struct rowview *view, uint32_t row)
{
	return view->state[row] & RECORD_EXPANDED ? view->session_flags[row] : view->flags[row];
}

static void flowcap_tcpstate_decode(const struct rowread *in, const struct rowfield *field,
				    uint32_t wanted, struct batch *out)
{
	const uint8_t *p = in->bytes + field->offset;

	for (uint32_t i = 0; i < in->rows; i++, p += in->stride) {
		uint8_t state = p[2] & ROWCODEC_STATE_MASK;
		bool expanded = state & RECORD_EXPANDED;

		out->flags[i] = expanded ? p[0] | p[1] : p[0];
		out->initial_flags[i] = expanded ? p[1] : 0;
		out->session_flags[i] = expanded ? p[0] : 0;
		out->state[i] = state;
	}
}

static void flowcap_tcpstate_encode(const struct rowwrite *out, const struct rowfield *field,
				    const struct rowview *view, const uint16_t *rows,
				    uint32_t count)
{
	uint8_t *p = out->bytes + field->offset;

	for (uint32_t i = 0; i < count; i++, p += out->stride) {
		uint8_t state = view->state[rows[i]] & ROWCODEC_STATE_MASK;

		p[0] = flowcap_rest(view, rows[i]);
		p[1] = state & RECORD_EXPANDED ? view->initial_flags[rows[i]] : 0;
		p[2] = state;
	}
}

const struct rowcodec rowcodec_flowcap_tcpstate = {
	COLUMN_BIT(COLUMN_FLAGS) | COLUMN_BIT(COLUMN_INITIAL_FLAGS) |
		COLUMN_BIT(COLUMN_SESSION_FLAGS) | COLUMN_BIT(COLUMN_STATE),
	flowcap_tcpstate_decode,
	flowcap_tcpstate_encode,
};

/* Three bytes, most significant first in files of either order. */
static void flowcap_fraction_decode(const struct rowread *in, const struct rowfield *field,
				    uint32_t wanted, struct batch *out)
{
	const uint8_t *p = in->bytes + field->offset;

	for (uint32_t i = 0; i < in->rows; i++, p += in->stride) {
		uint32_t word = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];

		if (wanted & COLUMN_BIT(COLUMN_START)) {
			out->start_ns[i] += (word >> 14) * NS_PER_MS;
		}
		if (wanted & COLUMN_BIT(COLUMN_DURATION)) {
			out->duration_ns[i] += (word >> 4 & 0x3ff) * (uint64_t)NS_PER_MS;
		}
	}
}

static void flowcap_fraction_encode(const struct rowwrite *out, const struct rowfield *field,
				    const struct rowview *view, const uint16_t *rows,
				    uint32_t count)
{
	uint8_t *p = out->bytes + field->offset;

	for (uint32_t i = 0; i < count; i++, p += out->stride) {
		uint32_t word = (uint32_t)(rowcodec_start_ms(view->start_ns[rows[i]]) % 1000)
					<< 14 |
				rowcodec_duration_ms(view->duration_ns[rows[i]]) % 1000 << 4;

		p[0] = (uint8_t)(word >> 16);
		p[1] = (uint8_t)(word >> 8);
		p[2] = (uint8_t)word;
	}
}

const struct rowcodec rowcodec_flowcap_fraction = {
	COLUMN_BIT(COLUMN_START) | COLUMN_BIT(COLUMN_DURATION),
	flowcap_fraction_decode,
	flowcap_fraction_encode,
};
