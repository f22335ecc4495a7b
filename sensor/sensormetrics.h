/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the sensor counts, as metrics: its thread leaves a copy of its counters here now and then,
 * from which the metrics server makes text.
 *
 *	struct sensormetrics *metrics = sensormetrics_new();
 *	sensormetrics_publish(metrics, &snapshot);		// the sensor's thread
 *	sensormetrics_collect(metrics, text);			// the server's
 *	sensormetrics_free(metrics);
 */
#ifndef TUSSAH_SENSOR_SENSORMETRICS_H
#define TUSSAH_SENSOR_SENSORMETRICS_H

#include "common/metrictext.h"
#include "sensor/sensor.h"

struct sensormetrics;

struct sensormetrics *sensormetrics_new(void);
void sensormetrics_free(struct sensormetrics *metrics);
void sensormetrics_publish(struct sensormetrics *metrics, const struct sensor_snapshot *snapshot);
/* arg: struct sensormetrics; for struct metricsd_sources. */
void sensormetrics_collect(void *arg, struct metrictext *text);

#endif
