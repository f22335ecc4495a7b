/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/field.h"

#include <string.h>
#include <strings.h>

#include <glib.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

static void sample(struct record *rec, bool ipv6)
{
	record_init(rec);
	rec->sip = ip_from_v4(0x0a010203);
	rec->dip = ipv6 ? (struct ip){ 1, 2 } : ip_from_v4(0xc0a80001);
	rec->sport = 1025;
	rec->dport = 0x0803;
	rec->protocol = ipv6 ? 58 : 6;
	rec->packets = UINT64_C(5000000000);
	rec->bytes = UINT64_C(7000000000);
	rec->start_ns = 1234396800 * NS_PER_S + 123456789;
	rec->duration_ns = 61 * NS_PER_S + 5;
	rec->flags = 0x13;
	rec->initial_flags = 0x02;
	rec->session_flags = 0x11;
	rec->state = RECORD_TIMEOUT | (ipv6 ? RECORD_IPV6 : 0);
	rec->input = 70000;
	rec->output = 3;
	rec->application = 80;
	rec->sensor = 12;
	rec->flowtype = 3;
}

/* Names are unique; every row prints, packs what its key is, and comes back from it. */
static void test_rows(void)
{
	const struct field_context ctx = { .padded_flags = true };
	struct batch *batch = batch_new();
	struct record rec;

	for (int v6 = 0; v6 < 2; v6++) {
		sample(&rec, v6);
		batch_append(batch, &rec);
	}
	for (size_t i = 0; i < field_table_count; i++) {
		const struct field *field = &field_table[i];

		unit_at("%s", field->name);
		CU_ASSERT(strlen(field->help) > 0);
		CU_ASSERT(field->columns != 0);
		CU_ASSERT(field_width(field, &ctx) > 0);
		CU_ASSERT_FATAL(field->kind->key_size <= VALUE_KEY_MAX);
		for (size_t k = i + 1; k < field_table_count; k++) {
			CU_ASSERT(strcasecmp(field->name, field_table[k].name) != 0);
		}
		for (uint32_t row = 0; row < 2; row++) {
			char text[VALUE_TEXT_MAX], again[VALUE_TEXT_MAX];
			uint8_t key[VALUE_KEY_MAX], packed[2][VALUE_KEY_MAX];
			struct value value, back;
			size_t len;

			field->load(batch, row, &ctx, &value);
			len = field->kind->print(text, &value, field, &ctx);
			CU_ASSERT_EQUAL(len, strlen(text));
			field->kind->key(key, &value);
			field->pack(batch, packed[0], VALUE_KEY_MAX);
			CU_ASSERT_EQUAL(memcmp(packed[row], key, field->kind->key_size), 0);
			field->kind->from_key(&back, key);
			back.blank = value.blank;
			if (!value.is_v6 || !ip_is_mapped(value.ip)) {
				field->kind->print(again, &back, field, &ctx);
				UNIT_ASSERT_STR(again, text);
			}
		}
	}
	batch_free(batch);
}

static void test_print(void)
{
	static const struct {
		const char *field;
		uint32_t row; /* 0 IPv4, 1 IPv6 */
		struct field_context ctx;
		const char *expected;
	} cases[] = {
		{ "sIP", 0, { 0 }, "10.1.2.3" },
		{ "sIP", 1, { 0 }, "::ffff:10.1.2.3" },
		{ "dPort", 1, { 0 }, "2051" },
		{ "dPort", 1, { .icmp_type_and_code = true }, "3" },
		{ "sPort", 1, { .icmp_type_and_code = true }, "8" },
		{ "sPort", 0, { .icmp_type_and_code = true }, "1025" },
		{ "iType", 0, { 0 }, "" },
		{ "iType", 1, { 0 }, "8" },
		{ "iCode", 1, { 0 }, "3" },
		{ "flags", 0, { .padded_flags = true }, "FS  A   " },
		{ "flags", 0, { 0 }, "FSA" },
		{ "flags", 0, { .integer_tcp_flags = true }, "19" },
		{ "attributes", 0, { 0 }, "T" },
		{ "sTime", 0, { 0 }, "2009/02/12T00:00:00.123" },
		{ "sTime", 0, { .timestamp_format = TIMESTAMP_NO_MSEC }, "2009/02/12T00:00:00" },
		{ "sTime+msec",
		  0,
		  { .timestamp_format = TIMESTAMP_NO_MSEC },
		  "2009/02/12T00:00:00.123" },
		{ "eTime", 0, { .timestamp_format = TIMESTAMP_EPOCH }, "1234396861.123" },
		{ "dur", 0, { 0 }, "61.000" },
		{ "dur", 0, { .timestamp_format = TIMESTAMP_NO_MSEC }, "61" },
		{ "dur", 0, { .timestamp_format = TIMESTAMP_NANO }, "61.000000005" },
		{ "sensor", 0, { 0 }, "12" },
		{ "class", 0, { 0 }, "?" },
		{ "type", 0, { 0 }, "3" },
		{ "bytes", 0, { 0 }, "7000000000" },
	};
	struct batch *batch = batch_new();
	struct record rec;

	for (int v6 = 0; v6 < 2; v6++) {
		sample(&rec, v6);
		batch_append(batch, &rec);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct field *field = field_find(cases[i].field, NULL);
		char text[VALUE_TEXT_MAX];
		struct value value;

		unit_at("%s %zu", cases[i].field, i);
		CU_ASSERT_PTR_NOT_NULL_FATAL(field);
		field->load(batch, cases[i].row, &cases[i].ctx, &value);
		field->kind->print(text, &value, field, &cases[i].ctx);
		UNIT_ASSERT_STR(text, cases[i].expected);
	}
	batch_free(batch);
}

