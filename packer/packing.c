/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/packing.h"

#include <glib.h>
#include <inttypes.h>
#include <pthread.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/timestamp.h"
#include "packer/door.h"
#include "packer/packmetrics.h"
#include "packer/poller.h"

#define PACKING_TICK_NS      (NS_PER_S / 5)
#define PACKING_QUIET_NS     (2 * NS_PER_S)  /* nothing came for so long: commit what did */
#define PACKING_UNSYNCED_NS  (10 * NS_PER_S) /* nothing waits longer to be seen by queries */
#define PACKING_RETRY_NS     NS_PER_S        /* after a commit that found no room */
#define PACKING_FULL_LOG_NS  (10 * NS_PER_S)
#define PACKING_HANDSHAKE_NS (10 * NS_PER_S)
#define PACKING_RELOAD_NS    (5 * NS_PER_S)  /* what came before is packed as configured before */
#define PACKING_LOSSES_NS    (5 * NS_PER_S)  /* at the end, for room to tell a relay's losses */
#define PACKING_DRAIN_NS     (30 * NS_PER_S) /* at the end; the rest is there at the next start */

struct packing_listener {
	char *key;
	struct listener *listener;
	struct intake_door *door;
};

struct packing {
	struct packing_opts opts;
	struct keeper *keeper;            /* NULL: nothing is sealed */
	struct outputincremental *output; /* NULL: hourly files */
	struct writer *writer;
	struct positions *positions;
	struct collector *collector;
	struct relay *relay;  /* NULL: records are written */
	GPtrArray *listeners; /* of struct packing_listener * */
	GPtrArray *pollers;   /* of struct poller * */
	bool running;
	pthread_t flusher;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	bool stop;
	pthread_mutex_t listeners_lock; /* for whoever is not the main thread */
	_Atomic uint64_t ticks;
	_Atomic uint64_t commits;
	_Atomic int64_t commit_ns;
	_Atomic int64_t last_commit_s;
	_Atomic uint64_t reloads;
};

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
	intake_door_free(listener->door);
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
	listener->key = door_key(probe);
	listener->door = intake_door_new(collector_intake(packing->collector), probe);
	st = listener_start(&listener->listener, &opts, &intake_handler, listener->door, err);
	if (st != ST_OK) {
		err_prefix(err, "probe '%s'", probe->name);
		intake_door_free(listener->door);
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
		key = door_key(probe);
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

/* Stop the listeners that conf (NULL: nobody) does not use; sessions get their last positions. */
static void packing_close_listeners(struct packing *packing, const struct sensorconf *conf)
{
	for (guint i = packing->listeners->len; i-- > 0;) {
		struct packing_listener *listener = g_ptr_array_index(packing->listeners, i);
		bool used = false;

		for (guint p = 0; conf && p < sensorconf_probes(conf)->len; p++) {
			const struct probe *probe = g_ptr_array_index(sensorconf_probes(conf), p);
			char *key = door_key(probe);

			used |= packing_probe_listens(probe) && g_strcmp0(key, listener->key) == 0;
			g_free(key);
		}
		if (!used) {
			packing_remove_listener(packing, i);
		}
	}
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
		log_msg(LOG_LEVEL_INFO, "Creating Directory Reader poller for %s probe %s on '%s'",
			probe_type_name(probe->type), probe->name, probe->poll_directory);
		st = poller_start(&poller, &opts, probe, err);
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

static int packing_commit(struct packing *packing, unsigned flags, struct err *err)
{
	int64_t start_ns = clock_now_ns(CLOCK_MONOTONIC);
	int64_t now_s = clock_now_ns(CLOCK_REALTIME) / NS_PER_S;
	int st = collector_commit(packing->collector, flags, start_ns, now_s, err);

	packing->commit_ns += clock_now_ns(CLOCK_MONOTONIC) - start_ns;
	if (st == ST_OK) {
		packing->commits++;
		packing->last_commit_s = now_s;
	}
	return st;
}

static int64_t packing_flush_wait_ns(const struct packing *packing)
{
	const int64_t timeout_ns = packing->opts.flush_timeout_ns;
	int64_t since_ns = clock_now_ns(CLOCK_REALTIME) % (24 * NS_PER_HOUR) -
			   packing->opts.flush_offset_ns % timeout_ns + timeout_ns;

	return packing->opts.flush_offset_ns < 0 ? timeout_ns : timeout_ns - since_ns % timeout_ns;
}

static void packing_log_flush(const struct packing *packing)
{
	if (packing->relay) {
		return;
	}
	if (!packing->output) {
		log_msg(LOG_LEVEL_INFO, "Flushing files after %" PRId64 " seconds.",
			packing->opts.flush_timeout_ns / NS_PER_S);
	} else if (!packing->opts.by_probe) {
		log_msg(LOG_LEVEL_INFO, "Closing and moving incremental files...");
	}
}

/*
 * With the lines of the log; incremental files are closed and published. Losses are booked behind
 * the commit: what is not committed is counted again after a crash. A relay's packer books them.
 */
static int packing_flush(struct packing *packing, struct err *err)
{
	unsigned flags = packing->relay ? 0 : WRITER_REPORT;
	int st;

	packing_log_flush(packing);
	if (packing->relay) {
		intake_tell_losses(collector_intake(packing->collector));
	}
	st = packing_commit(packing, packing->output ? flags | WRITER_CLOSE : flags, err);
	if (st == ST_OK) {
		collector_book_losses(packing->collector, clock_now_ns(CLOCK_REALTIME), false);
	}
	if (packing->output) {
		outputincremental_publish(packing->output);
	}
	return st;
}

struct packing_timer {
	int64_t next_flush_ns;
	int64_t first_news_ns; /* when something was noticed to be packed after a commit */
	int64_t last_news_ns;  /* when it was last */
	uint64_t packed;       /* then */
	int64_t retry_ns;      /* not before; 0: no commit has failed */
	int64_t full_since_ns; /* the repository has no room; 0: it has */
	int64_t full_told_ns;
	uint64_t ticks; /* of the packing thread */
};

/* Is there something to commit that has waited for long, or that nothing follows? */
static bool packing_is_due(struct packing *packing, struct packing_timer *timer, int64_t now_ns)
{
	struct collector_state state;

	collector_get_state(packing->collector, &state);
	if (state.ticks != timer->ticks) {
		timer->ticks = state.ticks;
		packing->ticks++;
	}
	if (state.packed != timer->packed) {
		if (timer->packed <= state.committed) {
			timer->first_news_ns = now_ns;
		}
		timer->packed = state.packed;
		timer->last_news_ns = now_ns;
	}
	return collector_wants_commit(packing->collector) ||
	       (state.packed != state.committed &&
		(now_ns - timer->last_news_ns >= PACKING_QUIET_NS ||
		 now_ns - timer->first_news_ns >= PACKING_UNSYNCED_NS));
}

/* Without room everything waits, and is tried again until there is. */
static void packing_note_room(struct packing_timer *timer, int64_t now_ns, int st,
			      const struct err *err)
{
	if (st == ST_ELIMIT && now_ns - timer->full_told_ns >= PACKING_FULL_LOG_NS) {
		log_msg(LOG_LEVEL_ERR, "No room: %s; what comes in waits in the journal",
			err->text);
		timer->full_told_ns = now_ns;
	}
	if (st == ST_ELIMIT && timer->full_since_ns == 0) {
		timer->full_since_ns = now_ns;
	} else if (st == ST_OK && timer->full_since_ns != 0) {
		log_msg(LOG_LEVEL_NOTICE, "There is room again, after %" PRId64 " seconds",
			(now_ns - timer->full_since_ns) / NS_PER_S);
		timer->full_since_ns = 0;
		timer->full_told_ns = 0;
	}
}

/*
 * Every flush timeout, with the lines of the log; in between, without them, when something waits to
 * be committed.
 */
static void packing_tick(struct packing *packing, struct packing_timer *timer)
{
	int64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);
	bool timed = now_ns >= timer->next_flush_ns;
	bool due = packing_is_due(packing, timer, now_ns);
	struct err err;

	if (timed) {
		collector_report(packing->collector);
		timer->next_flush_ns = now_ns + packing_flush_wait_ns(packing);
	}
	if ((timed || due) && now_ns >= timer->retry_ns) {
		int st = timed ? packing_flush(packing, &err) : packing_commit(packing, 0, &err);

		if (packing->opts.by_probe && outputincremental_has_closed(packing->output)) {
			outputincremental_publish(packing->output); /* those that were full */
		}
		timer->retry_ns = st == ST_ELIMIT ? now_ns + PACKING_RETRY_NS : 0;
		packing_note_room(timer, now_ns, st, &err);
	}
}

static void *packing_flusher(void *arg)
{
	struct packing *packing = arg;
	struct packing_timer timer = {
		.next_flush_ns = clock_now_ns(CLOCK_MONOTONIC) + packing_flush_wait_ns(packing),
	};

	pthread_mutex_lock(&packing->lock);
	while (!packing->stop) {
		int64_t until_ns = clock_now_ns(CLOCK_MONOTONIC) + PACKING_TICK_NS;
		const struct timespec until = {
			.tv_sec = until_ns / NS_PER_S,
			.tv_nsec = until_ns % NS_PER_S,
		};

		pthread_cond_timedwait(&packing->wake, &packing->lock, &until);
		pthread_mutex_unlock(&packing->lock);
		packing_tick(packing, &timer);
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
	outputincremental_free(packing->output);
	keeper_free(packing->keeper);
	positions_free(packing->positions);
	g_ptr_array_free(packing->listeners, TRUE);
	g_ptr_array_free(packing->pollers, TRUE);
	pthread_cond_destroy(&packing->wake);
	pthread_mutex_destroy(&packing->listeners_lock);
	pthread_mutex_destroy(&packing->lock);
	g_free(packing);
}

/* A relay's packer notes what is missing. */
static struct hourlines_place packing_lines(const struct packing *packing)
{
	if (packing->opts.relay) {
		return (struct hourlines_place){ 0 };
	}
	return packing->output ? *outputincremental_lines(packing->output)
			       : (struct hourlines_place){ .root = packing->opts.writer.root };
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
	if (opts->incremental.directory) {
		packing->output = outputincremental_new(&opts->incremental);
		packing->opts.writer.place = outputincremental_place(packing->output);
	}
	packing->writer = writer_new(&packing->opts.writer);
	packing->positions = positions_new(opts->state_directory);
	packing->collector = collector_new(&(struct collector_opts){
		.writer = packing->writer,
		.positions = packing->positions,
		.state_directory = opts->state_directory,
		.journal_bytes = opts->journal_bytes,
		.limits = opts->limits,
		.clock_limit_ns = opts->clock_limit_ns,
		.by_probe = opts->by_probe,
		.relays = opts->relay != NULL,
		.no_file_locking = opts->writer.file.no_locking,
		.repository = opts->writer.root,
		.lines = packing_lines(packing),
		.fatal = opts->stop,
	});
	collector_publish(packing->collector, site, conf);
	st = collector_start(packing->collector, err);
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
	if (st == ST_OK && packing->opts.relay) {
		st = relay_start(&packing->relay, packing->opts.relay, packing->collector, err);
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
	collector_drain(packing->collector, PACKING_RELOAD_NS);
	collector_publish(packing->collector, site, conf);
	packing_close_listeners(packing, conf);
	packing->reloads++;
	st = packing_start_pollers(packing, err);
	if (st == ST_OK) {
		/* files are opened anew, under the names that the new site gives them */
		st = packing_commit(packing, WRITER_REPORT | WRITER_CLOSE, err);
		st = st == ST_ELIMIT ? ST_OK : st; /* the timer tries again */
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
	struct packmetrics_state state = {
		.checkpoints = packing->commits,
		.checkpoint_ns = packing->commit_ns,
		.last_checkpoint_s = packing->last_commit_s,
		.open_files = writer_open_files(packing->writer),
		.unsealed_files = packing->keeper ? keeper_files(packing->keeper) : 0,
		.reloads = packing->reloads,
	};

	collector_get_state(packing->collector, &state.collector);
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
	return intake_messages(collector_intake(packing->collector));
}

void packing_report(struct packing *packing)
{
	collector_report(packing->collector);
}

/* In a full journal they find room when the packer behind the relay has acknowledged some of it. */
static void packing_tell_last_losses(struct packing *packing)
{
	const struct timespec moment = { .tv_nsec = 20 * NS_PER_MS };
	int64_t until_ns = clock_now_ns(CLOCK_MONOTONIC) + PACKING_LOSSES_NS;

	while (!intake_tell_losses(collector_intake(packing->collector)) &&
	       clock_now_ns(CLOCK_MONOTONIC) < until_ns) {
		nanosleep(&moment, NULL);
	}
}

int packing_stop(struct packing *packing, struct err *err)
{
	int st;

	collector_report(packing->collector);
	log_msg(LOG_LEVEL_INFO, "Stopping processors...");
	intake_stop_waiting(collector_intake(packing->collector));
	packing_stop_pollers(packing);
	log_msg(LOG_LEVEL_INFO, "Waiting for record handlers...");
	packing_close_listeners(packing, NULL);
	if (packing->relay) {
		packing_tell_last_losses(packing);
	}
	relay_stop(packing->relay);
	log_msg(LOG_LEVEL_INFO, "Stopped processors.");
	/* the timer still runs: packing may have to wait for a commit */
	if (!collector_drain(packing->collector, PACKING_DRAIN_NS)) {
		log_msg(LOG_LEVEL_NOTICE, "What is not packed yet stays in the journal");
	}
	if (packing->running) {
		pthread_mutex_lock(&packing->lock);
		packing->stop = true;
		pthread_cond_signal(&packing->wake);
		pthread_mutex_unlock(&packing->lock);
		pthread_join(packing->flusher, NULL);
	}
	collector_stop(packing->collector);
	log_msg(LOG_LEVEL_INFO, "Closing all files...");
	st = packing_commit(packing, WRITER_REPORT | WRITER_CLOSE, err);
	if (st == ST_ELIMIT) {
		log_msg(LOG_LEVEL_ERR, "No room: %s; what is not stored stays in the journal",
			err->text);
		st = ST_OK;
	}
	collector_book_losses(packing->collector, clock_now_ns(CLOCK_REALTIME), true);
	/* what a packer in sending mode has not sent stays for the next (silk-packing.md 5.6) */
	if (packing->output && !packing->opts.incremental.sender_directory) {
		outputincremental_publish(packing->output);
	}
	keeper_stop(packing->keeper);
	packing_free(packing);
	return st;
}
