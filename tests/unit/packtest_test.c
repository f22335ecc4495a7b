/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/packtest.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

/* One TCP record of 4000 packets, 5,000,000 bytes, no duration, flags S. */
static struct record big_record(void)
{
	struct record rec;

	record_init(&rec);
	rec.protocol = 6;
	rec.packets = 4000;
	rec.bytes = 5000000;
	rec.sport = 10;
	rec.input = 70000;
	rec.flags = 0x02;
	return rec;
}

/* What is printed about a file of these records. Returned: free(). */
static char *take(struct packtest *tests, const struct record *records, size_t count, bool all)
{
	struct batch *batch = batch_new();
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; i < count; i++) {
		batch_append(batch, &records[i]);
	}
	packtest_begin_file(tests);
	packtest_take(tests, batch);
	if (all || packtest_is_unusual(tests)) {
		packtest_print(tests, all, out);
	}
	fclose(out);
	batch_free(batch);
	return text;
}

struct limit_row {
	const char *name;
	const char *value;
	const char *line; /* NULL: nothing is unusual */
};

/* Expected: rwpackchecker of SiLK 3.22.1 with the same record, but for the last three. */
static void test_limits(void)
{
	static const struct limit_row rows[] = {
		{ "min-packets", "4000", NULL },
		{ "min-packets", "4001", "Packet Count < 4001" },
		{ "max-packets", "3999", "Packet Count > 3999" },
		{ "max-bps-ratio", "705032704", NULL },
		{ "max-bps-ratio", "705032703", "Byte/Second Ratio > 705032703" },
		{ "max-bpp", "1249", "Byte/Packet Ratio > 1249" },
		{ "max-tcp-bpp-ratio", "1249", "TCP Byte/Packet Ratio > 1249" },
		{ "max-udp-bpp-ratio", "1249", NULL },
		{ "match-sport", "5,10-12", "Source Port inside the match set" },
		{ "match-sport", "11", NULL },
		{ "nomatch-protocol", "6", NULL },
		{ "nomatch-protocol", "17", "Protocol outside the nomatch set" },
		{ "max-bytes", "4294967296", NULL },
		{ "match-input", "4464", NULL },
		{ "match-flags", "F,S", "TCP Flag Combination inside the match set" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct packtest *tests = packtest_new();
		struct record rec = big_record();
		char *want = rows[i].line ? g_strdup_printf("%20d/1 flows are bad or unusual\n"
							    "%20d flows where %s\n",
							    1, 1, rows[i].line)
					  : g_strdup("");
		char *got;

		CU_ASSERT_EQUAL(packtest_set_value(tests, rows[i].name, rows[i].value, NULL),
				ST_OK);
		got = take(tests, &rec, 1, false);
		UNIT_ASSERT_STR(got, want);
		free(got);
		g_free(want);
		packtest_free(tests);
	}
}

static void test_elapsed(void)
{
	struct packtest *tests = packtest_new();
	struct record records[2] = { big_record(), big_record() };
	char *got;

	records[0].duration_ns = 4096999 * (uint64_t)NS_PER_MS;
	records[1].duration_ns = 4097000 * (uint64_t)NS_PER_MS;
	got = take(tests, records, 2, false);
	UNIT_ASSERT_STR(got, "                   1/2 flows are bad or unusual\n"
			     "                   1 flows where Elapsed Time > 4096\n");
	free(got);
	/* no file of its own fault is unusual for what was counted before */
	got = take(tests, records, 1, false);
	UNIT_ASSERT_STR(got, "");
	free(got);
	got = take(tests, records, 1, true);
	CU_ASSERT_PTR_NOT_NULL(strstr(got, "0/1 flows"));
	CU_ASSERT_PTR_NOT_NULL(strstr(got, "1 flows where Elapsed Time > 4096\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(got, "0 flows where BPP Calculation is incorrect\n"));
	CU_ASSERT_PTR_NULL(strstr(got, "match set"));
	free(got);
	packtest_free(tests);
}

static void test_allowed(void)
{
	struct packtest *tests = packtest_new();
	struct record records[2] = { big_record(), big_record() };
	char *got;

	CU_ASSERT_EQUAL(packtest_set_value(tests, "max-packets", "1", NULL), ST_OK);
	CU_ASSERT_EQUAL(packtest_set_allowed(tests, "max-pack", "2", NULL), ST_OK);
	got = take(tests, records, 2, false);
	UNIT_ASSERT_STR(got, "");
	free(got);
	CU_ASSERT_EQUAL(packtest_set_allowed(tests, "max-packets", "1", NULL), ST_OK);
	/* makes the test, with an empty list */
	CU_ASSERT_EQUAL(packtest_set_allowed(tests, "nomatch-sip", "9", NULL), ST_OK);
	got = take(tests, records, 0, true);
	CU_ASSERT_PTR_NOT_NULL(strstr(got, "0 flows where Source IP outside the nomatch set\n"));
	free(got);
	packtest_free(tests);
}

static void test_refused(void)
{
	static const struct limit_row rows[] = {
		{ "foo", "3", "The test name 'foo' is not recognized" },
		{ "min", "3", "The test name 'min' is ambiguous" },
		{ "min-packets", "x", "Invalid min-packets 'x': Unexpected character 'x'" },
		{ "match-protocol", "300",
		  "Invalid match-protocol '300': Value is above maximum of 255" },
		{ "match-flags", "S/SA", "Unable to parse match-flags value 'S/SA'" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct packtest *tests = packtest_new();
		struct err err;

		CU_ASSERT_NOT_EQUAL(packtest_set_value(tests, rows[i].name, rows[i].value, &err),
				    ST_OK);
		UNIT_ASSERT_STR(err.text, rows[i].line);
		packtest_free(tests);
	}
	packtest_free(NULL);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "limits and lists", test_limits },
		{ "elapsed time, several files", test_elapsed },
		{ "allowed counts", test_allowed },
		{ "what is refused", test_refused },
		{ NULL, NULL },
	};

	return unit_run("packtest", cases);
}
