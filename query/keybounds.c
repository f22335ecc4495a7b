/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bounds are sorted lists of words, one list for all bounds that begin alike: first of their first
 * words, and below a word that several bounds begin with a list of their second ones; and so on.
 */
#include "query/keybounds.h"

#include <string.h>

#include <glib.h>

/* Words of a key that are looked at. */
#define DEPTH_MAX 6

/* The beginning of a key. */
struct beginning {
	uint64_t words[DEPTH_MAX];
};

/* A list of distinct words, ascending. */
struct list {
	size_t count;
	size_t half;         /* the least power of two above half of them */
	uint64_t *words;     /* 2 * half, filled up with the greatest number */
	size_t *parts;       /* by how many words are not above a key's: its part */
	struct list **below; /* by word: of the bounds that begin with it; NULL: it is a bound */
};

struct keybounds {
	struct rowword words[DEPTH_MAX];
	unsigned depth;
	size_t behind_first; /* the byte of the key behind the first word */
	uint64_t flip;
	GArray *samples; /* struct beginning */
	struct list *first;
	size_t parts;
};

struct keybounds *keybounds_new(const uint8_t *differs, size_t key_size, bool reverse)
{
	struct keybounds *bounds = g_new0(struct keybounds, 1);
	size_t at = 0;

	while (bounds->depth < DEPTH_MAX) {
		struct rowword *word = &bounds->words[bounds->depth];

		at = rowword_choose(word, differs, at, key_size);
		if (bounds->depth == 0) {
			bounds->behind_first = at;
		}
		if (word->run_count == 0) {
			break;
		}
		bounds->depth++;
	}
	bounds->flip = reverse ? UINT64_MAX : 0;
	bounds->samples = g_array_new(FALSE, TRUE, sizeof(struct beginning));
	bounds->parts = 1;
	return bounds;
}

static void free_list(struct list *list)
{
	if (list) {
		for (size_t i = 0; i < list->count; i++) {
			free_list(list->below[i]);
		}
		g_free(list->words);
		g_free(list->parts);
		g_free(list->below);
		g_free(list);
	}
}

void keybounds_free(struct keybounds *bounds)
{
	if (bounds) {
		free_list(bounds->first);
		g_array_free(bounds->samples, TRUE);
		g_free(bounds);
	}
}

const struct rowword *keybounds_word(const struct keybounds *bounds, size_t *behind)
{
	*behind = bounds->behind_first;
	return &bounds->words[0];
}

size_t keybounds_extent(const struct keybounds *bounds)
{
	return bounds->depth > 0 ? bounds->words[bounds->depth - 1].end : 0;
}

void keybounds_sample(struct keybounds *bounds, const uint8_t *key)
{
	struct beginning sample = { { 0 } };

	for (unsigned i = 0; i < bounds->depth; i++) {
		sample.words[i] = bounds->flip ^ rowword_load(&bounds->words[i], key);
	}
	g_array_append_val(bounds->samples, sample);
}

/* ---- choosing ---- */

static gint compare(gconstpointer a, gconstpointer b)
{
	const struct beginning *one = a;
	const struct beginning *other = b;

	for (unsigned i = 0; i < DEPTH_MAX; i++) {
		if (one->words[i] != other->words[i]) {
			return one->words[i] < other->words[i] ? -1 : 1;
		}
	}
	return 0;
}

/* How many of count bounds, from the first on, have its word at this depth. */
static size_t count_alike(const struct beginning *chosen, size_t count, unsigned depth)
{
	size_t alike = 1;

	while (alike < count && chosen[alike].words[depth] == chosen[0].words[depth]) {
		alike++;
	}
	return alike;
}

/* Of bounds that are alike up to this depth. part: of keys before all of them. */
static struct list *make_list(const struct beginning *chosen, size_t count, unsigned depth,
			      size_t part)
{
	struct list *list = g_new0(struct list, 1);

	list->half = 1;
	while (2 * list->half < count) {
		list->half *= 2;
	}
	list->words = g_new(uint64_t, 2 * list->half);
	list->parts = g_new(size_t, count + 1);
	list->below = g_new0(struct list *, count);
	list->parts[0] = part;
	for (size_t i = 0; i < count;) {
		size_t alike = count_alike(chosen + i, count - i, depth);

		list->words[list->count] = chosen[i].words[depth];
		if (alike > 1) {
			list->below[list->count] =
				make_list(chosen + i, alike, depth + 1, part + i);
		}
		i += alike;
		list->parts[++list->count] = part + i;
	}
	for (size_t i = list->count; i < 2 * list->half; i++) {
		list->words[i] = UINT64_MAX;
	}
	return list;
}

void keybounds_choose(struct keybounds *bounds, size_t parts)
{
	GArray *samples = bounds->samples;
	struct beginning *chosen = g_new(struct beginning, parts);
	size_t count = 0;

	g_array_sort(samples, compare);
	for (size_t i = 1; i < parts && samples->len > 0; i++) {
		const struct beginning *bound =
			&g_array_index(samples, struct beginning, i * samples->len / parts);

		if (count == 0 || compare(bound, &chosen[count - 1]) != 0) {
			chosen[count++] = *bound;
		}
	}
	if (bounds->depth > 0 && count > 0) {
		bounds->first = make_list(chosen, count, 0, 0);
		bounds->parts = count + 1;
	}
	g_free(chosen);
	g_array_set_size(samples, 0);
}

size_t keybounds_parts(const struct keybounds *bounds)
{
	return bounds->parts;
}

/* ---- finding ---- */

/* How many words are not above this one. No branch depends on it. */
static inline size_t count_up_to(const struct list *list, uint64_t word)
{
	const uint64_t *words = list->words;
	size_t at = 0;

	for (size_t step = list->half; step > 0; step /= 2) {
		at += words[at + step - 1] <= word ? step : 0;
	}
	at += words[at] <= word;
	return MIN(at, list->count);
}

/* The list of bounds that have the key's word, which so many words are not above; NULL: none. */
static inline const struct list *list_below(const struct list *list, uint64_t word, size_t at)
{
	return at > 0 && list->words[at - 1] == word ? list->below[at - 1] : NULL;
}

void keybounds_find(const struct keybounds *bounds, const uint64_t *words, size_t count,
		    uint32_t *parts)
{
	const struct list *list = bounds->first;

	if (!list) {
		memset(parts, 0, count * sizeof(*parts));
		return;
	}
	for (size_t i = 0; i < count; i++) {
		size_t at = count_up_to(list, words[i]);

		parts[i] = list_below(list, words[i], at) ? KEYBOUNDS_FURTHER
							  : (uint32_t)list->parts[at];
	}
}

size_t keybounds_find_further(const struct keybounds *bounds, const uint8_t *key)
{
	const struct list *list = bounds->first;
	size_t part = 0;

	for (unsigned depth = 0; list; depth++) {
		uint64_t word = bounds->flip ^ rowword_load(&bounds->words[depth], key);
		size_t at = count_up_to(list, word);

		part = list->parts[at];
		list = list_below(list, word, at);
	}
	return part;
}
