/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/aggalgebra.h"

#include <glib.h>
#include <string.h>

/* --- fields --- */

/* Where a field of the result comes from. */
struct origin {
	int at;                         /* place in the layout of the input, or -1: */
	const struct agginsert *insert; /* it is this */
};

struct reshaping {
	const struct agglayout *from;
	struct agglayout to;
	const struct agginsert *inserts[AGGLAYOUT_MAX]; /* those that count */
	size_t insert_count;
	struct origin origins[AGGLAYOUT_MAX]; /* by place in to */
};

static bool is_kept(const struct aggshape *shape, uint16_t id)
{
	return shape->keep_all || (agglayout_find(&shape->keep, id) >= 0) != shape->drop;
}

/* A key is replaced by the inserted value; a counter that the input has stays, as in SiLK. */
static void plan_insert(struct reshaping *reshaping, const struct agginsert *insert)
{
	bool is_new = agglayout_add(&reshaping->to, insert->id);

	if (is_new || !aggfield_is_counter(insert->id)) {
		reshaping->inserts[reshaping->insert_count++] = insert;
	}
}

static void plan(struct reshaping *reshaping, const struct aggshape *shape)
{
	for (size_t i = 0; i < reshaping->from->count; i++) {
		if (is_kept(shape, reshaping->from->ids[i])) {
			agglayout_add(&reshaping->to, reshaping->from->ids[i]);
		}
	}
	for (size_t i = 0; i < shape->insert_count; i++) {
		plan_insert(reshaping, &shape->inserts[i]);
	}
	for (size_t i = 0; i < reshaping->to.count; i++) {
		struct origin *origin = &reshaping->origins[i];

		origin->at = agglayout_find(reshaping->from, reshaping->to.ids[i]);
		for (size_t j = 0; j < reshaping->insert_count; j++) {
			if (reshaping->inserts[j]->id == reshaping->to.ids[i]) {
				*origin = (struct origin){ -1, reshaping->inserts[j] };
			}
		}
	}
}

static void add_reshaped(struct aggbag *result, const struct reshaping *reshaping,
			 const struct aggbag_cursor *row)
{
	const struct agglayout *to = &reshaping->to;
	const struct agglayout *from = reshaping->from;
	uint8_t key[AGGBAG_KEY_MAX];
	uint64_t counters[AGGLAYOUT_MAX];

	for (size_t i = 0; i < to->count; i++) {
		const struct origin *origin = &reshaping->origins[i];
		unsigned octets = aggfield_of(to->ids[i])->octets;

		if (i < to->key_count) {
			memcpy(key + to->at[i],
			       origin->insert ? origin->insert->value
					      : row->key + from->at[origin->at],
			       octets);
		} else {
			counters[i - to->key_count] =
				origin->insert
					? agglayout_load(origin->insert->value, octets)
					: row->counters[(size_t)origin->at - from->key_count];
		}
	}
	aggbag_add(result, key, counters);
}

int aggalgebra_reshape(struct aggbag **bag, const struct aggshape *shape, struct err *err)
{
	struct reshaping reshaping = { .from = aggbag_layout(*bag) };
	struct aggbag_cursor cursor;
	struct aggbag *result;

	if (shape->keep_all && !shape->insert_count) {
		return ST_OK;
	}
	plan(&reshaping, shape);
	if (!reshaping.to.key_count) {
		return err_set(err, ST_EINVAL,
			       "Do not have any key fields; at least one key field is required");
	}
	if (reshaping.to.key_count == reshaping.to.count) {
		return err_set(
			err, ST_EINVAL,
			"Do not have any counter fields; at least one counter field is required");
	}
	result = aggbag_new(&reshaping.to);
	aggbag_first(*bag, &cursor);
	while (aggbag_next(&cursor)) {
		add_reshaped(result, &reshaping, &cursor);
	}
	aggbag_free(*bag);
	*bag = result;
	return ST_OK;
}

/* --- two bags --- */

static size_t counter_count(const struct aggbag *bag)
{
	const struct agglayout *layout = aggbag_layout(bag);

	return layout->count - layout->key_count;
}

static void add(struct aggbag *left, const struct aggbag *right)
{
	struct aggbag_cursor cursor;

	aggbag_first(right, &cursor);
	while (aggbag_next(&cursor)) {
		aggbag_add(left, cursor.key, cursor.counters);
	}
}

static void subtract(struct aggbag *left, const struct aggbag *right)
{
	struct aggbag_cursor cursor;

	aggbag_first(right, &cursor);
	while (aggbag_next(&cursor)) {
		uint64_t *counters = aggbag_find(left, cursor.key);

		for (size_t i = 0; counters && i < counter_count(left); i++) {
			counters[i] -= MIN(counters[i], cursor.counters[i]);
		}
	}
}

/* The counters of one key; false: a division by 0 that is an error. */
static bool divide_row(const struct aggalgebra_divisor *divisor, uint64_t *left,
		       const uint64_t *right, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t by = right ? right[i] : 0;

		if (by) {
			uint64_t rest = left[i] % by;

			left[i] = left[i] / by + (rest >= by - rest);
		} else if (divisor->zero == AGGZERO_ERROR) {
			return false;
		} else if (divisor->zero == AGGZERO_REMOVE) {
			memset(left, 0, count * sizeof(*left));
			return true;
		} else if (divisor->zero == AGGZERO_VALUE) {
			left[i] = divisor->value;
		}
	}
	return true;
}

