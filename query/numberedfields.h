/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lists of fields that have both a name and a number below 32: "1-3,name,7".
 *
 *	struct numberedfields fields;
 *	status = numberedfields_parse("1-3,size", 21, find_field, &fields, err);
 */
#ifndef TUSSAH_QUERY_NUMBEREDFIELDS_H
#define TUSSAH_QUERY_NUMBEREDFIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

/* Plain data. */
struct numberedfields {
	bool given;
	uint32_t numbers; /* bit of each number */
};

/* The number of a name. */
enum { NUMBEREDFIELDS_NONE = -1, NUMBEREDFIELDS_SEVERAL = -2 };
typedef int (*numberedfields_find_fn)(const char *name);

/* Numbers are 1 to number_max. ST_OK or ST_EINVAL, with SiLK's words. */
int numberedfields_parse(const char *text, unsigned number_max, numberedfields_find_fn find,
			 struct numberedfields *out, struct err *err);

#endif
