/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The start of the collector: what an earlier run left in the repository and in the journal. */
#include "packer/collector_internal.h"

#include <inttypes.h>
#include <string.h>

#include "common/log.h"
#include "packer/exporterstore.h"

#define COLLECTOR_JOURNAL       ".rwflowpack-journal"
#define COLLECTOR_SYNC_MS       100
#define COLLECTOR_SEGMENT_BYTES (UINT64_C(16) << 20) /* released as a whole */

static struct exporters *collector_new_exporters(struct collector *collector)
{
	const struct exporters_env env = {
		.writer = collector->opts.writer,
		.positions = collector->opts.positions,
		.claims = collector->claims,
		.stats = collector->stats,
		.notes = collector->notes,
		.interfaces = collector->interfaces,
		.feedbacks = collector->feedbacks,
		.model = collector->model,
		.limits = collector->opts.limits,
		.clock_limit_ns = collector->opts.clock_limit_ns,
		.by_probe = collector->opts.by_probe,
		.relays = collector->opts.relays,
	};

	return exporters_new(&env);
}

static int collector_open_journal(struct collector *collector, struct err *err)
{
	char *path = g_build_filename(collector->opts.state_directory, COLLECTOR_JOURNAL, NULL);
	const struct journal_opts opts = {
		.directory = path,
		.max_bytes = collector->opts.journal_bytes,
		.segment_bytes = COLLECTOR_SEGMENT_BYTES,
		.sync_interval_ms = COLLECTOR_SYNC_MS,
	};
	struct journal_recovery recovery;
	int st = journal_open(&collector->journal, &opts, &recovery, err);

	if (st == ST_OK && recovery.lost_entries > 0) {
		log_msg(LOG_LEVEL_ERR,
			"%s: %" PRIu64
			" messages that had been acknowledged are not there any more",
			path, recovery.lost_entries);
	}
	g_free(path);
	return st;
}

/* What is stored of exporters, if it is of this journal and not ahead of what is committed. */
static void collector_load_exporters(struct collector *collector)
{
	struct exporterstore_head head;
	GByteArray *state = NULL;
	struct err err;
	int st = exporterstore_read(collector->opts.state_directory, &head, &state, &err);

	if (st == ST_OK) {
		st = exporters_load(collector->exporters, state->data, state->len, &err);
		g_byte_array_free(state, TRUE);
	}
	if (st != ST_OK) {
		if (st != ST_ENOENT) {
			log_msg(LOG_LEVEL_ERR, "What exporters said of their templates is lost: %s",
				err.text);
		}
		return;
	}
	if (memcmp(head.journal_id, journal_id(collector->journal), JOURNAL_ID_BYTES) == 0 &&
	    head.position <= collector->committed) {
		collector->stored = head.position;
	} else {
		exporters_disconnect(collector->exporters);
	}
}

uint64_t collector_go_back(struct collector *collector)
{
	exporters_free(collector->exporters);
	collector->exporters = collector_new_exporters(collector);
	collector_load_exporters(collector);
	collector->packed = collector->committed;
	collector->repeat_until = collector->committed;
	collector->at = collector->stored;
	collector->connected = collector->stored > collector->life_begins;
	return collector->stored > 0 ? collector->stored + 1 : 0;
}

static void collector_note_stream(void *arg, uint64_t session, struct stream_position *stream)
{
	GHashTable *streams = arg;

	g_hash_table_insert(streams, g_memdup2(&session, sizeof(session)), stream);
}

/* What the envelope means for the position of its stream. */
static int collector_look_at(struct collector *collector, GHashTable *streams, GPtrArray *held,
			     const struct journal_entry *entry, struct err *err)
{
	struct stream_position *stream = NULL;
	struct envelope envelope;
	int st = ST_OK;

	if (envelope_parse(&envelope, entry->bytes, entry->len, NULL) != ST_OK) {
		return ST_OK; /* told when it is packed */
	}
	if (envelope.kind == ENVELOPE_OPEN && envelope.open.stream[0]) {
		st = positions_get(collector->opts.positions, envelope.open.stream,
				   envelope.open.stream_id, &stream, err);
		if (st == ST_OK) {
			g_ptr_array_add(held, stream);
			collector_note_stream(streams, entry->position, stream);
		}
	} else if (envelope.kind == ENVELOPE_MESSAGE && envelope.position > 0) {
		stream = g_hash_table_lookup(streams, &envelope.session);
		if (stream && position_begin(stream, envelope.position)) {
			position_end(stream, envelope.position, true);
		}
	}
	return st;
}

/*
 * Before exporters come back: how far are their streams in the journal? Nobody is told less than
 * was acknowledged, and nothing is taken in twice.
 */
static int collector_look_ahead(struct collector *collector, uint64_t from, struct err *err)
{
	GHashTable *streams = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	GPtrArray *held = g_ptr_array_new();
	struct journal_reader *reader = NULL;
	struct journal_entry entry;
	int st = journal_reader_new(&reader, collector->journal, from, 0, err);

	exporters_each_stream(collector->exporters, collector_note_stream, streams);
	while (st == ST_OK) {
		st = journal_reader_next(reader, &entry, err);
		if (st == ST_OK) {
			st = collector_look_at(collector, streams, held, &entry, err);
		} else if (st == ST_EFORMAT) {
			st = ST_OK; /* told when it is packed */
		}
	}
	for (guint i = 0; i < held->len; i++) {
		positions_put(collector->opts.positions, g_ptr_array_index(held, i));
	}
	journal_reader_free(reader);
	g_ptr_array_free(held, TRUE);
	g_hash_table_destroy(streams);
	return st == ST_END ? ST_OK : st;
}

/* Find out where packing goes on, and what is in front of it. */
static int collector_resume(struct collector *collector, struct err *err)
{
	struct journal *journal = collector->journal;
	uint64_t from;
	int st = ST_OK;

	collector->committed = positions_packed(collector->opts.positions, journal_id(journal));
	if (journal_last(journal) < collector->committed) {
		st = journal_skip(journal, collector->committed, err);
	}
	if (st != ST_OK) {
		return st;
	}
	collector->limit = collector->opts.relays ? collector->committed : UINT64_MAX;
	collector->life_begins = journal_last(journal);
	from = collector_go_back(collector);
	if (collector->life_begins > collector->committed) {
		log_msg(LOG_LEVEL_NOTICE, "%" PRIu64 " entries of the journal are to be packed",
			collector->life_begins - collector->committed);
	}
	st = collector_look_ahead(collector, from, err);
	return st == ST_OK ? journal_reader_new(&collector->reader, journal, from, 0, err) : st;
}

int collector_recover(struct collector *collector, struct err *err)
{
	struct positions *positions = collector->opts.positions;
	int st = positions_open(positions, err);

	if (st == ST_OK) {
		st = writer_recover(collector->opts.writer, positions_id(positions),
				    positions_epoch(positions), err);
	}
	if (st == ST_OK) {
		collector->claims =
			streamclaims_new(collector->opts.repository, positions_id(positions),
					 collector->opts.no_file_locking);
		st = streamclaims_refresh(collector->claims, err);
		st = st == ST_ELIMIT ? ST_OK : st; /* there will be room, or no commit */
	}
	if (st == ST_OK) {
		st = collector_open_journal(collector, err);
	}
	return st == ST_OK ? collector_resume(collector, err) : st;
}
