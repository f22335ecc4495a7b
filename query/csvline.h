/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One line of comma-separated values (RFC 4180) into its columns.
 *
 *	struct csvline row;
 *	if (csvline_split(&row, line, err) == ST_OK && row.count == 6) ...
 */
#ifndef TUSSAH_QUERY_CSVLINE_H
#define TUSSAH_QUERY_CSVLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

#define CSVLINE_COLUMNS_MAX 32

struct csvline {
	size_t count;
	char *columns[CSVLINE_COLUMNS_MAX]; /* in the line; a doubled quote has become one */
	bool quoted[CSVLINE_COLUMNS_MAX];
};

/*
 * Split line, which is changed and must live as long as out. Blanks around quotes do not count.
 * Returns ST_OK or ST_EINVAL: a quote is open, something stands beside one, or too many columns.
 */
int csvline_split(struct csvline *out, char *line, struct err *err);

#endif
