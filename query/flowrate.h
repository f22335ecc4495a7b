/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is worked out of a record: its payload, rates, and YAF's flow key hash.
 *
 *	payload = flow_payload(batch, row);
 *	thousandths = flow_rate(batch->packets[row], batch->duration_ns[row], zero_ns);
 */
#ifndef TUSSAH_QUERY_FLOWRATE_H
#define TUSSAH_QUERY_FLOWRATE_H

#include "common/batch.h"

/* What a rate is divided by when the flow took no time (as SiLK's flowrate plug-in has it). */
#define FLOWRATE_ZERO_NS 400000

/* COLUMN_BITs that are read. */
#define FLOW_PAYLOAD_COLUMNS                                                                       \
	(COLUMN_BIT(COLUMN_BYTES) | COLUMN_BIT(COLUMN_PACKETS) | COLUMN_BIT(COLUMN_PROTOCOL) |     \
	 COLUMN_BIT(COLUMN_STATE))
#define FLOW_KEY_COLUMNS                                                                           \
	(COLUMN_BIT(COLUMN_SIP) | COLUMN_BIT(COLUMN_DIP) | COLUMN_BIT(COLUMN_SPORT) |              \
	 COLUMN_BIT(COLUMN_DPORT) | COLUMN_BIT(COLUMN_PROTOCOL) | COLUMN_BIT(COLUMN_INPUT) |       \
	 COLUMN_BIT(COLUMN_STATE))

/* Bytes without headers, if every packet has them as short as they can be; not below 0. */
uint64_t flow_payload(const struct batch *batch, uint32_t row);

/* Volume a second. zero_ns stands for a duration of 0. */
static inline double flow_rate(uint64_t volume, uint64_t duration_ns, uint64_t zero_ns)
{
	return (double)volume * 1e9 / (double)(duration_ns ? duration_ns : zero_ns);
}

/* YAF's hash of protocol, addresses, ports and VLAN, which is where the input interface is. */
uint32_t flow_key_hash(const struct batch *batch, uint32_t row);

#endif
