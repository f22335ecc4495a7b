/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lines of sensor.conf as words (silk-packing.md 2.1), and the reports about them.
 *
 *	struct confreader *reader;
 *	struct confline line;
 *	if (confreader_open(&reader, path, err) == ST_OK) {
 *		while ((st = confreader_next(reader, &line, err)) != ST_END) {
 *			if (st != ST_OK) confreport_at(&report, &line, "%s", err->text);
 *			...
 *		}
 *	}
 *	confreader_free(reader);
 */
#ifndef TUSSAH_PACKER_CONFLINE_H
#define TUSSAH_PACKER_CONFLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct confword {
	const char *text;
	bool quoted;
	bool comma; /* follows it */
};

/* One statement. Everything lives until the next confreader_next(). */
struct confline {
	const char *file; /* lives as long as the reader */
	int number;       /* from 1 */
	size_t count;     /* words; at least 1 */
	const struct confword *words;
	bool stray_comma; /* a comma that does not stand between two values */
};

struct confreader;

/* Returns ST_OK, ST_EIO, ST_EFORMAT (too large, or not text). *out: free with confreader_free(). */
int confreader_open(struct confreader **out, const char *path, struct err *err);
/* Read path before the rest of the current file. ST_ENOENT, ST_ELIMIT (nested too deep). */
int confreader_include(struct confreader *reader, const char *path, struct err *err);
/*
 * The next line that is not empty. ST_EFORMAT: the reason is in err, the place in *out (whose words
 * are not to be used), and reading can go on. ST_END after the last line.
 */
int confreader_next(struct confreader *reader, struct confline *out, struct err *err);
void confreader_free(struct confreader *reader);

/* Where complaints go: one call per complaint, several lines of text joined by "\n\t". */
typedef void (*confreport_fn)(void *arg, const char *text);

struct confreport {
	confreport_fn fn; /* NULL: only count */
	void *arg;
	unsigned total; /* errors so far */
	unsigned block; /* errors in the current block */
};

/* "Error while parsing file FILE at line N:\n\tMESSAGE"; counted. */
void confreport_at(struct confreport *report, const struct confline *line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The text alone; counted. */
void confreport_error(struct confreport *report, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The text alone, not counted: it explains or sums up what was counted. */
void confreport_note(struct confreport *report, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
