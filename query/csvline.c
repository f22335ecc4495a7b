/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/csvline.h"

#include <string.h>

#define BLANKS " \t\r"

/* A value in quotes from its first quote on; the end of what is used, or NULL: the quote is open.
 */
static char *take_quoted(char *at, char **value)
{
	char *to = ++at;

	*value = at;
	for (; *at; at++) {
		if (*at == '"' && at[1] != '"') {
			*to = '\0';
			return at + 1;
		}
		at += *at == '"';
		*to++ = *at;
	}
	return NULL;
}

int csvline_split(struct csvline *out, char *line, struct err *err)
{
	char *at = line;
	bool more = true;

	out->count = 0;
	while (more) {
		char *start = at + strspn(at, BLANKS);
		bool quoted = *start == '"';

		if (out->count == CSVLINE_COLUMNS_MAX) {
			return err_set(err, ST_EINVAL, "more than %d columns", CSVLINE_COLUMNS_MAX);
		}
		out->quoted[out->count] = quoted;
		if (quoted) {
			at = take_quoted(start, &out->columns[out->count]);
			if (!at) {
				return err_set(err, ST_EINVAL, "column %zu has no closing quote",
					       out->count + 1);
			}
			at += strspn(at, BLANKS);
		} else {
			out->columns[out->count] = at;
			at += strcspn(at, ",");
		}
		out->count++;
		if (*at && *at != ',') {
			return err_set(err, ST_EINVAL, "'%c' stands behind column %zu", *at,
				       out->count);
		}
		more = *at == ',';
		*at++ = '\0';
	}
	return ST_OK;
}
