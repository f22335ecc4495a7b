/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/extfield.h"

#include <glib.h>
#include <string.h>

#include "common/text.h"
#include "tests/unit/unit.h"

#define SIGN (UINT64_C(1) << 63)

/* A batch of one row that has a value of element n. */
static struct batch_extension *one_row(struct batch *batch, size_t n, uint8_t type)
{
	struct batch_extension *column = batch_extension(batch, n);
	struct record rec;

	batch_clear(batch, COLUMNS_ALL);
	record_init(&rec);
	batch_append(batch, &rec);
	column->any = true;
	column->type = type;
	column->present[0] = 1;
	return column;
}

static void print(const struct field *field, const struct batch *batch, char separator, char *out)
{
	const struct field_context ctx = { .separator = separator };
	struct value value;

	field_load(field, batch, 0, &ctx, &value);
	out[field->kind->print(out, &value, field, &ctx)] = '\0';
}

static void test_names(void)
{
	static const struct {
		const char *text;
		const char *name; /* NULL: none */
		bool extension;
	} names[] = {
		{ "sip", "sIP", false },
		{ "pro", "protocol", false },
		{ "octetDeltaCount", "bytes", false },
		{ "destinationIPv6Address", "dIP", false },
		{ "6871/33", "application", false },
		{ "SamplingPacketInterval", "samplingPacketInterval", true },
		{ "ie305", "samplingPacketInterval", true },
		{ "0/305", "samplingPacketInterval", true },
		{ "9/1", "9/1", true },
		{ "inname", "inName", true },
		{ "applicationName", "applicationName", true },
		{ "samplingPacketInterva", NULL, false },
		{ "9/", NULL, false },
	};
	struct extfields *ext = extfields_new();
	const struct field **fields = NULL;
	size_t count = 0;
	struct err err;

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		const struct field *field = extfields_find(ext, names[i].text, 0, &err);

		unit_at("%s", names[i].text);
		CU_ASSERT_EQUAL(field != NULL, names[i].name != NULL);
		if (field != NULL && names[i].name != NULL) {
			UNIT_ASSERT_STR(field->name, names[i].name);
			CU_ASSERT_EQUAL(field->is_extension, names[i].extension);
			CU_ASSERT_PTR_EQUAL(field, extfields_find(ext, names[i].text, 0, &err));
		}
	}
	CU_ASSERT_EQUAL(
		extfields_parse_list(ext, "sIP,ie225,3-5,userName", 0, &fields, &count, &err),
		ST_OK);
	UNIT_ASSERT_U64(count, 6);
	UNIT_ASSERT_STR(fields[1]->name, "postNATSourceIPv4Address");
	UNIT_ASSERT_STR(fields[5]->name, "userName");
	g_free(fields);
	CU_ASSERT_EQUAL(extfields_parse_list(ext, "ie225,postNATSourceIPv4Address", 0, &fields,
					     &count, &err),
			ST_EINVAL);
	extfields_free(ext);
	extfields_free(NULL);
}

static void test_numbers(void)
{
	static const struct {
		uint8_t type;
		uint64_t held;
		const char *text;
	} values[] = {
		{ IE_UNSIGNED64, UINT64_MAX, "18446744073709551615" },
		{ IE_SIGNED8, (uint64_t)INT64_C(-128) ^ SIGN, "-128" },
		{ IE_SIGNED64, 0, "-9223372036854775808" },
		{ IE_SIGNED32, 5 ^ SIGN, "5" },
		{ IE_FLOAT32, 0x3fc00000, "1.5" },
		{ IE_FLOAT64, UINT64_C(0xbff8000000000000), "-1.5" },
		{ IE_FLOAT64, UINT64_C(0x7ff0000000000000), "inf" },
		{ IE_BOOLEAN, 1, "true" },
		{ IE_BOOLEAN, 2, "false" },
		{ IE_BOOLEAN, 3, "3" },
		{ IE_MAC_ADDRESS, UINT64_C(0x00163e0a0b0c), "00:16:3e:0a:0b:0c" },
		{ IE_SECONDS, 1709618400, "2024/03/05T06:00:00.000" },
		{ IE_SECONDS, UINT64_MAX, "18446744073709551615" },
		{ IE_MILLISECONDS, UINT64_C(1709618400123), "2024/03/05T06:00:00.123" },
		{ IE_NANOSECONDS, UINT64_C(1709618400123456789) ^ SIGN, "2024/03/05T06:00:00.123" },
		{ IE_MICROSECONDS, UINT64_C(1709618400123456000) ^ SIGN,
		  "2024/03/05T06:00:00.123" },
	};
	struct extfields *ext = extfields_new();
	const struct field *field = extfields_find(ext, "9/1", 0, NULL);
	struct batch *batch = batch_new();
	char out[TEXT_CELL_MAX];

	extfields_want(ext, batch);
	for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
		unit_at("%zu: %s", i, values[i].text);
		one_row(batch, 0, values[i].type)->numbers[0] = values[i].held;
		print(field, batch, '|', out);
		UNIT_ASSERT_STR(out, values[i].text);
	}
	batch_extension(batch, 0)->present[0] = 0;
	print(field, batch, '|', out);
	UNIT_ASSERT_STR(out, "");
	batch_free(batch);
	extfields_free(ext);
}

