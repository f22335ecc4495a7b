/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/intake_internal.h"

#include <glib.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/bigendian.h"
#include "common/clock.h"
#include "common/timestamp.h"

#define INTAKE_FULL_RETRY_NS  50000000
#define INTAKE_CLAIM_RETRY_NS NS_PER_S

/* Of lines about a full journal. */
static const struct log_rate full_rate = { .burst = 2, .per_minute = 1 };

struct intake_door {
	struct intake *intake;
	char *key;
};

struct intake *intake_new(const struct intake_env *env)
{
	struct intake *intake = g_new0(struct intake, 1);

	intake->env = *env;
	intake->losses = intakeloss_new_table();
	pthread_mutex_init(&intake->losses_lock, NULL);
	pthread_mutex_init(&intake->lock, NULL);
	return intake;
}

void intake_free(struct intake *intake)
{
	if (intake) {
		g_hash_table_destroy(intake->losses);
		pthread_mutex_destroy(&intake->losses_lock);
		pthread_mutex_destroy(&intake->lock);
		g_free(intake);
	}
}

void intake_stop_waiting(struct intake *intake)
{
	intake->stopping = true;
}

uint64_t intake_messages(const struct intake *intake)
{
	return metric_get(&intake->messages);
}

/* ---- the journal ---- */

static void intake_log_full(struct intake *intake, const char *probe, const struct err *reason)
{
	char more[LOG_HELD_BACK_MAX];
	uint64_t held_back = 0;
	bool ok;

	pthread_mutex_lock(&intake->lock);
	ok = log_limit_ok(&intake->full_limit, full_rate, clock_now_ns(CLOCK_MONOTONIC),
			  &held_back);
	pthread_mutex_unlock(&intake->lock);
	if (ok) {
		log_msg(LOG_LEVEL_ERR,
			"'%s': no room in the journal: %s; datagrams are dropped and counted, "
			"others wait%s",
			probe, reason->text, log_held_back(held_back, more));
	}
}

/* After the journal had no room: true when it is to be tried again. */
static bool intake_wait_for_room(struct intake *intake, const char *probe, const struct err *reason)
{
	const struct timespec moment = { .tv_nsec = INTAKE_FULL_RETRY_NS };

	intake_log_full(intake, probe, reason);
	nanosleep(&moment, NULL);
	return !intake->stopping;
}

static int intake_failed(struct intake *intake, int st, const struct err *reason, struct err *err)
{
	if (st == ST_ELIMIT) {
		return err_set(err, ST_EAGAIN, "the journal is full");
	}
	intake->env.fail(intake->env.arg, reason);
	return err_set(err, st, "%s", reason->text);
}

int intake_channel_open(struct intake *intake, const struct envelope_open *open,
			struct intake_channel **out, struct err *err)
{
	const bool may_drop =
		(open->flags & (ENVELOPE_DATAGRAMS | ENVELOPE_RELAYED)) == ENVELOPE_DATAGRAMS;
	GByteArray *bytes = g_byte_array_new();
	struct feedback *feedback = NULL;
	struct iovec vector;
	struct err reason;
	int st;

	envelope_print_open(bytes, open);
	vector = (struct iovec){ bytes->data, bytes->len };
	do {
		st = feedbacks_open(intake->env.feedbacks, intake->env.journal, &vector, &feedback,
				    &reason);
	} while (st == ST_ELIMIT && !may_drop &&
		 intake_wait_for_room(intake, open->probe, &reason));
	g_byte_array_free(bytes, TRUE);
	if (st != ST_OK) {
		return intake_failed(intake, st, &reason, err);
	}
	*out = g_new0(struct intake_channel, 1);
	(*out)->intake = intake;
	(*out)->probe = g_strdup(open->probe);
	(*out)->stats = probetable_get(intake->env.stats, open->probe);
	(*out)->feedback = feedback;
	(*out)->may_drop = may_drop;
	return ST_OK;
}

void intake_channel_free(struct intake_channel *channel)
{
	if (channel) {
		feedback_put(channel->feedback);
		g_free(channel->probe);
		g_free(channel);
	}
}

