/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/packing.h"

#include <glib.h>
#include <inttypes.h>
#include <pthread.h>
#include <time.h>

#include "common/log.h"
#include "common/timestamp.h"
#include "packer/packmetrics.h"
#include "packer/poller.h"

#define PACKING_TICK_NS      (NS_PER_S / 5)
#define PACKING_HURRY_NS     (NS_PER_S / 50)
#define PACKING_QUIET_NS     (2 * NS_PER_S)  /* exporters silent for so long are acknowledged */
#define PACKING_UNSYNCED_NS  (10 * NS_PER_S) /* others after this, well within their patience */
#define PACKING_UNSYNCED_MAX (UINT64_C(64) << 20)
#define PACKING_HANDSHAKE_NS (10 * NS_PER_S)

struct packing_listener {
	char *key;
	struct listener *listener;
	struct collector_door *door;
};

struct packing {
	struct packing_opts opts;
	struct keeper *keeper; /* NULL: nothing is sealed */
	struct writer *writer;
	struct positions *positions;
	struct collector *collector;
	GPtrArray *listeners; /* of struct packing_listener * */
	GPtrArray *pollers;   /* of struct poller * */
	bool running;
	pthread_t flusher;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	bool hurry; /* listeners are waiting for their last acknowledgement */
	bool stop;
	pthread_mutex_t listeners_lock; /* for whoever is not the main thread */
	_Atomic uint64_t ticks;
	_Atomic uint64_t checkpoints;
	_Atomic int64_t checkpoint_ns;
	_Atomic int64_t last_checkpoint_s;
	_Atomic uint64_t reloads;
};

static int64_t packing_now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* ---- listeners ---- */

static bool packing_probe_listens(const struct probe *probe)
{
	return probe->port && !probe->ephemeral && probe->sensors->len > 0;
}

static struct packing_listener *packing_find(const GPtrArray *listeners, const char *key)
{
	for (guint i = 0; i < listeners->len; i++) {
		struct packing_listener *at = g_ptr_array_index(listeners, i);

		if (g_strcmp0(at->key, key) == 0) {
			return at;
		}
	}
	return NULL;
}

static void packing_listener_stop(struct packing_listener *listener)
{
	listener_stop(listener->listener);
	collector_door_free(listener->door);
	g_free(listener->key);
	g_free(listener);
}

static void packing_add_listener(struct packing *packing, struct packing_listener *listener)
{
	pthread_mutex_lock(&packing->listeners_lock);
	g_ptr_array_add(packing->listeners, listener);
	pthread_mutex_unlock(&packing->listeners_lock);
}

static void packing_remove_listener(struct packing *packing, guint i)
{
	struct packing_listener *listener;

	pthread_mutex_lock(&packing->listeners_lock);
	listener = g_ptr_array_steal_index(packing->listeners, i);
	pthread_mutex_unlock(&packing->listeners_lock);
	packing_listener_stop(listener);
}

static int packing_listen(struct packing *packing, const struct probe *probe,
			  struct packing_listener **out, struct err *err)
{
	const struct listen_opts opts = {
		.transport = probe->tls                     ? LISTEN_TLS
			     : probe->protocol == PROBE_TCP ? LISTEN_TCP
							    : LISTEN_UDP,
		.host = probe->listen_host,
		.port = probe->port,
		.tls = probe->tls ? packing->opts.tls : NULL,
		.max_connections = packing->opts.max_connections,
		.handshake_timeout_ns = PACKING_HANDSHAKE_NS,
		.udp_receive_buffer = packing->opts.udp_receive_buffer,
		.bound_socket = packing->opts.bound_socket,
		.bound_socket_arg = packing->opts.bound_socket_arg,
	};
	struct packing_listener *listener = g_new0(struct packing_listener, 1);
	int st;

	if (probe->tls && !packing->opts.tls) {
		g_free(listener);
		return err_set(err, ST_EINVAL,
			       "probe '%s' uses TLS: --tls-ca, --tls-cert and --tls-key are needed",
			       probe->name);
	}
	listener->key = collector_door_key(probe);
	listener->door = collector_door_new(packing->collector, probe);
	st = listener_start(&listener->listener, &opts, &collector_handler, listener->door, err);
	if (st != ST_OK) {
		err_prefix(err, "probe '%s'", probe->name);
		collector_door_free(listener->door);
		g_free(listener->key);
		g_free(listener);
		return st;
	}
	*out = listener;
	return ST_OK;
}

