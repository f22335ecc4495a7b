/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How one field, or one packed group of fields, of a row is stored. For rowformat.c, which combines
 * codecs into layouts; see there.
 *
 * A codec decodes its field for all rows of a batch, and encodes it for a list of rows. "offset"
 * and "second" of the field say where it is in the record.
 */
#ifndef TUSSAH_STORAGE_ROWCODEC_H
#define TUSSAH_STORAGE_ROWCODEC_H

#include "storage/rowformat.h"

#include <stdbool.h>

struct rowcodec;

struct rowfield {
	const struct rowcodec *codec;
	uint8_t offset;
	uint8_t second; /* a second place that the codec needs; each codec says which */
};

struct rowcodec {
	uint32_t columns; /* COLUMN_BITs that decode can fill */
	void (*decode)(const struct rowread *in, const struct rowfield *field, uint32_t wanted,
		       struct batch *out);
	void (*encode)(const struct rowwrite *out, const struct rowfield *field,
		       const struct rowview *view, const uint16_t *rows, uint32_t count);
};

/* ---- one column each (rowcodec_plain.c) ---- */
extern const struct rowcodec rowcodec_start_ms64;
extern const struct rowcodec rowcodec_start_s32;
extern const struct rowcodec rowcodec_start_ms16; /* added to whole seconds decoded before */
extern const struct rowcodec rowcodec_duration_ms32;
extern const struct rowcodec rowcodec_duration_s32;
extern const struct rowcodec rowcodec_duration_s16;  /* capped at 65535 s */
extern const struct rowcodec rowcodec_duration_ms16; /* added to whole seconds decoded before */
extern const struct rowcodec rowcodec_sport;
extern const struct rowcodec rowcodec_dport;
extern const struct rowcodec rowcodec_application;
extern const struct rowcodec rowcodec_application_lost; /* written, read as 0 */
extern const struct rowcodec rowcodec_sensor16;
extern const struct rowcodec rowcodec_sensor8;
extern const struct rowcodec rowcodec_memo;
extern const struct rowcodec rowcodec_input8;
extern const struct rowcodec rowcodec_input16;
extern const struct rowcodec rowcodec_input32; /* read capped at 65535 */
extern const struct rowcodec rowcodec_output8;
extern const struct rowcodec rowcodec_output16;
extern const struct rowcodec rowcodec_output32;
extern const struct rowcodec rowcodec_protocol;
extern const struct rowcodec rowcodec_flowtype;
extern const struct rowcodec rowcodec_flags;
extern const struct rowcodec rowcodec_packets32;
extern const struct rowcodec rowcodec_packets64; /* read capped at 2^32 - 1 */
extern const struct rowcodec rowcodec_bytes32;
extern const struct rowcodec rowcodec_bytes64;
extern const struct rowcodec rowcodec_sip4;
extern const struct rowcodec rowcodec_dip4;
extern const struct rowcodec rowcodec_nhip4;
extern const struct rowcodec rowcodec_zero16; /* two zero bytes, ignored on reading */
extern const struct rowcodec rowcodec_zero32;
extern const struct rowcodec rowcodec_zero8;
/* Sixteen bytes; second: the state byte, whose bit 7 tells the family. */
extern const struct rowcodec rowcodec_sip16;
extern const struct rowcodec rowcodec_dip16;
extern const struct rowcodec rowcodec_nhip16;
/* No next hop is stored, but it has the family of the record; second as above. */
extern const struct rowcodec rowcodec_nhip_none;
/* Flags, initial flags, session flags, state; second: protocol. */
extern const struct rowcodec rowcodec_tcpstate;           /* IPv4, repaired on reading */
extern const struct rowcodec rowcodec_tcpstate_ipv6;      /* with the family bit, repaired */
extern const struct rowcodec rowcodec_tcpstate_ipv6_asis; /* not repaired */

/* ---- packed groups (rowcodec_packed.c), silk-flow-files.md 4.1 ---- */
extern const struct rowcodec rowcodec_enc_a;     /* times, volumes */
extern const struct rowcodec rowcodec_enc_b;     /* times, volumes, protocol, flags */
extern const struct rowcodec rowcodec_enc_b_web; /* of TCP alone, ports elsewhere */
extern const struct rowcodec rowcodec_enc_c;
extern const struct rowcodec rowcodec_enc_c_web;
/* second: the state byte, followed by the rest-of-flags byte. */
extern const struct rowcodec rowcodec_enc_b_state;
extern const struct rowcodec rowcodec_enc_b_web_state;
extern const struct rowcodec rowcodec_enc_c_state;
extern const struct rowcodec rowcodec_enc_c_web_state;
extern const struct rowcodec rowcodec_enc_d; /* start, protocol, flags, state */
extern const struct rowcodec rowcodec_enc_d_ipv6;
extern const struct rowcodec rowcodec_enc_d_web; /* second: u32 of web code and duration */

