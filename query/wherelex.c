/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/wherelex.h"

#include <string.h>

/* Most of an expression that is shown around a mistake. */
#define SHOWN_BEFORE 50
#define SHOWN_AFTER  25

static const struct {
	const char *text;
	enum where_kind kind;
} operators[] = {
	{ "==", WHERE_EQUAL },
	{ "!=", WHERE_UNEQUAL },
	{ "<>", WHERE_UNEQUAL },
	{ "<=", WHERE_LESS_EQUAL },
	{ ">=", WHERE_GREATER_EQUAL },
	{ "!~", WHERE_NO_MATCH },
	{ "=~", WHERE_MATCH },
	{ "&&", WHERE_AND },
	{ "||", WHERE_OR },
	{ "=", WHERE_EQUAL },
	{ "<", WHERE_LESS },
	{ ">", WHERE_GREATER },
	{ "~", WHERE_MATCH },
	{ "!", WHERE_NOT },
	{ "(", WHERE_OPEN },
	{ ")", WHERE_CLOSE },
	{ ",", WHERE_COMMA },
};

void wherelex_start(struct wherelex *lex, const char *text)
{
	*lex = (struct wherelex){ .text = text, .next = text, .at = text };
	lex->word = g_string_new(NULL);
}

void wherelex_release(struct wherelex *lex)
{
	if (lex->word) {
		g_string_free(lex->word, TRUE);
		lex->word = NULL;
	}
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A backslash stands before a quote or itself; elsewhere it is one, for regular expressions. */
static int read_quoted(struct wherelex *lex, struct err *err)
{
	char quote = *lex->next++;

	lex->kind = WHERE_QUOTE;
	while (*lex->next && *lex->next != quote) {
		if (*lex->next == '\\' && (lex->next[1] == quote || lex->next[1] == '\\')) {
			/* two backslashes stay two: the expression inside sees one */
			if (lex->next[1] == '\\') {
				g_string_append_c(lex->word, *lex->next);
			}
			lex->next++;
		}
		g_string_append_c(lex->word, *lex->next++);
	}
	if (!*lex->next) {
		return wherelex_fail(lex, lex->at, err, "the quote is not closed");
	}
	lex->next++;
	return ST_OK;
}

static void read_word(struct wherelex *lex)
{
	lex->kind = WHERE_WORD;
	while (*lex->next && !is_space(*lex->next) && !strchr("()=!<>~,\"'", *lex->next) &&
	       !g_str_has_prefix(lex->next, "&&") && !g_str_has_prefix(lex->next, "||")) {
		g_string_append_c(lex->word, *lex->next++);
	}
}

int wherelex_next(struct wherelex *lex, struct err *err)
{
	g_string_truncate(lex->word, 0);
	while (is_space(*lex->next)) {
		lex->next++;
	}
	lex->at = lex->next;
	if (!*lex->next) {
		lex->kind = WHERE_END;
		return ST_OK;
	}
	if (*lex->next == '"' || *lex->next == '\'') {
		return read_quoted(lex, err);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(operators); i++) {
		if (g_str_has_prefix(lex->next, operators[i].text)) {
			lex->kind = operators[i].kind;
			lex->next += strlen(operators[i].text);
			return ST_OK;
		}
	}
	read_word(lex);
	return ST_OK;
}

bool wherelex_is(const struct wherelex *lex, const char *keyword)
{
	return lex->kind == WHERE_WORD && g_ascii_strcasecmp(lex->word->str, keyword) == 0;
}

int wherelex_fail(const struct wherelex *lex, const char *at, struct err *err, const char *message)
{
	size_t place = (size_t)(at - lex->text);
	size_t from = place > SHOWN_BEFORE ? place - SHOWN_BEFORE : 0;
	size_t rest = strlen(lex->text + from);
	size_t len = MIN(rest, place - from + SHOWN_AFTER);
	char *shown = g_strndup(lex->text + from, len);
	int before = (from ? 3 : 0) + (int)g_utf8_strlen(shown, (gssize)(place - from));

	for (char *c = shown; *c; c++) {
		*c = (unsigned char)*c < ' ' ? ' ' : *c;
	}
	err_set(err, ST_EINVAL, "%s\n  %s%s%s\n  %*s^", message, from ? "..." : "", shown,
		len < rest ? "..." : "", before, "");
	g_free(shown);
	return ST_EINVAL;
}
