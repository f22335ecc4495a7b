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
#include <string.h>

#include "common/hugeroom.h"

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
/* Keep the rows alone: none is looked up or added any more. Returned: the room of the slots, which goes
 * back by hugeroom_unmap() or hugeroom_join(). */
struct hugeroom_part keytable_seal(struct keytable *table);

/* Of padded bytes, as all tables have it. All bits count: those that are lowest find the slot. */
uint32_t keytable_hash_of(const uint8_t *key, size_t padded);
/* Of so many keys, padded bytes apart. */
void keytable_hash_all(const uint8_t *keys, size_t padded, uint32_t count, uint32_t *hashes);
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

/*
 * Many keys at a time, each some steps behind the one before, so that memory is on its way while
 * others are worked on:
 *
 *	keytable_prefetch(table, hash);			// the slot
 *	guess = keytable_guess(table, hash);		// the row
 *	guess = keytable_settle(table, key, hash, guess, &added);
 *
 * A guess is the row whose key has this hash, NULL if there is none; it holds whatever is added
 * until it is settled.
 */
struct keytable_guess {
	uint8_t *row;
	uint32_t number;
};

static inline struct keytable_guess keytable_guess(const struct keytable *table, uint32_t hash)
{
	struct keytable_guess guess = { NULL, 0 };
	uint32_t at = hash & table->mask;

	while (table->slots[at].row && table->slots[at].hash != hash) {
		at = (at + 1) & table->mask;
	}
	if (table->slots[at].row) {
		guess.number = table->slots[at].row - 1;
		guess.row = keytable_row(table, guess.number);
		__builtin_prefetch(guess.row, 1);
		__builtin_prefetch(guess.row + table->row_size - 1, 1);
	}
	return guess;
}

static inline bool keytable_same_key(const struct keytable *table, const uint8_t *a,
				     const uint8_t *b)
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

/* The row of key, as keytable_find() has it. */
static inline struct keytable_guess keytable_settle(struct keytable *table, const uint8_t *key,
						    uint32_t hash, struct keytable_guess guess,
						    bool *added)
{
	*added = false;
	if (!guess.row || !keytable_same_key(table, guess.row, key)) {
		guess.number = keytable_place(table, key, hash, added);
		guess.row = keytable_row(table, guess.number);
	}
	return guess;
}

/* Memory in use, roughly: by the number of rows alone, in whatever order they came. */
uint64_t keytable_bytes(const struct keytable *table);

#endif
