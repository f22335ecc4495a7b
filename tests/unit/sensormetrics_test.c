/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/sensormetrics.h"

#include <glib.h>
#include <string.h>

#include "tests/unit/unit.h"

static char *text_of(const struct sensor_snapshot *snapshot)
{
	struct sensormetrics *metrics = sensormetrics_new();
	struct metrictext *text = metrictext_new(METRICTEXT_BYTES_MAX);
	size_t len;

	sensormetrics_publish(metrics, snapshot);
	sensormetrics_collect(metrics, text);
	sensormetrics_free(metrics);
	return metrictext_finish(text, &len);
}

static void test_link(void)
{
	struct sensor_snapshot snapshot = { .capture_dropped = 3 };
	char *text;

	snapshot.meter.packets = 7;
	snapshot.meter.causes[DECODE_LATE] = 2;
	snapshot.meter.flows.active = 5;
	snapshot.sink.is_link = true;
	snapshot.sink.link.connected = true;
	snapshot.sink.link.queued_bytes = 4096;
	snapshot.sink.has_spool = true;
	snapshot.sink.spool.bytes = 8192;
	text = text_of(&snapshot);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\ntussah_sensor_packets_total 7\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\ntussah_sensor_capture_drops_total 3\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\ntussah_sensor_queued_bytes 4096\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\ntussah_sensor_spool_bytes 8192\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\ntussah_sensor_connected 1\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\ntussah_sensor_active_flows 5\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "tussah_sensor_refused_packets_total{cause=\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"} 2\n"));
	g_free(text);
}

/* A file has no connection to tell of. */
static void test_file(void)
{
	struct sensor_snapshot snapshot = { .capture_dropped = 0 };
	char *text;

	snapshot.sink.records = 9;
	text = text_of(&snapshot);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\ntussah_sensor_records_total 9\n"));
	CU_ASSERT_PTR_NULL(strstr(text, "spool"));
	CU_ASSERT_PTR_NULL(strstr(text, "connected"));
	g_free(text);
	sensormetrics_free(NULL);
}

int main(void)
{
	static const struct unit_case cases[] = {
		{ "link", test_link },
		{ "file", test_file },
		{ NULL, NULL },
	};

	return unit_run("sensormetrics", cases);
}
