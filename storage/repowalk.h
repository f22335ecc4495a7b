/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding the hourly files of a repository whatever their hour. */
#ifndef TUSSAH_STORAGE_REPOWALK_H
#define TUSSAH_STORAGE_REPOWALK_H

#include "storage/repo.h"

/*
 * Visit every file under root that repo_each() would visit for some hour, flowtype and sensor of
 * the site, in no order. Names that begin with a dot are passed over, as are folders that cannot be
 * read. Stops when fn returns non-zero and returns that.
 */
typedef int (*repo_walk_fn)(void *arg, const char *path, const struct hourfile_key *key);
int repo_walk(const struct site *site, const char *root, repo_walk_fn fn, void *arg);

/*
 * Is path (under root, both written alike) where a query looks for the file of its name's flowtype,
 * sensor and hour, as it is or with ".gz"?
 */
bool repo_is_path(const struct site *site, const char *root, const char *path,
		  struct hourfile_key *key);

#endif
