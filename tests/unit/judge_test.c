/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tests say of summaries, and that it never contradicts what they say of the records. */
#include "query/predicate.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "common/timestamp.h"
#include "query/predicaterow.h"
#include "storage/bloom.h"
#include "tests/unit/drawn.h"
#include "tests/unit/unit.h"

static struct ip address(const char *text)
{
	struct ip ip = { 0, 0 };
	bool is_v6;

	CU_ASSERT_EQUAL(ip_parse(text, &ip, &is_v6, NULL), ST_OK);
	return ip;
}

/* Two records: their ranges are what the cases are about. */
static void make_summary(struct summary *summary)
{
	struct record rec;

	summary_init(summary);
	record_init(&rec);
	rec.start_ns = INT64_C(1700000000) * NS_PER_S;
	rec.duration_ns = UINT64_C(2) * NS_PER_S;
	rec.sip = address("10.0.0.5");
	rec.dip = address("192.0.2.1");
	rec.sport = 1024;
	rec.dport = 53;
	rec.protocol = 6;
	rec.packets = 10;
	rec.bytes = 1000;
	rec.flags = 2;
	rec.input = 7;
	rec.sensor = 3;
	rec.flowtype = 2;
	summary_add_record(summary, &rec);
	rec.start_ns += 10 * NS_PER_S;
	rec.duration_ns = UINT64_C(4) * NS_PER_S;
	rec.sip = address("10.0.0.200");
	rec.sport = 70;
	rec.dport = 55;
	rec.protocol = 17;
	rec.packets = 20;
	rec.bytes = 4000;
	rec.flags = 2;
	rec.input = 70000;
	summary_add_record(summary, &rec);
}

static void test_cases(void)
{
	static const struct {
		const char *name, *text;
		enum predicates_verdict expected;
	} cases[] = {
		{ "protocol", "0-", PREDICATES_ALL },
		{ "protocol", "6-17", PREDICATES_ALL },
		{ "protocol", "6,17", PREDICATES_SOME },
		{ "protocol", "18-", PREDICATES_NONE },
		{ "sport", "0-", PREDICATES_ALL },
		{ "sport", "70-1024", PREDICATES_ALL },
		{ "sport", "71-1024", PREDICATES_SOME },
		{ "sport", "127,128", PREDICATES_SOME },
		{ "sport", "69,1025", PREDICATES_NONE },
		{ "dport", "54", PREDICATES_SOME },
		{ "dport", "53-55", PREDICATES_ALL },
		{ "aport", "56-69", PREDICATES_NONE },
		{ "aport", "53-55", PREDICATES_ALL },
		{ "aport", "1024", PREDICATES_SOME },
		{ "input-index", "0-", PREDICATES_SOME },
		{ "input-index", "6", PREDICATES_NONE },
		{ "any-index", "0-", PREDICATES_ALL },
		{ "bytes", "1000-4000", PREDICATES_ALL },
		{ "bytes", "4001-", PREDICATES_NONE },
		{ "bytes", "1001-", PREDICATES_SOME },
		{ "packets", "5-9", PREDICATES_NONE },
		{ "bytes-per-packet", "50-400", PREDICATES_ALL },
		{ "bytes-per-packet", "401-", PREDICATES_NONE },
		{ "bytes-per-packet", "60-", PREDICATES_SOME },
		{ "duration", "2-4", PREDICATES_ALL },
		{ "duration", "5-", PREDICATES_NONE },
		{ "stime", "2023/11/14T22-2023/11/14T22", PREDICATES_ALL },
		{ "stime", "2023/11/14T22:13:20.001-2023/11/14T23", PREDICATES_SOME },
		{ "stime", "2023/11/14T23-2023/11/14T23", PREDICATES_NONE },
		{ "etime", "2023/11/14T22:13:22-2023/11/14T22:13:34", PREDICATES_ALL },
		{ "etime", "2023/11/14T22:13:20-2023/11/14T22:13:21", PREDICATES_NONE },
		{ "active-time", "2023/11/14T22:13:34-2023/11/14T23", PREDICATES_SOME },
		{ "active-time", "2023/11/14T22:13:35-2023/11/14T23", PREDICATES_NONE },
		{ "flags-all", "S/S", PREDICATES_ALL },
		{ "flags-all", "S/SA,A/A", PREDICATES_ALL },
		{ "flags-all", "A/A", PREDICATES_NONE },
		{ "icmp-type", "0", PREDICATES_NONE },
		{ "ip-version", "4", PREDICATES_ALL },
		{ "ip-version", "6", PREDICATES_NONE },
		{ "scidr", "10.0.0.0/24", PREDICATES_ALL },
		{ "scidr", "10.0.0.128/25", PREDICATES_SOME },
		{ "scidr", "10.0.1.0/24", PREDICATES_NONE },
		{ "scidr", "10.0.0.0/25,10.0.0.192/26", PREDICATES_SOME },
		{ "scidr", "10.0.0.0/30,10.0.0.224/27", PREDICATES_NONE },
		{ "not-scidr", "10.0.0.0/24", PREDICATES_NONE },
		{ "not-scidr", "10.0.1.0/24", PREDICATES_ALL },
		{ "not-scidr", "10.0.0.6", PREDICATES_SOME },
		{ "dcidr", "192.0.2.1", PREDICATES_ALL },
		{ "any-address", "192.0.2.1", PREDICATES_ALL },
		{ "any-address", "192.0.2.2", PREDICATES_NONE },
		{ "not-any-address", "192.0.2.1", PREDICATES_NONE },
		{ "saddress", "10.0.0.1-4,201-", PREDICATES_NONE },
		{ "saddress", "10.0.0.1-4,201-255", PREDICATES_SOME },
		{ "saddress", "10.x.1.x", PREDICATES_NONE },
		{ "saddress", "10.x.0.x", PREDICATES_SOME },
		{ "saddress", "11.x.1.x", PREDICATES_NONE },
		{ "not-saddress", "11.x.1.x", PREDICATES_ALL },
		{ "saddress", "2001:db8:x::x", PREDICATES_NONE },
		{ "nhcidr", "0.0.0.0", PREDICATES_ALL },
		{ "next-hop-id", "1.2.3.4", PREDICATES_NONE },
	};
	struct summary summary;

	make_summary(&summary);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct predicates *tests = NULL;
		struct err err;

		unit_at("%s %s", cases[i].name, cases[i].text);
		if (predicates_add(&tests, cases[i].name, cases[i].text, &err) == ST_OK) {
			CU_ASSERT_EQUAL(predicates_finish(tests, &err), ST_OK);
			CU_ASSERT_EQUAL(predicates_judge(tests, &summary), cases[i].expected);
			summary.ranged = 0;
			CU_ASSERT(cases[i].name[1] == 't' || cases[i].name[0] == 'e' ||
				  predicates_judge(tests, &summary) == PREDICATES_SOME);
			summary.ranged = COLUMNS_ALL;
		} else {
			CU_ASSERT_STRING_EQUAL(cases[i].text, "10.0.0.1-4,201-");
		}
		predicates_free(tests);
	}
	CU_ASSERT_EQUAL(predicates_judge(NULL, &summary), PREDICATES_ALL);
}

