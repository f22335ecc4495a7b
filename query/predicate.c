/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tests of one command line: added, checked, ordered, run. */
#include "query/predicaterow.h"

#include "query/flowrate.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

struct predicates {
	GPtrArray *tests;   /* struct predicate *, owned */
	GArray *extensions; /* struct ie_key */
};

/* The selection switches when they act on records; not in the table, others parse them. */
static const struct predicate_row flowtype_row = {
	.name = "flowtypes",
	.column = COLUMN_FLOWTYPE,
	.other = COLUMN_FLOWTYPE,
};
static const struct predicate_row sensor_row = {
	.name = "sensors",
	.column = COLUMN_SENSOR,
	.other = COLUMN_SENSOR,
};

static const struct predicate_row tuple_row = { .name = "tuple-file" };

static void free_test(void *test)
{
	predicate_release(test);
	g_free(test);
}

static struct predicates *predicates_new(void)
{
	struct predicates *tests = g_new0(struct predicates, 1);

	tests->tests = g_ptr_array_new_with_free_func(free_test);
	tests->extensions = g_array_new(FALSE, FALSE, sizeof(struct ie_key));
	return tests;
}

void predicates_take(struct predicates **tests, struct predicate *test)
{
	if (!*tests) {
		*tests = predicates_new();
	}
	g_ptr_array_add((*tests)->tests, test);
}

struct predicate *predicates_append(struct predicates **tests, const struct predicate_row *row)
{
	struct predicate *test = g_new0(struct predicate, 1);

	test->row = row;
	test->zero_ns = FLOWRATE_ZERO_NS;
	predicates_take(tests, test);
	return test;
}

void predicates_want_extension(struct predicates *tests, struct ie_key key)
{
	for (guint i = 0; i < tests->extensions->len; i++) {
		const struct ie_key *at = &g_array_index(tests->extensions, struct ie_key, i);

		if (at->pen == key.pen && at->id == key.id) {
			return;
		}
	}
	g_array_append_val(tests->extensions, key);
}

size_t predicates_extensions(const struct predicates *tests, const struct ie_key **keys)
{
	if (!tests) {
		return 0;
	}
	*keys = (const struct ie_key *)(const void *)tests->extensions->data;
	return tests->extensions->len;
}

static struct predicate *test_at(const struct predicates *tests, size_t i)
{
	return g_ptr_array_index(tests->tests, i);
}

static const struct predicate_row *find_row(const char *name)
{
	for (size_t i = 0; i < predicate_row_count; i++) {
		if (strcmp(predicate_row_table[i].name, name) == 0) {
			return &predicate_row_table[i];
		}
	}
	return NULL;
}

static const char *without_not(const char *name)
{
	return g_str_has_prefix(name, "not-") ? name + strlen("not-") : name;
}

/* The test that stands in the way of another of this row: the same switch, or its opposite. */
static struct predicate *find_rival(const struct predicates *tests, const struct predicate_row *row)
{
	for (size_t i = 0; tests && i < tests->tests->len; i++) {
		struct predicate *test = test_at(tests, i);

		if (strcmp(without_not(test->row->name), without_not(row->name)) == 0) {
			return test;
		}
	}
	return NULL;
}

int predicates_add(struct predicates **tests, const char *name, const char *text, struct err *err)
{
	const struct predicate_row *row = find_row(name);
	struct predicate *rival;
	int st;

	if (!row) {
		return err_set(err, ST_EINVAL, "no partitioning switch --%s", name);
	}
	rival = find_rival(*tests, row);
	if (rival && rival->row->flags & PREDICATE_MERGES) {
		return predicate_compile(rival, text, err);
	}
	if (rival && rival->row == row) {
		return err_set(err, ST_EINVAL, "A --%s filter has already been set", name);
	}
	if (rival) {
		return err_set(err, ST_EINVAL,
			       "A --%s filter has already been set; only one of --not-%s and --%s "
			       "are allowed",
			       rival->row->name, without_not(name), without_not(name));
	}
	rival = predicates_append(tests, row);
	st = predicate_compile(rival, text, err);
	if (st != ST_OK) {
		g_ptr_array_remove((*tests)->tests, rival);
	}
	return st;
}

void predicates_add_flowtypes(struct predicates **tests, const struct numset *flowtypes)
{
	struct predicate *test = predicates_append(tests, &flowtype_row);

	test->narrow = predicate_narrow_byte;
	test->cost = PREDICATE_COST_BYTE;
	test->columns = COLUMN_BIT(COLUMN_FLOWTYPE);
	for (unsigned i = 0; i <= UINT8_MAX; i++) {
		test->pass[i] = numset_contains(flowtypes, (uint16_t)i);
	}
}

void predicates_add_sensors(struct predicates **tests, const struct numset *sensors)
{
	struct predicate *test = predicates_append(tests, &sensor_row);

	test->narrow = predicate_narrow_u16;
	test->cost = PREDICATE_COST_NUMSET;
	test->columns = COLUMN_BIT(COLUMN_SENSOR);
	test->numset = g_new(struct numset, 1);
	*test->numset = *sensors;
}

void predicates_add_tuples(struct predicates **tests, struct tuples *tuples)
{
	struct predicate *test = predicates_append(tests, &tuple_row);

	test->narrow = predicate_narrow_tuples;
	test->cost = PREDICATE_COST_TUPLES;
	test->columns = tuples_columns(tuples);
	test->tuples = tuples;
}

