/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/columnencode.h"

#include "storage/columnrange.h"
#include "storage/encode.h"
#include "storage/putbytes.h"
#include "storage/quickcolumn.h"

#include <string.h>

#define ROWS_AT_FIRST 4096u

/* Arrays by row, which are filled anew for each column. */
struct workspace {
	uint32_t rows; /* there is room for */
	struct encoder *encoder;
	uint64_t *numbers;
	struct ip *addresses;
	uint64_t *presence; /* or NULL, as the following */
	struct encode_bytes *strings;
	GByteArray *part; /* a stream inside a stream */
};

struct columnencoder {
	bool quick;
	struct record defaults;
	struct flowcolumns *columns;
	uint32_t rows;          /* of them */
	struct workspace *work; /* or NULL */
};

static struct workspace *workspace_new(bool quick, uint32_t rows)
{
	struct workspace *work = g_new0(struct workspace, 1);

	work->rows = rows;
	work->encoder = encoder_new();
	encoder_set_quick(work->encoder, quick);
	work->numbers = g_new(uint64_t, rows);
	work->addresses = g_new(struct ip, rows);
	work->part = g_byte_array_new();
	return work;
}

static void workspace_free(struct workspace *work)
{
	if (work == NULL) {
		return;
	}
	encoder_free(work->encoder);
	g_free(work->numbers);
	g_free(work->presence);
	g_free(work->addresses);
	g_free(work->strings);
	g_byte_array_unref(work->part);
	g_free(work);
}

struct columnencoder *columnencoder_new(bool quick, const struct record *defaults)
{
	struct columnencoder *encoder = g_new0(struct columnencoder, 1);

	encoder->quick = quick;
	encoder->defaults = *defaults;
	return encoder;
}

void columnencoder_trim(struct columnencoder *encoder)
{
	workspace_free(encoder->work);
	encoder->work = NULL;
}

void columnencoder_free(struct columnencoder *encoder)
{
	if (encoder) {
		columnencoder_trim(encoder);
		g_free(encoder);
	}
}

void columnencoder_begin(struct columnencoder *encoder, struct flowcolumns *columns)
{
	encoder->columns = columns;
	encoder->rows = columns->rows;
	if (encoder->work == NULL || encoder->work->rows < encoder->rows) {
		workspace_free(encoder->work);
		encoder->work = workspace_new(encoder->quick, MAX(encoder->rows, ROWS_AT_FIRST));
	}
}

/* ---- core columns ---- */

static void widen_u8(const void *from, uint32_t rows, uint64_t *to)
{
	const uint8_t *values = from;

	for (uint32_t i = 0; i < rows; i++) {
		to[i] = values[i];
	}
}

static void widen_u16(const void *from, uint32_t rows, uint64_t *to)
{
	const uint16_t *values = from;

	for (uint32_t i = 0; i < rows; i++) {
		to[i] = values[i];
	}
}

static void widen_u32(const void *from, uint32_t rows, uint64_t *to)
{
	const uint32_t *values = from;

	for (uint32_t i = 0; i < rows; i++) {
		to[i] = values[i];
	}
}

static void widen_u64(const void *from, uint32_t rows, uint64_t *to)
{
	memcpy(to, from, rows * sizeof(*to));
}

static void (*const wideners[])(const void *from, uint32_t rows, uint64_t *to) = {
	[1] = widen_u8,
	[2] = widen_u16,
	[4] = widen_u32,
	[8] = widen_u64,
};

/* Does every row have the default? Only start times have none. */
static bool is_default(const struct columnencoder *encoder, enum column core,
		       const struct flowblock_column *column)
{
	const uint8_t *value =
		(const uint8_t *)&encoder->defaults + column_core(core)->record_offset;
	uint64_t number;
	struct ip ip;

	if (core == COLUMN_START) {
		return false;
	}
	if (column_form(column->type) == COLUMN_FORM_ADDRESS) {
		memcpy(&ip, value, sizeof(ip));
		return ip_equal(column->min_ip, ip) && ip_equal(column->max_ip, ip);
	}
	wideners[column_core(core)->size](value, 1, &number);
	return column->min == number && column->max == number;
}

static void invert(uint64_t *values, uint32_t rows, uint64_t bits)
{
	for (uint32_t i = 0; bits != 0 && i < rows; i++) {
		values[i] ^= bits;
	}
}

