/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "common/decimal.h"
#include "common/timestamp.h"

/* One write(2) hands over about this much. */
#define BUFFER_BYTES (256u * 1024)
/* What one cell may take on top of its characters: title, padding, quotes, each character as
 * \u00xx. */
#define EXPANSION 6

struct text_column {
	char *title;
	size_t width;
	bool number;
	bool left;
	char *lead; /* JSON: what stands before the value, and its quote */
	size_t lead_len;
};

struct text {
	int fd; /* -1: a draft, whose rows stay in the buffer */
	struct text_style style;
	GArray *columns; /* struct text_column; a draft shares them */
	size_t next;     /* column of the next cell */
	char *buffer;
	size_t size;
	size_t used;
	size_t cell_at; /* where the current cell's characters start */
	bool number;    /* JSON: the current cell is one */
	enum { CELL_AS_COLUMN, CELL_NUMBER, CELL_TEXT } next_is;
	int error; /* errno of the first failed write */
};

/* In the order of enum text_form; text is another name of columns. */
static const char *const format_names[] = { "columns", "delimited", "csv", "json", "text", NULL };

static int parse_separator(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct text_separator *separator = dest;

	separator->given = true;
	separator->character = text[0];
	return ST_OK;
}

static int parse_delimited(const struct opt *opt, const char *text, void *dest, struct err *err)
{
	struct text_separator *separator = dest;

	separator->delimited = true;
	return text ? parse_separator(opt, text, dest, err) : ST_OK;
}

const struct opt text_opt_table[] = {
	OPT_FLAG(struct text_opts, no_titles, "no-titles", 0, "print no title line"),
	OPT_FLAG(struct text_opts, no_columns, "no-columns", 0, "do not pad columns to a width"),
	OPT_CALL(struct text_opts, separator, "column-separator", 0, "CHAR", parse_separator, 0,
		 "print this character between columns"),
	OPT_FLAG(struct text_opts, no_final_delimiter, "no-final-delimiter", 0,
		 "print no separator after the last column"),
	OPT_CALL(struct text_opts, separator, "delimited", 0, "CHAR", parse_delimited,
		 OPT_ARG_OPTIONAL,
		 "no padding, no final separator, and this character between columns"),
	OPT_CHOICE(struct text_opts, output_format, "output-format", 0, "FORMAT", format_names,
		   "print text in columns, delimited, csv or json lines", .flags = OPT_ADDED),
	OPT_END,
};

int text_style_from_opts(const struct text_opts *opts, struct text_style *out, struct err *err)
{
	*out = (struct text_style){
		.form = TEXT_COLUMNS,
		.separator = '|',
		.no_final_delimiter = opts->no_final_delimiter,
		.no_titles = opts->no_titles,
	};
	if (opts->separator.given) {
		out->separator = opts->separator.character;
	}
	if (opts->no_columns) {
		out->form = TEXT_DELIMITED;
	}
	if (opts->separator.delimited) {
		out->form = TEXT_DELIMITED;
		out->no_final_delimiter = true;
	}
	if (opts->output_format > TEXT_COLUMNS && opts->output_format <= TEXT_JSON) {
		out->form = (enum text_form)opts->output_format;
		out->no_final_delimiter = true;
	}
	if (out->form == TEXT_CSV) {
		out->separator = ',';
	}
	return ST_OK;
}

bool text_form_is_data(enum text_form form)
{
	return form == TEXT_CSV || form == TEXT_JSON;
}

bool text_is_data(const struct text_opts *opts)
{
	return opts->output_format == TEXT_CSV || opts->output_format == TEXT_JSON;
}

static void clear_column(gpointer pointer)
{
	struct text_column *column = pointer;

	g_free(column->title);
	g_free(column->lead);
}

struct text *text_new(int fd, const struct text_style *style)
{
	struct text *text = g_new0(struct text, 1);

