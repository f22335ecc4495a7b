/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/hashset.h"

#include "tests/unit/unit.h"

static void test_distinct(void)
{
	struct hashset set = { 0 };

	for (unsigned round = 0; round < 3; round++) {
		for (uint64_t i = 0; i < 5000; i++) {
			hashset_add(&set, i % 1000 * (UINT64_C(1) << 52));
		}
		UNIT_ASSERT_U64(set.count, 1000);
		for (uint64_t i = 0; i < 1000; i++) {
			UNIT_ASSERT_U64(set.values[i], i << 52);
		}
		hashset_clear(&set);
		UNIT_ASSERT_U64(set.count, 0);
	}
	hashset_release(&set);
	hashset_release(&set);
}

static const struct unit_case cases[] = {
	{ "distinct", test_distinct },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("hashset", cases);
}
