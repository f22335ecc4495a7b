/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * --ignore-fields: the key of all fields of a list but those that the user names.
 *
 *	st = ignorefields_parse(names, count, opts->ignore_fields, &fields, &field_count, err);
 */
#ifndef TUSSAH_QUERY_IGNOREFIELDS_H
#define TUSSAH_QUERY_IGNOREFIELDS_H

#include "common/field.h"

/*
 * Those of the fields called names that text (NULL: nothing) does not name, in their order. class
 * and type are ignored together, as records hold them as one. *out: g_free(). ST_OK, or ST_EINVAL.
 */
int ignorefields_parse(const char *const *names, size_t count, const char *text,
		       const struct field ***out, size_t *out_count, struct err *err);

/* --help-fields. */
void ignorefields_help(const char *const *names, size_t count);

#endif
