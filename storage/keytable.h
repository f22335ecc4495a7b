/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A hash table of rows: a key of fixed size in front, then whatever the caller keeps beside it.
 * Rows never move, keep the order in which they were added, and start zeroed behind their key.
 *
 *	keytable_init(&table, key_size, extra_bytes);
 *	row = keytable_find(&table, key, keytable_hash(&table, key), &added);
 *	keytable_release(&table);
 *
 * Keys are handed in padded with zeros to a multiple of eight bytes (keytable_padded()); the row's
 * extra bytes start there, too, and are aligned.
 */
#ifndef TUSSAH_STORAGE_KEYTABLE_H
#define TUSSAH_STORAGE_KEYTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As many as there are slots for. */
#define KEYTABLE_ROWS_MAX (UINT32_C(1) << 30)

struct keytable_slot {
	uint32_t hash;
	uint32_t row; /* index + 1; 0: free */
};

struct keytable {
	size_t padded;    /* bytes of a key, rounded up */
	size_t row_size;  /* padded key and extra bytes */
	uint8_t **chunks; /* each has as many rows as all before it, the first 1 << chunk_shift */
	size_t chunk_count;
	unsigned chunk_shift;
	uint32_t count;
	struct keytable_slot *slots;
	uint32_t mask; /* number of slots - 1 */
};

static inline size_t keytable_padded(size_t key_size)
{
	return (key_size + 7) & ~(size_t)7;
}

void keytable_init(struct keytable *table, size_t key_size, size_t extra_bytes);
void keytable_release(struct keytable *table);
/* Forget all rows; memory is given back. */
void keytable_clear(struct keytable *table);
/* Keep the rows alone: none is looked up or added any more. */
void keytable_seal(struct keytable *table);

/* Of padded bytes, as all tables have it. All bits count: those that are lowest find the slot. */
uint32_t keytable_hash_of(const uint8_t *key, size_t padded);
static inline uint32_t keytable_hash(const struct keytable *table, const uint8_t *key)
{
	return keytable_hash_of(key, table->padded);
}

/* The row of key, added when it is new (*added). At most KEYTABLE_ROWS_MAX rows; more end the
 * program. */
uint8_t *keytable_find(struct keytable *table, const uint8_t *key, uint32_t hash, bool *added);
/* The same as its number, for keytable_row(). */
uint32_t keytable_place(struct keytable *table, const uint8_t *key, uint32_t hash, bool *added);

/* A row of its own for key, which keytable_find() does not find. */
uint8_t *keytable_append(struct keytable *table, const uint8_t *key);

/* The row of key; NULL: not there. */
uint8_t *keytable_look_up(const struct keytable *table, const uint8_t *key, uint32_t hash);

/* Bring the slot of hash into the cache for the keytable_find() to come. */
static inline void keytable_prefetch(const struct keytable *table, uint32_t hash)
{
	__builtin_prefetch(&table->slots[hash & table->mask], 1);
}

/* The chunk of row i, and its first row. */
static inline unsigned keytable_chunk(const struct keytable *table, uint32_t i, uint32_t *first)
{
	uint32_t part = i >> table->chunk_shift;
	unsigned chunk = part ? 32 - (unsigned)__builtin_clz(part) : 0;

	*first = part ? UINT32_C(1) << (chunk - 1 + table->chunk_shift) : 0;
	return chunk;
}

/* Row i in the order of adding. */
static inline uint8_t *keytable_row(const struct keytable *table, uint32_t i)
{
	uint32_t first;
	unsigned chunk = keytable_chunk(table, i, &first);

	return table->chunks[chunk] + (size_t)(i - first) * table->row_size;
}

/* The same of the row that the slot names, once the slot is in the cache. */
static inline void keytable_prefetch_row(const struct keytable *table, uint32_t hash)
{
	const struct keytable_slot *slot = &table->slots[hash & table->mask];

	if (slot->row && slot->hash == hash) {
		const uint8_t *row = keytable_row(table, slot->row - 1);

		__builtin_prefetch(row, 1);
		__builtin_prefetch(row + table->row_size - 1, 1);
	}
}

/* Memory in use, roughly: by the number of rows alone, in whatever order they came. */
uint64_t keytable_bytes(const struct keytable *table);

#endif