static int intake_journal(struct intake_channel *channel, const struct envelope *envelope,
			  uint64_t *entry, struct err *reason)
{
	uint8_t head[ENVELOPE_HEAD_BYTES];
	const struct iovec vectors[] = { { head, sizeof(head) },
					 { (void *)envelope->bytes, envelope->len } };

	envelope_head(head, envelope);
	return journal_append(channel->intake->env.journal, vectors, envelope->len > 0 ? 2 : 1, 1,
			      entry, reason);
}

int intake_channel_close(struct intake_channel *channel, uint64_t *position, struct err *err)
{
	const struct envelope envelope = {
		.kind = ENVELOPE_CLOSE,
		.session = channel->feedback->session,
		.arrival_ns = clock_now_ns(CLOCK_REALTIME),
	};
	struct err reason;
	int st;

	do {
		st = intake_journal(channel, &envelope, position, &reason);
	} while (st == ST_ELIMIT && !channel->may_drop &&
		 intake_wait_for_room(channel->intake, channel->probe, &reason));
	return st == ST_OK ? ST_OK : intake_failed(channel->intake, st, &reason, err);
}

int intake_append_envelope(struct intake_channel *channel, struct envelope *envelope,
			   uint64_t *entry, struct err *err)
{
	struct intake *intake = channel->intake;
	struct err reason;
	int st;

	envelope->session = channel->feedback->session;
	*entry = 0;
	do {
		st = intake_journal(channel, envelope, entry, &reason);
		if (st == ST_ELIMIT && channel->may_drop) {
			metric_add(&channel->stats->values[PROBE_JOURNAL_DROPS], 1);
			intake_log_full(intake, channel->probe, &reason);
			return ST_OK;
		}
	} while (st == ST_ELIMIT && intake_wait_for_room(intake, channel->probe, &reason));
	if (st != ST_OK) {
		return intake_failed(intake, st, &reason, err);
	}
	metric_add(&intake->messages, 1);
	return ST_OK;
}

int intake_append_whole(struct intake_channel *channel, struct envelope *envelope, struct err *err)
{
	struct err reason;
	uint64_t entry;
	int st;

	envelope->session = channel->feedback->session;
	st = intake_journal(channel, envelope, &entry, &reason);
	return st == ST_OK ? ST_OK : intake_failed(channel->intake, st, &reason, err);
}

int intake_append(struct intake_channel *channel, const uint8_t *bytes, size_t len,
		  uint64_t position, uint64_t *entry, struct err *err)
{
	struct envelope envelope = {
		.kind = ENVELOPE_MESSAGE,
		.position = position,
		.arrival_ns = clock_now_ns(CLOCK_REALTIME),
		.bytes = bytes,
		.len = len,
	};

	return intake_append_envelope(channel, &envelope, entry, err);
}

/* ---- doors ---- */

struct intake_door *intake_door_new(struct intake *intake, const struct probe *probe)
{
	struct intake_door *door = g_new0(struct intake_door, 1);

	door->intake = intake;
	door->key = door_key(probe);
	return door;
}

void intake_door_free(struct intake_door *door)
{
	if (door) {
		g_free(door->key);
		g_free(door);
	}
}

/* ---- which probe is it? ---- */

static struct intake_channel *session_find_channel(const struct intake_session *session,
						   const char *probe)
{
	for (guint i = 0; i < session->channels->len; i++) {
		struct intake_channel *channel = g_ptr_array_index(session->channels, i);

		if (strcmp(channel->probe, probe) == 0) {
			return channel;
		}
	}
	return NULL;
}

static int session_open_channel(struct intake_session *session, const char *probe,
				struct intake_channel **out, struct err *err)
{
	struct envelope_open open = {
		.flags = session->datagrams ? ENVELOPE_DATAGRAMS : 0,
		.stream = session->stream ? session->stream_name : "",
		.probe = probe,
		.place = session->door_key,
		.peer = session->address,
	};
	int st;

	memcpy(open.stream_id, session->stream_id, sizeof(open.stream_id));
	st = intake_channel_open(session->intake, &open, out, err);
	if (st == ST_OK) {
		g_ptr_array_add(session->channels, *out);
	} else if (st == ST_EAGAIN && session->datagrams) {
		metric_add(&probetable_get(session->intake->env.stats, probe)
				    ->values[PROBE_JOURNAL_DROPS],
			   1);
	}
	return st;
}

