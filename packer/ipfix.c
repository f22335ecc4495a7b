/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/ipfix.h"

#include <fixbuf/public.h>
#include <glib.h>
#include <stddef.h>
#include <string.h>

#include "common/timestamp.h"

/* Numbers of our own templates; libfixbuf keeps them apart from the same numbers on the wire. */
#define IPFIX_TEMPLATE_RECORD 0xfff0
#define IPFIX_TEMPLATE_FLAGS  0xfff1

/* A message that is less than this behind is late; further behind, its exporter began anew. */
#define IPFIX_LATE_RECORDS 60000

/* What libfixbuf fills; the list comes first because of its alignment. */
struct ipfix_decoded {
	fbSubTemplateMultiList_t list;
	struct ipfix_fields fields;
};

/* An entry of the list. */
struct ipfix_flags_entry {
	uint16_t initial, session, rev_initial, rev_session;
};

struct ipfix_sequence {
	uint32_t next;
	bool unsure; /* a set could not be counted: the next difference says nothing */
};

struct ipfix_decoder {
	struct ipfix_limits limits;
	struct ipfix_mapping mapping;
	ipfix_ignored_fn ignored;
	void *ignored_arg;
	struct ipfix_stats stats;
	struct ipfixscan *scan;
	fbInfoModel_t *model;
	fbSession_t *session; /* owned by fbuf */
	fBuf_t *fbuf;
	GHashTable *sequences; /* domain -> struct ipfix_sequence */
	guint log_handler;
	bool broken;
	struct ipfix_decoded decoded;
	struct ipfix_output output;
};

struct ipfix_element {
	const char *name; /* in libfixbuf's information model; ours where it has none */
	uint32_t enterprise;
	uint16_t number;
	uint16_t len;
};

