/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What of a bag is shown, and how: keys and counters within limits, in order of keys or counters;
 * keys by counter; statistics; rows of networks.
 *
 *	struct bagprint print = { .limits = &limits, .key = &key, .text = text, .style = &style };
 *	bagprint_list(&print, bag, BAGPRINT_BY_KEY);
 */
#ifndef TUSSAH_QUERY_BAGPRINT_H
#define TUSSAH_QUERY_BAGPRINT_H

#include "common/text.h"
#include "query/bagkey.h"
#include "query/baglimits.h"
#include "query/netstructure.h"

struct bagprint {
	const struct baglimits *limits;
	const struct bagkey *key;
	struct text *text;
	const struct text_style *style;
};

enum bagprint_order { BAGPRINT_BY_KEY, BAGPRINT_DECREASING, BAGPRINT_INCREASING };
/* How counters are put into bins. */
enum bagprint_bins { BAGPRINT_LINEAR, BAGPRINT_BINARY, BAGPRINT_DECIMAL };

void bagprint_list(const struct bagprint *print, struct bag *bag, enum bagprint_order order);
/* How many keys have counters in a bin. */
void bagprint_bins(const struct bagprint *print, struct bag *bag, enum bagprint_bins scale);
void bagprint_networks(const struct bagprint *print, struct bag *bag,
		       const struct netstructure *net);
void bagprint_statistics(const struct bagprint *print, struct bag *bag);

#endif
