/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/extfield.h"

#include <glib.h>
#include <stddef.h>
#include <string.h>

#include "common/extvalue.h"

/* A field, with what stands behind its pointers. */
struct extfield {
	struct field field; /* first */
	struct extfields *owner;
	size_t column; /* in the batch; of an element, or where a name may be had */
	size_t id_column;
	const struct extfield_label_row *row; /* NULL: an element */
	char *name;
	char *help;
};

#define NO_COLUMN SIZE_MAX

/* A byte string that is kept: keys point at its bytes. */
struct kept {
	size_t len;
	uint8_t bytes[];
};

struct extfields {
	struct iemodel *model;        /* NULL: not asked for yet */
	GPtrArray *fields;            /* struct extfield */
	GPtrArray *added;             /* const struct field; borrowed */
	GArray *columns;              /* struct ie_key, as the batch has them */
	extfield_label_fn find_label; /* NULL: there are none */
	void *find_arg;
	GHashTable *kept; /* struct kept, as a set */
};

/* ---- byte strings ---- */

static guint kept_hash(gconstpointer pointer)
{
	const struct kept *kept = pointer;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < kept->len; i++) {
		hash = (hash ^ kept->bytes[i]) * UINT64_C(0x100000001b3);
	}
	return (guint)(hash ^ hash >> 32);
}

static gboolean kept_equal(gconstpointer a, gconstpointer b)
{
	const struct kept *x = a;
	const struct kept *y = b;

	return x->len == y->len && memcmp(x->bytes, y->bytes, x->len) == 0;
}

size_t extfield_kept_length(const uint8_t *bytes)
{
	size_t len;

	memcpy(&len, bytes - offsetof(struct kept, bytes), sizeof(len));
	return len;
}

/* The one copy of the bytes. */
static void keep(struct extfields *ext, struct batch_bytes *bytes)
{
	struct kept *made = g_malloc(sizeof(*made) + bytes->len);
	struct kept *found;

	made->len = bytes->len;
	memcpy(made->bytes, bytes->bytes, bytes->len);
	found = g_hash_table_lookup(ext->kept, made);
	if (found != NULL) {
		g_free(made);
	} else {
		g_hash_table_add(ext->kept, made);
		found = made;
	}
	bytes->bytes = found->bytes;
}

/* ---- fields ---- */

static void extfield_free(gpointer pointer)
{
	struct extfield *made = pointer;

	g_free(made->name);
	g_free(made->help);
	g_free(made);
}

struct extfields *extfields_new(void)
{
	struct extfields *ext = g_new0(struct extfields, 1);

	ext->fields = g_ptr_array_new_with_free_func(extfield_free);
	ext->added = g_ptr_array_new();
	ext->columns = g_array_new(FALSE, FALSE, sizeof(struct ie_key));
	ext->kept = g_hash_table_new_full(kept_hash, kept_equal, g_free, NULL);
	return ext;
}

void extfields_free(struct extfields *ext)
{
	if (ext == NULL) {
		return;
	}
	iemodel_free(ext->model);
	g_ptr_array_unref(ext->fields);
	g_ptr_array_unref(ext->added);
	g_array_unref(ext->columns);
	g_hash_table_unref(ext->kept);
	g_free(ext);
}

/* Elements that are columns of every record, under the names of the field table. */
static const struct field *find_core(const struct ie_key *key)
{
	static const struct {
		uint16_t id;
		const char *name;
	} ipv6[] = { { 27, "sIP" }, { 28, "dIP" }, { 62, "nhIP" } };

	for (size_t i = 0; key->pen == 0 && i < G_N_ELEMENTS(ipv6); i++) {
		if (key->id == ipv6[i].id) {
			return field_find(ipv6[i].name, NULL);
		}
	}
	for (size_t i = 0; i < field_table_count; i++) {
		const struct field *field = &field_table[i];

		if (field->ie_id != 0 && field->ie_id == key->id && field->ie_pen == key->pen) {
			return field;
		}
	}
	return NULL;
}

/* The number of the column of an element, which is wanted from now on. */
static size_t want_column(struct extfields *ext, struct ie_key key)
{
	for (guint i = 0; i < ext->columns->len; i++) {
		const struct ie_key *at = &g_array_index(ext->columns, struct ie_key, i);

		if (at->pen == key.pen && at->id == key.id) {
			return i;
		}
	}
	g_array_append_val(ext->columns, key);
	return ext->columns->len - 1;
}

