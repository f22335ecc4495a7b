/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rows of an option table, unfolded: groups replaced by their rows. Shared by the files of
 * opt.h; not for others.
 */
#ifndef TUSSAH_COMMON_OPTROW_H
#define TUSSAH_COMMON_OPTROW_H

#include <glib.h>

#include "common/opt.h"

struct opt_row {
	const struct opt *opt;
	size_t offset; /* of the member, in the outermost struct */
	bool given;
};

enum opt_arg_need { OPT_NEED_NONE, OPT_NEED_OPTIONAL, OPT_NEED_REQUIRED };

/* The built-in rows and those of table, in order. Returned: an array of struct opt_row, free with
 * g_array_free(). */
GArray *opt_rows_new(const struct opt *table);

/* Append the rows that tables of OPT_KIND_MORE have by now. */
void opt_rows_add_more(GArray *rows, const struct opt *table, const void *opts);

static inline struct opt_row *opt_row_at(GArray *rows, guint i)
{
	return &g_array_index(rows, struct opt_row, i);
}

/* How many of the rows are built in; they come first. */
guint opt_builtin_count(void);

/* --help and its like: the tag is an enum opt_action. */
bool opt_is_builtin(const struct opt *opt);

enum opt_arg_need opt_arg_need(const struct opt *opt);

/* Parse text (NULL: no argument) into the member of the struct at opts. */
int opt_row_set(struct opt_row *row, void *opts, const char *text, struct err *err);

/* true, yes, 1 and their opposites. */
int opt_parse_bool(const char *text, bool *out, struct err *err);

#endif
