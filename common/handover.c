/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/handover.h"

#include <glib.h>
#include <pthread.h>

struct handover {
	pthread_mutex_t lock;
	pthread_cond_t pushed;
	pthread_cond_t popped;
	size_t room;
	size_t first;
	size_t count;
	void *at[]; /* a ring */
};

struct handover *handover_new(size_t room)
{
	struct handover *handover = g_malloc0(sizeof(*handover) + room * sizeof(void *));

	pthread_mutex_init(&handover->lock, NULL);
	pthread_cond_init(&handover->pushed, NULL);
	pthread_cond_init(&handover->popped, NULL);
	handover->room = room;
	return handover;
}

void handover_free(struct handover *handover)
{
	if (handover) {
		pthread_mutex_destroy(&handover->lock);
		pthread_cond_destroy(&handover->pushed);
		pthread_cond_destroy(&handover->popped);
		g_free(handover);
	}
}

void handover_push(struct handover *handover, void *what)
{
	pthread_mutex_lock(&handover->lock);
	while (handover->count == handover->room) {
		pthread_cond_wait(&handover->popped, &handover->lock);
	}
	handover->at[(handover->first + handover->count++) % handover->room] = what;
	pthread_cond_signal(&handover->pushed);
	pthread_mutex_unlock(&handover->lock);
}

void *handover_pop(struct handover *handover)
{
	void *what;

	pthread_mutex_lock(&handover->lock);
	while (!handover->count) {
		pthread_cond_wait(&handover->pushed, &handover->lock);
	}
	what = handover->at[handover->first];
	handover->first = (handover->first + 1) % handover->room;
	handover->count--;
	pthread_cond_signal(&handover->popped);
	pthread_mutex_unlock(&handover->lock);
	return what;
}
