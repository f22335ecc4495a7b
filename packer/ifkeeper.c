/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/ifkeeper.h"

#include <glib.h>
#include <pthread.h>
#include <string.h>

#include "common/log.h"
#include "common/timestamp.h"

#define IFKEEPER_HOUR_NS (INT64_C(3600) * NS_PER_S)

struct ifkeeper_entry {
	char *probe;
	struct ifcounters counters;
	bool written;
};

struct ifkeeper {
	pthread_mutex_t lock;
	GHashTable *table; /* struct ifkeeper_entry, keyed by itself: the latest of an interface */
	GPtrArray *ended;  /* of struct ifkeeper_entry: the last of hours that are over */
};

static guint entry_hash(gconstpointer key)
{
	const struct ifkeeper_entry *entry = key;

	return g_str_hash(entry->probe) ^ (guint)entry->counters.agent.lo * 2654435761u ^
	       entry->counters.interface * 40503u ^ entry->counters.sub_agent;
}

static gboolean entry_equal(gconstpointer a, gconstpointer b)
{
	const struct ifkeeper_entry *one = a;
	const struct ifkeeper_entry *other = b;

	return ip_equal(one->counters.agent, other->counters.agent) &&
	       one->counters.sub_agent == other->counters.sub_agent &&
	       one->counters.interface == other->counters.interface &&
	       strcmp(one->probe, other->probe) == 0;
}

static void entry_free(gpointer value)
{
	struct ifkeeper_entry *entry = value;

	g_free(entry->probe);
	g_free(entry);
}

static struct ifkeeper_entry *entry_new(const char *probe, const struct ifcounters *counters)
{
	struct ifkeeper_entry *entry = g_new0(struct ifkeeper_entry, 1);

	entry->probe = g_strdup(probe);
	entry->counters = *counters;
	return entry;
}

struct ifkeeper *ifkeeper_new(void)
{
	struct ifkeeper *keeper = g_new0(struct ifkeeper, 1);

	pthread_mutex_init(&keeper->lock, NULL);
	keeper->table = g_hash_table_new_full(entry_hash, entry_equal, NULL, entry_free);
	keeper->ended = g_ptr_array_new_with_free_func(entry_free);
	return keeper;
}

void ifkeeper_free(struct ifkeeper *keeper)
{
	if (keeper) {
		g_hash_table_destroy(keeper->table);
		g_ptr_array_free(keeper->ended, TRUE);
		pthread_mutex_destroy(&keeper->lock);
		g_free(keeper);
	}
}

static int64_t hour_of(const struct ifcounters *counters)
{
	return counters->time_ns - counters->time_ns % IFKEEPER_HOUR_NS;
}

void ifkeeper_take(struct ifkeeper *keeper, const char *probe, const struct ifcounters *counters)
{
	const struct ifkeeper_entry wanted = { .probe = (char *)probe, .counters = *counters };
	struct ifkeeper_entry *entry;

	pthread_mutex_lock(&keeper->lock);
	entry = g_hash_table_lookup(keeper->table, &wanted);
	if (!entry) {
		if (g_hash_table_size(keeper->table) < IFKEEPER_INTERFACES_MAX) {
			g_hash_table_add(keeper->table, entry_new(probe, counters));
		}
	} else {
		if (!entry->written && hour_of(&entry->counters) != hour_of(counters) &&
		    keeper->ended->len < IFKEEPER_INTERFACES_MAX) {
			g_ptr_array_add(keeper->ended, entry_new(probe, &entry->counters));
		}
		entry->counters = *counters;
		entry->written = false;
	}
	pthread_mutex_unlock(&keeper->lock);
}

/* False: there is no use in trying others. */
static bool ifkeeper_write_one(const struct ifkeeper_entry *entry,
			       const struct hourlines_place *place)
{
	struct err err;

	if (ifcounters_add(place, hour_of(&entry->counters), entry->probe, &entry->counters,
			   &err) != ST_OK) {
		log_msg(LOG_LEVEL_WARNING, "'%s': cannot keep counters of interfaces: %s",
			entry->probe, err.text);
		return false;
	}
	return true;
}

void ifkeeper_write(struct ifkeeper *keeper, const struct hourlines_place *place, int64_t now_ns,
		    bool last)
{
	int64_t this_hour_ns = now_ns - now_ns % IFKEEPER_HOUR_NS;
	GHashTableIter iter;
	gpointer value;
	bool good = true;

	pthread_mutex_lock(&keeper->lock);
	for (guint i = 0; good && i < keeper->ended->len; i++) {
		good = ifkeeper_write_one(g_ptr_array_index(keeper->ended, i), place);
	}
	g_ptr_array_set_size(keeper->ended, 0);
	g_hash_table_iter_init(&iter, keeper->table);
	while (good && g_hash_table_iter_next(&iter, NULL, &value)) {
		struct ifkeeper_entry *entry = value;

		if (!entry->written && (last || hour_of(&entry->counters) < this_hour_ns)) {
			good = ifkeeper_write_one(entry, place);
			entry->written = true;
		}
	}
	pthread_mutex_unlock(&keeper->lock);
}
