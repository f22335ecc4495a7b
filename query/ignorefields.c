/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/ignorefields.h"

#include <stdio.h>
#include <string.h>

#include <glib.h>

static bool is_among(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_flowtype(const struct field *field)
{
	return strcmp(field->name, "class") == 0 || strcmp(field->name, "type") == 0;
}

static bool is_ignored(const struct field *field, const struct field *const *ignored, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (ignored[i] == field || (is_flowtype(ignored[i]) && is_flowtype(field))) {
			return true;
		}
	}
	return false;
}

int ignorefields_parse(const char *const *names, size_t count, const char *text,
		       const struct field ***out, size_t *out_count, struct err *err)
{
	const struct field **ignored = NULL;
	size_t ignored_count = 0;
	int status = text && *text ? field_parse_list(text, FIELD_LIST_NO_DEPRECATED, &ignored,
						      &ignored_count, err)
				   : ST_OK;

	if (text && !*text) {
		status = err_set(err, ST_EINVAL, "no field is named");
	}
	for (size_t i = 0; status == ST_OK && i < ignored_count; i++) {
		if (!is_among(names, count, ignored[i]->name)) {
			status = err_set(err, ST_EINVAL, "%s is not one of the fields compared",
					 ignored[i]->name);
		}
	}
	if (status == ST_OK) {
		*out = g_new0(const struct field *, count + 1);
		*out_count = 0;
		for (size_t i = 0; i < count; i++) {
			const struct field *field = field_find(names[i], NULL);

			if (!is_ignored(field, ignored, ignored_count)) {
				(*out)[(*out_count)++] = field;
			}
		}
	}
	g_free(ignored);
	return status;
}

void ignorefields_help(const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		printf("%-14s %s\n", names[i], field_find(names[i], NULL)->help);
	}
}
