/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/session.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <urcu.h>

#include "common/bigendian.h"
#include "common/log.h"
#include "common/timestamp.h"
#include "packer/classify.h"
#include "packer/ifkeeper.h"
#include "packer/ipfix.h"
#include "packer/notelog.h"
#include "packer/probetable.h"

#define SESSION_DROPPED_PER_MINUTE 10
#define SESSION_IGNORED_PER_MINUTE 600

/* What a reload replaces; read under RCU. */
struct collector_config {
	struct site *site;
	struct sensorconf *conf;
	uint64_t generation;
};

struct collector {
	struct collector_opts opts;
	struct collector_config *config;
	uint64_t generation;
	struct probetable *stats;
	pthread_mutex_t lock; /* guards limits */
	struct log_limit dropped_limit;
	struct log_limit ignored_limit;
	struct notelog *notes;
	struct ifkeeper *interfaces;
	struct iemodel *model;      /* one for all decoders: to make it takes long */
	pthread_mutex_t checkpoint; /* one at a time */
	pthread_rwlock_t taking;    /* read: a message is being taken in; write: none is */
	_Atomic uint64_t unsynced_bytes;
	_Atomic uint64_t messages;
	_Atomic bool failed;
};

struct collector_door {
	struct collector *collector;
	char *key;
};

/* One transport session, or one file. */
struct session {
	struct collector *collector;
	char *door_key; /* NULL: a file */
	char *probe_name;
	char *address;
	struct ip ip;
	char **names; /* of the certificate; NULL without TLS */
	struct probestats *stats;
	struct decoder *decoder;
	uint64_t seen[DECODER_COUNTERS]; /* counted already */
	struct stream_position *stream;  /* NULL: not acknowledged */

	/* while a message is taken in */
	const struct collector_config *config;
	const struct probe *probe;
	uint64_t generation; /* that probe was last looked up in */
	int type;            /* enum probe_type of the last message; -1: none yet, or unknown */
	struct err write_err;
};

/* A checkpoint waits for the messages in work, not for those that come all the time. */
static void collector_init_taking(struct collector *collector)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&collector->taking, &attr);
	pthread_rwlockattr_destroy(&attr);
}

struct collector *collector_new(const struct collector_opts *opts)
{
	struct collector *collector = g_new0(struct collector, 1);

	collector->opts = *opts;
	pthread_mutex_init(&collector->lock, NULL);
	pthread_mutex_init(&collector->checkpoint, NULL);
	collector_init_taking(collector);
	collector->notes = notelog_new();
	collector->interfaces = ifkeeper_new();
	collector->model = iemodel_new();
	collector->stats = probetable_new();
	return collector;
}

static void collector_config_free(struct collector_config *config)
{
	if (config) {
		sensorconf_free(config->conf);
		site_free(config->site);
		g_free(config);
	}
}

void collector_free(struct collector *collector)
{
	if (!collector) {
		return;
	}
	collector_config_free(collector->config);
	probetable_free(collector->stats);
	notelog_free(collector->notes);
	ifkeeper_free(collector->interfaces);
	iemodel_free(collector->model);
	pthread_rwlock_destroy(&collector->taking);
	pthread_mutex_destroy(&collector->checkpoint);
	pthread_mutex_destroy(&collector->lock);
	g_free(collector);
}

void collector_publish(struct collector *collector, struct site *site, struct sensorconf *conf)
{
	struct collector_config *config = g_new0(struct collector_config, 1);
	struct collector_config *old;

	config->site = site;
	config->conf = conf;
	config->generation = ++collector->generation;
	probetable_configure(collector->stats, conf);
	old = rcu_xchg_pointer(&collector->config, config);
	synchronize_rcu();
	collector_config_free(old);
}

const struct sensorconf *collector_conf(const struct collector *collector)
{
	return collector->config->conf;
}

/*
 * Threads come from the listeners, which know nothing of RCU, so each is registered for the time
 * of one message: a short lock against hundreds of records.
 */
static const struct collector_config *collector_enter(struct collector *collector)
{
	rcu_register_thread();
	rcu_read_lock();
	return rcu_dereference(collector->config);
}

