/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/ipfixscan.h"

#include "common/bigendian.h"
#include <glib.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#define SCAN_VERSION            10
#define SCAN_HEADER_BYTES       16
#define SCAN_SET_HEADER_BYTES   4
#define SCAN_SET_TEMPLATE       2
#define SCAN_SET_OPTIONS        3
#define SCAN_ID_MIN             256
#define SCAN_VARLEN             65535
#define SCAN_ENTERPRISE_BIT     0x8000
#define SCAN_BASIC_LIST         291
#define SCAN_MULTI_LIST         293
#define SCAN_LIST_HEADER_BYTES  1
#define SCAN_PEN_CERT           6871
#define SCAN_CERT_INITIAL_FLAGS 14

struct scan_field {
	uint16_t len;
	bool multi_list;
};

struct scan_template {
	bool varlen;
	bool tcp_flags; /* list entries of it will be decoded */
	bool withdrawn; /* libfixbuf is not told, so its entries in lists are still checked */
	size_t min_len; /* of a record; the length, unless varlen */
	uint32_t count;
	struct scan_field fields[];
};

struct ipfixscan {
	struct ipfix_limits limits;
	GHashTable *domains;  /* number -> struct scan_domain */
	GHashTable *elements; /* enterprise and number of every element named */
	uint32_t fields;      /* of all templates */
	uint8_t *clean; /* UINT16_MAX bytes; not cleared, so that valgrind sees what nobody wrote */
};

struct scan_domain {
	GHashTable *templates; /* id -> struct scan_template */
	uint32_t records;      /* in clean messages so far */
};

/* A stretch of bytes that is eaten from its front. */
struct scan_bytes {
	const uint8_t *at;
	size_t left;
};

/* The next len bytes, or NULL. */
static const uint8_t *scan_take(struct scan_bytes *bytes, size_t len)
{
	const uint8_t *at = bytes->at;

	if (len > bytes->left) {
		return NULL;
	}
	bytes->at += len;
	bytes->left -= len;
	return at;
}

int ipfix_message_length(const uint8_t *bytes, size_t len, size_t *message_len, struct err *err)
{
	if (len < IPFIXSCAN_LENGTH_BYTES) {
		return err_set(err, ST_EFORMAT, "message of %zu bytes", len);
	}
	if (get_be16(bytes) != SCAN_VERSION) {
		return err_set(err, ST_EFORMAT, "not IPFIX (version %u)", get_be16(bytes));
	}
	*message_len = get_be16(bytes + 2);
	if (*message_len < SCAN_HEADER_BYTES) {
		return err_set(err, ST_EFORMAT, "message length of %zu bytes", *message_len);
	}
	return ST_OK;
}

static void scan_domain_free(gpointer value)
{
	struct scan_domain *domain = value;

	g_hash_table_destroy(domain->templates);
	g_free(domain);
}

struct ipfixscan *ipfixscan_new(const struct ipfix_limits *limits)
{
	struct ipfixscan *scan = g_new0(struct ipfixscan, 1);

	scan->limits = *limits;
	scan->clean = g_malloc(UINT16_MAX);
	scan->domains =
		g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, scan_domain_free);
	scan->elements = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	return scan;
}

void ipfixscan_free(struct ipfixscan *scan)
{
	if (scan) {
		g_hash_table_destroy(scan->domains);
		g_hash_table_destroy(scan->elements);
		g_free(scan->clean);
		g_free(scan);
	}
}

static int scan_find_domain(struct ipfixscan *scan, uint32_t number, struct scan_domain **out,
			    struct err *err)
{
	*out = g_hash_table_lookup(scan->domains, GUINT_TO_POINTER(number));
	if (*out) {
		return ST_OK;
	}
	if (g_hash_table_size(scan->domains) >= scan->limits.max_domains) {
		return err_set(err, ST_ELIMIT, "more than %" PRIu32 " observation domains",
			       scan->limits.max_domains);
	}
	*out = g_new0(struct scan_domain, 1);
	(*out)->templates = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
	g_hash_table_insert(scan->domains, GUINT_TO_POINTER(number), *out);
	return ST_OK;
}

static int scan_note_element(struct ipfixscan *scan, uint32_t enterprise, uint16_t number,
			     struct err *err)
{
	gint64 key = (gint64)enterprise << 16 | number;
	gint64 *kept;

	if (g_hash_table_contains(scan->elements, &key)) {
		return ST_OK;
	}
	if (g_hash_table_size(scan->elements) >= IPFIXSCAN_ELEMENTS_MAX) {
		return err_set(err, ST_ELIMIT, "more than %d information elements",
			       IPFIXSCAN_ELEMENTS_MAX);
	}
	kept = g_new(gint64, 1);
	*kept = key;
	g_hash_table_add(scan->elements, kept);
	return ST_OK;
}

