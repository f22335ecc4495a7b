/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Some bytes of keys as a number, so that keys are compared eight bytes at a time: of those in
 * which the keys at hand differ the first ones. Keys whose numbers differ are in the order of
 * these, and keys with equal numbers are equal up to where the number ends.
 *
 *	memcpy(first, key, key_size);				// of one of the keys
 *	rowword_note(first, key, 0, key_size, differs); ...	// of each
 *	next = rowword_choose(&word, differs, 0, key_size);
 *	number = rowword_load(&word, key);
 */
#ifndef TUSSAH_QUERY_ROWWORD_H
#define TUSSAH_QUERY_ROWWORD_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ROWWORD_BYTES 8

/* Which bytes of the key make a word: those from the first on, or, scattered, the ones listed. */
struct rowword {
	size_t from[ROWWORD_BYTES];
	unsigned count; /* 0: the keys are equal */
	bool scattered;
	size_t begin; /* the bytes of a row that rowword_load() looks at: begin..end-1 */
	size_t end;
	size_t aligned; /* if not scattered: where eight of them begin, at a multiple of 8, */
	unsigned shift; /* and how many bits of these are before the word */
};

/* Add to differs the bits in which the key differs from the first one, from byte number from on. */
void rowword_note(const uint8_t *first, const uint8_t *key, size_t from, size_t key_size,
		  uint8_t *differs);
/* Choose from byte number from on. Returns the number of the byte behind the word. */
size_t rowword_choose(struct rowword *word, const uint8_t *differs, size_t from, size_t key_size);

/*
 * key: the row from its first byte on; up to seven bytes behind end are read, too. By eight bytes
 * from multiples of 8 on: rows have just been written so, and the processor need not wait then.
 */
static inline uint64_t rowword_load(const struct rowword *word, const uint8_t *key)
{
	uint64_t number = 0;
	uint64_t more;

	if (!word->scattered) {
		memcpy(&number, key + word->aligned, sizeof(number));
		number = be64toh(number);
		if (word->shift > 0) {
			memcpy(&more, key + word->aligned + sizeof(number), sizeof(more));
			number = number << word->shift | be64toh(more) >> (64 - word->shift);
		}
		return number;
	}
	for (unsigned i = 0; i < word->count; i++) {
		number = number << 8 | key[word->from[i]];
	}
	return number;
}

#endif