static void collector_leave(void)
{
	rcu_read_unlock();
	rcu_unregister_thread();
}

static void collector_fail(struct collector *collector, const struct err *err)
{
	if (!atomic_exchange(&collector->failed, true)) {
		log_msg(LOG_LEVEL_CRIT, "%s", err->text);
		if (collector->opts.fatal) {
			collector->opts.fatal();
		}
	}
}

/* ---- doors ---- */

char *collector_door_key(const struct probe *probe)
{
	GString *key = g_string_new(probe->tls                     ? "tls"
				    : probe->protocol == PROBE_TCP ? "tcp"
								   : "udp");
	g_string_append_printf(key, " %u", probe->port);
	for (guint i = 0; i < probe->listen_addresses->len; i++) {
		char text[IP_TEXT_MAX];
		struct ip ip = g_array_index(probe->listen_addresses, struct ip, i);

		ip_print(text, ip, !ip_is_mapped(ip), IP_CANONICAL);
		g_string_append_printf(key, " %s", text);
	}
	return g_string_free(key, FALSE);
}

struct collector_door *collector_door_new(struct collector *collector, const struct probe *probe)
{
	struct collector_door *door = g_new0(struct collector_door, 1);

	door->collector = collector;
	door->key = collector_door_key(probe);
	return door;
}

void collector_door_free(struct collector_door *door)
{
	if (door) {
		g_free(door->key);
		g_free(door);
	}
}

/* ---- which probe is it? ---- */

static bool session_has_name(const struct session *session, const struct probe *probe)
{
	for (char **name = session->names; name && *name; name++) {
		if (probe_accepts_name(probe, *name)) {
			return true;
		}
	}
	return false;
}

static bool session_is_accepted(const struct session *session, const struct probe *probe)
{
	return probe_accepts_address(probe, session->ip) &&
	       (!probe->tls || session_has_name(session, probe));
}

static bool probe_uses_door(const struct probe *probe, const char *door_key)
{
	char *key;
	bool same;

	if (probe->ephemeral || !probe->port || probe->sensors->len == 0) {
		return false;
	}
	key = collector_door_key(probe);
	same = strcmp(key, door_key) == 0;
	g_free(key);
	return same;
}

static int session_refuse(const struct session *session, bool address_ok, struct err *err)
{
	if (!address_ok) {
		return err_set(err, ST_EAUTH, "Connection prohibited from %s", session->address);
	}
	if (session->names && session->names[0]) {
		return err_set(err, ST_EAUTH, "no probe here is bound to certificate name '%s'",
			       session->names[0]);
	}
	return err_set(err, ST_EAUTH, "the certificate carries no name");
}

/* Find the probe behind the door that accepts the peer: the first of this type, else the first. */
static int session_choose_probe(struct session *session, const struct sensorconf *conf, int type,
				struct err *err)
{
	const GPtrArray *probes = sensorconf_probes(conf);
	const struct probe *refused_by = NULL;
	const struct probe *found = NULL;
	bool address_ok = false;

	for (guint i = 0; i < probes->len; i++) {
		const struct probe *probe = g_ptr_array_index(probes, i);

		if (!probe_uses_door(probe, session->door_key)) {
			continue;
		}
		if (session_is_accepted(session, probe)) {
			if (!found || ((int)found->type != type && (int)probe->type == type)) {
				found = probe;
			}
			continue;
		}
		address_ok |= probe_accepts_address(probe, session->ip);
		refused_by = refused_by ? refused_by : probe;
	}
	if (found) {
		session->probe = found;
		return ST_OK;
	}
	if (refused_by) {
		metric_add(&probetable_get(session->collector->stats, refused_by->name)
				    ->values[PROBE_PEERS_REFUSED],
			   1);
	}
	return session_refuse(session, address_ok, err);
}

static struct ipfix_mapping session_mapping(const struct session *session)
{
	return (struct ipfix_mapping){
		.vlan_interfaces = session->probe->vlan_interfaces,
		.quirks = session->probe->quirks,
		.clock_limit_ns = session->door_key ? session->collector->opts.clock_limit_ns : 0,
	};
}

