/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Address blocks and ranges: "10.1.2.0/24", "2001:db8::/32", "10.0.0.1-10.0.0.9", one address. */
#ifndef TUSSAH_COMMON_CIDR_H
#define TUSSAH_COMMON_CIDR_H

#include "common/ip.h"

struct cidr {
	struct ip first; /* inclusive */
	struct ip last;  /* inclusive */
	bool is_v6;
};

/*
 * ADDRESS or ADDRESS/PREFIX; bits behind the prefix are cleared. Blanks around are allowed. All
 * parsers return ST_OK, or ST_EINVAL with SiLK's words; *out is then untouched.
 */
int cidr_parse(const char *text, struct cidr *out, struct err *err);

/* The same with a smallest PREFIX: SiLK refuses /0 in places. */
int cidr_parse_min(const char *text, unsigned min_prefix, struct cidr *out, struct err *err);

/* As cidr_parse, and also ADDRESS-ADDRESS, not descending. IPv4 counts as mapped IPv6 if only one
 * of the two is IPv4. */
int cidr_parse_range(const char *text, struct cidr *out, struct err *err);

static inline bool cidr_contains(const struct cidr *cidr, struct ip ip)
{
	return ip_compare(cidr->first, ip) <= 0 && ip_compare(ip, cidr->last) <= 0;
}

#endif
