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
/* Keys that are looked for at once. */
#define ABREAST 4

/* The beginning of a key. */
struct beginning {
	uint64_t words[DEPTH_MAX];
};

/* A list of distinct words, ascending, and cells by the highest bits in which these differ. */
struct list {
	size_t count;
	uint64_t *words; /* 2 * half more of the greatest number behind them */
	uint32_t *cells; /* words before those of a cell */
	size_t last_cell;
	unsigned cell_shift; /* of what is above the first word, to the number of a cell */
	size_t half;         /* a power of two; no cell has more than twice as many words */
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
		g_free(list->cells);
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

static size_t cell_of(const struct list *list, uint64_t word)
{
	uint64_t above = word < list->words[0] ? 0 : word - list->words[0];

	return MIN(above >> list->cell_shift, list->last_cell);
}

/* About twice as many cells as words, all of which are in the list. */
static void make_cells(struct list *list)
{
	uint64_t extent = list->words[list->count - 1] - list->words[0];
	size_t cell = 0, most = 0;

	while (extent >> list->cell_shift >= 2 * list->count) {
		list->cell_shift++;
	}
	list->last_cell = extent >> list->cell_shift;
	list->cells = g_new0(uint32_t, list->last_cell + 2);
	for (size_t i = 0; i < list->count; i++) {
		list->cells[cell_of(list, list->words[i]) + 1]++;
	}
	for (; cell <= list->last_cell; cell++) {
		most = MAX(most, list->cells[cell + 1]);
		list->cells[cell + 1] += list->cells[cell];
	}
	list->half = 1;
	while (2 * list->half < most) {
		list->half *= 2;
	}
	list->words = g_renew(uint64_t, list->words, list->count + 2 * list->half);
	for (size_t i = list->count; i < list->count + 2 * list->half; i++) {
		list->words[i] = UINT64_MAX;
	}
}

/* Of bounds that are alike up to this depth. part: of keys before all of them. */
static struct list *make_list(const struct beginning *chosen, size_t count, unsigned depth,
			      size_t part)
{
	struct list *list = g_new0(struct list, 1);

	list->words = g_new(uint64_t, count);
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
	make_cells(list);
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

/*
 * How many words are not above each of these. No branch depends on them, and the steps for one do not
 * wait for those for another.
 */
static inline void count_up_to(const struct list *list, const uint64_t *words, size_t *counts)
{
#pragma GCC unroll 4
	for (int i = 0; i < ABREAST; i++) {
		counts[i] = list->cells[cell_of(list, words[i])];
	}
	for (size_t step = list->half; step > 0; step /= 2) {
		const uint64_t *last = list->words + step - 1;

#pragma GCC unroll 4
		for (int i = 0; i < ABREAST; i++) {
			counts[i] += step & -(size_t)(last[counts[i]] <= words[i]);
		}
	}
#pragma GCC unroll 4
	for (int i = 0; i < ABREAST; i++) {
		counts[i] += list->words[counts[i]] <= words[i];
		counts[i] = MIN(counts[i], list->count);
	}
}

/* The list of bounds that have the key's word, which so many words are not above; NULL: none. */
static inline const struct list *list_below(const struct list *list, uint64_t word, size_t at)
{
	/* seldom is there any, and the processor can foresee it */
	return at > 0 && list->below[at - 1] && list->words[at - 1] == word ? list->below[at - 1]
									    : NULL;
}

void keybounds_find(const struct keybounds *bounds, const uint64_t *words, size_t count,
		    uint32_t *parts)
{
	const struct list *list = bounds->first;

	if (!list) {
		memset(parts, 0, count * sizeof(*parts));
		return;
	}
	for (size_t from = 0; from < count; from += ABREAST) {
		const size_t some = MIN(count - from, ABREAST);
		uint64_t four[ABREAST] = { 0 };
		size_t counts[ABREAST];

		memcpy(four, words + from, some * sizeof(*four));
		count_up_to(list, four, counts);
		for (size_t i = 0; i < some; i++) {
			parts[from + i] = list_below(list, four[i], counts[i])
						  ? KEYBOUNDS_FURTHER
						  : (uint32_t)list->parts[counts[i]];
		}
	}
}

size_t keybounds_find_further(const struct keybounds *bounds, const uint8_t *key)
{
	const struct list *list = bounds->first;
	size_t part = 0;

	for (unsigned depth = 0; list; depth++) {
		uint64_t words[ABREAST] = { 0 };
		size_t counts[ABREAST];

		words[0] = bounds->flip ^ rowword_load(&bounds->words[depth], key);
		count_up_to(list, words, counts);
		part = list->parts[counts[0]];
		list = list_below(list, words[0], counts[0]);
	}
	return part;
}
