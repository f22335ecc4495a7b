/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hourly files after their hour: block files are sealed, and all are entered in the catalog, by a
 * thread of its own. A file is due when its hour has been over for a while and nobody has had it
 * open for another; one that is written to again later is due again.
 *
 *	struct keeper *keeper = keeper_new(&opts);
 *	keeper_start(keeper, err);
 *	keeper_opened(keeper, path, hour_ns); ... keeper_closed(keeper, path);	// the writer
 *	keeper_stop(keeper);
 *	keeper_free(keeper);
 *
 * What is not done yet is listed in STATE/.rwflowpack-unsealed, so that it is done after a crash:
 * the first line is "tussah-unsealed 1", then one line a file, the second its hour begins at and
 * its path from the root. Lines are added as files are opened; the list is replaced when some are
 * done. A line too many does no harm.
 */
#ifndef TUSSAH_PACKER_KEEPER_H
#define TUSSAH_PACKER_KEEPER_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define KEEPER_FILE      ".rwflowpack-unsealed"
#define KEEPER_FILES_MAX 262144 /* listed; more are left to rwseal */

struct keeper_opts {
	const char *root;            /* kept */
	const char *state_directory; /* kept */
	const char *list_suffix; /* of the list, for another keeper there; NULL: none; borrowed */
	int64_t delay_ns;        /* after the end of the hour */
	int64_t idle_ns;         /* since it was closed */
	uint8_t compression;     /* enum chunk_compression */
};

struct keeper;

/* Read the list; one that cannot be read is logged, and begun anew. */
struct keeper *keeper_new(const struct keeper_opts *opts);
void keeper_free(struct keeper *keeper);

int keeper_start(struct keeper *keeper, struct err *err);
/* The file in work is finished before. */
void keeper_stop(struct keeper *keeper);

/* A file under the root is open for writing now, and no more. Thread-safe; keeper may be NULL. */
void keeper_opened(struct keeper *keeper, const char *path, int64_t hour_ns);
void keeper_closed(struct keeper *keeper, const char *path);

/*
 * Do what is due, as the thread does every second: now_ns is the time of day, idle times are
 * measured by clock_ns, which only goes forward. What is done, and what fails, is logged.
 */
void keeper_round(struct keeper *keeper, int64_t now_ns, int64_t clock_ns);

size_t keeper_files(struct keeper *keeper); /* that are listed */

#endif
