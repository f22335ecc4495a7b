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

/*
 * As many of the last width bits of one more byte of the key as there is room for, in the last run if
 * they lie behind that. Returns how many.
 */
static unsigned add_bits(struct rowword *word, size_t at, unsigned width)
{
	const unsigned skip = 8 - width;
	const unsigned bits = MIN(width, 64 - word->bits);
	struct rowword_run *last = word->run_count > 0 ? &word->runs[word->run_count - 1] : NULL;

	if (!last || at != word->end || skip > 0 || last->skip + last->bits + bits > 64) {
		if (word->run_count == ROWWORD_RUNS) {
			return 0;
		}
		last = &word->runs[word->run_count++];
		*last = (struct rowword_run){ .at = (uint32_t)at, .skip = (uint8_t)skip };
	}
	last->bits = (uint8_t)(last->bits + bits);
	word->bits += bits;
	word->end = bits > 0 ? at + 1 : word->end;
	return bits;
}

size_t rowword_choose(struct rowword *word, const uint8_t *differs, size_t from, size_t key_size)
{
	size_t at = from;

	word->run_count = 0;
	word->bits = 0;
	word->end = from;
	for (; at < key_size; at++) {
		unsigned width = differs[at] ? 32 - (unsigned)__builtin_clz(differs[at]) : 0;

		if (width > 0 && (word->bits == 64 || add_bits(word, at, width) < width)) {
			break;
		}
	}
	word->begin = word->run_count > 0 ? word->runs[0].at : word->end;
	return at;
}
