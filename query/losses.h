/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is known to be missing from a repository, summed by sensor and hour (storage/lossfile.h).
 *
 *	struct losses *losses = losses_new();
 *	rc = losses_read(losses, root, first_hour_ns, last_hour_ns, err);
 *	losses_each(losses, take, arg);				// those that are short
 *	losses_free(losses);
 */
#ifndef TUSSAH_QUERY_LOSSES_H
#define TUSSAH_QUERY_LOSSES_H

#include <stdio.h>

#include "storage/lossfile.h"
#include "storage/repo.h"

struct losses;

struct losses *losses_new(void);
void losses_free(struct losses *losses);

/* ST_OK, also when nothing was ever lost; ST_EIO. */
int losses_read(struct losses *losses, const char *root, int64_t first_hour_ns,
		int64_t last_hour_ns, struct err *err);
/* All hours there are. */
int losses_read_all(struct losses *losses, const char *root, struct err *err);

/* Each hour of a sensor that is short, by hour, then by name. */
typedef void (*losses_fn)(void *arg, int64_t hour_ns, const char *sensor, const struct loss *loss);
void losses_each(const struct losses *losses, losses_fn fn, void *arg);

/*
 * One line about what a selection is short of, without its newline; NULL: of nothing that is known.
 * Returned: g_free(). What cannot be read is taken for nothing: it is only a hint.
 */
char *losses_describe(const struct site *site, const char *root, const struct repo_select *select);

#endif
