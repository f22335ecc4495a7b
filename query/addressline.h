/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines of text that hold one plain address and nothing else, which nearly all lines of nearly all
 * lists of addresses are; the others are left to the parsers of common/.
 */
#ifndef TUSSAH_QUERY_ADDRESSLINE_H
#define TUSSAH_QUERY_ADDRESSLINE_H

#include <stddef.h>

#include "common/ip.h"

/*
 * The line at text, which ends in a newline: a dotted quad, or an IPv6 address in hexadecimal
 * groups. *out, and returns the length of the line with its newline; 0: something else, *out is
 * untouched. ADDRESSLINE_SPARE bytes behind the line are read, too, whatever is there.
 */
#define ADDRESSLINE_SPARE 4
size_t addressline_v4(const char *text, struct ip *out);
size_t addressline_v6(const char *text, struct ip *out);

#endif