static void test_several(void)
{
	struct predicates *tests = NULL;
	const uint64_t *hashes = NULL;
	struct summary summary;

	make_summary(&summary);
	CU_ASSERT_EQUAL(predicates_hashes(tests, &hashes), 0);
	CU_ASSERT_EQUAL(predicates_add(&tests, "protocol", "0-", NULL), ST_OK);
	CU_ASSERT_EQUAL(predicates_add(&tests, "scidr", "10.0.0.128/25", NULL), ST_OK);
	CU_ASSERT_EQUAL(predicates_add(&tests, "any-cidr", "10.0.0.8/30,10.1.0.0", NULL), ST_OK);
	CU_ASSERT_EQUAL(predicates_finish(tests, NULL), ST_OK);
	CU_ASSERT_EQUAL(predicates_judge(tests, &summary), PREDICATES_SOME);
	CU_ASSERT_EQUAL(predicates_hashes(tests, &hashes), 5);
	CU_ASSERT_EQUAL(hashes[1], bloom_hash(address("10.0.0.9")));
	predicates_free(tests);
}

/* ---- against records ---- */

enum { ROUNDS = 4000, ROWS_MAX = 6 };

static void add_filter(struct summary *summary, uint8_t *filter, size_t size,
		       const struct record *rec)
{
	bloom_add(filter, size, bloom_hash(rec->sip));
	bloom_add(filter, size, bloom_hash(rec->dip));
	summary->filter = filter;
	summary->filter_size = size;
}

static void check_round(GRand *rng, const char *name, const char *text, unsigned verdicts[3])
{
	struct batch *batch = batch_new();
	struct predicates *tests = NULL;
	enum predicates_verdict verdict;
	struct summary summary;
	uint8_t filter[BLOOM_UNIT_BYTES] = { 0 };
	bool with_filter = g_rand_boolean(rng);
	struct record rec;

	summary_init(&summary);
	batch_clear(batch, COLUMNS_ALL);
	for (int i = g_rand_int_range(rng, 1, ROWS_MAX); i > 0; i--) {
		drawn_record(rng, &rec);
		batch_append(batch, &rec);
		summary_add_record(&summary, &rec);
		if (with_filter) {
			add_filter(&summary, filter, sizeof(filter), &rec);
		}
	}
	if (predicates_add(&tests, name, text, NULL) == ST_OK &&
	    predicates_finish(tests, NULL) == ST_OK) {
		verdict = predicates_judge(tests, &summary);
		predicates_narrow(tests, batch);
		CU_ASSERT(verdict != PREDICATES_NONE || batch->selected == 0);
		CU_ASSERT(verdict != PREDICATES_ALL || batch->selected == batch->rows);
		verdicts[verdict]++;
	}
	predicates_free(tests);
	batch_free(batch);
}

static void test_records(void)
{
	GRand *rng = g_rand_new_with_seed(3);
	unsigned verdicts[3] = { 0 };

	for (unsigned round = 0; round < ROUNDS; round++) {
		const char *name = predicate_row_table[round % predicate_row_count].name;
		char text[100];

		if (drawn_test(rng, name, text, sizeof(text))) {
			unit_at("round %u: %s %s", round, name, text);
			check_round(rng, name, text, verdicts);
		}
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(verdicts); i++) {
		CU_ASSERT(verdicts[i] > ROUNDS / 20);
	}
	g_rand_free(rng);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "each kind of test", test_cases },
		{ "several tests, and their hashes", test_several },
		{ "records agree", test_records },
		{ NULL, NULL },
	};

	return unit_run("judge", cases);
}
