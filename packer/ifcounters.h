/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counters of an interface as its router told them (if_counters of sFlow, from RFC 2233). */
#ifndef TUSSAH_PACKER_IFCOUNTERS_H
#define TUSSAH_PACKER_IFCOUNTERS_H

#include <stdint.h>

#include "common/ip.h"

struct ifcounters {
	int64_t time_ns; /* of arrival */
	struct ip agent;
	uint32_t sub_agent;
	uint32_t interface; /* ifIndex */
	uint32_t type;      /* ifType */
	uint64_t speed;     /* bits per second */
	uint32_t direction; /* 0 unknown, 1 full duplex, 2 half duplex, 3 in, 4 out */
	uint32_t status;    /* bit 0: administratively up, bit 1: operating */
	uint64_t in_bytes, out_bytes;
	uint32_t in_unicast, in_multicast, in_broadcast, in_discards, in_errors, in_unknown;
	uint32_t out_unicast, out_multicast, out_broadcast, out_discards, out_errors;
};

#endif
