/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/namelist.h"

#include <stdint.h>
#include <string.h>
#include <glib.h>

#include "common/spelling.h"

static int find_name(const char *text, size_t len, const char *const *names, unsigned *out,
		     struct err *err)
{
	int found = -1;

	for (int i = 0; names[i]; i++) {
		if (g_ascii_strncasecmp(names[i], text, len) != 0) {
			continue;
		}
		if (!names[i][len]) {
			found = i;
			break;
		}
		if (found >= 0) {
			return err_set(err, ST_EINVAL, "The field '%.*s' matches multiple names",
				       (int)len, text);
		}
		found = i;
	}
	if (found < 0) {
		struct spelling spelling = { .word = text, .len = len };

		for (size_t i = 0; names[i]; i++) {
			spelling_try(&spelling, names[i]);
		}
		err_set(err, ST_EINVAL, "No match was found for the field '%.*s'", (int)len, text);
		spelling_suggest(&spelling, "", err);
		return ST_EINVAL;
	}
	*out = (unsigned)found;
	return ST_OK;
}

int namelist_each(const char *text, const char *const *names, namelist_fn fn, void *arg,
		  struct err *err)
{
	const char *first = text + strspn(text, " \t\n\v\f\r");
	uint32_t seen = 0;

	if (!*first) {
		return err_set(err, ST_EINVAL, "Field list is empty");
	}
	for (const char *p = first; *p;) {
		size_t len = strcspn(p, ",");
		unsigned index = 0;
		int st;

		if (len > 0) {
			st = find_name(p, len, names, &index, err);
			if (st != ST_OK) {
				return st;
			}
			if (seen >> index & 1) {
				return err_set(err, ST_EINVAL, "Duplicate name '%.*s'", (int)len,
					       p);
			}
			seen |= UINT32_C(1) << index;
			st = fn(arg, index, err);
			if (st != ST_OK) {
				return st;
			}
		}
		p += len;
		p += *p == ',';
	}
	return ST_OK;
}
