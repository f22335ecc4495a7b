/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many hourly files a repository has of each flowtype and sensor, and of which hours.
 *
 *	struct repofiles *files;
 *	if (repofiles_new(&files, site, root, err) == ST_OK) ...
 *	sum = repofiles_sum(files, -1, -1, sensor);
 *	repofiles_free(files);
 */
#ifndef TUSSAH_QUERY_REPOFILES_H
#define TUSSAH_QUERY_REPOFILES_H

#include "common/err.h"
#include "common/site.h"

struct repofiles;

struct repofiles_sum {
	uint64_t count;
	int64_t first_ns; /* of the hours; only if count is not 0 */
	int64_t last_ns;
};

/* Look through the folders below root. site is kept. ST_OK or ST_ENOENT (no such folder). */
int repofiles_new(struct repofiles **out, const struct site *site, const char *root,
		  struct err *err);
void repofiles_free(struct repofiles *files);

/* Those of a class, a flowtype, a sensor; a negative id is any. */
struct repofiles_sum repofiles_sum(const struct repofiles *files, int class_id, int flowtype,
				   int sensor);

#endif
