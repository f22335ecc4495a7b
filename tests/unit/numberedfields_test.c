/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/numberedfields.h"

#include <string.h>

#include <glib.h>

#include "common/status.h"
#include "tests/unit/unit.h"

static int find(const char *name)
{
	return strcmp(name, "size") == 0    ? 7
	       : strcmp(name, "s") == 0     ? NUMBEREDFIELDS_SEVERAL
	       : strcmp(name, "hosts") == 0 ? 1
					    : NUMBEREDFIELDS_NONE;
}

static void test_lists(void)
{
	static const struct {
		const char *text;
		uint32_t numbers;
	} cases[] = {
		{ "1", 0x2 },          { "1-3, 5 ,", 0x2e },       { "size,hosts", 0x82 },
		{ "8-9,size", 0x380 }, { "9,size,9,size", 0x280 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct numberedfields fields = { .given = false };

		unit_at("%s", cases[i].text);
		CU_ASSERT_EQUAL(numberedfields_parse(cases[i].text, 9, find, &fields, NULL), ST_OK);
		CU_ASSERT(fields.given);
		UNIT_ASSERT_U64(fields.numbers, cases[i].numbers);
	}
}

static void test_faults(void)
{
	static const struct {
		const char *text;
		const char *error;
	} cases[] = {
		{ " , ", "Field list is empty" },
		{ "0", "No match was found for the field '0'" },
		{ "10", "No match was found for the field '10'" },
		{ "3x", "No match was found for the field '3x'" },
		{ "3-10", "No match was found for the value '10'" },
		{ "3-", "Cannot parse end of numeric range '3-'" },
		{ "3-2", "Invalid numeric range '3-2'" },
		{ "none", "No match was found for the field 'none'" },
		{ "1,s", "The field 's' matches multiple keys" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct numberedfields fields;
		struct err err;

		unit_at("%s", cases[i].text);
		CU_ASSERT_EQUAL(numberedfields_parse(cases[i].text, 9, find, &fields, &err),
				ST_EINVAL);
		UNIT_ASSERT_STR(err.text, cases[i].error);
	}
}

static const struct unit_case cases[] = {
	{ "lists", test_lists },
	{ "what is wrong with a list", test_faults },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("numberedfields", cases);
}