	text->fd = fd;
	text->style = *style;
	text->columns = g_array_new(FALSE, FALSE, sizeof(struct text_column));
	g_array_set_clear_func(text->columns, clear_column);
	text->size = BUFFER_BYTES;
	text->buffer = g_malloc(text->size);
	return text;
}

static struct text_column *column_at(const struct text *text, size_t i)
{
	return &g_array_index(text->columns, struct text_column, i);
}

static void write_bytes(struct text *text, const char *bytes, size_t len)
{
	while (len > 0 && !text->error) {
		ssize_t n = write(text->fd, bytes, len);

		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		} else if (n < 0 && errno != EINTR) {
			text->error = errno;
		}
	}
}

static void write_out(struct text *text)
{
	write_bytes(text, text->buffer, text->used);
	text->used = 0;
}

/* Room for len more characters in their longest form. */
static void reserve(struct text *text, size_t len)
{
	size_t need = len * EXPANSION + 1024;

	if (text->size - text->used >= need) {
		return;
	}
	if (text->fd >= 0) {
		write_out(text);
	}
	if (text->size - text->used < need) {
		text->size = MAX(text->used + need, text->size + BUFFER_BYTES);
		text->buffer = g_realloc(text->buffer, text->size);
	}
}

static void put(struct text *text, const char *bytes, size_t len)
{
	memcpy(text->buffer + text->used, bytes, len);
	text->used += len;
}

/* JSON characters that cannot stand for themselves; returns the length written to out. */
static size_t json_escape(char *out, const char *in, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	char *at = out;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)in[i];

		if (c == '"' || c == '\\') {
			*at++ = '\\';
			*at++ = (char)c;
		} else if (c < 0x20) {
			memcpy(at, "\\u00", 4);
			at[4] = hex[c >> 4];
			at[5] = hex[c & 15];
			at += 6;
		} else {
			*at++ = (char)c;
		}
	}
	return (size_t)(at - out);
}

static bool json_plain(const char *in, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)in[i];

		if (c < 0x20 || c == '"' || c == '\\') {
			return false;
		}
	}
	return true;
}

void text_add_column(struct text *text, const char *title, int width, bool number)
{
	struct text_column column = {
		.title = g_strdup(title),
		.width = width > 0 ? (size_t)width : 0,
		.number = number,
	};

	if (text->style.form == TEXT_JSON) {
		char *name = g_malloc(strlen(title) * EXPANSION + 1);
		size_t len = json_escape(name, title, strlen(title));

		column.lead = g_strdup_printf("%c\"%.*s\":", text->columns->len ? ',' : '{',
					      (int)len, name);
		column.lead_len = strlen(column.lead);
		g_free(name);
	}
	g_array_append_val(text->columns, column);
}

void text_align_left(struct text *text)
{
	column_at(text, text->columns->len - 1)->left = true;
}

const char *const text_data_formats[] = { "text", "csv", "json", NULL };

struct text *text_data_new(int fd, int format, bool no_titles, const char *const *columns)
{
	const struct text_style style = {
		.form = format == 1 ? TEXT_CSV : TEXT_JSON,
		.separator = ',',
		.no_final_delimiter = true,
		.no_titles = no_titles,
	};
	struct text *text;

	if (format == 0) {
		return NULL;
	}
	text = text_new(fd, &style);
	for (; *columns; columns++) {
		text_add_column(text, *columns, 0, false);
	}
	text_titles(text);
	return text;
}

int text_data_counts(int fd, int format, const struct text_count *counts, size_t n, struct err *err)
{
	const char **names = g_new0(const char *, n + 1);
	struct text *text;

	for (size_t i = 0; i < n; i++) {
		names[i] = counts[i].name;
	}
	text = text_data_new(fd, format, false, names);
	for (size_t i = 0; i < n; i++) {
		text_cell_number(text, counts[i].count);
	}
	text_row_done(text);
	g_free(names);
	return text_close(text, err);
}

