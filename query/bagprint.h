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
#include "query/netstructure.h"
#include "storage/ipset.h"

struct baglimits {
	bool min_key_given;
	bool max_key_given;
	struct ip min_key;
	struct ip max_key;
	uint64_t min_counter;     /* at least 1 */
	uint64_t max_counter;     /* BAG_COUNTER_MAX and more: none */
	const struct ipset *mask; /* NULL: none */
	bool complement;          /* keys outside the mask instead */
	bool zero_counts;         /* show keys within the limits that have no counter, too */
};

/* Is a key with this counter within the limits? */
bool baglimits_hold(const struct baglimits *limits, struct ip key, uint64_t counter);

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
