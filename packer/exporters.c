/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/exporters_internal.h"

#include <inttypes.h>
#include <string.h>

#include "common/bigendian.h"
#include "common/clock.h"
#include "common/timestamp.h"
#include "packer/classify.h"

static void exporter_drop_arriving(struct exporter *exporter)
{
	if (exporter->arriving) {
		g_byte_array_free(exporter->arriving, TRUE);
		exporter->arriving = NULL;
	}
}

static void exporter_free(void *pointer)
{
	struct exporter *exporter = pointer;

	exporter_drop_arriving(exporter);
	if (exporter->stream) {
		positions_put(exporter->all->env.positions, exporter->stream);
	}
	feedback_put(exporter->feedback);
	decoder_free(exporter->decoder);
	g_byte_array_free(exporter->open_bytes, TRUE);
	g_free(exporter->name);
	g_free(exporter);
}

struct exporters *exporters_new(const struct exporters_env *env)
{
	struct exporters *exporters = g_new0(struct exporters, 1);

	exporters->env = *env;
	exporters->budget.max = EXPORTERS_BYTES_MAX;
	exporters->by_session =
		g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, exporter_free);
	exporters->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	return exporters;
}

void exporters_free(struct exporters *exporters)
{
	if (exporters) {
		g_hash_table_destroy(exporters->by_name);
		g_hash_table_destroy(exporters->by_session);
		g_free(exporters);
	}
}

/* ---- what they have to say ---- */

static bool exporter_may_log(struct exporter *exporter, enum notelog_kind kind, uint64_t *held_back)
{
	return notelog_may(exporter->all->env.notes, exporter->open.probe, kind, held_back);
}

static void exporter_log_dropped(struct exporter *exporter, const struct err *err)
{
	char more[LOG_HELD_BACK_MAX];
	uint64_t held_back;

	if (exporter_may_log(exporter, NOTELOG_DROPPED, &held_back)) {
		log_msg(LOG_LEVEL_WARNING, "'%s': record dropped: %s%s", exporter->open.probe,
			err->text, log_held_back(held_back, more));
	}
}

static void exporter_log_damaged(struct exporter *exporter, const struct err *err)
{
	char more[LOG_HELD_BACK_MAX];
	uint64_t held_back;

	if (exporter_may_log(exporter, NOTELOG_DAMAGED, &held_back)) {
		log_msg(LOG_LEVEL_WARNING, "'%s': rejected message of %s: %s%s",
			exporter->open.probe, exporter->open.peer, err->text,
			log_held_back(held_back, more));
	}
}

/* silk-packing.md 11.3; records that only tell of a firewall's doings when asked for */
static void exporter_log_ignored(void *arg, const struct record *rec, const char *reason)
{
	struct exporter *exporter = arg;
	unsigned log_flags = exporter->probe ? exporter->probe->log_flags : 0;
	char sip[IP_TEXT_MAX];
	char dip[IP_TEXT_MAX];
	char more[LOG_HELD_BACK_MAX];
	uint64_t held_back;

	if (exporter->repeat ||
	    (g_str_has_prefix(reason, "firewallEvent") &&
	     !(log_flags & PROBE_LOG_FIREWALL_EVENT)) ||
	    !exporter_may_log(exporter, NOTELOG_IGNORED, &held_back)) {
		return;
	}
	ip_print(sip, rec->sip, record_is_ipv6(rec), IP_CANONICAL);
	ip_print(dip, rec->dip, record_is_ipv6(rec), IP_CANONICAL);
	log_msg(LOG_LEVEL_INFO, "IGNORED|%s|%s|%u|%u|%u|%" PRIu64 "|%" PRIu64 "|%s|%s", sip, dip,
		rec->sport, rec->dport, rec->protocol, rec->packets, rec->bytes, reason,
		log_held_back(held_back, more));
}

static void exporter_log_note(void *arg, enum decoder_note note, const char *text)
{
	struct exporter *exporter = arg;

	exporter->noted |= note == DECODER_NOTE_BAD;
	if (!exporter->repeat) {
		notelog_write(exporter->all->env.notes, exporter->open.probe, note, text);
	}
}

