/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scanrow.h"

#include <stdio.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

#define PLAIN "167772161|6|2020-09-13 12:26:41|2020-09-13 12:27:20|40|41|1600|1|256.000000"

static int parse(const char *text, struct scanrow *row, struct err *err)
{
	char line[256];

	g_strlcpy(line, text, sizeof(line));
	return scanrow_parse(line, row, err);
}

static void test_forms(void)
{
	static const char *const forms[] = {
		PLAIN,
		"17|" PLAIN,
		PLAIN "|",
		"  10.0.0.1| 6| 2020-09-13 12:26:41| 2020-09-13 12:27:20|40|41|1600| 1| 2.56e2|",
		"10.0.0.1|6|2020/09/13T12:26:41|2020-09-13T12:27:20Z|40|41|1600|1|256",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
		struct scanrow row = { .id = 99 };
		struct err err;

		unit_at("%s", forms[i]);
		CU_ASSERT_EQUAL_FATAL(parse(forms[i], &row, &err), ST_OK);
		CU_ASSERT_EQUAL(row.id, 0);
		CU_ASSERT_EQUAL(row.sip, 0x0a000001);
		CU_ASSERT_EQUAL(row.protocol, 6);
		CU_ASSERT_EQUAL(row.start_ns, 1600000001 * NS_PER_S);
		CU_ASSERT_EQUAL(row.end_ns, 1600000040 * NS_PER_S);
		UNIT_ASSERT_U64(row.flows, 40);
		UNIT_ASSERT_U64(row.packets, 41);
		UNIT_ASSERT_U64(row.bytes, 1600);
		CU_ASSERT_EQUAL(row.model, 1);
		CU_ASSERT_EQUAL(row.probability, 256.0);
	}
}

static void test_passed_over(void)
{
	static const char *const lines[] = {
		"",
		"   ",
		"   sip| proto| stime| etime| flows| packets| bytes| scan_model| scan_prob|",
		"id|sip|proto|stime|etime|flows|packets|bytes|scan_model|scan_prob",
	};

	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
		struct scanrow row = { .id = 99 };
		struct err err;

		unit_at("%s", lines[i]);
		CU_ASSERT_EQUAL(parse(lines[i], &row, &err), ST_END);
		CU_ASSERT_EQUAL(row.id, 99);
	}
}

static void test_faults(void)
{
	static const struct {
		const char *line;
		const char *error;
	} cases[] = {
		{ "1|2|3", "3 fields, not the 9 of rwscan --scandb" },
		{ "1|2|" PLAIN, "11 fields, not the 9 of rwscan --scandb" },
		{ "1.2.3|6|2020-09-13 12:26:41|2020-09-13 12:27:20|40|41|1600|1|256",
		  "sip '1.2.3': Unexpected end-of-input" },
		{ "2001:db8::1|6|2020-09-13 12:26:41|2020-09-13 12:27:20|40|41|1600|1|256",
		  "sip '2001:db8::1': not an IPv4 address" },
		{ "1|256|2020-09-13 12:26:41|2020-09-13 12:27:20|40|41|1600|1|256",
		  "proto '256': Value is above maximum of 255" },
		{ "1|6|2020-13-13 12:26:41|2020-09-13 12:27:20|40|41|1600|1|256",
		  "stime '2020-13-13 12:26:41': Month value (13) out of range: use 1 <= month <= 12" },
		{ "1|6|2020-09-13 12:26:41|2020-09-13 12:27:20|-1|41|1600|1|256",
		  "flows '-1': Unexpected character '-'" },
		{ "1|6|2020-09-13 12:26:41|2020-09-13 12:27:20|1|41|1600|1|x",
		  "scan_prob 'x': Unexpected character" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct scanrow row;
		struct err err;

		unit_at("%s", cases[i].line);
		CU_ASSERT_EQUAL(parse(cases[i].line, &row, &err), ST_EFORMAT);
		UNIT_ASSERT_STR(err.text, cases[i].error);
	}
}

static void test_file(void)
{
	GArray *rows = g_array_new(FALSE, FALSE, sizeof(struct scanrow));
	char *path = g_build_filename(unit_scratch(), "scans.txt", NULL);
	struct err err;

	CU_ASSERT(g_file_set_contents(path, PLAIN "\n\n" PLAIN "\n", -1, NULL));
	CU_ASSERT_EQUAL(scanrow_read(path, rows, &err), ST_OK);
	CU_ASSERT_EQUAL(rows->len, 2);
	CU_ASSERT(g_file_set_contents(path, PLAIN "\nx\n", -1, NULL));
	CU_ASSERT_EQUAL(scanrow_read(path, rows, &err), ST_EFORMAT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "scans.txt: line 2: 1 fields"));
	CU_ASSERT_EQUAL(scanrow_read("/nonexistent", rows, &err), ST_ENOENT);
	g_array_free(rows, TRUE);
	g_free(path);
}

static const struct unit_case cases[] = {
	{ "all forms of a line", test_forms },
	{ "titles and empty lines", test_passed_over },
	{ "what is wrong with a line", test_faults },
	{ "a file", test_file },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("scanrow", cases);
}
