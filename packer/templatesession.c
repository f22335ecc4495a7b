/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/templatesession.h"

#include <inttypes.h>

#include "common/bigendian.h"
#include "packer/statebytes.h"

#define SESSION_SET_HEADER_BYTES 4
#define SESSION_STATE_VERSION    1
#define SESSION_DOMAIN_COST      1024

enum session_part { /* of a saved state */
		    SESSION_PART_VERSION = 1,
		    SESSION_PART_DOMAIN, /* what follows belongs to it */
		    SESSION_PART_TEMPLATE,
		    SESSION_PART_OPTIONS,
		    SESSION_PART_HELD,
};

static void session_domain_free(gpointer value)
{
	struct templatesession_domain *domain = value;

	budget_give(domain->budget, SESSION_DOMAIN_COST);
	templates_free(domain->templates);
	exporteroptions_free(domain->options);
	g_free(domain);
}

struct templatesession *templatesession_new(struct decoder_context *context, uint16_t template_set)
{
	struct templatesession *session = g_new0(struct templatesession, 1);

	session->context = context;
	session->template_set = template_set;
	session->bounds.limits = context->opts.limits;
	session->bounds.budget = &context->budget;
	session->domains =
		g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, session_domain_free);
	session->held = g_queue_new();
	return session;
}

void templatesession_free(void *state)
{
	struct templatesession *session = state;

	if (session) {
		templatesession_drop_held(session);
		g_queue_free(session->held);
		g_hash_table_destroy(session->domains);
		iemodel_free(session->own_model);
		g_free(session);
	}
}

const struct iemodel *templatesession_model(struct templatesession *session)
{
	if (session->context->opts.model) {
		return session->context->opts.model;
	}
	if (!session->own_model) {
		session->own_model = iemodel_new();
	}
	return session->own_model;
}

static void session_forget_plan(void *arg, struct template *tmpl)
{
	(void)arg;
	g_free(tmpl->plan);
	tmpl->plan = NULL;
}

void templatesession_replan(void *state)
{
	struct templatesession *session = state;
	GHashTableIter iter;
	gpointer domain;

	g_hash_table_iter_init(&iter, session->domains);
	while (g_hash_table_iter_next(&iter, NULL, &domain)) {
		templates_each(((struct templatesession_domain *)domain)->templates,
			       session_forget_plan, NULL);
	}
}

int templatesession_domain(struct templatesession *session, uint32_t number,
			   struct templatesession_domain **out, struct err *err)
{
	struct templatesession_domain *domain =
		g_hash_table_lookup(session->domains, GUINT_TO_POINTER(number));

	if (!domain) {
		if (g_hash_table_size(session->domains) >= session->bounds.limits.max_domains) {
			return err_set(err, ST_ELIMIT, "more than %" PRIu32 " observation domains",
				       session->bounds.limits.max_domains);
		}
		if (!budget_take(session->bounds.budget, SESSION_DOMAIN_COST)) {
			return err_set(err, ST_ELIMIT, "more domains than may be kept");
		}
		domain = g_new0(struct templatesession_domain, 1);
		domain->number = number;
		domain->budget = session->bounds.budget;
		domain->templates = templates_new(&session->bounds);
		domain->options = exporteroptions_new(session->bounds.budget);
		g_hash_table_insert(session->domains, GUINT_TO_POINTER(number), domain);
	}
	*out = domain;
	return ST_OK;
}

/* silk-packing.md 11.8, show-templates */
static void session_note_template(struct templatesession *session,
				  const struct templatesession_domain *domain,
				  const struct template *tmpl)
{
	struct decoder_context *context = session->context;
	GString *text;

	if (!decoder_wants(context, DECODER_NOTE_TEMPLATES)) {
		return;
	}
	text = g_string_new(NULL);
	g_string_append_printf(text,
			       "Contents of %stemplate 0x%x (%u), domain %" PRIu32 ", %u elements:",
			       template_is_options(tmpl) ? "options " : "", tmpl->id, tmpl->id,
			       domain->number, tmpl->count);
	for (uint16_t i = 0; i < tmpl->count; i++) {
		const struct template_field *field = &tmpl->fields[i];
		const struct ie *ie = iemodel_by_id(templatesession_model(session),
						    field->enterprise, field->number);

		g_string_append_printf(text, "%s %s(", i ? "," : "", ie ? ie->name : "unknown");
		if (field->enterprise != 0 && field->enterprise != TEMPLATE_PEN_SCOPE) {
			g_string_append_printf(text, "%" PRIu32 "/", field->enterprise);
		}
		g_string_append_printf(text, "%u)[%u]%s", field->number, field->len,
				       i < tmpl->scopes ? "{scope}" : "");
	}
	context->sink.note(context->sink.arg, DECODER_NOTE_TEMPLATES, text->str);
	g_string_free(text, TRUE);
}

