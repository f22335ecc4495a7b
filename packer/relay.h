/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A relay: what the collector took in goes on to a packer elsewhere, as it came, over the link
 * (common/link.h). The collector's journal is the spool: what the packer has acknowledged leaves
 * it.
 *
 *	exporter -> intake -> journal -> link == TLS == intake of the packer
 *	                         |
 *	                 packing thread, up to what is acknowledged: who said what of templates
 *
 * A packer cannot decode without the templates that came before, and may be another one than
 * yesterday's. So each connection is opened with all sessions, and what their decoders know, as of
 * the first envelope that follows.
 *
 *	st = relay_start(&relay, &opts, err);	// the collector was told that it is a relay's
 *	...
 *	relay_stop(relay);			// listeners are stopped, the collector is not
 */
#ifndef TUSSAH_PACKER_RELAY_H
#define TUSSAH_PACKER_RELAY_H

#include "common/tls.h"
#include "packer/collector.h"

struct relay_opts {
	const char *const *destinations; /* "tls://host:port", in order; NULL behind the last */
	struct tls_opts tls;
	int64_t return_ns;       /* see struct link_opts */
	int64_t peer_timeout_ns; /* likewise */
	int64_t drain_ns;        /* how long relay_stop() waits for the rest to be acknowledged */
};

/* Each has the form of a destination of a relay? ST_OK, ST_EINVAL. */
int relay_check_destination(const char *destination, struct err *err);

struct relay;

/* The collector is started, and outlives the relay; opts are copied. ST_OK, ST_EINVAL, ST_EIO,
 * ST_EFORMAT (certificates). */
int relay_start(struct relay **out, const struct relay_opts *opts, struct collector *collector,
		struct err *err);
/* What is not acknowledged by then stays in the journal. */
void relay_stop(struct relay *relay);

#endif
