/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From the values of an IPFIX data record to records: which element is which field, which of
 * several is believed, how times are put together, what is ignored (silk-packing.md 11.3 to 11.6).
 * Pure: no libfixbuf, no allocation (but for a line of the log), no clock.
 */
#ifndef TUSSAH_PACKER_IPFIXMAP_H
#define TUSSAH_PACKER_IPFIXMAP_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/record.h"

struct ipfix_address6 {
	uint8_t bytes[16];
};

#define IPFIX_PEN_REVERSE  29305
#define IPFIX_PEN_CERT     6871
#define IPFIX_CERT_REVERSE 0x4000

/*
 * The elements that make a record, by size so that the struct has no holes: libfixbuf fills it.
 *	X(ENUM, member, type, enterprise, number)
 */
#define IPFIX_FIELDS(X)                                                                            \
	X(SIP6, sip6, struct ipfix_address6, 0, 27)                                                \
	X(DIP6, dip6, struct ipfix_address6, 0, 28)                                                \
	X(NHIP6, nhip6, struct ipfix_address6, 0, 62)                                              \
	X(PACKETS_DELTA, packets_delta, uint64_t, 0, 2)                                            \
	X(PACKETS_TOTAL, packets_total, uint64_t, 0, 86)                                           \
	X(PACKETS_INITIATOR, packets_initiator, uint64_t, 0, 298)                                  \
	X(PACKETS_POST_DELTA, packets_post_delta, uint64_t, 0, 24)                                 \
	X(PACKETS_POST_TOTAL, packets_post_total, uint64_t, 0, 172)                                \
	X(BYTES_DELTA, bytes_delta, uint64_t, 0, 1)                                                \
	X(BYTES_TOTAL, bytes_total, uint64_t, 0, 85)                                               \
	X(BYTES_INITIATOR, bytes_initiator, uint64_t, 0, 231)                                      \
	X(BYTES_POST_DELTA, bytes_post_delta, uint64_t, 0, 23)                                     \
	X(BYTES_POST_TOTAL, bytes_post_total, uint64_t, 0, 171)                                    \
	X(BYTES_LAYER2_DELTA, bytes_layer2_delta, uint64_t, 0, 352)                                \
	X(BYTES_LAYER2_TOTAL, bytes_layer2_total, uint64_t, 0, 353)                                \
	X(REV_PACKETS_DELTA, rev_packets_delta, uint64_t, IPFIX_PEN_REVERSE, 2)                    \
	X(REV_PACKETS_TOTAL, rev_packets_total, uint64_t, IPFIX_PEN_REVERSE, 86)                   \
	X(PACKETS_RESPONDER, packets_responder, uint64_t, 0, 299)                                  \
	X(REV_BYTES_DELTA, rev_bytes_delta, uint64_t, IPFIX_PEN_REVERSE, 1)                        \
	X(REV_BYTES_TOTAL, rev_bytes_total, uint64_t, IPFIX_PEN_REVERSE, 85)                       \
	X(BYTES_RESPONDER, bytes_responder, uint64_t, 0, 232)                                      \
	X(START_MS, start_ms, uint64_t, 0, 152)                                                    \
	X(END_MS, end_ms, uint64_t, 0, 153)                                                        \
	X(START_US, start_us, uint64_t, 0, 154) /* NTP, as the next */                             \
	X(END_US, end_us, uint64_t, 0, 155)                                                        \
	X(START_NS, start_ns, uint64_t, 0, 156)                                                    \
	X(END_NS, end_ns, uint64_t, 0, 157)                                                        \
	X(BOOT_MS, boot_ms, uint64_t, 0, 160)                                                      \
	X(COLLECTED_MS, collected_ms, uint64_t, 0, 258)                                            \
	X(OBSERVED_MS, observed_ms, uint64_t, 0, 323)                                              \
	X(OBSERVED_US, observed_us, uint64_t, 0, 324) /* NTP */                                    \
	X(OBSERVED_NS, observed_ns, uint64_t, 0, 325) /* NTP */                                    \
	X(REV_DELTA_US, rev_delta_us, uint64_t, IPFIX_PEN_CERT, 41)                                \
	X(REV_DELTA_NS, rev_delta_ns, uint64_t, IPFIX_PEN_CERT, 42)                                \
	X(SIP4, sip4, uint32_t, 0, 8)                                                              \
	X(DIP4, dip4, uint32_t, 0, 12)                                                             \
	X(NHIP4, nhip4, uint32_t, 0, 15)                                                           \
	X(INPUT, input, uint32_t, 0, 10)                                                           \
	X(OUTPUT, output, uint32_t, 0, 14)                                                         \
	X(START_S, start_s, uint32_t, 0, 150)                                                      \
	X(END_S, end_s, uint32_t, 0, 151)                                                          \
	X(OBSERVED_S, observed_s, uint32_t, 0, 322)                                                \
	X(START_AGO_US, start_ago_us, uint32_t, 0, 158) /* before the export time */               \
	X(END_AGO_US, end_ago_us, uint32_t, 0, 159)                                                \
	X(DURATION_MS, duration_ms, uint32_t, 0, 161)                                              \
	X(DURATION_US, duration_us, uint32_t, 0, 162)                                              \
	X(START_UPTIME, start_uptime, uint32_t, 0, 22) /* ms since boot */                         \
	X(END_UPTIME, end_uptime, uint32_t, 0, 21)                                                 \
	X(REV_DELTA_MS, rev_delta_ms, uint32_t, IPFIX_PEN_CERT, 21)                                \
	X(SPORT, sport, uint16_t, 0, 7)                                                            \
	X(DPORT, dport, uint16_t, 0, 11)                                                           \
	X(TCP_SPORT, tcp_sport, uint16_t, 0, 182)                                                  \
	X(TCP_DPORT, tcp_dport, uint16_t, 0, 183)                                                  \
	X(UDP_SPORT, udp_sport, uint16_t, 0, 180)                                                  \
	X(UDP_DPORT, udp_dport, uint16_t, 0, 181)                                                  \
	X(VLAN, vlan, uint16_t, 0, 58)                                                             \
	X(POST_VLAN, post_vlan, uint16_t, 0, 59)                                                   \
	X(REV_VLAN, rev_vlan, uint16_t, IPFIX_PEN_REVERSE, 58)                                     \
	X(REV_POST_VLAN, rev_post_vlan, uint16_t, IPFIX_PEN_REVERSE, 59)                           \
	X(FLAGS, flags, uint16_t, 0, 6)                                                            \
	X(REV_FLAGS, rev_flags, uint16_t, IPFIX_PEN_REVERSE, 6)                                    \
	X(INITIAL_FLAGS, initial_flags, uint16_t, IPFIX_PEN_CERT, 14)                              \
	X(UNION_FLAGS, union_flags, uint16_t, IPFIX_PEN_CERT, 15)                                  \
	X(REV_INITIAL_FLAGS, rev_initial_flags, uint16_t, IPFIX_PEN_CERT, IPFIX_CERT_REVERSE + 14) \
	X(REV_UNION_FLAGS, rev_union_flags, uint16_t, IPFIX_PEN_CERT, IPFIX_CERT_REVERSE + 15)     \
	X(SENSOR, sensor, uint16_t, IPFIX_PEN_CERT, 31)                                            \
	X(APPLICATION, application, uint16_t, IPFIX_PEN_CERT, 33)                                  \
	X(ATTRIBUTES, attributes, uint16_t, IPFIX_PEN_CERT, 40)                                    \
	X(REV_ATTRIBUTES, rev_attributes, uint16_t, IPFIX_PEN_CERT, IPFIX_CERT_REVERSE + 40)       \
	X(ICMP4, icmp4, uint16_t, 0, 32) /* type and code in one */                                \
	X(ICMP6, icmp6, uint16_t, 0, 139)                                                          \
	X(EXTENDED_EVENT, extended_event, uint16_t, 0, 9997)                                       \
	X(PROTOCOL, protocol, uint8_t, 0, 4)                                                       \
	X(END_REASON, end_reason, uint8_t, 0, 136)                                                 \
	X(FLOWTYPE, flowtype, uint8_t, IPFIX_PEN_CERT, 30)                                         \
	X(STATE, state, uint8_t, IPFIX_PEN_CERT, 32)                                               \
	X(ICMP4_TYPE, icmp4_type, uint8_t, 0, 176)                                                 \
	X(ICMP4_CODE, icmp4_code, uint8_t, 0, 177)                                                 \
	X(ICMP6_TYPE, icmp6_type, uint8_t, 0, 178)                                                 \
	X(ICMP6_CODE, icmp6_code, uint8_t, 0, 179)                                                 \
	X(EVENT, event, uint8_t, 0, 233)                                                           \
	X(CISCO_EVENT, cisco_event, uint8_t, 0, 9998)

