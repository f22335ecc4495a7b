/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/record.h"

#include "common/timestamp.h"
#include "tests/unit/unit.h"

static void test_init(void)
{
	struct record rec;

	record_init(&rec);
	CU_ASSERT(ip_equal(rec.sip, ip_from_v4(0)) && ip_equal(rec.dip, ip_from_v4(0)) &&
		  ip_equal(rec.nhip, ip_from_v4(0)));
	CU_ASSERT_EQUAL(rec.sensor, RECORD_NO_SENSOR);
	CU_ASSERT_EQUAL(rec.flowtype, RECORD_NO_FLOWTYPE);
	CU_ASSERT_EQUAL(rec.bytes | rec.packets | rec.duration_ns, 0);
	CU_ASSERT_FALSE(record_is_ipv6(&rec));
}

static void test_times(void)
{
	struct record rec;

	record_init(&rec);
	rec.start_ns = 3 * NS_PER_HOUR + 5;
	rec.duration_ns = 7;
	CU_ASSERT_EQUAL(record_end_ns(&rec), 3 * NS_PER_HOUR + 12);
	CU_ASSERT_EQUAL(record_hour_ns(&rec), 3 * NS_PER_HOUR);
	rec.start_ns = 3 * NS_PER_HOUR;
	CU_ASSERT_EQUAL(record_hour_ns(&rec), 3 * NS_PER_HOUR);
	rec.start_ns = -1;
	CU_ASSERT_EQUAL(record_hour_ns(&rec), -NS_PER_HOUR);
	rec.start_ns = -NS_PER_HOUR;
	CU_ASSERT_EQUAL(record_hour_ns(&rec), -NS_PER_HOUR);
}

static void test_icmp(void)
{
	static const struct {
		uint8_t protocol, state;
		bool icmp;
	} cases[] = {
		{ 1, 0, true },   { 1, RECORD_IPV6, true }, { 58, RECORD_IPV6, true },
		{ 58, 0, false }, { 6, 0, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct record rec;

		record_init(&rec);
		rec.protocol = cases[i].protocol;
		rec.state = cases[i].state;
		unit_at("protocol %u state %u", rec.protocol, rec.state);
		CU_ASSERT_EQUAL(record_is_icmp(&rec), cases[i].icmp);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "init", test_init },
		{ "times", test_times },
		{ "icmp", test_icmp },
		{ NULL, NULL },
	};

	return unit_run("record", cases);
}
