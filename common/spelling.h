/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The name that a mistyped word was probably meant to be.
 *
 *	struct spelling spelling = { .word = name, .len = strlen(name) };
 *	for each name that would have been right { spelling_try(&spelling, name); }
 *	err_set(err, ST_EINVAL, "unrecognized option '%s'", name);
 *	spelling_suggest(&spelling, "--", err);	// "...; did you mean '--fields'?", or as it was
 */
#ifndef TUSSAH_COMMON_SPELLING_H
#define TUSSAH_COMMON_SPELLING_H

#include <stddef.h>

#include "common/err.h"

struct spelling {
	const char *word;
	size_t len; /* of word, which need not end there */

	/* found so far */
	const char *best; /* borrowed from spelling_try() */
	unsigned distance;
};

void spelling_try(struct spelling *spelling, const char *name);
/* Append the best name, with prefix before it, to the text of err (may be NULL) if it is near
 * enough. */
void spelling_suggest(const struct spelling *spelling, const char *prefix, struct err *err);

#endif
