/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which keys and counters of a bag matter: limits of both, and a set of keys.
 *
 *	OPT_GROUP(struct bagcat_opts, limits, baglimits_key_opt_table),
 *	...
 *	baglimits_check(&opts->limits);
 *	if (baglimits_hold(&limits, cursor.key, cursor.counter)) ...
 */
#ifndef TUSSAH_QUERY_BAGLIMITS_H
#define TUSSAH_QUERY_BAGLIMITS_H

#include "common/opt.h"
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
extern const struct opt baglimits_key_opt_table[]; /* --minkey --maxkey */

/* Ends the program when no key or no counter can be within the limits. */
void baglimits_check(const struct baglimits *limits);

/* Is a key with this counter within the limits? */
bool baglimits_hold(const struct baglimits *limits, struct ip key, uint64_t counter);

#endif
