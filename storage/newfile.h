/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that appear under their name when they are whole: written beside it, synced, renamed.
 *
 *	char *temp = NULL;
 *	rc = newfile_open(path, &temp, &fd, err);
 *	... write, fsync(fd), rename(temp, path) or unlink(temp) ...
 *	rc = newfile_sync_folder(path, err);
 *	g_free(temp);
 */
#ifndef TUSSAH_STORAGE_NEWFILE_H
#define TUSSAH_STORAGE_NEWFILE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* Bytes of a name that a hidden file beside it has in its own, which is longer by some. */
#define NEWFILE_NAME_BYTES 200

/* Make a file ".NAME.XXXXXX" in the folder of path. *temp returned: g_free(). ST_OK, ST_ENOENT (no
 * such folder), ST_EIO. */
int newfile_open(const char *path, char **temp, int *fd, struct err *err);

/* The same with this mode and the name ".XXXXXX-NAME". */
int newfile_open_like(const char *path, int mode, char **temp, int *fd, struct err *err);

/* Make a file in this folder that has no name, and is gone when it is closed. ST_OK, ST_EIO. */
int newfile_nameless(const char *folder, int *fd, struct err *err);

/* Write all of it at offset; what was written of it when it failed stays. */
int newfile_write(int fd, uint64_t offset, const void *bytes, size_t len, struct err *err);

/* Make the names in the folder that has path durable. */
int newfile_sync_folder(const char *path, struct err *err);

#endif
