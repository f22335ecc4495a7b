/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many hosts and smaller blocks the blocks of some sizes hold: --network-structure.
 *
 *	struct netstructure net;
 *	if (netstructure_parse("TC/8,16", &net, err) != ST_OK) ...
 *	table = netstructure_start(&net, text, &style, ip_format, false);
 */
#ifndef TUSSAH_QUERY_NETSTRUCTURE_H
#define TUSSAH_QUERY_NETSTRUCTURE_H

#include "common/ip.h"
#include "common/text.h"

/* Plain data. Sizes are prefixes 0..bits; 0 is the whole network, bits a host. */
struct netstructure {
	bool is_v6;
	uint8_t bits;        /* 32 or 128 */
	bool with_summary;   /* print how many smaller blocks there are */
	bool print[129];     /* rows of these sizes */
	bool summarise[129]; /* only counted in the rows of larger blocks */
	const char *file;    /* in CSV and JSON the first cell of each row; NULL: no such column */
};

/*
 * "[v4:|v6:]" NETBLOCKS ["S" | "/" SUMMARIES]: numbers and the letters T H, and A B C X for IPv4.
 * NULL: the whole IPv4 network with the default summaries. ST_OK or ST_EINVAL.
 */
int netstructure_parse(const char *text, struct netstructure *out, struct err *err);

/*
 * A table that is filled range by range. In CSV and JSON it has columns of its own: the block, the
 * sum, the hosts, and each size that is counted. Sums: each range has a counter, rows have a column
 * for their sum, and blocks of host size show it alone.
 *
 *	table = netstructure_start(&net, text, &style, ip_format, true);
 *	netstructure_add(table, first, last, counter);	// ascending; beyond the network: no matter
 *	netstructure_finish(table);
 */
struct netstructure_table;
struct netstructure_table *netstructure_start(const struct netstructure *net, struct text *text,
					      const struct text_style *style, unsigned ip_format,
					      bool sums);
void netstructure_add(struct netstructure_table *table, struct ip first, struct ip last,
		      uint64_t counter);
/* Print the last rows and free. */
void netstructure_finish(struct netstructure_table *table);

#endif