/* One field specifier of a template (RFC 7011 3.2). */
static int scan_field(struct ipfixscan *scan, struct scan_bytes *set, struct scan_template *tmpl,
		      struct scan_field *field, struct err *err)
{
	const uint8_t *p = scan_take(set, 4);
	uint32_t enterprise = 0;
	uint16_t number;

	if (!p) {
		return err_set(err, ST_EFORMAT, "a template goes beyond its set");
	}
	number = get_be16(p);
	field->len = get_be16(p + 2);
	if (number & SCAN_ENTERPRISE_BIT) {
		p = scan_take(set, 4);
		if (!p) {
			return err_set(err, ST_EFORMAT, "a template goes beyond its set");
		}
		enterprise = get_be32(p);
		number &= (uint16_t)~SCAN_ENTERPRISE_BIT;
	}
	if (enterprise == 0 && number >= SCAN_BASIC_LIST && number <= SCAN_MULTI_LIST &&
	    field->len != SCAN_VARLEN) {
		return err_set(err, ST_EFORMAT, "a list of fixed length in a template");
	}
	field->multi_list = enterprise == 0 && number == SCAN_MULTI_LIST;
	tmpl->tcp_flags |= enterprise == SCAN_PEN_CERT && number == SCAN_CERT_INITIAL_FLAGS;
	tmpl->varlen |= field->len == SCAN_VARLEN;
	tmpl->min_len += field->len == SCAN_VARLEN ? 1 : field->len;
	return scan_note_element(scan, enterprise, number, err);
}

static int scan_fields(struct ipfixscan *scan, struct scan_bytes *set, uint16_t count,
		       struct scan_template **out, struct err *err)
{
	struct scan_template *tmpl = NULL;
	int rc = ST_OK;

	if (count > scan->limits.max_template_fields) {
		return err_set(err, ST_ELIMIT, "a template of %u fields", count);
	}
	if ((size_t)count * 4 > set->left) {
		return err_set(err, ST_EFORMAT, "a template goes beyond its set");
	}
	tmpl = g_malloc0(sizeof(*tmpl) + count * sizeof(tmpl->fields[0]));
	tmpl->count = count;
	for (uint16_t i = 0; i < count && rc == ST_OK; i++) {
		rc = scan_field(scan, set, tmpl, &tmpl->fields[i], err);
	}
	if (rc == ST_OK && (tmpl->min_len == 0 || tmpl->min_len > UINT16_MAX)) {
		rc = err_set(err, ST_EFORMAT, "a template for records of %zu bytes", tmpl->min_len);
	}
	if (rc != ST_OK) {
		g_free(tmpl);
		return rc;
	}
	*out = tmpl;
	return ST_OK;
}

/* A field count of zero takes a template back; the id of the set itself takes all back. */
static int scan_withdraw(GHashTable *templates, uint16_t id, uint16_t set_id, struct err *err)
{
	GHashTableIter iter;
	gpointer key;
	gpointer value;

	if (id != set_id && id < SCAN_ID_MIN) {
		return err_set(err, ST_EFORMAT, "template id %u", id);
	}
	g_hash_table_iter_init(&iter, templates);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		if (id == set_id || GPOINTER_TO_UINT(key) == id) {
			((struct scan_template *)value)->withdrawn = true;
		}
	}
	return ST_OK;
}

/* Remember the template, in place of one with its number; *tmpl is taken, also on failure. */
static int scan_keep(struct ipfixscan *scan, GHashTable *templates, uint16_t id,
		     struct scan_template *tmpl, struct err *err)
{
	gpointer key = GUINT_TO_POINTER(id);
	const struct scan_template *old = g_hash_table_lookup(templates, key);
	uint32_t fields = scan->fields - (old ? old->count : 0) + tmpl->count;

	if (fields > IPFIXSCAN_FIELDS_MAX) {
		g_free(tmpl);
		return err_set(err, ST_ELIMIT, "templates of more than %d fields",
			       IPFIXSCAN_FIELDS_MAX);
	}
	scan->fields = fields;
	g_hash_table_insert(templates, key, tmpl);
	return ST_OK;
}

