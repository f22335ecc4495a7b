/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/feedback.h"

#include <glib.h>
#include <pthread.h>

struct feedbacks {
	pthread_mutex_t lock;
	GHashTable *by_session; /* of struct feedback, keyed by its session */
};

struct feedbacks *feedbacks_new(void)
{
	struct feedbacks *feedbacks = g_new0(struct feedbacks, 1);

	pthread_mutex_init(&feedbacks->lock, NULL);
	feedbacks->by_session = g_hash_table_new(g_int64_hash, g_int64_equal);
	return feedbacks;
}

void feedbacks_free(struct feedbacks *feedbacks)
{
	if (feedbacks) {
		g_hash_table_destroy(feedbacks->by_session);
		pthread_mutex_destroy(&feedbacks->lock);
		g_free(feedbacks);
	}
}

int feedbacks_open(struct feedbacks *feedbacks, struct journal *journal, const struct iovec *open,
		   struct feedback **out, struct err *err)
{
	struct feedback *feedback = g_new0(struct feedback, 1);
	int st;

	feedback->all = feedbacks;
	feedback->users = 1;
	pthread_mutex_lock(&feedbacks->lock);
	st = journal_append(journal, open, 1, 0, &feedback->session, err);
	if (st == ST_OK) {
		g_hash_table_insert(feedbacks->by_session, &feedback->session, feedback);
	}
	pthread_mutex_unlock(&feedbacks->lock);
	if (st != ST_OK) {
		g_free(feedback);
		return st;
	}
	*out = feedback;
	return ST_OK;
}

struct feedback *feedbacks_find(struct feedbacks *feedbacks, uint64_t session)
{
	struct feedback *feedback;

	pthread_mutex_lock(&feedbacks->lock);
	feedback = g_hash_table_lookup(feedbacks->by_session, &session);
	if (feedback) {
		feedback->users++;
	}
	pthread_mutex_unlock(&feedbacks->lock);
	return feedback;
}

void feedback_put(struct feedback *feedback)
{
	struct feedbacks *all = feedback ? feedback->all : NULL;
	bool last;

	if (!feedback) {
		return;
	}
	pthread_mutex_lock(&all->lock);
	last = --feedback->users == 0;
	if (last) {
		g_hash_table_remove(all->by_session, &feedback->session);
	}
	pthread_mutex_unlock(&all->lock);
	if (last) {
		g_free(feedback);
	}
}

void feedback_break(struct feedback *feedback, const struct err *reason)
{
	if (feedback && !feedback->broken) {
		feedback->reason = *reason;
		feedback->broken = true;
	}
}
