/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/extension.h"

#include <string.h>

struct extension_column {
	struct column_key key;
	uint8_t type;
	GArray *rows;      /* uint32_t, ascending: those that have a value */
	GArray *numbers;   /* uint64_t; of byte strings where each ends in bytes */
	GArray *addresses; /* struct ip */
	GByteArray *bytes;
};

struct extension_buffer {
	GPtrArray *columns; /* struct extension_column */
	size_t next;        /* the column that is probably asked for next */
	size_t bytes;
};

static void column_free(gpointer pointer)
{
	struct extension_column *column = pointer;

	g_array_unref(column->rows);
	g_array_unref(column->numbers);
	g_array_unref(column->addresses);
	g_byte_array_unref(column->bytes);
	g_free(column);
}

struct extension_buffer *extension_buffer_new(void)
{
	struct extension_buffer *buffer = g_new0(struct extension_buffer, 1);

	buffer->columns = g_ptr_array_new_with_free_func(column_free);
	return buffer;
}

void extension_buffer_free(struct extension_buffer *buffer)
{
	if (buffer == NULL) {
		return;
	}
	g_ptr_array_unref(buffer->columns);
	g_free(buffer);
}

void extension_clear(struct extension_buffer *buffer)
{
	g_ptr_array_set_size(buffer->columns, 0);
	buffer->next = 0;
	buffer->bytes = 0;
}

size_t extension_bytes(const struct extension_buffer *buffer)
{
	return buffer->bytes;
}

/* Records of a kind give their values in one order: the search goes on where the last one ended. */
static struct extension_column *find_column(struct extension_buffer *buffer,
					    const struct column_key *key)
{
	size_t count = buffer->columns->len;

	for (size_t i = 0; i < count; i++) {
		size_t at = (buffer->next + i) % count;
		struct extension_column *column = g_ptr_array_index(buffer->columns, at);

		if (column_key_compare(&column->key, key) == 0) {
			buffer->next = at + 1;
			return column;
		}
	}
	return NULL;
}

static struct extension_column *add_column(struct extension_buffer *buffer,
					   const struct flowblock_value *value)
{
	struct extension_column *column = g_new0(struct extension_column, 1);

	column->key = value->key;
	column->type = value->type;
	column->rows = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	column->numbers = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	column->addresses = g_array_new(FALSE, FALSE, sizeof(struct ip));
	column->bytes = g_byte_array_new();
	g_ptr_array_add(buffer->columns, column);
	return column;
}

/* is_first: of its column in this block; the others' keys are good then. */
static int check_value(const struct flowblock_value *value, bool is_first, struct err *err)
{
	char name[COLUMN_NAME_MAX];

	if (is_first && column_find(&value->key) < COLUMN_COUNT) {
		return err_set(err, ST_EINVAL, "column %s: is one of every record",
			       column_name(&value->key, name));
	}
	if (value->type >= COLUMN_TYPES) {
		return err_set(err, ST_EINVAL, "column %s: type %u is not known",
			       column_name(&value->key, name), value->type);
	}
	if (column_form(value->type) == COLUMN_FORM_BYTES && value->bytes.len > COLUMN_BYTES_MAX) {
		return err_set(err, ST_EINVAL, "column %s: %zu bytes are more than %d",
			       column_name(&value->key, name), value->bytes.len, COLUMN_BYTES_MAX);
	}
	return ST_OK;
}

static int check_column(const struct extension_buffer *buffer,
			const struct extension_column *column, uint32_t row,
			const struct flowblock_value *value, struct err *err)
{
	char name[COLUMN_NAME_MAX];

	if (column == NULL && buffer->columns->len >= FLOWBLOCK_COLUMNS_MAX - COLUMN_COUNT) {
		return err_set(err, ST_ELIMIT, "column %s: more than %u columns",
			       column_name(&value->key, name), FLOWBLOCK_COLUMNS_MAX);
	}
	if (column == NULL) {
		return ST_OK;
	}
	if (column->type != value->type) {
		return err_set(err, ST_EINVAL, "column %s: type %u where the column has %u",
			       column_name(&value->key, name), value->type, column->type);
	}
	if (g_array_index(column->rows, uint32_t, column->rows->len - 1) >= row) {
		return err_set(err, ST_EINVAL, "column %s: a second value",
			       column_name(&value->key, name));
	}
	return ST_OK;
}

static void append_value(struct extension_column *column, const struct flowblock_value *value)
{
	uint64_t end;

	switch (column_form(column->type)) {
	case COLUMN_FORM_NUMBER:
		g_array_append_val(column->numbers, value->number);
		break;
	case COLUMN_FORM_ADDRESS:
		g_array_append_val(column->addresses, value->ip);
		break;
	case COLUMN_FORM_BYTES:
		g_byte_array_append(column->bytes, value->bytes.bytes, (guint)value->bytes.len);
		end = column->bytes->len;
		g_array_append_val(column->numbers, end);
		break;
	}
}

int extension_put(struct extension_buffer *buffer, uint32_t row,
		  const struct flowblock_value *value, struct err *err)
{
	struct extension_column *column = find_column(buffer, &value->key);
	int rc = check_value(value, column == NULL, err);

	if (rc != ST_OK) {
		return rc;
	}
	rc = check_column(buffer, column, row, value, err);
	if (rc != ST_OK) {
		return rc;
	}
	if (column == NULL) {
		column = add_column(buffer, value);
		buffer->bytes += sizeof(*column);
	}
	append_value(column, value);
	g_array_append_val(column->rows, row);
	buffer->bytes += sizeof(struct ip) + sizeof(row);
	if (column_form(value->type) == COLUMN_FORM_BYTES) {
		buffer->bytes += value->bytes.len;
	}
	return ST_OK;
}

size_t extension_count(const struct extension_buffer *buffer)
{
	return buffer->columns->len;
}

const struct extension_column *extension_column(const struct extension_buffer *buffer, size_t i)
{
	return g_ptr_array_index(buffer->columns, i);
}

struct column_key extension_key(const struct extension_column *column)
{
	return column->key;
}

uint8_t extension_type(const struct extension_column *column)
{
	return column->type;
}

uint32_t extension_present(const struct extension_column *column)
{
	return column->rows->len;
}

static uint32_t row_at(const struct extension_column *column, guint i)
{
	return g_array_index(column->rows, uint32_t, i);
}

void extension_numbers(const struct extension_column *column, uint64_t *out)
{
	for (guint i = 0; i < column->rows->len; i++) {
		out[row_at(column, i)] = g_array_index(column->numbers, uint64_t, i);
	}
}

void extension_addresses(const struct extension_column *column, struct ip *out)
{
	for (guint i = 0; i < column->rows->len; i++) {
		out[row_at(column, i)] = g_array_index(column->addresses, struct ip, i);
	}
}

void extension_strings(const struct extension_column *column, struct encode_bytes *out)
{
	uint64_t begin = 0;

	for (guint i = 0; i < column->rows->len; i++) {
		uint64_t end = g_array_index(column->numbers, uint64_t, i);

		out[row_at(column, i)] =
			(struct encode_bytes){ .bytes = column->bytes->data + begin,
					       .len = end - begin };
		begin = end;
	}
}

void extension_presence(const struct extension_column *column, uint64_t *out)
{
	for (guint i = 0; i < column->rows->len; i++) {
		out[row_at(column, i)] = 1;
	}
}
