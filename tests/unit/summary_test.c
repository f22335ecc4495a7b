/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/summary.h"

#include "tests/unit/unit.h"

static struct record make(int64_t start_ns, uint64_t bytes, struct ip sip)
{
	struct record rec;

	record_init(&rec);
	rec.start_ns = start_ns;
	rec.duration_ns = 10;
	rec.bytes = bytes;
	rec.packets = 1;
	rec.sip = sip;
	rec.sport = (uint16_t)bytes;
	return rec;
}

static void test_records(void)
{
	const struct record a = make(-5, 300, ip_from_v4(7));
	const struct record b = make(20, 100, (struct ip){ 1, 0 });
	const struct record c = make(-100, 200, ip_from_v4(3));
	struct summary summary;

	summary_init(&summary);
	UNIT_ASSERT_U64(summary.records, 0);
	CU_ASSERT_EQUAL(summary.ranged | summary.summed, 0);
	summary_add_record(&summary, &a);
	summary_add_record(&summary, &b);
	summary_add_record(&summary, &c);
	UNIT_ASSERT_U64(summary.records, 3);
	CU_ASSERT_EQUAL(summary.first_start_ns, -100);
	CU_ASSERT_EQUAL(summary.last_start_ns, 20);
	CU_ASSERT_EQUAL(summary.last_end_ns, 30);
	CU_ASSERT_EQUAL(summary.ranged, COLUMNS_ALL);
	CU_ASSERT_EQUAL(summary.range[COLUMN_START].min_ns, -100);
	CU_ASSERT_EQUAL(summary.range[COLUMN_START].max_ns, 20);
	CU_ASSERT(ip_equal(summary.range[COLUMN_SIP].min_ip, ip_from_v4(3)));
	CU_ASSERT(ip_equal(summary.range[COLUMN_SIP].max_ip, b.sip));
	UNIT_ASSERT_U64(summary.range[COLUMN_SPORT].min, 100);
	UNIT_ASSERT_U64(summary.range[COLUMN_SPORT].max, 300);
	UNIT_ASSERT_U64(summary.range[COLUMN_FLOWTYPE].min, RECORD_NO_FLOWTYPE);
	UNIT_ASSERT_U64(summary.bytes, 600);
	UNIT_ASSERT_U64(summary.packets, 3);
}

/* What one of two does not know is not known of both; nothing added to nothing stays nothing. */
static void test_unknown(void)
{
	const struct record rec = make(0, 1, ip_from_v4(1));
	static const uint8_t filter[32];
	struct summary sum, part, empty;

	summary_init(&sum);
	summary_init(&part);
	summary_init(&empty);
	summary_add_record(&part, &rec);
	part.filter = filter;
	part.filter_size = sizeof(filter);
	summary_add(&sum, &empty);
	summary_add(&sum, &part);
	CU_ASSERT_PTR_NULL(sum.filter);
	summary_add(&sum, &empty);
	CU_ASSERT_EQUAL(sum.ranged, COLUMNS_ALL);
	part.ranged &= ~COLUMN_BIT(COLUMN_SIP);
	part.summed &= ~COLUMN_BIT(COLUMN_BYTES);
	summary_add(&sum, &part);
	UNIT_ASSERT_U64(sum.records, 2);
	CU_ASSERT_EQUAL(sum.ranged, COLUMNS_ALL & ~COLUMN_BIT(COLUMN_SIP));
	CU_ASSERT_EQUAL(sum.summed, COLUMN_BIT(COLUMN_PACKETS));
}

/* A sum that passes 64 bits is not known; times that wrap do as those of records. */
static void test_overflow(void)
{
	struct record rec = make(INT64_MAX, UINT64_MAX, ip_from_v4(1));
	struct summary sum;

	summary_init(&sum);
	summary_add_record(&sum, &rec);
	CU_ASSERT_EQUAL(sum.last_end_ns, INT64_MIN + 9);
	UNIT_ASSERT_U64(sum.bytes, UINT64_MAX);
	rec.bytes = 1;
	summary_add_record(&sum, &rec);
	CU_ASSERT_EQUAL(sum.summed, COLUMN_BIT(COLUMN_PACKETS));
}

static const struct unit_case cases[] = {
	{ "records", test_records },
	{ "unknown", test_unknown },
	{ "overflow", test_overflow },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("summary", cases);
}
