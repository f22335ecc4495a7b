/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "storage/keytable.h"

#include <stdlib.h>

#include <glib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define SLOTS_MIN 1024
/* Most slots that are used, of so many. */
#define LOAD    5u
#define LOAD_OF 8u
/* Bytes of the first chunk of rows, at least: each table of each thread has one. */
#define CHUNK_BYTES (64u << 10)
/* What slots take for each row, about. */
#define SLOT_SHARE 20u

static size_t chunk_bytes(const struct keytable *table, size_t chunk)
{
	return table->row_size << (table->chunk_shift + (chunk > 0 ? chunk - 1 : 0));
}

static void make_slots(struct keytable *table, uint32_t count)
{
	table->slots = hugeroom_map(count * sizeof(struct keytable_slot));
	hugeroom_ready(table->slots, count * sizeof(struct keytable_slot), 0);
	table->mask = count - 1;
}

static void give_slots_back(struct keytable_slot *slots, uint32_t mask)
{
	hugeroom_unmap(slots, ((size_t)mask + 1) * sizeof(*slots));
}

void keytable_init(struct keytable *table, size_t key_size, size_t extra_bytes)
{
	*table = (struct keytable){
		.padded = keytable_padded(key_size),
		.row_size = keytable_padded(key_size) + keytable_padded(extra_bytes),
	};
	table->row_size = MAX(table->row_size, 8);
	while (table->row_size << table->chunk_shift < CHUNK_BYTES) {
		table->chunk_shift++;
	}
	make_slots(table, SLOTS_MIN);
}

void keytable_release(struct keytable *table)
{
	for (size_t i = 0; i < table->chunk_count; i++) {
		hugeroom_unmap(table->chunks[i], chunk_bytes(table, i));
	}
	g_free(table->chunks);
	give_slots_back(table->slots, table->mask);
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

struct hugeroom_part keytable_seal(struct keytable *table)
{
	struct hugeroom_part slots = {
		.room = table->slots,
		.bytes = ((size_t)table->mask + 1) * sizeof(*table->slots),
	};

	table->slots = NULL;
	table->mask = 0;
	return slots;
}

/* As the last step of MurmurHash3 does: each bit of the key changes half of all bits. */
static uint32_t hash_word(const uint8_t *key)
{
	uint64_t word;

	memcpy(&word, key, sizeof(word));
	word ^= word >> 33;
	word *= UINT64_C(0xff51afd7ed558ccd);
	word ^= word >> 33;
	word *= UINT64_C(0xc4ceb9fe1a85ec53);
	return (uint32_t)(word >> 32);
}

uint32_t keytable_hash_of(const uint8_t *key, size_t padded)
{
	if (padded == sizeof(uint64_t)) {
		return hash_word(key);
	}
	return (uint32_t)XXH3_64bits(key, padded);
}

void keytable_hash_all(const uint8_t *keys, size_t padded, uint32_t count, uint32_t *hashes)
{
	if (padded == sizeof(uint64_t)) {
		for (uint32_t i = 0; i < count; i++) {
			hashes[i] = hash_word(keys + i * sizeof(uint64_t));
		}
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		hashes[i] = (uint32_t)XXH3_64bits(keys + i * padded, padded);
	}
}

/*
 * Twice the slots, where they are: from behind a free one on each slot is freed and goes to its new
 * place, which is not behind the old one or else in the new half. So what a search passes is never
 * freed afterwards.
 */
static void grow(struct keytable *table)
{
	const uint32_t old = table->mask + 1;
	uint32_t gap = 0;

	if (table->count >= KEYTABLE_ROWS_MAX) {
		g_error("more than %u rows in one table", KEYTABLE_ROWS_MAX);
	}
	table->slots = hugeroom_grow(table->slots, old * sizeof(*table->slots),
				     old * 2 * sizeof(*table->slots));
	hugeroom_ready(table->slots, old * 2 * sizeof(*table->slots), old * sizeof(*table->slots));
	table->mask = old * 2 - 1;
	while (table->slots[gap].row) {
		gap++;
	}
	for (uint32_t i = 1; i < old; i++) {
		struct keytable_slot *slot = &table->slots[(gap + i) & (old - 1)];
		const struct keytable_slot moved = *slot;
		uint32_t at = moved.hash & table->mask;

		if (!moved.row) {
			continue;
		}
		*slot = (struct keytable_slot){ 0, 0 };
		while (table->slots[at].row) {
			at = (at + 1) & table->mask;
		}
		table->slots[at] = moved;
	}
}

uint8_t *keytable_append(struct keytable *table, const uint8_t *key)
{
	uint32_t first;
	uint8_t *row;

	if (keytable_chunk(table, table->count, &first) == table->chunk_count) {
		table->chunks = g_renew(uint8_t *, table->chunks, table->chunk_count + 1);
		table->chunks[table->chunk_count] =
			hugeroom_map(chunk_bytes(table, table->chunk_count));
		table->chunk_count++;
	}
	row = keytable_row(table, table->count++);
	/* word by word: most keys are one or two, and a call takes longer */
	for (size_t i = 0; i < table->padded; i += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, key + i, sizeof(word));
		memcpy(row + i, &word, sizeof(word));
	}
	return row;
}

/* Where the search for a key ends: its slot, or a free one. */
static uint32_t find_slot(const struct keytable *table, const uint8_t *key, uint32_t hash)
{
	uint32_t at = hash & table->mask;

	while (table->slots[at].row) {
		if (table->slots[at].hash == hash &&
		    keytable_same_key(table, keytable_row(table, table->slots[at].row - 1), key)) {
			break;
		}
		at = (at + 1) & table->mask;
	}
	return at;
}

uint32_t keytable_place(struct keytable *table, const uint8_t *key, uint32_t hash, bool *added)
{
	uint32_t at = find_slot(table, key, hash);

	*added = !table->slots[at].row;
	if (!*added) {
		return table->slots[at].row - 1;
	}
	table->slots[at] = (struct keytable_slot){ hash, table->count + 1 };
	keytable_append(table, key);
	/* so full that runs of used slots stay short */
	if (table->count > (table->mask + 1) / LOAD_OF * LOAD) {
		grow(table);
	}
	return table->count - 1;
}

uint8_t *keytable_find(struct keytable *table, const uint8_t *key, uint32_t hash, bool *added)
{
	return keytable_row(table, keytable_place(table, key, hash, added));
}

uint8_t *keytable_look_up(const struct keytable *table, const uint8_t *key, uint32_t hash)
{
	uint32_t at = find_slot(table, key, hash);

	return table->slots[at].row ? keytable_row(table, table->slots[at].row - 1) : NULL;
}

uint64_t keytable_bytes(const struct keytable *table)
{
	return table->count * (uint64_t)(table->row_size + SLOT_SHARE);
}
