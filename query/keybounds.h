/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bounds that divide keys into parts of about the same number, by a sample of them. Keys are looked
 * at a word of those bytes at a time in which any of them differ (rowword.h).
 *
 *	struct keybounds *bounds = keybounds_new(differs, key_size, reverse);
 *	for (...) keybounds_sample(bounds, key);
 *	keybounds_choose(bounds, 100);
 *	keybounds_find(bounds, words, count, parts);	// 0..keybounds_parts(bounds) - 1 each
 *	if (parts[i] == KEYBOUNDS_FURTHER) part = keybounds_find_further(bounds, key);
 *	keybounds_free(bounds);
 *
 * Keys of a part are before those of the next one. Once chosen: any number of threads.
 */
#ifndef TUSSAH_QUERY_KEYBOUNDS_H
#define TUSSAH_QUERY_KEYBOUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "query/rowword.h"

/* In the place of a part: its first word does not tell it. */
#define KEYBOUNDS_FURTHER UINT32_MAX

struct keybounds;

/* differs: by byte of the key, the bits in which keys differ. reverse: the greatest keys first. */
struct keybounds *keybounds_new(const uint8_t *differs, size_t key_size, bool reverse);
void keybounds_free(struct keybounds *bounds);
/* The first word of keys, and the byte behind it; borrowed. */
const struct rowword *keybounds_word(const struct keybounds *bounds, size_t *behind);
/* How many bytes of keys are looked at. */
size_t keybounds_extent(const struct keybounds *bounds);
void keybounds_sample(struct keybounds *bounds, const uint8_t *key);
/* At most so many parts; fewer when the same keys come often. */
void keybounds_choose(struct keybounds *bounds, size_t parts);
size_t keybounds_parts(const struct keybounds *bounds);
/* The parts of keys by their first words, whose bits are turned over if greatest keys are first. */
void keybounds_find(const struct keybounds *bounds, const uint64_t *words, size_t count,
		    uint32_t *parts);
size_t keybounds_find_further(const struct keybounds *bounds, const uint8_t *key);

#endif
