/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/exporterclock.h"

#include <stddef.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

#define DAY_S UINT32_C(86400)
#define NOW_S INT64_C(1700000000)

/* Two messages: seconds between them by each clock, and the two uptimes. */
static void test_signs(void)
{
	static const struct {
		const char *name;
		int64_t day_s, ours_s;
		uint32_t before_ms, after_ms;
		unsigned signs;
	} rows[] = {
		{ "a minute later", 60, 60, 1000, 61000, 0 },
		{ "whole seconds", 1, 0, 1999, 2000, 0 },
		{ "a day of drift", DAY_S, DAY_S, 0, 86400000 + 80000, 0 },
		{ "wrap", 60, 60, UINT32_MAX - 9999, 50000, EXPORTERCLOCK_WRAPPED },
		{ "wrap while silent", 50 * DAY_S, 50 * DAY_S, 1000, 25033704, 0 },
		{ "reboot", 60, 60, 86400000, 30000, EXPORTERCLOCK_REBOOT },
		{ "reboot of a young one", 600, 600, 20000, 30000, EXPORTERCLOCK_REBOOT },
		{ "clock set ahead", 7200, 60, 86400000, 86460000, EXPORTERCLOCK_STEPPED },
		{ "clock set back", -7200, 60, 86400000, 86460000, EXPORTERCLOCK_STEPPED },
		{ "late", -2, 1, 86400000, 86398000, EXPORTERCLOCK_LATE },
		{ "late across the wrap", -2, 1, 500, UINT32_MAX - 1499, EXPORTERCLOCK_LATE },
		{ "same message again", 0, 0, 5000, 5000, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exporterclock clock = { 0 };
		const struct exporterclock_message before = { NOW_S * NS_PER_S, rows[i].before_ms,
							      NOW_S * NS_PER_S };
		const struct exporterclock_message after = { (NOW_S + rows[i].day_s) * NS_PER_S,
							     rows[i].after_ms,
							     (NOW_S + rows[i].ours_s) * NS_PER_S };

		unit_at("%s", rows[i].name);
		UNIT_ASSERT_U64(exporterclock_take(&clock, &before), 0);
		UNIT_ASSERT_U64(exporterclock_take(&clock, &after), rows[i].signs);
		/* a late one teaches nothing */
		UNIT_ASSERT_U64(clock.uptime_ms, rows[i].signs & EXPORTERCLOCK_LATE
							 ? rows[i].before_ms
							 : rows[i].after_ms);
	}
}

static void test_flow(void)
{
	static const struct {
		const char *name;
		uint32_t uptime_ms, first_ms, last_ms;
		int64_t start_ms; /* against the export time */
		uint64_t duration_ms;
	} rows[] = {
		{ "plain", 100000, 40000, 90000, -60000, 50000 },
		{ "after the message", 100000, 100500, 100600, 500, 100 },
		{ "message after the wrap", 10000, UINT32_MAX - 9999, UINT32_MAX, -20000, 9999 },
		{ "last after the wrap", 10000, UINT32_MAX - 9999, 5000, -20000, 15000 },
		{ "flow after the wrap", UINT32_MAX, 1000, 2000, 1001, 1000 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct exporterclock_message message = { NOW_S * NS_PER_S, rows[i].uptime_ms,
							       NOW_S * NS_PER_S };
		int64_t start_ns = 0;
		uint64_t duration_ns = 0;

		unit_at("%s", rows[i].name);
		exporterclock_flow(&message, exporterclock_boot_ns(&message), rows[i].first_ms,
				   rows[i].last_ms, &start_ns, &duration_ns);
		CU_ASSERT_EQUAL(start_ns - NOW_S * NS_PER_S, rows[i].start_ms * NS_PER_MS);
		UNIT_ASSERT_U64(duration_ns, rows[i].duration_ms * NS_PER_MS);
	}
}

static void test_correct(void)
{
	static const struct {
		const char *name;
		int64_t limit_s, export_s, start_s; /* against the arrival */
		uint64_t duration_s;
		bool moved;
		int64_t moved_s;
	} rows[] = {
		{ "no limit", 0, -NOW_S, -NOW_S, 1, false, 0 },
		{ "fine", 3600, -1, -60, 50, false, 0 },
		{ "at the limit", 3600, 0, -3600, 0, false, 0 },
		{ "a long flow that ended just now", 3600, 0, -7200, 7100, false, 0 },
		{ "clock of 1970", 3600, 100 - NOW_S, 40 - NOW_S, 50, true, -60 },
		{ "clock a day ahead", 3600, DAY_S, DAY_S - 30, 10, true, -30 },
		{ "only the flow is off", 3600, 0, -NOW_S, 10, true, -10 },
		{ "neither makes sense", 3600, INT64_MAX / NS_PER_S, INT64_MIN / NS_PER_S, 1, true,
		  -1 },
		{ "longer than the limit", 3600, 0, DAY_S, 40000, true, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const int64_t arrival_ns = NOW_S * NS_PER_S;
		const struct exporterclock_message message = {
			.export_ns = rows[i].export_s > INT64_MAX / NS_PER_S - NOW_S
					     ? INT64_MAX
					     : arrival_ns + rows[i].export_s * NS_PER_S,
			.arrival_ns = arrival_ns,
		};
		int64_t start_ns = arrival_ns + rows[i].start_s * NS_PER_S;
		const int64_t before_ns = start_ns;
		bool moved;

		unit_at("%s", rows[i].name);
		moved = exporterclock_correct(rows[i].limit_s * NS_PER_S, &message, &start_ns,
					      rows[i].duration_s * NS_PER_S);
		CU_ASSERT_EQUAL(moved, rows[i].moved);
		CU_ASSERT_EQUAL(start_ns, rows[i].moved ? arrival_ns + rows[i].moved_s * NS_PER_S
							: before_ns);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "signs", test_signs },
		{ "flow", test_flow },
		{ "correct", test_correct },
		{ NULL, NULL },
	};

	return unit_run("exporterclock", cases);
}
