/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The names of the inputs of a tool: those of the command line, or a list with one name a line
 * (--xargs), or standard input.
 *
 *	struct names *names = names_new(&opts->xargs, true, argc, argv);
 *	while ((name = names_next(names))) ...
 *	names_free(names);
 */
#ifndef TUSSAH_QUERY_NAMES_H
#define TUSSAH_QUERY_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/opt.h"

struct names;

/*
 * argv is kept. A usage error ends the tool: names beside --xargs, or no names at all and standard
 * input, which is the default only when default_stdin, is a terminal. Free with names_free().
 */
struct names *names_new(const struct opt_optstr *xargs, bool default_stdin, int argc, char **argv);

/* The next name or NULL; borrowed until the next call. A list that cannot be read further has been
 * told of on standard error. */
const char *names_next(struct names *names);

/*
 * Read what is left of a list now: all names that are still to come, which names_next() goes on to
 * give. Borrowed, good until names_free().
 */
const char *const *names_ahead(struct names *names, size_t *count);

/* false: a list could not be read to its end. NULL is fine. */
bool names_free(struct names *names);

#endif