static int scan_template(struct ipfixscan *scan, GHashTable *templates, struct scan_bytes *set,
			 uint16_t set_id, struct err *err)
{
	const uint8_t *p = scan_take(set, 4);
	uint16_t id = get_be16(p);
	uint16_t count = get_be16(p + 2);
	struct scan_template *tmpl = NULL;
	int rc;

	if (count == 0) {
		return scan_withdraw(templates, id, set_id, err);
	}
	if (id < SCAN_ID_MIN) {
		return err_set(err, ST_EFORMAT, "template id %u", id);
	}
	if (set_id == SCAN_SET_OPTIONS) {
		p = scan_take(set, 2);
		if (!p || get_be16(p) == 0 || get_be16(p) > count) {
			return err_set(err, ST_EFORMAT, "an options template with a wrong scope");
		}
	}
	if (!g_hash_table_contains(templates, GUINT_TO_POINTER(id)) &&
	    g_hash_table_size(templates) >= scan->limits.max_templates) {
		return err_set(err, ST_ELIMIT, "more than %" PRIu32 " templates",
			       scan->limits.max_templates);
	}
	rc = scan_fields(scan, set, count, &tmpl, err);
	return rc == ST_OK ? scan_keep(scan, templates, id, tmpl, err) : rc;
}

/* Only definitions are copied: libfixbuf knows no withdrawal of all templates. */
static int scan_template_set(struct ipfixscan *scan, GHashTable *templates, struct scan_bytes set,
			     uint16_t set_id, struct ipfixscan_message *out, struct err *err)
{
	uint8_t *header = out->clean + out->clean_len;
	size_t len = SCAN_SET_HEADER_BYTES;

	/* What is too short for a template is padding. */
	while (set.left >= 4) {
		const uint8_t *at = set.at;
		int rc = scan_template(scan, templates, &set, set_id, err);

		if (rc != ST_OK) {
			return rc;
		}
		if (get_be16(at + 2) > 0) {
			memcpy(header + len, at, (size_t)(set.at - at));
			len += (size_t)(set.at - at);
			out->templates++;
		}
	}
	if (len > SCAN_SET_HEADER_BYTES) {
		put_be16(header, set_id);
		put_be16(header + 2, (uint16_t)len);
		out->clean_len += len;
	}
	return ST_OK;
}

/* The bytes of one variable-length field (RFC 7011 7). */
static int scan_varlen(struct scan_bytes *record, struct scan_bytes *content, struct err *err)
{
	const uint8_t *p = scan_take(record, 1);
	size_t len = p ? *p : 0;

	if (p && len == 255) {
		p = scan_take(record, 2);
		len = p ? get_be16(p) : 0;
	}
	content->at = p ? scan_take(record, len) : NULL;
	content->left = len;
	if (!content->at) {
		return err_set(err, ST_EFORMAT, "a field goes beyond its record");
	}
	return ST_OK;
}

/* Skip one record without looking into its lists. */
static int scan_skip_record(const struct scan_template *tmpl, struct scan_bytes *bytes,
			    struct err *err)
{
	for (uint32_t i = 0; i < tmpl->count; i++) {
		struct scan_bytes ignored;
		uint16_t len = tmpl->fields[i].len;

		if (len == SCAN_VARLEN ? scan_varlen(bytes, &ignored, err) != ST_OK
				       : !scan_take(bytes, len)) {
			return err_set(err, ST_EFORMAT, "a record goes beyond its list");
		}
	}
	return ST_OK;
}

/* One entry of a subTemplateMultiList (RFC 6313 4.5.3); those with TCP flags will be decoded. */
static int scan_list_entry(GHashTable *templates, struct scan_bytes *list, struct err *err)
{
	const uint8_t *p = scan_take(list, SCAN_SET_HEADER_BYTES);
	const struct scan_template *tmpl;
	struct scan_bytes entry;

	if (!p || get_be16(p + 2) < SCAN_SET_HEADER_BYTES) {
		return err_set(err, ST_EFORMAT, "a list entry without its header");
	}
	entry.left = (size_t)get_be16(p + 2) - SCAN_SET_HEADER_BYTES;
	entry.at = scan_take(list, entry.left);
	if (!entry.at) {
		return err_set(err, ST_EFORMAT, "a list entry goes beyond its list");
	}
	tmpl = g_hash_table_lookup(templates, GUINT_TO_POINTER(get_be16(p)));
	while (tmpl && tmpl->tcp_flags && entry.left > 0) {
		if (scan_skip_record(tmpl, &entry, err) != ST_OK) {
			return ST_EFORMAT;
		}
	}
	return ST_OK;
}

