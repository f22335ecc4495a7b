/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The counters of interfaces that a repository holds, as a table: one row for each interface and
 * hour (storage/ifcounters.h).
 *
 *	st = iftable_print(root, first_ns, last_ns, text, err);	// then text_close()
 */
#ifndef TUSSAH_QUERY_IFTABLE_H
#define TUSSAH_QUERY_IFTABLE_H

#include "common/err.h"
#include "common/text.h"

/* Hours from first to last. Adds columns and rows to text, which is new. ST_OK, ST_EIO. */
int iftable_print(const char *root, int64_t first_ns, int64_t last_ns, struct text *text,
		  struct err *err);

#endif