/* From here on the messages are those of session->probe. */
static void session_set_probe(struct session *session)
{
	struct ipfix_mapping mapping = session_mapping(session);

	if (g_strcmp0(session->probe_name, session->probe->name) != 0) {
		g_free(session->probe_name);
		session->probe_name = g_strdup(session->probe->name);
		session->stats = probetable_get(session->collector->stats, session->probe_name);
	}
	session->generation = session->config->generation;
	decoder_set_mapping(session->decoder, &mapping, notelog_wanted(session->probe->log_flags));
}

/* Several types may listen at one UDP port: the version of each datagram says whose it is. */
static int session_check_datagram(struct session *session, const uint8_t *bytes, size_t len,
				  struct err *err)
{
	int type = len >= 2 ? probe_type_of_version(get_be16(bytes)) : -1;
	int st;

	if (session->generation == session->config->generation &&
	    (type < 0 || type == session->type)) {
		return ST_OK;
	}
	st = session_choose_probe(session, session->config->conf, type, err);
	if (st == ST_OK) {
		session->type = type;
		session_set_probe(session);
	}
	return st;
}

/* After a reload: is the probe still there, and does it still accept this peer? */
static int session_check_probe(struct session *session, struct err *err)
{
	const struct collector_config *config = session->config;

	if (session->generation == config->generation) {
		return ST_OK;
	}
	session->probe = sensorconf_probe(config->conf, session->probe_name);
	if (!session->probe || session->probe->sensors->len == 0) {
		return err_set(err, ST_ENOENT, "probe '%s' is no longer configured",
			       session->probe_name);
	}
	if (session->door_key && (!probe_uses_door(session->probe, session->door_key) ||
				  !session_is_accepted(session, session->probe))) {
		return err_set(err, ST_EAUTH, "probe '%s' no longer accepts this peer",
			       session->probe_name);
	}
	session_set_probe(session);
	return ST_OK;
}

/* ---- records ---- */

/* What an exporter can make us say is limited, over all sessions together. */
static bool collector_may_log(struct collector *collector, struct log_limit *limit,
			      uint32_t per_minute, uint64_t *held_back)
{
	struct timespec now;
	bool ok;

	clock_gettime(CLOCK_MONOTONIC, &now);
	pthread_mutex_lock(&collector->lock);
	ok = log_limit_ok(limit, per_minute, now.tv_sec * NS_PER_S + now.tv_nsec, held_back);
	pthread_mutex_unlock(&collector->lock);
	return ok;
}

static void session_log_dropped(struct session *session, const struct err *err)
{
	struct collector *collector = session->collector;
	uint64_t held_back = 0;

	if (collector_may_log(collector, &collector->dropped_limit, SESSION_DROPPED_PER_MINUTE,
			      &held_back)) {
		log_msg(LOG_LEVEL_WARNING, "'%s': record dropped: %s (%" PRIu64 " more held back)",
			session->probe_name, err->text, held_back);
	}
}

/* silk-packing.md 11.3; records that only tell of a firewall's doings when asked for */
static void session_log_ignored(void *arg, const struct record *rec, const char *reason)
{
	struct session *session = arg;
	struct collector *collector = session->collector;
	char sip[IP_TEXT_MAX];
	char dip[IP_TEXT_MAX];
	uint64_t held_back = 0;

	if ((g_str_has_prefix(reason, "firewallEvent") &&
	     !(session->probe->log_flags & PROBE_LOG_FIREWALL_EVENT)) ||
	    !collector_may_log(collector, &collector->ignored_limit, SESSION_IGNORED_PER_MINUTE,
			       &held_back)) {
		return;
	}
	ip_print(sip, rec->sip, record_is_ipv6(rec), IP_CANONICAL);
	ip_print(dip, rec->dip, record_is_ipv6(rec), IP_CANONICAL);
	log_msg(LOG_LEVEL_INFO, "IGNORED|%s|%s|%u|%u|%u|%" PRIu64 "|%" PRIu64 "|%s|", sip, dip,
		rec->sport, rec->dport, rec->protocol, rec->packets, rec->bytes, reason);
	if (held_back > 0) {
		log_msg(LOG_LEVEL_INFO, "%" PRIu64 " lines about ignored records were held back",
			held_back);
	}
}

