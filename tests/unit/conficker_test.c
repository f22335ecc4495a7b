/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/conficker.h"

#include "common/timestamp.h"
#include "tests/unit/unit.h"

#define WEEK_S  INT64_C(604800)
#define FIRST_S INT64_C(345600)

static struct batch *batch_of(const struct record *rec)
{
	struct batch *batch = batch_new();

	batch_clear(batch, COLUMNS_ALL);
	batch_append(batch, rec);
	return batch;
}

static bool hits(const struct record *rec, unsigned ends, const struct conficker_seed *seed)
{
	struct batch *batch = batch_of(rec);
	bool hit = conficker_hits(batch, 0, ends, seed);

	batch_free(batch);
	return hit;
}

/* The example of SiLK's manual page, 10.10.10.10 and 192.168.192.168 with seed 8888. */
static void test_ports(void)
{
	uint16_t ports[CONFICKER_PORTS];

	conficker_ports(0x0a0a0a0a, 8888, ports);
	UNIT_ASSERT_U64(ports[0], 44781);
	UNIT_ASSERT_U64(ports[1], 48924);
	UNIT_ASSERT_U64(ports[2], 23332);
	UNIT_ASSERT_U64(ports[3], 52798);
	conficker_ports(0xc0a8c0a8, 8888, ports);
	UNIT_ASSERT_U64(ports[3], 16514);
}

static void test_ends(void)
{
	static const struct conficker_seed seed = { .given = true, .number = 8888 };
	struct record rec;

	record_init(&rec);
	rec.protocol = 17;
	rec.sip = ip_from_v4(0x0a0a0a0a);
	rec.dip = ip_from_v4(0xc0a8c0a8);
	rec.sport = 23332;
	rec.dport = 16514;
	CU_ASSERT_TRUE(hits(&rec, CONFICKER_SOURCE, &seed));
	CU_ASSERT_TRUE(hits(&rec, CONFICKER_DESTINATION, &seed));
	rec.dport = 16515;
	CU_ASSERT_FALSE(hits(&rec, CONFICKER_DESTINATION, &seed));
	CU_ASSERT_TRUE(hits(&rec, CONFICKER_ANY, &seed));
	rec.protocol = 1;
	CU_ASSERT_FALSE(hits(&rec, CONFICKER_ANY, &seed));
	rec.protocol = 6;
	CU_ASSERT_TRUE(hits(&rec, CONFICKER_ANY, &seed));
	rec.state = RECORD_IPV6;
	CU_ASSERT_FALSE(hits(&rec, CONFICKER_ANY, &seed));
}

/* Seconds from the turn to week 2000, and whether the ports of weeks 1999, 2000 count. */
static void test_weeks(void)
{
	static const struct {
		int64_t at_s;
		bool before, after;
	} cases[] = {
		{ -WEEK_S, true, false }, { -900, true, false },
		{ -899, true, true },     { -1, true, true },
		{ 0, true, true },        { 899, true, true },
		{ 900, false, true },     { WEEK_S - 900, false, true },
	};
	static const struct conficker_seed own = { 0 };
	struct record rec;

	record_init(&rec);
	rec.protocol = 17;
	rec.sip = ip_from_v4(0x0a0a0a0a);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint16_t ports[CONFICKER_PORTS];

		unit_at("case %zu", i);
		rec.start_ns = (FIRST_S + 2000 * WEEK_S + cases[i].at_s) * NS_PER_S;
		conficker_ports(0x0a0a0a0a, 1999, ports);
		rec.sport = ports[2];
		CU_ASSERT_EQUAL(hits(&rec, CONFICKER_SOURCE, &own), cases[i].before);
		conficker_ports(0x0a0a0a0a, 2000, ports);
		rec.sport = ports[2];
		CU_ASSERT_EQUAL(hits(&rec, CONFICKER_SOURCE, &own), cases[i].after);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "the ports of an address", test_ports },
		{ "the ends of a flow", test_ends },
		{ "weeks, and their turns", test_weeks },
		{ NULL, NULL },
	};

	return unit_run("conficker", cases);
}