static void exporter_take_counters(void *arg, const struct ifcounters *counters)
{
	struct exporter *exporter = arg;

	if (!exporter->repeat) {
		ifkeeper_take(exporter->all->env.interfaces, exporter->open.probe, counters);
	}
}

/* ---- records ---- */

static int exporter_written(struct exporter *exporter, int st, const struct err *err)
{
	if (st == ST_ERANGE) {
		metric_add(&exporter->stats->values[PROBE_DROPPED], 1);
		exporter_log_dropped(exporter, err);
		return ST_OK;
	}
	if (st != ST_OK) {
		exporter->write_err = *err;
	}
	return st;
}

static int exporter_write(struct exporter *exporter, struct record *rec,
			  const struct extras *extras)
{
	struct err err;
	int st = writer_write_as(exporter->all->env.writer, exporter->config->site, rec, extras,
				 exporter->formats[rec->flowtype], &err);

	return exporter_written(exporter, st, &err);
}

static int exporter_write_by_probe(struct exporter *exporter, struct record *rec)
{
	const struct hourfile_key key = { .sensor = exporter->probe->number };
	struct err err;
	int st;

	rec->sensor = 0;
	rec->flowtype = 0;
	st = writer_write_file(exporter->all->env.writer, exporter->config->site, &key, rec, NULL,
			       0, &err);
	return exporter_written(exporter, st, &err);
}

static int exporter_write_rows(struct exporter *exporter, struct flowblock_row *rows, size_t count)
{
	uint64_t refused = 0;
	struct err err;
	int st;

	exporter->categorized += count;
	exporter->start_ns = rows[count - 1].rec.start_ns;
	classify_rows(exporter->probe, rows, count);
	st = writer_write_rows(exporter->all->env.writer, exporter->config->site, rows, count,
			       exporter->formats, &refused, &err);
	if (refused > 0) {
		metric_add(&exporter->stats->values[PROBE_DROPPED], refused);
		exporter_log_dropped(exporter, &err);
	}
	return st == ST_OK ? ST_OK : exporter_written(exporter, st, &err);
}

/* What waits, which is of this exporter if of any, is written. */
static int exporter_write_queue(struct exporter *exporter)
{
	struct rowqueue *queue = &exporter->all->queue;
	int st = ST_OK;

	if (queue->count > 0) {
		st = exporter_write_rows(exporter, queue->rows, queue->count);
		rowqueue_clear(queue);
	}
	exporter->all->queued = NULL;
	return st;
}

/* More may come to what waits, if there is room. */
static int exporter_keep_queue(struct exporter *exporter)
{
	exporter->all->queued = exporter;
	return rowqueue_has_room(&exporter->all->queue) ? ST_OK : exporter_write_queue(exporter);
}

/* Bytes of values are the decoder's, for a moment. */
static bool exporter_may_wait(const struct extras *extras)
{
	bool may = extras->count <= EXPORTERS_VALUES_MAX;

	for (size_t i = 0; may && i < extras->count; i++) {
		may = column_form(extras->values[i].type) != COLUMN_FORM_BYTES;
	}
	return may;
}

static int exporter_queue(struct exporter *exporter, const struct record *rec,
			  const struct extras *extras)
{
	struct rowqueue *queue = &exporter->all->queue;
	struct rowqueue_end end = rowqueue_end(queue);

	record_copy(&end.row->rec, rec);
	for (size_t i = 0; i < extras->count; i++) {
		end.values[i] = extras->values[i];
	}
	rowqueue_pass(&end, (uint32_t)extras->count, 0);
	rowqueue_add(queue, &end);
	return exporter_keep_queue(exporter);
}

