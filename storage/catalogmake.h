/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a catalog keeps of one file, made by reading it.
 *
 *	struct catalog_made made;
 *	rc = catalog_make(&made, root, "in/2026/01/02/in-S0_20260102.03", NULL, NULL, err);
 *	catalog_made_release(&made);
 */
#ifndef TUSSAH_STORAGE_CATALOGMAKE_H
#define TUSSAH_STORAGE_CATALOGMAKE_H

#include "storage/catalog.h"

struct catalog_made {
	struct catalog_identity identity;
	uint8_t kind; /* enum catalog_kind */
	struct summary summary;
	uint8_t *filter; /* where summary.filter points; NULL: none */
};

/* Told the hash of every address of the file, most of them many times. */
typedef void (*catalog_hash_fn)(void *arg, uint64_t hash);

/*
 * Read the file of this path relative to root. fn may be NULL. ST_OK; ST_ENOENT; ST_EAGAIN: it was
 * written to meanwhile; ST_ESUPPORT: of a kind whose records depend on who reads them (files with a
 * legacy header); or why it cannot be read: damage is never summarised. *out is untouched then.
 */
int catalog_make(struct catalog_made *out, const char *root, const char *path, catalog_hash_fn fn,
		 void *arg, struct err *err);
void catalog_made_release(struct catalog_made *made);

#endif