static int scan_multi_list(GHashTable *templates, struct scan_bytes list, struct err *err)
{
	if (list.left == 0) {
		return ST_OK;
	}
	/* The semantic, then entries. */
	scan_take(&list, SCAN_LIST_HEADER_BYTES);
	while (list.left > 0) {
		if (scan_list_entry(templates, &list, err) != ST_OK) {
			return ST_EFORMAT;
		}
	}
	return ST_OK;
}

static int scan_record(GHashTable *templates, const struct scan_template *tmpl,
		       struct scan_bytes *set, struct err *err)
{
	for (uint32_t i = 0; i < tmpl->count; i++) {
		const struct scan_field *field = &tmpl->fields[i];
		struct scan_bytes content;
		int rc;

		if (field->len != SCAN_VARLEN) {
			if (!scan_take(set, field->len)) {
				return err_set(err, ST_EFORMAT, "a record goes beyond its set");
			}
			continue;
		}
		rc = scan_varlen(set, &content, err);
		if (rc == ST_OK && field->multi_list) {
			rc = scan_multi_list(templates, content, err);
		}
		if (rc != ST_OK) {
			return rc;
		}
	}
	return ST_OK;
}

static int scan_data_set(GHashTable *templates, const struct scan_template *tmpl,
			 struct scan_bytes set, struct ipfixscan_message *out, struct err *err)
{
	if (!tmpl->varlen) {
		out->data_records += (uint32_t)(set.left / tmpl->min_len);
		return ST_OK;
	}
	/* What is too short for a record is padding. */
	while (set.left >= tmpl->min_len) {
		int rc = scan_record(templates, tmpl, &set, err);

		if (rc != ST_OK) {
			return rc;
		}
		out->data_records++;
	}
	return ST_OK;
}

static int scan_set(struct ipfixscan *scan, GHashTable *templates, struct scan_bytes *message,
		    struct ipfixscan_message *out, struct err *err)
{
	const uint8_t *p = scan_take(message, SCAN_SET_HEADER_BYTES);
	uint16_t id = p ? get_be16(p) : 0;
	uint16_t len = p ? get_be16(p + 2) : 0;
	const struct scan_template *tmpl;
	struct scan_bytes set;
	int rc;

	if (len < SCAN_SET_HEADER_BYTES) {
		return err_set(err, ST_EFORMAT, "a set of %u bytes", len);
	}
	set.left = (size_t)len - SCAN_SET_HEADER_BYTES;
	set.at = scan_take(message, set.left);
	if (!set.at) {
		return err_set(err, ST_EFORMAT, "a set goes beyond its message");
	}
	if (id == SCAN_SET_TEMPLATE || id == SCAN_SET_OPTIONS) {
		return scan_template_set(scan, templates, set, id, out, err);
	}
	if (id < SCAN_ID_MIN) {
		return err_set(err, ST_EFORMAT, "set id %u is reserved", id);
	}
	tmpl = g_hash_table_lookup(templates, GUINT_TO_POINTER(id));
	if (!tmpl || tmpl->withdrawn) {
		out->unknown_sets++;
		return ST_OK;
	}
	rc = scan_data_set(templates, tmpl, set, out, err);
	if (rc == ST_OK) {
		memcpy(out->clean + out->clean_len, p, len);
		out->clean_len += len;
	}
	return rc;
}

int ipfixscan_check(struct ipfixscan *scan, const uint8_t *message, size_t len,
		    struct ipfixscan_message *out, struct err *err)
{
	struct scan_bytes bytes = { message, len };
	struct scan_domain *domain;
	size_t claimed;
	int rc = ipfix_message_length(message, len, &claimed, err);

	if (rc != ST_OK) {
		return rc;
	}
	if (claimed != len) {
		return err_set(err, ST_EFORMAT, "message length %zu instead of %zu", claimed, len);
	}
	scan_take(&bytes, SCAN_HEADER_BYTES);
	*out = (struct ipfixscan_message){
		.export_time_s = get_be32(message + 4),
		.sequence = get_be32(message + 8),
		.domain = get_be32(message + 12),
		.clean = scan->clean,
		.clean_len = SCAN_HEADER_BYTES,
	};
	memcpy(out->clean, message, SCAN_HEADER_BYTES);
	rc = scan_find_domain(scan, out->domain, &domain, err);
	while (rc == ST_OK && bytes.left > 0) {
		rc = scan_set(scan, domain->templates, &bytes, out, err);
	}
	if (rc == ST_OK) {
		put_be16(out->clean + 2, (uint16_t)out->clean_len);
		put_be16(out->clean + 8, (uint16_t)(domain->records >> 16));
		put_be16(out->clean + 10, (uint16_t)domain->records);
		domain->records += out->data_records;
	}
	return rc;
}
