/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/timebins.h"

#include <stdio.h>

#include <glib.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

#define DAY_MS INT64_C(86400000)
#define MINUTE INT64_C(60000)

/* Add the records one after the other. Returned: free with timebins_free(). */
static struct timebins *count(const struct timebins_opts *opts, const struct record *recs, size_t n)
{
	struct timeruns *runs = g_new0(struct timeruns, 1);
	struct batch *batch = batch_new();
	struct timebins *bins;
	struct timegrid grid;

	for (size_t i = 0; i < n; i++) {
		batch_append(batch, &recs[i]);
	}
	CU_ASSERT_EQUAL_FATAL(timebins_new(&bins, opts, NULL), ST_OK);
	grid = timebins_grid(bins);
	timeruns_gather(runs, &grid, batch);
	CU_ASSERT_EQUAL(timebins_add(bins, runs, NULL), ST_OK);
	batch_free(batch);
	g_free(runs);
	return bins;
}

/* A record from 23.457 s into a minute, of 300.1 s, 10 packets and 1000 bytes, in six bins. */
static char *render(const struct timebins_opts *opts)
{
	const int64_t start_ms = 20000 * DAY_MS + 617 * MINUTE + 23457;
	GString *out = g_string_new(NULL);
	struct timebins *bins;
	struct record rec;
	int64_t first, last;

	record_init(&rec);
	rec.start_ns = start_ms * NS_PER_MS;
	rec.duration_ns = 300100 * (uint64_t)NS_PER_MS;
	rec.packets = 10;
	rec.bytes = 1000;
	bins = count(opts, &rec, 1);
	timebins_range(bins, &first, &last);
	for (int64_t n = first; n <= last; n++) {
		const struct timebin *bin = timebins_at(bins, n);

		g_string_append_printf(out, "%s%d:%.2f/%.0f", out->len ? " " : "",
				       (int)((timebins_time(bins, n) - 20000 * DAY_MS) / MINUTE) -
					       617,
				       bin->records, bin->bytes);
	}
	timebins_free(bins);
	return g_string_free(out, FALSE);
}

