/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps the last counters of every interface, and writes them down when their hour is over
 * (storage/ifcounters.h). Bounded. From any thread.
 *
 *	struct ifkeeper *keeper = ifkeeper_new();
 *	ifkeeper_take(keeper, "P0", &counters);			// each sample
 *	ifkeeper_write(keeper, &place, now_ns, false);		// now and then
 *	ifkeeper_write(keeper, &place, now_ns, true);		// at last, the hour in progress too
 */
#ifndef TUSSAH_PACKER_IFKEEPER_H
#define TUSSAH_PACKER_IFKEEPER_H

#include "storage/ifcounters.h"

#define IFKEEPER_INTERFACES_MAX 65536

struct ifkeeper;

struct ifkeeper *ifkeeper_new(void);
void ifkeeper_free(struct ifkeeper *keeper);
void ifkeeper_take(struct ifkeeper *keeper, const char *probe, const struct ifcounters *counters);
/* What cannot be written is logged and forgotten. */
void ifkeeper_write(struct ifkeeper *keeper, const struct hourlines_place *place, int64_t now_ns,
		    bool last);

#endif