/* ---- odd ones (rowcodec_odd.c) ---- */
/* Ports of web records; offset: the word with the code, second: the client port. */
extern const struct rowcodec rowcodec_web_a;       /* two bytes, with flags; protocol TCP */
extern const struct rowcodec rowcodec_web_ports_b; /* word MF */
extern const struct rowcodec rowcodec_web_ports_c; /* word C2 */
extern const struct rowcodec rowcodec_web_ports_d; /* word D0, code in the word 8 behind it */
/* FT_RWFILTER: volumes and what shares their words; offset: first of the two words. */
extern const struct rowcodec rowcodec_filter1; /* duration too, sensor of 6 bits */
extern const struct rowcodec rowcodec_filter2; /* duration too, sensor of 8 bits */
extern const struct rowcodec rowcodec_filter3; /* flowtype too */
extern const struct rowcodec rowcodec_filter5; /* fractions of times, protocol, flags, state */
/* FT_FLOWCAP */
extern const struct rowcodec rowcodec_packets24;        /* capped at 2^24 - 1 */
extern const struct rowcodec rowcodec_flowcap_tcpstate; /* flags, initial flags, state */
extern const struct rowcodec rowcodec_flowcap_fraction; /* milliseconds of both times */

/* ---- whole rows (rowcodec_whole.c) ---- */
void rowcodec_encode_ipv6routing(const struct rowwrite *out, const struct rowview *view,
				 const uint16_t *rows, uint32_t count);

/* ---- what may be refused (rowcheck.c), in the order in which a layout lists them ---- */
enum rowcheck {
	ROWCHECK_END = 0,
	ROWCHECK_IPV4,
	ROWCHECK_TCP,
	ROWCHECK_DURATION_30BIT,
	ROWCHECK_INPUT8,
	ROWCHECK_OUTPUT8,
	ROWCHECK_SENSOR8,
	ROWCHECK_DURATION_11BIT, /* whole seconds */
	ROWCHECK_DURATION_12BIT,
	ROWCHECK_START, /* in the hour of the file, or little more than it */
	ROWCHECK_BPP,   /* packets, bytes, bytes per packet */
	ROWCHECK_SENSOR6,
};

/* ---- conversions shared by the codecs ---- */

#define ROWCODEC_INLINE static inline __attribute__((always_inline))

#define ROWCODEC_PROTOCOL_TCP 6

/* What a state byte may hold (silk-flow-files.md 4.0). */
#define ROWCODEC_STATE_MASK      0x79
#define ROWCODEC_STATE_MASK_IPV6 (ROWCODEC_STATE_MASK | RECORD_IPV6)

