/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/setsample.h"

#include <glib.h>

#include "storage/ipsetalgebra.h"
#include "tests/unit/unit.h"

static uint64_t count_of(const struct ipset *set)
{
	uint64_t high;
	uint64_t low;

	ipset_count(set, &high, &low);
	return high ? UINT64_MAX : low;
}

static struct ipset *small_and_huge(void)
{
	struct ipset *set = ipset_new();

	ipset_add_range(set, ip_from_v4(10), ip_from_v4(59));
	ipset_add_range(set, (struct ip){ UINT64_C(1) << 61, 0 },
			(struct ip){ UINT64_C(3) << 60, UINT64_MAX });
	ipset_finish(set);
	return set;
}

static void check_inside(const struct ipset *sample, const struct ipset *set)
{
	struct ipset *outside = ipset_combine(sample, set, IPSET_DIFFERENCE);

	CU_ASSERT(ipset_is_empty(outside));
	ipset_free(outside);
}

/* Exactly so many, all of the set; all sizes around the one where what is left out is drawn. */
static void test_size(void)
{
	struct ipset *set = ipset_new();

	ipset_add_range(set, ip_from_v4(100), ip_from_v4(119));
	ipset_add_range(set, ip_from_v4(300), ip_from_v4(319));
	ipset_finish(set);
	for (uint64_t size = 1; size < 45; size++) {
		struct setsample_random random;
		struct ipset *sample = ipset_new();

		unit_at("size %u", (unsigned)size);
		setsample_seed(&random, size);
		setsample_size(sample, set, size, &random);
		ipset_finish(sample);
		UNIT_ASSERT_U64(count_of(sample), MIN(size, 40));
		check_inside(sample, set);
		ipset_free(sample);
	}
	ipset_free(set);
}

static void test_huge(void)
{
	struct ipset *set = small_and_huge();
	struct ipset *sample = ipset_new();
	struct setsample_random random;

	setsample_seed(&random, 1);
	setsample_size(sample, set, 1000, &random);
	ipset_finish(sample);
	UNIT_ASSERT_U64(count_of(sample), 1000);
	check_inside(sample, set);
	ipset_free(sample);
	ipset_free(set);
}

/* Each address is drawn about as often as the others. */
static void test_fair(void)
{
	struct setsample_random random;
	struct ipset *set = ipset_new();
	unsigned by_size[16] = { 0 };
	unsigned by_ratio[16] = { 0 };

	ipset_add_range(set, ip_from_v4(0), ip_from_v4(7));
	ipset_add_range(set, ip_from_v4(100), ip_from_v4(107));
	ipset_finish(set);
	setsample_seed(&random, 5);
	for (unsigned round = 0; round < 2000; round++) {
		struct ipset *a = ipset_new();
		struct ipset *b = ipset_new();

		setsample_size(a, set, round % 2 ? 4 : 12, &random);
		setsample_ratio(b, set, 0.5, &random);
		ipset_finish(a);
		ipset_finish(b);
		for (unsigned i = 0; i < 16; i++) {
			struct ip ip = ip_from_v4(i < 8 ? i : 92 + i);

			by_size[i] += ipset_contains(a, ip);
			by_ratio[i] += ipset_contains(b, ip);
		}
		ipset_free(a);
		ipset_free(b);
	}
	for (unsigned i = 0; i < 16; i++) {
		/* 1000 of 2000, and the standard deviation is 22 at most */
		CU_ASSERT(by_size[i] > 890 && by_size[i] < 1110);
		CU_ASSERT(by_ratio[i] > 890 && by_ratio[i] < 1110);
	}
	ipset_free(set);
}

static void test_ratio_ends(void)
{
	struct ipset *set = small_and_huge();
	struct ipset *none = ipset_new();
	struct ipset *all = ipset_new();
	struct setsample_random random;

	setsample_seed(&random, 9);
	setsample_ratio(none, set, 0, &random);
	setsample_ratio(none, set, 1e-60, &random);
	setsample_ratio(all, set, 1, &random);
	ipset_finish(none);
	ipset_finish(all);
	CU_ASSERT(ipset_is_empty(none));
	CU_ASSERT(ipset_equal(all, set));
	ipset_free(none);
	ipset_free(all);
	ipset_free(set);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "sizes", test_size },
		{ "a few of very many", test_huge },
		{ "equal chances", test_fair },
		{ "no chance and certainty", test_ratio_ends },
		{ NULL, NULL },
	};

	return unit_run("setsample", cases);
}
