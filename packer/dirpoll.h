/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Watching a directory for finished files (silk-packing.md 4.4): a regular file whose name does not
 * begin with a dot and whose size is not zero and the same in two scans is handed out, once for as
 * long as it stays.
 *
 *	struct dirpoll *poll = dirpoll_new("/var/spool/in");
 *	every so many seconds: dirpoll_scan(poll, take_file, arg, err);
 *	dirpoll_free(poll);
 */
#ifndef TUSSAH_PACKER_DIRPOLL_H
#define TUSSAH_PACKER_DIRPOLL_H

#include "common/err.h"

struct dirpoll;

struct dirpoll *dirpoll_new(const char *directory);
void dirpoll_free(struct dirpoll *poll);

/* path and name are borrowed. Non-zero stops the scan. */
typedef int (*dirpoll_fn)(void *arg, const char *path, const char *name);

/* Scan once. Returns ST_OK, ST_EIO, or fn's value; files not handed out yet come next time. */
int dirpoll_scan(struct dirpoll *poll, dirpoll_fn fn, void *arg, struct err *err);

/* Hand the file out again at the next scan, if it is still there and of the same size. */
void dirpoll_again(struct dirpoll *poll, const char *name);

#endif