static void test_text(void)
{
	static const struct {
		const char *bytes;
		size_t len;
		char separator;
		const char *text;
	} values[] = {
		{ "", 0, '|', "" },
		{ "plain", 5, '|', "plain" },
		{ "a|b\\c,d", 7, '|', "a\\|b\\\\c,d" },
		{ "a|b,c", 5, ',', "a|b\\,c" },
		{ "a|b\\\n", 5, '\0', "a|b\\\n" },
		{ "\x1b[0m\t\x7f", 6, '|', "\\x1b[0m\\x09\\x7f" },
		{ "nul\0byte", 8, '|', "nul\\x00byte" },
		{ "gr\xc3\xbc\xc3\x9f", 6, '|', "gr\xc3\xbc\xc3\x9f" },
		{ "\xff\xc3", 2, '|', "\\xff\\xc3" },
		{ "\xff\xc3", 2, '\0', "\\xff\\xc3" },
	};
	struct extfields *ext = extfields_new();
	const struct field *field = extfields_find(ext, "userName", 0, NULL);
	struct batch *batch = batch_new();
	char *longer = g_malloc(70000);
	char out[TEXT_CELL_MAX];

	extfields_want(ext, batch);
	for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
		unit_at("%zu", i);
		one_row(batch, 0, IE_STRING)->strings[0] =
			(struct batch_bytes){ (const uint8_t *)values[i].bytes, values[i].len };
		print(field, batch, values[i].separator, out);
		UNIT_ASSERT_STR(out, values[i].text);
	}
	for (uint8_t type = IE_OCTET_ARRAY; type <= IE_STRING; type += IE_STRING) {
		unit_at("long value of type %u", type);
		memset(longer, '|', 65535);
		one_row(batch, 0, type)->strings[0] =
			(struct batch_bytes){ (uint8_t *)longer, 65535 };
		memset(out, 'x', sizeof(out));
		print(field, batch, '|', out);
		CU_ASSERT(strlen(out) < 4010 && strlen(out) > 3900);
		CU_ASSERT_EQUAL(strcmp(out + strlen(out) - 3, "..."), 0);
	}
	one_row(batch, 0, IE_OCTET_ARRAY)->strings[0] =
		(struct batch_bytes){ (const uint8_t *)"\x00\xff", 2 };
	print(field, batch, '|', out);
	UNIT_ASSERT_STR(out, "0x00ff");
	g_free(longer);
	batch_free(batch);
	extfields_free(ext);
}

/* Keys of two values, of one field, in that order; and back. */
static void check_order(struct extfields *ext, const char *name, uint8_t type, uint64_t low,
			uint64_t high)
{
	const struct field *field = extfields_find(ext, name, 0, NULL);
	struct batch *batch = batch_new();
	uint8_t keys[3][VALUE_KEY_MAX] = { { 0 } };
	struct value value;

	extfields_want(ext, batch);
	CU_ASSERT_FATAL(field->kind->key_size <= VALUE_KEY_MAX);
	for (unsigned i = 0; i < 3; i++) {
		for (size_t n = 0; n < batch_extension_count(batch); n++) {
			struct batch_extension *column = one_row(batch, n, type);

			column->numbers[0] = i == 1 ? low : high;
			column->present[0] = i > 0;
		}
		field_pack(field, batch, keys[i], sizeof(keys[i]));
	}
	CU_ASSERT(memcmp(keys[0], keys[1], field->kind->key_size) < 0);
	CU_ASSERT(memcmp(keys[1], keys[2], field->kind->key_size) < 0);
	field->kind->from_key(&value, keys[0]);
	CU_ASSERT(value.blank);
	field->kind->from_key(&value, keys[1]);
	CU_ASSERT(!value.blank && value.ie_type == type);
	UNIT_ASSERT_U64(value.u, low);
	batch_free(batch);
}

