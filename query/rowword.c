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

/* One more byte of the key, in the last run if it lies behind that. */
static void add_byte(struct rowword *word, size_t at)
{
	if (word->run_count == 0 || at > word->end) {
		word->runs[word->run_count++] = (struct rowword_run){ .at = at };
	}
	word->runs[word->run_count - 1].bits += 8;
	word->end = at + 1;
}

size_t rowword_choose(struct rowword *word, const uint8_t *differs, size_t from, size_t key_size)
{
	unsigned count = 0;
	size_t at = from;

	word->run_count = 0;
	word->end = from;
	for (; at < key_size && (count < ROWWORD_BYTES || differs[at] == 0); at++) {
		if (differs[at] != 0) {
			add_byte(word, at);
			count++;
		}
	}
	word->begin = word->run_count > 0 ? word->runs[0].at : word->end;
	return at;
}
