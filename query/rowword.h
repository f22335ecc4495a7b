/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Some bits of keys as a number, so that keys are compared 64 bits at a time: of those in which the
 * keys at hand differ the first ones. Keys whose numbers differ are in the order of these, and keys
 * with equal numbers are equal up to where the number ends.
 *
 *	memcpy(first, key, key_size);				// of one of the keys
 *	rowword_note(first, key, 0, key_size, differs); ...	// of each
 *	next = rowword_choose(&word, differs, 0, key_size);
 *	number = rowword_load(&word, key);
 */
#ifndef TUSSAH_QUERY_ROWWORD_H
#define TUSSAH_QUERY_ROWWORD_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ROWWORD_BYTES 8
#define ROWWORD_RUNS  8

/* Bits of the key that make a word, in runs of bits that lie together. */
struct rowword {
	struct rowword_run {
		uint32_t at;  /* byte of the key */
		uint8_t skip; /* bits of it that are before the run */
		uint8_t bits; /* skip and bits are no more than 64 */
	} runs[ROWWORD_RUNS];
	unsigned run_count; /* 0: the keys are equal, and all words are 0 */
	unsigned bits;      /* of all runs */
	size_t begin;       /* the bytes of a row that rowword_load() looks at: begin..end-1 */
	size_t end;
};

/* Add to differs the bits in which the key differs from the first one, from byte number from on. */
void rowword_note(const uint8_t *first, const uint8_t *key, size_t from, size_t key_size,
		  uint8_t *differs);
/*
 * Choose from byte number from on. Returns the number of the first byte that is not all in the word,
 * if any keys differ there or behind it.
 */
size_t rowword_choose(struct rowword *word, const uint8_t *differs, size_t from, size_t key_size);

/* key: the row from its first byte on; up to seven bytes behind end are read, too. */
static inline uint64_t rowword_load(const struct rowword *word, const uint8_t *key)
{
	uint64_t number = 0;

	for (unsigned i = 0; i < word->run_count; i++) {
		const struct rowword_run *run = &word->runs[i];
		uint64_t bits;

		memcpy(&bits, key + run->at, sizeof(bits));
		bits = be64toh(bits) << run->skip >> (64 - run->bits);
		number = run->bits == 64 ? bits : number << run->bits | bits;
	}
	return number;
}

#endif
