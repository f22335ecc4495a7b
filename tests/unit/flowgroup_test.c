/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/flowgroup.h"

#include <glib.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

static int collect(void *arg, const struct record *rec, struct err *err)
{
	g_string_append_printf(arg, "%u:%u ", rec->sport, ip_to_v4(rec->nhip));
	return rec->sport == 666 ? err_set(err, ST_EIO, "no more") : ST_OK;
}

struct step {
	uint32_t sip;
	uint16_t sport;
	int64_t start_s;
};

/* What comes out for records in batches of one. */
static char *run(struct flowgroup_spec *spec, const char *id, const struct step *steps,
		 size_t count, int *status)
{
	GString *out = g_string_new(NULL);
	const struct field *field = id ? field_find(id, NULL) : NULL;
	struct rowkey key;
	struct flowgroup *group;
	struct batch *batch = batch_new();

	rowkey_init(&key, &field, id ? 1 : 0);
	spec->key = &key;
	spec->write = collect;
	spec->arg = out;
	group = flowgroup_new(spec);
	*status = ST_OK;
	for (size_t i = 0; i < count && *status == ST_OK; i++) {
		struct record rec;

		record_init(&rec);
		rec.sip = ip_from_v4(steps[i].sip);
		rec.sport = steps[i].sport;
		rec.start_ns = steps[i].start_s * NS_PER_S;
		rec.packets = 1;
		batch_clear(batch, COLUMNS_ALL);
		batch_append(batch, &rec);
		*status = flowgroup_add(group, batch, NULL);
	}
	if (*status == ST_OK) {
		*status = flowgroup_finish(group, NULL);
	}
	flowgroup_free(group);
	batch_free(batch);
	return g_string_free(out, FALSE);
}

static const struct step steps[] = {
	{ 1, 1, 100 }, { 1, 2, 101 }, { 1, 3, 103 }, { 2, 4, 103 }, { 3, 5, 110 }, { 3, 6, 111 },
};

static void test_groups(void)
{
	static const struct {
		const char *id, *delta;
		uint64_t value;
		bool objective, summarize;
		uint32_t threshold;
		const char *expected;
	} cases[] = {
		{ "sIP", NULL, 0, false, false, 1, "1:7 2:7 3:7 4:8 5:9 6:9 " },
		{ "sIP", NULL, 0, false, false, 0, "1:7 2:7 3:7 4:8 5:9 6:9 " },
		{ "sIP", NULL, 0, false, false, 2, "1:7 2:7 3:7 5:9 6:9 " },
		{ "sIP", NULL, 0, false, false, 4, "" },
		{ "sIP", NULL, 0, false, true, 2, "1:7 5:9 " },
		{ NULL, "sTime", 2, false, false, 1, "1:7 2:7 3:7 4:7 5:8 6:8 " },
		{ NULL, "sTime", 2, true, false, 1, "1:7 2:7 3:8 4:8 5:9 6:9 " },
		{ "sIP", "sTime", 1, false, false, 1, "1:7 2:7 3:8 4:9 5:10 6:10 " },
		{ NULL, "sIP", 1, false, false, 1, "1:7 2:7 3:7 4:8 5:8 6:8 " },
		{ NULL, "sPort", 1, false, true, 6, "1:7 " },
		{ NULL, "sPort", 1, false, true, 7, "" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct flowgroup_spec spec = {
			.delta = cases[i].delta ? field_find(cases[i].delta, NULL) : NULL,
			.delta_value = cases[i].value,
			.objective = cases[i].objective,
			.summarize = cases[i].summarize,
			.threshold = cases[i].threshold,
			.offset = ip_from_v4(7),
		};
		int status;
		char *out = run(&spec, cases[i].id, steps, G_N_ELEMENTS(steps), &status);

		unit_at("case %zu", i);
		CU_ASSERT_EQUAL(status, ST_OK);
		UNIT_ASSERT_STR(out, cases[i].expected);
		g_free(out);
	}
}

static void test_failure(void)
{
	static const struct step few[] = { { 1, 1, 1 }, { 1, 666, 1 }, { 1, 3, 1 } };
	struct flowgroup_spec spec = { .offset = ip_from_v4(0), .threshold = 1 };
	int status;
	char *out = run(&spec, "sIP", few, G_N_ELEMENTS(few), &status);

	CU_ASSERT_EQUAL(status, ST_EIO);
	UNIT_ASSERT_STR(out, "1:0 666:0 ");
	g_free(out);
}

static void test_delta_fields(void)
{
	UNIT_ASSERT_U64(flowgroup_delta_max(field_find("sPort", NULL)), 65534);
	UNIT_ASSERT_U64(flowgroup_delta_max(field_find("dIP", NULL)), 127);
	UNIT_ASSERT_U64(flowgroup_delta_max(field_find("duration", NULL)), 4294967);
	UNIT_ASSERT_U64(flowgroup_delta_max(field_find("flags", NULL)), 0);
	UNIT_ASSERT_U64(flowgroup_delta_max(field_find("class", NULL)), 0);
}

static const struct unit_case cases[] = {
	{ "groups", test_groups },
	{ "failure", test_failure },
	{ "delta fields", test_delta_fields },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("flowgroup", cases);
}
