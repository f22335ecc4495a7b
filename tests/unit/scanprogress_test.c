/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/scanprogress.h"

#include <glib.h>
#include <stdlib.h>

#include "common/timestamp.h"
#include "tests/unit/unit.h"

static void test_text(void)
{
	static const struct {
		uint64_t done, total, records;
		int64_t elapsed_ns;
		const char *text;
	} cases[] = {
		{ 0, 10, 0, NS_PER_S,
		  "[..............................]   0 %, 0 records/s, 5940 min left" },
		{ 5, 10, 3000, 2 * NS_PER_S,
		  "[###############...............]  50 %, 1.5 k records/s, 2 s left" },
		{ 999, 1000, 25000000, 2 * NS_PER_S,
		  "[#############################.]  99 %, 12.5 M records/s, 1 s left" },
		{ 10, 10, 999, NS_PER_S,
		  "[##############################] 100 %, 999 records/s, 0 s left" },
		{ 12, 10, UINT64_C(8000000000), 0,
		  "[##############################] 100 %, 8000.0 G records/s, 0 s left" },
		{ 1, 100, 1, 5 * NS_PER_S,
		  "[..............................]   1 %, 0 records/s, 9 min left" },
		{ 7, 0, 100, NS_PER_S, "7 files, 100 records/s" },
	};
	char text[SCANPROGRESS_TEXT_MAX];

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		unit_at("case %zu", i);
		scanprogress_text(text, cases[i].done, cases[i].total, cases[i].records,
				  cases[i].elapsed_ns);
		UNIT_ASSERT_STR(text, cases[i].text);
	}
}

static void test_drawing(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct scanprogress progress = { .out = out, .start_ns = NS_PER_S, .delay_ns = NS_PER_S };

	scanprogress_show(&progress, NS_PER_S + 5, 1, 0, 1);
	scanprogress_end(&progress);
	CU_ASSERT_EQUAL(len, 0);
	scanprogress_show(&progress, 2 * NS_PER_S, 2, 0, 1);
	scanprogress_show(&progress, 2 * NS_PER_S + NS_PER_MS, 3, 0, 1);
	scanprogress_show(&progress, 3 * NS_PER_S, 4, 0, 2);
	scanprogress_end(&progress);
	fclose(out);
	UNIT_ASSERT_STR(text, "\r\033[K2 files, 1 records/s\r\033[K4 files, 1 records/s\r\033[K");
	free(text);
	progress.out = NULL;
	scanprogress_show(&progress, 9 * NS_PER_S, 5, 0, 3);
	scanprogress_end(&progress);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "the line", test_text },
		{ "when it is drawn", test_drawing },
		{ NULL, NULL },
	};

	return unit_run("scanprogress", cases);
}
