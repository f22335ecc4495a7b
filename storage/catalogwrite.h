/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeping the catalog of a day (storage/FORMAT.md section 8.4).
 *
 *	const char *paths[] = { "in/2026/01/02/in-S0_20260102.03" };
 *	rc = catalog_update(root, hour_ns, paths, 1, &opts, &result, err);
 *
 * Any number of processes and threads may update one repository: they wait for each other.
 */
#ifndef TUSSAH_STORAGE_CATALOGWRITE_H
#define TUSSAH_STORAGE_CATALOGWRITE_H

#include "storage/catalog.h"

struct catalog_update_opts {
	bool replace;    /* forget the entries of other files, and the old filter of the day */
	bool only_stale; /* do not read files whose entries are fresh */
	/* Told why a file got no entry (catalog_make()); may be NULL. What is gone needs no word.
	 */
	void (*refused)(void *arg, int status, const char *text);
	void *arg;
};

struct catalog_update_result {
	size_t summarised; /* files read */
	size_t kept;       /* entries that were fresh */
	size_t dropped;    /* entries of files that are gone, changed or cannot be read */
	size_t refused;    /* files that got no entry */
	uint64_t bytes;    /* of the catalog file; 0: there is none, as no entry is left */
};

/*
 * Read the named files (relative to root, all of the day that hour_ns is in) and put what was found
 * into the catalog of their day. Entries of other files stay, if they are fresh; when the day's
 * filter has become too small, those files are read again as well. A damaged catalog is made anew
 * of the named files. opts and result may be NULL. ST_OK, also when files were refused; ST_EINVAL:
 * not a name in root; ST_ELIMIT; ST_EIO: the catalog is as it was.
 */
int catalog_update(const char *root, int64_t hour_ns, const char *const *paths, size_t count,
		   const struct catalog_update_opts *opts, struct catalog_update_result *result,
		   struct err *err);

#endif
