/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scanevents.h"

#include <glib.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

#define SOURCES     300
#define FLOWS       200 /* of a source */
#define BATCH_FLOWS 1000

/* Sources with flows by ICMP to one host after the other, every other one of them by UDP. */
struct run {
	unsigned made; /* flows */
	unsigned records;
	GArray *events; /* struct scanevent */
};

static bool next(void *arg, struct batch *batch)
{
	struct run *run = arg;

	batch->rows = batch->selected = 0;
	while (batch->selected < BATCH_FLOWS && run->made < SOURCES * FLOWS) {
		const unsigned source = run->made / FLOWS;
		const uint16_t row = (uint16_t)batch->selected++;

		batch->rows++;
		batch->selection[row] = row;
		batch->sip[row] = ip_from_v4(source / 2);
		batch->dip[row] = ip_from_v4(run->made % FLOWS * 7);
		batch->protocol[row] = source % 2 ? 17 : 1;
		batch->sport[row] = (uint16_t)run->made;
		batch->dport[row] = 2048;
		batch->packets[row] = 1 + run->made % 5;
		batch->bytes[row] = 100;
		batch->flags[row] = 0;
		batch->start_ns[row] = (int64_t)(run->made % FLOWS) * NS_PER_S;
		batch->duration_ns[row] = (uint64_t)NS_PER_S;
		run->made++;
	}
	return batch->selected > 0;
}

static void record(void *arg, const struct batch *batch, uint32_t row)
{
	((struct run *)arg)->records++;
}

static void take(void *arg, const struct scanevent *event)
{
	g_array_append_vals(((struct run *)arg)->events, event, 1);
}

static const struct scanmodel_opts model = { .models = SCANMODEL_BLR };

static void run_with(struct run *run, unsigned threads, bool one_by_one)
{
	const struct scanevents_opts opts = {
		.threads = threads,
		.one_by_one = one_by_one,
		.model = &model,
		.arg = run,
		.next = next,
		.record = record,
		.take = take,
	};

	run->events = g_array_new(FALSE, FALSE, sizeof(struct scanevent));
	scanevents_run(&opts);
}

static void check_events(const struct run *run, guint count)
{
	CU_ASSERT_EQUAL_FATAL(run->events->len, count);
	for (guint i = 0; i < count; i++) {
		const struct scanevent *event = &g_array_index(run->events, struct scanevent, i);
		const struct scanevent *like = &g_array_index(run->events, struct scanevent, i % 2);

		unit_at("event %u", i);
		CU_ASSERT_EQUAL(event->sip, i / 2);
		CU_ASSERT_EQUAL(event->protocol, i % 2 ? 17 : 1);
		UNIT_ASSERT_U64(event->flows, FLOWS);
		UNIT_ASSERT_U64(event->packets, 3 * FLOWS);
		UNIT_ASSERT_U64(event->bytes, 100 * FLOWS);
		CU_ASSERT_EQUAL(event->start_ns, 0);
		/* those that begin when the one before ends do not move the end, as in SiLK */
		CU_ASSERT_EQUAL(event->end_ns, (FLOWS - 1) * NS_PER_S);
		CU_ASSERT(event->verdict.probability > 0);
		CU_ASSERT_EQUAL(event->verdict.probability, like->verdict.probability);
		CU_ASSERT_EQUAL(event->verdict.is_scan, like->verdict.is_scan);
	}
}

static void test_threads(void)
{
	static const unsigned threads[] = { 1, 2, 7 };

	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
		struct run run = { 0 };

		run_with(&run, threads[i], false);
		check_events(&run, SOURCES);
		UNIT_ASSERT_U64(run.records, SOURCES * FLOWS);
		g_array_free(run.events, TRUE);
	}
}

static void test_one_by_one(void)
{
	struct run run = { 0 };

	run_with(&run, 4, true);
	check_events(&run, SOURCES);
	g_array_free(run.events, TRUE);
}

static const struct unit_case cases[] = {
	{ "the same with any number of threads", test_threads },
	{ "one by one", test_one_by_one },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("scanevents", cases);
}