/* One that is not like most. */
static int exporter_write_alone(struct exporter *exporter, struct record *rec,
				const struct extras *extras)
{
	struct classify_output outputs[CLASSIFY_OUTPUTS_MAX];
	size_t count;
	int st = exporter_write_queue(exporter);

	exporter->categorized++;
	exporter->start_ns = rec->start_ns;
	if (exporter->all->env.by_probe) {
		return exporter_write_by_probe(exporter, rec);
	}
	count = classify(exporter->logic, exporter->probe, rec, outputs);
	for (size_t i = 0; st == ST_OK && i < count; i++) {
		rec->sensor = outputs[i].sensor;
		rec->flowtype = outputs[i].flowtype;
		rec->memo = 0;
		st = exporter_write(exporter, rec, extras);
	}
	return st;
}

static int exporter_take_record(void *arg, struct record *rec, const struct extras *extras)
{
	struct exporter *exporter = arg;

	if (exporter->repeat || exporter->all->env.relays) {
		return ST_OK;
	}
	if (!exporter->probe) {
		metric_add(&exporter->stats->values[PROBE_DROPPED], 1);
		return ST_OK;
	}
	return exporter->takes_rows && exporter_may_wait(extras)
		       ? exporter_queue(exporter, rec, extras)
		       : exporter_write_alone(exporter, rec, extras);
}

static int exporter_take_queued(void *arg, size_t first)
{
	struct exporter *exporter = arg;

	if (exporter->repeat || !exporter->takes_rows) {
		const struct decoder_sink sink = { .flow = exporter_take_record, .arg = exporter };

		return decoder_deliver_each(&sink, &exporter->all->queue, first);
	}
	return exporter_keep_queue(exporter);
}

/* ---- who they are ---- */

static struct ipfix_mapping exporter_mapping(const struct exporter *exporter)
{
	return (struct ipfix_mapping){
		.vlan_interfaces = exporter->probe && exporter->probe->vlan_interfaces,
		.quirks = exporter->probe ? exporter->probe->quirks : 0,
		.clock_limit_ns = exporter->open.flags & ENVELOPE_FILE
					  ? 0
					  : exporter->all->env.clock_limit_ns,
	};
}

/* Look the probe up in the configuration in use. */
static void exporter_configure(struct exporter *exporter, const struct packconfig *config)
{
	struct ipfix_mapping mapping;

	exporter->config = config;
	if (exporter->generation == config->generation) {
		return;
	}
	exporter->generation = config->generation;
	exporter->logic = sensorconf_logic(config->conf);
	exporter->probe = sensorconf_probe(config->conf, exporter->open.probe);
	if (exporter->probe && exporter->probe->sensors->len == 0) {
		exporter->probe = NULL;
	}
	exporter->takes_rows = false;
	if (!exporter->probe) {
		log_msg(LOG_LEVEL_WARNING,
			"'%s': what %s sent is dropped: the probe is no longer configured",
			exporter->open.probe, exporter->open.peer);
		return;
	}
	for (uint8_t type = 0; type < TYPE_COUNT; type++) {
		exporter->formats[type] = classify_format(exporter->logic, exporter->probe, type);
	}
	exporter->takes_rows = !exporter->all->env.relays && !exporter->all->env.by_probe &&
			       classify_takes_rows(exporter->logic, exporter->probe);
	mapping = exporter_mapping(exporter);
	decoder_set_mapping(exporter->decoder, &mapping,
			    notelog_wanted(exporter->probe->log_flags | notelog_environment()));
}

void exporter_make_decoder(struct exporter *exporter)
{
	const struct exporters_env *env = &exporter->all->env;
	const struct decoder_opts opts = {
		.limits = env->limits,
		.mapping = exporter_mapping(exporter),
		.from_file = exporter->open.flags & ENVELOPE_FILE,
		.model = env->model,
		.budget = &exporter->all->budget,
	};
	const struct decoder_sink sink = {
		.flow = exporter_take_record,
		.queue = &exporter->all->queue,
		.queued = exporter_take_queued,
		.ignored = exporter_log_ignored,
		.note = exporter_log_note,
		.arg = exporter,
		.counters = exporter_take_counters,
	};

	exporter->decoder = decoder_new(&opts, &sink);
}