static int session_choose(struct intake_session *session, const struct sensorconf *conf, int type,
			  const struct probe **out, struct err *err)
{
	const struct probe *refused_by;
	int st = door_choose(session->door_key, &session->peer, conf, type, out, &refused_by, err);

	if (st != ST_OK && refused_by) {
		metric_add(&probetable_get(session->intake->env.stats, refused_by->name)
				    ->values[PROBE_PEERS_REFUSED],
			   1);
	}
	return st;
}

/* Several types may listen at one UDP port: the version of each datagram says whose it is. */
static int session_choose_channel(struct intake_session *session, int type,
				  struct intake_channel **out, struct err *err)
{
	const struct packconfig *config = packconfigs_visit(session->intake->env.configs);
	const struct probe *probe;
	char *name = NULL;
	int st;

	if (session->generation != config->generation) {
		session->generation = config->generation;
		memset(session->by_type, 0, sizeof(session->by_type));
	}
	st = session_choose(session, config->conf, type, &probe, err);
	if (st == ST_OK) {
		name = g_strdup(probe->name);
	}
	packconfigs_depart();
	if (st == ST_OK) {
		*out = session_find_channel(session, name);
	}
	if (st == ST_OK && !*out) {
		st = session_open_channel(session, name, out, err);
	}
	g_free(name);
	return st;
}

static int session_find_for_datagram(struct intake_session *session, const uint8_t *bytes,
				     size_t len, struct intake_channel **out, struct err *err)
{
	int type = len >= 2 ? probe_type_of_version(get_be16(bytes)) : -1;
	struct intake_channel **known = &session->by_type[type < 0 ? PROBE_TYPES : type];
	int st = ST_OK;

	if (!*known ||
	    session->generation != packconfigs_generation(session->intake->env.configs)) {
		*known = NULL;
		st = session_choose_channel(session, type, known, err);
	}
	*out = *known;
	return st;
}

/* After a reload: is the probe still there, and does it still accept this peer? */
static int session_check_probe(struct intake_session *session, const struct packconfig *config,
			       const char *name, struct err *err)
{
	const struct probe *probe = sensorconf_probe(config->conf, name);

	if (!probe || probe->sensors->len == 0) {
		return err_set(err, ST_ENOENT, "probe '%s' is no longer configured", name);
	}
	if (!door_has_probe(session->door_key, probe) || !door_accepts(probe, &session->peer)) {
		return err_set(err, ST_EAUTH, "probe '%s' no longer accepts this peer", name);
	}
	session->generation = config->generation;
	return ST_OK;
}

/* A connection is its probe's until it ends. */
static int session_find_for_connection(struct intake_session *session, struct intake_channel **out,
				       struct err *err)
{
	struct intake_channel *channel = session->by_type[PROBE_TYPES];
	int st = ST_OK;

	if (session->generation != packconfigs_generation(session->intake->env.configs)) {
		const struct packconfig *config = packconfigs_visit(session->intake->env.configs);

		st = session_check_probe(session, config, channel->probe, err);
		packconfigs_depart();
	}
	if (st == ST_OK && channel->feedback->broken) {
		st = err_set(err, channel->feedback->reason.status, "%s",
			     channel->feedback->reason.text);
	}
	*out = channel;
	return st;
}

/* ---- messages ---- */

/* Another has all up to here. */
static void session_skip_to(struct intake_session *session, uint64_t position)
{
	if (position_begin(session->stream, position)) {
		position_end(session->stream, position, true);
	}
}

void intake_note(struct intake_session *session, uint64_t entry, uint64_t position)
{
	session->latest = (struct intake_mark){ entry, position };
	if (session->waiting.entry == 0) {
		session->waiting = session->latest;
	}
}

/*
 * The first message: from here on the stream is ours, unless another packer has stored it
 * meanwhile. When there is no room to write that down, what comes is taken in all the same: only
 * when the sensor goes elsewhere before there is may something be stored twice.
 */
int intake_claim(struct intake_session *session, uint64_t position, struct err *err)
{
	const struct intake_env *env = &session->intake->env;
	int64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);
	uint64_t others;
	int st;

	if (session->claimed || now_ns < session->claim_ns) {
		return ST_OK;
	}
	st = streamclaims_claim(env->claims, position_key(session->stream), position,
				clock_now_ns(CLOCK_REALTIME) / NS_PER_S, &others, err);
	if (st == ST_ELIMIT) {
		session->claim_ns = now_ns + INTAKE_CLAIM_RETRY_NS;
		return ST_OK;
	}
	if (st == ST_OK && others >= position) {
		session_skip_to(session, others);
	} else if (st == ST_OK) {
		session->claimed = true;
	}
	return st;
}