/* Of a core column, which may be kept narrow. */
const struct ip *columnencoder_addresses(struct columnencoder *encoder, enum column core)
{
	const uint32_t *narrow = encoder->columns->values[core];

	if (!encoder->columns->narrow) {
		return encoder->columns->values[core];
	}
	for (uint32_t i = 0; i < encoder->rows; i++) {
		encoder->work->addresses[i] = ip_from_v4(narrow[i]);
	}
	return encoder->work->addresses;
}

/* Each of these measures a core column and encodes it; false: of one of defaults nothing is. */
typedef bool (*core_encode_fn)(struct columnencoder *encoder, enum column core, GByteArray *stream,
			       struct flowblock_column *column);

static bool encode_core_addresses(struct columnencoder *encoder, enum column core,
				  GByteArray *stream, struct flowblock_column *column)
{
	const struct ip *values = columnencoder_addresses(encoder, core);

	columnrange_addresses(values, NULL, encoder->rows, column);
	if (is_default(encoder, core, column)) {
		return false;
	}
	encode_addresses(encoder->work->encoder, values, encoder->rows, stream);
	return true;
}

static bool encode_core_numbers(struct columnencoder *encoder, enum column core, GByteArray *stream,
				struct flowblock_column *column)
{
	struct workspace *work = encoder->work;

	wideners[column_core(core)->size](encoder->columns->values[core], encoder->rows,
					  work->numbers);
	invert(work->numbers, encoder->rows, column_sign(column->type));
	columnrange_numbers(work->numbers, NULL, encoder->rows, column);
	if (is_default(encoder, core, column)) {
		return false;
	}
	encode_numbers(work->encoder, work->numbers, encoder->rows, stream);
	return true;
}

/* The values of a signed column are not needed as they were any more. */
static struct quickcolumn measure_core(struct columnencoder *encoder, enum column core)
{
	struct quickcolumn quick = {
		.values = encoder->columns->values[core],
		.size = flowcolumns_size(encoder->columns, core),
		.rows = encoder->rows,
	};
	uint64_t sign = column_sign(column_core(core)->type);

	if (sign != 0) {
		invert(encoder->columns->values[core], encoder->rows, sign);
	}
	quickcolumn_measure(&quick);
	return quick;
}

static bool encode_core_quick_v4(struct columnencoder *encoder, enum column core,
				 GByteArray *stream, struct flowblock_column *column)
{
	struct quickcolumn quick = measure_core(encoder, core);

	column->min_ip = ip_from_v4((uint32_t)quick.min);
	column->max_ip = ip_from_v4((uint32_t)quick.max);
	column->flags |= FLOWBLOCK_RANGED;
	if (is_default(encoder, core, column)) {
		return false;
	}
	quickcolumn_put_v4(&quick, stream);
	return true;
}

static bool encode_core_quick_numbers(struct columnencoder *encoder, enum column core,
				      GByteArray *stream, struct flowblock_column *column)
{
	struct quickcolumn quick = measure_core(encoder, core);

	column->min = quick.min;
	column->max = quick.max;
	column->flags |= FLOWBLOCK_RANGED;
	if (is_default(encoder, core, column)) {
		return false;
	}
	quickcolumn_put(&quick, stream);
	return true;
}

static core_encode_fn core_fn(const struct columnencoder *encoder, bool is_address)
{
	if (is_address) {
		return encoder->quick && encoder->columns->narrow ? encode_core_quick_v4
								  : encode_core_addresses;
	}
	return encoder->quick ? encode_core_quick_numbers : encode_core_numbers;
}

bool columnencoder_core(struct columnencoder *encoder, enum column core, GByteArray *stream,
			struct flowblock_column *out)
{
	if (encoder->columns->usual_columns & COLUMN_BIT(core)) {
		return false;
	}
	out->type = column_core(core)->type;
	if (!core_fn(encoder, column_form(out->type) == COLUMN_FORM_ADDRESS)(encoder, core, stream,
									     out)) {
		return false;
	}
	if (core == COLUMN_PACKETS || core == COLUMN_BYTES) {
		columnrange_sum(encoder->columns->values[core], encoder->rows, out);
	}
	if (core == COLUMN_START) {
		out->flags &= (uint8_t)~FLOWBLOCK_RANGED; /* the directory has them anyway */
	}
	return true;
}

/* ---- extension columns ---- */