struct ipfix_fields {
#define X(upper, member, type, enterprise, number) type member;
	IPFIX_FIELDS(X)
#undef X
};

enum ipfix_field {
#define X(upper, member, type, enterprise, number) IPFIX_##upper,
	IPFIX_FIELDS(X)
#undef X
		IPFIX_FIELD_COUNT
};

/* TCP flags from an entry of a subTemplateMultiList. */
struct ipfix_list_flags {
	bool found;
	uint8_t initial_flags, union_flags;
	uint8_t rev_initial_flags, rev_union_flags;
};

enum ipfix_form { /* "template shapes" of the specification */
		  IPFIX_FORM_GENERIC,
		  IPFIX_FORM_YAF,
		  IPFIX_FORM_V9,
};

/* What a template has; made once per template. */
struct ipfix_shape {
	bool has[IPFIX_FIELD_COUNT];
	bool has_list;      /* subTemplateMultiList */
	bool has_nat_event; /* natEvent (RFC 8158); cleared where something is counted beside it */
	bool options;       /* not flows */
	uint8_t protocol;   /* what its elements imply, if none tells it; else 0 */
	enum ipfix_form form;
	unsigned times; /* which time elements; ipfixtime.c's own bits */
	/* Where start and end are told, but by uptime; NULL: nowhere. */
	const struct ipfix_time_source *start;
	const struct ipfix_time_source *end;
};

