/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file that is written under a name, which may be that of one of the inputs: what was there stays
 * until the new file is whole.
 *
 *	struct namedfile *file = NULL;
 *	rc = namedfile_open(&file, path, NAMEDFILE_OVERWRITE, &fd, err);
 *	... write to fd, close it ...
 *	rc = whole ? namedfile_keep(file, err) : (namedfile_drop(file), ST_EIO);
 *
 * A regular file that exists is written anew in the same folder, where it has no name until it is
 * kept (or a hidden one, on file systems that cannot do that): a program that fails or is killed
 * leaves the old file as it was, and nothing beside it. Where the folder takes no new file it is
 * written in that for temporary files and copied at the end. The new file has the old one's mode, and
 * owner and group as far as the user may set them; further names of the old file (hard links)
 * stay with its bytes; of a symbolic link the file behind it is replaced. Devices and pipes are
 * joined.
 */
#ifndef TUSSAH_STORAGE_NAMEDFILE_H
#define TUSSAH_STORAGE_NAMEDFILE_H

#include <stdbool.h>

#include "common/err.h"

struct namedfile;

enum namedfile_flags {
	NAMEDFILE_OVERWRITE = 1 << 0, /* an existing regular file is no error */
	/*
	 * A new file has its name when it is kept, too. Without NAMEDFILE_OVERWRITE another's of the
	 * name that came meanwhile is an error then, told with where ours is.
	 */
	NAMEDFILE_WHOLE = 1 << 1,
};

/*
 * *fd, for writing, is the caller's to close; *out goes to namedfile_keep() or namedfile_drop().
 * ST_EEXIST, ST_ELIMIT, ST_EIO.
 */
int namedfile_open(struct namedfile **out, const char *path, unsigned flags, int *fd,
		   struct err *err);

/* Is nothing seen of what is written before it is kept? */
bool namedfile_is_hidden(const struct namedfile *file);

/*
 * The file is written: it has its name from now on. Frees. ST_OK, ST_EEXIST, ST_EIO, ST_ELIMIT. NULL is
 * fine.
 */
int namedfile_keep(struct namedfile *file, struct err *err);
/* It is not whole: what was to be replaced stays, and so does a new file. Frees. NULL is fine. */
void namedfile_leave(struct namedfile *file);
/* The same, but a new file is removed. Frees. NULL is fine. */
void namedfile_drop(struct namedfile *file);

/* Make `to` a copy of a regular file, with its mode, in place of what is there. ST_OK, ST_EIO, ST_ELIMIT. */
int namedfile_copy(const char *from, const char *to, struct err *err);

#endif
