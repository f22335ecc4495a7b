/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/columnrange.h"

#include "tests/unit/unit.h"

static const uint64_t numbers[] = { 7, 3, UINT64_MAX - 5, 9 };
static const uint64_t presence[] = { 1, 0, 0, 1 };

static void test_numbers(void)
{
	struct flowblock_column column = { .flags = 0 };

	columnrange_numbers(numbers, NULL, 4, &column);
	CU_ASSERT(column.flags & FLOWBLOCK_RANGED);
	UNIT_ASSERT_U64(column.min, 3);
	UNIT_ASSERT_U64(column.max, UINT64_MAX - 5);
	columnrange_numbers(numbers, presence, 4, &column);
	UNIT_ASSERT_U64(column.min, 7);
	UNIT_ASSERT_U64(column.max, 9);
}

static void test_addresses(void)
{
	const struct ip addresses[] = { ip_from_v4(9), ip_from_v4(2), { 5, 1 }, ip_from_v4(4) };
	struct flowblock_column column = { .flags = 0 };

	columnrange_addresses(addresses, NULL, 4, &column);
	CU_ASSERT(ip_equal(column.min_ip, ip_from_v4(2)));
	CU_ASSERT(ip_equal(column.max_ip, addresses[2]));
	columnrange_addresses(addresses, presence, 4, &column);
	CU_ASSERT(ip_equal(column.min_ip, ip_from_v4(4)));
	CU_ASSERT(ip_equal(column.max_ip, ip_from_v4(9)));
}

static void test_sum(void)
{
	struct flowblock_column column = { .flags = 0 };

	columnrange_sum(numbers, 4, &column);
	CU_ASSERT(!(column.flags & FLOWBLOCK_SUMMED));
	columnrange_sum(numbers, 2, &column);
	CU_ASSERT(column.flags & FLOWBLOCK_SUMMED);
	UNIT_ASSERT_U64(column.sum, 10);
}

static const struct unit_case cases[] = {
	{ "numbers", test_numbers },
	{ "addresses", test_addresses },
	{ "sum", test_sum },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("columnrange", cases);
}
