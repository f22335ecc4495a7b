/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/setresult.h"

#include <glib.h>

#include "query/tool.h"
#include "tests/unit/unit.h"

/* The skeleton's, for the library. */
const struct tool tool = { .name = "setresult_test" };

/* Of IPv4 addresses. */
static struct ipset *set_of(uint32_t first, uint32_t last)
{
	struct ipset *set = ipset_new();

	ipset_add_range(set, ip_from_v4(first), ip_from_v4(last));
	ipset_finish(set);
	return set;
}

static void check_range(const struct ipset *set, size_t i, uint32_t first, uint32_t last)
{
	struct cidr range = ipset_range(set, i);

	CU_ASSERT_EQUAL(ip_to_v4(range.first), first);
	CU_ASSERT_EQUAL(ip_to_v4(range.last), last);
}

/* 0 to 99 with 50 to 149. */
static const struct {
	enum setresult_op op;
	size_t ranges;
	uint32_t first, last; /* of the first one */
} made[] = {
	{ SETRESULT_UNION, 1, 0, 149 },     { SETRESULT_INTERSECT, 1, 50, 99 },
	{ SETRESULT_DIFFERENCE, 1, 0, 49 }, { SETRESULT_SYMMETRIC_DIFFERENCE, 2, 0, 49 },
	{ SETRESULT_MASK, 3, 0, 0 },        { SETRESULT_FILL, 1, 0, 191 },
	{ SETRESULT_SAMPLE, 1, 0, 149 },
};

static void test_operations(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(made); i++) {
		const struct setresult_opts opts = { .op = made[i].op, .prefix = 26, .size = 1000 };
		struct setresult *result = setresult_new(&opts);
		struct ipset *set;

		unit_at("operation %u", made[i].op);
		setresult_take(result, &(struct setinput){ .set = set_of(0, 99) });
		setresult_take(result, &(struct setinput){ .set = set_of(50, 149) });
		CU_ASSERT_EQUAL(setresult_finish(result, NULL), ST_OK);
		CU_ASSERT_PTR_NULL(setresult_seen(result));
		set = setresult_set(result);
		CU_ASSERT_EQUAL_FATAL(ipset_ranges(set), made[i].ranges);
		check_range(set, 0, made[i].first, made[i].last);
		setresult_free(result);
	}
	setresult_free(NULL);
}

static struct sightings *sightings_of(uint32_t address, int64_t first_ms, int64_t last_ms)
{
	struct sightings *seen = sightings_new();

	sightings_add(seen, ip_from_v4(address), first_ms, last_ms);
	sightings_finish(seen);
	return seen;
}

/* Which inputs count, and whether the result has times. */
static void test_times(void)
{
	struct setresult_opts opts = { .op = SETRESULT_UNION,
				       .since = { true, 20 },
				       .before = { true, 30 } };

	CU_ASSERT(setresult_needs_times(&opts));
	for (int with = 0; with < 2; with++) {
		struct setresult *result;

		opts.with_times = with;
		result = setresult_new(&opts);
		for (uint32_t i = 1; i <= 4; i++) {
			const struct setinput input = { .seen = sightings_of(i, 1, i * 10) };

			setresult_take(result, &input);
		}
		CU_ASSERT_EQUAL(setresult_finish(result, NULL), ST_OK);
		if (with) {
			CU_ASSERT_EQUAL_FATAL(sightings_count(setresult_seen(result)), 1);
			CU_ASSERT_EQUAL(sightings_at(setresult_seen(result), 0)->last_ms, 20);
		} else {
			CU_ASSERT_EQUAL_FATAL(ipset_ranges(setresult_set(result)), 1);
			check_range(setresult_set(result), 0, 2, 2);
		}
		setresult_free(result);
	}
}

/* The history of the first input is read only where it may show. */
static void test_choice(void)
{
	struct setresult_opts opts = { .op = SETRESULT_UNION, .growing = true };
	struct setresult *result = setresult_new(&opts);
	enum ipset_op op;

	CU_ASSERT(setresult_grows(&opts));
	CU_ASSERT(setresult_choose(result, "a", true) == ipset_read_growing);
	CU_ASSERT(setresult_choose(result, "b", false) == ipset_read_for_adding);
	opts.growing = false;
	CU_ASSERT(!setresult_grows(&opts));
	CU_ASSERT(setresult_choose(result, "a", true) == ipset_read);
	CU_ASSERT(setresult_choose(result, "b", false) == ipset_read);
	CU_ASSERT(setresult_is_plain(&opts, &op) && op == IPSET_UNION);
	opts.op = SETRESULT_MASK;
	CU_ASSERT(!setresult_is_plain(&opts, &op));
	setresult_free(result);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "operations", test_operations },
		{ "times", test_times },
		{ "how inputs are read", test_choice },
		{ NULL, NULL },
	};

	return unit_run("setresult", cases);
}
