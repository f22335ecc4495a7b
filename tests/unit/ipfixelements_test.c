/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/ipfixelements.h"

#include <string.h>

#include <glib.h>

#include "tests/unit/unit.h"

#define SIGN (UINT64_C(1) << 63)

/* What a row may have: a number, a string, an address, a signed number, a list, one of no IPFIX,
 * one with another type than its element, and one that is a field of every record. */
enum { RATE, USER, ADDRESS, DELTA, LIST, FOREIGN, ODD, DURATION, COLUMNS };
static const struct {
	struct ie_key key;
	uint8_t type;
} columns[COLUMNS] = {
	[RATE] = { { 0, 305 }, IE_UNSIGNED32 },      [USER] = { { 0, 371 }, IE_STRING },
	[ADDRESS] = { { 0, 281 }, IE_IPV6_ADDRESS }, [DELTA] = { { 9, 12 }, IE_SIGNED16 },
	[LIST] = { { 0, 292 }, IE_BASIC_LIST },      [FOREIGN] = { { 0, 40000 }, IE_UNSIGNED8 },
	[ODD] = { { 0, 225 }, IE_OCTET_ARRAY },      [DURATION] = { { 0, 161 }, IE_UNSIGNED32 },
};

static struct batch *batch_of_columns(void)
{
	struct batch *batch = batch_new();
	struct record rec;

	for (size_t i = 0; i < COLUMNS; i++) {
		batch_want(batch, columns[i].key);
	}
	batch_clear(batch, COLUMNS_ALL);
	record_init(&rec);
	batch_append(batch, &rec);
	for (size_t i = 0; i < COLUMNS; i++) {
		struct batch_extension *column = batch_extension(batch, i);

		column->any = true;
		column->type = columns[i].type;
		column->present[0] = 0;
	}
	return batch;
}

/* Row 0 has these columns, bits 1 << number. */
static void have(struct batch *batch, unsigned which)
{
	for (size_t i = 0; i < COLUMNS; i++) {
		batch_extension(batch, i)->present[0] = which >> i & 1;
	}
}

static void test_sets(void)
{
	static const struct {
		unsigned which;
		uint16_t kind;
		bool always;
		int number; /* -1: no set */
		size_t bytes;
	} cases[] = {
		{ 0, 0, false, -1, 0 },
		{ 1 << LIST | 1 << FOREIGN | 1 << ODD | 1 << DURATION, 0, false, -1, 0 },
		{ 1 << RATE, 0, false, 0, 4 },
		{ 1 << RATE | 1 << LIST, 0, false, 0, 4 },
		{ 1 << RATE, 1, false, 1, 4 },
		{ 1 << RATE | 1 << USER, 0, false, 2, 20 },
		{ 1 << RATE, 0, true, 0, 4 },
		{ 0, 0, true, 3, 0 },
		{ 0, 1, true, 4, 0 },
		{ 0, 0, true, 3, 0 },
		{ 1 << RATE | 1 << USER | 1 << ADDRESS | 1 << DELTA, 0, false, 5, 38 },
	};
	fbInfoModel_t *model = fbInfoModelAlloc();
	struct ipfixelements *elements = ipfixelements_new(model);
	struct batch *batch = batch_of_columns();

	batch_extension(batch, USER)->strings[0] = (struct batch_bytes){ (const uint8_t *)"x", 1 };
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct ipfixelements_set *set;

		unit_at("case %zu", i);
		have(batch, cases[i].which);
		set = ipfixelements_of_row(elements, batch, 0, cases[i].kind, cases[i].always);
		CU_ASSERT_EQUAL(set ? (int)set->number : -1, cases[i].number);
		UNIT_ASSERT_U64(set ? set->bytes : 0, cases[i].bytes);
	}
	batch_free(batch);
	ipfixelements_free(elements);
	fbInfoModelFree(model);
}

/* The string first, then by length: sixteen bytes, four, two. */
static void test_values(void)
{
	fbInfoModel_t *model = fbInfoModelAlloc();
	struct ipfixelements *elements = ipfixelements_new(model);
	struct batch *batch = batch_of_columns();
	const struct ipfixelements_set *set;
	fbTemplate_t *template = fbTemplateAlloc(model);
	GError *gerror = NULL;
	uint8_t out[IPFIXELEMENTS_BYTES];
	fbVarfield_t user;
	uint32_t rate;
	int16_t delta;

	batch_extension(batch, RATE)->numbers[0] = 1000;
	batch_extension(batch, USER)->strings[0] =
		(struct batch_bytes){ (const uint8_t *)"bob", 3 };
	batch_extension(batch, ADDRESS)->addresses[0] = ip_from_v4(0x01020304);
	batch_extension(batch, DELTA)->numbers[0] = (uint64_t)-5 ^ SIGN;
	have(batch, 1 << RATE | 1 << USER | 1 << ADDRESS | 1 << DELTA);
	set = ipfixelements_of_row(elements, batch, 0, 0, false);
	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	ipfixelements_fill(elements, set, out);
	memcpy(&user, out, sizeof(user));
	CU_ASSERT(user.len == 3 && memcmp(user.buf, "bob", 3) == 0);
	CU_ASSERT_EQUAL(memcmp(out + 26, "\xff\xff\1\2\3\4", 6), 0);
	memcpy(&rate, out + 32, sizeof(rate));
	CU_ASSERT_EQUAL(rate, 1000);
	memcpy(&delta, out + 36, sizeof(delta));
	CU_ASSERT_EQUAL(delta, -5);
	CU_ASSERT(ipfixelements_append(set, template, &gerror));
	CU_ASSERT_EQUAL(fbTemplateCountElements(template), 4);
	fbTemplateFreeUnused(template);
	batch_free(batch);
	ipfixelements_free(elements);
	fbInfoModelFree(model);
}

static void test_too_many(void)
{
	fbInfoModel_t *model = fbInfoModelAlloc();
	struct ipfixelements *elements = ipfixelements_new(model);
	struct batch *batch = batch_of_columns();

	have(batch, 1 << RATE);
	for (uint16_t kind = 0; kind < 1000; kind++) {
		CU_ASSERT_EQUAL(ipfixelements_of_row(elements, batch, 0, kind, false) != NULL,
				kind < 900);
	}
	UNIT_ASSERT_U64(ipfixelements_left_out(elements), 100);
	CU_ASSERT_PTR_NOT_NULL(ipfixelements_of_row(elements, batch, 0, 899, false));
	UNIT_ASSERT_U64(ipfixelements_of_row(elements, batch, 0, 999, true)->bytes, 0);
	UNIT_ASSERT_U64(ipfixelements_left_out(elements), 101);
	batch_free(batch);
	ipfixelements_free(elements);
	fbInfoModelFree(model);
}

static const struct unit_case cases[] = {
	{ "sets", test_sets },
	{ "values", test_values },
	{ "too many", test_too_many },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("ipfixelements", cases);
}