static void session_log_note(void *arg, enum decoder_note note, const char *text)
{
	struct session *session = arg;

	notelog_write(session->collector->notes, session->probe_name, note, text);
}

static void session_take_counters(void *arg, const struct ifcounters *counters)
{
	struct session *session = arg;

	ifkeeper_take(session->collector->interfaces, session->probe_name, counters);
}

static int session_take_record(void *arg, const struct record *rec, const struct extras *extras)
{
	struct session *session = arg;
	struct classify_output outputs[CLASSIFY_OUTPUTS_MAX];
	size_t count =
		classify(sensorconf_logic(session->config->conf), session->probe, rec, outputs);

	metric_add(&session->stats->values[PROBE_CATEGORIZED], 1);
	atomic_store_explicit(&session->stats->hour_ns, record_hour_ns(rec), memory_order_relaxed);
	for (size_t i = 0; i < count; i++) {
		struct record copy = *rec;
		struct err err;
		int st;

		copy.sensor = outputs[i].sensor;
		copy.flowtype = outputs[i].flowtype;
		copy.memo = 0;
		st = writer_write(session->collector->opts.writer, session->config->site, &copy,
				  extras, &err);
		if (st == ST_ERANGE) {
			metric_add(&session->stats->values[PROBE_DROPPED], 1);
			session_log_dropped(session, &err);
		} else if (st != ST_OK) {
			session->write_err = err;
			collector_fail(session->collector, &err);
			return st;
		}
	}
	return ST_OK;
}

static int64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Decode one message; *broken: the repository, not the message, is at fault. */
static int session_take(struct session *session, const uint8_t *bytes, size_t len, bool *broken,
			struct err *err)
{
	const struct decoder_message message = { bytes, len, realtime_ns() };
	int st;

	session->write_err.status = ST_OK;
	session->config = collector_enter(session->collector);
	st = session->door_key && g_str_has_prefix(session->door_key, "udp ")
		     ? session_check_datagram(session, bytes, len, err)
		     : session_check_probe(session, err);
	if (st == ST_OK) {
		st = decoder_take(session->decoder, &message, err);
	} else {
		*broken = true; /* it may be taken in by another probe's session */
	}
	collector_leave();
	session->config = NULL;
	if (session->write_err.status != ST_OK) {
		*broken = true;
		st = err_set(err, session->write_err.status, "%s", session->write_err.text);
	}
	probestats_add(session->stats, session->decoder, session->seen);
	metric_add(&session->collector->messages, 1);
	return st;
}

static int session_message(void *arg, const uint8_t *bytes, size_t len, uint64_t position,
			   struct err *err)
{
	struct session *session = arg;
	struct collector *collector = session->collector;
	bool acknowledged = session->stream && position > 0;
	bool broken = false;
	int st = ST_OK;

	/* all of a message and its position are in the same commit */
	pthread_rwlock_rdlock(&collector->taking);
	if (acknowledged && !position_begin(session->stream, position)) {
		metric_add(&session->stats->values[PROBE_REPEATED], 1);
		goto done;
	}
	st = session_take(session, bytes, len, &broken, err);
	if (acknowledged) {
		/* a damaged message would be damaged next time too: it is done with, and counted */
		position_end(session->stream, position, !broken);
	}
	metric_add(&collector->unsynced_bytes, len);
done:
	pthread_rwlock_unlock(&collector->taking);
	return st;
}

static uint64_t session_durable(void *arg)
{
	const struct session *session = arg;

	return session->stream ? position_durable(session->stream) : 0;
}

/* ---- coming and going ---- */

static void session_free(struct session *session)
{
	if (session->stream) {
		positions_put(session->collector->opts.positions, session->stream);
	}
	decoder_free(session->decoder);
	g_strfreev(session->names);
	g_free(session->address);
	g_free(session->probe_name);
	g_free(session->door_key);
	g_free(session);
}

