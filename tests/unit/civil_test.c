/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/civil.h"

#include <glib.h>
#include <stdlib.h>
#include <time.h>

#include "tests/unit/unit.h"

static void test_known(void)
{
	static const struct {
		int64_t seconds;
		struct civil civil;
	} cases[] = {
		{ 0, { 1970, 1, 1, 0, 0, 0 } },
		{ -1, { 1969, 12, 31, 23, 59, 59 } },
		{ 951782400, { 2000, 2, 29, 0, 0, 0 } },
		{ 1234396800, { 2009, 2, 12, 0, 0, 0 } },
		{ 4107542399, { 2100, 2, 28, 23, 59, 59 } },
		{ 4107542400, { 2100, 3, 1, 0, 0, 0 } },
		{ INT64_C(-62135596800), { 1, 1, 1, 0, 0, 0 } },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct civil *want = &cases[i].civil;
		struct civil got;

		unit_at("%" G_GINT64_FORMAT, cases[i].seconds);
		civil_from_seconds(cases[i].seconds, false, &got);
		CU_ASSERT_EQUAL(got.year, want->year);
		CU_ASSERT_EQUAL(got.month, want->month);
		CU_ASSERT_EQUAL(got.day, want->day);
		CU_ASSERT_EQUAL(got.hour, want->hour);
		CU_ASSERT_EQUAL(got.minute, want->minute);
		CU_ASSERT_EQUAL(got.second, want->second);
		CU_ASSERT_EQUAL(civil_to_seconds(want, false), cases[i].seconds);
	}
}

/* Every day of an era and more: as the day before it, and as the length of its month has it. */
static void test_days(void)
{
	struct civil before = { .year = 1799, .month = 12, .day = 31 };
	int64_t seconds = civil_to_seconds(&before, false);
	unsigned wrong = 0;

	while (before.year < 2300) {
		const bool last =
			before.day == civil_days_in_month((uint64_t)before.year, before.month);
		struct civil next;

		seconds += SECONDS_PER_DAY;
		civil_from_seconds(seconds, false, &next);
		wrong += next.day != (last ? 1 : before.day + 1);
		wrong += next.month != (last ? before.month % 12 + 1 : before.month);
		wrong += next.year != before.year + (last && before.month == 12);
		wrong += civil_to_seconds(&next, false) != seconds;
		before = next;
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static void test_local(void)
{
	struct civil civil;

	setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
	tzset();
	civil_from_seconds(1234396800, true, &civil);
	CU_ASSERT_EQUAL(civil.day, 11);
	CU_ASSERT_EQUAL(civil.hour, 19);
	CU_ASSERT_EQUAL(civil_to_seconds(&civil, true), 1234396800);
	civil_from_seconds(1246406400, true, &civil); /* summer */
	CU_ASSERT_EQUAL(civil.hour, 20);
	CU_ASSERT_EQUAL(civil_to_seconds(&civil, true), 1246406400);
	setenv("TZ", "UTC", 1);
	tzset();
}

static void test_floor_div(void)
{
	CU_ASSERT_EQUAL(civil_floor_div(7, 4), 1);
	CU_ASSERT_EQUAL(civil_floor_div(-7, 4), -2);
	CU_ASSERT_EQUAL(civil_floor_div(-8, 4), -2);
	CU_ASSERT_EQUAL(civil_floor_div(0, 4), 0);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "known dates", test_known },
		{ "every day", test_days },
		{ "a local zone", test_local },
		{ "division", test_floor_div },
		{ NULL, NULL },
	};

	return unit_run("civil", cases);
}
