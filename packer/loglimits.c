/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/loglimits.h"

#include <glib.h>
#include <pthread.h>

#include "common/clock.h"

struct loglimits {
	const struct log_rate *rates;
	size_t kinds;
	size_t names_max;
	pthread_mutex_t lock;     /* guards what follows */
	GHashTable *by_name;      /* of struct log_limit[kinds] */
	struct log_limit *others; /* of all names for which there was no place */
};

struct loglimits *loglimits_new(const struct log_rate *rates, size_t kinds, size_t names_max)
{
	struct loglimits *limits = g_new0(struct loglimits, 1);

	limits->rates = rates;
	limits->kinds = kinds;
	limits->names_max = names_max;
	pthread_mutex_init(&limits->lock, NULL);
	limits->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	limits->others = g_new0(struct log_limit, kinds);
	return limits;
}

void loglimits_free(struct loglimits *limits)
{
	if (limits) {
		g_hash_table_destroy(limits->by_name);
		g_free(limits->others);
		pthread_mutex_destroy(&limits->lock);
		g_free(limits);
	}
}

static struct log_limit *find_limits(struct loglimits *limits, const char *name)
{
	struct log_limit *found = g_hash_table_lookup(limits->by_name, name);

	if (found) {
		return found;
	}
	if (g_hash_table_size(limits->by_name) >= limits->names_max) {
		return limits->others;
	}
	found = g_new0(struct log_limit, limits->kinds);
	g_hash_table_insert(limits->by_name, g_strdup(name), found);
	return found;
}

bool loglimits_ok(struct loglimits *limits, const char *name, unsigned kind, uint64_t *held_back)
{
	const int64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);
	bool ok;

	pthread_mutex_lock(&limits->lock);
	ok = log_limit_ok(&find_limits(limits, name)[kind], limits->rates[kind], now_ns, held_back);
	pthread_mutex_unlock(&limits->lock);
	return ok;
}
