/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A record: one finished flow. The columns are listed once, here; struct record, struct batch
 * (common/batch.h), masks and copying are made from the list.
 *
 * Times are nanoseconds since the epoch, counters 64 bits, addresses 128 bits. ICMP keeps
 * type * 256 + code in dport. Files of narrower formats clamp or refuse as their spec says.
 */
#ifndef TUSSAH_COMMON_RECORD_H
#define TUSSAH_COMMON_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ip.h"

/*	X(ENUM, member, type)	*/
#define RECORD_COLUMNS(X)                                                                          \
	X(START, start_ns, int64_t)        /* first packet */                                      \
	X(DURATION, duration_ns, uint64_t) /* last packet minus first */                           \
	X(SIP, sip, struct ip)             /* source address */                                    \
	X(DIP, dip, struct ip)             /* destination address */                               \
	X(NHIP, nhip, struct ip)           /* next hop; unset: 0.0.0.0 or :: by family */          \
	X(PACKETS, packets, uint64_t)                                                              \
	X(BYTES, bytes, uint64_t) /* layer 3 */                                                    \
	X(INPUT, input, uint32_t) /* SNMP index or VLAN id */                                      \
	X(OUTPUT, output, uint32_t)                                                                \
	X(SPORT, sport, uint16_t)                                                                  \
	X(DPORT, dport, uint16_t)                                                                  \
	X(APPLICATION, application, uint16_t) /* service port guessed by the sensor; 0: none */    \
	X(SENSOR, sensor, uint16_t)           /* id of silk.conf; RECORD_NO_SENSOR */              \
	X(MEMO, memo, uint16_t)                                                                    \
	X(PROTOCOL, protocol, uint8_t)                                                             \
	X(FLOWTYPE, flowtype, uint8_t)           /* id of silk.conf; RECORD_NO_FLOWTYPE */         \
	X(FLAGS, flags, uint8_t)                 /* TCP flags of all packets */                    \
	X(INITIAL_FLAGS, initial_flags, uint8_t) /* of the first packet */                         \
	X(SESSION_FLAGS, session_flags, uint8_t) /* of all others */                               \
	X(STATE, state, uint8_t)                 /* enum record_state */

#define RECORD_NO_SENSOR   65535
#define RECORD_NO_FLOWTYPE 255

/* Bits of the state column; values as on disk (silk-flow-files.md section 6). */
enum record_state {
	RECORD_EXPANDED = 0x01,     /* TCP with initial and session flags known */
	RECORD_FIN_FOLLOWED = 0x08, /* F: packets after FIN that are not ACK or RST */
	RECORD_UNIFORM = 0x10,      /* S: all packets of one size */
	RECORD_TIMEOUT = 0x20,      /* T: ended by the active timeout */
	RECORD_CONTINUED = 0x40,    /* C: continues a timed-out flow */
	RECORD_IPV6 = 0x80,         /* all three addresses are IPv6 */
};

struct record {
#define X(upper, member, type) type member;
	RECORD_COLUMNS(X)
#undef X
};

enum column {
#define X(upper, member, type) COLUMN_##upper,
	RECORD_COLUMNS(X)
#undef X
		COLUMN_COUNT
};

#define COLUMN_BIT(column) (UINT32_C(1) << (column))
#define COLUMNS_ALL        (COLUMN_BIT(COLUMN_COUNT) - 1)

/* All zero but the sensor and flowtype, which are "none"; addresses 0.0.0.0. Every member is named,
 * so that compilers store them one by one: clearing all of it first takes three times as long. */
static inline void record_init(struct record *rec)
{
	*rec = (struct record){
		.start_ns = 0,
		.duration_ns = 0,
		.sip = ip_from_v4(0),
		.dip = ip_from_v4(0),
		.nhip = ip_from_v4(0),
		.packets = 0,
		.bytes = 0,
		.input = 0,
		.output = 0,
		.sport = 0,
		.dport = 0,
		.application = 0,
		.sensor = RECORD_NO_SENSOR,
		.memo = 0,
		.protocol = 0,
		.flowtype = RECORD_NO_FLOWTYPE,
		.flags = 0,
		.initial_flags = 0,
		.session_flags = 0,
		.state = 0,
	};
}

/* Member by member, too: compilers make a slow loop of a struct of this size. */
static inline void record_copy(struct record *to, const struct record *from)
{
#define X(upper, member, type) to->member = from->member;
	RECORD_COLUMNS(X)
#undef X
}

static inline bool record_is_ipv6(const struct record *rec)
{
	return rec->state & RECORD_IPV6;
}

/* Last packet. */
static inline int64_t record_end_ns(const struct record *rec)
{
	return rec->start_ns + (int64_t)rec->duration_ns;
}

/* The record as a format of whole milliseconds holds it: first and last packet are cut, so that the
 * duration is the difference of what is shown. */
void record_cut_ms(struct record *rec);

/* Start of the hour that the record is filed under. */
int64_t record_hour_ns(const struct record *rec);

/* ICMP, or ICMPv6 in an IPv6 record: the ports hold type and code. */
static inline bool record_is_icmp(const struct record *rec)
{
	return rec->protocol == 1 || (rec->protocol == 58 && record_is_ipv6(rec));
}

#endif
