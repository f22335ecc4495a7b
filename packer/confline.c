/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "packer/confline.h"

#include <glib.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#define CONF_DEPTH_MAX      8
#define CONF_FILE_BYTES_MAX ((gsize)16 << 20)
#define CONF_STRING_MAX     2047

struct conffile {
	char *path;
	char *content;
	char *at; /* start of the next line */
	int number;
};

struct confreader {
	GPtrArray *open;  /* of struct conffile *, innermost last */
	GPtrArray *paths; /* of char *: names of all files, for struct confline */
	GArray *words;
};

static void conffile_free(void *pointer)
{
	struct conffile *file = pointer;

	g_free(file->content);
	g_free(file);
}

static int confreader_push(struct confreader *reader, const char *path, struct err *err)
{
	struct conffile *file;
	char *content;
	gsize len;
	GError *error = NULL;

	if (!g_file_get_contents(path, &content, &len, &error)) {
		int st = err_set(err, ST_EIO, "%s", error->message);

		g_error_free(error);
		return st;
	}
	if (len > CONF_FILE_BYTES_MAX || strlen(content) != len) {
		g_free(content);
		return err_set(err, ST_EFORMAT, "%s: file is too large or not text", path);
	}
	file = g_new0(struct conffile, 1);
	file->path = g_strdup(path);
	file->content = content;
	file->at = content;
	g_ptr_array_add(reader->paths, file->path);
	g_ptr_array_add(reader->open, file);
	return ST_OK;
}

int confreader_open(struct confreader **out, const char *path, struct err *err)
{
	struct confreader *reader = g_new0(struct confreader, 1);
	int st;

	reader->open = g_ptr_array_new_with_free_func(conffile_free);
	reader->paths = g_ptr_array_new_with_free_func(g_free);
	reader->words = g_array_new(FALSE, FALSE, sizeof(struct confword));
	st = confreader_push(reader, path, err);
	if (st != ST_OK) {
		confreader_free(reader);
		return st;
	}
	*out = reader;
	return ST_OK;
}

int confreader_include(struct confreader *reader, const char *path, struct err *err)
{
	if (reader->open->len >= CONF_DEPTH_MAX) {
		return err_set(err, ST_ELIMIT, "Cannot include '%s': Files are nested too deeply",
			       path);
	}
	if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
		return err_set(err, ST_ENOENT,
			       "Cannot include '%s': File does not exist or is not a regular file",
			       path);
	}
	return confreader_push(reader, path, err);
}

void confreader_free(struct confreader *reader)
{
	if (reader) {
		g_ptr_array_free(reader->open, TRUE);
		g_ptr_array_free(reader->paths, TRUE);
		g_array_free(reader->words, TRUE);
		g_free(reader);
	}
}

static bool conf_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool conf_is_word(char c)
{
	return g_ascii_isgraph(c) && !strchr("\"'#,", c);
}

/* Cut the string after the quotation mark at *at off in place, its backslashes resolved. */
static int confreader_string(char **at, struct confword *word, struct err *err)
{
	static const char letters[] = "ntrbf";
	static const char values[] = "\n\t\r\b\f";
	const char *from = *at + 1;
	char *to = *at + 1;

	*word = (struct confword){ .text = to, .quoted = true };
	for (; *from && *from != '"'; from++) {
		const char *letter = NULL;

		if (*from == '\\' && from[1]) {
			letter = strchr(letters, *++from);
		}
		*to++ = letter ? values[letter - letters] : *from;
	}
	if (!*from) {
		return err_set(err, ST_EFORMAT, "Quoted string missing closing quote");
	}
	if (to - word->text > CONF_STRING_MAX) {
		return err_set(err, ST_EFORMAT, "Quoted string is too long");
	}
	**at = '\0'; /* ends a word that the mark is glued to */
	*to = '\0';
	*at += from + 1 - *at;
	return ST_OK;
}

/* Cut the word at *at off; its first byte is known to start a word or a string. */
static int confreader_word(struct confreader *reader, char **at, struct err *err)
{
	struct confword word = { .text = *at };
	int st = ST_OK;

	if (**at == '"') {
		st = confreader_string(at, &word, err);
	} else {
		while (conf_is_word(**at)) {
			(*at)++;
		}
	}
	if (st == ST_OK) {
		g_array_append_val(reader->words, word);
	}
	return st;
}

/* Split one line, which ends in NUL, in place. */
static int confreader_split(struct confreader *reader, char *at, bool *stray_comma, struct err *err)
{
	bool comma = false;

	g_array_set_size(reader->words, 0);
	*stray_comma = false;
	for (;;) {
		char c = *at;
		int st;

		if (conf_is_blank(c)) {
			*at++ = '\0';
			continue;
		}
		if (c == '\0' || c == '#') {
			*at = '\0';
			break;
		}
		if (c == ',' && reader->words->len > 0) {
			/* a comma right after the keyword has no value before it */
			*stray_comma |= comma || reader->words->len == 1;
			g_array_index(reader->words, struct confword, reader->words->len - 1)
				.comma = true;
			comma = true;
			*at++ = '\0';
			continue;
		}
		if (c != '"' && !conf_is_word(c)) {
			return err_set(err, ST_EFORMAT, "Unexpected character '%c'",
				       g_ascii_isgraph(c) ? c : '?');
		}
		comma = false;
		st = confreader_word(reader, &at, err);
		if (st != ST_OK) {
			return st;
		}
	}
	*stray_comma |= comma;
	return ST_OK;
}

int confreader_next(struct confreader *reader, struct confline *out, struct err *err)
{
	while (reader->open->len > 0) {
		struct conffile *file = g_ptr_array_index(reader->open, reader->open->len - 1);
		char *line = file->at;
		char *end = strchr(line, '\n');
		int st;

		if (*line == '\0') {
			g_ptr_array_set_size(reader->open, (gint)reader->open->len - 1);
			continue;
		}
		file->number++;
		file->at = end ? end + 1 : line + strlen(line);
		if (end) {
			*end = '\0';
		}
		*out = (struct confline){ .file = file->path, .number = file->number };
		st = confreader_split(reader, line, &out->stray_comma, err);
		if (st != ST_OK) {
			return st;
		}
		if (reader->words->len == 0) {
			continue;
		}
		if (!end) {
			return err_set(
				err, ST_EFORMAT,
				"Missing final newline or incomplete statement at end-of-file");
		}
		out->count = reader->words->len;
		out->words = (const struct confword *)(const void *)reader->words->data;
		return ST_OK;
	}
	return ST_END;
}

static void confreport_send(struct confreport *report, const char *prefix, const char *fmt,
			    va_list ap)
{
	char *message = g_strdup_vprintf(fmt, ap);
	char *text = g_strconcat(prefix, message, NULL);

	if (report->fn) {
		report->fn(report->arg, text);
	}
	g_free(text);
	g_free(message);
}

void confreport_at(struct confreport *report, const struct confline *line, const char *fmt, ...)
{
	char *prefix = g_strdup_printf("Error while parsing file %s at line %d:\n\t", line->file,
				       line->number);
	va_list ap;

	report->total++;
	report->block++;
	va_start(ap, fmt);
	confreport_send(report, prefix, fmt, ap);
	va_end(ap);
	g_free(prefix);
}

void confreport_error(struct confreport *report, const char *fmt, ...)
{
	va_list ap;

	report->total++;
	report->block++;
	va_start(ap, fmt);
	confreport_send(report, "", fmt, ap);
	va_end(ap);
}

void confreport_note(struct confreport *report, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	confreport_send(report, "", fmt, ap);
	va_end(ap);
}
