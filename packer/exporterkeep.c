/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is known of exporters, over restarts and from a relay to who comes behind it. */
#include "packer/exporters_internal.h"

#include <inttypes.h>
#include <string.h>

#include "common/bigendian.h"
#include "packer/statebytes.h"

#define EXPORTERS_STATE_MAX   (64 << 20) /* of one, from a relay */
#define EXPORTERS_STATE_PIECE 60000

static gint exporter_compare(gconstpointer a, gconstpointer b)
{
	const struct exporter *x = a;
	const struct exporter *y = b;

	return x->last_ns > y->last_ns ? -1 : x->last_ns < y->last_ns;
}

/* The clock was set forward: what was before it was so much later, by the clock of now. */
static void exporters_follow_clock(struct exporters *exporters, int64_t now_ns,
				   int64_t monotonic_ns)
{
	int64_t ahead_ns =
		now_ns - exporters->saved_ns - (monotonic_ns - exporters->saved_monotonic_ns);
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, exporters->by_session);
	while (exporters->saved_ns != 0 && ahead_ns > 0 &&
	       g_hash_table_iter_next(&iter, NULL, &value)) {
		struct exporter *exporter = value;

		if (exporter->last_ns <= now_ns - ahead_ns) {
			exporter->last_ns += ahead_ns;
		}
	}
	exporters->saved_ns = now_ns;
	exporters->saved_monotonic_ns = monotonic_ns;
}

/* Who slept too long, is one too many, or takes room that those who are awake may need: the one that
 * sleeps longest first. */
static void exporters_prune(struct exporters *exporters, int64_t now_ns)
{
	GList *all = g_list_sort(g_hash_table_get_values(exporters->by_session), exporter_compare);
	const struct budget *budget = &exporters->budget;
	unsigned asleep = 0;

	for (GList *at = all; at; at = at->next) {
		asleep += ((const struct exporter *)at->data)->asleep;
	}
	for (GList *at = g_list_last(all); at; at = at->prev) {
		struct exporter *exporter = at->data;

		if (exporter->asleep &&
		    (asleep > EXPORTERS_ASLEEP_MAX || budget->used > budget->max / 2 ||
		     now_ns - exporter->last_ns > EXPORTERS_ASLEEP_NS)) {
			exporters_forget(exporters, exporter);
			asleep--;
		}
	}
	g_list_free(all);
}

/* Of each: session, arrival of the last message, asleep, its opening, the state of its decoder. */
enum exporters_part {
	EXPORTERS_PART_HEAD = 1,
	EXPORTERS_PART_OPEN,
	EXPORTERS_PART_DECODER,
};

void exporters_save(struct exporters *exporters, int64_t now_ns, int64_t monotonic_ns,
		    GByteArray *out)
{
	GHashTableIter iter;
	gpointer value;

	exporters_follow_clock(exporters, now_ns, monotonic_ns);
	exporters_prune(exporters, now_ns);
	g_hash_table_iter_init(&iter, exporters->by_session);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct exporter *exporter = value;
		guint at = statebytes_begin(out, EXPORTERS_PART_HEAD);

		statebytes_put(out, exporter->session, 8);
		statebytes_put(out, (uint64_t)exporter->last_ns, 8);
		statebytes_put(out, exporter->asleep, 1);
		statebytes_end(out, at);
		at = statebytes_begin(out, EXPORTERS_PART_OPEN);
		g_byte_array_append(out, exporter->open_bytes->data, exporter->open_bytes->len);
		statebytes_end(out, at);
		at = statebytes_begin(out, EXPORTERS_PART_DECODER);
		decoder_save(exporter->decoder, out);
		statebytes_end(out, at);
	}
}

static bool exporters_next_part(struct template_bytes *state, uint8_t wanted,
				struct template_bytes *part)
{
	uint8_t tag;

	return statebytes_next(state, &tag, part) == ST_OK && tag == wanted;
}

static int exporters_load_one(struct exporters *exporters, struct template_bytes *state,
			      struct err *err)
{
	struct template_bytes head, open, decoder;
	struct exporter *exporter;
	struct envelope envelope;
	uint64_t session, last_ns, asleep;
	int st;