/* The name that a stream is kept under: the first that the probe accepts. */
static const char *session_stream_name(const struct session *session)
{
	for (char **name = session->names; name && *name; name++) {
		if (probe_accepts_name(session->probe, *name)) {
			return *name;
		}
	}
	return "";
}

static void session_start(struct session *session, const struct collector_config *config)
{
	const struct decoder_opts opts = {
		.limits = session->collector->opts.limits,
		.mapping = session_mapping(session),
		.model = session->collector->model,
	};
	const struct decoder_sink sink = {
		.flow = session_take_record,
		.ignored = session_log_ignored,
		.note = session_log_note,
		.arg = session,
		.notes = notelog_wanted(session->probe->log_flags),
		.counters = session_take_counters,
	};

	session->generation = config->generation;
	session->probe_name = g_strdup(session->probe->name);
	session->stats = probetable_get(session->collector->stats, session->probe_name);
	session->decoder = decoder_new(&opts, &sink);
}

static int session_open(void *arg, const struct listen_peer *peer, void **out, uint64_t *position,
			struct err *err)
{
	struct collector_door *door = arg;
	struct collector *collector = door->collector;
	struct session *session = g_new0(struct session, 1);
	const struct collector_config *config;
	int st;

	session->collector = collector;
	session->type = -1;
	session->door_key = g_strdup(door->key);
	session->address = g_strdup(peer->address);
	session->ip = listen_peer_ip(peer);
	session->names = peer->tls ? listen_peer_names(peer) : NULL;
	config = collector_enter(collector);
	st = session_choose_probe(session, config->conf, -1, err);
	if (st == ST_OK && peer->is_link) {
		st = positions_get(collector->opts.positions, session_stream_name(session),
				   peer->stream_id, &session->stream, err);
	}
	if (st == ST_OK) {
		session_start(session, config);
	}
	collector_leave();
	if (st != ST_OK) {
		session_free(session);
		return st;
	}
	*position = session->stream ? position_durable(session->stream) : 0;
	log_msg(LOG_LEVEL_INFO, "'%s': accepted connection from %s%s%s%s%s", session->probe_name,
		session->address, peer->tls ? ", " : "",
		peer->tls ? tls_conn_describe(peer->tls) : "",
		session->names && session->names[0] ? ", certificate " : "",
		session->names && session->names[0] ? session->names[0] : "");
	*out = session;
	return ST_OK;
}

static void session_close(void *arg, const char *reason)
{
	struct session *session = arg;

	log_msg(reason ? LOG_LEVEL_NOTICE : LOG_LEVEL_INFO, "'%s': noticed disconnect by %s%s%s",
		session->probe_name, session->address, reason ? ": " : "", reason ? reason : "");
	session_free(session);
}

/* Nobody knows whose they were: any probe at the door may be short of them. */
static void door_dropped(void *arg, uint64_t datagrams)
{
	struct collector_door *door = arg;
	const struct collector_config *config = collector_enter(door->collector);
	const GPtrArray *probes = sensorconf_probes(config->conf);

	for (guint i = 0; i < probes->len; i++) {
		const struct probe *probe = g_ptr_array_index(probes, i);

		if (probe_uses_door(probe, door->key)) {
			metric_add(&probetable_get(door->collector->stats, probe->name)
					    ->values[PROBE_KERNEL_DROPS],
				   datagrams);
		}
	}
	collector_leave();
}

const struct listen_handler collector_handler = {
	.open = session_open,
	.message = session_message,
	.durable = session_durable,
	.close = session_close,
	.dropped = door_dropped,
};

/* ---- files ---- */

static int session_read_all(struct session *session, FILE *file, struct err *err)
{
	uint8_t *bytes = g_malloc(UINT16_MAX);
	bool broken = false;
	size_t len = 0;
	int st;

	do {
		st = ipfix_read_message(file, bytes, &len, err);
		if (st == ST_OK) {
			pthread_rwlock_rdlock(&session->collector->taking);
			st = session_take(session, bytes, len, &broken, err);
			pthread_rwlock_unlock(&session->collector->taking);
		}
	} while (st == ST_OK);
	g_free(bytes);
	if (st == ST_END) {
		st = ST_OK;
	}
	return st != ST_OK && !broken ? ST_EFORMAT : st;
}

