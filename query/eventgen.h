/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Made-up events, each of one or more flow records, as a network might see them: the engine of
 * rwrecgenerator. The same seed and the same calls give the same records.
 *
 *	struct eventgen *gen = eventgen_new(&opts);
 *	rc = eventgen_event(gen, start_ns, write_record, arg);
 *	eventgen_free(gen);
 *
 * Addresses below 128.0.0.0 are inside, the others outside. Threads: one at a time per object.
 */
#ifndef TUSSAH_QUERY_EVENTGEN_H
#define TUSSAH_QUERY_EVENTGEN_H

#include "common/record.h"
#include "storage/pmap.h"

/* Which way a record goes, and whether it is of the web: its flowtype. */
enum eventgen_way { EVENTGEN_IN, EVENTGEN_INWEB, EVENTGEN_OUT, EVENTGEN_OUTWEB, EVENTGEN_WAYS };

struct eventgen_opts {
	uint32_t seed;
	uint8_t flowtypes[EVENTGEN_WAYS];
	uint16_t sensor;            /* where the map gives none */
	const struct pmap *sensors; /* inner addresses to ids of sensors; kept; NULL: none */
};

struct eventgen;

struct eventgen *eventgen_new(const struct eventgen_opts *opts);
void eventgen_free(struct eventgen *gen);

/* Takes a record, which is borrowed; non-zero ends the event and is returned. */
typedef int (*eventgen_fn)(void *arg, const struct record *rec);

/* One event that begins at start_ns. */
int eventgen_event(struct eventgen *gen, int64_t start_ns, eventgen_fn fn, void *arg);

#endif
