/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/flowfield.h"

#include "query/flowrate.h"
#include "tests/unit/unit.h"

static struct batch *batch_of(const struct record *rec)
{
	struct batch *batch = batch_new();

	batch_clear(batch, COLUMNS_ALL);
	batch_append(batch, rec);
	return batch;
}

static void test_payload(void)
{
	static const struct {
		uint8_t protocol;
		bool ipv6;
		uint64_t packets, bytes, payload;
	} cases[] = {
		{ 6, false, 2, 100, 20 }, { 17, false, 2, 100, 44 },
		{ 1, false, 2, 100, 60 }, { 6, true, 1, 100, 40 },
		{ 17, true, 1, 100, 52 }, { 58, true, 1, 100, 60 },
		{ 6, false, 2, 79, 0 },   { 6, false, UINT64_MAX, UINT64_MAX, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct record rec;
		struct batch *batch;

		record_init(&rec);
		rec.protocol = cases[i].protocol;
		rec.packets = cases[i].packets;
		rec.bytes = cases[i].bytes;
		rec.state = cases[i].ipv6 ? RECORD_IPV6 : 0;
		batch = batch_of(&rec);
		unit_at("case %zu", i);
		UNIT_ASSERT_U64(flow_payload(batch, 0), cases[i].payload);
		batch_free(batch);
	}
}

static void test_rates(void)
{
	char text[32];

	UNIT_ASSERT_U64(flowfield_thousandths(flow_rate(10, 2000000000, 1)), 5000);
	UNIT_ASSERT_U64(flowfield_thousandths(flow_rate(10, 0, FLOWRATE_ZERO_NS)), 25000000);
	UNIT_ASSERT_U64(flowfield_thousandths(flow_rate(UINT64_MAX, 0, 1)), UINT64_MAX);
	flowfield_print_thousandths(text, 0);
	UNIT_ASSERT_STR(text, "0.000");
	flowfield_print_thousandths(text, 1234056);
	UNIT_ASSERT_STR(text, "1234.056");
}

static void test_names(void)
{
	static const struct {
		unsigned plugins;
		const char *name;
		const char *found; /* "": nothing */
	} cases[] = {
		{ 0, "payload-bytes", "payload-bytes" },
		{ 0, "PAYLOAD-B", "payload-bytes" },
		{ 0, "payload-", "" },
		{ 0, "fl", "flags" },
		{ 0, "flowk", "flowkey" },
		{ FLOWFIELD_KEY, "fl", "" },
		{ 0, "match", "<->Match#" },
		{ 0, "int-ip", "" }, /* nothing tells what is inside */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct flowfield_setup setup = { .plugins = cases[i].plugins };
		struct flowfields *flows = flowfields_new(&setup);
		struct extfields *ext = extfields_new();
		const struct field *field;
		struct err err;

		flowfields_register(flows, ext);
		field = extfields_find(ext, cases[i].name, 0, &err);
		unit_at("%s", cases[i].name);
		UNIT_ASSERT_STR(field ? field->name : "", cases[i].found);
		extfields_free(ext);
		flowfields_free(flows);
	}
}

/* What a field loads, packs and takes back out of a key is the same. */
static void test_keys(void)
{
	struct flowfield_setup setup = { .zero_ns = FLOWRATE_ZERO_NS, .has_sides = true };
	struct flowfields *flows = flowfields_new(&setup);
	struct extfields *ext = extfields_new();
	const struct field_context ctx = { 0 };
	const struct field *field;
	struct record rec;
	struct batch *batch;

	record_init(&rec);
	rec.protocol = 17;
	rec.packets = 7;
	rec.bytes = 1000;
	rec.duration_ns = 3000000000;
	rec.nhip = ip_from_v4(0x01000007);
	rec.sip = ip_from_v4(0x0a000001);
	batch = batch_of(&rec);
	flowfields_register(flows, ext);
	for (size_t i = 0; (field = extfields_added(ext, i)) != NULL; i++) {
		char text[2][VALUE_TEXT_MAX];
		uint8_t key[VALUE_KEY_MAX];
		struct value value;

		field_load(field, batch, 0, &ctx, &value);
		text[0][field->kind->print(text[0], &value, field, &ctx)] = '\0';
		field_pack(field, batch, key, sizeof(key));
		field->kind->from_key(&value, key);
		text[1][field->kind->print(text[1], &value, field, &ctx)] = '\0';
		unit_at("%s", field->name);
		UNIT_ASSERT_STR(text[1], text[0]);
		CU_ASSERT(field_width(field, &ctx) > 0);
	}
	batch_free(batch);
	extfields_free(ext);
	flowfields_free(flows);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "payload", test_payload }, { "rates", test_rates }, { "names", test_names },
		{ "keys", test_keys },       { NULL, NULL },
	};

	return unit_run("flowfield", cases);
}