/* Keys order as their values do. */
static void test_key_order(void)
{
	static const struct {
		const char *field;
		struct value smaller, greater;
	} cases[] = {
		{ "sip", { .ip = { 0, 0xffff0a000001 } }, { .ip = { 0, 0xffff0a000002 } } },
		{ "sip", { .ip = { 0, UINT64_MAX } }, { .ip = { 1, 0 } } },
		{ "stime", { .ns = -1 }, { .ns = 0 } },
		{ "stime", { .ns = INT64_MIN }, { .ns = INT64_MAX } },
		{ "bytes", { .u = 255 }, { .u = 256 } },
		{ "sport", { .u = 255 }, { .u = 256 } },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct value_kind *kind = field_find(cases[i].field, NULL)->kind;
		uint8_t a[VALUE_KEY_MAX], b[VALUE_KEY_MAX];

		unit_at("%s %zu", cases[i].field, i);
		kind->key(a, &cases[i].smaller);
		kind->key(b, &cases[i].greater);
		CU_ASSERT(memcmp(a, b, kind->key_size) < 0);
	}
}

static void test_lists(void)
{
	static const struct {
		const char *text;
		unsigned flags;
		const char *expected; /* names, or the error in words */
	} cases[] = {
		{ "sip,DIP,3-5", 0, "sIP dIP sPort dPort protocol" },
		{ "pro,dura,pk", 0, "protocol duration packets" },
		{ "sip,,dip,", 0, "sIP dIP" },
		{ "", 0, "" },
		{ "25", 0, "iType iCode" },
		{ "1,1", FIELD_LIST_REPEATS, "sIP sIP" },
		{ "stime", 0, "sTime" },
		{ "sti", FIELD_LIST_NO_DEPRECATED, "sTime" },
		{ "sti", 0, "The field 'sti' matches multiple keys" },
		{ "1,1", 0, "Duplicate name 'sIP'" },
		{ "itype,25", 0, "Duplicate name 'iType'" },
		{ "22", FIELD_LIST_NO_DEPRECATED, "No match was found for the field '22'" },
		{ "5-3", 0, "Invalid numeric range '5-3'" },
		{ "nothing", 0, "No match was found for the field 'nothing'" },
		{ "1-99", 0, "No match was found for the field '16'" },
		{ " sip", 0, "No match was found for the field ' sip'; did you mean 'sIP'?" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct field **fields = NULL;
		GString *names = g_string_new(NULL);
		struct err err = { 0 };
		size_t count = 0;

		unit_at("'%s'", cases[i].text);
		if (field_parse_list(cases[i].text, cases[i].flags, &fields, &count, &err) ==
		    ST_OK) {
			for (size_t k = 0; k < count; k++) {
				g_string_append_printf(names, "%s%s", k ? " " : "",
						       fields[k]->name);
			}
		} else {
			g_string_assign(names, err.text);
		}
		UNIT_ASSERT_STR(names->str, cases[i].expected);
		g_string_free(names, TRUE);
		g_free(fields);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "rows", test_rows },   { "print", test_print }, { "key order", test_key_order },
		{ "lists", test_lists }, { NULL, NULL },
	};

	return unit_run("field", cases);
}