void text_titles(struct text *text)
{
	if (text->style.no_titles || text->style.form == TEXT_JSON) {
		return;
	}
	for (size_t i = 0; i < text->columns->len; i++) {
		const struct text_column *column = column_at(text, i);
		size_t len = strlen(column->title);

		if (text->style.form == TEXT_COLUMNS && len > column->width) {
			len = column->width;
		}
		memcpy(text_cell(text), column->title, MIN(len, TEXT_CELL_MAX));
		text_cell_done(text, MIN(len, TEXT_CELL_MAX));
	}
	text_row_done(text);
}

char *text_cell(struct text *text)
{
	reserve(text, TEXT_CELL_MAX);
	if (text->style.form == TEXT_JSON) {
		const struct text_column *column = column_at(text, text->next);

		reserve(text, TEXT_CELL_MAX + column->lead_len);
		put(text, column->lead, column->lead_len);
		text->number = text->next_is == CELL_AS_COLUMN ? column->number
							       : text->next_is == CELL_NUMBER;
		text->next_is = CELL_AS_COLUMN;
		if (!text->number) {
			text->buffer[text->used++] = '"';
		}
	}
	text->cell_at = text->used;
	return text->buffer + text->used;
}

/*
 * Push the cell to the right of its column. Cells are short and the buffer has room behind them,
 * so whole 64-byte copies of known size beat memmove() of the exact length.
 */
static void justify(char *cell, size_t len, size_t pad)
{
	if (len <= 64 && pad <= 64) {
		char chars[64];

		memcpy(chars, cell, sizeof(chars));
		memset(cell, ' ', sizeof(chars));
		memcpy(cell + pad, chars, sizeof(chars));
	} else {
		memmove(cell + pad, cell, len);
		memset(cell, ' ', pad);
	}
}

/* Fill the cell, which is too short, to its width. */
static void pad(char *cell, size_t len, const struct text_column *column)
{
	if (column->left) {
		memset(cell + len, ' ', column->width - len);
	} else {
		justify(cell, len, column->width - len);
	}
}

static void finish_json(struct text *text, size_t len)
{
	char *cell = text->buffer + text->cell_at;

	if (text->number) {
		text->used += len;
		if (len == 0) {
			put(text, "null", 4);
		}
		return;
	}
	if (!json_plain(cell, len)) {
		char *copy = g_memdup2(cell, len);

		len = json_escape(cell, copy, len);
		g_free(copy);
	}
	text->used += len;
	text->buffer[text->used++] = '"';
}

/* No comma, quote or line break? */
static bool csv_plain(const char *in, size_t len)
{
	static const bool special[UCHAR_MAX + 1] = {
		[','] = true,
		['"'] = true,
		['\n'] = true,
		['\r'] = true,
	};
	bool any = false;

	for (size_t i = 0; i < len; i++) {
		any |= special[(unsigned char)in[i]];
	}
	return !any;
}

/* RFC 4180, 2.6 and 2.7: quotes around what holds a comma, a quote or a line break. */
static void finish_csv(struct text *text, size_t len)
{
	char *cell = text->buffer + text->cell_at;

	if (!csv_plain(cell, len)) {
		char *copy = g_memdup2(cell, len);
		char *at = cell;

		*at++ = '"';
		for (size_t i = 0; i < len; i++) {
			if (copy[i] == '"') {
				*at++ = '"';
			}
			*at++ = copy[i];
		}
		*at++ = '"';
		len = (size_t)(at - cell);
		g_free(copy);
	}
	text->used += len;
	if (text->next + 1 < text->columns->len) {
		text->buffer[text->used++] = text->style.separator;
	}
}

void text_cell_done(struct text *text, size_t len)
{
	const struct text_column *column = column_at(text, text->next);

	if (text->style.form == TEXT_JSON) {
		finish_json(text, len);
	} else if (text->style.form == TEXT_CSV) {
		finish_csv(text, len);
	} else {
		if (text->style.form == TEXT_COLUMNS && len < column->width) {
			pad(text->buffer + text->cell_at, len, column);
			len = column->width;
		}
		text->used += len;
		if (text->next + 1 < text->columns->len || !text->style.no_final_delimiter) {
			text->buffer[text->used++] = text->style.separator;
		}
	}
	text->next++;
}

