/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/flowcombine.h"

#include <glib.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

static int print(void *arg, const struct record *rec, struct err *err)
{
	g_string_append_printf(arg, "%s%s%d-%d/%u ", rec->state & RECORD_TIMEOUT ? "T" : "",
			       rec->state & RECORD_CONTINUED ? "C" : "",
			       (int)(rec->start_ns / NS_PER_S),
			       (int)(record_end_ns(rec) / NS_PER_S), (unsigned)rec->packets);
	return rec->packets == 666 ? err_set(err, ST_EIO, "no more") : ST_OK;
}

struct piece {
	const char *marks; /* N: of a new session */
	int start_s, end_s;
	uint64_t packets;
};

static int add_all(struct flowcombine *combine, const struct piece *pieces)
{
	int status = ST_OK;

	for (; pieces->marks && status == ST_OK; pieces++) {
		struct record rec;
		bool is_new = false;

		record_init(&rec);
		rec.start_ns = pieces->start_s * NS_PER_S;
		rec.duration_ns = (uint64_t)((pieces->end_s - pieces->start_s) * NS_PER_S);
		rec.packets = pieces->packets;
		for (const char *mark = pieces->marks; *mark; mark++) {
			rec.state |= *mark == 'T' ? RECORD_TIMEOUT : 0;
			rec.state |= *mark == 'C' ? RECORD_CONTINUED : 0;
			is_new = is_new || *mark == 'N';
		}
		status = flowcombine_add(combine, &rec, is_new, NULL);
	}
	return status == ST_OK ? flowcombine_finish(combine, NULL) : status;
}

static void test_joining(void)
{
	static const struct {
		int64_t max_idle_s; /* -1: any */
		struct piece pieces[5];
		const char *expected;
	} cases[] = {
		{ -1, { { "T", 0, 1, 1 }, { "TC", 1, 2, 2 }, { "C", 2, 3, 3 } }, "0-3/6 " },
		{ -1, { { "T", 0, 1, 1 }, { "CN", 1, 2, 2 } }, "T0-1/1 C1-2/2 " },
		{ -1, { { "C", 0, 1, 1 }, { "T", 1, 2, 2 }, { "C", 9, 9, 1 } }, "C0-1/1 1-9/3 " },
		{ 2, { { "T", 0, 1, 1 }, { "TC", 3, 4, 2 }, { "C", 7, 8, 3 } }, "T0-4/3 C7-8/3 " },
		{ 0, { { "T", 0, 9, 1 }, { "C", 3, 4, 2 } }, "0-4/3 " },
		{ -1, { { "T", 0, 1, UINT32_MAX }, { "C", 1, 2, 1 } }, "T0-1/4294967295 C1-2/1 " },
		{ -1, { { NULL, 0, 0, 0 } }, "" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		GString *out = g_string_new(NULL);
		struct flowcombine combine;

		unit_at("case %zu", i);
		flowcombine_init(&combine,
				 cases[i].max_idle_s < 0 ? FLOWCOMBINE_ANY_IDLE
							 : cases[i].max_idle_s * NS_PER_S,
				 print, out);
		CU_ASSERT_EQUAL(add_all(&combine, cases[i].pieces), ST_OK);
		UNIT_ASSERT_STR(out->str, cases[i].expected);
		g_string_free(out, TRUE);
	}
}

static void test_counts(void)
{
	static const struct piece pieces[] = {
		{ "T", 0, 1, 1 },  { "C", 6, 7, 1 },  { "TN", 0, 1, 1 },  { "TC", 0, 2, 1 },
		{ "CN", 5, 6, 1 }, { "TN", 0, 9, 1 }, { "TCN", 0, 1, 1 }, { NULL, 0, 0, 0 },
	};
	GString *out = g_string_new(NULL);
	struct flowcombine combine;
	const struct flowcombine_counts *counts = &combine.counts;

	flowcombine_init(&combine, FLOWCOMBINE_ANY_IDLE, print, out);
	CU_ASSERT_EQUAL(add_all(&combine, pieces), ST_OK);
	UNIT_ASSERT_U64(counts->added, 7);
	UNIT_ASSERT_U64(counts->complete, 1);
	UNIT_ASSERT_U64(counts->missing_end, 2);
	UNIT_ASSERT_U64(counts->missing_start, 1);
	UNIT_ASSERT_U64(counts->missing_both, 1);
	UNIT_ASSERT_U64(counts->eliminated, 2);
	UNIT_ASSERT_U64(counts->idle_min_ms, (uint64_t)-1000);
	UNIT_ASSERT_U64(counts->idle_max_ms, 5000);
	g_string_free(out, TRUE);
}

/* Idle times of pairs, and what SiLK 3.22.1 makes of them; overlaps have no sign. */
static void test_idle_times(void)
{
	static const struct {
		int idle_s[6]; /* ends with 99 */
		uint64_t min_ms, before_max_ms, max_ms;
	} cases[] = {
		{ { 99 }, UINT64_MAX, 0, 0 },
		{ { 5, 4, 6, 99 }, 4000, 5000, 6000 },
		{ { 1, 2, 3, -1, 4, 99 }, 4000, 2000, 3000 },
		{ { -1, 5, 99 }, 5000, 0, (uint64_t)-1000 },
		{ { 5, -1, 6, 7, 99 }, 6000, 5000, 7000 },
		{ { 5, -1, -2, 99 }, (uint64_t)-2000, 0, 5000 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		GString *out = g_string_new(NULL);
		struct flowcombine combine;

		unit_at("case %zu", i);
		flowcombine_init(&combine, FLOWCOMBINE_ANY_IDLE, print, out);
		for (const int *idle_s = cases[i].idle_s; *idle_s != 99; idle_s++) {
			const struct piece pair[] = {
				{ "TN", 0, 10, 1 },
				{ "C", 10 + *idle_s, 20 + *idle_s, 1 },
				{ NULL, 0, 0, 0 },
			};

			CU_ASSERT_EQUAL(add_all(&combine, pair), ST_OK);
		}
		UNIT_ASSERT_U64(combine.counts.idle_min_ms, cases[i].min_ms);
		UNIT_ASSERT_U64(combine.counts.idle_before_max_ms, cases[i].before_max_ms);
		UNIT_ASSERT_U64(combine.counts.idle_max_ms, cases[i].max_ms);
		g_string_free(out, TRUE);
	}
}

static void test_failure(void)
{
	static const struct piece pieces[] = {
		{ "T", 0, 1, 666 },
		{ "T", 1, 2, 1 },
		{ "T", 2, 3, 1 },
		{ NULL, 0, 0, 0 },
	};
	GString *out = g_string_new(NULL);
	struct flowcombine combine;

	flowcombine_init(&combine, FLOWCOMBINE_ANY_IDLE, print, out);
	CU_ASSERT_EQUAL(add_all(&combine, pieces), ST_EIO);
	UNIT_ASSERT_STR(out->str, "T0-1/666 ");
	g_string_free(out, TRUE);
}

static const struct unit_case cases[] = {
	{ "joining", test_joining },
	{ "counts", test_counts },
	{ "idle times", test_idle_times },
	{ "failure", test_failure },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("flowcombine", cases);
}
