/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text tables, written fast: columns or delimited as SiLK prints them, CSV, JSON lines.
 *
 *	struct text *text = text_new(STDOUT_FILENO, &style);
 *	text_add_column(text, "sIP", 39, false);
 *	text_titles(text);
 *	char *cell = text_cell(text);			// at least TEXT_CELL_MAX bytes
 *	text_cell_done(text, ip_print(cell, ip, v6, format));
 *	text_row_done(text);
 *	st = text_close(text, err);			// flush; ENOSPC and friends show here
 *
 * No allocation and no printf per value. One thread per table.
 */
#ifndef TUSSAH_COMMON_TEXT_H
#define TUSSAH_COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/opt.h"

#define TEXT_CELL_MAX 4096

enum text_form {
	TEXT_COLUMNS,   /* right-justified to the width, separator after each */
	TEXT_DELIMITED, /* no padding */
	TEXT_CSV,       /* RFC 4180: comma, quotes where needed, no final delimiter */
	TEXT_JSON,      /* one object a line, titles as names */
};

struct text_style {
	enum text_form form;
	char separator; /* '|' */
	bool no_final_delimiter;
	bool no_titles;
};

/* --no-titles --no-columns --column-separator=C --no-final-delimiter --delimited[=C]
 * --output-format=text|columns|delimited|csv|json; into struct text_style by
 * text_style_from_opts(). */
struct text_separator {
	bool delimited; /* --delimited was given */
	bool given;     /* a character was given, by either switch: the last one counts */
	char character;
};

struct text_opts {
	bool no_titles;
	bool no_columns;
	bool no_final_delimiter;
	struct text_separator separator;
	int output_format; /* -1 or 0: not given; see text.c */
};
extern const struct opt text_opt_table[];
/* CSV or JSON lines, where nothing stands beside the table? */
bool text_is_data(const struct text_opts *opts);
int text_style_from_opts(const struct text_opts *opts, struct text_style *out, struct err *err);

struct text;

/* fd is borrowed. */
struct text *text_new(int fd, const struct text_style *style);
/*
 * A table of strings for tools that print no table otherwise: format is an index of
 * text_data_formats, of which 0 is not a table: NULL. columns end in NULL.
 */
extern const char *const text_data_formats[]; /* "text", "csv", "json" */
/* The row of --output-format for them, in the int output_format of the options. */
#define TEXT_DATA_FORMAT_ROW(type, help)                                                           \
	OPT_CHOICE(type, output_format, "output-format", 0, "FORMAT", text_data_formats, help,     \
		   .default_text = "text", .flags = OPT_ADDED)
struct text *text_data_new(int fd, int format, bool no_titles, const char *const *columns);

/* A whole table, of one row of counts. */
struct text_count {
	const char *name;
	uint64_t count;
};
int text_data_counts(int fd, int format, const struct text_count *counts, size_t n,
		     struct err *err);
/* number: printed without quotes in JSON. width is ignored but in TEXT_COLUMNS. */
void text_add_column(struct text *text, const char *title, int width, bool number);
/* The column that was added last has its cells on the left in TEXT_COLUMNS. */
void text_align_left(struct text *text);
void text_titles(struct text *text);

/* The place for the next cell's characters, TEXT_CELL_MAX bytes; then say how many were written. */
char *text_cell(struct text *text);
void text_cell_done(struct text *text, size_t len);
/* As both, from a string of any length. */
void text_cell_string(struct text *text, const char *string);
void text_cell_u64(struct text *text, uint64_t number);
/* What the next cell is, of a column whose cells are now numbers and now texts. */
void text_cell_is_number(struct text *text, bool number);
/* A number in such a column. */
void text_cell_number(struct text *text, uint64_t number);

/*
 * How a time is printed whose form the user cannot choose (where he can: format_timestamp()): in
 * format, but as ISO 8601 in JSON, with the same digits behind the second.
 */
unsigned text_time_format(enum text_form form, unsigned format);
/* A cell of that form; cut to its day, or (but not in JSON) to its hour. */
void text_cell_time(struct text *text, int64_t ns, unsigned format);
void text_cell_day(struct text *text, int64_t ns, unsigned format);
void text_cell_hour(struct text *text, int64_t ns, unsigned format);
enum text_form text_form(const struct text *text);
/* CSV or JSON lines? */
bool text_form_is_data(enum text_form form);
void text_row_done(struct text *text);
/* Text outside the table (headings), as it is. */
void text_raw(struct text *text, const char *string);

/*
 * Rows that another thread makes: a table with the same style and columns, which are borrowed from
 * text, whose rows stay in memory.
 *
 *	draft = text_draft(text);
 *	... cells and rows of draft ...
 *	text_take_rows(draft, &rows);		// by the thread of the draft
 *	text_put_rows(text, &rows);		// by that of text, which writes them
 *	g_free(rows.bytes);
 *	text_close(draft, NULL);
 */
struct text *text_draft(const struct text *text);
struct text_rows {
	char *bytes;
	size_t len;
	size_t size; /* of the room */
};
/* Bytes of the rows in a draft. */
size_t text_draft_bytes(const struct text *draft);
/* Exchange the rows of the draft, which is then empty, for the room of rows (zeroed: none), which
 * is then theirs. */
void text_take_rows(struct text *draft, struct text_rows *rows);
void text_put_rows(struct text *text, const struct text_rows *rows);

/* Flush and free; returns the first write error of the table's life. */
int text_close(struct text *text, struct err *err);

#endif
