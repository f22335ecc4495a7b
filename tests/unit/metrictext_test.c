/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/metrictext.h"

#include <glib.h>
#include <string.h>

#include "tests/unit/unit.h"

static const struct metricfamily depth = { "tussah_queue-depth", "what waits", METRIC_GAUGE };
static const struct metricfamily sync_time = { "tussah_sync_seconds", "time in sync",
					       METRIC_COUNTER };

static void expect(struct metrictext *text, const char *want)
{
	size_t len = 0;
	char *body = metrictext_finish(text, &len);
	char *all = g_strconcat(
		want,
		"# HELP tussah_metrics_left_out samples that found no room in this answer\n"
		"# TYPE tussah_metrics_left_out gauge\ntussah_metrics_left_out 0\n",
		NULL);

	UNIT_ASSERT_STR(body, all);
	CU_ASSERT_EQUAL(len, strlen(body));
	g_free(all);
	g_free(body);
}

static void test_families(void)
{
	static const struct metric table[] = { { "records", "records in" },
					       { "over-limit", "peers refused" } };
	_Atomic uint64_t values[2] = { 7, UINT64_MAX };
	const struct metriclabel one[] = { { "probe", "P1" }, { NULL, NULL } };
	const struct metriclabel two[] = { { "probe", "P2" }, { "kind", "x" }, { NULL, NULL } };
	struct metrictext *text = metrictext_new(METRICTEXT_BYTES_MAX);

	metrictext_add_table(text, "tussah_probe", table, values, 2, one);
	metrictext_add(text, &depth, NULL, 3);
	metrictext_add_table(text, "tussah_probe", table, values, 1, two);
	metrictext_add_real(text, &sync_time, NULL, 0.25);
	expect(text, "# HELP tussah_probe_records_total records in\n"
		     "# TYPE tussah_probe_records_total counter\n"
		     "tussah_probe_records_total{probe=\"P1\"} 7\n"
		     "tussah_probe_records_total{probe=\"P2\",kind=\"x\"} 7\n"
		     "# HELP tussah_probe_over_limit_total peers refused\n"
		     "# TYPE tussah_probe_over_limit_total counter\n"
		     "tussah_probe_over_limit_total{probe=\"P1\"} 18446744073709551615\n"
		     "# HELP tussah_queue_depth what waits\n"
		     "# TYPE tussah_queue_depth gauge\n"
		     "tussah_queue_depth 3\n"
		     "# HELP tussah_sync_seconds_total time in sync\n"
		     "# TYPE tussah_sync_seconds_total counter\n"
		     "tussah_sync_seconds_total 0.25\n");
}

static void test_label_values(void)
{
	const struct metriclabel labels[] = { { "probe", "a\"b\\c\nd\xff" }, { NULL, NULL } };
	struct metrictext *text = metrictext_new(METRICTEXT_BYTES_MAX);

	metrictext_add(text, &depth, labels, 1);
	expect(text, "# HELP tussah_queue_depth what waits\n"
		     "# TYPE tussah_queue_depth gauge\n"
		     "tussah_queue_depth{probe=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\"} 1\n");
}

/* A bound is kept whatever is added, and what it cost is said. */
static void test_bound(void)
{
	struct metrictext *text = metrictext_new(1000);
	char *body;
	size_t len;

	for (int i = 0; i < 1000; i++) {
		metrictext_add(text, &depth, NULL, 1);
	}
	body = metrictext_finish(text, &len);
	CU_ASSERT(len < 1300);
	CU_ASSERT_PTR_NOT_NULL(strstr(body, "\ntussah_metrics_left_out 9"));
	g_free(body);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "families", test_families },
		{ "label values", test_label_values },
		{ "bound", test_bound },
		{ NULL, NULL },
	};

	return unit_run("metrictext", cases);
}
