/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The words of an expression (query/where.h): brackets, commas, operators, words and quoted texts.
 *
 *	struct wherelex lex;
 *	wherelex_start(&lex, text);
 *	while (wherelex_next(&lex, err) == ST_OK && lex.kind != WHERE_END) ... lex.word, lex.at
 *	wherelex_release(&lex);
 */
#ifndef TUSSAH_QUERY_WHERELEX_H
#define TUSSAH_QUERY_WHERELEX_H

#include <glib.h>
#include <stdbool.h>

#include "common/err.h"

enum where_kind {
	WHERE_END,
	WHERE_WORD,  /* a name, a value or a keyword */
	WHERE_QUOTE, /* what stood between quotes; never a keyword */
	WHERE_OPEN,
	WHERE_CLOSE,
	WHERE_COMMA,
	WHERE_EQUAL, /* from here on, comparisons: */
	WHERE_UNEQUAL,
	WHERE_LESS,
	WHERE_LESS_EQUAL,
	WHERE_GREATER,
	WHERE_GREATER_EQUAL,
	WHERE_MATCH,
	WHERE_NO_MATCH,
	WHERE_AND, /* && || ! */
	WHERE_OR,
	WHERE_NOT,
};

struct wherelex {
	const char *text; /* kept */
	const char *next;
	enum where_kind kind; /* of the word at hand */
	const char *at;       /* where it stands */
	GString *word;        /* of WHERE_WORD and WHERE_QUOTE */
};

void wherelex_start(struct wherelex *lex, const char *text);
void wherelex_release(struct wherelex *lex);

/* Go on to the next word. ST_OK, or ST_EINVAL: a quote that is not closed, or a stray character. */
int wherelex_next(struct wherelex *lex, struct err *err);

/* Is it this keyword? Upper and lower case are the same. */
bool wherelex_is(const struct wherelex *lex, const char *keyword);

/*
 * The message, and below it the expression, or the part of it around the place, with a caret under
 * the place. Returns ST_EINVAL.
 */
int wherelex_fail(const struct wherelex *lex, const char *at, struct err *err, const char *message);

#endif
