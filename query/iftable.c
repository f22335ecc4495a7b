/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/iftable.h"

#include <glib.h>
#include <string.h>

#include "common/timestamp.h"
#include "storage/ifcounters.h"

struct iftable_row {
	int64_t hour_ns;
	char *probe;
	struct ifcounters counters;
};

static void row_free(gpointer value)
{
	struct iftable_row *row = value;

	g_free(row->probe);
	g_free(row);
}

static int row_compare(gconstpointer a, gconstpointer b)
{
	const struct iftable_row *one = *(const struct iftable_row *const *)a;
	const struct iftable_row *other = *(const struct iftable_row *const *)b;
	int order = one->hour_ns < other->hour_ns   ? -1
		    : one->hour_ns > other->hour_ns ? 1
						    : strcmp(one->probe, other->probe);

	if (order == 0) {
		order = ip_compare(one->counters.agent, other->counters.agent);
	}
	if (order == 0) {
		order = one->counters.sub_agent < other->counters.sub_agent   ? -1
			: one->counters.sub_agent > other->counters.sub_agent ? 1
									      : 0;
	}
	if (order == 0) {
		order = one->counters.interface < other->counters.interface   ? -1
			: one->counters.interface > other->counters.interface ? 1
									      : 0;
	}
	return order;
}

static void take_row(void *arg, int64_t hour_ns, const char *probe,
		     const struct ifcounters *counters)
{
	struct iftable_row *row = g_new0(struct iftable_row, 1);

	row->hour_ns = hour_ns;
	row->probe = g_strdup(probe);
	row->counters = *counters;
	g_ptr_array_add(arg, row);
}

static void add_columns(struct text *text)
{
	text_add_column(text, "Hour", 13, false);
	text_add_column(text, "Probe", 10, false);
	text_add_column(text, "Agent", 15, false);
	text_add_column(text, "Sub-Agent", 9, true);
	text_add_column(text, "Interface", 9, true);
	for (size_t i = 0; i < IFCOUNTERS; i++) {
		text_add_column(text, ifcounter_rows[i].name, ifcounter_rows[i].wide ? 16 : 12,
				true);
	}
	text_titles(text);
}

static void print_row(struct text *text, const struct iftable_row *row)
{
	char cell[IP_TEXT_MAX];

	text_cell_hour(text, row->hour_ns, TIMESTAMP_DEFAULT);
	text_cell_string(text, row->probe);
	ip_print(cell, row->counters.agent, !ip_is_mapped(row->counters.agent), IP_CANONICAL);
	text_cell_string(text, cell);
	text_cell_u64(text, row->counters.sub_agent);
	text_cell_u64(text, row->counters.interface);
	for (size_t i = 0; i < IFCOUNTERS; i++) {
		text_cell_u64(text, row->counters.values[i]);
	}
	text_row_done(text);
}

/* Of several lines of an hour and interface the latest counts. */
static bool is_outdated(const GPtrArray *rows, guint at)
{
	return at + 1 < rows->len && row_compare(&rows->pdata[at], &rows->pdata[at + 1]) == 0;
}

static int row_compare_time(gconstpointer a, gconstpointer b)
{
	const struct iftable_row *one = *(const struct iftable_row *const *)a;
	const struct iftable_row *other = *(const struct iftable_row *const *)b;
	int order = row_compare(a, b);

	return order ? order : one->counters.time_ns < other->counters.time_ns ? -1 : 1;
}

int iftable_print(const char *root, int64_t first_ns, int64_t last_ns, struct text *text,
		  struct err *err)
{
	GPtrArray *rows = g_ptr_array_new_with_free_func(row_free);
	int st = ifcounters_each(root, first_ns, last_ns, take_row, rows, err);

	if (st == ST_OK) {
		g_ptr_array_sort(rows, row_compare_time);
		add_columns(text);
		for (guint i = 0; i < rows->len; i++) {
			if (!is_outdated(rows, i)) {
				print_row(text, g_ptr_array_index(rows, i));
			}
		}
	}
	g_ptr_array_free(rows, TRUE);
	return st;
}