/* Open what conf needs and is not open yet; on failure nothing has changed. */
static int packing_open_listeners(struct packing *packing, const struct sensorconf *conf,
				  struct err *err)
{
	const GPtrArray *probes = sensorconf_probes(conf);
	guint before = packing->listeners->len;
	int st = ST_OK;

	for (guint i = 0; st == ST_OK && i < probes->len; i++) {
		const struct probe *probe = g_ptr_array_index(probes, i);
		struct packing_listener *listener = NULL;
		char *key;

		if (!packing_probe_listens(probe)) {
			continue;
		}
		key = collector_door_key(probe);
		if (!packing_find(packing->listeners, key)) {
			st = packing_listen(packing, probe, &listener, err);
		}
		if (st == ST_OK) {
			log_msg(LOG_LEVEL_INFO,
				"Creating %s Reader for probe '%s' on %s%s%s%" PRIu16,
				probe_type_reader(probe->type), probe->name,
				probe->listen_host ? "[" : "",
				probe->listen_host ? probe->listen_host : "",
				probe->listen_host ? "]:" : "", probe->port);
		}
		if (listener) {
			packing_add_listener(packing, listener);
		}
		g_free(key);
	}
	while (st != ST_OK && packing->listeners->len > before) {
		packing_remove_listener(packing, before);
	}
	return st;
}

static void packing_set_hurry(struct packing *packing, bool hurry)
{
	pthread_mutex_lock(&packing->lock);
	packing->hurry = hurry;
	pthread_cond_signal(&packing->wake);
	pthread_mutex_unlock(&packing->lock);
}

/* Stop the listeners that conf (NULL: nobody) does not use; sessions get their last positions. */
static void packing_close_listeners(struct packing *packing, const struct sensorconf *conf)
{
	packing_set_hurry(packing, true);
	for (guint i = packing->listeners->len; i-- > 0;) {
		struct packing_listener *listener = g_ptr_array_index(packing->listeners, i);
		bool used = false;

		for (guint p = 0; conf && p < sensorconf_probes(conf)->len; p++) {
			const struct probe *probe = g_ptr_array_index(sensorconf_probes(conf), p);
			char *key = collector_door_key(probe);

			used |= packing_probe_listens(probe) && g_strcmp0(key, listener->key) == 0;
			g_free(key);
		}
		if (!used) {
			packing_remove_listener(packing, i);
		}
	}
	packing_set_hurry(packing, false);
}

/* ---- directories ---- */

static int packing_start_pollers(struct packing *packing, struct err *err)
{
	const GPtrArray *probes = sensorconf_probes(collector_conf(packing->collector));
	const struct poller_opts opts = {
		.collector = packing->collector,
		.disposal = &packing->opts.disposal,
		.interval_ns = packing->opts.polling_interval_ns,
		.stop_daemon = packing->opts.stop,
	};
	int st = ST_OK;

	for (guint i = 0; st == ST_OK && i < probes->len; i++) {
		const struct probe *probe = g_ptr_array_index(probes, i);
		struct poller *poller = NULL;

		if (!probe->poll_directory || probe->sensors->len == 0) {
			continue;
		}
		log_msg(LOG_LEVEL_INFO,
			"Creating Directory Reader poller for ipfix probe %s on '%s'", probe->name,
			probe->poll_directory);
		st = poller_start(&poller, &opts, probe->name, probe->poll_directory, err);
		if (st == ST_OK) {
			g_ptr_array_add(packing->pollers, poller);
		}
	}
	return st;
}

static void packing_stop_pollers(struct packing *packing)
{
	for (guint i = 0; i < packing->pollers->len; i++) {
		poller_stop(g_ptr_array_index(packing->pollers, i));
	}
	g_ptr_array_set_size(packing->pollers, 0);
}

/* ---- the flush timer ---- */

static int packing_checkpoint(struct packing *packing, unsigned flags, struct err *err)
{
	int64_t start_ns = packing_now_ns(CLOCK_MONOTONIC);
	int64_t now_s = packing_now_ns(CLOCK_REALTIME) / NS_PER_S;
	int st = collector_checkpoint(packing->collector, flags, start_ns, now_s, err);

	packing->checkpoint_ns += packing_now_ns(CLOCK_MONOTONIC) - start_ns;
	if (st == ST_OK) {
		packing->checkpoints++;
		packing->last_checkpoint_s = now_s;
	}
	return st;
}