/* Which rows have a value, if not all have; returns that as an array. */
static const uint64_t *encode_presence(struct columnencoder *encoder,
				       const struct extension_column *extension, GByteArray *stream,
				       struct flowblock_column *column)
{
	struct workspace *work = encoder->work;

	if (extension_present(extension) == encoder->rows) {
		return NULL;
	}
	if (work->presence == NULL) {
		work->presence = g_new(uint64_t, work->rows);
	}
	memset(work->presence, 0, encoder->rows * sizeof(*work->presence));
	extension_presence(extension, work->presence);
	column->flags |= FLOWBLOCK_ABSENT;
	g_byte_array_set_size(work->part, 0);
	encode_numbers(work->encoder, work->presence, encoder->rows, work->part);
	put_varint(stream, work->part->len);
	g_byte_array_append(stream, work->part->data, work->part->len);
	return work->presence;
}

static void encode_extension_strings(struct columnencoder *encoder,
				     const struct extension_column *extension, GByteArray *stream)
{
	struct workspace *work = encoder->work;

	if (work->strings == NULL) {
		work->strings = g_new(struct encode_bytes, work->rows);
	}
	for (uint32_t i = 0; i < encoder->rows; i++) {
		work->strings[i] = (struct encode_bytes){ .bytes = (const uint8_t *)"" };
	}
	extension_strings(extension, work->strings);
	encode_strings(work->encoder, work->strings, encoder->rows, stream);
}

static void encode_extension_addresses(struct columnencoder *encoder,
				       const struct extension_column *extension,
				       const uint64_t *presence, GByteArray *stream,
				       struct flowblock_column *column)
{
	struct workspace *work = encoder->work;

	for (uint32_t i = 0; i < encoder->rows; i++) {
		work->addresses[i] = ip_from_v4(0);
	}
	extension_addresses(extension, work->addresses);
	columnrange_addresses(work->addresses, presence, encoder->rows, column);
	encode_addresses(work->encoder, work->addresses, encoder->rows, stream);
}

/* Of all rows; 0 where there is none. */
static const uint64_t *extension_values(struct columnencoder *encoder,
					const struct extension_column *extension)
{
	uint64_t *numbers = encoder->work->numbers;

	memset(numbers, 0, encoder->rows * sizeof(*numbers));
	extension_numbers(extension, numbers);
	return numbers;
}

/* Of all rows, as narrow as they are kept. */
static void encode_extension_quickly(struct columnencoder *encoder,
				     const struct extension_column *extension,
				     const uint64_t *presence, GByteArray *stream,
				     struct flowblock_column *column)
{
	struct quickcolumn quick = { .rows = encoder->rows };

	quick.values = extension_dense_numbers(extension, encoder->rows, &quick.size);
	if (quick.values == NULL) {
		quick.values = extension_values(encoder, extension);
		quick.size = sizeof(uint64_t);
	}
	quickcolumn_measure(&quick);
	quickcolumn_put(&quick, stream);
	if (column_is_ordered(column->type) && presence == NULL) {
		column->min = quick.min;
		column->max = quick.max;
		column->flags |= FLOWBLOCK_RANGED;
	} else if (column_is_ordered(column->type)) {
		columnrange_numbers(quick.values, presence, encoder->rows, column);
	}
}

static void encode_extension_numbers(struct columnencoder *encoder,
				     const struct extension_column *extension,
				     const uint64_t *presence, GByteArray *stream,
				     struct flowblock_column *column)
{
	const uint64_t *values;

	if (encoder->quick) {
		encode_extension_quickly(encoder, extension, presence, stream, column);
		return;
	}
	values = extension_values(encoder, extension);
	encode_numbers(encoder->work->encoder, values, encoder->rows, stream);
	if (column_is_ordered(column->type)) {
		columnrange_numbers(values, presence, encoder->rows, column);
	}
}

void columnencoder_extension(struct columnencoder *encoder,
			     const struct extension_column *extension, GByteArray *stream,
			     struct flowblock_column *out)
{
	const uint64_t *presence;

	out->type = extension_type(extension);
	presence = encode_presence(encoder, extension, stream, out);
	switch (column_form(out->type)) {
	case COLUMN_FORM_NUMBER:
		encode_extension_numbers(encoder, extension, presence, stream, out);
		break;
	case COLUMN_FORM_ADDRESS:
		encode_extension_addresses(encoder, extension, presence, stream, out);
		break;
	case COLUMN_FORM_BYTES:
		encode_extension_strings(encoder, extension, stream);
		break;
	}
}
