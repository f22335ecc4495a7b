/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sets as text: addresses or blocks one a line, ranges as a table, statistics. In CSV and JSON each
 * is a table, so that each needs a text of its own.
 *
 *	struct setprint print = { .text = text, .style = &style, .ip_format = format, .wide = wide
 *}; setprint_blocks(&print, set);
 */
#ifndef TUSSAH_QUERY_SETPRINT_H
#define TUSSAH_QUERY_SETPRINT_H

#include "common/text.h"
#include "storage/ipset.h"

struct setprint {
	struct text *text;
	const struct text_style *style;
	unsigned ip_format;
	bool wide;      /* the set is held as 128-bit addresses: print it as an IPv6 set */
	bool halve_all; /* the block of all IPv4 addresses is shown as two */
};

void setprint_addresses(const struct setprint *print, const struct ipset *set);
void setprint_blocks(const struct setprint *print, const struct ipset *set);
/* Count, first and last address. The columns are added to print->text on the first call. */
void setprint_range_columns(const struct setprint *print);
void setprint_ranges(const struct setprint *print, const struct ipset *set);
/* Number of addresses and a newline. */
void setprint_count(const struct setprint *print, const struct ipset *set);
void setprint_statistics(const struct setprint *print, const struct ipset *set);

#endif
