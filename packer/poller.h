/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A thread that watches one directory for a probe and feeds its files to the collector. */
#ifndef TUSSAH_PACKER_POLLER_H
#define TUSSAH_PACKER_POLLER_H

#include "packer/disposal.h"
#include "packer/collector.h"

struct poller_opts {
	struct collector *collector;          /* kept */
	const struct disposal_opts *disposal; /* kept */
	int64_t interval_ns;
	void (*stop_daemon)(
		void); /* a bad file and no place to put it, or nothing can be written */
};

struct poller;

/* Watch the probe's directory: at once, then every interval. *out: end with poller_stop(). */
int poller_start(struct poller **out, const struct poller_opts *opts, const struct probe *probe,
		 struct err *err);
/* Finish the file at hand, join, free. */
void poller_stop(struct poller *poller);

#endif
