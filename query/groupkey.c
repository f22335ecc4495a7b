/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/groupkey.h"

#include <endian.h>
#include <string.h>

#include <glib.h>

#include "common/timestamp.h"

#define ADDRESSES (COLUMN_BIT(COLUMN_SIP) | COLUMN_BIT(COLUMN_DIP) | COLUMN_BIT(COLUMN_NHIP))

static const uint8_t mapped[GROUPKEY_V4_AT] = { [10] = 0xff, [11] = 0xff };

bool groupkey_is_v4(const uint8_t *wide)
{
	return memcmp(wide, mapped, sizeof(mapped)) == 0;
}

void groupkey_put_v4(uint8_t *wide, const uint8_t *v4)
{
	memcpy(wide, mapped, sizeof(mapped));
	memcpy(wide + GROUPKEY_V4_AT, v4, GROUPKEY_V4_BYTES);
}

/* ---- the plan ---- */

/* Time fields are known by the columns that they read. */
static bool reads(const struct field *field, bool start, bool duration)
{
	return field->role == FIELD_ROLE_TIME &&
	       !(field->columns & COLUMN_BIT(COLUMN_START)) == !start &&
	       !(field->columns & COLUMN_BIT(COLUMN_DURATION)) == !duration;
}

struct groupkey_part groupkey_part(const struct field *field, int64_t time_ns, int64_t duration_ns)
{
	struct groupkey_part part = { .field = field };

	part.is_address = !field->load_made && field->columns & ADDRESSES &&
			  field->kind->key_size == sizeof(struct ip);
	if (field->role == FIELD_ROLE_TIME) {
		bool is_time = field->columns & COLUMN_BIT(COLUMN_START);

		part.form = is_time ? GROUPKEY_TIME : GROUPKEY_DURATION;
		part.unit_ns = is_time ? time_ns : duration_ns;
	}
	return part;
}

static size_t part_size(const struct groupkey_part *part, enum groupkey_shape shape)
{
	return part->is_address && shape == GROUPKEY_NARROW ? GROUPKEY_V4_BYTES
							    : part->field->kind->key_size;
}

/* The field that is GROUPKEY_REST; the count of fields: none. */
static size_t find_rest(const struct group_spec *spec)
{
	size_t last = spec->field_count;
	size_t duration = spec->field_count;
	bool has_start = false, has_end = false;

	for (size_t i = 0; i < spec->field_count; i++) {
		const struct field *field = spec->fields[i];

		has_start = has_start || reads(field, true, false);
		has_end = has_end || reads(field, true, true);
		duration = reads(field, false, true) ? i : duration;
		last = field->role == FIELD_ROLE_TIME ? i : last;
	}
	if (!has_start || !has_end || duration == spec->field_count) {
		return spec->field_count;
	}
	return spec->binned ? duration : last;
}

int groupkey_init(struct groupkey *key, const struct group_spec *spec, struct err *err)
{
	const size_t rest = find_rest(spec);

	*key = (struct groupkey){
		.parts = g_new0(struct groupkey_part, spec->field_count + 1),
		.count = spec->field_count,
		.wide_only = spec->presorted,
	};
	for (size_t i = 0; i < spec->field_count; i++) {
		struct groupkey_part *part = &key->parts[i];

		*part = groupkey_part(spec->fields[i], spec->bin_ns, spec->unit_ns);
		if (i == rest) {
			part->form = GROUPKEY_REST;
			part->unit_ns = spec->bin_ns;
			key->columns |= COLUMN_BIT(COLUMN_START) | COLUMN_BIT(COLUMN_DURATION);
		}
		for (enum groupkey_shape shape = 0; shape < GROUPKEY_SHAPES; shape++) {
			part->offset[shape] = key->size[shape];
			key->size[shape] += part_size(part, shape);
		}
		key->columns |= part->field->columns;
	}
	if (key->size[GROUPKEY_WIDE] > GROUP_KEY_MAX) {
		return err_set(err, ST_ELIMIT, "the key is longer than %d bytes", GROUP_KEY_MAX);
	}
	return ST_OK;
}

void groupkey_release(struct groupkey *key)
{
	g_free(key->parts);
	*key = (struct groupkey){ 0 };
}

/* ---- shapes ---- */

static const struct ip *column_of(const struct groupkey_part *part, const struct batch *batch)
{
	if (part->field->columns & COLUMN_BIT(COLUMN_SIP)) {
		return batch->sip;
	}
	return part->field->columns & COLUMN_BIT(COLUMN_DIP) ? batch->dip : batch->nhip;
}

