/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a host may do next: the table of behaviours, and how often each is met. */
#ifndef TUSSAH_TESTS_PERF_BEHAVIOUR_H
#define TUSSAH_TESTS_PERF_BEHAVIOUR_H

#include "tests/perf/session.h"

struct scene {
	struct rng rng;
	struct session_sink sink;
	uint64_t seed;
	int64_t hour_ms; /* the hour that is played */
	size_t room;     /* records that the hour may still take: long series stay below a part */
	uint16_t next_port[HOSTS_CLIENTS]; /* of clients that count their ports up */
};

/* Play one behaviour, drawn by its weight: some records more. */
void behaviour_play(struct scene *scene);

#endif
