/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SiLK IP wildcard: every octet (IPv4) or 16-bit group (IPv6) is a number, a range, a list of
 * those, or x: "10.x.1-4,9.0", "2001:db8:x::x"; a CIDR block and a plain address are wildcards too.
 *
 *	struct wildcard w;
 *	if (wildcard_parse("10.x.1-4,9.x", &w, err) == ST_OK) {
 *		found = wildcard_contains(&w, ip, false);
 *	}
 */
#ifndef TUSSAH_COMMON_WILDCARD_H
#define TUSSAH_COMMON_WILDCARD_H

#include "common/cidr.h"

/* Embeddable; plain data without pointers. */
struct wildcard {
	bool is_v6;
	uint8_t v4[4][32];   /* bitmap of 256 values per octet (IPv4) */
	uint8_t v6[8][8192]; /* bitmap of 65536 values per group (IPv6) */
};

/* ST_OK, or ST_EINVAL with SiLK's words; *out is then of no use. A prefix of 0 is refused, as SiLK
 * does: write x.x.x.x. */
int wildcard_parse(const char *text, struct wildcard *out, struct err *err);

/*
 * is_v6 is the family of ip. An IPv4 wildcard matches IPv4 and mapped addresses; an IPv6 wildcard
 * matches an IPv4 address in its mapped form.
 */
bool wildcard_contains(const struct wildcard *wildcard, struct ip ip, bool is_v6);

/*
 * Walk the contiguous ranges of the wildcard in ascending order; stops when fn returns non-zero
 * and returns that.
 */
typedef int (*wildcard_range_fn)(void *arg, const struct cidr *range);
int wildcard_each_range(const struct wildcard *wildcard, wildcard_range_fn fn, void *arg);

/* Is the wildcard one contiguous range, such as a block or an address? *out is set if so. */
bool wildcard_as_range(const struct wildcard *wildcard, struct cidr *out);

#endif
