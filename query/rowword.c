/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/rowword.h"

#include <glib.h>

static uint64_t load(const uint8_t *from)
{
	uint64_t number;

	memcpy(&number, from, sizeof(number));
	return number;
}

void rowword_note(const uint8_t *first, const uint8_t *key, size_t from, size_t key_size,
		  uint8_t *differs)
{
	size_t at = from;

	for (; at + ROWWORD_BYTES <= key_size; at += ROWWORD_BYTES) {
		uint64_t number = load(differs + at) | (load(key + at) ^ load(first + at));

		memcpy(differs + at, &number, sizeof(number));
	}
	for (; at < key_size; at++) {
		differs[at] |= key[at] ^ first[at];
	}
}

size_t rowword_choose(struct rowword *word, const uint8_t *differs, size_t from, size_t key_size)
{
	size_t at = from;

	word->count = 0;
	for (; at < key_size && (word->count < ROWWORD_BYTES || differs[at] == 0); at++) {
		if (differs[at] != 0) {
			word->from[word->count++] = at;
		}
	}
	if (word->count == 0) {
		return at;
	}
	word->begin = word->from[0];
	word->end = word->from[word->count - 1] + 1;
	word->scattered = key_size < ROWWORD_BYTES || word->end - word->begin > ROWWORD_BYTES;
	if (!word->scattered) {
		word->begin = MIN(word->begin, key_size - ROWWORD_BYTES);
		word->end = word->begin + ROWWORD_BYTES;
		word->aligned = word->begin / ROWWORD_BYTES * ROWWORD_BYTES;
		word->shift = 8 * (unsigned)(word->begin - word->aligned);
	}
	return at;
}
