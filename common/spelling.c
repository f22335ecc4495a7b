/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Distance is that of Damerau and Levenshtein, restricted: letters inserted, left out, replaced, or
 * two neighbours exchanged, each once and regardless of case.
 */
#include "common/spelling.h"

#include <glib.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#define SPELLING_WORD_MAX 40 /* longer ones are not looked at */
#define SPELLING_FAR      UINT_MAX

typedef unsigned spelling_row[SPELLING_WORD_MAX + 1];

static bool same(char a, char b)
{
	return g_ascii_tolower(a) == g_ascii_tolower(b);
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	return MIN(a, MIN(b, c));
}

/* rows[i % 3][j]: the distance of the first i letters of a from the first j of b. */
static unsigned spelling_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	spelling_row rows[3];

	if (a_len > SPELLING_WORD_MAX || b_len > SPELLING_WORD_MAX) {
		return SPELLING_FAR;
	}
	for (size_t j = 0; j <= b_len; j++) {
		rows[0][j] = (unsigned)j;
	}
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *row = rows[i % 3];
		const unsigned *above = rows[(i + 2) % 3];
		const unsigned *two_above = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned replaced = above[j - 1] + !same(a[i - 1], b[j - 1]);

			row[j] = least(above[j] + 1, row[j - 1] + 1, replaced);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
			    same(a[i - 2], b[j - 1])) {
				row[j] = MIN(row[j], two_above[j - 2] + 1);
			}
		}
	}
	return rows[a_len % 3][b_len];
}

void spelling_try(struct spelling *spelling, const char *name)
{
	unsigned distance = spelling_distance(spelling->word, spelling->len, name, strlen(name));

	if (!spelling->best || distance < spelling->distance) {
		spelling->best = name;
		spelling->distance = distance;
	}
}

void spelling_suggest(const struct spelling *spelling, const char *prefix, struct err *err)
{
	/* a slip in about four letters, three at most; one in words of two or three */
	unsigned near = (unsigned)(spelling->len + 2) / 4;

	if (err && spelling->best && spelling->distance <= MIN(near, 3)) {
		g_strlcat(err->text, "; did you mean '", sizeof(err->text));
		g_strlcat(err->text, prefix, sizeof(err->text));
		g_strlcat(err->text, spelling->best, sizeof(err->text));
		g_strlcat(err->text, "'?", sizeof(err->text));
	}
}
