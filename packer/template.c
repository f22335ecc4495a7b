/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/template.h"

#include <inttypes.h>
#include <string.h>

#include "common/bigendian.h"
#include "packer/ipfixmap.h"

#define TEMPLATE_ENTERPRISE_BIT     0x8000
#define TEMPLATE_BASIC_LIST         291
#define TEMPLATE_MULTI_LIST         293
#define TEMPLATE_CERT_INITIAL_FLAGS 14

struct templates {
	struct template_bounds *bounds;
	GHashTable *table; /* id -> struct template */
};

static void template_free(gpointer value)
{
	struct template *tmpl = value;

	if (tmpl) {
		g_free(tmpl->plan);
		g_free(tmpl->wire);
		g_free(tmpl);
	}
}

struct templates *templates_new(struct template_bounds *bounds)
{
	struct templates *templates = g_new0(struct templates, 1);

	templates->bounds = bounds;
	templates->table =
		g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, template_free);
	return templates;
}

static void template_uncount(void *arg, struct template *tmpl)
{
	struct template_bounds *bounds = arg;

	budget_give(bounds->budget, TEMPLATE_COST(tmpl->count));
}

void templates_free(struct templates *templates)
{
	if (templates) {
		templates_each(templates, template_uncount, templates->bounds);
		g_hash_table_destroy(templates->table);
		g_free(templates);
	}
}

struct template *templates_find(const struct templates *templates, uint16_t id)
{
	return g_hash_table_lookup(templates->table, GUINT_TO_POINTER(id));
}

void templates_each(const struct templates *templates, void (*fn)(void *arg, struct template *tmpl),
		    void *arg)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, templates->table);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		fn(arg, value);
	}
}

int template_eat_varlen(struct template_bytes *record, struct template_bytes *content,
			struct err *err)
{
	const uint8_t *p = template_eat(record, 1);
	size_t len = p ? *p : 0;

	if (p && len == 255) {
		p = template_eat(record, 2);
		len = p ? get_be16(p) : 0;
	}
	content->at = p ? template_eat(record, len) : NULL;
	content->left = len;
	if (!content->at) {
		return err_set(err, ST_EFORMAT, "a field goes beyond its record");
	}
	return ST_OK;
}

int template_skip_record(const struct template *tmpl, struct template_bytes *bytes, struct err *err)
{
	for (uint32_t i = 0; i < tmpl->count; i++) {
		struct template_bytes ignored;
		uint16_t len = tmpl->fields[i].len;

		if (len == TEMPLATE_VARLEN ? template_eat_varlen(bytes, &ignored, err) != ST_OK
					   : !template_eat(bytes, len)) {
			return err_set(err, ST_EFORMAT, "a record goes beyond its list");
		}
	}
	return ST_OK;
}

bool template_more(struct template_bytes *set)
{
	if (set->left < 4) {
		/* too short for a definition: padding */
		template_eat(set, set->left);
		return false;
	}
	for (size_t i = 0; i < set->left; i++) {
		if (set->at[i] != 0) {
			return true;
		}
	}
	template_eat(set, set->left);
	return false;
}

/* ---- definitions ---- */

static bool template_is_ipfix(uint16_t set_id)
{
	return set_id == TEMPLATE_SET_IPFIX || set_id == TEMPLATE_SET_IPFIX_OPTIONS;
}

/* One field specifier (RFC 7011 3.2, RFC 3954 5.2). */
static int template_parse_field(struct template_bytes *set, struct template *tmpl, size_t place,
				struct err *err)
{
	struct template_field *field = &tmpl->fields[place];
	const uint8_t *p = template_eat(set, 4);

	if (!p) {
		return err_set(err, ST_EFORMAT, "a template goes beyond its set");
	}
	field->number = get_be16(p);
	field->len = get_be16(p + 2);
	if (tmpl->set_id == TEMPLATE_SET_V9_OPTIONS && place < tmpl->scopes) {
		field->enterprise = TEMPLATE_PEN_SCOPE;
	} else if (template_is_ipfix(tmpl->set_id) && (field->number & TEMPLATE_ENTERPRISE_BIT)) {
		p = template_eat(set, 4);
		if (!p) {
			return err_set(err, ST_EFORMAT, "a template goes beyond its set");
		}
		field->enterprise = get_be32(p);
		field->number &= (uint16_t)~TEMPLATE_ENTERPRISE_BIT;
	}
	if (field->enterprise == 0 && field->number >= TEMPLATE_BASIC_LIST &&
	    field->number <= TEMPLATE_MULTI_LIST && field->len != TEMPLATE_VARLEN) {
		return err_set(err, ST_EFORMAT, "a list of fixed length in a template");
	}
	tmpl->tcp_flags |=
		field->enterprise == IPFIX_PEN_CERT && field->number == TEMPLATE_CERT_INITIAL_FLAGS;
	tmpl->varlen |= field->len == TEMPLATE_VARLEN;
	tmpl->min_len += field->len == TEMPLATE_VARLEN ? 1 : field->len;
	return ST_OK;
}

