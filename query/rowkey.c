/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/rowkey.h"

#include "common/extfield.h"
#include "common/value_kind.h"

void rowkey_init(struct rowkey *key, const struct field *const *fields, size_t count)
{
	key->fields = fields;
	key->count = count;
	key->size = 0;
	key->family_at = count;
	key->attributes = field_find("attributes", NULL);
	for (size_t i = 0; i < count; i++) {
		key->size += fields[i]->kind->key_size;
	}
}

void rowkey_tell_family(struct rowkey *key)
{
	for (size_t i = 0; i < key->count && key->family_at == key->count; i++) {
		if (key->fields[i]->kind == &kind_ip) {
			key->family_at = i;
			key->size++;
		}
	}
}

void rowkey_pack_family(const struct batch *batch, uint8_t *out, size_t stride)
{
	for (uint32_t i = 0; i < batch->selected; i++) {
		out[i * stride] = (batch->state[batch->selection[i]] & RECORD_IPV6) != 0;
	}
}

/* SiLK compares attributes with the bit that tells that initial and session flags are known. */
static void pack_state(const struct batch *batch, uint8_t *out, size_t stride)
{
	for (uint32_t i = 0; i < batch->selected; i++) {
		out[i * stride] = batch->state[batch->selection[i]] & (uint8_t)~RECORD_IPV6;
	}
}

size_t rowkey_pack_field(const struct rowkey *key, size_t i, const struct batch *batch,
			 uint8_t *out, size_t stride)
{
	if (key->fields[i] == key->attributes) {
		pack_state(batch, out, stride);
	} else {
		field_pack(key->fields[i], batch, out, stride);
	}
	return key->fields[i]->kind->key_size;
}

void rowkey_pack(const struct rowkey *key, const struct batch *batch, uint8_t *out, size_t stride)
{
	for (size_t i = 0; i < key->count; i++) {
		if (i == key->family_at) {
			rowkey_pack_family(batch, out++, stride);
		}
		out += rowkey_pack_field(key, i, batch, out, stride);
	}
}
