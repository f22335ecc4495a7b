/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/lossbook.h"

#include <glib.h>
#include <inttypes.h>

#include "tests/unit/unit.h"

static void write_line(void *arg, int64_t hour_ns, const struct loss *loss)
{
	g_string_append_printf(arg, "%" PRId64 ":%" PRId64 "/%" PRId64 " ", hour_ns,
			       loss->values[LOSS_MISSING], loss->values[LOSS_RECEIVED]);
}

static void test_hours(void)
{
	static const struct {
		const char *name;
		int64_t received, missing, hour; /* totals */
		bool last;
		const char *lines;
	} rows[] = {
		{ "nothing wrong", 100, 0, 1, false, "" },
		{ "nothing wrong in all the hour", 150, 0, 2, false, "" },
		{ "a gap: with all that came before it", 200, 7, 2, false, "2:7/100 " },
		{ "no more", 250, 7, 2, false, "" },
		{ "some of it came late", 300, 5, 2, false, "2:-2/100 " },
		{ "nothing new", 300, 5, 2, false, "" },
		{ "more came", 320, 5, 2, false, "" },
		{ "the next hour ends the one before", 350, 5, 3, false, "2:0/20 " },
		{ "which was well", 400, 5, 4, false, "" },
		{ "a gap at once", 410, 6, 4, false, "4:1/60 " },
		{ "the end", 420, 6, 4, true, "4:0/10 " },
		{ "the end again", 420, 6, 4, true, "" },
	};
	struct lossbook book = { 0 };

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct loss totals = {
			{ [LOSS_RECEIVED] = rows[i].received, [LOSS_MISSING] = rows[i].missing }
		};
		GString *lines = g_string_new(NULL);

		unit_at("%s", rows[i].name);
		lossbook_turn(&book, &totals, rows[i].hour, rows[i].last, write_line, lines);
		UNIT_ASSERT_STR(lines->str, rows[i].lines);
		g_string_free(lines, TRUE);
	}
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "hours", test_hours },
		{ NULL, NULL },
	};

	return unit_run("lossbook", cases);
}