static void test_schemes(void)
{
	static const struct {
		const char *scheme;
		const char *expected; /* minute:records/bytes */
	} cases[] = {
		{ "time", "0:0.12/122 1:0.20/200 2:0.20/200 3:0.20/200 4:0.20/200 5:0.08/79" },
		{ "0", "0:0.17/167 1:0.17/167 2:0.17/167 3:0.17/167 4:0.17/167 5:0.17/167" },
		{ "start-spike", "0:1.00/1000" },
		{ "2", "5:1.00/1000" },
		{ "mid", "2:1.00/1000" },
		{ "max", "0:1.00/1000 1:1.00/1000 2:1.00/1000 3:1.00/1000 4:1.00/1000 "
			 "5:1.00/1000" },
		{ "min", "" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct timebins_opts opts = { .size_ms = MINUTE };
		char *out;

		unit_at("%s", cases[i].scheme);
		CU_ASSERT_EQUAL(timebins_scheme_parse(cases[i].scheme, &opts.scheme, NULL), ST_OK);
		out = render(&opts);
		UNIT_ASSERT_STR(out, cases[i].expected);
		g_free(out);
	}
	CU_ASSERT_EQUAL(timebins_scheme_parse("m", &(enum timebins_scheme){ 0 }, NULL), ST_EINVAL);
	CU_ASSERT_EQUAL(timebins_scheme_parse("7", &(enum timebins_scheme){ 0 }, NULL), ST_EINVAL);
}

static void test_limits(void)
{
	const int64_t day_ms = 20000 * DAY_MS;
	const struct {
		const char *name;
		struct timebins_opts opts;
		const char *expected;
	} cases[] = {
		{ "start before",
		  { .has_start = true, .start_ms = day_ms + 616 * MINUTE },
		  "-1:0.00/0 0:0.00/0 1:0.00/0 2:0.00/0 3:0.00/0 4:0.00/0 5:1.00/1000" },
		{ "start behind",
		  { .has_start = true, .start_ms = day_ms + 700 * MINUTE },
		  "83:0.00/0" },
		{ "end inside",
		  { .has_end = true,
		    .end_ms = day_ms + 619 * MINUTE,
		    .last_ms = day_ms + 620 * MINUTE - 1 },
		  "" },
		{ "end behind",
		  { .has_end = true,
		    .end_ms = day_ms + 624 * MINUTE,
		    .last_ms = day_ms + 625 * MINUTE - 1 },
		  "5:1.00/1000 6:0.00/0 7:0.00/0" },
		{ "both",
		  { .has_start = true,
		    .has_end = true,
		    .start_ms = day_ms + 621 * MINUTE,
		    .end_ms = day_ms + 622 * MINUTE,
		    .last_ms = day_ms + 623 * MINUTE - 1 },
		  "4:0.00/0 5:1.00/1000" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct timebins_opts opts = cases[i].opts;
		char *out;

		opts.size_ms = MINUTE;
		opts.scheme = TIMEBINS_END_SPIKE;
		unit_at("%s", cases[i].name);
		out = render(&opts);
		UNIT_ASSERT_STR(out, cases[i].expected);
		g_free(out);
	}
}

/* Bins covered whole get the same, those at the ends what they overlap, also where limits cut. */
static void test_cut_shares(void)
{
	struct timebins_opts opts = {
		.size_ms = MINUTE,
		.scheme = TIMEBINS_TIME_PROPORTIONAL,
		.has_start = true,
		.has_end = true,
		.start_ms = 20000 * DAY_MS + 619 * MINUTE,
		.last_ms = 20000 * DAY_MS + 622 * MINUTE - 1,
	};
	char *out = render(&opts);

	UNIT_ASSERT_STR(out, "2:0.20/200 3:0.20/200 4:0.20/200");
	g_free(out);
	opts.last_ms += MINUTE;
	out = render(&opts);
	UNIT_ASSERT_STR(out, "2:0.20/200 3:0.20/200 4:0.20/200 5:0.08/79");
	g_free(out);
}

/*
 * A record long before the first one: the bins then begin there, or 2^21 bins further on, and
 * shares are told from where the bins begin. The figures are those of SiLK 3.22.1.
 */
static void test_bins_before_the_first(void)
{
	static const struct {
		int64_t size_ms;
		const char *expected; /* slot:bytes */
	} cases[] = {
		{ MINUTE, "0:125000000.00 1:875000000.00" },
		{ 60 * MINUTE, "1885423:124995131.05 1885424:874965917.32" },
		{ DAY_MS, "2088329:125728547.57 2088330:875070691.11" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct timebins_opts opts = {
			.size_ms = cases[i].size_ms,
			.scheme = TIMEBINS_TIME_PROPORTIONAL,
		};
		GString *out = g_string_new(NULL);
		struct record recs[2];
		struct timebins *bins;
		int64_t first, last;

		record_init(&recs[0]);
		recs[0].start_ns = INT64_C(1709309402938) * NS_PER_MS;
		recs[1] = recs[0];
		recs[1].start_ns = INT64_C(946857599999) * NS_PER_MS;
		recs[1].duration_ns = 7 * NS_PER_MS;
		recs[1].bytes = 1000000000;
		bins = count(&opts, recs, G_N_ELEMENTS(recs));
		timebins_range(bins, &first, &last);
		for (int64_t n = first; n < first + 2; n++) {
			g_string_append_printf(out, "%s%d:%.2f", out->len ? " " : "",
					       (int)timebins_slot(bins, n),
					       timebins_at(bins, n)->bytes);
		}
		UNIT_ASSERT_STR(out->str, cases[i].expected);
		g_string_free(out, TRUE);
		timebins_free(bins);
	}
}

/* Uniform shares of a record that begins before the start; with a bin, it counts as one bin more.
 */
static void test_uniform_before_the_start(void)
{
	static const struct {
		int64_t early_ms;
		double share;
	} cases[] = {
		{ 45000, 0.25 }, { 30000, 0.2 }, { 1000, 0.2 }, { 29999, 0.25 }, { 60000, 0.2 }
	};
	const struct timebins_opts opts = {
		.size_ms = MINUTE / 2,
		.scheme = TIMEBINS_BIN_UNIFORM,
		.has_start = true,
		.start_ms = 20000 * DAY_MS,
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct timebins *bins;
		struct record rec;

		unit_at("case %zu", i);
		record_init(&rec);
		rec.start_ns = (opts.start_ms - cases[i].early_ms) * NS_PER_MS;
		rec.duration_ns = 100 * (uint64_t)NS_PER_S;
		bins = count(&opts, &rec, 1);
		CU_ASSERT_DOUBLE_EQUAL(timebins_at(bins, 0)->records, cases[i].share, 1e-9);
		timebins_free(bins);
	}
}

static void test_too_many(void)
{
	const struct timebins_opts opts = {
		.size_ms = 1,
		.has_start = true,
		.has_end = true,
		.last_ms = 100 * DAY_MS,
	};
	struct timebins *bins;

	CU_ASSERT_EQUAL(timebins_new(&bins, &opts, NULL), ST_ELIMIT);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "schemes", test_schemes },
		{ "limits", test_limits },
		{ "shares of cut records", test_cut_shares },
		{ "bins before the first", test_bins_before_the_first },
		{ "uniform before the start", test_uniform_before_the_start },
		{ "too many bins", test_too_many },
		{ NULL, NULL },
	};

	return unit_run("timebins", cases);
}