	if (!exporters_next_part(state, EXPORTERS_PART_HEAD, &head) ||
	    !exporters_next_part(state, EXPORTERS_PART_OPEN, &open) ||
	    !exporters_next_part(state, EXPORTERS_PART_DECODER, &decoder) ||
	    !statebytes_get(&head, 8, &session) || !statebytes_get(&head, 8, &last_ns) ||
	    !statebytes_get(&head, 1, &asleep) ||
	    envelope_parse(&envelope, open.at, open.left, NULL) != ST_OK ||
	    envelope.kind != ENVELOPE_OPEN ||
	    g_hash_table_contains(exporters->by_session, &session)) {
		return err_set(err, ST_EFORMAT, "the state of an exporter is damaged");
	}
	st = exporters_open(exporters, session, &envelope, err);
	exporter = exporters_find(exporters, session);
	if (st == ST_OK) {
		st = decoder_load(exporter->decoder, decoder.at, decoder.left, err);
	}
	exporter->last_ns = (int64_t)last_ns;
	exporter->asleep = asleep;
	decoder_get_counts(exporter->decoder, exporter->seen);
	return st;
}

int exporters_load(struct exporters *exporters, const uint8_t *bytes, size_t len, struct err *err)
{
	struct template_bytes state = { bytes, len };
	int st = ST_OK;

	while (st == ST_OK && state.left > 0) {
		st = exporters_load_one(exporters, &state, err);
	}
	if (st != ST_OK) {
		g_hash_table_remove_all(exporters->by_name);
		g_hash_table_remove_all(exporters->by_session);
		exporters->last = NULL;
	}
	return st;
}

/* ---- relays ---- */

/* The envelope's length, then the envelope, so far only its head: room for bytes follows. */
static void exporters_print_head(GByteArray *out, const struct envelope *envelope)
{
	uint8_t head[ENVELOPE_HEAD_BYTES];

	statebytes_put(out, ENVELOPE_HEAD_BYTES + envelope->len, 4);
	envelope_head(head, envelope);
	g_byte_array_append(out, head, sizeof(head));
}

static void exporter_print_opening(const struct exporter *exporter, GByteArray *state,
				   GByteArray *out)
{
	const struct envelope open = {
		.kind = ENVELOPE_OPEN,
		.session = exporter->session,
		.open.flags = exporter->open.flags,
		.len = exporter->open_bytes->len - ENVELOPE_HEAD_BYTES,
	};

	exporters_print_head(out, &open);
	g_byte_array_append(out, exporter->open_bytes->data + ENVELOPE_HEAD_BYTES, (guint)open.len);
	g_byte_array_set_size(state, 0);
	decoder_save(exporter->decoder, state);
	for (guint at = 0; at < state->len; at += EXPORTERS_STATE_PIECE) {
		const guint len = MIN(state->len - at, EXPORTERS_STATE_PIECE);
		const struct envelope piece = {
			.kind = ENVELOPE_STATE,
			.session = exporter->session,
			.position = state->len - at - len,
			.len = len,
		};

		exporters_print_head(out, &piece);
		g_byte_array_append(out, state->data + at, len);
	}
}

void exporters_print_opening(struct exporters *exporters, GByteArray *out)
{
	GByteArray *state = g_byte_array_new();
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, exporters->by_session);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		exporter_print_opening(value, state, out);
	}
	g_byte_array_free(state, TRUE);
}

static void exporter_load_state(struct exporter *exporter)
{
	struct err err;

	decoder_free(exporter->decoder);
	exporter_make_decoder(exporter);
	exporter->generation = 0;
	if (decoder_load(exporter->decoder, exporter->arriving->data, exporter->arriving->len,
			 &err) != ST_OK) {
		log_msg(LOG_LEVEL_WARNING,
			"'%s': what a relay says of the templates of %s is lost: %s",
			exporter->open.probe, exporter->open.peer, err.text);
	}
	decoder_get_counts(exporter->decoder, exporter->seen);
}

void exporter_take_state(struct exporter *exporter, const struct envelope *envelope)
{
	if (!exporter->arriving) {
		exporter->arriving = g_byte_array_new();
	}
	if (exporter->arriving->len + envelope->len <= EXPORTERS_STATE_MAX) {
		g_byte_array_append(exporter->arriving, envelope->bytes, (guint)envelope->len);
	}
	if (envelope->position == 0) {
		exporter_load_state(exporter);
		g_byte_array_free(exporter->arriving, TRUE);
		exporter->arriving = NULL;
	}
}
