/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sets as text: addresses or blocks one a line, ranges as a table, statistics. Each needs a text of
 * its own. In CSV and JSON each is a table; where several are to make one, all are measured.
 *
 *	struct setprint print = { .text = text, .style = &style, .ip_format = format, .wide = wide };
 *	struct setprint_list *list = setprint_start(&print, SETPRINT_BLOCKS);
 *
 *	while (ipset_cursor_next(&cursor, &range)) {
 *		setprint_add(list, &range);
 *	}
 *	setprint_finish(list);
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
	/* of CSV and JSON: */
	const char *file; /* the first cell of each row, borrowed; NULL: no such column */
	bool measured;    /* columns are what is printed and its value, for statistics needed */
};

enum setprint_kind {
	SETPRINT_ADDRESSES,
	SETPRINT_BLOCKS,
	SETPRINT_RANGES, /* count, first and last address */
	SETPRINT_COUNT,  /* number of addresses and a newline */
};

/* print is borrowed until the end. */
struct setprint_list;
struct setprint_list *setprint_start(const struct setprint *print, enum setprint_kind kind);
/* The next range, ascending; it does not touch the one before. */
void setprint_add(struct setprint_list *list, const struct cidr *range);
/* Of SETPRINT_COUNT: so many addresses, at least one. */
void setprint_add_count(struct setprint_list *list, uint64_t count);
/* Print the rest and free. */
void setprint_finish(struct setprint_list *list);
/* Free, when there is to be no more, not even the number of addresses. */
void setprint_drop(struct setprint_list *list);

void setprint_statistics(const struct setprint *print, const struct ipset *set);

#endif
