/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a packer knows of hours beside their records (losses, counters of interfaces, names), on its
 * way to a repository that it does not write itself: a small text file that travels with the
 * incremental files (storage/FORMAT.md section 12).
 *
 * Packer:
 *	rc = hournotes_create(&notes, path, err);
 *	rc = hournotes_write(notes, LOSSFILE_FOLDER, "2024/03/05T12 S0 P0 missing=3", err);
 *	rc = hournotes_close(notes, err);
 * rwflowappend, and a packer that finds it among its files:
 *	if (hournotes_recognise(path)) {
 *		rc = hournotes_deliver(path, &place, NULL, NULL, &lines, err);
 *
 * Each line is made unlike all others, so that a file that is delivered twice, or by halves and
 * again, counts once.
 */
#ifndef TUSSAH_STORAGE_HOURNOTES_H
#define TUSSAH_STORAGE_HOURNOTES_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "storage/hourlines.h"

#define HOURNOTES_BYTES_MAX (64u << 20) /* of a file that is delivered */

struct hournotes;

/* Make the file, which must not be there. *out returned: hournotes_close(). ST_OK, ST_EIO. */
int hournotes_create(struct hournotes **out, const char *path, struct err *err);
/* A line without its end, for the folder or file of that name in the root. One that comes from
 * another such file stays as it is. ST_OK, ST_EIO. */
int hournotes_write(struct hournotes *notes, const char *folder, const char *line, struct err *err);
/* Sync and free. ST_OK, ST_EIO. */
int hournotes_close(struct hournotes *notes, struct err *err);

bool hournotes_recognise(const char *path);

/* Adds to out (char *, theirs) what a line of this folder becomes. */
typedef void (*hournotes_edit_fn)(void *arg, const char *folder, const char *line, GPtrArray *out);

/*
 * Bring the lines to their place: to a root durably, or to whoever takes them. edit may be NULL.
 * *lines: how many were new there (names: how many there were). Lines for what is not known here,
 * and a last line without its end, are passed over. ST_OK; ST_EFORMAT (the file is none, or a line
 * is damaged), ST_ELIMIT: it never will be; ST_EIO: it may be later.
 */
int hournotes_deliver(const char *path, const struct hourlines_place *place, hournotes_edit_fn edit,
		      void *arg, size_t *lines, struct err *err);

#endif
