/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/perf/traffic.h"

#include <math.h>

#include "tests/perf/behaviour.h"

enum { RARE_VISITS = 5 };

struct traffic {
	struct traffic_opts opts;
	struct timeline *timeline;
	struct scene scene;
	double weight_sum; /* of all hours */
	double weight_done;
	uint64_t records_done;
};

/* The night has a third of the traffic of the day, the weekend half of that of the week. */
static double hour_weight(int64_t hour_ms)
{
	int64_t hour = hour_ms / HOUR_MS;
	int64_t of_day = hour % 24;
	int64_t weekday = (hour / 24 + 4) % 7; /* 1970-01-01 was a Thursday; Sunday is 0 */
	double day = 0.5 - 0.5 * cos(2.0 * M_PI * (double)(of_day - 2) / 24.0);

	return (0.4 + day * 0.9) * (weekday == 0 || weekday == 6 ? 0.5 : 1.0);
}

struct traffic *traffic_new(const struct traffic_opts *opts)
{
	struct traffic *traffic = g_new0(struct traffic, 1);

	traffic->opts = *opts;
	traffic->timeline = timeline_new(opts->first_hour_ms, opts->hours);
	rng_init(&traffic->scene.rng, opts->seed);
	traffic->scene.seed = opts->seed << 8; /* below it, salts */
	traffic->scene.sink = (struct session_sink){
		.timeline = traffic->timeline,
		.rng = &traffic->scene.rng,
		.seed = traffic->scene.seed,
		.one_flowtype = opts->one_flowtype,
		.with_routes = opts->with_routes,
	};
	for (uint32_t hour = 0; hour < opts->hours; hour++) {
		traffic->weight_sum += hour_weight(opts->first_hour_ms + hour * HOUR_MS);
	}
	return traffic;
}

void traffic_free(struct traffic *traffic)
{
	timeline_free(traffic->timeline);
	g_free(traffic);
}

/* The planted host meets us a few times, spread over the whole time, and is scanned by nobody. */
static void visit_of_rare(struct traffic *traffic, uint32_t hour)
{
	struct scene *scene = &traffic->scene;
	struct session session = {
		.client = hosts_rare(),
		.server = hosts_server(scene->seed, 1, false),
		.protocol = 6,
		.sport = (uint16_t)(50000 + hour % 10000),
		.dport = 443,
		.application = 443,
		.start_ms = scene->hour_ms + 1234567,
		.duration_ms = 1789,
		.round_trip_ms = 42,
		.there = { 11, 1734, TCP_SYN, TCP_ACK | TCP_PSH | TCP_FIN },
		.back = { 9, 6120, TCP_SYN | TCP_ACK, TCP_ACK | TCP_PSH | TCP_FIN },
	};

	for (uint32_t i = 0; i < RARE_VISITS; i++) {
		if (hour ==
		    (uint32_t)((2 * i + 1) * (uint64_t)traffic->opts.hours / (2 * RARE_VISITS))) {
			session_emit(&scene->sink, &session);
		}
	}
}

GArray *traffic_hour(struct traffic *traffic, uint32_t hour)
{
	struct scene *scene = &traffic->scene;
	uint64_t budget;
	size_t count;

	scene->hour_ms = traffic->opts.first_hour_ms + hour * HOUR_MS;
	traffic->weight_done += hour_weight(scene->hour_ms);
	/* Records up to the end of this hour, less those of the hours before: no rounding adds up.
	 */
	budget = hour + 1 == traffic->opts.hours
			 ? traffic->opts.records
			 : (uint64_t)((double)traffic->opts.records * traffic->weight_done /
				      traffic->weight_sum);
	budget -= traffic->records_done;
	traffic->records_done += budget;
	visit_of_rare(traffic, hour);
	while ((count = timeline_count(traffic->timeline, hour)) < budget) {
		scene->room = budget - count;
		behaviour_play(scene);
	}
	return timeline_take(traffic->timeline, hour, budget);
}
