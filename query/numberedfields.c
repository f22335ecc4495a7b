/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "query/numberedfields.h"

#include <glib.h>

static int add_numbers(struct numberedfields *fields, const char *text, unsigned number_max,
		       struct err *err)
{
	char *end;
	guint64 first = g_ascii_strtoull(text, &end, 10);
	guint64 last = first;

	if (*end == '-') {
		const char *second = end + 1;

		last = g_ascii_strtoull(second, &end, 10);
		if (end == second || *end != '\0') {
			return err_set(err, ST_EINVAL, "Cannot parse end of numeric range '%s'",
				       text);
		}
		if (last < first) {
			return err_set(err, ST_EINVAL, "Invalid numeric range '%s'", text);
		}
	}
	if (*end != '\0' || first == 0 || first > number_max) {
		return err_set(err, ST_EINVAL, "No match was found for the field '%s'", text);
	}
	if (last > number_max) {
		return err_set(err, ST_EINVAL, "No match was found for the value '%u'",
			       number_max + 1);
	}
	for (guint64 n = first; n <= last; n++) {
		fields->numbers |= UINT32_C(1) << n;
	}
	return ST_OK;
}

static int add_name(struct numberedfields *fields, const char *text, numberedfields_find_fn find,
		    struct err *err)
{
	int number = find(text);

	if (number == NUMBEREDFIELDS_NONE) {
		return err_set(err, ST_EINVAL, "No match was found for the field '%s'", text);
	}
	if (number == NUMBEREDFIELDS_SEVERAL) {
		return err_set(err, ST_EINVAL, "The field '%s' matches multiple keys", text);
	}
	fields->numbers |= UINT32_C(1) << number;
	return ST_OK;
}

int numberedfields_parse(const char *text, unsigned number_max, numberedfields_find_fn find,
			 struct numberedfields *out, struct err *err)
{
	char **parts = g_strsplit(text, ",", -1);
	int rc = ST_OK;

	*out = (struct numberedfields){ .given = true };
	for (size_t i = 0; parts[i] != NULL && rc == ST_OK; i++) {
		const char *part = g_strstrip(parts[i]);

		if (g_ascii_isdigit(*part)) {
			rc = add_numbers(out, part, number_max, err);
		} else if (*part != '\0') {
			rc = add_name(out, part, find, err);
		}
	}
	g_strfreev(parts);
	if (rc == ST_OK && out->numbers == 0) {
		rc = err_set(err, ST_EINVAL, "Field list is empty");
	}
	return rc;
}