static int session_take(struct intake_session *session, struct intake_channel *channel,
			const uint8_t *bytes, size_t len, uint64_t position, struct err *err)
{
	struct journal *journal = session->intake->env.journal;
	uint64_t entry;
	int st;

	if (!session->stream || position == 0) {
		return intake_append(channel, bytes, len, 0, &entry, err);
	}
	st = intake_claim(session, position, err);
	if (st != ST_OK) {
		return st;
	}
	if (!position_begin(session->stream, position)) {
		metric_add(&channel->stats->values[PROBE_REPEATED], 1);
		intake_note(session, journal_last(journal), position);
		return ST_OK;
	}
	st = intake_append(channel, bytes, len, position, &entry, err);
	position_end(session->stream, position, st == ST_OK);
	if (st == ST_OK) {
		intake_note(session, entry, position);
	}
	return st;
}

static int session_message(void *arg, const uint8_t *bytes, size_t len, uint64_t position,
			   struct err *err)
{
	struct intake_session *session = arg;
	struct intake_channel *channel;
	int st;

	if (session->relayed) {
		return intake_relay_message(session, bytes, len, position, err);
	}
	st = session->datagrams ? session_find_for_datagram(session, bytes, len, &channel, err)
				: session_find_for_connection(session, &channel, err);

	return st == ST_OK ? session_take(session, channel, bytes, len, position, err) : st;
}

static uint64_t session_durable(void *arg)
{
	struct intake_session *session = arg;
	uint64_t durable = journal_durable(session->intake->env.journal);

	while (session->waiting.entry > 0 && session->waiting.entry <= durable) {
		session->acknowledged = MAX(session->acknowledged, session->waiting.position);
		session->waiting = session->latest.position > session->acknowledged
					   ? session->latest
					   : (struct intake_mark){ 0 };
	}
	if (session->waiting.entry > 0) {
		journal_hurry(session->intake->env.journal);
	}
	return session->acknowledged;
}

/* ---- coming and going ---- */

static void session_free(struct intake_session *session)
{
	for (guint i = 0; i < session->channels->len; i++) {
		intake_channel_free(g_ptr_array_index(session->channels, i));
	}
	g_ptr_array_free(session->channels, TRUE);
	if (session->relayed) {
		g_hash_table_destroy(session->relayed);
	}
	if (session->stream) {
		positions_put(session->intake->env.positions, session->stream);
	}
	g_free(session->stream_name);
	g_strfreev(session->names);
	g_free(session->address);
	g_free(session->door_key);
	g_free(session);
}

/* How far the stream is here, or with another packer; what is in the journal here and claimed by
 * another, who does not have it yet, is to come again. */
static int session_find_position(struct intake_session *session, struct err *err)
{
	struct streamclaims *claims = session->intake->env.claims;
	const char *key = position_key(session->stream);
	uint64_t others;
	int st = streamclaims_look(claims, key, position_taken(session->stream), &others, err);

	if (st == ST_ELIMIT) {
		st = ST_OK; /* nobody can claim anything */
	}
	if (st == ST_OK) {
		position_lower(session->stream,
			       streamclaims_ours(claims, key, position_taken(session->stream)));
		session_skip_to(session, others);
		session->acknowledged = position_taken(session->stream);
	}
	return st;
}

/* What the journal holds of the stream is durable before the peer is told that it is. */
static int session_find_stream(struct intake_session *session, const struct probe *probe,
			       const uint8_t id[16], struct err *err)
{
	const char *name = door_name(probe, &session->peer);
	int st;

	/* without certificates a stream is its probe's */
	session->stream_name = g_strdup(name ? name : probe->name);
	memcpy(session->stream_id, id, sizeof(session->stream_id));
	st = positions_get(session->intake->env.positions, session->stream_name, id,
			   &session->stream, err);
	if (st == ST_OK) {
		st = session_find_position(session, err);
	}
	return st == ST_OK ? journal_sync(session->intake->env.journal, err) : st;
}

