/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bounds that divide keys into parts of about the same number, by a sample of them. Keys are looked
 * at a word of those bytes at a time in which any of them differ (rowword.h).
 *
 *	struct keybounds *bounds = keybounds_new(differs, key_size, reverse);
 *	for (...) keybounds_sample(bounds, key);
 *	keybounds_choose(bounds, 100);
 *	part = keybounds_find(bounds, key);		// 0..keybounds_parts(bounds) - 1
 *	keybounds_free(bounds);
 *
 * Keys of a part are before those of the next one. Once chosen: any number of threads.
 */
#ifndef TUSSAH_QUERY_KEYBOUNDS_H
#define TUSSAH_QUERY_KEYBOUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keybounds;

/* differs: by byte of the key, the bits in which keys differ. reverse: the greatest keys first. */
struct keybounds *keybounds_new(const uint8_t *differs, size_t key_size, bool reverse);
void keybounds_free(struct keybounds *bounds);
/* The bytes of keys that are looked at: begin..end-1. */
void keybounds_extent(const struct keybounds *bounds, size_t *begin, size_t *end);
void keybounds_sample(struct keybounds *bounds, const uint8_t *key);
/* At most so many parts; fewer when the same keys come often. */
void keybounds_choose(struct keybounds *bounds, size_t parts);
size_t keybounds_parts(const struct keybounds *bounds);
size_t keybounds_find(const struct keybounds *bounds, const uint8_t *key);

#endif
