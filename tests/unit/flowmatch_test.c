/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/flowmatch.h"

#include <glib.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

struct step {
	uint8_t key;
	int64_t start_s;
	uint64_t duration_s;
	uint16_t sport, dport;
};

struct stream_of_steps {
	const struct step *steps;
	size_t at;
};

struct run {
	struct stream_of_steps streams[FLOWMATCH_SIDES];
	GString *out;
	int fail_at; /* record to fail at; -1: none */
};

static bool next(void *arg, enum flowmatch_side side, struct record *rec, const uint8_t **key)
{
	struct stream_of_steps *stream = &((struct run *)arg)->streams[side];
	const struct step *step = &stream->steps[stream->at];

	if (step->key == 0) {
		return false;
	}
	record_init(rec);
	rec->start_ns = step->start_s * NS_PER_S;
	rec->duration_ns = step->duration_s * (uint64_t)NS_PER_S;
	rec->sport = step->sport;
	rec->dport = step->dport;
	rec->protocol = 6;
	rec->memo = (uint16_t)++stream->at;
	*key = &step->key;
	return true;
}

static int print(void *arg, const struct record *rec, struct err *err)
{
	struct run *run = arg;
	uint32_t number = ip_to_v4(rec->nhip);

	if (run->fail_at-- == 0) {
		return err_set(err, ST_EIO, "no more");
	}
	g_string_append_printf(run->out, "%c%u:%u ", number >> 24 == 255 ? 'r' : 'q', rec->memo,
			       number & 0xffffff);
	return ST_OK;
}

/* Streams end with key 0. */
static char *match(const struct step *queries, const struct step *responses,
		   struct flowmatch_spec spec, int fail_at, int *status)
{
	struct run run = { { { queries, 0 }, { responses, 0 } }, g_string_new(NULL), fail_at };

	spec.key_size = 1;
	spec.next = next;
	spec.write = print;
	spec.arg = &run;
	*status = flowmatch_run(&spec, NULL);
	return g_string_free(run.out, FALSE);
}

#define BOTH                                                                                       \
	{                                                                                          \
		true, true                                                                         \
	}

#define AT(key_, start_, duration_)                                                                \
	{                                                                                          \
		.key = key_, .start_s = start_, .duration_s = duration_                            \
	}

static void test_matches(void)
{
	static const struct {
		const char *name;
		struct step queries[6], responses[6];
		struct flowmatch_spec spec;
		const char *expected;
	} cases[] = {
		{ "keys",
		  { AT(1, 0, 9), AT(3, 0, 9) },
		  { AT(2, 0, 9), AT(3, 5, 9) },
		  { .write_unmatched = BOTH },
		  "q1:0 r1:0 q2:1 r2:1 " },
		{ "nothing is asked for", { AT(1, 0, 9) }, { AT(2, 0, 9) }, { .delta_ns = 0 }, "" },
		{ "one side is empty",
		  { { 0 } },
		  { AT(2, 0, 9), AT(2, 1, 1) },
		  { .write_unmatched = { false, true } },
		  "r1:0 r2:0 " },
		{ "the end counts",
		  { AT(1, 0, 2) },
		  { AT(1, 2, 1) },
		  { .delta_ns = 0 },
		  "q1:1 r1:1 " },
		{ "too late", { AT(1, 0, 2) }, { AT(1, 3, 1) }, { .delta_ns = 0 }, "" },
		{ "delta",
		  { AT(1, 0, 2) },
		  { AT(1, 3, 1) },
		  { .delta_ns = NS_PER_S },
		  "q1:1 r1:1 " },
		{ "too early",
		  { AT(1, 1, 2) },
		  { AT(1, 0, 2) },
		  { .write_unmatched = BOTH },
		  "r1:0 q1:0 " },
		{ "symmetric",
		  { AT(1, 1, 2) },
		  { AT(1, 0, 2) },
		  { .symmetric = true },
		  "r1:1 q1:1 " },
		{ "absolute",
		  { AT(1, 0, 2), AT(1, 2, 3), AT(1, 4, 1) },
		  { AT(1, 1, 1), AT(1, 5, 1) },
		  { .write_unmatched = BOTH },
		  "q1:1 r1:1 q2:1 q3:2 r2:2 " },
		{ "relative",
		  { AT(1, 0, 2), AT(1, 2, 3), AT(1, 4, 1) },
		  { AT(1, 1, 1), AT(1, 5, 1) },
		  { .window = FLOWMATCH_RELATIVE },
		  "q1:1 r1:1 q2:1 q3:1 r2:1 " },
		{ "the answer's end moves no window",
		  { AT(1, 0, 1), AT(1, 4, 1) },
		  { AT(1, 1, 9) },
		  { .window = FLOWMATCH_RELATIVE, .write_unmatched = BOTH },
		  "q1:1 r1:1 q2:0 " },
		{ "infinite",
		  { AT(1, 0, 2), AT(1, 99, 3), AT(2, 99, 1) },
		  { AT(1, 1, 1) },
		  { .window = FLOWMATCH_INFINITE },
		  "q1:1 r1:1 q2:1 " },
		{ "a service is no base",
		  { { 1, 0, 1, 80, 5000 }, AT(1, 3, 1) },
		  { { 1, 0, 4, 5000, 80 } },
		  { .delta_ns = 0 },
		  "r1:1 q1:1 q2:1 " },
		{ "a client is",
		  { { 1, 0, 1, 5000, 80 }, AT(1, 3, 1) },
		  { { 1, 0, 4, 80, 5000 } },
		  { .delta_ns = 0 },
		  "q1:1 r1:1 " },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		int status;
		char *out = match(cases[i].queries, cases[i].responses, cases[i].spec, -1, &status);

		unit_at("%s", cases[i].name);
		CU_ASSERT_EQUAL(status, ST_OK);
		UNIT_ASSERT_STR(out, cases[i].expected);
		g_free(out);
	}
}

static void test_failure(void)
{
	static const struct step queries[] = { { 1, 0, 9, 0, 0 }, { 1, 1, 9, 0, 0 }, { 0 } };
	static const struct step responses[] = { { 1, 1, 9, 0, 0 }, { 0 } };
	const struct flowmatch_spec spec = { .write_unmatched = BOTH };

	for (int i = 0; i < 3; i++) {
		int status;
		char *out = match(queries, responses, spec, i, &status);

		CU_ASSERT_EQUAL(status, ST_EIO);
		g_free(out);
	}
}

static const struct unit_case cases[] = {
	{ "matches", test_matches },
	{ "failure", test_failure },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("flowmatch", cases);
}