void exporters_forget(struct exporters *exporters, struct exporter *exporter)
{
	if (exporter->name && g_hash_table_lookup(exporters->by_name, exporter->name) == exporter) {
		g_hash_table_remove(exporters->by_name, exporter->name);
	}
	exporters->last = exporters->last == exporter ? NULL : exporters->last;
	g_hash_table_remove(exporters->by_session, &exporter->session);
}

/* Who sends datagrams does not know when a session begins, and a file that was read in part is gone
 * on with: what they said before counts. NULL: not so. Returned: g_free(). */
static char *exporter_name(const struct envelope_open *open)
{
	char id[2 * sizeof(open->stream_id) + 1];

	if (open->flags & ENVELOPE_DATAGRAMS) {
		return g_strdup_printf("%s\n%s\n%s", open->probe, open->place, open->peer);
	}
	for (size_t i = 0; i < sizeof(open->stream_id); i++) {
		snprintf(id + 2 * i, sizeof(id) - 2 * i, "%02x", open->stream_id[i]);
	}
	return open->flags & ENVELOPE_FILE ? g_strdup_printf("%s\n%s", open->probe, id) : NULL;
}

/* An exporter that was here before goes on with its templates. */
static struct exporter *exporters_wake(struct exporters *exporters, struct exporter *exporter,
				       uint64_t session)
{
	g_hash_table_steal(exporters->by_session, &exporter->session);
	exporter->session = session;
	exporter->asleep = false;
	exporter_drop_arriving(exporter);
	g_hash_table_insert(exporters->by_session, &exporter->session, exporter);
	feedback_put(exporter->feedback);
	return exporter;
}

int exporters_open(struct exporters *exporters, uint64_t session, const struct envelope *envelope,
		   struct err *err)
{
	const struct envelope_open *open = &envelope->open;
	struct exporter *exporter;
	struct envelope copy;
	char *name = exporter_name(open);
	int st = ST_OK;

	exporter = name ? g_hash_table_lookup(exporters->by_name, name) : NULL;
	if (exporter) {
		g_free(name);
		exporter = exporters_wake(exporters, exporter, session);
		exporter->feedback = feedbacks_find(exporters->env.feedbacks, session);
		return ST_OK;
	}
	exporter = g_new0(struct exporter, 1);
	exporter->all = exporters;
	exporter->session = session;
	exporter->name = name;
	exporter->open_bytes = g_byte_array_new();
	envelope_print_open(exporter->open_bytes, open);
	envelope_parse(&copy, exporter->open_bytes->data, exporter->open_bytes->len, NULL);
	exporter->open = copy.open;
	exporter->stats = probetable_get(exporters->env.stats, open->probe);
	exporter->feedback = feedbacks_find(exporters->env.feedbacks, session);
	exporter_make_decoder(exporter);
	if (open->stream[0]) {
		st = positions_get(exporters->env.positions, open->stream, open->stream_id,
				   &exporter->stream, err);
	}
	g_hash_table_insert(exporters->by_session, &exporter->session, exporter);
	if (name) {
		g_hash_table_insert(exporters->by_name, exporter->name, exporter);
	}
	return st;
}

struct exporter *exporters_find(struct exporters *exporters, uint64_t session)
{
	if (!exporters->last || exporters->last->session != session) {
		exporters->last = g_hash_table_lookup(exporters->by_session, &session);
	}
	return exporters->last;
}

/* ---- envelopes ---- */

static void exporter_count_categorized(struct exporter *exporter)
{
	if (exporter->categorized > 0) {
		metric_add(&exporter->stats->values[PROBE_CATEGORIZED], exporter->categorized);
		atomic_store_explicit(&exporter->stats->hour_ns,
				      timestamp_floor(exporter->start_ns, NS_PER_HOUR),
				      memory_order_relaxed);
		exporter->categorized = 0;
	}
}

