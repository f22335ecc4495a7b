/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/column.h"

#include "common/batch.h"
#include "tests/unit/unit.h"

/* Every column of struct record is an element of its own and can be found by it. */
static void test_core(void)
{
	for (enum column a = 0; a < COLUMN_COUNT; a++) {
		const struct core_column *core = column_core(a);

		unit_at("column %d", (int)a);
		CU_ASSERT_EQUAL(column_find(&core->key), a);
		CU_ASSERT(core->size > 0 &&
			  core->record_offset + core->size <= sizeof(struct record));
		CU_ASSERT(core->batch_offset + core->size * BATCH_ROWS <= sizeof(struct batch));
		CU_ASSERT_EQUAL(column_form(core->type) == COLUMN_FORM_ADDRESS,
				core->size == sizeof(struct ip));
		for (enum column b = 0; b < a; b++) {
			CU_ASSERT_NOT_EQUAL(column_key_compare(&core->key, &column_core(b)->key),
					    0);
		}
	}
	CU_ASSERT_EQUAL(column_core(COLUMN_BYTES)->record_offset, offsetof(struct record, bytes));
	CU_ASSERT_EQUAL(column_core(COLUMN_STATE)->batch_offset, offsetof(struct batch, state));
	CU_ASSERT_EQUAL(column_find(&(struct column_key){ 0, 9 }), COLUMN_COUNT);
	CU_ASSERT_EQUAL(column_find(&(struct column_key){ 6871, 27 }), COLUMN_COUNT);
}

static void test_types(void)
{
	static const struct {
		uint8_t type;
		enum column_form form;
		bool ordered;
		bool is_signed;
	} rows[] = {
		{ COLUMN_OCTET_ARRAY, COLUMN_FORM_BYTES, false, false },
		{ COLUMN_UNSIGNED64, COLUMN_FORM_NUMBER, true, false },
		{ COLUMN_SIGNED8, COLUMN_FORM_NUMBER, true, true },
		{ COLUMN_SIGNED64, COLUMN_FORM_NUMBER, true, true },
		{ COLUMN_FLOAT32, COLUMN_FORM_NUMBER, false, false },
		{ COLUMN_FLOAT64, COLUMN_FORM_NUMBER, false, false },
		{ COLUMN_MAC_ADDRESS, COLUMN_FORM_NUMBER, true, false },
		{ COLUMN_STRING, COLUMN_FORM_BYTES, false, false },
		{ COLUMN_MILLISECONDS, COLUMN_FORM_NUMBER, true, false },
		{ COLUMN_MICROSECONDS, COLUMN_FORM_NUMBER, true, true },
		{ COLUMN_NANOSECONDS, COLUMN_FORM_NUMBER, true, true },
		{ COLUMN_IPV4_ADDRESS, COLUMN_FORM_ADDRESS, true, false },
		{ COLUMN_SUB_TEMPLATE_MULTI_LIST, COLUMN_FORM_BYTES, false, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unit_at("type %u", rows[i].type);
		CU_ASSERT_EQUAL(column_form(rows[i].type), rows[i].form);
		CU_ASSERT_EQUAL(column_is_ordered(rows[i].type), rows[i].ordered);
		CU_ASSERT_EQUAL(column_sign(rows[i].type),
				rows[i].is_signed ? UINT64_C(1) << 63 : 0);
	}
}

static void test_names_and_order(void)
{
	char name[COLUMN_NAME_MAX];
	const struct column_key low = { 0, 7 };
	const struct column_key high = { 6871, 1 };

	UNIT_ASSERT_STR(column_name(&low, name), "sport");
	UNIT_ASSERT_STR(column_name(&(struct column_key){ 6871, 33 }, name), "application");
	UNIT_ASSERT_STR(column_name(&high, name), "6871/1");
	UNIT_ASSERT_STR(column_name(&(struct column_key){ UINT32_MAX, UINT16_MAX }, name),
			"4294967295/65535");
	CU_ASSERT(column_key_compare(&low, &high) < 0);
	CU_ASSERT(column_key_compare(&high, &low) > 0);
	CU_ASSERT(column_key_compare(&low, &(struct column_key){ 0, 8 }) < 0);
	CU_ASSERT_EQUAL(column_key_compare(&low, &low), 0);
}

static const struct unit_case cases[] = {
	{ "core columns", test_core },
	{ "types", test_types },
	{ "names and order", test_names_and_order },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("column", cases);
}
