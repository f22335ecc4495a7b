/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where lines and columns of a block of text begin and end, found for all of it at once.
 *
 *	struct tucmarks marks = { 0 };
 *	tucmarks_find(&marks, text, len, '|');
 *	for (i = 0; i < marks.count; i++) ... text[marks.at[i]] ...
 *	tucmarks_release(&marks);
 */
#ifndef TUSSAH_QUERY_TUCMARKS_H
#define TUSSAH_QUERY_TUCMARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

/* Behind a text so many bytes must be there to be read. */
#define TUCMARKS_SLACK 64

/* Places in the text, in order: separators, newlines, NULs, and the first character of whatever else
 * stands between two of them or behind blanks. */
struct tucmarks {
	uint32_t *at;
	size_t count;
	size_t room;
};

/* White space around a column, which is not of it; a separator is none. */
static inline bool tucmarks_is_blank(char c, char separator)
{
	return (unsigned char)c <= ' ' && g_ascii_isspace(c) && c != separator;
}

/* A mark where no column begins. */
static inline bool tucmarks_is_end(char c, char separator)
{
	return c == separator || c == '\n' || !c;
}

/* Of this text, which is shorter than 4 GiB, in the place of what was found before. */
void tucmarks_find(struct tucmarks *marks, const char *text, size_t len, char separator);
void tucmarks_release(struct tucmarks *marks);

#endif