struct packing_timer {
	int64_t next_flush_ns;
	int64_t first_news_ns;    /* when one was noticed after a checkpoint */
	int64_t last_news_ns;     /* when a message was last noticed */
	uint64_t messages;        /* then */
	uint64_t messages_synced; /* at the last checkpoint */
};

/*
 * Every flush timeout, with the lines of the log; in between, without them, when exporters wait:
 * many bytes are not acknowledged, or some for long, or everybody has gone quiet, or listeners are
 * stopping.
 */
static void packing_tick(struct packing *packing, struct packing_timer *timer, bool hurry)
{
	int64_t now_ns = packing_now_ns(CLOCK_MONOTONIC);
	uint64_t messages = collector_messages(packing->collector);
	bool timed = now_ns >= timer->next_flush_ns;
	bool early;
	struct err err;

	if (messages != timer->messages) {
		if (timer->messages == timer->messages_synced) {
			timer->first_news_ns = now_ns;
		}
		timer->messages = messages;
		timer->last_news_ns = now_ns;
	}
	early = collector_unsynced_bytes(packing->collector) > PACKING_UNSYNCED_MAX ||
		((hurry || now_ns - timer->last_news_ns >= PACKING_QUIET_NS ||
		  now_ns - timer->first_news_ns >= PACKING_UNSYNCED_NS) &&
		 messages != timer->messages_synced) ||
		writer_is_crowded(packing->writer);
	if (timed) {
		log_msg(LOG_LEVEL_INFO, "Flushing files after %" PRId64 " seconds.",
			packing->opts.flush_timeout_ns / NS_PER_S);
		collector_report(packing->collector);
		timer->next_flush_ns = now_ns + packing->opts.flush_timeout_ns;
	}
	if (timed || early) {
		timer->messages_synced = messages;
		packing_checkpoint(packing, timed ? WRITER_REPORT : 0, &err);
	}
	if (timed) {
		collector_book_losses(packing->collector, packing_now_ns(CLOCK_REALTIME), false);
	}
}

static void *packing_flusher(void *arg)
{
	struct packing *packing = arg;
	struct packing_timer timer = {
		.next_flush_ns = packing_now_ns(CLOCK_MONOTONIC) + packing->opts.flush_timeout_ns,
	};

	pthread_mutex_lock(&packing->lock);
	while (!packing->stop) {
		bool hurry = packing->hurry;
		int64_t until_ns = packing_now_ns(CLOCK_MONOTONIC) +
				   (hurry ? PACKING_HURRY_NS : PACKING_TICK_NS);
		const struct timespec until = {
			.tv_sec = until_ns / NS_PER_S,
			.tv_nsec = until_ns % NS_PER_S,
		};

		pthread_cond_timedwait(&packing->wake, &packing->lock, &until);
		hurry = packing->hurry;
		pthread_mutex_unlock(&packing->lock);
		packing_tick(packing, &timer, hurry);
		packing->ticks++;
		pthread_mutex_lock(&packing->lock);
	}
	pthread_mutex_unlock(&packing->lock);
	return NULL;
}

/* ---- from start to stop ---- */

static void packing_free(struct packing *packing)
{
	collector_free(packing->collector);
	writer_free(packing->writer);
	keeper_free(packing->keeper);
	positions_free(packing->positions);
	g_ptr_array_free(packing->listeners, TRUE);
	g_ptr_array_free(packing->pollers, TRUE);
	pthread_cond_destroy(&packing->wake);
	pthread_mutex_destroy(&packing->listeners_lock);
	pthread_mutex_destroy(&packing->lock);
	g_free(packing);
}

int packing_start(struct packing **out, const struct packing_opts *opts, struct site *site,
		  struct sensorconf *conf, struct err *err)
{
	struct packing *packing = g_new0(struct packing, 1);
	pthread_condattr_t attr;
	int st;

