/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/groupbuffers.h"

#include <string.h>

#include <glib.h>

/* What waits for all sets, about. */
#define FULL_BYTES (1u << 20)

struct buffer {
	uint32_t count;
	uint8_t *rows;
	uint32_t *hashes;
};

struct groupbuffers {
	const struct grouptable_spec *spec;
	unsigned set_bits;
	size_t padded;     /* bytes of a key */
	size_t *distincts; /* a value each: where in a row its wide value is */
	size_t stride;     /* of rows */
	uint32_t full;     /* rows of a full buffer; there is room for those of a batch more */
	uint8_t *rows;     /* of all buffers */
	uint32_t *hashes;
	struct buffer *buffers;
};

/* NULL: value number v does not count distinct ones. */
static const struct value_kind *distinct_kind(const struct grouptable_spec *spec, size_t v)
{
	return spec->values[v].op == GROUP_DISTINCT ? spec->distincts[v].field->kind : NULL;
}

static void lay_out(struct groupbuffers *buffers)
{
	const struct grouptable_spec *spec = buffers->spec;

	buffers->padded = keytable_padded(spec->key_size);
	buffers->stride = buffers->padded + spec->value_count * sizeof(uint64_t);
	buffers->distincts = g_new0(size_t, spec->value_count + 1);
	for (size_t v = 0; v < spec->value_count; v++) {
		if (distinct_kind(spec, v)) {
			buffers->distincts[v] = buffers->stride;
			buffers->stride += keytable_padded(distinct_kind(spec, v)->key_size);
		}
	}
}

struct groupbuffers *groupbuffers_new(const struct grouptable_spec *spec, unsigned set_bits)
{
	struct groupbuffers *buffers = g_new0(struct groupbuffers, 1);
	const size_t sets = (size_t)1 << set_bits;
	size_t room;

	buffers->spec = spec;
	buffers->set_bits = set_bits;
	lay_out(buffers);
	buffers->full = (uint32_t)MAX(FULL_BYTES / (sets * MAX(buffers->stride, 1)), 1);
	room = buffers->full + BATCH_ROWS;
	buffers->rows = g_malloc(sets * room * buffers->stride + 1);
	buffers->hashes = g_new(uint32_t, sets * room);
	buffers->buffers = g_new0(struct buffer, sets);
	for (size_t s = 0; s < sets; s++) {
		buffers->buffers[s].rows = buffers->rows + s * room * buffers->stride;
		buffers->buffers[s].hashes = buffers->hashes + s * room;
	}
	return buffers;
}

void groupbuffers_free(struct groupbuffers *buffers)
{
	if (!buffers) {
		return;
	}
	g_free(buffers->distincts);
	g_free(buffers->rows);
	g_free(buffers->hashes);
	g_free(buffers->buffers);
	g_free(buffers);
}

/* ---- adding ---- */

/* A row for the key in the buffer of its set: values that nothing was added to yet. */
static uint64_t *start_row(struct groupbuffers *buffers, const uint8_t *key, uint32_t hash)
{
	const struct grouptable_spec *spec = buffers->spec;
	struct buffer *buffer = &buffers->buffers[grouptable_part(hash, buffers->set_bits)];
	uint64_t *row = (uint64_t *)(void *)(buffer->rows + buffer->count * buffers->stride);
	const size_t words = buffers->padded / sizeof(uint64_t);

	buffer->hashes[buffer->count++] = hash;
	for (size_t i = 0; i < words; i++) {
		memcpy(&row[i], key + i * sizeof(uint64_t), sizeof(uint64_t));
	}
	for (size_t v = 0; v < spec->value_count; v++) {
		row[words + v] = groupvalue_ops[spec->values[v].op].initial;
	}
	return row + words;
}

static void copy_distincts(const struct groupbuffers *buffers, size_t v,
			   const struct grouptable_packed *packed, uint64_t *const *values)
{
	const uint32_t selected = packed->rows.batch->selected;
	const size_t at = buffers->distincts[v] - buffers->padded;
	const size_t size = distinct_kind(buffers->spec, v)->key_size;

	for (uint32_t i = 0; i < selected; i++) {
		memcpy((uint8_t *)values[i] + at, packed->distincts[v] + i * (size_t)VALUE_KEY_MAX,
		       size);
	}
}

void groupbuffers_add(struct groupbuffers *buffers, const struct grouptable_packed *packed)
{
	const struct grouptable_spec *spec = buffers->spec;
	const struct batch *batch = packed->rows.batch;
	struct grouprows rows = packed->rows;
	uint64_t *values[BATCH_ROWS];

	for (uint32_t i = 0; i < batch->selected; i++) {
		values[i] =
			start_row(buffers, packed->keys + i * buffers->padded, packed->hashes[i]);
	}
	rows.rows = batch->selection;
	rows.values = values;
	rows.count = batch->selected;
	for (size_t v = 0; v < spec->value_count; v++) {
		if (distinct_kind(spec, v)) {
			copy_distincts(buffers, v, packed, values);
		} else {
			groupvalue_ops[spec->values[v].op].add(&rows, v);
		}
	}
}

/* ---- handing over ---- */

uint32_t groupbuffers_count(const struct groupbuffers *buffers, unsigned s)
{
	return buffers->buffers[s].count;
}

bool groupbuffers_is_full(const struct groupbuffers *buffers, unsigned s)
{
	return buffers->buffers[s].count >= buffers->full;
}

void groupbuffers_empty(struct groupbuffers *buffers, unsigned s, struct grouptable *table)
{
	struct buffer *buffer = &buffers->buffers[s];

	grouptable_add_partials(table, &(struct grouptable_partials){
					       .rows = buffer->rows,
					       .stride = buffers->stride,
					       .hashes = buffer->hashes,
					       .distincts = buffers->distincts,
					       .count = buffer->count,
				       });
	buffer->count = 0;
}
