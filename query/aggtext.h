/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Aggregate bags from lines of text: which columns there are, and the rows.
 *
 *	struct aggtext *text = aggtext_new(site, '|');
 *	aggtext_add_constant(text, "sensor=S1", err);
 *	aggtext_set_fields(text, "sIPv4,bytes", err);	// or aggtext_read_titles() of a file
 *	aggtext_add_row(text, line, err);
 */
#ifndef TUSSAH_QUERY_AGGTEXT_H
#define TUSSAH_QUERY_AGGTEXT_H

#include "common/site.h"
#include "storage/aggbag.h"

struct aggtext;

/* site is kept. */
struct aggtext *aggtext_new(const struct site *site, char separator);
void aggtext_free(struct aggtext *text);

/* "FIELD=VALUE": every row has it, whatever its columns say. ST_OK or ST_EINVAL. */
int aggtext_add_constant(struct aggtext *text, const char *constant, struct err *err);

/* The columns, by names separated by commas. ST_OK or ST_EINVAL. */
int aggtext_set_fields(struct aggtext *text, const char *list, struct err *err);
/*
 * The columns of the lines to come, by a line of titles. The first one decides the fields of the
 * bag; later ones may leave out some and have others, which are ignored. ST_OK or ST_EINVAL.
 */
int aggtext_read_titles(struct aggtext *text, const char *line, struct err *err);
/* With fields set: is the line one of titles rather than values? */
bool aggtext_is_titles(const struct aggtext *text, const char *line);

/* Are the fields of the bag known? */
bool aggtext_started(const struct aggtext *text);
/* Add a row; it must be started. ST_OK, or ST_EINVAL: the line is wrong, and nothing was added. */
int aggtext_add_row(struct aggtext *text, const char *line, struct err *err);
/* Borrowed; NULL when it was not started. */
const struct aggbag *aggtext_bag(const struct aggtext *text);

#endif
