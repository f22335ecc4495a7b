/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What comes through a relay: its envelopes become our own. The relay names the probe of each of
 * its sessions; its certificate says whether it may. All of them are one stream.
 */
#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "packer/intake_internal.h"

static int relay_find_probe(struct intake_session *session, const char *name, struct err *err)
{
	const struct packconfig *config = packconfigs_visit(session->intake->env.configs);
	const struct probe *probe;
	int st = door_find(session->door_key, &session->peer, config->conf, name, &probe, err);

	packconfigs_depart();
	return st;
}

/* A session of the relay begins, or, when the connection does, goes on. */
static int relay_open(struct intake_session *session, const struct envelope *envelope,
		      uint64_t position, uint64_t *entry, struct err *err)
{
	const uint64_t id = position > 0 ? position : envelope->session;
	struct envelope_open open = envelope->open;
	struct intake_channel *channel;
	char *place;
	int st = relay_find_probe(session, open.probe, err);

	if (st != ST_OK) {
		return st;
	}
	/* who sends datagrams is known by where it came in, there */
	place = g_strconcat(session->stream_name, "\n", open.place, NULL);
	open.flags |= ENVELOPE_RELAYED;
	open.stream = session->stream_name;
	memcpy(open.stream_id, session->stream_id, sizeof(open.stream_id));
	open.place = place;
	st = intake_channel_open(session->intake, &open, &channel, err);
	if (st == ST_OK) {
		g_ptr_array_add(session->channels, channel);
		g_hash_table_insert(session->relayed, g_memdup2(&id, sizeof(id)), channel);
		*entry = channel->feedback->session;
	}
	g_free(place);
	return st;
}

/* The relay itself no longer knows how it began: neither can be decoded. */
static void relay_log_lost(const struct intake_session *session, const struct envelope *envelope)
{
	log_msg(LOG_LEVEL_WARNING,
		"the beginning of session %" PRIu64 " of relay %s is lost, and so is what it sent",
		envelope->session, session->address);
}

static int relay_append(struct intake_session *session, const struct envelope *envelope,
			uint64_t position, uint64_t *entry, struct err *err)
{
	struct intake_channel *channel = g_hash_table_lookup(session->relayed, &envelope->session);
	struct envelope copy = *envelope;

	if (!channel) {
		relay_log_lost(session, envelope);
		return ST_OK;
	}
	copy.position = envelope->kind == ENVELOPE_STATE ? envelope->position : position;
	return intake_append_envelope(channel, &copy, entry, err);
}

static int relay_close(struct intake_session *session, const struct envelope *envelope,
		       uint64_t position, uint64_t *entry, struct err *err)
{
	struct intake_channel *channel = g_hash_table_lookup(session->relayed, &envelope->session);
	int st;

	(void)position;
	if (!channel) {
		return ST_OK;
	}
	st = intake_channel_close(channel, entry, err);
	if (st == ST_OK) {
		g_hash_table_remove(session->relayed, &envelope->session);
		g_ptr_array_remove_fast(session->channels, channel);
		intake_channel_free(channel);
	}
	return st;
}

/* After a reload: does every probe still accept the relay? */
static int relay_check_probes(struct intake_session *session, struct err *err)
{
	const uint64_t generation = packconfigs_generation(session->intake->env.configs);
	int st = ST_OK;

	if (session->generation == generation) {
		return ST_OK;
	}
	for (guint i = 0; st == ST_OK && i < session->channels->len; i++) {
		const struct intake_channel *channel = g_ptr_array_index(session->channels, i);

		st = relay_find_probe(session, channel->probe, err);
	}
	session->generation = st == ST_OK ? generation : session->generation;
	return st;
}

int intake_relay_message(struct intake_session *session, const uint8_t *bytes, size_t len,
			 uint64_t position, struct err *err)
{
	static int (*const takers[])(struct intake_session *, const struct envelope *, uint64_t,
				     uint64_t *, struct err *) = {
		[ENVELOPE_OPEN] = relay_open,   [ENVELOPE_MESSAGE] = relay_append,
		[ENVELOPE_CLOSE] = relay_close, [ENVELOPE_STATE] = relay_append,
		[ENVELOPE_LOSS] = relay_append,
	};
	struct envelope envelope;
	uint64_t entry = 0;
	bool fresh;
	int st = envelope_parse(&envelope, bytes, len, err);

	if (st == ST_OK) {
		st = relay_check_probes(session, err);
	}
	if (st == ST_OK && position > 0) {
		st = intake_claim(session, position, err);
	}
	if (st != ST_OK) {
		return st;
	}
	fresh = position > 0 && position_begin(session->stream, position);
	/* a session begins for each connection, also when another took that in */
	if (fresh || position == 0 || envelope.kind == ENVELOPE_OPEN) {
		st = takers[envelope.kind](session, &envelope, position, &entry, err);
	}
	if (fresh) {
		position_end(session->stream, position, st == ST_OK);
	}
	if (st == ST_OK && position > 0) {
		intake_note(session, entry > 0 ? entry : journal_last(session->intake->env.journal),
			    position);
	}
	return st;
}
