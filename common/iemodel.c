/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One array, sorted by key, and an index by folded name. */
#include "common/iemodel.h"

#include <fixbuf/public.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "common/ietable.h"

#define PEN_CERT     6871
#define CERT_REVERSE 0x4000

/* Names that libfixbuf gives to what it makes of numbers of NetFlow v9; ours win. */
#define FIXBUF_OWN_FIRST 9997
#define FIXBUF_OWN_LAST  9999

struct iemodel {
	GArray *elements;    /* struct ie */
	GHashTable *by_name; /* folded name -> index in elements + 1 */
	GStringChunk *names;
};

static const char *const type_names[IE_TYPES] = {
	[IE_OCTET_ARRAY] = "octetArray",
	[IE_UNSIGNED8] = "unsigned8",
	[IE_UNSIGNED16] = "unsigned16",
	[IE_UNSIGNED32] = "unsigned32",
	[IE_UNSIGNED64] = "unsigned64",
	[IE_SIGNED8] = "signed8",
	[IE_SIGNED16] = "signed16",
	[IE_SIGNED32] = "signed32",
	[IE_SIGNED64] = "signed64",
	[IE_FLOAT32] = "float32",
	[IE_FLOAT64] = "float64",
	[IE_BOOLEAN] = "boolean",
	[IE_MAC_ADDRESS] = "macAddress",
	[IE_STRING] = "string",
	[IE_SECONDS] = "dateTimeSeconds",
	[IE_MILLISECONDS] = "dateTimeMilliseconds",
	[IE_MICROSECONDS] = "dateTimeMicroseconds",
	[IE_NANOSECONDS] = "dateTimeNanoseconds",
	[IE_IPV4_ADDRESS] = "ipv4Address",
	[IE_IPV6_ADDRESS] = "ipv6Address",
	[IE_BASIC_LIST] = "basicList",
	[IE_SUB_TEMPLATE_LIST] = "subTemplateList",
	[IE_SUB_TEMPLATE_MULTI_LIST] = "subTemplateMultiList",
};

_Static_assert((int)FB_OCTET_ARRAY == (int)IE_OCTET_ARRAY &&
		       (int)FB_SUB_TMPL_MULTI_LIST == (int)IE_SUB_TEMPLATE_MULTI_LIST,
	       "libfixbuf numbers types as RFC 5610 does");

const char *ie_type_name(unsigned type)
{
	return type < IE_TYPES ? type_names[type] : NULL;
}

static void add_fixbuf(struct iemodel *model)
{
	fbInfoModel_t *fixbuf = fbInfoModelAlloc();
	fbInfoModelIter_t iter;
	const fbInfoElement_t *element;

	fbInfoModelIterInit(&iter, fixbuf);
	while ((element = fbInfoModelIterNext(&iter)) != NULL) {
		struct ie ie = {
			.pen = element->ent,
			.id = element->num,
			.type = (uint8_t)element->type,
			.semantics = (uint8_t)FB_IE_SEMANTIC(element->flags),
		};

		/* CERT's few are in our table, too */
		if (ie.pen == PEN_CERT ||
		    (ie.pen == 0 && ie.id >= FIXBUF_OWN_FIRST && ie.id <= FIXBUF_OWN_LAST)) {
			continue;
		}
		ie.name = g_string_chunk_insert(model->names, element->ref.name);
		g_array_append_val(model->elements, ie);
	}
	fbInfoModelFree(fixbuf);
}

static void add_reverse(struct iemodel *model, const struct ie *ie)
{
	char name[128];
	struct ie reverse = *ie;

	g_snprintf(name, sizeof(name), "reverse%c%s", g_ascii_toupper(ie->name[0]), ie->name + 1);
	reverse.id |= CERT_REVERSE;
	reverse.name = g_string_chunk_insert(model->names, name);
	g_array_append_val(model->elements, reverse);
}

static void add_ours(struct iemodel *model)
{
	for (size_t i = 0; i < ie_additions_count; i++) {
		g_array_append_val(model->elements, ie_additions[i]);
		if (ie_additions[i].pen == PEN_CERT) {
			add_reverse(model, &ie_additions[i]);
		}
	}
}

static int compare_keys(uint32_t pen, uint16_t id, const struct ie *ie)
{
	if (pen != ie->pen) {
		return pen < ie->pen ? -1 : 1;
	}
	return id < ie->id ? -1 : id > ie->id;
}

static int compare_elements(const void *a, const void *b)
{
	const struct ie *ie = a;

	return compare_keys(ie->pen, ie->id, b);
}