static int session_template_set(struct templatesession *session,
				struct templatesession_domain *domain, uint16_t set_id,
				struct template_bytes set, struct err *err)
{
	int st = ST_OK;

	while (st == ST_OK && template_more(&set)) {
		struct template *tmpl = NULL;

		st = templates_take(domain->templates, set_id, &set, &tmpl, err);
		if (st == ST_OK && tmpl) {
			session->context->counts[DECODER_TEMPLATES]++;
			session_note_template(session, domain, tmpl);
			st = templatesession_release_held(session, domain, tmpl);
		}
	}
	return st;
}

/* Is there nothing but zeros? Some exporters fill their datagrams. */
static bool session_is_filler(const struct template_bytes *sets)
{
	for (size_t i = 0; i < sets->left; i++) {
		if (sets->at[i] != 0) {
			return false;
		}
	}
	return true;
}

static int session_data_set(struct templatesession *session, struct templatesession_domain *domain,
			    const struct templatesession_header *header, uint16_t set_id,
			    struct template_bytes set, struct templatesession_seen *seen,
			    struct err *err)
{
	struct template *tmpl = templates_find(domain->templates, set_id);

	if (!tmpl) {
		seen->unknown++;
		templatesession_hold(session, domain, header, set_id, set);
		return ST_OK;
	}
	if (tmpl->withdrawn) {
		/* it was taken back before: no later one will tell what this is */
		seen->unknown++;
		session->context->counts[DECODER_UNKNOWN_SETS]++;
		return ST_OK;
	}
	return templatesession_data(session, domain, header, tmpl, set, &seen->records, err);
}

static int session_set(struct templatesession *session, struct templatesession_domain *domain,
		       const struct templatesession_header *header, struct template_bytes *sets,
		       struct templatesession_seen *seen, struct err *err)
{
	const uint8_t *p = template_eat(sets, SESSION_SET_HEADER_BYTES);
	uint16_t id = p ? get_be16(p) : 0;
	uint16_t len = p ? get_be16(p + 2) : 0;
	struct template_bytes set;

	if (len < SESSION_SET_HEADER_BYTES) {
		return err_set(err, ST_EFORMAT, "a set of %u bytes", len);
	}
	set.left = (size_t)len - SESSION_SET_HEADER_BYTES;
	set.at = template_eat(sets, set.left);
	if (!set.at) {
		return err_set(err, ST_EFORMAT, "a set goes beyond its message");
	}
	if (id == session->template_set || id == session->template_set + 1) {
		return session_template_set(session, domain, id, set, err);
	}
	if (id < TEMPLATE_ID_MIN) {
		return err_set(err, ST_EFORMAT, "set id %u is reserved", id);
	}
	return session_data_set(session, domain, header, id, set, seen, err);
}

/* Begin anew: what filled the bounds may never come again. */
static void session_forget(struct templatesession *session)
{
	templatesession_drop_held(session);
	g_hash_table_remove_all(session->domains);
}

int templatesession_take(struct templatesession *session, struct templatesession_domain *domain,
			 const struct templatesession_header *header, struct template_bytes sets,
			 struct templatesession_seen *seen, struct err *err)
{
	int st = ST_OK;

	templatesession_expire(session, header->time.arrival_ns);
	while (st == ST_OK && sets.left > 0 && !(sets.at[0] == 0 && session_is_filler(&sets))) {
		st = session_set(session, domain, header, &sets, seen, err);
	}
	if (st == ST_ELIMIT) {
		session_forget(session);
	}
	return st;
}

/* ---- saved ---- */

static void session_save_template(void *arg, struct template *tmpl)
{
	GByteArray *out = arg;
	guint at;

	if (!tmpl->withdrawn) {
		at = statebytes_begin(out, SESSION_PART_TEMPLATE);
		statebytes_put(out, tmpl->set_id, 2);
		g_byte_array_append(out, tmpl->wire, tmpl->wire_len);
		statebytes_end(out, at);
	}
}

static void session_save_domain(const struct templatesession *session,
				const struct templatesession_domain *domain, GByteArray *out)
{
	guint at = statebytes_begin(out, SESSION_PART_DOMAIN);

	statebytes_put(out, domain->number, 4);
	statebytes_put(out, domain->sequence, 4);
	statebytes_put(out, domain->sequence_known, 1);
	statebytes_put(out, domain->sequence_unsure, 1);
	statebytes_put(out, domain->clock.known, 1);
	statebytes_put(out, domain->clock.uptime_ms, 4);
	statebytes_put(out, (uint64_t)domain->clock.export_ns, 8);
	statebytes_put(out, (uint64_t)domain->clock.arrival_ns, 8);
	statebytes_end(out, at);
	templates_each(domain->templates, session_save_template, out);
	at = statebytes_begin(out, SESSION_PART_OPTIONS);
	exporteroptions_save(domain->options, out);
	statebytes_end(out, at);
	templatesession_save_held(session, domain->number, SESSION_PART_HELD, out);
}