static void load(const struct field *field, const struct batch *batch, uint32_t row,
		 struct value *out);
static void pack(const struct field *field, const struct batch *batch, uint8_t *out, size_t stride);

static struct extfield *add_field(struct extfields *ext, char *name, char *help, unsigned type)
{
	const struct field_context plain = { 0 };
	struct extfield *made = g_new0(struct extfield, 1);

	made->owner = ext;
	made->name = name;
	made->help = help;
	made->column = made->id_column = NO_COLUMN;
	made->field = (struct field){
		.name = name,
		.kind = extvalue_kind(type),
		.role = FIELD_ROLE_KEY,
		.width = MAX((int)strlen(name), extvalue_width(type, &plain)),
		.help = help,
		.is_extension = true,
		.load_made = load,
		.pack_made = pack,
	};
	g_ptr_array_add(ext->fields, made);
	return made;
}

static const struct field *find_made(const struct extfields *ext, const char *name)
{
	for (guint i = 0; i < ext->fields->len; i++) {
		const struct extfield *made = g_ptr_array_index(ext->fields, i);

		if (strcmp(made->name, name) == 0) {
			return &made->field;
		}
	}
	return NULL;
}

static const struct field *make_element(struct extfields *ext, const struct ie_key *key)
{
	const struct ie *ie = iemodel_by_id(ext->model, key->pen, key->id);
	char *name = ie != NULL ? g_strdup(ie->name) : g_strdup_printf("%u/%u", key->pen, key->id);
	const struct field *found = find_made(ext, name);
	struct extfield *made;

	/* of elements with one name, the second has its number */
	if (found != NULL && (found->ie_pen != key->pen || found->ie_id != key->id)) {
		g_free(name);
		name = g_strdup_printf("%u/%u", key->pen, key->id);
		found = find_made(ext, name);
	}
	if (found != NULL) {
		g_free(name);
		return found;
	}
	made = add_field(ext, name, g_strdup_printf("information element %u/%u", key->pen, key->id),
			 ie != NULL ? ie->type : IE_TYPES);
	made->column = want_column(ext, *key);
	made->field.ie_pen = key->pen;
	made->field.ie_id = key->id;
	return &made->field;
}

static const struct field *find_element(struct extfields *ext, const char *name, struct err *err)
{
	const struct field *core;
	struct ie_key key;

	if (ext->model == NULL) {
		ext->model = iemodel_new();
	}
	if (iemodel_parse(ext->model, name, &key, err) != ST_OK) {
		return NULL;
	}
	core = find_core(&key);
	return core != NULL ? core : make_element(ext, &key);
}

/* ---- labels ---- */

static const struct field *find_label(struct extfields *ext, const char *name)
{
	const struct extfield_label_row *row = NULL;
	const struct field *found;
	struct extfield *made;

	for (size_t i = 0; i < extfield_label_count && row == NULL; i++) {
		if (g_ascii_strcasecmp(extfield_labels[i].name, name) == 0) {
			row = &extfield_labels[i];
		}
	}
	found = row != NULL ? find_made(ext, row->name) : NULL;
	if (row == NULL || found != NULL) {
		return found;
	}
	made = add_field(ext, g_strdup(row->name), g_strdup(row->help), IE_STRING);
	made->row = row;
	made->field.columns = row->columns;
	if (row->id.id != 0) {
		made->id_column = want_column(ext, row->id);
	}
	if (row->own.id != 0) {
		made->column = want_column(ext, row->own);
	}
	return &made->field;
}

bool extfields_need_labels(const struct extfields *ext)
{
	for (guint i = 0; i < ext->fields->len; i++) {
		const struct extfield *made = g_ptr_array_index(ext->fields, i);

		if (made->row != NULL) {
			return true;
		}
	}
	return false;
}

void extfields_set_labels(struct extfields *ext, extfield_label_fn find, void *arg)
{
	ext->find_label = find;
	ext->find_arg = arg;
}

/* ---- names ---- */

void extfields_add(struct extfields *ext, const struct field *field)
{
	g_ptr_array_add(ext->added, (gpointer)(uintptr_t)field);
}

const struct field *extfields_added(const struct extfields *ext, size_t i)
{
	return i < ext->added->len ? g_ptr_array_index(ext->added, i) : NULL;
}

