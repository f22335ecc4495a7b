/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bounds are sorted lists of words, one list for all bounds that begin alike: first of their first
 * words, and below a word that several bounds begin with a list of their second ones; and so on.
 */
#include "query/keybounds.h"

#include <string.h>

#include <glib.h>

#include "query/rowword.h"

/* Words of a key that are looked at. */
#define LEVELS_MAX 6
/* Words that are compared with one at once, without a branch. */
#define LINE 8
/* Lines of words, of the last words of these lines, and so on: enough for 32,768 bounds. */
#define TIERS 5

/* The beginning of a key. */
struct beginning {
	uint64_t words[LEVELS_MAX];
};

/* A list of distinct words, ascending. */
struct list {
	size_t parts_before; /* the part of keys before the first word */
	size_t count;
	uint64_t *tiers[TIERS]; /* the words, then the last ones of their lines ...; filled up with
				 * the greatest number */
	size_t lines[TIERS];
	int top;             /* the tier of one line */
	size_t *ends;        /* by word: the part of keys from it on, up to the next one */
	struct list **below; /* by word: of the bounds that begin with it; NULL: it is a bound */
};

struct keybounds {
	struct rowword words[LEVELS_MAX];
	unsigned levels;
	uint64_t flip;
	GArray *samples; /* struct beginning */
	struct list *first;
	size_t parts;
};

struct keybounds *keybounds_new(const uint8_t *differs, size_t key_size, bool reverse)
{
	struct keybounds *bounds = g_new0(struct keybounds, 1);
	size_t at = 0;

	while (bounds->levels < LEVELS_MAX) {
		struct rowword *word = &bounds->words[bounds->levels];

		at = rowword_choose(word, differs, at, key_size);
		if (word->count == 0) {
			break;
		}
		bounds->levels++;
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
		for (int tier = 0; tier < TIERS; tier++) {
			g_free(list->tiers[tier]);
		}
		g_free(list->ends);
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

void keybounds_extent(const struct keybounds *bounds, size_t *begin, size_t *end)
{
	*begin = 0;
	*end = 0;
	for (unsigned i = 0; i < bounds->levels; i++) {
		*begin = i == 0 ? bounds->words[i].begin : MIN(*begin, bounds->words[i].begin);
		*end = MAX(*end, bounds->words[i].end);
	}
}

void keybounds_sample(struct keybounds *bounds, const uint8_t *key)
{
	struct beginning sample = { { 0 } };

	for (unsigned i = 0; i < bounds->levels; i++) {
		sample.words[i] = bounds->flip ^ rowword_load(&bounds->words[i], key);
	}
	g_array_append_val(bounds->samples, sample);
}

/* ---- choosing ---- */

static gint compare(gconstpointer a, gconstpointer b)
{
	const struct beginning *one = a;
	const struct beginning *other = b;

	for (unsigned i = 0; i < LEVELS_MAX; i++) {
		if (one->words[i] != other->words[i]) {
			return one->words[i] < other->words[i] ? -1 : 1;
		}
	}
	return 0;
}

/* How many of count bounds, from the first on, have its word at this level. */
static size_t count_alike(const struct beginning *chosen, size_t count, unsigned level)
{
	size_t alike = 1;

	while (alike < count && chosen[alike].words[level] == chosen[0].words[level]) {
		alike++;
	}
	return alike;
}

/* All words are in the first tier, in order, count of them. */
static void make_tiers(struct list *list)
{
	size_t count = list->count;

	for (int tier = 0; tier < TIERS; tier++) {
		list->lines[tier] = (count + LINE - 1) / LINE;
		if (tier > 0) {
			list->tiers[tier] = g_new(uint64_t, list->lines[tier] * LINE);
			for (size_t i = 0; i < count; i++) {
				list->tiers[tier][i] = list->tiers[tier - 1][i * LINE + LINE - 1];
			}
		}
		for (size_t i = count; i < list->lines[tier] * LINE; i++) {
			list->tiers[tier][i] = UINT64_MAX;
		}
		count = list->lines[tier];
		if (count == 1) {
			list->top = tier;
			break;
		}
	}
}

/* Of bounds that are alike up to this level. part: of keys before all of them. */
static struct list *make_list(const struct beginning *chosen, size_t count, unsigned level,
			      size_t part)
{
	struct list *list = g_new0(struct list, 1);

	list->parts_before = part;
	list->tiers[0] = g_new(uint64_t, count + LINE);
	list->ends = g_new(size_t, count);
	list->below = g_new0(struct list *, count);
	for (size_t i = 0; i < count;) {
		size_t alike = count_alike(chosen + i, count - i, level);

		list->tiers[0][list->count] = chosen[i].words[level];
		list->ends[list->count] = part + i + alike;
		if (alike > 1) {
			list->below[list->count] =
				make_list(chosen + i, alike, level + 1, part + i);
		}
		list->count++;
		i += alike;
	}
	make_tiers(list);
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
	if (bounds->levels > 0 && count > 0) {
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

static size_t count_in_line(const uint64_t *line, uint64_t word)
{
	return (size_t)(line[0] <= word) + (line[1] <= word) + (line[2] <= word) +
	       (line[3] <= word) + (line[4] <= word) + (line[5] <= word) + (line[6] <= word) +
	       (line[7] <= word);
}

/* How many words are not above this one. */
static size_t count_up_to(const struct list *list, uint64_t word)
{
	size_t at = 0;

	for (int tier = list->top; tier >= 0; tier--) {
		at = MIN(at, list->lines[tier] - 1);
		at = at * LINE + count_in_line(&list->tiers[tier][at * LINE], word);
	}
	return MIN(at, list->count);
}

size_t keybounds_find(const struct keybounds *bounds, const uint8_t *key)
{
	const struct list *list = bounds->first;

	for (unsigned level = 0; list; level++) {
		uint64_t word = bounds->flip ^ rowword_load(&bounds->words[level], key);
		size_t at = count_up_to(list, word);

		if (at == 0) {
			return list->parts_before;
		}
		if (list->tiers[0][at - 1] != word || !list->below[at - 1]) {
			return list->ends[at - 1];
		}
		list = list->below[at - 1];
	}
	return 0;
}
