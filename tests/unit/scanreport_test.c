/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scanreport.h"

#include <fcntl.h>
#include <unistd.h>

#include <glib.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

#define DAY INT64_C(1700006400) /* 2023-11-15 00:00:00 */

static const struct scanrow rows[] = {
	{ 7, 0x0a000001, 6, (DAY + 5) * NS_PER_S, (DAY + 60) * NS_PER_S, 1, 2, 3, 1, 256 },
	{ 8, 0xc0a8ffff, 17, (DAY + 6) * NS_PER_S, (DAY + 90000) * NS_PER_S, 10, 20, 30, 2,
	  0.970014 },
	{ 9, 0x0a000001, 6, (DAY + 86400) * NS_PER_S, (DAY + 86401) * NS_PER_S, UINT32_MAX, 5,
	  UINT32_MAX *UINT64_C(1000), 2, 1.5e-7 },
};

static void check(enum scanreport_kind kind, enum text_form form, const char *want)
{
	char *path = g_build_filename(unit_scratch(), "report.txt", NULL);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const struct text_style style = { .form = form, .separator = form == TEXT_CSV ? ',' : '|' };
	struct scanreport *report = scanreport_open(kind, fd, &style);
	char *got = NULL;
	struct err err;

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		scanreport_add(report, &rows[i]);
	}
	CU_ASSERT_EQUAL(scanreport_close(report, &err), ST_OK);
	close(fd);
	CU_ASSERT_FATAL(g_file_get_contents(path, &got, NULL, NULL));
	UNIT_ASSERT_STR(got, want);
	g_free(got);
	g_free(path);
}

static void test_standard(void)
{
	check(SCANREPORT_STANDARD, TEXT_DELIMITED,
	      "scan-id|stime|etime|proto|srcaddr|flows|packets|bytes\n"
	      "7|2023-11-15 00:00:05|2023-11-15 00:01:00|6|10.0.0.1|1|2|3\n"
	      "8|2023-11-15 00:00:06|2023-11-16 01:00:00|17|192.168.255.255|10|20|30\n"
	      "9|2023-11-16 00:00:00|2023-11-16 00:00:01|6|10.0.0.1|4294967295|5|4294967295000\n");
	check(SCANREPORT_STANDARD, TEXT_COLUMNS,
	      "   scan-id start-time          end-time            protocol   source-address  "
	      "     flows    packets          bytes\n"
	      "         7 2023-11-15 00:00:05 2023-11-15 00:01:00 6          10.0.0.1        "
	      "         1          2              3\n"
	      "         8 2023-11-15 00:00:06 2023-11-16 01:00:00 17         192.168.255.255 "
	      "        10         20             30\n"
	      "         9 2023-11-16 00:00:00 2023-11-16 00:00:01 6          10.0.0.1        "
	      "4294967295          5  4294967295000\n");
}

static void test_volume(void)
{
	check(SCANREPORT_VOLUME, TEXT_DELIMITED,
	      "date|flows|packets|bytes\n2023/11/15|11|22|33\n"
	      "2023/11/16|4294967295|5|4294967295000\n");
	check(SCANREPORT_VOLUME, TEXT_COLUMNS,
	      "date                     flows    packets          bytes\n"
	      "2023/11/15                  11         22             33\n"
	      "2023/11/16          4294967295          5  4294967295000\n");
	check(SCANREPORT_VOLUME, TEXT_JSON,
	      "{\"date\":\"2023-11-15\",\"flows\":11,\"packets\":22,\"bytes\":33}\n"
	      "{\"date\":\"2023-11-16\",\"flows\":4294967295,\"packets\":5,"
	      "\"bytes\":4294967295000}\n");
}

static void test_export(void)
{
	static const char delimited[] =
		"id|sip|proto|stime|etime|flows|packets|bytes|scan_model|scan_prob\n"
		"7|167772161|6|2023-11-15 00:00:05|2023-11-15 00:01:00|1|2|3|1|256\n"
		"8|3232301055|17|2023-11-15 00:00:06|2023-11-16 01:00:00|10|20|30|2|0.970014\n"
		"9|167772161|6|2023-11-16 00:00:00|2023-11-16 00:00:01|4294967295|5|4294967295000|"
		"2|1.5e-07\n";

	check(SCANREPORT_EXPORT, TEXT_DELIMITED, delimited);
	check(SCANREPORT_EXPORT, TEXT_COLUMNS, delimited);
}

static const struct unit_case cases[] = {
	{ "standard", test_standard },
	{ "volume", test_volume },
	{ "export", test_export },
	{ NULL, NULL },
};

int main(void)
{
	return unit_run("scanreport", cases);
}