const struct field *extfields_find(struct extfields *ext, const char *name, unsigned flags,
				   struct err *err)
{
	const struct field *field = field_find_among((const struct field *const *)ext->added->pdata,
						     ext->added->len, name, flags, err);
	struct err element_err;

	if (field == NULL) {
		field = find_label(ext, name);
	}
	if (field == NULL && strlen(name) > 2) {
		field = find_element(ext, name, &element_err);
	}
	if (field != NULL && field->prepare != NULL && field->prepare(field, err) != ST_OK) {
		return NULL;
	}
	return field;
}

static const struct field *find_by_name(void *arg, const char *name, unsigned flags,
					struct err *err)
{
	return extfields_find(arg, name, flags, err);
}

int extfields_parse_list(struct extfields *ext, const char *text, unsigned flags,
			 const struct field ***out, size_t *count, struct err *err)
{
	return field_parse_list_by(text, flags, find_by_name, ext, out, count, err);
}

void extfields_want(const struct extfields *ext, struct batch *batch)
{
	for (guint i = 0; i < ext->columns->len; i++) {
		batch_want(batch, g_array_index(ext->columns, struct ie_key, i));
	}
}

/* ---- values ---- */

static const struct batch_extension *column_of(const struct batch *batch, size_t n)
{
	return n != NO_COLUMN ? batch_extension(batch, n) : NULL;
}

/* column may be NULL. */
static bool load_column(const struct batch_extension *column, uint32_t row, struct value *out)
{
	if (column == NULL || !column->any || !column->present[row]) {
		*out = (struct value){ .blank = true };
		return false;
	}
	*out = extvalue_load(column, row);
	return true;
}

/* What the label is to be of; false: of nothing. */
static bool ask(const struct extfield *made, const struct batch *batch, uint32_t row,
		const struct batch_extension *id_column, struct extfield_question *question)
{
	struct value id;

	*question = (struct extfield_question){ .label = made->row->label,
						.sensor = batch->sensor[row] };
	if (made->row->columns & COLUMN_BIT(COLUMN_INPUT)) {
		question->number = batch->input[row];
	} else if (made->row->columns & COLUMN_BIT(COLUMN_OUTPUT)) {
		question->number = batch->output[row];
	} else if (load_column(id_column, row, &id) && extvalue_is_bytes(id.ie_type)) {
		question->bytes = id.bytes;
	} else {
		return false;
	}
	return true;
}

const struct extfield_label_row *extfield_label_of(const struct field *field)
{
	return ((const struct extfield *)field)->row;
}

void extfield_load_label(const struct field *field, const struct batch *batch, uint32_t row,
			 const struct batch_extension *id, const struct batch_extension *own,
			 struct value *out)
{
	const struct extfield *made = (const struct extfield *)field;
	struct extfield_question question;
	const char *name;

	if (load_column(own, row, out) || made->owner->find_label == NULL ||
	    !ask(made, batch, row, id, &question)) {
		return;
	}
	name = made->owner->find_label(made->owner->find_arg, &question);
	if (name != NULL) {
		*out = (struct value){ .ie_type = IE_STRING,
				       .bytes = { (const uint8_t *)name, strlen(name) } };
	}
}

static void load(const struct field *field, const struct batch *batch, uint32_t row,
		 struct value *out)
{
	const struct extfield *made = (const struct extfield *)field;
	const struct batch_extension *column = column_of(batch, made->column);

	if (made->row == NULL) {
		load_column(column, row, out);
	} else {
		extfield_load_label(field, batch, row, column_of(batch, made->id_column), column,
				    out);
	}
}

static void pack(const struct field *field, const struct batch *batch, uint8_t *out, size_t stride)
{
	const struct extfield *made = (const struct extfield *)field;

	for (uint32_t i = 0; i < batch->selected; i++, out += stride) {
		struct value value;

		load(field, batch, batch->selection[i], &value);
		if (!value.blank && extvalue_is_bytes(value.ie_type)) {
			keep(made->owner, &value.bytes);
		}
		field->kind->key(out, &value);
	}
}

void extfield_copy(struct value *value)
{
	if (!value->blank && extvalue_is_bytes(value->ie_type)) {
		value->bytes.bytes = g_memdup2(value->bytes.bytes, value->bytes.len);
	}
}

void extfield_drop(struct value *value)
{
	if (!value->blank && extvalue_is_bytes(value->ie_type)) {
		g_free((uint8_t *)(uintptr_t)value->bytes.bytes);
	}
	*value = (struct value){ .blank = true };
}
