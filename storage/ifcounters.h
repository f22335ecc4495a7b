/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counters of interfaces as routers told them (if_counters of sFlow, after RFC 2233), and their
 * series: the last values of each hour, in one text file a day beside the data (storage/FORMAT.md
 * section 11).
 *
 *	rc = ifcounters_add(&place, hour_ns, "P0", &counters, err);
 *	rc = ifcounters_each(root, first_hour_ns, last_hour_ns, take, arg, err);
 */
#ifndef TUSSAH_STORAGE_IFCOUNTERS_H
#define TUSSAH_STORAGE_IFCOUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ip.h"
#include "storage/hourlines.h"

#define IFCOUNTERS_FOLDER ".interfaces" /* in the root; no path format makes names in it */

enum ifcounter {                      /* in the order of sFlow */
		 IFCOUNTER_TYPE,      /* ifType */
		 IFCOUNTER_SPEED,     /* bits per second */
		 IFCOUNTER_DIRECTION, /* 0 unknown, 1 full duplex, 2 half duplex, 3 in, 4 out */
		 IFCOUNTER_STATUS,    /* bit 0: administratively up, bit 1: operating */
		 IFCOUNTER_IN_BYTES,
		 IFCOUNTER_IN_UNICAST,
		 IFCOUNTER_IN_MULTICAST,
		 IFCOUNTER_IN_BROADCAST,
		 IFCOUNTER_IN_DISCARDS,
		 IFCOUNTER_IN_ERRORS,
		 IFCOUNTER_IN_UNKNOWN,
		 IFCOUNTER_OUT_BYTES,
		 IFCOUNTER_OUT_UNICAST,
		 IFCOUNTER_OUT_MULTICAST,
		 IFCOUNTER_OUT_BROADCAST,
		 IFCOUNTER_OUT_DISCARDS,
		 IFCOUNTER_OUT_ERRORS,
		 IFCOUNTERS,
};

struct ifcounter_row {
	const char *name;
	bool wide; /* 64 bits in sFlow */
};
extern const struct ifcounter_row ifcounter_rows[IFCOUNTERS];

struct ifcounters {
	int64_t time_ns; /* of arrival */
	struct ip agent;
	uint32_t sub_agent;
	uint32_t interface; /* ifIndex */
	uint64_t values[IFCOUNTERS];
};

/* Add a line, as lossfile_add(). */
int ifcounters_add(const struct hourlines_place *place, int64_t hour_ns, const char *probe,
		   const struct ifcounters *counters, struct err *err);

/* Visit the lines of the hours from first to last, as lossfile_each(). */
typedef void (*ifcounters_fn)(void *arg, int64_t hour_ns, const char *probe,
			      const struct ifcounters *counters);
int ifcounters_each(const char *root, int64_t first_hour_ns, int64_t last_hour_ns, ifcounters_fn fn,
		    void *arg, struct err *err);

#endif