static const struct ipfix_element ipfix_elements[IPFIX_FIELD_COUNT] = {
#define X(upper, member, type, enterprise_, number_)                                               \
	[IPFIX_##upper] = { "tussah_" #member, enterprise_, number_, sizeof(type) },
	IPFIX_FIELDS(X)
#undef X
};

#define IPFIX_ELEMENTS_BYTES_X(upper, member, type, enterprise_, number_) +sizeof(type)
_Static_assert(offsetof(struct ipfix_fields, cisco_event) + 1 ==
		       0 IPFIX_FIELDS(IPFIX_ELEMENTS_BYTES_X),
	       "struct ipfix_fields has no holes");

static const enum ipfix_field ipfix_entry_fields[] = { IPFIX_INITIAL_FLAGS, IPFIX_UNION_FLAGS,
						       IPFIX_REV_INITIAL_FLAGS,
						       IPFIX_REV_UNION_FLAGS };

/* What libfixbuf would warn about is counted here and told by the caller. */
static void ipfix_swallow_log(const gchar *domain, GLogLevelFlags level, const gchar *text,
			      gpointer arg)
{
	(void)domain, (void)level, (void)text, (void)arg;
}

/* The elements that the model lacks: CERT's, whose registry is not built into libfixbuf. */
static fbInfoModel_t *ipfix_make_model(void)
{
	fbInfoModel_t *model = fbInfoModelAlloc();

	for (size_t i = 0; i < IPFIX_FIELD_COUNT; i++) {
		const struct ipfix_element *e = &ipfix_elements[i];
		fbInfoElement_t added = FB_IE_INIT_FULL(e->name, e->enterprise, e->number, e->len,
							FB_IE_F_ENDIAN, 0, 0, FB_OCTET_ARRAY, NULL);

		if (fbInfoModelGetElementByID(model, e->number, e->enterprise)) {
			continue;
		}
		added.type = e->len == 1   ? FB_UINT_8
			     : e->len == 2 ? FB_UINT_16
			     : e->len == 4 ? FB_UINT_32
					   : FB_UINT_64;
		fbInfoModelAddElement(model, &added);
	}
	return model;
}

static void ipfix_append(fbInfoModel_t *model, fbTemplate_t *tmpl, uint16_t number,
			 uint32_t enterprise, uint16_t len)
{
	fbInfoElementSpec_t spec = { .len_override = len };
	GError *gerror = NULL;
	gboolean ok;

	spec.name = (char *)fbInfoModelGetElementByID(model, number, enterprise)->ref.name;
	ok = fbTemplateAppendSpec(tmpl, &spec, 0, &gerror);
	g_assert(ok);
	g_clear_error(&gerror);
}

static void ipfix_add_internal(fbSession_t *session, fbTemplate_t *tmpl, uint16_t id)
{
	GError *gerror = NULL; /* NULL instead of its address crashes libfixbuf 2.4.1 */
	uint16_t added = fbSessionAddTemplate(session, TRUE, id, tmpl, &gerror);

	g_assert(added == id);
	g_clear_error(&gerror);
}

static void ipfix_add_templates(fbInfoModel_t *model, fbSession_t *session)
{
	fbTemplate_t *record = fbTemplateAlloc(model);
	fbTemplate_t *entry = fbTemplateAlloc(model);

	ipfix_append(model, record, FB_IE_SUBTEMPLATE_MULTILIST, 0, 0);
	for (size_t i = 0; i < IPFIX_FIELD_COUNT; i++) {
		ipfix_append(model, record, ipfix_elements[i].number, ipfix_elements[i].enterprise,
			     ipfix_elements[i].len);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(ipfix_entry_fields); i++) {
		const struct ipfix_element *e = &ipfix_elements[ipfix_entry_fields[i]];

		ipfix_append(model, entry, e->number, e->enterprise, e->len);
	}
	ipfix_add_internal(session, record, IPFIX_TEMPLATE_RECORD);
	ipfix_add_internal(session, entry, IPFIX_TEMPLATE_FLAGS);
}

static int ipfix_find_field(const fbInfoElement_t *ie)
{
	for (int i = 0; i < IPFIX_FIELD_COUNT; i++) {
		if (ipfix_elements[i].number == ie->num &&
		    ipfix_elements[i].enterprise == ie->ent) {
			return i;
		}
	}
	return -1;
}

static void ipfix_free_shape(void *shape, void *arg)
{
	(void)arg;
	g_free(shape);
}

/* A template has come: note what it has, and whether list entries of it are of use. */
static void ipfix_new_template(fbSession_t *session, uint16_t id, fbTemplate_t *tmpl, void *arg,
			       void **context, fbTemplateCtxFree_fn *context_free)
{
	struct ipfix_shape *shape = g_new0(struct ipfix_shape, 1);
	uint32_t count = fbTemplateCountElements(tmpl);
	bool entry;

	(void)arg;
	for (uint32_t i = 0; i < count; i++) {
		const fbInfoElement_t *ie = fbTemplateGetIndexedIE(tmpl, i);
		int field = ipfix_find_field(ie);

		if (field >= 0) {
			shape->has[field] = true;
		}
		shape->has_list |= ie->ent == 0 && ie->num == FB_IE_SUBTEMPLATE_MULTILIST;
	}
	shape->options = fbTemplateGetOptionsScope(tmpl) > 0;
	ipfix_shape_finish(shape);
	entry = shape->has[IPFIX_INITIAL_FLAGS] && !shape->has_list;
	fbSessionAddTemplatePair(session, id, entry ? IPFIX_TEMPLATE_FLAGS : 0);
	*context = shape;
	*context_free = ipfix_free_shape;
}

/* Begin with no templates. */
static void ipfix_open(struct ipfix_decoder *decoder)
{
	GError *gerror = NULL;
	gboolean ok;

	decoder->scan = ipfixscan_new(&decoder->limits);
	decoder->model = ipfix_make_model();
	decoder->session = fbSessionAlloc(decoder->model);
	ipfix_add_templates(decoder->model, decoder->session);
	fbSessionAddNewTemplateCallback(decoder->session, ipfix_new_template, NULL);
	/* Once there is one pair, lists of unpaired templates are not decoded. */
	fbSessionAddTemplatePair(decoder->session, IPFIX_TEMPLATE_FLAGS, IPFIX_TEMPLATE_FLAGS);
	decoder->fbuf = fBufAllocForCollection(decoder->session, NULL);
	fBufSetAutomaticMode(decoder->fbuf, FALSE);
	ok = fBufSetInternalTemplate(decoder->fbuf, IPFIX_TEMPLATE_RECORD, &gerror);
	g_assert(ok);
	g_clear_error(&gerror);
	decoder->broken = false;
}

static void ipfix_close(struct ipfix_decoder *decoder)
{
	fBufFree(decoder->fbuf); /* and the session */
	fbInfoModelFree(decoder->model);
	ipfixscan_free(decoder->scan);
	g_hash_table_remove_all(decoder->sequences);
}

struct ipfix_decoder *ipfix_decoder_new(const struct ipfix_limits *limits,
					const struct ipfix_mapping *mapping)
{
	struct ipfix_decoder *decoder = g_new0(struct ipfix_decoder, 1);

	decoder->limits = *limits;
	decoder->mapping = *mapping;
	decoder->sequences = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
	decoder->log_handler = g_log_set_handler(NULL, G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE,
						 ipfix_swallow_log, NULL);
	ipfix_open(decoder);
	return decoder;
}

void ipfix_decoder_free(struct ipfix_decoder *decoder)
{
	if (decoder) {
		ipfix_close(decoder);
		g_hash_table_destroy(decoder->sequences);
		g_log_remove_handler(NULL, decoder->log_handler);
		g_free(decoder);
	}
}

void ipfix_set_mapping(struct ipfix_decoder *decoder, const struct ipfix_mapping *mapping)
{
	decoder->mapping = *mapping;
}

void ipfix_set_ignored(struct ipfix_decoder *decoder, ipfix_ignored_fn fn, void *arg)
{
	decoder->ignored = fn;
	decoder->ignored_arg = arg;
}

/* RFC 7011 3.1: the number counts the domain's data records before this message. */
static void ipfix_account(struct ipfix_decoder *decoder, const struct ipfixscan_message *message)
{
	gpointer key = GUINT_TO_POINTER(message->domain);
	struct ipfix_sequence *seq = g_hash_table_lookup(decoder->sequences, key);
	uint32_t after = message->sequence + message->data_records;
	int32_t ahead;

	if (!seq) {
		seq = g_new0(struct ipfix_sequence, 1);
		g_hash_table_insert(decoder->sequences, key, seq);
		seq->next = message->sequence;
	}
	ahead = (int32_t)(message->sequence - seq->next);
	if (ahead != 0 && !seq->unsure) {
		decoder->stats.out_of_sequence++;
		if (ahead > 0) {
			decoder->stats.missing += (uint32_t)ahead;
		} else if (ahead > -IPFIX_LATE_RECORDS) {
			/* These had been counted as missing. */
			decoder->stats.missing -=
				MIN(decoder->stats.missing, message->data_records);
			after = seq->next;
		}
	}
	seq->next = after;
	seq->unsure = message->unknown_sets > 0;
}

static void ipfix_take_list(const struct ipfix_decoded *decoded, struct ipfix_list_flags *flags)
{
	fbSubTemplateMultiList_t *list = (fbSubTemplateMultiList_t *)&decoded->list;
	fbSubTemplateMultiListEntry_t *entry = NULL;

	*flags = (struct ipfix_list_flags){ 0 };
	while ((entry = fbSubTemplateMultiListGetNextEntry(list, entry))) {
		struct ipfix_flags_entry values;
		const void *at = fbSubTemplateMultiListEntryNextDataPtr(entry, NULL);

		if (at) {
			memcpy(&values, at, sizeof(values));
			flags->found = true;
			flags->initial_flags = (uint8_t)values.initial;
			flags->union_flags = (uint8_t)values.session;
			flags->rev_initial_flags = (uint8_t)values.rev_initial;
			flags->rev_union_flags = (uint8_t)values.rev_session;
			return;
		}
	}
}

static int ipfix_deliver(struct ipfix_decoder *decoder, const struct ipfix_shape *shape,
			 int64_t export_ns, ipfix_record_fn fn, void *arg)
{
	struct ipfix_output *out = &decoder->output;
	struct ipfix_list_flags flags;
	struct ipfix_input input = { &decoder->decoded.fields, shape, &flags, &decoder->mapping,
				     export_ns };
	int rc = 0;

	ipfix_take_list(&decoder->decoded, &flags);
	ipfix_map(&input, out);
	if (out->count == 0) {
		decoder->stats.ignored++;
		if (decoder->ignored && out->ignored) {
			decoder->ignored(decoder->ignored_arg, &out->records[0], out->ignored);
		}
		return 0;
	}
	decoder->stats.forward++;
	rc = fn(arg, &out->records[0]);
	if (rc == 0 && out->count == 2) {
		decoder->stats.reverse++;
		rc = fn(arg, &out->records[1]);
	}
	return rc;
}

/* libfixbuf's reason. What the scan let through should not get here. */
static int ipfix_library_err(GError **gerror, struct err *err)
{
	int rc = err_set(err, ST_EFORMAT, "%s", *gerror ? (*gerror)->message : "not decoded");

	g_clear_error(gerror);
	return rc;
}

/* The next data record. ST_OK, ST_END at the end of the message, ST_EFORMAT. */
static int ipfix_next(struct ipfix_decoder *decoder, const struct ipfix_shape **shape,
		      struct err *err)
{
	size_t size = sizeof(decoder->decoded);
	GError *gerror = NULL;
	const fbTemplate_t *tmpl = fBufNextCollectionTemplate(decoder->fbuf, NULL, &gerror);

	if (tmpl) {
		*shape = fbTemplateGetContext((fbTemplate_t *)tmpl);
		if (*shape &&
		    fBufNext(decoder->fbuf, (uint8_t *)&decoder->decoded, &size, &gerror)) {
			return ST_OK;
		}
	}
	if (g_error_matches(gerror, FB_ERROR_DOMAIN, FB_ERROR_EOM) ||
	    g_error_matches(gerror, FB_ERROR_DOMAIN, FB_ERROR_BUFSZ)) {
		g_clear_error(&gerror);
		return ST_END;
	}
	return ipfix_library_err(&gerror, err);
}

static int ipfix_decode_clean(struct ipfix_decoder *decoder,
			      const struct ipfixscan_message *message, ipfix_record_fn fn,
			      void *arg, struct err *err)
{
	const struct ipfix_shape *shape = NULL;
	int rc;

	fBufSetBuffer(decoder->fbuf, message->clean, message->clean_len);
	while ((rc = ipfix_next(decoder, &shape, err)) == ST_OK) {
		if (!shape->options) { /* what exporters tell about themselves is no flow */
			rc = ipfix_deliver(decoder, shape,
					   (int64_t)message->export_time_s * NS_PER_S, fn, arg);
		}
		fbSubTemplateMultiListClear(&decoder->decoded.list);
		if (rc != ST_OK) {
			break;
		}
	}
	return rc == ST_END ? ST_OK : rc;
}

int ipfix_decode(struct ipfix_decoder *decoder, const uint8_t *message, size_t len,
		 ipfix_record_fn fn, void *arg, struct err *err)
{
	struct ipfixscan_message scanned;
	int rc;

	if (decoder->broken) {
		ipfix_close(decoder);
		ipfix_open(decoder);
	}
	decoder->stats.messages++;
	decoder->stats.bytes += len;
	rc = ipfixscan_check(decoder->scan, message, len, &scanned, err);
	if (rc == ST_OK) {
		decoder->stats.templates += scanned.templates;
		decoder->stats.unknown_sets += scanned.unknown_sets;
		ipfix_account(decoder, &scanned);
		rc = ipfix_decode_clean(decoder, &scanned, fn, arg, err);
	}
	decoder->broken = rc != ST_OK;
	decoder->stats.malformed += rc == ST_EFORMAT || rc == ST_ELIMIT;
	return rc;
}

void ipfix_get_stats(const struct ipfix_decoder *decoder, struct ipfix_stats *out)
{
	*out = decoder->stats;
}
