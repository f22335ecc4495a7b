/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the keys and counters of a bag stand for (silk-set-bag-pmap-files.md 2.2). A type tells how
 * a key is shown and read; it does not limit what a bag holds.
 *
 *	if (bagtype_find("sipv4", &id, err) == ST_OK && bagtype_kind(id) == BAGKIND_IP) ...
 */
#ifndef TUSSAH_STORAGE_BAGTYPE_H
#define TUSSAH_STORAGE_BAGTYPE_H

#include <stdint.h>

#include "common/err.h"

/* Types that code names; the others are known by number. */
enum bagtype_id {
	BAGTYPE_SIPV4 = 0,
	BAGTYPE_DIPV4 = 1,
	BAGTYPE_SPORT = 2,
	BAGTYPE_DPORT = 3,
	BAGTYPE_PROTOCOL = 4,
	BAGTYPE_PACKETS = 5,
	BAGTYPE_BYTES = 6,
	BAGTYPE_FLAGS = 7,
	BAGTYPE_STIME = 8,
	BAGTYPE_DURATION = 9,
	BAGTYPE_ETIME = 10,
	BAGTYPE_SENSOR = 11,
	BAGTYPE_INPUT = 12,
	BAGTYPE_OUTPUT = 13,
	BAGTYPE_NHIPV4 = 14,
	BAGTYPE_INITIAL_FLAGS = 15,
	BAGTYPE_SESSION_FLAGS = 16,
	BAGTYPE_ATTRIBUTES = 17,
	BAGTYPE_APPLICATION = 18,
	BAGTYPE_CLASS = 19,
	BAGTYPE_TYPE = 20,
	BAGTYPE_SIPV6 = 25,
	BAGTYPE_DIPV6 = 26,
	BAGTYPE_NHIPV6 = 27,
	BAGTYPE_RECORDS = 28,
	BAGTYPE_SUM_PACKETS = 29,
	BAGTYPE_SUM_BYTES = 30,
	BAGTYPE_SUM_DURATION = 31,
	BAGTYPE_ANY_IPV4 = 32,
	BAGTYPE_ANY_IPV6 = 33,
	BAGTYPE_ANY_PORT = 34,
	BAGTYPE_ANY_SNMP = 35,
	BAGTYPE_ANY_TIME = 36,
	BAGTYPE_SIP_COUNTRY = 37,
	BAGTYPE_DIP_COUNTRY = 38,
	BAGTYPE_ANY_COUNTRY = 39,
	BAGTYPE_SIP_PMAP = 40,
	BAGTYPE_DIP_PMAP = 41,
	BAGTYPE_ANY_IP_PMAP = 42,
	BAGTYPE_SPORT_PMAP = 43,
	BAGTYPE_DPORT_PMAP = 44,
	BAGTYPE_ANY_PORT_PMAP = 45,
	BAGTYPE_CUSTOM = 255,
};

/* How a value of the type is shown. */
enum bagtype_kind {
	BAGKIND_CUSTOM, /* nobody knows */
	BAGKIND_NUMBER,
	BAGKIND_IP,
	BAGKIND_TIME, /* seconds since the epoch */
	BAGKIND_FLAGS,
	BAGKIND_ATTRIBUTES,
	BAGKIND_SENSOR,
	BAGKIND_COUNTRY,
	BAGKIND_IP_PMAP,   /* value of a prefix map of addresses */
	BAGKIND_PORT_PMAP, /* value of a prefix map of protocols and ports */
};

/* Numbers without a type are as good as custom. */
uint16_t bagtype_known(uint16_t id);
enum bagtype_kind bagtype_kind(uint16_t id);
/* Bytes of a value; 16: addresses of IPv6. */
unsigned bagtype_octets(uint16_t id);
/* "sIPv4"; never NULL. */
const char *bagtype_name(uint16_t id);

/* By name or unique prefix, any case. ST_OK or ST_EINVAL. */
int bagtype_find(const char *name, uint16_t *out, struct err *err);

/* The type of what two bags of these types make together. */
uint16_t bagtype_merge(uint16_t a, uint16_t b);

/* The type of a bag of IPv4 addresses once it holds IPv6 ones; other types stay. */
uint16_t bagtype_widened(uint16_t id);

#endif
