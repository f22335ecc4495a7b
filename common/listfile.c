/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/listfile.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

struct walk {
	listfile_fn name;
	listfile_fn error;
	void *arg;
};

static void fail(const struct walk *walk, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void fail(const struct walk *walk, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	walk->error(walk->arg, text);
	g_free(text);
}

/* --- files --- */

/* A line without its comment; false: a name of a file is in it, which ends the reading. */
static bool walk_line(const struct walk *walk, char *line, const char *path)
{
	char **words;
	bool good = true;

	line[strcspn(line, "#")] = '\0';
	words = g_strsplit(line, ",", -1);
	for (char **word = words; *word && good; word++) {
		const char *name = g_strstrip(*word);

		if (name[0] == '@') {
			fail(walk,
			     "Bad token '%s' found in file '%s': "
			     "May not recursively use @FILE construct within a file",
			     name, path);
			good = false;
		} else if (name[0]) {
			walk->name(walk->arg, name);
		}
	}
	g_strfreev(words);
	return good;
}

static void walk_file(const struct walk *walk, const char *path)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(path, "re");
	size_t total = 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	bool good = true;

	if (!file) {
		fail(walk, "Error opening file '%s': %s", path, strerror(errno));
		return;
	}
	while (good && (len = getline(&line, &size, file)) >= 0) {
		total += (size_t)len;
		if (total > LISTFILE_FILE_BYTES_MAX) {
			fail(walk, "File '%s' is larger than %u bytes", path,
			     LISTFILE_FILE_BYTES_MAX);
			good = false;
		} else {
			good = walk_line(walk, line, path);
		}
	}
	if (ferror(file)) {
		fail(walk, "Error reading file '%s': %s", path, strerror(errno));
	}
	free(line);
	if (!is_stdin) {
		fclose(file);
	}
}

/* --- words --- */

/* The word after its '@', to the name of a file: "@," and "@@" lose the '@'. */
static void walk_path(const struct walk *walk, const char *word)
{
	static const char rule[] =
		"After the initial '@', only the '@@' and '@,' sequences are allowed";
	GString *path = g_string_new(NULL);
	bool good = true;

	for (const char *c = word + 1; good && *c; c++) {
		if (*c == '@' && c[1] != '@' && c[1] != ',') {
			if (c[1]) {
				fail(walk, "Token '%s' contains illegal sequence '%.2s': %s", word,
				     c, rule);
			} else {
				fail(walk, "Token '%s' contains a single @ at end of token: %s",
				     word, rule);
			}
			good = false;
		} else {
			c += *c == '@';
			g_string_append_c(path, *c);
		}
	}
	if (good) {
		walk_file(walk, path->str);
	}
	g_string_free(path, TRUE);
}

/* Where the word at text ends: at a comma, but not at the one of "@," in the name of a file. */
static size_t word_length(const char *text)
{
	size_t len = 0;

	if (text[0] == '@' && text[1] && text[1] != ',') {
		len = 1;
		while (text[len] && text[len] != ',') {
			len += text[len] == '@' && (text[len + 1] == ',' || text[len + 1] == '@')
				       ? 2
				       : 1;
		}
		return len;
	}
	return strcspn(text, ",");
}

void listfile_each(const char *text, listfile_fn name, listfile_fn error, void *arg)
{
	const struct walk walk = { name, error, arg };

	while (*text) {
		size_t len = word_length(text);
		char *word = g_strndup(text, len);

		if (len > 1 && word[0] == '@') {
			walk_path(&walk, word);
		} else if (len) {
			name(arg, word);
		}
		g_free(word);
		text += len;
		text += *text == ',';
	}
}
