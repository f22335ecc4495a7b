/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fields that are worked out of a record alone: payload and rates, YAF's flow key hash, what
 * rwmatch left in the next hop, the ends of a flow by inside and outside, and traces of a worm.
 *
 *	struct flowfields *flows = flowfields_new(&setup);
 *	flowfields_register(flows, ext);
 *	...
 *	flowfields_free(flows);			// and with them the fields
 */
#ifndef TUSSAH_QUERY_FLOWFIELD_H
#define TUSSAH_QUERY_FLOWFIELD_H

#include "common/extfield.h"
#include "common/numlist.h"
#include "query/conficker.h"

/* SiLK's plug-ins, which have these fields there. */
enum flowfield_plugin {
	FLOWFIELD_RATE = 1 << 0,      /* flowrate.so */
	FLOWFIELD_KEY = 1 << 1,       /* flowkey.so */
	FLOWFIELD_MATCH = 1 << 2,     /* cutmatch.so */
	FLOWFIELD_INT_EXT = 1 << 3,   /* int-ext-fields.so */
	FLOWFIELD_CONFICKER = 1 << 4, /* conficker-c.so */
};

struct flowfield_setup {
	uint64_t zero_ns; /* stands for a duration of 0 in rates */
	unsigned plugins; /* those that were named: their fields may be cut short like others */
	struct conficker_seed conficker;
	bool has_sides; /* these are set: */
	struct numset incoming;
	struct numset outgoing;
};

struct flowfields;

/* setup is copied. Never NULL. */
struct flowfields *flowfields_new(const struct flowfield_setup *setup);
void flowfields_free(struct flowfields *flows);
/* Have ext find the fields, which live as long as flows. */
void flowfields_register(const struct flowfields *flows, struct extfields *ext);

/* A rate in thousandths, as these fields have it. */
uint64_t flowfield_thousandths(double rate);
size_t flowfield_print_thousandths(char *out, uint64_t thousandths);

#endif
