/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Batches go round in a ring of groups, so large that a change of threads costs nothing beside
 * them. The reader fills a group, every taker takes it, and it is filled again when all have.
 */
#include "query/fanout.h"

#include <glib.h>
#include <pthread.h>

#include "common/processors.h"

#define GROUP_BATCHES 8
#define GROUPS        16
/* A reader that must wait waits for so many, so that it is not woken for every one. */
#define WAIT_FOR (GROUPS / 2)

struct group {
	struct batch *batches[GROUP_BATCHES];
	unsigned count;
};

struct fanout {
	struct source *source;
	uint32_t columns;
	const struct fanout_taker *takers;
	size_t count;
	struct group groups[GROUPS]; /* group n is at n % GROUPS */
	pthread_mutex_t lock;
	pthread_cond_t filled_cond;
	pthread_cond_t taken_cond;
	uint64_t filled; /* groups, by the reader */
	bool ended;      /* no more will be */
	struct branch {
		struct fanout *fanout;
		const struct fanout_taker *taker;
		pthread_t thread;
		uint64_t taken; /* of these */
	} * branches;           /* NULL: no threads */
};

/* false: the input has ended. */
static bool fill_group(struct fanout *fanout, struct group *group)
{
	for (group->count = 0; group->count < GROUP_BATCHES; group->count++) {
		struct batch **batch = &group->batches[group->count];

		if (!*batch) {
			*batch = batch_new();
		}
		if (!source_next(fanout->source, *batch, fanout->columns)) {
			return false;
		}
	}
	return true;
}

static void take_group(const struct fanout_taker *taker, const struct group *group)
{
	for (unsigned i = 0; i < group->count; i++) {
		taker->take(taker->arg, group->batches[i]);
	}
}

static void end_taker(const struct fanout_taker *taker)
{
	if (taker->end) {
		taker->end(taker->arg);
	}
}

/* --- without threads --- */

static void take_all(const struct fanout *fanout, const struct group *group)
{
	for (size_t i = 0; i < fanout->count; i++) {
		take_group(&fanout->takers[i], group);
	}
}

static void run_alone(struct fanout *fanout)
{
	struct group one = { .batches = { fanout->groups[0].batches[0] }, .count = 1 };

	while (source_next(fanout->source, one.batches[0], fanout->columns)) {
		take_all(fanout, &one);
	}
}

/* --- with threads --- */

/* The next group of a taker; NULL: there are no more. */
static const struct group *next_group(struct branch *branch)
{
	struct fanout *fanout = branch->fanout;
	const struct group *group = NULL;

	pthread_mutex_lock(&fanout->lock);
	while (branch->taken == fanout->filled && !fanout->ended) {
		pthread_cond_wait(&fanout->filled_cond, &fanout->lock);
	}
	if (branch->taken < fanout->filled) {
		group = &fanout->groups[branch->taken % GROUPS];
	}
	pthread_mutex_unlock(&fanout->lock);
	return group;
}

/* Groups that not all takers have taken. */
static uint64_t waiting(const struct fanout *fanout)
{
	uint64_t least = fanout->filled;

	for (size_t i = 0; i < fanout->count; i++) {
		least = MIN(least, fanout->branches[i].taken);
	}
	return fanout->filled - least;
}

static void *run_branch(void *arg)
{
	struct branch *branch = arg;
	struct fanout *fanout = branch->fanout;
	const struct group *group;

	while ((group = next_group(branch))) {
		take_group(branch->taker, group);
		pthread_mutex_lock(&fanout->lock);
		branch->taken++;
		if (waiting(fanout) <= GROUPS - WAIT_FOR) {
			pthread_cond_signal(&fanout->taken_cond);
		}
		pthread_mutex_unlock(&fanout->lock);
	}
	end_taker(branch->taker);
	return NULL;
}

static void start_branches(struct fanout *fanout)
{
	fanout->branches = g_new0(struct branch, fanout->count);
	for (size_t i = 0; i < fanout->count; i++) {
		struct branch *branch = &fanout->branches[i];

		branch->fanout = fanout;
		branch->taker = &fanout->takers[i];
		if (pthread_create(&branch->thread, NULL, run_branch, branch) != 0) {
			tool_die("cannot start a thread");
		}
	}
}

/* One more is filled; waits until there is room for the next one. */
static void hand_over(struct fanout *fanout)
{
	pthread_mutex_lock(&fanout->lock);
	fanout->filled++;
	pthread_cond_broadcast(&fanout->filled_cond);
	if (waiting(fanout) == GROUPS) {
		while (waiting(fanout) > GROUPS - WAIT_FOR) {
			pthread_cond_wait(&fanout->taken_cond, &fanout->lock);
		}
	}
	pthread_mutex_unlock(&fanout->lock);
}

static void end_branches(struct fanout *fanout)
{
	pthread_mutex_lock(&fanout->lock);
	fanout->ended = true;
	pthread_cond_broadcast(&fanout->filled_cond);
	pthread_mutex_unlock(&fanout->lock);
	for (size_t i = 0; i < fanout->count; i++) {
		pthread_join(fanout->branches[i].thread, NULL);
	}
	g_free(fanout->branches);
}

/* The first group is filled. */
static void run_threads(struct fanout *fanout)
{
	bool goes_on;

	start_branches(fanout);
	do {
		hand_over(fanout);
		goes_on = fill_group(fanout, &fanout->groups[fanout->filled % GROUPS]);
	} while (goes_on);
	hand_over(fanout);
	end_branches(fanout);
}

void fanout_run(struct source *source, uint32_t columns, const struct fanout_taker *takers,
		size_t count)
{
	struct fanout fanout = {
		.source = source,
		.columns = columns,
		.takers = takers,
		.count = count,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.filled_cond = PTHREAD_COND_INITIALIZER,
		.taken_cond = PTHREAD_COND_INITIALIZER,
	};

	if (fill_group(&fanout, &fanout.groups[0]) && processors_count() > 1) {
		run_threads(&fanout);
	} else {
		bool more = fanout.groups[0].count == GROUP_BATCHES;

		take_all(&fanout, &fanout.groups[0]);
		if (more) {
			run_alone(&fanout);
		}
		for (size_t i = 0; i < count; i++) {
			end_taker(&takers[i]);
		}
	}
	for (size_t i = 0; i < GROUPS * GROUP_BATCHES; i++) {
		batch_free(fanout.groups[i / GROUP_BATCHES].batches[i % GROUP_BATCHES]);
	}
	pthread_mutex_destroy(&fanout.lock);
	pthread_cond_destroy(&fanout.filled_cond);
	pthread_cond_destroy(&fanout.taken_cond);
}