static void exporter_count(struct exporter *exporter)
{
	uint64_t before = exporter->seen[DECODER_FORWARD] + exporter->seen[DECODER_REVERSE];

	if (exporter->repeat) {
		decoder_get_counts(exporter->decoder, exporter->seen);
		return;
	}
	probestats_add(exporter->stats, exporter->decoder, exporter->seen);
	exporter_count_categorized(exporter);
	if (exporter->feedback) {
		metric_add(&exporter->feedback->records, exporter->seen[DECODER_FORWARD] +
								 exporter->seen[DECODER_REVERSE] -
								 before);
	}
}

static int exporter_message(struct exporter *exporter, const struct envelope *envelope,
			    struct err *err)
{
	const struct decoder_message message = { envelope->bytes, envelope->len,
						 envelope->arrival_ns };
	struct err damage;
	int taken;

	exporter->last_ns = envelope->arrival_ns;
	exporter->write_err.status = ST_OK;
	exporter->noted = false;
	taken = decoder_take(exporter->decoder, &message, &damage);
	if (exporter->write_err.status != ST_OK) {
		return err_set(err, exporter->write_err.status, "%s", exporter->write_err.text);
	}
	if (taken != ST_OK && !exporter->repeat) {
		if (!exporter->noted) {
			exporter_log_damaged(exporter, &damage);
		}
		feedback_break(exporter->feedback, &damage);
	}
	exporter_count(exporter);
	if (exporter->stream && !exporter->repeat) {
		position_pack(exporter->stream, envelope->position);
	}
	return ST_OK;
}

/* Was it packed before, or is it another packer's to pack? */
static bool exporter_is_done(struct exporter *exporter, const struct envelope *envelope)
{
	return exporter->stream && envelope->position > 0 &&
	       (envelope->position <= position_packed(exporter->stream) ||
		streamclaims_is_others(exporter->all->env.claims, position_key(exporter->stream),
				       envelope->position));
}

/* What the relay dropped counts as if it had been dropped here; the relay itself has counted it. */
static void exporter_take_loss(struct exporter *exporter, const struct envelope *envelope)
{
	struct envelope_loss loss;
	struct err damage;

	if (envelope_parse_loss(envelope, &loss, &damage) != ST_OK) {
		exporter_log_damaged(exporter, &damage);
	} else if (!exporter->repeat && !exporter->all->env.relays) {
		metric_add(&exporter->stats->values[PROBE_KERNEL_DROPS], loss.kernel);
		metric_add(&exporter->stats->values[PROBE_JOURNAL_DROPS], loss.journal);
	}
	if (exporter->stream && !exporter->repeat) {
		position_pack(exporter->stream, envelope->position);
	}
}

/* cut: it did not say that it is over. */
static void exporters_close(struct exporters *exporters, struct exporter *exporter, bool cut)
{
	if (exporter->name && (cut || exporter->open.flags & ENVELOPE_DATAGRAMS)) {
		exporter->asleep = true;
		feedback_put(exporter->feedback);
		exporter->feedback = NULL;
	} else {
		exporters_forget(exporters, exporter);
	}
}

int exporters_flush(struct exporters *exporters, struct err *err)
{
	struct exporter *exporter = exporters->queued;
	int st = ST_OK;

	if (exporter) {
		st = exporter_write_queue(exporter);
		exporter_count_categorized(exporter);
	}
	return st == ST_OK ? ST_OK : err_set(err, st, "%s", exporter->write_err.text);
}

/* May its records come behind those that wait? */
static bool exporters_go_on(const struct exporters *exporters, const struct envelope *envelope)
{
	return envelope->kind == ENVELOPE_MESSAGE && exporters->queued &&
	       exporters->queued->session == envelope->session;
}

