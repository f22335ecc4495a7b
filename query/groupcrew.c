/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/groupcrew.h"

#include <pthread.h>

#include <glib.h>

#include "query/readcrew.h"

struct run {
	const struct groupcrew *crew;
	uint64_t records;
	pthread_mutex_t lock;
	bool failed; /* atomic; err tells why */
	struct err err;
};

struct worker {
	struct group_worker *groups[GROUPCREW_GROUPS]; /* NULL: there is none */
	uint64_t records;
};

static void want(void *arg, struct batch *batch)
{
	const struct run *run = arg;

	if (run->crew->want) {
		run->crew->want(run->crew->arg, batch);
	}
}

static void *begin(void *arg)
{
	const struct run *run = arg;
	struct worker *worker = g_new0(struct worker, 1);

	for (size_t i = 0; i < GROUPCREW_GROUPS; i++) {
		if (run->crew->groups[i]) {
			worker->groups[i] = group_worker_new(run->crew->groups[i]);
		}
	}
	return worker;
}

static void fail(struct run *run, const struct err *err)
{
	pthread_mutex_lock(&run->lock);
	if (!run->failed) {
		run->err = *err;
		__atomic_store_n(&run->failed, true, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&run->lock);
}

static void add_batch(void *arg, void *state, struct batch *batch, struct readturn *turn)
{
	struct run *run = arg;
	struct worker *worker = state;
	struct err err;

	if (__atomic_load_n(&run->failed, __ATOMIC_RELAXED)) {
		return;
	}
	if (run->crew->change) {
		run->crew->change(run->crew->arg, batch);
	}
	worker->records += batch->selected;
	for (size_t i = 0; i < GROUPCREW_GROUPS; i++) {
		if (worker->groups[i] && group_worker_add(worker->groups[i], batch,
							  readcrew_position(turn), &err) != ST_OK) {
			fail(run, &err);
		}
	}
}

static void end(void *arg, void *state)
{
	struct run *run = arg;
	struct worker *worker = state;
	struct err err;

	run->records += worker->records;
	for (size_t i = 0; i < GROUPCREW_GROUPS; i++) {
		if (group_worker_free(worker->groups[i], &err) != ST_OK) {
			fail(run, &err);
		}
	}
	g_free(worker);
}

int groupcrew_run(const struct groupcrew *crew, uint64_t *records, struct err *err)
{
	struct run run = { .crew = crew, .lock = PTHREAD_MUTEX_INITIALIZER };
	struct readcrew reading = {
		.source = crew->source,
		.threads = crew->threads,
		.columns = crew->columns,
		.arg = &run,
		.want = want,
		.begin = begin,
		.batch = add_batch,
		.end = end,
	};

	for (size_t i = 0; i < GROUPCREW_GROUPS; i++) {
		reading.columns |= crew->groups[i] ? group_columns(crew->groups[i]) : 0;
	}
	readcrew_run(&reading);
	pthread_mutex_destroy(&run.lock);
	if (records) {
		*records = run.records;
	}
	if (run.failed && err) {
		*err = run.err;
	}
	return run.failed ? ST_EIO : ST_OK;
}