int collector_read_file(struct collector *collector, const char *probe, const char *path,
			uint64_t *records, struct err *err)
{
	struct session *session = g_new0(struct session, 1);
	const struct collector_config *config;
	FILE *file;
	int st = ST_OK;

	session->collector = collector;
	config = collector_enter(collector);
	session->probe = sensorconf_probe(config->conf, probe);
	if (session->probe && session->probe->sensors->len > 0) {
		session_start(session, config);
	} else {
		st = err_set(err, ST_ENOENT, "probe '%s' is no longer configured", probe);
	}
	collector_leave();
	if (st != ST_OK) {
		goto done;
	}
	file = fopen(path, "rbe");
	if (!file) {
		st = err_errno(err, ST_EFORMAT, errno, "%s", path);
		goto done;
	}
	st = session_read_all(session, file, err);
	fclose(file);
	probetable_report_one(collector->stats, session->stats);
	*records = session->seen[DECODER_FORWARD] + session->seen[DECODER_REVERSE];
	if (st == ST_OK && *records == 0) {
		st = err_set(err, ST_EFORMAT, "%s: no flow records", path);
	} else if (st == ST_EFORMAT && *records > 0) {
		log_msg(LOG_LEVEL_WARNING, "'%s': %s: %s", probe, path, err->text);
		st = ST_OK;
	}
done:
	session_free(session);
	return st;
}

/* ---- keeping ---- */

int collector_recover(struct collector *collector, struct err *err)
{
	struct positions *positions = collector->opts.positions;
	int st = positions_open(positions, err);

	return st == ST_OK ? writer_recover(collector->opts.writer, positions_id(positions),
					    positions_epoch(positions), err)
			   : st;
}

struct collector_commit {
	struct collector *collector;
	int64_t now_s;
};

static int collector_epoch_over(void *arg, bool appended, struct err *err)
{
	const struct collector_commit *commit = arg;

	return positions_commit(commit->collector->opts.positions, appended, commit->now_s, err);
}

int collector_checkpoint(struct collector *collector, unsigned writer_flush_flags, int64_t now_ns,
			 int64_t now_s, struct err *err)
{
	struct collector_commit commit = { collector, now_s };
	struct writer_epoch epoch = { .over = collector_epoch_over, .arg = &commit };
	uint64_t synced;
	int st;

	pthread_mutex_lock(&collector->checkpoint);
	pthread_rwlock_wrlock(&collector->taking);
	synced = metric_get(&collector->unsynced_bytes);
	positions_mark(collector->opts.positions);
	writer_freeze(collector->opts.writer);
	pthread_rwlock_unlock(&collector->taking);
	epoch.number = positions_epoch(collector->opts.positions);
	st = writer_commit(collector->opts.writer, writer_flush_flags, now_ns, &epoch, err);
	if (st == ST_OK) {
		metric_add(&collector->unsynced_bytes, -synced);
	} else {
		collector_fail(collector, err);
	}
	pthread_mutex_unlock(&collector->checkpoint);
	return st;
}

uint64_t collector_unsynced_bytes(const struct collector *collector)
{
	return metric_get(&collector->unsynced_bytes);
}

uint64_t collector_messages(const struct collector *collector)
{
	return metric_get(&collector->messages);
}

void collector_report(struct collector *collector)
{
	probetable_report(collector->stats);
}

void collector_book_losses(struct collector *collector, int64_t now_ns, bool last)
{
	const struct collector_config *config = collector_enter(collector);

	if (collector->opts.root) {
		probetable_book(collector->stats, config->conf, collector->opts.root, now_ns, last);
		ifkeeper_write(collector->interfaces, collector->opts.root, now_ns, last);
	}
	collector_leave();
}

void collector_each_probe(struct collector *collector,
			  void (*fn)(void *arg, const struct probestats *stats), void *arg)
{
	probetable_each(collector->stats, fn, arg);
}