static guint name_hash(gconstpointer name)
{
	guint hash = 5381;

	for (const char *at = name; *at; at++) {
		hash = hash * 33 + (guint)g_ascii_tolower(*at);
	}
	return hash;
}

static gboolean name_equal(gconstpointer a, gconstpointer b)
{
	return g_ascii_strcasecmp(a, b) == 0;
}

struct iemodel *iemodel_new(void)
{
	struct iemodel *model = g_new0(struct iemodel, 1);

	model->elements = g_array_sized_new(FALSE, FALSE, sizeof(struct ie), 2048);
	model->names = g_string_chunk_new(1 << 14);
	model->by_name = g_hash_table_new(name_hash, name_equal);
	add_fixbuf(model);
	add_ours(model);
	qsort(model->elements->data, model->elements->len, sizeof(struct ie), compare_elements);
	for (guint i = 0; i < model->elements->len; i++) {
		const struct ie *ie = iemodel_at(model, i);

		/* in the order of keys: of one name the first, which is IANA's, stays */
		if (!g_hash_table_contains(model->by_name, ie->name)) {
			g_hash_table_insert(model->by_name, (gpointer)(uintptr_t)ie->name,
					    GUINT_TO_POINTER(i + 1));
		}
	}
	return model;
}

void iemodel_free(struct iemodel *model)
{
	if (model == NULL) {
		return;
	}
	g_hash_table_unref(model->by_name);
	g_string_chunk_free(model->names);
	g_array_unref(model->elements);
	g_free(model);
}

size_t iemodel_count(const struct iemodel *model)
{
	return model->elements->len;
}

const struct ie *iemodel_at(const struct iemodel *model, size_t i)
{
	return &g_array_index(model->elements, struct ie, i);
}

const struct ie *iemodel_by_id(const struct iemodel *model, uint32_t pen, uint16_t id)
{
	size_t low = 0;
	size_t high = iemodel_count(model);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_keys(pen, id, iemodel_at(model, middle));

		if (order == 0) {
			return iemodel_at(model, middle);
		}
		if (order < 0) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return NULL;
}

const struct ie *iemodel_by_name(const struct iemodel *model, const char *name)
{
	guint found = GPOINTER_TO_UINT(g_hash_table_lookup(model->by_name, name));

	return found > 0 ? iemodel_at(model, found - 1) : NULL;
}

/* Digits up to the end of text. */
static int parse_number(const char *text, uint64_t max, uint64_t *out, struct err *err)
{
	char *end = NULL;

	if (*text == '\0' || strspn(text, "0123456789") != strlen(text)) {
		return err_set(err, ST_EINVAL, "'%s' is not a number", text);
	}
	*out = g_ascii_strtoull(text, &end, 10);
	if (strlen(text) > 10 || *out > max) {
		return err_set(err, ST_EINVAL, "%s is more than %" G_GUINT64_FORMAT, text, max);
	}
	return ST_OK;
}

static int parse_pair(const char *text, const char *slash, struct ie_key *out, struct err *err)
{
	char *pen_text = g_strndup(text, (gsize)(slash - text));
	uint64_t pen = 0;
	uint64_t id = 0;
	int rc = parse_number(pen_text, UINT32_MAX, &pen, err);

	g_free(pen_text);
	if (rc == ST_OK) {
		rc = parse_number(slash + 1, UINT16_MAX, &id, err);
	}
	if (rc == ST_OK) {
		*out = (struct ie_key){ .pen = (uint32_t)pen, .id = (uint16_t)id };
	}
	return rc;
}

int iemodel_parse(const struct iemodel *model, const char *text, struct ie_key *out,
		  struct err *err)
{
	const char *slash = strchr(text, '/');
	const struct ie *ie;
	uint64_t id;

	if (slash != NULL) {
		return parse_pair(text, slash, out, err);
	}
	if (g_ascii_strncasecmp(text, "ie", 2) == 0 && g_ascii_isdigit(text[2])) {
		int rc = parse_number(text + 2, UINT16_MAX, &id, err);

		if (rc == ST_OK) {
			*out = (struct ie_key){ .pen = 0, .id = (uint16_t)id };
		}
		return rc;
	}
	ie = iemodel_by_name(model, text);
	if (ie == NULL) {
		return err_set(err, ST_ENOENT, "no information element is called '%s'", text);
	}
	*out = (struct ie_key){ .pen = ie->pen, .id = ie->id };
	return ST_OK;
}
