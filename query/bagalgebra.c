/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/bagalgebra.h"

#include <glib.h>

/* --- two bags --- */

static int add(struct bag **left, struct bag *right, struct err *err)
{
	struct bag_cursor cursor;

	bag_first(right, &cursor);
	while (bag_next(&cursor)) {
		if (!bag_add(*left, cursor.key, cursor.counter)) {
			bag_cursor_release(&cursor);
			return err_set(err, ST_ERANGE,
				       "Error when adding bags: Overflow/Underflow in counter");
		}
	}
	return ST_OK;
}

static int subtract(struct bag **left, struct bag *right, struct err *err)
{
	struct bag_cursor cursor;

	bag_first(right, &cursor);
	while (bag_next(&cursor)) {
		uint64_t counter = bag_get(*left, cursor.key);

		if (counter) {
			bag_set(*left, cursor.key,
				counter > cursor.counter ? counter - cursor.counter : 0);
		}
	}
	return ST_OK;
}

static int maximize(struct bag **left, struct bag *right, struct err *err)
{
	struct bag_cursor cursor;

	bag_first(right, &cursor);
	while (bag_next(&cursor)) {
		if (cursor.counter > bag_get(*left, cursor.key)) {
			bag_set(*left, cursor.key, cursor.counter);
		}
	}
	return ST_OK;
}

/* What two counters of one key make; 0: nothing. */
typedef uint64_t (*both_fn)(uint64_t left, uint64_t right);

static void replace(struct bag **bag, struct bag *by)
{
	bag_free(*bag);
	*bag = by;
}

/* Put together the keys that are in both. */
static void join(struct bag **left, const struct bag *right, both_fn both)
{
	struct bag *result = bag_new_like(*left);
	struct bag_cursor cursor;

	bag_first(*left, &cursor);
	while (bag_next(&cursor)) {
		uint64_t other = bag_get(right, cursor.key);

		if (other) {
			bag_add(result, cursor.key, both(cursor.counter, other));
		}
	}
	replace(left, result);
}

static uint64_t smaller(uint64_t left, uint64_t right)
{
	return MIN(left, right);
}

static uint64_t quotient(uint64_t left, uint64_t right)
{
	uint64_t rest = left % right;

	return left / right + (rest >= right - rest);
}

static uint64_t is_less(uint64_t left, uint64_t right)
{
	return left < right;
}

static uint64_t is_at_most(uint64_t left, uint64_t right)
{
	return left <= right;
}

static uint64_t is_equal(uint64_t left, uint64_t right)
{
	return left == right;
}

static uint64_t is_at_least(uint64_t left, uint64_t right)
{
	return left >= right;
}

static uint64_t is_more(uint64_t left, uint64_t right)
{
	return left > right;
}

static int check_divisors(struct bag *left, const struct bag *right, struct err *err)
{
	struct bag_cursor cursor;

	bag_first(left, &cursor);
	while (bag_next(&cursor)) {
		if (!bag_get(right, cursor.key)) {
			char key[IP_TEXT_MAX];

			ip_print(key, cursor.key, bag_is_wide(left), IP_CANONICAL);
			bag_cursor_release(&cursor);
			return err_set(err, ST_ERANGE,
				       "Error dividing bags; key %s not in divisor bag", key);
		}
	}
	return ST_OK;
}

static const struct operation {
	int (*apply)(struct bag **left, struct bag *right, struct err *err); /* or */
	both_fn both;
	bool merge_types;
} operations[] = {
	[BAGALGEBRA_ADD] = { .apply = add, .merge_types = true },
	[BAGALGEBRA_SUBTRACT] = { .apply = subtract, .merge_types = true },
	[BAGALGEBRA_MINIMIZE] = { .both = smaller },
	[BAGALGEBRA_MAXIMIZE] = { .apply = maximize },
	[BAGALGEBRA_DIVIDE] = { .both = quotient, .merge_types = true },
	[BAGALGEBRA_COMPARE_LT] = { .both = is_less },
	[BAGALGEBRA_COMPARE_LE] = { .both = is_at_most },
	[BAGALGEBRA_COMPARE_EQ] = { .both = is_equal },
	[BAGALGEBRA_COMPARE_GE] = { .both = is_at_least },
	[BAGALGEBRA_COMPARE_GT] = { .both = is_more },
};

int bagalgebra_apply(enum bagalgebra_op op, struct bag **left, struct bag *right, struct err *err)
{
	const struct operation *operation = &operations[op];
	uint16_t key_type = bagtype_merge(bag_key_type(*left), bag_key_type(right));
	uint16_t counter_type = bagtype_merge(bag_counter_type(*left), bag_counter_type(right));
	int status = op == BAGALGEBRA_DIVIDE ? check_divisors(*left, right, err) : ST_OK;

	if (status == ST_OK && operation->apply) {
		status = operation->apply(left, right, err);
	} else if (status == ST_OK) {
		join(left, right, operation->both);
	}
	if (status == ST_OK && operation->merge_types) {
		bag_set_types(*left, key_type, counter_type);
	}
	return status;
}

/* --- one bag --- */

bool bagalgebra_multiply(struct bag **bag, uint64_t factor)
{
	struct bag *result = bag_new_like(*bag);
	struct bag_cursor cursor;
	bool fits = true;

	bag_first(*bag, &cursor);
	while (bag_next(&cursor)) {
		uint64_t product = cursor.counter * factor;

		fits = fits && cursor.counter <= BAG_COUNTER_MAX / factor;
		bag_add(result, cursor.key, product);
	}
	replace(bag, result);
	return fits;
}

void bagalgebra_filter(struct bag **bag, const struct baglimits *limits)
{
	struct bag *result = bag_new_like(*bag);
	struct bag_cursor cursor;

	bag_first(*bag, &cursor);
	while (bag_next(&cursor)) {
		if (baglimits_hold(limits, cursor.key, cursor.counter)) {
			bag_add(result, cursor.key, cursor.counter);
		}
	}
	replace(bag, result);
}

void bagalgebra_invert(struct bag **bag)
{
	struct bag *result = bag_new(BAGTYPE_CUSTOM, BAGTYPE_CUSTOM);
	struct bag_cursor cursor;

	bag_first(*bag, &cursor);
	while (bag_next(&cursor)) {
		bag_add(result, ip_from_v4((uint32_t)MIN(cursor.counter, UINT32_MAX)), 1);
	}
	bag_set_types(result, bag_counter_type(*bag), BAGTYPE_CUSTOM);
	replace(bag, result);
}

struct ipset *bagalgebra_cover(struct bag *bag)
{
	struct ipset *set = ipset_new();
	struct bag_cursor cursor;

	bag_first(bag, &cursor);
	while (bag_next(&cursor)) {
		ipset_add(set, cursor.key);
	}
	ipset_finish(set);
	return set;
}
