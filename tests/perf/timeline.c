/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/perf/timeline.h"

#define MS_NS INT64_C(1000000)

struct timeline {
	int64_t first_ns;
	uint32_t hours;
	GArray **by_hour; /* of struct record; NULL: none */
};

struct timeline *timeline_new(int64_t first_hour_ms, uint32_t hours)
{
	struct timeline *timeline = g_new0(struct timeline, 1);

	timeline->first_ns = first_hour_ms * MS_NS;
	timeline->hours = hours;
	timeline->by_hour = g_new0(GArray *, hours);
	return timeline;
}

void timeline_free(struct timeline *timeline)
{
	for (uint32_t hour = 0; hour < timeline->hours; hour++) {
		if (timeline->by_hour[hour] != NULL) {
			g_array_unref(timeline->by_hour[hour]);
		}
	}
	g_free(timeline->by_hour);
	g_free(timeline);
}

void timeline_add(struct timeline *timeline, const struct record *rec)
{
	int64_t hour = (rec->start_ns - timeline->first_ns) / (HOUR_MS * MS_NS);

	if (rec->start_ns < timeline->first_ns || hour >= timeline->hours) {
		return;
	}
	if (timeline->by_hour[hour] == NULL) {
		timeline->by_hour[hour] = g_array_new(FALSE, FALSE, sizeof(struct record));
	}
	g_array_append_val(timeline->by_hour[hour], *rec);
}

size_t timeline_count(const struct timeline *timeline, uint32_t hour)
{
	return timeline->by_hour[hour] != NULL ? timeline->by_hour[hour]->len : 0;
}

/* GLib's array sort is a merge sort: records that end together keep their order. */
static int compare_ends(const void *a, const void *b)
{
	int64_t left = record_end_ns(a);
	int64_t right = record_end_ns(b);

	return (left > right) - (left < right);
}

GArray *timeline_take(struct timeline *timeline, uint32_t hour, size_t max)
{
	GArray *records = timeline->by_hour[hour];

	timeline->by_hour[hour] = NULL;
	if (records == NULL) {
		return g_array_new(FALSE, FALSE, sizeof(struct record));
	}
	if (records->len > max) {
		g_array_set_size(records, (guint)max);
	}
	g_array_sort(records, compare_ends);
	return records;
}
