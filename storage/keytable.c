/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/keytable.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "common/hugeroom.h"

#define SLOTS_MIN   1024
#define CHUNK_BYTES HUGEROOM_BYTES

static void make_slots(struct keytable *table, uint32_t count)
{
	table->slots = hugeroom_new0(count * sizeof(struct keytable_slot));
	table->mask = count - 1;
}

void keytable_init(struct keytable *table, size_t key_size, size_t extra_bytes)
{
	*table = (struct keytable){
		.key_size = key_size,
		.padded = keytable_padded(key_size),
		.row_size = keytable_padded(key_size) + keytable_padded(extra_bytes),
		.chunk_rows = 1,
	};
	table->row_size = MAX(table->row_size, 8);
	while (table->chunk_rows * table->row_size < CHUNK_BYTES) {
		table->chunk_rows *= 2;
		table->chunk_shift++;
	}
	make_slots(table, SLOTS_MIN);
}

void keytable_release(struct keytable *table)
{
	for (size_t i = 0; i < table->chunk_count; i++) {
		g_free(table->chunks[i]);
	}
	g_free(table->chunks);
	g_free(table->slots);
	*table = (struct keytable){ 0 };
}

void keytable_clear(struct keytable *table)
{
	struct keytable empty = *table;

	keytable_release(table);
	empty.chunks = NULL;
	empty.chunk_count = 0;
	empty.count = 0;
	*table = empty;
	make_slots(table, SLOTS_MIN);
}

uint32_t keytable_hash(const struct keytable *table, const uint8_t *key)
{
	return (uint32_t)XXH3_64bits(key, table->padded);
}

/* Twice the slots, filled from the hashes that they keep. */
static void grow(struct keytable *table)
{
	struct keytable_slot *old = table->slots;
	uint32_t count = table->mask + 1;

	make_slots(table, count * 2);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = old[i].hash & table->mask;

		if (!old[i].row) {
			continue;
		}
		while (table->slots[at].row) {
			at = (at + 1) & table->mask;
		}
		table->slots[at] = old[i];
	}
	g_free(old);
}

static bool same_key(const struct keytable *table, const uint8_t *a, const uint8_t *b)
{
	for (size_t i = 0; i < table->padded; i += 8) {
		uint64_t x, y;

		memcpy(&x, a + i, 8);
		memcpy(&y, b + i, 8);
		if (x != y) {
			return false;
		}
	}
	return true;
}

uint8_t *keytable_append(struct keytable *table, const uint8_t *key)
{
	uint8_t *row;

	if (table->count >> table->chunk_shift == table->chunk_count) {
		table->chunks = g_renew(uint8_t *, table->chunks, table->chunk_count + 1);
		table->chunks[table->chunk_count++] =
			hugeroom_new0(table->chunk_rows * table->row_size);
	}
	row = keytable_row(table, table->count++);
	memcpy(row, key, table->padded);
	return row;
}

/* Where the search for a key ends: its slot, or a free one. */
static uint32_t find_slot(const struct keytable *table, const uint8_t *key, uint32_t hash)
{
	uint32_t at = hash & table->mask;

	while (table->slots[at].row) {
		if (table->slots[at].hash == hash &&
		    same_key(table, keytable_row(table, table->slots[at].row - 1), key)) {
			break;
		}
		at = (at + 1) & table->mask;
	}
	return at;
}

uint8_t *keytable_find(struct keytable *table, const uint8_t *key, uint32_t hash, bool *added)
{
	uint32_t at = find_slot(table, key, hash);

	*added = !table->slots[at].row;
	if (!*added) {
		return keytable_row(table, table->slots[at].row - 1);
	}
	table->slots[at] = (struct keytable_slot){ hash, table->count + 1 };
	/* at most half full, so that runs of used slots stay short */
	if (table->count > table->mask / 2) {
		grow(table);
	}
	return keytable_append(table, key);
}

uint8_t *keytable_look_up(const struct keytable *table, const uint8_t *key, uint32_t hash)
{
	uint32_t at = find_slot(table, key, hash);

	return table->slots[at].row ? keytable_row(table, table->slots[at].row - 1) : NULL;
}

uint64_t keytable_bytes(const struct keytable *table)
{
	return (uint64_t)table->chunk_count * table->chunk_rows * table->row_size +
	       ((uint64_t)table->mask + 1) * sizeof(*table->slots);
}
