/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Comma-separated lists of names out of a fixed few, such as --ip-format=decimal,zero-padded. */
#ifndef TUSSAH_COMMON_NAMELIST_H
#define TUSSAH_COMMON_NAMELIST_H

#include "common/err.h"

/* Called with the index of each name; a failure ends the walk. */
typedef int (*namelist_fn)(void *arg, unsigned index, struct err *err);

/*
 * Walk the names of text. A name may be cut to any prefix that fits one of names (NULL-terminated,
 * 32 at most), in any case; empty places between commas and blanks before the first name are skipped,
 * so that "," names nothing; no text or blanks alone, or the same name twice, are errors. Worded as
 * SiLK has it.
 */
int namelist_each(const char *text, const char *const *names, namelist_fn fn, void *arg,
		  struct err *err);

#endif
