/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/ifcounters.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cidr.h"

/* Words: probe, agent, sub-agent, ifIndex. */
static const struct hourlines ifcounters_lines = { IFCOUNTERS_FOLDER, 4 };

const struct ifcounter_row ifcounter_rows[IFCOUNTERS] = {
	[IFCOUNTER_TYPE] = { "type", false },
	[IFCOUNTER_SPEED] = { "speed", true },
	[IFCOUNTER_DIRECTION] = { "direction", false },
	[IFCOUNTER_STATUS] = { "status", false },
	[IFCOUNTER_IN_BYTES] = { "in-bytes", true },
	[IFCOUNTER_IN_UNICAST] = { "in-unicast", false },
	[IFCOUNTER_IN_MULTICAST] = { "in-multicast", false },
	[IFCOUNTER_IN_BROADCAST] = { "in-broadcast", false },
	[IFCOUNTER_IN_DISCARDS] = { "in-discards", false },
	[IFCOUNTER_IN_ERRORS] = { "in-errors", false },
	[IFCOUNTER_IN_UNKNOWN] = { "in-unknown", false },
	[IFCOUNTER_OUT_BYTES] = { "out-bytes", true },
	[IFCOUNTER_OUT_UNICAST] = { "out-unicast", false },
	[IFCOUNTER_OUT_MULTICAST] = { "out-multicast", false },
	[IFCOUNTER_OUT_BROADCAST] = { "out-broadcast", false },
	[IFCOUNTER_OUT_DISCARDS] = { "out-discards", false },
	[IFCOUNTER_OUT_ERRORS] = { "out-errors", false },
};

int ifcounters_add(const struct hourlines_place *place, int64_t hour_ns, const char *probe,
		   const struct ifcounters *counters, struct err *err)
{
	char agent[IP_TEXT_MAX];
	char sub_agent[16];
	char interface[16];
	const char *const words[] = { probe, agent, sub_agent, interface };
	struct hourlines_number numbers[IFCOUNTERS + 1] = { { "time", counters->time_ns } };

	ip_print(agent, counters->agent, !ip_is_mapped(counters->agent), IP_CANONICAL);
	snprintf(sub_agent, sizeof(sub_agent), "%" PRIu32, counters->sub_agent);
	snprintf(interface, sizeof(interface), "%" PRIu32, counters->interface);
	for (size_t i = 0; i < IFCOUNTERS; i++) {
		numbers[i + 1] = (struct hourlines_number){ ifcounter_rows[i].name,
							    (int64_t)counters->values[i] };
	}
	return hourlines_add(&ifcounters_lines, place, hour_ns, words, numbers, IFCOUNTERS + 1,
			     err);
}

struct ifcounters_reading {
	ifcounters_fn fn;
	void *arg;
};

static void ifcounters_set(struct ifcounters *counters, const struct hourlines_number *number)
{
	if (strcmp(number->name, "time") == 0) {
		counters->time_ns = number->value;
		return;
	}
	for (size_t i = 0; i < IFCOUNTERS; i++) {
		if (strcmp(ifcounter_rows[i].name, number->name) == 0) {
			counters->values[i] = (uint64_t)number->value;
		}
	}
}

static void ifcounters_take_line(void *arg, struct hourlines_line *line)
{
	const struct ifcounters_reading *reading = arg;
	struct ifcounters counters = { 0 };
	struct hourlines_number number;
	bool is_v6;
	int more;

	if (ip_parse(line->words[1], &counters.agent, &is_v6, NULL) != ST_OK) {
		return;
	}
	counters.sub_agent = (uint32_t)strtoul(line->words[2], NULL, 10);
	counters.interface = (uint32_t)strtoul(line->words[3], NULL, 10);
	while ((more = hourlines_next(line, &number)) > 0) {
		ifcounters_set(&counters, &number);
	}
	if (more == 0) {
		reading->fn(reading->arg, line->hour_ns, line->words[0], &counters);
	}
}

int ifcounters_each(const char *root, int64_t first_hour_ns, int64_t last_hour_ns, ifcounters_fn fn,
		    void *arg, struct err *err)
{
	struct ifcounters_reading reading = { fn, arg };

	return hourlines_each(&ifcounters_lines, root, first_hour_ns, last_hour_ns,
			      ifcounters_take_line, &reading, err);
}