void templatesession_save(const void *state, GByteArray *out)
{
	const struct templatesession *session = state;
	guint at = statebytes_begin(out, SESSION_PART_VERSION);
	GHashTableIter iter;
	gpointer domain;

	statebytes_put(out, SESSION_STATE_VERSION, 1);
	statebytes_end(out, at);
	g_hash_table_iter_init(&iter, session->domains);
	while (g_hash_table_iter_next(&iter, NULL, &domain)) {
		session_save_domain(session, domain, out);
	}
}

static bool session_get_bool(struct template_bytes *part, bool *out)
{
	uint64_t value;
	bool ok = statebytes_get(part, 1, &value);

	*out = value != 0;
	return ok;
}

static bool session_get_u32(struct template_bytes *part, uint32_t *out)
{
	uint64_t value;
	bool ok = statebytes_get(part, 4, &value);

	*out = (uint32_t)value;
	return ok;
}

static bool session_get_i64(struct template_bytes *part, int64_t *out)
{
	uint64_t value;
	bool ok = statebytes_get(part, 8, &value);

	*out = (int64_t)value;
	return ok;
}

static int session_load_domain(struct templatesession *session, struct template_bytes part,
			       struct templatesession_domain **out, struct err *err)
{
	struct templatesession_domain *domain = NULL;
	uint32_t number;
	int st;

	if (!session_get_u32(&part, &number)) {
		return err_set(err, ST_EFORMAT, "a saved domain is cut short");
	}
	st = templatesession_domain(session, number, &domain, err);
	if (st != ST_OK) {
		return st;
	}
	*out = domain;
	if (!session_get_u32(&part, &domain->sequence) ||
	    !session_get_bool(&part, &domain->sequence_known) ||
	    !session_get_bool(&part, &domain->sequence_unsure) ||
	    !session_get_bool(&part, &domain->clock.known) ||
	    !session_get_u32(&part, &domain->clock.uptime_ms) ||
	    !session_get_i64(&part, &domain->clock.export_ns) ||
	    !session_get_i64(&part, &domain->clock.arrival_ns)) {
		return err_set(err, ST_EFORMAT, "a saved domain is cut short");
	}
	return ST_OK;
}

static int session_load_template(struct templatesession *session,
				 struct templatesession_domain *domain, struct template_bytes part,
				 struct err *err)
{
	struct template *tmpl = NULL;
	uint64_t set_id;

	if (!statebytes_get(&part, 2, &set_id) ||
	    (set_id != session->template_set && set_id != session->template_set + 1U)) {
		return err_set(err, ST_EFORMAT, "a saved template of set %u", (unsigned)set_id);
	}
	return templates_take(domain->templates, (uint16_t)set_id, &part, &tmpl, err);
}

static int session_load_part(struct templatesession *session,
			     struct templatesession_domain **domain, uint8_t tag,
			     struct template_bytes part, struct err *err)
{
	uint64_t version;

	if (tag == SESSION_PART_VERSION) {
		return statebytes_get(&part, 1, &version) && version == SESSION_STATE_VERSION
			       ? ST_OK
			       : err_set(err, ST_EFORMAT, "saved templates of another version");
	}
	if (tag == SESSION_PART_DOMAIN) {
		return session_load_domain(session, part, domain, err);
	}
	if (*domain && tag == SESSION_PART_TEMPLATE) {
		return session_load_template(session, *domain, part, err);
	}
	if (*domain && tag == SESSION_PART_OPTIONS &&
	    exporteroptions_load((*domain)->options, part) == ST_OK) {
		return ST_OK;
	}
	if (*domain && tag == SESSION_PART_HELD &&
	    templatesession_load_held(session, *domain, part) == ST_OK) {
		return ST_OK;
	}
	return err_set(err, ST_EFORMAT, "saved templates are damaged (part %u)", tag);
}

int templatesession_load(void *state, const uint8_t *bytes, size_t len, struct err *err)
{
	struct templatesession *session = state;
	struct templatesession_domain *domain = NULL;
	struct template_bytes rest = { bytes, len };
	struct template_bytes part;
	uint8_t tag = 0;
	int st;

	while ((st = statebytes_next(&rest, &tag, &part)) == ST_OK) {
		st = session_load_part(session, &domain, tag, part, err);
		if (st != ST_OK) {
			return ST_EFORMAT;
		}
	}
	return st == ST_END ? ST_OK : err_set(err, ST_EFORMAT, "saved templates are cut short");
}

void templatesession_each_name(const void *state, decoder_name_fn fn, void *arg)
{
	const struct templatesession *session = state;
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, session->domains);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct templatesession_domain *domain = value;

		exporteroptions_each_name(domain->options, fn, arg);
	}
}
