/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/extension.h"

#include <string.h>

#define VALUES_AT_FIRST 16u

struct extension_column {
	struct column_key key;
	uint8_t type;
	enum column_form form;
	uint32_t count; /* of values */
	uint32_t capacity;
	/* Ascending: those that have a value. NULL: the first ones have, all of them. */
	uint32_t *rows;
	void *numbers; /* of so many bytes each; of byte strings where each ends in bytes */
	size_t width;
	struct ip *addresses; /* instead of numbers */
	GByteArray *bytes;
};

/* Bytes of values whose room is kept for the next block; there may be many buffers. */
#define SPARES_MAX ((size_t)1 << 20)

struct extension_buffer {
	GPtrArray *columns; /* struct extension_column */
	GPtrArray *spares;  /* those of the block before: their room is used again */
	size_t next;        /* the column that is probably asked for next */
	size_t bytes;
};

static void column_free(gpointer pointer)
{
	struct extension_column *column = pointer;

	g_free(column->rows);
	g_free(column->numbers);
	g_free(column->addresses);
	g_byte_array_unref(column->bytes);
	g_free(column);
}

struct extension_buffer *extension_buffer_new(void)
{
	struct extension_buffer *buffer = g_new0(struct extension_buffer, 1);

	buffer->columns = g_ptr_array_new_with_free_func(column_free);
	buffer->spares = g_ptr_array_new_with_free_func(column_free);
	return buffer;
}

void extension_buffer_free(struct extension_buffer *buffer)
{
	if (buffer == NULL) {
		return;
	}
	g_ptr_array_unref(buffer->columns);
	g_ptr_array_unref(buffer->spares);
	g_free(buffer);
}

void extension_clear(struct extension_buffer *buffer)
{
	GPtrArray *columns = buffer->columns;

	if (buffer->bytes > SPARES_MAX) {
		g_ptr_array_set_size(columns, 0);
	}
	g_ptr_array_set_size(buffer->spares, 0);
	buffer->columns = buffer->spares;
	buffer->spares = columns;
	buffer->next = 0;
	buffer->bytes = 0;
}

size_t extension_bytes(const struct extension_buffer *buffer)
{
	return buffer->bytes;
}

static bool key_equal(const struct column_key *a, const struct column_key *b)
{
	return a->id == b->id && a->pen == b->pen;
}

/* Records of a kind give their values in one order: the search goes on where the last one ended. */
static struct extension_column *find_column(struct extension_buffer *buffer,
					    const struct column_key *key)
{
	struct extension_column **columns = (struct extension_column **)buffer->columns->pdata;
	size_t count = buffer->columns->len;

	for (size_t i = 0, at = buffer->next; i < count; i++, at++) {
		at = at < count ? at : 0;
		if (key_equal(&columns[at]->key, key)) {
			buffer->next = at + 1;
			return columns[at];
		}
	}
	return NULL;
}

/* Numbers are as narrow in memory as those of the type are. */
static size_t width_of(uint8_t type)
{
	static const uint8_t widths[COLUMN_TYPES] = {
		[COLUMN_UNSIGNED8] = 1,  [COLUMN_BOOLEAN] = 1, [COLUMN_UNSIGNED16] = 2,
		[COLUMN_UNSIGNED32] = 4, [COLUMN_SECONDS] = 4,
	};

	return widths[type] > 0 ? widths[type] : sizeof(uint64_t);
}

/* Of such a column in the block before; NULL: there was none. */
static struct extension_column *take_spare(struct extension_buffer *buffer,
					   const struct flowblock_value *value)
{
	for (guint i = 0; i < buffer->spares->len; i++) {
		struct extension_column *spare = g_ptr_array_index(buffer->spares, i);

		if (key_equal(&spare->key, &value->key) && spare->type == value->type) {
			g_ptr_array_steal_index_fast(buffer->spares, i);
			g_free(spare->rows);
			spare->rows = NULL;
			spare->count = 0;
			g_byte_array_set_size(spare->bytes, 0);
			return spare;
		}
	}
	return NULL;
}