/* has and the flags below it are set: work out the rest. */
void ipfix_shape_finish(struct ipfix_shape *shape);

/* What the probe says about the mapping (sensor.conf). */
struct ipfix_mapping {
	bool vlan_interfaces; /* interface-values vlan */
	unsigned quirks;      /* enum probe_quirk of packer/probe.h */
	/* Exporters whose clock is off by more are not believed; 0: all are. */
	int64_t clock_limit_ns;
};

struct ipfix_input {
	const struct ipfix_fields *fields;
	const struct ipfix_shape *shape;
	const struct ipfix_list_flags *list; /* found false: none */
	const struct ipfix_mapping *mapping;
	int64_t export_ns;
};

struct ipfix_output {
	struct record records[2]; /* forward, reverse */
	unsigned count;           /* 0: ignored */
	bool turned;              /* the one record is of the reverse direction */
	bool end_first;           /* the flow ended before it began */
	const char *ignored;      /* why; NULL: not worth a word. Static or in text */
	char text[64];
};

/* Map one data record of a template that is not options. */
void ipfix_map(const struct ipfix_input *input, struct ipfix_output *out);

/* Start and duration (ipfixtime.c). */
void ipfix_time_prepare(struct ipfix_shape *shape);
/* Of a record of so many packets. True: what the record says ends before it begins. */
bool ipfix_time(const struct ipfix_input *input, uint64_t packets, int64_t *start_ns,
		uint64_t *duration_ns);
/* Into out, which is replaced: what they were made from, for log-flags record-timestamps. */
void ipfix_time_print(const struct ipfix_input *input, int64_t start_ns, uint64_t duration_ns,
		      GString *out);
/* Is the field (enum ipfix_field) one that the times are made from? */
bool ipfix_time_uses(const struct ipfix_shape *shape, int field);
/* RFC 7011 6.1.9 and 6.1.10, to nanoseconds since the epoch; 0 stays 0. */
int64_t ipfix_time_from_ntp(uint64_t ntp, bool micro);
/* Are these the time elements, and no others, of the YAF or NetFlow v9 form? */
bool ipfix_time_is_yaf(unsigned times);
bool ipfix_time_is_v9(unsigned times);

#endif
