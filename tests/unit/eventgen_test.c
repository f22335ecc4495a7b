/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/eventgen.h"

#include "common/timestamp.h"
#include "tests/unit/unit.h"

struct seen {
	uint64_t records;
	uint64_t by_protocol[256];
	uint64_t wrong;
	uint64_t checksum;
};

static int take(void *arg, const struct record *rec)
{
	struct seen *seen = arg;
	bool out = ip_to_v4(rec->sip) < UINT32_C(0x80000000);
	bool web = rec->protocol == 6 && (rec->application == 80 || rec->application == 443);

	seen->records++;
	seen->by_protocol[rec->protocol]++;
	seen->wrong += out == (ip_to_v4(rec->dip) < UINT32_C(0x80000000));
	seen->wrong += rec->flowtype != (out ? 2 : 0) + web;
	seen->wrong += rec->packets == 0 || rec->bytes < rec->packets * 40;
	seen->wrong += rec->sensor != 7;
	seen->wrong += rec->flags != (rec->initial_flags | rec->session_flags);
	seen->wrong += rec->duration_ns > 1800 * (uint64_t)NS_PER_S;
	seen->checksum = seen->checksum * 31 + rec->sip.lo + rec->dip.lo + rec->bytes;
	return 0;
}

static void make(struct seen *seen, uint32_t seed)
{
	const struct eventgen_opts opts = {
		.seed = seed,
		.flowtypes = { 0, 1, 2, 3 },
		.sensor = 7,
	};
	struct eventgen *gen = eventgen_new(&opts);

	for (int i = 0; i < 20000; i++) {
		CU_ASSERT_EQUAL(eventgen_event(gen, i * NS_PER_S, take, seen), 0);
	}
	eventgen_free(gen);
}

static void test_records(void)
{
	struct seen seen = { 0 };

	make(&seen, 1);
	UNIT_ASSERT_U64(seen.wrong, 0);
	CU_ASSERT(seen.records > 30000);
	CU_ASSERT(seen.by_protocol[6] > seen.by_protocol[17]);
	CU_ASSERT(seen.by_protocol[17] > 1000 && seen.by_protocol[1] > 300);
}

static void test_seed(void)
{
	struct seen first = { 0 };
	struct seen again = { 0 };
	struct seen other = { 0 };

	make(&first, 1);
	make(&again, 1);
	make(&other, 2);
	UNIT_ASSERT_U64(first.checksum, again.checksum);
	UNIT_ASSERT_U64(first.records, again.records);
	CU_ASSERT(first.checksum != other.checksum);
}

static int stop(void *arg, const struct record *rec)
{
	(void)arg;
	(void)rec;
	return -5;
}

static void test_stop(void)
{
	const struct eventgen_opts opts = { .seed = 1 };
	struct eventgen *gen = eventgen_new(&opts);

	CU_ASSERT_EQUAL(eventgen_event(gen, 0, stop, NULL), -5);
	eventgen_free(gen);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "records", test_records },
		{ "seeds", test_seed },
		{ "an end before the end", test_stop },
		{ NULL, NULL },
	};

	return unit_run("eventgen", cases);
}