static struct extension_column *add_column(struct extension_buffer *buffer,
					   const struct flowblock_value *value)
{
	struct extension_column *column = take_spare(buffer, value);

	if (column == NULL) {
		column = g_new0(struct extension_column, 1);
		column->key = value->key;
		column->type = value->type;
		column->form = column_form(value->type);
		column->width = width_of(value->type);
		column->bytes = g_byte_array_new();
	}
	g_ptr_array_add(buffer->columns, column);
	buffer->bytes += sizeof(*column);
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

/* The row that value i is of. */
static uint32_t row_at(const struct extension_column *column, uint32_t i)
{
	return column->rows ? column->rows[i] : i;
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
	if (row_at(column, column->count - 1) >= row) {
		return err_set(err, ST_EINVAL, "column %s: a second value",
			       column_name(&value->key, name));
	}
	return ST_OK;
}

static void grow(struct extension_column *column)
{
	column->capacity = MAX(2 * column->capacity, VALUES_AT_FIRST);
	if (column->form == COLUMN_FORM_ADDRESS) {
		column->addresses = g_renew(struct ip, column->addresses, column->capacity);
	} else {
		column->numbers = g_realloc_n(column->numbers, column->capacity, column->width);
	}
	if (column->rows) {
		column->rows = g_renew(uint32_t, column->rows, column->capacity);
	}
}

/* A row before this one has no value: from now on it is written down which have. */
static void make_sparse(struct extension_column *column)
{
	column->rows = g_new(uint32_t, column->capacity);
	for (uint32_t i = 0; i < column->count; i++) {
		column->rows[i] = i;
	}
}

static void append_row(struct extension_column *column, uint32_t row)
{
	if (column->count == column->capacity) {
		grow(column);
	}
	if (!column->rows && row != column->count) {
		make_sparse(column);
	}
	if (column->rows) {
		column->rows[column->count] = row;
	}
}

static uint64_t number_at(const struct extension_column *column, uint32_t i)
{
	switch (column->width) {
	case sizeof(uint8_t):
		return ((const uint8_t *)column->numbers)[i];
	case sizeof(uint16_t):
		return ((const uint16_t *)column->numbers)[i];
	case sizeof(uint32_t):
		return ((const uint32_t *)column->numbers)[i];
	default:
		return ((const uint64_t *)column->numbers)[i];
	}
}

/* A number is not of the type: all are kept in full. */
static void widen(struct extension_column *column)
{
	uint64_t *wide = g_new(uint64_t, column->capacity);

	for (uint32_t i = 0; i < column->count; i++) {
		wide[i] = number_at(column, i);
	}
	g_free(column->numbers);
	column->numbers = wide;
	column->width = sizeof(*wide);
}

static void append_number(struct extension_column *column, uint64_t number)
{
	if (number >> 1 >> (8 * column->width - 1) != 0) {
		widen(column);
	}
	switch (column->width) {
	case sizeof(uint8_t):
		((uint8_t *)column->numbers)[column->count] = (uint8_t)number;
		break;
	case sizeof(uint16_t):
		((uint16_t *)column->numbers)[column->count] = (uint16_t)number;
		break;
	case sizeof(uint32_t):
		((uint32_t *)column->numbers)[column->count] = (uint32_t)number;
		break;
	default:
		((uint64_t *)column->numbers)[column->count] = number;
	}
}

static void append_value(struct extension_column *column, const struct flowblock_value *value)
{
	switch (column->form) {
	case COLUMN_FORM_NUMBER:
		append_number(column, value->number);
		break;
	case COLUMN_FORM_ADDRESS:
		column->addresses[column->count] = value->ip;
		break;
	case COLUMN_FORM_BYTES:
		g_byte_array_append(column->bytes, value->bytes.bytes, (guint)value->bytes.len);
		append_number(column, column->bytes->len);
		break;
	}
	column->count++;
}

int extension_put(struct extension_buffer *buffer, uint32_t row,
		  const struct flowblock_value *value, struct err *err)
{
	struct extension_column *column = find_column(buffer, &value->key);
	int rc = ST_OK;

	if (column == NULL || column->form == COLUMN_FORM_BYTES) {
		rc = check_value(value, column == NULL, err);
	}
	if (rc == ST_OK) {
		rc = check_column(buffer, column, row, value, err);
	}
	if (rc != ST_OK) {
		return rc;
	}
	if (column == NULL) {
		column = add_column(buffer, value);
	}
	append_row(column, row);
	append_value(column, value);
	buffer->bytes += sizeof(struct ip) + sizeof(row);
	if (column->form == COLUMN_FORM_BYTES) {
		buffer->bytes += value->bytes.len;
	}
	return ST_OK;
}

/* ---- many rows at once ---- */

static bool have_one_shape(struct flowblock_row *const *rows, size_t count)
{
	const uint32_t shape = rows[0]->shape;
	uint32_t others = 0;

	for (size_t i = 0; i < count; i++) {
		others |= rows[i]->shape ^ shape;
	}
	return shape != 0 && others == 0;
}

static bool has_keys_of(const struct flowblock_row *row, const struct flowblock_row *first)
{
	bool alike = row->value_count == first->value_count;

	for (size_t j = 0; alike && j < row->value_count; j++) {
		alike = key_equal(&row->values[j].key, &first->values[j].key) &&
			row->values[j].type == first->values[j].type;
	}
	return alike;
}

/* Do all rows have values of the same columns, in the same order? */
static bool are_alike(struct flowblock_row *const *rows, size_t count)
{
	bool alike = true;

	if (have_one_shape(rows, count)) {
		return true;
	}
	for (size_t i = 1; alike && i < count; i++) {
		alike = has_keys_of(rows[i], rows[0]);
	}
	return alike;
}

/* The bits that any of the numbers j has; of values of other forms they mean nothing. */
static uint64_t bits_of(struct flowblock_row *const *rows, size_t count, size_t j)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < count; i++) {
		bits |= rows[i]->values[j].number;
	}
	return bits;
}