static inline uint32_t rowcodec_duration_ms(uint64_t duration_ns)
{
	uint64_t ms = duration_ns / 1000000;

	return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

static inline uint32_t rowcodec_volume(uint64_t volume)
{
	return volume < UINT32_MAX ? (uint32_t)volume : UINT32_MAX;
}

/* Milliseconds since the epoch, earlier ones rounded down as well. */
static inline int64_t rowcodec_start_ms(int64_t start_ns)
{
	int64_t ms = start_ns / 1000000;

	return start_ns % 1000000 < 0 ? ms - 1 : ms;
}

/* BPP: packets, and bytes per packet with six bits of fraction (4.1). */
struct rowcodec_bpp {
	uint32_t packets; /* P */
	bool scaled;      /* pflag: P counts 64 packets */
	uint32_t bpp;
};

ROWCODEC_INLINE struct rowcodec_bpp rowcodec_bpp_pack(uint64_t packets64, uint64_t bytes64)
{
	uint32_t packets = rowcodec_volume(packets64);
	uint32_t bytes = rowcodec_volume(bytes64);
	uint32_t rest = (uint32_t)((uint64_t)(bytes % packets) * 64 / packets);
	bool scaled = packets >= UINT32_C(1) << 20;

	return (struct rowcodec_bpp){ scaled ? packets / 64 : packets, scaled,
				      (bytes / packets) << 6 | rest };
}

ROWCODEC_INLINE uint32_t rowcodec_bpp_packets(struct rowcodec_bpp v)
{
	return v.scaled ? v.packets * 64 : v.packets;
}

/* The fraction is multiplied in 32 bits and then signed: SiLK's answers, also the wrapped ones. */
ROWCODEC_INLINE uint32_t rowcodec_bpp_bytes(struct rowcodec_bpp v)
{
	uint32_t packets = rowcodec_bpp_packets(v);
	int32_t fraction = (int32_t)((v.bpp & 63) * packets);

	return (v.bpp >> 6) * packets + (uint32_t)(fraction / 64) + (fraction % 64 >= 32 ? 1 : 0);
}

/* What is left of ports in the web formats (4.1). */
struct rowcodec_web {
	bool from_server;
	uint8_t code;
	uint16_t client;
};

ROWCODEC_INLINE struct rowcodec_web rowcodec_web_pack(uint16_t sport, uint16_t dport)
{
	bool from_server = sport == 80 || sport == 443 || sport == 8080;
	uint16_t server = from_server ? sport : dport;
	uint8_t code = server == 80 ? 0 : server == 443 ? 1 : server == 8080 ? 2 : 3;

	return (struct rowcodec_web){ from_server, code, from_server ? dport : sport };
}

ROWCODEC_INLINE uint16_t rowcodec_web_server(unsigned code)
{
	static const uint16_t ports[4] = { 80, 443, 8080, 0 };

	return ports[code & 3];
}

/* The columns that a protocol-and-flags byte, a rest-of-flags byte and a state byte stand for. */
struct rowcodec_tcp {
	uint8_t protocol, flags, initial, session, state;
};

#define ROWCODEC_TCP_COLUMNS                                                                       \
	(COLUMN_BIT(COLUMN_PROTOCOL) | COLUMN_BIT(COLUMN_FLAGS) |                                  \
	 COLUMN_BIT(COLUMN_INITIAL_FLAGS) | COLUMN_BIT(COLUMN_SESSION_FLAGS) |                     \
	 COLUMN_BIT(COLUMN_STATE))

ROWCODEC_INLINE void rowcodec_tcp_put(struct batch *out, uint32_t i, struct rowcodec_tcp tcp)
{
	out->protocol[i] = tcp.protocol;
	out->flags[i] = tcp.flags;
	out->initial_flags[i] = tcp.initial;
	out->session_flags[i] = tcp.session;
	out->state[i] = tcp.state;
}

ROWCODEC_INLINE bool rowcodec_is_expanded(const struct rowview *view, uint32_t row)
{
	return view->protocol[row] == ROWCODEC_PROTOCOL_TCP && (view->state[row] & RECORD_EXPANDED);
}

/* PF with a state byte beside it: protocol; or initial flags, or all flags, of TCP. */
ROWCODEC_INLINE uint8_t rowcodec_pf(const struct rowview *view, uint32_t row)
{
	if (view->protocol[row] != ROWCODEC_PROTOCOL_TCP) {
		return view->protocol[row];
	}
	return rowcodec_is_expanded(view, row) ? view->initial_flags[row] : view->flags[row];
}

/* RF: all flags if not TCP; session flags, or none, of TCP. */
ROWCODEC_INLINE uint8_t rowcodec_rf(const struct rowview *view, uint32_t row)
{
	if (view->protocol[row] != ROWCODEC_PROTOCOL_TCP) {
		return view->flags[row];
	}
	return rowcodec_is_expanded(view, row) ? view->session_flags[row] : 0;
}

/* And back. keep_rf: C16 adds RF to the flags of TCP that is not expanded. */
ROWCODEC_INLINE struct rowcodec_tcp rowcodec_tcp_unpack(bool is_tcp, uint8_t pf, uint8_t rf,
							uint8_t state, bool keep_rf)
{
	struct rowcodec_tcp tcp = { .state = state };

	if (!is_tcp) {
		tcp.protocol = pf;
		tcp.flags = rf;
		return tcp;
	}
	tcp.protocol = ROWCODEC_PROTOCOL_TCP;
	tcp.flags = pf;
	if (state & RECORD_EXPANDED) {
		tcp.initial = pf;
		tcp.session = rf;
		tcp.flags = pf | rf;
	} else if (keep_rf) {
		tcp.flags = pf | rf;
	}
	return tcp;
}

#endif