/* What stands before the fields: how many there are, and of these how many are scope. */
static int template_parse_head(uint16_t set_id, struct template_bytes *set, uint16_t *count,
			       uint16_t *scopes, struct err *err)
{
	const uint8_t *p = template_eat(set, 2);

	*scopes = 0;
	*count = get_be16(p);
	if (set_id == TEMPLATE_SET_V9_OPTIONS) {
		/* lengths in bytes */
		p = template_eat(set, 2);
		if (!p || *count % 4 != 0 || get_be16(p) % 4 != 0) {
			return err_set(err, ST_EFORMAT, "an options template with a wrong length");
		}
		*scopes = *count / 4;
		*count = (uint16_t)(*scopes + get_be16(p) / 4);
	} else if (set_id == TEMPLATE_SET_IPFIX_OPTIONS && *count > 0) {
		p = template_eat(set, 2);
		if (!p || get_be16(p) == 0 || get_be16(p) > *count) {
			return err_set(err, ST_EFORMAT, "an options template with a wrong scope");
		}
		*scopes = get_be16(p);
	}
	return ST_OK;
}

static int template_parse(const struct ipfix_limits *limits, uint16_t set_id,
			  struct template_bytes *set, uint16_t count, uint16_t scopes,
			  struct template **out, struct err *err)
{
	struct template *tmpl = NULL;
	int st = ST_OK;

	if (count > limits->max_template_fields) {
		return err_set(err, ST_ELIMIT, "a template of %u fields", count);
	}
	if ((size_t)count * 4 > set->left) {
		return err_set(err, ST_EFORMAT, "a template goes beyond its set");
	}
	tmpl = g_malloc0(sizeof(*tmpl) + count * sizeof(tmpl->fields[0]));
	tmpl->set_id = set_id;
	tmpl->count = count;
	tmpl->scopes = scopes;
	for (uint16_t i = 0; i < count && st == ST_OK; i++) {
		st = template_parse_field(set, tmpl, i, err);
	}
	if (st == ST_OK && (tmpl->min_len == 0 || tmpl->min_len > UINT16_MAX)) {
		st = err_set(err, ST_EFORMAT, "a template for records of %" PRIu32 " bytes",
			     tmpl->min_len);
	}
	if (st == ST_OK && count > tmpl->min_len * TEMPLATE_FIELDS_A_BYTE) {
		st = err_set(err, ST_EFORMAT, "a template of %u fields for %" PRIu32 " bytes",
			     count, tmpl->min_len);
	}
	if (st != ST_OK) {
		template_free(tmpl);
		return st;
	}
	*out = tmpl;
	return ST_OK;
}

/* A field count of zero takes a template back; the id of the set itself takes all back. */
static int templates_withdraw(struct templates *templates, uint16_t id, uint16_t set_id,
			      struct err *err)
{
	GHashTableIter iter;
	gpointer key;
	gpointer value;

	if (id != set_id && id < TEMPLATE_ID_MIN) {
		return err_set(err, ST_EFORMAT, "template id %u", id);
	}
	g_hash_table_iter_init(&iter, templates->table);
	while (template_is_ipfix(set_id) && g_hash_table_iter_next(&iter, &key, &value)) {
		struct template *tmpl = value;

		if (id == set_id ? tmpl->set_id == set_id : GPOINTER_TO_UINT(key) == id) {
			tmpl->withdrawn = true;
		}
	}
	return ST_OK;
}

static bool template_is_same(const struct template *a, const struct template *b)
{
	return a->set_id == b->set_id && a->count == b->count && a->scopes == b->scopes &&
	       memcmp(a->fields, b->fields, a->count * sizeof(a->fields[0])) == 0;
}

/* Remember the template, in place of one with its number; tmpl is taken, also on failure. */
static int templates_keep(struct templates *templates, struct template *tmpl, struct template **out,
			  struct err *err)
{
	struct template *old = templates_find(templates, tmpl->id);
	struct template_bounds *bounds = templates->bounds;

	if (old && template_is_same(old, tmpl)) {
		template_free(tmpl);
		old->withdrawn = false;
		*out = old;
		return ST_OK;
	}
	if (!old && g_hash_table_size(templates->table) >= bounds->limits.max_templates) {
		template_free(tmpl);
		return err_set(err, ST_ELIMIT, "more than %" PRIu32 " templates",
			       bounds->limits.max_templates);
	}
	if (!budget_take(bounds->budget, TEMPLATE_COST(tmpl->count))) {
		template_free(tmpl);
		return err_set(err, ST_ELIMIT, "more templates than may be kept");
	}
	if (old) {
		template_uncount(bounds, old);
	}
	g_hash_table_insert(templates->table, GUINT_TO_POINTER(tmpl->id), tmpl);
	*out = tmpl;
	return ST_OK;
}

int templates_take(struct templates *templates, uint16_t set_id, struct template_bytes *set,
		   struct template **out, struct err *err)
{
	const uint8_t *wire = set->at;
	const uint8_t *p = template_eat(set, 2);
	struct template *tmpl = NULL;
	uint16_t id = p ? get_be16(p) : 0;
	uint16_t count, scopes;
	int st;

	*out = NULL;
	if (!p || set->left < 2) {
		return err_set(err, ST_EFORMAT, "a template goes beyond its set");
	}
	st = template_parse_head(set_id, set, &count, &scopes, err);
	if (st != ST_OK) {
		return st;
	}
	if (count == 0) {
		return templates_withdraw(templates, id, set_id, err);
	}
	if (id < TEMPLATE_ID_MIN) {
		return err_set(err, ST_EFORMAT, "template id %u", id);
	}
	st = template_parse(&templates->bounds->limits, set_id, set, count, scopes, &tmpl, err);
	if (st != ST_OK) {
		return st;
	}
	tmpl->id = id;
	tmpl->wire_len = (uint16_t)(set->at - wire);
	tmpl->wire = g_memdup2(wire, tmpl->wire_len);
	return templates_keep(templates, tmpl, out, err);
}