/* Do numbers of this type, which have these bits, go to the end of the column as they are? */
static bool takes_all(const struct extension_column *column, uint32_t first, uint8_t type,
		      uint64_t all)
{
	return column->form == COLUMN_FORM_NUMBER && column->type == type && !column->rows &&
	       column->count == first && all >> 1 >> (8 * column->width - 1) == 0;
}

#define APPEND_ALL(type)                                                                           \
	do {                                                                                       \
		type *to = (type *)column->numbers + column->count;                                \
                                                                                                   \
		for (size_t i = 0; i < count; i++) {                                               \
			to[i] = (type)rows[i]->values[j].number;                                   \
		}                                                                                  \
	} while (0)

static void append_all(struct extension_column *column, struct flowblock_row *const *rows,
		       size_t count, size_t j)
{
	while (column->capacity - column->count < count) {
		grow(column);
	}
	switch (column->width) {
	case sizeof(uint8_t):
		APPEND_ALL(uint8_t);
		break;
	case sizeof(uint16_t):
		APPEND_ALL(uint16_t);
		break;
	case sizeof(uint32_t):
		APPEND_ALL(uint32_t);
		break;
	default:
		APPEND_ALL(uint64_t);
	}
	column->count += (uint32_t)count;
}

/* The values j of all rows; returns how many had no place. */
static size_t put_each(struct extension_buffer *buffer, uint32_t first,
		       struct flowblock_row *const *rows, size_t count, size_t j)
{
	size_t lost = 0;

	for (size_t i = 0; i < count; i++) {
		lost += extension_put(buffer, first + (uint32_t)i, &rows[i]->values[j], NULL) !=
			ST_OK;
	}
	return lost;
}

size_t extension_put_rows(struct extension_buffer *buffer, uint32_t first,
			  struct flowblock_row *const *rows, size_t count)
{
	const bool alike = are_alike(rows, count);
	size_t lost = 0;

	for (size_t i = 0; !alike && i < count; i++) {
		for (size_t j = 0; j < rows[i]->value_count; j++) {
			lost += extension_put(buffer, first + (uint32_t)i, &rows[i]->values[j],
					      NULL) != ST_OK;
		}
	}
	for (size_t j = 0; alike && j < rows[0]->value_count; j++) {
		const struct flowblock_value *value = &rows[0]->values[j];
		struct extension_column *column = find_column(buffer, &value->key);

		if (column && takes_all(column, first, value->type, bits_of(rows, count, j))) {
			append_all(column, rows, count, j);
			buffer->bytes += count * (sizeof(struct ip) + sizeof(first));
		} else {
			lost += put_each(buffer, first, rows, count, j);
		}
	}
	return lost;
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
	return column->count;
}

const void *extension_dense_numbers(const struct extension_column *column, uint32_t rows,
				    size_t *width)
{
	*width = column->width;
	return column->form == COLUMN_FORM_NUMBER && column->count == rows ? column->numbers : NULL;
}

void extension_numbers(const struct extension_column *column, uint64_t *out)
{
	for (uint32_t i = 0; i < column->count; i++) {
		out[row_at(column, i)] = number_at(column, i);
	}
}

void extension_addresses(const struct extension_column *column, struct ip *out)
{
	for (uint32_t i = 0; i < column->count; i++) {
		out[row_at(column, i)] = column->addresses[i];
	}
}

void extension_strings(const struct extension_column *column, struct encode_bytes *out)
{
	uint64_t begin = 0;

	for (uint32_t i = 0; i < column->count; i++) {
		uint64_t end = number_at(column, i);

		out[row_at(column, i)] =
			(struct encode_bytes){ .bytes = column->bytes->data + begin,
					       .len = end - begin };
		begin = end;
	}
}

void extension_presence(const struct extension_column *column, uint64_t *out)
{
	for (uint32_t i = 0; i < column->count; i++) {
		out[row_at(column, i)] = 1;
	}
}
