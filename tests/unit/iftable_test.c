/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/iftable.h"

#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

#include "common/timestamp.h"
#include "storage/ifcounters.h"
#include "tests/unit/unit.h"

#define HOUR_NS (INT64_C(3600) * NS_PER_S)
#define BASE_NS (INT64_C(1699999200) * NS_PER_S) /* 2023/11/14T22 */

static void add(const char *root, int64_t hour, uint32_t interface, int64_t time_ns, uint64_t bytes)
{
	struct ifcounters counters = { .time_ns = time_ns,
				       .agent = ip_from_v4(0xc0000201),
				       .interface = interface };

	counters.values[IFCOUNTER_IN_BYTES] = bytes;
	CU_ASSERT_EQUAL(ifcounters_add(&(struct hourlines_place){ .root = root },
				       BASE_NS + hour * HOUR_NS, "P", &counters, NULL),
			ST_OK);
}

/* By hour and interface, the latest line of each. */
static void test_rows(void)
{
	char *root = g_build_filename(unit_scratch(), "table", NULL);
	const struct text_style style = { .form = TEXT_DELIMITED,
					  .separator = '|',
					  .no_titles = true };
	char *path = g_build_filename(unit_scratch(), "table.txt", NULL);
	char *printed = NULL;
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
	struct text *text;
	struct err err;

	add(root, 1, 1, 30, 300);
	add(root, 0, 10, 5, 1000);
	add(root, 0, 9, 20, 200);
	add(root, 0, 9, 10, 100);
	add(root, 3, 9, 10, 100);
	text = text_new(fd, &style);
	CU_ASSERT_EQUAL(iftable_print(root, BASE_NS, BASE_NS + 2 * HOUR_NS, text, &err), ST_OK);
	CU_ASSERT_EQUAL(text_close(text, &err), ST_OK);
	close(fd);
	CU_ASSERT_TRUE_FATAL(g_file_get_contents(path, &printed, NULL, NULL));
	UNIT_ASSERT_STR(printed,
			"2023/11/14T22|P|192.0.2.1|0|9|0|0|0|0|200|0|0|0|0|0|0|0|0|0|0|0|0|\n"
			"2023/11/14T22|P|192.0.2.1|0|10|0|0|0|0|1000|0|0|0|0|0|0|0|0|0|0|0|0|\n"
			"2023/11/14T23|P|192.0.2.1|0|1|0|0|0|0|300|0|0|0|0|0|0|0|0|0|0|0|0|\n");
	g_free(printed);
	g_free(path);
	g_free(root);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "rows", test_rows },
		{ NULL, NULL },
	};

	return unit_run("iftable", cases);
}
