/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Values of an expression, as ranges of numbers that ascend like the values of the field: times
 * with the highest bit inverted, names by their ids, everything else as struct value has it.
 *
 *	GArray *ranges = wherevalue_ranges_new();
 *	wherevalue_parse(ranges, field, site, "1024-65535", err);
 *	wherevalue_join(ranges);
 */
#ifndef TUSSAH_QUERY_WHEREVALUE_H
#define TUSSAH_QUERY_WHEREVALUE_H

#include <glib.h>

#include "common/field.h"
#include "common/numlist.h"

/* An array of struct number_range. */
GArray *wherevalue_ranges_new(void);

/* The greatest number a value of the field can be. */
uint64_t wherevalue_max(const struct field *field);

/* The number of a loaded value. */
uint64_t wherevalue_number(const struct field *field, const struct value *value);

/*
 * Append the ranges that one word stands for; a range of values is one word, "80-90". ST_OK, or
 * ST_EINVAL with the reason. Fields of addresses and of extension columns have others.
 */
int wherevalue_parse(GArray *ranges, const struct field *field, const struct site *site,
		     const char *word, struct err *err);

/* Put in order and join those that meet. */
void wherevalue_join(GArray *ranges);
/* All numbers up to max that are in none; joined before. */
GArray *wherevalue_complement(const GArray *ranges, uint64_t max);
bool wherevalue_has(const GArray *ranges, uint64_t number); /* joined before */

#endif