static int session_begin(struct intake_session *session, const struct listen_peer *peer,
			 char **probe_name, struct err *err)
{
	const struct packconfig *config = packconfigs_visit(session->intake->env.configs);
	const struct probe *probe;
	int st = session_choose(session, config->conf, -1, &probe, err);

	if (st == ST_OK && peer->is_link) {
		st = session_find_stream(session, probe, peer->stream_id, err);
	}
	if (st == ST_OK) {
		*probe_name = g_strdup(probe->name);
		session->generation = config->generation;
	}
	packconfigs_depart();
	return st;
}

static struct intake_session *session_new(const struct intake_door *door,
					  const struct listen_peer *peer)
{
	struct intake_session *session = g_new0(struct intake_session, 1);

	session->intake = door->intake;
	session->door_key = g_strdup(door->key);
	session->datagrams = g_str_has_prefix(door->key, "udp ");
	session->address = g_strdup(peer->address);
	session->names = peer->tls ? listen_peer_names(peer) : NULL;
	session->peer = (struct door_peer){ .address = session->address,
					    .ip = listen_peer_ip(peer),
					    .names = session->names,
					    .relay = peer->is_relay };
	session->relayed =
		peer->is_relay ? g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL)
			       : NULL;
	session->channels = g_ptr_array_new();
	return session;
}

static void session_log_open(const struct intake_session *session, const char *probe,
			     const struct listen_peer *peer)
{
	char more[LOG_HELD_BACK_MAX];
	uint64_t held_back;

	if (notelog_may(session->intake->env.notes, probe, NOTELOG_CONNECTED, &held_back)) {
		log_msg(LOG_LEVEL_INFO, "'%s': accepted connection from %s%s%s%s%s%s%s", probe,
			session->relayed ? "relay " : "", session->address, peer->tls ? ", " : "",
			peer->tls ? tls_conn_describe(peer->tls) : "",
			session->names && session->names[0] ? ", certificate " : "",
			session->names && session->names[0] ? session->names[0] : "",
			log_held_back(held_back, more));
	}
}

static int session_open(void *arg, const struct listen_peer *peer, void **out, uint64_t *position,
			struct err *err)
{
	struct intake_session *session = session_new(arg, peer);
	char *probe = NULL;
	int st = session_begin(session, peer, &probe, err);

	if (st == ST_OK && !session->datagrams && !session->relayed) {
		st = session_open_channel(session, probe, &session->by_type[PROBE_TYPES], err);
	}
	if (st != ST_OK) {
		session_free(session);
		g_free(probe);
		return st;
	}
	*position = session->acknowledged;
	session_log_open(session, probe, peer);
	g_free(probe);
	*out = session;
	return ST_OK;
}

static void session_log_close(const struct intake_session *session, const char *probe,
			      const char *reason)
{
	char more[LOG_HELD_BACK_MAX];
	uint64_t held_back;

	if (notelog_may(session->intake->env.notes, probe, NOTELOG_DISCONNECTED, &held_back)) {
		log_msg(reason ? LOG_LEVEL_NOTICE : LOG_LEVEL_INFO,
			"'%s': noticed disconnect by %s%s%s%s", probe, session->address,
			reason ? ": " : "", reason ? reason : "", log_held_back(held_back, more));
	}
}

static void session_close(void *arg, const char *reason)
{
	struct intake_session *session = arg;

	for (guint i = 0; i < session->channels->len; i++) {
		struct intake_channel *channel = g_ptr_array_index(session->channels, i);

		session_log_close(session, channel->probe, reason);
		/* without it the session is over with the next start */
		intake_channel_close(channel, NULL, NULL);
	}
	session_free(session);
}

/* Nobody knows whose they were: any probe at the door may be short of them. */
static void door_dropped(void *arg, uint64_t datagrams)
{
	struct intake_door *door = arg;
	const struct packconfig *config = packconfigs_visit(door->intake->env.configs);
	const GPtrArray *probes = sensorconf_probes(config->conf);

	for (guint i = 0; i < probes->len; i++) {
		const struct probe *probe = g_ptr_array_index(probes, i);

		if (door_has_probe(door->key, probe)) {
			metric_add(&probetable_get(door->intake->env.stats, probe->name)
					    ->values[PROBE_KERNEL_DROPS],
				   datagrams);
		}
	}
	packconfigs_depart();
}

const struct listen_handler intake_handler = {
	.open = session_open,
	.message = session_message,
	.durable = session_durable,
	.close = session_close,
	.dropped = door_dropped,
};
