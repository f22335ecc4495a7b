/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/tuclines.h"

#include <assert.h>
#include <string.h>

#include <glib.h>

#include "query/tucmarks.h"

_Static_assert(TUCLINES_SLACK >= TUCMARKS_SLACK && TUCLINES_SLACK >= TUC_TEXT_SLACK,
	       "whoever reads the text has room behind it");

struct tuclines {
	const struct tuc *tuc;
	struct tuc_memo *memo;
	bool may_be_blank; /* the separator: lines with separators may be empty */
	char *text;
	struct tucmarks marks;
	const uint32_t *mark; /* the first one of the next line */
	const uint32_t *end;
	size_t next; /* where that begins */
	uint64_t taken;
	struct tuclines_place place;
};

bool tuclines_is_empty(const char *line, size_t len)
{
	const char *end = line + strnlen(line, len);

	while (line < end && *line == ' ') {
		line++;
	}
	if (line < end && g_ascii_isspace(*line)) {
		while (line < end && *line && strchr(" \t\r\f\v", *line)) {
			line++;
		}
	}
	return line == end;
}

struct tuclines *tuclines_new(const struct tuc *tuc)
{
	struct tuclines *lines = g_new0(struct tuclines, 1);

	lines->tuc = tuc;
	lines->memo = tuc_memo_new(tuc);
	lines->may_be_blank = g_ascii_isspace(tuc_separator(tuc));
	return lines;
}

void tuclines_free(struct tuclines *lines)
{
	if (lines) {
		tuc_memo_free(lines->memo);
		tucmarks_release(&lines->marks);
		g_free(lines);
	}
}

void tuclines_begin(struct tuclines *lines, char *text, size_t len)
{
	struct tucmarks *marks = &lines->marks;

	tucmarks_find(marks, text, len, tuc_separator(lines->tuc));
	if (len > 0 && text[len - 1] != '\n') {
		/* the last line has a newline, too */
		text[len] = '\n';
		marks->at[marks->count++] = (uint32_t)len;
	}
	lines->text = text;
	lines->mark = marks->at;
	lines->end = marks->at + marks->count;
	lines->next = 0;
	lines->taken = 0;
	lines->place = (struct tuclines_place){ 0 };
}

/* The next line has been looked at, or some of it. */
static void finish(struct tuclines *lines)
{
	while (lines->text[*lines->mark] != '\n') {
		lines->mark++;
	}
	lines->place = (struct tuclines_place){
		.number = lines->taken++,
		.at = lines->next,
		.len = *lines->mark - lines->next,
	};
	lines->next = *lines->mark++ + (size_t)1;
}

/* One that begins with a character that some take for a blank and others do not. */
static bool is_empty(const struct tuclines *lines)
{
	const char *line = lines->text + lines->next;
	const char *newline = memchr(line, '\n', lines->end[-1] + (size_t)1 - lines->next);

	return tuclines_is_empty(line, (size_t)(newline - line));
}

/* Is there nothing on the next line? */
static bool next_is_empty(const struct tuclines *lines)
{
	const char first = lines->text[*lines->mark];

	if (first == '\n' || !first) {
		return true;
	}
	if ((unsigned char)first > ' ' && !lines->may_be_blank) {
		return false;
	}
	return is_empty(lines);
}

int tuclines_next(struct tuclines *lines, int64_t now_ns, struct tuc_line *line, struct err *err)
{
	int st;

	while (lines->mark < lines->end && next_is_empty(lines)) {
		finish(lines);
	}
	if (lines->mark == lines->end) {
		lines->place = (struct tuclines_place){ .number = lines->taken, .at = lines->next };
		return ST_END;
	}
	st = tuc_parse(lines->tuc, lines->memo, lines->text, &lines->mark, now_ns, line, err);
	finish(lines);
	return st;
}

struct tuclines_place tuclines_place(const struct tuclines *lines)
{
	return lines->place;
}