void text_cell_string(struct text *text, const char *string)
{
	size_t len = strlen(string);

	if (len > TEXT_CELL_MAX) {
		reserve(text, len + TEXT_CELL_MAX);
	}
	memcpy(text_cell(text), string, len);
	text_cell_done(text, len);
}

void text_cell_u64(struct text *text, uint64_t number)
{
	text_cell_done(text, decimal_print(text_cell(text), number));
}

void text_cell_is_number(struct text *text, bool number)
{
	text->next_is = number ? CELL_NUMBER : CELL_TEXT;
}

void text_cell_number(struct text *text, uint64_t number)
{
	text_cell_is_number(text, true);
	text_cell_u64(text, number);
}

enum text_form text_form(const struct text *text)
{
	return text->style.form;
}

/* What of a format counts in JSON: the digits, for the form and the zone are those of ISO 8601. */
#define TIME_DIGITS (TIMESTAMP_NO_MSEC | TIMESTAMP_MICRO | TIMESTAMP_NANO)

unsigned text_time_format(enum text_form form, unsigned format)
{
	return form == TEXT_JSON ? TIMESTAMP_ISO_8601 | (format & TIME_DIGITS) : format;
}

static void put_time(struct text *text, int64_t ns, unsigned format, size_t len_max)
{
	size_t len =
		timestamp_print(text_cell(text), ns, text_time_format(text->style.form, format));

	text_cell_done(text, MIN(len, len_max));
}

void text_cell_time(struct text *text, int64_t ns, unsigned format)
{
	put_time(text, ns, format, TIMESTAMP_TEXT_MAX);
}

void text_cell_day(struct text *text, int64_t ns, unsigned format)
{
	put_time(text, ns, format, strlen("YYYY/MM/DD"));
}

void text_cell_hour(struct text *text, int64_t ns, unsigned format)
{
	bool whole = text->style.form == TEXT_JSON; /* ISO 8601 has no hour alone with a zone */

	put_time(text, ns, format | TIMESTAMP_NO_MSEC,
		 whole ? TIMESTAMP_TEXT_MAX : strlen("YYYY/MM/DDTHH"));
}

void text_row_done(struct text *text)
{
	if (text->style.form == TEXT_JSON && text->next > 0) {
		text->buffer[text->used++] = '}';
	}
	text->buffer[text->used++] = '\n';
	text->next = 0;
}

void text_raw(struct text *text, const char *string)
{
	size_t len = strlen(string);

	reserve(text, len);
	put(text, string, len);
}

static int text_flush(struct text *text, struct err *err)
{
	if (text->fd >= 0) {
		write_out(text);
	}
	if (text->error) {
		return err_errno(err, ST_EIO, text->error, "cannot write output");
	}
	return ST_OK;
}

struct text *text_draft(const struct text *text)
{
	struct text *draft = g_new0(struct text, 1);

	draft->fd = -1;
	draft->style = text->style;
	draft->columns = g_array_ref(text->columns);
	return draft;
}

size_t text_draft_bytes(const struct text *draft)
{
	return draft->used;
}

void text_take_rows(struct text *draft, struct text_rows *rows)
{
	const struct text_rows taken = { draft->buffer, draft->used, draft->size };

	draft->buffer = rows->bytes;
	draft->used = 0;
	draft->size = rows->size;
	*rows = taken;
}

void text_put_rows(struct text *text, const struct text_rows *rows)
{
	write_out(text);
	write_bytes(text, rows->bytes, rows->len);
}

int text_close(struct text *text, struct err *err)
{
	int status = text_flush(text, err);

	g_array_unref(text->columns);
	g_free(text->buffer);
	g_free(text);
	return status;
}
