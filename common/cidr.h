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

/* ADDRESS or ADDRESS/PREFIX; bits below the prefix must not matter and are cleared. */
int cidr_parse(const char *text, struct cidr *out, struct err *err);

/* As cidr_parse, and also ADDRESS-ADDRESS (same family, not descending). */
int cidr_parse_range(const char *text, struct cidr *out, struct err *err);

static inline bool cidr_contains(const struct cidr *cidr, struct ip ip)
{
	return ip_compare(cidr->first, ip) <= 0 && ip_compare(ip, cidr->last) <= 0;
}

#endif