int exporters_take(struct exporters *exporters, const struct packconfig *config, uint64_t position,
		   const struct envelope *envelope, bool repeat, struct err *err)
{
	struct exporter *exporter;

	if (!exporters_go_on(exporters, envelope)) {
		int st = exporters_flush(exporters, err);

		if (st != ST_OK) {
			return st;
		}
	}
	if (envelope->kind == ENVELOPE_OPEN) {
		return exporters_open(exporters, position, envelope, err);
	}
	exporter = exporters_find(exporters, envelope->session);
	if (!exporter) {
		uint64_t held_back;

		if (notelog_may(exporters->env.notes, "", NOTELOG_DAMAGED, &held_back)) {
			log_msg(LOG_LEVEL_ERR,
				"the journal's entry %" PRIu64
				" is of a session whose beginning is lost",
				position);
		}
		return ST_OK;
	}
	if (envelope->kind == ENVELOPE_CLOSE) {
		exporters_close(exporters, exporter, false);
		return ST_OK;
	}
	if (envelope->kind == ENVELOPE_STATE) {
		exporter_take_state(exporter, envelope);
		return ST_OK;
	}
	exporter_configure(exporter, config);
	exporter->repeat = repeat || exporter_is_done(exporter, envelope);
	if (envelope->kind == ENVELOPE_LOSS) {
		exporter_take_loss(exporter, envelope);
		return ST_OK;
	}
	return exporter_message(exporter, envelope, err);
}

void exporters_disconnect(struct exporters *exporters)
{
	GList *all = g_hash_table_get_values(exporters->by_session);

	for (GList *at = all; at; at = at->next) {
		exporters_close(exporters, at->data, true);
	}
	g_list_free(all);
}

void exporters_each_stream(struct exporters *exporters,
			   void (*fn)(void *arg, uint64_t session, struct stream_position *stream),
			   void *arg)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, exporters->by_session);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct exporter *exporter = value;

		if (exporter->stream) {
			fn(arg, exporter->session, exporter->stream);
		}
	}
}

/* ---- names ---- */

struct exporter_naming {
	struct labels *labels;
	const struct probe *probe;
	char *address; /* without the port */
};

static void exporter_give_name(void *arg, enum exporteroptions_kind kind, uint64_t id,
			       const char *name)
{
	static const int kinds[EXPORTEROPTIONS_KINDS] = {
		[EXPORTEROPTIONS_DOMAIN] = -1,
		[EXPORTEROPTIONS_SAMPLER] = LABEL_SAMPLER,
		[EXPORTEROPTIONS_INTERFACE] = LABEL_INTERFACE,
		[EXPORTEROPTIONS_APPLICATION] = LABEL_APPLICATION,
		[EXPORTEROPTIONS_VRF] = LABEL_VRF,
	};
	const struct exporter_naming *naming = arg;

	for (guint i = 0; kinds[kind] >= 0 && i < naming->probe->sensors->len; i++) {
		const struct sensor *sensor = g_ptr_array_index(naming->probe->sensors, i);
		const struct label label = {
			.sensor = sensor->name[0] ? sensor->name : "-", /* flowcap has none */
			.exporter = naming->address,
			.kind = (enum label_kind)kinds[kind],
			.id = id,
			.name = name,
		};

		labels_set(naming->labels, &label, NULL); /* as many as there is room for */
	}
}

/* "192.0.2.1:4711" and "[2001:db8::1]:4711" without what is not the address; of a file "-". */
static char *exporter_address(const struct exporter *exporter)
{
	const char *peer = exporter->open.peer;
	const char *port = strrchr(peer, ':');

	if ((exporter->open.flags & ENVELOPE_FILE) || !port) {
		return g_strdup("-");
	}
	return *peer == '[' ? g_strndup(peer + 1, (gsize)(port - peer) - 2)
			    : g_strndup(peer, (gsize)(port - peer));
}

void exporters_give_names(struct exporters *exporters, const struct packconfig *config,
			  struct labels *labels)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, exporters->by_session);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct exporter *exporter = value;
		struct exporter_naming naming = { .labels = labels };

		naming.probe = sensorconf_probe(config->conf, exporter->open.probe);
		if (!naming.probe || exporter->seen[DECODER_OPTIONS] == exporter->options_named) {
			continue;
		}
		naming.address = exporter_address(exporter);
		decoder_each_name(exporter->decoder, exporter_give_name, &naming);
		exporter->options_named = exporter->seen[DECODER_OPTIONS];
		g_free(naming.address);
	}
}
