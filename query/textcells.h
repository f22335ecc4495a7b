/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines of delimited text from standard input to standard output, with the cells of some columns
 * printed otherwise: the engine of num2dot and rwresolve.
 *
 *	struct textcells cells = { .delimiter = '|' };
 *	rc = textcells_parse_columns("1,3-4", &cells, err);
 *	textcells_run(&cells, print_cell, arg);
 *
 * Empty lines are dropped.
 */
#ifndef TUSSAH_QUERY_TEXTCELLS_H
#define TUSSAH_QUERY_TEXTCELLS_H

#include <stdbool.h>

#include "common/opt.h"

#define TEXTCELLS_COLUMNS_MAX 1024

struct textcells {
	bool given;                             /* columns were chosen */
	bool chosen[TEXTCELLS_COLUMNS_MAX + 1]; /* by number, from 1 */
	char delimiter;
};

/* Print a cell, which may be changed, to standard output, without the delimiter. */
typedef void (*textcells_fn)(void *arg, char *cell);

/* Choose these columns and no others. ST_OK; ST_EINVAL: nothing is changed. */
int textcells_parse_columns(const char *text, struct textcells *cells, struct err *err);
/* For OPT_CALL into the delimiter: the first character counts. */
int textcells_parse_delimiter(const struct opt *opt, const char *text, void *dest, struct err *err);

/* Ends the tool when standard input cannot be read. */
void textcells_run(const struct textcells *cells, textcells_fn fn, void *arg);

#endif