static int divide(const struct aggalgebra_divisor *divisor, struct aggbag *left,
		  const struct aggbag *right, struct err *err)
{
	struct aggbag_cursor cursor;

	aggbag_first(left, &cursor);
	while (aggbag_next(&cursor)) {
		if (!divide_row(divisor, cursor.counters, aggbag_find(right, cursor.key),
				counter_count(left))) {
			aggbag_cursor_release(&cursor);
			return err_set(err, ST_ERANGE,
				       "Error when dividing aggbags: Division by zero; see "
				       "--zero-divisor-result");
		}
	}
	return ST_OK;
}

int aggalgebra_apply(enum aggalgebra_op op, const struct aggalgebra_divisor *divisor,
		     struct aggbag *left, const struct aggbag *right, struct err *err)
{
	if (!agglayout_equal(aggbag_layout(left), aggbag_layout(right))) {
		return err_set(err, ST_ERANGE,
			       "the inputs do not have the same key and counter fields");
	}
	switch (op) {
	case AGGALGEBRA_ADD:
		add(left, right);
		return ST_OK;
	case AGGALGEBRA_SUBTRACT:
		subtract(left, right);
		return ST_OK;
	case AGGALGEBRA_DIVIDE:
		break;
	}
	return divide(divisor, left, right, err);
}

/* --- one bag --- */

void aggalgebra_multiply(struct aggbag *bag, const uint64_t *factors)
{
	struct aggbag_cursor cursor;

	aggbag_first(bag, &cursor);
	while (aggbag_next(&cursor)) {
		for (size_t i = 0; i < counter_count(bag); i++) {
			if (__builtin_mul_overflow(cursor.counters[i], factors[i],
						   &cursor.counters[i])) {
				cursor.counters[i] = UINT64_MAX;
			}
		}
	}
}

/* The address that a key value stands for; numbers are IPv4 addresses. */
static struct ip address_of(const struct aggfield *field, const uint8_t *value)
{
	uint64_t number;

	if (field->octets == 16) {
		return ip_from_bytes(value);
	}
	number = agglayout_load(value, field->octets);
	return ip_from_v4((uint32_t)MIN(number, UINT32_MAX));
}

static bool passes(const struct agglimit *limit, const struct agglayout *layout,
		   const struct aggbag_cursor *row)
{
	const struct aggfield *field = aggfield_of(limit->id);
	int at = agglayout_find(layout, limit->id);
	uint8_t counter[AGGVALUE_BYTES_MAX];
	const uint8_t *value;
	int order;

	if (at < 0) {
		return true;
	}
	value = row->key + layout->at[at];
	if (aggfield_is_counter(limit->id)) {
		agglayout_store(counter, row->counters[(size_t)at - layout->key_count], 8);
		value = counter;
	}
	if (limit->set) {
		return ipset_contains(limit->set, address_of(field, value)) ==
		       (limit->kind == AGGLIMIT_IN);
	}
	order = memcmp(value, limit->value, field->octets);
	return limit->kind == AGGLIMIT_MIN ? order >= 0 : order <= 0;
}

void aggalgebra_filter(struct aggbag *bag, const struct agglimit *limits, size_t count)
{
	const struct agglayout *layout = aggbag_layout(bag);
	struct aggbag_cursor cursor;

	aggbag_first(bag, &cursor);
	while (aggbag_next(&cursor)) {
		bool kept = true;

		for (size_t i = 0; i < count && kept; i++) {
			kept = passes(&limits[i], layout, &cursor);
		}
		if (!kept) {
			memset(cursor.counters, 0, counter_count(bag) * sizeof(uint64_t));
		}
	}
}

/* A bag's counters are smaller by one; what is larger has no place in it, as in SiLK. */
struct bag *aggalgebra_to_bag(const struct aggbag *bag)
{
	const struct agglayout *layout = aggbag_layout(bag);
	const struct aggfield *key = aggfield_of(layout->ids[0]);
	const struct aggfield *counter = aggfield_of(layout->ids[layout->key_count]);
	struct bag *result = bag_new(key->bagtype, counter->bagtype);
	struct aggbag_cursor cursor;

	aggbag_first(bag, &cursor);
	while (aggbag_next(&cursor)) {
		if (cursor.counters[0] <= BAG_COUNTER_MAX) {
			bag_add(result, address_of(key, cursor.key), cursor.counters[0]);
		}
	}
	return result;
}

struct ipset *aggalgebra_to_set(const struct aggbag *bag)
{
	const struct aggfield *key = aggfield_of(aggbag_layout(bag)->ids[0]);
	struct ipset *set = ipset_new();
	struct aggbag_cursor cursor;

	aggbag_first(bag, &cursor);
	while (aggbag_next(&cursor)) {
		ipset_add(set, address_of(key, cursor.key));
	}
	ipset_finish(set);
	return set;
}
