/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files of the repository by days, for the tools that keep it: those of the selection switches, of
 * every flowtype unless a switch names some; without any switch all there are.
 */
#ifndef TUSSAH_QUERY_REPODAYS_H
#define TUSSAH_QUERY_REPODAYS_H

#include <glib.h>

#include "query/selection.h"

struct repoday {
	int64_t day_ns;
	GPtrArray *paths; /* of char *, relative to the root, ascending */
};

/* Do the switches name some files only? */
bool repodays_is_narrowed(const struct selection_opts *opts);

/*
 * Ascending by day. opts may be completed. root is borrowed. Errors end the tool. Returned:
 * g_ptr_array_free(days, TRUE).
 */
GPtrArray *repodays_new(struct selection_opts *opts, struct tool_env *env, const char **root);

/* The day of the list; added, without files, when it is not there. */
struct repoday *repodays_get(GPtrArray *days, int64_t day_ns);

#endif