void groupkey_split(const struct groupkey *key, const struct batch *batch,
		    uint16_t rows[GROUPKEY_SHAPES][BATCH_ROWS], uint32_t counts[GROUPKEY_SHAPES])
{
	uint8_t shapes[BATCH_ROWS];

	memset(shapes, key->wide_only ? GROUPKEY_WIDE : GROUPKEY_NARROW, batch->selected);
	for (size_t p = 0; p < key->count; p++) {
		const struct ip *column;

		if (!key->parts[p].is_address) {
			continue;
		}
		column = column_of(&key->parts[p], batch);
		for (uint32_t i = 0; i < batch->selected; i++) {
			shapes[i] |= !ip_is_mapped(column[batch->selection[i]]);
		}
	}
	memset(counts, 0, GROUPKEY_SHAPES * sizeof(counts[0]));
	for (uint32_t i = 0; i < batch->selected; i++) {
		rows[shapes[i]][counts[shapes[i]]++] = batch->selection[i];
	}
}

static int64_t rest_of_times(const struct groupkey_part *part, const struct batch *batch,
			     uint32_t row)
{
	const int64_t duration_ns = (int64_t)batch->duration_ns[row];
	const int64_t start = timestamp_floor(batch->start_ns[row], part->unit_ns);
	const int64_t end = timestamp_floor(batch->start_ns[row] + duration_ns, part->unit_ns);
	const int64_t duration = timestamp_floor(duration_ns, part->unit_ns);

	if (reads(part->field, true, false)) {
		return end - duration;
	}
	return reads(part->field, true, true) ? start + duration : end - start;
}

void groupkey_pack_part(const struct groupkey_part *part, const struct batch *batch, uint8_t *out,
			size_t stride)
{
	static const struct field_context ctx = { 0 };

	if (part->form == GROUPKEY_PLAIN) {
		field_pack(part->field, batch, out, stride);
		return;
	}
	for (uint32_t i = 0; i < batch->selected; i++) {
		uint32_t row = batch->selection[i];
		struct value value;

		part->field->load(batch, row, &ctx, &value);
		if (part->form == GROUPKEY_REST) {
			value.ns = rest_of_times(part, batch, row);
		} else {
			value.ns = timestamp_floor(value.ns, part->unit_ns);
		}
		part->field->kind->key(out + i * stride, &value);
	}
}

static void pack_v4(const struct ip *column, const struct batch *batch, uint8_t *out, size_t stride)
{
	for (uint32_t i = 0; i < batch->selected; i++) {
		uint32_t v4 = htobe32(ip_to_v4(column[batch->selection[i]]));

		memcpy(out + i * stride, &v4, sizeof(v4));
	}
}

void groupkey_pack(const struct groupkey *key, enum groupkey_shape shape, const struct batch *batch,
		   uint8_t *out, size_t stride)
{
	for (size_t p = 0; p < key->count; p++) {
		const struct groupkey_part *part = &key->parts[p];

		if (part->is_address && shape == GROUPKEY_NARROW) {
			pack_v4(column_of(part, batch), batch, out + part->offset[shape], stride);
		} else {
			groupkey_pack_part(part, batch, out + part->offset[shape], stride);
		}
	}
}

/* Most fields are short numbers, for which a call takes longer than copying them. */
static void copy_field(uint8_t *to, const uint8_t *from, size_t size)
{
	if (size == sizeof(uint8_t)) {
		*to = *from;
	} else if (size == sizeof(uint16_t)) {
		memcpy(to, from, sizeof(uint16_t));
	} else {
		memcpy(to, from, size);
	}
}

void groupkey_widen(const struct groupkey *key, enum groupkey_shape shape, const uint8_t *packed,
		    uint8_t *wide)
{
	if (shape == GROUPKEY_WIDE) {
		memcpy(wide, packed, key->size[shape]);
		return;
	}
	for (size_t p = 0; p < key->count; p++) {
		const struct groupkey_part *part = &key->parts[p];
		const uint8_t *from = packed + part->offset[GROUPKEY_NARROW];
		uint8_t *to = wide + part->offset[GROUPKEY_WIDE];

		if (part->is_address) {
			groupkey_put_v4(to, from);
		} else {
			copy_field(to, from, part->field->kind->key_size);
		}
	}
}