static int compare_costs(gconstpointer a, gconstpointer b)
{
	const struct predicate *const *left = a;
	const struct predicate *const *right = b;

	return (int)(*left)->cost - (int)(*right)->cost;
}

/* ICMP types and codes look only at ICMP flows; a list of protocols without ICMP passes nothing. */
static int check_icmp(const struct predicates *tests, struct err *err)
{
	const struct predicate *protocol = NULL;
	const struct predicate *icmp = NULL;

	for (size_t i = 0; i < tests->tests->len; i++) {
		const struct predicate *test = test_at(tests, i);

		if (strcmp(test->row->name, "protocol") == 0) {
			protocol = test;
		} else if (g_str_has_prefix(test->row->name, "icmp-")) {
			icmp = icmp ? icmp : test;
		}
	}
	if (icmp && protocol && !protocol->pass[1] && !protocol->pass[58]) {
		return err_set(err, ST_EINVAL,
			       "An --%s value was given but --protocol does not include 1 or 58",
			       icmp->row->name);
	}
	return ST_OK;
}

/*
 * SiLK's way, found by asking it: the single-flag switches together are one more HIGH/MASK pair of
 * --flags-all when that is given, so that what passes them need not pass it.
 */
static void merge_single_flags(struct predicates *tests)
{
	struct predicate *all = NULL;
	uint8_t pass[256];
	bool any = false;

	memset(pass, 1, sizeof(pass));
	for (size_t i = 0; i < tests->tests->len; i++) {
		struct predicate *test = test_at(tests, i);

		if (strcmp(test->row->name, "flags-all") == 0) {
			all = test;
		}
		for (unsigned k = 0; test->row->bits && k <= UINT8_MAX; k++) {
			pass[k] &= test->pass[k];
			any = true;
		}
	}
	if (!all || !any) {
		return;
	}
	for (unsigned k = 0; k <= UINT8_MAX; k++) {
		all->pass[k] |= pass[k];
	}
	for (guint i = tests->tests->len; i-- > 0;) {
		if (test_at(tests, i)->row->bits) {
			g_ptr_array_remove_index(tests->tests, i);
		}
	}
}

int predicates_finish(struct predicates *tests, struct err *err)
{
	int st;

	if (!tests) {
		return ST_OK;
	}
	st = check_icmp(tests, err);
	if (st == ST_OK) {
		merge_single_flags(tests);
		g_ptr_array_sort(tests->tests, compare_costs);
		for (size_t i = 0; i < tests->tests->len; i++) {
			predicate_prepare(test_at(tests, i));
		}
	}
	return st;
}

const struct predicate *predicates_at(const struct predicates *tests, size_t i)
{
	return test_at(tests, i);
}

void predicates_set_zero_ns(struct predicates *tests, uint64_t zero_ns)
{
	for (size_t i = 0; i < predicates_count(tests); i++) {
		test_at(tests, i)->zero_ns = zero_ns;
	}
}

size_t predicates_count(const struct predicates *tests)
{
	return tests ? tests->tests->len : 0;
}

const char *predicates_name(const struct predicates *tests, size_t i)
{
	return test_at(tests, i)->row->name;
}

const char *predicates_cost(const struct predicates *tests, size_t i)
{
	static const char *const names[] = {
		[PREDICATE_COST_BYTE] = "byte",
		[PREDICATE_COST_RANGE] = "range",
		[PREDICATE_COST_NUMSET] = "list of numbers",
		[PREDICATE_COST_BLOCK] = "address block",
		[PREDICATE_COST_RATIO] = "ratio",
		[PREDICATE_COST_WILDCARD] = "wildcard",
		[PREDICATE_COST_IPSET] = "set of addresses",
		[PREDICATE_COST_TUPLES] = "tuples",
		[PREDICATE_COST_EXPR] = "expression",
	};

	return names[test_at(tests, i)->cost];
}

uint32_t predicates_columns(const struct predicates *tests)
{
	uint32_t columns = 0;

	for (size_t i = 0; i < predicates_count(tests); i++) {
		columns |= test_at(tests, i)->columns;
	}
	return columns;
}

enum predicates_verdict predicates_judge(const struct predicates *tests,
					 const struct summary *summary)
{
	enum predicates_verdict verdict = PREDICATES_ALL;

	for (size_t i = 0; verdict != PREDICATES_NONE && i < predicates_count(tests); i++) {
		const struct predicate *test = test_at(tests, i);
		enum predicates_verdict one = test->judge(test, summary);

		verdict = MIN(verdict, one);
	}
	return verdict;
}

size_t predicates_hashes(const struct predicates *tests, const uint64_t **hashes)
{
	size_t count = 0;

	for (size_t i = 0; i < predicates_count(tests); i++) {
		const struct predicate *test = test_at(tests, i);

		if (test->hash_count > 0 && (count == 0 || test->hash_count < count)) {
			count = test->hash_count;
			*hashes = test->hashes;
		}
	}
	return count;
}

void predicates_narrow(const struct predicates *tests, struct batch *batch)
{
	uint32_t count = batch->selected;

	for (size_t i = 0; count > 0 && i < predicates_count(tests); i++) {
		const struct predicate *test = test_at(tests, i);

		count = test->narrow(test, batch, batch->selection, count);
	}
	batch->selected = count;
}

void predicates_free(struct predicates *tests)
{
	if (tests) {
		g_ptr_array_free(tests->tests, TRUE);
		g_array_free(tests->extensions, TRUE);
		g_free(tests);
	}
}