	packing->opts = *opts;
	pthread_mutex_init(&packing->lock, NULL);
	pthread_mutex_init(&packing->listeners_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&packing->wake, &attr);
	pthread_condattr_destroy(&attr);
	packing->listeners = g_ptr_array_new();
	packing->pollers = g_ptr_array_new();
	packing->keeper = opts->keep ? keeper_new(&opts->keeper) : NULL;
	packing->opts.writer.keeper = packing->keeper;
	packing->writer = writer_new(&packing->opts.writer);
	packing->positions = positions_new(opts->state_directory);
	packing->collector = collector_new(&(struct collector_opts){
		.writer = packing->writer,
		.positions = packing->positions,
		.limits = opts->limits,
		.clock_limit_ns = opts->clock_limit_ns,
		.root = opts->writer.root,
		.fatal = opts->stop,
	});
	collector_publish(packing->collector, site, conf);
	st = collector_recover(packing->collector, err);
	if (st == ST_OK) {
		st = packing_open_listeners(packing, conf, err);
	}
	if (st != ST_OK) {
		packing_free(packing);
		return st;
	}
	*out = packing;
	return ST_OK;
}

int packing_run(struct packing *packing, struct err *err)
{
	int st = packing_start_pollers(packing, err);
	int failed;

	if (st == ST_OK && packing->keeper) {
		st = keeper_start(packing->keeper, err);
	}
	if (st != ST_OK) {
		return st;
	}
	failed = pthread_create(&packing->flusher, NULL, packing_flusher, packing);
	if (failed) {
		return err_errno(err, ST_EIO, failed, "cannot start a thread");
	}
	packing->running = true;
	return ST_OK;
}

int packing_reload(struct packing *packing, struct site *site, struct sensorconf *conf,
		   struct err *err)
{
	int st = packing_open_listeners(packing, conf, err);

	if (st != ST_OK) {
		sensorconf_free(conf);
		site_free(site);
		return st;
	}
	packing_stop_pollers(packing);
	collector_publish(packing->collector, site, conf);
	packing_close_listeners(packing, conf);
	packing->reloads++;
	st = packing_start_pollers(packing, err);
	if (st == ST_OK) {
		/* files are opened anew, under the names that the new site gives them */
		st = packing_checkpoint(packing, WRITER_REPORT | WRITER_CLOSE, err);
	}
	return st;
}

/* ---- for those who watch ---- */

static void packing_collect_probe(void *arg, const struct probestats *stats)
{
	packmetrics_probe(arg, stats);
}

void packing_collect_metrics(struct packing *packing, struct metrictext *text)
{
	const struct packmetrics_state state = {
		.messages = collector_messages(packing->collector),
		.unsynced_bytes = collector_unsynced_bytes(packing->collector),
		.checkpoints = packing->checkpoints,
		.checkpoint_ns = packing->checkpoint_ns,
		.last_checkpoint_s = packing->last_checkpoint_s,
		.open_files = writer_open_files(packing->writer),
		.unsealed_files = packing->keeper ? keeper_files(packing->keeper) : 0,
		.reloads = packing->reloads,
	};

	collector_each_probe(packing->collector, packing_collect_probe, text);
	pthread_mutex_lock(&packing->listeners_lock);
	for (guint i = 0; i < packing->listeners->len; i++) {
		const struct packing_listener *at = g_ptr_array_index(packing->listeners, i);
		struct listener_stats stats;

		listener_get_stats(at->listener, &stats);
		packmetrics_listener(text, at->key, &stats);
	}
	pthread_mutex_unlock(&packing->listeners_lock);
	packmetrics_state(text, &state);
}

uint64_t packing_ticks(const struct packing *packing)
{
	return packing->ticks;
}

uint64_t packing_messages(const struct packing *packing)
{
	return collector_messages(packing->collector);
}

void packing_report(struct packing *packing)
{
	collector_report(packing->collector);
}

int packing_stop(struct packing *packing, struct err *err)
{
	int st;

	collector_report(packing->collector);
	log_msg(LOG_LEVEL_INFO, "Stopping processors...");
	packing_stop_pollers(packing);
	log_msg(LOG_LEVEL_INFO, "Waiting for record handlers...");
	packing_close_listeners(packing, NULL);
	log_msg(LOG_LEVEL_INFO, "Stopped processors.");
	if (packing->running) {
		pthread_mutex_lock(&packing->lock);
		packing->stop = true;
		pthread_cond_signal(&packing->wake);
		pthread_mutex_unlock(&packing->lock);
		pthread_join(packing->flusher, NULL);
	}
	log_msg(LOG_LEVEL_INFO, "Closing all files...");
	st = packing_checkpoint(packing, WRITER_REPORT | WRITER_CLOSE, err);
	collector_book_losses(packing->collector, packing_now_ns(CLOCK_REALTIME), true);
	keeper_stop(packing->keeper);
	packing_free(packing);
	return st;
}
