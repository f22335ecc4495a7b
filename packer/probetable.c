/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/probetable.h"

#include <pthread.h>

#include "common/log.h"
#include "common/timestamp.h"

#define PROBETABLE_HOUR_NS (INT64_C(3600) * NS_PER_S)

struct probetable {
	pthread_mutex_t lock; /* guards all, and what probestats say is guarded by their owner */
	GHashTable *stats;    /* probe name to struct probestats, never removed */
};

struct probetable *probetable_new(void)
{
	struct probetable *table = g_new0(struct probetable, 1);

	pthread_mutex_init(&table->lock, NULL);
	table->stats = g_hash_table_new(g_str_hash, g_str_equal);
	return table;
}

void probetable_free(struct probetable *table)
{
	GHashTableIter iter;
	gpointer stats;

	if (!table) {
		return;
	}
	g_hash_table_iter_init(&iter, table->stats);
	while (g_hash_table_iter_next(&iter, NULL, &stats)) {
		probestats_free(stats);
	}
	g_hash_table_destroy(table->stats);
	pthread_mutex_destroy(&table->lock);
	g_free(table);
}

static struct probestats *probetable_get_locked(struct probetable *table, const char *probe)
{
	struct probestats *stats = g_hash_table_lookup(table->stats, probe);

	if (!stats) {
		stats = probestats_new(probe);
		g_hash_table_insert(table->stats, stats->name, stats);
	}
	return stats;
}

struct probestats *probetable_get(struct probetable *table, const char *probe)
{
	struct probestats *stats;

	pthread_mutex_lock(&table->lock);
	stats = probetable_get_locked(table, probe);
	pthread_mutex_unlock(&table->lock);
	return stats;
}

/* A probe that listened may read files from now on. */
void probetable_configure(struct probetable *table, const struct sensorconf *conf)
{
	GHashTableIter iter;
	gpointer value;

	pthread_mutex_lock(&table->lock);
	g_hash_table_iter_init(&iter, table->stats);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct probestats *stats = value;

		stats->listens = stats->polls = false;
	}
	for (guint i = 0; i < sensorconf_probes(conf)->len; i++) {
		const struct probe *probe = g_ptr_array_index(sensorconf_probes(conf), i);

		if ((probe->port || probe->poll_directory) && probe->sensors->len > 0) {
			struct probestats *stats = probetable_get_locked(table, probe->name);

			stats->listens = probe->port != 0;
			stats->polls = probe->poll_directory != NULL;
			stats->type = (int)probe->type;
		}
	}
	pthread_mutex_unlock(&table->lock);
}

void probetable_each(struct probetable *table,
		     void (*fn)(void *arg, const struct probestats *stats), void *arg)
{
	GHashTableIter iter;
	gpointer stats;

	pthread_mutex_lock(&table->lock);
	g_hash_table_iter_init(&iter, table->stats);
	while (g_hash_table_iter_next(&iter, NULL, &stats)) {
		fn(arg, stats);
	}
	pthread_mutex_unlock(&table->lock);
}

void probetable_report(struct probetable *table)
{
	GHashTableIter iter;
	gpointer value;

	pthread_mutex_lock(&table->lock);
	g_hash_table_iter_init(&iter, table->stats);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct probestats *stats = value;

		/* one that is no longer configured, too: the journal may have had its messages */
		if (stats->listens || (!stats->polls && probestats_has_dropped(stats))) {
			probestats_report(stats);
		}
	}
	pthread_mutex_unlock(&table->lock);
}

void probetable_report_one(struct probetable *table, struct probestats *stats)
{
	pthread_mutex_lock(&table->lock);
	probestats_report(stats);
	pthread_mutex_unlock(&table->lock);
}

struct probetable_booking {
	const struct hourlines_place *place;
	const struct probe *probe;
};

static void probetable_write_loss(void *arg, int64_t hour_ns, const struct loss *loss)
{
	const struct probetable_booking *booking = arg;

	for (guint i = 0; i < booking->probe->sensors->len; i++) {
		const struct sensor *sensor = g_ptr_array_index(booking->probe->sensors, i);
		struct err err;

		if (lossfile_add(booking->place, hour_ns,
				 sensor->name[0] ? sensor->name : LOSSFILE_NO_SENSOR,
				 booking->probe->name, loss, &err) != ST_OK) {
			log_msg(LOG_LEVEL_WARNING, "'%s': cannot note what was lost: %s",
				booking->probe->name, err.text);
			return;
		}
	}
}

void probetable_book(struct probetable *table, const struct sensorconf *conf,
		     const struct hourlines_place *place, int64_t now_ns, bool last)
{
	pthread_mutex_lock(&table->lock);
	for (guint i = 0; i < sensorconf_probes(conf)->len; i++) {
		const struct probe *probe = g_ptr_array_index(sensorconf_probes(conf), i);
		struct probetable_booking booking = { place, probe };
		struct probestats *stats = g_hash_table_lookup(table->stats, probe->name);
		struct loss totals;
		int64_t hour_ns;

		if (!stats || probe->sensors->len == 0) {
			continue;
		}
		hour_ns = atomic_load_explicit(&stats->hour_ns, memory_order_relaxed);
		if (hour_ns == 0) {
			hour_ns = now_ns - now_ns % PROBETABLE_HOUR_NS;
		}
		probestats_losses(stats, &totals);
		lossbook_turn(&stats->book, &totals, hour_ns, last, probetable_write_loss,
			      &booking);
	}
	pthread_mutex_unlock(&table->lock);
}
