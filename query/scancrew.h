/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A crew of threads that work through a list of units and hand the results to one consumer in the
 * order of the units, whoever made them and whenever: what comes out does not depend on the number
 * of threads.
 *
 *	struct scancrew_opts opts = { .threads = 4, .next = next, .work = work, .take = take };
 *	struct scancrew *crew = scancrew_new(&opts);
 *	st = scancrew_run(crew, err);		// take() is called by this thread
 *	scancrew_free(crew);
 *
 * No thread is started for one thread, nor while units are not worth it: the caller's thread then
 * does the work itself and every piece is taken as soon as it is put. Memory is bounded: units
 * ahead of the consumer wait when there are too many, or when their pieces are too large.
 */
#ifndef TUSSAH_QUERY_SCANCREW_H
#define TUSSAH_QUERY_SCANCREW_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct scancrew;
struct scanturn; /* a unit that is being worked on */

/* The head of what a worker puts and the consumer takes; the rest is the caller's. */
struct scanpiece {
	struct scanpiece *next;
	size_t bytes; /* that it keeps in memory, roughly */
};

struct scancrew_opts {
	unsigned threads;     /* that work, beside the caller's; 1: the caller's alone */
	size_t waiting_bytes; /* of pieces that wait for the consumer; 0: 64 MiB */
	void *arg;            /* of all callbacks */
	/* The state of one worker; may be NULL. */
	void *(*begin)(void *arg);
	void (*end)(void *arg, void *worker);
	/* The next unit or NULL; called by one thread at a time, in the order of the input. */
	void *(*next)(void *arg);
	/* Before the first thread is started: is there so much to do with unit that it pays? */
	bool (*worth)(void *arg, void *unit);
	/* Do a unit, which is taken; pieces go out by scancrew_put(). */
	void (*work)(void *arg, void *worker, void *unit, struct scanturn *turn);
	/* A unit that was not done because the end came first. */
	void (*drop)(void *arg, void *unit);
	/*
	 * Take a piece, which is taken. Anything but ST_OK ends the run and is what scancrew_run()
	 * returns. drained: the run is over, free it only.
	 */
	int (*take)(void *arg, struct scanpiece *piece, bool drained, struct err *err);
};

struct scancrew *scancrew_new(const struct scancrew_opts *opts);
/* Everything is done and taken: ST_OK, or what take() returned. */
int scancrew_run(struct scancrew *crew, struct err *err);
/* How many threads are at work, or were. */
unsigned scancrew_threads(const struct scancrew *crew);
/* Ends the threads. NULL is fine. */
void scancrew_free(struct scancrew *crew);

/* ---- for work() ---- */

/* Hand over a piece, which is taken; may wait. */
void scancrew_put(struct scanturn *turn, struct scanpiece *piece);
/* One more unit that comes right after this one and those added before, for whoever is free. */
void scancrew_add(struct scanturn *turn, void *unit);
/* Is all further work in vain? */
bool scancrew_stopped(const struct scanturn *turn);
/* Is a piece taken by this very thread at once? */
bool scancrew_is_inline(const struct scanturn *turn);

/* ---- for the consumer: work on the results ---- */

struct scanjob {
	void (*work)(struct scanjob *job);
	struct scanjob *next;
	bool done;
};

/* Have it done before any further unit; job is kept until scancrew_wait(). */
void scancrew_submit(struct scancrew *crew, struct scanjob *job);
/* Wait until it is done. */
void scancrew_wait(struct scancrew *crew, struct scanjob *job);
/* How many jobs are worth having under way; 0: there are no threads (yet). */
unsigned scancrew_jobs(const struct scancrew *crew);

#endif
