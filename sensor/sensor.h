/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sensor at work: reads captures into the meter, and sends what ends to the sink, with
 * statistics now and then. This is the edge that knows clock, log and stop flag; what it drives
 * does not.
 *
 *	sensor_start(&sensor, &opts, sink, err);
 *	sensor_read_file(sensor, "x.pcap", err);	// or
 *	sensor_read_live(sensor, capture, err);		// until stopped
 *	st = sensor_finish(sensor, err);		// ends all flows, waits for delivery
 *	sensor_free(sensor);
 */
#ifndef TUSSAH_SENSOR_SENSOR_H
#define TUSSAH_SENSOR_SENSOR_H

#include "sensor/capture.h"
#include "sensor/export.h"
#include "sensor/meter.h"
#include "sensor/sink.h"

/* All counters at one moment. */
struct sensor_snapshot {
	struct meter_stats meter;
	struct sink_stats sink;
	uint64_t capture_dropped; /* by the kernel */
};

struct sensor_opts {
	struct meter_opts meter;
	struct export_opts export;
	const char *filter;        /* of files; may be NULL */
	int64_t stats_interval_ns; /* 0: only at the end */
	bool stats_records;        /* send them to the collector too */
	int64_t drain_timeout_ns;  /* at the end, wait so long for acknowledgements */
	/* Called about once a second while work goes on, from the thread that does it. May be NULL.
	 */
	void (*tick)(void *arg, const struct sensor_snapshot *snapshot);
	void *tick_arg;
};

struct sensor;

/* sink is kept. Sends the templates. Returns ST_OK or the reason. */
int sensor_start(struct sensor **out, const struct sensor_opts *opts, struct sink *sink,
		 struct err *err);
void sensor_free(struct sensor *sensor);

/*
 * Read a capture file to its end. Returns ST_OK, also when told to stop; the file's error, after
 * which the sensor can read on; or the sink's, in which case sensor_is_broken().
 */
int sensor_read_file(struct sensor *sensor, const char *path, struct err *err);

/* Capture until told to stop. Returns ST_OK or the error of capture or sink. */
int sensor_read_live(struct sensor *sensor, struct capture *capture, struct err *err);

/* The sink failed for good. */
bool sensor_is_broken(const struct sensor *sensor);

/*
 * End all flows, send them, log the statistics and wait until all is delivered. Returns ST_OK only
 * if nothing that was to be sent is missing.
 */
int sensor_finish(struct sensor *sensor, struct err *err);

#endif
