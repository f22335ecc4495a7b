/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "common/bigendian.h"
#include "packer/exporteroptions.h"
#include "tests/unit/unit.h"

#define FIELDS_MAX 8

/* One field of an options record of IPFIX, the first one is the scope. */
struct field_value {
	uint16_t number, len; /* 0: no more */
	uint64_t value;
};

static struct budget budget = { .max = UINT64_C(1) << 30 };

static void put(GByteArray *out, uint64_t value, size_t len)
{
	uint8_t bytes[8];

	put_be64(bytes, value);
	g_byte_array_append(out, bytes + sizeof(bytes) - len, (guint)len);
}

/* Define a template of the fields and take one record of it. */
static void take(struct exporteroptions *options, const struct field_value fields[FIELDS_MAX])
{
	struct template_bounds bounds = { { 4, 16, 1 }, &budget };
	struct templates *templates = templates_new(&bounds);
	GByteArray *definition = g_byte_array_new();
	GByteArray *record = g_byte_array_new();
	struct exporteroptions_seen seen;
	struct template_bytes bytes;
	struct template *tmpl = NULL;
	size_t count = 0;

	while (count < FIELDS_MAX && fields[count].number != 0) {
		count++;
	}
	put(definition, 256, 2);
	put(definition, count, 2);
	put(definition, 1, 2);
	for (size_t i = 0; i < count; i++) {
		put(definition, fields[i].number, 2);
		put(definition, fields[i].len, 2);
		put(record, fields[i].value, fields[i].len);
	}
	bytes = (struct template_bytes){ definition->data, definition->len };
	CU_ASSERT_EQUAL_FATAL(
		templates_take(templates, TEMPLATE_SET_IPFIX_OPTIONS, &bytes, &tmpl, NULL), ST_OK);
	bytes = (struct template_bytes){ record->data, record->len };
	CU_ASSERT_EQUAL(exporteroptions_take(options, tmpl, &bytes, &seen, NULL), ST_OK);
	UNIT_ASSERT_U64(bytes.left, 0);
	g_byte_array_free(record, TRUE);
	g_byte_array_free(definition, TRUE);
	templates_free(templates);
}

/* As Cisco's routers and others tell it: RFC 5477 8.2. */
static void test_intervals(void)
{
	static const struct {
		const char *name;
		struct field_value fields[FIELDS_MAX];
		uint64_t interval;
	} rows[] = {
		{ "samplingInterval", { { 149, 4, 1 }, { 34, 4, 100 }, { 35, 1, 2 } }, 100 },
		{ "samplerRandomInterval", { { 149, 4, 1 }, { 49, 1, 2 }, { 50, 4, 30 } }, 30 },
		{ "one in ten",
		  { { 149, 4, 1 }, { 304, 2, 1 }, { 305, 4, 1 }, { 306, 4, 9 } },
		  10 },
		{ "four in forty",
		  { { 149, 4, 1 }, { 304, 2, 1 }, { 305, 4, 4 }, { 306, 4, 36 } },
		  10 },
		{ "an interval without a space",
		  { { 149, 4, 1 }, { 304, 2, 3 }, { 305, 4, 1 } },
		  0 },
		{ "n out of N, and an interval without a space",
		  { { 149, 4, 1 }, { 305, 4, 1 }, { 304, 2, 3 }, { 309, 4, 1 }, { 310, 4, 256 } },
		  256 },
		{ "the algorithm says which",
		  { { 149, 4, 1 },
		    { 304, 2, 3 },
		    { 305, 4, 1 },
		    { 306, 4, 0 },
		    { 309, 4, 2 },
		    { 310, 4, 512 } },
		  256 },
		{ "and does not say which",
		  { { 149, 4, 1 },
		    { 304, 2, 3 },
		    { 305, 4, 1 },
		    { 306, 4, 7 },
		    { 309, 4, 0 },
		    { 310, 4, 0 } },
		  8 },
		{ "probability",
		  { { 149, 4, 1 }, { 304, 2, 4 }, { 311, 8, UINT64_C(0x3f50624dd2f1a9fc) } },
		  1000 },
		{ "probability as float32", { { 149, 4, 1 }, { 311, 4, 0x3c23d70a } }, 100 },
		{ "no probability",
		  { { 149, 4, 1 }, { 311, 8, UINT64_C(0x7ff8000000000000) } },
		  0 },
		{ "probability of zero", { { 149, 4, 1 }, { 311, 8, 0 } }, 0 },
		{ "nothing at all", { { 149, 4, 1 }, { 304, 2, 1 } }, 0 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct exporteroptions *options = exporteroptions_new(&budget);

		unit_at("%s", rows[i].name);
		take(options, rows[i].fields);
		UNIT_ASSERT_U64(exporteroptions_interval(options, EXPORTEROPTIONS_DOMAIN, 0),
				rows[i].interval);
		exporteroptions_free(options);
	}
	UNIT_ASSERT_U64(budget.used, 0);
}

/* Records of IPFIX that count from the boot are nothing without it. */
static void test_boot(void)
{
	static const struct field_value first[FIELDS_MAX] = { { 149, 4, 0 },
							      { 160, 8, UINT64_C(1700000000123) } };
	static const struct field_value again[FIELDS_MAX] = { { 149, 4, 0 },
							      { 160, 8, UINT64_C(1800000000000) } };
	static const struct field_value other[FIELDS_MAX] = { { 149, 4, 0 }, { 34, 4, 10 } };
	struct exporteroptions *options = exporteroptions_new(&budget);
	struct exporteroptions *loaded = exporteroptions_new(&budget);
	GByteArray *saved = g_byte_array_new();
	struct template_bytes bytes;

	UNIT_ASSERT_U64(exporteroptions_boot_ms(options), 0);
	take(options, first);
	take(options, other);
	UNIT_ASSERT_U64(exporteroptions_boot_ms(options), UINT64_C(1700000000123));
	take(options, again);
	exporteroptions_save(options, saved);
	bytes = (struct template_bytes){ saved->data, saved->len };
	CU_ASSERT_EQUAL(exporteroptions_load(loaded, bytes), ST_OK);
	UNIT_ASSERT_U64(exporteroptions_boot_ms(loaded), UINT64_C(1800000000000));
	UNIT_ASSERT_U64(exporteroptions_interval(loaded, EXPORTEROPTIONS_DOMAIN, 0), 10);
	g_byte_array_free(saved, TRUE);
	exporteroptions_free(loaded);
	exporteroptions_free(options);
	UNIT_ASSERT_U64(budget.used, 0);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "sampling intervals", test_intervals },
		{ "when the exporter booted", test_boot },
		{ NULL, NULL },
	};

	return unit_run("exporteroptions", cases);
}