static void test_keys(void)
{
	struct extfields *ext = extfields_new();
	const uint64_t minus_two = UINT64_C(0xc000000000000000);
	const uint64_t minus_one = UINT64_C(0xbff0000000000000);

	check_order(ext, "samplingPacketInterval", IE_UNSIGNED32, 1, 256);
	check_order(ext, "samplingPacketInterval", IE_SIGNED32, (uint64_t)INT64_C(-1) ^ SIGN,
		    0 ^ SIGN);
	check_order(ext, "9/1", IE_FLOAT64, minus_two, minus_one);
	check_order(ext, "9/1", IE_FLOAT64, minus_one, UINT64_C(0x3ff0000000000000));
	check_order(ext, "9/1", IE_FLOAT32, 0xbf800000, 0x3f800000);
	check_order(ext, "9/1", IE_MAC_ADDRESS, 7, UINT64_C(0xffffffffffff));
	extfields_free(ext);
}

static void test_text_keys(void)
{
	static const char *const texts[] = { "a", "b", "bb" };
	struct extfields *ext = extfields_new();
	const struct field *field = extfields_find(ext, "userName", 0, NULL);
	struct batch *batch = batch_new();
	uint8_t keys[6][VALUE_KEY_MAX];
	char longer[2][201];
	struct value value;

	extfields_want(ext, batch);
	memset(longer, 'x', sizeof(longer));
	longer[1][200] = 'y';
	for (unsigned i = 0; i < 6; i++) {
		/* a copy that is gone when the key is looked at */
		uint8_t *copy = i < 3 ? g_memdup2(texts[i], strlen(texts[i]))
				      : g_memdup2(longer[i == 4], sizeof(longer[0]));

		one_row(batch, 0, IE_STRING)->strings[0] =
			(struct batch_bytes){ copy, i < 3 ? strlen(texts[i]) : sizeof(longer[0]) };
		field_pack(field, batch, keys[i], sizeof(keys[i]));
		g_free(copy);
	}
	CU_ASSERT(memcmp(keys[0], keys[1], VALUE_KEY_MAX) < 0);
	CU_ASSERT(memcmp(keys[1], keys[2], VALUE_KEY_MAX) < 0);
	/* alike in the prefix, but not the same; the last is the one before */
	CU_ASSERT(memcmp(keys[3], keys[4], VALUE_KEY_MAX) != 0);
	CU_ASSERT(memcmp(keys[3], keys[5], VALUE_KEY_MAX) == 0);
	field->kind->from_key(&value, keys[4]);
	CU_ASSERT_EQUAL_FATAL(value.bytes.len, sizeof(longer[0]));
	CU_ASSERT(memcmp(value.bytes.bytes, longer[1], sizeof(longer[1])) == 0);
	batch_free(batch);
	extfields_free(ext);
}

static const char *find_label(void *arg, const struct extfield_question *question)
{
	CU_ASSERT_PTR_EQUAL(arg, &find_label);
	CU_ASSERT_EQUAL(question->sensor, 7);
	if (question->label == EXTFIELD_APPLICATION) {
		return question->bytes.len == 4 ? "app" : NULL;
	}
	return question->number == 3 ? "eth3" : NULL;
}

static void test_labels(void)
{
	struct extfields *ext = extfields_new();
	const struct field *in = extfields_find(ext, "inName", 0, NULL);
	const struct field *out_name = extfields_find(ext, "outName", 0, NULL);
	const struct field *application = extfields_find(ext, "applicationName", 0, NULL);
	struct batch *batch = batch_new();
	char out[TEXT_CELL_MAX];

	CU_ASSERT(extfields_need_labels(ext));
	CU_ASSERT(in->columns & COLUMN_BIT(COLUMN_INPUT));
	extfields_want(ext, batch);
	UNIT_ASSERT_U64(batch_extension_count(batch), 2);
	one_row(batch, 0, IE_OCTET_ARRAY)->strings[0] =
		(struct batch_bytes){ (const uint8_t *)"\x0d\x00\x01\xc5", 4 };
	batch->sensor[0] = 7;
	batch->input[0] = 3;
	batch->output[0] = 4;
	print(in, batch, '|', out);
	UNIT_ASSERT_STR(out, "");
	extfields_set_labels(ext, find_label, (void *)(uintptr_t)&find_label);
	print(in, batch, '|', out);
	UNIT_ASSERT_STR(out, "eth3");
	print(out_name, batch, '|', out);
	UNIT_ASSERT_STR(out, "");
	print(application, batch, '|', out);
	UNIT_ASSERT_STR(out, "app");
	/* a record that tells the name itself */
	*batch_extension(batch, 1) = *batch_extension(batch, 0);
	batch_extension(batch, 1)->type = IE_STRING;
	batch_extension(batch, 1)->strings[0] = (struct batch_bytes){ (const uint8_t *)"own", 3 };
	print(application, batch, '|', out);
	UNIT_ASSERT_STR(out, "own");
	batch_free(batch);
	extfields_free(ext);
}

static const struct unit_case cases[] = {
	{ "names", test_names }, { "numbers", test_numbers },        { "text", test_text },
	{ "keys", test_keys },   { "keys of text", test_text_keys }, { "labels", test_labels },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("extfield", cases);
}
