/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/parallel.h"

#include <pthread.h>

#include <glib.h>

struct run {
	parallel_fn fn;
	void *arg;
	size_t count;
	size_t next; /* atomic: the first part that nobody has begun */
};

struct worker {
	struct run *run;
	unsigned number;
	pthread_t thread;
};

static void *work(void *arg)
{
	const struct worker *worker = arg;
	struct run *run = worker->run;
	size_t i;

	while ((i = __atomic_fetch_add(&run->next, 1, __ATOMIC_RELAXED)) < run->count) {
		run->fn(run->arg, worker->number, i);
	}
	return NULL;
}

void parallel_run(unsigned threads, size_t count, parallel_fn fn, void *arg)
{
	struct run run = { .fn = fn, .arg = arg, .count = count };
	unsigned workers = (unsigned)MIN(MAX(threads, 1), MAX(count, 1));
	struct worker *crew = g_new0(struct worker, workers);
	unsigned started = 1;

	crew[0].run = &run;
	while (started < workers) {
		crew[started] = (struct worker){ .run = &run, .number = started };
		if (pthread_create(&crew[started].thread, NULL, work, &crew[started]) != 0) {
			break;
		}
		started++;
	}
	work(&crew[0]);
	for (unsigned i = 1; i < started; i++) {
		pthread_join(crew[i].thread, NULL);
	}
	g_free(crew);
}
